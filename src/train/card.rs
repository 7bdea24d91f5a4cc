//! The card beside a model: what it was made from and how well it does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Ridges;
use super::evaluate::Figures;
use super::tally::Tally;

/// What is known of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Card {
    /// Version of the features it reads.
    pub features_version: u32,
    /// SHA-256 of the model file.
    pub model_sha256: String,
    /// Size of the model file.
    pub model_bytes: usize,
    /// Features it knows.
    pub features: usize,
    /// Concepts and meanings of its lexicon.
    pub concepts: usize,
    /// Rules that were applied when thresholds were chosen.
    pub rules: usize,
    /// Labels in order of precedence.
    pub labels: Vec<String>,
    /// Languages of the corpus.
    pub languages: Vec<String>,
    /// The corpus.
    pub corpus: Corpus,
    /// Parts for out-of-fold scores; mails are dealt out by a hash of their id, there is no seed.
    pub folds: u64,
    /// How strongly weights were held down.
    pub ridges: Ridges,
    /// Scores of training mails by models that did not see them; thresholds were chosen on these.
    pub out_of_fold: Scores,
    /// Scores of the fifth that neither trained nor guided.
    pub held_back: Scores,
}

/// What a model was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Corpus {
    /// Mails in all.
    pub mails: usize,
    /// Of these held back.
    pub held_back: usize,
    /// SHA-256 of all mails with their labels, in order of id.
    pub sha256: String,
}

/// Figures of a model on some mails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scores {
    /// Mails.
    pub mails: usize,
    /// Mean F1 over labels.
    pub macro_f1: f64,
    /// The share of mails whose primary label is right.
    pub primary: f64,
    /// Mean F1 by language.
    pub by_language: BTreeMap<String, f64>,
    /// By label.
    pub by_label: BTreeMap<String, LabelScores>,
}

/// Figures of a model on one label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LabelScores {
    /// Mails that have it.
    pub mails: usize,
    /// Share of findings that are right.
    pub precision: f64,
    /// Share of mails with it that are found.
    pub recall: f64,
    /// F1.
    pub f1: f64,
    /// Expected calibration error.
    pub calibration_error: f64,
    /// F1 by language.
    pub by_language: BTreeMap<String, f64>,
}

impl Scores {
    /// The figures, rounded to four places.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of mails")]
    pub fn of(figures: &Figures) -> Self {
        let languages = figures.languages();
        let by_label = figures.labels.iter().zip(&figures.each).map(|(name, label)| {
            let scores = LabelScores {
                mails: label.tally.present(),
                precision: round(label.tally.precision()),
                recall: round(label.tally.recall()),
                f1: round(label.tally.f1()),
                calibration_error: round(label.calibration_error),
                by_language: label
                    .by_language
                    .iter()
                    .map(|(language, tally)| (language.to_string(), round(Tally::f1(tally))))
                    .collect(),
            };
            (name.clone(), scores)
        });
        Self {
            mails: figures.mails,
            macro_f1: round(figures.macro_f1()),
            primary: round(figures.primary as f64 / figures.mails.max(1) as f64),
            by_language: languages
                .iter()
                .map(|language| (language.to_string(), round(figures.macro_f1_in(*language))))
                .collect(),
            by_label: by_label.collect(),
        }
    }
}

impl Card {
    /// The card as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        format!("# Written by `evenkeel train` with the model beside it; do not edit.\n{text}")
    }
}

fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
