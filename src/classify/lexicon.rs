//! Concepts: what words and phrases of four languages have in common, as features.

mod compile;
mod find;
mod mask;
mod phrases;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::mask::Masks;
use self::phrases::Phrases;
use super::lists::Lists;
use super::table::KeyIndex;
use crate::mail::Language;

pub use find::{Finder, Hit, Readings};

/// The lexicon as shipped: one TOML table a concept.
const SHIPPED: [&str; 11] = [
    include_str!("../../data/lexicon/conflict.toml"),
    include_str!("../../data/lexicon/trouble.toml"),
    include_str!("../../data/lexicon/money.toml"),
    include_str!("../../data/lexicon/people.toml"),
    include_str!("../../data/lexicon/speech.toml"),
    include_str!("../../data/lexicon/machine.toml"),
    include_str!("../../data/lexicon/finer.toml"),
    include_str!("../../data/lexicon/pressure.toml"),
    include_str!("../../data/lexicon/words.toml"),
    include_str!("../../data/lexicon/actions.toml"),
    include_str!("../../data/lexicon/things.toml"),
];

/// A lexicon that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LexiconError {
    /// Not the TOML of a lexicon.
    #[error("lexicon: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A pattern that is none.
    #[error("lexicon: concept {concept}: pattern {pattern:?} {problem}")]
    Pattern {
        /// The concept it stands in.
        concept: String,
        /// The pattern.
        pattern: String,
        /// What is wrong, and what to write instead.
        problem: &'static str,
    },
    /// More concepts than a model can hold.
    #[error("lexicon: {0} concepts, at most {max}: merge some", max = Lexicon::MAX_CONCEPTS)]
    TooMany(usize),
}

/// A concept as written: patterns by language, separated by commas or line breaks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    /// What it means, for people.
    about: String,
    en: String,
    es: String,
    ru: String,
    uk: String,
    /// For all languages.
    any: String,
    /// Meanings: a line each, `en | es | ru | uk`, named after the first English pattern.
    table: String,
    /// Whether its words are searched for behind `*`, digits and spaces.
    masked: bool,
}

/// Concepts with their patterns, compiled. A pattern is a word, a `stem*`, or several of them in a
/// row; `_` stands for any one word, `..` for up to three.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    source: String,
    names: Vec<String>,
    keys: Vec<u64>,
    /// The concepts each word or stem stands for alone, with the languages in which it does.
    alone: Lists<(u16, u8)>,
    phrases: Phrases,
    index: KeyIndex,
    stem_lengths: u64,
    first_meaning: u16,
    masks: Masks,
}

impl Lexicon {
    /// Most concepts in a lexicon.
    pub const MAX_CONCEPTS: usize = 4_000;

    /// The lexicon that comes with the program.
    ///
    /// # Errors
    /// When the shipped files are broken, which a test excludes.
    pub fn shipped() -> Result<Self, LexiconError> {
        Self::parse(&SHIPPED.join("\n"))
    }

    /// Compiles a lexicon from TOML.
    ///
    /// # Errors
    /// When it is no TOML, has an unknown key, or a pattern that is none.
    pub fn parse(source: &str) -> Result<Self, LexiconError> {
        let entries: BTreeMap<String, Entry> = toml::from_str(source).map_err(Box::new)?;
        let lexicon = compile::compile(source, &entries)?;
        let concepts = lexicon.names.len();
        if concepts > Self::MAX_CONCEPTS { Err(LexiconError::TooMany(concepts)) } else { Ok(lexicon) }
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of the concepts, in order of their numbers.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a concept.
    #[must_use]
    pub fn name(&self, concept: u16) -> &str {
        self.names.get(usize::from(concept)).map_or("", String::as_str)
    }

    /// The feature key of a concept: that of its name, so that numbers may change.
    #[must_use]
    pub fn key(&self, concept: u16) -> u64 {
        self.keys.get(usize::from(concept)).copied().unwrap_or_default()
    }

    /// Whether a concept is a meaning: one word in four languages, from a table.
    #[must_use]
    pub fn is_meaning(&self, concept: u16) -> bool {
        concept >= self.first_meaning
    }

    /// The swear word behind a disguised one, `None` when there is none.
    #[must_use]
    pub fn unmask(&self, word: &str) -> Option<String> {
        self.masks.unmask(word)
    }

    /// The swear word that was cut by what may be punctuation (`д.бил`, with `*` for it), its last
    /// piece beginning at the character `cut`; `None` when in doubt.
    #[must_use]
    pub fn unmask_across(&self, word: &str, cut: usize) -> Option<String> {
        self.masks.unmask_across(word, cut)
    }

    /// Whether `word` is one of those that are written in disguise.
    #[must_use]
    pub fn is_masked_word(&self, word: &str) -> bool {
        self.masks.has(word)
    }

    /// `text` for colleagues who need not read every insult: of words that are written in disguise, openly
    /// or not, only the first letter stays.
    #[must_use]
    pub fn veiled(&self, text: &str) -> String {
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '*' | '#' | '\'' | '’');
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let plain: String = word.to_lowercase().chars().map(|c| if c == 'ё' { 'е' } else { c }).collect();
            if self.masks.has(&plain) {
                let letters = word.chars().count().saturating_sub(1);
                shown.extend(word.chars().next());
                shown.extend(std::iter::repeat_n('*', letters));
            } else {
                shown.push_str(word);
            }
            let between = after.find(in_word).unwrap_or(after.len());
            let (gap, next) = after.split_at(between);
            shown.push_str(gap);
            rest = next;
        }
        shown
    }
}

