//! Parts that wrap a text in a format of their own: S/MIME, TNEF, iCalendar; and attached headers.

use mail_parser::ContentType;

use super::super::fields::Fields;
use super::super::text::tidy;
use super::super::{MAX_PARTS, MAX_TEXT_BYTES, charset, one_line};
use super::{Text, Walk, calendar, cms, file_name, tnef};
use crate::mail::Protection;

/// What a part is wrapped in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    Smime,
    Tnef,
}

impl Wrapping {
    /// The wrapping of an `application/…` part, by its type, or by its name where that says nothing.
    pub(super) fn of(subtype: &str, fields: &Fields<'_>, media: Option<&ContentType<'_>>) -> Option<Self> {
        match subtype {
            "ms-tnef" | "vnd.ms-tnef" => Some(Self::Tnef),
            "pkcs7-mime" | "x-pkcs7-mime" => Some(Self::Smime),
            "octet-stream" => {
                let name = file_name(fields.media("content-disposition").as_ref(), media)?;
                match name.to_lowercase().as_str() {
                    "winmail.dat" | "win.dat" => Some(Self::Tnef),
                    "smime.p7m" => Some(Self::Smime),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl Walk<'_> {
    /// The text in a wrapped part; a part that cannot be opened is an attachment.
    pub(super) fn unwrap_part(
        &mut self,
        wrapping: Wrapping,
        fields: &Fields<'_>,
        media: Option<&ContentType<'_>>,
        kind: &str,
        body: &[u8],
        depth: usize,
    ) -> Option<Text> {
        let encoding = fields.line("content-transfer-encoding").unwrap_or_default();
        let bytes = charset::untransfer(body, &encoding);
        let text = match wrapping {
            Wrapping::Smime => self.smime(&bytes, depth),
            Wrapping::Tnef => self.tnef(&bytes),
        };
        if text.is_none() {
            self.attach(fields, media, kind, bytes.len());
        }
        text
    }

    /// S/MIME in one piece: signed content is read, encrypted content is said to be there.
    fn smime(&mut self, bytes: &[u8], depth: usize) -> Option<Text> {
        let signed = cms::signed_content(bytes);
        let protection = if signed.is_some() { Protection::SmimeSigned } else { Protection::SmimeEncrypted };
        if self.nested == 0 {
            self.found.protection.get_or_insert(protection);
        }
        let entity = signed?;
        let (inner, body) = Fields::split(&entity);
        self.entity(&inner, body, depth + 1, "text/plain")
    }

    /// Outlook's envelope: its text, and the names of what is in it.
    fn tnef(&mut self, bytes: &[u8]) -> Option<Text> {
        let tnef = tnef::read(bytes)?;
        if self.nested == 0 {
            let room = MAX_PARTS.saturating_sub(self.found.attachments.len());
            self.found.attachments.extend(tnef.attachments.into_iter().take(room));
            if let Some(method) = tnef.class.strip_prefix("ipm.schedule.meeting.") {
                self.found.calendar.get_or_insert(method.split('.').next().unwrap_or(method).to_owned());
            }
            if tnef.class.starts_with("report.") {
                let receipt = tnef.class.ends_with("rn");
                let kind = if receipt { "disposition-notification" } else { "delivery-status" };
                self.found.report.get_or_insert_with(|| kind.to_owned());
            }
        }
        Some(if tnef.is_html { Text::Html(tnef.text) } else { Text::Plain(tidy(&tnef.text)) })
    }

    /// Keeps the Message-ID of a mail that came with this one.
    pub(super) fn returned(&mut self, headers: &Fields<'_>) {
        const MOST: usize = 8;
        if self.found.returned.len() < MOST {
            self.found.returned.extend(headers.ids("message-id").into_iter().take(1));
        }
    }

    /// An invitation (RFC 6047): what is asked, and its words where the mail has no others.
    pub(super) fn invitation(
        &mut self,
        media: Option<&ContentType<'_>>,
        body: &[u8],
        encoding: &str,
        attached: bool,
    ) {
        let bytes = charset::untransfer(body, encoding);
        let bytes = bytes.get(..MAX_TEXT_BYTES).unwrap_or(&bytes);
        let calendar = calendar::read(&charset::decode(bytes, media.and_then(|m| m.attribute("charset"))).0);
        let declared = media.and_then(|m| m.attribute("method")).map(|m| one_line(m).to_lowercase());
        let method = declared.or_else(|| Some(calendar.method).filter(|method| !method.is_empty()));
        // a person attaches a file; a calendar program puts its request beside the text
        if !attached {
            self.found.calendar = method.or(self.found.calendar.take());
        }
        self.found.spare = self.found.spare.take().or(Some(calendar.text).filter(|text| !text.is_empty()));
    }
}
