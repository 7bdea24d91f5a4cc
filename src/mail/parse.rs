//! From bytes to a [`Mail`]. Total: any bytes give some mail, the same bytes the same mail.
//!
//! We walk the MIME tree ourselves, under limits, and hand `mail-parser` one header field or one
//! text at a time: it nests without a limit of its own, and a mail of 90,000 `message/rfc822` in one
//! another would overflow the stack when it is dropped.

mod body;
mod charset;
mod fields;
mod html;
mod text;
mod words;

use std::collections::BTreeSet;

use super::PersonSource;
use super::{Authentication, Mail, Problem, automated, identity, language, new_text};
use body::Found;
use fields::Fields;

/// The part of a mail that is read, in bytes: what people write is far shorter, and what follows is
/// attachments.
pub const MAX_MAIL_BYTES: usize = 1 << 20;
/// The part of the text that is read, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 256 << 10;
/// Lines of the text that are read: 256 KiB of what people write have a third of that.
pub const MAX_LINES: usize = 20_000;
/// The part of a header block that is read, in bytes.
pub const MAX_HEADER_BYTES: usize = 256 << 10;
/// Header fields read in one block.
pub const MAX_FIELDS: usize = 1_000;
/// MIME parts within one another that are read; real mail stays below ten.
pub const MAX_DEPTH: usize = 64;
/// MIME parts read in one mail.
pub const MAX_PARTS: usize = 1_000;
/// Longest subject or name kept, in bytes: one header line of RFC 5322 §2.1.1.
pub const MAX_LINE_BYTES: usize = 998;
/// Header fields kept for the conditions of rules.
pub const MAX_KEPT_FIELDS: usize = 128;
/// Addresses and thread ids kept of one field.
const MAX_ENTRIES: usize = 1_000;

/// Reads a mail as it came from the server.
#[must_use]
pub fn parse(bytes: &[u8]) -> Mail {
    let mut problems = BTreeSet::new();
    if bytes.len() > MAX_MAIL_BYTES {
        problems.insert(Problem::MailCut);
    }
    let bytes = bytes.get(..MAX_MAIL_BYTES).unwrap_or(bytes);
    let (fields, body) = Fields::split(skip_envelope(bytes));
    if fields.is_empty() {
        problems.insert(Problem::NoHeaders);
    }
    if fields.cut {
        problems.insert(Problem::HeadersCut);
    }
    let found = body::read(&fields, body, &mut problems);
    let mut mail = headers(&fields, &mut problems);
    if found.text.trim().is_empty() && found.nested.is_none() {
        problems.insert(Problem::NoText);
    }
    mail.person = identity::person(&mail, &found.text);
    mail.automated = automated::reason(&signs(&fields, &mail, &found));
    read_text(&mut mail, &found);
    mail.headers = fields.raw_lines(MAX_KEPT_FIELDS);
    mail.attachments = found.attachments;
    mail.returned = found.returned;
    mail.protection = found.protection;
    mail.problems = problems.into_iter().collect();
    mail
}

/// Header-like text on one line, fit for a header, a log or a terminal: no control characters, no
/// line or paragraph separators, no bidirectional overrides (Unicode TR 36), runs of white space as
/// one space.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            space = true;
        } else if !is_invisible(c) {
            if space && !line.is_empty() {
                line.push(' ');
            }
            space = false;
            line.push(c);
        }
    }
    line
}

/// Text of any origin as the rest of the program takes it: at most [`MAX_TEXT_BYTES`], line ends as
/// `\n`, no control characters but tab, no invisible marks.
#[must_use]
pub fn clean(text: &str) -> String {
    text::tidy(text_head(text))
}

