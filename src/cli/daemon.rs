//! `run` and `check`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::classify::classifier;
use super::learn::classifier_in_force;
use super::{BadFiles, output};
use crate::config::Config;
use crate::daemon::reload::{Loaded, Loader};
use crate::daemon::{self, Shared};
use crate::decide::Rulebook;
use crate::edge::clock::SystemClock;
use crate::edge::ledger::Ledger;
use crate::edge::systemd::Systemd;
use crate::mail::Language;
use crate::reply::Playbooks;

/// The rulebook of a config.
///
/// # Errors
/// When the playbooks cannot be used.
pub fn rulebook(config: &Config) -> anyhow::Result<Rulebook> {
    let playbooks = playbooks(config.playbooks.as_deref())?;
    let problems = intake(&config.company);
    if !problems.is_empty() {
        return Err(BadFiles(problems).into());
    }
    Ok(Rulebook { policy: config.policy.clone(), company: config.company.clone(), playbooks })
}

/// The shipped playbooks, with those in `dir` laid over them.
///
/// # Errors
/// With every problem of the files.
pub fn playbooks(dir: Option<&Path>) -> anyhow::Result<Playbooks> {
    let mut files = Vec::new();
    if let Some(dir) = dir {
        let unreadable = |path: &Path, error: &std::io::Error| {
            BadFiles(vec![format!(
                "playbooks: {}: {error}; name a directory with <language>/<label>.toml",
                path.display()
            )])
        };
        for language in Language::ALL {
            let folder = dir.join(language.as_str());
            if !folder.is_dir() {
                continue;
            }
            let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                if path.extension().is_some_and(|ending| ending == "toml") {
                    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    files.push((format!("{language}/{name}"), text));
                }
            }
        }
        if files.is_empty() {
            let none = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no playbook in it");
            return Err(unreadable(dir, &none).into());
        }
    }
    files.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(Playbooks::with(&files)
        .map_err(|problems| BadFiles(problems.iter().map(ToString::to_string).collect()))?)
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

/// `check --playbooks`.
///
/// # Errors
/// With every rule that a wording breaks.
pub fn check_playbooks(dir: &Path) -> anyhow::Result<()> {
    let count = playbooks(Some(dir))?.wordings().count();
    super::output::line(&format!("ok: {count} wordings, the shipped ones among them, break no rule"))
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
    for loaded in [classifier(Some(config)).map(drop), rulebook(config).map(drop)] {
        problems.extend(loaded.err().map(|error| error.to_string()));
    }
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
    if !problems.is_empty() {
        return Err(BadFiles(problems).into());
    }
    output::line(&format!("{}: good", config.path.display()))
}
