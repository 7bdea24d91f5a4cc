//! From a read mail to one log-odds per label: rows are added up sentence by sentence.

use std::ops::Range;

use super::features::{self, Block};
use super::form;
use super::lexicon::Finder;
use super::mixed;
use super::model::{Lanes, Model};
use super::table::Wanted;
use super::text::{Part, Sentence, Text};
use crate::mail::Mail;

/// Stands for a word without a row.
const UNKNOWN: u32 = u32::MAX;

/// Sums and squared norms of the seven blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Block by block the sums of each group of labels.
    values: Vec<Lanes>,
    lanes: usize,
    norms: [f32; Block::COUNT],
    /// N-grams to be looked up.
    wanted: Vec<Wanted>,
}

impl Sums {
    pub(crate) fn clear(&mut self, lanes: usize) {
        self.lanes = lanes;
        self.values.clear();
        self.values.resize(lanes * Block::COUNT, Lanes::default());
        self.norms = [0.0; Block::COUNT];
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
        for (mine, theirs) in self.norms.iter_mut().zip(&other.norms) {
            *mine += theirs;
        }
    }

    /// Where the sums of one block stand.
    #[inline]
    const fn place(&self, block: Block) -> Range<usize> {
        let from = block as usize * self.lanes;
        from..from + self.lanes
    }

    /// The sums of one block.
    #[inline]
    fn of(&mut self, block: Block) -> &mut [Lanes] {
        let place = self.place(block);
        self.values.get_mut(place).unwrap_or_default()
    }

    /// Adds to the squared norm of one block.
    #[inline]
    fn weigh(&mut self, block: Block, norm: f32) {
        if let Some(sum) = self.norms.get_mut(block as usize) {
            *sum += norm;
        }
    }
}

/// What the words and pairs of a mail are to the model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The row of each word, or [`UNKNOWN`].
    words: Vec<u32>,
    /// The rows of known pairs, sentence by sentence.
    pairs: Vec<Wanted>,
    /// What is known of each sentence.
    sentences: Vec<Known>,
}

/// What is known of a sentence.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Where its pairs end.
    end: usize,
    /// What its words, their characters and its pairs add to the squared norms.
    norms: [f32; 3],
}

impl Found {
    /// Rows of the words of a sentence.
    fn words(&self, sentence: &Sentence) -> &[u32] {
        self.words.get(sentence.words.0 as usize..sentence.words.1 as usize).unwrap_or_default()
    }

    /// The sentence with this number and its pairs.
    fn sentence(&self, number: usize) -> (Known, &[Wanted]) {
        let known = |number: usize| self.sentences.get(number).copied().unwrap_or_default();
        let from = number.checked_sub(1).map_or(0, |before| known(before).end);
        (known(number), self.pairs.get(from..known(number).end).unwrap_or_default())
    }
}

