//! Whether a candidate may take over: it and the model in force on the same mails, what each voice
//! newly says against what all the others teach, and what would change on the newest mails.

pub mod comparison;
pub mod shadow;
pub mod voices;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::comparison::{Change, Comparison, Trial, compare};
pub use self::shadow::Shadow;
pub use self::voices::Voice;
use super::local::{self, Anchor, LocalExample, LocalFit};
use super::subspace::FitError;
use crate::classify::layer::Layer;
use crate::classify::{Classifier, Label, Reading, probability};
use crate::decide::Policy;
use crate::mail::Language;
use crate::time::Timestamp;

/// Share of answers on older mails that may be lost, and how many at least.
const OLDER_LOST: (f64, usize) = (0.01, 4);
/// Mails people have spoken on below which nothing can be said.
const LEAST_SPOKEN: usize = 8;
/// Share of the newest mails that may be forwarded in addition.
const MOST_FORWARDS: f64 = 0.05;

/// What the gate found, and whether it opens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gate {
    /// Whether the candidate may take over by itself.
    pub passed: bool,
    /// Why not; or what speaks for it.
    pub why: Vec<String>,
    /// On mails of this inbox that neither has learnt from, against the model in force.
    pub local: Comparison,
    /// On the test part of the shipped corpus, against the shipped model.
    pub shipped: Comparison,
    /// What each voice newly said.
    pub voices: Vec<Voice>,
    /// On the newest mails.
    pub shadow: Shadow,
    /// Corrections trained on.
    pub corrections: usize,
    /// Labels that were fitted.
    pub fitted: Vec<String>,
    /// Labels that were fitted, got worse, and were left as shipped.
    pub left: Vec<String>,
    /// Why they were.
    pub left_because: Vec<String>,
    /// Labels of the company's own that the candidate finds and the model in force does not.
    pub first: Vec<String>,
}

/// Probability and decision per label of a mail, with or without a layer.
#[must_use]
pub fn decide(classifier: &Classifier, layer: Option<&Layer>, reading: &Reading) -> (Vec<f32>, Vec<bool>) {
    let logits = layer.map_or_else(|| reading.logits.clone(), |layer| layer.of(reading));
    let logits = reading.with_rules(&classifier.rules, logits);
    let chances: Vec<f32> = logits.iter().map(|logit| probability(*logit)).collect();
    let decided = decided(classifier, layer, reading.language, &chances);
    (chances, decided)
}

