//! The ledger: what was intended, what was done, and what is known of customers and tickets, in
//! sled.
//!
//! sled has one owner and blocks, so one thread owns it ([`Ledger`] is the handle). Jobs are run in
//! groups and made durable together: an answer comes only after an `fdatasync` of the journal, in
//! which every batch is before it is in sled (`docs/decisions/0002-sled.md`).

mod attempts;
pub mod audit;
pub mod backup;
mod ballast;
pub mod cases;
pub mod customers;
pub mod edits;
pub mod erase;
pub mod examples;
mod index;
mod journal;
pub mod keys;
mod line;
mod mails;
pub mod opening;
mod owner;
mod rare;
pub mod recall;
pub mod record;
pub mod retention;
pub mod store;
pub mod tickets;
pub mod undo;
pub mod view;

use std::path::Path;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::edge::{EdgeError, Retry};
pub use cases::CaseQuery;
pub use record::{Cursor, Effect, EffectRecord, EffectState, FolderKey, MailKey, MailRecord, MailState};
pub use store::Store;

/// What can go wrong with the ledger. All of it stops the daemon: no effect without its intent.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process owns the state.
    #[error(
        "the state in {dir} is in use by {owner}: stop that one first, or ask it over its control socket"
    )]
    Locked {
        /// The state directory.
        dir: String,
        /// `process 4711`, or `another evenkeel`.
        owner: String,
    },
    /// The directory cannot be used.
    #[error(
        "the state directory {dir} cannot be used: {source}; create it and make it writable for the daemon's user only"
    )]
    Directory {
        /// The state directory.
        dir: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error("the disk of the state directory {dir} is full: free some space; nothing was lost")]
    Full {
        /// The state directory.
        dir: String,
    },
    /// sled reports an error.
    #[error(
        "the state in {dir} cannot be read or written: {source}; free space on its disk, or move the directory aside to start afresh from the mailbox"
    )]
    Sled {
        /// The state directory.
        dir: String,
        /// What sled says.
        source: sled::Error,
    },
    /// A record is not what this version writes.
    #[error(
        "the record {key} in the state is damaged: {source}; move the state directory aside to start afresh from the mailbox"
    )]
    Record {
        /// The record's key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The state was written by a newer version.
    #[error(
        "the state is of format {found}, this evenkeel writes format {known}: install the newer version again"
    )]
    Newer {
        /// Format found.
        found: u32,
        /// Newest format known.
        known: u32,
    },
    /// The audit cannot be written.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    /// The owner thread is gone.
    #[error("the ledger has stopped after an earlier error")]
    Stopped,
}

impl LedgerError {
    fn directory(dir: &Path, source: std::io::Error) -> Self {
        let dir = dir.display().to_string();
        if source.kind() == std::io::ErrorKind::StorageFull {
            Self::Full { dir }
        } else {
            Self::Directory { dir, source }
        }
    }

    fn sled(dir: &Path, source: sled::Error) -> Self {
        match source {
            sled::Error::Io(source) => Self::directory(dir, source),
            source => Self::Sled { dir: dir.display().to_string(), source },
        }
    }

    fn locked(dir: &Path, owner: Option<u32>) -> Self {
        let owner = owner.map_or_else(|| "another evenkeel".to_owned(), |pid| format!("process {pid}"));
        Self::Locked { dir: dir.display().to_string(), owner }
    }
}

impl EdgeError for LedgerError {
    fn retry(&self) -> Retry {
        Retry::Never
    }
}

type Job = Box<dyn FnOnce(&mut Store) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// Jobs made durable together.
const GROUP: usize = 64;

/// A handle on the ledger; cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Job>,
}

impl Ledger {
    /// Opens the state in `dir`, created if it does not exist, and starts the thread that owns it.
    ///
    /// # Errors
    /// When the directory or the state in it cannot be used, or another process owns it.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let mut store = Store::open(dir)?;
        ballast::lay(dir).map_err(|source| LedgerError::directory(dir, source))?;
        let (jobs, mut queue) = mpsc::channel::<Job>(1024);
        let run = move || {
            while let Some(first) = queue.blocking_recv() {
                let mut answers = vec![first(&mut store)];
                let mut written = store.write_out();
                while written.is_ok() && answers.len() < GROUP {
                    let Ok(job) = queue.try_recv() else { break };
                    answers.push(job(&mut store));
                    written = store.write_out();
                }
                let begun = tokio::time::Instant::now();
                let durable = written.and_then(|()| store.commit());
                crate::edge::metrics::commit(begun.elapsed());
                let failed = durable.is_err();
                if let Err(error) = durable {
                    tracing::error!(%error, "the ledger stops: it cannot be made durable");
                }
                for answer in answers {
                    answer(if failed { Err(LedgerError::Stopped) } else { Ok(()) });
                }
                if failed {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("ledger".into())
            .spawn(run)
            .map_err(|source| LedgerError::Directory { dir: dir.display().to_string(), source })?;
        Ok(Self { jobs })
    }

    /// Runs `job` on the store and returns its result once everything it wrote is durable.
    ///
    /// # Errors
    /// When the job fails, or what it wrote cannot be made durable.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<R, LedgerError> + Send + 'static,
    ) -> Result<R, LedgerError> {
        self.begin(job).await?.end().await
    }

    /// As [`Ledger::run`], with the end to be waited for later. Jobs run in the order in which they were
    /// handed over.
    ///
    /// # Errors
    /// When the ledger has stopped.
    pub async fn begin<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<R, LedgerError> + Send + 'static,
    ) -> Result<Begun<R>, LedgerError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let result = job(store);
            if result.is_err() {
                store.discard();
            }
            Box::new(move |durable| {
                // nobody listens when the caller was cancelled: what was written stays written
                let _ = tell.send(durable.and(result));
            })
        });
        self.jobs.send(job).await.map_err(|_| LedgerError::Stopped)?;
        Ok(Begun(told))
    }
}

/// A job that was handed over.
#[derive(Debug)]
pub struct Begun<R>(oneshot::Receiver<Result<R, LedgerError>>);

impl<R> Begun<R> {
    /// Its result, once everything it wrote is durable.
    ///
    /// # Errors
    /// As [`Ledger::run`].
    pub async fn end(self) -> Result<R, LedgerError> {
        self.0.await.map_err(|_| LedgerError::Stopped)?
    }
}
