//! Carries alerts out: at most so many in an hour, each tried several times, none in the way of mail.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Alert;
use crate::config::{Account, Alerts, Config};
use crate::daemon::Shared;
use crate::edge::login::Gates;
use crate::edge::outgoing::{self, Marks, own_id};
use crate::edge::smtp::Smtp;
use crate::edge::webhook::Target;
use crate::edge::{EdgeError, Outbox, Retry, metrics};
use crate::time::Timestamp;

/// Pauses between attempts.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_mins(2),
    Duration::from_mins(15),
    Duration::from_hours(1),
];

/// Deliveries under way at a time; what is above is dropped, counted and logged.
const UNDER_WAY: usize = 64;

pub(super) struct Courier {
    config: Alerts,
    sender: Option<Account>,
    target: Option<Target>,
    shared: Arc<Shared>,
    /// When alerts of the last hour were told.
    told: VecDeque<Timestamp>,
    count: u64,
    places: Arc<tokio::sync::Semaphore>,
}

impl Courier {
    pub(super) fn new(config: &Config, shared: Arc<Shared>) -> Self {
        Self {
            config: config.alerts.clone(),
            sender: config.accounts.iter().find(|account| account.smtp.is_some()).cloned(),
            target: config.alerts.webhook.as_deref().and_then(|url| Target::parse(url).ok()),
            shared,
            told: VecDeque::new(),
            count: 0,
            places: Arc::new(tokio::sync::Semaphore::new(UNDER_WAY)),
        }
    }

    /// Takes an alert on the way.
    pub(super) fn tell(&mut self, alert: Alert, now: Timestamp) {
        while self.told.front().is_some_and(|at| now.since(*at) >= Duration::from_hours(1)) {
            self.told.pop_front();
        }
        let place = self.places.clone().try_acquire_owned();
        let room = self.told.len() < usize::try_from(self.config.per_hour).unwrap_or(usize::MAX);
        let (true, Ok(place)) = (room, place) else {
            metrics::alerted(alert.kind, "capped");
            tracing::error!(
                alert = alert.kind,
                phase = alert.phase,
                "an alert was held back: there were too many in this hour"
            );
            return;
        };
        self.told.push_back(now);
        self.count = self.count.wrapping_add(1);
        tracing::warn!(alert = alert.kind, phase = alert.phase, "somebody is told");
        let id = format!("alert.{}.{}", now.0, self.count);
        let delivery = Delivery {
            id,
            at: now,
            alert,
            config: self.config.clone(),
            sender: self.sender.clone(),
            target: self.target.clone(),
            shared: self.shared.clone(),
        };
        tokio::spawn(async move {
            let _place = place;
            tokio::join!(delivery.by_webhook(), delivery.by_mail());
        });
    }
}

/// One alert on its way.
struct Delivery {
    id: String,
    at: Timestamp,
    alert: Alert,
    config: Alerts,
    sender: Option<Account>,
    target: Option<Target>,
    shared: Arc<Shared>,
}

impl Delivery {
    async fn by_webhook(&self) {
        let Some(target) = &self.target else { return };
        let body = self.body();
        for pause in PAUSES.iter().map(Some).chain([None]) {
            let secret = match (self.config.secret(), pause) {
                (Ok(secret), _) => secret,
                // never unsigned: somebody mends the file, and it goes out
                (Err(error), Some(pause)) => {
                    self.wait(&error, *pause).await;
                    continue;
                }
                (Err(error), None) => return self.failed(&error),
            };
            // signed anew: the receiver refuses old times
            let sent = target.post(&body, secret.as_ref(), self.shared.clock.now()).await;
            match (sent, pause) {
                (Ok(()), _) => return metrics::alerted(self.alert.kind, "sent"),
                (Err(error), Some(pause)) if error.may_pass() => self.wait(&error, *pause).await,
                (Err(error), _) => return self.failed(&error),
            }
            if self.shared.stopping() {
                return;
            }
        }
    }

    async fn by_mail(&self) {
        if self.config.mail_to.is_empty() || !self.alert.by_mail {
            return;
        }
        let Some((account, server)) = self.sender.as_ref().and_then(|a| Some((a, a.smtp.as_ref()?))) else {
            return self.failed(&"no account has an [account.smtp]");
        };
        let Some(message) = self.message(account) else { return self.failed(&"the mail cannot be written") };
        let to = &self.config.mail_to;
        for pause in PAUSES.iter().map(Some).chain([None]) {
            let mut smtp = Smtp::new(server.clone(), Gates::default());
            let sent = match smtp.prepare(&account.address, to).await {
                Ok(_) => smtp.send(&message).await,
                Err(error) => Err(error),
            };
            match (sent, pause) {
                (Ok(()), _) => return metrics::alerted(self.alert.kind, "sent"),
                (Err(error), Some(pause)) if error.retry() == Retry::Later => self.wait(&error, *pause).await,
                (Err(error), _) => return self.failed(&error),
            }
            if self.shared.stopping() {
                return;
            }
        }
    }

    async fn wait(&self, error: &(dyn std::error::Error + Sync), pause: Duration) {
        tracing::warn!(alert = self.alert.kind, %error, "an alert waits");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.shared.stopped() => {}
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) {
        metrics::alerted(self.alert.kind, "failed");
        tracing::error!(alert = self.alert.kind, %error, "nobody could be told");
    }

    fn body(&self) -> String {
        let Alert { kind, subject, phase, text, more, .. } = &self.alert;
        let at = jiff::Timestamp::from_second(self.at.0).map(|at| at.to_string()).unwrap_or_default();
        serde_json::json!({
            "id": self.id, "at": at, "alert": kind, "phase": phase, "subject": subject, "text": text, "details": more,
        })
        .to_string()
    }

    fn message(&self, account: &Account) -> Option<Vec<u8>> {
        let id = own_id(&self.id, self.alert.kind, &account.address)?;
        let marks = Marks { ticket: None, labels: "", reasons: self.alert.kind };
        let subject = match self.alert.phase {
            "ends" => format!("evenkeel: over: {}", self.alert.kind),
            _ => format!("evenkeel: {}", self.alert.kind),
        };
        let text =
            format!("{}\n\nAbout: {}\n\n`evenkeel status` tells more.", self.alert.text, self.alert.subject);
        outgoing::notice(&id, &account.address, &self.config.mail_to, &subject, &text, &marks, self.at).ok()
    }
}
