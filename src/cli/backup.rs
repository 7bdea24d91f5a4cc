//! `backup` and `restore`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::interrupt::Interrupt;
use super::output::{self, Format};
use super::progress::spinner;
use super::state::{State, Whereabouts, not_understood};
use crate::edge::control::{Request, Response};
use crate::edge::ledger::backup::{self, Backup};
use crate::edge::ledger::opening::Found;

/// `backup`: the state's owner writes it beside the state, where it may write; from there it is moved
/// to where whoever asks may write.
///
/// # Errors
/// When the state cannot be read, or the file cannot be written.
pub fn backup(place: &Whereabouts, target: &Path, format: Format) -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let mut state = State::of(place)?;
    let bar = spinner("writing the state");
    let answer = state.ask(&Request::Backup)?;
    let Response::Backup(made) = answer else { return Err(not_understood()) };
    bar.set_message("moving it to its place");
    let moved = deliver(&made, target, &interrupt);
    bar.finish_and_clear();
    // also when it could not be moved: it holds addresses, and a second attempt makes another
    let removed = fs::remove_file(&made.file);
    if moved.is_err() {
        interrupt.check()?;
    }
    let file = moved.with_context(|| format!("the backup cannot be written to {}", target.display()))?;
    removed.with_context(|| format!("{} could not be removed", made.file.display()))?;
    tell("written", &Backup { file, ..made }, format)
}

fn deliver(made: &Backup, target: &Path, interrupt: &Interrupt) -> io::Result<PathBuf> {
    let target = match made.file.file_name() {
        Some(name) if target.is_dir() => target.join(name),
        _ => target.to_owned(),
    };
    if target.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists; name another file"));
    }
    let mut unfinished = target.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let copied = copy(&made.file, &unfinished, interrupt).and_then(|()| fs::rename(&unfinished, &target));
    if copied.is_err() {
        // half a backup is none
        let _ = fs::remove_file(&unfinished);
    }
    copied?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    Ok(target)
}

/// Copies a file durably, a mebibyte at a time, until somebody interrupts.
fn copy(from: &Path, to: &Path, interrupt: &Interrupt) -> io::Result<()> {
    let from = File::open(from)?;
    let mut to = File::options().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let mut chunk = Vec::new();
    loop {
        interrupt.check().map_err(io::Error::other)?;
        chunk.clear();
        if (&from).take(1 << 20).read_to_end(&mut chunk)? == 0 {
            return to.sync_all();
        }
        to.write_all(&chunk)?;
    }
}

/// `restore`.
///
/// # Errors
/// When a daemon runs, or the file is not whole; nothing is changed then.
pub fn restore(place: &Whereabouts, file: &Path, format: Format) -> anyhow::Result<()> {
    if place.is_running() {
        anyhow::bail!("the daemon runs: stop it first (systemctl stop evenkeel), then restore and start it");
    }
    let bar = spinner("reading the backup and putting it in its place");
    let interrupt = Interrupt::listen()?;
    let (restored, found) = backup::restore_unless(place.state_dir(), file, &|| interrupt.pressed())?;
    bar.finish_and_clear();
    if let Found::Mended { aside: Some(aside), .. } = found {
        output::say(&format!("set aside: {}", aside.display()));
    }
    tell("restored", &restored, format)
}

fn tell(what: &str, backup: &Backup, format: Format) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        return output::json(backup);
    }
    output::line(&format!(
        "{what}: {} ({} records, {} lines of the audit)",
        backup.file.display(),
        backup.records,
        backup.audit_lines
    ))
}
