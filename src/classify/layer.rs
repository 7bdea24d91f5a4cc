//! What was learnt from an inbox: a linear layer on the log-odds of the shipped model and on the ids
//! of a [`Reading`]. The shipped model stays as it is underneath; taking the layer away is going
//! back.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::model::{LANGUAGES, Model, checksum};
use super::reading::{self, KINDS, Reading};
use super::score::Scratch;
use crate::mail::{Language, Mail};

/// Length of a row of ids: what they say against the shipped log-odds, under one ridge.
const LENGTH: f32 = 2.0;

/// Most labels of one's own.
pub const MOST_OWN: usize = 16;

/// A layer file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
    /// The content is not what its name says.
    #[error("the learnt model {name} is damaged: its SHA-256 is {found}; roll back or train again")]
    Damaged {
        /// The hash it is filed under.
        name: String,
        /// The hash of its content.
        found: String,
    },
    /// It was not written by this program.
    #[error("the learnt model cannot be read: {0}; roll back or train again with `evenkeel train --local`")]
    Foreign(String),
    /// It lies on another shipped model.
    #[error(
        "the learnt model lies on the shipped model {found}, this program ships {expected}; train again with `evenkeel train --local`"
    )]
    Base {
        /// Beneath it.
        found: String,
        /// Shipped.
        expected: String,
    },
}

/// The layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// Version of the ids.
    pub version: u32,
    /// SHA-256 of the model beneath it.
    pub base: String,
    /// Labels of one's own, after the shipped ones.
    pub own: Vec<String>,
    /// Known ids, ascending.
    pub ids: Vec<u32>,
    /// How much each counts: rare ones more.
    pub factors: Vec<f32>,
    /// What an unknown id counts.
    pub unknown: f32,
    /// How much each kind of id counts.
    pub kinds: [f32; KINDS],
    /// Label by label a weight per shipped log-odds.
    pub inputs: Vec<f32>,
    /// Id by id a weight per label.
    pub weights: Vec<f32>,
    /// A bias per label.
    pub bias: Vec<f32>,
    /// Label by label a threshold per language; 0: that of the model beneath.
    pub thresholds: Vec<f32>,
}

/// Log-odds with the layer, and buffers.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// Log-odds before the layer; empty without one.
    pub(crate) before: Vec<f32>,
    /// Log-odds of one's own labels.
    pub(crate) own: Vec<f32>,
    ids: Vec<u32>,
}

impl Layer {
    /// A layer that changes nothing.
    #[must_use]
    pub fn nothing(base: &str, own: Vec<String>) -> Self {
        let labels = Label::COUNT + own.len();
        let inputs = (0..labels * Label::COUNT)
            .map(|at| f32::from(u8::from(at % Label::COUNT == at / Label::COUNT)))
            .collect();
        Self {
            version: reading::VERSION,
            base: base.to_owned(),
            bias: vec![0.0; labels],
            thresholds: vec![0.0; labels * LANGUAGES.len()],
            kinds: [1.0; KINDS],
            inputs,
            own,
            ..Self::default()
        }
    }

    /// How many labels it knows.
    #[must_use]
    pub fn labels(&self) -> usize {
        Label::COUNT + self.own.len()
    }

