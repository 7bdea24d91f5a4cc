//! A base: all keys and values, copied from sled.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::line::{self, Entry};
use super::super::store::FORMAT;
use super::{base_path, sync_dir};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;

/// Keys that only say how far sled is: they are in no base.
pub(in super::super) const LEDGERS_OWN: [&str; 2] = ["meta/format", "meta/batch"];

/// A base that is being copied.
#[derive(Debug)]
pub(in super::super) struct Copying {
    writer: BufWriter<File>,
    path: PathBuf,
    n: u64,
    after: Option<sled::IVec>,
    lines: u64,
    bytes: u64,
}

impl Copying {
    /// Begins the base of batch `n` in the directory of a journal.
    pub(in super::super) fn begin(dir: &Path, n: u64) -> io::Result<Self> {
        Self::into_file(base_path(dir, n).with_extension("unfinished"), n)
    }

    /// Begins a copy in a file of its own.
    pub(in super::super) fn into_file(path: PathBuf, n: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        let mut copying = Self { writer: BufWriter::new(file), path, n, after: None, lines: 0, bytes: 0 };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        copying.add(&Entry::Head { format: FORMAT, n, at: SystemClock.now(), version })?;
        Ok(copying)
    }

    /// Lines so far.
    pub(in super::super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Adds a line.
    pub(in super::super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let text = line::seal(entry)?;
        self.lines += 1;
        self.bytes += u64::try_from(text.len()).unwrap_or(0);
        self.writer.write_all(text.as_bytes())
    }

    /// Copies up to `count` keys; whether that was the last of them.
    pub(in super::super) fn copy(&mut self, db: &sled::Db, count: usize) -> io::Result<bool> {
        let from = self.after.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut last = None;
        let mut copied = 0;
        for entry in db.range::<sled::IVec, _>((from, Bound::Unbounded)).take(count) {
            let (key, value) = entry.map_err(io::Error::other)?;
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(io::Error::other);
            let name = text(&key)?;
            if !LEDGERS_OWN.contains(&name.as_str()) {
                self.add(&Entry::Put(name, line::raw(text(&value)?)?))?;
            }
            last = Some(key);
            copied += 1;
        }
        self.after = last;
        Ok(copied < count)
    }

    /// Ends the copy and makes it durable; its size in bytes.
    pub(in super::super) fn finish(mut self) -> io::Result<u64> {
        self.add(&Entry::End { lines: self.lines })?;
        self.writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(self.bytes)
    }

    /// Ends the base and puts it in force: older files are removed.
    pub(in super::super) fn install(self, dir: &Path) -> io::Result<u64> {
        let (n, unfinished) = (self.n, self.path.clone());
        let bytes = self.finish()?;
        fs::rename(&unfinished, base_path(dir, n))?;
        sync_dir(dir)?;
        super::examine::remove_before(dir, n)?;
        Ok(bytes)
    }
}
