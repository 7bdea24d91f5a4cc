//! A mail as the rest of the program sees it: who writes to whom, what is new in it,
//! in which language, and whether a machine wrote it.

pub mod automated;
pub mod language;
pub mod new_text;
pub mod parse;

use serde::{Deserialize, Serialize};

pub use automated::AutomatedReason;
pub use language::Language;
pub use parse::parse;

use crate::time::Timestamp;

/// A `msg-id` of RFC 5322 §3.6.4 without its angle brackets, stripped of control characters and
/// white space. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Longest id kept, in bytes: a header line (RFC 5322 §2.1.1) holds no longer one.
    pub const MAX_BYTES: usize = 998;

    /// Reads an id with or without angle brackets; `None` when nothing usable is left.
    #[must_use]
    pub fn new(raw: &str) -> Option<Self> {
        let id: String = raw
            .chars()
            .filter(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\\'))
            .collect();
        (!id.is_empty() && id.len() <= Self::MAX_BYTES).then_some(Self(id))
    }

    /// The id without angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mailbox of RFC 5322 §3.4: display name and address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The display name, decoded (RFC 2047), control characters removed; empty when there is none.
    pub name: String,
    /// `local@domain` as written, control characters removed.
    pub address: String,
}

impl Address {
    /// The address under which a person is known: lower case, `+tag` removed from the local part.
    #[must_use]
    pub fn identity(&self) -> String {
        let lower = self.address.trim().to_lowercase();
        match lower.rsplit_once('@') {
            Some((local, domain)) => {
                let local = local.split_once('+').map_or(local, |(base, _)| base);
                format!("{local}@{domain}")
            }
            None => lower,
        }
    }
}

/// What is known of an attachment without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, decoded (RFC 2047 and RFC 2231); empty when there is none.
    pub name: String,
    /// `type/subtype`, lower case.
    #[serde(rename = "type")]
    pub mime_type: String,
    /// Size of the decoded content in bytes, as far as it was fetched.
    pub bytes: usize,
}

/// Something in the mail that could not be read as written. A mail with problems is still a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// No header block could be found.
    NoHeaders,
    /// No `From` field, or none with an address in it.
    NoFrom,
    /// More than one address in `From` (RFC 5322 allows it, nobody honest uses it).
    SeveralFrom,
    /// No usable `Message-ID`.
    NoMessageId,
    /// No text could be found in any part.
    NoText,
    /// The text was longer than what is read; the rest was ignored.
    TextCut,
    /// The mail was longer than what was fetched; the rest was ignored.
    MailCut,
    /// MIME parts nested deeper than what is read.
    TooDeep,
    /// More header fields, or longer ones, than what is read.
    HeadersCut,
    /// Bytes that are no text in the declared charset; they became U+FFFD.
    Undecodable,
    /// The parser gave up; only headers were read.
    Unparseable,
}

/// A mail, read. Made by [`parse()`] from bytes and by [`Mail::from_message`] from plain fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mail {
    /// `Message-ID`.
    pub message_id: Option<MessageId>,
    /// `References` followed by `In-Reply-To`, in order, each once: the thread, oldest first.
    pub references: Vec<MessageId>,
    /// All of `From`; the first is the sender.
    pub from: Vec<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Subject`, decoded, on one line.
    pub subject: String,
    /// `Date`, if it can be read.
    pub date: Option<Timestamp>,
    /// What the sender wrote now: without quotes, signature, disclaimer. Where that is nothing but
    /// "see below" above a forwarded mail, the forwarded text follows: that is what is to be judged.
    pub new_text: String,
    /// The quoted or forwarded part, as text.
    pub quoted: String,
    /// The signature block, as text.
    pub signature: String,
    /// Whether the quoted part is a forwarded mail, and so perhaps the matter itself: marked as one,
    /// or the only thing there is.
    pub forwarded: bool,
    /// Language of the new text.
    pub language: Language,
    /// Why this is the mail of a machine, or `None` for a human's.
    pub automated: Option<AutomatedReason>,
    /// Attachments, in order.
    pub attachments: Vec<Attachment>,
    /// What could not be read as written, sorted, each once.
    pub problems: Vec<Problem>,
    /// Header fields from the top, names in lower case, values as written on one line and cut; at
    /// most [`parse::MAX_KEPT_FIELDS`].
    pub headers: Vec<(String, String)>,
}

impl Mail {
    /// The sender: the first address of `From`.
    #[must_use]
    pub fn sender(&self) -> Option<&Address> {
        self.from.first()
    }

    /// A mail from plain fields, for JSON lines: no headers, so `automated` can only be told by the
    /// classifier; quotes and signature are taken off `body` as from a plain-text mail.
    #[must_use]
    pub fn from_message(from_name: &str, from: &str, subject: &str, body: &str) -> Self {
        let parts = new_text::split(&parse::clean(body));
        let mut mail = Self {
            subject: parse::one_line(subject),
            language: language::detect(&parts.new_text, subject),
            new_text: parts.new_text,
            quoted: parts.quoted,
            signature: parts.signature,
            forwarded: parts.forwarded,
            ..Self::default()
        };
        if !from_name.is_empty() || !from.is_empty() {
            mail.from.push(Address { name: parse::one_line(from_name), address: parse::one_line(from) });
        }
        mail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_address_is_the_same_person() {
        let of = |a: &str| Address { name: String::new(), address: a.into() }.identity();
        assert_eq!(of("Olena+shop@Example.ORG"), "olena@example.org");
        assert_eq!(of("no-at-sign"), "no-at-sign");
    }

    #[test]
    fn a_message_id_never_carries_what_would_break_a_header_or_a_search() {
        assert_eq!(MessageId::new("<a b\"\r\n@c>").unwrap().as_str(), "ab@c");
        assert_eq!(MessageId::new("<>"), None);
        assert_eq!(MessageId::new(&"x".repeat(10_000)), None);
    }
}
