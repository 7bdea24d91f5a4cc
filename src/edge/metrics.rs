//! What the daemon counts and measures, in Prometheus' conventions: one function for each thing that
//! can happen, and [`ALL`], from which documents and alert rules are checked. No label holds an
//! address: names of accounts and folders that look like one are hashed.
//!
//! Without [`install`] nothing is kept.

mod catalogue;

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub use self::catalogue::{ALL, Kind, Metric};
use super::control::Status;
use super::ledger::keys::short_hash;
use super::ledger::{Effect, EffectState, FolderKey, MailRecord, MailState};
use crate::time::Timestamp;

/// Seconds: from a fast disk to a slow server.
const SHORT: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Seconds: from IDLE to a weekend.
const AGES: [f64; 12] =
    [0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 259_200.0];

static INSTALLED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count; once in a process.
pub fn install() {
    INSTALLED.get_or_init(|| {
        let buckets = |builder: PrometheusBuilder, name: &str, bounds: &[f64]| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds).ok()
        };
        let builder = buckets(PrometheusBuilder::new(), "evenkeel_mail_age_seconds", &AGES)?;
        let builder = buckets(builder, "evenkeel_classify_duration_seconds", &SHORT)?;
        let builder = buckets(builder, "evenkeel_store_commit_duration_seconds", &SHORT)?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).ok()?;
        for metric in ALL {
            match metric.kind {
                Kind::Counter => describe_counter!(metric.name, metric.help),
                Kind::Gauge => describe_gauge!(metric.name, metric.help),
                Kind::Histogram => describe_histogram!(metric.name, metric.help),
            }
        }
        // an alert rule must find them before anything has happened
        for metric in ALL.iter().filter(|metric| metric.kind == Kind::Counter && metric.labels.is_empty()) {
            counter!(metric.name).increment(0);
        }
        gauge!("evenkeel_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        gauge!("evenkeel_config_last_reload_successful").set(1.0);
        Some(handle)
    });
}

/// Everything as Prometheus reads it; empty where nothing is counted.
#[must_use]
pub fn render() -> String {
    match INSTALLED.get() {
        Some(Some(handle)) => {
            handle.run_upkeep();
            handle.render()
        }
        _ => String::new(),
    }
}

