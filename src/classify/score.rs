//! From a read mail to one log-odds per label: rows are added up sentence by sentence.

use super::features::{self, Block};
use super::form;
use super::lexicon::Finder;
use super::mixed;
use super::model::{Lanes, Model};
use super::text::{Part, Sentence, Text};
use crate::mail::Mail;

/// Sums and squared norms of the seven blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) values: [Vec<Lanes>; Block::COUNT],
    pub(crate) norms: [f32; Block::COUNT],
    /// Keys of n-grams to be looked up.
    waiting: Vec<u64>,
}

impl Sums {
    pub(crate) fn clear(&mut self, lanes: usize) {
        for values in &mut self.values {
            values.clear();
            values.resize(lanes, Lanes::default());
        }
        self.norms = [0.0; Block::COUNT];
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            for (mine, theirs) in mine.as_flattened_mut().iter_mut().zip(theirs.as_flattened()) {
                *mine += theirs;
            }
        }
        for (mine, theirs) in self.norms.iter_mut().zip(&other.norms) {
            *mine += theirs;
        }
    }
}

/// Buffers for reading and scoring, reused from mail to mail.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) text: Text,
    pub(crate) finder: Finder,
    pub(crate) sentence: Sums,
    pub(crate) whole: Sums,
    /// What the second stage reads: whole, most, mean score of each label in each view, then form.
    pub(crate) inputs: Vec<f32>,
    /// For each label in each view the sentence with the highest score.
    pub(crate) strongest: Vec<usize>,
    pub(crate) scores: Vec<f32>,
    /// Log-odds per label.
    pub(crate) logits: Vec<f32>,
}

impl Scratch {
    /// The mail as last read.
    #[must_use]
    pub const fn text(&self) -> &Text {
        &self.text
    }

    /// The log-odds as last computed, per label.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }
}

impl Model {
    /// Reads `mail` and computes a calibrated log-odds per label into `scratch`.
    pub fn score(&self, mail: &Mail, scratch: &mut Scratch) {
        scratch.text.read(mail, &self.lexicon);
        self.score_read(mail, scratch);
    }

    pub(crate) fn score_read(&self, mail: &Mail, scratch: &mut Scratch) {
        let labels = self.labels.len();
        let views = labels * Block::VIEWS;
        let Scratch { text, finder, sentence, whole, inputs, strongest, scores, logits } = scratch;
        whole.clear(self.lanes());
        inputs.clear();
        inputs.resize(self.scored(), 0.0);
        strongest.clear();
        strongest.resize(views, usize::MAX);
        scores.clear();
        scores.resize(views, 0.0);
        let (whole_scores, rest) = inputs.split_at_mut(views);
        let (most, rest) = rest.split_at_mut(views);
        let (mean, forms) = rest.split_at_mut(views);
        let mut count = 0.0_f32;
        for (number, one) in text.sentences().iter().enumerate() {
            sentence.clear(self.lanes());
            self.add_sentence(text, one, finder, sentence);
            whole.add(sentence);
            if one.part == Part::Name {
                continue;
            }
            count += 1.0;
            self.finish(sentence, scores);
            for (((score, most), mean), strongest) in
                scores.iter().zip(&mut *most).zip(&mut *mean).zip(&mut *strongest)
            {
                if *strongest == usize::MAX || *score > *most {
                    (*most, *strongest) = (*score, number);
                }
                *mean += *score;
            }
        }
        for mean in mean.iter_mut() {
            *mean /= count.max(1.0);
        }
        self.finish(whole, whole_scores);
        for (place, value) in forms.iter_mut().zip(form::of(mail, text)) {
            *place = value;
        }
        mixed::add(inputs, labels, Block::VIEWS);
        logits.clear();
        let rows = self.stack.weights.chunks_exact(self.inputs().max(1));
        logits.extend(
            rows.zip(&self.stack.bias)
                .map(|(row, bias)| bias + row.iter().zip(&*inputs).map(|(w, x)| w * x).sum::<f32>()),
        );
    }