    /// The names of its labels.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        Label::ALL.iter().map(ToString::to_string).chain(self.own.iter().cloned()).collect()
    }

    /// The layer as a file: the same layer gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The name of a file with this content: SHA-256 in hexadecimal.
    #[must_use]
    pub fn name_of(bytes: &[u8]) -> String {
        checksum(bytes)
    }

    /// Reads the file `name` for the shipped model `base`.
    ///
    /// # Errors
    /// When the content does not fit its name, this program, or the model.
    pub fn from_bytes(name: &str, bytes: &[u8], base: &str) -> Result<Self, LayerError> {
        let found = checksum(bytes);
        if found != name {
            return Err(LayerError::Damaged { name: name.to_owned(), found });
        }
        let layer: Self =
            serde_json::from_slice(bytes).map_err(|error| LayerError::Foreign(error.to_string()))?;
        if layer.base != base {
            return Err(LayerError::Base { found: layer.base, expected: base.to_owned() });
        }
        let labels = layer.labels();
        let finite = [&layer.factors, &layer.inputs, &layer.weights, &layer.bias, &layer.thresholds]
            .iter()
            .all(|list| list.iter().all(|x| x.is_finite()));
        let whole = layer.version == reading::VERSION
            && layer.own.len() <= MOST_OWN
            && layer.ids.is_sorted()
            && layer.factors.len() == layer.ids.len()
            && layer.inputs.len() == labels * Label::COUNT
            && layer.weights.len() == labels * layer.ids.len()
            && layer.bias.len() == labels
            && layer.thresholds.len() == labels * LANGUAGES.len()
            && layer.unknown.is_finite()
            && finite;
        if whole { Ok(layer) } else { Err(LayerError::Foreign("its parts do not fit together".to_owned())) }
    }

    /// Its threshold of a label, if it has one.
    #[must_use]
    pub fn threshold(&self, label: usize, language: Language) -> Option<f32> {
        let place = LANGUAGES.iter().position(|known| *known == language).unwrap_or(LANGUAGES.len() - 1);
        self.thresholds.get(label * LANGUAGES.len() + place).copied().filter(|x| *x > 0.0)
    }

    /// The places of known ids with their values; together a row of length `LENGTH` at most, less the
    /// more of the mail is unknown.
    pub fn row<'a>(&'a self, ids: &'a [u32]) -> impl Iterator<Item = (usize, f32)> + 'a {
        let factor = |id: &u32| {
            let kind = self.kinds.get(reading::kind(*id)).copied().unwrap_or(1.0);
            let place = self.ids.binary_search(id).ok();
            let known = place.and_then(|place| self.factors.get(place)).copied().unwrap_or(self.unknown);
            (place, known * kind)
        };
        let norm: f32 = ids.iter().map(|id| factor(id).1.powi(2)).sum();
        let scale = if norm > 0.0 { LENGTH / norm.sqrt() } else { 0.0 };
        ids.iter().filter_map(move |id| {
            let (place, value) = factor(id);
            Some((place?, value * scale))
        })
    }

    /// Log-odds of all its labels from the shipped ones and the ids of a mail.
    #[must_use]
    pub fn logits(&self, before: &[f32], ids: &[u32]) -> Vec<f32> {
        let labels = self.labels();
        let mut out: Vec<f32> = self
            .inputs
            .chunks_exact(Label::COUNT)
            .zip(&self.bias)
            .map(|(row, bias)| bias + row.iter().zip(before).map(|(w, x)| w * x).sum::<f32>())
            .collect();
        for (place, value) in self.row(ids) {
            let row = self.weights.get(place * labels..(place + 1) * labels).unwrap_or_default();
            for (sum, weight) in out.iter_mut().zip(row) {
                *sum += value * weight;
            }
        }
        out
    }

    /// Log-odds of a reading.
    #[must_use]
    pub fn of(&self, reading: &Reading) -> Vec<f32> {
        self.logits(&reading.logits, &reading.ids)
    }
}

impl Model {
    /// Lays `layer` on the model, or takes the one it has away.
    pub fn set_layer(&mut self, layer: Option<Layer>) {
        self.layer = layer.map(std::sync::Arc::new);
    }

    /// What was learnt here, if anything.
    #[must_use]
    pub fn layer(&self) -> Option<&Layer> {
        self.layer.as_deref()
    }

    /// Changes the log-odds in `scratch` by what was learnt; without a layer nothing is done.
    pub(super) fn apply_layer(&self, scratch: &mut Scratch) {
        scratch.learnt.before.clear();
        scratch.learnt.own.clear();
        let Some(layer) = self.layer.as_deref() else { return };
        let mut ids = std::mem::take(&mut scratch.learnt.ids);
        reading::ids(self, scratch, &mut ids);
        let before: Vec<f32> =
            scratch.logits.iter().map(|x| x.clamp(-reading::BOUND, reading::BOUND)).collect();
        let after = layer.logits(&before, &ids);
        scratch.learnt.before.extend(&scratch.logits);
        let (shipped, own) = after.split_at_checked(Label::COUNT).unwrap_or((&after, &[]));
        scratch.logits.clear();
        scratch.logits.extend(shipped);
        scratch.learnt.own.extend(own);
        scratch.learnt.ids = ids;
    }

    /// The labels of one's own that were found in the mail last scored, with their probabilities.
    #[must_use]
    pub fn own_found(&self, scratch: &Scratch, language: Language) -> Vec<super::OwnFinding> {
        let Some(layer) = self.layer.as_deref() else { return vec![] };
        let found =
            (Label::COUNT..).zip(&layer.own).zip(&scratch.learnt.own).map(|((place, name), logit)| {
                let probability = super::probability(*logit);
                let present = probability >= layer.threshold(place, language).unwrap_or(0.5);
                present.then(|| super::OwnFinding { label: name.clone(), probability })
            });
        found.flatten().collect()
    }

