//! Whether a machine wrote the mail, and how we know.
//!
//! A mail that nobody waits for must not be answered (RFC 3834 §2); a person taken for a machine is
//! never heard. So a header that only machines set is proof, and every weaker hint needs another.

mod away;
mod bounce;
mod marks;
mod monitoring;
mod sender;

use serde::{Deserialize, Serialize};

use marks::any;
use sender::{is_daemon, is_no_reply};

/// Why a mail is a machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutomatedReason {
    /// `Auto-Submitted` other than `no` (RFC 3834 §5).
    AutoSubmitted,
    /// A delivery report: `multipart/report` (RFC 3464), or the older bounces without one.
    DeliveryReport,
    /// A complaint from a feedback loop (RFC 5965).
    FeedbackReport,
    /// A read receipt (RFC 8098).
    ReadReceipt,
    /// Out of office and other answering machines.
    AutoReply,
    /// A mailing list or newsletter (RFC 2369, RFC 2919).
    List,
    /// `Precedence: bulk` or `junk`, campaign headers.
    Bulk,
    /// An invitation or its answer (RFC 6047).
    Calendar,
    /// A sender that reads no answers: an empty `Return-Path` (RFC 5321 §4.5.5), `mailer-daemon`, `no-reply`.
    MachineSender,
    /// An alert of a monitor, a cron job, a build.
    Monitoring,
    /// A mail we sent ourselves: its Message-ID is one that the ledger has given.
    OwnMail,
}

impl AutomatedReason {
    /// The reason's word, as in logs and `read --format jsonl`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AutoSubmitted => "auto-submitted",
            Self::DeliveryReport => "delivery-report",
            Self::FeedbackReport => "feedback-report",
            Self::ReadReceipt => "read-receipt",
            Self::AutoReply => "auto-reply",
            Self::List => "list",
            Self::Bulk => "bulk",
            Self::Calendar => "calendar",
            Self::MachineSender => "machine-sender",
            Self::Monitoring => "monitoring",
            Self::OwnMail => "own-mail",
        }
    }
}

impl std::fmt::Display for AutomatedReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The names of the header fields that are looked at, in lower case.
pub fn headers() -> impl Iterator<Item = &'static str> {
    marks::HEADERS.split('|')
}

/// What can tell a machine's mail from a person's.
#[derive(Clone, Debug, Default)]
pub struct Signs<'a> {
    /// Fields of [`headers`] that are present, values in lower case on one line.
    pub headers: Vec<(&'static str, String)>,
    /// `type/subtype` of each part, the whole first.
    pub parts: &'a [String],
    /// `report-type` of a `multipart/report`.
    pub report: Option<&'a str>,
    /// `method` of a `text/calendar` part.
    pub calendar: Option<&'a str>,
    /// The sender's address.
    pub from: &'a str,
    /// The sender's display name.
    pub from_name: &'a str,
    /// The first address of `Reply-To`.
    pub reply_to: &'a str,
    /// Whether the text is a form's, filled in by a person.
    pub in_form: bool,
    /// The addresses of `To` and `Cc`.
    pub recipients: Vec<&'a str>,
    /// The subject.
    pub subject: &'a str,
    /// The whole text.
    pub text: &'a str,
}

impl Signs<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, names: &str) -> bool {
        any(names, |name| self.get(name).is_some())
    }

    /// Whether the field begins with one of these words.
    fn says(&self, name: &str, words: &str) -> bool {
        self.get(name).is_some_and(|value| any(words, |word| keyword(value) == word))
    }

    fn has_part(&self, kind: &str) -> bool {
        self.parts.iter().any(|part| part == kind)
    }
}

/// Why this is the mail of a machine, or `None` for a person's.
#[must_use]
pub fn reason(signs: &Signs<'_>) -> Option<AutomatedReason> {
    let subject = signs.subject.to_lowercase();
    let human = signs.get("auto-submitted").is_some_and(|value| keyword(value) == "no");
    report(signs, &subject)
        .or_else(|| submitted(signs, &subject))
        .or_else(|| bounce::reason(signs, &subject))
        .or_else(|| if human { None } else { weaker(signs, &subject) })
}

/// A field's value up to its first parameter or comment.
fn keyword(value: &str) -> &str {
    value.split([';', '(', ' ']).next().unwrap_or_default()
}

