//! Figures of a model on labelled mails.

use std::collections::BTreeMap;

use super::bootstrap::Intervals;
use super::corpus::Example;
use super::fit::OutOfFold;
use super::tally::{Tally, macro_f1, wilson};
use crate::classify::model::Model;
use crate::classify::rules::Rules;
use crate::classify::score::Scratch;
use crate::mail::Language;

/// A mail with what was true and what was decided.
#[derive(Clone, Debug)]
pub struct Judged<'e> {
    /// The mail.
    pub example: &'e Example,
    /// Probability per label.
    pub probabilities: Vec<f32>,
    /// Decision per label.
    pub decided: Vec<bool>,
}

/// Judges `examples` with the model as it is shipped.
#[must_use]
pub fn judge<'e>(
    model: &Model,
    rules: &Rules,
    examples: impl IntoIterator<Item = &'e Example>,
) -> Vec<Judged<'e>> {
    let mut scratch = Scratch::default();
    let judged = examples.into_iter().map(|example| {
        model.score(&example.mail, &mut scratch);
        let mut logits = scratch.logits().to_vec();
        for rule in rules.matching(scratch.text(), example.mail.language) {
            let place = model.labels().iter().position(|name| name == rule.label.as_str());
            if let Some(logit) = place.and_then(|place| logits.get_mut(place)) {
                *logit = rule.effect.on(*logit);
            }
        }
        judged(model, example, model.probabilities(&logits))
    });
    judged.collect()
}

/// Judges the mails of the training part by the scores of models that did not see them.
#[must_use]
pub fn judge_out_of_fold<'e>(model: &Model, scores: &OutOfFold, examples: &'e [Example]) -> Vec<Judged<'e>> {
    let pairs = scores.examples.iter().zip(&scores.probabilities);
    pairs.filter_map(|(place, row)| Some(judged(model, examples.get(*place)?, row.clone()))).collect()
}

/// A JSON line a mail: `id`, `language`, `kind`, `labels`, `decided` and `scores`.
#[must_use]
pub fn json_lines(labels: &[String], judged: &[Judged<'_>]) -> String {
    let names = |flags: &[bool]| -> Vec<String> {
        labels.iter().zip(flags).filter(|(_, is)| **is).map(|(name, _)| name.clone()).collect()
    };
    let line = |one: &Judged<'_>| {
        let scores: BTreeMap<&String, f32> = labels.iter().zip(one.probabilities.iter().copied()).collect();
        let line = serde_json::json!({
            "id": one.example.id,
            "language": one.example.language,
            "kind": one.example.kind,
            "labels": names(&one.example.labels),
            "decided": names(&one.decided),
            "scores": scores,
        });
        format!("{line}\n")
    };
    judged.iter().map(line).collect()
}

/// Decides as the program does: thresholds by language, `automated` alone.
fn judged<'e>(model: &Model, example: &'e Example, probabilities: Vec<f32>) -> Judged<'e> {
    let language = example.mail.language;
    if model.is_exclusive() {
        let most = probabilities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let first = probabilities.iter().position(|probability| *probability >= most);
        let decided = (0..probabilities.len()).map(|label| Some(label) == first).collect();
        return Judged { example, probabilities, decided };
    }
    let mut decided: Vec<bool> = probabilities
        .iter()
        .enumerate()
        .map(|(label, probability)| *probability >= model.threshold(label, language))
        .collect();
    let automated = model.labels().iter().position(|name| name == "automated");
    if let Some(automated) = automated.filter(|place| decided.get(*place) == Some(&true)) {
        let own = probabilities.get(automated).copied().unwrap_or(0.0);
        let stronger = probabilities.iter().zip(&decided).any(|(p, is)| *is && *p > own);
        for (label, is) in decided.iter_mut().enumerate() {
            *is = *is && (label == automated) != stronger;
        }
    }
    Judged { example, probabilities, decided }
}

