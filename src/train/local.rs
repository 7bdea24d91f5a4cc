//! Retraining on an inbox: a layer on the shipped model, fitted by linfa on what people corrected,
//! steadied by mails of the shipped corpus that the shipped model never saw.

mod example;
mod part;

use std::collections::BTreeMap;

pub use self::example::{Anchor, LocalExample, anchors, own_examples};
use self::part::{Part, fit_label, set_bias};
use super::cut;
use super::subspace::FitError;
use crate::classify::layer::Layer;
use crate::classify::model::LANGUAGES;
use crate::classify::{Classifier, Label, Reading, probability};

/// Parts for out-of-fold scores.
const FOLDS: u64 = 3;
/// How often a mail on which people have spoken counts; one of the shipped corpus counts once. There are
/// thousands of those, and dozens of these.
const WEIGHT: usize = 8;
/// How often a mail counts that nobody objected to.
const SILENT: usize = 4;
/// How much an unknown id dampens what the known ones say.
const UNKNOWN: f32 = 0.32;
/// Highest threshold of a label of one's own: new matters are told less surely than those learnt from.
const OWN_MOST: f32 = 0.35;
/// Lowest threshold of a label of one's own: of a mail in strange words next to nothing is known, and what is left
/// is how often the label occurs.
const OWN_LEAST: f32 = 0.3;
/// Mails of the shipped corpus for each of the inbox from which a label of one's own is told apart. With as many as
/// the inbox has, one in five of all mails of the corpus looked like it.
const ABSENT: usize = 4;
/// How many there are at least where the inbox itself shows little else than the label.
const ABSENT_ALONE: usize = 1_000;
/// The log-odds of a label of one's own that is not learnt.
const NEVER: f32 = -8.0;
/// Corrections of a label below which it stays as shipped.
const LEAST: usize = 4;
/// Positive examples below which a label of one's own is not learnt.
const LEAST_OWN: usize = 8;
/// Positive examples from which on a threshold is chosen anew.
const LEAST_THRESHOLD: usize = 25;

/// A layer with what is known of it from mails that it did not see.
#[derive(Clone, Debug)]
pub struct LocalFit {
    /// The layer.
    pub layer: Layer,
    /// Out-of-fold probabilities of the training part: place of the example, label, probability.
    pub out_of_fold: Vec<(usize, usize, f32)>,
    /// Labels that were fitted.
    pub fitted: Vec<String>,
}

impl LocalFit {
    /// Probabilities of the rows of a label from fits that did not see them.
    fn score(
        &mut self,
        classifier: &Classifier,
        label: usize,
        rows: &[Row<'_>],
    ) -> Result<Vec<cut::Scored>, FitError> {
        let mut scored = vec![];
        for left_out in 0..FOLDS {
            let seen: Vec<&Row<'_>> = rows.iter().filter(|row| row.fold != left_out).collect();
            let part = fit_label(&self.layer, label, &seen)?;
            for row in rows.iter().filter(|row| row.fold == left_out) {
                let logit = part.logit(&self.layer, row.reading);
                let mut all = vec![0.0; Label::COUNT];
                let chance = if let Some(place) = all.get_mut(label) {
                    *place = logit;
                    let after = row.reading.with_rules(&classifier.rules, all);
                    probability(after.get(label).copied().unwrap_or(logit))
                } else {
                    probability(logit)
                };
                self.out_of_fold.extend(row.local.map(|place| (place, label, chance)));
                let one =
                    cut::Scored { probability: chance, truth: row.truth, language: row.reading.language };
                scored.extend(std::iter::repeat_n(one, row.times));
            }
        }
        Ok(scored)
    }

    fn set_thresholds(&mut self, name: &str, label: usize, scored: &[cut::Scored]) {
        let chosen = cut::thresholds(name, scored);
        let places = self.layer.thresholds.iter_mut().skip(label * LANGUAGES.len());
        for (place, threshold) in places.zip(chosen) {
            *place = if label < Label::COUNT { threshold } else { threshold.clamp(OWN_LEAST, OWN_MOST) };
        }
    }

    /// Leaves a label as the shipped model has it, or, of one's own, never found.
    pub fn leave(&mut self, name: &str) {
        let Some(label) = self.layer.names().iter().position(|known| known == name) else { return };
        self.fitted.retain(|fitted| fitted != name);
        self.out_of_fold.retain(|(_, of, _)| *of != label);
        let mut nothing = vec![0.0; Label::COUNT + self.layer.ids.len()];
        if let Some(own) = nothing.get_mut(label).filter(|_| label < Label::COUNT) {
            *own = 1.0;
        }
        let bias = if label < Label::COUNT { 0.0 } else { NEVER };
        Part { weights: nothing, bias }.write(&mut self.layer, label);
        for threshold in self.layer.thresholds.iter_mut().skip(label * LANGUAGES.len()).take(LANGUAGES.len())
        {
            *threshold = 0.0;
        }
    }
}

/// Whether a layer ever finds a label of one's own.
pub(super) fn finds(layer: &Layer, name: &str) -> bool {
    let place = layer.names().iter().position(|known| known == name);
    place.and_then(|place| layer.bias.get(place)).is_some_and(|bias| *bias > NEVER)
}

/// One row of the fit of a label.
struct Row<'a> {
    reading: &'a Reading,
    truth: bool,
    fold: u64,
    times: usize,
    /// Place among the local examples.
    local: Option<usize>,
}

