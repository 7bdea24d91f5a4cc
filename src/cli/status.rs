//! `status`: what ops should know at a glance.

use serde::Serialize;

use super::mailbox::State;
use super::output::{self, Format, printable};
use crate::config::Config;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Request, Response};
use crate::edge::ledger::cases::InboxPaces;
use crate::mail::MessageId;

/// Line of `status --format jsonl`.
#[derive(Serialize)]
struct Status<'a> {
    window_minutes: u64,
    answered: u32,
    answered_cap: u32,
    held_at_cap: u32,
    reopened: Vec<&'a str>,
}

/// Shows how near the caps against loops are, and which forwards came back.
///
/// # Errors
/// When the state cannot be read.
pub fn status(config: &Config, format: Format) -> anyhow::Result<()> {
    let (paces, reopened) = match State::of(config)?.ask(&Request::Status)? {
        Response::Status { paces, reopened } => (paces, reopened),
        Response::Error { why } => anyhow::bail!("the daemon says: {why}"),
        // before the first start
        Response::Records { .. } | Response::Case { .. } => (InboxPaces::default(), Vec::new()),
    };
    let (window, now) = (config.policy.limits.window(), SystemClock.now());
    let status = Status {
        window_minutes: window.as_secs() / 60,
        answered: paces.all.recent(window, now),
        answered_cap: config.policy.limits.in_all,
        held_at_cap: paces.held.recent(window, now),
        reopened: reopened.iter().filter_map(|r| r.message_id.as_ref()).map(MessageId::as_str).collect(),
    };
    if format == Format::Jsonl {
        return output::json(&status);
    }
    output::line(&format!(
        "drafted for or forwarded in {} minutes: {} of at most {}",
        status.window_minutes, status.answered, status.answered_cap
    ))?;
    output::line(&format!("held at a cap against loops (loop-cap): {}", status.held_at_cap))?;
    output::line(&format!("forwards that came back (own-forward-bounced): {}", reopened.len()))?;
    for record in &reopened {
        let id = record.message_id.as_ref().map_or("without Message-ID", MessageId::as_str);
        output::line(&format!("  {}  {}", record.ticket.as_deref().unwrap_or("no ticket"), printable(id)))?;
    }
    Ok(())
}
