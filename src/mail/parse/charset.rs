//! Bytes to text: transfer encodings (RFC 2045 §6) and charsets, declared or guessed.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// Undoes a `Content-Transfer-Encoding`; what cannot be decoded is left out or left as it is.
pub(super) fn untransfer<'x>(body: &'x [u8], encoding: &str) -> Cow<'x, [u8]> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => Cow::Owned(unbase64(body)),
        "quoted-printable" => Cow::Owned(unquote_printable(body)),
        _ => Cow::Borrowed(body),
    }
}

fn unbase64(body: &[u8]) -> Vec<u8> {
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let mut digits: Vec<u8> = body.iter().copied().filter(|b| is_digit(b)).collect();
    // one digit over holds no byte
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    while !digits.len().is_multiple_of(4) {
        digits.push(b'=');
    }
    base64_decode(&digits).unwrap_or_default()
}

fn unquote_printable(body: &[u8]) -> Vec<u8> {
    if let Some(bytes) = quoted_printable_decode(body) {
        return bytes;
    }
    // an `=` that introduces nothing stands for itself
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match after {
            [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] if byte == b'=' => rest = tail,
            [high, low, tail @ ..] if byte == b'=' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Text in the declared charset, and whether every byte was text in it. UTF-8 that was declared as
/// something else, or as nothing, is read as UTF-8; undeclared 8-bit text is guessed.
pub(super) fn decode(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let charset = charset.unwrap_or_default().trim().trim_matches(['"', '\'']);
    let decoder = (!charset.is_empty()).then(|| charset_decoder(charset.as_bytes())).flatten();
    let wide = charset.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("utf-16"));
    if !wide && let Ok(text) = std::str::from_utf8(bytes) {
        return match decoder {
            Some(decoder) if text.is_ascii() => (decoder(bytes), true),
            _ => (text.trim_start_matches('\u{feff}').to_owned(), true),
        };
    }
    let utf8 = charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8");
    let ascii = charset.is_empty()
        || charset.eq_ignore_ascii_case("us-ascii")
        || charset.eq_ignore_ascii_case("ascii");
    let text = match decoder {
        Some(decoder) if !ascii => decoder(bytes),
        _ if utf8 && mostly_utf8(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => charset_decoder(guess(bytes).as_bytes())
            .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decoder| decoder(bytes)),
    };
    let sound = !text.contains('\u{fffd}');
    (text, sound)
}

/// Whether most non-ASCII bytes belong to well-formed UTF-8.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good >= bad
}

/// A charset for 8-bit text that declares none: Cyrillic has most letters in the upper half, and
/// Windows and KOI8 disagree on which quarter holds the small ones.
fn guess(bytes: &[u8]) -> &'static str {
    let (mut ascii, mut low, mut high) = (0usize, 0usize, 0usize);
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => ascii += 1,
            0xc0..=0xdf => low += 1,
            0xe0..=0xff => high += 1,
            _ => {}
        }
    }
    // in Spanish or French fewer than one letter in four has an accent
    if (low + high) * 3 < ascii {
        "windows-1252"
    } else if low > high {
        "koi8-u"
    } else {
        "windows-1251"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undeclared_cyrillic_is_read_in_either_charset() {
        let windows = b"\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0";
        let koi = b"\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2";
        assert_eq!(decode(windows, None).0, "Привет, мир");
        assert_eq!(decode(koi, Some("us-ascii")).0, "Привет, мир");
    }

    #[test]
    fn an_accent_without_charset_is_western() {
        assert_eq!(decode(b"ma\xf1ana por la ma\xf1ana", None).0, "mañana por la mañana");
    }

    #[test]
    fn utf8_under_a_wrong_name_is_utf8() {
        assert_eq!(decode("мир".as_bytes(), Some("iso-8859-1")), ("мир".to_owned(), true));
        assert_eq!(decode("мир".as_bytes(), Some("x-unheard-of")).0, "мир");
    }

    #[test]
    fn broken_transfer_encodings_keep_what_can_be_read() {
        assert_eq!(&*untransfer(b"aG9s*YQ", "BASE64"), b"hola");
        assert_eq!(&*untransfer(b"1 =+ 1 =3D 2=\r\n!", "quoted-printable"), b"1 =+ 1 = 2!");
    }
}
