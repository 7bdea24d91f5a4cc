//! What we remember of a customer's conduct.

mod mark;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::policy::ConductRules;
use crate::mail::MessageId;
use crate::time::Timestamp;
use mark::ourselves;
pub use mark::{Cause, Mark, Past, State};

/// One customer, by identity (see [`crate::mail::Address::identity`]). No mail text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// When abuse was met, oldest first, at most [`Customer::REMEMBERED`].
    pub incidents: Vec<Timestamp>,
    /// Those of them whose sender was proven.
    pub proven: Vec<Timestamp>,
    /// When the customer made it personal with a colleague.
    pub harassments: Vec<Timestamp>,
    /// When the customer threatened, the sender being proven.
    pub threats: Vec<Timestamp>,
    /// Message-IDs of the newest mails behind these, at most [`Customer::EVIDENCE`].
    pub evidence: Vec<MessageId>,
    /// How the customer is served.
    #[serde(alias = "email_only")]
    pub mark: Option<Mark>,
    /// Marks that are over, oldest first, at most [`Customer::EVIDENCE`].
    pub past: Vec<Past>,
    /// When the customer wrote, oldest first, at most [`Customer::REMEMBERED`].
    pub contacts: Vec<Timestamp>,
    /// Ids of the wordings already used in drafts for this customer.
    pub wordings: BTreeSet<String>,
    /// Other addresses of the same person, linked by ops.
    pub linked: BTreeSet<String>,
}

/// What an incident led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The boundary is drawn in the draft.
    Boundary,
    /// The customer is served so from now on.
    Begins(State),
    /// The customer was served so already.
    Continues,
    /// It would have consequences, but anybody may have written in the customer's name.
    Unproven,
}

impl Customer {
    /// How many incidents and contacts are kept.
    pub const REMEMBERED: usize = 64;
    /// How many Message-IDs and past marks are kept.
    pub const EVIDENCE: usize = 16;

