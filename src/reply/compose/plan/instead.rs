//! The script by which a mail is answered where its main label is not what its words say.

use super::Plan;
use crate::classify::Label;
use crate::reply::facts::Facts;

impl Plan {
    /// What a mail is about in which a sum is told, and no price is the point.
    fn priced(&self, facts: &Facts) -> Option<Label> {
        let says = |label: Label| facts.borne_out.contains(&label);
        let knows = |mark: &str| facts.known.contains(mark);
        let asks = facts.quotes.contains_key(&Label::Question) || facts.slots.contains_key("question");
        let told = !says(Label::Question) && knows("failure");
        // something is to be put right, and no price is asked for
        let mended = knows("failure") || facts.mends();
        let failed = told || (mended || !facts.outcomes.is_empty() && !asks) && !knows("price-asked");
        let questioned = self.answered.contains(&Label::Question);
        // a sum that nobody asks about or calls too high is told because something is wrong with it
        if knows("inquiry") && failed {
            return Some(Label::Complaint);
        }
        // one question of several is about the price
        if questioned && (asks && !knows("price-asked") || knows("price-aside")) {
            return Some(Label::Question);
        }
        match says(Label::Pricing) {
            false if asks => Some(Label::Question),
            false if says(Label::Complaint) => Some(Label::Complaint),
            _ => None,
        }
    }

    /// What the words say the mail is, where its main label is another.
    pub(super) fn instead(&self, facts: &Facts) -> Option<Label> {
        let says = |label: Label| facts.borne_out.contains(&label);
        let knows = |mark: &str| facts.known.contains(mark);
        let asks = facts.quotes.contains_key(&Label::Question) || facts.slots.contains_key("question");
        let marked = facts.repeated().any(|fact| fact.value.ends_with('?'));
        let main = *self.answered.first()?;
        let second = self.answered.get(1).copied();
        // what failed is told, and nothing is asked
        let told = !says(Label::Question) && knows("failure");
        let mended = knows("failure") || facts.mends();
        match main {
            Label::Pricing => self.priced(facts),
            Label::Question if told => Some(Label::Complaint),
            // what is asked is that it be put right
            Label::Question
                if !knows("asked")
                    && facts.mends()
                    && (knows("failure")
                        || self.doubted.contains(&main)
                        || self.answered.contains(&Label::Complaint)) =>
            {
                Some(Label::Complaint)
            }
            // thanks first, and then what failed or is wanted
            Label::Praise if !knows("thankful") && self.wants_more(facts) => Some(Label::Complaint),
            Label::Complaint
                if self.doubted.contains(&main) && knows("suggestion") && !mended && !knows("number") =>
            {
                Some(Label::Idea)
            }
            Label::Question if !asks && second.is_some() => second,
            Label::Question if !asks && mended => Some(Label::Complaint),
            Label::Question if !asks && !says(main) && says(Label::Praise) => Some(Label::Praise),
            // nothing is suggested, and something failed
            Label::Idea
                if !says(main)
                    && !asks
                    && knows("failure")
                    && (self.doubted.contains(&main) || self.answered.contains(&Label::Complaint)) =>
            {
                Some(Label::Complaint)
            }
            // somebody suggests something, and hurts nobody by it
            Label::Criticism
                if !facts.quotes.contains_key(&main)
                    && self.doubted.contains(&main)
                    && self.answered.contains(&Label::Idea)
                    && says(Label::Idea) =>
            {
                Some(Label::Idea)
            }
            Label::Entitlement
                if !knows("terms") && says(Label::Praise) && !knows("wish") && !knows("failure") && !asks =>
            {
                Some(Label::Praise)
            }
            Label::Idea if asks && self.answered.contains(&Label::Question) && wonders(facts) => {
                Some(Label::Question)
            }
            // what is told of somebody else's danger endangers nobody
            Label::Criticism
                if facts.matter.as_deref() == Some("danger")
                    && (self.frightened || self.answered.contains(&Label::Complaint)) =>
            {
                Some(Label::Complaint)
            }
            // nobody is held to what was said or shown, but something failed
            Label::Criticism
                if self.answered.contains(&Label::Complaint)
                    && knows("failure")
                    && (self.doubted.contains(&main) || !facts.quotes.contains_key(&main)) =>
            {
                Some(Label::Complaint)
            }
            // what went wrong or is asked about a price is told, and no earlier terms are
            Label::Entitlement if !knows("terms") && !knows("party") => {
                let priced = |label: &Label| *label != Label::Pricing || knows("price-asked");
                let others = [Label::Criticism, Label::Complaint, Label::Pricing];
                let mut others = others.into_iter().filter(priced);
                let other = others.find(|label| self.answered.contains(label));
                other.or((mended && !knows("dispute")).then_some(Label::Complaint))
            }
            // nobody is frightened who tells calmly what failed
            Label::Panic
                if self.answered.contains(&Label::Complaint)
                    && self.doubted.contains(&main)
                    && !knows("danger")
                    && !says(main) =>
            {
                Some(Label::Complaint)
            }
            Label::Idea | Label::Entitlement
                if !says(main)
                    && says(Label::Praise)
                    && self.answered.contains(&Label::Praise)
                    && (main != Label::Idea || self.doubted.contains(&main)) =>
            {
                Some(Label::Praise)
            }
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
