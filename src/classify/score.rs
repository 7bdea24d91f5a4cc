//! From a read mail to one log-odds per label: rows are added up sentence by sentence.

use super::features::{self, Block};
use super::form;
use super::lexicon::Finder;
use super::mixed;
use super::model::{Lanes, Model, Views};
use super::text::{Part, Sentence, Text};
use crate::mail::Mail;

/// Lanes for each block.
type Blocks = [Lanes; Block::COUNT];

/// Sums and squared norms of the seven blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// For each group of labels the sums of all blocks.
    values: Vec<Blocks>,
    norms: [f32; Block::COUNT],
    /// Keys of n-grams to be looked up.
    waiting: Vec<u64>,
}

impl Sums {
    pub(crate) fn clear(&mut self, lanes: usize) {
        self.values.clear();
        self.values.resize(lanes, Blocks::default());
        self.norms = [0.0; Block::COUNT];
    }

    fn add(&mut self, other: &Self) {
        let mine = self.values.as_flattened_mut().as_flattened_mut();
        for (mine, theirs) in mine.iter_mut().zip(other.values.as_flattened().as_flattened()) {
            *mine += theirs;
        }
        for (mine, theirs) in self.norms.iter_mut().zip(&other.norms) {
            *mine += theirs;
        }
    }

    /// The sums of one block.
    #[inline]
    fn of(&mut self, block: Block) -> impl Iterator<Item = &mut Lanes> {
        self.values.iter_mut().filter_map(move |blocks| blocks.get_mut(block as usize))
    }

