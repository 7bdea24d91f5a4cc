//! Encoded words (RFC 2047), also as programs write them that never read it: characters and base64
//! groups cut between words, spaces and line breaks within them, the end missing, in quotes, glued to
//! other text.

use super::charset;

/// Where the decoded text is put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Unstructured text.
    Text,
    /// A structured field that a parser reads next: names may hold what would end them.
    Phrase,
    /// The value of a parameter.
    Parameter,
}

/// `text` with its encoded words decoded; runs of them are one text.
pub(super) fn decoded(text: &str, place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some((before, at)) = rest.split_once("=?") {
        if let Some((run, after)) = Run::of(at) {
            out.push_str(before);
            quoted ^= before.matches('"').count() % 2 == 1;
            put(&mut out, &run, place, quoted);
            rest = after;
        } else {
            out.push_str(before);
            out.push_str("=?");
            quoted ^= before.matches('"').count() % 2 == 1;
            rest = at;
        }
    }
    out.push_str(rest);
    out
}

fn put(out: &mut String, text: &str, place: Place, quoted: bool) {
    match place {
        Place::Text => out.push_str(text),
        _ if quoted => out.extend(text.chars().filter(|c| !matches!(c, '"' | '\\'))),
        Place::Parameter => {
            out.push('"');
            put(out, text, place, true);
            out.push('"');
        }
        Place::Phrase => {
            // words next to plain text must stay apart from it
            let apart = |c: char| c.is_whitespace() || matches!(c, '(' | '<' | ',' | ';' | ':');
            if !out.is_empty() && !out.ends_with(apart) {
                out.push(' ');
            }
            out.push_str("=?utf-8?B?");
            base64(text.as_bytes(), out);
            out.push_str("?= ");
        }
    }
}

fn base64(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS.get(word >> (18 - 6 * at) & 63).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
}

/// Encoded words that follow one another.
struct Run {
    text: String,
    charset: String,
    bytes: Vec<u8>,
    /// Base64 digits that make no whole group yet.
    digits: Vec<u8>,
}

impl Run {
    /// Reads the words that begin behind a `=?`; the text, and what follows.
    fn of(at: &str) -> Option<(String, &str)> {
        let (word, mut rest) = Word::of(at)?;
        let mut run = Self {
            text: String::new(),
            charset: word.charset.to_ascii_lowercase(),
            bytes: Vec::new(),
            digits: Vec::new(),
        };
        run.add(&word);
        while let Some((word, after)) = rest.trim_start().strip_prefix("=?").and_then(Word::of) {
            run.add(&word);
            rest = after;
        }
        run.finish();
        Some((run.text, rest))
    }

    fn add(&mut self, word: &Word<'_>) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.finish();
            self.charset = word.charset.to_ascii_lowercase();
        }
        if word.base64 {
            let digits = word.payload.bytes().filter(|b| !b.is_ascii_whitespace());
            self.digits.extend(digits.map(|b| match b {
                b'-' => b'+',
                b'_' => b'/',
                b => b,
            }));
            // an end mark, or whole groups: what follows begins anew
            if word.payload.contains('=') || self.digits.len().is_multiple_of(4) {
                self.group();
            }
        } else {
            self.group();
            self.bytes.extend(unquoted(word.payload));
        }
    }

    fn group(&mut self) {
        let digits = std::mem::take(&mut self.digits);
        self.bytes.extend_from_slice(&charset::untransfer(&digits, "base64"));
    }

    fn finish(&mut self) {
        self.group();
        let bytes = std::mem::take(&mut self.bytes);
        self.text.push_str(&charset::decode(&bytes, Some(&self.charset)).0);
    }
}

struct Word<'t> {
    charset: &'t str,
    base64: bool,
    payload: &'t str,
}