/// The languages whose patterns apply to a mail in `language`, as bits: neighbours that mix count.
const fn spoken(language: Language) -> u8 {
    match language {
        Language::En => EN,
        Language::Es => ES,
        Language::Ru | Language::Uk => RU | UK,
        Language::Other => EN | ES | RU | UK,
    }
}

const EN: u8 = 1;
const ES: u8 = 2;
const RU: u8 = 4;
const UK: u8 = 8;

#[cfg(test)]
mod tests {
    use super::super::text::Text;
    use super::*;
    use crate::mail::Mail;

    const SMALL: &str = r#"
[court]
en = "court, small claims, see you in court"
ru = "суд*"
[deadline]
en = "by friday, within _ days, or .. else"
[swearing]
en = "fuck*, shit"
masked = true
"#;

    fn hits(body: &str, language: Language) -> Vec<String> {
        let lexicon = Lexicon::parse(SMALL).unwrap();
        let mail = Mail { new_text: body.to_owned(), language, ..Mail::default() };
        let (mut text, mut finder) = (Text::default(), Finder::default());
        text.read(&mail, &lexicon);
        let mut all = vec![];
        for sentence in text.sentences() {
            all.extend(
                finder.find(&lexicon, &text, sentence).iter().map(|hit| lexicon.name(hit.concept).to_owned()),
            );
        }
        all
    }

    #[test]
    fn insults_are_veiled_in_four_languages_and_nothing_else_is() {
        let lexicon = Lexicon::shipped().unwrap();
        for (text, shown) in [
            ("You IDIOTS, order 88213 is lost!", "You I*****, order 88213 is lost!"),
            ("Son unos gilipollas, quiero mi dinero.", "Son unos g*********, quiero mi dinero."),
            ("Вы д*билы, верните 500 грн", "Вы д*****, верните 500 грн"),
            ("Ви мудаки, поверніть гроші", "Ви м*****, поверніть гроші"),
            (
                "If it is not back by Friday, my lawyer writes.",
                "If it is not back by Friday, my lawyer writes.",
            ),
        ] {
            assert_eq!(lexicon.veiled(text), shown);
        }
    }

    #[test]
    fn words_stems_phrases_and_gaps_are_found_in_their_language() {
        assert_eq!(
            hits("Pay within 14 days or see you in court", Language::En),
            ["deadline", "court", "court"]
        );
        assert_eq!(hits("or we do something else", Language::En), ["deadline"]);
        assert_eq!(hits("or we will have to do something else", Language::En), [""; 0]);
        assert_eq!(hits("увидимся в суде", Language::Uk), ["court"]);
        assert_eq!(hits("court", Language::Es), [""; 0]);
    }

    #[test]
    fn disguises_are_seen_through_but_not_invented() {
        let lexicon = Lexicon::parse(SMALL).unwrap();
        assert_eq!(lexicon.unmask("f*cking").as_deref(), Some("fucking"));
        assert_eq!(lexicon.unmask("f***").as_deref(), Some("fuck"));
        assert_eq!(lexicon.unmask("s**t").as_deref(), Some("shit"));
        assert_eq!(lexicon.unmask("s*"), None);
        assert_eq!(lexicon.unmask("shot"), None);
    }

    #[test]
    fn a_bad_pattern_is_named_with_its_concept() {
        let error = Lexicon::parse("[x]\nen = \"a*b\"").unwrap_err().to_string();
        assert!(error.contains("concept x") && error.contains("a*b"), "{error}");
        assert!(Lexicon::parse("[x]\nfr = \"oui\"").is_err());
    }

    #[test]
    fn the_shipped_lexicon_speaks_four_languages_in_each_concept() {
        let entries: BTreeMap<String, Entry> = toml::from_str(&SHIPPED.join("\n")).unwrap();
        for (name, entry) in entries {
            let empty = [&entry.en, &entry.es, &entry.ru, &entry.uk]
                .iter()
                .filter(|text| text.trim().is_empty())
                .count();
            let alone = !entry.any.is_empty() || !entry.table.is_empty();
            assert!(empty == 0 || (empty == 4 && alone), "{name} lacks a language");
        }
    }
}
