//! Opening the state, whatever has happened to it.
//!
//! sled 0.34 may panic on a damaged file, or lose records without a word. So it is opened, and
//! compared with the journal key by key, on a thread of its own whose panic is caught (a child
//! process would have to be this program, and tests and other programs are not); an opening that
//! never comes back, by a hang or an abort, is counted in a file. What does not agree is set aside
//! under a dated name, never deleted, and made anew from the journal.

mod compare;
mod remake;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::journal::{self, Condition, Journal};
use super::store::FORMAT;
use super::{LedgerError, ballast};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;

/// sled's cache, counted as its pages lie on the disk; in memory they take about twice as much.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// Openings in a row that may never come back.
const PATIENCE: u32 = 3;

/// How often, and with which pause, sled's own lock is asked for: five seconds in all.
const LOCK_PATIENCE: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// How the state was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    Nothing,
    /// As it was left.
    Whole,
    /// One half was damaged or older than the other, and was made anew. Nothing was lost.
    Mended {
        /// What was wrong.
        what: String,
        /// Where the damaged half is now.
        aside: Option<PathBuf>,
    },
    /// Both halves were damaged. What could be read was kept.
    Salvaged {
        /// What was wrong.
        what: String,
        /// Where they are now.
        aside: Vec<PathBuf>,
        /// Lines of the journal that could not be read.
        lost_lines: u64,
    },
}

/// The two halves of the state.
pub(super) struct Opened {
    pub(super) db: sled::Db,
    pub(super) journal: Journal,
    pub(super) found: Found,
}

pub(super) fn ledger_path(dir: &Path) -> PathBuf {
    dir.join("ledger")
}

pub(super) fn journal_path(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// Whether an error is the system's, and no sign of damage.
pub(super) fn is_the_systems(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
        || matches!(
            error.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::WouldBlock
        )
}

/// Whether sled says that another has its file; it wraps what the system says into words.
fn is_locked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("acquire lock")
}

pub(super) fn sled_at(path: &Path) -> Result<sled::Db, sled::Error> {
    let mut patience = LOCK_PATIENCE;
    loop {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).mode(sled::Mode::LowSpace);
        match config.open() {
            // sled gives its lock back a moment after its last handle is dropped
            Err(sled::Error::Io(error)) if patience > 0 && is_locked(&error) => patience -= 1,
            other => return other,
        }
        thread::sleep(LOCK_PAUSE);
    }
}

/// What came of looking at sled.
enum Sled {
    Absent,
    Agrees(sled::Db),
    /// It cannot be opened or read, or it does not agree with the journal.
    Differs(String),
    /// It can be opened; the journal cannot tell whether it is right.
    Unproven {
        db: sled::Db,
        n: u64,
        format: u32,
    },
}

/// Opens both halves, or makes what is missing.
pub(super) fn open(dir: &Path) -> Result<Opened, LedgerError> {
    let failed = |source| LedgerError::directory(dir, source);
    let condition = journal::examine(&journal_path(dir)).map_err(failed)?;
    if let Some(found) = condition.as_ref().filter(|found| found.format > FORMAT) {
        return Err(LedgerError::Newer { found: found.format, known: FORMAT });
    }
    let sled = look(dir, condition.as_ref())?;
    let whole = condition.as_ref().filter(|found| found.damage.is_none());
    match (sled, whole) {
        (Sled::Agrees(db), Some(condition)) => {
            let journal = Journal::go_on(&journal_path(dir), condition).map_err(failed)?;
            Ok(Opened { db, journal, found: Found::Whole })
        }
        (Sled::Absent, None) if condition.is_none() => remake::first(dir),
        // sled is only the index
        (Sled::Absent, Some(condition)) => remake::from_journal(dir, condition, "sled's files are missing"),
        (Sled::Differs(why), Some(condition)) => remake::from_journal(dir, condition, &why),
        // sled only ever gets what is durable in the journal
        (Sled::Unproven { db, n, format }, _) => {
            let what = match &condition {
                None => (format > 1).then(|| "the journal is missing".to_owned()),
                Some(found) => Some(found.damage.clone().unwrap_or_else(|| {
                    format!("the journal ends at batch {}, sled knows of {n}: it is an older one", found.n)
                })),
            };
            remake::from_sled(dir, db, n, what)
        }
        (Sled::Agrees(db), None) => remake::from_sled(dir, db, 0, None),
        (Sled::Absent | Sled::Differs(_), None) => remake::from_the_rest(dir, condition.as_ref()),
    }
}

