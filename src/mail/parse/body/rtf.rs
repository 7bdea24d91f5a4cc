//! Rich text as Outlook hides it in `winmail.dat`: unpacked (MS-OXRTFCP) and read as text, or as the
//! HTML it was made from (MS-OXRTFEX).

use super::super::charset;

/// What every packed text may refer to (MS-OXRTFCP §2.1.3.1).
const DICTIONARY: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const RING: usize = 4096;
const HEADER: usize = 16;
/// Groups within one another that are followed.
const MAX_GROUPS: usize = 256;

/// Unpacks `PidTagRtfCompressed`, at most `max` bytes of it.
pub(super) fn unpack(packed: &[u8], max: usize) -> Option<Vec<u8>> {
    let body = packed.get(HEADER..)?;
    match packed.get(8..12)? {
        b"MELA" => return Some(body.get(..max).unwrap_or(body).to_vec()),
        b"LZFu" => {}
        _ => return None,
    }
    let mut ring = [0u8; RING];
    for (place, byte) in ring.iter_mut().zip(DICTIONARY) {
        *place = *byte;
    }
    let mut write = DICTIONARY.len();
    let mut out = Vec::new();
    let mut rest = body.iter().copied();
    'all: while let Some(control) = rest.next() {
        for bit in 0..8 {
            let (from, length) = if control >> bit & 1 == 0 {
                let Some(byte) = rest.next() else { break 'all };
                if let Some(place) = ring.get_mut(write) {
                    *place = byte;
                }
                (write, 1)
            } else {
                let (Some(high), Some(low)) = (rest.next(), rest.next()) else { break 'all };
                let word = usize::from(high) << 8 | usize::from(low);
                if word >> 4 == write {
                    break 'all;
                }
                (word >> 4, (word & 15) + 2)
            };
            for step in 0..length {
                let byte = ring.get((from + step) % RING).copied().unwrap_or_default();
                if let Some(place) = ring.get_mut(write) {
                    *place = byte;
                }
                write = (write + 1) % RING;
                out.push(byte);
            }
            if out.len() >= max {
                break 'all;
            }
        }
    }
    Some(out)
}

/// The text of a document, and whether it is HTML.
pub(super) fn to_text(rtf: &[u8]) -> (String, bool) {
    let is_html = rtf.get(..400).unwrap_or(rtf).windows(9).any(|w| w == b"\\fromhtml");
    let mut reader = Reader { is_html, ..Reader::default() };
    let mut rest = rtf;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'{' => {
                if reader.open.len() < MAX_GROUPS {
                    reader.open.push(reader.group);
                }
                after
            }
            b'}' => {
                reader.flush();
                reader.group = reader.open.pop().unwrap_or_default();
                after
            }
            b'\\' => reader.control(after),
            b'\r' | b'\n' => after,
            _ => {
                reader.byte(byte);
                after
            }
        };
    }
    reader.flush();
    (reader.out, is_html)
}

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own that a word switches")]
struct Group {
    /// Nothing in it is text.
    skipped: bool,
    /// `\*` was just read: an unknown word makes the group a skipped one.
    starred: bool,
    /// Between `\htmlrtf` and `\htmlrtf0`: only for those who read no HTML.
    rtf_only: bool,
    in_fonts: bool,
    font: u32,
    /// Characters that stand for a `\u` in programs without Unicode.
    substitutes: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self { skipped: false, starred: false, rtf_only: false, in_fonts: false, font: 0, substitutes: 1 }
    }
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Bytes of the current font's charset, not decoded yet.
    bytes: Vec<u8>,
    open: Vec<Group>,
    group: Group,
    is_html: bool,
    code_page: u32,
    /// Charset of each font.
    fonts: Vec<(u32, u32)>,
    /// Substitutes still to be passed over.
    pass: u32,
}

