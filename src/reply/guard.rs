//! Reads a finished text once more: the rules every draft obeys, as checks. A text that breaks one
//! is not given to anybody.

mod wording;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::is_pictograph;
use super::lexicon::{self, Lexicon};
use crate::mail::Language;

pub use wording::check_wording;

/// Most questions one draft may ask.
pub const MOST_QUESTIONS: usize = 4;

/// A rule for drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A phrase that says nothing.
    StockPhrase,
    /// A phrase that accuses or belittles.
    Accusing,
    /// Fault or cause admitted before a diagnosis.
    Admission,
    /// Money promised.
    MoneyPromise,
    /// Talks out of suing, or argues about it.
    Dissuading,
    /// Sends to a contract or a list of questions.
    Pointing,
    /// Guesses a gender.
    Gendered,
    /// A slot or mark that nobody filled.
    UnfilledSlot,
    /// Not the customer's language.
    WrongLanguage,
    /// A link.
    Link,
    /// Exclamation marks in a row, or more than two.
    Exclamations,
    /// Emoji.
    Emoji,
    /// The customer's insult, threat or courting repeated.
    Echo,
    /// The ending does not say what happens next.
    NoNextStep,
    /// More than [`MOST_QUESTIONS`].
    TooManyQuestions,
    /// A number that is in no source.
    UnknownNumber,
    /// Nothing is said.
    Empty,
}

impl Rule {
    /// The rule's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StockPhrase => "stock-phrase",
            Self::Accusing => "accusing",
            Self::Admission => "admission",
            Self::MoneyPromise => "money-promise",
            Self::Dissuading => "dissuading",
            Self::Pointing => "pointing",
            Self::Gendered => "gendered",
            Self::UnfilledSlot => "unfilled-slot",
            Self::WrongLanguage => "wrong-language",
            Self::Link => "link",
            Self::Exclamations => "exclamations",
            Self::Emoji => "emoji",
            Self::Echo => "echo",
            Self::NoNextStep => "no-next-step",
            Self::TooManyQuestions => "too-many-questions",
            Self::UnknownNumber => "unknown-number",
            Self::Empty => "empty",
        }
    }
}

/// A broken rule and the words that break it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The rule.
    pub rule: Rule,
    /// The words.
    pub words: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.rule.as_str(), self.words)
    }
}

/// A finished text and what it may rest on.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Greeting to signature.
    pub body: &'a str,
    /// The language it should be in.
    pub language: Language,
    /// What is repeated from the customer, as it stands in the body.
    pub quotes: &'a [&'a str],
    /// What is the operator's own, and the customer's name: taken on trust.
    pub own: &'a [&'a str],
    /// Texts a number may come from, the operator's own among them.
    pub sources: &'a [&'a str],
    /// What the agent completes, between `[[` and `]]`.
    pub fill_in: &'a [String],
    /// Whether the mail insults, courts or threatens: then nothing of the kind may be repeated.
    pub wary: bool,
    /// Whether emoji are allowed.
    pub emoji: bool,
}

/// Every rule the text breaks.
#[must_use]
pub fn check(text: &Text<'_>) -> Vec<Broken> {
    let lists = lexicon::of(text.language);
    let mut ours = text.body.to_owned();
    for foreign in text.quotes.iter().chain(text.own).filter(|part| !part.is_empty()) {
        ours = ours.replace(foreign, "·");
    }
    let mut found = phrases(&ours, lists);
    found.extend(marks(&ours, text.emoji));
    found.extend(unfilled(text.body, text.fill_in));
    found.extend(language(&ours, text.language, lists));
    found.extend(echoes(text, lists));
    found.extend(numbers(text));
    found.extend(ending(text, lists));
    let questions = ours.matches('?').count();
    if questions > MOST_QUESTIONS {
        found.push(broken(Rule::TooManyQuestions, &questions.to_string()));
    }
    if text.body.trim().is_empty() {
        found.push(broken(Rule::Empty, ""));
    }
    found
}

fn broken(rule: Rule, words: &str) -> Broken {
    Broken { rule, words: words.to_owned() }
}

/// The phrase lists.
fn phrases(text: &str, lists: &Lexicon) -> Vec<Broken> {
    let folded = lexicon::fold(text);
    [
        (Rule::StockPhrase, &lists.stock),
        (Rule::Accusing, &lists.accusing),
        (Rule::Admission, &lists.admissions),
        (Rule::MoneyPromise, &lists.money),
        (Rule::Dissuading, &lists.dissuading),
        (Rule::Pointing, &lists.pointing),
        (Rule::Gendered, &lists.gendered),
        (Rule::Echo, &lists.insults),
    ]
    .into_iter()
    .filter_map(|(rule, list)| lexicon::first(&folded, list).map(|phrase| broken(rule, phrase)))
    .collect()
}

/// Links, exclamation marks, emoji.
fn marks(text: &str, emoji: bool) -> Vec<Broken> {
    let mut found = Vec::new();
    let lower = text.to_lowercase();
    if let Some(link) = ["http://", "https://", "www."].into_iter().find(|link| lower.contains(link)) {
        found.push(broken(Rule::Link, link));
    }
    if text.contains("!!") || text.matches('!').count() > 2 {
        found.push(broken(Rule::Exclamations, "!"));
    }
    let smiley = [":)", ":-)", ";)", ":d", "))"].into_iter().find(|smiley| lower.contains(smiley));
    if !emoji && (smiley.is_some() || text.chars().any(is_pictograph)) {
        found.push(broken(Rule::Emoji, smiley.unwrap_or("emoji")));
    }
    found
}

