//! Logging to stderr, from where journald takes it.

use std::io::{self, IsTerminal};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Directive, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Their trace logs print passwords and mails: capped here, whatever the environment says.
const CAPPED: [&str; 6] = ["async_imap", "imap_proto", "lettre", "rustls", "tokio_rustls", "sled"];

fn is_allowed(target: &str, level: Level) -> bool {
    let capped = CAPPED
        .iter()
        .any(|name| target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
    !capped || level <= Level::WARN
}

/// Starts logging. `EVENKEEL_LOG` sets the level (`debug`, `evenkeel::daemon=trace`, …).
#[expect(clippy::disallowed_methods, reason = "this is the command line's own environment")]
pub fn start(daemon: bool) {
    let default: Directive = if daemon { LevelFilter::INFO } else { LevelFilter::WARN }.into();
    let wanted = std::env::var("EVENKEEL_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(default).parse_lossy(wanted);
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_target(false);
    // journald has its own clock
    let lines = if journal { lines.without_time().boxed() } else { lines.boxed() };
    let capped = lines.with_filter(filter_fn(|data: &Metadata<'_>| is_allowed(data.target(), *data.level())));
    // what is caught while damaged files are tried is told in one line by whoever caught it
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(crate::edge::ledger::opening::GUARDED) {
            usual(panic);
        }
    }));
    // a second start in one process keeps the first one's settings
    drop(tracing_subscriber::registry().with(filter).with(capped).try_init());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_makes_a_library_print_what_it_sends_and_receives() {
        for target in ["async_imap", "async_imap::imap_stream", "lettre::transport::smtp", "rustls::client"] {
            assert!(!is_allowed(target, Level::TRACE) && !is_allowed(target, Level::INFO));
            assert!(is_allowed(target, Level::ERROR));
        }
        assert!(is_allowed("evenkeel::daemon", Level::TRACE) && is_allowed("lettres", Level::DEBUG));
    }
}
