//! Reads rules and says everything that is wrong with them at once.

use std::fmt;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::super::label::Label;
use super::{Effect, Pattern, Rule, Rules, Written, needed};

/// Largest compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// What stands beside a word of folded text. Not `\b`: with other letters than ASCII it is a
/// thousand times slower.
const EDGE: &str = "[^0-9a-z_'а-яієї]";
/// Largest weight a rule may add.
const MOST_WEIGHT: f32 = 10.0;

/// Something wrong in a file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The file.
    pub file: String,
    /// The rule's id, or its number when it has none; empty for the whole file.
    pub rule: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: rule {}: {}: {}", self.file, self.rule, self.problem, self.fix)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<toml::Table>,
}

/// When patterns are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compile {
    /// At once: what is wrong with them is told.
    Now,
    /// When they are tried first: a test has compiled them before.
    WhenTried,
}

pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build()
}

pub(super) fn all(files: &[(&str, &str)], when: Compile) -> Result<Rules, Vec<RuleProblem>> {
    let mut problems = vec![];
    let mut rules: Vec<Rule> = vec![];
    for (name, text) in files {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                problems.push(problem(name, "", &one_line(&error), "write one [[rule]] table a rule"));
                continue;
            }
        };
        for (number, table) in (1..).zip(file.rule) {
            let id = table
                .get("id")
                .and_then(toml::Value::as_str)
                .map_or_else(|| format!("#{number}"), str::to_owned);
            match table.try_into::<Written>() {
                Ok(written) => {
                    if rules.iter().any(|rule| rule.id == written.id) {
                        problems.push(problem(name, &id, "id used twice", "give each rule its own id"));
                    }
                    rules.extend(rule(name, written, when, &mut problems));
                }
                Err(error) => problems.push(problem(
                    name,
                    &id,
                    &one_line(&error),
                    "see data/README.md for the keys of a rule",
                )),
            }
        }
    }
    if problems.is_empty() { Ok(Rules::of(rules)) } else { Err(problems) }
}

fn problem(file: &str, rule: &str, problem: &str, fix: &str) -> RuleProblem {
    RuleProblem {
        file: file.to_owned(),
        rule: rule.to_owned(),
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

fn rule(file: &str, written: Written, when: Compile, problems: &mut Vec<RuleProblem>) -> Option<Rule> {
    let before = problems.len();
    let id = written.id.clone();
    let mut wrong = |what: String, fix: &str| problems.push(problem(file, &id, &what, fix));
    let kebab =
        !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !kebab {
        wrong("id is not kebab-case".to_owned(), "use a-z, 0-9 and -");
    }
    let label = Label::from_word(&written.label);
    if label.is_none() {
        wrong(
            format!("unknown label {:?}", written.label),
            &format!("use one of {}", Label::ALL.map(Label::as_str).join(", ")),
        );
    }
    let effect = match (written.weight, written.effect.as_deref()) {
        (Some(weight), None) if weight.abs() <= MOST_WEIGHT && weight != 0.0 => Some(Effect::Add(weight)),
        (Some(weight), None) => {
            wrong(format!("weight {weight} is out of range"), "use -10 to 10, not 0");
            None
        }
        (None, Some("present")) => Some(Effect::Present),
        (None, Some("absent")) => Some(Effect::Absent),
        _ => {
            wrong(
                "needs either weight or effect".to_owned(),
                "write weight = 2.0, or effect = \"present\" or \"absent\"",
            );
            None
        }
    };
    let edged = format!("(?:^|{EDGE})({})(?:$|{EDGE})", written.pattern);
    let pattern = Pattern { source: edged, compiled: OnceLock::new() };
    if when == Compile::Now {
        match compile(&pattern.source) {
            Ok(regex) if regex.is_match("") => {
                wrong("pattern matches nothing at all".to_owned(), "let it need at least one word");
            }
            Ok(regex) => {
                let _ = pattern.compiled.set(Some(regex));
            }
            Err(error) => {
                let error = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                wrong(
                    format!("pattern: {error}"),
                    "see docs.rs/regex for the syntax; there is no look-around",
                );
            }
        }
    }
    if written.examples.is_empty() {
        wrong("has no examples".to_owned(), "add texts that it must match");
    }
    let rule = Rule {
        id: written.id,
        label: label?,
        effect: effect?,
        languages: written.languages,
        examples: written.examples,
        counter_examples: written.counter_examples,
        branches: needed::of_pattern(&written.pattern),
        pattern,
    };
    (problems.len() == before).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_file_is_told_at_once_with_its_fix() {
        let text = r#"
[[rule]]
id = "Bad Id"
label = "joy"
weight = 0.0
pattern = "(a"

[[rule]]
id = "fine"
label = "threat"
weight = 1.0
pattern = "sue"
examples = ["i will sue"]

[[rule]]
id = "fine"
label = "threat"
effect = "present"
pattern = "a*"
examples = ["a"]
colour = "red"
"#;
        let problems = Rules::parse("x.toml", text).unwrap_err();
        let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 6, "{text:#?}");
        assert!(text.iter().all(|line| line.starts_with("x.toml: rule ")));
    }

    #[test]
    fn the_shipped_rules_compile() {
        for (name, text) in super::super::SHIPPED {
            assert!(Rules::parse(name, text).is_ok_and(|rules| !rules.all().is_empty()), "{name}");
        }
    }

    #[test]
    fn a_rule_of_another_language_does_not_match() {
        use super::super::super::{Lexicon, text::Text};
        use crate::mail::{Language, Mail};
        let text = "[[rule]]\nid = \"a\"\nlabel = \"threat\"\nweight = 1.0\nlanguages = [\"ru\"]\npattern = \"суд\"\nexamples = [\"суд\"]";
        let rules = Rules::parse("x", text).unwrap();
        let mut text = Text::default();
        text.read(&Mail { new_text: "в суд".to_owned(), ..Mail::default() }, &Lexicon::default());
        assert_eq!(rules.matching(&text, Language::Ru).count(), 1);
        assert_eq!(rules.matching(&text, Language::Uk).count(), 0);
    }
}