    /// Adds to the squared norm of one block.
    #[inline]
    fn weigh(&mut self, block: Block, norm: f32) {
        if let Some(sum) = self.norms.get_mut(block as usize) {
            *sum += norm;
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
    /// Scores of a sentence, their highest and their sum so far.
    scores: Vec<Views>,
    most: Vec<Views>,
    sum: Vec<Views>,
    /// What the second stage reads: whole, most, mean score of each label in each view, then form.
    pub(crate) inputs: Vec<f32>,
    /// Log-odds per label without bias.
    sums: Vec<Lanes>,
    /// Log-odds per label.
    pub(crate) logits: Vec<f32>,
    pub(crate) learnt: super::layer::Learnt,
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
        self.apply_layer(scratch);
    }

    pub(crate) fn score_read(&self, mail: &Mail, scratch: &mut Scratch) {
        let Scratch { text, finder, sentence, whole, scores, most, sum, inputs, sums, logits, .. } = scratch;
        whole.clear(self.lanes());
        most.clear();
        most.resize(self.lanes(), [[f32::NEG_INFINITY; _]; _]);
        sum.clear();
        sum.resize(self.lanes(), Views::default());
        let mut count = 0.0_f32;
        for one in text.sentences() {
            sentence.clear(self.lanes());
            self.add_sentence(text, one, finder, sentence);
            whole.add(sentence);
            if one.part == Part::Name {
                continue;
            }
            count += 1.0;
            self.finish(sentence, scores);
            for ((score, most), sum) in flat(scores).iter().zip(flat_mut(most)).zip(flat_mut(sum)) {
                *most = if *score > *most { *score } else { *most };
                *sum += *score;
            }
        }
        if count == 0.0 {
            flat_mut(most).fill(0.0);
        }
        for sum in flat_mut(sum) {
            *sum /= count.max(1.0);
        }
        self.finish(whole, scores);
        inputs.clear();
        for pool in [&*scores, most, sum] {
            self.spread(pool, inputs);
        }
        inputs.extend(form::of(mail, text));
        mixed::add(inputs, self.labels.len(), Block::VIEWS);
        sums.clear();
        sums.resize(self.lanes(), Lanes::default());
        for (input, weights) in inputs.iter().zip(self.known.stack.chunks_exact(self.lanes().max(1))) {
            for (sum, weight) in sums.as_flattened_mut().iter_mut().zip(weights.as_flattened()) {
                *sum += weight * input;
            }
        }
        logits.clear();
        logits.extend(sums.as_flattened().iter().zip(&self.stack.bias).map(|(sum, bias)| bias + sum));
    }

    /// Appends scores view by view, a number per label.
    pub(crate) fn spread(&self, scores: &[Views], out: &mut Vec<f32>) {
        for view in 0..Block::VIEWS {
            let lanes = scores.iter().filter_map(|views| views.get(view)).flatten();
            out.extend(lanes.take(self.labels.len()));
        }
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
        let [unknown_word, unknown_pair, ..] = self.unknown;
        let of = text.of(sentence);
        let judged = sentence.part != Part::Name;
        finder.clear();
        for word in of {
            if sentence.part != Part::Body {
                let norm = head.add(features::head_key(sentence.part, word.key), sums.of(Block::Head));
                sums.weigh(Block::Head, norm.unwrap_or(0.0));
            }
            if let Some(row) = words.number(word.key) {
                finder.add(row);
                if judged {
                    let both = sums.values.iter_mut().map(|[words, _, grams, ..]| (words, grams));
                    let (norm, spelt) = self.known.add_word(row, both);
                    sums.weigh(Block::Word, norm);
                    sums.weigh(Block::Gram, spelt);
                }
            } else {
                finder.look_up(&self.lexicon, text.word(word), word.key);
                if judged {
                    sums.weigh(Block::Word, unknown_word);
                    let waiting = &mut sums.waiting;
                    features::grams(text.word(word), |key| {
                        if grams.may_have(key) {
                            waiting.push(key);
                        }
                    });
                }
            }
        }
        if judged {
            // looked up first and read after, so that one miss of the cache does not wait for another
            let mut waiting = std::mem::take(&mut sums.waiting);
            waiting.retain_mut(|key| grams.number(*key).map(|row| *key = row.into()).is_some());
            for row in waiting.drain(..).filter_map(|row| u32::try_from(row).ok()) {
                let norm = grams.add_row(row, sums.of(Block::Gram));
                sums.weigh(Block::Gram, norm.unwrap_or(0.0));
            }
            sums.waiting = waiting;
            features::pairs(of.iter().map(|word| word.key), sentence.question, |key| {
                let norm = pairs.add(key, sums.of(Block::Pair));
                sums.weigh(Block::Pair, norm.unwrap_or(unknown_pair));
            });
        }
        let hits = finder.hits(&self.lexicon, &self.known.readings, text.language);
        features::of_hits(hits, &self.lexicon, |sense| {
            let (block, Some(row)) = self.known.row(sense) else {
                return;
            };
            let rows = match block {
                Block::Meaning => meanings,
                Block::Link => links,
                _ => concepts,
            };
            let norm = rows.add_row(row, sums.of(block));
            sums.weigh(block, norm.unwrap_or(0.0));
        });
    }

    /// The scores of sums, view by view: each block by its norm, and the bias.
    pub(crate) fn finish(&self, sums: &Sums, scores: &mut Vec<Views>) {
        scores.clone_from(&self.known.bias);
        let factors = self.factors(sums);
        for (views, blocks) in scores.iter_mut().zip(&sums.values) {
            for ((lanes, factor), block) in blocks.iter().zip(factors).zip(Block::ALL) {
                for (score, value) in views.get_mut(block.view()).into_iter().flatten().zip(lanes) {
                    *score += value * factor;
                }
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

fn flat(views: &[Views]) -> &[f32] {
    views.as_flattened().as_flattened()
}

fn flat_mut(views: &mut [Views]) -> &mut [f32] {
    views.as_flattened_mut().as_flattened_mut()
}

/// One over the norm of a block, zero for an empty one.
pub(crate) fn inverse_norm(norm: f32, smoothing: f32) -> f32 {
    if norm > 0.0 { 1.0 / (norm + smoothing).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODIES: [&str; 4] = [
        "My solicitor has the file. You have until Friday noon, otherwise I will see you in court! Why?",
        "Огромное спасибо мастеру! Всё работает. А во сколько вы открываетесь в субботу? Хрумкозябра.",
        "Чому так дорого? У сусідів дешевше вдвічі. Поверніть гроші, або я йду в суд.",
        "¿Cuánto cuesta el envío a Cusco? Gracias. No vuelvo a comprar nunca, son unos inútiles.",
    ];

    /// The scores of a sentence from its features as the trainer counts them.
    fn counted(model: &Model, text: &Text, sentence: &Sentence) -> Vec<f32> {
        let (mut found, mut sums, mut scores) = (vec![], Sums::default(), vec![]);
        features::of_sentence(text, sentence, &model.lexicon, &mut Finder::default(), &mut found);
        sums.clear(model.lanes());
        for (block, key) in found {
            let unknown = if block.counts_unknown() { model.unknown[block as usize] } else { 0.0 };
            let norm = model.blocks[block as usize].add(key, sums.of(block));
            sums.weigh(block, norm.unwrap_or(unknown));
        }
        model.finish(&sums, &mut scores);
        flat(&scores).to_vec()
    }

    #[test]
    fn the_engine_adds_up_what_the_trainer_counts() {
        let model = Model::shipped().unwrap();
        let (mut text, mut finder) = (Text::default(), Finder::default());
        let (mut sums, mut scores) = (Sums::default(), vec![]);
        for body in BODIES {
            text.read(&Mail::from_message("Сем Smith", "", "Refund? Возврат", body), &model.lexicon);
            for sentence in text.sentences() {
                sums.clear(model.lanes());
                model.add_sentence(&text, sentence, &mut finder, &mut sums);
                model.finish(&sums, &mut scores);
                for (got, want) in flat(&scores).iter().zip(counted(&model, &text, sentence)) {
                    assert!((got - want).abs() < 1e-4 * (1.0 + want.abs()), "{got} {want}: {body}");
                }
            }
        }
    }
}
