//! The ledger's layout in sled: one tree, keys by prefix, JSON values. A group of writes is one
//! sled batch and so all or nothing.
//!
//! | key | value |
//! |---|---|
//! | `meta/format`, `meta/secret`, `meta/tickets` | format number; 32 random bytes; tickets opened so far |
//! | `cursor/<account>/<folder>` | [`Cursor`] |
//! | `attempt/<mail>`, `cut/<mail>` | how often handling was begun and not ended; how often because the line broke |
//! | `mail/<mail>` | [`MailRecord`]; `<mail>` is account, folder, UIDVALIDITY, uid |
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
//! | `own/<hash of Message-ID>` | the key of the mail about which we wrote that one |
//! | `reopened/<mail>` | marks a record of which an effect came undone |
//! | `recent/…`, `recent-at/…`, `vote/…`, `text/…`, `place/…`, `meta/learning`, `meta/recent` | see [`super::examples`] |
//! | `meta/paces`, `pace/sender/<hash of identity>`, `pace/thread/<number>` | [`super::cases::InboxPaces`], [`crate::decide::pace::Pace`] |

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LedgerError;
use super::audit::{Audit, Event, Mark};
use super::cases::CaseQuery;
use super::keys::{attempt_key, cursor_key, cut_key, folder_path, mail_key, mail_path, message_key, own_key};
use super::record::{Cursor, EffectState, FolderKey, MailKey, MailRecord, MailState};
use crate::decide::{Case, Reason, Word};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// The format this version writes.
pub const FORMAT: u32 = 1;

/// sled's cache. With the default of 1 GiB a scan of a million records took 309 MB resident, with
/// 16 MiB 95 MB.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Mails kept under one Message-ID: whoever sends a thousand with the same one shall not grow a record.
const SAME_ID_KEPT: usize = 16;

/// Broken lines that are not held against the mail in hand.
const CUTS_FORGIVEN: u32 = 10;

/// The opened state. Used by the ledger's thread, and directly when the daemon is down.
pub struct Store {
    db: sled::Db,
    file: File,
    dir: String,
    batch: Option<sled::Batch>,
    /// Something was applied since the last sync. What `flush` returns does not tell: sled's own
    /// flusher may have been faster, and its flush does not last.
    unsynced: bool,
    audit: Audit,
    /// Events of the current job.
    events: Vec<(Timestamp, Event)>,
}

impl Store {
    /// Opens the state in `dir`, creating directory (0700) and state where there is none.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let name = dir.display().to_string();
        let io = |source| LedgerError::Directory { dir: name.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        let path = dir.join("ledger");
        let fresh = !path.join("db").exists();
        let db = sled::Config::new()
            .path(&path)
            .cache_capacity(CACHE_BYTES)
            .mode(sled::Mode::LowSpace)
            .open()
            .map_err(|source| match &source {
                sled::Error::Io(e)
                    if e.kind() == std::io::ErrorKind::WouldBlock || e.to_string().contains("lock") =>
                {
                    LedgerError::Locked { dir: name.clone() }
                }
                _ => LedgerError::Sled { dir: name.clone(), source },
            })?;
        let file = File::open(path.join("db")).map_err(io)?;
        let audit = Audit::closed(dir);
        let mut store =
            Self { db, file, dir: name.clone(), batch: None, unsynced: false, audit, events: Vec::new() };
        match store.get::<u32>("meta/format")? {
            None => store.found(&path)?,
            Some(FORMAT) => {}
            Some(found) => return Err(LedgerError::Newer { found, known: FORMAT }),
        }
        let known = store.get::<Mark>("meta/audit")?.unwrap_or_default();
        store.audit = Audit::open(dir, known)?;
        if fresh {
            // a new file's name is durable only when its directories are
            for dir in [path.as_path(), dir] {
                File::open(dir).and_then(|d| d.sync_all()).map_err(io)?;
            }
        }
        Ok(store)
    }

