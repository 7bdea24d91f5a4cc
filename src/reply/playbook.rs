//! Playbooks as data: per language a script for each situation, a script of common moves, and the
//! matters a mail may be about. `data/playbooks/README.md` describes the format for operators.

mod check;
mod file;
mod shipped;
mod wording;

use std::collections::BTreeMap;

use super::lexicon::Phrases;
use crate::mail::Language;
use file::{File, place};

pub use wording::{Ask, Wording, hash};

/// The playbooks of all languages.
#[derive(Clone, Debug, Default)]
pub struct Playbooks {
    books: BTreeMap<Language, Book>,
}

/// The playbooks of one language.
#[derive(Clone, Debug, Default)]
pub struct Book {
    scripts: BTreeMap<String, Script>,
    matters: Vec<Matter>,
    /// The strong signs of all matters, but of silence: that nobody answered is seldom all of it.
    signs: Phrases,
    outcomes: Vec<Outcome>,
}

/// What is said in one situation.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Paragraphs of moves, in order. A move may be left out where no wording fits when its name
    /// ends with `?`.
    pub moves: Vec<Vec<String>>,
    /// Wordings by move.
    pub say: BTreeMap<String, Vec<Wording>>,
    /// Questions, most useful first.
    pub ask: Vec<Ask>,
}

/// Something mails are about: a late parcel, a wrong charge.
#[derive(Clone, Debug, Default)]
pub struct Matter {
    /// Its word.
    pub name: String,
    /// Beginnings of words or phrases that alone say it is this.
    pub strong: Phrases,
    /// Beginnings of words of which two say it.
    pub weak: Phrases,
    /// What is said about it, before what the script says.
    pub script: Script,
}

/// Something customers want done: a refund, a call.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Its word.
    pub name: String,
    /// As it stands behind "you are asking for".
    pub said: String,
    /// Phrases that alone say it is wanted.
    pub strong: Phrases,
    /// Beginnings of words that say it in a clause that asks.
    pub weak: Phrases,
    /// What is said about it: the move `step`, where there is one.
    pub script: Script,
}

impl Matter {
    /// Whether it knows a first step: then it is one that people write about in a fright.
    #[must_use]
    pub fn urgent(&self) -> bool {
        self.script.say.contains_key("first-step")
    }
}

/// Something wrong with a playbook file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{what}; {fix}", if .wanted.is_empty() { String::new() } else { format!("move `{}`: ", .wanted) })]
pub struct PlaybookProblem {
    /// The file as given.
    pub file: String,
    /// The move, or empty when it is the file as a whole.
    pub wanted: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub fix: String,
}

/// The slots a wording may use.
pub const SLOTS: [&str; 33] = [
    "name",
    "full_name",
    "company",
    "signature",
    "ticket",
    "order",
    "invoice",
    "account",
    "case",
    "amount",
    "product",
    "count",
    "contacts",
    "deadline",
    "quote",
    "question",
    "wish",
    "questions",
    "by",
    "legal",
    "manager",
    "on_call",
    "back",
    "discounts",
    "refund_terms",
    "free_alternative",
    "answer",
    "answer_more",
    "good_day",
    "phone",
    "wanted",
    "details",
    "topic",
];

/// Fewest wordings of a move: the third mail of a customer still gets a new one.
pub const FEWEST_WORDINGS: usize = 3;

impl Playbooks {
    /// The playbooks that come with the program. Their wordings are not looked at again: a test did.
    ///
    /// # Errors
    /// None while the test `the_shipped_playbooks_have_no_problem` passes.
    pub fn shipped() -> Result<Self, Vec<PlaybookProblem>> {
        let (books, problems) = Self::read(shipped::FILES);
        if problems.is_empty() { Ok(books) } else { Err(problems) }
    }

    /// The shipped playbooks with those of an operator laid over them, move by move.
    ///
    /// # Errors
    /// Every problem of the operator's files at once.
    pub fn with(files: &[(&str, &str)]) -> Result<Self, Vec<PlaybookProblem>> {
        if files.is_empty() {
            return Self::shipped();
        }
        let all: Vec<_> = shipped::FILES.iter().chain(files).copied().collect();
        Self::parse(&all)
    }

