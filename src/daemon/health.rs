//! How the daemon is: which loop has shown a sign of life, what each folder does, since when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use crate::config::{Mode, OAuth2};
use crate::edge::control::{self, Expiry, FolderHealth};
use crate::edge::imap::ImapError;
use crate::edge::ledger::{FolderKey, LedgerError};
use crate::edge::metrics;
use crate::edge::token;
use crate::edge::wire::{WireError, certificate};
use crate::edge::{EdgeError, Trouble};

/// What a folder's task says while all is well.
pub const WATCHING: &str = "watching";

/// How often the ledger's thread is asked for a sign of life.
const PULSE: Duration = Duration::from_secs(10);

/// Within which the ledger must have answered: several groups on a slow disk.
const PULSE_PATIENCE: Duration = Duration::from_mins(1);

/// Signs of life and the state of each folder.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// By when each loop shows its next sign of life.
    signs: Mutex<BTreeMap<String, Instant>>,
    board: Mutex<BTreeMap<FolderKey, FolderHealth>>,
    /// Mails that another evenkeel has claimed.
    theirs: AtomicUsize,
    /// What will soon be wrong with an account, and what to do.
    degraded: Mutex<BTreeMap<String, String>>,
    /// Why nothing is learnt.
    learning: Mutex<Option<String>>,
}

fn name(folder: &FolderKey) -> String {
    format!("{}/{}", folder.account, folder.folder)
}

impl Health {
    fn promise(&self, task: String, time: Duration) {
        let mut signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
        signs.insert(task, Instant::now() + time);
    }

    /// Loops that have broken their promise.
    fn late(&self) -> Vec<String> {
        let now = Instant::now();
        let signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
        signs.iter().filter(|(_, by)| **by <= now).map(|(task, _)| task.clone()).collect()
    }
}

impl Shared {
    /// Promises that the folder's task shows another sign of life within `time`.
    pub fn alive_for(&self, folder: &FolderKey, time: Duration) {
        self.state.health.promise(name(folder), time);
    }

    /// Loops that have not shown the sign of life they promised; none when all is well.
    #[must_use]
    pub fn stuck(&self) -> Vec<String> {
        self.state.health.late()
    }

    /// Asks the ledger for signs of life, for ever; it ends with the ledger.
    pub(super) async fn pulse(&self) -> Result<(), LedgerError> {
        while !self.stopping() {
            self.state.health.promise("ledger".into(), PULSE + PULSE_PATIENCE);
            self.ledger.run(|_| Ok(())).await?;
            tokio::select! {
                () = tokio::time::sleep(PULSE) => {}
                () = self.stopped() => {}
            }
        }
        Ok(())
    }

    /// Says what a folder's task does.
    pub(super) fn note(&self, folder: &FolderKey, status: &str) {
        let (connected, now) = (status == WATCHING, self.clock.now());
        metrics::connected(folder, connected);
        let mut board = self.state.health.board.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = board.entry(folder.clone()).or_default();
        if entry.connected != connected || entry.since.0 == 0 {
            entry.since = now;
        }
        entry.connected = connected;
        status.clone_into(&mut entry.status);
    }

    /// Another evenkeel has claimed so many mails; how many that were before.
    pub(super) fn note_theirs(&self, mails: usize) -> usize {
        self.state.health.theirs.fetch_add(mails, Ordering::Relaxed)
    }

