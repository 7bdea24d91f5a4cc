//! One line of a journal or a backup: sixteen hex digits of the SHA-256 of the rest, a space, JSON.
//! A line that was cut or changed is told from a good one, and costs no other.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::journal::Changes;
use super::keys::hex;
use crate::time::Timestamp;

/// Longest line that is read; longer ones are not ours.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// What stands in a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Entry {
    /// The first line of a base or a backup.
    Head {
        /// Format of the state.
        format: u32,
        /// Number of the last batch that is certainly in what follows.
        n: u64,
        /// Written at.
        at: Timestamp,
        /// Version of the program.
        version: String,
    },
    /// A key and its value.
    Put(String, Box<RawValue>),
    /// Keys that were written and removed together.
    Batch {
        /// Its number.
        n: u64,
        /// The number of the last batch that was durable when this one was written.
        durable: u64,
        /// Written.
        put: BTreeMap<String, Box<RawValue>>,
        /// Removed.
        del: Vec<String>,
    },
    /// A line of the audit, in backups.
    Audit {
        /// Name of its file.
        file: String,
        /// The line as it is.
        text: String,
    },
    /// The last line of a base or a backup.
    End {
        /// Lines before it.
        lines: u64,
    },
}

fn sum(text: &[u8]) -> String {
    hex(Sha256::digest(text).iter().take(8))
}

/// A line, with its end.
pub(super) fn seal(entry: &Entry) -> io::Result<String> {
    let text = serde_json::to_string(entry)?;
    Ok(format!("{} {text}\n", sum(text.as_bytes())))
}

/// What a line begins with until its sum is known: as long as the sum and the space behind it.
const UNSEALED: &[u8; 17] = b"                 ";

/// The line of an [`Entry::Batch`]. Its values are JSON already and are not read once more.
pub(super) fn batch(n: u64, durable: u64, changes: &Changes) -> io::Result<Vec<u8>> {
    let bytes = changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, String::len) + 8);
    let mut text = Vec::with_capacity(bytes.sum::<usize>() + 128);
    text.extend(UNSEALED);
    write!(text, "{{\"batch\":{{\"n\":{n},\"durable\":{durable},\"put\":{{")?;
    let written = changes.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
    for (at, (key, value)) in written.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, key)?;
        text.push(b':');
        text.extend(value.as_bytes());
    }
    text.extend(b"},\"del\":[");
    let removed = changes.iter().filter(|(_, value)| value.is_none());
    for (at, (key, _)) in removed.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, key)?;
    }
    text.extend(b"]}}");
    if let Some((place, rest)) = text.split_at_mut_checked(UNSEALED.len()) {
        let sum = sum(rest);
        place.iter_mut().zip(sum.bytes()).for_each(|(place, digit)| *place = digit);
    }
    text.push(b'\n');
    Ok(text)
}

fn unseal(line: &[u8]) -> Option<Entry> {
    let (seal, text) = line.split_at_checked(17)?;
    let text = text.strip_suffix(b"\n")?;
    let good = seal.strip_suffix(b" ") == Some(sum(text).as_bytes());
    if good { serde_json::from_slice(text).ok() } else { None }
}

/// A value as it is kept in the ledger.
pub(super) fn raw(value: String) -> io::Result<Box<RawValue>> {
    Ok(RawValue::from_string(value)?)
}

/// Reads the next line: its length in bytes, 0 at the end, and what it says if it is good.
pub(super) fn next(from: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<(u64, Option<Entry>)> {
    buffer.clear();
    let length = from.take(MAX_LINE).read_until(b'\n', buffer)?;
    Ok((u64::try_from(length).unwrap_or(u64::MAX), unseal(buffer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let mut changes = Changes::new();
        changes.insert("customer/a\"\n\u{7}@ö".into(), Some("{\"a\":[1,\"x\"]}".into()));
        changes.insert("ticket/1".into(), Some("null".into()));
        changes.insert("wake/\\1".into(), None);
        changes.insert("wake/2".into(), None);
        let line = batch(7, 6, &changes).unwrap();
        let Some(Entry::Batch { n: 7, durable: 6, put, del }) = unseal(&line) else { panic!("{line:?}") };
        let mut read: Changes =
            put.into_iter().map(|(key, value)| (key, Some(value.get().to_owned()))).collect();
        read.extend(del.into_iter().map(|key| (key, None)));
        assert_eq!(read, changes);
        let empty = batch(1, 0, &Changes::new()).unwrap();
        assert!(matches!(unseal(&empty), Some(Entry::Batch { n: 1, .. })));
    }

    #[test]
    fn no_changed_or_cut_line_is_taken_for_a_good_one() {
        let put = |key: &str| seal(&Entry::Put(key.into(), raw("{\"a\":[1,2]}".into()).unwrap())).unwrap();
        let line = put("customer/a@b");
        assert!(matches!(unseal(line.as_bytes()), Some(Entry::Put(key, _)) if key == "customer/a@b"));
        for at in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(unseal(&bytes).is_none(), "byte {at}");
            assert!(unseal(&line.as_bytes()[..at]).is_none(), "cut at {at}");
        }
    }
}