    /// Adds up the rows of a sentence.
    pub(crate) fn add_sentence(
        &self,
        text: &Text,
        sentence: &Sentence,
        finder: &mut Finder,
        sums: &mut Sums,
    ) {
        let [words, pairs, grams, head, concepts, links, meanings] = &self.blocks;
        let [word_sum, pair_sum, gram_sum, head_sum, concept_sum, link_sum, meaning_sum] = &mut sums.values;
        let [word_norm, pair_norm, gram_norm, head_norm, concept_norm, link_norm, meaning_norm] =
            &mut sums.norms;
        let [unknown_word, unknown_pair, ..] = self.unknown;
        let waiting = &mut sums.waiting;
        let of = text.of(sentence);
        let judged = sentence.part != Part::Name;
        finder.clear();
        for word in of {
            if sentence.part != Part::Body {
                *head_norm += head.add(features::head_key(sentence.part, word.key), head_sum).unwrap_or(0.0);
            }
            let Some(row) = words.number(word.key) else {
                finder.look_up(&self.lexicon, text.word(word), word.key);
                if judged {
                    *word_norm += unknown_word;
                    features::grams(text.word(word), |key| {
                        if grams.may_have(key) {
                            waiting.push(key);
                        }
                    });
                }
                continue;
            };
            finder.add(self.word_atoms.of(row));
            if judged {
                *word_norm += words.add_row(row, word_sum).unwrap_or(0.0);
                *gram_norm += self.word_grams.add(row, gram_sum).unwrap_or(0.0);
            }
        }
        if judged {
            *gram_norm += grams.add_all(waiting, gram_sum);
            features::pairs(of.iter().map(|word| word.key), sentence.question, |key| {
                *pair_norm += pairs.add(key, pair_sum).unwrap_or(unknown_pair);
            });
        }
        features::of_hits(
            finder.hits(&self.lexicon, text.language),
            &self.lexicon,
            |block, key| match block {
                Block::Meaning => *meaning_norm += meanings.add(key, meaning_sum).unwrap_or(0.0),
                Block::Link => *link_norm += links.add(key, link_sum).unwrap_or(0.0),
                _ => *concept_norm += concepts.add(key, concept_sum).unwrap_or(0.0),
            },
        );
    }

    /// The scores of sums, view by view: each block by its norm, and the bias.
    pub(crate) fn finish(&self, sums: &Sums, scores: &mut [f32]) {
        for (score, bias) in scores.iter_mut().zip(&self.bias) {
            *score = *bias;
        }
        let labels = self.labels.len();
        for ((values, factor), block) in sums.values.iter().zip(self.factors(sums)).zip(Block::ALL) {
            let from = block.view() * labels;
            for (score, value) in scores.iter_mut().skip(from).take(labels).zip(values.as_flattened()) {
                *score += value * factor;
            }
        }
    }

    /// One over the norm of each block.
    pub(crate) fn factors(&self, sums: &Sums) -> [f32; Block::COUNT] {
        let mut factors = self.smoothing;
        for (factor, norm) in factors.iter_mut().zip(&sums.norms) {
            *factor = inverse_norm(*norm, *factor);
        }
        factors
    }
}

/// One over the norm of a block, zero for an empty one.
pub(crate) fn inverse_norm(norm: f32, smoothing: f32) -> f32 {
    if norm > 0.0 { 1.0 / (norm + smoothing).sqrt() } else { 0.0 }
}

impl super::model::WordGrams {
    fn add(&self, row: u32, sum: &mut [Lanes]) -> Option<f32> {
        let row = row as usize;
        let sums = self.sums.get(row * sum.len()..(row + 1) * sum.len())?;
        for (sum, add) in sum.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *sum += add;
        }
        self.norms.get(row).copied()
    }
}
