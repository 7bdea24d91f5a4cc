//! Mails to colleagues: the untouched original with a summary before it, or a word without it.

use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, Mailbox, MessageBuilder, MultiPart, SinglePart};

use super::{Marks, OutgoingError, boundary, builder, crlf, header, parse};
use crate::mail::MessageId;
use crate::mail::parse::one_line;
use crate::time::Timestamp;

/// RFC 5322 §2.1.1: longest line without its CRLF.
const MAX_LINE: usize = 998;

/// A customer's mail that goes along with a forward.
#[derive(Clone, Copy, Debug)]
pub struct Enclosed<'a> {
    /// Its bytes.
    pub original: &'a [u8],
    /// Whether the server carries 8-bit bodies unchanged.
    pub eight_bit: bool,
}

/// The untouched original to colleagues, with a summary before it.
///
/// # Errors
/// When an address of the config is none.
#[expect(clippy::too_many_arguments, reason = "each is a part of the mail; a struct would only rename them")]
pub fn forward(
    id: &MessageId,
    from: &str,
    to: &[String],
    subject: &str,
    summary: &str,
    enclosed_mail: Enclosed<'_>,
    marks: &Marks<'_>,
    at: Timestamp,
) -> Result<Vec<u8>, OutgoingError> {
    let message = to_colleagues(id, from, to, subject, marks, at)?;
    let Enclosed { original, eight_bit } = enclosed_mail;
    let parts = MultiPart::mixed()
        .boundary(boundary(id))
        .singlepart(SinglePart::plain(crlf(summary)))
        .singlepart(enclosed(original, eight_bit)?);
    let message = message.multipart(parts).map_err(|e| OutgoingError::Build(e.to_string()))?;
    Ok(message.formatted())
}

/// A short mail to colleagues, without any original.
///
/// # Errors
/// When an address of the config is none.
pub fn notice(
    id: &MessageId,
    from: &str,
    to: &[String],
    subject: &str,
    text: &str,
    marks: &Marks<'_>,
    at: Timestamp,
) -> Result<Vec<u8>, OutgoingError> {
    let message = to_colleagues(id, from, to, subject, marks, at)?
        .singlepart(SinglePart::plain(crlf(text)))
        .map_err(|e| OutgoingError::Build(e.to_string()))?;
    Ok(message.formatted())
}

fn to_colleagues(
    id: &MessageId,
    from: &str,
    to: &[String],
    subject: &str,
    marks: &Marks<'_>,
    at: Timestamp,
) -> Result<MessageBuilder, OutgoingError> {
    let mut message = builder(id, from, "", marks, at)?
        .subject(one_line(subject))
        .raw_header(header("Auto-Submitted", "auto-generated")?);
    for address in to {
        message = message.to(Mailbox::new(None, parse(address)?));
    }
    Ok(message)
}

/// RFC 2046 §5.2.1 allows message/rfc822 no encoding but 7bit, 8bit and binary. What these would
/// not carry unharmed goes as a file instead.
fn enclosed(original: &[u8], eight_bit: bool) -> Result<SinglePart, OutgoingError> {
    if !survives_transport(original) || !(eight_bit || original.is_ascii()) {
        let kind = ContentType::parse("application/octet-stream")
            .map_err(|e| OutgoingError::Build(e.to_string()))?;
        return Ok(Attachment::new("original.eml".to_owned()).body(original.to_vec(), kind));
    }
    let encoding = if original.is_ascii() {
        ContentTransferEncoding::SevenBit
    } else {
        ContentTransferEncoding::EightBit
    };
    let kind = ContentType::parse("message/rfc822").map_err(|e| OutgoingError::Build(e.to_string()))?;
    Ok(SinglePart::builder()
        .header(kind)
        .header(ContentDisposition::attachment("original.eml"))
        .body(Body::dangerous_pre_encoded(original.to_vec(), encoding)))
}

/// Whether SMTP leaves the bytes as they are: no overlong line, no CR or LF alone, no NUL.
fn survives_transport(bytes: &[u8]) -> bool {
    bytes.split(|b| *b == b'\n').all(|line| {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        content.len() <= MAX_LINE && !content.contains(&b'\r') && !content.contains(&0)
    }) && bytes
        .iter()
        .zip(std::iter::once(&0).chain(bytes))
        .all(|(b, before)| *b != b'\n' || *before == b'\r')
}

#[cfg(test)]
mod tests {
    use super::super::own_id;
    use super::super::tests::marks;
    use super::*;

    #[test]
    fn an_original_with_overlong_lines_or_lone_line_breaks_travels_as_a_file() {
        for bad in [&b"a\nb"[..], b"a\rb\r\n", b"a\0b\r\n", "x".repeat(999).as_bytes()] {
            assert!(!survives_transport(bad));
        }
        assert!(survives_transport(b"Subject: x\r\n\r\n.\r\nlast line without end"));
    }

    #[test]
    fn a_forward_carries_the_original_unchanged_and_is_the_same_every_time() {
        let original = "Subject: =?x?=\r\nX: 1\r\n\r\n..dots\r\nПривіт\r\n".as_bytes();
        let id = own_id("abc", "forward-legal", "support@example.com").unwrap();
        let to = ["legal@example.com".to_owned()];
        let build = || {
            forward(
                &id,
                "support@example.com",
                &to,
                "a\r\nBcc: x@y",
                "sum",
                Enclosed { original, eight_bit: true },
                &marks(),
                Timestamp(0),
            )
            .unwrap()
        };
        let bytes = build();
        assert_eq!(bytes, build());
        assert!(bytes.windows(original.len()).any(|w| w == original));
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("\r\nBcc:"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated"));
        assert!(text.contains("Message-ID: <ek1.abc.forward-legal@example.com>"));
    }
}
