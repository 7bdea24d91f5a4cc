//! Retraining on an inbox: a layer on the shipped model, fitted by linfa on what people corrected,
//! steadied by mails of the shipped corpus that the shipped model never saw.

use std::collections::BTreeMap;

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array2;

use super::corpus::Example;
use super::csr::Csr;
use super::cut;
use super::subspace::{FitError, SubspaceParams};
use crate::classify::layer::Layer;
use crate::classify::model::LANGUAGES;
use crate::classify::{Classifier, Label, Reading, Scratch, hash, probability};
use crate::time::Timestamp;

/// Parts for out-of-fold scores.
const FOLDS: u64 = 3;
/// How often a mail on which people have spoken counts; one of the shipped corpus counts once. There are
/// thousands of those, and dozens of these.
const WEIGHT: usize = 8;
/// How often a mail counts that nobody objected to.
const SILENT: usize = 4;
/// The ridge: weights are held at those of the shipped model.
const ALPHA: f64 = 0.5;
/// How much an unknown id dampens what the known ones say.
const UNKNOWN: f32 = 0.32;
/// Highest threshold of a label of one's own: new matters are told less surely than those learnt from.
const OWN_MOST: f32 = 0.35;
/// The log-odds of a label of one's own that is not learnt.
const NEVER: f32 = -8.0;
/// Subspaces searched.
const STEPS: usize = 25;
/// Corrections of a label below which it stays as shipped.
const LEAST: usize = 4;
/// Positive examples below which a label of one's own is not learnt.
const LEAST_OWN: usize = 8;
/// Positive examples from which on a threshold is chosen anew.
const LEAST_THRESHOLD: usize = 25;

/// A mail of this inbox on which people have spoken, or to whose labels nobody objected.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalExample {
    /// What it is; decides where it is used.
    pub id: String,
    /// The mail as numbers.
    pub reading: Reading,
    /// For each label somebody spoke about, whether it is there.
    pub says: BTreeMap<String, bool>,
    /// Labels it was given.
    pub given: Vec<String>,
    /// The last word was said at; when it was handled, where nobody has spoken.
    pub at: Timestamp,
    /// Whose words stand: persons, `move`, `keywords`.
    pub voices: Vec<String>,
    /// Whether nobody has spoken: what it was given is held to be right. Without these only what was
    /// wrong would be learnt from, and everything would look like it.
    pub silent: bool,
}

impl LocalExample {
    /// Whether it never trains, for good: the fourth that candidates are compared on.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        hash::mix(hash::of(&self.id) ^ 0x6e1d).is_multiple_of(4)
    }

    /// Whether somebody said otherwise than it was given.
    #[must_use]
    pub fn is_correction(&self) -> bool {
        self.says.iter().any(|(label, is)| self.given.contains(label) != *is)
    }

    fn fold(&self) -> u64 {
        hash::mix(hash::of(&self.id) ^ 0x0f01d) % FOLDS
    }
}

/// A mail of the shipped corpus that the shipped model did not see.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The mail as numbers.
    pub reading: Reading,
    /// For each shipped label whether it is there.
    pub labels: Vec<bool>,
    /// Whether it steadies the fit; the others test.
    pub steadies: bool,
    fold: u64,
}

/// Reads the held-back part of a corpus as anchors.
#[must_use]
pub fn anchors(classifier: &Classifier, examples: &[Example]) -> Vec<Anchor> {
    let mut scratch = Scratch::default();
    let held_back = examples.iter().filter(|example| example.is_held_back());
    let anchors = held_back.filter_map(|example| {
        let mut reading = classifier.reading(&mut scratch, &example.mail)?;
        reading.language = example.language;
        let key = hash::mix(hash::of(&example.id) ^ 0xa2c4);
        let labels = example.labels.clone();
        Some(Anchor { reading, labels, steadies: key.is_multiple_of(2), fold: (key >> 8) % FOLDS })
    });
    anchors.collect()
}