/// Figures of one label.
#[derive(Clone, Debug, Default)]
pub struct LabelFigures {
    /// Right and wrong decisions.
    pub tally: Tally,
    /// Expected calibration error over 10 bins.
    pub calibration_error: f64,
    /// Right and wrong decisions by language.
    pub by_language: BTreeMap<Language, Tally>,
    /// The same by kind of mail.
    pub by_kind: BTreeMap<String, Tally>,
}

/// Figures of a model.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// How many mails were judged.
    pub mails: usize,
    /// Label names in order.
    pub labels: Vec<String>,
    /// Figures of each label.
    pub each: Vec<LabelFigures>,
    /// Mails whose labels were all decided rightly.
    pub exact: usize,
    /// Mails whose primary label is right.
    pub primary: usize,
    /// Expected calibration error of the surest label, over 15 bins (Naeini et al. 2015).
    pub calibration_error: f64,
    /// How far F1 would move with other mails.
    pub intervals: Intervals,
    /// True and decided primary label (label count stands for none): mails.
    pub confusion: BTreeMap<(usize, usize), usize>,
}

impl Figures {
    /// Counts judged mails.
    #[must_use]
    pub fn of(labels: &[String], judged: &[Judged<'_>]) -> Self {
        let mut figures = Self { mails: judged.len(), labels: labels.to_vec(), ..Self::default() };
        let first = |flags: &[bool]| flags.iter().position(|is| *is).unwrap_or(labels.len());
        for one in judged {
            figures.exact += usize::from(one.decided == one.example.labels);
            let pair = (first(&one.example.labels), first(&one.decided));
            figures.primary += usize::from(pair.0 == pair.1);
            *figures.confusion.entry(pair).or_default() += 1;
        }
        let surest = judged.iter().map(|one| {
            let pairs = one.probabilities.iter().zip(&one.example.labels);
            let best = pairs.max_by(|a, b| a.0.total_cmp(b.0));
            best.map_or((0.0, false), |(probability, truth)| (f64::from(*probability), *truth))
        });
        figures.calibration_error = calibration_error(surest, 15);
        figures.intervals = Intervals::of(labels.len(), judged);
        figures.each = (0..labels.len()).map(|label| of_label(label, judged)).collect();
        figures
    }

    /// Mean F1 over labels.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        macro_f1(self.each.iter().map(|label| &label.tally))
    }

    /// Mean F1 over labels for the mails of one language.
    #[must_use]
    pub fn macro_f1_in(&self, language: Language) -> f64 {
        macro_f1(self.each.iter().filter_map(|label| label.by_language.get(&language)))
    }

    /// Mean F1 over labels for the mails of one kind.
    #[must_use]
    pub fn macro_f1_of(&self, kind: &str) -> f64 {
        macro_f1(self.each.iter().filter_map(|label| label.by_kind.get(kind)))
    }