fn decided(classifier: &Classifier, layer: Option<&Layer>, language: Language, chances: &[f32]) -> Vec<bool> {
    let threshold = |place: usize| {
        let learnt = layer.and_then(|layer| layer.threshold(place, language));
        let Some(label) = Label::ALL.get(place) else { return learnt.unwrap_or(0.5) };
        let set = &classifier.thresholds;
        let own = set.by_language.get(&(*label, language)).or_else(|| set.by_label.get(label));
        own.copied().or(learnt).unwrap_or_else(|| classifier.model.threshold(place, language))
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
    decided
}

/// What a candidate is measured against and on.
pub struct Match<'a> {
    /// The shipped model with rules and thresholds.
    pub classifier: &'a Classifier,
    /// The layer in force.
    pub before: Option<&'a Layer>,
    /// The candidate.
    pub candidate: LocalFit,
    /// What people said, and mails nobody objected to.
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
    fn trial(&self, before: Option<&Layer>, reading: &Reading, truth: Vec<Option<bool>>) -> Trial {
        let mut before = decide(self.classifier, before, reading).1;
        before.resize(truth.len(), false);
        let after = decide(self.classifier, Some(&self.candidate.layer), reading).1;
        Trial { language: reading.language, truth, before, after }
    }

    /// Both models on mails of this inbox that neither has learnt from: those that never train, and what
    /// came since the last training, on which the candidate is asked as it was before it saw them.
    fn on_inbox(&self) -> Comparison {
        let names = self.candidate.layer.names();
        let mut unseen: BTreeMap<usize, Vec<(usize, f32)>> = BTreeMap::new();
        for (place, label, chance) in &self.candidate.out_of_fold {
            unseen.entry(*place).or_default().push((*label, *chance));
        }
        let mut trials = vec![];
        for (place, one) in self.locals.iter().enumerate() {
            if !one.is_held_back() && one.at < self.since {
                continue;
            }
            let truth = names.iter().map(|name| one.says.get(name).copied()).collect();
            let mut trial = self.trial(self.before, &one.reading, truth);
            if !one.is_held_back() {
                let (mut chances, _) = decide(self.classifier, Some(&self.candidate.layer), &one.reading);
                for (label, chance) in unseen.get(&place).into_iter().flatten() {
                    if let Some(known) = chances.get_mut(*label) {
                        *known = *chance;
                    }
                }
                let layer = Some(&self.candidate.layer);
                trial.after = decided(self.classifier, layer, one.reading.language, &chances);
            }
            trials.push(trial);
        }
        compare(&names, &trials)
    }

    /// Both models on the mails that never train, of those from before the last training.
    fn on_older(&self) -> Comparison {
        let names = self.candidate.layer.names();
        let older = self.locals.iter().filter(|one| one.is_held_back() && one.at < self.since);
        let trials: Vec<Trial> = older
            .map(|one| {
                let truth = names.iter().map(|name| one.says.get(name).copied()).collect();
                self.trial(self.before, &one.reading, truth)
            })
            .collect();
        compare(&names, &trials)
    }

    /// The shipped model and the candidate: a little worse each week would not be seen against the model
    /// in force.
    fn on_shipped(&self) -> Comparison {
        let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).collect();
        let tests = self.anchors.iter().filter(|anchor| !anchor.steadies);
        let truth = |one: &Anchor| one.labels.iter().map(|is| Some(*is)).collect();
        let trials: Vec<Trial> =
            tests.clone().map(|one| self.trial(None, &one.reading, truth(one))).collect();
        let mut comparison = compare(&names, &trials);
        // none of these mails has a label of the company's own
        let own = &self.candidate.layer.own;
        let absent = tests.map(|one| {
            let trial = self.trial(None, &one.reading, vec![Some(false); names.len() + own.len()]);
            let own_of = |list: &[bool]| list.iter().skip(names.len()).copied().collect::<Vec<bool>>();
            let truth = vec![Some(false); own.len()];
            Trial { truth, before: own_of(&trial.before), after: own_of(&trial.after), ..trial }
        });
        comparison.answers.extend(compare(own, &absent.collect::<Vec<_>>()).answers);
        comparison
    }

    /// Runs every test. A label that got worse is left as shipped, and the rest is tested again.
    ///
    /// # Errors
    /// When linfa cannot fit the models that have not heard one of the voices.
    pub fn settle(mut self) -> Result<(LocalFit, Gate), FitError> {
        let voices = self.voices()?;
        let mut gate = self.gate(voices.clone());
        let worse = gate.worse_labels();
        if !worse.is_empty() {
            let because = self::worse(&gate);
            for name in &worse {
                self.candidate.leave(name);
            }
            gate = self.gate(voices);
            (gate.left, gate.left_because) = (worse, because);
        }
        Ok((self.candidate, gate))
    }

    fn gate(&self, voices: Vec<Voice>) -> Gate {
        let mut gate = Gate {
            local: self.on_inbox(),
            shipped: self.on_shipped(),
            voices,
            shadow: self.shadow(),
            corrections: self.locals.iter().filter(|one| one.is_correction()).count(),
            fitted: self.candidate.fitted.clone(),
            first: self.first(),
            ..Gate::default()
        };
        let mut why = self.enough(&gate);
        why.extend(self.forgotten());
        why.extend(worse(&gate));
        why.extend(gate.voices.iter().filter(|voice| voice.is_alone()).map(|voice| {
            format!(
                "of {} new answers of {} {} are possible by what everybody else teaches: is somebody mistaken?",
                voice.new, voice.name, voice.possible
            )
        }));
        if share(gate.shadow.more_forwards, gate.shadow.mails) > MOST_FORWARDS {
            why.push(format!(
                "{} of the {} newest mails would be forwarded in addition",
                gate.shadow.more_forwards, gate.shadow.mails
            ));
        }
        gate.passed = why.is_empty();
        if gate.passed {
            why.push(format!(
                "of {} answers on mails that taught neither {} are right, before {}",
                gate.local.right.2, gate.local.right.1, gate.local.right.0
            ));
        }
        gate.why = why;
        gate
    }

    /// Labels of the company's own that would be found for the first time.
    fn first(&self) -> Vec<String> {
        let was = |name: &String| self.before.is_some_and(|before| local::finds(before, name));
        let own = self.candidate.layer.own.iter();
        own.filter(|name| self.candidate.fitted.contains(name) && !was(name)).cloned().collect()
    }

    /// What is missing to say anything, or to gain anything.
    fn enough(&self, gate: &Gate) -> Vec<String> {
        let mut why = vec![];
        if gate.fitted.is_empty() {
            why.push("no label has enough corrections to be learnt".to_owned());
        }
        let compared = |one: &&LocalExample| one.is_held_back() || one.at >= self.since;
        let spoken = self.locals.iter().filter(compared).filter(|one| !one.silent).count();
        if spoken < LEAST_SPOKEN {
            why.push(format!("{spoken} corrections are there to compare on; {LEAST_SPOKEN} are needed"));
        } else if gate.local.right.1 <= gate.local.right.0 {
            why.push(format!(
                "nothing is gained: of {} answers on mails that taught neither {} are right, {} were",
                gate.local.right.2, gate.local.right.1, gate.local.right.0
            ));
        }
        if gate.shipped.mails == 0 {
            why.push("the shipped corpus is not there to test on; set [learning] corpus".to_owned());
        }
        why
    }

    fn forgotten(&self) -> Option<String> {
        let (before, after, all) = self.on_older().right;
        let lost = before.saturating_sub(after);
        (lost >= OLDER_LOST.1 && share(lost, all) > OLDER_LOST.0).then(|| {
            format!(
                "of {all} answers on held-back mails from before the last training {before} were right, {after} would be"
            )
        })
    }
}

