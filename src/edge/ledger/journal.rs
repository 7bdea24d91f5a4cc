//! The journal: every batch is a line in a file before it is in sled, and durable before it is
//! acknowledged. sled is the index over it: whatever happens to sled, it is made anew from here.
//!
//! In `journal/`: `<n>.base` holds all keys and values as they were after batch n or later,
//! `<n>.log` the batches after n. When the logs have grown as long as the base, a new log is begun
//! and a new base is copied, a little with each commit; then the older files go. A base is copied
//! while batches go on, so it may hold some of them already: they are in its log as well, with
//! values and not with differences.

mod base;
mod examine;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub(super) use base::{Copying, LEDGERS_OWN};
pub(super) use examine::{Condition, examine, read};

use super::line::{self, Entry};

/// What a batch changes: keys with their new values as JSON, or `None` where they are removed.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// Logs shorter than this are not worth a new base.
const SHORTEST: u64 = 8 * 1024 * 1024;

/// Logs longer than this make a start slow.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Keys copied into a new base with each commit, at least.
const COPIED_AT_ONCE: usize = 500;

/// One more for so many bytes written since: the copy ends before the logs are much longer than it.
const BYTES_A_KEY: u64 = 100;

/// The journal, opened for writing.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    log: File,
    /// Number of the last batch.
    n: u64,
    /// Number of the last batch that is durable.
    durable: u64,
    base_bytes: u64,
    log_bytes: u64,
    /// Bytes written since the last step of a copy.
    since_step: u64,
    copying: Option<Copying>,
}

pub(super) fn base_path(dir: &Path, n: u64) -> PathBuf {
    dir.join(format!("{n:020}.base"))
}

pub(super) fn log_path(dir: &Path, n: u64) -> PathBuf {
    dir.join(format!("{n:020}.log"))
}

fn begin_log(dir: &Path, n: u64) -> io::Result<File> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(log_path(dir, n))?;
    sync_dir(dir)?;
    Ok(log)
}

pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

impl Journal {
    /// A new journal over what `db` holds after batch `n`.
    pub(super) fn create(dir: &Path, db: &sled::Db, n: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let log = begin_log(dir, n)?;
        let mut copying = Copying::begin(dir, n)?;
        while !copying.copy(db, COPIED_AT_ONCE)? {}
        let base_bytes = copying.install(dir)?;
        if let Some(parent) = dir.parent() {
            sync_dir(parent)?;
        }
        let dir = dir.to_owned();
        Ok(Self { dir, log, n, durable: n, base_bytes, log_bytes: 0, since_step: 0, copying: None })
    }

    /// Goes on with a journal that was found whole. A torn end is cut off: nothing in it was
    /// acknowledged.
    pub(super) fn go_on(dir: &Path, found: &Condition) -> io::Result<Self> {
        if let Some((path, length)) = &found.torn {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(*length)?;
            file.sync_all()?;
        }
        found.remove_older(dir)?;
        let path = found.logs.last().cloned().unwrap_or_else(|| log_path(dir, found.n));
        let log = OpenOptions::new().append(true).open(path)?;
        log.sync_all()?;
        Ok(Self {
            dir: dir.to_owned(),
            log,
            n: found.n,
            durable: found.n,
            base_bytes: found.base_bytes,
            log_bytes: found.log_bytes,
            since_step: 0,
            copying: None,
        })
    }

    /// Writes a batch, not durable before [`Journal::sync`]; its number.
    pub(super) fn append(&mut self, changes: &Changes) -> io::Result<u64> {
        let n = self.n.saturating_add(1);
        let mut put = BTreeMap::new();
        let mut del = Vec::new();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    put.insert(key.clone(), line::raw(value.clone())?);
                }
                None => del.push(key.clone()),
            }
        }
        let text = line::seal(&Entry::Batch { n, durable: self.durable, put, del })?;
        self.log.write_all(text.as_bytes())?;
        self.n = n;
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.log_bytes = self.log_bytes.saturating_add(bytes);
        self.since_step = self.since_step.saturating_add(bytes);
        Ok(n)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.durable < self.n {
            self.log.sync_data()?;
            self.durable = self.n;
        }
        Ok(())
    }

    /// Number of the last batch.
    pub(super) const fn n(&self) -> u64 {
        self.n
    }

    /// Copies some more of a new base, if one is wanted. Everything must be durable.
    pub(super) fn go_on_copying(&mut self, db: &sled::Db) -> io::Result<()> {
        if self.copying.is_none() && self.log_bytes > self.base_bytes.clamp(SHORTEST, LONGEST) {
            self.begin_copying()?;
        }
        let written = std::mem::take(&mut self.since_step);
        let Some(mut copying) = self.copying.take() else { return Ok(()) };
        let count = COPIED_AT_ONCE.saturating_add(usize::try_from(written / BYTES_A_KEY).unwrap_or(0));
        if copying.copy(db, count)? {
            self.base_bytes = copying.install(&self.dir)?;
        } else {
            self.copying = Some(copying);
        }
        Ok(())
    }

    fn begin_copying(&mut self) -> io::Result<()> {
        self.log = begin_log(&self.dir, self.n)?;
        self.log_bytes = 0;
        self.copying = Some(Copying::begin(&self.dir, self.n)?);
        Ok(())
    }

    /// Makes a new base at once: what was removed is then in no file any more. Everything must be
    /// durable.
    pub(super) fn renew(&mut self, db: &sled::Db) -> io::Result<()> {
        self.begin_copying()?;
        while self.copying.is_some() {
            self.go_on_copying(db)?;
        }
        Ok(())
    }
}
