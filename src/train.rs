//! Offline: from a corpus to a model, and from model and corpus to figures.

pub mod bootstrap;
pub mod card;
pub mod corpus;
pub mod counts;
pub mod csr;
mod cut;
pub mod evaluate;
mod fit;
pub mod gate;
pub mod gist;
pub mod inbox;
pub mod local;
pub mod report;
mod softmax;
mod stack;
pub mod subspace;
pub mod tally;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::card::Scores;
use self::evaluate::{Figures, Judged};
use crate::classify::features::{Block, VERSION};
use crate::classify::label::Label;
use crate::classify::lexicon::Lexicon;
use crate::classify::model::{Model, ModelError};
use crate::classify::rules::Rules;

pub use card::Card;
pub use corpus::{CorpusProblem, Example};
pub use counts::BlockWeights;
pub use fit::{OutOfFold, Step};

/// Why no model could be made.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Problems of the corpus, each with file and line.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Corpus(Vec<CorpusProblem>),
    /// The fit is impossible.
    #[error(transparent)]
    Fit(#[from] subspace::FitError),
    /// The model does not read back what was written, which a test excludes.
    #[error(transparent)]
    Model(#[from] ModelError),
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
    /// Where the model goes.
    pub model: PathBuf,
    /// Where its card goes.
    pub card: PathBuf,
    /// Where the out-of-fold judgements go, a JSON line a mail: what to read between two rounds.
    pub judgements: Option<PathBuf>,
    /// Names of the labels in order of precedence.
    pub labels: Vec<String>,
    /// How blocks of features are weighed.
    pub blocks: BlockWeights,
    /// How strongly weights are held down.
    pub ridges: Ridges,
    /// Parts for out-of-fold scores.
    pub folds: u64,
    /// Choose the ridges by out-of-fold log-loss, which takes several times as long.
    pub tune: bool,
    /// Hold no mail back: the model is measured on another corpus.
    pub all: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            corpus: vec!["data/corpus".into()],
            model: "models/evenkeel.model".into(),
            card: "models/evenkeel.card.toml".into(),
            judgements: None,
            labels: Label::ALL.iter().map(ToString::to_string).collect(),
            blocks: BlockWeights::default(),
            ridges: Ridges { views: [0.03, 0.03, 0.3], stack: 50.0 },
            folds: 5,
            tune: false,
            all: false,
        }
    }
}

/// Ridges of both stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ridges {
    /// Of the first stage, per view.
    pub views: [f64; Block::VIEWS],
    /// Of the second stage.
    pub stack: f64,
}

/// A trained model with the out-of-fold scores it was calibrated on.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Out-of-fold probabilities of the training mails.
    pub out_of_fold: OutOfFold,
    /// The ridges it was fitted with.
    pub ridges: Ridges,
}

/// Reads the corpus, trains, and writes model and card: the same corpus gives the same bytes.
///
/// # Errors
/// All problems of the corpus at once, each with file and line; a lexicon or fit that is
/// impossible; a file that cannot be written.
pub fn train(
    options: &TrainOptions,
    lexicon: &Lexicon,
    rules: &Rules,
    progress: &mut dyn FnMut(Step),
) -> Result<Card, TrainError> {
    let examples = read_corpus(options)?;
    let trained = fit(options, &examples, lexicon, rules, progress)?;
    let bytes = trained.model.to_bytes();
    let model = Model::of_any_taxonomy(&bytes)?;
    let held_back: Vec<&Example> =
        examples.iter().filter(|example| !options.all && example.is_held_back()).collect();
    let mut languages: Vec<String> = examples.iter().map(|example| example.language.to_string()).collect();
    languages.sort();
    languages.dedup();
    let figures = |judged: &[Judged<'_>]| Scores::of(&Figures::of(&options.labels, judged));
    let out_of_fold = evaluate::judge_out_of_fold(&model, &trained.out_of_fold, &examples);
    let card = Card {
        features_version: VERSION,
        model_sha256: model.sha256().to_owned(),
        model_bytes: bytes.len(),
        features: model.features(),
        concepts: lexicon.names().len(),
        rules: rules.all().len(),
        labels: options.labels.clone(),
        languages,
        corpus: card::Corpus {
            mails: examples.len(),
            held_back: held_back.len(),
            sha256: corpus::checksum(&examples),
        },
        folds: options.folds,
        ridges: trained.ridges,
        out_of_fold: figures(&out_of_fold),
        held_back: figures(&evaluate::judge(&model, rules, held_back)),
    };
    write(&options.model, &bytes)?;
    write(&options.card, card.to_toml().as_bytes())?;
    if let Some(file) = &options.judgements {
        write(file, evaluate::json_lines(&options.labels, &out_of_fold).as_bytes())?;
    }
    Ok(card)
}

/// Trains on the examples that are not held back, in memory.
///
/// # Errors
/// When there are too few mails or the fit is impossible.
pub fn fit(
    options: &TrainOptions,
    examples: &[Example],
    lexicon: &Lexicon,
    rules: &Rules,
    progress: &mut dyn FnMut(Step),
) -> Result<Trained, TrainError> {
    fit::fit(options, examples, lexicon, rules, progress)
}

/// Reads the corpus of `options`.
///
/// # Errors
/// All problems at once, each with file and line.
pub fn read_corpus(options: &TrainOptions) -> Result<Vec<Example>, TrainError> {
    corpus::read(&options.corpus, &options.labels).map_err(TrainError::Corpus)
}

/// Writes the whole file or nothing: whoever interrupts keeps the old one.
fn write(file: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let written = std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, file));
    written.map_err(|error| TrainError::File { file: file.to_owned(), error })
}
