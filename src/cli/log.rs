//! Logging to stderr, from where journald takes it.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter};

/// Their trace logs print passwords and mails: capped here, whatever the environment says.
const CAPPED: [&str; 5] =
    ["async_imap=warn", "imap_proto=warn", "lettre=warn", "rustls=warn", "tokio_rustls=warn"];

/// Starts logging. `EVENKEEL_LOG` sets the level (`debug`, `evenkeel::daemon=trace`, …).
#[expect(clippy::disallowed_methods, reason = "this is the command line's own environment")]
pub fn start(daemon: bool) {
    let default: Directive = if daemon { LevelFilter::INFO } else { LevelFilter::WARN }.into();
    let wanted = std::env::var("EVENKEEL_LOG").unwrap_or_default();
    let mut filter = EnvFilter::builder().with_default_directive(default).parse_lossy(wanted);
    for cap in CAPPED {
        if let Ok(directive) = cap.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    // journald has its own clock
    let started = if journal { builder.without_time().try_init() } else { builder.try_init() };
    // a second start in one process keeps the first one's settings
    drop(started);
}
