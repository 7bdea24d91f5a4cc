//! The MIME tree (RFC 2046), walked under limits: which text is shown, which parts are attached.

mod calendar;
mod cms;
mod pgp;
mod rtf;
mod tnef;
mod wrapped;

use std::collections::BTreeSet;

use mail_parser::ContentType;

use super::fields::{Fields, cut_line};
use super::text::{looks_like_html, tidy, unflow};
use super::{MAX_DEPTH, MAX_PARTS, MAX_TEXT_BYTES, charset, head, html, one_line, text_head};
use crate::mail::{Attachment, MessageId, Problem, Protection};

/// What the body holds.
#[derive(Default)]
pub(super) struct Found {
    /// The text as a reader sees it, quotes marked with `> `.
    pub(super) text: String,
    /// The text of the first attached message.
    pub(super) nested: Option<String>,
    pub(super) attachments: Vec<Attachment>,
    /// `type/subtype` of every part, the whole first.
    pub(super) kinds: Vec<String>,
    /// `report-type` of a `multipart/report` (RFC 6522).
    pub(super) report: Option<String>,
    /// `method` of a `text/calendar` (RFC 6047).
    pub(super) calendar: Option<String>,
    /// Message-IDs in attached headers.
    pub(super) returned: Vec<MessageId>,
    pub(super) protection: Option<Protection>,
    /// Text of a part that is shown only where there is no other: an invitation's.
    spare: Option<String>,
}

/// Reads the body of a message.
pub(super) fn read(fields: &Fields<'_>, body: &[u8], problems: &mut BTreeSet<Problem>) -> Found {
    let mut walk = Walk { found: Found::default(), problems, nested: 0, parts: 0 };
    let text = walk.entity(fields, body, 0, "text/plain");
    let mut found = walk.found;
    let mut text = text.map(Text::read).unwrap_or_default();
    if let Some((protection, readable)) = pgp::readable(&text) {
        found.protection = Some(protection);
        text = readable;
    }
    if found.protection.is_some_and(Protection::is_encrypted) {
        problems.insert(Problem::Encrypted);
    }
    if text.trim().is_empty() {
        text = found.spare.take().map(|spare| tidy(&spare)).unwrap_or_default();
    }
    text_head(&text).clone_into(&mut found.text);
    if found.text.len() < text.len() {
        problems.insert(Problem::TextCut);
    }
    found
}

enum Text {
    Plain(String),
    Html(String),
}

impl Text {
    fn read(self) -> String {
        match self {
            Self::Plain(text) => text,
            Self::Html(source) => html::to_text(&source, MAX_TEXT_BYTES + 4),
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Plain(text) | Self::Html(text) if text.trim().is_empty())
    }
}

struct Walk<'p> {
    found: Found,
    problems: &'p mut BTreeSet<Problem>,
    /// How many attached messages surround the current part.
    nested: usize,
    parts: usize,
}

