//! How many mails there were of late: in all, by sender, by thread.

use serde::{Deserialize, Serialize};

use super::super::LedgerError;
use super::super::keys::sender_pace_key;
use super::super::store::Store;
use super::CaseQuery;
use crate::decide::pace::{Pace, Paces};
use crate::decide::{Case, Ticket};

/// The paces of everybody together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InboxPaces {
    /// Mails for which something was drafted or forwarded.
    pub all: Pace,
    /// Mails that were held at a cap.
    pub held: Pace,
}

pub(super) const INBOX_PACES: &str = "meta/paces";

impl Store {
    pub(super) fn write_paces(&mut self, case: &Case, query: &CaseQuery) -> Result<(), LedgerError> {
        let inbox = InboxPaces { all: case.paces.all.clone(), held: case.paces.held.clone() };
        self.put(INBOX_PACES, &inbox)?;
        if let Some(who) = &query.customer {
            self.write_pace(&sender_pace_key(who), &case.paces.sender)?;
        }
        if let Some(ticket) = &case.ticket {
            self.write_pace(&format!("pace/thread/{}", ticket.id), &case.paces.thread)?;
        }
        Ok(())
    }

    /// Nothing is kept of those for whom nothing was drafted or forwarded of late.
    fn write_pace(&mut self, key: &str, pace: &Pace) -> Result<(), LedgerError> {
        if *pace == Pace::default() {
            self.remove(key);
            return Ok(());
        }
        self.put(key, pace)
    }

    pub(super) fn paces(&self, query: &CaseQuery, ticket: Option<&Ticket>) -> Result<Paces, LedgerError> {
        let inbox = self.inbox_paces()?;
        let sender = match &query.customer {
            Some(who) => self.get(&sender_pace_key(who))?.unwrap_or_default(),
            None => Pace::default(),
        };
        let thread = match ticket {
            Some(ticket) => self.get(&format!("pace/thread/{}", ticket.id))?.unwrap_or_default(),
            None => Pace::default(),
        };
        Ok(Paces { sender, thread, all: inbox.all, held: inbox.held })
    }

    /// How many mails there were of late, and how many of them were held at a cap.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn inbox_paces(&self) -> Result<InboxPaces, LedgerError> {
        Ok(self.get(INBOX_PACES)?.unwrap_or_default())
    }
}
