//! How far long work is, on a terminal; nothing is shown where nobody looks.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `steps`; 0 where that is not known yet.
#[must_use]
pub fn bar(steps: u64) -> ProgressBar {
    styled(ProgressBar::new(steps), "{bar:40} {pos}/{len} {msg}")
}

/// A sign of life beside what is being done.
#[must_use]
pub fn spinner(what: &'static str) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg} ({elapsed})");
    bar.set_message(what);
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    bar
}

/// A count of mails, where the data go into a file: elsewhere they are in sight themselves.
#[must_use]
pub fn count() -> ProgressBar {
    let into_file = std::fs::metadata("/proc/self/fd/1").is_ok_and(|stdout| stdout.is_file());
    if !into_file {
        return ProgressBar::hidden();
    }
    let bar = spinner("mails");
    styled(bar, "{spinner} {pos} {msg} ({elapsed})")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
