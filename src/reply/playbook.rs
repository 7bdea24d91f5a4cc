//! Playbooks as data: per language a script for each situation, a script of common moves, and the
//! matters a mail may be about. `data/playbooks/README.md` describes the format for operators.

mod check;
mod shipped;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::company::Address;
use super::lexicon::Phrases;
use crate::mail::Language;

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

/// One way to say something, with slots such as `{{ order }}` and, where the form of address
/// matters, `<usted|tú|vos>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// `es/complaint/sorry/1f0c9a3e`: where it stands and a hash of what it says.
    pub id: String,
    /// The template as written.
    pub text: String,
    /// The slots it needs.
    pub slots: Vec<String>,
}

/// A question to the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked.
    pub wording: Wording,
    /// Slots that make the question needless when they are known.
    pub unless: Vec<String>,
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
pub const SLOTS: [&str; 25] = [
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
    "discounts",
    "refund_terms",
    "free_alternative",
    "answer",
];

/// Fewest wordings of a move: the third mail of a customer still gets a new one.
pub const FEWEST_WORDINGS: usize = 3;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    moves: Option<Vec<Vec<String>>>,
    #[serde(default)]
    say: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    ask: Vec<AskLine>,
    #[serde(default)]
    matter: Vec<MatterTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AskLine {
    q: String,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct MatterTable {
    name: String,
    strong: Phrases,
    #[serde(default)]
    weak: Phrases,
    #[serde(default)]
    ask: Vec<AskLine>,
    #[serde(default)]
    say: BTreeMap<String, Vec<String>>,
}

impl Playbooks {
    /// The playbooks that come with the program.
    ///
    /// # Errors
    /// None while the test `the_shipped_playbooks_have_no_problem` passes.
    pub fn shipped() -> Result<Self, Vec<PlaybookProblem>> {
        Self::parse(shipped::FILES)
    }

    /// The shipped playbooks with those of an operator laid over them, move by move.
    ///
    /// # Errors
    /// Every problem of the operator's files at once.
    pub fn with(files: &[(&str, &str)]) -> Result<Self, Vec<PlaybookProblem>> {
        let all: Vec<_> = shipped::FILES.iter().chain(files).copied().collect();
        Self::parse(&all)
    }

    /// Reads playbooks from pairs of a path such as `en/complaint.toml` and its text. A later file
    /// with the same path replaces the sequence, the questions and each move that it has.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Vec<PlaybookProblem>> {
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
                        fix: "correct the TOML; the keys are moves, say, ask and matter".to_owned(),
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
        problems.extend(check::problems(&books));
        if problems.is_empty() { Ok(books) } else { Err(problems) }
    }

    /// The playbooks of one language.
    #[must_use]
    pub fn book(&self, language: Language) -> Option<&Book> {
        self.books.get(&language)
    }

    /// Every wording and question of every language.
    pub fn wordings(&self) -> impl Iterator<Item = (Language, &Wording)> {
        self.books.iter().flat_map(|(language, book)| {
            let scripts = book.scripts.values().chain(book.matters.iter().map(|matter| &matter.script));
            scripts.flat_map(Script::wordings).map(|wording| (*language, wording))
        })
    }
}

/// The names a file may have.
pub const NAMES: [&str; 12] = [
    "common",
    "matters",
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
];

fn place(path: &str) -> Option<(Language, &'static str)> {
    let (language, name) = path.split_once('/')?;
    let language = match language {
        "en" => Language::En,
        "es" => Language::Es,
        "ru" => Language::Ru,
        "uk" => Language::Uk,
        _ => return None,
    };
    let name = name.strip_suffix(".toml")?;
    NAMES.iter().find(|known| **known == name).map(|known| (language, *known))
}

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

    fn lay(&mut self, language: Language, name: &str, file: File) {
        let stem = format!("{}/{name}", folder(language));
        for table in file.matter {
            let stem = format!("{stem}/{}", table.name);
            let mut script = Script::default();
            script.lay(&stem, None, table.say, table.ask);
            let matter = Matter { name: table.name, strong: table.strong, weak: table.weak, script };
            match self.matters.iter_mut().find(|known| known.name == matter.name) {
                Some(known) => *known = matter,
                None => self.matters.push(matter),
            }
        }
        self.scripts.entry(name.to_owned()).or_default().lay(&stem, file.moves, file.say, file.ask);
    }
}

impl Script {
    fn lay(
        &mut self,
        stem: &str,
        moves: Option<Vec<Vec<String>>>,
        say: BTreeMap<String, Vec<String>>,
        ask: Vec<AskLine>,
    ) {
        if let Some(moves) = moves {
            self.moves = moves;
        }
        for (name, texts) in say {
            let stem = format!("{stem}/{name}");
            self.say.insert(name, texts.into_iter().map(|text| Wording::new(&stem, text)).collect());
        }
        if !ask.is_empty() {
            let stem = format!("{stem}/ask");
            self.ask = ask
                .into_iter()
                .map(|line| Ask { wording: Wording::new(&stem, line.q), unless: line.unless })
                .collect();
        }
    }

    /// Every wording and question.
    pub fn wordings(&self) -> impl Iterator<Item = &Wording> {
        self.say.values().flatten().chain(self.ask.iter().map(|ask| &ask.wording))
    }
}

impl Wording {
    fn new(stem: &str, text: String) -> Self {
        let slots = slots(&text);
        Self { id: format!("{stem}/{:08x}", hash(&[&text]) >> 32), text, slots }
    }

    /// The template for one form of address: of `<usted|tú|vos>` the first, second or third; a
    /// missing third is the second, a missing second the first.
    #[must_use]
    pub fn template(&self, address: Address) -> String {
        let wanted = match address {
            Address::Formal => 0,
            Address::Informal => 1,
            Address::Voseo => 2,
        };
        let mut out = String::with_capacity(self.text.len());
        let mut rest = self.text.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            out.push_str(before);
            let Some((forms, after)) = after.split_once('>') else {
                break;
            };
            out.push_str(forms.split('|').take(wanted + 1).last().unwrap_or(""));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The names between `{{` and `}}`.
fn slots(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((slot, after)) = after.split_once("}}") else {
            break;
        };
        let slot = slot.trim().to_owned();
        if !found.contains(&slot) {
            found.push(slot);
        }
        rest = after;
    }
    found
}

/// FNV-1a over the parts with a separator: a hash that will not change with a library.
#[must_use]
pub fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0x1f]));
    let mixed = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // FNV leaves the upper bits of short texts alike; one round of mixing spreads them.
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_address_falls_back_to_the_one_before_it() {
        let wording = Wording::new("x", "¿<Puede|Puedes|Podés> verlo? <Usted|Tú> dirá. {{ by }}".into());
        assert_eq!(wording.template(Address::Formal), "¿Puede verlo? Usted dirá. {{ by }}");
        assert_eq!(wording.template(Address::Informal), "¿Puedes verlo? Tú dirá. {{ by }}");
        assert_eq!(wording.template(Address::Voseo), "¿Podés verlo? Tú dirá. {{ by }}");
        assert_eq!(wording.slots, ["by"]);
    }

    #[test]
    fn the_shipped_playbooks_have_no_problem() {
        if let Err(problems) = Playbooks::shipped() {
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
