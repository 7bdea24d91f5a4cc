//! A file that only takes space: on a full disk it is dropped, so that the state can be opened and
//! asked; until it can be laid again the daemon does not begin.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Its size. Opening sled writes a segment of half a mebibyte and a little more.
const BYTES: usize = 4 * 1024 * 1024;

/// Space besides it without which nothing is begun.
const SPARE: usize = 1024 * 1024;

/// Lays it where it is not whole, and tries whether there is space to work.
pub(super) fn lay(dir: &Path) -> io::Result<()> {
    let path = dir.join("ballast");
    let whole = fs::metadata(&path).is_ok_and(|found| usize::try_from(found.len()) == Ok(BYTES));
    if !whole {
        take(&path, BYTES)?;
    }
    let spare = dir.join("spare");
    take(&spare, SPARE)?;
    fs::remove_file(spare)
}

/// Writes so many bytes into a file, or leaves none.
fn take(path: &Path, bytes: usize) -> io::Result<()> {
    // not zeros: a file system that packs would keep none of it
    let mut seed = 1_u64;
    let block: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes().first().copied().unwrap_or_default()
    })
    .take(64 * 1024)
    .collect();
    let written = File::create(path).and_then(|mut file| {
        for _ in 0..bytes / block.len() {
            file.write_all(&block)?;
        }
        // a file system that has no room says so when it is written; it need not last
        Ok(())
    });
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Gives its space free.
pub(super) fn give_up(dir: &Path) -> io::Result<()> {
    fs::remove_file(dir.join("ballast"))
}
