//! Two models on the same mails, label by label and language by language, with intervals by drawing
//! mails anew. F1 cannot fall where nothing was found before, so right answers are compared as well.

use serde::{Deserialize, Serialize};

use crate::classify::{Label, hash};
use crate::mail::Language;
use crate::train::tally::{Tally, macro_f1};

/// How often mails are drawn anew.
const ROUNDS: u64 = 300;
/// A loss of F1 smaller than this does not count, however sure it is.
const TOLERANCE: f64 = 0.02;
/// Mails with a label below which it is not judged by itself.
const LEAST_LABEL: usize = 5;

/// A figure of the model in force and of the candidate on the same mails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Label, language or `macro-F1`.
    pub name: String,
    /// Mails that count for it.
    pub mails: usize,
    /// F1 of the model in force.
    pub before: f64,
    /// F1 of the candidate.
    pub after: f64,
    /// The difference lies between here (99 %) …
    pub low: f64,
    /// … and here.
    pub high: f64,
}

impl Change {
    /// Whether it got worse beyond noise.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.mails >= LEAST_LABEL && self.high < 0.0 && self.before - self.after > TOLERANCE
    }
}

/// Both models on some mails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Mails compared on.
    pub mails: usize,
    /// Mean F1 over labels.
    pub overall: Change,
    /// By label.
    pub labels: Vec<Change>,
    /// By language, mean F1 over labels.
    pub languages: Vec<Change>,
    /// By label, the share of right answers.
    #[serde(default)]
    pub answers: Vec<Change>,
    /// Right answers of the model in force, and of the candidate, of all that are known.
    pub right: (usize, usize, usize),
    /// Threats that the model in force finds and the candidate misses.
    pub threats_lost: usize,
    /// Threats that only the candidate finds.
    pub threats_won: usize,
}

impl Comparison {
    /// The mean, the languages, the labels.
    pub fn all(&self) -> impl Iterator<Item = &Change> {
        [&self.overall].into_iter().chain(&self.languages).chain(&self.labels)
    }
}

/// A mail with what is known of it and what both models decide, label by label.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Language.
    pub language: Language,
    /// What is true, where somebody has said.
    pub truth: Vec<Option<bool>>,
    /// Decisions of the model in force.
    pub before: Vec<bool>,
    /// Decisions of the candidate.
    pub after: Vec<bool>,
}

/// Compares decisions.
#[must_use]
pub fn compare(names: &[String], trials: &[Trial]) -> Comparison {
    let all: Vec<&Trial> = trials.iter().collect();
    let threat = names.iter().position(|name| name == Label::Threat.as_str());
    let mut comparison = Comparison { mails: trials.len(), ..Comparison::default() };
    Changes { overall: comparison.overall, labels: comparison.labels, answers: comparison.answers } =
        changes(names, &all);
    let mut languages: Vec<Language> = trials.iter().map(|trial| trial.language).collect();
    languages.sort_unstable();
    languages.dedup();
    for language in languages {
        let some: Vec<&Trial> = trials.iter().filter(|trial| trial.language == language).collect();
        let overall = changes(names, &some).overall;
        comparison.languages.push(Change { name: language.to_string(), ..overall });
    }
    for trial in trials {
        for (truth, (was, is)) in trial.truth.iter().zip(trial.before.iter().zip(&trial.after)) {
            if let Some(truth) = truth {
                comparison.right.0 += usize::from(was == truth);
                comparison.right.1 += usize::from(is == truth);
                comparison.right.2 += 1;
            }
        }
        let of = |list: &[bool]| threat.and_then(|at| list.get(at)).copied().unwrap_or(false);
        if threat.and_then(|at| trial.truth.get(at).copied().flatten()) == Some(true) {
            comparison.threats_lost += usize::from(of(&trial.before) && !of(&trial.after));
            comparison.threats_won += usize::from(!of(&trial.before) && of(&trial.after));
        }
    }
    comparison
}

type Tallies = Vec<(Tally, Tally)>;

fn tallies<'t>(labels: usize, trials: impl Iterator<Item = &'t Trial>) -> Tallies {
    let mut all = vec![(Tally::default(), Tally::default()); labels];
    for trial in trials {
        let decided = trial.before.iter().zip(&trial.after);
        for (((before, after), truth), (was, is)) in all.iter_mut().zip(&trial.truth).zip(decided) {
            if let Some(truth) = truth {
                before.count(*truth, *was);
                after.count(*truth, *is);
            }
        }
    }
    all
}

fn macros(all: &Tallies) -> (f64, f64) {
    (macro_f1(all.iter().map(|(before, _)| before)), macro_f1(all.iter().map(|(_, after)| after)))
}