/// Reports say what they are in their structure.
fn report(signs: &Signs<'_>, subject: &str) -> Option<AutomatedReason> {
    use AutomatedReason::{DeliveryReport, FeedbackReport, ReadReceipt};
    let kind = match signs.report {
        Some("feedback-report") => FeedbackReport,
        Some("disposition-notification") => ReadReceipt,
        Some(_) => DeliveryReport,
        // a person who passes a report on may pass on its parts too
        None if is_answer(subject) => return None,
        None if signs.has_part("message/feedback-report") => FeedbackReport,
        // Hotmail's feedback loop sends no report part
        None if subject.starts_with("complaint about message from") && signs.has_part("message/rfc822") => {
            FeedbackReport
        }
        None if signs.has_part("message/disposition-notification") => ReadReceipt,
        None if signs.has_part("message/delivery-status") => DeliveryReport,
        None => return None,
    };
    Some(kind)
}

fn submitted(signs: &Signs<'_>, subject: &str) -> Option<AutomatedReason> {
    let value = keyword(signs.get("auto-submitted")?);
    match value {
        "no" | "" => None,
        "auto-replied" if bounce::is_bounce_subject(subject) => Some(AutomatedReason::DeliveryReport),
        "auto-replied" => Some(AutomatedReason::AutoReply),
        _ => Some(AutomatedReason::AutoSubmitted),
    }
}

/// Signs that a person's mail may carry too, or that `Auto-Submitted: no` overrides.
fn weaker(signs: &Signs<'_>, subject: &str) -> Option<AutomatedReason> {
    use AutomatedReason::{AutoReply, Bulk, Calendar, List, MachineSender};
    if signs.has(marks::AUTO_REPLY_HEADERS)
        || signs.says("x-apple-action", "vacation")
        || signs.says("precedence", "auto_reply|auto-reply")
        || signs.get("x-ms-exchange-generated-message-source").is_some_and(|v| v.contains("rules agent"))
    {
        return Some(AutoReply);
    }
    if let Some(reason) = away::reason(signs, subject) {
        return Some(reason);
    }
    if signs.calendar.is_some_and(|method| any(marks::CALENDAR_METHODS, |known| known == method)) {
        return Some(Calendar);
    }
    if monitoring::is_alert(signs, subject) {
        return Some(AutomatedReason::Monitoring);
    }
    let listed = signs.has(marks::LIST_HEADERS) || signs.says("precedence", "list");
    let ours = listed && is_through_our_group(signs);
    if listed && !ours {
        return Some(List);
    }
    let bulk = || signs.says("precedence", "bulk|junk") || signs.says("x-precedence", "bulk|junk");
    if signs.has(marks::BULK_HEADERS) || (!ours && bulk()) {
        return Some(Bulk);
    }
    let machine = is_daemon(signs.from) || is_nobody(signs) || signs.has("x-autogenerated|x-github-reason");
    (machine || signs.get("return-path").is_some_and(is_null_path)).then_some(MachineSender)
}

/// A sender that reads no answers, and names nobody else who does: a contact form writes from
/// `no-reply` and puts the person into `Reply-To`.
fn is_nobody(signs: &Signs<'_>) -> bool {
    is_no_reply(signs.from) && !signs.in_form && (signs.reply_to.is_empty() || is_no_reply(signs.reply_to))
}

/// Whether the list is the group behind the address that was written to: a support address that is
/// a Google group or Mailman list puts list headers on every customer's mail.
fn is_through_our_group(signs: &Signs<'_>) -> bool {
    let id = signs.get("list-id").or_else(|| signs.get("list-post")).or_else(|| signs.get("mailing-list"));
    id.is_some_and(|id| {
        signs.recipients.iter().map(|address| address.to_lowercase()).any(|address| {
            !address.is_empty()
                && (id.contains(&address) || id.contains(&format!("<{}>", address.replace('@', "."))))
        })
    })
}

fn is_null_path(value: &str) -> bool {
    matches!(value.trim(), "<>" | "< >")
}

/// Whether the subject is one that answers or passes on another: then a person may stand behind it.
fn is_answer(subject: &str) -> bool {
    any(marks::ANSWERS, |mark| subject.starts_with(mark))
}