fn look(dir: &Path, condition: Option<&Condition>) -> Result<Sled, LedgerError> {
    let path = ledger_path(dir);
    if !path.exists() {
        return Ok(Sled::Absent);
    }
    let tries = dir.join("opening");
    let before: u32 = fs::read_to_string(&tries).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if before >= PATIENCE {
        let _ = fs::remove_file(&tries);
        return Ok(Sled::Differs(format!("{before} attempts to open it never came back")));
    }
    // on a full disk it cannot be counted, and is opened all the same
    let _ = fs::write(&tries, (before + 1).to_string());
    let outcome = look_once(dir, &path, condition);
    let _ = fs::remove_file(&tries);
    outcome
}

fn look_once(dir: &Path, path: &Path, condition: Option<&Condition>) -> Result<Sled, LedgerError> {
    for again in [true, false] {
        let (at, journal, condition) = (path.to_owned(), journal_path(dir), condition.cloned());
        let outcome = guarded(move || {
            let db = sled_at(&at).map_err(Trouble::from)?;
            compare::check(db, &journal, condition.as_ref())
        })
        .map_err(|source| LedgerError::directory(dir, source))?;
        match outcome {
            Ok(Ok(sled)) => return Ok(sled),
            Ok(Err(Trouble::Newer(found))) => return Err(LedgerError::Newer { found, known: FORMAT }),
            Ok(Err(Trouble::System(source))) if source.kind() == io::ErrorKind::StorageFull && again => {
                let _ = ballast::give_up(dir);
            }
            Ok(Err(Trouble::System(source))) if source.kind() == io::ErrorKind::WouldBlock => {
                return Err(LedgerError::locked(dir, None));
            }
            Ok(Err(Trouble::System(source))) => return Err(LedgerError::directory(dir, source)),
            Ok(Err(Trouble::Damage(what))) | Err(what) => return Ok(Sled::Differs(what)),
        }
    }
    Err(LedgerError::directory(dir, io::ErrorKind::StorageFull.into()))
}

/// What keeps sled from being used.
enum Trouble {
    Damage(String),
    System(io::Error),
    Newer(u32),
}

impl From<sled::Error> for Trouble {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(source) => source.into(),
            other => Self::Damage(other.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(source: io::Error) -> Self {
        if is_locked(&source) {
            Self::System(io::ErrorKind::WouldBlock.into())
        } else if is_the_systems(&source) {
            Self::System(source)
        } else {
            Self::Damage(source.to_string())
        }
    }
}

/// Name of the thread on which sled is opened: its panics are no news to anybody.
pub const GUARDED: &str = "ledger-opening";

/// Runs `job` on a thread of its own; `Err` inside tells that it panicked.
fn guarded<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> io::Result<Result<T, String>> {
    let thread = thread::Builder::new().name(GUARDED.into()).spawn(job)?;
    Ok(thread.join().map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        let words: String = words.unwrap_or("no reason given").chars().take(200).collect();
        format!("sled panics: {}", words.lines().next().unwrap_or_default())
    }))
}

/// Gives a half of the state a dated name; `None` when it is not there.
pub(super) fn set_aside(dir: &Path, name: &str, why: &str) -> Result<Option<PathBuf>, LedgerError> {
    let failed = |source| LedgerError::directory(dir, source);
    let from = dir.join(name);
    if !from.exists() {
        return Ok(None);
    }
    let at = jiff::Timestamp::from_second(SystemClock.now().0).unwrap_or_default();
    let stamp = at.strftime("%Y-%m-%dT%H-%M-%SZ");
    let mut to = dir.join(format!("{name}.{why}-{stamp}"));
    for n in 2..100 {
        if !to.exists() {
            break;
        }
        to = dir.join(format!("{name}.{why}-{stamp}.{n}"));
    }
    fs::rename(&from, &to).map_err(failed)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(Some(to))
}
