//! The ledger's layout: one tree of sled, keys by prefix, JSON values. A group of writes is one
//! batch, all or nothing: a line in the journal (`super::journal`), then in the index over it
//! (`super::index`), and with others in sled.
//!
//! | key | value |
//! |---|---|
//! | `meta/format`, `meta/batch` | format number; the batch up to which sled certainly has all |
//! | `meta/secret`, `meta/tickets` | 32 random bytes; tickets opened so far |
//! | `cursor/<account>/<folder>` | [`super::Cursor`] |
//! | `attempt/<mail>`, `cut/<mail>` | how often handling was begun and not ended; how often because the line broke |
//! | `mail/<mail>` | [`super::MailRecord`]; `<mail>` is account, folder, UIDVALIDITY, uid |
//! | `open/<mail>` | marks a record that is not done |
//! | `identity/<account>/<hash>` | the mail's key: found again when UIDs change |
//! | `message/<account>/<hash of Message-ID>` | keys of the mails with it |
//! | `thread/<account>/<hash of Message-ID>` | ticket number |
//! | `subject/<account>/<hash of customer and subject>` | ticket number |
//! | `ticket/<number>` | [`super::cases::StoredTicket`] |
//! | `open-ticket/<number>` | marks a ticket that is not closed |
//! | `wake/<time>/<number>` | when a ticket wants somebody to be reminded |
//! | `customer/<identity>` | [`crate::decide::Customer`] |
//! | `marked/<identity>` | marks a customer who is not served as everybody |
//! | `link/<identity>` | the identity under which this one is known |
//! | `mails-of/<hash of identity>/<mail>` | marks a mail of a customer |
//! | `undo/<mail>` | a mail whose effects are to be taken back |
//! | `day/<day>/<mail>` | when a mail was decided, for retention |
//! | `edits/<playbook>/<language>` | [`super::edits::Edits`] |
//! | `care` | [`crate::decide::Care`] |
//! | `meta/audit`, `meta/audit-start` | number and hash of the audit's last line, and of the one before its first |
//! | `told/<identity>` | [`super::recall::Told`]: the audit tells of a mail whose record is lost |
//! | `erased/<pseudonym>` | when a customer was erased |
//! | `meta/clock` | up to when the wall clock was believed |
//! | `own/<hash of Message-ID>` | the key of the mail about which we wrote that one |
//! | `reopened/<mail>` | marks a record of which an effect came undone |
//! | `recent/…`, `recent-at/…`, `vote/…`, `text/…`, `place/…`, `meta/learning`, `meta/recent` | see [`super::examples`] |
//! | `meta/paces`, `pace/sender/<hash of identity>`, `pace/thread/<number>` | [`super::cases::InboxPaces`], [`crate::decide::pace::Pace`] |

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::LedgerError;
use super::audit::{Audit, Event, Mark};
use super::index::Index;
use super::journal::{Changes, Journal};
use super::opening::{self, Found};
use super::owner;
use super::rare::Rare;
use super::retention::{Steady, Trust};
use crate::time::Timestamp;

/// The format this version writes. 1 had no journal.
pub const FORMAT: u32 = 2;

/// Where sled keeps the format.
pub(super) const FORMAT_KEY: &str = "meta/format";

/// Marks records that are not done; the value is when they were decided.
pub(super) const OPEN: &str = "open/";

/// Where sled keeps the number of its last batch.
pub(super) const BATCH: &str = "meta/batch";

/// Keys of a batch of the journal at most, but for one operation's: a job over everything is many.
const A_BATCH: usize = 8 * 1024;

/// The opened state. Used by the ledger's thread, and directly when the daemon is down.
pub struct Store {
    index: Index,
    journal: Journal,
    dir: PathBuf,
    pending: Changes,
    /// When the mails were decided whose effects are not all done, by the rest of their key.
    open: BTreeMap<String, Timestamp>,
    rare: Rare,
    audit: Audit,
    /// Events of the current job.
    events: Vec<(Timestamp, Event)>,
    found: Found,
    /// Something was erased: it must not stay in older files.
    renew: bool,
    steady: Steady,
    opened: Instant,
    secret: [u8; 32],
    _owner: File,
}