fn unfilled(body: &str, fill_in: &[String]) -> Option<Broken> {
    let mut rest = body.to_owned();
    for mark in fill_in {
        rest = rest.replace(&format!("[[{mark}]]"), "");
    }
    let left = ["{{", "}}", "{%", "[[", "]]", "undefined"].into_iter().find(|mark| rest.contains(mark));
    left.map(|mark| broken(Rule::UnfilledSlot, mark))
}

/// By letters, and between neighbours by letters or small words that only one of them has.
fn language(ours: &str, language: Language, lists: &Lexicon) -> Option<Broken> {
    let cyrillic = ours.chars().filter(|c| ('\u{400}'..'\u{530}').contains(c)).count();
    let latin = ours.chars().filter(|c| c.is_alphabetic() && u32::from(*c) < 0x250).count();
    let folded = lexicon::fold(ours);
    let fails = match language {
        Language::Ru => cyrillic <= latin || ours.contains(['і', 'ї', 'є', 'ґ', 'І', 'Ї', 'Є']),
        Language::Uk => cyrillic <= latin || ours.contains(['ы', 'э', 'ъ', 'ё', 'Ы', 'Э']),
        _ => {
            let neighbour = lexicon::of(if language == Language::En { Language::Es } else { Language::En });
            latin <= cyrillic
                || lexicon::hits(&folded, &neighbour.markers) > lexicon::hits(&folded, &lists.markers)
        }
    };
    (fails && latin + cyrillic > 0)
        .then(|| broken(Rule::WrongLanguage, &ours.chars().take(40).collect::<String>()))
}

fn echoes(text: &Text<'_>, lists: &Lexicon) -> Option<Broken> {
    let banned = [&lists.insults, &lists.courting, &lists.threats];
    text.quotes.iter().find_map(|quote| {
        let folded = lexicon::fold(quote);
        banned
            .into_iter()
            .take(if text.wary { 3 } else { 1 })
            .find_map(|list| lexicon::first(&folded, list))
            .map(|phrase| broken(Rule::Echo, phrase))
    })
}

/// Every run of digits stands in a source.
fn numbers(text: &Text<'_>) -> Option<Broken> {
    let known = |run: &str| text.sources.iter().any(|source| digits(source).any(|own| own == run));
    digits(text.body).find(|run| !known(run)).map(|run| broken(Rule::UnknownNumber, run))
}

/// The runs of digits of a text.
fn digits(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_numeric()).filter(|run| !run.is_empty())
}

/// The last paragraph before the signature says what happens next.
fn ending(text: &Text<'_>, lists: &Lexicon) -> Option<Broken> {
    let mut paragraphs = text.body.trim().rsplit("\n\n");
    let _signature = paragraphs.next();
    let last = paragraphs.next().unwrap_or("");
    let says = lexicon::has(&lexicon::fold(last), &lists.next);
    (!says).then(|| broken(Rule::NoNextStep, &last.chars().take(60).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(language: Language, body: &str) -> Vec<Rule> {
        let text = Text {
            body,
            language,
            quotes: &[],
            own: &[],
            sources: &[],
            fill_in: &[],
            wary: false,
            emoji: false,
        };
        check(&text).into_iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn each_rule_is_broken_by_what_it_forbids() {
        let say =
            |middle: &str| format!("Hello,\n\n{middle}\n\nI will write to you.\n\nBest regards,\nSupport");
        for (middle, rule) in [
            ("We apologise for any inconvenience.", Rule::StockPhrase),
            ("Please calm down.", Rule::Accusing),
            ("It was our fault.", Rule::Admission),
            ("We will refund you in full.", Rule::MoneyPromise),
            ("There is no need to involve a lawyer.", Rule::Dissuading),
            ("According to our terms this is closed.", Rule::Pointing),
            ("Hello {{ name }}.", Rule::UnfilledSlot),
            ("See https://example.org for the answer.", Rule::Link),
            ("Thank you!!", Rule::Exclamations),
            ("Thank you 🙂", Rule::Emoji),
            ("You idiot.", Rule::Echo),
            ("Your order 4471 is here.", Rule::UnknownNumber),
            ("Why? Who? Where? When? What?", Rule::TooManyQuestions),
        ] {
            assert!(rules(Language::En, &say(middle)).contains(&rule), "{middle}");
        }
        assert!(rules(Language::En, "").contains(&Rule::Empty));
        assert_eq!(rules(Language::En, &say("Thank you for the photographs of the door.")), []);
    }

    #[test]
    fn a_text_in_a_neighbouring_language_is_refused() {
        assert!(rules(Language::Ru, "Вітаю!\n\nЯ напишу вам.\n\nКоманда").contains(&Rule::WrongLanguage));
        assert!(
            rules(Language::Uk, "Здравствуйте!\n\nМы напишем Вам.\n\nКоманда").contains(&Rule::WrongLanguage)
        );
        assert!(
            rules(Language::En, "Hola:\n\nLe escribo mañana.\n\nEl equipo").contains(&Rule::WrongLanguage)
        );
    }

    #[test]
    fn an_ending_without_a_next_step_is_refused() {
        let body =
            "Hello,\n\nThank you for the letter. This cannot be done for you.\n\nBest regards,\nSupport";
        assert_eq!(rules(Language::En, body), [Rule::NoNextStep]);
    }
}
