//! The trained model: rows of weights by feature key, and how scores become log-odds.

mod format;
mod known;
mod rows;

use sha2::{Digest, Sha256};

use self::known::Known;
pub use rows::{Lanes, Rows};

use super::features::Block;
use super::form;
use super::label::Label;
use super::lexicon::Lexicon;
use super::mixed;
use crate::mail::Language;

/// The model that comes with the program.
const SHIPPED: &[u8] = include_bytes!("../../models/evenkeel.model");

/// A model file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Not a model file.
    #[error("not a model file: it does not begin with `EVENKEEL`; give the file that `evenkeel train` wrote")]
    Magic,
    /// The trailer does not match.
    #[error("model damaged: its checksum does not match; copy it again or train it anew")]
    Damaged,
    /// Made for other features.
    #[error(
        "model has features version {found}, this program reads {expected}; train it anew with this program"
    )]
    Version {
        /// In the file.
        found: u32,
        /// Understood here.
        expected: u32,
    },
    /// Made for other labels.
    #[error("model knows the labels {found}, expected {expected}; train it on a corpus with these labels")]
    Labels {
        /// In the file.
        found: String,
        /// Expected here.
        expected: String,
    },
    /// The checksum matches, the content makes no sense.
    #[error("model inconsistent at {0}; train it anew with this program")]
    Inconsistent(&'static str),
}

/// How scores of the mail and its sentences, and its form, become one log-odds per label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    /// Label by label: a weight per input.
    pub weights: Vec<f32>,
    /// A log-odds per label.
    pub bias: Vec<f32>,
}

/// A trained model. Made by [`crate::train`], read from bytes.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub(crate) labels: Vec<String>,
    /// Whether a mail has exactly one label.
    pub(crate) exclusive: bool,
    pub(crate) lexicon: Lexicon,
    pub(crate) blocks: [Rows; Block::COUNT],
    /// What an unknown feature adds to the squared norm of its block.
    pub(crate) unknown: [f32; Block::COUNT],
    /// What is added to every squared norm: little text is little evidence.
    pub(crate) smoothing: [f32; Block::COUNT],
    /// View by view a bias per label.
    pub(crate) bias: Vec<f32>,
    pub(crate) stack: Stack,
    /// Label by label: a threshold per language, [`LANGUAGES`] in order.
    pub(crate) thresholds: Vec<f32>,
    /// Known words, sorted.
    pub(crate) words: Vec<String>,
    pub(crate) known: Known,
    pub(crate) sha256: String,
    /// What was learnt from the inbox.
    pub(crate) layer: Option<std::sync::Arc<super::Layer>>,
}

/// The languages a threshold can be set for, in order.
pub const LANGUAGES: [Language; 5] =
    [Language::En, Language::Es, Language::Ru, Language::Uk, Language::Other];

impl Model {
    /// Most labels a model may have.
    pub const MAX_LABELS: usize = 1_024;

    /// Scores of a mail that the second stage reads, per label and view.
    pub(crate) const POOLS: usize = 3;

    /// The model that comes with the program.
    ///
    /// # Errors
    /// When the shipped file is broken, which a test excludes.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::from_bytes(SHIPPED)
    }

    /// Reads a model of the shipped taxonomy.
    ///
    /// # Errors
    /// When the file is damaged, of another version, or has other labels.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let model = Self::of_any_taxonomy(bytes)?;
        let expected = Label::ALL.map(Label::as_str);
        if model.labels != expected {
            return Err(ModelError::Labels { found: model.labels.join(", "), expected: expected.join(", ") });
        }
        Ok(model)
    }

    /// Reads a model with any labels.
    ///
    /// # Errors
    /// When the file is damaged or of another version.
    pub fn of_any_taxonomy(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut model = format::read(bytes)?;
        model.check()?;
        model.prepare();
        Ok(model)
    }

    /// The model as a file: the same model gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format::write(self)
    }

    /// The names of its labels.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Its lexicon.
    #[must_use]
    pub const fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// SHA-256 of the file it was read from, in hexadecimal; empty for one just trained.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How many features it knows.
    #[must_use]
    pub fn features(&self) -> usize {
        self.blocks.iter().map(Rows::len).sum()
    }

    /// The threshold of the label with this number for a mail in `language`.
    #[must_use]
    pub fn threshold(&self, label: usize, language: Language) -> f32 {
        if let Some(learnt) = self.layer.as_ref().and_then(|layer| layer.threshold(label, language)) {
            return learnt;
        }
        let place = LANGUAGES.iter().position(|known| *known == language).unwrap_or(LANGUAGES.len() - 1);
        self.thresholds.get(label * LANGUAGES.len() + place).copied().unwrap_or(0.5)
    }

    /// Whether a mail has exactly one of the labels: the probabilities then add up to one.
    #[must_use]
    pub const fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// A probability per label from its log-odds.
    #[must_use]
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        probabilities_of(logits, self.exclusive)
    }

    /// Whether a word, given by its key, is known.
    #[must_use]
    pub fn knows(&self, word: u64) -> bool {
        let [words, ..] = &self.blocks;
        words.number(word).is_some()
    }

    /// How many groups of lanes hold a sum per label.
    pub(crate) const fn lanes(&self) -> usize {
        rows::chunks(self.labels.len())
    }

    /// How many numbers the second stage reads.
    pub(crate) fn inputs(&self) -> usize {
        self.scored() + mixed::count(self.labels.len(), Block::VIEWS)
    }

    /// How many of them are scores and form.
    pub(crate) const fn scored(&self) -> usize {
        self.labels.len() * Block::VIEWS * Self::POOLS + form::COUNT
    }

    fn check(&self) -> Result<(), ModelError> {
        let labels = self.labels.len();
        let whole = |is: bool, what| {
            if is { Ok(()) } else { Err(ModelError::Inconsistent(what)) }
        };
        whole((1..=Self::MAX_LABELS).contains(&labels), "labels")?;
        whole(self.bias.len() == labels * Block::VIEWS && self.stack.bias.len() == labels, "bias")?;
        whole(self.stack.weights.len() == labels * self.inputs(), "second stage")?;
        whole(self.thresholds.len() == labels * LANGUAGES.len(), "thresholds")?;
        whole(self.blocks.iter().all(|rows| rows.fits(labels)), "rows")
    }

    /// Works out once what the engine reads instead of the rows.
    pub(crate) fn prepare(&mut self) {
        self.known = Known::new(
            self.labels.len(),
            &self.words,
            &self.lexicon,
            &self.blocks,
            (&self.bias, &self.stack.weights),
        );
    }
}

/// A probability per label: each by itself, or, when a mail has exactly one, adding up to one.
pub(crate) fn probabilities_of(logits: &[f32], exclusive: bool) -> Vec<f32> {
    if !exclusive {
        return logits.iter().map(|logit| super::probability(*logit)).collect();
    }
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
