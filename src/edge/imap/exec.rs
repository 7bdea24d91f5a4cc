//! One command, one tagged answer.
//!
//! async-imap's own calls lose refusals: NO, BAD and a closed connection come back as an empty
//! success. So only its transport and parser are used: [`Connection::exec`] sends a command, reads
//! every answer up to the tagged one, and demands that it says OK. Nothing in async-imap survives
//! being cancelled; after any error the connection is dropped ([`Connection::broken`]).

use std::fmt::Write as _;
use std::time::Duration;

use async_imap::Session;
use imap_proto::{Response, Status};
use tokio::io::{AsyncWriteExt, BufStream};
use tokio::time::timeout;

use super::answer::Reply;
use super::{Code, ImapError};
use crate::edge::said::said;
use crate::edge::wire::Wire;

/// The stream under async-imap: large reads for bodies, small writes for commands.
pub type Stream = BufStream<Wire>;

/// How long a server may take to end an IDLE, at most. With the five minutes of `poll-secs` a line
/// that is dead without a word is noticed in less than six.
const DONE_TIMEOUT: Duration = Duration::from_secs(30);

/// A logged-in connection.
#[derive(Debug)]
pub struct Connection {
    session: Session<Stream>,
    /// How long a command may take in all; a server that only says "still here" does not prolong it.
    patience: Duration,
    /// Set by the first error: whatever is still in the stream belongs to no command any more.
    pub broken: bool,
    /// New mail was reported beside the answer to a command: IDLE would not say it again.
    pub news: bool,
}

impl Connection {
    /// A connection over a session that was just opened.
    #[must_use]
    pub const fn new(session: Session<Stream>, patience: Duration) -> Self {
        Self { session, patience, broken: false, news: false }
    }

    /// Runs `command` and demands a tagged OK.
    ///
    /// # Errors
    /// NO, BAD, BYE, silence, a closed or unreadable stream. Only after [`ImapError::Refused`] the
    /// connection can be used again.
    pub async fn exec(&mut self, command: &str) -> Result<Reply, ImapError> {
        self.exec_with(command, None).await
    }

    /// Like [`Connection::exec`], with a literal that follows the command (RFC 9051 §4.3).
    ///
    /// # Errors
    /// As [`Connection::exec`].
    pub async fn exec_literal(&mut self, command: &str, literal: &[u8]) -> Result<Reply, ImapError> {
        let command = format!("{command} {{{}}}", literal.len());
        self.exec_with(&command, Some(literal)).await
    }

    async fn exec_with(&mut self, command: &str, literal: Option<&[u8]>) -> Result<Reply, ImapError> {
        if self.broken {
            return Err(ImapError::Closed { during: verb(command) });
        }
        let result = match timeout(self.patience, self.converse(command, literal)).await {
            Ok(result) => result,
            Err(_) => Err(ImapError::Silent { during: verb(command) }),
        };
        if !matches!(result, Ok(_) | Err(ImapError::Refused { .. })) {
            self.broken = true;
        }
        // what SELECT says of a folder is no news
        if let Ok(reply) = &result
            && !matches!(verb(command), "SELECT" | "EXAMINE")
        {
            self.news |= reply.exists.is_some();
        }
        result
    }

    async fn converse(&mut self, command: &str, literal: Option<&[u8]>) -> Result<Reply, ImapError> {
        if command.contains(['\r', '\n', '\0']) {
            return Err(ImapError::Argument { during: verb(command) });
        }
        let failed =
            |source: std::io::Error| ImapError::Stream { during: verb(command), why: brief(&source) };
        let tag = self
            .session
            .run_command(command)
            .await
            .map_err(|e| ImapError::Stream { during: verb(command), why: brief(&e) })?;
        let mut reply = Reply::default();
        let mut literal = literal;
        loop {
            let response = self.session.read_response().await.map_err(failed)?;
            let Some(response) = response else { return Err(ImapError::Closed { during: verb(command) }) };
            match response.parsed() {
                Response::Done { tag: answered, status, outcome } if *answered == tag => {
                    reply.note(outcome.code.as_ref());
                    reply.note_text(outcome.information.as_deref().unwrap_or_default());
                    return match status {
                        Status::Ok => Ok(reply),
                        _ => Err(ImapError::Refused {
                            during: verb(command),
                            code: Code::of(outcome.code.as_ref(), outcome.information.as_deref()),
                            why: outcome
                                .information
                                .as_deref()
                                .map_or_else(|| "no reason given".into(), clip),
                        }),
                    };
                }
                // an answer to a command that nobody waits for any more
                Response::Done { .. } => return Err(ImapError::OutOfStep { during: verb(command) }),
                Response::Data { status: Status::Bye, outcome } => {
                    return Err(ImapError::Bye {
                        why: outcome.information.as_deref().map_or_else(String::new, clip),
                    });
                }
                Response::Continue(_) => match literal.take() {
                    Some(bytes) => self.write_literal(bytes).await.map_err(failed)?,
                    None => return Err(ImapError::OutOfStep { during: verb(command) }),
                },
                data => reply.take(data),
            }
        }
    }

    async fn write_literal(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let stream = self.session.get_mut();
        stream.write_all(bytes).await?;
        stream.write_all(b"\r\n").await?;
        stream.flush().await
    }