impl Walk<'_> {
    fn entity(&mut self, fields: &Fields<'_>, body: &[u8], depth: usize, default: &str) -> Option<Text> {
        if depth > MAX_DEPTH {
            self.problems.insert(Problem::TooDeep);
            return None;
        }
        if self.parts >= MAX_PARTS {
            self.problems.insert(Problem::MailCut);
            return None;
        }
        self.parts += 1;
        let media = fields.media("content-type");
        let kind = media.as_ref().map_or_else(|| default.to_owned(), kind_of);
        self.note(&kind, media.as_ref());
        let boundary =
            media.as_ref().and_then(|m| m.attribute("boundary")).map(str::trim_end).filter(|b| !b.is_empty());
        match (kind.split_once('/').unwrap_or((&kind, "")), boundary) {
            (("multipart", subtype), Some(boundary)) => self.multipart(subtype, body, boundary, depth),
            (("message", "rfc822" | "global" | "news"), _) => {
                let text = self.message(fields, media.as_ref(), &kind, body, depth);
                if self.nested > 0 {
                    return text;
                }
                let text = text.map(|text| text_head(&text.read()).to_owned());
                self.found.nested = self.found.nested.take().or(text);
                None
            }
            (("application", subtype), _) => match wrapped::Wrapping::of(subtype, fields, media.as_ref()) {
                Some(wrapping) => self.unwrap_part(wrapping, fields, media.as_ref(), &kind, body, depth),
                None => self.leaf(fields, media.as_ref(), &kind, body),
            },
            _ => self.leaf(fields, media.as_ref(), &kind, body),
        }
    }

    fn note(&mut self, kind: &str, media: Option<&ContentType<'_>>) {
        if self.nested > 0 || self.found.kinds.len() >= MAX_DEPTH {
            return;
        }
        self.found.kinds.push(kind.to_owned());
        let attribute = |name| media.and_then(|m| m.attribute(name)).map(|v| one_line(v).to_lowercase());
        if kind == "multipart/report" {
            self.found.report = attribute("report-type").or_else(|| Some(String::new()));
        }
        let protocol = attribute("protocol").unwrap_or_default();
        let sealed = match kind {
            "multipart/signed" if protocol.ends_with("pkcs7-signature") => Protection::SmimeSigned,
            "multipart/signed" => Protection::PgpSigned,
            "multipart/encrypted" => Protection::PgpEncrypted,
            _ => return,
        };
        self.found.protection.get_or_insert(sealed);
    }

    fn multipart(&mut self, subtype: &str, body: &[u8], boundary: &str, depth: usize) -> Option<Text> {
        let default = if subtype == "digest" { "message/rfc822" } else { "text/plain" };
        let parts = split_parts(body, boundary.as_bytes());
        if parts.is_empty() && !body.trim_ascii().is_empty() {
            // the boundary never occurs: show what there is
            return Some(Text::Plain(tidy(&charset::decode(body, None).0)));
        }
        let mut texts = Vec::new();
        for part in parts {
            let (fields, body) = Fields::split(part);
            if fields.cut {
                self.problems.insert(Problem::HeadersCut);
            }
            if let Some(text) = self.entity(&fields, body, depth + 1, default)
                && !text.is_blank()
            {
                texts.push(text);
            }
        }
        match subtype {
            "alternative" => best(texts),
            "related" | "signed" | "report" | "encrypted" => texts.into_iter().next(),
            _ if texts.len() < 2 => texts.pop(),
            _ => Some(Text::Plain(texts.into_iter().map(Text::read).collect::<Vec<_>>().join("\n\n"))),
        }
    }

    fn message(
        &mut self,
        fields: &Fields<'_>,
        media: Option<&ContentType<'_>>,
        kind: &str,
        body: &[u8],
        depth: usize,
    ) -> Option<Text> {
        self.attach(fields, media, kind, body.len());
        let encoding = fields.line("content-transfer-encoding").unwrap_or_default();
        let bytes = charset::untransfer(body, &encoding);
        let (inner, body) = Fields::split(bytes.trim_ascii_start());
        if self.nested == 0 {
            self.returned(&inner);
        }
        // the first is enough: whoever attaches several writes what they are about
        if self.found.nested.is_some() {
            return None;
        }
        self.nested += 1;
        let text = self.entity(&inner, body, depth + 1, "text/plain");
        self.nested -= 1;
        text.filter(|text| !text.is_blank())
    }

    fn leaf(
        &mut self,
        fields: &Fields<'_>,
        media: Option<&ContentType<'_>>,
        kind: &str,
        body: &[u8],
    ) -> Option<Text> {
        let disposition = fields.media("content-disposition");
        let attached = disposition.as_ref().is_some_and(ContentType::is_attachment);
        let named = file_name(disposition.as_ref(), media).is_some();
        // `multipart/*` here has no boundary, and is read as what it looks like: text
        let is_text = matches!(kind, "text/plain" | "text/html" | "text") || kind.starts_with("multipart/");
        let encoding = fields.line("content-transfer-encoding").unwrap_or_default();
        if matches!(kind, "text/calendar" | "application/ics") && self.nested == 0 {
            self.invitation(media, body, &encoding, attached);
        }
        if matches!(kind, "text/rfc822-headers" | "message/rfc822-headers") && self.nested == 0 {
            let bytes = charset::untransfer(body, &encoding);
            self.returned(&Fields::split(bytes.trim_ascii_start()).0);
        }
        if attached || !is_text || (named && self.parts > 2) {
            let bytes = if encoding.eq_ignore_ascii_case("base64") { base64_len(body) } else { body.len() };
            self.attach(fields, media, kind, bytes);
            return None;
        }
        let bytes = charset::untransfer(body, &encoding);
        let (text, sound) = charset::decode(&bytes, media.and_then(|m| m.attribute("charset")));
        if !sound {
            self.problems.insert(Problem::Undecodable);
        }
        if kind == "text/html" || (media.is_none() && looks_like_html(&text)) {
            return Some(Text::Html(text));
        }
        let text = tidy(&text);
        let flowed =
            media.and_then(|m| m.attribute("format")).is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        let delete_space =
            media.and_then(|m| m.attribute("delsp")).is_some_and(|d| d.eq_ignore_ascii_case("yes"));
        Some(Text::Plain(if flowed { unflow(&text, delete_space) } else { text }))
    }

    fn attach(&mut self, fields: &Fields<'_>, media: Option<&ContentType<'_>>, kind: &str, bytes: usize) {
        if self.nested > 0 {
            return;
        }
        let name = file_name(fields.media("content-disposition").as_ref(), media).unwrap_or_default();
        self.found.attachments.push(Attachment { name, mime_type: kind.to_owned(), bytes });
    }
}

