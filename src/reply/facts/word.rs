//! The words of a mail as numbers are read from them.

use crate::reply::lexicon;

/// One word.
pub(super) struct Word<'a> {
    /// Without punctuation around it.
    pub(super) bare: &'a str,
    /// Folded, with inner punctuation.
    pub(super) folded: String,
    /// Whether a sentence or clause ends behind it.
    pub(super) stops: bool,
    /// Whether a sign for "number" stands before it: `№`, `#`.
    pub(super) numbered: bool,
    /// Whether it is written as a telephone number begins: `+380`.
    pub(super) plus: bool,
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    text.split_whitespace().map(word).collect()
}

fn word(raw: &str) -> Word<'_> {
    let bare = raw.trim_matches(|c: char| !c.is_alphanumeric() && !is_currency_sign(c));
    Word {
        bare,
        folded: lexicon::fold(bare),
        stops: raw.ends_with(['.', '!', '?', ';', ',', ')', ':']),
        numbered: raw.starts_with(['№', '#']),
        plus: raw.trim_start_matches('(').starts_with('+'),
    }
}

pub(super) fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '₴' | '₽' | '¥' | '₹' | '₸')
}

/// Digits, perhaps with separators: `6`, `1.118,40`.
pub(super) fn numeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\''))
}

/// How many digits a text has.
pub(super) fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}
