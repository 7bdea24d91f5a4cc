//! Customers and tickets in the store, as the decision of a mail finds and leaves them.

mod paces;
mod take_over;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::audit::Event;
use super::keys::{hex, mail_path, short_hash, thread_key};
use super::record::{DraftMark, Effect, MailRecord};
use super::store::Store;
use crate::decide::customer::State;
use crate::decide::{Care, Case, Customer, Ticket, TicketId, TicketState};
use crate::mail::MessageId;
use crate::time::Timestamp;
pub use paces::InboxPaces;

/// How long before a promise breaks the agent is reminded.
pub const PROMISE_MARGIN: Duration = Duration::from_hours(1);

/// How long after a ticket was resolved its closing message is waited for.
pub const CLOSING_GRACE: Duration = Duration::from_hours(4);

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
    /// Hash of sender and subject without `Re:`; see [`subject_hash`].
    #[serde(default)]
    pub subject: Option<String>,
    /// Whether the mail answers another, by its references or its subject.
    #[serde(default)]
    pub answers: bool,
}

/// A ticket with what only the store needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// Our open draft in the thread.
    pub draft: Option<DraftMark>,
    /// The account whose mailbox it is in.
    #[serde(default)]
    pub account: String,
    /// The newest mail of the customer, and the folder it was filed into.
    #[serde(default)]
    pub newest: Option<(MessageId, String)>,
    /// When somebody must be reminded.
    #[serde(default)]
    pub wakes: Option<Timestamp>,
}

/// What a thread without references is found by: who writes, and about what.
#[must_use]
pub fn subject_hash(customer: &str, subject: &str) -> Option<String> {
    let mut rest = subject.trim();
    // `Re: AW: [EK-…] x` and `x` are the same matter
    while let Some((mark, after)) = rest.split_once(':').filter(|(mark, _)| mark.chars().count() <= 5) {
        let word = mark.trim_end_matches(|c: char| c.is_ascii_digit() || c == '[' || c == ']');
        if word.is_empty() || !word.chars().all(char::is_alphabetic) {
            break;
        }
        rest = after.trim_start();
    }
    // too short to tell two matters apart
    (rest.chars().count() >= 8).then(|| short_hash(&format!("{customer}\n{}", rest.to_lowercase())))
}

fn subject_key(account: &str, hash: &str) -> String {
    format!("subject/{account}/{hash}")
}

impl Store {
    pub(super) fn write_case(
        &mut self,
        record: &MailRecord,
        case: &Case,
        query: &CaseQuery,
    ) -> Result<(), LedgerError> {
        let at = record.decided;
        if let Some(who) = &query.customer {
            let who = self.known_as(who)?;
            self.write_customer(&who, &case.customer, "evenkeel", at)?;
            self.put(&format!("mails-of/{}/{}", short_hash(&who), mail_path(&record.key)), &())?;
        }
        self.put("care", &case.care)?;
        self.write_paces(case, query)?;
        let Some(ticket) = &case.ticket else { return Ok(()) };
        if ticket.id == case.next_ticket {
            let opened = self.get::<u64>("meta/tickets")?.unwrap_or(0).saturating_add(1);
            self.put("meta/tickets", &opened)?;
        }
        let before = self.ticket(ticket.id.as_str())?;
        let folder = crate::daemon::plan::folder_of(record).unwrap_or(&record.key.folder.folder).to_owned();
        let newest = record.message_id.clone().map(|id| (id, folder));
        let stored = StoredTicket {
            ticket: ticket.clone(),
            draft: before.as_ref().and_then(|before| before.draft.clone()),
            account: query.account.clone(),
            newest: newest.or_else(|| before.as_ref().and_then(|before| before.newest.clone())),
            wakes: before.as_ref().and_then(|before| before.wakes),
        };
        self.write_ticket(stored, before.map(|before| before.ticket.state), "mail", at)?;
        let ours = record.effects.iter().filter_map(|entry| match &entry.effect {
            // colleagues answer to these
            Effect::Forward { id, .. } | Effect::Notify { id, .. } => Some(id),
            Effect::SaveDraft { .. } | Effect::Tag { .. } | Effect::File { .. } => None,
        });
        for id in record.message_id.iter().chain(&query.references).chain(ours) {
            self.put(&thread_key(&query.account, id), &ticket.id)?;
        }
        if let Some(hash) = &query.subject {
            self.put(&subject_key(&query.account, hash), &ticket.id)?;
        }
        Ok(())
    }

    /// Writes a ticket, its marks and its change of state.
    pub(super) fn write_ticket(
        &mut self,
        mut stored: StoredTicket,
        before: Option<TicketState>,
        by: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let ticket = &stored.ticket;
        let number = ticket.id.to_string();
        if before != Some(ticket.state) {
            let state = ticket.state.to_string();
            self.note(at, Event::Ticket { ticket: number.clone(), state, by: by.to_owned() });
        }
        let open = format!("open-ticket/{number}");
        if ticket.state == TicketState::Closed {
            self.remove(&open);
        } else {
            self.put(&open, &())?;
        }
        let wakes = ticket.wakes(PROMISE_MARGIN, CLOSING_GRACE);
        if wakes != stored.wakes {
            if let Some(old) = stored.wakes {
                self.remove(&wake_key(old, &number));
            }
            if let Some(new) = wakes {
                self.put(&wake_key(new, &number), &())?;
            }
            stored.wakes = wakes;
        }
        self.put(&format!("ticket/{number}"), &stored)
    }

