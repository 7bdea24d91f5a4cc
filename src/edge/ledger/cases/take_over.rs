//! What another ledger knows, for one that is thrown away.

use super::super::LedgerError;
use super::super::keys::thread_key;
use super::super::store::Store;
use super::paces::{INBOX_PACES, InboxPaces};
use super::{CaseQuery, StoredTicket, subject_key};
use crate::decide::pace::Paces;
use crate::decide::{Care, Customer, Ticket};

impl Store {
    /// Numbers go on from here, and so do the week's counts; for a ledger that is thrown away.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn start_at(&mut self, sequence: u64, care: &Care, paces: &Paces) -> Result<(), LedgerError> {
        self.put("meta/tickets", &sequence)?;
        self.put("care", care)?;
        self.put(INBOX_PACES, &InboxPaces { all: paces.all.clone(), held: paces.held.clone() })?;
        self.apply()
    }

    /// A customer as another ledger knows one.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn take_over_customer(&mut self, who: &str, customer: &Customer) -> Result<(), LedgerError> {
        self.put(&format!("customer/{who}"), customer)?;
        self.apply()
    }

    /// A ticket as another ledger knows it, found again by what this query asks.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn take_over_ticket(&mut self, query: &CaseQuery, ticket: &Ticket) -> Result<(), LedgerError> {
        let stored = StoredTicket {
            ticket: ticket.clone(),
            draft: None,
            account: query.account.clone(),
            newest: None,
            wakes: None,
        };
        self.put(&format!("ticket/{}", ticket.id), &stored)?;
        for id in &query.references {
            self.put(&thread_key(&query.account, id), &ticket.id)?;
        }
        if let Some(hash) = &query.subject {
            self.put(&subject_key(&query.account, hash), &ticket.id)?;
        }
        self.apply()
    }
}
