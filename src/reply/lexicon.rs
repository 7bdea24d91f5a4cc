//! The word lists of one language: what the guard refuses and what the facts are read by.
//! They are data, `data/phrases/<language>.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::mail::Language;

/// Word lists. A phrase matches at the beginning of a word, and up to the end of a word unless it
/// ends with `*`. All are written in lower case, `ё` as `е`, with a straight apostrophe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lexicon {
    /// Phrases that say nothing: "we apologise for any inconvenience".
    pub stock: Vec<String>,
    /// Phrases that accuse or belittle: "calm down".
    pub accusing: Vec<String>,
    /// Admissions of cause or fault before a diagnosis.
    pub admissions: Vec<String>,
    /// Promises of money.
    pub money: Vec<String>,
    /// Talking somebody out of suing, or arguing about it.
    pub dissuading: Vec<String>,
    /// Words that send somebody to a contract or an FAQ.
    pub pointing: Vec<String>,
    /// Words that guess a gender, of the customer or of who answers.
    pub gendered: Vec<String>,
    /// Words that say what happens next.
    pub next: Vec<String>,
    /// Function words that tell this language from its neighbours.
    pub markers: Vec<String>,
    /// Insults and contempt; a sentence with one is never quoted.
    pub insults: Vec<String>,
    /// Courting; a sentence with one is never quoted.
    pub courting: Vec<String>,
    /// Threats; a sentence with one is never quoted.
    pub threats: Vec<String>,
    /// First words of a greeting line.
    pub greetings: Vec<String>,
    /// Words of a closing line, before a name.
    pub valedictions: Vec<String>,
    /// First names in full and as people sign them.
    pub names: Vec<String>,
    /// Words that make a sender something else than one person.
    pub not_a_person: Vec<String>,
    /// Nouns before a number, by the slot they fill: order, invoice, account, case.
    pub nouns: BTreeMap<String, Vec<String>>,
    /// Currency words and signs.
    pub currencies: Vec<String>,
    /// Names of months and days of the week.
    pub calendar: Vec<String>,
    /// Words before a deadline: "until", "by".
    pub deadlines: Vec<String>,
    /// Words that say something was tried.
    pub tried: Vec<String>,
    /// Words that say what result is wanted.
    pub wishes: Vec<String>,
    /// Devices and programs.
    pub devices: Vec<String>,
    /// "the third time", as it may be repeated in an answer, by how it is written.
    pub counts: BTreeMap<String, String>,
    /// Words that carry the matter, by label.
    pub cues: BTreeMap<String, Vec<String>>,
}

static EN: LazyLock<Lexicon> = LazyLock::new(|| read(include_str!("../../data/phrases/en.toml")));
static ES: LazyLock<Lexicon> = LazyLock::new(|| read(include_str!("../../data/phrases/es.toml")));
static RU: LazyLock<Lexicon> = LazyLock::new(|| read(include_str!("../../data/phrases/ru.toml")));
static UK: LazyLock<Lexicon> = LazyLock::new(|| read(include_str!("../../data/phrases/uk.toml")));
static NONE: LazyLock<Lexicon> = LazyLock::new(Lexicon::default);

/// The shipped file parses: a test holds it. An empty list is still a list.
fn read(text: &str) -> Lexicon {
    let mut lists: Lexicon = toml::from_str(text).unwrap_or_default();
    lists.names.sort_unstable();
    lists
}

/// The word lists of a language; empty for one we do not speak.
#[must_use]
pub fn of(language: Language) -> &'static Lexicon {
    match language {
        Language::En => &EN,
        Language::Es => &ES,
        Language::Ru => &RU,
        Language::Uk => &UK,
        Language::Other => &NONE,
    }
}

/// Lower case, one space between words, `ё` as `е`, a straight apostrophe, plain quotes.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ё' => out.push('е'),
            '’' | 'ʼ' | '‘' | '`' | '´' => out.push('\''),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether the folded text contains the phrase as whole words.
#[must_use]
pub fn contains(folded: &str, phrase: &str) -> bool {
    let (bare, open) = phrase.strip_suffix('*').map_or((phrase, false), |bare| (bare, true));
    if bare.is_empty() {
        return false;
    }
    let letter = |c: char| c.is_alphanumeric();
    let starts_with_letter = bare.starts_with(letter);
    let ends_with_letter = bare.ends_with(letter);
    folded.match_indices(bare).any(|(at, found)| {
        let before = folded.get(..at).and_then(|text| text.chars().next_back());
        let after = folded.get(at + found.len()..).and_then(|text| text.chars().next());
        !(starts_with_letter && before.is_some_and(letter))
            && (open || !(ends_with_letter && after.is_some_and(letter)))
    })
}

/// The first phrase of the list that the folded text contains.
#[must_use]
pub fn first<'a>(folded: &str, phrases: &'a [String]) -> Option<&'a str> {
    phrases.iter().find(|phrase| contains(folded, phrase)).map(String::as_str)
}

/// How many phrases of the list the folded text contains.
#[must_use]
pub fn hits(folded: &str, phrases: &[String]) -> usize {
    phrases.iter().filter(|phrase| contains(folded, phrase)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_lists_parse_and_are_long_enough() {
        for (name, text) in [
            ("en", include_str!("../../data/phrases/en.toml")),
            ("es", include_str!("../../data/phrases/es.toml")),
            ("ru", include_str!("../../data/phrases/ru.toml")),
            ("uk", include_str!("../../data/phrases/uk.toml")),
        ] {
            let lists: Lexicon = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(lists.stock.len() + lists.accusing.len() >= 120, "{name}");
            for list in [&lists.stock, &lists.accusing, &lists.admissions, &lists.money, &lists.insults] {
                for phrase in list {
                    assert_eq!(&fold(phrase), phrase, "{name}: written as it is compared");
                }
            }
        }
    }

    #[test]
    fn a_phrase_matches_whole_words_only_unless_it_is_open() {
        assert!(contains("please calm down now", "calm down"));
        assert!(!contains("recalm downs", "calm down"));
        assert!(contains("downstairs", "down*"));
        assert!(contains("у нього 100 ₴ лишилось", "₴"));
    }
}