    /// Writes a customer, the mark of those who are not served as everybody, and the change.
    pub(super) fn write_customer(
        &mut self,
        who: &str,
        customer: &Customer,
        author: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let key = format!("customer/{who}");
        let before = self.get::<Customer>(&key)?.map_or(State::Clear, |before| before.state(at));
        let state = customer.state(at);
        if before != state {
            let customer = self.pseudonym(who);
            let (from, to) = (before.to_string(), state.to_string());
            self.note(at, Event::Conduct { customer, from, to, author: author.to_owned() });
        }
        let marked = format!("marked/{who}");
        if state == State::Clear {
            self.remove(&marked);
        } else {
            self.put(&marked, &())?;
        }
        self.put(&key, customer)
    }

    /// A keyed hash of an identity: the same for the same customer, and nobody who reads the audit
    /// can try addresses on it.
    pub(super) fn pseudonym(&self, who: &str) -> String {
        let hash =
            Sha256::new().chain_update(self.secret()).chain_update(b"customer").chain_update(who).finalize();
        hex(hash.iter().take(8))
    }

    /// Records the open draft of a ticket, which also belongs to its thread.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_draft(&mut self, account: &str, ticket: &str, draft: &DraftMark) -> Result<(), LedgerError> {
        if let Some(mut stored) = self.ticket(ticket)? {
            stored.draft = Some(draft.clone());
            self.put(&thread_key(account, &draft.id), &stored.ticket.id)?;
            self.put(&format!("ticket/{ticket}"), &stored)?;
        }
        self.apply()
    }

    /// The open draft of a ticket.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn draft(&self, ticket: &str) -> Result<Option<DraftMark>, LedgerError> {
        Ok(self.ticket(ticket)?.and_then(|stored| stored.draft))
    }

    /// A ticket by its number.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn ticket(&self, number: &str) -> Result<Option<StoredTicket>, LedgerError> {
        self.get(&format!("ticket/{number}"))
    }

    /// The ticket of a thread.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn ticket_of(&self, account: &str, id: &MessageId) -> Result<Option<StoredTicket>, LedgerError> {
        match self.get::<TicketId>(&thread_key(account, id))? {
            Some(number) => self.ticket(number.as_str()),
            None => Ok(None),
        }
    }

    /// Customer and ticket of a mail. A thread is found by what the mail answers; by the number in
    /// its subject, if its sender takes part in that ticket; where its references are unknown, by
    /// sender and subject, while that ticket is open.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn case(&self, query: &CaseQuery) -> Result<Case, LedgerError> {
        let customer = match &query.customer {
            Some(who) => self.customer(who)?.unwrap_or_default(),
            None => Customer::default(),
        };
        let mut found = None;
        for id in query.references.iter().rev() {
            found = self.ticket_of(&query.account, id)?;
            if found.is_some() {
                break;
            }
        }
        if let (None, Some(number)) = (&found, &query.ticket) {
            found = self.ticket(number)?.filter(|stored| takes_part(&stored.ticket, query));
        }
        if let (None, Some(hash), true) = (&found, &query.subject, query.answers)
            && let Some(number) = self.get::<TicketId>(&subject_key(&query.account, hash))?
        {
            found = self.ticket(number.as_str())?.filter(|stored| stored.ticket.state != TicketState::Closed);
        }
        let ticket = found.map(|stored| stored.ticket);
        let care = self.get("care")?.unwrap_or_default();
        let paces = self.paces(query, ticket.as_ref())?;
        Ok(Case { customer, ticket, care, next_ticket: self.next_ticket()?, paces })
    }

    /// Hostile mails of the week of `now`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn care(&self, now: Timestamp) -> Result<Care, LedgerError> {
        Ok(self.get::<Care>("care")?.unwrap_or_default().of_week(now))
    }

    fn next_ticket(&self) -> Result<TicketId, LedgerError> {
        let sequence = self.get::<u64>("meta/tickets")?.unwrap_or(0);
        let check = Sha256::new().chain_update(self.secret()).chain_update(sequence.to_be_bytes()).finalize();
        let mut bytes = check.iter().copied();
        Ok(TicketId::new(sequence, [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]))
    }
}

/// Whoever does not take part must not get into a ticket by guessing its number.
fn takes_part(ticket: &Ticket, query: &CaseQuery) -> bool {
    ticket.participants.is_empty()
        || query.customer.as_ref().is_some_and(|who| ticket.participants.contains(who))
}

pub(super) fn wake_key(at: Timestamp, number: &str) -> String {
    format!("wake/{:020}/{number}", at.0.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_about_the_same_matter_as_what_it_answers() {
        let of = |subject: &str| subject_hash("a@b", subject);
        assert_eq!(of("Re: AW: Router is dead"), of("router is dead"));
        assert_ne!(of("Router is dead"), of("Router is fine"));
        assert_ne!(of("Router is dead"), subject_hash("c@d", "Router is dead"));
        assert_eq!(of("Re: hello"), None, "too little to go by");
    }
}
