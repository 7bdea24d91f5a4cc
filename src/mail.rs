//! A mail as the rest of the program sees it: who writes to whom, what is new in it,
//! in which language, and whether a machine wrote it.

pub mod authentication;
pub mod automated;
pub mod identity;
pub mod language;
pub mod new_text;
pub mod parse;

use serde::{Deserialize, Serialize};

pub use authentication::Authentication;
pub use automated::AutomatedReason;
pub use identity::{Person, PersonSource};
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
    /// The text is encrypted; only what surrounds it could be read.
    Encrypted,
    /// The parser gave up; only headers were read.
    Unparseable,
}

/// How the text of a mail is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Signed with `OpenPGP` (RFC 3156, RFC 9580); readable.
    PgpSigned,
    /// Encrypted with `OpenPGP`: only what surrounds it is readable.
    PgpEncrypted,
    /// Signed with S/MIME (RFC 8551); readable.
    SmimeSigned,
    /// Encrypted with S/MIME: only what surrounds it is readable.
    SmimeEncrypted,
}

impl Protection {
    /// The word, as in `read --format jsonl`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PgpSigned => "pgp-signed",
            Self::PgpEncrypted => "pgp-encrypted",
            Self::SmimeSigned => "smime-signed",
            Self::SmimeEncrypted => "smime-encrypted",
        }
    }

    /// Whether the text cannot be read without a key.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::PgpEncrypted | Self::SmimeEncrypted)
    }
}

impl std::fmt::Display for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
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
    /// `Sender`.
    pub sent_by: Option<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// The person behind it: see [`identity`].
    pub person: Option<Person>,
    /// What the topmost `Authentication-Results` claims; believed only through
    /// [`Mail::authenticated_by`].
    pub authentication: Option<Authentication>,
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
    /// Message-IDs of the mails that this one brings back: those whose headers are attached to it.
    pub returned: Vec<MessageId>,
    /// Signature or encryption around the text.
    pub protection: Option<Protection>,
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

    /// The person behind the mail, else the sender.
    #[must_use]
    pub fn author(&self) -> Option<&Address> {
        self.person.as_ref().map(|person| &person.address).or_else(|| self.sender())
    }

    /// Where an answer goes (RFC 5322 §3.6.2): to `Reply-To` if it is one address and not
    /// [elsewhere](Self::asks_elsewhere), else to the person.
    #[must_use]
    pub fn answer_to(&self) -> Option<&Address> {
        match self.reply_to.as_slice() {
            [one] if one.address.contains('@') && self.asks_elsewhere().is_none() => Some(one),
            _ => self.author(),
        }
    }

    /// `Reply-To`, where a person wants the answer sent to another domain than that of `From`: that may
    /// be somebody else, so an agent has to decide it.
    #[must_use]
    pub fn asks_elsewhere(&self) -> Option<&Address> {
        let [wanted] = self.reply_to.as_slice() else { return None };
        let from =
            self.person.as_ref().filter(|person| person.source == PersonSource::From).map(|p| &p.address)?;
        let domain = |one: &Address| one.address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        let (wanted_at, from_at) = (domain(wanted)?, domain(from)?);
        let within = |one: &str, other: &str| one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'));
        let same = wanted_at == from_at || within(&wanted_at, &from_at) || within(&from_at, &wanted_at);
        (!same && wanted.identity() != from.identity()).then_some(wanted)
    }

    /// What one of the servers with these `authserv-id`s has found out about the sender.
    #[must_use]
    pub fn authenticated_by(&self, ours: &[String]) -> Option<&Authentication> {
        self.authentication.as_ref().filter(|claim| ours.iter().any(|id| id.eq_ignore_ascii_case(&claim.by)))
    }

    /// Whether one of these servers has proven that the sender owns the domain of `From`, of which there
    /// must be one.
    #[must_use]
    pub fn is_proven(&self, ours: &[String]) -> bool {
        let domain =
            self.sender().filter(|_| self.from.len() == 1).and_then(|from| from.address.rsplit_once('@'));
        domain
            .is_some_and(|(_, domain)| self.authenticated_by(ours).is_some_and(|found| found.proves(domain)))
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
        mail.person = identity::person(&mail, body);
        mail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_never_carries_what_would_break_a_header_or_a_search() {
        assert_eq!(MessageId::new("<a b\"\r\n@c>").unwrap().as_str(), "ab@c");
        assert_eq!(MessageId::new("<>"), None);
        assert_eq!(MessageId::new(&"x".repeat(10_000)), None);
    }
}
