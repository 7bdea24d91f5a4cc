//! `winmail.dat` (MS-OXTNEF): the text Outlook put where only Outlook looks, and the names of what it
//! attached.

use super::super::{MAX_TEXT_BYTES, charset, head, one_line};
use super::rtf;
use crate::mail::Attachment;

const SIGNATURE: &[u8] = &[0x78, 0x9f, 0x3e, 0x22];
/// Attributes and properties that are looked at.
const MAX_ITEMS: usize = 10_000;

/// What was found.
#[derive(Default)]
pub(super) struct Tnef {
    /// The text.
    pub(super) text: String,
    /// Whether `text` is HTML.
    pub(super) is_html: bool,
    /// The message class, lower case, such as `ipm.schedule.meeting.request`.
    pub(super) class: String,
    /// What is attached.
    pub(super) attachments: Vec<Attachment>,
}

/// Texts by how well they keep what was written.
#[derive(Default)]
struct Texts {
    plain: Vec<u8>,
    wide: Option<String>,
    html: Vec<u8>,
    rtf: Vec<u8>,
    code_page: u32,
    internet_code_page: u32,
}

/// Reads a TNEF stream; `None` if it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Tnef> {
    let mut rest = Cursor(bytes.strip_prefix(SIGNATURE)?);
    rest.u16()?;
    let mut tnef = Tnef::default();
    let mut texts = Texts::default();
    for _ in 0..MAX_ITEMS {
        let Some((attribute, data)) = rest.attribute() else { break };
        match attribute {
            0x0007_8008 => tnef.class = one_line(&text_of(data, 0)).to_lowercase(),
            0x0002_800c => texts.plain = data.to_vec(),
            0x0006_9007 => texts.code_page = Cursor(data).u32().unwrap_or_default(),
            0x0006_9003 => properties(data, |tag, value| texts.property(tag, value)),
            0x0006_9002 => tnef.attachments.push(Attachment {
                name: String::new(),
                mime_type: "application/octet-stream".to_owned(),
                bytes: 0,
            }),
            _ => {
                if let Some(last) = tnef.attachments.last_mut() {
                    attached(last, attribute, data, texts.code_page);
                }
            }
        }
    }
    (tnef.text, tnef.is_html) = texts.best();
    Some(tnef)
}

fn attached(last: &mut Attachment, attribute: u32, data: &[u8], code_page: u32) {
    const LONGEST_NAME: usize = 255;
    let name = |text: &str| head(&one_line(text), LONGEST_NAME).to_owned();
    match attribute {
        0x0001_8010 if last.name.is_empty() => last.name = name(&text_of(data, code_page)),
        0x0006_800f => last.bytes = data.len(),
        // the long name, and the type
        0x0006_9005 => properties(data, |tag, value| match tag >> 16 {
            0x3707 => last.name = name(&string(tag, value, code_page)),
            0x370e => last.mime_type = name(&string(tag, value, code_page)).to_lowercase(),
            _ => {}
        }),
        _ => {}
    }
}

impl Texts {
    fn property(&mut self, tag: u32, value: &[u8]) {
        match tag >> 16 {
            0x1000 if tag & 0xffff == 0x1f => self.wide = Some(string(tag, value, 0)),
            0x1000 => self.plain = value.to_vec(),
            0x1009 => self.rtf = value.to_vec(),
            0x1013 => self.html = value.to_vec(),
            0x3ffd if self.code_page == 0 => self.code_page = Cursor(value).u32().unwrap_or_default(),
            0x3fde => self.internet_code_page = Cursor(value).u32().unwrap_or_default(),
            _ => {}
        }
    }

    fn best(self) -> (String, bool) {
        if let Some(text) = self.wide.filter(|text| !text.trim().is_empty()) {
            return (text, false);
        }
        let plain = text_of(&self.plain, self.code_page);
        if !plain.trim().is_empty() {
            return (plain, false);
        }
        if !self.html.is_empty() {
            let page = if self.internet_code_page == 0 { self.code_page } else { self.internet_code_page };
            return (text_of(&self.html, page), true);
        }
        rtf::unpack(&self.rtf, 4 * MAX_TEXT_BYTES).map(|document| rtf::to_text(&document)).unwrap_or_default()
    }
}

/// Text in a Windows code page, without its closing zeros.
fn text_of(bytes: &[u8], code_page: u32) -> String {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let charset = match code_page {
        0 => String::new(),
        65001 => "utf-8".to_owned(),
        20866 => "koi8-r".to_owned(),
        21866 => "koi8-u".to_owned(),
        866 => "ibm866".to_owned(),
        28591..=28605 => format!("iso-8859-{}", code_page - 28590),
        page => format!("windows-{page}"),
    };
    charset::decode(bytes, Some(&charset)).0
}