    /// What the words of the mail last scored add to a label through the layer, and what else the
    /// layer adds; together the difference it makes.
    pub(super) fn learnt_shares(
        &self,
        label: usize,
        mail: &Mail,
        scratch: &mut Scratch,
    ) -> Vec<(String, f32)> {
        let Some(layer) = self.layer.as_deref() else { return vec![] };
        scratch.text.read(mail, &self.lexicon);
        let mut ids = std::mem::take(&mut scratch.learnt.ids);
        reading::ids(self, scratch, &mut ids);
        let labels = layer.labels();
        let weight =
            |place: usize, value: f32| value * layer.weights.get(place * labels + label).unwrap_or(&0.0);
        let by_id: std::collections::BTreeMap<u32, f32> = layer
            .row(&ids)
            .filter_map(|(place, value)| Some((*layer.ids.get(place)?, weight(place, value))))
            .collect();
        let mut words = std::collections::BTreeMap::<String, f32>::new();
        let mut seen = std::collections::BTreeSet::new();
        reading::each(self, scratch, &mut |id, word| {
            if let Some(share) = by_id.get(&id).filter(|_| !word.is_empty() && seen.insert(id)) {
                *words.entry(word.to_owned()).or_default() += share;
            }
        });
        scratch.learnt.ids = ids;
        let difference = match (scratch.logits.get(label), scratch.learnt.before.get(label)) {
            (Some(after), Some(before)) => after - before,
            _ => 0.0,
        };
        let told: f32 = words.values().sum();
        words.into_iter().chain([(String::new(), difference - told)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Classifier, EvidenceKind, explain};

    fn mail() -> Mail {
        Mail::from_message(
            "Ann",
            "",
            "Brummkiste",
            "The Brummkiste hums again. Please have a look at it soon.",
        )
    }

    /// A layer in which the word speaks for a complaint.
    fn layer(model: &Model) -> Layer {
        let mut layer = Layer::nothing(model.sha256(), vec!["hum".into()]);
        let reading = model.reading(&mut Scratch::default(), &mail());
        layer.factors = vec![1.0; reading.ids.len()];
        layer.unknown = 1.0;
        layer.weights = vec![0.0; reading.ids.len() * layer.labels()];
        for row in layer.weights.chunks_exact_mut(13) {
            row[Label::Complaint as usize] = 0.2;
            row[12] = 3.0;
        }
        layer.ids = reading.ids;
        layer
    }

    #[test]
    fn a_layer_of_nothing_changes_nothing() {
        let mut classifier = Classifier::shipped().unwrap();
        let before = classifier.classify(&mail());
        classifier.model.set_layer(Some(Layer::nothing(classifier.model.sha256(), vec![])));
        let after = classifier.classify(&mail());
        assert_eq!(before.labels.len(), after.labels.len());
        assert!(before.scores.iter().zip(after.scores).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn what_was_learnt_is_told_and_adds_up_to_the_log_odds() {
        let mut classifier = Classifier::shipped().unwrap();
        let before = classifier.classify(&mail()).score(Label::Complaint);
        let layer = layer(&classifier.model);
        classifier.model.set_layer(Some(layer));
        let after = classifier.classify(&mail());
        assert!(after.score(Label::Complaint) > before);
        assert_eq!(after.own[0].label, "hum");
        let all = explain::full(Label::Complaint, &mail(), &classifier.model, &classifier.rules);
        assert!(all.iter().any(|one| one.id == "learnt" && one.text == "brummkiste"), "{all:#?}");
        let sum: f32 = all.iter().map(|one| one.weight).sum();
        let logit = (after.score(Label::Complaint) / (1.0 - after.score(Label::Complaint))).ln();
        assert!((sum - logit).abs() < 0.02, "{sum} against {logit}");
        assert!(all.iter().all(|one| one.kind == EvidenceKind::Model || !one.id.is_empty()));
    }

    #[test]
    fn a_damaged_or_foreign_layer_is_refused() {
        let model = Model::shipped().unwrap();
        let bytes = layer(&model).to_bytes();
        let name = Layer::name_of(&bytes);
        assert_eq!(Layer::from_bytes(&name, &bytes, model.sha256()).unwrap(), layer(&model));
        let mut bad = bytes.clone();
        bad[40] ^= 1;
        assert!(matches!(Layer::from_bytes(&name, &bad, model.sha256()), Err(LayerError::Damaged { .. })));
        assert!(matches!(Layer::from_bytes(&name, &bytes, "other"), Err(LayerError::Base { .. })));
        let foreign = b"{}".to_vec();
        let name = Layer::name_of(&foreign);
        assert!(matches!(Layer::from_bytes(&name, &foreign, model.sha256()), Err(LayerError::Foreign(_))));
    }
}
