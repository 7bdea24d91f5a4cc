//! Whether a candidate may take over: both models on the same mails, label by label and language by
//! language, with intervals by drawing mails anew; and what would change on the newest mails.

use serde::{Deserialize, Serialize};

use super::local::{Anchor, LocalExample, LocalFit};
use super::tally::{Tally, macro_f1};
use crate::classify::layer::Layer;
use crate::classify::{Classifier, Label, Reading, hash, probability};
use crate::decide::Policy;
use crate::mail::Language;
use crate::time::Timestamp;

/// How often mails are drawn anew.
const ROUNDS: u64 = 300;
/// A loss of F1 smaller than this does not count, however sure it is.
const TOLERANCE: f64 = 0.02;
/// Share of answers on older mails that may be lost.
const OLDER_LOST: f64 = 0.01;
/// Held-back corrections below which nothing can be said.
const LEAST_HELD_BACK: usize = 8;
/// Mails with a label below which it is not judged by itself.
const LEAST_LABEL: usize = 5;
/// New corrections below which it is not asked whether they contradict the older ones.
const LEAST_NEW: usize = 10;
/// Share of new corrections that must agree with what the rest teaches. Few do while little was
/// taught; of nonsense next to none.
const LEAST_AGREEING: f64 = 0.1;
/// Share of the newest mails that may be forwarded in addition.
const MOST_FORWARDS: f64 = 0.05;

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
    /// Right answers of the model in force, and of the candidate, of all that are known.
    pub right: (usize, usize, usize),
    /// Threats that the model in force finds and the candidate misses.
    pub threats_lost: usize,
    /// Threats that only the candidate finds.
    pub threats_won: usize,
}

/// What would be done otherwise with the newest mails, by their labels alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Mails looked at.
    pub mails: usize,
    /// Forwards that there were not.
    pub more_forwards: usize,
    /// Forwards that would no more be.
    pub fewer_forwards: usize,
    /// Mails that go to another queue.
    pub other_queue: usize,
    /// Mails whose draft follows another playbook, or that get one or none where it was otherwise.
    pub other_draft: usize,
}

/// What the gate found, and whether it opens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Whether the candidate may take over by itself.
    pub passed: bool,
    /// Why not; or what speaks for it.
    pub why: Vec<String>,
    /// On held-back mails of this inbox: corrections, and mails nobody objected to.
    pub local: Comparison,
    /// On the test part of the shipped corpus.
    pub shipped: Comparison,
    /// New corrections that agree with what all the others teach, of how many.
    pub agreeing: (usize, usize),
    /// On the newest mails.
    pub shadow: Shadow,
    /// Corrections trained on.
    pub corrections: usize,
    /// Labels that were fitted.
    pub fitted: Vec<String>,
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

/// Probability and decision per label of a mail, with or without a layer.
#[must_use]
pub fn decide(classifier: &Classifier, layer: Option<&Layer>, reading: &Reading) -> (Vec<f32>, Vec<bool>) {
    let logits = layer.map_or_else(|| reading.logits.clone(), |layer| layer.of(reading));
    let logits = reading.with_rules(&classifier.rules, logits);
    let chances: Vec<f32> = logits.iter().map(|logit| probability(*logit)).collect();
    let threshold = |place: usize| {
        let learnt = layer.and_then(|layer| layer.threshold(place, reading.language));
        let Some(label) = Label::ALL.get(place) else { return learnt.unwrap_or(0.5) };
        let set = &classifier.thresholds;
        let own = set.by_language.get(&(*label, reading.language)).or_else(|| set.by_label.get(label));
        own.copied().or(learnt).unwrap_or_else(|| classifier.model.threshold(place, reading.language))
    };
    let mut decided: Vec<bool> =
        chances.iter().enumerate().map(|(place, chance)| *chance >= threshold(place)).collect();
    // `automated` stands alone, or goes when another is surer
    if decided.first() == Some(&true) {
        let own = chances.first().copied().unwrap_or(0.0);
        let stronger = chances.iter().zip(&decided).skip(1).any(|(chance, is)| *is && *chance > own);
        for (place, is) in decided.iter_mut().enumerate() {
            *is = *is && (place == 0) != stronger;
        }
    }
    (chances, decided)
}

