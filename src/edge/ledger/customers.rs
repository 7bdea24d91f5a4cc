//! What people ask and decide about customers.

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::Event;
use super::store::Store;
use crate::decide::Customer;
use crate::decide::customer::State;
use crate::time::Timestamp;

/// A customer as people see one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The identity.
    pub customer: String,
    /// How the customer is served now.
    pub conduct: State,
    /// The whole record.
    pub record: Customer,
}

/// What can be decided about a customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Change {
    /// Serve the customer so.
    Set {
        /// The state.
        state: State,
        /// For so many days; without it, until a person lifts it.
        days: Option<u32>,
        /// Why.
        note: String,
    },
    /// Serve the customer as everybody again.
    Lift {
        /// What speaks for it, for instance what the customer said.
        appeal: String,
    },
    /// This other address belongs to the same person.
    Link {
        /// The other address.
        other: String,
    },
}

impl Store {
    /// The identity under which `who` is known.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn known_as(&self, who: &str) -> Result<String, LedgerError> {
        Ok(self.get::<String>(&format!("link/{who}"))?.unwrap_or_else(|| who.to_owned()))
    }

    /// The record of a customer, under whichever address.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn customer(&self, who: &str) -> Result<Option<Customer>, LedgerError> {
        let who = self.known_as(who)?;
        self.get(&format!("customer/{who}"))
    }

    /// A customer with the state at `now`; an unknown one is as everybody.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn show_customer(&self, who: &str, now: Timestamp) -> Result<Shown, LedgerError> {
        let customer = self.known_as(who)?;
        let record = self.customer(who)?.unwrap_or_default();
        Ok(Shown { conduct: record.state(now), customer, record })
    }

    /// Customers who are not served as everybody, by identity.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn marked_customers(&self, now: Timestamp) -> Result<Vec<Shown>, LedgerError> {
        let mut all = Vec::new();
        for who in self.keys("marked/") {
            let shown = self.show_customer(&who?, now)?;
            if shown.conduct != State::Clear {
                all.push(shown);
            }
        }
        Ok(all)
    }

    /// Does what `author` has decided about a customer, and writes it down.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn change_customer(
        &mut self,
        who: &str,
        change: &Change,
        author: &str,
        now: Timestamp,
    ) -> Result<Shown, LedgerError> {
        let main = self.known_as(who)?;
        let mut record = self.customer(&main)?.unwrap_or_default();
        let (command, outcome) = match change {
            Change::Set { state, days, note } => {
                let until = days.map(|n| Timestamp(now.0.saturating_add(i64::from(n) * 86_400)));
                record.decide(*state, until, author, note, now);
                (format!("customers set {state}"), "done")
            }
            Change::Lift { appeal } => {
                let was = record.lift(author, appeal, now);
                ("customers lift".to_owned(), if was { "done" } else { "there was no mark" })
            }
            Change::Link { other } => {
                let other = self.known_as(other)?;
                let done = self.link(&main, &mut record, &other)?;
                ("customers link".to_owned(), if done { "done" } else { "they were one already" })
            }
        };
        let who = self.pseudonym(&main);
        self.note(
            now,
            Event::Command {
                command: format!("{command} {who}"),
                author: author.to_owned(),
                outcome: outcome.to_owned(),
            },
        );
        self.write_customer(&main, &record, author, now)?;
        self.apply()?;
        self.show_customer(&main, now)
    }

    /// Joins the record of `other` with that of `main`: the sterner mark stays.
    fn link(&mut self, main: &str, record: &mut Customer, other: &str) -> Result<bool, LedgerError> {
        if main == other {
            return Ok(false);
        }
        if let Some(theirs) = self.get::<Customer>(&format!("customer/{other}"))? {
            record.join(theirs);
        }
        for address in record.linked.clone() {
            self.put(&format!("link/{address}"), &main)?;
        }
        record.linked.insert(other.to_owned());
        self.put(&format!("link/{other}"), &main)?;
        self.remove(&format!("customer/{other}"));
        self.remove(&format!("marked/{other}"));
        let (from, to) = (super::keys::short_hash(other), super::keys::short_hash(main));
        let mails: Vec<String> = self.keys(&format!("mails-of/{from}/")).collect::<Result<_, _>>()?;
        for mail in mails {
            self.remove(&format!("mails-of/{from}/{mail}"));
            self.put(&format!("mails-of/{to}/{mail}"), &())?;
        }
        Ok(true)
    }
}
