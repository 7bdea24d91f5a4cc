//! S/MIME (RFC 8551) opened as far as that takes no key: what a signed message carries inside.

/// Elements within one another that are followed.
const MAX_DEPTH: usize = 16;

const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const EXPLICIT: u8 = 0xa0;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PARTS: u8 = 0x24;

/// The content of a `SignedData` (RFC 5652 §5); `None` for what is encrypted or no CMS at all.
pub(super) fn signed_content(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, info, _) = element(bytes, 0).filter(|e| e.0 == SEQUENCE)?;
    let (_, kind, rest) = element(info, 0).filter(|e| e.0 == OBJECT_ID)?;
    if kind != SIGNED {
        return None;
    }
    let (_, explicit, _) = element(rest, 0).filter(|e| e.0 == EXPLICIT)?;
    let (_, mut data, _) = element(explicit, 0).filter(|e| e.0 == SEQUENCE)?;
    // version and digest algorithms come before the content
    let inner = loop {
        let (tag, content, rest) = element(data, 0)?;
        if tag == SEQUENCE {
            break content;
        }
        data = rest;
    };
    let (_, _, rest) = element(inner, 0).filter(|e| e.0 == OBJECT_ID)?;
    let (_, content, _) = element(rest, 0).filter(|e| e.0 == EXPLICIT)?;
    let mut out = Vec::new();
    octets(content, 0, &mut out)?;
    Some(out)
}

fn octets(bytes: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (tag, content, after) = element(rest, depth)?;
        match tag {
            OCTETS => out.extend_from_slice(content),
            OCTETS_IN_PARTS if depth < MAX_DEPTH => octets(content, depth + 1, out)?,
            _ => return None,
        }
        rest = after;
    }
    Some(())
}

/// Tag, content and what follows of the first element (X.690 §8.1), also of indefinite length.
fn element(bytes: &[u8], depth: usize) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f || depth > MAX_DEPTH {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    if *length == 0x80 {
        let mut after = rest;
        while !after.starts_with(&[0, 0]) {
            after = element(after, depth + 1)?.2;
        }
        let content = rest.get(..rest.len() - after.len())?;
        return Some((*tag, content, after.get(2..)?));
    }
    let (length, rest) = if length & 0x80 == 0 {
        (usize::from(*length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0usize, |sum, digit| sum << 8 | usize::from(*digit)), rest)
    };
    // a mail that was cut still shows its beginning
    let (content, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((*tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, 0x80];
        out.extend_from_slice(content);
        out.extend_from_slice(&[0, 0]);
        out
    }

    #[test]
    fn the_text_of_a_signed_message_is_readable_and_that_of_an_encrypted_one_is_not() {
        let data =
            [&[0x06, 0x01, 0x2a][..], &wrap(EXPLICIT, &wrap(OCTETS_IN_PARTS, b"\x04\x03hol\x04\x01a"))]
                .concat();
        let body = [&[0x02, 0x01, 0x01, 0x31, 0x00][..], &wrap(SEQUENCE, &data)].concat();
        let signed = [&[OBJECT_ID, 9][..], SIGNED, &wrap(EXPLICIT, &wrap(SEQUENCE, &body))].concat();
        let whole = wrap(SEQUENCE, &signed);
        assert_eq!(signed_content(&whole).as_deref(), Some(&b"hola"[..]));
        let mut enveloped = whole.clone();
        enveloped[12] = 3;
        assert_eq!(signed_content(&enveloped), None);
        for end in 0..whole.len() {
            let _ = signed_content(&whole[..end]);
        }
        assert_eq!(signed_content(&[0x30, 0x80].repeat(10_000)), None);
    }
}
