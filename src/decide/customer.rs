//! What we remember of a customer's conduct.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::policy::ConductRules;
use crate::time::Timestamp;

/// One customer, by identity (see [`crate::mail::Address::identity`]). No mail text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// When abuse was met, oldest first, at most [`Customer::REMEMBERED`].
    pub incidents: Vec<Timestamp>,
    /// Since when the customer is e-mail-only, and until when.
    pub email_only: Option<EmailOnly>,
    /// When the customer wrote, oldest first, at most [`Customer::REMEMBERED`].
    pub contacts: Vec<Timestamp>,
    /// Ids of the wordings already used in drafts for this customer.
    pub wordings: BTreeSet<String>,
}

/// The e-mail-only mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailOnly {
    /// Set at.
    pub since: Timestamp,
    /// Expires at.
    pub until: Timestamp,
}

/// What an incident led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The boundary is drawn in the draft.
    Boundary,
    /// The customer is e-mail-only from now on.
    EmailOnlyBegins,
    /// The customer was e-mail-only already.
    EmailOnlyContinues,
}

impl Customer {
    /// How many incidents and contacts are kept.
    pub const REMEMBERED: usize = 64;

    /// Counts an incident of abuse at `now`.
    pub fn incident(&mut self, rules: &ConductRules, now: Timestamp) -> Consequence {
        push_bounded(&mut self.incidents, now);
        let until = now.plus(days(rules.email_only_days));
        if let Some(mark) = &mut self.email_only {
            mark.until = until;
            return Consequence::EmailOnlyContinues;
        }
        if self.recent_incidents(rules, now) < rules.email_only_after {
            return Consequence::Boundary;
        }
        self.email_only = Some(EmailOnly { since: now, until });
        Consequence::EmailOnlyBegins
    }

    /// Incidents in the window that ends at `now`.
    #[must_use]
    pub fn recent_incidents(&self, rules: &ConductRules, now: Timestamp) -> u32 {
        let start = now.minus(days(rules.window_days));
        u32::try_from(self.incidents.iter().filter(|at| **at >= start).count()).unwrap_or(u32::MAX)
    }

    /// Counts a mail of the customer at `now`.
    pub fn contact(&mut self, now: Timestamp) {
        push_bounded(&mut self.contacts, now);
    }

    /// Contacts in the seven days that end at `now`.
    #[must_use]
    pub fn contacts_this_week(&self, now: Timestamp) -> u32 {
        let start = now.minus(days(7));
        u32::try_from(self.contacts.iter().filter(|at| **at >= start).count()).unwrap_or(u32::MAX)
    }

    /// Takes the e-mail-only mark off when it has expired; whether it did.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let over = self.email_only.is_some_and(|mark| mark.until <= now);
        if over {
            self.email_only = None;
            self.incidents.clear();
        }
        over
    }
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

    #[test]
    fn the_second_insult_in_the_window_makes_a_customer_email_only_and_the_mark_expires() {
        let rules = ConductRules::default();
        let mut customer = Customer::default();
        assert_eq!(customer.incident(&rules, Timestamp(0)), Consequence::Boundary);
        assert_eq!(customer.incident(&rules, Timestamp(DAY)), Consequence::EmailOnlyBegins);
        assert_eq!(customer.incident(&rules, Timestamp(2 * DAY)), Consequence::EmailOnlyContinues);
        assert!(!customer.expire(Timestamp(91 * DAY)));
        assert!(customer.expire(Timestamp(92 * DAY)));
        assert_eq!(customer.incident(&rules, Timestamp(93 * DAY)), Consequence::Boundary);
    }

    #[test]
    fn insults_months_apart_stay_at_the_boundary() {
        let rules = ConductRules::default();
        let mut customer = Customer::default();
        for month in 0..6 {
            assert_eq!(customer.incident(&rules, Timestamp(month * 40 * DAY)), Consequence::Boundary);
        }
    }
}
