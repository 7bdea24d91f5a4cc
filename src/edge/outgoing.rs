//! The two kinds of mail that we write: a draft for an agent, and the original for colleagues.
//! Same record, same bytes: Message-ID, date and boundary are fixed by the ledger, so that a
//! repetition is recognisable as one.

mod colleagues;
mod quotation;

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};

pub use self::colleagues::{Enclosed, forward, notice};
use crate::decide::OWN_ID_PREFIX;
use crate::mail::parse::one_line;
use crate::mail::{Mail, MessageId};
use crate::time::Timestamp;

/// A mail that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// An address of the config is none.
    #[error("{address:?} is no mail address: {why}")]
    Address {
        /// The address.
        address: String,
        /// What lettre says.
        why: String,
    },
    /// lettre refuses to build it.
    #[error("the mail cannot be built: {0}")]
    Build(String),
}

/// What the headers of our mails say about the mail they are about.
#[derive(Clone, Debug)]
pub struct Marks<'a> {
    /// Ticket number.
    pub ticket: Option<&'a str>,
    /// Labels, in order of precedence.
    pub labels: &'a str,
    /// Reasons on one line.
    pub reasons: &'a str,
}

/// Message-ID of something we write about the mail with this identity. It ends in a word and a
/// domain, so that no id is a beginning of another (servers search substrings).
#[must_use]
pub fn own_id(identity: &str, what: &str, from: &str) -> Option<MessageId> {
    let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    MessageId::new(&format!("{OWN_ID_PREFIX}{identity}.{what}@{domain}"))
}

/// Whose mailbox a draft is written in.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Display name.
    pub name: &'a str,
    /// Its address.
    pub address: &'a str,
    /// Other addresses under which customers write to it.
    pub aliases: &'a [String],
}

impl Desk<'_> {
    fn owns(&self, address: &str) -> bool {
        let own = std::iter::once(self.address).chain(self.aliases.iter().map(String::as_str));
        own.into_iter().any(|own| own.eq_ignore_ascii_case(address))
    }

    /// The address the customer wrote to, of those that are ours.
    fn written_to<'a>(&'a self, mail: &'a Mail) -> &'a str {
        let named = mail.to.iter().chain(&mail.cc).map(|to| to.address.as_str());
        named.into_iter().find(|to| self.owns(to)).unwrap_or(self.address)
    }
}

/// Others who get the answer, too: whom the customer has put in Cc. At most so many, or none.
const MOST_COPIES: usize = 10;

/// A draft reply.
///
/// # Errors
/// When the address of `desk` is none.
pub fn draft(
    id: &MessageId,
    desk: &Desk<'_>,
    mail: &Mail,
    draft: &crate::reply::Draft,
    marks: &Marks<'_>,
    at: Timestamp,
) -> Result<Vec<u8>, OutgoingError> {
    let from = desk.written_to(mail);
    let mut message = builder(id, from, desk.name, marks, at)?.subject(one_line(&draft.subject));
    // an address that cannot be written is left for the agent to fill in
    let mailbox = |person: &crate::mail::Address| {
        let address = person.address.parse::<Address>().ok()?;
        Some(Mailbox::new(Some(one_line(&person.name)).filter(|name| !name.is_empty()), address))
    };
    let answered = mail.answer_to();
    if let Some(to) = answered.and_then(mailbox) {
        message = message.to(to);
    }
    let others = |copied: &&crate::mail::Address| {
        !desk.owns(&copied.address)
            && answered.is_none_or(|to| !to.address.eq_ignore_ascii_case(&copied.address))
    };
    let copies: Vec<Mailbox> = mail.cc.iter().filter(others).filter_map(mailbox).collect();
    if copies.len() <= MOST_COPIES {
        message = copies.into_iter().fold(message, MessageBuilder::cc);
    }
    let mut thread: Vec<String> = mail.references.iter().map(|id| format!("<{}>", id.as_str())).collect();
    if let Some(answered) = &mail.message_id {
        let answered = format!("<{}>", answered.as_str());
        message = message.in_reply_to(answered.clone());
        thread.push(answered);
    }
    if !thread.is_empty() {
        // the first and the last few: what threading needs (RFC 5322 §3.6.4)
        let skip = thread.len().saturating_sub(20);
        let kept: Vec<String> =
            thread.into_iter().enumerate().filter(|(i, _)| *i == 0 || *i > skip).map(|(_, id)| id).collect();
        message = message.references(kept.join(" "));
    }
    let draft = &checked(mail, draft);
    if !draft.fill_in.is_empty() {
        message = message.raw_header(header("X-Evenkeel-Fill-In", &draft.fill_in.join("; "))?);
    }
    let quoted = quotation::plain(mail, draft.language);
    let plain = SinglePart::plain(crlf(&format!("{}\n\n{quoted}", draft.body.trim_end())));
    let message = if quotation::is_html(mail) {
        let twin = SinglePart::html(crlf(&quotation::html(mail, draft)));
        message.multipart(MultiPart::alternative().boundary(boundary(id)).singlepart(plain).singlepart(twin))
    } else {
        message.singlepart(plain)
    };
    Ok(message.map_err(|e| OutgoingError::Build(e.to_string()))?.formatted())
}

