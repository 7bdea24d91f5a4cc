//! Where the earlier mail begins: attributions, header blocks, forward marks, ticket marks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::lines::{bare, is_quoted, is_rule};
use super::words::{self, Starts, any};

/// How the earlier mail begins.
pub(super) enum Opening {
    /// A line (or several, when wrapped) such as `On … wrote:`, followed by marked quotes.
    Attribution(usize),
    /// From here on everything is earlier mail; the first `header` lines only introduce it.
    History { header: usize, forward: bool },
}

/// Lines over which a client wraps an attribution.
const MAX_WRAP: usize = 4;
/// Longest attribution in bytes.
const MAX_ATTRIBUTION: usize = 400;
/// Longest line with a mark in bytes.
const MAX_MARK: usize = 200;

/// What `line` opens, if anything, with the lines `after` it. `answered`: new text stands above.
pub(super) fn opening(line: &str, after: &[&str], answered: bool) -> Option<Opening> {
    let first = bare(line);
    let rule = is_rule(line);
    if first.is_empty() && !rule {
        return None;
    }
    let quoted = is_quoted(line);
    if !quoted && first.len() < MAX_MARK && is_ticket_mark(first) {
        // the customer answers above the mark; with nothing there, the mark is only a line
        let history = Opening::History { header: 1, forward: false };
        return Some(if answered { history } else { Opening::Attribution(1) });
    }
    if let Some(forward) = mail_mark(first) {
        let header = 1 + header_block(None, after, 1).unwrap_or(0);
        return Some(Opening::History { header, forward });
    }
    let block = if rule { header_block(None, after, 2) } else { header_block(Some(line), after, 3) };
    if let Some(length) = block {
        return Some(Opening::History { header: usize::from(rule) + length, forward: false });
    }
    if rule || quoted {
        return None;
    }
    let length = attribution_length(line, after, MAX_WRAP)?;
    let next = after.iter().skip(length - 1).find(|line| !line.trim().is_empty());
    Some(match next {
        Some(next) if is_quoted(next) => Opening::Attribution(length),
        _ => Opening::History { header: length, forward: false },
    })
}

/// How many lines, of at most `wrap`, the attribution takes that begins on `first`.
fn attribution_length(first: &str, after: &[&str], wrap: usize) -> Option<usize> {
    let line = |count: usize| {
        let line = if count == 0 { Some(&first) } else { after.get(count - 1) };
        line.map(|line| bare(line).trim_matches(['-', ' '])).filter(|line| !line.is_empty())
    };
    let below = |count: usize| after.get(count..).unwrap_or_default();
    let next = |count: usize| below(count).iter().find(|l| !l.trim().is_empty());
    if is_date_line(line(0)?) && next(0).is_some() {
        return Some(1);
    }
    let ends = |line: &str| line.ends_with([':', '：']) || ends_with_verb(line);
    let last = (0..wrap).map_while(line).position(ends)?;
    if last > 0 && !opens_attribution(line(0)?) {
        return None;
    }
    // one that begins further down is not wrapped: the text above it is new
    let begins = |count: usize| {
        line(count).is_some_and(|line| {
            starts_with(line, &words::STARTS_ATTRIBUTION)
                && attribution_length(line, below(count), wrap - count).is_some()
        })
    };
    if (1..=last).any(begins) {
        return None;
    }
    let joined = (0..=last).filter_map(line).collect::<Vec<_>>().join(" ");
    let quote_follows = next(last).is_some_and(|l| is_quoted(l));
    (joined.len() <= MAX_ATTRIBUTION && is_attribution(&joined, quote_follows)).then_some(last + 1)
}

fn starts_with(line: &str, starts: &Starts) -> bool {
    starts.of(crate::mail::parse::head(line, 40))
}

/// Whether a wrapped attribution may begin so.
fn opens_attribution(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit() || c == '"')
        || starts_with(line, &words::STARTS_ATTRIBUTION)
        || starts_with(line, &words::STARTS_WITH_DAY)
        || has_address(line)
}

/// `a@b.c`, but not `@nick`.
fn has_address(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        word.split_once('@').is_some_and(|(local, domain)| {
            local.ends_with(|c: char| c.is_alphanumeric()) && domain.contains('.')
        })
    })
}

fn ends_with_verb(line: &str) -> bool {
    words::ENDS_ATTRIBUTION.of(line.trim_end_matches([' ', '.', '-']))
}

fn is_attribution(text: &str, quote_follows: bool) -> bool {
    let lower = text.to_lowercase();
    let told = any(words::WROTE, |verb| lower.contains(verb));
    let addressed = has_address(&lower);
    let dated = has_time(&lower) || has_date(&lower);
    // "On 3 March your colleague wrote:" is a customer's sentence: without a quote below, an
    // attribution has an address, or day and time
    // Google leaves the verb out in Russian: `пн, 3 мар. 2025 г. в 10:12, Анна <a@example.org>:`
    let timed = has_time(&lower) && (has_date(&lower) || opens_attribution(text));
    (told && (addressed || timed || quote_follows))
        || (addressed && dated && opens_attribution(text))
        || (quote_follows && (addressed || dated) && text.len() < 120)
}

