//! What people ask and decide about tickets, and what the clock does to them.

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::Event;
use super::cases::StoredTicket;
use super::keys::thread_key;
use super::store::Store;
use crate::decide::{Ticket, TicketState};
use crate::mail::{Mail, MessageId};
use crate::time::Timestamp;

/// Which tickets are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TicketFilter {
    /// This one only.
    pub number: Option<String>,
    /// In this state only; without it, all that are not closed.
    pub state: Option<TicketState>,
    /// Those only whose answer or promise is overdue.
    pub overdue: bool,
    /// Those only that this customer takes part in.
    pub customer: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Store {
    /// Tickets, the most urgent first: priority, then what is due first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn tickets(&self, filter: &TicketFilter, now: Timestamp) -> Result<Vec<StoredTicket>, LedgerError> {
        if let Some(number) = &filter.number {
            return Ok(self.ticket(number)?.into_iter().collect());
        }
        let prefix = if filter.state == Some(TicketState::Closed) { "ticket/" } else { "open-ticket/" };
        let mut found = Vec::new();
        for number in self.keys(prefix) {
            let Some(stored) = self.ticket(&number?)? else { continue };
            let ticket = &stored.ticket;
            let due = ticket.due.or(ticket.promised);
            let fits = filter.state.is_none_or(|state| ticket.state == state)
                && (!filter.overdue || due.is_some_and(|due| due <= now))
                && filter.customer.as_ref().is_none_or(|who| ticket.participants.contains(who));
            if fits {
                found.push(stored);
            }
        }
        found.sort_by_key(|stored| {
            let ticket = &stored.ticket;
            let due = ticket.due.or(ticket.promised).unwrap_or(Timestamp(i64::MAX));
            (ticket.priority, due, ticket.id.clone())
        });
        found.truncate(if filter.limit == 0 { usize::MAX } else { filter.limit });
        Ok(found)
    }

    /// How many tickets are not closed.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open_tickets(&self) -> Result<u64, LedgerError> {
        let mut count = 0;
        for key in self.keys("open-ticket/") {
            key?;
            count += 1;
        }
        Ok(count)
    }

    /// Changes a ticket and writes down how; `None` when there is none with this number, or `change`
    /// says that nothing is to be done.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn change_ticket(
        &mut self,
        number: &str,
        by: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Ticket) -> bool,
    ) -> Result<Option<StoredTicket>, LedgerError> {
        let Some(mut stored) = self.ticket(number)? else { return Ok(None) };
        let before = stored.ticket.state;
        if !change(&mut stored.ticket) {
            return Ok(None);
        }
        self.write_ticket(stored, Some(before), by, now)?;
        self.apply()?;
        self.ticket(number)
    }

    /// An agent has sent this mail: the ticket it belongs to is answered, the mail is part of its
    /// thread. `None` when it belongs to none, or is one of ours.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn answered(
        &mut self,
        account: &str,
        mail: &Mail,
        at: Timestamp,
    ) -> Result<Option<StoredTicket>, LedgerError> {
        let mut found = None;
        for id in mail.references.iter().rev() {
            found = self.ticket_of(account, id)?;
            if found.is_some() {
                break;
            }
        }
        if let (None, Some(number)) = (&found, crate::daemon::plan::ticket_in(&mail.subject)) {
            found = self.ticket(&number)?;
        }
        let Some(stored) = found else { return Ok(None) };
        let number = stored.ticket.id.to_string();
        if let Some(id) = &mail.message_id {
            self.put(&thread_key(account, id), &stored.ticket.id)?;
        }
        // its draft was sent, or is out of date
        self.put(&format!("ticket/{number}"), &StoredTicket { draft: None, ..stored })?;
        self.apply()?;
        self.change_ticket(&number, "answer", at, |ticket| {
            ticket.answer(at);
            true
        })
    }

    /// A mail of ours belongs to the thread of a ticket.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn join_thread(&mut self, account: &str, id: &MessageId, number: &str) -> Result<(), LedgerError> {
        if let Some(stored) = self.ticket(number)? {
            self.put(&thread_key(account, id), &stored.ticket.id)?;
        }
        self.apply()
    }

    /// A person says that a ticket is settled.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn resolve(
        &mut self,
        number: &str,
        author: &str,
        now: Timestamp,
    ) -> Result<Option<StoredTicket>, LedgerError> {
        let command = format!("tickets resolve {number}");
        self.note(now, Event::Command { command, author: author.to_owned(), outcome: "done".into() });
        let changed = self.change_ticket(number, author, now, |ticket| ticket.resolve(now))?;
        if changed.is_none() {
            self.discard();
        }
        Ok(changed)
    }

    /// Tickets of `account` that want somebody to be reminded at `now`, the earliest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn waking(
        &self,
        account: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<StoredTicket>, LedgerError> {
        let mut found = Vec::new();
        for key in self.keys("wake/") {
            let key = key?;
            let Some((at, number)) = key.split_once('/') else { continue };
            if at.parse::<i64>().is_ok_and(|at| at > now.0) || found.len() >= limit {
                break;
            }
            found.extend(self.ticket(number)?.filter(|stored| stored.account == account));
        }
        Ok(found)
    }
}
