//! What counts as a correction of a verdict, and what a person's votes on a mail say together.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::rules::{LearningRules, MoveRule};
use super::{Keyword, Policy, Queue};
use crate::classify::{Label, Verdict};
use crate::time::Timestamp;

/// For each label a vote speaks about, whether the mail has it. Labels are words: some are the
/// company's own.
pub type Says = BTreeMap<String, bool>;

/// How a person said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Source {
    /// A mail was moved from one queue to another.
    Move {
        /// Folder it was in.
        from: String,
        /// Folder it is in.
        to: String,
    },
    /// Keywords were set or taken off.
    Keywords,
    /// The command `label`, or another place where a person names labels.
    Person {
        /// Who.
        author: String,
    },
    /// A mail of the audit sample: drawn, not chosen because it was wrong.
    Sample {
        /// Who.
        author: String,
    },
}

impl Source {
    /// Who said it, where that is known: a mailbox does not tell who moved a mail.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        match self {
            Self::Person { author } | Self::Sample { author } => Some(author),
            Self::Move { .. } | Self::Keywords => None,
        }
    }

    /// Two votes from the same voice are one.
    fn voice(&self) -> String {
        match self {
            Self::Move { .. } => "move".into(),
            Self::Keywords => "keywords".into(),
            Self::Person { author } | Self::Sample { author } => format!("person {author}"),
        }
    }
}

/// One thing said about a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// When.
    pub at: Timestamp,
    /// How.
    pub source: Source,
    /// What.
    pub says: Says,
    /// Part of a mass move: it does not count before somebody confirms it.
    #[serde(default)]
    pub held: bool,
}

/// What a move says.
#[must_use]
pub fn of_move(
    policy: &Policy,
    rules: &LearningRules,
    from: &str,
    to: &str,
    verdict: &Verdict,
) -> Option<Says> {
    let neutral = |folder: &str| rules.neutral.iter().any(|name| name == folder);
    if from == to || neutral(from) || neutral(to) {
        return None;
    }
    let says = if rules.moves.is_empty() {
        by_routes(policy, from, to, verdict)?
    } else {
        let rule = rules.moves.iter().find(|rule| rule.from == from && rule.to == to)?;
        let present = rule.present.iter().map(|name| (name.to_string(), true));
        present.chain(rule.absent.iter().map(|name| (name.to_string(), false))).collect()
    };
    Some(says).filter(|says: &Says| !says.is_empty())
}

/// What the labels of both queues say: those of the queue it left that chose it are not there; if the
/// new queue has one label only, that one is, and none that goes before it.
fn by_routes(policy: &Policy, from: &str, to: &str, verdict: &Verdict) -> Option<Says> {
    let left = queue_of(policy, from)?;
    let entered = queue_of(policy, to)?;
    let (of_left, of_entered) = (labels_of(policy, left), labels_of(policy, entered));
    let mut says = Says::new();
    // the labels of a queue of one's own are facts of that name, beside the label's route
    for special in &policy.specials {
        let own: Vec<&String> = special.facts.iter().collect();
        if let [name] = own.as_slice() {
            if special.queue == Some(entered) {
                says.insert((*name).clone(), true);
            } else if special.queue == Some(left) && verdict.own.iter().any(|own| own.label == **name) {
                says.insert((*name).clone(), false);
            }
        }
    }
    if let Some(primary) = verdict.primary()
        && of_left.contains(&primary)
        && !of_entered.contains(&primary)
        && says.values().all(|present| !present)
    {
        says.insert(primary.to_string(), false);
    }
    if let [only] = of_entered.iter().collect::<Vec<_>>().as_slice() {
        says.insert(only.to_string(), true);
        let before = verdict.labels.iter().filter(|found| found.label < **only);
        says.extend(before.map(|found| (found.label.to_string(), false)));
    }
    Some(says)
}

fn queue_of(policy: &Policy, folder: &str) -> Option<Queue> {
    policy.queues.0.iter().find(|(_, name)| *name == folder).map(|(queue, _)| *queue)
}

fn labels_of(policy: &Policy, queue: Queue) -> BTreeSet<Label> {
    let goes = |label: &Label| policy.routes.of(Some(*label)).queue == Some(queue);
    Label::ALL.into_iter().filter(goes).collect()
}

