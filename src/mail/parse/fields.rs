//! One header block, field by field (RFC 5322 §2.2), decoded by `mail-parser` on demand.

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use super::words::{self, Place};
use super::{MAX_ENTRIES, MAX_FIELDS, MAX_HEADER_BYTES, MAX_LINE_BYTES, charset, head, one_line};
use crate::mail::{Address, MessageId};
use crate::time::Timestamp;

/// The part of one field that is decoded.
const MAX_FIELD_BYTES: usize = 16 << 10;
/// The same for the fields that every MIME part repeats.
const MAX_MEDIA_BYTES: usize = 4 << 10;

struct Field<'x> {
    name: &'x [u8],
    value: &'x [u8],
}

/// The fields of a header block, in order.
pub(super) struct Fields<'x> {
    list: Vec<Field<'x>>,
    /// Charset for 8-bit bytes that no encoded word explains: the body's.
    charset: Option<String>,
    /// Whether fields were left out.
    pub(super) cut: bool,
}

impl<'x> Fields<'x> {
    /// Divides a message or MIME part into its fields and its body.
    pub(super) fn split(entity: &'x [u8]) -> (Self, &'x [u8]) {
        let mut this = Self { list: Vec::new(), charset: None, cut: false };
        let mut rest = entity;
        let body = loop {
            let (line, after) = cut_line(rest);
            if line.trim_ascii().is_empty() {
                break after;
            }
            if let Some(name) = field_name(line) {
                let after = unfold(after);
                let length = rest.len() - after.len();
                let value = rest
                    .get(..length)
                    .and_then(|field| field.split_at_checked(name.len()))
                    .map_or(line, |v| v.1);
                this.push(entity.len() - rest.len(), name, value);
                rest = after;
            } else if this.list.is_empty() || (field_name(cut_line(after).0).is_none() && !starts_body(after))
            {
                // no header at all, or a body that follows without the empty line
                break rest;
            } else {
                rest = after;
            }
        };
        this.charset = this.media("content-type").and_then(|m| m.attribute("charset").map(str::to_owned));
        (this, body)
    }

    fn push(&mut self, start: usize, name: &'x [u8], value: &'x [u8]) {
        if self.list.len() < MAX_FIELDS && start < MAX_HEADER_BYTES {
            let value = value.split_at_checked(value.iter().position(|b| *b == b':').map_or(0, |at| at + 1));
            self.list.push(Field { name, value: value.map_or(&[][..], |v| v.1) });
        } else {
            self.cut = true;
        }
        // of a longer field only the beginning is ever decoded
        self.cut |= value.len() > MAX_HEADER_BYTES;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn value(&self, name: &str) -> Option<&'x [u8]> {
        self.list.iter().find(|f| f.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| f.value)
    }

    /// The beginning of a field as text, its encoded words decoded for `place`.
    fn text(&self, name: &str, place: Place, max: usize) -> Option<String> {
        let value = self.value(name)?;
        let value = value.get(..max).unwrap_or(value);
        let mut text = words::decoded(&charset::decode(value, self.charset.as_deref()).0, place);
        text.retain(|c| c != '\0');
        Some(text)
    }

    /// The field's bytes as UTF-8 and ended as `mail-parser` expects.
    fn decodable(&self, name: &str, place: Place, max: usize) -> Option<Vec<u8>> {
        let mut bytes = self.text(name, place, max)?.into_bytes();
        while bytes.last().is_some_and(u8::is_ascii_whitespace) {
            bytes.pop();
        }
        bytes.push(b'\n');
        Some(bytes)
    }

    /// Unstructured text (RFC 5322 §3.2.5) with its encoded words decoded, on one line.
    pub(super) fn line(&self, name: &str) -> Option<String> {
        let text = self.text(name, Place::Text, MAX_FIELD_BYTES)?;
        Some(head(&one_line(&text), MAX_LINE_BYTES).to_owned())
    }

    /// A value as written, on one line.
    pub(super) fn raw_line(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        Some(one_line(&String::from_utf8_lossy(value.get(..MAX_LINE_BYTES).unwrap_or(value))))
    }