/// A string property: `PtypString` is UTF-16, `PtypString8` is in the message's code page.
fn string(tag: u32, value: &[u8], code_page: u32) -> String {
    if tag & 0xffff == 0x1f {
        let text = charset::decode(&[b"\xff\xfe", value].concat(), None).0;
        text.trim_end_matches('\0').to_owned()
    } else {
        text_of(value, code_page)
    }
}

struct Cursor<'x>(&'x [u8]);

impl<'x> Cursor<'x> {
    fn take(&mut self, count: usize) -> Option<&'x [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// Level, id, length, data, checksum (MS-OXTNEF §2.1.3.3); data that was cut is taken as it is.
    fn attribute(&mut self) -> Option<(u32, &'x [u8])> {
        self.take(1)?;
        let id = self.u32()?;
        let length = self.length()?.min(self.0.len());
        let data = self.take(length)?;
        let _ = self.u16();
        Some((id, data))
    }

    /// Data and what fills it up to four bytes.
    fn padded(&mut self, length: usize) -> Option<&'x [u8]> {
        let data = self.take(length)?;
        self.0 = self.0.get(length.wrapping_neg() & 3..).unwrap_or_default();
        Some(data)
    }

    /// The next property: its tag and its first value (MS-OXTNEF §2.1.3.4).
    fn property(&mut self) -> Option<(u32, &'x [u8])> {
        let kind = self.u16()?;
        let id = self.u16()?;
        if id >= 0x8000 {
            self.take(16)?;
            if self.u32()? == 0 {
                self.take(4)?;
            } else {
                let length = self.length()?;
                self.padded(length)?;
            }
        }
        let variable = matches!(kind & 0xfff, 0x0d | 0x1e | 0x1f | 0x102);
        let count = if variable || kind & 0x1000 != 0 { self.length()? } else { 1 };
        let mut first = None;
        for _ in 0..count.min(MAX_ITEMS) {
            let value = if variable {
                let length = self.length()?;
                self.padded(length)?
            } else {
                let size = match kind & 0xfff {
                    0x05..=0x07 | 0x14 | 0x40 => 8,
                    0x48 => 16,
                    _ => 4,
                };
                self.take(size)?
            };
            first = first.or(Some(value));
        }
        Some((u32::from(id) << 16 | u32::from(kind), first.unwrap_or_default()))
    }
}

fn properties<'x>(data: &'x [u8], mut each: impl FnMut(u32, &'x [u8])) {
    let mut rest = Cursor(data);
    let count = rest.length().unwrap_or_default().min(MAX_ITEMS);
    for _ in 0..count {
        let Some((tag, value)) = rest.property() else { break };
        each(tag, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
        [SIGNATURE, &[1, 0], &attributes.concat()].concat()
    }

    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap();
        let mut out =
            [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1u32.to_le_bytes(), &length.to_le_bytes(), value]
                .concat();
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    #[test]
    fn the_text_body_is_read_in_its_code_page_and_attachments_are_named() {
        let bytes = stream(&[
            attribute(1, 0x0006_9007, &1251u32.to_le_bytes()),
            attribute(1, 0x0007_8008, b"IPM.Note\0"),
            attribute(1, 0x0002_800c, b"\xcf\xf0\xe8\xe2\xe5\xf2\0"),
            attribute(2, 0x0006_9002, &[0; 14]),
            attribute(2, 0x0001_8010, b"bill.pdf\0"),
            attribute(2, 0x0006_800f, b"12345"),
        ]);
        let tnef = read(&bytes).unwrap();
        assert_eq!((tnef.text.as_str(), tnef.class.as_str()), ("Привет", "ipm.note"));
        assert_eq!((tnef.attachments[0].name.as_str(), tnef.attachments[0].bytes), ("bill.pdf", 5));
        for end in 0..bytes.len() {
            drop(read(&bytes[..end]));
        }
    }

    #[test]
    fn a_body_among_the_properties_is_read() {
        let wide: Vec<u8> = "Де моє?\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let flags = [&0x0003u16.to_le_bytes()[..], &0x0e07u16.to_le_bytes(), &7u32.to_le_bytes()].concat();
        let body = [&2u32.to_le_bytes()[..], &flags, &property(0x1f, 0x1000, &wide)].concat();
        assert_eq!(read(&stream(&[attribute(1, 0x0006_9003, &body)])).unwrap().text, "Де моє?");
        let body = [&1u32.to_le_bytes()[..], &property(0x102, 0x1013, b"<p>Hola</p>")].concat();
        let tnef = read(&stream(&[attribute(1, 0x0006_9003, &body)])).unwrap();
        assert_eq!((tnef.text.as_str(), tnef.is_html), ("<p>Hola</p>", true));
        assert!(read(b"no such thing").is_none());
    }
}
