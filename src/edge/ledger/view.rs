//! What is counted and listed for people and monitors.

use std::collections::BTreeMap;

use super::LedgerError;
use super::record::MailRecord;
use super::store::{OPEN, Store};
use super::tickets::TicketFilter;
use crate::decide::TicketState;
use crate::time::Timestamp;

/// Tickets that are not closed, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By state; every state is there.
    pub states: BTreeMap<String, u64>,
    /// By the queue of their newest mail.
    pub queues: BTreeMap<String, u64>,
    /// Those whose answer or promise is overdue.
    pub overdue: u64,
    /// Those that wait for legal.
    pub legal_waiting: u64,
}

impl Store {
    /// Counts the tickets that are not closed.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn tally(&self, now: Timestamp) -> Result<Tally, LedgerError> {
        let open = TicketState::ALL.into_iter().filter(|state| *state != TicketState::Closed);
        let mut tally =
            Tally { states: open.map(|state| (state.to_string(), 0)).collect(), ..Tally::default() };
        for stored in self.tickets(&TicketFilter::default(), now)? {
            let ticket = &stored.ticket;
            *tally.states.entry(ticket.state.to_string()).or_default() += 1;
            if let Some(queue) = ticket.queue {
                *tally.queues.entry(queue.to_string()).or_default() += 1;
            }
            tally.overdue += u64::from(ticket.due.or(ticket.promised).is_some_and(|due| due <= now));
            tally.legal_waiting +=
                u64::from(ticket.legal.as_ref().is_some_and(|legal| legal.acknowledged.is_none()));
        }
        Ok(tally)
    }

    /// When the oldest mail was decided whose effects are not all done.
    #[must_use]
    pub fn oldest_pending(&self) -> Option<Timestamp> {
        self.open_mails().values().min().copied()
    }

    /// What [`Store::oldest_pending`] and [`Store::under_way`] know, read from the files once; states
    /// written before 0.2 have no time at the mark.
    pub(super) fn decided_of_open(&self) -> Result<BTreeMap<String, Timestamp>, LedgerError> {
        let mut open = BTreeMap::new();
        for path in self.keys(OPEN) {
            let path = path?;
            let decided = match self.get::<Option<Timestamp>>(&format!("{OPEN}{path}"))?.flatten() {
                Some(decided) => Some(decided),
                None => self.get::<MailRecord>(&format!("mail/{path}"))?.map(|record| record.decided),
            };
            open.extend(decided.map(|decided| (path, decided)));
        }
        Ok(open)
    }

    /// The newest records, the newest first; within a day by when they were decided.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn newest(&self, limit: usize) -> Result<Vec<MailRecord>, LedgerError> {
        let mut records: Vec<MailRecord> = Vec::new();
        for key in self.keys_backwards("day/").take(limit) {
            let key = key?;
            let Some((_, path)) = key.split_once('/') else { continue };
            records.extend(self.get::<MailRecord>(&format!("mail/{path}"))?);
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.decided));
        Ok(records)
    }

    /// The record of the mail with this identity, in whichever account.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn by_identities(
        &self,
        accounts: &[String],
        identity: &str,
    ) -> Result<Option<MailRecord>, LedgerError> {
        for account in accounts {
            if let Some(record) = self.by_identity(account, identity)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Size of the ledger on disk, in bytes; 0 where it cannot be told.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut folders = vec![self.dir().join("ledger"), self.dir().join("journal")];
        let mut sum = 0;
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.filter_map(Result::ok) {
                match entry.metadata() {
                    Ok(data) if data.is_dir() => folders.push(entry.path()),
                    Ok(data) => sum += data.len(),
                    Err(_) => {}
                }
            }
        }
        sum
    }
}