impl Reader {
    fn byte(&mut self, byte: u8) {
        if self.pass > 0 {
            self.pass -= 1;
        } else if !self.group.skipped && !self.group.rtf_only {
            self.bytes.push(byte);
        }
    }

    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let charset = self.fonts.iter().find(|(font, _)| *font == self.group.font).map_or(0, |f| f.1);
        let page = match charset {
            204 => 1251,
            238 => 1250,
            161 => 1253,
            162 => 1254,
            186 => 1257,
            _ if self.code_page > 0 => self.code_page,
            _ => 1252,
        };
        self.out.push_str(&charset::decode(&bytes, Some(&format!("windows-{page}"))).0);
    }

    fn put(&mut self, text: &str) {
        if !self.group.skipped && !self.group.rtf_only {
            self.flush();
            self.out.push_str(text);
        }
    }

    /// Reads what follows a backslash; what remains.
    fn control<'x>(&mut self, after: &'x [u8]) -> &'x [u8] {
        let Some((&first, rest)) = after.split_first() else { return after };
        if first == b'\'' {
            let hex = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            if let Some(byte) = hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                self.byte(byte);
            }
            return rest.get(2..).unwrap_or_default();
        }
        if !first.is_ascii_alphabetic() {
            match first {
                b'*' => self.group.starred = true,
                b'~' => self.byte(b' '),
                b'{' | b'}' | b'\\' => self.byte(first),
                b'\n' | b'\r' => self.put("\n"),
                _ => {}
            }
            return rest;
        }
        let name_end = after.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(after.len()).min(32);
        let (name, rest) = after.split_at_checked(name_end).unwrap_or((after, &[]));
        let is_number = |(at, byte): (usize, &u8)| byte.is_ascii_digit() || (at == 0 && *byte == b'-');
        let digits = rest.iter().enumerate().take(10).take_while(|pair| is_number(*pair)).count();
        let (number, rest) = rest.split_at_checked(digits).unwrap_or((rest, &[]));
        let number = std::str::from_utf8(number).ok().and_then(|n| n.parse::<i64>().ok());
        self.word(name, number);
        rest.strip_prefix(b" ").unwrap_or(rest)
    }

    fn word(&mut self, name: &[u8], number: Option<i64>) {
        let starred = std::mem::take(&mut self.group.starred);
        let count = number.and_then(|n| u32::try_from(n).ok());
        match name {
            b"par" | b"line" | b"sect" | b"row" => self.put("\n"),
            b"tab" | b"cell" => self.put("\t"),
            b"u" => self.unicode(number.unwrap_or_default()),
            b"uc" => self.group.substitutes = count.unwrap_or(1),
            b"ansicpg" => self.code_page = count.unwrap_or_default(),
            b"fonttbl" => (self.group.skipped, self.group.in_fonts) = (true, true),
            b"f" => {
                self.flush();
                self.group.font = count.unwrap_or_default();
            }
            b"fcharset" if self.group.in_fonts && self.fonts.len() < MAX_GROUPS => {
                self.fonts.push((self.group.font, count.unwrap_or_default()));
            }
            b"htmlrtf" => {
                self.flush();
                self.group.rtf_only = self.is_html && number != Some(0);
            }
            b"htmltag" if starred => {}
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"footer" | b"object" => {
                self.group.skipped = true;
            }
            b"bullet" => self.put("•"),
            b"endash" => self.put("–"),
            b"emdash" => self.put("—"),
            b"lquote" | b"rquote" => self.put("’"),
            b"ldblquote" => self.put("“"),
            b"rdblquote" => self.put("”"),
            _ => self.group.skipped |= starred,
        }
    }

    fn unicode(&mut self, number: i64) {
        let code = if number < 0 { number + 65_536 } else { number };
        if let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) {
            self.put(c.encode_utf8(&mut [0; 4]));
        }
        self.pass = self.group.substitutes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_text_is_unpacked() {
        // the example of MS-OXRTFCP §4.1.1
        let packed = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(DICTIONARY.len(), 207);
        assert_eq!(unpack(packed, 1_000).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(unpack(b"short", 10), None);
        assert!(unpack(&packed[..30], 1_000).unwrap().len() < 43);
    }

    #[test]
    fn letters_fonts_and_lines_are_read() {
        let rtf = b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Arial Cyr;}}{\\*\\generator x;}\
                    \\f1\\'cf\\'f0\\'e8\\f0 , ma\\'f1ana\\par \\u1080?\\'21 \\{ok\\}}";
        assert_eq!(to_text(rtf), ("При, mañana\nи! {ok}".to_owned(), false));
    }

    #[test]
    fn html_within_comes_out_as_html() {
        let rtf = b"{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}\\htmlrtf {\\b \\htmlrtf0 Hola{\\*\\htmltag72 </p>}\\htmlrtf }\\htmlrtf0 }";
        assert_eq!(to_text(rtf), ("<p>Hola</p>".to_owned(), true));
    }
}
