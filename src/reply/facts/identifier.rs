//! Numbers that name something: orders, contracts, flights, parcels, meters. And telephone numbers,
//! which name somebody.

use super::moment::{is_date, is_time};
use super::word::{Word, digits, is_currency_sign, numeric};
use crate::reply::lexicon::{self, Lexicon};

/// How many words back the noun of a number may stand: "order no. is 4471".
const REACH: usize = 3;

/// Words between a noun and a number that make the number something else: "an order of 120 chairs".
const BREAKS: [&str; 26] = [
    "of", "for", "on", "with", "from", "to", "worth", "over", "and", "de", "por", "para", "con", "y", "на",
    "за", "из", "для", "по", "от", "и", "з", "із", "від", "і", "та",
];

/// Digits of a telephone number.
const TELEPHONE: std::ops::RangeInclusive<usize> = 9..=14;

/// A number that names something.
pub(super) struct Identifier {
    /// The slot: order, invoice, account, case.
    pub(super) slot: &'static str,
    /// As written, parts separated by a space.
    pub(super) value: String,
    /// With the noun it was read behind.
    pub(super) read_from: String,
    /// How many words it takes.
    pub(super) length: usize,
}

/// The identifier that begins at `at`.
pub(super) fn identifier(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<Identifier> {
    let here = words.get(at)?;
    let shaped = |text: &str| {
        let sign = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '_' | '#');
        text.chars().all(sign) && digits(text) >= 2 && (3..=30).contains(&text.chars().count())
    };
    if !shaped(here.bare) || is_date(here.bare) || is_time(here.bare) {
        return None;
    }
    // `448 221 9056`: the same number goes on
    let mut end = at;
    while digits(here.bare) == here.bare.len()
        && !words.get(end)?.stops
        && words.get(end + 1).is_some_and(|next| next.bare.len() >= 2 && digits(next.bare) == next.bare.len())
    {
        end += 1;
    }
    let parts: Vec<&str> = words.get(at..=end)?.iter().map(|word| word.bare).collect();
    // "договор 38 500": thousands are a sum
    let year =
        parts.len() == 1 && here.bare.len() == 4 && ["19", "20"].iter().any(|age| here.bare.starts_with(age));
    let thousands = parts.len() == 2 && parts.iter().all(|part| part.len() <= 3);
    if thousands && parts.last().is_some_and(|part| part.len() == 3) && !here.numbered {
        return None;
    }
    let value = parts.join(" ");
    let length = end - at + 1;
    let priced = words.get(end + 1).is_some_and(|next| {
        !next.folded.is_empty() && next.folded.chars().all(is_currency_sign)
            || lexicon::has(&next.folded, &lists.currencies)
    });
    if priced && !words.get(end)?.stops {
        return None;
    }
    for back in 1..=REACH.min(at) {
        let before = words.get(at - back)?;
        let ends = before.stops && (back > 1 || before.bare.chars().count() > 3);
        // "Booking ref: KX7T2P"
        let colon = back == 1 && before.stops && names_a_number(before, lists);
        // "a customer since 2019"
        if year && back > 1 {
            break;
        }
        if ends && !colon || BREAKS.contains(&before.folded.as_str()) {
            break;
        }
        for slot in ["order", "invoice", "account", "case"] {
            let nouns = lists.nouns.get(slot);
            if nouns.is_some_and(|nouns| lexicon::has(&before.folded, nouns)) {
                let from: Vec<&str> = words.get(at - back..=end)?.iter().map(|word| word.bare).collect();
                return Some(Identifier { slot, value, read_from: from.join(" "), length });
            }
        }
    }
    let signed = here.numbered && digits(&value) >= 3;
    (signed || is_code(&value)).then(|| Identifier { slot: "case", read_from: value.clone(), value, length })
}

fn names_a_number(word: &Word<'_>, lists: &Lexicon) -> bool {
    lists.nouns.values().any(|nouns| lexicon::has(&word.folded, nouns))
}

/// Capital letters and digits in one word: `MADIB12345`, `МТ-00912`.
fn is_code(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    text.chars().count() >= 5
        && digits(text) >= 3
        && letters >= 2
        && capitals == letters
        && !text.contains(' ')
}

/// How many words a telephone number takes that begins at `at`; 0 when there is none.
pub(super) fn telephone(words: &[Word<'_>], at: usize) -> usize {
    let Some(here) = words.get(at) else { return 0 };
    let part = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '(' | ')' | '.'))
    };
    if !part(here.bare) || numeric(here.bare) && here.bare.contains([',', '.']) || is_date(here.bare) {
        return 0;
    }
    let (mut count, mut length) = (0, 0);
    for word in words.get(at..).unwrap_or_default() {
        if !part(word.bare) || count + digits(word.bare) > *TELEPHONE.end() {
            break;
        }
        count += digits(word.bare);
        length += 1;
        if word.stops && !word.bare.ends_with(')') && count >= *TELEPHONE.start() {
            break;
        }
    }
    let begins =
        here.plus || here.bare.starts_with(['0', '8', '6', '7']) || here.bare.contains('-') || length > 2;
    if TELEPHONE.contains(&count) && begins { length } else { 0 }
}
