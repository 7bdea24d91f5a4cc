//! Whether sled holds what the journal says, key by key.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::iter::Peekable;
use std::path::Path;

use super::super::index::bring;
use super::super::journal::{self, Changes, Condition, LEDGERS_OWN};
use super::super::line::Entry;
use super::super::store::{BATCH, FORMAT, FORMAT_KEY};
use super::{Sled, Trouble};

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn number(db: &sled::Db, key: &str) -> Result<Option<u64>, Trouble> {
    let unreadable = |error: serde_json::Error| Trouble::Damage(format!("{key} cannot be read: {error}"));
    db.get(key)?.map(|bytes| serde_json::from_slice(&bytes).map_err(unreadable)).transpose()
}

/// From so many keys on they are settled before more room is taken.
const SETTLED_FROM: usize = 1_000_000;

/// Keys that sled has missed, brought into it at once.
const MISSED_TOGETHER: usize = 10_000;

/// Stands for the value of a key that was removed.
const REMOVED: u64 = 0;

fn value_hash(value: &[u8]) -> u64 {
    hash(value) | 1
}

/// What the logs say of the keys they name: hash of the key, batch, hash of its last value.
#[derive(Default)]
struct Touched {
    keys: Vec<(u64, u64, u64)>,
}

impl Touched {
    fn batch(&mut self, n: u64, key: &str, value: Option<&str>) {
        let value = value.map_or(REMOVED, |value| value_hash(value.as_bytes()));
        if self.keys.len() == self.keys.capacity() && self.keys.len() >= SETTLED_FROM {
            // many of them are the same ones again
            self.settle();
        }
        self.keys.push((hash(key.as_bytes()), n, value));
    }

    fn settle(&mut self) {
        // the last batch first, and only it stays
        self.keys.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        self.keys.dedup_by_key(|entry| entry.0);
    }

    fn get(&self, key: &[u8]) -> Option<u64> {
        let wanted = hash(key);
        let at = self.keys.binary_search_by_key(&wanted, |entry| entry.0).ok()?;
        self.keys.get(at).map(|entry| entry.2)
    }

    fn left(&self) -> usize {
        self.keys.iter().filter(|entry| entry.2 != REMOVED).count()
    }
}

/// Applies what sled has missed, and compares.
pub(super) fn check(db: sled::Db, dir: &Path, condition: Option<&Condition>) -> Result<Sled, Trouble> {
    let format = number(&db, FORMAT_KEY)?;
    if let Some(found) = format.and_then(|found| u32::try_from(found).ok()).filter(|found| *found > FORMAT) {
        return Err(Trouble::Newer(found));
    }
    let n = number(&db, BATCH)?.unwrap_or(0);
    let Some(whole) = condition.filter(|found| found.damage.is_none()) else {
        return match format {
            // the very first start was broken off
            None if condition.is_none() && db.is_empty() => Ok(Sled::Agrees(db)),
            None => Err(Trouble::Damage("it does not say what it is".into())),
            Some(format) => Ok(Sled::Unproven { db, n, format: u32::try_from(format).unwrap_or(0) }),
        };
    };
    if n > whole.n {
        return Ok(Sled::Unproven { db, n, format: FORMAT });
    }
    match differs(&db, dir, n, whole)? {
        Some(what) => Err(Trouble::Damage(what)),
        None => Ok(Sled::Agrees(db)),
    }
}

/// The first difference, after the batches that follow `n` were applied.
fn differs(db: &sled::Db, dir: &Path, n: u64, found: &Condition) -> Result<Option<String>, Trouble> {
    let mut touched = Touched::default();
    let mut missed = Changes::new();
    journal::logs(found, |entry| {
        if let Entry::Batch { n: batch, put, del, .. } = entry {
            for (key, value) in &put {
                touched.batch(batch, key, Some(value.get()));
            }
            for key in &del {
                touched.batch(batch, key, None);
            }
            if batch > n {
                let put = put.into_iter().map(|(key, value)| (key, Some(value.get().to_owned())));
                missed.extend(put.chain(del.into_iter().map(|key| (key, None))));
            }
            if missed.len() > MISSED_TOGETHER {
                bring(db, &std::mem::take(&mut missed), batch).map_err(io::Error::other)?;
            }
        }
        Ok(())
    })?;
    if n < found.n {
        bring(db, &missed, found.n)?;
    }
    touched.settle();
    walk(db, dir, found, &touched)
}

/// Goes through sled and the base side by side: both are in the order of their keys.
fn walk(db: &sled::Db, dir: &Path, found: &Condition, touched: &Touched) -> Result<Option<String>, Trouble> {
    let mut keys = db.iter().peekable();
    let mut difference: Option<String> = None;
    let mut matched = 0_usize;
    journal::base(dir, found, |entry| {
        if let (Entry::Put(key, value), None) = (entry, &difference)
            && touched.get(key.as_bytes()).is_none()
        {
            difference = pass(&mut keys, Some(key.as_bytes()), touched, &mut matched)?;
            match keys.next().transpose().map_err(io::Error::other)? {
                _ if difference.is_some() => {}
                Some((found, bytes)) if found == key.as_bytes() => {
                    if bytes != value.get().as_bytes() {
                        difference = Some(format!("{} is another in sled than in the journal", kind(&key)));
                    }
                }
                _ => difference = Some(format!("{} is missing in sled", kind(&key))),
            }
        }
        Ok(())
    })?;
    if difference.is_none() {
        difference = pass(&mut keys, None, touched, &mut matched)?;
    }
    if difference.is_none() && matched != touched.left() {
        difference = Some("records of the journal are missing in sled".into());
    }
    Ok(difference)
}

/// Passes keys of sled below `until`: each must have what the logs say.
fn pass(
    keys: &mut Peekable<sled::Iter>,
    until: Option<&[u8]>,
    touched: &Touched,
    matched: &mut usize,
) -> io::Result<Option<String>> {
    loop {
        match keys.peek() {
            Some(Ok((key, _))) if until.is_none_or(|until| key.as_ref() < until) => {}
            Some(Err(error)) => return Err(io::Error::other(error.to_string())),
            Some(Ok(_)) | None => return Ok(None),
        }
        let Some(Ok((key, value))) = keys.next() else { return Ok(None) };
        let own = LEDGERS_OWN.iter().any(|own| own.as_bytes() == key.as_ref());
        match touched.get(&key) {
            _ if own => {}
            Some(expected) if expected == value_hash(&value) => *matched += 1,
            _ => {
                let key = String::from_utf8_lossy(&key).into_owned();
                return Ok(Some(format!("{} in sled is not what the journal says", kind(&key))));
            }
        }
    }
}

/// What kind of record a key is of: keys may hold addresses, which no log shall show.
fn kind(key: &str) -> String {
    format!("a record of kind {}", key.split('/').next().unwrap_or_default())
}
