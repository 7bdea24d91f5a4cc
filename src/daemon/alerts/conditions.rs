//! What needs a person.

use std::time::Duration;

use super::Alert;
use crate::config::Alerts;
use crate::decide::TicketState;
use crate::edge::control::{Expiry, Status};
use crate::edge::ledger::{Effect, EffectState, MailRecord};
use crate::time::Timestamp;

/// Records that are looked at for forwards that were refused.
pub(super) const LOOKED_AT: usize = 200;

/// How long a refused forward is told as one that just happened.
const RECENT: Duration = Duration::from_hours(24);

/// Something that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// A stable word.
    pub(super) kind: &'static str,
    /// What it is about.
    pub(super) subject: String,
    /// How much of it: at twice as much it is told again; 1 where it is just so.
    pub(super) size: u64,
    /// A sentence.
    pub(super) text: String,
}

impl Condition {
    pub(super) fn alert(&self, phase: &'static str) -> Alert {
        Alert {
            kind: self.kind,
            subject: self.subject.clone(),
            phase,
            text: if phase == "ends" { format!("over: {}", self.text) } else { self.text.clone() },
            by_mail: true,
            more: serde_json::Value::Null,
        }
    }
}

/// Identities of mails of which a forward was refused for good, of late.
pub(super) fn refused_forwards(records: &[MailRecord], now: Timestamp) -> Vec<String> {
    let refused = |record: &&MailRecord| {
        now.since(record.decided) < RECENT
            && record.effects.iter().any(|entry| {
                matches!((&entry.effect, &entry.state), (Effect::Forward { .. }, EffectState::Failed(_)))
            })
    };
    records.iter().filter(refused).map(|record| record.identity.clone()).collect()
}

/// Everything that is so at `now`.
pub(super) fn found(config: &Alerts, status: &Status, refused: &[String], now: Timestamp) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut say = |kind, subject: &str, size, text: String| {
        found.push(Condition { kind, subject: subject.to_owned(), size, text });
    };
    let patience = Duration::from_secs(config.down_minutes.saturating_mul(60));
    for (folder, health) in status.health.iter().filter(|(_, health)| !health.connected) {
        if now.since(health.since) >= patience {
            say("account-down", folder, 1, format!("{folder} is not watched: {}", health.status));
        }
    }
    for identity in refused {
        let text = "an original could not be handed to its desk; the mail waits for a person (ek-review)";
        say("forward-refused", identity, 1, text.into());
    }
    for id in &status.reopened {
        let text = "what we sent about a mail came back undelivered; a person must hand it over";
        say("forward-came-back", id.as_str(), 1, text.into());
    }
    let soon = Duration::from_secs(config.expiry_days.saturating_mul(86_400));
    for (server, until) in &status.certificates {
        let left = until.since(now);
        if left < soon {
            let text = format!("the certificate of {server} runs out in {} days", left.as_secs() / 86_400);
            say("certificate-expiring", server, 1, text);
        }
    }
    for Expiry { account, secret, until } in &status.secrets {
        let left = until.since(now);
        if left < soon {
            let days = left.as_secs() / 86_400;
            let (what, fix) = if secret == "consent" {
                ("consent to read the mailbox", "let the mailbox's owner consent again")
            } else {
                ("client secret", "make a new one at the provider, and write its day into the config")
            };
            let text = format!("the {what} of {account} ends in {days} days: {fix}");
            say("secret-expiring", &format!("{account}/{secret}"), 1, text);
        }
    }
    for (account, what) in &status.degraded {
        say("secret-refused", account, 1, format!("{account} will be lost when its token expires: {what}"));
    }
    if let Some(why) = &status.learning {
        say("learning-dead", "learning", 1, format!("nothing is learnt from corrections: {why}"));
    }
    let waiting = status.queues.get("review").copied().unwrap_or(0);
    if waiting > config.review_above {
        say("review-growing", "review", waiting, format!("{waiting} mails wait for review"));
    }
    let closing = status.tickets.get(TicketState::ClosingDue.as_str()).copied().unwrap_or(0);
    if closing > config.closing_above {
        say(
            "closing-due",
            "closing-due",
            closing,
            format!("{closing} customers of settled tickets have not been told"),
        );
    }
    if let Some(why) = &status.policy_refused {
        let first = why.lines().next().unwrap_or_default();
        say(
            "config-refused",
            "config",
            1,
            format!("the newest config was refused, the old one is in force: {first}"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::control::FolderHealth;

    fn status(connected: bool, since: i64) -> Status {
        let health =
            FolderHealth { connected, status: "no route".into(), since: Timestamp(since), synced: None };
        Status { health: [("support/INBOX".to_owned(), health)].into(), ..Status::default() }
    }

    fn kinds(status: &Status, now: i64) -> Vec<&'static str> {
        found(&Alerts::default(), status, &[], Timestamp(now))
            .into_iter()
            .map(|condition| condition.kind)
            .collect()
    }

    #[test]
    fn a_folder_that_is_not_watched_is_told_after_a_while() {
        assert!(kinds(&status(false, 1_000), 1_000 + 14 * 60).is_empty());
        assert_eq!(kinds(&status(false, 1_000), 1_000 + 15 * 60), ["account-down"]);
        assert!(kinds(&status(true, 1_000), 100_000).is_empty());
    }

    #[test]
    fn a_secret_is_told_before_it_ends_and_a_refused_one_and_dead_learning_at_once() {
        let mut known = status(true, 0);
        let expiry = |secret: &str, day: i64| Expiry {
            account: "support".into(),
            secret: secret.into(),
            until: Timestamp(day * 86_400),
        };
        known.secrets = vec![expiry("client-secret", 20), expiry("consent", 7)];
        let told = |known: &Status, day: i64| {
            found(&Alerts::default(), known, &[], Timestamp(day * 86_400 + 1))
                .into_iter()
                .map(|condition| (condition.kind, condition.subject, condition.text))
                .collect::<Vec<_>>()
        };
        let first = told(&known, 0);
        assert_eq!(first.len(), 1, "{first:?}");
        assert_eq!((first[0].0, first[0].1.as_str()), ("secret-expiring", "support/consent"));
        assert!(first[0].2.contains("in 6 days"), "{first:?}");
        assert_eq!(told(&known, 6).len(), 2, "14 days before");
        assert!(told(&known, 30)[0].2.contains("in 0 days"), "it stays told until the config is changed");
        known.secrets.clear();
        known.degraded.insert("support".into(), "write a new one to /f".into());
        known.learning = Some("50 moves in a row taught nothing".into());
        assert_eq!(kinds(&known, 0), ["secret-refused", "learning-dead"]);
    }

    #[test]
    fn certificates_and_queues_are_told_at_their_bounds() {
        let mut known = status(true, 0);
        known.certificates.insert("imap:993".into(), Timestamp(20 * 86_400));
        known.queues.insert("review".into(), 50);
        known.tickets.insert("closing-due".into(), 10);
        assert!(kinds(&known, 0).is_empty());
        known.queues.insert("review".into(), 51);
        known.tickets.insert("closing-due".into(), 11);
        assert_eq!(kinds(&known, 7 * 86_400), ["certificate-expiring", "review-growing", "closing-due"]);
    }
}
