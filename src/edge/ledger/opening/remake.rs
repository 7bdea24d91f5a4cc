//! Making one half of the state from the other, or both from what is left.

use std::fs;
use std::io;
use std::path::Path;

use super::super::LedgerError;
use super::super::index::bring;
use super::super::journal::{self, Changes, Condition, Journal};
use super::super::line::Entry;
use super::super::store::{BATCH, FORMAT, FORMAT_KEY};
use super::{Found, Opened, guarded, journal_path, ledger_path, set_aside, sled_at};

/// Records written into sled at once.
const TOGETHER: usize = 10_000;

/// The very first start.
pub(super) fn first(dir: &Path) -> Result<Opened, LedgerError> {
    let db = sled_at(&ledger_path(dir)).map_err(|error| LedgerError::sled(dir, error))?;
    let journal = settle(dir, &db, 0)?;
    Ok(Opened { db, journal, found: Found::Nothing })
}

/// sled anew from a whole journal.
pub(super) fn from_journal(dir: &Path, condition: &Condition, why: &str) -> Result<Opened, LedgerError> {
    let aside = set_aside(dir, "ledger", "damaged")?;
    tracing::error!(why, set_aside = %shown(aside.as_deref()),
        "the ledger was not as it was left and is made anew from its journal: nothing is lost");
    crate::edge::metrics::rebuilt();
    let db = fill(dir, &journal_path(dir), condition.n)?;
    let journal =
        Journal::go_on(&journal_path(dir), condition).map_err(|e| LedgerError::directory(dir, e))?;
    let what = why.to_owned();
    Ok(Opened { db, journal, found: Found::Mended { what, aside } })
}

/// A new journal over sled. Without `what` there simply was none: a state of format 1.
pub(super) fn from_sled(
    dir: &Path,
    db: sled::Db,
    n: u64,
    what: Option<String>,
) -> Result<Opened, LedgerError> {
    let aside = set_aside(dir, "journal", "damaged")?;
    if let Some(why) = &what {
        tracing::error!(why, set_aside = %shown(aside.as_deref()),
            "the ledger's journal was damaged and is made anew from the ledger: what is done is looked up on the servers");
        crate::edge::metrics::rebuilt();
    }
    let journal = settle(dir, &db, n)?;
    let found = what.map_or(Found::Whole, |what| Found::Mended { what, aside });
    Ok(Opened { db, journal, found })
}

/// Both halves from what can still be read of the journal, or empty.
pub(super) fn from_the_rest(dir: &Path, condition: Option<&Condition>) -> Result<Opened, LedgerError> {
    let ledger = set_aside(dir, "ledger", "damaged")?;
    let broken = set_aside(dir, "journal", "damaged")?;
    let lost_lines = condition.map_or(0, |condition| condition.lost_lines);
    let what = condition.and_then(|condition| condition.damage.clone());
    let what = what.unwrap_or_else(|| "sled cannot be read and there is no journal".into());
    tracing::error!(why = %what, lost_lines, set_aside = %shown(ledger.as_deref().or(broken.as_deref())),
        "the ledger and its journal are damaged: what can be read is kept, the rest is recalled from the audit and the mailbox; a backup would know more (evenkeel restore)");
    crate::edge::metrics::rebuilt();
    let n = condition.map_or(0, |condition| condition.n);
    let db = match &broken {
        Some(broken) => fill(dir, broken, n)?,
        None => sled_at(&ledger_path(dir)).map_err(|error| LedgerError::sled(dir, error))?,
    };
    let journal = settle(dir, &db, n)?;
    let aside = ledger.into_iter().chain(broken).collect();
    Ok(Opened { db, journal, found: Found::Salvaged { what, aside, lost_lines } })
}

/// A journal over `db`, and then the mark that the state has one.
fn settle(dir: &Path, db: &sled::Db, n: u64) -> Result<Journal, LedgerError> {
    let journal =
        Journal::create(&journal_path(dir), db, n).map_err(|error| LedgerError::directory(dir, error))?;
    mark(db, n).map_err(|error| LedgerError::sled(dir, error))?;
    Ok(journal)
}

fn mark(db: &sled::Db, n: u64) -> Result<(), sled::Error> {
    let mut batch = sled::Batch::default();
    batch.insert(FORMAT_KEY, FORMAT.to_string().as_str());
    batch.insert(BATCH, n.to_string().as_str());
    db.apply_batch(batch)?;
    db.flush().map(drop)
}

/// Fills a new sled from the lines in `source`: in a directory of its own, named when it is whole.
pub(in super::super) fn fill(dir: &Path, source: &Path, n: u64) -> Result<sled::Db, LedgerError> {
    let failed = |source| LedgerError::directory(dir, source);
    let new = dir.join("ledger.new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(failed)?;
    }
    let (at, from) = (new.clone(), source.to_owned());
    let filled = guarded(move || -> io::Result<()> {
        let db = sled_at(&at).map_err(io::Error::other)?;
        let mut waiting = Changes::new();
        journal::read(&from, |entry| {
            match entry {
                Entry::Put(key, value) => {
                    waiting.insert(key, Some(value.get().to_owned()));
                }
                Entry::Batch { put, del, .. } => {
                    let put = put.into_iter().map(|(key, value)| (key, Some(value.get().to_owned())));
                    waiting.extend(put.chain(del.into_iter().map(|key| (key, None))));
                }
                Entry::Head { .. } | Entry::Audit { .. } | Entry::End { .. } => {}
            }
            if waiting.len() >= TOGETHER {
                bring(&db, &std::mem::take(&mut waiting), 0).map_err(io::Error::other)?;
            }
            Ok(())
        })?;
        bring(&db, &waiting, n).map_err(io::Error::other)?;
        mark(&db, n).map_err(io::Error::other)
    })
    .map_err(failed)?;
    filled.map_err(io::Error::other).and_then(|done| done).map_err(failed)?;
    fs::rename(&new, ledger_path(dir)).map_err(failed)?;
    journal::sync_dir(dir).map_err(failed)?;
    sled_at(&ledger_path(dir)).map_err(|error| LedgerError::sled(dir, error))
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "nothing".to_owned(), |path| path.display().to_string())
}
