//! What is old is deleted, a little in each round; what is on legal hold stays.

mod steady;

use std::time::Duration;

use super::LedgerError;
use super::audit::{self, Mark};
use super::keys::{mail_path, message_key, own_key, short_hash, thread_key};
use super::record::{MailRecord, MailState};
use super::store::Store;
use crate::decide::TicketState;
use crate::decide::customer::State;
use crate::time::Timestamp;

pub use steady::{REST, Steady, Trust};

const DAY: i64 = 86_400;

/// Where the time is kept up to which the clock was believed.
const CLOCK: &str = "meta/clock";

/// It is written down no more often, in seconds.
const CLOCK_STEP: u64 = 600;

/// Where a record is found by its age.
pub(super) fn day_key(record: &MailRecord) -> String {
    format!("day/{:08}/{}", record.decided.0.div_euclid(DAY).max(0), mail_path(&record.key))
}

impl Store {
    /// Whether the wall clock can be trusted with deleting: after a jump it rests for `rest`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn may_delete(&mut self, now: Timestamp, rest: Duration) -> Result<bool, LedgerError> {
        let before = self.get::<Timestamp>(CLOCK)?;
        match self.look_at_clock(now, before, rest) {
            Trust::Steady => {
                if before.is_none_or(|before| before.0.abs_diff(now.0) >= CLOCK_STEP) {
                    self.put(CLOCK, &now)?;
                    self.apply()?;
                }
                Ok(true)
            }
            Trust::Jumped => {
                tracing::warn!(
                    now = now.0,
                    believed = before.map_or(0, |before| before.0),
                    "the clock has jumped: nothing is deleted for a day; correct it if it is wrong"
                );
                Ok(false)
            }
            Trust::Resting => Ok(false),
        }
    }

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