/// Fits a layer on the examples that are not held back and the anchors that steady.
///
/// # Errors
/// When linfa cannot fit.
pub fn fit(
    classifier: &Classifier,
    own: &[String],
    locals: &[LocalExample],
    anchors: &[Anchor],
) -> Result<LocalFit, FitError> {
    fitted(classifier, own, locals, anchors, true)
}

/// As [`fit`], a quarter of the work: no probabilities of mails it did not see, and so no thresholds.
///
/// # Errors
/// When linfa cannot fit.
pub(super) fn hear(
    classifier: &Classifier,
    own: &[String],
    locals: &[LocalExample],
    anchors: &[Anchor],
) -> Result<LocalFit, FitError> {
    fitted(classifier, own, locals, anchors, false)
}

fn fitted(
    classifier: &Classifier,
    own: &[String],
    locals: &[LocalExample],
    anchors: &[Anchor],
    out_of_fold: bool,
) -> Result<LocalFit, FitError> {
    let layer = Layer::nothing(classifier.model.sha256(), own.to_vec());
    let mut fit = LocalFit { layer, out_of_fold: vec![], fitted: vec![] };
    let train: Vec<(usize, &LocalExample)> =
        locals.iter().enumerate().filter(|(_, one)| !one.is_held_back()).collect();
    let steady: Vec<&Anchor> = anchors.iter().filter(|anchor| anchor.steadies).collect();
    learn_ids(&mut fit.layer, &train, &steady);
    fit.layer.weights = vec![0.0; fit.layer.ids.len() * fit.layer.labels()];
    for (label, name) in fit.layer.names().iter().enumerate() {
        let rows = rows(name, label, &train, &steady);
        if !is_enough(name, label, &train) {
            if label >= Label::COUNT {
                // never found before there is something to tell it by
                set_bias(&mut fit.layer, label, NEVER);
            }
            continue;
        }
        let scored = if out_of_fold { fit.score(classifier, label, &rows)? } else { vec![] };
        let whole = fit_label(&fit.layer, label, &rows.iter().collect::<Vec<_>>())?;
        whole.write(&mut fit.layer, label);
        let positives = rows.iter().filter(|row| row.local.is_some() && row.truth).count();
        if out_of_fold && (label >= Label::COUNT || positives >= LEAST_THRESHOLD) {
            fit.set_thresholds(name, label, &scored);
        }
        fit.fitted.push(name.clone());
    }
    Ok(fit)
}

/// Whether enough was said about a label: corrections of a shipped one, examples of one's own.
fn is_enough(name: &str, label: usize, train: &[(usize, &LocalExample)]) -> bool {
    if label >= Label::COUNT {
        return train.iter().filter(|(_, one)| one.says.get(name) == Some(&true)).count() >= LEAST_OWN;
    }
    let corrected = |one: &LocalExample| {
        one.says.get(name).is_some_and(|is| one.given.iter().any(|given| given == name) != *is)
    };
    train.iter().filter(|(_, one)| corrected(one)).count() >= LEAST
}

/// The ids of two mails and more of this inbox, and how much each counts.
fn learn_ids(layer: &mut Layer, train: &[(usize, &LocalExample)], steady: &[&Anchor]) {
    let mut frequency: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, one) in train {
        for id in &one.reading.ids {
            *frequency.entry(*id).or_default() += 1;
        }
    }
    frequency.retain(|_, count| *count >= 2);
    for anchor in steady {
        for id in &anchor.reading.ids {
            if let Some(count) = frequency.get_mut(id) {
                *count += 1;
            }
        }
    }
    let mails = super::counts::count_f32(train.len() + steady.len());
    let factor = |count: usize| ((1.0 + mails) / (1.0 + super::counts::count_f32(count))).ln() + 0.1;
    layer.factors = frequency.values().map(|count| factor(*count)).collect();
    layer.ids = frequency.into_keys().collect();
    // the rarest that is known, but a new matter in known words is still known for the most part
    layer.unknown = factor(2) * UNKNOWN;
    // words tell most; pairs and beginnings say the same again
    layer.kinds = [1.0, 0.6, 0.6, 1.0];
}

fn rows<'a>(
    name: &str,
    label: usize,
    train: &[(usize, &'a LocalExample)],
    steady: &[&'a Anchor],
) -> Vec<Row<'a>> {
    let of_inbox = train.iter().filter_map(|(place, one)| {
        let truth = *one.says.get(name)?;
        Some(Row {
            reading: &one.reading,
            truth,
            fold: one.fold(),
            times: if one.silent { SILENT } else { WEIGHT },
            local: Some(*place),
        })
    });
    // of a label of one's own the corpus knows only that it is not there
    let present = train.iter().filter(|(_, one)| one.says.get(name) == Some(&true)).count();
    let least = if present * 2 > train.len() { ABSENT_ALONE } else { 1 };
    let absent = (ABSENT * train.len()).max(least);
    let every = if label < Label::COUNT { 1 } else { steady.len().div_ceil(absent).max(1) };
    let of_corpus = steady.iter().step_by(every).map(|anchor| {
        let truth = anchor.labels.get(label).copied().unwrap_or(false);
        Row { reading: &anchor.reading, truth, fold: anchor.fold, times: 1, local: None }
    });
    of_inbox.chain(of_corpus).collect()
}
