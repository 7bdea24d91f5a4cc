//! From a mail to labels with probabilities and evidence. Pure: same mail, same model, same rules,
//! same verdict.

pub mod classifier;
pub mod explain;
pub mod features;
pub mod fold;
pub mod form;
pub mod hash;
pub mod label;
pub mod layer;
pub mod lexicon;
mod lists;
pub mod mixed;
pub mod model;
pub mod reading;
pub mod rules;
pub mod score;
pub mod table;
pub mod text;
pub mod thresholds;

use serde::{Deserialize, Serialize};

pub use classifier::Classifier;
pub use label::Label;
pub use layer::Layer;
pub use lexicon::Lexicon;
pub use model::Model;
pub use reading::Reading;
pub use rules::Rules;
pub use score::Scratch;
pub use thresholds::Thresholds;

use self::rules::Effect;
use crate::mail::{Language, Mail};

/// A label that was decided to be present.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The label.
    pub label: Label,
    /// Calibrated probability, 0 to 1.
    pub probability: f32,
}

/// A label of the company's own that was found: it was learnt from corrections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnFinding {
    /// Its name.
    pub label: String,
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
    /// Labels of the company's own that were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnFinding>,
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

/// Labels of `mail` with calibrated probabilities.
#[must_use]
pub fn classify(mail: &Mail, model: &Model, rules: &Rules, thresholds: &Thresholds) -> Verdict {
    classify_with(&mut Scratch::default(), mail, model, rules, thresholds)
}

/// As [`classify`], with buffers kept from mail to mail.
pub fn classify_with(
    scratch: &mut Scratch,
    mail: &Mail,
    model: &Model,
    rules: &Rules,
    thresholds: &Thresholds,
) -> Verdict {
    if mail.automated.is_some() {
        return machine(mail);
    }
    model.score(mail, scratch);
    judge(scratch, mail, model, rules, thresholds)
}

/// The verdict on a person's mail that `model` has just scored.
fn judge(
    scratch: &mut Scratch,
    mail: &Mail,
    model: &Model,
    rules: &Rules,
    thresholds: &Thresholds,
) -> Verdict {
    let mut logits = [-Effect::CERTAIN; Label::COUNT];
    for (mine, theirs) in logits.iter_mut().zip(&scratch.logits) {
        *mine = *theirs;
    }
    let mut matched = vec![];
    for rule in rules.matching(&scratch.text, mail.language) {
        if let Some(logit) = logits.get_mut(rule.label as usize) {
            *logit = rule.effect.on(*logit);
        }
        matched.push(rule.id.clone());
    }
    let scores = logits.map(probability);
    let mut verdict =
        decide(mail, scores, matched, |label| thresholds.of(model, label, mail.language), thresholds);
    verdict.own = model.own_found(scratch, mail.language);
    verdict
}

/// From log-odds to probability.
#[must_use]
pub fn probability(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// What needs no model.
fn machine(mail: &Mail) -> Verdict {
    let mut scores = [0.0; Label::COUNT];
    if let Some(score) = scores.first_mut() {
        *score = 1.0;
    }
    let labels = vec![Finding { label: Label::Automated, probability: 1.0 }];
    Verdict { labels, review: false, scores, language: mail.language, rules: vec![], own: vec![] }
}

fn decide(
    mail: &Mail,
    scores: [f32; Label::COUNT],
    rules: Vec<String>,
    threshold: impl Fn(Label) -> f32,
    limits: &Thresholds,
) -> Verdict {
    let mut verdict =
        Verdict { labels: vec![], review: false, scores, language: mail.language, rules, own: vec![] };
    verdict.labels = Label::ALL
        .into_iter()
        .map(|label| Finding { label, probability: verdict.score(label) })
        .filter(|found| found.probability >= threshold(found.label))
        .collect();
    stand_alone(&mut verdict.labels);
    let primary = verdict.primary();
    let doubt = limits.matter.iter().any(|&label| {
        let below = 1.0 - verdict.score(label) / threshold(label).max(f32::MIN_POSITIVE);
        primary.is_none_or(|primary| label < primary) && below > 0.0 && below <= limits.band
    });
    verdict.review = doubt || primary.is_none() || mail.language == Language::Other;
    verdict
}

/// `automated` stands alone: it drives the others out, or goes when another is more probable.
fn stand_alone(labels: &mut Vec<Finding>) {
    let Some(automated) = labels.iter().find(|found| found.label == Label::Automated).copied() else {
        return;
    };
    let stronger = labels
        .iter()
        .any(|found| found.label != Label::Automated && found.probability > automated.probability);
    labels.retain(|found| (found.label == Label::Automated) != stronger);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(scores: [f32; Label::COUNT]) -> Verdict {
        let mail = Mail { language: Language::En, ..Mail::default() };
        decide(&mail, scores, vec![], |_| 0.5, &Thresholds::default())
    }

    #[test]
    fn automated_stands_alone_unless_another_label_is_surer() {
        let mut scores = [0.0; Label::COUNT];
        scores[0] = 0.9;
        scores[11] = 0.8;
        assert_eq!(verdict(scores).labels.iter().map(|f| f.label).collect::<Vec<_>>(), [Label::Automated]);
        scores[1] = 0.95;
        assert_eq!(verdict(scores).primary(), Some(Label::Threat));
        assert!(!verdict(scores).has(Label::Automated));
    }

    #[test]
    fn a_threat_just_below_its_threshold_asks_for_a_person() {
        let mut scores = [0.0; Label::COUNT];
        scores[7] = 0.9;
        assert!(!verdict(scores).review);
        scores[1] = 0.45;
        assert!(verdict(scores).review);
        assert!(verdict([0.0; Label::COUNT]).review, "nothing found");
    }
}