impl<'t> Word<'t> {
    /// The word that begins behind a `=?`, and what follows it.
    fn of(at: &'t str) -> Option<(Self, &'t str)> {
        const LONGEST_CHARSET: usize = 45;
        let (charset, rest) = at.split_once('?')?;
        let named = !charset.is_empty() && charset.len() <= LONGEST_CHARSET;
        if !named || charset.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '=')) {
            return None;
        }
        let base64 = match rest.as_bytes() {
            [b'b' | b'B', b'?', ..] => true,
            [b'q' | b'Q', b'?', ..] => false,
            _ => return None,
        };
        let payload = rest.get(2..)?;
        let (payload, after) = end(payload, base64);
        Some((Self { charset, base64, payload }, after))
    }
}

/// Divides at the end of the payload: `?=`, or where that is missing, the next word or white space.
fn end(payload: &str, base64: bool) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = payload.get(from..).and_then(|rest| rest.find("?=")) {
        let (inner, tail) = payload.split_at_checked(from + at).unwrap_or((payload, ""));
        if inner.contains("=?") {
            break;
        }
        let after = tail.get(2..).unwrap_or_default();
        // a question mark before `=3D`, not encoded
        let hex = after.get(..2).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        let goes_on = after.split_once("?=").is_some_and(|(more, _)| !more.contains([' ', '\n', '"']));
        if base64 || !hex || !goes_on {
            return (inner, after);
        }
        from += at + 2;
    }
    let stop = payload.find("=?").into_iter().chain(payload.find([' ', '\t', '\r', '\n', '"'])).min();
    payload.split_at_checked(stop.unwrap_or(payload.len())).unwrap_or((payload, ""))
}

/// The `Q` encoding of RFC 2047 §4.2; a line break within a word is none of its text.
fn unquoted(payload: &str) -> Vec<u8> {
    let mut plain = Vec::with_capacity(payload.len());
    let mut rest = payload;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\r' | '\n' => {
                rest = rest.trim_start();
                // a soft line break cut a character in two
                if plain.ends_with(b"=") {
                    plain.pop();
                }
            }
            '_' => plain.extend_from_slice(b"=20"),
            // left over from a soft line break
            '=' if rest.is_empty() => {}
            c => plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    charset::untransfer(&plain, "quoted-printable").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_however_they_are_broken() {
        for (raw, text) in [
            ("=?utf-8?Q?=D0=9F=D1?=\r\n =?UTF-8?q?=80=D0=B8?= ok", "При ok"),
            ("=?utf-8?B?0J/R?= =?utf-8?B?gNC4?=", "При"),
            ("=?utf-8?B?0J/RgNC?= =?utf-8?B?4?=", "При"),
            ("=?utf-8?B?0J/RgA==?= =?utf-8?B?0Lg=?=", "При"),
            ("=?utf-8?Q?Hola qu=C3=A9 tal?=", "Hola qué tal"),
            ("=?utf-8?Q?Qu=C3=\r\n =A9?=", "Qué"),
            ("=?utf-8?Q?Qu=C3\r\n =A9?=", "Qué"),
            ("=?utf-8?Q?Qu=C3=A9?=20?=", "Qué? "),
            ("=?utf-8?B?0J/RgNC4", "При"),
            ("a=?utf-8?q?b?=c", "abc"),
            ("=?koi8-r?Q?=F0=D2=C9?= =?windows-1251?Q?=E2=E5=F2?=", "Привет"),
            ("=?utf-8*en?Q?ok?=", "ok"),
            ("=?windows-1251?B?z/Do4uXy", "Привет"),
            ("1 =? 2", "1 =? 2"),
            ("=?x?z?y?=", "=?x?z?y?="),
        ] {
            assert_eq!(decoded(raw, Place::Text), text, "{raw}");
        }
    }

    #[test]
    fn a_decoded_name_ends_no_field() {
        let raw = "=?utf-8?Q?Ana=2C_=3Cx=40y=3E?= <ana@example.org>";
        assert_eq!(decoded(raw, Place::Phrase), "=?utf-8?B?QW5hLCA8eEB5Pg==?=  <ana@example.org>");
        assert_eq!(decoded("\"=?utf-8?Q?A=22b?=\" <a@b>", Place::Phrase), "\"Ab\" <a@b>");
        assert_eq!(decoded("a; name==?utf-8?Q?b_c?=", Place::Parameter), "a; name=\"b c\"");
    }
}