impl Store {
    /// Opens the state in `dir`, creating directory (0700) and state where there is none, and mending
    /// what is damaged.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|source| LedgerError::directory(dir, source))?;
        let owner = owner::take(dir)?;
        let opened = opening::open(dir)?;
        let mut store = Self {
            index: Index::over(opened.db, dir)?,
            journal: opened.journal,
            dir: dir.to_owned(),
            pending: Changes::new(),
            open: BTreeMap::new(),
            rare: Rare::default(),
            audit: Audit::closed(dir),
            events: Vec::new(),
            found: opened.found,
            renew: false,
            steady: Steady::default(),
            opened: Instant::now(),
            secret: [0; 32],
            _owner: owner,
        };
        match store.get("meta/secret")? {
            Some(secret) => store.secret = secret,
            None => store.begin()?,
        }
        let known = store.get::<Mark>("meta/audit")?.unwrap_or_default();
        store.audit = Audit::open(dir, known.clone())?;
        if store.audit.last().n > known.n {
            store.recall(&known)?;
        }
        store.open = store.decided_of_open()?;
        store.rare = Rare::find(|kind| store.keys(kind).next().transpose().map(|key| key.is_some()))?;
        store.prove_flush()?;
        Ok(store)
    }

    fn begin(&mut self) -> Result<(), LedgerError> {
        let mut secret = [0_u8; 32];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut secret))
            .map_err(|source| self.broken(source))?;
        self.put("meta/secret", &secret)?;
        self.secret = secret;
        if self.get::<u64>("meta/tickets")?.is_none() {
            self.put("meta/tickets", &0_u64)?;
        }
        self.commit()
    }

    /// sled's own flush survives a power cut only while our `fdatasync` stands in for the call it
    /// makes. The journal does not depend on it; sled would have to be made anew from it.
    fn prove_flush(&self) -> Result<(), LedgerError> {
        let before = evenkeel_lasting_flush::calls();
        let format = FORMAT.to_string();
        self.index.db().insert(FORMAT_KEY, format.as_str()).map_err(|e| self.sled(e))?;
        // the same value again would be nothing to write; the tree is none of the ledger's
        let proof = self.index.db().open_tree("proof").map_err(|e| self.sled(e))?;
        let starts = |old: Option<&[u8]>| {
            let old = old.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
            Some(old.wrapping_add(1).to_be_bytes().to_vec())
        };
        proof.update_and_fetch("starts", starts).map_err(|e| self.sled(e))?;
        self.index.db().flush().map_err(|e| self.sled(e))?;
        if cfg!(target_os = "linux") && evenkeel_lasting_flush::calls() == before {
            tracing::error!(
                "sled's flush does not last in this build: after a power cut the ledger is made anew from its journal, which takes longer; please report it"
            );
        }
        Ok(())
    }

    pub(super) fn sled(&self, source: sled::Error) -> LedgerError {
        LedgerError::sled(&self.dir, source)
    }

    fn broken(&self, source: std::io::Error) -> LedgerError {
        LedgerError::directory(&self.dir, source)
    }

    /// What keyed hashes are made with.
    pub(super) const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    pub(super) fn audit_end(&self) -> Mark {
        self.audit.last().clone()
    }

    pub(super) const fn open_mails(&self) -> &BTreeMap<String, Timestamp> {
        &self.open
    }

    /// sled, which has everything that was committed.
    pub(super) fn settled(&mut self) -> Result<&sled::Db, LedgerError> {
        self.index.settle(self.journal.n())?;
        Ok(self.index.db())
    }

    pub(super) const fn batches(&self) -> u64 {
        self.journal.n()
    }

    pub(super) fn look_at_clock(
        &mut self,
        now: Timestamp,
        before: Option<Timestamp>,
        rest: Duration,
    ) -> Trust {
        self.steady.look(now, self.opened.elapsed(), before, rest)
    }

    /// How the state was found when it was opened.
    #[must_use]
    pub const fn found(&self) -> &Found {
        &self.found
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        if self.rare.lacks(key) {
            return Ok(None);
        }
        let read = self.index.get(key, |bytes| serde_json::from_slice(bytes)).map_err(|e| self.sled(e))?;
        read.transpose().map_err(|source| LedgerError::Record { key: key.to_owned(), source })
    }

    pub(super) fn put<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), LedgerError> {
        let text = serde_json::to_string(value)
            .map_err(|source| LedgerError::Record { key: key.to_owned(), source })?;
        self.rare.put(key);
        self.pending.insert(key.to_owned(), Some(text));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) {
        if self.rare.lacks(key) {
            return;
        }
        self.pending.insert(key.to_owned(), None);
    }

    /// Writes an event into the audit, together with what the current job writes.
    pub fn note(&mut self, at: Timestamp, event: Event) {
        self.events.push((at, event));
    }

    /// The keys that begin with `prefix`, in order, without it.
    pub(super) fn keys<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = Result<String, LedgerError>> + 'a {
        self.keys_in(prefix, false)
    }

    /// As [`Store::keys`], the last one first.
    pub(super) fn keys_backwards<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = Result<String, LedgerError>> + 'a {
        self.keys_in(prefix, true)
    }

    fn keys_in<'a>(
        &'a self,
        prefix: &'a str,
        backwards: bool,
    ) -> impl Iterator<Item = Result<String, LedgerError>> + 'a {
        let found = (!self.rare.lacks(prefix)).then(|| self.index.keys(prefix, backwards));
        found.into_iter().flatten().map(move |key| {
            let key = key.map_err(|e| self.sled(e))?;
            Ok(key.strip_prefix(prefix).unwrap_or_default().to_owned())
        })
    }

    /// The state directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Checks the whole audit; the number of its last line.
    ///
    /// # Errors
    /// With the first line that does not fit.
    pub fn verify_audit(&self) -> Result<u64, LedgerError> {
        let start = self.get::<Mark>("meta/audit-start")?.unwrap_or_default();
        let known = self.get::<Mark>("meta/audit")?.unwrap_or_default();
        Ok(super::audit::verify(self.dir(), &start, &known)?.n)
    }

    /// Applies what was put and removed since, at once or not at all. Later reads see it.
    pub(super) fn apply(&mut self) -> Result<(), LedgerError> {
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            for (at, event) in events {
                self.audit.append(at, event)?;
            }
            let mark = self.audit.last().clone();
            self.put("meta/audit", &mark)?;
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.pending);
        for (key, value) in &changes {
            let Some(mail) = key.strip_prefix(OPEN) else { continue };
            let decided = value.as_deref().map(|text| serde_json::from_str(text).unwrap_or_default());
            match decided {
                Some(decided) => self.open.insert(mail.to_owned(), decided),
                None => self.open.remove(mail),
            };
        }
        self.index.add(changes);
        if self.index.unwritten().len() > A_BATCH { self.write_out() } else { Ok(()) }
    }

    /// Writes what was applied: for a whole job one batch, in which a key that it changed often stands
    /// once. The audit comes first: what it does not tell has not happened.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn write_out(&mut self) -> Result<(), LedgerError> {
        self.audit.write()?;
        if self.index.unwritten().is_empty() {
            return Ok(());
        }
        if let Err(source) = self.journal.append(self.index.unwritten()) {
            // perhaps half of it is written: what comes after it must not count
            self.index.give_up();
            return Err(self.broken(source));
        }
        self.index.written();
        Ok(())
    }

    /// Forgets what a failed job has written but not applied.
    pub fn discard(&mut self) {
        self.pending.clear();
        self.events.clear();
    }

    /// What was removed by the current job shall not stay in the journal.
    pub(super) const fn leave_no_trace(&mut self) {
        self.renew = true;
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn commit(&mut self) -> Result<(), LedgerError> {
        self.apply()?;
        self.write_out()?;
        self.audit.sync()?;
        if let Err(source) = self.journal.sync() {
            self.index.give_up();
            return Err(self.broken(source));
        }
        self.keep_up()
    }

    /// Has what has come together brought into sled, and a new base copied when the log is long.
    fn keep_up(&mut self) -> Result<(), LedgerError> {
        if let Some(bytes) = self.index.finished_base()? {
            self.journal.has_base(bytes);
        }
        let renew = std::mem::take(&mut self.renew);
        if renew || self.journal.wants_base() {
            self.index.hand_over(self.journal.n())?;
            let copying = self.journal.begin_base().map_err(|source| self.broken(source))?;
            self.index.copy(copying, renew)?;
        } else if self.index.is_full() {
            self.index.hand_over(self.journal.n())?;
        }
        if renew || self.journal.waits_for_base() {
            let bytes = self.index.until_base()?;
            self.journal.has_base(bytes);
        }
        Ok(())
    }
}

impl Drop for Store {
    /// The next start finds sled as far as the journal.
    fn drop(&mut self) {
        if !self.index.has_failed() && (self.write_out().is_err() || self.journal.sync().is_err()) {
            self.index.give_up();
        }
        self.index.close(self.journal.n());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_holds_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(dir.path()).unwrap();
        let Err(error) = Store::open(dir.path()) else { panic!("two owners") };
        assert!(error.to_string().contains(&format!("by process {}", std::process::id())), "{error}");
    }

    #[test]
    fn a_state_of_a_newer_version_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        {
            let store = Store::open(dir.path()).unwrap();
            store.index.db().insert(FORMAT_KEY, (FORMAT + 1).to_string().as_str()).unwrap();
            store.index.db().flush().unwrap();
        }
        assert!(matches!(Store::open(dir.path()), Err(LedgerError::Newer { found: 3, known: 2 })));
    }
}
