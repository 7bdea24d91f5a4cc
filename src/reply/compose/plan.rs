//! Which moves a draft has, for each combination of labels.

mod fit;
mod instead;

use std::collections::BTreeSet;

use crate::classify::{Label, label};
use crate::reply::playbook::{Book, Script};
use crate::reply::{History, NoDraft, Occasion};

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
#[expect(clippy::struct_excessive_bools, reason = "each is asked by itself")]
pub(super) struct Plan {
    /// The primary label of the mail, or the occasion: the word of the playbook.
    pub(super) playbook: &'static str,
    /// The primary label of the mail.
    pub(super) primary: Option<Label>,
    /// The labels the draft deals with, in order of precedence; the first has the main script.
    pub(super) answered: Vec<Label>,
    /// The main script.
    pub(super) main: &'static str,
    /// Whether the mail contains what must not be repeated.
    pub(super) wary: bool,
    /// Whether the main label may be wrong: then what is said has to be right either way.
    pub(super) doubtful: bool,
    /// What the mail calls for in place of a move, by the word behind the move: `inquiry` where a price
    /// is asked for and nobody calls it too high, `loss` where somebody has died.
    variants: Vec<&'static str>,
    /// Labels that may be wrong.
    doubted: BTreeSet<Label>,
    /// A move of the script `abuse` to say first.
    first: Option<&'static str>,
    /// Whether the first step of a fright is said, though the mail is written calmly.
    pub(super) first_step: bool,
    /// Whether a label says that somebody is frightened, sure or not.
    frightened: bool,
}

