//! From which probability on a label is present.

use std::collections::BTreeMap;

use super::label::Label;
use super::model::Model;
use crate::mail::Language;

/// What an operator may set over the thresholds of the model, and when a person should look.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// By label, for all languages.
    pub by_label: BTreeMap<Label, f32>,
    /// By label and language; outranks `by_label`.
    pub by_language: BTreeMap<(Label, Language), f32>,
    /// A probability below its threshold by no more than this share of it is in doubt. A share, since
    /// thresholds differ: that of threats is low.
    pub band: f32,
    /// Labels whose doubt asks for a person when they would become the primary one.
    pub matter: Vec<Label>,
}

impl Default for Thresholds {
    fn default() -> Self {
        let matter = vec![Label::Threat, Label::Harassment, Label::Abuse, Label::Panic];
        Self { by_label: BTreeMap::new(), by_language: BTreeMap::new(), band: 0.4, matter }
    }
}

impl Thresholds {
    /// The threshold of `label` for a mail in `language`.
    #[must_use]
    pub fn of(&self, model: &Model, label: Label, language: Language) -> f32 {
        let own = self.by_language.get(&(label, language)).or_else(|| self.by_label.get(&label));
        own.copied().unwrap_or_else(|| model.threshold(label as usize, language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_for_label_and_language_outranks_one_for_the_label() {
        let mut thresholds = Thresholds::default();
        let model = Model::default();
        let of = |t: &Thresholds| t.of(&model, Label::Threat, Language::Ru);
        assert!((of(&thresholds) - 0.5).abs() < 1e-6);
        thresholds.by_label.insert(Label::Threat, 0.3);
        assert!((of(&thresholds) - 0.3).abs() < 1e-6);
        thresholds.by_language.insert((Label::Threat, Language::Ru), 0.2);
        assert!((of(&thresholds) - 0.2).abs() < 1e-6);
    }
}