    /// The languages that occur.
    #[must_use]
    pub fn languages(&self) -> Vec<Language> {
        let mut all: Vec<Language> =
            self.each.iter().flat_map(|label| label.by_language.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A line of JSON per label, one per label and language, and last one for all.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let line = |label: &str, language: Option<Language>, tally: &Tally, error: Option<f64>| {
            let (low, high) = wilson(tally.hits, tally.present());
            let value = serde_json::json!({
                "label": label, "language": language, "mails": tally.present(), "precision": tally.precision(),
                "recall": tally.recall(), "recall_low": low, "recall_high": high, "f1": tally.f1(), "calibration_error": error,
            });
            format!("{value}\n")
        };
        let lines = self.labels.iter().zip(&self.each).flat_map(|(name, label)| {
            let whole = line(name, None, &label.tally, Some(label.calibration_error));
            let parts =
                label.by_language.iter().map(|(language, tally)| line(name, Some(*language), tally, None));
            std::iter::once(whole).chain(parts.collect::<Vec<_>>())
        });
        let mails = f64::from(u32::try_from(self.mails.max(1)).unwrap_or(u32::MAX));
        let share = |part: usize| f64::from(u32::try_from(part).unwrap_or(u32::MAX)) / mails;
        let summary = serde_json::json!({
            "mails": self.mails, "macro_f1": self.macro_f1(), "macro_f1_low": self.intervals.macro_f1.0,
            "macro_f1_high": self.intervals.macro_f1.1, "primary": share(self.primary),
            "exact": share(self.exact), "calibration_error": self.calibration_error,
        });
        lines.chain([format!("{summary}\n")]).collect()
    }

    /// A table for people.
    #[must_use]
    pub fn text(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        let languages = self.languages();
        let _ = write!(
            out,
            "{:<12} {:>5} {:>6} {:>6} {:>6}  {:<13} {:>5}",
            "label", "mails", "prec.", "recall", "F1", "F1 95 %", "ECE"
        );
        for language in &languages {
            let _ = write!(out, " {:>6}", language.as_str());
        }
        out.push('\n');
        for ((name, label), (low, high)) in self.labels.iter().zip(&self.each).zip(&self.intervals.f1) {
            let tally = label.tally;
            let _ = write!(
                out,
                "{name:<12} {:>5} {:>6.3} {:>6.3} {:>6.3}  {low:.3}–{high:.3}   {:>5.3}",
                tally.present(),
                tally.precision(),
                tally.recall(),
                tally.f1(),
                label.calibration_error
            );
            for language in &languages {
                let _ = write!(out, " {:>6.3}", label.by_language.get(language).map_or(1.0, Tally::f1));
            }
            out.push('\n');
        }
        let _ = write!(
            out,
            "{:<12} {:>5} {:>20.3}  {:.3}–{:.3}   {:>5.3}",
            "macro F1",
            self.mails,
            self.macro_f1(),
            self.intervals.macro_f1.0,
            self.intervals.macro_f1.1,
            self.calibration_error
        );
        for language in &languages {
            let _ = write!(out, " {:>6.3}", self.macro_f1_in(*language));
        }
        let _ = write!(
            out,
            "\nprimary right {} of {}, all labels right {}",
            self.primary, self.mails, self.exact
        );
        let occurs = |kind: &&str| self.each.iter().any(|label| label.by_kind.contains_key(*kind));
        for (n, kind) in ["plain", "hard", "trap"].into_iter().filter(occurs).enumerate() {
            let before = if n == 0 { "; macro F1" } else { "," };
            let _ = write!(out, "{before} {kind} {:.3}", self.macro_f1_of(kind));
        }
        out.push('\n');
        out
    }
}

fn of_label(label: usize, judged: &[Judged<'_>]) -> LabelFigures {
    let mut figures = LabelFigures::default();
    for one in judged {
        let truth = one.example.labels.get(label).copied().unwrap_or(false);
        let decided = one.decided.get(label).copied().unwrap_or(false);
        figures.tally.count(truth, decided);
        figures.by_language.entry(one.example.language).or_default().count(truth, decided);
        figures.by_kind.entry(one.example.kind.clone()).or_default().count(truth, decided);
    }
    let chances = judged.iter().map(|one| {
        let probability = f64::from(one.probabilities.get(label).copied().unwrap_or(0.0));
        (probability, one.example.labels.get(label).copied().unwrap_or(false))
    });
    figures.calibration_error = calibration_error(chances, 10);
    figures
}

/// The mean distance between said probability and the share that was true, over so many equal bins.
fn calibration_error(chances: impl Iterator<Item = (f64, bool)>, bins: u32) -> f64 {
    let mut sums = vec![(0.0_f64, 0.0_f64); bins as usize];
    let mut all = 0.0;
    for (probability, truth) in chances {
        all += 1.0;
        let bin = sums
            .iter_mut()
            .zip(1..=bins)
            .find(|(_, upper)| probability * f64::from(bins) < f64::from(*upper) || *upper == bins);
        if let Some(((said, true_ones), _)) = bin {
            *said += probability;
            *true_ones += f64::from(u8::from(truth));
        }
    }
    sums.iter().map(|(said, truth)| (said - truth).abs()).sum::<f64>() / f64::max(all, 1.0)
}
