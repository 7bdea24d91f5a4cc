//! What is old is deleted, a little in each round; what is on legal hold stays.

use super::LedgerError;
use super::audit::{self, Mark};
use super::keys::{mail_path, message_key, own_key, short_hash, thread_key};
use super::record::{MailRecord, MailState};
use super::store::Store;
use crate::decide::TicketState;
use crate::decide::customer::State;
use crate::time::Timestamp;

const DAY: i64 = 86_400;

/// Where a record is found by its age.
pub(super) fn day_key(record: &MailRecord) -> String {
    format!("day/{:08}/{}", record.decided.0.div_euclid(DAY).max(0), mail_path(&record.key))
}

impl Store {
    /// Deletes at most `limit` records that were decided before `cutoff`, each with its ticket and
    /// customer if these have been quiet since then, too; how many.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn prune(&mut self, cutoff: Timestamp, now: Timestamp, limit: usize) -> Result<u64, LedgerError> {
        let first = cutoff.0.div_euclid(DAY);
        let mut old = Vec::new();
        for key in self.keys("day/") {
            let key = key?;
            let day = key.split('/').next().and_then(|day| day.parse::<i64>().ok()).unwrap_or(i64::MAX);
            if day >= first || old.len() >= limit {
                break;
            }
            old.push(key);
        }
        let mut deleted = 0;
        for key in old {
            let Some((_, path)) = key.split_once('/') else { continue };
            let record = self.get::<MailRecord>(&format!("mail/{path}"))?;
            self.remove(&format!("day/{key}"));
            if let Some(record) = record
                && record.state != MailState::Intended
                && !self.on_hold(&record)?
            {
                self.forget_record(&record, cutoff, now)?;
                deleted += 1;
            }
            self.apply()?;
        }
        Ok(deleted)
    }

    fn on_hold(&self, record: &MailRecord) -> Result<bool, LedgerError> {
        Ok(match &record.ticket {
            Some(number) => self.ticket(number)?.is_some_and(|stored| stored.ticket.hold),
            None => false,
        })
    }

    fn forget_record(
        &mut self,
        record: &MailRecord,
        cutoff: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let (account, path) = (&record.key.folder.account, mail_path(&record.key));
        self.remove(&format!("mail/{path}"));
        self.remove(&format!("identity/{account}/{}", record.identity));
        self.remove(&format!("reopened/{path}"));
        self.forget_example(account, &record.identity)?;
        for id in record.effects.iter().filter_map(|entry| entry.effect.own_id()) {
            self.remove(&own_key(id));
        }
        if let Some(id) = &record.message_id {
            self.remove(&message_key(account, id));
            self.remove(&thread_key(account, id));
        }
        if let Some(number) = &record.ticket
            && let Some(stored) = self.ticket(number)?
            && stored.ticket.state == TicketState::Closed
            && stored.ticket.last_mail < cutoff
        {
            self.remove(&format!("ticket/{number}"));
        }
        let Some(who) = &record.customer else { return Ok(()) };
        let who = self.known_as(who)?;
        self.remove(&format!("mails-of/{}/{path}", short_hash(&who)));
        if let Some(customer) = self.customer(&who)?
            && customer.state(now) == State::Clear
            && customer.contacts.iter().all(|at| *at < cutoff)
        {
            self.remove(&format!("customer/{who}"));
        }
        Ok(())
    }

    /// Deletes months of the audit that ended before `cutoff`; the chain then begins after them.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn prune_audit(&mut self, cutoff: Timestamp) -> Result<u64, LedgerError> {
        let mut deleted = 0;
        let files = audit::files(self.dir())?;
        // the newest file is being written
        for path in files.iter().rev().skip(1).rev() {
            let Some(last) = audit::last_of(path)? else { break };
            if last.at >= cutoff {
                break;
            }
            self.put("meta/audit-start", &Mark { n: last.n, hash: last.hash })?;
            self.commit()?;
            audit::delete(path)?;
            deleted += 1;
        }
        Ok(deleted)
    }
}
