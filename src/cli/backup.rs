//! `backup` and `restore`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

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
    let mut state = State::of(place)?;
    let bar = spinner("writing the state");
    let answer = state.ask(&Request::Backup)?;
    let Response::Backup(made) = answer else { return Err(not_understood()) };
    bar.set_message("moving it to its place");
    let moved = deliver(&made, target);
    bar.finish_and_clear();
    // also when it could not be moved: it holds addresses, and a second attempt makes another
    let removed = fs::remove_file(&made.file);
    let file = moved.with_context(|| format!("the backup cannot be written to {}", target.display()))?;
    removed.with_context(|| format!("{} could not be removed", made.file.display()))?;
    tell("written", &Backup { file, ..made }, format)
}

fn deliver(made: &Backup, target: &Path) -> io::Result<PathBuf> {
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
    let mut from = File::open(&made.file)?;
    let mut to = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()?;
    fs::rename(&unfinished, &target)?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    Ok(target)
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
    let (restored, found) = backup::restore(place.state_dir(), file)?;
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
