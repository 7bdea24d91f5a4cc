//! `run` and `check`.

use std::sync::Arc;

use anyhow::Context;

use super::classify::classifier;
use super::{BadFiles, output};
use crate::config::Config;
use crate::config::read::warnings;
use crate::daemon::{self, Shared};
use crate::decide::Rulebook;
use crate::edge::clock::SystemClock;
use crate::edge::ledger::Ledger;
use crate::reply::Playbooks;

/// The rulebook of a config.
///
/// # Errors
/// When the playbooks cannot be used.
pub fn rulebook(config: &Config) -> anyhow::Result<Rulebook> {
    let playbooks = Playbooks::shipped()
        .map_err(|problems| BadFiles(problems.iter().map(ToString::to_string).collect()))?;
    Ok(Rulebook { policy: config.policy.clone(), company: config.company.clone(), playbooks })
}

/// `run`.
///
/// # Errors
/// When something cannot be loaded, or the ledger fails.
pub fn run(config: Config) -> anyhow::Result<()> {
    let classifier = classifier(Some(&config))?;
    let book = rulebook(&config)?;
    for warning in warnings(&config) {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("evenkeel")
        .build()
        .context("the runtime cannot start")?;
    let ledger = Ledger::open(&config.state_dir)?;
    runtime.block_on(async move {
        let shared = Arc::new(Shared::new(&config, book, classifier, ledger, Arc::new(SystemClock)));
        match daemon::run(config, shared).await {
            Err(daemon::DaemonError::Ledger(error)) => Err(error.into()),
            other => Ok(other?),
        }
    })
}

/// `check`.
///
/// # Errors
/// With every problem of model, rules, playbooks and passwords.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for loaded in [classifier(Some(config)).map(drop), rulebook(config).map(drop)] {
        problems.extend(loaded.err().map(|error| error.to_string()));
    }
    for account in &config.accounts {
        for server in std::iter::once(&account.imap).chain(&account.smtp).filter(|s| !s.user.is_empty()) {
            // a credential is there only when systemd has started us
            if server.password_credential.is_none() {
                problems.extend(
                    server.password().err().map(|error| format!("account {:?}: {error}", account.name)),
                );
            }
            problems.extend(
                crate::edge::wire::ca_certificates(server)
                    .err()
                    .map(|error| format!("account {:?}: {error}", account.name)),
            );
        }
    }
    for warning in warnings(config) {
        output::say(&format!("warning: {warning}"));
    }
    if !problems.is_empty() {
        return Err(BadFiles(problems).into());
    }
    output::line(&format!("{}: good", config.path.display()))
}
