//! Long work on a terminal: it says how far it is, there and only there, and Ctrl-C does no harm.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::root;
use super::web::Lonely;
use crate::e2e::sample;
use crate::e2e::servers::Servers;
use crate::faults::{Rig, until};
use crate::skipped::skipped;

/// A program on a terminal of its own: what `script` of util-linux makes.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<String>>,
}

impl Terminal {
    /// `None`, said aloud, where there is no `script`.
    fn run(test: &str, dir: &Path, args: &[&str]) -> Option<Self> {
        let words = args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" ");
        let line = format!("exec '{}' {words}", env!("CARGO_BIN_EXE_evenkeel"));
        let mut command = Command::new("script");
        command.args(["-qefc", &line, "/dev/null"]).current_dir(dir).env("TMPDIR", dir).env("TERM", "xterm");
        command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            skipped(test, "util-linux' `script` is needed");
            return None;
        };
        let (keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(String::new()));
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut bytes) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        Some(Self { child, keys, seen })
    }

    fn seen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    fn until(&self, text: &str) {
        let begun = Instant::now();
        while !self.seen().contains(text) {
            assert!(begun.elapsed() < Duration::from_mins(2), "{text:?} was not shown: {:?}", self.seen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn interrupt(&mut self) {
        self.keys.write_all(b"\x03").unwrap();
        self.keys.flush().unwrap();
    }

    /// Its exit status, as a shell says it.
    fn end(mut self) -> (i32, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "it does not end: {:?}", self.seen());
            std::thread::sleep(Duration::from_millis(10));
        };
        std::thread::sleep(Duration::from_millis(50));
        (status.code().unwrap(), self.seen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below a directory with its bytes.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

/// What is said where nobody looks: no bar, no escape.
fn quiet(config: &Path, args: &[&str]) -> String {
    let output = Servers::evenkeel(config, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    assert!(!said.contains(['\u{1b}', '\r']), "{args:?} draws where there is no terminal: {said:?}");
    said
}

#[test]
fn training_that_is_interrupted_leaves_the_old_model_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (model, corpus) = (dir.path().join("old.model"), root().join("data/corpus"));
    fs::write(&model, "the old one").unwrap();
    let before = files(dir.path());
    let args = ["train", "--corpus", corpus.to_str().unwrap(), "--model", model.to_str().unwrap()];
    let Some(mut terminal) = Terminal::run("Ctrl-C in training", dir.path(), &args) else { return };
    terminal.until("counting features of");
    terminal.interrupt();
    let (status, seen) = terminal.end();
    assert_eq!(status, 130, "{seen}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn training_on_corrections_that_is_interrupted_leaves_state_and_lock_free() {
    let lonely =
        Lonely::start(&format!("[learning]\ncorpus = \"{}\"\n", root().join("data/corpus").display()));
    let config = lonely.config.to_str().unwrap();
    let args = ["--config", config, "train", "--local"];
    let at = lonely.dir.path();
    let Some(mut terminal) = Terminal::run("Ctrl-C in training", at, &args) else { return };
    terminal.until("reading corrections and the corpus");
    terminal.interrupt();
    let (status, seen) = terminal.end();
    assert_eq!(status, 130, "{seen}");
    let left = files(&at.join("state/models"));
    assert!(left.iter().all(|(path, _)| path.ends_with("training.lock")), "{left:?}");
    // the next one does not wait for it
    let Some(mut again) = Terminal::run("Ctrl-C in training", at, &args) else { return };
    again.until("reading corrections and the corpus");
    assert!(!again.seen().contains("another training"), "{}", again.seen());
    again.interrupt();
    again.end();
    quiet(&lonely.config, &["audit", "verify"]);
}

#[test]
fn a_backup_that_is_interrupted_leaves_no_half_file_and_the_daemon_as_it_was() {
    let lonely = Lonely::start("");
    let (config, at) = (lonely.config.to_str().unwrap(), lonely.dir.path());
    let mark = ["customers", "set", "rick@example.org", "warned", "--note", "x"];
    assert!(Servers::evenkeel(&lonely.config, &mark).status.success());
    let target = at.join("backups");
    fs::create_dir(&target).unwrap();
    // the daemon takes its time
    lonely.signal("-STOP");
    let args = ["--config", config, "backup", target.to_str().unwrap()];
    let Some(mut terminal) = Terminal::run("Ctrl-C in a backup", at, &args) else { return };
    terminal.until("writing the state");
    terminal.interrupt();
    std::thread::sleep(Duration::from_millis(200));
    lonely.signal("-CONT");
    let (status, seen) = terminal.end();
    assert_eq!(status, 130, "{seen}");
    assert!(seen.contains("interrupted: nothing was changed"), "{seen}");
    let left = [files(&target), files(&at.join("state/backups"))].concat();
    assert!(left.is_empty(), "{left:?}");
    // and one that is not
    quiet(&lonely.config, &["backup", target.to_str().unwrap()]);
    assert_eq!(files(&target).len(), 1);
}

#[test]
fn a_restore_that_is_interrupted_has_not_begun() {
    let mut lonely = Lonely::start("");
    let (config, at) = (lonely.config.clone(), lonely.dir.path().to_owned());
    for n in 0..20 {
        let who = format!("rick{n}@example.org");
        assert!(
            Servers::evenkeel(&config, &["customers", "set", &who, "warned", "--note", "x"]).status.success()
        );
    }
    let backup = at.join("a.backup");
    quiet(&config, &["backup", backup.to_str().unwrap()]);
    assert!(
        Servers::evenkeel(&config, &["customers", "set", "late@example.org", "warned", "--note", "x"])
            .status
            .success()
    );
    lonely.end();
    let state = at.join("state");
    let before = files(&state);
    // a backup that comes slowly: out of a pipe
    let pipe = at.join("slow.backup");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let args = ["--config", config.to_str().unwrap(), "restore", pipe.to_str().unwrap()];
    let Some(mut terminal) = Terminal::run("Ctrl-C in a restore", &at, &args) else { return };
    let bytes = fs::read(&backup).unwrap();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    // it is read to its end before anything is written, and then again
    fs::OpenOptions::new().write(true).open(&pipe).unwrap().write_all(&bytes).unwrap();
    until("it writes", Duration::from_secs(20), || state.join("journal.new").exists());
    let mut second = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    second.write_all(first).unwrap();
    terminal.until("reading the backup");
    terminal.interrupt();
    std::thread::sleep(Duration::from_millis(300));
    let _ = second.write_all(rest);
    drop(second);
    let (status, seen) = terminal.end();
    assert_eq!(status, 130, "{seen}");
    assert!(seen.contains("interrupted: nothing was changed"), "{seen}");
    let halves = |all: Vec<(PathBuf, Vec<u8>)>| -> Vec<(PathBuf, Vec<u8>)> {
        let is_state = |(path, _): &(PathBuf, Vec<u8>)| {
            let path = path.display().to_string();
            ["/journal", "/ledger", "/audit"].iter().any(|part| path.contains(part))
        };
        all.into_iter().filter(is_state).collect()
    };
    assert_eq!(halves(files(&state)), halves(before), "nothing was changed");
    let shown = || {
        let output = Servers::evenkeel(&config, &["customers", "show"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(shown().contains("late@example.org"));
    // and one that is not
    quiet(&config, &["restore", backup.to_str().unwrap()]);
    assert!(shown().contains("rick7@example.org") && !state.join("journal.new").exists());
}

#[test]
fn a_preview_that_is_interrupted_has_changed_nothing_and_cleans_up() {
    let Some(rig) = Rig::start("interrupted", &[]) else { return };
    for name in ["threat.en.eml", "complaint.es.eml", "panic.uk.eml", "question.ru.eml"] {
        rig.deliver(&sample(name));
    }
    let mut support = rig.support();
    support.until("all are there", |imap| imap.count("INBOX") == 4);
    let before = support.everything();
    let config = rig.config(&rig.wish());
    let scratch = tempfile::tempdir().unwrap();
    rig.imap.throttle(2_000);
    let args = ["--config", config.to_str().unwrap(), "preview", "--last", "9", "--format", "jsonl"];
    let Some(mut terminal) = Terminal::run("Ctrl-C in a preview", scratch.path(), &args) else { return };
    terminal.until("1/4 mails");
    terminal.interrupt();
    let (status, seen) = terminal.end();
    assert_eq!(status, 130, "{seen}");
    assert!(seen.contains("interrupted: nothing was changed"), "{seen}");
    assert_eq!(support.everything(), before);
    assert_eq!(files(scratch.path()), [], "what it had on disk is gone");
    assert!(fs::read_dir(scratch.path()).unwrap().next().is_none());
    rig.imap.throttle(0);
    quiet(&config, &["preview", "--last", "9"]);
}

#[test]
fn mails_from_files_are_counted_on_a_terminal_while_the_data_go_into_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = root().join("data/corpus");
    let line = format!("classify --format jsonl '{}' > out.jsonl", corpus.display());
    // the shell of `script` takes the data away from the terminal
    let mut command = Command::new("script");
    let line = format!("'{}' {line}", env!("CARGO_BIN_EXE_evenkeel"));
    command
        .args(["-qefc", &line, "/dev/null"])
        .current_dir(dir.path())
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm");
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        return skipped("mails from files", "util-linux' `script` is needed");
    };
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    let out = fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
    assert!(seen.contains(" mails (") && !out.contains('\u{1b}') && out.lines().count() > 0, "{seen:?}");
}
