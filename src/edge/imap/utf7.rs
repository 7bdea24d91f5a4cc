//! Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3). The crate for it panics on names
//! that are not what they should be, and names come from the server.

use std::fmt::Write as _;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A name for the wire.
#[must_use]
pub fn encode(name: &str) -> String {
    let mut out = String::new();
    let mut foreign: Vec<u16> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut foreign, &mut out);
            out.push_str(if c == '&' { "&-" } else { "" });
            if c != '&' {
                out.push(c);
            }
        } else {
            let mut units = [0; 2];
            foreign.extend_from_slice(c.encode_utf16(&mut units));
        }
    }
    flush(&mut foreign, &mut out);
    out
}

fn flush(foreign: &mut Vec<u16>, out: &mut String) {
    if foreign.is_empty() {
        return;
    }
    let mut bits = 0_u32;
    let mut count = 0;
    let mut text = String::new();
    let letter = |value: u32| ALPHABET.get(value as usize & 63).map_or('A', |byte| char::from(*byte));
    for unit in foreign.drain(..) {
        bits = (bits << 16) | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            text.push(letter(bits >> count));
            bits &= (1 << count) - 1;
        }
    }
    if count > 0 {
        text.push(letter(bits << (6 - count)));
    }
    // writing to a string cannot fail
    let _ = write!(out, "&{text}-");
}

/// A name from the wire; one that is no modified UTF-7 is taken as it is.
#[must_use]
pub fn decode(wire: &str) -> String {
    try_decode(wire).unwrap_or_else(|| wire.to_owned())
}

fn try_decode(wire: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        rest = after;
        if code.is_empty() {
            out.push('&');
            continue;
        }
        let mut units = Vec::new();
        let mut bits = 0_u32;
        let mut count = 0;
        for byte in code.bytes() {
            let value = ALPHABET.iter().position(|letter| *letter == byte)?;
            bits = (bits << 6) | u32::try_from(value).ok()?;
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push(u16::try_from(bits >> count).ok()?);
                bits &= (1 << count) - 1;
            }
        }
        // what is left of the last letter is filling: fewer than six bits, all zero (RFC 2152)
        if units.is_empty() || count >= 6 || bits != 0 {
            return None;
        }
        out.push_str(&String::from_utf16(&units).ok()?);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_come_back_as_they_went() {
        for name in ["Drafts", "Büro", "Черновики", "Чернетки/Ї", "R&D", "日本語 &x", "😀", "a&-b"]
        {
            assert_eq!(decode(&encode(name)), name);
            assert!(encode(name).is_ascii());
        }
        assert_eq!(encode("Büro"), "B&APw-ro");
        assert_eq!(decode("&ZeVnLIqe-"), "日本語");
    }

    #[test]
    fn a_name_that_is_no_utf_7_is_taken_as_it_is() {
        for name in ["A&D-x", "&", "&!!!-", "a&b", "&2Hg-"] {
            assert_eq!(decode(name), name);
        }
    }
}
