//! The plan after a look at the words of the mail.

use super::Plan;
use crate::classify::Label;
use crate::reply::facts::Facts;

impl Plan {
    /// A script that the words do not bear out gives way to one that they do, and nothing is said about
    /// what is not there.
    pub(in crate::reply::compose) fn fit(mut self, facts: &Facts) -> Self {
        let says = |label: Label| facts.borne_out.contains(&label);
        let asks = facts.quotes.contains_key(&Label::Question) || facts.slots.contains_key("question");
        if facts.known.contains("self-insult") {
            self.doubted.insert(Label::Abuse);
            self.first = self.first.filter(|first| !first.starts_with("boundary"));
        }
        if let Some(label) = self.surer(facts) {
            self.lead(label);
        }
        if self.answered.first() == Some(&Label::Threat) {
            self.answered.truncate(1);
        }
        if let Some(label) = self.instead(facts) {
            self.answered.remove(0);
            self.lead(label);
        }
        let main = self.answered.first().copied();
        let inquiry = main == Some(Label::Pricing) && facts.known.contains("inquiry");
        let loss = facts.matter.as_deref() == Some("loss");
        self.variants = [(inquiry, "inquiry"), (loss, "loss")]
            .into_iter()
            .filter_map(|(holds, variant)| holds.then_some(variant))
            .collect();
        if main == Some(Label::Complaint) {
            let other = [Label::Praise, Label::Question].iter().any(|label| self.answered.contains(label));
            self.doubtful |= !says(Label::Complaint) && other;
            // what is said about a known matter is right either way
            self.doubtful &= facts.matter.is_none();
        }
        let doubted = &self.doubted;
        let kept = |label: Label| match label {
            _ if Some(label) == main => true,
            _ if doubted.contains(&label) => false,
            Label::Question => asks && main != Some(Label::Panic),
            // a sum that is told is no question about the price
            Label::Pricing if main == Some(Label::Complaint) => {
                says(label) && ["dispute", "price-asked"].iter().any(|mark| facts.known.contains(mark))
            }
            Label::Praise | Label::Idea | Label::Pricing | Label::Complaint => says(label),
            _ => true,
        };
        self.answered.retain(|label| kept(*label));
        self
    }

    /// Makes a label the main one.
    fn lead(&mut self, label: Label) {
        self.answered.retain(|known| *known != label);
        self.answered.insert(0, label);
        self.main = label.as_str();
        self.doubtful = false;
    }

    /// Another label that is sure, where the first is in doubt and the words do not hold it up.
    fn surer(&self, facts: &Facts) -> Option<Label> {
        let main = *self.answered.first()?;
        let urgent = facts.known.contains("danger") || facts.known.contains("urgent");
        let stands = match main {
            Label::Threat => facts.known.contains("threat"),
            Label::Panic => urgent,
            // thanks for what was put right tell what had failed, too
            Label::Complaint if facts.borne_out.contains(&Label::Praise) && facts.outcomes.is_empty() => {
                false
            }
            Label::Complaint => {
                facts.known.contains("failure") && (facts.matter.is_some() || !facts.outcomes.is_empty())
            }
            Label::Question => facts.quotes.contains_key(&Label::Question),
            _ => false,
        };
        if stands || !self.doubted.contains(&main) {
            return None;
        }
        self.answered.iter().copied().skip(1).find(|label| !self.doubted.contains(label))
    }

