//! One watched folder: find new mails, handle each once, finish what was begun.

use std::time::Duration;

use tokio::time::Instant;

use super::{Shared, backoff::Backoff};
use crate::config::{Account, Mode, Start};
use crate::decide::Keyword;
use crate::edge::ledger::{Begun, Cursor, FolderKey, LedgerError};
use crate::edge::{EdgeError, FolderState, Mailbox, Outbox, Uid};
use crate::time::Timestamp;

/// Time within which one step with a server comes to an end, all time limits included.
pub(super) const STEP: Duration = Duration::from_mins(10);

/// What is fetched of a mail to read it; the parser reads no more.
pub(super) const READ_CAP: u32 = 1024 * 1024;

/// How far back mails are looked at again when a folder's UIDs have changed.
const RESYNC: Duration = Duration::from_hours(720);

/// Why a session with a mailbox ends.
#[derive(Debug, thiserror::Error)]
pub enum WorkError<E: EdgeError> {
    /// The mailbox: connect again.
    #[error(transparent)]
    Mailbox(E),
    /// The ledger: stop, nothing may be done that is not recorded.
    #[error(transparent)]
    Ledger(LedgerError),
}

/// Handles one folder over one connection.
pub struct Worker<'a, M: Mailbox, O: Outbox> {
    pub(super) shared: &'a Shared,
    pub(super) account: &'a Account,
    pub(super) folder: FolderKey,
    pub(super) mailbox: M,
    pub(super) outbox: Option<O>,
    /// When open records are tried again, and how often they were.
    pub(super) retry_at: Option<Instant>,
    pub(super) retries: Backoff,
    pub(super) uid_validity: u32,
    pub(super) next: Uid,
    pub(super) read_only: bool,
    /// When the folder was seen first: older mail is nobody's business.
    pub(super) began: Timestamp,
    /// The way to colleagues did not work: it is not tried for every mail, only when open records are
    /// tried again.
    pub(super) smtp_waits: bool,
    /// Mails that were done with over this connection.
    pub(super) settled: usize,
    /// What was done with the last set, on its way to the disk.
    pub(super) writing: Option<Begun<()>>,
}

impl<'a, M: Mailbox, O: Outbox> Worker<'a, M, O> {
    /// A worker for `folder` of `account`. Call [`Worker::open`] first.
    pub fn new(
        shared: &'a Shared,
        account: &'a Account,
        folder: &str,
        mailbox: M,
        outbox: Option<O>,
    ) -> Self {
        let folder = FolderKey { account: account.name.clone(), folder: folder.to_owned() };
        Self {
            shared,
            account,
            folder,
            mailbox,
            outbox,
            retry_at: None,
            retries: Backoff::default(),
            uid_validity: 0,
            next: 0,
            read_only: false,
            began: Timestamp::default(),
            smtp_waits: false,
            settled: 0,
            writing: None,
        }
    }

    /// Opens the folder, finds the place to go on from, and finishes what an earlier run began.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn open(&mut self) -> Result<(), WorkError<M::Error>> {
        let state = self.mailbox.select(&self.folder.folder).await.map_err(WorkError::Mailbox)?;
        self.read_only = state.read_only;
        self.uid_validity = state.uid_validity;
        if state.read_only {
            tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                "the folder is read-only: mails are only observed");
        } else if !state.keywords.any && Keyword::all().any(|keyword| !state.keywords.allows(keyword)) {
            tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                "the server allows no new keywords here: folders and the ledger tell what was found");
        }
        self.next = self.find_place(&state).await?;
        self.resume().await
    }

    /// Whether anything may be changed here.
    pub(super) fn acting(&self) -> bool {
        self.shared.mode == Mode::Act && !self.read_only
    }

    pub(super) fn cursor(&self, uid_next: Uid) -> Cursor {
        Cursor { uid_validity: self.uid_validity, uid_next, began: self.began }
    }

    async fn find_place(&mut self, state: &FolderState) -> Result<Uid, WorkError<M::Error>> {
        let folder = self.folder.clone();
        let cursor =
            self.shared.ledger.run(move |store| store.cursor(&folder)).await.map_err(WorkError::Ledger)?;
        let now = self.shared.clock.now();
        self.began = cursor.map_or(now, |cursor| cursor.began);
        let since = match cursor {
            Some(cursor) if cursor.uid_validity == state.uid_validity => {
                // a folder without mails may leave UIDNEXT out
                if state.uid_next == 0 || state.uid_next >= cursor.uid_next {
                    return Ok(cursor.uid_next);
                }
                tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                    "the folder's UIDNEXT has gone back, as after a restore: mails are recognised by content");
                Some(now.minus(RESYNC).max(self.began))
            }
            Some(_) => {
                tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                    "the folder's UIDVALIDITY has changed: mails are recognised by content");
                Some(now.minus(RESYNC).max(self.began))
            }
            None => match self.account.start {
                Start::Now => None,
                Start::Age(age) => {
                    self.began = now.minus(age);
                    Some(self.began)
                }
            },
        };
        let found = match since {
            Some(at) => self.mailbox.since(at).await.map_err(WorkError::Mailbox)?,
            None => None,
        };
        let next = found.unwrap_or(state.uid_next).max(1);
        self.advance(next).await?;
        Ok(next)
    }

    pub(super) async fn advance(&mut self, next: Uid) -> Result<(), WorkError<M::Error>> {
        self.next = next;
        let cursor = self.cursor(next);
        let folder = self.folder.clone();
        self.shared
            .ledger
            .run(move |store| store.set_cursor(&folder, cursor))
            .await
            .map_err(WorkError::Ledger)
    }

    /// Handles everything that is new; how many mails that were.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn catch_up(&mut self) -> Result<usize, WorkError<M::Error>> {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.resume().await?;
        }
        self.undo().await?;
        let mut handled = 0;
        loop {
            let listed = self.mailbox.list(self.next).await.map_err(WorkError::Mailbox)?;
            if listed.is_empty() {
                // new mail first: what agents and the clock have to say can wait for it
                Box::pin(self.serve()).await?;
                return Ok(handled);
            }
            handled += Box::pin(self.handle_all(listed)).await?;
            if self.shared.stopping() {
                return Ok(handled);
            }
        }
    }

    /// Waits until something may have happened in the folder, or there is something to try again.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn wait(&mut self) -> Result<(), WorkError<M::Error>> {
        let mut at_most = Duration::from_secs(self.account.poll_secs);
        if let Some(at) = self.retry_at {
            at_most =
                at_most.min(at.saturating_duration_since(Instant::now()).max(Duration::from_millis(50)));
        }
        self.shared.alive_for(&self.folder, at_most.saturating_add(STEP));
        self.mailbox.wait(at_most).await.map_err(WorkError::Mailbox)
    }

    /// The mailbox, for a goodbye.
    pub fn into_mailbox(self) -> M {
        self.mailbox
    }
}