    /// Something will soon be wrong with an account, or no more.
    pub(super) fn degraded(&self, account: &str, what: Option<String>) {
        let mut degraded = self.state.health.degraded.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => degraded.insert(account.to_owned(), what),
            None => degraded.remove(account),
        };
    }

    /// Nothing is learnt from corrections, or no more.
    pub(super) fn note_learning(&self, what: Option<String>) {
        *self.state.health.learning.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// When the secrets and consents end with which accounts log in.
    fn secrets(&self) -> Vec<Expiry> {
        let now = self.clock.now();
        let ends = |(account, oauth2): &(String, OAuth2)| {
            let expiry =
                |secret: &str, until| Expiry { account: account.clone(), secret: secret.into(), until };
            let secret = oauth2.client_secret_end().map(|until| expiry("client-secret", until));
            let consent = token::consent_end(oauth2, now).map(|until| expiry("consent", until));
            [secret, consent]
        };
        self.logins.iter().flat_map(ends).flatten().collect()
    }

    /// The server has proved that nothing is left to do in the folder.
    pub(super) fn synced(&self, folder: &FolderKey) {
        let now = self.clock.now();
        metrics::synced(folder, now);
        let mut board = self.state.health.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.entry(folder.clone()).or_default().synced = Some(now);
    }

    /// How the daemon is, as far as the ledger does not know it.
    #[must_use]
    pub fn report(&self) -> control::Status {
        let policy = self.policy();
        let board = self.state.health.board.lock().unwrap_or_else(PoisonError::into_inner).clone();
        control::Status {
            running: true,
            mode: format!("{:?}", self.mode).to_lowercase(),
            folders: board.iter().map(|(key, health)| (name(key), self.words(key, health))).collect(),
            health: board.iter().map(|(key, health)| (name(key), health.clone())).collect(),
            certificates: certificate::seen(),
            secrets: self.secrets(),
            degraded: self.state.health.degraded.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            learning: self.state.health.learning.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            policy_since: policy.since,
            policy_refused: policy.refused,
            queues: policy.book.policy.queues.0.keys().map(|queue| (queue.to_string(), 0)).collect(),
            rules: policy.book.policy.rules.len(),
            window_minutes: u64::from(policy.book.policy.limits.window_minutes),
            answered_cap: policy.book.policy.limits.in_all,
            ..control::Status::default()
        }
    }

    fn words(&self, folder: &FolderKey, health: &FolderHealth) -> String {
        let degraded = self.state.health.degraded.lock().unwrap_or_else(PoisonError::into_inner);
        match degraded.get(&folder.account) {
            Some(what) => format!("{}, degraded: {what}", health.status),
            None => health.status.clone(),
        }
    }

    /// One line for `systemctl status`.
    pub(super) fn line(&self) -> String {
        let board = self.state.health.board.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let up = board.values().filter(|health| health.connected).count();
        let mut line = format!("{up} of {} folders watched", board.len());
        if let Some((folder, health)) = board.iter().find(|(_, health)| !health.connected) {
            line = format!("{line}; {}: {}", name(folder), health.status);
        }
        if let Some(task) = self.stuck().first() {
            line = format!("{line}; {task} shows no sign of life");
        }
        let degraded = self.state.health.degraded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((account, what)) = degraded.first_key_value() {
            line = format!("{line}; degraded: {account}: {what}");
        }
        let theirs = self.state.health.theirs.load(Ordering::Relaxed);
        if theirs > 0 {
            line = format!("{line}; {theirs} mails were claimed by another evenkeel: stop one of the two");
        }
        let window = self.policy().book.policy.limits.window();
        let held = self.state.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.recent(window, self.clock.now());
        if held > 0 {
            line = format!("{line}; {held} mails held at a loop cap in {} minutes", window.as_secs() / 60);
        }
        if self.mode == Mode::Observe {
            line.push_str("; observing only");
        }
        if self.policy().refused.is_some() {
            line.push_str("; the new policy was refused, the old one is in force");
        }
        line
    }
}

/// Why a connection ended, in a word for a metric.
pub(super) fn reason(error: &ImapError) -> &'static str {
    match error {
        ImapError::Wire(WireError::Resolve { .. }) => "dns",
        ImapError::Wire(WireError::Connect { .. }) => "connect",
        error => match error.trouble() {
            Trouble::Login => "login",
            Trouble::Tls => "tls",
            Trouble::Setup => "secret",
            Trouble::Folder | Trouble::Line => "other",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_breaks_its_promise_is_named_until_it_shows_a_sign_of_life() {
        let health = Health::default();
        health.promise("support/INBOX".into(), Duration::ZERO);
        health.promise("ledger".into(), Duration::from_hours(1));
        assert_eq!(health.late(), ["support/INBOX"]);
        health.promise("support/INBOX".into(), Duration::from_hours(1));
        assert!(health.late().is_empty());
    }
}
