//! The policy in force, and how a new one takes its place: all of it or nothing.

use std::sync::{Arc, PoisonError, RwLock};

use crate::classify::Classifier;
use crate::config::Config;
use crate::decide::Rulebook;
use crate::edge::systemd::Systemd;
use crate::time::Timestamp;

use super::Shared;

/// What is read from the config and its files besides connections.
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// Policy, company, playbooks.
    pub book: Rulebook,
    /// Model, rules, thresholds.
    pub classifier: Classifier,
}

/// Reads config, playbooks and model again; every problem on a line of its own.
pub type Loader = Arc<dyn Fn() -> Result<Loaded, String> + Send + Sync>;

/// What a decision follows, swapped as one.
#[derive(Clone)]
pub struct InForce {
    /// Policy, company, playbooks.
    pub book: Arc<Rulebook>,
    /// Model, rules, thresholds.
    pub classifier: Arc<Classifier>,
    /// In force since.
    pub since: Timestamp,
    /// Why the last reload was refused, if it was.
    pub refused: Option<String>,
}

/// The policy in force.
pub(super) struct Cell(RwLock<InForce>);

impl Cell {
    pub(super) fn new(book: Rulebook, classifier: Classifier, since: Timestamp) -> Self {
        let (book, classifier) = (Arc::new(book), Arc::new(classifier));
        Self(RwLock::new(InForce { book, classifier, since, refused: None }))
    }

    pub(super) fn get(&self) -> InForce {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, change: impl FnOnce(&mut InForce)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Shared {
    /// Takes a freshly loaded policy, or keeps the old one and remembers why.
    ///
    /// # Errors
    /// With the problems of the new one.
    pub fn take_policy(&self, loaded: Result<Loaded, String>, running: &Config) -> Result<(), String> {
        match loaded {
            Ok(Loaded { config, book, classifier }) => {
                if needs_restart(running, &config) {
                    tracing::warn!(
                        "mode, accounts, state-dir, control-socket and http are as they were: they change with a restart"
                    );
                }
                for warning in &config.warnings {
                    tracing::warn!("{warning}");
                }
                let now = self.clock.now();
                tracing::info!(
                    rules = book.policy.rules.len(),
                    routes = book.policy.specials.len(),
                    "the new policy is in force"
                );
                self.policy.set(|policy| {
                    *policy = InForce {
                        book: Arc::new(book),
                        classifier: Arc::new(classifier),
                        since: now,
                        refused: None,
                    };
                });
                Ok(())
            }
            Err(why) => {
                for line in why.lines() {
                    tracing::error!(problem = line, "the new policy is refused, the old one stays");
                }
                self.policy.set(|policy| policy.refused = Some(why.clone()));
                Err(why)
            }
        }
    }
}

/// Whether something has changed that only a restart takes up.
fn needs_restart(running: &Config, new: &Config) -> bool {
    running.mode != new.mode
        || running.accounts != new.accounts
        || running.state_dir != new.state_dir
        || running.control_socket != new.control_socket
        || running.http != new.http
}

/// On SIGHUP: reads everything again and tells systemd when it is done.
pub(super) async fn reload(shared: &Shared, running: &Config, load: &Loader, systemd: &Systemd) {
    systemd.reloading();
    let load = load.clone();
    let loaded = tokio::task::spawn_blocking(move || load())
        .await
        .unwrap_or_else(|_| Err("reading the config has failed; please report it".into()));
    crate::edge::metrics::reloaded(shared.take_policy(loaded, running).is_ok());
    systemd.ready(&shared.line());
}