    /// Reads playbooks from pairs of a path such as `en/complaint.toml` and its text. A later file
    /// with the same path replaces the sequence, the questions and each move that it has.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Vec<PlaybookProblem>> {
        let (books, mut problems) = Self::read(files);
        problems.extend(check::problems(&books));
        if problems.is_empty() { Ok(books) } else { Err(problems) }
    }

    /// What the files say, and which cannot be read.
    fn read(files: &[(&str, &str)]) -> (Self, Vec<PlaybookProblem>) {
        let mut books = Self::default();
        let mut problems = Vec::new();
        for (path, text) in files {
            match place(path) {
                Some((language, name)) => match toml::from_str::<File>(text) {
                    Ok(file) => books.books.entry(language).or_default().lay(language, name, file),
                    Err(error) => problems.push(PlaybookProblem {
                        file: (*path).to_owned(),
                        wanted: String::new(),
                        what: error.to_string().trim().replace('\n', " "),
                        fix: "correct the TOML; the keys are moves, say, ask, matter and outcome".to_owned(),
                    }),
                },
                None => problems.push(PlaybookProblem {
                    file: (*path).to_owned(),
                    wanted: String::new(),
                    what: "the path names no playbook".to_owned(),
                    fix: format!(
                        "call it LANGUAGE/NAME.toml: en, es, ru or uk, and one of {}",
                        NAMES.join(", ")
                    ),
                }),
            }
        }
        (books, problems)
    }

    /// The playbooks of one language.
    #[must_use]
    pub fn book(&self, language: Language) -> Option<&Book> {
        self.books.get(&language)
    }

    /// Every wording and question of every language.
    pub fn wordings(&self) -> impl Iterator<Item = (Language, &Wording)> {
        self.books.iter().flat_map(|(language, book)| {
            let matters = book.matters.iter().map(|matter| &matter.script);
            let outcomes = book.outcomes.iter().map(|outcome| &outcome.script);
            let scripts = book.scripts.values().chain(matters).chain(outcomes);
            scripts.flat_map(Script::wordings).map(|wording| (*language, wording))
        })
    }
}

/// The names a file may have.
pub const NAMES: [&str; 16] = [
    "common",
    "matters",
    "outcomes",
    "threat",
    "abuse",
    "panic",
    "entitlement",
    "criticism",
    "complaint",
    "pricing",
    "idea",
    "question",
    "praise",
    "closing",
    "follow-up",
    "decline",
];

/// The directory name of a language.
#[must_use]
pub const fn folder(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Es => "es",
        Language::Ru => "ru",
        Language::Uk => "uk",
        Language::Other => "other",
    }
}

impl Book {
    /// The script with this name.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&Script> {
        self.scripts.get(name)
    }

    /// The matters, in order of precedence.
    #[must_use]
    pub fn matters(&self) -> &[Matter] {
        &self.matters
    }
}

impl Book {
    /// The strong signs of all matters but that nobody answered.
    #[must_use]
    pub const fn signs(&self) -> &Phrases {
        &self.signs
    }

    /// What customers want done, in order of precedence.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}

impl Script {
    /// Every wording and question.
    pub fn wordings(&self) -> impl Iterator<Item = &Wording> {
        self.say.values().flatten().chain(self.ask.iter().map(|ask| &ask.wording))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_playbooks_have_no_problem() {
        if let Err(problems) = Playbooks::parse(shipped::FILES) {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    }

    #[test]
    fn an_operator_replaces_one_move_and_keeps_the_rest() {
        let own = "[say]\nthank = [\"Thanks a lot.\", \"Many thanks.\", \"Thanks for this.\"]";
        let books = Playbooks::with(&[("en/praise.toml", own)]).unwrap();
        let script = books.book(Language::En).unwrap().script("praise").unwrap();
        assert_eq!(script.say["thank"][0].text, "Thanks a lot.");
        assert!(!script.moves.is_empty());
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_file_move_and_fix() {
        let files = [
            ("en/joy.toml", ""),
            ("en/idea.toml", "moves = 3"),
            ("en/praise.toml", "[say]\nthank = [\"Calm down, {{ nmae }}.\"]"),
        ];
        let told: Vec<_> = Playbooks::with(&files).unwrap_err().iter().map(ToString::to_string).collect();
        for part in ["en/joy.toml", "en/idea.toml", "nmae", "accusing", "at least 3"] {
            assert!(told.iter().any(|problem| problem.contains(part)), "{part} in {told:#?}");
        }
    }
}