/// The alternative to read (RFC 2046 §5.1.4): the plain one, unless it only says to read the other.
fn best(texts: Vec<Text>) -> Option<Text> {
    let (mut plain, mut rich) = (None, None);
    for text in texts {
        match text {
            Text::Plain(_) if plain.is_none() => plain = Some(text),
            Text::Html(_) => rich = Some(text),
            Text::Plain(_) => {}
        }
    }
    let words = |text: &Option<Text>| match text {
        Some(Text::Plain(text) | Text::Html(text)) => text.split_whitespace().count(),
        None => 0,
    };
    if rich.is_some() && words(&plain) < 25 {
        let shown = rich.map(Text::read).unwrap_or_default();
        if shown.split_whitespace().count() > 3 * words(&plain) + 10 {
            return Some(Text::Plain(shown));
        }
        return plain.or(Some(Text::Plain(shown)));
    }
    plain.or(rich)
}

fn kind_of(media: &ContentType<'_>) -> String {
    let kind = match media.subtype() {
        Some(subtype) => format!("{}/{subtype}", media.ctype()),
        None => media.ctype().to_owned(),
    };
    head(&one_line(&kind), 127).to_lowercase()
}

fn file_name(disposition: Option<&ContentType<'_>>, media: Option<&ContentType<'_>>) -> Option<String> {
    let name = disposition
        .and_then(|d| d.attribute("filename"))
        .or_else(|| media.and_then(|m| m.attribute("name")))
        .map(|name| head(&one_line(name), 255).to_owned())?;
    (!name.is_empty()).then_some(name)
}

fn base64_len(body: &[u8]) -> usize {
    body.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'=').count() * 3 / 4
}

/// The parts between delimiter lines (RFC 2046 §5.1.1); a missing end is the end of the body.
fn split_parts<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let mut parts = Vec::new();
    let mut current: Option<&[u8]> = None;
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = cut_line(rest);
        if let Some(tail) = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary)) {
            let last = tail.starts_with(b"--");
            if last || tail.trim_ascii().is_empty() {
                parts.extend(current.and_then(|part| part.get(..part.len() - rest.len())));
                current = (!last).then_some(after);
                if last || parts.len() > MAX_PARTS {
                    return parts;
                }
            }
        }
        rest = after;
    }
    parts.extend(current);
    parts
}