/// The draft, with a mark where the mail wants its answer sent to another domain.
fn checked(mail: &Mail, draft: &crate::reply::Draft) -> crate::reply::Draft {
    let mut draft = draft.clone();
    if let Some(wanted) = mail.asks_elsewhere() {
        let mark = format!("Reply-To: {}", one_line(&wanted.address));
        draft.body = format!("[[{mark}]]\n\n{}", draft.body);
        draft.fill_in.push(mark);
    }
    draft
}

/// A boundary of our own: the same record gives the same bytes.
fn boundary(id: &MessageId) -> String {
    format!("ek1-{}", id.as_str().chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>())
}

fn builder(
    id: &MessageId,
    from: &str,
    from_name: &str,
    marks: &Marks<'_>,
    at: Timestamp,
) -> Result<MessageBuilder, OutgoingError> {
    let address = parse(from)?;
    let name = Some(one_line(from_name)).filter(|name| !name.is_empty());
    let envelope = Envelope::new(Some(address.clone()), vec![address.clone()])
        .map_err(|e| OutgoingError::Build(e.to_string()))?;
    let mut message = Message::builder()
        .envelope(envelope)
        .message_id(Some(format!("<{}>", id.as_str())))
        .date(UNIX_EPOCH + Duration::from_secs(u64::try_from(at.0).unwrap_or(0)))
        .from(Mailbox::new(name, address))
        .raw_header(header("X-Evenkeel-Labels", marks.labels)?)
        .raw_header(header("X-Evenkeel-Reason", marks.reasons)?);
    if let Some(ticket) = marks.ticket {
        message = message.raw_header(header("X-Evenkeel-Ticket", ticket)?);
    }
    Ok(message)
}

fn header(name: &'static str, value: &str) -> Result<HeaderValue, OutgoingError> {
    let name =
        HeaderName::new_from_ascii(name.to_owned()).map_err(|e| OutgoingError::Build(e.to_string()))?;
    Ok(HeaderValue::new(name, one_line(value)))
}

fn parse(address: &str) -> Result<Address, OutgoingError> {
    address.parse().map_err(|e: lettre::address::AddressError| OutgoingError::Address {
        address: address.to_owned(),
        why: e.to_string(),
    })
}

fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mail::Language;

    pub(super) fn marks() -> Marks<'static> {
        Marks { ticket: Some("EK-AAAA-22"), labels: "threat", reasons: "label (threat 0.98)" }
    }

    #[test]
    fn a_hostile_display_name_neither_panics_nor_makes_a_header() {
        let mut mail = Mail::from_message("Eve\r\nBcc: a@b\0", "eve@example.com", "Hi", "text");
        mail.message_id = MessageId::new("x@y");
        let reply = crate::reply::Draft {
            subject: "Re: Hi\r\nX: y".into(),
            body: "Hello".into(),
            language: Language::En,
            playbook: "question".into(),
            wordings: Vec::new(),
            fill_in: Vec::new(),
            promised: None,
        };
        let id = own_id("abc", "draft", "support@example.com").unwrap();
        let desk = Desk { name: "Team", address: "support@example.com", aliases: &[] };
        let bytes = draft(&id, &desk, &mail, &reply, &marks(), Timestamp(0)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("\r\nBcc") && !text.contains("\r\nX:"), "{text}");
        assert!(text.contains("In-Reply-To: <x@y>"));
    }

    fn answer() -> crate::reply::Draft {
        crate::reply::Draft {
            subject: "Re: Hi".into(),
            body: "Hello Ana,\n\nA < B & \u{201c}C\u{201d}. [[ANSWER]]\n\nBest regards,\nSupport".into(),
            language: Language::En,
            playbook: "question".into(),
            wordings: Vec::new(),
            fill_in: vec!["ANSWER".into()],
            promised: None,
        }
    }

    #[test]
    fn a_draft_is_from_the_address_the_customer_wrote_to_and_copied_to_whom_they_copied() {
        let raw = b"From: Ana <ana@example.org>\r\nTo: Sales <Sales@example.com>\r\n\
            Cc: Bo <bo@example.org>, support@example.com, ana@example.org\r\nMessage-ID: <m@example.org>\r\n\
            Subject: Hi\r\n\r\nHow much is it, please?\r\n";
        let mail = crate::mail::parse(raw);
        let aliases = ["sales@example.com".to_owned()];
        let desk = Desk { name: "Team", address: "support@example.com", aliases: &aliases };
        let id = own_id("abc", "draft", "support@example.com").unwrap();
        let bytes = draft(&id, &desk, &mail, &answer(), &marks(), Timestamp(0)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let field = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or("").to_owned();
        assert!(field("From:").to_lowercase().contains("sales@example.com"), "{text}");
        assert!(field("To:").contains("ana@example.org"), "{text}");
        assert!(field("Cc:").contains("bo@example.org") && !field("Cc:").contains("support@"), "{text}");
        assert_eq!(field("X-Evenkeel-Fill-In:").trim(), "X-Evenkeel-Fill-In: ANSWER");
        assert!(!text.contains("text/html"), "a plain mail gets a plain answer");
    }

    #[test]
    fn an_answer_that_is_wanted_at_another_domain_goes_to_the_sender_and_an_agent_is_told() {
        let desk = Desk { name: "Team", address: "support@example.com", aliases: &[] };
        let id = own_id("abc", "draft", "support@example.com").unwrap();
        let written = |reply_to: &str| {
            let raw = format!(
                "From: Ana <ana@example.org>\r\nReply-To: {reply_to}\r\nTo: support@example.com\r\n\
                 Message-ID: <m@example.org>\r\nSubject: Hi\r\n\r\nHow much is it, please?\r\n"
            );
            let mail = crate::mail::parse(raw.as_bytes());
            let bytes = draft(&id, &desk, &mail, &answer(), &marks(), Timestamp(0)).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let elsewhere = written("ana@examp1e.net");
        assert!(elsewhere.contains("To: Ana <ana@example.org>"), "{elsewhere}");
        assert!(elsewhere.contains("\r\n[[Reply-To: ana@examp1e.net]]\r\n"), "{elsewhere}");
        assert!(elsewhere.contains("X-Evenkeel-Fill-In: ANSWER; Reply-To: ana@examp1e.net"), "{elsewhere}");
        let at_home = written("post@mail.example.org");
        assert!(
            at_home.contains("To: post@mail.example.org") && !at_home.contains("[[Reply-To"),
            "{at_home}"
        );
    }

    #[test]
    fn markup_in_a_mail_is_text_in_its_draft() {
        let raw = b"From: Ana <ana@example.org>\r\nTo: support@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\
            Message-ID: <m@example.org>\r\nSubject: <b>Hi</b>\r\n\r\n\
            <p>&lt;script&gt;alert(1)&lt;/script&gt; <a href='https://evil.example/x'>pay here</a> [x](http://evil.example)</p>\r\n";
        let mail = crate::mail::parse(raw);
        let desk = Desk { name: "Team", address: "support@example.com", aliases: &[] };
        let id = own_id("abc", "draft", "support@example.com").unwrap();
        let bytes = draft(&id, &desk, &mail, &answer(), &marks(), Timestamp(0)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let html = text.split("text/html").nth(1).unwrap();
        assert!(!html.contains("<script") && !html.contains("<a ") && !html.contains("href"), "{html}");
        assert!(html.contains("&lt;script"), "{html}");
        let plain = text.split("text/html").next().unwrap();
        assert!(plain.contains("> <script>alert(1)"), "{plain}");
    }

    #[test]
    fn who_writes_html_is_answered_in_plain_text_and_html_without_anything_from_elsewhere() {
        let raw = b"From: ana@example.org\r\nTo: support@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\
            Message-ID: <m@example.org>\r\nSubject: Hi\r\n\r\n<p>How much is it? <img src='http://x.example/a.png'></p>\r\n";
        let mail = crate::mail::parse(raw);
        let desk = Desk { name: "Team", address: "support@example.com", aliases: &[] };
        let id = own_id("abc", "draft", "support@example.com").unwrap();
        let build = || draft(&id, &desk, &mail, &answer(), &marks(), Timestamp(0)).unwrap();
        let bytes = build();
        assert_eq!(bytes, build());
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains("multipart/alternative")
                && text.contains("text/plain")
                && text.contains("text/html")
        );
        assert!(!text.contains("x.example") && !text.contains("<img"), "{text}");
        let read = crate::mail::parse(&bytes);
        assert!(read.new_text.contains("A < B"), "{}", read.new_text);
    }
}