    /// How the customer is served at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        let in_force = |mark: &&Mark| mark.until.is_none_or(|until| until > now);
        self.mark.as_ref().filter(in_force).map_or(State::Clear, |mark| mark.state)
    }

    /// Counts an incident of abuse at `now`.
    pub fn incident(
        &mut self,
        rules: &ConductRules,
        proven: bool,
        mail: Option<&MessageId>,
        now: Timestamp,
    ) -> Consequence {
        push_bounded(&mut self.incidents, now);
        self.remember(mail);
        let counts = proven || !rules.require_authentication;
        if counts {
            push_bounded(&mut self.proven, now);
        }
        let until = now.plus(days(rules.email_only_days));
        if self.state(now) >= State::EmailOnly {
            if let Some(mark) = self.mark.as_mut().filter(|mark| counts && mark.state == State::EmailOnly) {
                mark.until = mark.until.map(|_| until);
            }
            return Consequence::Continues;
        }
        if recent(&self.proven, rules, now) >= rules.email_only_after {
            self.set(State::EmailOnly, Cause::Abuse, now, Some(until));
            return Consequence::Begins(State::EmailOnly);
        }
        if self.recent_incidents(rules, now) >= rules.email_only_after {
            return Consequence::Unproven;
        }
        if counts {
            self.set(State::Warned, Cause::Abuse, now, Some(now.plus(days(rules.warned_days))));
        }
        Consequence::Boundary
    }

    /// Counts a threat at `now`; the state that it leads to, if it leads to one.
    pub fn threat(
        &mut self,
        rules: &ConductRules,
        proven: bool,
        mail: Option<&MessageId>,
        now: Timestamp,
    ) -> Option<State> {
        if rules.require_authentication && !proven {
            return None;
        }
        push_bounded(&mut self.threats, now);
        self.remember(mail);
        let enough =
            rules.legal_only_after > 0 && recent(&self.threats, rules, now) >= rules.legal_only_after;
        if !enough || self.state(now) == State::LegalOnly {
            return None;
        }
        let until = (rules.legal_only_days > 0).then(|| now.plus(days(rules.legal_only_days)));
        self.set(State::LegalOnly, Cause::Threats, now, until);
        Some(State::LegalOnly)
    }

    /// Counts a mail that makes it personal with a colleague; how many there were in the window.
    pub fn harassment(&mut self, rules: &ConductRules, mail: Option<&MessageId>, now: Timestamp) -> u32 {
        push_bounded(&mut self.harassments, now);
        self.remember(mail);
        recent(&self.harassments, rules, now)
    }

    fn remember(&mut self, mail: Option<&MessageId>) {
        let Some(id) = mail else { return };
        if self.evidence.len() >= Self::EVIDENCE {
            self.evidence.remove(0);
        }
        self.evidence.push(id.clone());
    }

    fn set(&mut self, state: State, cause: Cause, now: Timestamp, until: Option<Timestamp>) {
        let evidence = if cause == Cause::Decay { Vec::new() } else { self.evidence.clone() };
        let mark =
            Mark { state, since: now, until, cause, evidence, author: ourselves(), note: String::new() };
        if let Some(before) = self.mark.replace(mark) {
            self.file_away(before, now, &ourselves(), "");
        }
    }

    /// A person decides how the customer is served.
    pub fn decide(
        &mut self,
        state: State,
        until: Option<Timestamp>,
        author: &str,
        note: &str,
        now: Timestamp,
    ) {
        self.set(state, Cause::Person, now, until);
        if let Some(mark) = &mut self.mark {
            author.clone_into(&mut mark.author);
            note.clone_into(&mut mark.note);
        }
        if state == State::Clear {
            self.lift(author, note, now);
        }
    }

    /// A person lifts the mark; whether there was one.
    pub fn lift(&mut self, author: &str, appeal: &str, now: Timestamp) -> bool {
        let Some(mark) = self.mark.take() else { return false };
        self.file_away(mark, now, author, appeal);
        self.forgive();
        true
    }

    fn file_away(&mut self, mark: Mark, ended: Timestamp, by: &str, appeal: &str) {
        if self.past.len() >= Self::EVIDENCE {
            self.past.remove(0);
        }
        self.past.push(Past { mark, ended, ended_by: by.to_owned(), appeal: appeal.to_owned() });
    }

    /// What was counted for a mark that is over does not count again.
    fn forgive(&mut self) {
        self.incidents.clear();
        self.proven.clear();
        self.threats.clear();
    }

    /// Lets a mark that has expired decay; the state that is over.
    pub fn expire(&mut self, rules: &ConductRules, now: Timestamp) -> Option<State> {
        let over = self.mark.take_if(|mark| mark.until.is_some_and(|until| until <= now))?;
        let (state, ended) = (over.state, over.until.unwrap_or(now));
        self.file_away(over, ended, &ourselves(), "");
        if state > State::Warned {
            self.forgive();
            let until = ended.plus(days(rules.warned_days));
            if until > now {
                self.set(State::Warned, Cause::Decay, now, Some(until));
            }
        }
        Some(state)
    }

    /// Takes in the record of the same person under another address: the sterner mark stays.
    pub fn join(&mut self, other: Self) {
        let lists = [
            (&mut self.incidents, other.incidents),
            (&mut self.proven, other.proven),
            (&mut self.harassments, other.harassments),
            (&mut self.threats, other.threats),
            (&mut self.contacts, other.contacts),
        ];
        for (mine, theirs) in lists {
            mine.extend(theirs);
            mine.sort_unstable();
            let extra = mine.len().saturating_sub(Self::REMEMBERED);
            mine.drain(..extra);
        }
        for id in other.evidence {
            self.remember(Some(&id));
        }
        let sterner = |mark: &Option<Mark>| mark.as_ref().map(|mark| mark.state);
        if sterner(&other.mark) > sterner(&self.mark) {
            self.mark = other.mark;
        }
        self.past.extend(other.past);
        self.wordings.extend(other.wordings);
        self.linked.extend(other.linked);
    }

    /// Takes back what a mail that was decided at `at` has brought about; `before` is the record as
    /// it was then.
    pub fn take_back(&mut self, before: &Self, at: Timestamp) {
        for list in [
            &mut self.incidents,
            &mut self.proven,
            &mut self.harassments,
            &mut self.threats,
            &mut self.contacts,
        ] {
            if let Some(index) = list.iter().position(|counted| *counted == at) {
                list.remove(index);
            }
        }
        if self.mark.as_ref().is_some_and(|mark| mark.since == at) {
            self.past.retain(|past| past.ended != at);
            self.mark.clone_from(&before.mark);
        }
    }

    /// Incidents in the window that ends at `now`.
    #[must_use]
    pub fn recent_incidents(&self, rules: &ConductRules, now: Timestamp) -> u32 {
        recent(&self.incidents, rules, now)
    }

    /// Counts a mail of the customer at `now`.
    pub fn contact(&mut self, now: Timestamp) {
        push_bounded(&mut self.contacts, now);
    }

    /// Contacts in the seven days that end at `now`.
    #[must_use]
    pub fn contacts_this_week(&self, now: Timestamp) -> u32 {
        since(&self.contacts, now.minus(days(7)))
    }
}