/// What changed keywords say: `set` are those on the mail now, `ours` those that we set.
#[must_use]
pub fn of_keywords(ours: &BTreeSet<Keyword>, set: &BTreeSet<String>, own: &[super::Name]) -> Says {
    let word = |keyword: Keyword| keyword.word();
    let mut says = Says::new();
    let mut compare = |name: &str, keyword: Keyword| {
        let is = set.iter().any(|flag| flag.eq_ignore_ascii_case(&word(keyword)));
        if is != ours.contains(&keyword) {
            says.insert(name.to_owned(), is);
        }
    };
    for label in Label::ALL {
        compare(label.as_str(), Keyword::Label(label));
    }
    for name in own {
        compare(name.as_str(), Keyword::Own(*name));
    }
    says
}

/// A whole statement: these labels, and none of the others.
#[must_use]
pub fn of_person(labels: &[String], own: &[String]) -> Says {
    let all = Label::ALL.iter().map(ToString::to_string).chain(own.iter().cloned());
    all.map(|name| (name.clone(), labels.contains(&name))).collect()
}

/// What the votes on a mail say together: the last word on each label. On a grave label a word against
/// what was `given` counts only when another voice said the same, and nobody has taken it back since.
#[must_use]
pub fn together(votes: &[Vote], given: &[String], second_vote: &[Label]) -> Says {
    let counted: Vec<&Vote> = votes.iter().filter(|vote| !vote.held).collect();
    let mut says = Says::new();
    for vote in &counted {
        says.extend(vote.says.iter().map(|(label, present)| (label.clone(), *present)));
    }
    says.retain(|label, present| {
        if given.contains(label) == *present || !second_vote.iter().any(|grave| grave.as_str() == label) {
            return true;
        }
        let agreeing = counted.iter().filter(|vote| vote.says.get(label) == Some(present));
        agreeing.map(|vote| vote.source.voice()).collect::<BTreeSet<_>>().len() >= 2
    });
    says
}

