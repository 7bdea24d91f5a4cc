//! `run` and `check`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::classify::classifier;
use super::learn::classifier_in_force;
use super::playbooks::playbooks;
use super::{BadFiles, output};
use crate::config::Config;
use crate::daemon::reload::{Loaded, Loader};
use crate::daemon::{self, Shared};
use crate::decide::route::Special;
use crate::decide::{Name, OwnPlaybooks, Rulebook};
use crate::edge::clock::SystemClock;
use crate::edge::ledger::Ledger;
use crate::edge::systemd::Systemd;

/// The rulebook of a config.
///
/// # Errors
/// When the playbooks cannot be used.
pub fn rulebook(config: &Config) -> anyhow::Result<Rulebook> {
    let (playbooks, own) = playbooks(config.playbooks.as_deref(), Some(&config.policy.learning.labels))?;
    let problems = intake(&config.company);
    if !problems.is_empty() {
        return Err(BadFiles(problems).into());
    }
    Ok(Rulebook { policy: config.policy.clone(), company: config.company.clone(), playbooks, own })
}

/// What is wrong with the questions of the company file: they pass the guard as playbooks do.
fn intake(company: &crate::reply::Company) -> Vec<String> {
    let mut problems = Vec::new();
    for intake in &company.intake {
        let product = &intake.product;
        if !company.products.contains(product) {
            problems.push(format!(
                "company.intake: {product:?} is none of the products; add it to company.products"
            ));
        }
        for (language, question) in
            intake.ask.iter().flat_map(|(tongue, all)| all.iter().map(move |q| (*tongue, q)))
        {
            for broken in crate::reply::guard::check_wording(language, question) {
                problems.push(format!(
                    "company.intake ({product}): breaks the rule {broken} in “{question}”; say it differently"
                ));
            }
        }
    }
    problems
}

/// `check --playbooks`: any name may be that of a label of the company's own.
///
/// # Errors
/// With every rule that a wording breaks.
pub fn check_playbooks(dir: &Path) -> anyhow::Result<()> {
    let (shipped, own) = playbooks(Some(dir), None)?;
    for label in own.labels() {
        output::say(&format!(
            "{label}.toml is for a label of your own of that name: [learning] labels has to name it"
        ));
    }
    let count = shipped.wordings().count();
    output::line(&format!("ok: {count} wordings, the shipped ones among them, break no rule"))
}

/// Labels of the company's own that no playbook and no route has a draft for.
fn unanswered(config: &Config, own: &OwnPlaybooks) -> Vec<String> {
    let learning = &config.policy.learning;
    let known = own.labels();
    let routed = |label: &Name| {
        let is_its = |special: &&Special| special.facts.iter().any(|fact| fact == label.as_str());
        config.policy.specials.iter().filter(is_its).any(|special| special.draft.is_some() || special.leave)
    };
    let silent = learning.labels.iter().filter(|label| !known.contains(label.as_str()) && !routed(label));
    silent
        .map(|label| {
            format!(
                "the label {label} has no playbook: its mails are answered by the other labels found in them; add \
                 LANGUAGE/{label}.toml to your `playbooks`, or set `draft` in its route"
            )
        })
        .collect()
}

/// Config, playbooks and model, read again.
fn load(path: &Path) -> anyhow::Result<Loaded> {
    let config = Config::load(path)?;
    let (book, classifier) = (rulebook(&config)?, classifier_in_force(&config)?);
    Ok(Loaded { config, book, classifier })
}

/// `run`.
///
/// # Errors
/// When something cannot be loaded, or the ledger fails.
pub fn run(config: Config) -> anyhow::Result<()> {
    crate::edge::metrics::install();
    let classifier = classifier_in_force(&config)?;
    let book = rulebook(&config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("evenkeel")
        .build()
        .context("the runtime cannot start")?;
    Systemd::from_environment().opening();
    let ledger = Ledger::open(&config.state_dir)?;
    runtime.block_on(async move {
        let shared = Arc::new(Shared::new(&config, book, classifier, ledger, Arc::new(SystemClock)));
        let path = config.path.clone();
        let load: Loader = Arc::new(move || load(&path).map_err(|error| format!("{error:#}")));
        match daemon::run(config, shared, load).await {
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
    problems.extend(classifier(Some(config)).err().map(|error| error.to_string()));
    let book = rulebook(config).map_err(|error| problems.push(error.to_string()));
    for account in &config.accounts {
        for server in std::iter::once(&account.imap).chain(&account.smtp).filter(|s| !s.user.is_empty()) {
            // a credential is there only when systemd has started us
            if server.password_credential.is_none() && server.oauth2.is_none() {
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
    for (account, oauth2) in config.accounts.iter().filter_map(|a| Some((&a.name, a.oauth2.as_ref()?))) {
        let secret = oauth2.client_secret_credential.is_none().then(|| oauth2.client_secret());
        let refresh = oauth2.refresh_token_credential.is_none().then(|| oauth2.refresh_token());
        let errors = [secret, refresh].into_iter().flatten().filter_map(Result::err);
        problems.extend(errors.map(|error| format!("account {account:?}: {error}")));
    }
    for warning in &config.warnings {
        output::say(&format!("warning: {warning}"));
    }
    for warning in book.iter().flat_map(|book| unanswered(config, &book.own)) {
        output::say(&format!("warning: {}: {warning}", config.path.display()));
    }
    if !problems.is_empty() {
        return Err(BadFiles(problems).into());
    }
    output::line(&format!("{}: good", config.path.display()))
}
