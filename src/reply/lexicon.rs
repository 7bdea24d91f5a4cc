//! The word lists of one language: what the guard refuses and what the facts are read by.
//! They are data, `data/phrases/<language>.toml`.

mod phrases;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub use phrases::Phrases;
use serde::Deserialize;

use crate::mail::{Language, Mail};

/// Word lists. A phrase matches at the beginning of a word, and up to the end of a word unless it
/// ends with `*`. All are written in lower case, `ё` as `е`, with a straight apostrophe.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lexicon {
    /// Phrases that say nothing: "we apologise for any inconvenience".
    pub stock: Phrases,
    /// Phrases that accuse or belittle: "calm down".
    pub accusing: Phrases,
    /// Admissions of cause or fault before a diagnosis.
    pub admissions: Phrases,
    /// Promises of money.
    pub money: Phrases,
    /// Talking somebody out of suing, or arguing about it.
    pub dissuading: Phrases,
    /// Words that send somebody to a contract or an FAQ.
    pub pointing: Phrases,
    /// Words that guess a gender, of the customer or of who answers.
    pub gendered: Phrases,
    /// Words that say what happens next.
    pub next: Phrases,
    /// Function words that tell this language from its neighbours.
    pub markers: Phrases,
    /// Insults and contempt; a sentence with one is never quoted.
    pub insults: Phrases,
    /// Words of a sentence about oneself: "I'm".
    pub oneself: Phrases,
    /// Words of a sentence about us: "you", "your".
    pub you: Phrases,
    /// Courting; a sentence with one is never quoted.
    pub courting: Phrases,
    /// Threats; a sentence with one is never quoted.
    pub threats: Phrases,
    /// First words of a greeting line.
    pub greetings: Phrases,
    /// Words that join a sentence to the one before; the longest first.
    pub openers: Vec<String>,
    /// Words of a closing line, before a name.
    pub valedictions: Vec<String>,
    /// First names in full and as people sign them.
    pub names: Vec<String>,
    /// Endings of surnames that few names have.
    pub surnames: Vec<String>,
    /// Words that make a sender something else than one person.
    pub not_a_person: Phrases,
    /// Nouns before a number, by the slot they fill: order, invoice, account, case.
    pub nouns: BTreeMap<String, Phrases>,
    /// Currency words and signs.
    pub currencies: Phrases,
    /// Names of months and days of the week.
    pub calendar: Phrases,
    /// Parts of the day, which are a deadline only behind a number.
    pub parts_of_day: Phrases,
    /// Words that say when: "today", "since".
    pub moments: Phrases,
    /// Units of time: "days".
    pub spans: Phrases,
    /// Numbers as words, before a unit of time.
    pub numerals: Phrases,
    /// Words beside a number that make it a sum of money: "paid", "per month".
    pub sums: Phrases,
    /// Words before a number that make it part of an address: "flat", "room".
    pub places: Phrases,
    /// Words before a deadline: "until", "by".
    pub deadlines: Phrases,
    /// Words that say something was tried.
    pub tried: Phrases,
    /// Words that say what result is wanted.
    pub wishes: Phrases,
    /// Words that make a wish into none.
    pub denials: Phrases,
    /// First words of a sentence that asks for something to be done: "remove", "fix".
    pub imperatives: Phrases,
    /// Words that only thank.
    pub thanks: Phrases,
    /// Words that ask for an answer without a question mark: "please let me know".
    pub requests: Phrases,
    /// Words that make a question into none: "seriously?", "who does that?".
    pub rhetoric: Phrases,
    /// First words of a sentence that leans on the one before: "it", "that".
    pub hanging: BTreeSet<String>,
    /// Words of four letters and more that carry nothing.
    pub small: Phrases,
    /// Words that dispute a price, in difference to asking for it.
    pub disputes: Phrases,
    /// Those among them that in a question only ask: "is there a discount?"
    pub bargains: Phrases,
    /// Earlier terms, and what is to be free or as before: "waive", "the old rate".
    pub terms: Phrases,
    /// Who agreed to earlier terms: "your colleague", "the other branch".
    pub parties: Phrases,
    /// Words of which one says that somebody's health or safety may be at stake: "smoke".
    pub dangers: Phrases,
    /// Words of which two in one sentence say it, or one beside somebody vulnerable: "medicine".
    pub alarms: Phrases,
    /// Who needs more care than others: "baby", "elderly".
    pub vulnerable: Phrases,
    /// Words of a clause that asks for something to be done: "please", "I would like".
    pub asking: Phrases,
    /// "or", between two things asked for.
    pub conjunctions: Vec<String>,
    /// Words that tell of earlier calls and letters: "I rang".
    pub contacted: Phrases,
    /// Ways of paying.
    pub payments: Phrases,
    /// Words before somebody's name: "Dr", "called".
    pub titles: Phrases,
    /// Words before a telephone number.
    pub phones: Phrases,
    /// Words of a street, before or behind its name.
    pub streets: Phrases,
    /// Names of months.
    pub months: Phrases,
    /// Words of who is in no hurry: "not urgent".
    pub unhurried: Phrases,
    /// Words of a threat that say what will follow, and when: "if", "will".
    pub conditions: Phrases,
    /// Words of a day gone by, which is no deadline.
    pub past: Phrases,
    /// Words of a concession or an apology: "I know you are busy".
    pub asides: Phrases,
    /// Words before what somebody else said: "told me".
    pub saying: Phrases,
    /// Imperatives that are written as a past is: "put".
    pub past_alike: BTreeSet<String>,
    /// Endings of verbs, in languages where a sentence has one; a list without any is not asked.
    pub verbs: Vec<String>,
    /// Words that suggest something beyond doubt: "it would be so useful".
    pub suggestions: Phrases,
    /// Those of a sentence that takes back what was said before it: "but".
    pub buts: Vec<String>,
    /// First words of business behind something else: "and by the way".
    pub turns: Vec<String>,
    /// Words behind which something is refused: "not", "instead of".
    pub refusals: Vec<String>,
    /// Short words that a stop follows without an end, whatever comes next: "Mr".
    pub abbreviations: BTreeSet<String>,
    /// Those that a stop follows without an end where a number comes next; any other may end a sentence:
    /// "за 3 дня. 16-го сказали".
    pub numbered: BTreeSet<String>,
    /// Those that a stop follows without an end where no capital comes next: "p.m".
    pub shortened: BTreeSet<String>,
    /// Last words of thanks for what was done, whatever went wrong before it: "you saved us".
    pub gratitude: Phrases,
    /// Thanks for what has not been done yet, and what only sounds like thanks: "in advance".
    pub advance: Phrases,
    /// Words of a mail that was sent to many, or by a machine: "unsubscribe".
    pub mass: Phrases,
    /// Words of what was promised or planned: a day behind them is no deadline of the customer's.
    pub promised: Phrases,
    /// Words that make "I need" a reason and no request: "I need it for".
    pub reasons: Phrases,
    /// Words of a mail that something is attached, whether it is or not.
    pub attached: Phrases,
    /// Words before "the third time" that make it a count of the matter: "for", "already".
    pub repeated: Phrases,
    /// Words of a clause that tells what its writer did, has or is: "I bought", "I live".
    pub scenes: Phrases,
    /// Words that join a clause to the one before it: "and".
    pub joints: Vec<String>,
    /// Those of them behind which a clause may stand as a sentence of its own: "but".
    pub tails: Vec<String>,
    /// Beginnings of a sentence that leans on nothing, though its first word would: "it's been".
    pub standing: Vec<String>,
    /// Endings of a first word that orders something to be done, where a language has them.
    pub commands: Vec<String>,
    /// Words of which one says that something is not as it should be: "never".
    pub negations: Phrases,
    /// Words that set off what went wrong from what came before: "but", "since then".
    pub contrasts: Vec<String>,
    /// Words that say by when something is wanted.
    pub soon: Phrases,
    /// Nouns before a number as they may stand in an answer, in the nominative.
    pub number_nouns: Phrases,
    /// Words of a subject that say nothing of the matter: "question", "urgent".
    pub vague: Phrases,
    /// Devices and programs.
    pub devices: Phrases,
    /// "the third time", as it may be repeated in an answer, by how it is written.
    pub counts: BTreeMap<String, String>,
    /// Words that carry the matter, by label.
    pub cues: BTreeMap<String, Phrases>,
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
    starts(folded).any(|at| folded.get(at..).is_some_and(|rest| begins(rest, phrase)))
}

