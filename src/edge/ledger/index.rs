//! sled as the index over the journal. What was written stays in memory until some of it has come
//! together, and is then brought into sled by a thread of its own (`keeper`): the journal is what a
//! mail waits for, and a key that changes with every mail is written into sled once for hundreds of
//! them. After a kill, what sled has missed is in the journal's log.

mod keeper;
mod merged;

use std::path::Path;
use std::sync::Arc;

pub(super) use keeper::bring;
use keeper::{Keeper, Outcome, Task};

use super::LedgerError;
use super::journal::{Changes, Copying};

/// Bytes of keys and values that are kept in memory before they go into sled. A start after a kill
/// reads twice as much from the journal at most.
const TOGETHER: usize = 4 * 1024 * 1024;

/// What a key costs in memory besides its bytes.
const A_KEY: usize = 64;

/// sled, with what has not come into it yet.
#[derive(Debug)]
pub(super) struct Index {
    db: sled::Db,
    /// Not in the journal yet.
    unwritten: Changes,
    /// Written since the last group was handed over.
    fresh: Changes,
    fresh_bytes: usize,
    /// The group that is being brought into sled.
    leaving: Option<Arc<Changes>>,
    keeper: Keeper,
    /// Size of a base that was finished and not asked for yet.
    base: Option<u64>,
    /// Something failed: sled is left as it is, the journal knows the rest.
    failed: bool,
}

impl Index {
    /// Takes over `db`, the state's in `dir`.
    pub(super) fn over(db: sled::Db, dir: &Path) -> Result<Self, LedgerError> {
        let keeper = Keeper::start(db.clone(), dir)?;
        let (unwritten, fresh, leaving, base) = (Changes::new(), Changes::new(), None, None);
        Ok(Self { db, unwritten, fresh, fresh_bytes: 0, leaving, keeper, base, failed: false })
    }

    /// sled alone.
    pub(super) const fn db(&self) -> &sled::Db {
        &self.db
    }

    /// What `read` makes of the value of a key.
    pub(super) fn get<R>(&self, key: &str, read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, sled::Error> {
        match self.waiting().find_map(|changes| changes.get(key)) {
            Some(value) => Ok(value.as_ref().map(|text| read(text.as_bytes()))),
            None => Ok(self.db.get(key)?.map(|bytes| read(&bytes))),
        }
    }

    /// Whether there is this key. Its value is not read.
    pub(super) fn keys<'a>(
        &'a self,
        prefix: &'a str,
        backwards: bool,
    ) -> impl Iterator<Item = Result<String, sled::Error>> + 'a {
        merged::keys(&self.db, self.waiting(), prefix, backwards)
    }

    /// What is not in sled yet, the newest first.
    fn waiting(&self) -> impl Iterator<Item = &Changes> {
        [Some(&self.unwritten), Some(&self.fresh), self.leaving.as_deref()].into_iter().flatten()
    }

    /// Takes changes that are in no batch of the journal yet.
    pub(super) fn add(&mut self, changes: Changes) {
        // not `append`, which looks at every key that is there already
        self.unwritten.extend(changes);
    }

    /// The changes that the next batch of the journal has to hold.
    pub(super) const fn unwritten(&self) -> &Changes {
        &self.unwritten
    }

    /// The journal has them.
    pub(super) fn written(&mut self) {
        for (key, value) in std::mem::take(&mut self.unwritten) {
            let bytes = key.len() + value.as_ref().map_or(0, String::len) + A_KEY;
            self.fresh_bytes = self.fresh_bytes.saturating_add(bytes);
            self.fresh.insert(key, value);
        }
    }

    /// Whether enough has come together.
    pub(super) const fn is_full(&self) -> bool {
        self.fresh_bytes > TOGETHER
    }

    /// Has everything up to batch `n` brought into sled, which goes on after this returns. It must be
    /// durable in the journal.
    pub(super) fn hand_over(&mut self, n: u64) -> Result<(), LedgerError> {
        self.until_brought()?;
        if self.fresh.is_empty() {
            return Ok(());
        }
        let changes = Arc::new(std::mem::take(&mut self.fresh));
        self.fresh_bytes = 0;
        self.leaving = Some(Arc::clone(&changes));
        self.order(Task::Bring { changes, n })
    }

    /// As [`Index::hand_over`], and waits until sled has it.
    pub(super) fn settle(&mut self, n: u64) -> Result<(), LedgerError> {
        self.hand_over(n)?;
        self.until_brought()
    }

    /// Has a base copied, after what was handed over; in a hurry, or beside the work.
    pub(super) fn copy(&mut self, copying: Copying, hurry: bool) -> Result<(), LedgerError> {
        self.base = None;
        self.order(Task::Copy { copying, hurry })
    }

    /// The size of a base that was finished since this was asked last.
    pub(super) fn finished_base(&mut self) -> Result<Option<u64>, LedgerError> {
        while let Some(outcome) = self.keeper.heard()? {
            self.take(outcome)?;
        }
        Ok(self.base.take())
    }

    /// Waits for the base that is being copied; its size.
    pub(super) fn until_base(&mut self) -> Result<u64, LedgerError> {
        self.order(Task::Hurry)?;
        loop {
            if let Some(bytes) = self.base.take() {
                return Ok(bytes);
            }
            let outcome = self.keeper.wait()?;
            self.take(outcome)?;
        }
    }

    /// Brings what is left into sled and ends, unless something has failed.
    pub(super) fn close(&mut self, n: u64) {
        if !self.failed {
            let _ = self.settle(n);
        }
        self.keeper.end();
    }

    /// Leaves sled as it is when this is closed.
    pub(super) const fn give_up(&mut self) {
        self.failed = true;
    }

    /// Whether something failed.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed
    }

    fn until_brought(&mut self) -> Result<(), LedgerError> {
        while self.leaving.is_some() {
            let outcome = self.keeper.wait()?;
            self.take(outcome)?;
        }
        Ok(())
    }

    fn order(&mut self, task: Task) -> Result<(), LedgerError> {
        self.keeper.order(task)
    }

    fn take(&mut self, outcome: Outcome) -> Result<(), LedgerError> {
        match outcome {
            Outcome::Brought => self.leaving = None,
            Outcome::Base(bytes) => self.base = Some(bytes),
            Outcome::Failed(error) => {
                self.failed = true;
                return Err(error);
            }
        }
        Ok(())
    }
}
