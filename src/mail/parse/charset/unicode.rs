//! UTF-16 (RFC 2781) and UTF-7 (RFC 2152), declared or not.

use std::char::{REPLACEMENT_CHARACTER, decode_utf16};

/// The text of `bytes` if they are UTF-16: by mark, by name, or because every second byte is zero.
pub(super) fn wide(bytes: &[u8], charset: &str) -> Option<String> {
    let big = match bytes {
        [0xfe, 0xff, ..] => true,
        [0xff, 0xfe, ..] => false,
        _ => by_name(bytes, charset)?,
    };
    let bytes = match bytes {
        [0xfe, 0xff, rest @ ..] | [0xff, 0xfe, rest @ ..] => rest,
        _ => bytes,
    };
    let unit = |pair: &[u8]| match pair {
        [a, b] if big => u16::from_be_bytes([*a, *b]),
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0,
    };
    let units = bytes.chunks_exact(2).map(unit);
    Some(decode_utf16(units).map(|unit| unit.unwrap_or(REPLACEMENT_CHARACTER)).collect())
}

/// Whether UTF-16 without a mark has its high byte first; `None` if it is no UTF-16. The high bytes
/// of European text are nearly all 0 or 4, and its low bytes are neither.
fn by_name(bytes: &[u8], charset: &str) -> Option<bool> {
    const LOOKED_AT: usize = 512;
    let pairs = bytes.get(..LOOKED_AT).unwrap_or(bytes).chunks_exact(2);
    let all = pairs.len();
    let high = |byte: &u8| matches!(byte, 0 | 4);
    let first = pairs.clone().filter(|pair| pair.first().is_some_and(high)).count();
    let second = pairs.filter(|pair| pair.last().is_some_and(high)).count();
    let name = charset.to_ascii_lowercase();
    let named = is_utf16(charset);
    if named {
        // text that only says it is wide has no zero bytes at all
        let narrow = first * 4 < all && second * 4 < all && std::str::from_utf8(bytes).is_ok();
        return (!narrow).then_some(if first == second { name.ends_with("be") } else { first > second });
    }
    let has_zeros = bytes.get(..LOOKED_AT).unwrap_or(bytes).contains(&0);
    let is_wide = all >= 4 && has_zeros && (first.max(second) * 10 >= all * 9) && first.min(second) * 3 < all;
    is_wide.then_some(first > second)
}

/// Whether this is a name of UTF-16.
pub(super) fn is_utf16(charset: &str) -> bool {
    let name = charset.to_ascii_lowercase();
    ["utf-16", "utf16", "utf_16", "ucs-2", "ucs2", "iso-10646-ucs-2", "csunicode", "unicodefeff"]
        .iter()
        .any(|known| name.starts_with(known))
        || name == "unicode"
}

/// Whether this is a name of UTF-7.
pub(super) fn is_utf7(charset: &str) -> bool {
    ["utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-1-1-utf-7", "csutf7"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

/// UTF-7 to text; a shift that holds no whole character stands for itself.
pub(super) fn from_utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'+' {
            out.push(char::from(byte));
            continue;
        }
        let end = after.iter().position(|b| digit(*b).is_none()).unwrap_or(after.len());
        let (shifted, tail) = after.split_at_checked(end).unwrap_or((after, &[]));
        let closed = tail.first() == Some(&b'-');
        if shifted.is_empty() {
            out.push('+');
        } else {
            out.push_str(&shifted_text(shifted));
        }
        rest = if closed { tail.get(1..).unwrap_or_default() } else { tail };
    }
    out
}

fn shifted_text(digits: &[u8]) -> String {
    let (mut units, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for digit in digits.iter().filter_map(|b| digit(*b)) {
        held = held << 6 | digit;
        bits += 6;
        if bits >= 16 {
            bits -= 16;
            units.push(u16::try_from(held >> bits & 0xffff).unwrap_or_default());
            held &= (1 << bits) - 1;
        }
    }
    decode_utf16(units).map(|unit| unit.unwrap_or(REPLACEMENT_CHARACTER)).collect()
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_told_by_its_mark_its_name_or_its_zeros() {
        let le: Vec<u8> = "Де моє замовлення?".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "Where is it?".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(wide(&le, "utf-16").as_deref(), Some("Де моє замовлення?"));
        assert_eq!(wide(&be, "").as_deref(), Some("Where is it?"));
        assert_eq!(wide(&[b"\xfe\xff", be.as_slice()].concat(), "utf-8").as_deref(), Some("Where is it?"));
        assert_eq!(wide(b"plain after all", "utf-16"), None);
        assert_eq!(wide("Де моє".as_bytes(), ""), None);
    }

    #[test]
    fn utf7_keeps_what_ends_a_shift() {
        assert_eq!(from_utf7(b"+BB8EQAQ4BDIENQRC, 1 +- 1 +ACE-"), "Привет, 1 + 1 !");
        assert_eq!(from_utf7(b"a +"), "a +");
    }
}
