//! What is found in the directory of a journal: whole, torn at its end, or damaged.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use super::super::line::{self, Entry};
use super::base_path;

/// The condition of a journal.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Condition {
    /// Number of its base.
    pub base: u64,
    /// Format of the state.
    pub format: u32,
    /// Number of the last batch that can be read.
    pub n: u64,
    /// What is wrong with it, if something is.
    pub damage: Option<String>,
    /// Lines that cannot be read.
    pub lost_lines: u64,
    /// Where the newest log must be cut: what follows was never acknowledged.
    pub torn: Option<(PathBuf, u64)>,
    /// Size of the base in bytes.
    pub base_bytes: u64,
    /// Size of the logs in bytes.
    pub log_bytes: u64,
    /// The logs over the base, oldest first.
    pub logs: Vec<PathBuf>,
}

impl Condition {
    fn damaged(&mut self, what: String) {
        self.damage.get_or_insert(what);
    }

    /// Removes what an earlier run has not finished or not cleared away.
    pub(in super::super) fn remove_older(&self, dir: &Path) -> io::Result<()> {
        remove_before(dir, self.base)
    }
}

/// Files of a journal: their numbers and paths, by number.
fn numbered(dir: &Path, ending: &str) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(number), true) = (number, path.extension().is_some_and(|found| found == ending)) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes bases and logs before batch `n`, and copies that were not finished.
pub(super) fn remove_before(dir: &Path, n: u64) -> io::Result<()> {
    for ending in ["base", "log"] {
        for (number, path) in numbered(dir, ending)? {
            if number < n {
                fs::remove_file(path)?;
            }
        }
    }
    for (_, path) in numbered(dir, "unfinished")? {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Reads a journal and says how it is; `None` where there is none.
pub(in super::super) fn examine(dir: &Path) -> io::Result<Option<Condition>> {
    read(dir, |_| Ok(()))
}

/// As [`examine`], and every entry that can be read is given to `each`, in order.
pub(in super::super) fn read(
    dir: &Path,
    mut each: impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<Option<Condition>> {
    if !dir.exists() {
        return Ok(None);
    }
    let bases = numbered(dir, "base")?;
    let logs = numbered(dir, "log")?;
    let base = match (bases.last(), logs.first()) {
        (Some((base, _)), _) => *base,
        (None, Some((log, _))) => *log,
        (None, None) => return Ok(None),
    };
    if bases.is_empty() && logs.iter().all(|(_, path)| fs::metadata(path).is_ok_and(|log| log.len() == 0)) {
        // the very first start was broken off
        return Ok(None);
    }
    let mut found = Condition { base, n: base, ..Condition::default() };
    if bases.is_empty() {
        found.damaged("its base is missing".into());
    } else {
        read_base(&base_path(dir, base), &mut found, &mut each)?;
    }
    let logs: Vec<_> = logs.into_iter().filter(|(number, _)| *number >= base).collect();
    if logs.first().is_none_or(|(number, _)| *number != base) {
        found.damaged("its log is missing".into());
    }
    let newest = logs.len().saturating_sub(1);
    for (index, (number, path)) in logs.into_iter().enumerate() {
        if number != found.n {
            found.damaged(format!("batches after {} are missing", found.n));
        }
        read_log(&path, index == newest, &mut found, &mut each)?;
        found.logs.push(path);
    }
    Ok(Some(found))
}

/// Entries of a base that are handed over together, and how many such parts may wait.
const PART: usize = 500;
const PARTS: usize = 8;

/// Gives every entry of a base that was found whole to `each`, in order. It is read by a thread of its
/// own: checking the lines takes as long as what is done with them.
pub(in super::super) fn base(
    dir: &Path,
    found: &Condition,
    mut each: impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let path = base_path(dir, found.base);
    thread::scope(|scope| {
        let (give, take) = mpsc::sync_channel(PARTS);
        let reading = scope.spawn(move || {
            let mut part = Vec::with_capacity(PART);
            let gone = |_| io::Error::other("nobody reads on");
            read_base(&path, &mut Condition::default(), &mut |entry| {
                part.push(entry);
                if part.len() < PART {
                    return Ok(());
                }
                give.send(std::mem::replace(&mut part, Vec::with_capacity(PART))).map_err(gone)
            })?;
            give.send(part).map_err(gone)
        });
        for part in take {
            part.into_iter().try_for_each(&mut each)?;
        }
        reading.join().unwrap_or_else(|_| Err(io::Error::other("reading the base has panicked")))
    })
}

/// Gives every entry of logs that were found whole to `each`, up to a torn end.
pub(in super::super) fn logs(
    found: &Condition,
    mut each: impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    for path in &found.logs {
        let end = found.torn.as_ref().filter(|(torn, _)| torn == path).map_or(u64::MAX, |(_, at)| *at);
        let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
        let (mut buffer, mut position) = (Vec::new(), 0);
        while position < end {
            let (length, entry) = line::next(&mut reader, &mut buffer)?;
            if length == 0 {
                break;
            }
            entry.map_or(Ok(()), &mut each)?;
            position += length;
        }
    }
    Ok(())
}

fn read_base(
    path: &Path,
    found: &mut Condition,
    each: &mut impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let (mut buffer, mut lines, mut ended) = (Vec::new(), 0_u64, false);
    loop {
        let (length, entry) = line::next(&mut reader, &mut buffer)?;
        found.base_bytes += length;
        match entry {
            _ if length == 0 => break,
            None => {
                found.lost_lines += 1;
                found.damaged(format!("line {} of its base cannot be read", lines + 1));
            }
            Some(Entry::End { lines: written }) => ended = written == lines,
            Some(entry) => {
                if let Entry::Head { format, .. } = &entry {
                    found.format = *format;
                }
                each(entry)?;
            }
        }
        lines += 1;
    }
    if !ended {
        found.damaged("its base has no end".into());
    }
    Ok(())
}

/// A bad line at the end of the newest log is what a crash leaves: nothing in it was acknowledged,
/// unless a later line says that it was durable.
fn read_log(
    path: &Path,
    newest: bool,
    found: &mut Condition,
    each: &mut impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let mut buffer = Vec::new();
    let mut position = 0_u64;
    // where lines stop following one another, and the batch that is missing there
    let mut broken: Option<(u64, u64)> = None;
    while !reader.fill_buf()?.is_empty() {
        let (length, entry) = line::next(&mut reader, &mut buffer)?;
        match (entry, broken) {
            (Some(entry @ Entry::Batch { n, .. }), None) if n == found.n + 1 => {
                each(entry)?;
                found.n = n;
            }
            (Some(entry @ Entry::Batch { n, durable, .. }), _) => {
                let missing = broken.map_or(found.n + 1, |(_, missing)| missing);
                if broken.is_none() || durable >= missing {
                    found.damaged(format!("batch {missing} cannot be read"));
                    each(entry)?;
                    found.n = n;
                    broken = None;
                }
            }
            _ => {
                found.lost_lines += 1;
                broken.get_or_insert((position, found.n + 1));
            }
        }
        position += length;
    }
    found.log_bytes += position;
    if let Some((at, missing)) = broken {
        if newest {
            found.torn = Some((path.to_owned(), at));
            found.log_bytes -= position - at;
        } else {
            found.damaged(format!("batch {missing} cannot be read"));
        }
    }
    Ok(())
}
