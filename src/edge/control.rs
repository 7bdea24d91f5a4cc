//! The control socket: sled has one owner, so commands about its state ask the running daemon.
//! One JSON request a line, one JSON answer a line, over a Unix socket that only the daemon's user
//! can open.

mod words;

use std::io::{BufRead, BufReader as StdBufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::Clock;
use super::ledger::audit::Line;
use super::ledger::{Ledger, LedgerError, Store};
use crate::decide::Limits;
use crate::time::Timestamp;
pub use words::{Examples, Expiry, FolderHealth, Request, Response, Status};

/// Longest request in bytes.
const MAX_REQUEST: u64 = 64 * 1024;

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

/// What answers need besides the ledger.
#[derive(Clone)]
pub struct Host {
    /// The ledger.
    pub ledger: Ledger,
    /// Names of the accounts.
    pub accounts: Vec<String>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// How the daemon is, as far as the ledger does not know it.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// Something is to be done on the servers at once.
    pub nudge: Arc<dyn Fn() + Send + Sync>,
    /// Policy and model are to be read again.
    pub reload: Arc<dyn Fn() + Send + Sync>,
}

/// Opens the socket and answers on it. The caller owns the ledger, so a socket file that is there
/// already was left behind.
///
/// # Errors
/// When the socket cannot be created.
#[expect(clippy::unused_async, reason = "a listener needs the runtime")]
pub async fn serve(path: &Path, host: Host) -> Result<Served, ControlError> {
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
            let host = host.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(Duration::from_secs(30), converse(stream, &host)).await;
            });
        }
    });
    Ok(Served { path: path.to_owned(), task })
}

async fn converse(stream: UnixStream, host: &Host) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX_REQUEST)).read_line(&mut line).await?;
    let response = match serde_json::from_str::<Request>(&line) {
        Err(error) => Response::Error(format!("the request is not understood: {error}")),
        Ok(request) => {
            let (accounts, now) = (host.accounts.clone(), host.clock.now());
            let nudge = matches!(request, Request::Undo { .. } | Request::Retry { .. });
            let reload = matches!(request, Request::Reload);
            let base = (host.status)();
            let response = host
                .ledger
                .run(move |store| answer(store, &accounts, now, base, &request))
                .await
                .unwrap_or_else(|error| Response::Error(error.to_string()));
            if nudge {
                (host.nudge)();
            }
            if reload {
                (host.reload)();
            }
            response
        }
    };
    let mut text = serde_json::to_string(&response).map_err(std::io::Error::other)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

/// Answers a request from the store: the same with and without a daemon. What is wrong with the
/// audit is an answer; what is wrong with the store is an error.
///
/// # Errors
/// When the store cannot be read or written.
pub fn answer(
    store: &mut Store,
    accounts: &[String],
    now: Timestamp,
    base: Status,
    request: &Request,
) -> Result<Response, LedgerError> {
    Ok(match request {
        Request::Explain { id } => Response::Records(store.find(accounts, id)?),
        Request::Case { query } => Response::Case(Box::new(store.case(query)?)),
        Request::Status => Response::Status(Box::new(status(store, now, base)?)),
        Request::Tickets { filter } => Response::Tickets(store.tickets(filter, now)?),
        Request::Resolve { number, author } => {
            Response::Tickets(store.resolve(number, author, now)?.into_iter().collect())
        }
        Request::Customer { who } => Response::Customers(vec![store.show_customer(who, now)?]),
        Request::Customers => Response::Customers(store.marked_customers(now)?),
        Request::Change { who, change, author } => {
            Response::Customers(vec![store.change_customer(who, change, author, now)?])
        }
        Request::Undo { undo, author } => Response::Undone(store.undo(accounts, undo, author, now)?),
        Request::Retry { id, author } => {
            Response::Retried(store.retry(accounts, id.as_ref(), author, now)?)
        }
        Request::Label { id, statement, rules, author } => {
            Response::Labelled(store.label(accounts, id, statement, (author, now), rules)?)
        }
        Request::SettleHeld { counts, author } => Response::Settled(store.settle_held(*counts, author, now)?),
        Request::TakeBack { person, since, author } => {
            Response::Settled(store.take_back(person, *since, author, now)?)
        }
        Request::Examples => Response::Examples(Box::new(Examples::of(store)?)),
        Request::Trained { on, outcome } => {
            store.trained(now, *on, outcome)?;
            Response::Noted
        }
        // the daemon does it when it has answered; on the files there is nothing to do
        Request::Reload => Response::Noted,
        Request::Audit { since, limit } => match newest(store, *since, *limit) {
            Ok(lines) => Response::Audit(lines),
            Err(broken) => Response::Error(broken.to_string()),
        },
        Request::VerifyAudit => match store.verify_audit() {
            Ok(lines) => Response::Verified(lines),
            Err(LedgerError::Audit(broken)) => Response::Error(broken.to_string()),
            Err(other) => return Err(other),
        },
        Request::Backup => Response::Backup(store.backup()?),
        Request::Export { who } => Response::Export(Box::new(store.export(who, now)?)),
        Request::Erase { who, despite_hold, author } => {
            match store.erase(who, *despite_hold, author, now)? {
                Ok(receipt) => Response::Erased(receipt),
                Err(hold) => Response::OnHold(hold),
            }
        }
    })
}

fn newest(
    store: &Store,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Line>, super::ledger::audit::AuditError> {
    let mut lines = std::collections::VecDeque::new();
    super::ledger::audit::read(store.dir(), |_, _, line| {
        if line.at >= since {
            if lines.len() >= limit {
                lines.pop_front();
            }
            lines.push_back(line);
        }
        true
    })?;
    Ok(lines.into())
}

/// What the ledger knows, laid over `base`.
///
/// # Errors
/// When the store cannot be read.
pub fn status(store: &Store, now: Timestamp, base: Status) -> Result<Status, LedgerError> {
    let tally = store.tally(now)?;
    // queues of the policy are there also when they are empty
    let mut by_queue = base.queues.clone();
    by_queue.extend(tally.queues);
    let care = store.care(now)?;
    let queues = care.queues.iter().map(|(queue, count)| (format!("queue {queue}"), *count));
    let agents = care.agents.iter().map(|(agent, count)| (format!("agent {agent}"), *count));
    let paces = store.inbox_paces()?;
    // the files alone do not know the config: the caps are then those it begins with
    let limits =
        Limits { window_minutes: u32::try_from(base.window_minutes).unwrap_or(0), ..Limits::default() };
    let limits = if base.running { limits } else { Limits::default() };
    let (window, cap) = (limits.window(), if base.running { base.answered_cap } else { limits.in_all });
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        open_tickets: tally.states.values().sum(),
        overdue: tally.overdue,
        tickets: tally.states,
        queues: by_queue,
        legal_waiting: tally.legal_waiting,
        oldest_pending: store.oldest_pending(),
        store_bytes: store.bytes(),
        under_way: store.under_way(),
        marked_customers: count(store.marked_customers(now)?.len()),
        window_minutes: window.as_secs() / 60,
        answered: paces.all.recent(window, now),
        answered_cap: cap,
        held_at_cap: paces.held.recent(window, now),
        reopened: store.reopened()?.into_iter().filter_map(|record| record.message_id).collect(),
        hostile: queues.chain(agents).collect(),
        edits: store.edits()?,
        ..base
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
