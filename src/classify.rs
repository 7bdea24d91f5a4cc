//! From a mail to labels with probabilities and evidence. Pure: same mail, same model, same rules,
//! same verdict.

pub mod explain;
pub mod features;
pub mod label;
pub mod model;
pub mod rules;

use serde::{Deserialize, Serialize};

pub use label::Label;
pub use model::Model;
pub use rules::Rules;

use crate::mail::{Language, Mail};

/// A label that was decided to be present.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The label.
    pub label: Label,
    /// Calibrated probability, 0 to 1.
    pub probability: f32,
}

/// Where a piece of evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A term the model weighs.
    Model,
    /// A rule that matched.
    Rule,
}

/// One reason for or against a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The label it speaks for.
    pub label: Label,
    /// Model or rule.
    pub kind: EvidenceKind,
    /// The rule's id, or the kind of model feature (`word`, `pair`, …).
    pub id: String,
    /// The words of the mail it was read from.
    pub text: String,
    /// What it adds to the label's log-odds.
    pub weight: f32,
}

/// What a mail says, as far as we can tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Labels decided to be present, in order of precedence.
    pub labels: Vec<Finding>,
    /// Whether a person should look: a score in the band of doubt, a foreign language, or nothing found.
    pub review: bool,
    /// Calibrated probability of each label, indexed as [`Label::ALL`].
    pub scores: [f32; Label::COUNT],
    /// Language of the new text.
    pub language: Language,
    /// Ids of the rules that matched, in order.
    pub rules: Vec<String>,
}

impl Verdict {
    /// The primary label.
    #[must_use]
    pub fn primary(&self) -> Option<Label> {
        label::primary(self.labels.iter().map(|found| found.label))
    }

    /// Whether `label` was decided to be present.
    #[must_use]
    pub fn has(&self, label: Label) -> bool {
        self.labels.iter().any(|found| found.label == label)
    }

    /// The probability of `label`.
    #[must_use]
    pub fn score(&self, label: Label) -> f32 {
        self.scores.get(label as usize).copied().unwrap_or(0.0)
    }
}
