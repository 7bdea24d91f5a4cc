//! The thread that brings groups of changes into sled and copies bases, one thing after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::LedgerError;
use super::super::journal::{COPIED_AT_ONCE, Changes, Copying};
use super::super::opening::journal_path;
use super::super::store::BATCH;

/// Rest between two steps of a copy: it shall not keep the machine busy.
const REST: Duration = Duration::from_millis(1);

/// What is to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// Bring these changes into sled; it then has everything up to batch `n`.
    Bring {
        /// The changes.
        changes: Arc<Changes>,
        /// Number of the last batch among them.
        n: u64,
    },
    /// Copy this base to its end. One that was being copied is given up.
    Copy {
        /// The base.
        copying: Copying,
        /// Without a rest.
        hurry: bool,
    },
    /// Somebody waits for the base.
    Hurry,
}

/// What was done.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A group is in sled.
    Brought,
    /// A base is in force, and so long in bytes.
    Base(u64),
    /// Nothing more is done.
    Failed(LedgerError),
}

/// The handle on the thread.
#[derive(Debug)]
pub(super) struct Keeper {
    tasks: Option<Sender<Task>>,
    outcomes: Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

/// Writes changes into sled, and then how far it is. Key by key: the journal makes a batch whole, and
/// sled frees the memory of what was replaced a little with each call, in one long batch never.
pub(in super::super) fn bring(db: &sled::Db, changes: &Changes, n: u64) -> Result<(), sled::Error> {
    for (key, value) in changes {
        match value {
            Some(value) => db.insert(key.as_str(), value.as_str())?,
            None => db.remove(key.as_str())?,
        };
    }
    db.insert(BATCH, n.to_string().as_str()).map(drop)
}

impl Keeper {
    /// Starts the thread for the state in `dir`.
    pub(super) fn start(db: sled::Db, dir: &Path) -> Result<Self, LedgerError> {
        let (tasks, queue) = mpsc::channel();
        let (tell, outcomes) = mpsc::channel();
        let dir = dir.to_owned();
        let at = dir.clone();
        let work = Work { db, dir, copying: None, hurry: false };
        let thread = thread::Builder::new()
            .name("ledger-keeper".into())
            .spawn(move || work.run(&queue, &tell))
            .map_err(|source| LedgerError::directory(&at, source))?;
        Ok(Self { tasks: Some(tasks), outcomes, thread: Some(thread) })
    }

    /// Gives a task.
    pub(super) fn order(&self, task: Task) -> Result<(), LedgerError> {
        let tasks = self.tasks.as_ref().ok_or(LedgerError::Stopped)?;
        tasks.send(task).map_err(|_| LedgerError::Stopped)
    }

    /// What was done meanwhile.
    pub(super) fn heard(&self) -> Result<Option<Outcome>, LedgerError> {
        match self.outcomes.try_recv() {
            Ok(outcome) => Ok(Some(outcome)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(LedgerError::Stopped),
        }
    }

    /// Waits for what is done next.
    pub(super) fn wait(&self) -> Result<Outcome, LedgerError> {
        self.outcomes.recv().map_err(|_| LedgerError::Stopped)
    }

    /// Ends the thread, after what it was told. A base that is not finished is left.
    pub(super) fn end(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    db: sled::Db,
    dir: PathBuf,
    copying: Option<Copying>,
    hurry: bool,
}

impl Work {
    fn run(mut self, tasks: &Receiver<Task>, tell: &Sender<Outcome>) {
        loop {
            let rest = if self.hurry { Duration::ZERO } else { REST };
            let task = match self.copying {
                None => tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(_) => tasks.recv_timeout(rest),
            };
            let done = match task {
                Ok(task) => self.begin(task),
                Err(RecvTimeoutError::Timeout) => self.step(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (outcome, failed) = match done {
                Ok(outcome) => (outcome, false),
                Err(error) => (Some(Outcome::Failed(error)), true),
            };
            let gone = outcome.is_some_and(|outcome| tell.send(outcome).is_err());
            if gone || failed {
                return;
            }
        }
    }

    fn begin(&mut self, task: Task) -> Result<Option<Outcome>, LedgerError> {
        match task {
            Task::Bring { changes, n } => {
                bring(&self.db, &changes, n).map_err(|error| LedgerError::sled(&self.dir, error))?;
                return Ok(Some(Outcome::Brought));
            }
            Task::Copy { copying, hurry } => {
                self.copying = Some(copying);
                self.hurry = hurry;
            }
            Task::Hurry => self.hurry = true,
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Option<Outcome>, LedgerError> {
        let Some(mut copying) = self.copying.take() else { return Ok(None) };
        let failed = |source| LedgerError::directory(&self.dir, source);
        if !copying.copy(&self.db, COPIED_AT_ONCE).map_err(failed)? {
            self.copying = Some(copying);
            return Ok(None);
        }
        // the logs that go with the older base are sled's way to what it has not on its disk yet
        self.db.flush().map_err(|error| LedgerError::sled(&self.dir, error))?;
        let bytes = copying.install(&journal_path(&self.dir)).map_err(failed)?;
        Ok(Some(Outcome::Base(bytes)))
    }
}
