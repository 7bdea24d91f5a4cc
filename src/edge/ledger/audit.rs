//! The audit: an append-only file of what was decided and done, each line chained to the one before
//! by its hash. Ids and reasons, no text of mails and no addresses.
//!
//! `audit/<year>-<month>.jsonl` in the state directory. A line is
//! `{"n":1,"at":…,"event":{…},"prev":"…","hash":"…"}`; `hash` is the SHA-256 of the line without it.
//! The ledger remembers number and hash of the last line, so a tail that was cut off is noticed.

mod files;
mod line;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use files::{delete, files, last_of, read, verify};
pub use line::{Event, Line, Mark};

use crate::time::Timestamp;

/// What is wrong with the audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error(
        "the audit file {path} cannot be used: {source}; make it readable and writable for the daemon's user"
    )]
    File {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line does not fit.
    #[error("{path}:{line}: {what}; the audit was changed after it was written")]
    Broken {
        /// The file.
        path: String,
        /// The line, 1 for the first.
        line: usize,
        /// What does not fit.
        what: String,
    },
    /// Lines at the end are missing.
    #[error("the audit ends at line number {found}, the ledger knows of {known}; its end was cut off")]
    Cut {
        /// Last number in the files.
        found: u64,
        /// Last number known to the ledger.
        known: u64,
    },
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> AuditError + '_ {
    |source| AuditError::File { path: path.display().to_string(), source }
}

/// The writer. Owned by the store.
#[derive(Debug)]
pub struct Audit {
    dir: PathBuf,
    open: Option<(PathBuf, File)>,
    last: Mark,
    /// Lines that are in no file yet, by their file.
    unwritten: Option<(PathBuf, String)>,
    unsynced: bool,
}

impl Audit {
    /// A writer that has not looked at the files yet.
    #[must_use]
    pub fn closed(state: &Path) -> Self {
        Self { dir: state.join("audit"), open: None, last: Mark::default(), unwritten: None, unsynced: false }
    }

    /// Goes on after the last line that is in the files; `known` is what the ledger remembers.
    ///
    /// # Errors
    /// When the newest file cannot be read.
    pub fn open(state: &Path, known: Mark) -> Result<Self, AuditError> {
        let dir = state.join("audit");
        let mut last = known;
        // the file is written before the ledger: after a kill it may know more
        let files = files(state)?;
        if let Some(newest) = files.last() {
            mend(newest)?;
        }
        for path in files.iter().rev() {
            if let Some(line) = last_of(path)? {
                if line.n > last.n {
                    last = Mark { n: line.n, hash: line.hash };
                }
                break;
            }
        }
        Ok(Self { dir, open: None, last, unwritten: None, unsynced: false })
    }

    /// Number and hash of the last line.
    #[must_use]
    pub const fn last(&self) -> &Mark {
        &self.last
    }

    /// Appends an event; in no file before [`Audit::write`].
    ///
    /// # Errors
    /// When lines of another month cannot be written.
    pub fn append(&mut self, at: Timestamp, event: Event) -> Result<(), AuditError> {
        let path = self.dir.join(format!("{}.jsonl", month(at)));
        if self.unwritten.as_ref().is_some_and(|(other, _)| *other != path) {
            self.write()?;
        }
        let (_, text) = self.unwritten.get_or_insert_with(|| (path, String::new()));
        let n = self.last.n.saturating_add(1);
        let prev = std::mem::take(&mut self.last.hash);
        let mut line = Line { n, at, event, prev, hash: String::new() };
        text.push_str(&line.seal());
        self.last = Mark { n, hash: line.hash };
        Ok(())
    }

