//! Rules: regular expressions of high precision beside the model, each with its own tests. They run
//! on folded text and match whole words.

mod needed;
mod parse;

use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;

use self::needed::{Branch, Needed};
use self::parse::Compile;
pub use parse::RuleProblem;

use super::label::Label;
use super::text::Text;
use crate::mail::Language;

/// The rules that come with the program: file name and text.
const SHIPPED: [(&str, &str); 4] = [
    ("data/rules/threat.toml", include_str!("../../data/rules/threat.toml")),
    ("data/rules/conduct.toml", include_str!("../../data/rules/conduct.toml")),
    ("data/rules/machine.toml", include_str!("../../data/rules/machine.toml")),
    ("data/rules/matter.toml", include_str!("../../data/rules/matter.toml")),
];

/// What a rule that matches does to its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Adds this to the log-odds.
    Add(f32),
    /// The label is present.
    Present,
    /// The label is absent.
    Absent,
}

impl Effect {
    /// The log-odds at which a label is as good as certain: a probability of 0.99.
    pub const CERTAIN: f32 = 4.6;

    /// The log-odds after this effect.
    #[must_use]
    pub fn on(self, logit: f32) -> f32 {
        match self {
            Self::Add(weight) => logit + weight,
            Self::Present => logit.max(Self::CERTAIN),
            Self::Absent => logit.min(-Self::CERTAIN),
        }
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Stable kebab-case id.
    pub id: String,
    /// The label it speaks about.
    pub label: Label,
    /// What it does.
    pub effect: Effect,
    /// Languages it applies to; empty for all.
    pub languages: Vec<Language>,
    /// Folded texts that must match.
    pub examples: Vec<String>,
    /// Texts that must not.
    pub counter_examples: Vec<String>,
    /// The ways to match it.
    branches: Vec<Branch>,
    pattern: Pattern,
}

/// A regular expression, compiled when it is tried first: most rules never are.
#[derive(Clone, Debug)]
struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| parse::compile(&self.source).ok()).as_ref()
    }
}

impl Rule {
    /// Whether the rule applies to mails in `language`.
    #[must_use]
    pub fn speaks(&self, language: Language) -> bool {
        self.languages.is_empty() || language == Language::Other || self.languages.contains(&language)
    }

    /// The words of `folded` that match.
    #[must_use]
    pub fn find<'t>(&self, folded: &'t str) -> Option<&'t str> {
        self.pattern.compiled()?.captures(folded)?.get(1).map(|found| found.as_str())
    }
}

/// A set of rules. Matching takes time linear in the text: its words tell which rules may match, they
/// alone are tried.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    needed: Needed,
}

impl Rules {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// When a shipped file is broken, which a test excludes.
    pub fn shipped() -> Result<Self, Vec<RuleProblem>> {
        parse::all(&SHIPPED, Compile::WhenTried)
    }

    /// Compiles a file of rules; `name` appears in problems.
    ///
    /// # Errors
    /// Every problem of the file at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<RuleProblem>> {
        parse::all(&[(name, text)], Compile::Now)
    }

    /// These rules and `more`, which come after and replace those with the same id.
    ///
    /// # Errors
    /// When together they are too big.
    pub fn with(self, more: Self) -> Result<Self, Vec<RuleProblem>> {
        let mut rules = self.rules;
        rules.retain(|rule| more.rules.iter().all(|new| new.id != rule.id));
        rules.extend(more.rules);
        Ok(Self::of(rules))
    }

    fn of(rules: Vec<Rule>) -> Self {
        Self { needed: Needed::new(rules.iter().map(|rule| rule.branches.as_slice())), rules }
    }

    /// All rules, in order.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that match a text in `language`, in order.
    pub fn matching<'r>(&'r self, text: &Text, language: Language) -> impl Iterator<Item = &'r Rule> {
        let rule = |number: u32| self.rules.get(number as usize);
        let speaks = |number| rule(number).is_some_and(|rule| rule.speaks(language));
        let tried = self.needed.in_text(text, speaks).into_iter().filter_map(rule);
        tried.filter(|rule| rule.pattern.compiled().is_some_and(|regex| regex.is_match(text.folded())))
    }
}

/// A rule as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    id: String,
    label: String,
    #[serde(default)]
    languages: Vec<Language>,
    weight: Option<f32>,
    effect: Option<String>,
    pattern: String,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    counter_examples: Vec<String>,
}
