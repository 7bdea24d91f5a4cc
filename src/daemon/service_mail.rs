//! Reminders to colleagues: short mails of ours, sent again until the server has taken them; each
//! with an id of its own, so that a repetition is recognisable as one.

use super::worker::{WorkError, Worker};
use crate::decide::Desk;
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::outgoing::{self, Marks, own_id};
use crate::edge::{Mailbox, Outbox};
use crate::time::Timestamp;

/// What colleagues are reminded of.
pub(super) enum Reminder {
    /// An answer is overdue, or this promise is about to break.
    Due {
        /// When the customer was promised to hear from us.
        promised: Option<Timestamp>,
    },
    /// A threat that legal has not acknowledged.
    Legal {
        /// Which reminder it is, 1 for the first.
        number: u32,
        /// Handed to legal at.
        since: Timestamp,
    },
}

fn when(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(|_| "?".into(), |at| at.to_string())
}

impl Reminder {
    fn subject(&self, number: &str) -> String {
        match self {
            Self::Due { promised: None } => format!("[{number}] An answer is overdue"),
            Self::Due { promised: Some(_) } => format!("[{number}] A promise is about to break"),
            Self::Legal { number: n, .. } => format!("[{number}] Reminder {n}: a threat waits for legal"),
        }
    }

    fn text(&self, stored: &StoredTicket) -> String {
        let ticket = &stored.ticket;
        let first = match self {
            Self::Due { promised: None } => "A customer waits longer than we want for an answer.".to_owned(),
            Self::Due { promised: Some(at) } => {
                format!("A customer was promised to hear from us by {}, and has not.", when(*at))
            }
            Self::Legal { since, .. } => format!(
                "A threat was handed to legal at {}. Nobody has acknowledged it: an answer to this mail, or to the \
                 forward, does.",
                when(*since)
            ),
        };
        let mut lines = vec![first, String::new(), format!("Ticket:    {}", ticket.id)];
        lines.push(format!("State:     {}", ticket.state));
        if let Some((_, folder)) = &stored.newest {
            lines.push(format!("Folder:    {folder}"));
        }
        if let Some(agent) = ticket.assigned {
            lines.push(format!("Assigned:  {agent}"));
        }
        lines.join("\n")
    }

    fn key(&self) -> String {
        match self {
            Self::Due { .. } => "due".into(),
            Self::Legal { number, .. } => format!("legal-reminder-{number}"),
        }
    }
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Sends a reminder; `false` when it has to be tried again in a later round.
    pub(super) async fn remind(
        &mut self,
        desk: Desk,
        stored: &StoredTicket,
        reminder: &Reminder,
        now: Timestamp,
    ) -> Result<bool, WorkError<M::Error>> {
        let to = self.shared.policy().book.policy.recipients(desk).to_vec();
        let from = self.account.address.clone();
        let number = stored.ticket.id.to_string();
        let anchor = stored.ticket.due.or(stored.ticket.promised).unwrap_or(stored.ticket.opened).0;
        let what = format!("{}-{desk}", reminder.key());
        let own = own_id(&format!("{}.{anchor}", number.to_lowercase()), &what, &from);
        let (Some(id), Some(outbox), false) = (own, &mut self.outbox, to.is_empty()) else {
            // without address or server nobody can be told: the keyword has to do
            return Ok(true);
        };
        let marks = Marks { ticket: Some(&number), labels: "", reasons: &what };
        let subject = reminder.subject(&number);
        let message = outgoing::notice(&id, &from, &to, &subject, &reminder.text(stored), &marks, now);
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a reminder cannot be written");
                return Ok(true);
            }
        };
        let sent = match outbox.prepare(&from, &to).await {
            Ok(_) => outbox.send(&message).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(()) => {
                let (account, ticket) = (self.account.name.clone(), number);
                self.shared
                    .ledger
                    .run(move |store| store.join_thread(&account, &id, &ticket))
                    .await
                    .map_err(WorkError::Ledger)?;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(desk = %desk, %error, "a reminder waits");
                Ok(false)
            }
        }
    }
}
