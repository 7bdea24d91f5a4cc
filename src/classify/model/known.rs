//! What the engine works out once from the rows: everything a known word brings in one place, and
//! rows of concepts by number instead of by key.

use std::panic::resume_unwind;

use super::super::features::{self, Block, Sense};
use super::super::hash;
use super::super::lexicon::{Lexicon, Readings};
use super::super::table::Wanted;
use super::rows::{LANES, Lanes, Rows, chunks};

/// Tables made from a model's rows, words and lexicon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Word rows by number, each with the sum of the rows of its characters.
    words: Vec<Word>,
    width: usize,
    /// What the lexicon says of each word.
    pub(crate) readings: Readings,
    senses: Senses,
    /// View by view a bias per label.
    pub(crate) bias: Vec<Lanes>,
    /// Second stage: for each group of labels, input by input their weights.
    pub(crate) stack: Vec<Lanes>,
}

/// Part of what a word brings, for up to `LANES` labels: one line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Word {
    grams: [i16; LANES],
    weights: [i8; LANES],
    gram_scale: f32,
    scale: f32,
    gram_norm: f32,
    norm: f32,
}

/// Numbers of rows by numbers of concepts.
#[derive(Clone, Debug, Default)]
struct Senses {
    /// Row of each concept among concepts, of each meaning among meanings.
    rows: Vec<Option<u32>>,
    concepts: usize,
    /// Row of the link of two concepts.
    links: Vec<Option<u32>>,
}

impl Known {
    /// Works out the tables.
    pub(super) fn new(
        labels: usize,
        words: &[String],
        lexicon: &Lexicon,
        blocks: &[Rows; Block::COUNT],
        (bias, stack): (&[f32], &[f32]),
    ) -> Self {
        let width = chunks(labels);
        let [rows, _, grams, ..] = blocks;
        let mut spelt: Vec<(u32, u64, &str)> = vec![];
        for word in words {
            let key = hash::of(word);
            spelt.extend(rows.number(key).map(|row| (row, key, word.as_str())));
        }
        spelt.sort_unstable();
        spelt.dedup_by_key(|(row, ..)| *row);
        let mut known = Self { width, ..Self::default() };
        // the longest part of loading a model: each half on a core of its own where there are two
        std::thread::scope(|scope| {
            let read = scope.spawn(|| (Senses::new(lexicon, blocks), readings(lexicon, rows.len(), &spelt)));
            known.words = vec![Word::default(); rows.len() * width];
            known.weigh(rows);
            known.spell(grams, &spelt);
            (known.senses, known.readings) = read.join().unwrap_or_else(|panic| resume_unwind(panic));
        });
        known.bias = vec![Lanes::default(); Block::VIEWS * width];
        for (view, of) in bias.chunks_exact(labels.max(1)).enumerate() {
            for (label, value) in of.iter().enumerate() {
                set(&mut known.bias, view * width + label / LANES, label, *value);
            }
        }
        let inputs = stack.len() / labels.max(1);
        known.stack = vec![Lanes::default(); inputs * width];
        for (label, weights) in stack.chunks_exact(inputs.max(1)).enumerate() {
            for (input, weight) in weights.iter().enumerate() {
                set(&mut known.stack, label / LANES * inputs + input, label, *weight);
            }
        }
        known
    }

