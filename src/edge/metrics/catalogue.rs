//! Every metric with what it says: documents and alert rules are checked against it.

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution, in buckets.
    Histogram,
}

/// A metric as documents describe it.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, unit included.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

/// Every metric.
pub const ALL: [Metric; 27] = [
    metric("evenkeel_build_info", Kind::Gauge, &["version"], "1; the version is in the label"),
    metric(
        "evenkeel_mails_processed_total",
        Kind::Counter,
        &["label", "outcome"],
        "mails by primary label; outcome: acted, deferred, observed, review, quarantined",
    ),
    metric(
        "evenkeel_mail_age_seconds",
        Kind::Histogram,
        &[],
        "from a mail's arrival at the server until it was handled",
    ),
    metric("evenkeel_classify_duration_seconds", Kind::Histogram, &[], "reading and classifying one mail"),
    metric(
        "evenkeel_effects_total",
        Kind::Counter,
        &["kind", "result"],
        "effects that came to an end; kind: draft, forward, notify, tag, file; result: done, skipped, failed",
    ),
    metric(
        "evenkeel_effect_ambiguous_total",
        Kind::Counter,
        &[],
        "forwards of which only the server knows whether it took them: they are sent again with the same Message-ID",
    ),
    metric("evenkeel_queue_depth", Kind::Gauge, &[], "mails whose effects are not all done"),
    metric(
        "evenkeel_oldest_pending_seconds",
        Kind::Gauge,
        &[],
        "age of the oldest of them; 0: there is none",
    ),
    metric(
        "evenkeel_imap_connected",
        Kind::Gauge,
        &["account", "folder"],
        "1 while the folder is watched, else 0",
    ),
    metric(
        "evenkeel_imap_reconnects_total",
        Kind::Counter,
        &["account", "reason"],
        "connections that ended; reason: login, tls, dns, connect, secret, other",
    ),
    metric(
        "evenkeel_imap_last_sync_timestamp_seconds",
        Kind::Gauge,
        &["account", "folder"],
        "when the server last proved that nothing is left to do",
    ),
    metric(
        "evenkeel_store_commit_duration_seconds",
        Kind::Histogram,
        &[],
        "making a group of records durable",
    ),
    metric("evenkeel_store_bytes", Kind::Gauge, &[], "size of the ledger on disk"),
    metric(
        "evenkeel_store_rebuilds_total",
        Kind::Counter,
        &[],
        "times a damaged ledger was set aside and rebuilt from the mailbox",
    ),
    metric(
        "evenkeel_tls_peer_not_after_timestamp_seconds",
        Kind::Gauge,
        &["server"],
        "when the certificate that a mail server showed last runs out",
    ),
    metric(
        "evenkeel_secret_not_after_timestamp_seconds",
        Kind::Gauge,
        &["account", "secret"],
        "when a login ends, where that is known; secret: client-secret (by `client-secret-expires`), consent (by the provider)",
    ),
    metric(
        "evenkeel_learning_healthy",
        Kind::Gauge,
        &[],
        "0: corrections teach nothing, or the last training has failed (`status` says why); else 1",
    ),
    metric(
        "evenkeel_config_last_reload_successful",
        Kind::Gauge,
        &[],
        "1: the newest config is in force; 0: it was refused",
    ),
    metric("evenkeel_log_dropped_total", Kind::Counter, &[], "lines of the log that could not be written"),
    metric("evenkeel_tickets", Kind::Gauge, &["state"], "tickets that are not closed"),
    metric("evenkeel_queue_tickets", Kind::Gauge, &["queue"], "tickets that are not closed, by queue"),
    metric("evenkeel_tickets_overdue", Kind::Gauge, &[], "tickets whose answer or promise is overdue"),
    metric(
        "evenkeel_legal_waiting",
        Kind::Gauge,
        &[],
        "threats handed to legal that nobody has acknowledged",
    ),
    metric(
        "evenkeel_forwards_came_back",
        Kind::Gauge,
        &[],
        "mails about which something of ours came back: a person must act",
    ),
    metric("evenkeel_customers_marked", Kind::Gauge, &[], "customers who are not served as everybody"),
    metric("evenkeel_held_at_cap", Kind::Gauge, &[], "mails of the window held at a cap against loops"),
    metric(
        "evenkeel_alerts_total",
        Kind::Counter,
        &["alert", "result"],
        "alerts; result: sent, failed, capped",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus_conventions() {
        for metric in ALL {
            assert!(metric.name.starts_with("evenkeel_"), "{}", metric.name);
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            if metric.kind == Kind::Histogram {
                assert!(metric.name.ends_with("_seconds"), "{}", metric.name);
            }
        }
    }
}
