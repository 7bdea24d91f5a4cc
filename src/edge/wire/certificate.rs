//! When the certificates run out that mail servers have shown us.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::time::Timestamp;

/// By `host:port`. One for the process: a server's certificate is the same for every account.
static SEEN: Mutex<BTreeMap<String, Timestamp>> = Mutex::new(BTreeMap::new());

/// Takes note of what a server has shown.
pub(super) fn note(host: &str, port: u16, der: &[u8]) {
    if let Some(at) = not_after(der) {
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{host}:{port}"), at);
    }
}

/// The end of validity of the certificate each server has shown last, by `host:port`.
#[must_use]
pub fn seen() -> BTreeMap<String, Timestamp> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, constructed: the version, left out in version 1.
const VERSION: u8 = 0xa0;

/// The `notAfter` of an X.509 certificate in DER (RFC 5280 §4.1).
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if let Some((VERSION, _, after)) = element(rest) {
        rest = after;
    }
    // serial number, signature algorithm, issuer
    for wanted in [INTEGER, SEQUENCE, SEQUENCE] {
        let (tag, _, after) = element(rest)?;
        if tag != wanted {
            return None;
        }
        rest = after;
    }
    let (_, validity, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, time, _) = element(after)?;
    moment(tag, std::str::from_utf8(time).ok()?)
}

/// Tag, contents and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(d, _)| d.len() <= 4)?;
        (digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
    };
    let (contents, after) = rest.split_at_checked(length)?;
    Some((tag, contents, after))
}

fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let full = match tag {
        // RFC 5280 §4.1.2.5.1: two digits of the year turn over at 50
        UTC_TIME if digits.len() == 12 => {
            let century = if digits < "50" { "20" } else { "19" };
            format!("{century}{digits}")
        }
        GENERALIZED_TIME if digits.len() == 14 => digits.to_owned(),
        _ => return None,
    };
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &full).ok()?;
    Some(Timestamp(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate as far as validity goes, with the given `notAfter`.
    fn certificate(tag: u8, time: &str) -> Vec<u8> {
        let wrap = |tag: u8, inner: &[u8]| [&[tag, u8::try_from(inner.len()).unwrap()], inner].concat();
        let validity =
            wrap(SEQUENCE, &[wrap(UTC_TIME, b"200101000000Z"), wrap(tag, time.as_bytes())].concat());
        let to_be_signed = [
            wrap(VERSION, &wrap(INTEGER, &[2])),
            wrap(INTEGER, &[1]),
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &[]),
            validity,
        ]
        .concat();
        wrap(SEQUENCE, &wrap(SEQUENCE, &to_be_signed))
    }

    #[test]
    fn the_end_of_validity_is_read_in_both_forms() {
        assert_eq!(not_after(&certificate(UTC_TIME, "261122064959Z")), Some(Timestamp(1_795_330_199)));
        assert_eq!(
            not_after(&certificate(GENERALIZED_TIME, "20261122064959Z")),
            Some(Timestamp(1_795_330_199))
        );
        assert_eq!(not_after(&certificate(UTC_TIME, "991231235959Z")), Some(Timestamp(946_684_799)));
    }

    #[test]
    fn anything_cut_or_odd_has_none() {
        let good = certificate(UTC_TIME, "261122064959Z");
        for end in 0..good.len() {
            assert_eq!(not_after(&good[..end]), None);
        }
        assert_eq!(not_after(&certificate(UTC_TIME, "not a time!!Z")), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
