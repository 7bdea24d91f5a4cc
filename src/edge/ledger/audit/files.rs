//! The files of the audit, read and checked.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::line::{Line, Mark};
use super::{AuditError, failed};

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
