//! Which moves a draft has, for each combination of labels.

use crate::classify::{Label, label};
use crate::reply::playbook::Book;
use crate::reply::{History, NoDraft};

/// One move of one script. It may be left out when nothing fits if it is `optional`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) script: String,
    pub(super) wanted: String,
    pub(super) optional: bool,
}

impl Step {
    fn new(script: &str, wanted: &str) -> Self {
        let plain = wanted.trim_end_matches('?');
        Self { script: script.to_owned(), wanted: plain.to_owned(), optional: plain != wanted }
    }
}

/// What is answered, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The primary label of the mail.
    pub(super) primary: Label,
    /// The labels the draft deals with, in order of precedence; the first has the main script.
    pub(super) answered: Vec<Label>,
    /// The main script.
    pub(super) main: &'static str,
    /// Whether the mail contains what must not be repeated.
    pub(super) wary: bool,
    /// A move of the script `abuse` to say first.
    first: Option<&'static str>,
}

impl Plan {
    pub(super) fn of(labels: &[Label], history: &History) -> Result<Self, NoDraft> {
        let primary = label::primary(labels.iter().copied()).ok_or(NoDraft::NoLabel)?;
        let has = |label| labels.contains(&label);
        let mut issues: Vec<Label> = labels.to_vec();
        issues.sort_unstable();
        issues.dedup();
        issues.retain(|label| *label > Label::Abuse);
        let restricted = history.email_only_since.is_some();
        let channel = restricted.then_some("channel?");
        let wary = has(Label::Threat) || has(Label::Harassment) || has(Label::Abuse);
        let plan = |answered: Vec<Label>, first| {
            let main = answered.first().map_or("abuse", |label| label.as_str());
            Ok(Self { primary, answered, main, wary, first })
        };
        match primary {
            Label::Automated => Err(NoDraft::Automated),
            Label::Threat => plan(vec![Label::Threat], channel),
            Label::Harassment => {
                // Thanks alone are no business: an answer would be taken for interest.
                issues.retain(|label| *label != Label::Praise);
                if issues.is_empty() { Err(NoDraft::HarassmentWithoutBusiness) } else { plan(issues, None) }
            }
            Label::Abuse => {
                let again = history.incidents > 0 || restricted;
                issues.retain(|label| *label != Label::Praise);
                match (again, issues.is_empty()) {
                    (true, true) => Err(NoDraft::AbuseAgain { incidents: history.incidents }),
                    (false, true) => plan(vec![Label::Abuse], None),
                    (true, false) => plan(issues, Some("boundary-last")),
                    (false, false) => plan(issues, Some("boundary")),
                }
            }
            _ => plan(issues, channel),
        }
    }

    /// The moves: those of the main script, what is said first behind the greeting, and what the
    /// other labels add before the last paragraph but the signature.
    pub(super) fn paragraphs(&self, book: &Book) -> Result<Vec<Vec<Step>>, NoDraft> {
        let script = book.script(self.main).filter(|script| !script.moves.is_empty()).ok_or_else(|| {
            NoDraft::NoWording { playbook: self.main.to_owned(), wanted: "moves".to_owned() }
        })?;
        let steps =
            |paragraph: &Vec<String>| paragraph.iter().map(|wanted| Step::new(self.main, wanted)).collect();
        let mut paragraphs: Vec<Vec<Step>> = script.moves.iter().map(steps).collect();
        let others = self.answered.iter().skip(1).filter(|label| !(**label == Label::Praise && self.wary));
        // A fright is met with calm and then with what failed; anything else comes before the plan.
        let (soon, late): (Vec<Label>, Vec<Label>) =
            others.partition(|label| self.main == Label::Panic.as_str() && **label == Label::Complaint);
        for (labels, at) in [(late, paragraphs.len().saturating_sub(2)), (soon, 2)] {
            let also: Vec<Step> = labels.iter().map(|label| Step::new(label.as_str(), "also")).collect();
            if !also.is_empty() {
                paragraphs.insert(at.min(paragraphs.len()), also);
            }
        }
        if let Some(first) = self.first {
            paragraphs.insert(1.min(paragraphs.len()), vec![Step::new("abuse", first)]);
        }
        Ok(paragraphs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[Label], incidents: u32) -> Result<Plan, NoDraft> {
        Plan::of(labels, &History { incidents, ..History::default() })
    }

    #[test]
    fn a_threat_is_answered_by_the_holding_answer_whatever_else_is_there() {
        let plan = of(&[Label::Praise, Label::Complaint, Label::Abuse, Label::Threat], 3).unwrap();
        assert_eq!((plan.main, plan.answered, plan.first), ("threat", vec![Label::Threat], None));
    }

    #[test]
    fn harassment_is_answered_only_for_its_business() {
        assert_eq!(of(&[Label::Harassment], 0), Err(NoDraft::HarassmentWithoutBusiness));
        assert_eq!(
            of(&[Label::Harassment, Label::Abuse, Label::Praise], 0),
            Err(NoDraft::HarassmentWithoutBusiness)
        );
        let plan = of(&[Label::Question, Label::Harassment], 0).unwrap();
        assert_eq!((plan.primary, plan.main, plan.first), (Label::Harassment, "question", None));
    }

    #[test]
    fn abuse_is_given_a_boundary_once_and_its_issue_always() {
        assert_eq!(of(&[Label::Abuse], 0).unwrap().main, "abuse");
        assert_eq!(of(&[Label::Abuse], 1), Err(NoDraft::AbuseAgain { incidents: 1 }));
        assert_eq!(of(&[Label::Abuse, Label::Complaint], 0).unwrap().first, Some("boundary"));
        assert_eq!(of(&[Label::Abuse, Label::Complaint], 1).unwrap().first, Some("boundary-last"));
    }

    #[test]
    fn nothing_found_and_machines_get_no_draft() {
        assert_eq!(of(&[], 0), Err(NoDraft::NoLabel));
        assert_eq!(of(&[Label::Automated], 0), Err(NoDraft::Automated));
    }
}
