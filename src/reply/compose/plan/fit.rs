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
        if self.only_thanks(facts) {
            (self.answered, self.first) = (Vec::new(), None);
            self.lead(Label::Praise);
        }
        if self.answered.first() == Some(&Label::Threat) {
            self.answered.truncate(1);
        }
        if let Some(label) = self.instead(facts) {
            let praised = self.answered.remove(0) == Label::Praise;
            self.lead(label);
            if praised {
                self.answered.push(Label::Praise);
            }
        }
        let praised = self.answered.contains(&Label::Praise);
        // what is asked beside a complaint is answered, whether a label says so or not
        let besides = [Label::Complaint, Label::Idea, Label::Praise];
        let besides = self.answered.first().is_some_and(|main| besides.contains(main)) && !self.wary;
        if besides && facts.known.contains("asked") && !self.answered.contains(&Label::Question) {
            self.answered.push(Label::Question);
        }
        if self.only_abuses(facts) {
            (self.answered, self.first, self.main) = (vec![Label::Abuse], None, Label::Abuse.as_str());
        }
        let main = self.answered.first().copied();
        let inquiry = main == Some(Label::Pricing) && facts.known.contains("inquiry");
        let loss = facts.matter.as_deref() == Some("loss");
        self.variants = [(loss, "loss"), (inquiry, "inquiry")]
            .into_iter()
            .filter_map(|(holds, variant)| holds.then_some(variant))
            .collect();
        self.first_step = self.presses(facts);
        if main == Some(Label::Complaint) {
            self.doubtful |= !says(Label::Complaint) && praised;
            // what is said about a known matter is right either way
            self.doubtful &= facts.matter.is_none();
        }
        let doubted = &self.doubted;
        let kept = |label: Label| match label {
            _ if Some(label) == main => true,
            _ if doubted.contains(&label) => false,
            // what is to be done is answered as a wish
            Label::Question => {
                let wished = main == Some(Label::Complaint) && !facts.outcomes.is_empty();
                asks && main != Some(Label::Panic) && (!wished || facts.known.contains("asked"))
            }
            // a sum that is told is no question about the price
            Label::Pricing if main == Some(Label::Complaint) => {
                says(label) && ["dispute", "price-asked"].iter().any(|mark| facts.known.contains(mark))
            }
            // neither thanks nor a thought that is sure is left without a word
            Label::Praise | Label::Idea
                if matches!(main, Some(Label::Question | Label::Pricing | Label::Idea | Label::Praise)) =>
            {
                true
            }
            Label::Praise | Label::Idea | Label::Pricing | Label::Complaint => says(label),
            _ => true,
        };
        self.answered.retain(|label| kept(*label));
        self
    }

    /// Whether what is told calmly cannot wait: somebody is in danger, or may be frightened about what has
    /// a first step.
    fn presses(&self, facts: &Facts) -> bool {
        let knows = |mark: &str| facts.known.contains(mark);
        let asks = self.main == Label::Question.as_str();
        let failed = self.main == Label::Complaint.as_str();
        // what failed may have been dangerous once
        let grave = knows("urgent") || facts.matter.as_deref() == Some("danger");
        let endangered = knows("endangered") && (failed && grave || asks);
        let frightened = self.frightened && (failed || asks) || asks && knows("hurried");
        let hurried = knows("urgent") && frightened;
        self.main != Label::Panic.as_str() && self.main != Label::Threat.as_str() && (endangered || hurried)
    }

    /// Whether nothing but abuse is sure, and nothing was read that could be dealt with.
    fn only_abuses(&self, facts: &Facts) -> bool {
        let marks = ["failure", "number", "asked", "wish", "business"];
        self.first == Some("boundary")
            && self.answered.iter().all(|label| self.doubted.contains(label))
            && facts.matter.is_none()
            && facts.outcomes.is_empty()
            && !facts.quotes.contains_key(&Label::Question)
            && !marks.iter().any(|mark| facts.known.contains(mark))
    }

    /// Whether a story that ends with thanks is one of thanks, though it begins with what went wrong.
    fn only_thanks(&self, facts: &Facts) -> bool {
        let sure = |label: Label| self.answered.contains(&label) && !self.doubted.contains(&label);
        let other = [Label::Complaint, Label::Panic, Label::Abuse, Label::Entitlement, Label::Question];
        let idle = |main: &Label| *main == Label::Idea && !facts.borne_out.contains(main);
        let main = self.answered.first().is_some_and(|main| other.contains(main) || idle(main));
        // who courts is not thanked
        if self.primary == Some(Label::Harassment) {
            return false;
        }
        let open = ["wish", "asked", "danger"].iter().any(|mark| facts.known.contains(mark));
        let wary = self.wary && self.answered.first() != Some(&Label::Abuse) && self.first.is_none();
        // contempt thanks, too
        let bounded = self.first.is_some() || self.answered.first() == Some(&Label::Abuse);
        let wary = wary || bounded && !facts.known.contains("warm") && !self.doubted.contains(&Label::Abuse);
        facts.known.contains("thankful")
            && main
            && !open
            && !wary
            && !sure(Label::Idea)
            && !sure(Label::Pricing)
    }

    /// Whether a mail that thanks wants something put right as well.
    pub(super) fn wants_more(&self, facts: &Facts) -> bool {
        let knows = |mark: &str| facts.known.contains(mark);
        let wants = knows("wish") || !facts.outcomes.is_empty();
        // "please tell him that" wants nothing
        if !facts.borne_out.contains(&Label::Praise) && (knows("wish") || knows("requested")) {
            return true;
        }
        let failed = knows("failure") || knows("turned");
        let sure = self.answered.contains(&Label::Praise) && !self.doubted.contains(&Label::Praise);
        facts.mends() || knows("turned") && (wants || failed) || !sure && failed && wants
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
            Label::Panic => urgent || facts.known.contains("hurried"),
            // thanks for what was put right tell what had failed, too
            Label::Complaint if facts.borne_out.contains(&Label::Praise) && facts.outcomes.is_empty() => {
                false
            }
            // papers and calls are asked for without a complaint, too
            Label::Complaint => facts.known.contains("failure") || facts.mends(),
            Label::Question => facts.quotes.contains_key(&Label::Question),
            _ => false,
        };
        if stands || !self.doubted.contains(&main) {
            return None;
        }
        // nobody is thanked who does not thank
        let wants = ["wish", "asks"].iter().any(|mark| facts.known.contains(mark));
        let courteous = main == Label::Threat && !facts.known.contains("thankful");
        let holds = |label: &Label| match label {
            Label::Praise => !courteous && (!wants || facts.borne_out.contains(label)),
            Label::Pricing => main != Label::Complaint || facts.known.contains("price-asked"),
            _ => true,
        };
        self.answered.iter().copied().skip(1).find(|label| !self.doubted.contains(label) && holds(label))
    }
}

