//! For monitors: is it alive, is it ready, what does it count.

use std::fmt::Write as _;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Host;
use crate::edge::control::{self, Status};
use crate::edge::ledger::LedgerError;
use crate::edge::metrics;

/// Time in which the ledger answers while all is well.
const LEDGER_PATIENCE: Duration = Duration::from_secs(5);

/// Everything known about the daemon at this moment.
///
/// # Errors
/// When the ledger cannot be read, or does not answer in time.
pub(super) async fn status(host: &Host) -> Result<Status, String> {
    let (base, now) = ((host.control.status)(), host.control.clock.now());
    let asked = host.control.ledger.run(move |store| control::status(store, now, base));
    match tokio::time::timeout(LEDGER_PATIENCE, asked).await {
        Ok(status) => status.map_err(|error: LedgerError| error.to_string()),
        Err(_) => Err("the ledger does not answer".into()),
    }
}

/// Every loop has shown a sign of life: otherwise a restart helps.
pub(super) async fn live(State(host): State<Host>) -> Response {
    let stuck = (host.stuck)();
    if stuck.is_empty() {
        return "alive\n".into_response();
    }
    let mut text = String::new();
    for task in stuck {
        let _ = writeln!(text, "{}: no sign of life", metrics::place(&task));
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Every folder is watched and the ledger answers: otherwise somebody should look.
pub(super) async fn ready(State(host): State<Host>) -> Response {
    let status = match status(&host).await {
        Ok(status) => status,
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, format!("ledger: {error}\n")).into_response(),
    };
    let mut text = String::new();
    for (folder, health) in status.health.iter().filter(|(_, health)| !health.connected) {
        // what the server said may name the user: it stands in the log and in `status`
        let _ = writeln!(text, "{}: not watched since {}", metrics::place(folder), health.since.0);
    }
    if text.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// What is counted and measured, for Prometheus.
pub(super) async fn metrics(State(host): State<Host>) -> Response {
    // without the ledger the rest is still true
    if let Ok(status) = status(&host).await {
        metrics::set(&status, host.control.clock.now());
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics::render()).into_response()
}
