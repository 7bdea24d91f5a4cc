//! One watched folder for ever: connect, work, and after any trouble try again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use super::backoff::Backoff;
use super::health::{self, WATCHING};
use super::worker::{STEP, WorkError, Worker};
use crate::config::Account;
use crate::edge::imap::{Imap, ImapError};
use crate::edge::ledger::{FolderKey, LedgerError};
use crate::edge::smtp::Smtp;
use crate::edge::{EdgeError, Trouble, metrics, token};

/// A session that lived so long was a good one.
const GOOD_SESSION: Duration = Duration::from_mins(1);

/// What the log has been told: one line for each change of state, not for each attempt. A line that
/// comes and goes within a minute is still the same trouble.
#[derive(Debug, Default)]
struct Told {
    down: Option<Trouble>,
    up: bool,
    /// The token cannot be renewed.
    token: bool,
}

/// What a session has come to.
#[derive(Debug, Default)]
struct Lived {
    watched_since: Option<Instant>,
    /// Mails that were done with.
    settled: usize,
}

/// Watches one folder for ever; only a failure of the ledger ends it.
pub(super) async fn watch(shared: &Shared, account: &Account, folder: &str) -> Result<(), LedgerError> {
    let key = FolderKey { account: account.name.clone(), folder: folder.to_owned() };
    let mut backoff = Backoff::default();
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let spread = hasher.finish();
    let mut told = Told::default();
    while !shared.stopping() {
        shared.alive_for(&key, STEP);
        let mut lived = Lived::default();
        let result = Box::pin(session(shared, account, &key, &mut lived, &mut told)).await;
        let error = match result {
            Ok(End::Stopped | End::Waiting) => return Ok(()),
            Ok(End::Nudged) => continue,
            Err(WorkError::Ledger(error)) => return Err(error),
            Err(WorkError::Mailbox(error)) => error,
        };
        let long = lived.watched_since.is_some_and(|since| since.elapsed() >= GOOD_SESSION);
        if long {
            told.down = None;
        }
        // on a line that is cut every few seconds, work that gets on must not wait ever longer
        if long || lived.settled > 0 {
            backoff.reset();
        }
        let closed = shared.gates.closed_for(&account.imap).unwrap_or_default();
        let pause = backoff.next(spread).max(closed);
        let text = error.to_string();
        shared.note(&key, &text);
        metrics::reconnect(&key, health::reason(&error));
        if told.down != Some(error.trouble()) {
            tracing::warn!(account = %key.account, folder = %key.folder, error = %text, "not connected; trying again");
            told = Told { down: Some(error.trouble()), up: false, ..told };
        }
        shared.alive_for(&key, pause.saturating_add(STEP));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.stopped() => {}
        }
    }
    Ok(())
}

/// Why a connection was ended by us.
enum End {
    /// The daemon stops, and nothing is under way.
    Stopped,
    /// The daemon stops in the middle of a wait.
    Waiting,
    /// A command wants something done at once. A wait cannot be broken off without harm to the
    /// connection, so it is made afresh.
    Nudged,
}

async fn connect(shared: &Shared, account: &Account) -> Result<Imap, ImapError> {
    shared.gates.pass(&account.imap)?;
    let connected = Imap::connect(&account.imap, account.drafts.as_deref()).await;
    match &connected {
        Ok(_) => shared.gates.note(&account.imap, false),
        Err(ImapError::Login(error)) if error.is_refusal() => shared.gates.note(&account.imap, true),
        Err(_) => {}
    }
    connected
}

/// Renews the token at three quarters of its life, also while the connection does not need one: who
/// is told early that it is refused still has time.
async fn keep_token(shared: &Shared, account: &Account, told: &mut Told) {
    let Some(oauth2) = &account.oauth2 else { return };
    let refused = token::access(oauth2).await.err().filter(token::TokenError::is_refusal);
    let text = refused.map(|error| error.to_string());
    if let Some(text) = text.as_ref().filter(|_| !told.token) {
        tracing::error!(account = %account.name, error = %text,
            "the token cannot be renewed: the mailbox will be lost when it expires");
    }
    told.token = text.is_some();
    shared.degraded(&account.name, text);
}

/// One connection, from login to its end.
async fn session(
    shared: &Shared,
    account: &Account,
    key: &FolderKey,
    lived: &mut Lived,
    told: &mut Told,
) -> Result<End, WorkError<ImapError>> {
    let mailbox = connect(shared, account).await.map_err(WorkError::Mailbox)?;
    let outbox = account.smtp.clone().map(|server| Smtp::new(server, shared.gates.clone()));
    let mut worker = Worker::new(shared, account, &key.folder, mailbox, outbox);
    worker.open().await?;
    if !told.up {
        tracing::info!(account = %key.account, folder = %key.folder, "watching");
        told.up = true;
    }
    shared.note(key, WATCHING);
    lived.watched_since = Some(Instant::now());
    let end = Box::pin(keep_up(shared, account, key, &mut worker, told)).await;
    lived.settled = worker.settled;
    if matches!(end, Ok(End::Stopped)) {
        worker.into_mailbox().logout().await;
    }
    end
}

/// Handles what there is and what comes, until the connection ends.
async fn keep_up(
    shared: &Shared,
    account: &Account,
    key: &FolderKey,
    worker: &mut Worker<'_, Imap, Smtp>,
    told: &mut Told,
) -> Result<End, WorkError<ImapError>> {
    loop {
        // from here on no nudge is missed, also while mails are being handled
        let nudged = shared.state.nudge.notified();
        worker.catch_up().await?;
        shared.synced(key);
        keep_token(shared, account, told).await;
        if shared.stopping() {
            return Ok(End::Stopped);
        }
        tokio::select! {
            waited = worker.wait() => waited?,
            () = shared.stopped() => return Ok(End::Waiting),
            () = nudged => return Ok(End::Nudged),
        }
    }
}