/// Gmail's short form: `2016-03-03 17:21 GMT+01:00 Some One`, `2013/7/20 some <one@example.org>`.
fn is_date_line(line: &str) -> bool {
    let dated = matches!(line.as_bytes(), [b'1' | b'2', b, c, d, b'-' | b'/', ..]
        if b.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit());
    dated && line.len() < 120 && (line.contains("GMT") || line.contains('<')) && has_date(line)
}

/// `10:12`
fn has_time(text: &str) -> bool {
    text.as_bytes().windows(4).any(
        |w| matches!(w, [a, b':', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit()),
    )
}

/// A year of this age, or a date in figures.
fn has_date(text: &str) -> bool {
    let is_year = |n: &str| n.len() == 4 && (n.starts_with("19") || n.starts_with("20"));
    let is_short = |n: &&str| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    text.split(|c: char| !c.is_ascii_digit()).any(is_year)
        || text.split_whitespace().any(|word| {
            let word = word.trim_matches([',', '.', ';', ':']);
            word.split(['.', '/', '-']).filter(is_short).count() >= 3
        })
}

/// A mark set by a ticket system above the mail it sends.
fn is_ticket_mark(line: &str) -> bool {
    if !words::HAS_ABOVE.as_ref().is_some_and(|above| above.is_match(line)) {
        return false;
    }
    let lower = line.to_lowercase();
    any(words::ABOVE_THIS_LINE, |mark| lower.contains(mark))
        && any(words::ASKS_FOR_REPLY, |ask| lower.contains(ask))
}

/// Whether the line says that a mail follows; `true` when it is a forwarded one.
fn mail_mark(line: &str) -> Option<bool> {
    let ruled = line.starts_with("--") || line.starts_with("==");
    let alone = ruled || line.ends_with(':') || line.ends_with("--");
    // Yahoo runs the mark and all header fields into one line
    if !alone || (line.len() > MAX_MARK && !ruled) {
        return None;
    }
    let lower = crate::mail::parse::head(line, MAX_MARK).to_lowercase();
    let inner = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let ends = |rest: &str| rest.is_empty() || (ruled && !rest.starts_with(char::is_alphanumeric));
    if words::STARTS_FORWARD.any(inner, ends) {
        return Some(true);
    }
    words::STARTS_ORIGINAL.any(inner, ends).then_some(false)
}

/// Fields that a header block may repeat.
const MAX_REPEATS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    From,
    Date,
    To,
    Subject,
    Other,
}

/// Lines of the header block that begins here (Outlook's way to quote), if it has `enough` kinds of
/// fields; a field may be wrapped, and HTML leaves empty lines between fields.
fn header_block(first: Option<&str>, after: &[&str], enough: usize) -> Option<usize> {
    let lines = || first.into_iter().chain(after.iter().copied());
    lines().take(4).map(bare).find(|line| !line.is_empty()).and_then(field)?;
    let mut seen: Vec<Field> = Vec::new();
    let (mut end, mut stray, mut repeats) = (0, 0, 0);
    let mut lines = lines().take(24).map(bare).enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if let Some(field) = field(line) {
            if seen.contains(&field) {
                repeats += 1;
            } else {
                seen.push(field);
            }
            // lines like these again and again are no block
            if repeats > MAX_REPEATS {
                break;
            }
            end = at + 1;
            stray = 0;
            continue;
        }
        // an empty line behind the fields ends the block
        let ends =
            line.is_empty() && seen.len() >= 3 && lines.peek().is_none_or(|next| field(next.1).is_none());
        stray += 1;
        if ends || stray > 2 {
            break;
        }
    }
    let kinds = seen.iter().filter(|field| **field != Field::Other).count();
    (kinds >= enough && (seen.contains(&Field::From) || enough < 2)).then_some(end)
}

/// The header field on this line, which is [`bare`].
fn field(line: &str) -> Option<Field> {
    let (name, _) = crate::mail::parse::split_at_colon(line)?;
    if name.len() > 40 {
        return None;
    }
    let name = name.trim_matches(['*', ' ', '\t', '\u{a0}']).to_lowercase();
    FIELDS.get(name.as_str()).copied()
}

static FIELDS: LazyLock<BTreeMap<&str, Field>> = LazyLock::new(|| {
    let fields = [
        (Field::Other, words::OTHER_FIELD),
        (Field::Subject, words::SUBJECT),
        (Field::To, words::TO),
        (Field::Date, words::DATE),
        (Field::From, words::FROM),
    ];
    // of a name that means two fields the one that comes first in a block counts
    fields.into_iter().flat_map(|(field, names)| names.split('|').map(move |name| (name, field))).collect()
});
