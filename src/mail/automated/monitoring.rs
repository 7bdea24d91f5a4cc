//! Alerts of programs that watch other programs.

use super::Signs;
use super::marks::{self, any};
use super::sender::local_letters;

/// Whether a monitor, a cron job or a build robot wrote it: a header that only those set, or a sender
/// and a subject of that kind together.
pub(super) fn is_alert(signs: &Signs<'_>, subject: &str) -> bool {
    let local = local_letters(signs.from);
    signs.has(marks::MONITOR_HEADERS)
        || (any(marks::MONITORS, |name| local.starts_with(name))
            && any(marks::ALERT_SUBJECTS, |mark| subject.contains(mark)))
}
