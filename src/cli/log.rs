//! Logging: under systemd straight to the journal, every field by its name (`EVK_MAIL_ID_HASH`, …);
//! elsewhere lines on stderr.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::panic::PanicHookInfo;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Directive, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::edge::metrics;

/// Their trace logs print passwords and mails: capped here, whatever the environment says.
const CAPPED: [&str; 10] = [
    "async_imap",
    "imap_proto",
    "lettre",
    "rustls",
    "tokio_rustls",
    "sled",
    "hyper",
    "hyper_util",
    "axum",
    "h2",
];

fn is_allowed(target: &str, level: Level) -> bool {
    let capped = CAPPED
        .iter()
        .any(|name| target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
    !capped || level <= Level::WARN
}

/// Starts logging. `EVENKEEL_LOG` sets the level (`debug`, `evenkeel::daemon=trace`, …).
#[expect(clippy::disallowed_methods, reason = "this is the command line's own environment")]
pub fn start(daemon: bool) {
    std::panic::set_hook(Box::new(panicked));
    let default: Directive = if daemon { LevelFilter::INFO } else { LevelFilter::WARN }.into();
    let wanted = std::env::var("EVENKEEL_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(default).parse_lossy(wanted);
    let under_systemd = std::env::var("JOURNAL_STREAM").is_ok_and(|stream| is_stderr(&stream));
    let journal = if daemon && under_systemd { tracing_journald::layer().ok() } else { None };
    let lines = if let Some(journal) = journal {
        journal.with_field_prefix(Some("EVK".into())).boxed()
    } else {
        let lines = fmt::layer().with_writer(|| Counted).with_target(false);
        let lines = lines.with_ansi(io::stderr().is_terminal());
        // journald has its own clock
        if under_systemd { lines.without_time().boxed() } else { lines.boxed() }
    };
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

/// Whether stderr is the journal that `JOURNAL_STREAM` names by device and inode (`systemd.exec(5)`):
/// the variable is inherited, also where stderr goes elsewhere.
fn is_stderr(stream: &str) -> bool {
    let known = fs::metadata("/proc/self/fd/2").map(|data| format!("{}:{}", data.dev(), data.ino()));
    known.is_ok_and(|known| known == stream)
}

/// Says where a thread has panicked and not with what: the message may hold a mail's text.
fn panicked(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "?".to_owned(), ToString::to_string);
    tracing::error!(place, "a thread has panicked; please report the place");
}

/// Stderr; what cannot be written is counted.
struct Counted;

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write(bytes).inspect_err(|_| metrics::log_dropped())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_makes_a_library_print_what_it_sends_and_receives() {
        for target in [
            "async_imap",
            "async_imap::imap_stream",
            "lettre::transport::smtp",
            "rustls::client",
            "hyper::proto",
        ] {
            assert!(!is_allowed(target, Level::TRACE) && !is_allowed(target, Level::INFO));
            assert!(is_allowed(target, Level::ERROR));
        }
        assert!(is_allowed("evenkeel::daemon", Level::TRACE) && is_allowed("lettres", Level::DEBUG));
    }

    #[test]
    fn an_inherited_variable_does_not_make_stderr_the_journal() {
        assert!(!is_stderr("1:1") && !is_stderr("") && !is_stderr("no numbers"));
    }
}