fn head(text: &str, bytes: usize) -> String {
    super::parse::head(text, bytes).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(
        headers: &[(&'static str, &str)],
        from: &'static str,
        subject: &'static str,
        text: &'static str,
    ) -> Signs<'static> {
        Signs {
            headers: headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(),
            from,
            subject,
            text,
            ..Signs::default()
        }
    }

    #[test]
    fn auto_submitted_no_is_a_human() {
        let with = |value| reason(&signs(&[("auto-submitted", value)], "ana@example.org", "Pedido", "Hola"));
        assert_eq!(with("no"), None);
        assert_eq!(with("no (really)"), None);
        assert_eq!(with("auto-generated"), Some(AutomatedReason::AutoSubmitted));
        assert_eq!(with("auto-replied; owner-email=\"x\""), Some(AutomatedReason::AutoReply));
    }

    #[test]
    fn a_human_who_forwards_a_bounce_and_asks_is_a_human() {
        let text = "Why did I get this?\n\n> 550 5.1.1 user unknown, could not be delivered";
        assert_eq!(
            reason(&signs(&[], "ana@example.org", "Fwd: Undelivered Mail Returned to Sender", text)),
            None
        );
    }

    #[test]
    fn answering_machines_without_headers_are_told_by_subject_and_text() {
        for (subject, text) in [
            (
                "Out of Office: Your invoice",
                "I am out of the office until Monday with limited access to email.",
            ),
            ("Respuesta automática: su factura", "Estoy de vacaciones hasta el lunes."),
            ("Автоответ: Re: счёт", "Здравствуйте! Я в отпуске до 10 марта."),
            ("Автоматична відповідь: рахунок", "Я у відпустці до понеділка."),
        ] {
            let mail = signs(&[], "ana@example.org", subject, text);
            assert_eq!(reason(&mail), Some(AutomatedReason::AutoReply), "{subject}");
        }
    }

    #[test]
    fn people_on_holiday_are_people() {
        for (subject, text) in [
            ("Vacation rental cancelled", "I am on vacation and you cancelled my flat."),
            ("Out of office hours support", "We need out of office hours support. What does it cost?"),
            ("В отпуске без связи", "Я в отпуске, а роуминг не работает. Что делать?"),
        ] {
            assert_eq!(reason(&signs(&[], "ana@example.org", subject, text)), None, "{subject}");
        }
    }

    #[test]
    fn a_report_passed_on_in_parts_comes_from_a_person() {
        let parts = ["multipart/mixed".to_owned(), "message/delivery-status".to_owned()];
        let mut mail = signs(&[], "ana@example.org", "Fwd: Undelivered Mail", "What is this?");
        mail.parts = &parts;
        assert_eq!(reason(&mail), None);
        mail.subject = "Undelivered Mail";
        assert_eq!(reason(&mail), Some(AutomatedReason::DeliveryReport));
    }

    #[test]
    fn a_person_who_asks_about_our_autoreply_is_a_human() {
        let text = "You answered automatically, but when will you be back?";
        assert_eq!(reason(&signs(&[], "ana@example.org", "Re: Automatic reply: order", text)), None);
    }

    #[test]
    fn a_contact_form_carries_a_person() {
        let mut form = signs(&[], "no-reply@shop.example.org", "Contact form", "Where is my order?");
        assert_eq!(reason(&form), Some(AutomatedReason::MachineSender));
        form.reply_to = "ana@example.org";
        assert_eq!(reason(&form), None);
    }

    #[test]
    fn a_support_address_that_is_a_group_still_hears_people() {
        let headers = [("list-id", "<support.example.test>"), ("precedence", "list")];
        let mut mail = signs(&headers, "ana@example.org", "Order", "Where is it?");
        assert_eq!(reason(&mail), Some(AutomatedReason::List));
        mail.recipients = vec!["support@example.test"];
        assert_eq!(reason(&mail), None);
    }

    #[test]
    fn suppressing_answers_alone_proves_nothing() {
        let header = [("x-auto-response-suppress", "dr, oof, autoreply")];
        assert_eq!(reason(&signs(&header, "ana@example.org", "Invoice", "Please send it")), None);
        assert_eq!(
            reason(&signs(&header, "ana@example.org", "Automatic reply: Invoice", "I am away")),
            Some(AutomatedReason::AutoReply)
        );
    }

    #[test]
    fn the_word_of_a_reason_is_the_one_in_json() {
        let json = serde_json::to_string(&AutomatedReason::DeliveryReport).unwrap();
        assert_eq!(json, format!("\"{}\"", AutomatedReason::DeliveryReport));
    }
}
