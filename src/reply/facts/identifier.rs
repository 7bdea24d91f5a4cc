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

/// Units behind a number that measures: "640 г".
const UNITS: [&str; 30] = [
    "kg", "g", "km", "m", "cm", "mm", "ml", "l", "mg", "gb", "mb", "mbps", "kwh", "pm", "am", "%", "г", "гр",
    "кг", "км", "м", "см", "мм", "мл", "л", "мг", "шт", "гб", "мбит", "мбіт",
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
    // "12 000" goes on from what stands before, and "17-го" is a day
    let group = |word: &Word<'_>| is_number(word.bare) && word.bare.len() <= 3 && !word.stops;
    let thousands = here.bare.len() == 3 && at.checked_sub(1).and_then(|at| words.get(at)).is_some_and(group);
    let ordinal = here.bare.split_once('-').is_some_and(|(day, ending)| {
        let days = ending.len() <= 2 && is_number(ending);
        let lower = !ending.is_empty() && ending.chars().all(char::is_lowercase);
        day.len() <= 2 && is_number(day) && (lower || days && before_a_month(words, at, lists))
    });
    if thousands || ordinal {
        return None;
    }
    // `448 221 9056`, `JD01 2288 1190`: the same number goes on
    let mut end = at;
    while (is_number(here.bare) || is_coded(here.bare))
        && !words.get(end)?.stops
        && words.get(end + 1).is_some_and(|next| next.bare.len() >= 2 && is_number(next.bare))
    {
        end += 1;
    }
    let lettered = is_lettered(words, at, end, lists);
    // `RR 5520 1187 2 LT`, `AA 3301 MM`
    let pair = |word: &Word<'_>| word.bare.chars().count() == 2 && word.bare.chars().all(char::is_uppercase);
    let single = |word: &Word<'_>| word.bare.len() == 1 && is_number(word.bare) && !word.stops;
    for last in [1, 2] {
        let digit = last == 1 || words.get(end + 1).is_some_and(single);
        if lettered && digit && !words.get(end)?.stops && words.get(end + last).is_some_and(pair) {
            end += last;
            break;
        }
    }
    // `4410 2297 1GB`
    let ends = |word: &Word<'_>| is_coded(word.bare) && word.bare.starts_with(|c: char| c.is_ascii_digit());
    if end > at && !words.get(end)?.stops && words.get(end + 1).is_some_and(ends) {
        end += 1;
    }
    // `PCN 7720981`: the letters before it are a part of it
    let begin = at - usize::from(lettered);
    let parts: Vec<&str> = words.get(begin..=end)?.iter().map(|word| word.bare).collect();
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
    let counts = words.get(end + 1).is_some_and(|next| UNITS.contains(&next.folded.as_str()));
    if (priced || counts) && !words.get(end)?.stops {
        return None;
    }
    for back in 1..=REACH.min(begin) {
        let before = words.get(begin - back)?;
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
            if nouns.is_some_and(|nouns| lexicon::has(&before.folded, nouns))
                && near(words, begin - back, at, &value)
            {
                let from: Vec<&str> = words.get(begin - back..=end)?.iter().map(|word| word.bare).collect();
                return Some(Identifier { slot, value, read_from: from.join(" "), length });
            }
        }
    }
    let signed = here.numbered && digits(&value) >= 3 || lettered;
    (signed || is_code(&value) || is_long(&value)).then(|| Identifier {
        slot: "case",
        read_from: value.clone(),
        value,
        length,
    })
}

/// "14-16 November".
fn before_a_month(words: &[Word<'_>], at: usize, lists: &Lexicon) -> bool {
    words.get(at + 1).is_some_and(|next| lexicon::has(&next.folded, &lists.months))
}

/// Whether a short number stands so near its noun that it is its: not "on the order it showed 268".
fn near(words: &[Word<'_>], noun: usize, at: usize, value: &str) -> bool {
    let between = words.get(noun + 1..at).unwrap_or_default();
    digits(value) > 3 || between.iter().all(|word| word.bare.chars().count() <= 4)
}

fn names_a_number(word: &Word<'_>, lists: &Lexicon) -> bool {
    lists.nouns.values().any(|nouns| lexicon::has(&word.folded, nouns))
}

/// More digits in one word than a telephone number has: a parcel's, a card's.
pub(super) fn is_long(text: &str) -> bool {
    is_number(text) && (13..=22).contains(&text.len())
}

/// Digits alone.
fn is_number(text: &str) -> bool {
    !text.is_empty() && digits(text) == text.len()
}

/// Capital letters and digits in one word, whatever their number: `JD01`, `1GB`.
fn is_coded(text: &str) -> bool {
    digits(text) > 0
        && text.chars().any(char::is_uppercase)
        && text.chars().all(|c| c.is_ascii_digit() || c.is_uppercase())
}

/// Capital letters and digits in one word: `MADIB12345`, `МТ-00912`; or letters between digits: `QX7R2L`.
fn is_code(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    let mixed = first.chars().count() >= 6
        && first.chars().skip_while(|c| !c.is_ascii_digit()).any(char::is_alphabetic)
        && first.starts_with(char::is_alphabetic);
    text.chars().count() >= 5
        && (digits(text) >= 3 || mixed)
        && letters >= 2
        && capitals == letters
        && (!text.contains(' ') || is_coded(first))
}

/// Most letters before a number that are a part of it.
const LETTERS: std::ops::RangeInclusive<usize> = 2..=4;

/// Whether a few capital letters stand before a longer number, in a text that does not shout.
fn is_lettered(words: &[Word<'_>], at: usize, end: usize, lists: &Lexicon) -> bool {
    let capitals = |word: &Word<'_>| word.bare.chars().all(char::is_uppercase);
    let Some(before) = at.checked_sub(1).and_then(|at| words.get(at)) else { return false };
    let counted: usize = words.get(at..=end).into_iter().flatten().map(|word| digits(word.bare)).sum();
    let caps = |word: &Word<'_>| capitals(word) && word.bare.chars().any(char::is_alphabetic);
    let shouts = at.checked_sub(2).and_then(|at| words.get(at)).is_some_and(caps)
        || words.get(end + 1).is_some_and(|word| caps(word) && word.bare.chars().count() > 2);
    let year =
        at == end && counted == 4 && words.get(at).is_some_and(|word| word.bare.starts_with(['1', '2']));
    capitals(before)
        && LETTERS.contains(&before.bare.chars().count())
        && !before.stops
        && !shouts
        && !year
        && counted >= 4
        && !lexicon::has(&before.folded, &lists.currencies)
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