    /// IDLE (RFC 2177) until the server reports something or `at_most` has passed; whether
    /// something was reported.
    ///
    /// # Errors
    /// As [`Connection::exec`].
    pub async fn idle(&mut self, at_most: Duration) -> Result<bool, ImapError> {
        let result = self.idle_inner(at_most).await;
        self.broken |= result.is_err();
        result
    }

    async fn idle_inner(&mut self, at_most: Duration) -> Result<bool, ImapError> {
        let during = "IDLE";
        let stream = |e: &dyn std::fmt::Display| ImapError::Stream { during, why: clip(&e.to_string()) };
        let ending = DONE_TIMEOUT.min(self.patience);
        let mut deadline = tokio::time::Instant::now() + self.patience;
        let sent = tokio::time::timeout_at(deadline, self.session.run_command("IDLE")).await;
        let tag = sent.map_err(|_| ImapError::Silent { during })?.map_err(|e| stream(&e))?;
        let mut news = false;
        let mut done_sent = false;
        let mut accepted = false;
        loop {
            let next = tokio::time::timeout_at(deadline, self.session.read_response()).await;
            let response = match next {
                Err(_) if accepted && !done_sent => None,
                Err(_) => return Err(ImapError::Silent { during }),
                Ok(read) => Some(read.map_err(|e| stream(&e))?.ok_or(ImapError::Closed { during })?),
            };
            let mut finish = response.is_none();
            if let Some(response) = response {
                match response.parsed() {
                    Response::Continue(_) => {
                        accepted = true;
                        finish = news;
                        deadline = tokio::time::Instant::now() + at_most;
                    }
                    Response::Done { tag: answered, status, outcome } if *answered == tag => {
                        return match status {
                            Status::Ok if done_sent => Ok(news),
                            _ => Err(ImapError::Refused {
                                during,
                                code: Code::Other,
                                why: outcome.information.as_deref().map_or_else(String::new, clip),
                            }),
                        };
                    }
                    Response::Data { status: Status::Bye, outcome } => {
                        let why = outcome.information.as_deref().map_or_else(String::new, clip);
                        return Err(ImapError::Bye { why });
                    }
                    // "* OK Still here": no news
                    Response::Data { .. } => {}
                    _ => {
                        news = true;
                        finish = accepted;
                    }
                }
            }
            if finish && !done_sent {
                done_sent = true;
                deadline = tokio::time::Instant::now() + ending;
                let sent = tokio::time::timeout_at(deadline, self.session.run_command_untagged("DONE")).await;
                sent.map_err(|_| ImapError::Silent { during })?.map_err(|e| stream(&e))?;
            }
        }
    }
}

/// The command's first words: never its arguments, which may be secret or personal.
fn verb(command: &str) -> &'static str {
    const VERBS: [&str; 15] = [
        "UID FETCH",
        "UID STORE",
        "UID MOVE",
        "UID COPY",
        "UID EXPUNGE",
        "UID SEARCH",
        "SELECT",
        "EXAMINE",
        "LIST",
        "CREATE",
        "SUBSCRIBE",
        "APPEND",
        "CAPABILITY",
        "NOOP",
        "LOGOUT",
    ];
    VERBS.into_iter().find(|verb| command.starts_with(verb)).unwrap_or("command")
}

/// Errors of async-imap quote the whole input buffer: keep their beginning only.
fn brief(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    match text.split_once("during parsing of") {
        Some(_) => "the server sent a line that is no IMAP".into(),
        None => clip(&text),
    }
}

/// What a server says goes to the log.
fn clip(text: &str) -> String {
    said(text, 160)
}

/// An astring of RFC 9051 §9 in quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A mailbox name for the wire: the server's separator for our `/`, modified UTF-7 (RFC 3501
/// §5.1.3), quoted.
#[must_use]
pub fn mailbox(name: &str, separator: char) -> String {
    quoted(&super::utf7::encode(&name.replace('/', &separator.to_string())))
}

/// A uid set of exactly these uids: neighbours as a range, which costs neither side much to read.
#[must_use]
pub fn uid_set<'a>(uids: impl IntoIterator<Item = &'a u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => runs.push((*uid, *uid)),
        }
    }
    let mut set = String::new();
    for (first, last) in runs {
        let comma = if set.is_empty() { "" } else { "," };
        let _ =
            if first == last { write!(set, "{comma}{first}") } else { write!(set, "{comma}{first}:{last}") };
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_reach_the_server_in_its_own_alphabet_and_with_its_own_separator() {
        assert_eq!(mailbox("Queue/Legal", '.'), "\"Queue.Legal\"");
        assert_eq!(mailbox("Büro", '/'), "\"B&APw-ro\"");
        assert_eq!(mailbox("a\"b", '/'), "\"a\\\"b\"");
    }

    #[test]
    fn a_set_holds_the_uids_it_was_made_of_and_no_others() {
        assert_eq!(uid_set(&[7, 8, 9, 11, 13, 14, 3]), "7:9,11,13:14,3");
        assert_eq!(uid_set(&[u32::MAX, 0]), "4294967295,0");
        assert_eq!(uid_set(&[]), "");
    }

    #[test]
    fn an_error_never_carries_the_arguments_of_a_command() {
        assert_eq!(verb("UID SEARCH HEADER Message-ID \"x\""), "UID SEARCH");
        assert_eq!(verb("LOGIN user secret"), "command");
    }
}