    fn found(&mut self, path: &Path) -> Result<(), LedgerError> {
        let io = |source| LedgerError::Directory { dir: self.dir.clone(), source };
        let mut secret = [0_u8; 32];
        File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut secret)).map_err(io)?;
        self.put("meta/secret", &secret)?;
        self.put("meta/tickets", &0_u64)?;
        self.put("meta/format", &FORMAT)?;
        self.commit()?;
        let io = |source| LedgerError::Directory { dir: self.dir.clone(), source };
        File::open(path.join("conf")).and_then(|conf| conf.sync_all()).map_err(io)
    }

    pub(super) fn sled(&self, source: sled::Error) -> LedgerError {
        LedgerError::Sled { dir: self.dir.clone(), source }
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        match self.db.get(key).map_err(|e| self.sled(e))? {
            None => Ok(None),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|source| LedgerError::Record { key: key.to_owned(), source }),
        }
    }

    pub(super) fn put<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), LedgerError> {
        let bytes = serde_json::to_vec(value)
            .map_err(|source| LedgerError::Record { key: key.to_owned(), source })?;
        self.batch.get_or_insert_default().insert(key, bytes);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.batch.get_or_insert_default().remove(key);
    }

    /// Writes an event into the audit, together with what the current job writes.
    pub fn note(&mut self, at: Timestamp, event: Event) {
        self.events.push((at, event));
    }

    /// The keys that begin with `prefix`, in order, without it.
    pub(super) fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<String, LedgerError>> + '_ {
        let length = prefix.len();
        self.db.scan_prefix(prefix).map(move |entry| {
            let (key, _) = entry.map_err(|e| self.sled(e))?;
            Ok(String::from_utf8_lossy(key.get(length..).unwrap_or_default()).into_owned())
        })
    }

    /// As [`Store::keys`], the last one first.
    pub(super) fn keys_backwards(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<String, LedgerError>> + '_ {
        let length = prefix.len();
        self.db.scan_prefix(prefix).rev().map(move |entry| {
            let (key, _) = entry.map_err(|e| self.sled(e))?;
            Ok(String::from_utf8_lossy(key.get(length..).unwrap_or_default()).into_owned())
        })
    }

    /// The state directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        Path::new(&self.dir)
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

    /// Applies what the current job wrote, at once or not at all. Later reads see it. The audit is
    /// written first: what it does not tell has not happened.
    pub(super) fn apply(&mut self) -> Result<(), LedgerError> {
        for (at, event) in std::mem::take(&mut self.events) {
            self.audit.append(at, &[event])?;
            let mark = self.audit.last().clone();
            self.put("meta/audit", &mark)?;
        }
        match self.batch.take() {
            None => Ok(()),
            Some(batch) => {
                self.unsynced = true;
                self.db.apply_batch(batch).map_err(|e| self.sled(e))
            }
        }
    }

    /// Forgets what a failed job has written but not applied.
    pub fn discard(&mut self) {
        self.batch = None;
        self.events.clear();
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn commit(&mut self) -> Result<(), LedgerError> {
        self.apply()?;
        if self.unsynced {
            self.audit.sync()?;
            self.db.flush().map_err(|e| self.sled(e))?;
            self.file
                .sync_data()
                .map_err(|source| LedgerError::Directory { dir: self.dir.clone(), source })?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Up to where a folder has been handled.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn cursor(&self, folder: &FolderKey) -> Result<Option<Cursor>, LedgerError> {
        self.get(&cursor_key(folder))
    }

    /// Sets the cursor.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_cursor(&mut self, folder: &FolderKey, cursor: Cursor) -> Result<(), LedgerError> {
        self.put(&cursor_key(folder), &cursor)?;
        self.apply()
    }

    /// Counts one more attempt at each mail, before it is touched; the counts.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn attempt(&mut self, mails: &[MailKey]) -> Result<Vec<u32>, LedgerError> {
        let mut counts = Vec::with_capacity(mails.len());
        for mail in mails {
            let key = attempt_key(mail);
            let count = self.get::<u32>(&key)?.unwrap_or(0).saturating_add(1);
            self.put(&key, &count)?;
            counts.push(count);
        }
        self.apply()?;
        Ok(counts)
    }

    /// Takes an attempt back, at most `CUTS_FORGIVEN` times: the line broke, which is seldom the
    /// mail's fault.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn forgive(&mut self, mail: &MailKey) -> Result<(), LedgerError> {
        let (attempts, cuts) = (attempt_key(mail), cut_key(mail));
        let cut = self.get::<u32>(&cuts)?.unwrap_or(0);
        if let Some(count) = self.get::<u32>(&attempts)?.filter(|_| cut < CUTS_FORGIVEN) {
            self.put(&attempts, &count.saturating_sub(1))?;
            self.put(&cuts, &cut.saturating_add(1))?;
        }
        self.apply()
    }

    /// The record of a mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn record(&self, mail: &MailKey) -> Result<Option<MailRecord>, LedgerError> {
        self.get(&mail_key(mail))
    }

    /// The record of a mail that was handled under another uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn by_identity(&self, account: &str, identity: &str) -> Result<Option<MailRecord>, LedgerError> {
        match self.get::<MailKey>(&format!("identity/{account}/{identity}"))? {
            Some(key) => self.record(&key),
            None => Ok(None),
        }
    }

    /// Records what will be done with a mail, its case after it, and the folder's new cursor.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn intend(
        &mut self,
        record: &MailRecord,
        after: Option<(&Case, &CaseQuery)>,
        cursor: Option<Cursor>,
    ) -> Result<(), LedgerError> {
        let account = &record.key.folder.account;
        self.write(record)?;
        self.remove(&attempt_key(&record.key));
        self.remove(&cut_key(&record.key));
        self.put(&format!("identity/{account}/{}", record.identity), &record.key)?;
        self.put(&super::retention::day_key(record), &())?;
        if let Some(id) = &record.message_id {
            let key = message_key(account, id);
            let mut mails: Vec<MailKey> = self.get(&key)?.unwrap_or_default();
            if !mails.contains(&record.key) {
                mails.push(record.key.clone());
            }
            if let Some(extra) = mails.len().checked_sub(SAME_ID_KEPT) {
                mails.drain(..extra);
            }
            self.put(&key, &mails)?;
        }
        for id in record.effects.iter().filter_map(|entry| entry.effect.own_id()) {
            self.put(&own_key(id), &record.key)?;
        }
        if let Some((case, query)) = after {
            self.write_case(record, case, query)?;
            self.note(record.decided, decided(record));
        }
        if let Some(cursor) = cursor {
            self.put(&cursor_key(&record.key.folder), &cursor)?;
        }
        self.apply()
    }

    /// Removes the record of a mail that now has another uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn forget(&mut self, mail: &MailKey) -> Result<(), LedgerError> {
        self.remove(&mail_key(mail));
        self.remove(&format!("open/{}", mail_path(mail)));
        self.apply()
    }

    /// Records what has become of a mail's effects.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn update(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        let before = self.record(&record.key)?;
        for (index, entry) in record.effects.iter().enumerate() {
            let was = before.as_ref().and_then(|before| before.effects.get(index)).map(|was| &was.state);
            if entry.state.is_final() && was != Some(&entry.state) {
                crate::edge::metrics::effect(&entry.effect, &entry.state);
                self.note(
                    record.decided,
                    Event::Effect {
                        mail: record.identity.clone(),
                        effect: entry.effect.to_string(),
                        outcome: entry.state.to_string(),
                    },
                );
            }
        }
        self.write(record)?;
        self.apply()
    }

    /// As [`Store::update`] without a line in the audit, and without making it visible yet.
    pub(super) fn update_quietly(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        self.write(record)
    }

    fn write(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        let open = format!("open/{}", mail_path(&record.key));
        if record.state == MailState::Intended {
            self.put(&open, &())?;
        } else {
            self.remove(&open);
        }
        self.put(&mail_key(&record.key), record)
    }

    /// The record of the mail about which we wrote something with this id.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn own(&self, id: &MessageId) -> Result<Option<MailRecord>, LedgerError> {
        match self.get::<MailKey>(&own_key(id))? {
            Some(key) => self.record(&key),
            None => Ok(None),
        }
    }

    /// Notes that the mail we sent with this id came back: its effect has failed, and a person has to
    /// act. The record, unless the id is unknown or this was noted before.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn reopen(&mut self, id: &MessageId, why: &str) -> Result<Option<MailRecord>, LedgerError> {
        let Some(mut record) = self.own(id)? else { return Ok(None) };
        let failed = EffectState::Failed(why.to_owned());
        let sent = record.effects.iter_mut().find(|entry| entry.effect.own_id() == Some(id));
        let Some(entry) = sent.filter(|entry| entry.state != failed) else { return Ok(None) };
        entry.state = failed;
        // what is still to be done is done; what is done waits for a person
        if record.state == MailState::Done {
            record.state = MailState::Reopened;
        }
        record.reasons.push(Reason::new(Word::OwnForwardBounced, why));
        self.put(&format!("reopened/{}", mail_path(&record.key)), &())?;
        self.write(&record)?;
        self.apply()?;
        Ok(Some(record))
    }

    /// Records of which an effect came undone.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn reopened(&self) -> Result<Vec<MailRecord>, LedgerError> {
        let mut records = Vec::new();
        for entry in self.db.scan_prefix("reopened/") {
            let (key, _) = entry.map_err(|e| self.sled(e))?;
            let path = String::from_utf8_lossy(&key);
            let path = path.strip_prefix("reopened/").unwrap_or_default();
            records.extend(self.get::<MailRecord>(&format!("mail/{path}"))?);
        }
        Ok(records)
    }

    /// Records of `folder` that are not done, oldest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open_records(&self, folder: &FolderKey) -> Result<Vec<MailRecord>, LedgerError> {
        let prefix = format!("open/{}/", folder_path(folder));
        let mut records = Vec::new();
        for entry in self.db.scan_prefix(&prefix) {
            let (key, _) = entry.map_err(|e| self.sled(e))?;
            let path = String::from_utf8_lossy(&key);
            let path = path.strip_prefix("open/").unwrap_or_default();
            records.extend(self.get::<MailRecord>(&format!("mail/{path}"))?);
        }
        Ok(records)
    }

    /// All records of mails with this Message-ID, over all `accounts`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn find(&self, accounts: &[String], id: &MessageId) -> Result<Vec<MailRecord>, LedgerError> {
        let mut records = Vec::new();
        for account in accounts {
            let keys: Vec<MailKey> = self.get(&message_key(account, id))?.unwrap_or_default();
            for key in keys {
                records.extend(self.record(&key)?);
            }
        }
        Ok(records)
    }
}