/// Whether the folded text begins with the phrase.
#[must_use]
pub fn first_words(folded: &str, phrase: &str) -> bool {
    begins(folded, phrase)
}

/// The first phrase of the list that the folded text contains.
#[must_use]
pub fn first<'a>(folded: &str, phrases: &'a Phrases) -> Option<&'a str> {
    phrases.found(folded).into_iter().next().and_then(|at| phrases.all.get(at)).map(String::as_str)
}

/// Whether the folded text contains a phrase of the list: cheaper than [`first`].
#[must_use]
pub fn has(folded: &str, phrases: &Phrases) -> bool {
    starts(folded).filter_map(|at| folded.get(at..)).any(|rest| phrases.at(rest).next().is_some())
}

/// Whether subject or new text of a mail contains a phrase of the list.
#[must_use]
pub fn stands(mail: &Mail, phrases: &Phrases) -> bool {
    [&mail.subject, &mail.new_text].into_iter().any(|text| has(&fold(text), phrases))
}

/// How many phrases of the list subject and new text of a mail contain.
#[must_use]
pub fn hits_of(mail: &Mail, phrases: &Phrases) -> usize {
    hits(&fold(&format!("{}\n{}", mail.subject, mail.new_text)), phrases)
}

/// Whether the folded text contains a phrase of the list that has none of the other list in it.
#[must_use]
pub fn has_but(folded: &str, phrases: &Phrases, but: &Phrases) -> bool {
    phrases.found(folded).into_iter().filter_map(|at| phrases.all.get(at)).any(|phrase| !has(phrase, but))
}

