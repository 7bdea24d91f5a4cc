//! The audit: an append-only file of what was decided and done, each line chained to the one before
//! by its hash. Ids and reasons, no text of mails and no addresses.
//!
//! `audit/<year>-<month>.jsonl` in the state directory. A line is
//! `{"n":1,"at":…,"event":{…},"prev":"…","hash":"…"}`; `hash` is the SHA-256 of the line without it.
//! The ledger remembers number and hash of the last line, so a tail that was cut off is noticed.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::keys::hex;
use crate::time::Timestamp;

/// What is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Event {
    /// A mail was decided.
    Decided {
        /// What it is: see [`crate::daemon::plan::identity`].
        mail: String,
        /// Account and folder in which it was found.
        place: String,
        /// Labels, in order of precedence.
        labels: Vec<String>,
        /// Reasons, on one line.
        reasons: String,
        /// Its ticket.
        ticket: Option<String>,
    },
    /// What has become of an effect.
    Effect {
        /// The mail's identity.
        mail: String,
        /// `forward legal`, `file Queue/Legal`, …
        effect: String,
        /// `done`, `skipped: …`, `failed: …`.
        outcome: String,
    },
    /// A customer is served in another way.
    Conduct {
        /// A keyed hash of the customer's identity.
        customer: String,
        /// From this state.
        from: String,
        /// To this one.
        to: String,
        /// Who decided it.
        author: String,
    },
    /// A ticket has changed its state.
    Ticket {
        /// Its number.
        ticket: String,
        /// The new state.
        state: String,
        /// What brought it about.
        by: String,
    },
    /// A person has given a command.
    Command {
        /// The command without addresses.
        command: String,
        /// Who gave it.
        author: String,
        /// What became of it.
        outcome: String,
    },
    /// A customer's data were erased.
    Erased {
        /// The receipt's number.
        receipt: String,
        /// How much was erased, by kind.
        counts: std::collections::BTreeMap<String, u64>,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub n: u64,
    /// Written at.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Hash of the line before; sixty-four zeros before the first.
    pub prev: String,
    /// Hash of this line without this field.
    #[serde(default)]
    pub hash: String,
}

/// Number and hash of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Number.
    pub n: u64,
    /// Hash.
    pub hash: String,
}

impl Default for Mark {
    fn default() -> Self {
        Self { n: 0, hash: "0".repeat(64) }
    }
}

impl Line {
    fn sealed(&self) -> String {
        let mut open = self.clone();
        open.hash = String::new();
        // a struct of strings and numbers can always be written
        let text = serde_json::to_string(&open).unwrap_or_default();
        hex(&Sha256::digest(text.as_bytes()))
    }
}

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

/// The writer. Owned by the store.
#[derive(Debug)]
pub struct Audit {
    dir: PathBuf,
    open: Option<(PathBuf, File)>,
    last: Mark,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> AuditError + '_ {
    |source| AuditError::File { path: path.display().to_string(), source }
}