    /// Writes what was appended; not durable before [`Audit::sync`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self) -> Result<(), AuditError> {
        let Some((path, text)) = self.unwritten.take() else { return Ok(()) };
        let file = self.file(&path)?;
        file.write_all(text.as_bytes()).map_err(failed(&path))?;
        self.unsynced = true;
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<&mut File, AuditError> {
        if self.open.as_ref().is_none_or(|(open, _)| open != path) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(failed(path))?;
            let file =
                OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed(path))?;
            // a new file's name is durable only when its directory is
            File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed(path))?;
            if let Some((older, file)) = self.open.take() {
                file.sync_data().map_err(failed(&older))?;
            }
            self.open = Some((path.to_owned(), file));
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err(failed(path)(std::io::Error::other("it is not open"))),
        }
    }

    /// Makes what was appended durable.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn sync(&mut self) -> Result<(), AuditError> {
        self.write()?;
        if let Some((path, file)) = self.open.as_ref().filter(|_| self.unsynced) {
            file.sync_data().map_err(failed(path))?;
        }
        self.unsynced = false;
        Ok(())
    }
}

/// Takes off a last line that a kill or a power cut has left half written.
fn mend(path: &Path) -> Result<(), AuditError> {
    let bytes = fs::read(path).map_err(failed(path))?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = OpenOptions::new().write(true).open(path).map_err(failed(path))?;
        let length = u64::try_from(whole).unwrap_or(0);
        file.set_len(length).and_then(|()| file.sync_all()).map_err(failed(path))?;
    }
    Ok(())
}

fn month(at: Timestamp) -> String {
    let stamp = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    stamp.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u32) -> Event {
        Event::Ticket { ticket: format!("EK-{n}"), state: "new".into(), by: "mail".into() }
    }

    fn written() -> (tempfile::TempDir, Mark) {
        let dir = tempfile::tempdir().unwrap();
        let mut audit = Audit::open(dir.path(), Mark::default()).unwrap();
        // over the turn of a month
        for (n, at) in [(1, 1_793_400_000), (2, 1_793_400_001), (3, 1_793_600_000)] {
            audit.append(Timestamp(at), event(n)).unwrap();
        }
        audit.sync().unwrap();
        let last = audit.last().clone();
        (dir, last)
    }

    #[test]
    fn a_chain_over_two_months_is_whole_and_goes_on_after_a_restart() {
        let (dir, last) = written();
        assert_eq!(files(dir.path()).unwrap().len(), 2);
        assert_eq!(verify(dir.path(), &Mark::default(), &last).unwrap(), last);
        let mut audit = Audit::open(dir.path(), Mark { n: 2, hash: String::new() }).unwrap();
        assert_eq!(audit.last().n, 3, "the file knew more than the ledger");
        audit.append(Timestamp(1_793_600_001), event(4)).unwrap();
        audit.sync().unwrap();
        assert_eq!(verify(dir.path(), &Mark::default(), &last).unwrap().n, 4);
    }

    #[test]
    fn every_change_is_noticed() {
        for (from, to) in [("EK-2", "EK-9"), ("\"n\":2", "\"n\":5")] {
            let (dir, last) = written();
            let path = files(dir.path()).unwrap().remove(0);
            let text = fs::read_to_string(&path).unwrap().replace(from, to);
            fs::write(&path, text).unwrap();
            let error = verify(dir.path(), &Mark::default(), &last).unwrap_err();
            assert!(matches!(error, AuditError::Broken { line: 2, .. }), "{error}");
        }
        let (dir, last) = written();
        fs::remove_file(files(dir.path()).unwrap().pop().unwrap()).unwrap();
        assert!(matches!(
            verify(dir.path(), &Mark::default(), &last),
            Err(AuditError::Cut { found: 2, known: 3 })
        ));
    }

    #[test]
    fn a_line_that_a_kill_has_left_half_written_is_taken_off() {
        let (dir, last) = written();
        let path = files(dir.path()).unwrap().pop().unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"n\":4,\"at").unwrap();
        let mut audit = Audit::open(dir.path(), last.clone()).unwrap();
        audit.append(Timestamp(1_793_600_001), event(4)).unwrap();
        audit.sync().unwrap();
        assert_eq!(verify(dir.path(), &Mark::default(), &last).unwrap().n, 4);
    }
}
