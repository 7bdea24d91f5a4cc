//! What a mail server has found out about the sender: `Authentication-Results` (RFC 8601). Anybody can
//! write that field, so only the topmost counts, and only when our own server is named in it.

use serde::{Deserialize, Serialize};

/// Results of one method that are kept.
const MAX_FACTS: usize = 16;
/// Longest name or domain kept, in bytes.
const MAX_WORD: usize = 255;

/// The topmost `Authentication-Results`. A claim until its `by` is known to be ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The `authserv-id`: who says so, lower case.
    pub by: String,
    /// What was found, in order.
    pub facts: Vec<AuthFact>,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFact {
    /// `spf`, `dkim`, `dmarc` or another registered method, lower case.
    pub method: String,
    /// `pass`, `fail`, `none`, …, lower case.
    pub result: String,
    /// The domain it is about: of `smtp.mailfrom`, `header.d`, `header.from`; empty when not told.
    pub domain: String,
}

impl Authentication {
    /// Reads the value of a field; `None` when it names nobody.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let parts = parts(value);
        let mut parts = parts.iter();
        let by = parts.next()?.split_whitespace().next()?.to_lowercase();
        let facts = parts.filter_map(|part| fact(part)).take(MAX_FACTS).collect();
        Some(Self { by: super::parse::head(&by, MAX_WORD).to_owned(), facts })
    }

    /// Whether the owner of `domain` is proven to have sent it: DMARC passed for it, or DKIM or SPF for
    /// it, the domain above or one below (relaxed alignment of RFC 7489 §3.1, without the list of public
    /// suffixes: a domain above needs two labels).
    #[must_use]
    pub fn proves(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        let below = |inner: &str, outer: &str| {
            outer.contains('.') && inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'))
        };
        let aligned = |of: &str| domain == of || below(&domain, of) || below(of, &domain);
        self.facts.iter().filter(|fact| fact.result == "pass").any(|fact| match fact.method.as_str() {
            "dmarc" => fact.domain == domain || fact.domain.is_empty(),
            "dkim" | "spf" => aligned(&fact.domain),
            _ => false,
        })
    }
}

impl std::fmt::Display for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, fact) in self.facts.iter().enumerate() {
            let apart = if at == 0 { "" } else { " " };
            write!(f, "{apart}{}={}", fact.method, fact.result)?;
        }
        write!(f, " (by {})", self.by)
    }
}

/// The value without comments, divided at semicolons outside quotes.
fn parts(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0usize, false);
    for c in value.chars() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ';' if !quoted => parts.push(String::new()),
            c => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    parts
}

/// `method[/version]=result` and what it is about.
fn fact(part: &str) -> Option<AuthFact> {
    // white space may stand around the equals sign
    let joined = part.replace(" =", "=").replace("= ", "=");
    let mut words = joined.split_whitespace();
    let (method, result) = words.next()?.split_once('=')?;
    let method = method.split('/').next().unwrap_or(method).to_lowercase();
    let properties: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
    let about = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| properties.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)))
            .map(|p| p.1)
    };
    let domain = match method.as_str() {
        "spf" => about(&["smtp.mailfrom", "smtp.from", "envelope-from", "smtp.helo"]),
        "dkim" => about(&["header.d", "header.i"]),
        "dmarc" => about(&["header.from"]),
        _ => None,
    };
    let domain = domain.map_or("", |domain| domain.rsplit_once('@').map_or(domain, |(_, domain)| domain));
    let kept = |text: &str| super::parse::head(text, MAX_WORD).trim_matches(['<', '>', '.']).to_lowercase();
    Some(AuthFact { method: kept(&method), result: kept(result), domain: kept(domain) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "mx.example.test 1; spf=pass (sender is; 1.2.3.4) smtp.mailfrom=bounce@mail.example.org;\
        dkim=pass header.d=example.org header.s=k reason=\"ok; really\"; dmarc=pass (p=reject) header.from=example.org";

    #[test]
    fn facts_are_read_and_comments_are_not() {
        let read = Authentication::read(GOOD).unwrap();
        assert_eq!(read.to_string(), "spf=pass dkim=pass dmarc=pass (by mx.example.test)");
        assert_eq!(read.facts[0].domain, "mail.example.org");
        assert!(read.proves("example.org") && read.proves("shop.example.org") && !read.proves("example.net"));
        assert!(!read.proves("badexample.org"));
        let none = Authentication::read("mx.example.test; none").unwrap();
        assert!(none.facts.is_empty() && !none.proves("example.org"));
        assert_eq!(Authentication::read(" ; "), None);
    }

    #[test]
    fn what_failed_proves_nothing() {
        let read =
            Authentication::read("mx; dkim=fail header.d=example.org; spf=pass smtp.mailfrom=evil.example")
                .unwrap();
        assert!(!read.proves("example.org"));
    }

    /// Whether a mail from example.org with these fields on top, read by mx.example.test, is proven.
    fn proven(fields: &[&str]) -> bool {
        let fields: String = fields.iter().map(|f| format!("Authentication-Results: {f}\n")).collect();
        let mail = crate::mail::parse(format!("{fields}From: a@example.org\n\nhi\n").as_bytes());
        mail.is_proven(&["mx.example.test".to_owned()])
    }

    #[test]
    fn our_servers_pass_for_the_senders_own_domain_is_proof() {
        for good in [
            "mx.example.test; dkim=pass header.d=example.org; spf=fail smtp.mailfrom=x@elsewhere.example",
            "MX.example.test 1; dmarc=pass (p=reject) header.from=example.org",
            "mx.example.test; spf=pass smtp.mailfrom=bounce@mail.example.org",
        ] {
            assert!(proven(&[good]), "{good}");
        }
    }

    #[test]
    fn only_the_topmost_field_counts_and_only_from_our_server_about_the_senders_domain() {
        let (forged, below) = ("evil.example; dkim=pass header.d=example.org", "mx.example.test; none");
        for bad in [
            &[forged][..],
            &[forged, "mx.example.test; dkim=pass header.d=example.org"],
            &[below, "mx.example.test; dkim=pass header.d=example.org"],
            &["mx.example.test; dkim=pass header.d=evil.example"],
            &["mx.example.test; dkim=pass header.d=org"],
            &["mx.example.test; dkim=fail (dkim=pass header.d=example.org) header.d=example.org"],
            &[
                "mx.example.test; dkim=fail reason=\"x; dkim=pass header.d=example.org\" header.d=evil.example",
            ],
            &[below],
            &[],
        ] {
            assert!(!proven(bad), "{bad:?}");
        }
        let two = crate::mail::parse(
            b"Authentication-Results: mx.example.test; dmarc=pass\nFrom: a@example.org, b@example.net\n\nhi\n",
        );
        assert!(!two.is_proven(&["mx.example.test".to_owned()]), "two senders");
    }
}
