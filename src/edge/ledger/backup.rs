//! One file that holds the whole state: keys and values as in a base of the journal, and the audit.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::{self, Line};
use super::journal::{COPIED_AT_ONCE, Copying};
use super::line::{self, Entry};
use super::opening::{self, Found};
use super::owner;
use super::store::{FORMAT, Store};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::time::Timestamp;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// When it was made.
    pub at: Timestamp,
    /// Records in it.
    pub records: u64,
    /// Lines of the audit in it.
    pub audit_lines: u64,
}

/// Why a file was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The state directory.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file cannot be read.
    #[error("{file} cannot be read: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is damaged; nothing was changed.
    #[error("{file} is no whole backup: {what}; nothing was changed, take another backup")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file is of a newer version; nothing was changed.
    #[error(
        "{file} is a backup of format {found}, this evenkeel reads up to {FORMAT}: install the newer version"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Somebody has stopped it; nothing was changed.
    #[error("interrupted: nothing was changed")]
    Interrupted,
}

impl Store {
    /// Writes a backup into `backups/` of the state directory; whoever asked moves it to its place.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn backup(&mut self) -> Result<Backup, LedgerError> {
        self.commit()?;
        let dir = self.dir().join("backups");
        let failed = |source| LedgerError::directory(&dir, source);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
        let at = SystemClock.now();
        let stamp = jiff::Timestamp::from_second(at.0).unwrap_or_default().strftime("%Y-%m-%dT%H-%M-%SZ");
        let file = dir.join(format!("evenkeel-{stamp}.{}.backup", self.batches()));
        let audit_files = audit::files(self.dir())?;
        let n = self.batches();
        let db = self.settled()?;
        let write = || -> io::Result<(u64, u64)> {
            let mut copying = Copying::into_file(file.clone(), n)?;
            while !copying.copy(db, COPIED_AT_ONCE)? {}
            let (records, mut lines) = (copying.lines().saturating_sub(1), 0);
            for path in &audit_files {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                for text in BufReader::new(File::open(path)?).lines() {
                    copying.add(&Entry::Audit { file: name.clone(), text: text? })?;
                    lines += 1;
                }
            }
            copying.finish()?;
            Ok((records, lines))
        };
        let (records, audit_lines) = write().map_err(failed)?;
        Ok(Backup { file, at, records, audit_lines })
    }
}

/// Reads a backup from end to end.
///
/// # Errors
/// When it is not whole, or of a newer version.
pub fn inspect(file: &Path) -> Result<Backup, RestoreError> {
    inspect_unless(file, &|| false)
}

