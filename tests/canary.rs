//! No body, subject or address of a mail, and no password, in any log: the one place where all logs are searched.
//!
//! Whatever a test puts into a mailbox or uses as a secret is remembered here. The log of every daemon is searched
//! for all of it when the daemon ends, the audit of every state with it, and every line that the daemons in memory
//! log is searched at once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{LazyLock, Mutex, Once};

use regex::Regex;

/// So many words in a row are somebody's, and no coincidence.
const RUN: usize = 4;

#[derive(Debug, Default)]
struct Remembered {
    /// Mails by their bytes, to read each once.
    mails: BTreeSet<Vec<u8>>,
    runs: BTreeSet<Vec<String>>,
    secrets: BTreeSet<String>,
    /// What was found in lines of daemons in memory.
    found: Vec<String>,
}

static REMEMBERED: LazyLock<Mutex<Remembered>> = LazyLock::new(Mutex::default);

static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+").unwrap());

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// A mail that a daemon may see.
pub fn remember(mail: &[u8]) {
    let mut remembered = REMEMBERED.lock().unwrap();
    if !remembered.mails.insert(mail.to_vec()) {
        return;
    }
    let mail = evenkeel::mail::parse(mail);
    for text in [&mail.new_text, &mail.quoted, &mail.signature, &mail.subject] {
        remembered.runs.extend(words(text).windows(RUN).map(<[String]>::to_vec));
    }
    let subject = words(&mail.subject);
    // one or two short words prove nothing
    if (2..RUN).contains(&subject.len()) && mail.subject.chars().count() >= 12 {
        remembered.runs.insert(subject);
    }
}

/// A password, or a token.
pub fn remember_secret(secret: &str) {
    REMEMBERED.lock().unwrap().secrets.insert(secret.to_owned());
}

/// What of a mail or a secret stands in `text`.
fn found_in(text: &str) -> Vec<String> {
    let remembered = REMEMBERED.lock().unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let words = words(line);
        let is_known = |run: &[String]| remembered.runs.contains(run);
        for length in 2..=RUN {
            found.extend(
                words.windows(length).filter(|run| is_known(run)).map(|run| format!("{run:?} in {line}")),
            );
        }
        found.extend(ADDRESS.find(line).map(|address| format!("{} in {line}", address.as_str())));
        found.extend(
            remembered.secrets.iter().filter(|s| line.contains(*s)).map(|_| format!("a secret in {line}")),
        );
    }
    found
}

/// Searches a log, unless the test has failed anyhow.
pub fn search(name: &str, log: &str) {
    if !std::thread::panicking() {
        let found = found_in(log);
        assert!(found.is_empty(), "{name} holds what it must not: {found:#?}");
    }
}

/// Searches the audits of all states in `dir`.
pub fn search_audits(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name == "audit") {
            for file in fs::read_dir(&path).into_iter().flatten().flatten() {
                search(
                    &file.path().display().to_string(),
                    &fs::read_to_string(file.path()).unwrap_or_default(),
                );
            }
        } else if path.is_dir() && path.to_string_lossy().contains("state") {
            search_audits(&path);
        }
    }
}

/// From now on the lines of daemons in memory are searched, at every level.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_env_filter("evenkeel=trace").with_ansi(false);
        lines.with_writer(|| Searched).try_init().expect("nobody else listens in this program");
    });
}

/// After a test with a daemon in memory.
pub fn assert_silent() {
    if !std::thread::panicking() {
        let found = &REMEMBERED.lock().unwrap().found;
        assert!(found.is_empty(), "a daemon in memory has logged what it must not: {found:#?}");
    }
}

struct Searched;

impl Write for Searched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let found = found_in(&String::from_utf8_lossy(bytes));
        if !found.is_empty() {
            REMEMBERED.lock().unwrap().found.extend(found);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_log_must_not_hold_is_found_in_it() {
    let mail = "From: zoe@example.org\r\nSubject: Canary subject of zoe\r\nMessage-ID: <zoe@example.org>\r\n\r\n\
                A yellow canary sings in zoe's old mine.\r\n";
    remember(mail.as_bytes());
    remember_secret("zoe-has-a-secret");
    for bad in [
        "mail handled subject=\"canary subject of zoe\"",
        "text: Yellow canary\u{a0}sings, in",
        "from=zoe@example.org",
        "LOGIN support zoe-has-a-secret",
    ] {
        assert!(!found_in(&format!("a good line\n{bad}\nanother")).is_empty(), "{bad}");
    }
    let good =
        "INFO mail handled account=support folder=INBOX mail.uid=3 labels=\"complaint\" a canary sings";
    assert!(found_in(good).is_empty(), "{:?}", found_in(good));
}