/// The part of a text that is read.
fn text_head(text: &str) -> &str {
    let text = head(text, MAX_TEXT_BYTES);
    match text.match_indices('\n').nth(MAX_LINES) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

/// Marks that change how text is shown and not what it says.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The longest prefix of `text` of at most `max` bytes that ends between characters.
pub(crate) fn head(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// What stands before and behind the first colon, also the wide one of East Asia.
pub(crate) fn split_at_colon(line: &str) -> Option<(&str, &str)> {
    let narrow = line.split_once(':');
    let before = narrow.map_or(line, |(before, _)| before);
    if before.contains('：') { line.split_once('：') } else { narrow }
}

/// Steps over what precedes the header block in files: blank lines and the mbox `From ` line.
fn skip_envelope(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if bytes.starts_with(b"From ") || bytes.starts_with(b">From ") {
        fields::cut_line(bytes).1
    } else {
        bytes
    }
}

fn headers(fields: &Fields<'_>, problems: &mut BTreeSet<Problem>) -> Mail {
    let message_id = fields.ids("message-id").into_iter().next();
    if message_id.is_none() {
        problems.insert(Problem::NoMessageId);
    }
    let from = fields.addresses("from");
    match from.iter().filter(|a| !a.address.is_empty()).count() {
        0 => {
            problems.insert(Problem::NoFrom);
        }
        1 => {}
        _ => {
            problems.insert(Problem::SeveralFrom);
        }
    }
    let mut references = fields.ids("references");
    references.extend(fields.ids("in-reply-to"));
    let mut seen = BTreeSet::new();
    references.retain(|id| seen.insert(id.clone()));
    references.truncate(MAX_ENTRIES);
    Mail {
        message_id,
        references,
        from,
        sent_by: fields.addresses("sender").into_iter().next(),
        reply_to: fields.addresses("reply-to"),
        authentication: fields.raw_field("authentication-results").and_then(|v| Authentication::read(&v)),
        to: fields.addresses("to"),
        cc: fields.addresses("cc"),
        subject: fields.line("subject").unwrap_or_default(),
        date: fields.date(),
        ..Mail::default()
    }
}

fn signs<'a>(fields: &Fields<'_>, mail: &'a Mail, found: &'a Found) -> automated::Signs<'a> {
    automated::Signs {
        headers: automated::headers()
            .filter_map(|name| fields.raw_line(name).map(|value| (name, value.to_lowercase())))
            .collect(),
        parts: &found.kinds,
        report: found.report.as_deref(),
        calendar: found.calendar.as_deref(),
        from: mail.from.first().map_or("", |a| a.address.as_str()),
        from_name: mail.from.first().map_or("", |a| a.name.as_str()),
        reply_to: mail.reply_to.first().map_or("", |a| a.address.as_str()),
        in_form: mail.person.as_ref().is_some_and(|person| person.source == PersonSource::Body),
        recipients: mail.to.iter().chain(&mail.cc).map(|a| a.address.as_str()).collect(),
        subject: &mail.subject,
        text: &found.text,
    }
}

fn read_text(mail: &mut Mail, found: &Found) {
    let mut parts = if is_answer(&mail.subject) {
        new_text::split_answer(&found.text)
    } else {
        new_text::split(&found.text)
    };
    if let Some(nested) = &found.nested
        && !parts.forwarded
        && new_text::says_nothing(&parts.new_text)
    {
        // forwarded as an attachment, with at most a covering line: the attachment is the matter
        let inner = new_text::split(nested);
        parts.forwarded = true;
        parts.new_text = new_text::paragraphs(&parts.new_text, &inner.new_text);
        nested.clone_into(&mut parts.quoted);
    }
    mail.language = language::detect(&parts.new_text, &mail.subject);
    mail.new_text = parts.new_text;
    mail.quoted = parts.quoted;
    mail.signature = parts.signature;
    mail.forwarded = parts.forwarded;
}

/// Whether the subject says that the mail answers another, in the clients' languages.
#[must_use]
pub fn is_answer(subject: &str) -> bool {
    let subject = head(subject, 10).to_lowercase();
    ["re:", "re[", "aw:", "sv:", "odp:", "rif:", "res:", "отв:", "ответ:", "на:", "ha:", "відп:"]
        .iter()
        .any(|mark| subject.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Address, MessageId};

    #[test]
    fn a_subject_with_line_breaks_and_overrides_is_one_plain_line() {
        assert_eq!(one_line(" a\r\n\tb\u{202e}c\u{2028}d\0e \u{feff}"), "a bc d e");
    }

    #[test]
    fn no_bytes_at_all_are_still_a_mail() {
        let mail = parse(b"");
        assert!(mail.problems.contains(&Problem::NoHeaders) && mail.problems.contains(&Problem::NoText));
    }

    #[test]
    fn an_empty_answer_is_not_judged_by_what_we_wrote() {
        let read = |subject: &str| {
            let text = "From: S\r\nSent: Monday\r\nTo: a\r\nSubject: x\r\n\r\nWe refuse.\r\n";
            parse(format!("Subject: {subject}\r\n\r\n{text}").as_bytes())
        };
        assert_eq!((read("RE: x").new_text.as_str(), read("RE: x").forwarded), ("", false));
        assert_eq!((read("FW: x").new_text.as_str(), read("FW: x").forwarded), ("We refuse.", true));
    }

    #[test]
    fn a_mail_without_message_id_is_a_mail() {
        let mail =
            parse(b"From: Ana <ana@example.org>\r\nSubject: =?utf-8?q?Hola_=C3=B1?=\r\n\r\nBuenos dias\r\n");
        assert_eq!(mail.subject, "Hola ñ");
        assert_eq!(mail.new_text, "Buenos dias");
        assert_eq!(mail.problems, [Problem::NoMessageId]);
        assert_eq!(mail.sender().map(Address::identity).as_deref(), Some("ana@example.org"));
        assert_eq!(mail.message_id, None::<MessageId>);
    }
}
