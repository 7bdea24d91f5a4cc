//! The journal: every batch is a line in a file before it is in sled, and durable before it is
//! acknowledged. sled is the index over it: whatever happens to sled, it is made anew from here.
//!
//! In `journal/`: `<n>.base` holds all keys and values as they were after batch n or later,
//! `<n>.log` the batches after n. When the log has grown as long as the base, a new log is begun
//! and a new base is copied beside the work (`super::index`); then the older files go. A base is copied
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
pub(super) use examine::{Condition, base, examine, logs, read};

use super::line;

/// What a batch changes: keys with their new values as JSON, or `None` where they are removed.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// Logs shorter than this are not worth a new base: a start reads them in a fraction of a second.
const SHORTEST: u64 = 16 * 1024 * 1024;

/// Keys copied into a new base at once.
pub(super) const COPIED_AT_ONCE: usize = 500;

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
    /// Whether a new base is being copied.
    copying: bool,
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
        Ok(Self { dir, log, n, durable: n, base_bytes, log_bytes: 0, copying: false })
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
            copying: false,
        })
    }

    /// Writes a batch, not durable before [`Journal::sync`]; its number.
    pub(super) fn append(&mut self, changes: &Changes) -> io::Result<u64> {
        let n = self.n.saturating_add(1);
        let text = line::batch(n, self.durable, changes)?;
        self.log.write_all(&text)?;
        self.n = n;
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.log_bytes = self.log_bytes.saturating_add(bytes);
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

    /// How long a log may get before a new base is worth its copying: as long as the base, so that no
    /// more is copied than was written, however much is known.
    fn enough(&self) -> u64 {
        self.base_bytes.max(SHORTEST)
    }

    /// Whether a new base should be begun.
    pub(super) fn wants_base(&self) -> bool {
        !self.copying && self.log_bytes > self.enough()
    }

    /// Whether so much was written while a base was copied that its end must be waited for.
    pub(super) fn waits_for_base(&self) -> bool {
        self.copying && self.log_bytes > self.enough()
    }

    /// Begins a new log, and the base under it. Everything must be durable, and in sled before the
    /// first key is copied.
    pub(super) fn begin_base(&mut self) -> io::Result<Copying> {
        self.log = begin_log(&self.dir, self.n)?;
        self.log_bytes = 0;
        self.copying = true;
        Copying::begin(&self.dir, self.n)
    }

    /// The base that was begun is in force, and so long.
    pub(super) const fn has_base(&mut self, bytes: u64) {
        self.copying = false;
        self.base_bytes = bytes;
    }
}
