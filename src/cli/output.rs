//! Writing to stdout and stderr. A reader that goes away early is no error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

/// Text for people, JSON lines for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Jsonl,
}

/// Writes a line to stdout.
///
/// # Errors
/// When stdout is closed or full.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}") {
        // `evenkeel read dir | head` is fine
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        other => Ok(other?),
    }
}

/// Whoever read our output has stopped.
#[derive(Debug, thiserror::Error)]
#[error("stdout was closed")]
pub struct Closed;

/// Writes a value as one line of JSON.
///
/// # Errors
/// When stdout is closed or full.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Says something on stderr.
pub fn say(text: &str) {
    // where stderr is gone there is nobody to tell
    let _ = writeln!(io::stderr(), "{text}");
}

/// Asks on stderr; the answer stands on the same line.
pub fn ask(question: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{question}").and_then(|()| out.flush());
}

/// Says what went wrong on stderr, causes joined by colons.
pub fn complain(error: &anyhow::Error) {
    if error.is::<Closed>() {
        return;
    }
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    say(&format!("evenkeel: {text}"));
}

/// `text` in bold on a terminal.
#[must_use]
pub fn bold(text: &str) -> String {
    if io::stdout().is_terminal() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// `text` indented by two spaces, control characters made visible.
#[must_use]
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", printable(line))).collect::<String>().trim_end().to_owned()
}

/// Control characters replaced: what a mail says must not steer the terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mail_says_does_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{7}"), "a\u{fffd}[31mb\u{fffd}");
    }
}
