//! The daemon: one task for each watched folder, each the same flow: wait, pull, read, decide,
//! record, act.

pub mod act;
mod alerts;
pub mod backoff;
mod crash;
mod forward;
mod fresh;
mod handle;
pub mod health;
pub mod inbox;
mod intend;
pub mod learn;
pub mod nightly;
pub mod plan;
pub mod reading;
pub mod recover;
pub mod reload;
pub mod service;
mod service_draft;
pub mod service_mail;
mod sets;
pub mod simulate;
mod supervise;
pub mod undo;
mod watch;
pub mod worker;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::classify::Classifier;
use crate::config::{Config, InDoubt, Mode, OAuth2};
use crate::decide::Rulebook;
use crate::decide::pace::Pace;
use crate::edge::ledger::keys::hex;
use crate::edge::ledger::{FolderKey, Ledger, LedgerError, retention};
use crate::edge::login::Gates;
use crate::edge::models::Models;
use crate::edge::systemd::Systemd;
use crate::edge::{Clock, control, http};
use supervise::supervise;

/// How long a stop waits for effects that are under way.
const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// What all tasks share.
pub struct Shared {
    policy: reload::Cell,
    /// The ledger.
    pub ledger: Ledger,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Whether anything is changed on the servers.
    pub mode: Mode,
    /// Attempts after which a mail is left to a person.
    pub attempts: u32,
    /// Largest original that is forwarded, in bytes.
    pub forward_cap_bytes: u32,
    /// What is done with a forward of which nobody knows whether it was sent.
    pub forward_in_doubt: InDoubt,
    /// So long nothing is deleted after the wall clock has jumped.
    pub clock_rest: Duration,
    /// Shortest pause before an effect is tried again.
    pub retry_floor: Duration,
    /// The name under which mails are claimed: the same for this machine and state directory.
    pub instance: String,
    /// Counts refused logins.
    pub gates: Gates,
    /// Accounts that log in with tokens.
    logins: Vec<(String, OAuth2)>,
    state: State,
}

struct State {
    health: health::Health,
    stop: AtomicBool,
    stop_signal: tokio::sync::Notify,
    nudge: tokio::sync::Notify,
    reload: tokio::sync::Notify,
    /// When the queue folders of each account were looked at.
    looks: Mutex<BTreeMap<String, Instant>>,
    /// Mails held at a cap against loops.
    held: Mutex<Pace>,
}

impl Shared {
    /// What tasks share, from a config and what was loaded for it.
    #[must_use]
    pub fn new(
        config: &Config,
        book: Rulebook,
        classifier: Classifier,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            policy: reload::Cell::new(book, classifier, clock.now()),
            ledger,
            clock,
            mode: config.mode,
            attempts: config.attempts,
            forward_cap_bytes: config.forward_cap_bytes,
            forward_in_doubt: config.forward_in_doubt,
            clock_rest: retention::REST,
            retry_floor: Duration::from_secs(5),
            instance: instance(&config.state_dir),
            gates: Gates::default(),
            logins: config
                .accounts
                .iter()
                .filter_map(|account| Some((account.name.clone(), account.oauth2.clone()?)))
                .collect(),
            state: State {
                health: health::Health::default(),
                stop: AtomicBool::new(false),
                stop_signal: tokio::sync::Notify::new(),
                nudge: tokio::sync::Notify::new(),
                reload: tokio::sync::Notify::new(),
                looks: Mutex::new(BTreeMap::new()),
                held: Mutex::new(Pace::default()),
            },
        }
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> reload::InForce {
        self.policy.get()
    }

    /// Whether the daemon is about to stop: nothing new is begun.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.state.stop.load(Ordering::Relaxed)
    }

    /// Asks every task to stop after what it is doing.
    pub fn stop(&self) {
        self.state.stop.store(true, Ordering::Relaxed);
        self.state.stop_signal.notify_waiters();
    }

    async fn stopped(&self) {
        let notified = self.state.stop_signal.notified();
        if !self.stopping() {
            notified.await;
        }
    }

    /// Something is to be done on the servers: every task connects afresh and looks.
    pub fn nudge(&self) {
        self.state.nudge.notify_waiters();
    }

    /// Whether the queue folders of an account were not looked at for so long; if so, now is the look.
    pub(crate) fn is_time_to_look(&self, account: &str, pause: Duration) -> bool {
        let mut looks = self.state.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looks.get(account).is_none_or(|at| at.elapsed() >= pause);
        if due {
            looks.insert(account.to_owned(), Instant::now());
        }
        due
    }

    /// Takes note of how many mails were held at a cap.
    pub(crate) fn note_held(&self, held: &Pace) {
        *self.state.held.lock().unwrap_or_else(PoisonError::into_inner) = held.clone();
    }

    /// A place where a test may end the process: `EVENKEEL_CRASH_AT=<step>:<n>` kills it the n-th
    /// time the step is reached. Debug builds only.
    pub fn crash_point(&self, step: &str) {
        if cfg!(debug_assertions) {
            crash::point(step);
        }
    }
}

