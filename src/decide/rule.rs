//! Rules: what ops read into a mail before it is routed. In order, each once.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::condition::{self, Condition};
use super::facts::{Facts, MAX_TEXT};
use crate::classify::Label;

/// Most rules of a config: each costs every mail.
pub const MAX_RULES: usize = 500;

/// Longest capture that is kept, in characters.
const MAX_CAPTURE: usize = 200;

/// One rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    /// Its name, in reasons and in `undo`.
    pub id: String,
    /// When it applies.
    pub when: Condition,
    /// When it does not apply after all.
    #[serde(default)]
    pub unless: Option<Condition>,
    /// Labels it adds.
    #[serde(default)]
    pub add_labels: Vec<Label>,
    /// Facts it adds, for later rules and for routes.
    #[serde(default)]
    pub add_facts: Vec<String>,
    /// A pattern with named groups, looked for in subject and new text. When nothing is found, the
    /// rule does not apply.
    #[serde(default)]
    pub capture: Option<Pattern>,
    /// Whether later rules are passed over.
    #[serde(default)]
    pub stop: bool,
}

/// A regular expression with named groups.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(regex::Regex);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let built = regex::RegexBuilder::new(&text).size_limit(256 * 1024).build();
        let pattern = built.map_err(|error| format!("the pattern {text:?}: {error}"))?;
        if pattern.capture_names().flatten().next().is_none() {
            return Err(format!("the pattern {text:?} names nothing: write `(?<order>[0-9]+)`"));
        }
        Ok(Self(pattern))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What the rules have found in a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Labels that rules have added.
    pub labels: BTreeSet<Label>,
    /// Facts that rules have added.
    pub facts: BTreeSet<String>,
    /// Ids of the rules that applied, in order.
    pub rules: Vec<String>,
    /// Ids of rules whose condition could not be answered, and why.
    pub failed: Vec<String>,
}

/// Follows the rules, in order.
#[must_use]
pub fn follow(rules: &[Rule], mut facts: Facts) -> Found {
    let mut found = Found::default();
    let mut context = None;
    for rule in rules {
        if context.is_none() {
            match condition::context(&facts) {
                Ok(fresh) => context = Some(fresh),
                Err(why) => {
                    found.failed.push(format!("{}: {why}", rule.id));
                    return found;
                }
            }
        }
        let Some(asked) = &context else { return found };
        let applies = rule.when.ask(asked).and_then(|when| match &rule.unless {
            Some(unless) if when => unless.ask(asked).map(|except| !except),
            _ => Ok(when),
        });
        match applies {
            Ok(false) => continue,
            Err(why) => {
                found.failed.push(format!("{}: {why}", rule.id));
                continue;
            }
            Ok(true) => {}
        }
        if !take(rule, &mut facts) {
            continue;
        }
        found.labels.extend(&rule.add_labels);
        found.rules.push(rule.id.clone());
        if rule.stop {
            break;
        }
        context = None;
    }
    found.facts = facts.facts;
    found
}

/// Adds what the rule adds; `false` when its pattern finds nothing.
fn take(rule: &Rule, facts: &mut Facts) -> bool {
    if let Some(Pattern(pattern)) = &rule.capture {
        let mut text = facts.subject.clone();
        text.push('\n');
        text.push_str(crate::mail::parse::head(&facts.text, MAX_TEXT));
        let Some(groups) = pattern.captures(&text) else { return false };
        for name in pattern.capture_names().flatten() {
            if let Some(group) = groups.name(name) {
                facts.captures.insert(name.to_owned(), group.as_str().chars().take(MAX_CAPTURE).collect());
            }
        }
    }
    facts.labels.extend(&rule.add_labels);
    facts.facts.extend(rule.add_facts.iter().cloned());
    facts.settle();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        rule: Vec<Rule>,
    }

    fn rules(text: &str) -> Vec<Rule> {
        toml::from_str::<File>(text).unwrap().rule
    }

    fn facts() -> Facts {
        Facts {
            subject: "Order 70155 is broken".into(),
            labels: [Label::Complaint].into(),
            ..Facts::default()
        }
    }

    #[test]
    fn a_later_rule_sees_what_an_earlier_one_has_added_and_captured() {
        let rules = rules(
            r#"
            [[rule]]
            id = "order"
            when = 'true'
            capture = 'Order (?<order>[0-9]+)'
            add-facts = ["has-order"]
            [[rule]]
            id = "old-order"
            when = '"has-order" in facts && int(capture("order")) < 80000'
            add-facts = ["old"]
            add-labels = ["panic"]
            [[rule]]
            id = "urgent"
            when = 'primary == "panic"'
            unless = 'authenticated'
            stop = true
            [[rule]]
            id = "never-reached"
            when = 'true'
            "#,
        );
        let found = follow(&rules, facts());
        assert_eq!(found.rules, ["order", "old-order", "urgent"]);
        assert_eq!(found.labels, [Label::Panic].into());
        assert!(found.facts.contains("old") && found.failed.is_empty());
    }

    #[test]
    fn a_condition_that_cannot_be_answered_is_told_and_the_others_go_on() {
        let rules = rules(
            r#"
            [[rule]]
            id = "number"
            when = 'subject == "" || int(subject) > 3'
            [[rule]]
            id = "after"
            when = '"complaint" in labels'
            "#,
        );
        let found = follow(&rules, facts());
        assert_eq!(found.rules, ["after"]);
        assert!(found.failed[0].starts_with("number: "), "{:?}", found.failed);
    }

    #[test]
    fn a_pattern_that_names_nothing_or_cannot_be_read_is_refused() {
        for bad in ["[0-9]+", "(?<x>[", "(?<x>(a{1000}){1000})"] {
            assert!(Pattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
