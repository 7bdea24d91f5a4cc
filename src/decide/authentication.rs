//! Whether the sender is who the mail says: what our own server found out about it
//! (`Authentication-Results`, RFC 8601). Only headers that our own server wrote are believed: those
//! on top, with its name.

use serde::{Deserialize, Serialize};

use crate::mail::Mail;

/// What our server found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Authentication {
    /// The server that says so; empty when none of ours does.
    pub server: String,
    /// Result of DKIM (RFC 6376) for the domain of `From`, `none` when there is none.
    pub dkim: String,
    /// Result of SPF (RFC 7208) for the domain of `From`.
    pub spf: String,
    /// Result of DMARC (RFC 7489).
    pub dmarc: String,
    /// Whether one of them proves the domain of `From`.
    pub proven: bool,
}

/// Reads what servers with one of these names say about `mail`.
#[must_use]
pub fn of(mail: &Mail, ours: &[String]) -> Authentication {
    let mut found = Authentication {
        dkim: "none".into(),
        spf: "none".into(),
        dmarc: "none".into(),
        ..Authentication::default()
    };
    let from = mail.sender().map(crate::mail::Address::identity).unwrap_or_default();
    let Some((_, domain)) = from.rsplit_once('@').filter(|_| mail.from.len() == 1) else { return found };
    let results = mail.headers.iter().filter(|(name, _)| name == "authentication-results");
    for (_, value) in results {
        let plain = without_comments(value);
        let mut parts = plain.split(';');
        let server = parts.next().and_then(|head| head.split_whitespace().next()).unwrap_or_default();
        // below the first header of somebody else, everything may be forged
        if !ours.iter().any(|name| name.eq_ignore_ascii_case(server)) {
            break;
        }
        server.clone_into(&mut found.server);
        parts.for_each(|part| take(&mut found, part, domain));
    }
    found.proven = [&found.dkim, &found.spf, &found.dmarc].into_iter().any(|result| result == "pass");
    found
}

/// One method's result: `dkim=pass header.d=example.org`.
fn take(found: &mut Authentication, part: &str, domain: &str) {
    let mut words = part.split_whitespace();
    let Some((method, result)) = words.next().and_then(|word| word.split_once('=')) else { return };
    let about = |names: &[&str]| {
        part.split_whitespace().filter_map(|word| word.split_once('=')).any(|(name, value)| {
            let value = value.trim_matches('"').to_lowercase();
            let host = value.rsplit_once('@').map_or(value.as_str(), |(_, host)| host);
            names.contains(&name.to_lowercase().as_str()) && aligned(host, domain)
        })
    };
    let (slot, fits) = match method.to_lowercase().as_str() {
        "dkim" => (&mut found.dkim, about(&["header.d", "header.i"])),
        "spf" => (&mut found.spf, about(&["smtp.mailfrom", "smtp.mail"])),
        "dmarc" => (&mut found.dmarc, about(&["header.from"])),
        _ => return,
    };
    if fits && slot != "pass" {
        *slot = result.to_lowercase();
    }
}

/// The same domain, or one below the other (relaxed alignment of RFC 7489 §3.1, without the list of
/// public suffixes: a parent needs two labels).
fn aligned(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        outer.contains('.') && inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'))
    };
    one == other || below(one, other) || below(other, one)
}

/// RFC 5322 §3.2.2: text in round brackets, which may be nested.
fn without_comments(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' if depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(results: &[&str]) -> Authentication {
        let mut mail = Mail::from_message("Eve", "eve@example.org", "x", "y");
        mail.headers =
            results.iter().map(|value| ("authentication-results".to_owned(), (*value).to_owned())).collect();
        of(&mail, &["mx.example.com".to_owned()])
    }

    #[test]
    fn our_servers_pass_for_the_senders_own_domain_is_proof() {
        for good in [
            "mx.example.com; dkim=pass header.d=example.org; spf=fail smtp.mailfrom=x@elsewhere.net",
            "MX.example.com 1; dmarc=pass (p=reject) header.from=example.org",
            "mx.example.com; spf=pass smtp.mailfrom=bounce@mail.example.org",
        ] {
            assert!(read(&[good]).proven, "{good}");
        }
    }

    #[test]
    fn nobody_elses_word_counts_and_no_other_domains() {
        for bad in [
            &["evil.net; dkim=pass header.d=example.org"][..],
            &["evil.net; dkim=pass header.d=example.org", "mx.example.com; dkim=pass header.d=example.org"],
            &["mx.example.com; dkim=pass header.d=evil.net"],
            &["mx.example.com; dkim=pass header.d=org"],
            &["mx.example.com; dkim=fail (dkim=pass header.d=example.org) header.d=example.org"],
            &["mx.example.com; none"],
            &[],
        ] {
            assert!(!read(bad).proven, "{bad:?}");
        }
    }
}
