//! The control socket: sled has one owner, so commands about its state ask the running daemon.
//! One JSON request a line, one JSON answer a line, over a Unix socket that only the daemon's user
//! can open.

use std::io::{BufRead, BufReader as StdBufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::ledger::cases::InboxPaces;
use super::ledger::{CaseQuery, Ledger, LedgerError, MailRecord, Store};
use crate::decide::Case;
use crate::mail::MessageId;

/// Longest request in bytes.
const MAX_REQUEST: u64 = 64 * 1024;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Request {
    /// What was done with the mails of this Message-ID.
    Explain {
        /// The Message-ID.
        id: MessageId,
    },
    /// What ops should know at a glance.
    Status,
    /// Customer and ticket that a mail would be decided with.
    Case {
        /// What it is found by.
        query: CaseQuery,
    },
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Response {
    /// Records, oldest first; none when the Message-ID is unknown.
    Records {
        /// The records.
        records: Vec<MailRecord>,
    },
    /// Customer and ticket.
    Case {
        /// The case.
        case: Box<Case>,
    },
    /// What ops should know at a glance.
    Status {
        /// Mails for which something was drafted or forwarded, and those held at a cap.
        paces: InboxPaces,
        /// Records of which an effect came undone: a person has to act.
        reopened: Vec<MailRecord>,
    },
    /// The request could not be answered.
    Error {
        /// Why.
        why: String,
    },
}

/// What can go wrong with the socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It cannot be opened.
    #[error(
        "the control socket {path} cannot be opened: {source}; set `control-socket` to a path the daemon can create"
    )]
    Open {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The daemon does not answer.
    #[error("the daemon does not answer on {path}: {source}")]
    Ask {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The daemon answers something else.
    #[error("the daemon's answer is not understood: {0}; is it of another version?")]
    Answer(String),
}

/// The serving task; ends when it is dropped, and the socket with it.
#[derive(Debug)]
pub struct Served {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket and answers on it. The caller owns the ledger, so a socket file that is there
/// already was left behind.
///
/// # Errors
/// When the socket cannot be created.
#[expect(clippy::unused_async, reason = "a listener needs the runtime")]
pub async fn serve(path: &Path, ledger: Ledger, accounts: Vec<String>) -> Result<Served, ControlError> {
    let failed = |source| ControlError::Open { path: path.to_owned(), source };
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let task = tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (ledger, accounts) = (ledger.clone(), accounts.clone());
            tokio::spawn(async move {
                let _ =
                    tokio::time::timeout(Duration::from_secs(30), converse(stream, &ledger, &accounts)).await;
            });
        }
    });
    Ok(Served { path: path.to_owned(), task })
}

async fn converse(stream: UnixStream, ledger: &Ledger, accounts: &[String]) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_REQUEST)).read_line(&mut line).await?;
    let response = match serde_json::from_str::<Request>(&line) {
        Err(error) => Response::Error { why: format!("the request is not understood: {error}") },
        Ok(request) => {
            let accounts = accounts.to_vec();
            ledger
                .run(move |store| answer(store, &accounts, &request))
                .await
                .unwrap_or_else(|error| Response::Error { why: error.to_string() })
        }
    };
    let mut text = serde_json::to_string(&response).map_err(std::io::Error::other)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

/// Answers a request from the store: the same with and without a daemon.
///
/// # Errors
/// When the store cannot be read.
pub fn answer(store: &Store, accounts: &[String], request: &Request) -> Result<Response, LedgerError> {
    Ok(match request {
        Request::Explain { id } => Response::Records { records: store.find(accounts, id)? },
        Request::Status => Response::Status { paces: store.inbox_paces()?, reopened: store.reopened()? },
        Request::Case { query } => Response::Case { case: Box::new(store.case(query)?) },
    })
}

/// Whether a daemon listens on the socket.
#[must_use]
pub fn answers(path: &Path) -> bool {
    StdUnixStream::connect(path).is_ok()
}

/// Asks the running daemon.
///
/// # Errors
/// When none answers, or something else does.
pub fn ask(path: &Path, request: &Request) -> Result<Response, ControlError> {
    let failed = |source| ControlError::Ask { path: path.to_owned(), source };
    let mut stream = StdUnixStream::connect(path).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(failed)?;
    let mut text = serde_json::to_string(request).map_err(|e| ControlError::Answer(e.to_string()))?;
    text.push('\n');
    stream.write_all(text.as_bytes()).map_err(failed)?;
    let mut line = String::new();
    StdBufReader::new(stream).read_line(&mut line).map_err(failed)?;
    serde_json::from_str(&line).map_err(|e| ControlError::Answer(e.to_string()))
}