/// What got worse beyond noise.
fn worse(gate: &Gate) -> Vec<String> {
    let mut why = vec![];
    for (place, comparison) in [("this inbox", &gate.local), ("the shipped test part", &gate.shipped)] {
        for change in comparison.all().filter(|change| change.is_worse()) {
            why.push(format!(
                "on {place} {} falls from {:.3} to {:.3} ({:+.3} to {:+.3})",
                change.name, change.before, change.after, change.low, change.high
            ));
        }
        for change in comparison.answers.iter().filter(|change| change.is_worse()) {
            why.push(format!(
                "on {place} {:.1} % of the answers about {} are right, before {:.1} %",
                change.after * 100.0,
                change.name,
                change.before * 100.0
            ));
        }
        if comparison.threats_lost > 0 {
            why.push(format!("on {place} {} threats are newly missed", comparison.threats_lost));
        }
    }
    for change in gate.too_dear() {
        why.push(format!(
            "{} would be found for the first time, and no more answers about it be right on this inbox ({:.1} %, before {:.1} %)",
            change.name,
            change.after * 100.0,
            change.before * 100.0
        ));
    }
    why
}

impl Gate {
    /// Labels that would be found for the first time and win no answers: without them nothing worse is in force.
    fn too_dear(&self) -> impl Iterator<Item = &Change> {
        let first = |change: &&Change| self.first.contains(&change.name);
        self.local.answers.iter().filter(first).filter(|change| change.after <= change.before)
    }

    /// Labels that got worse beyond noise, by F1 or by right answers, or are new and not worth it;
    /// `threat` as soon as one is newly missed.
    #[must_use]
    pub fn worse_labels(&self) -> Vec<String> {
        let both = [&self.local, &self.shipped];
        let changes = both.iter().flat_map(|one| one.labels.iter().chain(&one.answers));
        let worse = changes.filter(|change| change.is_worse()).chain(self.too_dear());
        let mut worse: Vec<String> = worse.map(|change| change.name.clone()).collect();
        if both.iter().any(|comparison| comparison.threats_lost > 0) {
            worse.push(Label::Threat.to_string());
        }
        worse.sort_unstable();
        worse.dedup();
        worse
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(won: f64, shipped: f64) -> Gate {
        let answers = |change: f64, low: f64, high: f64| {
            vec![Change { name: "fitting".into(), mails: 100, before: 0.9, after: 0.9 + change, low, high }]
        };
        Gate {
            first: vec!["fitting".into()],
            local: Comparison { answers: answers(won, won - 0.1, won + 0.1), ..Comparison::default() },
            shipped: Comparison { answers: answers(-shipped, -shipped, -shipped), ..Comparison::default() },
            ..Gate::default()
        }
    }

    #[test]
    fn a_label_found_for_the_first_time_must_be_worth_it_and_leave_other_mails_alone() {
        assert!(gate(0.01, 0.01).worse_labels().is_empty());
        assert_eq!(gate(-0.01, 0.01).worse_labels(), ["fitting"]);
        assert_eq!(gate(0.01, 0.03).worse_labels(), ["fitting"]);
        assert!(worse(&gate(0.01, 0.03))[0].contains("the shipped test part"));
        let known = Gate { first: vec![], ..gate(-0.01, 0.01) };
        assert!(known.worse_labels().is_empty(), "what is known may vary within noise");
    }
}
