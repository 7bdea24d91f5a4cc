//! Customers and tickets in the store.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::keys::thread_key;
use super::record::{DraftMark, MailRecord};
use super::store::Store;
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
        Ok(Case { customer, ticket: ticket.map(|stored| stored.ticket), next_ticket: self.next_ticket()? })
    }

    fn next_ticket(&self) -> Result<TicketId, LedgerError> {
        let sequence = self.get::<u64>("meta/tickets")?.unwrap_or(0);
        let secret: [u8; 32] = self.get("meta/secret")?.unwrap_or_default();
        let check = Sha256::new().chain_update(secret).chain_update(sequence.to_be_bytes()).finalize();
        let mut bytes = check.iter().copied();
        Ok(TicketId::new(sequence, [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]))
    }
}
