//! Mail of ours that came back: a forward to legal that never arrived is an incident, and not a new
//! threat, though it quotes one.

use std::collections::BTreeSet;

use super::OWN_ID_PREFIX;
use crate::mail::{AutomatedReason, Mail, MessageId};

/// Ids looked for in a text, at most.
const MOST: usize = 8;

/// The Message-IDs of ours that a delivery report brings back; empty if it is no report about our mail.
#[must_use]
pub fn own_ids(mail: &Mail) -> Vec<MessageId> {
    use AutomatedReason::{AutoSubmitted, Bulk, DeliveryReport, FeedbackReport, MachineSender};
    // an answering machine refers to our mail too, and so do lists and receipts: it has arrived
    let refers = match mail.automated {
        Some(DeliveryReport) => true,
        Some(AutoSubmitted | Bulk | FeedbackReport | MachineSender) => false,
        _ => return Vec::new(),
    };
    let attached = mail.returned.iter().cloned();
    let quoted = [&mail.new_text, &mail.quoted, &mail.signature].into_iter().flat_map(|text| in_text(text));
    let referred = mail.references.iter().filter(|_| refers).cloned();
    let ids: BTreeSet<MessageId> =
        attached.chain(quoted).chain(referred).filter(|id| id.as_str().starts_with(OWN_ID_PREFIX)).collect();
    ids.into_iter().collect()
}

/// Ids of ours that a text quotes, in angle brackets or not.
fn in_text(text: &str) -> Vec<MessageId> {
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    memchr::memmem::find_iter(text.as_bytes(), OWN_ID_PREFIX)
        .filter_map(|at| {
            let rest = text.get(at..)?;
            let id = rest.split(|c| !is_id(c)).next()?.trim_end_matches('.');
            let before = text.get(..at)?.chars().next_back();
            (id.contains('@') && !before.is_some_and(is_id)).then(|| MessageId::new(id)).flatten()
        })
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    #[test]
    fn a_report_about_our_mail_is_known_by_the_id_it_brings_back() {
        let report = "From: MAILER-DAEMON@example.org\nSubject: Undelivered Mail\nContent-Type: multipart/report; \
            report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\
            --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <ek1.abc.forward-legal@example.test>\nSubject: x\n--b--\n";
        let ids = own_ids(&parse(report.as_bytes()));
        assert_eq!(
            ids.iter().map(MessageId::as_str).collect::<Vec<_>>(),
            ["ek1.abc.forward-legal@example.test"]
        );
        let told = "From: postmaster@example.org\nReturn-Path: <>\nSubject: failure notice\n\nMessage-ID: ek1.abc.forward-legal@example.test.\n";
        assert_eq!(own_ids(&parse(told.as_bytes())).len(), 1);
    }

    #[test]
    fn a_person_who_quotes_our_id_and_an_answering_machine_report_nothing() {
        let person = "From: ana@example.org\nSubject: Re: x\nIn-Reply-To: <ek1.abc.draft@example.test>\n\nHi\n> <ek1.abc.draft@example.test>\n";
        assert!(own_ids(&parse(person.as_bytes())).is_empty());
        let away = format!("Auto-Submitted: auto-replied\n{person}");
        assert!(own_ids(&parse(away.as_bytes())).is_empty());
    }
}