impl Plan {
    pub(super) fn of(labels: &[Label], doubted: &[Label], history: &History) -> Result<Self, NoDraft> {
        let primary = label::primary(labels.iter().copied()).ok_or(NoDraft::NoLabel)?;
        let doubted: BTreeSet<Label> = doubted.iter().copied().collect();
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
            let doubtful = answered.first().is_some_and(|label| doubted.contains(label));
            let (playbook, doubted) = (primary.as_str(), doubted.clone());
            Ok(Self {
                playbook,
                primary: Some(primary),
                answered,
                main,
                wary,
                doubtful,
                variants: Vec::new(),
                doubted,
                first,
                first_step: false,
                frightened: has(Label::Panic),
            })
        };
        match primary {
            Label::Automated => Err(NoDraft::Automated),
            // what else there is is answered where it turns out that nobody threatens
            Label::Threat if doubted.contains(&Label::Threat) => {
                plan([vec![Label::Threat], issues].concat(), channel)
            }
            Label::Threat => plan(vec![Label::Threat], channel),
            Label::Harassment => {
                // Thanks alone are no business: an answer would be taken for interest.
                issues.retain(|label| *label != Label::Praise);
                let business = [Label::Panic, Label::Complaint, Label::Pricing, Label::Question];
                if issues.iter().any(|label| business.contains(label)) {
                    issues.retain(|label| business.contains(label));
                }
                if issues.is_empty() { Err(NoDraft::HarassmentWithoutBusiness) } else { plan(issues, None) }
            }
            Label::Abuse => {
                let again = history.incidents > 0 || restricted;
                // who may not have been abusive at all is not told to stop
                let sure = !doubted.contains(&Label::Abuse);
                issues.retain(|label| *label != Label::Praise || !sure);
                match (again, issues.is_empty()) {
                    (true, true) => Err(NoDraft::AbuseAgain { incidents: history.incidents }),
                    (false, true) => plan(vec![Label::Abuse], None),
                    (true, false) => plan(issues, Some("boundary-last")),
                    (false, false) => plan(issues, sure.then_some("boundary")),
                }
            }
            _ => plan(issues, channel),
        }
    }

    /// The plan of a message that no mail asks for.
    pub(super) fn for_occasion(occasion: Occasion) -> Self {
        let main = occasion.as_str();
        let answered = if occasion == Occasion::Decline { vec![Label::Idea] } else { Vec::new() };
        Self {
            playbook: main,
            primary: None,
            answered,
            main,
            wary: false,
            doubtful: false,
            variants: Vec::new(),
            doubted: BTreeSet::new(),
            first: None,
            first_step: false,
            frightened: false,
        }
    }

    /// The same plan while nobody is there to keep a promise of hours.
    pub(super) fn closed(mut self) -> Self {
        self.variants.push("closed");
        self
    }

    /// What is given back of the mail before the questions, where the sequence does not name it itself.
    fn given_back(&self, script: &Script) -> Vec<Step> {
        let wanted: &[&str] = match self.answered.first() {
            Some(Label::Complaint) => &["details", "wish"],
            Some(Label::Threat) => &["details"],
            Some(Label::Panic) => &["wish"],
            _ => &[],
        };
        let named =
            |wanted: &&&str| script.moves.iter().flatten().any(|name| name.trim_end_matches('?') == **wanted);
        let missing = wanted.iter().filter(|wanted| !named(wanted));
        missing.map(|wanted| Step::new(self.main, &format!("{wanted}?"))).collect()
    }

    /// Whether a price is asked for, and not called too high.
    pub(super) fn inquires(&self) -> bool {
        self.variants.contains(&"inquiry")
    }

    /// The moves: those of the main script, what is said first behind the greeting, and what the
    /// other labels add before the last paragraph but the signature.
    pub(super) fn paragraphs(&self, book: &Book) -> Result<Vec<Vec<Step>>, NoDraft> {
        let script = book.script(self.main).filter(|script| !script.moves.is_empty()).ok_or_else(|| {
            NoDraft::NoWording { playbook: self.main.to_owned(), wanted: "moves".to_owned() }
        })?;
        let bounded = self.main != Label::Abuse.as_str() || !self.doubted.contains(&Label::Abuse);
        let step = |wanted: &String| {
            let mut step = Step::new(self.main, wanted);
            let variants = self.variants.iter().copied().chain(self.doubtful.then_some("calm"));
            let instead = variants.map(|variant| format!("{}-{variant}", step.wanted));
            if let Some(instead) = instead.into_iter().find(|instead| script.say.contains_key(instead)) {
                step.wanted = instead;
            }
            step
        };
        let says = |wanted: &&String| bounded || !wanted.starts_with("boundary");
        let mut paragraphs: Vec<Vec<Step>> =
            script.moves.iter().map(|moves| moves.iter().filter(says).map(step).collect()).collect();
        let given = self.given_back(script);
        if !given.is_empty() {
            let asks = |moves: &Vec<Step>| moves.iter().any(|step| step.wanted == "ask");
            let at = paragraphs.iter().position(asks).unwrap_or(paragraphs.len().saturating_sub(2));
            paragraphs.insert(at, given);
        }
        let others = self.answered.iter().skip(1).filter(|label| !(**label == Label::Praise && self.wary));
        // A fright is met with calm and then with what failed; anything else comes before the plan.
        let (soon, late): (Vec<Label>, Vec<Label>) =
            others.partition(|label| self.main == Label::Panic.as_str() && **label == Label::Complaint);
        let end = paragraphs.len().saturating_sub(2);
        for (labels, at, wanted) in [(late, end, "also"), (soon, 2, "sorry")] {
            let also: Vec<Step> = labels.iter().map(|label| Step::new(label.as_str(), wanted)).collect();
            if !also.is_empty() {
                paragraphs.insert(at.min(paragraphs.len()), also);
            }
        }
        if self.first_step {
            paragraphs.insert(1.min(paragraphs.len()), vec![Step::new("panic", "first-step?")]);
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
    use crate::reply::facts::Facts;

    fn of(labels: &[Label], incidents: u32) -> Result<Plan, NoDraft> {
        Plan::of(labels, &[], &History { incidents, ..History::default() })
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
        let plan = of(&[Label::Question, Label::Harassment, Label::Entitlement], 0).unwrap();
        assert_eq!((plan.playbook, plan.main, plan.first), ("harassment", "question", None));
        assert_eq!(plan.answered, [Label::Question]);
    }

    #[test]
    fn abuse_is_given_a_boundary_once_and_its_issue_always() {
        assert_eq!(of(&[Label::Abuse], 0).unwrap().main, "abuse");
        assert_eq!(of(&[Label::Abuse], 1), Err(NoDraft::AbuseAgain { incidents: 1 }));
        assert_eq!(of(&[Label::Abuse, Label::Complaint], 0).unwrap().first, Some("boundary"));
        assert_eq!(of(&[Label::Abuse, Label::Complaint], 1).unwrap().first, Some("boundary-last"));
    }

    #[test]
    fn who_may_not_have_been_abusive_is_not_told_to_stop() {
        let labels = [Label::Abuse, Label::Complaint];
        let plan = Plan::of(&labels, &[Label::Abuse], &History::default()).unwrap();
        assert_eq!((plan.main, plan.first), ("complaint", None));
    }

    #[test]
    fn who_calls_only_themselves_names_is_not_told_to_stop() {
        let mut facts = Facts::default();
        facts.known.insert("self-insult");
        let plan = of(&[Label::Abuse, Label::Complaint], 0).unwrap().fit(&facts);
        assert_eq!((plan.first, plan.doubted), (None, BTreeSet::from([Label::Abuse])));
        facts.borne_out.insert(Label::Praise);
        assert_eq!(of(&[Label::Abuse], 0).unwrap().fit(&facts).main, "praise");
    }

    #[test]
    fn what_is_wanted_is_answered_even_where_a_sequence_does_not_name_it() {
        let own = "moves = [[\"greet\"], [\"sorry\"], [\"ask\"], [\"plan\"], [\"sign\"]]";
        let books = crate::reply::Playbooks::with(&[("en/complaint.toml", own)]).unwrap();
        let book = books.book(crate::mail::Language::En).unwrap();
        let laid = of(&[Label::Complaint], 0).unwrap().paragraphs(book).unwrap();
        let wanted: Vec<&str> = laid.iter().flatten().map(|step| step.wanted.as_str()).collect();
        assert_eq!(wanted, ["greet", "sorry", "details", "wish", "ask", "plan", "sign"]);
    }

    #[test]
    fn a_script_that_the_words_do_not_bear_out_gives_way() {
        let plan = |doubted: &[Label]| {
            Plan::of(&[Label::Pricing, Label::Praise], doubted, &History::default()).unwrap()
        };
        let mut facts = Facts::default();
        facts.slots.insert("question", crate::reply::facts::Fact::default());
        assert_eq!(
            plan(&[Label::Praise]).fit(&facts).answered,
            [Label::Question],
            "nobody spoke of a price or was kind"
        );
        facts.borne_out.extend([Label::Pricing, Label::Praise]);
        assert_eq!(plan(&[]).fit(&facts).answered, [Label::Pricing, Label::Praise]);
    }

    #[test]
    fn nothing_found_and_machines_get_no_draft() {
        assert_eq!(of(&[], 0), Err(NoDraft::NoLabel));
        assert_eq!(of(&[Label::Automated], 0), Err(NoDraft::Automated));
    }
}