/// How many phrases of the list the folded text contains.
#[must_use]
pub fn hits(folded: &str, phrases: &Phrases) -> usize {
    phrases.found(folded).len()
}

/// How many places of the folded text have a phrase of the list that no place before has: "lift" and
/// "lift*" are one sign.
#[must_use]
pub fn places(folded: &str, phrases: &Phrases) -> usize {
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut count = 0;
    for rest in starts(folded).filter_map(|at| folded.get(at..)) {
        let here: Vec<usize> = phrases.at(rest).collect();
        if !here.is_empty() && here.iter().all(|at| !seen.contains(at)) {
            count += 1;
        }
        seen.extend(here);
    }
    count
}

/// The weights of the phrases of the list that the folded text contains, added up.
#[must_use]
pub fn sum(folded: &str, phrases: &Phrases, weight: impl Fn(&str) -> usize) -> usize {
    phrases.found(folded).into_iter().filter_map(|at| phrases.all.get(at)).map(|phrase| weight(phrase)).sum()
}

/// Where a phrase may begin: at the first character of a word, and at every other sign.
fn starts(folded: &str) -> impl Iterator<Item = usize> {
    let mut inside = false;
    folded.char_indices().filter_map(move |(at, c)| {
        let letter = letter(c);
        let begins = !(letter && inside) && c != ' ';
        inside = letter;
        begins.then_some(at)
    })
}

/// Letters and digits; the common alphabets first, for this is asked of every character of a mail.
fn letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || ('\u{400}'..'\u{530}').contains(&c) || (!c.is_ascii() && c.is_alphanumeric())
}

/// Whether the phrase stands at the beginning of the text, up to the end of a word.
fn begins(text: &str, phrase: &str) -> bool {
    let (bare, open) = phrase.strip_suffix('*').map_or((phrase, false), |bare| (bare, true));
    !bare.is_empty()
        && text
            .strip_prefix(bare)
            .is_some_and(|rest| open || !(bare.ends_with(letter) && rest.starts_with(letter)))
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
            for list in [&lists.stock, &lists.accusing] {
                assert!(list.iter().count() >= 60, "{name}: {}", list.iter().count());
            }
            for list in [&lists.stock, &lists.accusing, &lists.admissions, &lists.money, &lists.insults] {
                for phrase in list.iter() {
                    assert_eq!(fold(phrase), phrase, "{name}: written as it is compared");
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