/// Examples of a corpus of the company's own: its labels may be shipped ones or its own.
#[must_use]
pub fn own_examples(classifier: &Classifier, examples: &[Example], names: &[String]) -> Vec<LocalExample> {
    let mut scratch = Scratch::default();
    let read = examples.iter().filter_map(|example| {
        let mut reading = classifier.reading(&mut scratch, &example.mail)?;
        reading.language = example.language;
        let says = names.iter().cloned().zip(example.labels.iter().copied()).collect();
        let id = format!("own-corpus {}", example.id);
        Some(LocalExample {
            id,
            reading,
            says,
            given: vec![],
            at: Timestamp::default(),
            voices: vec![],
            silent: false,
        })
    });
    read.collect()
}

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
            *place = if label < Label::COUNT { threshold } else { threshold.min(OWN_MOST) };
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
    // of a label of one's own the corpus knows only that it is not there: as many mails as the inbox has
    let every = if label < Label::COUNT { 1 } else { steady.len().div_ceil(train.len().max(1)).max(1) };
    let of_corpus = steady.iter().step_by(every).map(|anchor| {
        let truth = anchor.labels.get(label).copied().unwrap_or(false);
        Row { reading: &anchor.reading, truth, fold: anchor.fold, times: 1, local: None }
    });
    of_inbox.chain(of_corpus).collect()
}

/// Weights of one label.
struct Part {
    weights: Vec<f32>,
    bias: f32,
}

fn fit_label(layer: &Layer, label: usize, rows: &[&Row<'_>]) -> Result<Part, FitError> {
    let columns = Label::COUNT + layer.ids.len();
    let mut x = Csr::new(columns);
    let mut y = vec![];
    for row in rows {
        let cells = cells(layer, row.reading);
        for _ in 0..row.times {
            x.push(cells.iter().copied());
            y.push(row.truth);
        }
    }
    let mut start = vec![0.0; columns];
    if let Some(own) = start.get_mut(label).filter(|_| label < Label::COUNT) {
        *own = 1.0;
    }
    let y = Array2::from_shape_fn((y.len(), 1), |(row, _)| y.get(row).copied().unwrap_or(false));
    let bias = (label < Label::COUNT).then_some(0.0);
    let params = SubspaceParams::default().alpha(ALPHA).steps(STEPS).start(start, bias);
    let fitted = params.fit(&DatasetBase::new(x, y))?;
    Ok(Part { weights: fitted.weights, bias: fitted.bias.first().copied().unwrap_or(0.0) })
}

/// The shipped log-odds, then the known ids.
fn cells(layer: &Layer, reading: &Reading) -> Vec<(u32, f32)> {
    let logits = (0_u32..).zip(reading.logits.iter().copied().take(Label::COUNT));
    let ids = layer.row(&reading.ids);
    logits.chain(ids.filter_map(|(place, x)| Some((u32::try_from(place + Label::COUNT).ok()?, x)))).collect()
}

impl Part {
    fn logit(&self, layer: &Layer, reading: &Reading) -> f32 {
        let cells = cells(layer, reading).into_iter();
        let sum: f32 = cells.map(|(at, x)| x * self.weights.get(at as usize).copied().unwrap_or(0.0)).sum();
        self.bias + sum
    }

    fn write(&self, layer: &mut Layer, label: usize) {
        let labels = layer.labels();
        let (inputs, ids) = self.weights.split_at_checked(Label::COUNT).unwrap_or_default();
        for (place, weight) in layer.inputs.iter_mut().skip(label * Label::COUNT).zip(inputs) {
            *place = *weight;
        }
        for (row, weight) in layer.weights.chunks_exact_mut(labels).zip(ids) {
            if let Some(place) = row.get_mut(label) {
                *place = *weight;
            }
        }
        set_bias(layer, label, self.bias);
    }
}

fn set_bias(layer: &mut Layer, label: usize, bias: f32) {
    if let Some(place) = layer.bias.get_mut(label) {
        *place = bias;
    }
}
