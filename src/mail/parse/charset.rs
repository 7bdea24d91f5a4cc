//! Bytes to text: transfer encodings (RFC 2045 §6) and charsets, declared or guessed.

mod guess;
mod mojibake;
mod unicode;

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::DecoderFnc;
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
/// something else, or as nothing, is read as UTF-8; 8-bit text that is undeclared, or senseless in the
/// charset it declares, is guessed; what an earlier program read in a wrong charset is read again.
pub(super) fn decode(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let (text, sound) = decode_bytes(bytes, charset);
    match mojibake::undone(&text) {
        Some(text) => (text, sound),
        None => (text, sound),
    }
}

/// Text as [`decode`] gives it, mojibake left as it is.
fn decode_bytes(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let charset = charset.unwrap_or_default().trim().trim_matches(['"', '\'']);
    if let Some(text) = unicode::wide(bytes, charset) {
        return sound(text);
    }
    if unicode::is_utf7(charset) && bytes.is_ascii() {
        return sound(unicode::from_utf7(bytes));
    }
    let decoder = decoder(charset);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return match decoder {
            // ISO 2022 and its kin are ASCII on the wire
            Some(decoder) if text.is_ascii() => (decoder(bytes), true),
            _ => (text.trim_start_matches('\u{feff}').to_owned(), true),
        };
    }
    let lower = charset.to_ascii_lowercase();
    let is_utf8 = lower.starts_with("utf");
    if is_utf8 && mostly_utf8(bytes) {
        return sound(String::from_utf8_lossy(bytes).into_owned());
    }
    let declared = decoder.filter(|_| !is_utf8 && !matches!(&*lower, "us-ascii" | "ascii"));
    sound(match (declared, guess::charset(bytes, declared)) {
        (_, Some(guessed)) => guessed(bytes),
        (Some(declared), None) => declared(bytes),
        (None, None) => String::from_utf8_lossy(bytes).into_owned(),
    })
}

fn sound(text: String) -> (String, bool) {
    let sound = !text.contains('\u{fffd}');
    (text, sound)
}

/// The decoder of a charset, also under the names that only some programs use.
fn decoder(charset: &str) -> Option<DecoderFnc> {
    let named = |name: &str| charset_decoder(name.as_bytes());
    // what is wide has been read by now; what only says so is not
    if charset.is_empty() || unicode::is_utf16(charset) {
        return None;
    }
    // RFC 2231 §5 allows a language behind the charset
    let charset = charset.split('*').next().unwrap_or(charset);
    named(charset).or_else(|| {
        let plain: String =
            charset.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let name = match plain.strip_prefix('x').unwrap_or(&plain) {
            "win1251" | "windows1251" | "cp1251" | "ansi1251" | "1251" => "windows-1251",
            "win1252" | "windows1252" | "cp1252" | "ansi" | "1252" => "windows-1252",
            "win1250" | "windows1250" | "1250" => "windows-1250",
            "koi8r" => "koi8-r",
            "koi8u" | "koi8ru" => "koi8-u",
            "dos866" | "cp866" | "ibm866" | "oem866" => "ibm866",
            "maccyrillic" | "macukraine" => "x-mac-cyrillic",
            "latin1" | "88591" | "isolatin1" => "iso-8859-1",
            _ => return None,
        };
        named(name)
    })
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
    fn a_charset_under_an_odd_name_is_that_charset() {
        for name in ["cp866", "CP-866", "dos-866", "ibm866"] {
            assert_eq!(decode(b"\x8f\xe0\xa8\xa2\xa5\xe2", Some(name)).0, "Привет", "{name}");
        }
        assert_eq!(decode(b"\xcf\xf0\xe8\xe2\xe5\xf2", Some("win-1251")).0, "Привет");
        assert_eq!(decode(b"\xf0\xd2\xc9\xd7\xa6\xd4", Some("KOI8U")).0, "Привіт");
    }

    #[test]
    fn broken_transfer_encodings_keep_what_can_be_read() {
        assert_eq!(&*untransfer(b"aG9s*YQ", "BASE64"), b"hola");
        assert_eq!(&*untransfer(b"1 =+ 1 =3D 2=\r\n!", "quoted-printable"), b"1 =+ 1 = 2!");
    }
}