    fn parts(&mut self, row: u32) -> &mut [Word] {
        let row = row as usize;
        self.words.get_mut(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }

    /// Sums up the rows of the characters of each word.
    fn spell(&mut self, grams: &Rows, spelt: &[(u32, u64, &str)]) {
        let mut sum = vec![Lanes::default(); self.width];
        let mut wanted = vec![];
        for (row, _, word) in spelt {
            sum.fill(Lanes::default());
            wanted.clear();
            features::grams(word, |key| wanted.push(Wanted { key, of: 0 }));
            grams.index().sift(&mut wanted);
            let norm = grams.add_rows(&wanted.iter().filter_map(Wanted::number), &mut sum);
            let most = sum.as_flattened().iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let scale = most / f32::from(i16::MAX);
            for (part, sum) in self.parts(*row).iter_mut().zip(&sum) {
                (part.gram_scale, part.gram_norm) = (scale, norm);
                for (place, value) in part.grams.iter_mut().zip(sum) {
                    *place = quantise(*value, scale);
                }
            }
        }
    }

    fn weigh(&mut self, rows: &Rows) {
        for row in (0..).take(rows.len()) {
            for (part, (weights, scale, norm)) in self.parts(row).iter_mut().zip(rows.chunks_of(row)) {
                (part.weights, part.scale, part.norm) = (*weights, scale, norm);
            }
        }
    }

    /// What the word with this number and its characters add to the squared norms.
    #[inline]
    pub(crate) fn norms(&self, number: u32) -> (f32, f32) {
        self.words.get(number as usize * self.width).map_or((0.0, 0.0), |word| (word.norm, word.gram_norm))
    }

    /// Adds what the words with these numbers bring to the sums of words and of grams.
    #[inline]
    pub(crate) fn add_words<N>(&self, numbers: &N, words: &mut [Lanes], grams: &mut [Lanes])
    where
        N: Iterator<Item = u32> + Clone,
    {
        for (part, (words, grams)) in words.iter_mut().zip(grams).enumerate() {
            // all words before the next part: the sums stay in registers
            let (mut said, mut spelt) = (*words, *grams);
            for number in numbers.clone() {
                if let Some(word) = self.words.get(number as usize * self.width + part) {
                    word.add(&mut said, &mut spelt);
                }
            }
            (*words, *grams) = (said, spelt);
        }
    }

    /// The block of a sense and its row there, if it has one.
    #[inline]
    pub(crate) fn row(&self, sense: Sense) -> (Block, Option<u32>) {
        let row = |concept: u16| self.senses.rows.get(usize::from(concept)).copied().flatten();
        match sense {
            Sense::Concept(concept) => (Block::Concept, row(concept)),
            Sense::Meaning(concept) => (Block::Meaning, row(concept)),
            Sense::Link(first, second) => {
                let place = usize::from(first) * self.senses.concepts + usize::from(second);
                (Block::Link, self.senses.links.get(place).copied().flatten())
            }
        }
    }
}

impl Word {
    #[inline]
    fn add(&self, words: &mut Lanes, grams: &mut Lanes) {
        for (sum, weight) in words.iter_mut().zip(&self.weights) {
            *sum += self.scale * f32::from(*weight);
        }
        for (sum, weight) in grams.iter_mut().zip(&self.grams) {
            *sum += self.gram_scale * f32::from(*weight);
        }
    }
}

impl Senses {
    fn new(lexicon: &Lexicon, blocks: &[Rows; Block::COUNT]) -> Self {
        let [.., concepts, links, meanings] = blocks;
        let all = (0..).take(lexicon.names().len());
        let rows = all.clone().map(|concept| {
            let rows = if lexicon.is_meaning(concept) { meanings } else { concepts };
            rows.number(lexicon.key(concept))
        });
        let rows = rows.collect();
        let proper: Vec<u16> = all.take_while(|concept| !lexicon.is_meaning(*concept)).collect();
        let pairs = proper.iter().flat_map(|first| proper.iter().map(|second| Sense::Link(*first, *second)));
        let links = pairs.map(|link| links.number(link.key(lexicon))).collect();
        Self { rows, concepts: proper.len(), links }
    }
}

/// What the lexicon says of each word, row by row.
fn readings(lexicon: &Lexicon, rows: usize, spelt: &[(u32, u64, &str)]) -> Readings {
    let mut readings = Readings::default();
    let mut spelt = spelt.iter().peekable();
    for row in (0..).take(rows) {
        match spelt.next_if(|(of, ..)| *of == row) {
            Some((_, key, word)) => readings.push(lexicon, word, *key),
            None => readings.end(),
        }
    }
    readings
}

fn set(lanes: &mut [Lanes], place: usize, label: usize, value: f32) {
    if let Some(lane) = lanes.get_mut(place).and_then(|lanes| lanes.get_mut(label % LANES)) {
        *lane = value;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
fn quantise(value: f32, scale: f32) -> i16 {
    let most = f32::from(i16::MAX);
    if scale > 0.0 { (value / scale).round().clamp(-most, most) as i16 } else { 0 }
}