/// What has changed on some mails.
struct Changes {
    overall: Change,
    labels: Vec<Change>,
    answers: Vec<Change>,
}

fn changes(names: &[String], trials: &[&Trial]) -> Changes {
    let whole = tallies(names.len(), trials.iter().copied());
    let mut overall = vec![];
    let mut each = vec![(vec![], vec![]); names.len()];
    let known: Vec<usize> = (0..names.len())
        .map(|label| trials.iter().filter(|trial| matches!(trial.truth.get(label), Some(Some(_)))).count())
        .collect();
    for round in 0..ROUNDS {
        let draw = |n: u64| {
            let place = hash::mix(hash::pair(round, n)) % trials.len().max(1) as u64;
            trials.get(usize::try_from(place).ok()?).copied()
        };
        let drawn = tallies(names.len(), (0..trials.len() as u64).filter_map(draw));
        let (before, after) = macros(&drawn);
        overall.push(after - before);
        for (((f1, answers), (before, after)), known) in each.iter_mut().zip(&drawn).zip(&known) {
            f1.push(after.f1() - before.f1());
            answers.push(right(after, *known) - right(before, *known));
        }
    }
    let change = |name: &str, mails: usize, (before, after): (f64, f64), drawn: Vec<f64>| {
        let (low, high) = middle(drawn);
        Change { name: name.to_owned(), mails, before, after, low, high }
    };
    let (mut labels, mut answers) = (vec![], vec![]);
    for (((name, (before, after)), drawn), known) in names.iter().zip(&whole).zip(each).zip(known) {
        labels.push(change(name, before.present(), (before.f1(), after.f1()), drawn.0));
        answers.push(change(name, known, (right(before, known), right(after, known)), drawn.1));
    }
    Changes { overall: change("macro-F1", trials.len(), macros(&whole), overall), labels, answers }
}

/// The share of right answers.
fn right(tally: &Tally, known: usize) -> f64 {
    1.0 - count(tally.wrong()) / count(known.max(1))
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The bounds of the middle 99 %: of the dozens of figures that are looked at one in twenty would
/// otherwise fall by chance.
fn middle(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 200;
    (values.get(cut).copied().unwrap_or(0.0), values.iter().rev().nth(cut).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(mails: usize, before: impl Fn(usize) -> bool, after: impl Fn(usize) -> bool) -> Vec<Trial> {
        let trial = |n: usize| Trial {
            language: Language::En,
            truth: vec![Some(n.is_multiple_of(2))],
            before: vec![before(n)],
            after: vec![after(n)],
        };
        (0..mails).map(trial).collect()
    }

    #[test]
    fn a_loss_beyond_noise_is_seen_and_noise_is_not_taken_for_one() {
        let names = ["complaint".to_owned()];
        let right = |n: usize| n.is_multiple_of(2);
        let worse = compare(&names, &trials(200, right, |n| right(n) != n.is_multiple_of(5)));
        assert!(worse.labels[0].is_worse() && worse.overall.is_worse(), "{worse:?}");
        // as many won as lost
        let same =
            compare(&names, &trials(200, |n| right(n) != (n % 20 == 0), |n| right(n) != (n % 20 == 10)));
        assert!(!same.labels[0].is_worse(), "{same:?}");
        assert!(same.labels[0].low < 0.0 && same.labels[0].high > 0.0);
    }

    #[test]
    fn a_label_that_was_never_found_costs_answers_though_its_f1_rises() {
        let names = ["fitting".to_owned()];
        let trial = |n: usize| Trial {
            language: Language::En,
            truth: vec![Some(n.is_multiple_of(10))],
            before: vec![false],
            after: vec![n.is_multiple_of(10) || n.is_multiple_of(3)],
        };
        let comparison = compare(&names, &(0..200).map(trial).collect::<Vec<_>>());
        assert!(comparison.labels[0].after > comparison.labels[0].before && !comparison.labels[0].is_worse());
        let answers = &comparison.answers[0];
        assert!(answers.is_worse() && (answers.before - 0.9).abs() < 1e-9, "{answers:?}");
    }

    #[test]
    fn a_threat_that_is_newly_missed_is_counted() {
        let names = ["threat".to_owned()];
        let comparison = compare(&names, &trials(10, |n| n != 4, |n| n != 2));
        assert_eq!((comparison.threats_lost, comparison.threats_won), (1, 1));
    }

    #[test]
    fn what_nobody_said_is_not_counted() {
        let names = ["idea".to_owned()];
        let trial =
            Trial { language: Language::En, truth: vec![None], before: vec![true], after: vec![false] };
        assert_eq!(compare(&names, &[trial]).labels[0].mails, 0);
    }
}
