//! Offline: from a corpus to a model, and from model and corpus to figures.

pub mod corpus;
pub mod counts;
pub mod csr;
mod cut;
pub mod evaluate;
mod fit;
mod stack;
pub mod subspace;
pub mod tally;

use std::path::PathBuf;

use crate::classify::label::Label;
use crate::classify::lexicon::{Lexicon, LexiconError};
use crate::classify::model::Model;
use crate::classify::rules::Rules;
use crate::mail::Mail;

pub use corpus::{CorpusProblem, Example};
pub use counts::BlockWeights;
pub use fit::{OutOfFold, Step};

/// Why no model could be made.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Problems of the corpus, each with file and line.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Corpus(Vec<CorpusProblem>),
    /// The lexicon cannot be used.
    #[error(transparent)]
    Lexicon(#[from] LexiconError),
    /// The fit is impossible.
    #[error(transparent)]
    Fit(#[from] subspace::FitError),
    /// Too few mails.
    #[error("{found} mails to train on, at least {least} are needed: write more")]
    TooFew {
        /// In the corpus.
        found: usize,
        /// Needed.
        least: usize,
    },
    /// A file could not be read or written.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Files and directories of the corpus.
    pub corpus: Vec<PathBuf>,
    /// Names of the labels in order of precedence.
    pub labels: Vec<String>,
    /// How blocks of features are weighed.
    pub blocks: BlockWeights,
    /// Ridge of the first stage.
    pub alpha: f64,
    /// Ridge of the second stage, on standardised inputs.
    pub stack_alpha: f64,
    /// Parts for out-of-fold scores.
    pub folds: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            corpus: vec![],
            labels: Label::ALL.iter().map(ToString::to_string).collect(),
            blocks: BlockWeights::default(),
            alpha: 0.1,
            stack_alpha: 30.0,
            folds: 5,
        }
    }
}

/// A trained model with the out-of-fold scores it was calibrated on.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Out-of-fold log-odds and decisions of the training mails.
    pub out_of_fold: OutOfFold,
}

/// Trains on `examples` that are not held back.
///
/// # Errors
/// When the lexicon is broken or there are too few mails.
pub fn train(
    options: &TrainOptions,
    examples: &[Example],
    lexicon: &Lexicon,
    rules: &Rules,
    progress: &mut dyn FnMut(Step),
) -> Result<Trained, TrainError> {
    fit::fit(options, examples, lexicon, rules, progress)
}

/// Reads the corpus of `options`; `parse` reads `.eml` files.
///
/// # Errors
/// All problems at once, each with file and line.
pub fn read_corpus(
    options: &TrainOptions,
    parse: &dyn Fn(&[u8]) -> Mail,
) -> Result<Vec<Example>, TrainError> {
    corpus::read(&options.corpus, &options.labels, parse).map_err(TrainError::Corpus)
}