/// Outcomes that are wanted only where something went wrong.
const MENDS: [&str; 5] = ["refund", "replacement", "repair", "correction", "compensation"];

impl Facts {
    /// Whether something is to be put right.
    pub(super) fn mends(&self) -> bool {
        self.outcomes.iter().any(|name| MENDS.contains(&name.as_str()))
    }
}

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
            let mut frightened = Facts::default();
            frightened.borne_out.insert(Label::Panic);
            assert_eq!(
                fitted(&[doubted, sure], &[], &frightened).main,
                doubted.as_str().replace("entitlement", "complaint")
            );
        }
    }

    #[test]
    fn a_doubted_label_leads_where_the_words_hold_it_up() {
        let mut facts = Facts::default();
        facts.known.extend(["threat", "urgent"]);
        facts.borne_out.insert(Label::Panic);
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
    fn what_is_asked_beside_a_complaint_is_answered_too() {
        let mut facts = Facts::default();
        facts.known.extend(["asked", "question"]);
        facts.slots.insert("question", Fact::default());
        assert_eq!(fitted(&[Label::Complaint], &[], &facts).answered, [Label::Complaint, Label::Question]);
    }

    #[test]
    fn earlier_terms_are_no_inquiry_about_a_price() {
        let mut facts = Facts::default();
        let labels = [Label::Entitlement, Label::Pricing];
        assert_eq!(fitted(&labels, &[], &facts).main, "entitlement");
        facts.known.insert("price-asked");
        assert_eq!(fitted(&labels, &[], &facts).main, "pricing");
    }

    #[test]
    fn where_only_the_abuse_is_sure_only_the_boundary_is_said() {
        let facts = Facts::default();
        let plan = fitted(&[Label::Abuse, Label::Complaint], &[Label::Complaint], &facts);
        assert_eq!((plan.main, plan.first), ("abuse", None));
        assert_eq!(fitted(&[Label::Abuse, Label::Complaint], &[], &facts).main, "complaint");
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