/// Buffers for reading and scoring, reused from mail to mail.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(crate) text: Text,
    pub(crate) found: Found,
    pub(crate) finder: Finder,
    pub(crate) sentence: Sums,
    pub(crate) whole: Sums,
    /// Scores of a sentence, view by view, their highest and their sum so far.
    scores: Vec<Lanes>,
    most: Vec<Lanes>,
    sum: Vec<Lanes>,
    /// What the second stage reads: whole, most, mean score of each label in each view, then form.
    pub(crate) inputs: Vec<f32>,
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
        let Scratch { text, found, finder, sentence, whole, scores, most, sum, inputs, logits, .. } = scratch;
        self.look_up(text, found);
        whole.clear(self.lanes());
        most.clear();
        most.resize(self.lanes() * Block::VIEWS, [f32::NEG_INFINITY; _]);
        sum.clear();
        sum.resize(self.lanes() * Block::VIEWS, Lanes::default());
        let mut count = 0.0_f32;
        for (number, one) in text.sentences().iter().enumerate() {
            sentence.clear(self.lanes());
            self.add_sentence(text, found, number, finder, sentence);
            whole.add(sentence);
            if one.part == Part::Name {
                continue;
            }
            count += 1.0;
            self.finish(sentence, scores);
            for ((scores, most), sum) in scores.iter().zip(&mut *most).zip(&mut *sum) {
                for ((score, most), sum) in scores.iter().zip(most).zip(sum) {
                    *most = if *score > *most { *score } else { *most };
                    *sum += *score;
                }
            }
        }
        if count == 0.0 {
            most.as_flattened_mut().fill(0.0);
        }
        for sum in sum.as_flattened_mut() {
            *sum /= count.max(1.0);
        }
        self.finish(whole, scores);
        inputs.clear();
        for pool in [&*scores, most, sum] {
            self.spread(pool, inputs);
        }
        inputs.extend(form::of(mail, text));
        mixed::add(inputs, self.labels.len(), Block::VIEWS);
        logits.clear();
        for weights in self.known.stack.chunks_exact(inputs.len().max(1)) {
            let mut sums = Lanes::default();
            for (input, weights) in inputs.iter().zip(weights) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += weight * input;
                }
            }
            let left = self.stack.bias.iter().skip(logits.len());
            logits.extend(sums.iter().zip(left).map(|(sum, bias)| bias + sum));
        }
    }

    /// Appends scores view by view, a number per label.
    pub(crate) fn spread(&self, scores: &[Lanes], out: &mut Vec<f32>) {
        for view in scores.chunks_exact(self.lanes().max(1)) {
            out.extend(view.as_flattened().iter().take(self.labels.len()));
        }
    }

    /// Looks up the words and pairs of a text that was read.
    pub(crate) fn look_up(&self, text: &Text, found: &mut Found) {
        let [words, pairs, ..] = &self.blocks;
        found.words.clear();
        found.words.extend(text.words().iter().map(|word| words.number(word.key).unwrap_or(UNKNOWN)));
        found.pairs.clear();
        for (of, sentence) in (0..).zip(text.sentences()).filter(|(_, one)| one.part != Part::Name) {
            let keys = text.of(sentence).iter().map(|word| word.key);
            features::pairs(keys, sentence.question, |key| found.pairs.push(Wanted { key, of }));
        }
        pairs.index().sift(&mut found.pairs);
        // the norms of all rows at once: misses of the cache overlap, and the rows are near afterwards
        found.sentences.clear();
        let mut rest = found.pairs.iter().peekable();
        let mut end = 0;
        for (number, sentence) in (0..).zip(text.sentences()) {
            let [mut said, mut spelt, mut paired] = [0.0; 3];
            for row in found.words(sentence).iter().filter(|row| **row != UNKNOWN) {
                let (word, grams) = self.known.norms(*row);
                said += word;
                spelt += grams;
            }
            while let Some(pair) = rest.next_if(|pair| pair.of == number) {
                paired += pair.number().map_or(0.0, |row| pairs.norm(row));
                end += 1;
            }
            found.sentences.push(Known { end, norms: [said, spelt, paired] });
        }
    }

    /// Adds up the rows of the sentence with this number.
    pub(crate) fn add_sentence(
        &self,
        text: &Text,
        found: &Found,
        number: usize,
        finder: &mut Finder,
        sums: &mut Sums,
    ) {
        let [_, _, grams, head, concepts, links, meanings] = &self.blocks;
        let Some(sentence) = text.sentences().get(number) else { return };
        let of = text.of(sentence);
        let judged = sentence.part != Part::Name;
        if sentence.part != Part::Body {
            for word in of {
                let norm = head.add(features::head_key(sentence.part, word.key), sums.of(Block::Head));
                sums.weigh(Block::Head, norm.unwrap_or(0.0));
            }
        }
        finder.clear();
        for (word, row) in of.iter().zip(found.words(sentence)) {
            if *row != UNKNOWN {
                finder.add(&self.known.readings, *row);
                continue;
            }
            finder.look_up(&self.lexicon, text.word(word), word.key);
            if judged {
                let [unknown, ..] = self.unknown;
                sums.weigh(Block::Word, unknown);
                features::grams(text.word(word), |key| sums.wanted.push(Wanted { key, of: 0 }));
            }
        }
        if judged {
            self.add_known(of.len(), found.words(sentence), found.sentence(number), sums);
            let mut wanted = std::mem::take(&mut sums.wanted);
            grams.index().sift(&mut wanted);
            let norm = grams.add_rows(&wanted.iter().filter_map(Wanted::number), sums.of(Block::Gram));
            sums.weigh(Block::Gram, norm);
            wanted.clear();
            sums.wanted = wanted;
        }
        let hits = finder.hits(&self.lexicon, text.language);
        features::of_hits(hits, &self.lexicon, |sense| {
            let (block, Some(row)) = self.known.row(sense) else {
                return;
            };
            let rows = match block {
                Block::Meaning => meanings,
                Block::Link => links,
                _ => concepts,
            };
            let norm = rows.add_rows(&std::iter::once(row), sums.of(block));
            sums.weigh(block, norm);
        });
    }

    /// Adds up the rows of known words and pairs of a sentence with so many words.
    fn add_known(&self, count: usize, words: &[u32], (known, pairs): (Known, &[Wanted]), sums: &mut Sums) {
        let [said, spelt, paired] = known.norms;
        let places = [sums.place(Block::Word), sums.place(Block::Gram)];
        if let Ok([words_sum, grams_sum]) = sums.values.get_disjoint_mut(places) {
            let known = words.iter().copied().filter(|row| *row != UNKNOWN);
            self.known.add_words(&known, words_sum, grams_sum);
        }
        let [_, rows, ..] = &self.blocks;
        rows.add_rows(&pairs.iter().filter_map(Wanted::number), sums.of(Block::Pair));
        let [_, unknown, ..] = self.unknown;
        #[expect(clippy::cast_precision_loss, reason = "pairs of a sentence")]
        let others = (count + 1).saturating_sub(pairs.len()) as f32;
        sums.weigh(Block::Word, said);
        sums.weigh(Block::Gram, spelt);
        sums.weigh(Block::Pair, paired + unknown * others);
    }

    /// The scores of sums, view by view: each block by its norm, and the bias.
    pub(crate) fn finish(&self, sums: &Sums, scores: &mut Vec<Lanes>) {
        scores.clone_from(&self.known.bias);
        for (factor, block) in self.factors(sums).into_iter().zip(Block::ALL) {
            let views = scores.get_mut(block.view() * sums.lanes..).unwrap_or_default();
            let values = sums.values.get(sums.place(block)).unwrap_or_default();
            for (scores, values) in views.iter_mut().zip(values) {
                for (score, value) in scores.iter_mut().zip(values) {
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
        scores.as_flattened().to_vec()
    }

    #[test]
    fn the_engine_adds_up_what_the_trainer_counts() {
        let model = Model::shipped().unwrap();
        let (mut text, mut finder, mut found) = (Text::default(), Finder::default(), Found::default());
        let (mut sums, mut scores) = (Sums::default(), vec![]);
        for body in BODIES {
            text.read(&Mail::from_message("Сем Smith", "", "Refund? Возврат", body), &model.lexicon);
            model.look_up(&text, &mut found);
            for (number, sentence) in text.sentences().iter().enumerate() {
                sums.clear(model.lanes());
                model.add_sentence(&text, &found, number, &mut finder, &mut sums);
                model.finish(&sums, &mut scores);
                for (got, want) in scores.as_flattened().iter().zip(counted(&model, &text, sentence)) {
                    assert!((got - want).abs() < 1e-4 * (1.0 + want.abs()), "{got} {want}: {body}");
                }
            }
        }
    }
}