/// A name for a label: one that looks like an address is hashed.
pub(super) fn place(name: &str) -> String {
    if name.contains('@') {
        let hash: String = short_hash(name).chars().take(8).collect();
        format!("hash-{hash}")
    } else {
        name.to_owned()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; 2^53 seconds and bytes are enough")]
fn number(value: impl TryInto<i64>) -> f64 {
    value.try_into().map_or(f64::MAX, |value: i64| value as f64)
}

/// A mail was handled.
pub fn mail_processed(record: &MailRecord, acting: bool) {
    let primary = record.verdict.as_ref().and_then(crate::classify::Verdict::primary);
    let label = primary.map_or_else(|| "none".to_owned(), |label| label.as_str().to_owned());
    let review = record.verdict.as_ref().is_some_and(|verdict| verdict.review);
    let outcome = match record.state {
        MailState::Quarantined => "quarantined",
        _ if !acting => "observed",
        MailState::Intended => "deferred",
        MailState::Done | MailState::Reopened if review => "review",
        MailState::Done | MailState::Reopened => "acted",
    };
    counter!("evenkeel_mails_processed_total", "label" => label, "outcome" => outcome).increment(1);
}

/// A mail that arrived at `arrived` is handled at `now`.
pub fn mail_age(arrived: Option<Timestamp>, now: Timestamp) {
    if let Some(arrived) = arrived {
        histogram!("evenkeel_mail_age_seconds").record(now.since(arrived).as_secs_f64());
    }
}

/// A mail was read and classified.
pub fn classified(took: Duration) {
    histogram!("evenkeel_classify_duration_seconds").record(took.as_secs_f64());
}

/// An effect has come to an end.
pub fn effect(effect: &Effect, state: &EffectState) {
    let kind = match effect {
        Effect::SaveDraft { .. } => "draft",
        Effect::Forward { .. } => "forward",
        Effect::Notify { .. } => "notify",
        Effect::Tag { .. } => "tag",
        Effect::File { .. } => "file",
    };
    let result = match state {
        EffectState::Done => "done",
        EffectState::Skipped(_) => "skipped",
        EffectState::Failed(_) => "failed",
        EffectState::Pending | EffectState::InFlight => return,
    };
    counter!("evenkeel_effects_total", "kind" => kind, "result" => result).increment(1);
}

/// Only the server knows whether it took a forward.
pub fn ambiguous() {
    counter!("evenkeel_effect_ambiguous_total").increment(1);
}

/// A folder is watched, or no longer.
pub fn connected(folder: &FolderKey, up: bool) {
    let (account, folder) = (place(&folder.account), place(&folder.folder));
    gauge!("evenkeel_imap_connected", "account" => account, "folder" => folder).set(f64::from(u8::from(up)));
}

/// A connection has ended.
pub fn reconnect(folder: &FolderKey, reason: &'static str) {
    counter!("evenkeel_imap_reconnects_total", "account" => place(&folder.account), "reason" => reason)
        .increment(1);
}

/// The server has proved that nothing is left to do in a folder.
pub fn synced(folder: &FolderKey, at: Timestamp) {
    let (account, folder) = (place(&folder.account), place(&folder.folder));
    gauge!("evenkeel_imap_last_sync_timestamp_seconds", "account" => account, "folder" => folder)
        .set(number(at.0));
}

/// A group of records was made durable.
pub fn commit(took: Duration) {
    histogram!("evenkeel_store_commit_duration_seconds").record(took.as_secs_f64());
}

/// A damaged ledger was set aside and rebuilt.
pub fn rebuilt() {
    counter!("evenkeel_store_rebuilds_total").increment(1);
}

/// A new config was taken, or refused.
pub fn reloaded(taken: bool) {
    gauge!("evenkeel_config_last_reload_successful").set(f64::from(u8::from(taken)));
}

/// A line of the log could not be written.
pub fn log_dropped() {
    counter!("evenkeel_log_dropped_total").increment(1);
}

/// An alert was sent, failed, or was held back.
pub fn alerted(alert: &'static str, result: &'static str) {
    counter!("evenkeel_alerts_total", "alert" => alert, "result" => result).increment(1);
}

/// What the ledger knows, at the time of a scrape.
pub fn set(status: &Status, now: Timestamp) {
    gauge!("evenkeel_queue_depth").set(number(status.under_way));
    let oldest = status.oldest_pending.map_or(0.0, |at| now.since(at).as_secs_f64());
    gauge!("evenkeel_oldest_pending_seconds").set(oldest);
    gauge!("evenkeel_store_bytes").set(number(status.store_bytes));
    gauge!("evenkeel_tickets_overdue").set(number(status.overdue));
    gauge!("evenkeel_legal_waiting").set(number(status.legal_waiting));
    gauge!("evenkeel_forwards_came_back").set(number(status.reopened.len()));
    gauge!("evenkeel_customers_marked").set(number(status.marked_customers));
    gauge!("evenkeel_held_at_cap").set(f64::from(status.held_at_cap));
    for (state, count) in &status.tickets {
        gauge!("evenkeel_tickets", "state" => state.clone()).set(number(*count));
    }
    for (queue, count) in &status.queues {
        gauge!("evenkeel_queue_tickets", "queue" => queue.clone()).set(number(*count));
    }
    gauge!("evenkeel_learning_healthy").set(f64::from(u8::from(status.learning.is_none())));
    for expiry in &status.secrets {
        let (account, secret) = (place(&expiry.account), expiry.secret.clone());
        gauge!("evenkeel_secret_not_after_timestamp_seconds", "account" => account, "secret" => secret)
            .set(number(expiry.until.0));
    }
    for (server, at) in &status.certificates {
        gauge!("evenkeel_tls_peer_not_after_timestamp_seconds", "server" => server.clone()).set(number(at.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_becomes_a_label() {
        assert_eq!(place("support"), "support");
        let hashed = place("user/rick@example.org");
        assert!(!hashed.contains("rick") && !hashed.contains('@') && hashed.starts_with("hash-"), "{hashed}");
    }
}