fn since(list: &[Timestamp], start: Timestamp) -> u32 {
    u32::try_from(list.iter().filter(|at| **at >= start).count()).unwrap_or(u32::MAX)
}

fn recent(list: &[Timestamp], rules: &ConductRules, now: Timestamp) -> u32 {
    since(list, now.minus(days(rules.window_days)))
}

fn push_bounded(list: &mut Vec<Timestamp>, at: Timestamp) {
    if list.len() >= Customer::REMEMBERED {
        list.remove(0);
    }
    list.push(at);
}

fn days(n: u32) -> Duration {
    Duration::from_secs(u64::from(n) * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn insult(customer: &mut Customer, proven: bool, at: i64) -> Consequence {
        customer.incident(&ConductRules::default(), proven, None, Timestamp(at))
    }

    #[test]
    fn the_second_insult_in_the_window_makes_a_customer_email_only_and_the_mark_decays() {
        let rules = ConductRules::default();
        let mut customer = Customer::default();
        assert_eq!(insult(&mut customer, true, 0), Consequence::Boundary);
        assert_eq!(customer.state(Timestamp(0)), State::Warned);
        assert_eq!(insult(&mut customer, true, DAY), Consequence::Begins(State::EmailOnly));
        assert_eq!(insult(&mut customer, true, 2 * DAY), Consequence::Continues);
        assert_eq!(customer.expire(&rules, Timestamp(91 * DAY)), None);
        assert_eq!(customer.expire(&rules, Timestamp(92 * DAY)), Some(State::EmailOnly));
        assert_eq!(customer.state(Timestamp(92 * DAY)), State::Warned);
        assert_eq!(insult(&mut customer, true, 93 * DAY), Consequence::Boundary);
        assert_eq!(customer.expire(&rules, Timestamp(300 * DAY)), Some(State::Warned));
        assert_eq!(customer.state(Timestamp(300 * DAY)), State::Clear);
    }

    #[test]
    fn nobody_becomes_email_only_by_what_others_write_in_their_name() {
        let mut customer = Customer::default();
        assert_eq!(insult(&mut customer, false, 0), Consequence::Boundary);
        for day in 1..5 {
            assert_eq!(insult(&mut customer, false, day * DAY), Consequence::Unproven);
        }
        assert_eq!(customer.state(Timestamp(5 * DAY)), State::Clear);
        assert_eq!(insult(&mut customer, true, 5 * DAY), Consequence::Unproven, "one of their own");
        assert_eq!(insult(&mut customer, true, 6 * DAY), Consequence::Begins(State::EmailOnly));
    }

    #[test]
    fn insults_months_apart_stay_at_the_boundary() {
        let mut customer = Customer::default();
        for month in 0..6 {
            assert_eq!(insult(&mut customer, true, month * 40 * DAY), Consequence::Boundary);
        }
    }

    #[test]
    fn a_person_lifts_a_mark_and_what_was_counted_does_not_count_again() {
        let mut customer = Customer::default();
        insult(&mut customer, true, 0);
        insult(&mut customer, true, DAY);
        assert!(customer.lift("anna", "apologised on the telephone", Timestamp(2 * DAY)));
        assert_eq!(customer.state(Timestamp(2 * DAY)), State::Clear);
        let past = customer.past.last().unwrap();
        assert_eq!((past.ended_by.as_str(), past.appeal.as_str()), ("anna", "apologised on the telephone"));
        assert_eq!(insult(&mut customer, true, 3 * DAY), Consequence::Boundary);
    }

    #[test]
    fn threats_make_a_customer_legal_only_when_the_rules_say_so() {
        let rules = ConductRules { legal_only_after: 2, ..ConductRules::default() };
        let mut customer = Customer::default();
        assert_eq!(customer.threat(&rules, true, None, Timestamp(0)), None);
        assert_eq!(customer.threat(&rules, false, None, Timestamp(1)), None);
        assert_eq!(customer.threat(&rules, true, None, Timestamp(DAY)), Some(State::LegalOnly));
        assert_eq!(customer.state(Timestamp(900 * DAY)), State::LegalOnly, "only a person lifts it");
    }

    #[test]
    fn a_record_of_the_first_version_is_read() {
        let old = r#"{"incidents":[1,2],"email_only":{"since":2,"until":90},"contacts":[],"wordings":[]}"#;
        let customer: Customer = serde_json::from_str(old).unwrap();
        assert_eq!(customer.state(Timestamp(3)), State::EmailOnly);
    }
}