/// The voices whose words stand in what the votes say together.
#[must_use]
pub fn standing(votes: &[Vote], says: &Says) -> Vec<String> {
    let stands = |vote: &&Vote| {
        !vote.held && vote.says.iter().all(|(label, is)| says.get(label).is_none_or(|said| said == is))
    };
    let voices = votes.iter().filter(stands).map(|vote| vote.source.voice());
    voices.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Grave labels that one voice has spoken on, and that wait for a second one.
#[must_use]
pub fn waiting(votes: &[Vote], given: &[String], second_vote: &[Label]) -> Vec<String> {
    let settled = together(votes, given, second_vote);
    let said = votes.iter().filter(|vote| !vote.held).flat_map(|vote| vote.says.keys());
    let open = said.filter(|label| !settled.contains_key(*label));
    open.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether moves at these times, the new one among them, are a mass move.
#[must_use]
pub fn is_mass(times: &[Timestamp], now: Timestamp, rules: &LearningRules) -> bool {
    let window = Duration::from_mins(u64::from(rules.mass_minutes));
    let recent = times.iter().filter(|at| now.since(**at) < window).count();
    rules.mass > 0 && recent > usize::try_from(rules.mass).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Finding;

    fn verdict(labels: &[Label]) -> Verdict {
        let labels = labels.iter().map(|label| Finding { label: *label, probability: 0.9 }).collect();
        Verdict { labels, ..Verdict::unread() }
    }

    fn said(from: &str, to: &str, labels: &[Label]) -> Option<String> {
        let says = of_move(&Policy::default(), &LearningRules::default(), from, to, &verdict(labels));
        says.map(|says| {
            let words = says.iter().map(|(label, is)| format!("{}{label}", if *is { '+' } else { '-' }));
            words.collect::<Vec<_>>().join(" ")
        })
    }

    fn vote(at: i64, source: Source, label: &str, present: bool) -> Vote {
        Vote { at: Timestamp(at), source, says: Says::from([(label.into(), present)]), held: false }
    }

    fn anna() -> Source {
        Source::Person { author: "anna".into() }
    }

    #[test]
    fn a_move_to_the_queue_of_one_label_says_that_label_and_denies_what_went_before_it() {
        use Label::{Complaint, Pricing, Threat};
        assert_eq!(said("Queue/Support", "Queue/Sales", &[Complaint]).unwrap(), "-complaint +pricing");
        assert_eq!(said("Queue/Legal", "Queue/Sales", &[Threat, Pricing]).unwrap(), "+pricing -threat");
        assert_eq!(said("Queue/Review", "Queue/Legal", &[]).unwrap(), "+threat");
    }

    #[test]
    fn a_move_to_a_queue_of_many_labels_only_denies_the_one_that_chose_the_old_queue() {
        assert_eq!(said("Queue/Legal", "Queue/Support", &[Label::Threat]).unwrap(), "-threat");
        assert_eq!(said("Queue/Review", "Queue/Support", &[]), None);
    }

    #[test]
    fn trash_archive_junk_and_unknown_folders_say_nothing() {
        for to in ["Trash", "Archive", "Junk", "Anna/later"] {
            assert_eq!(said("Queue/Support", to, &[Label::Complaint]), None, "{to}");
            assert_eq!(said(to, "Queue/Sales", &[Label::Complaint]), None, "{to}");
        }
    }

    #[test]
    fn a_list_in_the_config_replaces_what_follows_from_the_routes() {
        let name = |word: &str| crate::decide::Name::new(word).unwrap();
        let rules = LearningRules {
            moves: vec![MoveRule {
                from: "A".into(),
                to: "B".into(),
                present: vec![name("warranty")],
                absent: vec![name("praise")],
            }],
            ..LearningRules::default()
        };
        let of = |from, to| of_move(&Policy::default(), &rules, from, to, &verdict(&[]));
        assert_eq!(of("A", "B").unwrap(), Says::from([("warranty".into(), true), ("praise".into(), false)]));
        assert_eq!(of("Queue/Support", "Queue/Sales"), None);
    }

    #[test]
    fn only_keywords_that_differ_from_ours_are_votes() {
        let ours = BTreeSet::from([Keyword::Label(Label::Pricing), Keyword::Label(Label::Praise)]);
        let set = BTreeSet::from(["EK-praise".to_owned(), "ek-complaint".to_owned(), "\\Seen".to_owned()]);
        let says = of_keywords(&ours, &set, &[]);
        assert_eq!(says, Says::from([("pricing".into(), false), ("complaint".into(), true)]));
    }

    #[test]
    fn the_last_word_counts_but_a_threat_needs_two_voices() {
        let grave = [Label::Threat, Label::Abuse];
        let moved = || Source::Move { from: "a".into(), to: "b".into() };
        let mut votes = vec![vote(1, moved(), "pricing", true), vote(2, anna(), "pricing", false)];
        assert_eq!(together(&votes, &[], &grave).get("pricing"), Some(&false));
        votes.push(vote(3, anna(), "threat", true));
        votes.push(vote(4, anna(), "threat", true));
        assert_eq!(together(&votes, &[], &grave).get("threat"), None, "one voice twice");
        assert_eq!(waiting(&votes, &[], &grave), ["threat"]);
        votes.push(vote(5, moved(), "threat", true));
        assert_eq!(together(&votes, &[], &grave).get("threat"), Some(&true));
        votes.push(vote(6, anna(), "threat", false));
        assert_eq!(together(&votes, &[], &grave).get("threat"), Some(&false), "as it was given");
        let given = ["threat".to_owned()];
        assert_eq!(together(&votes, &given, &grave).get("threat"), None, "one voice takes no threat away");
    }

    #[test]
    fn whose_word_was_overruled_does_not_stand() {
        let moved = Source::Move { from: "a".into(), to: "b".into() };
        let votes = [vote(1, moved, "idea", true), vote(2, anna(), "idea", false)];
        assert_eq!(standing(&votes, &together(&votes, &[], &[])), ["person anna"]);
    }

    #[test]
    fn what_is_held_does_not_count() {
        let mut held = vote(1, anna(), "idea", true);
        held.held = true;
        assert!(together(&[held], &[], &[]).is_empty());
    }

    #[test]
    fn thirty_one_moves_in_ten_minutes_are_a_mass_move_and_thirty_in_a_day_are_not() {
        let rules = LearningRules::default();
        let fast: Vec<Timestamp> = (0..31).map(Timestamp).collect();
        assert!(is_mass(&fast, Timestamp(31), &rules) && !is_mass(&fast[1..], Timestamp(31), &rules));
        let slow: Vec<Timestamp> = (0..31).map(|n| Timestamp(n * 3_000)).collect();
        assert!(!is_mass(&slow, Timestamp(93_000), &rules));
    }

    #[test]
    fn a_person_who_names_labels_denies_the_others() {
        let says = of_person(&["idea".into(), "warranty".into()], &["warranty".into()]);
        assert_eq!(says.len(), 13);
        assert_eq!(says.values().filter(|present| **present).count(), 2);
    }
}