/// Eight letters that tell two daemons apart which work on one mailbox. A state that was lost and
/// begun afresh in the same place keeps its name.
fn instance(state_dir: &Path) -> String {
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let dir = std::fs::canonicalize(state_dir).unwrap_or_else(|_| state_dir.to_owned());
    let digest = Sha256::new().chain_update(machine.trim()).chain_update(dir.as_os_str().as_encoded_bytes());
    hex(digest.finalize().iter().take(4))
}

/// Why the daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] control::ControlError),
    /// The pages over HTTP.
    #[error(transparent)]
    Http(#[from] http::HttpError),
    /// A task has panicked: the process ends, so that systemd starts it afresh.
    #[error("{0} has panicked; the log says where: please report it")]
    Panicked(String),
    /// A signal handler cannot be set.
    #[error("signals cannot be watched: {0}")]
    Signals(std::io::Error),
}

/// Runs until SIGTERM or SIGINT, or until the ledger fails. SIGHUP reads the policy again with `load`.
///
/// # Errors
/// See [`DaemonError`].
pub async fn run(config: Config, shared: Arc<Shared>, load: reload::Loader) -> Result<(), DaemonError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup()).map_err(DaemonError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Signals)?;
    let systemd = Systemd::from_environment();
    let server = control::serve(&config.control_socket, host(&config, &shared)).await?;
    let http = http::serve(&config.http, pages(&config, &shared)).await?;

    let mut tasks = JoinSet::new();
    for account in &config.accounts {
        for folder in &account.folders {
            let key = FolderKey { account: account.name.clone(), folder: folder.clone() };
            shared.note(&key, "connecting");
            let (shared, account, folder) = (shared.clone(), account.clone(), folder.clone());
            tasks.spawn(async move {
                let name = format!("{}/{folder}", account.name);
                match supervise(&name, || Box::pin(watch::watch(&shared, &account, &folder))).await {
                    Ok(outcome) => outcome.map_err(DaemonError::Ledger),
                    Err(task) => Err(DaemonError::Panicked(task)),
                }
            });
        }
    }
    let pulsing = shared.clone();
    tasks.spawn(async move { pulsing.pulse().await.map_err(DaemonError::Ledger) });
    if config.mode == Mode::Act {
        let (shared, path) = (shared.clone(), config.path.clone());
        tasks.spawn(async move { Box::pin(nightly::run(shared, path)).await.map_err(DaemonError::Ledger) });
    }
    let (watching, wanted) = (shared.clone(), config.clone());
    tasks.spawn(async move { Box::pin(alerts::watch(watching, wanted)).await.map_err(DaemonError::Ledger) });
    tracing::info!(accounts = config.accounts.len(), mode = ?config.mode, "evenkeel is running");
    let paces = shared.ledger.run(|store| store.inbox_paces()).await?;
    shared.note_held(&paces.held);
    systemd.ready(&shared.line());

    let mut tick = tokio::time::interval(systemd.watchdog_interval());
    let outcome = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => reload::reload(&shared, &config, &load, &systemd).await,
            () = shared.state.reload.notified() => reload::reload(&shared, &config, &load, &systemd).await,
            _ = tick.tick() => {
                systemd.status(&shared.line());
                if shared.stuck().is_empty() {
                    systemd.feed_watchdog();
                }
            }
            ended = tasks.join_next() => match ended {
                Some(Ok(Err(error))) => break Err(error),
                Some(Ok(Ok(()))) => {}
                // its message may hold what a mail says
                Some(Err(_)) => break Err(DaemonError::Panicked("a task".into())),
                None => break Ok(()),
            },
        }
    };
    systemd.stopping();
    shared.stop();
    let all_done = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_PATIENCE, all_done).await.is_err() {
        tracing::warn!("effects under way were broken off; they are finished at the next start");
    }
    drop((server, http));
    outcome
}

/// What the control socket answers with.
fn host(config: &Config, shared: &Arc<Shared>) -> control::Host {
    let (of_status, of_nudge, of_reload) = (shared.clone(), shared.clone(), shared.clone());
    control::Host {
        ledger: shared.ledger.clone(),
        accounts: account_names(config),
        clock: shared.clock.clone(),
        status: Arc::new(move || of_status.report()),
        nudge: Arc::new(move || of_nudge.nudge()),
        reload: Arc::new(move || of_reload.state.reload.notify_one()),
    }
}

/// What the pages over HTTP show.
fn pages(config: &Config, shared: &Arc<Shared>) -> http::Host {
    let (of_stuck, of_rules, of_models) = (shared.clone(), shared.clone(), shared.clone());
    let models = Models::of(&config.state_dir);
    http::Host {
        control: host(config, shared),
        stuck: Arc::new(move || of_stuck.stuck()),
        learning: Arc::new(move || of_rules.policy().book.policy.learning.clone()),
        scorecard: Arc::new(move |examples| {
            let (policy, models) = (of_models.policy(), &models);
            let rules = &policy.book.policy.learning;
            let locals = inbox::examples_of(&examples.corrections, rules);
            inbox::scorecard(&policy.classifier, models, rules, examples, &locals)
        }),
        text: config.http.show_text.then(|| reading::reader(&config.accounts, shared)),
    }
}

/// Names of the accounts of a config.
#[must_use]
pub fn account_names(config: &Config) -> Vec<String> {
    config.accounts.iter().map(|account| account.name.clone()).collect()
}
