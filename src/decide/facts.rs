//! What a condition can ask: the documented set of facts about a mail, all bounded in size.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::case::Case;
use super::{Rulebook, hours};
use crate::classify::{Label, Verdict};
use crate::mail::Mail;
use crate::mail::parse::head;
use crate::time::Timestamp;

/// Text of a mail that conditions and captures see, in bytes.
pub const MAX_TEXT: usize = 16 << 10;
/// Entries of a list that conditions see.
pub const MAX_LIST: usize = 64;

/// The names a condition may use, with the fields of each that has a closed set of them. See
/// `docs/routing.md`.
pub const NAMES: [(&str, &[&str]); 17] = [
    ("labels", &[]),
    ("primary", &[]),
    ("scores", &[]),
    ("review", &[]),
    ("language", &[]),
    ("sender", &["address", "domain", "name", "identity"]),
    ("recipients", &[]),
    ("subject", &[]),
    ("text", &[]),
    ("authenticated", &[]),
    ("automated", &[]),
    ("reply", &[]),
    ("customer", &["conduct", "incidents", "contacts", "known"]),
    ("ticket", &["open", "number", "state", "mails", "gravest"]),
    ("business_hours", &[]),
    ("attachments", &["name", "type", "bytes"]),
    ("facts", &[]),
];

/// Whoever sends a mail writes these as they like.
pub const FORGEABLE: [&str; 5] = ["sender", "recipients", "subject", "text", "attachments"];

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Sender {
    address: String,
    domain: String,
    name: String,
    identity: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct CustomerFacts {
    conduct: &'static str,
    incidents: i64,
    contacts: i64,
    known: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct TicketFacts {
    open: bool,
    number: String,
    state: String,
    mails: i64,
    gravest: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct AttachmentFacts {
    name: String,
    r#type: String,
    bytes: i64,
}

/// The facts of one mail. Labels, facts and captures grow while rules are followed.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that conditions ask by name")]
pub struct Facts {
    /// Labels so far.
    pub labels: BTreeSet<Label>,
    pub(super) primary: String,
    pub(super) scores: BTreeMap<&'static str, f64>,
    pub(super) review: bool,
    pub(super) language: String,
    pub(super) sender: Sender,
    pub(super) recipients: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The new text, cut.
    pub text: String,
    pub(super) authenticated: bool,
    pub(super) automated: bool,
    pub(super) reply: bool,
    pub(super) customer: CustomerFacts,
    pub(super) ticket: TicketFacts,
    pub(super) business_hours: bool,
    pub(super) attachments: Vec<AttachmentFacts>,
    /// Facts that rules have added.
    pub facts: BTreeSet<String>,
    /// Header fields by lower-case name, several of one name joined by line breaks: `header("x-spam")`.
    #[serde(skip)]
    pub headers: BTreeMap<String, String>,
    /// Named captures of rules: `capture("order")`.
    #[serde(skip)]
    pub captures: BTreeMap<String, String>,
}

impl Facts {
    /// The facts of `mail`, before any rule.
    #[must_use]
    pub fn of(mail: &Mail, verdict: &Verdict, case: &Case, book: &Rulebook, now: Timestamp) -> Self {
        let sender = mail.sender().cloned().unwrap_or_default();
        let identity = sender.identity();
        let customer = &case.customer;
        let mut facts = Self {
            labels: verdict.labels.iter().map(|found| found.label).collect(),
            facts: verdict.own.iter().map(|own| own.label.clone()).collect(),
            scores: Label::ALL.map(|label| (label.as_str(), f64::from(verdict.score(label)))).into(),
            review: verdict.review,
            language: verdict.language.to_string(),
            sender: Sender {
                domain: identity.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default(),
                identity,
                address: sender.address.to_lowercase(),
                name: sender.name,
            },
            recipients: mail
                .to
                .iter()
                .chain(&mail.cc)
                .take(MAX_LIST)
                .map(|address| address.address.to_lowercase())
                .collect(),
            subject: mail.subject.clone(),
            text: head(&mail.new_text, MAX_TEXT).to_owned(),
            authenticated: mail.is_proven(&book.policy.authserv_ids),
            automated: mail.automated.is_some(),
            reply: !mail.references.is_empty(),
            customer: CustomerFacts {
                conduct: customer.state(now).as_str(),
                incidents: i64::from(customer.recent_incidents(&book.policy.conduct, now)),
                contacts: i64::from(customer.contacts_this_week(now)),
                known: !customer.contacts.is_empty(),
            },
            business_hours: hours::is_open(&book.company, now),
            ..Self::default()
        };
        if let Some(ticket) = &case.ticket {
            facts.ticket = TicketFacts {
                open: true,
                number: ticket.id.to_string(),
                state: ticket.state.as_str().to_owned(),
                mails: i64::from(ticket.mails),
                gravest: ticket.gravest.map_or(String::new(), |label| label.to_string()),
            };
        }
        facts.attachments = mail.attachments.iter().take(MAX_LIST).map(AttachmentFacts::from).collect();
        for (name, value) in &mail.headers {
            let all = facts.headers.entry(name.clone()).or_default();
            if !all.is_empty() {
                all.push('\n');
            }
            all.push_str(value);
        }
        facts.settle();
        facts
    }

    /// The facts of an empty mail, to try conditions on.
    #[must_use]
    pub fn empty() -> Self {
        let mut facts = Self::default();
        facts.settle();
        facts
    }

    /// Brings what follows from the labels up to date; every label has a score.
    pub fn settle(&mut self) {
        for label in Label::ALL {
            self.scores.entry(label.as_str()).or_insert(0.0);
        }
        self.primary = self.labels.first().map_or(String::new(), ToString::to_string);
    }
}

impl From<&crate::mail::Attachment> for AttachmentFacts {
    fn from(attachment: &crate::mail::Attachment) -> Self {
        Self {
            name: attachment.name.clone(),
            r#type: attachment.mime_type.clone(),
            bytes: i64::try_from(attachment.bytes).unwrap_or(i64::MAX),
        }
    }
}
