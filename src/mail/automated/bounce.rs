//! Delivery reports that do not say so in their structure.

use super::marks::{self, any};
use super::sender::{is_daemon, is_daemon_name};
use super::{AutomatedReason, Signs, head, is_answer, is_null_path};

/// Bounces from before RFC 3464, and from those who never read it.
pub(super) fn reason(signs: &Signs<'_>, subject: &str) -> Option<AutomatedReason> {
    let named = is_daemon_name(signs.from_name);
    let daemon = is_daemon(signs.from);
    let null_path = signs.get("return-path").is_some_and(is_null_path);
    let titled = is_bounce_subject(subject);
    let told = || titled || is_bounce_text(signs.text);
    let failed = signs.has("x-failed-recipients|x-ms-exchange-message-is-ndr");
    (failed || ((daemon || named) && null_path) || (named && titled) || ((daemon || null_path) && told()))
        .then_some(AutomatedReason::DeliveryReport)
}

pub(super) fn is_bounce_subject(subject: &str) -> bool {
    !is_answer(subject) && any(marks::BOUNCE_SUBJECTS, |mark| subject.contains(mark))
}

fn is_bounce_text(text: &str) -> bool {
    let head = head(text, 2_000);
    any(marks::BOUNCE_TEXTS, |mark| head.contains(mark))
}