/// Compares decisions.
#[must_use]
pub fn compare(names: &[String], trials: &[Trial]) -> Comparison {
    let all: Vec<&Trial> = trials.iter().collect();
    let threat = names.iter().position(|name| name == Label::Threat.as_str());
    let mut comparison = Comparison { mails: trials.len(), ..Comparison::default() };
    (comparison.overall, comparison.labels) = changes(names, &all);
    let mut languages: Vec<Language> = trials.iter().map(|trial| trial.language).collect();
    languages.sort_unstable();
    languages.dedup();
    for language in languages {
        let some: Vec<&Trial> = trials.iter().filter(|trial| trial.language == language).collect();
        let (overall, _) = changes(names, &some);
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

/// The change of the mean F1, and of each label.
fn changes(names: &[String], trials: &[&Trial]) -> (Change, Vec<Change>) {
    let whole = tallies(names.len(), trials.iter().copied());
    let mut overall = vec![];
    let mut each = vec![vec![]; names.len()];
    for round in 0..ROUNDS {
        let draw = |n: u64| {
            let place = hash::mix(hash::pair(round, n)) % trials.len().max(1) as u64;
            trials.get(usize::try_from(place).ok()?).copied()
        };
        let drawn = tallies(names.len(), (0..trials.len() as u64).filter_map(draw));
        let (before, after) = macros(&drawn);
        overall.push(after - before);
        for (all, (before, after)) in each.iter_mut().zip(&drawn) {
            all.push(after.f1() - before.f1());
        }
    }
    let change = |name: &str, mails: usize, (before, after): (f64, f64), drawn: Vec<f64>| {
        let (low, high) = middle(drawn);
        Change { name: name.to_owned(), mails, before, after, low, high }
    };
    let labels = names.iter().zip(&whole).zip(each).map(|((name, (before, after)), drawn)| {
        change(name, before.present(), (before.f1(), after.f1()), drawn)
    });
    let labels = labels.collect();
    (change("macro-F1", trials.len(), macros(&whole), overall), labels)
}

/// The bounds of the middle 99 %: of the dozens of figures that are looked at one in twenty would
/// otherwise fall by chance.
fn middle(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 200;
    (values.get(cut).copied().unwrap_or(0.0), values.iter().rev().nth(cut).copied().unwrap_or(0.0))
}

/// What a candidate is measured against and on.
pub struct Match<'a> {
    /// The shipped model with rules and thresholds.
    pub classifier: &'a Classifier,
    /// The layer in force.
    pub before: Option<&'a Layer>,
    /// The candidate.
    pub candidate: &'a LocalFit,
    /// What people said, all of it.
    pub locals: &'a [LocalExample],
    /// The held-back part of the shipped corpus.
    pub anchors: &'a [Anchor],
    /// The newest mails.
    pub recent: &'a [Reading],
    /// Routes, for what would be done otherwise.
    pub policy: &'a Policy,
    /// When the layer in force was trained: what was said since is new.
    pub since: Timestamp,
}

impl Match<'_> {
    fn trial(&self, reading: &Reading, truth: Vec<Option<bool>>) -> Trial {
        let labels = truth.len();
        let mut before = decide(self.classifier, self.before, reading).1;
        before.resize(labels, false);
        let after = decide(self.classifier, Some(&self.candidate.layer), reading).1;
        Trial { language: reading.language, truth, before, after }
    }

    /// Both models on the corrections that never train, those said before `until` only.
    #[must_use]
    pub fn on_held_back(&self, until: Option<Timestamp>) -> Comparison {
        let names = self.candidate.layer.names();
        let held_back = self.locals.iter().filter(|one| one.is_held_back());
        let chosen = held_back.filter(|one| until.is_none_or(|until| one.at < until));
        let trials: Vec<Trial> = chosen
            .map(|one| {
                let truth = names.iter().map(|name| one.says.get(name).copied()).collect();
                self.trial(&one.reading, truth)
            })
            .collect();
        compare(&names, &trials)
    }

    fn on_shipped(&self) -> Comparison {
        let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).collect();
        let tests = self.anchors.iter().filter(|anchor| !anchor.steadies);
        let trials: Vec<Trial> = tests
            .map(|one| self.trial(&one.reading, one.labels.iter().map(|is| Some(*is)).collect()))
            .collect();
        compare(&names, &trials)
    }

    /// New corrections that agree with what all the others teach.
    fn agreeing(&self) -> (usize, usize) {
        let layer = &self.candidate.layer;
        let names = layer.names();
        let (mut agreeing, mut all) = (0, 0);
        for (place, label, chance) in &self.candidate.out_of_fold {
            let (Some(one), Some(name)) = (self.locals.get(*place), names.get(*label)) else { continue };
            let Some(said) = one.says.get(name).filter(|_| one.at >= self.since) else { continue };
            if one.given.contains(name) == *said {
                continue;
            }
            let threshold = layer
                .threshold(*label, one.reading.language)
                .unwrap_or_else(|| self.classifier.model.threshold(*label, one.reading.language));
            all += 1;
            agreeing += usize::from((*chance >= threshold) == *said);
        }
        (agreeing, all)
    }

    fn shadow(&self) -> Shadow {
        let mut shadow = Shadow { mails: self.recent.len(), ..Shadow::default() };
        for reading in self.recent {
            let route = |layer: Option<&Layer>| {
                let decided = decide(self.classifier, layer, reading).1;
                let primary =
                    Label::ALL.into_iter().zip(&decided).find(|(_, is)| **is).map(|(label, _)| label);
                (primary, self.policy.routes.of(primary))
            };
            let (was, before) = route(self.before);
            let (is, after) = route(Some(&self.candidate.layer));
            let more = |a: &[crate::decide::Desk], b: &[crate::decide::Desk]| {
                a.iter().filter(|desk| !b.contains(desk)).count()
            };
            shadow.more_forwards += more(&after.forward, &before.forward);
            shadow.fewer_forwards += more(&before.forward, &after.forward);
            shadow.other_queue += usize::from(before.queue != after.queue);
            shadow.other_draft += usize::from(was != is);
        }
        shadow
    }

    /// Runs every test.
    #[must_use]
    pub fn gate(&self) -> Gate {
        let mut gate = Gate {
            local: self.on_held_back(None),
            shipped: self.on_shipped(),
            agreeing: self.agreeing(),
            shadow: self.shadow(),
            corrections: self.locals.iter().filter(|one| one.is_correction()).count(),
            fitted: self.candidate.fitted.clone(),
            ..Gate::default()
        };
        let mut why = vec![];
        if gate.fitted.is_empty() {
            why.push("no label has enough corrections to be learnt".to_owned());
        }
        let spoken = self.locals.iter().filter(|one| one.is_held_back() && !one.silent).count();
        if spoken < LEAST_HELD_BACK {
            why.push(format!(
                "{spoken} corrections are held back to compare on; {LEAST_HELD_BACK} are needed"
            ));
        } else if gate.local.right.1 <= gate.local.right.0 {
            why.push("nothing is gained on the mails that are held back".to_owned());
        }
        if gate.shipped.mails == 0 {
            why.push("the shipped corpus is not there to test on; set [learning] corpus".to_owned());
        }
        let older = self.on_held_back(Some(self.since));
        if older.mails >= LEAST_HELD_BACK && lost(older.right) > OLDER_LOST {
            why.push(format!(
                "of {} answers on held-back mails from before the last training {} were right, {} would be",
                older.right.2, older.right.0, older.right.1
            ));
        }
        for (place, comparison) in [("corrections", &gate.local), ("the shipped test part", &gate.shipped)] {
            let all = comparison.labels.iter().chain(&comparison.languages).chain([&comparison.overall]);
            for change in all.filter(|change| change.is_worse()) {
                why.push(format!(
                    "on {place} {} falls from {:.3} to {:.3} ({:+.3} to {:+.3})",
                    change.name, change.before, change.after, change.low, change.high
                ));
            }
            if comparison.threats_lost > 0 {
                why.push(format!("on {place} {} threats are newly missed", comparison.threats_lost));
            }
        }
        let (agreeing, new) = gate.agreeing;
        if new >= LEAST_NEW && share(agreeing, new) < LEAST_AGREEING {
            why.push(format!(
                "of {new} new corrections {agreeing} agree with what the others teach: is somebody mistaken?"
            ));
        }
        if share(gate.shadow.more_forwards, gate.shadow.mails) > MOST_FORWARDS {
            why.push(format!(
                "{} of the {} newest mails would be forwarded in addition",
                gate.shadow.more_forwards, gate.shadow.mails
            ));
        }
        gate.passed = why.is_empty();
        if gate.passed {
            why.push(format!(
                "of {} answers on held-back mails {} are right, before {}",
                gate.local.right.2, gate.local.right.1, gate.local.right.0
            ));
        }
        gate.why = why;
        gate
    }
}

/// Share of answers that were right and would be no more, less those won.
fn lost((before, after, all): (usize, usize, usize)) -> f64 {
    share(before.saturating_sub(after), all)
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
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
