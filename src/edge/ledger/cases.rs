//! Customers and tickets in the store.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::keys::{sender_pace_key, thread_key};
use super::record::{DraftMark, MailRecord};
use super::store::Store;
use crate::decide::pace::{Pace, Paces};
use crate::decide::{Case, Customer, Ticket, TicketId};
use crate::mail::MessageId;

/// What a case is found by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseQuery {
    /// Account name.
    pub account: String,
    /// The sender's identity; `None` for a mail without sender.
    pub customer: Option<String>,
    /// The thread: ids of the mails it answers.
    pub references: Vec<MessageId>,
    /// A ticket number that stands in the subject.
    pub ticket: Option<String>,
}

/// The paces of everybody together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InboxPaces {
    /// Mails for which something was drafted or forwarded.
    pub all: Pace,
    /// Mails that were held at a cap.
    pub held: Pace,
}

const INBOX_PACES: &str = "meta/paces";

/// A ticket with what only the store needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// Our open draft in the thread.
    pub draft: Option<DraftMark>,
}

impl Store {
    pub(super) fn write_case(
        &mut self,
        record: &MailRecord,
        case: &Case,
        query: &CaseQuery,
    ) -> Result<(), LedgerError> {
        if let Some(who) = &query.customer {
            self.put(&format!("customer/{who}"), &case.customer)?;
        }
        self.write_paces(case, query)?;
        if let Some(ticket) = &case.ticket {
            let key = format!("ticket/{}", ticket.id);
            if ticket.id == case.next_ticket {
                let opened = self.get::<u64>("meta/tickets")?.unwrap_or(0).saturating_add(1);
                self.put("meta/tickets", &opened)?;
            }
            let draft = self.get::<StoredTicket>(&key)?.and_then(|stored| stored.draft);
            self.put(&key, &StoredTicket { ticket: ticket.clone(), draft })?;
            for id in record.message_id.iter().chain(&query.references) {
                self.put(&thread_key(&query.account, id), &ticket.id)?;
            }
        }
        Ok(())
    }

    /// Records the open draft of a ticket, which also belongs to its thread.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_draft(&mut self, account: &str, ticket: &str, draft: &DraftMark) -> Result<(), LedgerError> {
        let key = format!("ticket/{ticket}");
        if let Some(mut stored) = self.get::<StoredTicket>(&key)? {
            stored.draft = Some(draft.clone());
            self.put(&thread_key(account, &draft.id), &stored.ticket.id)?;
            self.put(&key, &stored)?;
        }
        self.apply()
    }

    /// The open draft of a ticket.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn draft(&self, ticket: &str) -> Result<Option<DraftMark>, LedgerError> {
        Ok(self.get::<StoredTicket>(&format!("ticket/{ticket}"))?.and_then(|stored| stored.draft))
    }

    /// Customer and ticket of a mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn case(&self, query: &CaseQuery) -> Result<Case, LedgerError> {
        let customer = match &query.customer {
            Some(who) => self.get::<Customer>(&format!("customer/{who}"))?.unwrap_or_default(),
            None => Customer::default(),
        };
        let mut ticket = None;
        for id in query.references.iter().rev() {
            if let Some(number) = self.get::<TicketId>(&thread_key(&query.account, id))? {
                ticket = self.get::<StoredTicket>(&format!("ticket/{number}"))?;
                break;
            }
        }
        if let (None, Some(number)) = (&ticket, &query.ticket) {
            ticket = self.get::<StoredTicket>(&format!("ticket/{number}"))?;
        }
        let ticket = ticket.map(|stored| stored.ticket);
        let paces = self.paces(query, ticket.as_ref())?;
        Ok(Case { customer, ticket, next_ticket: self.next_ticket()?, paces })
    }

    fn write_paces(&mut self, case: &Case, query: &CaseQuery) -> Result<(), LedgerError> {
        let inbox = InboxPaces { all: case.paces.all.clone(), held: case.paces.held.clone() };
        self.put(INBOX_PACES, &inbox)?;
        if let Some(who) = &query.customer {
            self.put(&sender_pace_key(who), &case.paces.sender)?;
        }
        if let Some(ticket) = &case.ticket {
            self.put(&format!("pace/thread/{}", ticket.id), &case.paces.thread)?;
        }
        Ok(())
    }

    fn paces(&self, query: &CaseQuery, ticket: Option<&Ticket>) -> Result<Paces, LedgerError> {
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

    fn next_ticket(&self) -> Result<TicketId, LedgerError> {
        let sequence = self.get::<u64>("meta/tickets")?.unwrap_or(0);
        let secret: [u8; 32] = self.get("meta/secret")?.unwrap_or_default();
        let check = Sha256::new().chain_update(secret).chain_update(sequence.to_be_bytes()).finalize();
        let mut bytes = check.iter().copied();
        Ok(TicketId::new(sequence, [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]))
    }
}