/// The audit's files, oldest first.
///
/// # Errors
/// When the directory cannot be read.
pub fn files(state: &Path) -> Result<Vec<PathBuf>, AuditError> {
    let dir = state.join("audit");
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&dir).map_err(failed(&dir))? {
        let path = entry.map_err(failed(&dir))?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Every line, oldest first, given to `each` until it says stop.
///
/// # Errors
/// When a file cannot be read, or a line is none.
pub fn read(state: &Path, mut each: impl FnMut(&Path, usize, Line) -> bool) -> Result<(), AuditError> {
    for path in files(state)? {
        let file = File::open(&path).map_err(failed(&path))?;
        for (index, text) in BufReader::new(file).lines().enumerate() {
            let text = text.map_err(failed(&path))?;
            let line = serde_json::from_str(&text).map_err(|error| AuditError::Broken {
                path: path.display().to_string(),
                line: index + 1,
                what: format!("the line cannot be read: {error}"),
            })?;
            if !each(&path, index + 1, line) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The last line of a file.
///
/// # Errors
/// When the file cannot be read.
pub fn last_of(path: &Path) -> Result<Option<Line>, AuditError> {
    let file = File::open(path).map_err(failed(path))?;
    let mut last = None;
    for text in BufReader::new(file).lines() {
        last = Some(text.map_err(failed(path))?);
    }
    Ok(last.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Deletes a file.
///
/// # Errors
/// When the system refuses.
pub fn delete(path: &Path) -> Result<(), AuditError> {
    fs::remove_file(path).map_err(failed(path))
}

/// Checks the whole chain; the mark of its end. `known` is what the ledger remembers, `start` the
/// line before the first that is kept.
///
/// # Errors
/// With the first line that does not fit.
pub fn verify(state: &Path, start: &Mark, known: &Mark) -> Result<Mark, AuditError> {
    let mut last = start.clone();
    let mut wrong = None;
    read(state, |path, number, line| {
        let what = if line.prev != last.hash || line.n != last.n.saturating_add(1) {
            Some("it does not follow the line before")
        } else if line.hash != line.sealed() {
            Some("its hash does not fit its content")
        } else if line.n == known.n && line.hash != known.hash {
            Some("it is not the line that the ledger knows")
        } else {
            None
        };
        if let Some(what) = what {
            wrong = Some(AuditError::Broken {
                path: path.display().to_string(),
                line: number,
                what: what.to_owned(),
            });
            return false;
        }
        last = Mark { n: line.n, hash: line.hash };
        true
    })?;
    match wrong {
        Some(wrong) => Err(wrong),
        None if last.n < known.n => Err(AuditError::Cut { found: last.n, known: known.n }),
        None => Ok(last),
    }
}

impl Audit {
    /// A writer that has not looked at the files yet.
    #[must_use]
    pub fn closed(state: &Path) -> Self {
        Self { dir: state.join("audit"), open: None, last: Mark::default() }
    }

    /// Goes on after the last line that is in the files; `known` is what the ledger remembers.
    ///
    /// # Errors
    /// When the newest file cannot be read.
    pub fn open(state: &Path, known: Mark) -> Result<Self, AuditError> {
        let dir = state.join("audit");
        let mut last = known;
        // the file is written before the ledger: after a kill it may know more
        if let Some(path) = files(state)?.pop() {
            mend(&path)?;
            let file = File::open(&path).map_err(failed(&path))?;
            for text in BufReader::new(file).lines() {
                let text = text.map_err(failed(&path))?;
                if let Ok(line) = serde_json::from_str::<Line>(&text)
                    && line.n == last.n.saturating_add(1)
                {
                    last = Mark { n: line.n, hash: line.hash };
                }
            }
        }
        Ok(Self { dir, open: None, last })
    }

    /// Number and hash of the last line.
    #[must_use]
    pub const fn last(&self) -> &Mark {
        &self.last
    }

    /// Appends events; not durable before [`Audit::sync`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, at: Timestamp, events: &[Event]) -> Result<(), AuditError> {
        let mut text = String::new();
        let mut last = self.last.clone();
        for event in events {
            let mut line = Line {
                n: last.n.saturating_add(1),
                at,
                event: event.clone(),
                prev: last.hash,
                hash: String::new(),
            };
            line.hash = line.sealed();
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
            last = Mark { n: line.n, hash: line.hash };
        }
        let path = self.dir.join(format!("{}.jsonl", month(at)));
        let file = self.file(&path)?;
        file.write_all(text.as_bytes()).map_err(failed(&path))?;
        self.last = last;
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<&mut File, AuditError> {
        if self.open.as_ref().is_none_or(|(open, _)| open != path) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(failed(path))?;
            let file =
                OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed(path))?;
            // a new file's name is durable only when its directory is
            File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed(path))?;
            self.sync()?;
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
    pub fn sync(&self) -> Result<(), AuditError> {
        match &self.open {
            Some((path, file)) => file.sync_data().map_err(failed(path)),
            None => Ok(()),
        }
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
            audit.append(Timestamp(at), &[event(n)]).unwrap();
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
        audit.append(Timestamp(1_793_600_001), &[event(4)]).unwrap();
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
        audit.append(Timestamp(1_793_600_001), &[event(4)]).unwrap();
        assert_eq!(verify(dir.path(), &Mark::default(), &last).unwrap().n, 4);
    }
}