fn inspect_unless(file: &Path, stop: &dyn Fn() -> bool) -> Result<Backup, RestoreError> {
    let mut found = Backup { file: file.to_owned(), at: Timestamp(0), records: 0, audit_lines: 0 };
    entries(file, stop, |entry| {
        match entry {
            Entry::Head { at, .. } => found.at = at,
            Entry::Put(..) => found.records += 1,
            Entry::Audit { .. } => found.audit_lines += 1,
            Entry::Batch { .. } | Entry::End { .. } => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn entries(
    file: &Path,
    stop: &dyn Fn() -> bool,
    mut each: impl FnMut(Entry) -> io::Result<()>,
) -> Result<(), RestoreError> {
    let failed = |source| RestoreError::File { file: file.to_owned(), source };
    let damaged = |what: String| RestoreError::Damaged { file: file.to_owned(), what };
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    let (mut buffer, mut lines, mut ended) = (Vec::new(), 0_u64, false);
    loop {
        let (length, entry) = line::next(&mut reader, &mut buffer).map_err(failed)?;
        if stop() {
            return Err(RestoreError::Interrupted);
        }
        if length == 0 {
            break;
        }
        match entry {
            None => return Err(damaged(format!("line {} is changed or cut", lines + 1))),
            Some(Entry::Head { format, .. }) if format > FORMAT => {
                return Err(RestoreError::Newer { file: file.to_owned(), found: format });
            }
            Some(other) if lines == 0 && !matches!(other, Entry::Head { .. }) => {
                return Err(damaged("it does not begin as one".into()));
            }
            Some(Entry::End { lines: written }) => ended = written == lines,
            Some(entry) => each(entry).map_err(failed)?,
        }
        lines += 1;
    }
    if ended { Ok(()) } else { Err(damaged("its end is missing".into())) }
}

/// Puts the state of a backup in the place of the one in `dir`, which is set aside. Of the audit the
/// longer one stays: what it tells beyond the backup is recalled, who was erased stays erased.
///
/// # Errors
/// See [`RestoreError`]; nothing is changed by a file that is not whole.
pub fn restore(dir: &Path, file: &Path) -> Result<(Backup, Found), RestoreError> {
    restore_unless(dir, file, &|| false)
}

/// As [`restore`], until `stop` says yes; once the new state takes the place of the old one it is not asked
/// any more.
///
/// # Errors
/// See [`RestoreError`]; nothing is changed when it was stopped.
pub fn restore_unless(
    dir: &Path,
    file: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(Backup, Found), RestoreError> {
    let failed = |source| LedgerError::directory(dir, source);
    let backup = inspect_unless(file, stop)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let owner = owner::take(dir)?;
    let new = dir.join("journal.new");
    let audit_lines = prepare(dir, &new, file, stop).inspect_err(|_| {
        let _ = fs::remove_dir_all(&new);
    })?;
    restore_audit(dir, &audit_lines)?;
    // at any moment one whole state is there: the old ledger until the new journal is in its place
    opening::set_aside(dir, "journal", "replaced")?;
    fs::rename(&new, opening::journal_path(dir)).map_err(failed)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    opening::set_aside(dir, "ledger", "replaced")?;
    drop(owner);
    let store = Store::open(dir)?;
    Ok((backup, store.found().clone()))
}

/// Writes the journal of a backup into `new`; gives the lines of its audit, each with the name of its file.
fn prepare(
    dir: &Path,
    new: &Path,
    file: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<(String, String)>, RestoreError> {
    let failed = |source| LedgerError::directory(dir, source);
    if new.exists() {
        fs::remove_dir_all(new).map_err(failed)?;
    }
    fs::DirBuilder::new().mode(0o700).create(new).map_err(failed)?;
    // batches go on after those of the file; their count begins anew
    let mut copying = Copying::begin(new, 0).map_err(failed)?;
    let mut audit_lines: Vec<(String, String)> = Vec::new();
    entries(file, stop, |entry| match entry {
        Entry::Put(..) => copying.add(&entry),
        Entry::Audit { file, text } => {
            audit_lines.push((file, text));
            Ok(())
        }
        Entry::Head { .. } | Entry::Batch { .. } | Entry::End { .. } => Ok(()),
    })?;
    copying.install(new).map_err(failed)?;
    File::create_new(new.join(format!("{:020}.log", 0))).and_then(|log| log.sync_all()).map_err(failed)?;
    Ok(audit_lines)
}

/// Takes the audit of a backup where the one in the state does not hold its last line.
fn restore_audit(dir: &Path, lines: &[(String, String)]) -> Result<(), RestoreError> {
    let failed = |source| LedgerError::directory(dir, source);
    let last = lines.last().and_then(|(_, text)| serde_json::from_str::<Line>(text).ok());
    let Some(last) = last else { return Ok(()) };
    let mut held = false;
    let readable = audit::read(dir, |_, _, line| {
        held = line.n == last.n && line.hash == last.hash;
        !held
    });
    if readable.is_ok() && held {
        return Ok(());
    }
    opening::set_aside(dir, "audit", "replaced")?;
    let audit = dir.join("audit");
    fs::DirBuilder::new().mode(0o700).create(&audit).map_err(failed)?;
    let mut open: Option<(&str, File)> = None;
    for (name, text) in lines {
        let name = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("audit.jsonl");
        if open.as_ref().is_none_or(|(of, _)| *of != name) {
            let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(audit.join(name));
            open = Some((name, file.map_err(failed)?));
        }
        if let Some((_, file)) = &mut open {
            file.write_all(format!("{text}\n").as_bytes()).map_err(failed)?;
        }
    }
    for path in audit::files(dir).map_err(LedgerError::from)? {
        File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    }
    File::open(&audit).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(())
}