    /// The first `max` fields, names in lower case, values as written on one line.
    pub(super) fn raw_lines(&self, max: usize) -> Vec<(String, String)> {
        let line = |field: &Field<'_>| {
            let name = String::from_utf8_lossy(field.name).trim().to_ascii_lowercase();
            let value = field.value.get(..MAX_LINE_BYTES).unwrap_or(field.value);
            (name, one_line(&String::from_utf8_lossy(value)))
        };
        self.list.iter().take(max).map(line).collect()
    }

    /// A whole value as written, on one line.
    pub(super) fn raw_field(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        Some(one_line(&String::from_utf8_lossy(value.get(..MAX_FIELD_BYTES).unwrap_or(value))))
    }

    /// The mailboxes of every field of this name.
    pub(super) fn addresses(&self, name: &str) -> Vec<Address> {
        let Some(bytes) = self.decodable(name, Place::Phrase, MAX_FIELD_BYTES) else {
            return Vec::new();
        };
        let HeaderValue::Address(list) = MessageStream::new(&bytes).parse_address() else {
            return Vec::new();
        };
        let clean = |text: Option<&str>| head(&one_line(text.unwrap_or_default()), MAX_LINE_BYTES).to_owned();
        let mut addresses = Vec::new();
        for addr in list.iter().take(MAX_ENTRIES) {
            let mut address = Address { name: clean(addr.name()), address: clean(addr.address()) };
            // the address was encoded together with the name
            if !address.address.contains('@')
                && let Some((name, inner)) = address.name.rsplit_once('<')
                && let Some(inner) = inner.strip_suffix('>').filter(|inner| inner.contains('@'))
            {
                address =
                    Address { name: name.trim_matches([' ', '"']).to_owned(), address: inner.to_owned() };
            }
            address.address.retain(|c| !c.is_whitespace());
            if !address.name.is_empty() || !address.address.is_empty() {
                addresses.push(address);
            }
        }
        addresses
    }

    /// The `msg-id`s of a field.
    pub(super) fn ids(&self, name: &str) -> Vec<MessageId> {
        let Some(bytes) = self.decodable(name, Place::Phrase, MAX_FIELD_BYTES) else {
            return Vec::new();
        };
        match MessageStream::new(&bytes).parse_id() {
            HeaderValue::Text(id) => MessageId::new(&id).into_iter().collect(),
            HeaderValue::TextList(ids) => {
                ids.iter().take(MAX_ENTRIES).filter_map(|id| MessageId::new(id)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// `Date`.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let bytes = self.decodable("date", Place::Phrase, MAX_MEDIA_BYTES)?;
        match MessageStream::new(&bytes).parse_date() {
            HeaderValue::DateTime(date) if date.is_valid() => Some(Timestamp(date.to_timestamp())),
            _ => None,
        }
    }

    /// `Content-Type` or `Content-Disposition` with its parameters (RFC 2045, RFC 2231).
    pub(super) fn media(&self, name: &str) -> Option<ContentType<'static>> {
        let bytes = self.decodable(name, Place::Parameter, MAX_MEDIA_BYTES)?;
        let media = MessageStream::new(&bytes).parse_content_type().into_content_type()?;
        Some(ContentType {
            c_type: media.c_type.into_owned().into(),
            c_subtype: media.c_subtype.map(|s| s.into_owned().into()),
            attributes: media.attributes.map(|list| {
                list.into_iter()
                    .map(|a| mail_parser::Attribute {
                        name: a.name.into_owned().into(),
                        value: a.value.into_owned().into(),
                    })
                    .collect()
            }),
        })
    }
}

/// The first line with its line end, and the rest.
pub(super) fn cut_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

/// Steps over continuation lines (RFC 5322 §2.2.3).
fn unfold(mut rest: &[u8]) -> &[u8] {
    while matches!(rest.first(), Some(b' ' | b'\t')) {
        let (line, after) = cut_line(rest);
        if line.trim_ascii().is_empty() {
            break;
        }
        rest = after;
    }
    rest
}

/// The name of the field that begins on this line.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    (!name.is_empty() && name.len() <= 100 && name.iter().all(|b| (33..=126).contains(b))).then_some(name)
}

/// Whether the next line is the empty one that ends the header block.
fn starts_body(rest: &[u8]) -> bool {
    cut_line(rest).0.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_between_encoded_words_is_whole() {
        let (fields, _) = Fields::split(b"Subject: =?utf-8?Q?=D0=9F=D1?=\r\n =?UTF-8?q?=80=D0=B8?= ok =?utf-8?B?0J/R?= =?utf-8?B?gNC4?=\r\n\r\n");
        assert_eq!(fields.line("subject").as_deref(), Some("При ok При"));
    }

    #[test]
    fn a_body_without_an_empty_line_above_it_is_a_body() {
        let (fields, body) = Fields::split(b"Subject: x\r\nHello, I write\r\nto you\r\n");
        assert_eq!(
            (fields.line("subject").as_deref(), body),
            (Some("x"), &b"Hello, I write\r\nto you\r\n"[..])
        );
    }

    #[test]
    fn a_broken_fold_costs_one_line() {
        let (fields, body) = Fields::split(b"Subject: x\nbroken fold\nTo: b@example.org\n\nhello");
        assert_eq!((fields.addresses("to").len(), body), (1, &b"hello"[..]));
    }
}