    /// What the words say the mail is, where its main label is another.
    fn instead(&self, facts: &Facts) -> Option<Label> {
        let says = |label: Label| facts.borne_out.contains(&label);
        let knows = |mark: &str| facts.known.contains(mark);
        let asks = facts.quotes.contains_key(&Label::Question) || facts.slots.contains_key("question");
        let marked = facts.repeated().any(|fact| fact.value.ends_with('?'));
        let main = *self.answered.first()?;
        let second = self.answered.get(1).copied();
        // what failed is told, and nothing is asked
        let told = !says(Label::Question) && knows("failure");
        // something is to be put right, and no price is asked for
        let mended = knows("failure") || facts.outcomes.iter().any(|name| MENDS.contains(&name.as_str()));
        match main {
            // a sum that nobody asks about or calls too high is told because something is wrong with it
            Label::Pricing if knows("inquiry") && (told || mended && !knows("price-asked")) => {
                Some(Label::Complaint)
            }
            Label::Pricing if asks && self.answered.contains(&Label::Question) && !knows("price-asked") => {
                Some(Label::Question)
            }
            Label::Pricing if !says(Label::Pricing) && asks => Some(Label::Question),
            Label::Pricing if !says(Label::Pricing) && says(Label::Complaint) => Some(Label::Complaint),
            Label::Question if told => Some(Label::Complaint),
            Label::Question if !asks && second.is_some() => second,
            Label::Question if !asks && mended => Some(Label::Complaint),
            Label::Idea if asks && self.answered.contains(&Label::Question) && wonders(facts) => {
                Some(Label::Question)
            }
            Label::Criticism if facts.matter.as_deref() == Some("danger") => Some(Label::Complaint),
            // nobody is held to what was said or shown, but something failed
            Label::Criticism
                if self.answered.contains(&Label::Complaint)
                    && knows("failure")
                    && (self.doubted.contains(&main) || !facts.quotes.contains_key(&main)) =>
            {
                Some(Label::Complaint)
            }
            // what went wrong or costs too much is told, and no earlier terms are
            Label::Entitlement if !knows("terms") && !knows("party") => {
                [Label::Complaint, Label::Pricing].into_iter().find(|label| self.answered.contains(label))
            }
            Label::Idea | Label::Entitlement if !says(main) && says(Label::Praise) => Some(Label::Praise),
            Label::Abuse if self.doubted.contains(&Label::Abuse) && says(Label::Praise) => {
                Some(Label::Praise)
            }
            Label::Complaint if !says(Label::Complaint) && marked && says(Label::Praise) => {
                Some(Label::Question)
            }
            _ => None,
        }
    }
}

/// Whether nothing is proposed that is not a question.
fn wonders(facts: &Facts) -> bool {
    facts.quotes.get(&Label::Idea).is_none_or(|quote| quote.value.ends_with('?'))
}

/// Outcomes that are wanted only where something went wrong.
const MENDS: [&str; 5] = ["refund", "replacement", "repair", "correction", "compensation"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::History;
    use crate::reply::facts::Fact;

    fn fitted(labels: &[Label], doubted: &[Label], facts: &Facts) -> Plan {
        Plan::of(labels, doubted, &History::default()).unwrap().fit(facts)
    }

    #[test]
    fn where_the_first_label_is_in_doubt_the_sure_one_leads() {
        let nothing = Facts::default();
        for (doubted, sure) in [
            (Label::Threat, Label::Complaint),
            (Label::Entitlement, Label::Complaint),
            (Label::Panic, Label::Complaint),
            (Label::Complaint, Label::Praise),
        ] {
            assert_eq!(fitted(&[doubted, sure], &[doubted], &nothing).answered, [sure], "{doubted}");
            assert_eq!(
                fitted(&[doubted, sure], &[], &nothing).main,
                doubted.as_str().replace("entitlement", "complaint")
            );
        }
    }

    #[test]
    fn a_doubted_label_leads_where_the_words_hold_it_up() {
        let mut facts = Facts::default();
        facts.known.extend(["threat", "urgent"]);
        for main in [Label::Threat, Label::Panic] {
            let plan = fitted(&[main, Label::Complaint], &[main], &facts);
            assert_eq!(plan.main, main.as_str());
        }
        assert_eq!(
            fitted(&[Label::Threat, Label::Complaint], &[Label::Threat], &facts).answered,
            [Label::Threat]
        );
    }

    #[test]
    fn a_bill_that_is_to_be_corrected_is_no_inquiry() {
        let mut facts = Facts { outcomes: vec!["correction".to_owned()], ..Facts::default() };
        facts.known.insert("inquiry");
        facts.borne_out.extend([Label::Pricing, Label::Question]);
        assert_eq!(fitted(&[Label::Pricing], &[], &facts).main, "complaint");
        facts.known.insert("price-asked");
        assert_eq!(fitted(&[Label::Pricing], &[], &facts).main, "pricing");
    }

    #[test]
    fn without_a_question_there_is_no_answer_to_one() {
        let mut facts = Facts::default();
        assert_eq!(fitted(&[Label::Question, Label::Praise], &[], &facts).main, "praise");
        facts.quotes.insert(Label::Question, Fact::default());
        assert_eq!(fitted(&[Label::Question, Label::Praise], &[], &facts).main, "question");
    }

    #[test]
    fn a_known_matter_is_met_with_sympathy_even_in_doubt() {
        let facts = Facts { matter: Some("delivery".to_owned()), ..Facts::default() };
        assert!(!fitted(&[Label::Complaint], &[Label::Complaint], &facts).doubtful);
        assert!(fitted(&[Label::Complaint], &[Label::Complaint], &Facts::default()).doubtful);
    }
}
