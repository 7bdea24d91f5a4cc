//! Taking back what was done. The ledger's part (customers, tickets, what has not begun) is done at
//! once; what is on the servers is done by the folder's worker, which finds it here.

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::Event;
use super::keys::{folder_path, mail_path};
use super::record::{Effect, EffectState, FolderKey, MailRecord, MailState};
use super::store::Store;
use crate::decide::{Ticket, Word};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// What is to be taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Undo {
    /// What was done with the mails of this Message-ID.
    Mail {
        /// The Message-ID.
        id: MessageId,
    },
    /// What was done with mails to which this rule or route applied, since then.
    Rule {
        /// Id of the rule or route.
        rule: String,
        /// Not what was decided before.
        since: Timestamp,
    },
    /// What was decided in this window.
    Window {
        /// From here on.
        from: Timestamp,
        /// Up to here.
        to: Timestamp,
    },
}

/// What becomes of one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// What is taken back, or will be by the daemon.
    pub taken_back: Vec<String>,
    /// What cannot be taken back, and why.
    pub stays: Vec<String>,
}

impl Store {
    /// Takes back what matches, on behalf of `author`; one entry for each mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn undo(
        &mut self,
        accounts: &[String],
        what: &Undo,
        author: &str,
        now: Timestamp,
    ) -> Result<Vec<Undone>, LedgerError> {
        let records = match what {
            Undo::Mail { id } => self.find(accounts, id)?,
            Undo::Rule { rule, since } => {
                self.records(|record| record.decided >= *since && applied(record, rule))?
            }
            Undo::Window { from, to } => self.records(|record| (*from..=*to).contains(&record.decided))?,
        };
        let mut all = Vec::new();
        for record in records {
            let done = self.undo_record(record, author)?;
            self.apply()?;
            all.push(done);
        }
        let command = match what {
            Undo::Mail { .. } => "undo mail".to_owned(),
            Undo::Rule { rule, .. } => format!("undo --rule {rule}"),
            Undo::Window { from, to } => format!("undo --from {} --to {}", from.0, to.0),
        };
        let outcome = format!("{} mails", all.len());
        self.note(now, Event::Command { command, author: author.to_owned(), outcome });
        self.apply()?;
        Ok(all)
    }

    /// What has failed or was quarantined is to be tried again, at the next look at its folder; how many
    /// mails that is.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn retry(
        &mut self,
        accounts: &[String],
        id: Option<&MessageId>,
        author: &str,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let has_failed = |record: &MailRecord| {
            record.state == MailState::Quarantined
                || record.effects.iter().any(|entry| matches!(entry.state, EffectState::Failed(_)))
        };
        let records = match id {
            Some(id) => self.find(accounts, id)?.into_iter().filter(has_failed).collect(),
            None => self.records(has_failed)?,
        };
        let mut count = 0;
        for mut record in records {
            for entry in &mut record.effects {
                if matches!(entry.state, EffectState::Failed(_)) {
                    entry.state = EffectState::Pending;
                }
            }
            record.state = MailState::Intended;
            self.update_quietly(&record)?;
            self.apply()?;
            count += 1;
        }
        let outcome = format!("{count} mails");
        self.note(now, Event::Command { command: "retry".into(), author: author.to_owned(), outcome });
        self.apply()?;
        Ok(count)
    }

    /// How many mails have effects that are not done.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        u64::try_from(self.open_mails().len()).unwrap_or(u64::MAX)
    }

    /// All records for which `wanted` holds, in the order of their keys.
    fn records(&self, wanted: impl Fn(&MailRecord) -> bool) -> Result<Vec<MailRecord>, LedgerError> {
        let mut found = Vec::new();
        for key in self.keys("mail/") {
            found.extend(self.get::<MailRecord>(&format!("mail/{}", key?))?.filter(&wanted));
        }
        Ok(found)
    }

    fn undo_record(&mut self, mut record: MailRecord, author: &str) -> Result<Undone, LedgerError> {
        let mut done =
            Undone { message_id: record.message_id.clone(), taken_back: Vec::new(), stays: Vec::new() };
        let mut on_servers = false;
        for entry in &mut record.effects {
            match (&entry.effect, &entry.state) {
                (_, EffectState::Skipped(_) | EffectState::Failed(_)) => {}
                (effect, EffectState::Pending) => {
                    done.taken_back.push(format!("{effect}: withdrawn, it had not been done"));
                    entry.state = EffectState::Skipped(format!("withdrawn by {author}"));
                }
                (effect @ (Effect::Forward { .. } | Effect::Notify { .. }), _) => {
                    done.stays.push(format!("{effect}: a sent mail cannot be called back"));
                }
                (Effect::File { folder }, _) if record.message_id.is_none() => {
                    done.stays.push(format!("file into {folder}: the mail has no Message-ID to find it by"));
                }
                (effect, _) => {
                    done.taken_back.push(effect.to_string());
                    if let Effect::SaveDraft { replaces: Some(_), .. } = effect {
                        done.stays.push("the older draft that this one replaced".into());
                    }
                    on_servers = true;
                }
            }
        }
        record.state = MailState::Done;
        self.update_quietly(&record)?;
        if on_servers {
            self.put(&format!("undo/{}", mail_path(&record.key)), &author)?;
        }
        self.restore(&record, author, &mut done)?;
        Ok(done)
    }

    /// Customer and ticket as if the mail had not come.
    fn restore(&mut self, record: &MailRecord, author: &str, done: &mut Undone) -> Result<(), LedgerError> {
        let Some(before) = &record.before else { return Ok(()) };
        let at = record.decided;
        if let Some(who) = self.customer_of(record)?
            && let Some(mut customer) = self.customer(&who)?
        {
            let was = customer.clone();
            customer.take_back(&before.customer, at);
            if customer != was {
                done.taken_back.push("what was counted for the customer".into());
                self.write_customer(&who, &customer, author, at)?;
            }
        }
        let Some(number) = &record.ticket else { return Ok(()) };
        let Some(mut stored) = self.ticket(number)? else { return Ok(()) };
        let state = stored.ticket.state;
        match &before.ticket {
            Some(ticket) if stored.ticket.last_mail == at => {
                stored.ticket = Ticket { would_promise: None, ..ticket.clone() };
            }
            Some(_) => stored.ticket.mails = stored.ticket.mails.saturating_sub(1),
            None if stored.ticket.mails <= 1 => stored.ticket.state = crate::decide::TicketState::Closed,
            None => stored.ticket.mails -= 1,
        }
        done.taken_back.push(format!("its part in the ticket {number}"));
        self.write_ticket(stored, Some(state), author, at)
    }

    /// The customer whose mail it was.
    fn customer_of(&self, record: &MailRecord) -> Result<Option<String>, LedgerError> {
        Ok(match &record.customer {
            Some(who) => Some(self.known_as(who)?),
            None => None,
        })
    }

    /// Records of `folder` whose effects on the servers are to be taken back.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn undo_requests(&self, folder: &FolderKey) -> Result<Vec<MailRecord>, LedgerError> {
        let prefix = format!("undo/{}/", folder_path(folder));
        let mut records = Vec::new();
        for rest in self.keys(&prefix) {
            let path = format!("{}/{}", folder_path(folder), rest?);
            records.extend(self.get::<MailRecord>(&format!("mail/{path}"))?);
        }
        Ok(records)
    }

    /// The effects on the servers were taken back, as the record says.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn undone(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        self.remove(&format!("undo/{}", mail_path(&record.key)));
        self.update(record)
    }
}

fn applied(record: &MailRecord, rule: &str) -> bool {
    record.reasons.iter().any(|reason| {
        matches!(reason.word, Word::Rule | Word::Route) && reason.detail.split(", ").any(|id| id == rule)
    })
}