fn decided(record: &MailRecord) -> Event {
    let labels = record.verdict.iter().flat_map(|verdict| &verdict.labels);
    Event::Decided {
        mail: record.identity.clone(),
        place: format!("{}/{}", record.key.folder.account, record.key.folder.folder),
        labels: labels.map(|found| found.label.to_string()).collect(),
        reasons: crate::decide::reason_line(&record.reasons),
        ticket: record.ticket.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uid: u32) -> MailKey {
        let folder = FolderKey { account: "support".into(), folder: "INBOX".into() };
        MailKey { folder, uid_validity: 7, uid }
    }

    fn record(uid: u32, state: MailState) -> MailRecord {
        MailRecord {
            key: key(uid),
            identity: format!("hash{uid}"),
            message_id: MessageId::new("a@b"),
            decided: crate::time::Timestamp(1),
            state,
            verdict: None,
            reasons: Vec::new(),
            ticket: None,
            before: None,
            customer: None,
            effects: Vec::new(),
        }
    }

    #[test]
    fn what_was_intended_is_open_until_it_is_done_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        {
            let mut store = Store::open(dir.path()).unwrap();
            assert_eq!(store.attempt(&[key(1), key(2)]).unwrap(), [1, 1]);
            assert_eq!(store.attempt(&[key(1)]).unwrap(), [2]);
            for uid in [1, 2] {
                let cursor = Cursor { uid_validity: 7, uid_next: uid + 1, began: crate::time::Timestamp(0) };
                store.intend(&record(uid, MailState::Intended), None, Some(cursor)).unwrap();
            }
            store.update(&record(1, MailState::Done)).unwrap();
            store.commit().unwrap();
        }
        let store = Store::open(dir.path()).unwrap();
        let open = store.open_records(&key(0).folder).unwrap();
        assert_eq!(open.iter().map(|r| r.key.uid).collect::<Vec<_>>(), [2]);
        assert_eq!(store.cursor(&key(0).folder).unwrap().unwrap().uid_next, 3);
        assert_eq!(store.by_identity("support", "hash1").unwrap().unwrap().key.uid, 1);
        assert_eq!(store.find(&["support".into()], &MessageId::new("a@b").unwrap()).unwrap().len(), 2);
    }

    #[test]
    fn a_second_owner_is_told_who_holds_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(dir.path()).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(LedgerError::Locked { .. })));
    }

    #[test]
    fn a_state_of_a_newer_version_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        {
            let mut store = Store::open(dir.path()).unwrap();
            store.put("meta/format", &(FORMAT + 1)).unwrap();
            store.commit().unwrap();
        }
        assert!(matches!(Store::open(dir.path()), Err(LedgerError::Newer { found: 2, known: 1 })));
    }
}
