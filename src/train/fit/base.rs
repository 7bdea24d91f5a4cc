//! The first stage: a sparse model per view.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array2;

use super::super::TrainOptions;
use super::super::corpus::Example;
use super::super::counts::{Counted, SentenceCounts, Space, Weighing, count_f32};
use super::super::csr::Csr;
use super::super::subspace::{FitError, SubspaceParams};
use crate::classify::features::Block;
use crate::classify::mixed;
use crate::classify::model::{Model, Rows};

/// A fit of the first stage on some of the mails.
pub(super) struct Base {
    weighing: Weighing,
    /// Feature by feature, a weight per label.
    weights: Vec<f32>,
    /// View by view, a bias per label.
    bias: Vec<f32>,
}

/// The views that are fitted together. One of many labels is told by the sum of all scores, which
/// together are fitted better; several labels by each view for itself.
const fn groups(exclusive: bool) -> &'static [&'static [usize]] {
    if exclusive { &[&[0, 1, 2]] } else { &[&[0], &[1], &[2]] }
}

impl Base {
    pub(super) fn fit(
        options: &TrainOptions,
        ridges: [f64; Block::VIEWS],
        (space, counted, mails): (&Space, &[Counted<'_>], &[&Example]),
        keep: impl Fn(u64) -> bool,
        (folds, exclusive): (&[u64], bool),
    ) -> Result<Self, FitError> {
        let chosen: Vec<(&Counted<'_>, &&Example)> = counted
            .iter()
            .zip(mails)
            .zip(folds)
            .filter(|(_, fold)| keep(**fold))
            .map(|(pair, _)| pair)
            .collect();
        let only: Vec<&Counted<'_>> = chosen.iter().map(|(counted, _)| *counted).collect();
        let weighing = Weighing::learn(space, &only, &options.blocks);
        let rows: Vec<_> =
            only.iter().map(|mail| weighing.row(&mail.sentences.iter().collect::<Vec<_>>())).collect();
        let y = Array2::from_shape_fn((chosen.len(), options.labels.len()), |(row, label)| {
            chosen.get(row).and_then(|(_, example)| example.labels.get(label)).copied().unwrap_or(false)
        });
        let mut base =
            Self { weighing, weights: vec![0.0; space.len() * options.labels.len()], bias: vec![] };
        for (group, alpha) in groups(exclusive).iter().zip(ridges) {
            let mut x = Csr::new(space.len());
            for row in &rows {
                let views = |number: &u32| group.contains(&base.weighing.view(*number));
                x.push(row.iter().copied().filter(|(number, _)| views(number)));
            }
            let fitted = SubspaceParams::default().alpha(alpha).fit(&DatasetBase::new(x, y.clone()))?;
            // groups share no feature
            for (sum, weight) in base.weights.iter_mut().zip(fitted.weights) {
                *sum += weight;
            }
            base.bias.extend(fitted.bias);
        }
        base.bias.resize(options.labels.len() * Block::VIEWS, 0.0);
        Ok(base)
    }

    /// Scores per view and label.
    fn scores(&self, sentences: &[&SentenceCounts]) -> Vec<f32> {
        let mut scores = self.bias.clone();
        let labels = scores.len() / Block::VIEWS;
        for (number, value) in self.weighing.row(sentences) {
            let at = number as usize * labels;
            let from = self.weighing.view(number) * labels;
            for (score, weight) in
                scores.iter_mut().skip(from).zip(self.weights.get(at..at + labels).unwrap_or_default())
            {
                *score += value * weight;
            }
        }
        scores
    }

    /// What the second stage reads of a mail; the engine computes the same (a test compares).
    pub(super) fn inputs(&self, mail: &Counted<'_>, labels: usize) -> Vec<f32> {
        let mut inputs = self.scores(&mail.sentences.iter().collect::<Vec<_>>());
        let each: Vec<Vec<f32>> =
            mail.sentences.iter().filter(|s| !s.is_name).map(|s| self.scores(&[s])).collect();
        let count = count_f32(each.len().max(1));
        let scores = labels * Block::VIEWS;
        let of = |label: usize| each.iter().filter_map(move |scores| scores.get(label).copied());
        inputs.extend((0..scores).map(|label| of(label).reduce(f32::max).unwrap_or(0.0)));
        inputs.extend((0..scores).map(|label| of(label).sum::<f32>() / count));
        inputs.extend(mail.form);
        mixed::add(&mut inputs, labels, Block::VIEWS);
        inputs
    }

    /// The rows of the first stage, as the engine reads them.
    pub(super) fn model(&self, space: &Space, labels: usize) -> Model {
        let mut model = Model {
            unknown: self.weighing.unknown,
            smoothing: self.weighing.smoothing,
            bias: self.bias.clone(),
            words: space.words.clone(),
            ..Model::default()
        };
        for ((rows, keys), offset) in model.blocks.iter_mut().zip(&space.keys).zip(space.offsets()) {
            let (mut known, mut weights, mut norms) = (vec![], vec![], vec![]);
            for (number, key) in (offset..).zip(keys) {
                let norm = self.weighing.norms.get(number).copied().unwrap_or(0.0);
                if norm > 0.0 {
                    let factor = self.weighing.factors.get(number).copied().unwrap_or(0.0);
                    let row = self.weights.get(number * labels..(number + 1) * labels).unwrap_or_default();
                    weights.extend(row.iter().map(|weight| weight * factor));
                    known.push(*key);
                    norms.push(norm);
                }
            }
            *rows = Rows::new(labels, known, &weights, &norms);
        }
        model
    }
}
