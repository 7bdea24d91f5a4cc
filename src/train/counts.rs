//! Features of a corpus, counted sentence by sentence.

use crate::classify::features::{self, Block};
use crate::classify::form;
use crate::classify::lexicon::{Finder, Lexicon};
use crate::classify::rules::{Rule, Rules};
use crate::classify::score::inverse_norm;
use crate::classify::text::{Part, Text};

use super::corpus::Example;

/// Features of a sentence: numbers with counts, and what is too rare to have a number.
#[derive(Clone, Debug)]
pub(super) struct SentenceCounts {
    pub(super) is_name: bool,
    pub(super) known: Vec<(u32, f32)>,
    pub(super) unknown: [f32; Block::COUNT],
}

/// A mail as features.
#[derive(Clone, Debug)]
pub(super) struct Counted<'r> {
    pub(super) sentences: Vec<SentenceCounts>,
    pub(super) form: [f32; form::COUNT],
    pub(super) rules: Vec<&'r Rule>,
}

/// All features of a corpus that occur in two mails and more.
#[derive(Debug)]
pub(super) struct Space {
    /// Sorted keys of each block; the features are numbered through all blocks.
    pub(super) keys: [Vec<u64>; Block::COUNT],
    /// Known words, sorted.
    pub(super) words: Vec<String>,
}

impl Space {
    pub(super) fn len(&self) -> usize {
        self.keys.iter().map(Vec::len).sum()
    }

    /// The number of the first feature of each block.
    pub(super) fn offsets(&self) -> [usize; Block::COUNT] {
        let mut next = 0;
        let mut offsets = [0; Block::COUNT];
        for (offset, keys) in offsets.iter_mut().zip(&self.keys) {
            *offset = next;
            next += keys.len();
        }
        offsets
    }

    /// The block of each feature.
    pub(super) fn blocks(&self) -> impl Iterator<Item = usize> + '_ {
        self.keys.iter().enumerate().flat_map(|(block, keys)| std::iter::repeat_n(block, keys.len()))
    }
}

type Raw = Vec<(bool, Vec<(Block, u64)>)>;

/// Reads the examples and counts their features.
pub(super) fn count<'r>(
    examples: &[&Example],
    lexicon: &Lexicon,
    rules: &'r Rules,
) -> (Space, Vec<Counted<'r>>) {
    let (mut text, mut finder) = (Text::default(), Finder::default());
    let mut raw: Vec<Raw> = vec![];
    let mut counted = vec![];
    let mut words = vec![];
    for example in examples {
        text.read(&example.mail, lexicon);
        let sentences = text.sentences().iter().map(|sentence| {
            let mut found = vec![];
            features::of_sentence(&text, sentence, lexicon, &mut finder, &mut found);
            (sentence.part == Part::Name, found)
        });
        raw.push(sentences.collect());
        words.extend(text.words().iter().map(|word| (word.key, text.word(word).to_owned())));
        let rules = rules.matching(&text, example.mail.language).collect();
        counted.push(Counted { sentences: vec![], form: form::of(&example.mail, &text), rules });
    }
    words.sort_unstable();
    words.dedup();
    let keys = Block::ALL.map(|block| frequent(&raw, block));
    let [known_words, ..] = &keys;
    let mut words: Vec<String> = words
        .into_iter()
        .filter(|(key, _)| known_words.binary_search(key).is_ok())
        .map(|(_, word)| word)
        .collect();
    words.sort_unstable();
    let space = Space { keys, words };
    for (counted, raw) in counted.iter_mut().zip(&raw) {
        counted.sentences = raw.iter().map(|(is_name, found)| number(&space, *is_name, found)).collect();
    }
    (space, counted)
}

/// Keys of a block in two mails and more, sorted.
fn frequent(raw: &[Raw], block: Block) -> Vec<u64> {
    let mut all = vec![];
    for mail in raw {
        let mut keys: Vec<u64> = mail
            .iter()
            .flat_map(|(_, found)| found)
            .filter(|(of, _)| *of == block)
            .map(|(_, key)| *key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        all.extend(keys);
    }
    all.sort_unstable();
    all.chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= 2)
        .filter_map(|same| same.first().copied())
        .collect()
}

fn number(space: &Space, is_name: bool, found: &[(Block, u64)]) -> SentenceCounts {
    let offsets = space.offsets();
    let mut unknown = [0.0; Block::COUNT];
    let mut numbers = vec![];
    for (block, key) in found {
        let block = *block as usize;
        let place = space.keys.get(block).and_then(|keys| keys.binary_search(key).ok());
        match (place, offsets.get(block), unknown.get_mut(block)) {
            (Some(place), Some(offset), _) => {
                numbers.push(u32::try_from(offset + place).unwrap_or(u32::MAX));
            }
            (None, _, Some(unknown)) => *unknown += 1.0,
            _ => {}
        }
    }
    numbers.sort_unstable();
    let known = numbers
        .chunk_by(|a, b| a == b)
        .filter_map(|same| Some((*same.first()?, count_f32(same.len()))))
        .collect();
    SentenceCounts { is_name, known, unknown }
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails and words")]
pub(super) const fn count_f32(n: usize) -> f32 {
    n as f32
}

/// Weights of a space, learnt from some of the mails: idf and norms.
#[derive(Clone, Debug)]
pub(super) struct Weighing {
    /// Weight of each feature: block weight × idf; 0 for one unknown to these mails.
    pub(super) factors: Vec<f32>,
    /// Squared idf of each feature.
    pub(super) norms: Vec<f32>,
    pub(super) unknown: [f32; Block::COUNT],
    pub(super) smoothing: [f32; Block::COUNT],
    blocks: Vec<u8>,
}

/// How blocks are weighed against each other.
#[derive(Clone, Debug)]
pub struct BlockWeights {
    /// A factor per block.
    pub weight: [f32; Block::COUNT],
    /// Fewest mails a feature must occur in.
    pub least: [usize; Block::COUNT],
    /// How many of the rarest features are added to each squared norm.
    pub smoothing: [f32; Block::COUNT],
}

impl Default for BlockWeights {
    fn default() -> Self {
        Self {
            weight: [0.7, 0.7, 1.0, 0.5, 1.0, 0.5, 0.7],
            least: [2, 4, 3, 2, 2, 5, 2],
            smoothing: [2.0, 2.0, 20.0, 1.0, 2.0, 2.0, 2.0],
        }
    }
}

impl Weighing {
    pub(super) fn learn(space: &Space, mails: &[&Counted<'_>], options: &BlockWeights) -> Self {
        let mut frequency = vec![0_usize; space.len()];
        for mail in mails {
            let mut seen: Vec<u32> =
                mail.sentences.iter().flat_map(|s| s.known.iter().map(|(number, _)| *number)).collect();
            seen.sort_unstable();
            seen.dedup();
            for number in seen {
                if let Some(frequency) = frequency.get_mut(number as usize) {
                    *frequency += 1;
                }
            }
        }
        let mails = count_f32(mails.len());
        let (mut factors, mut norms, mut unknown) = (vec![], vec![], [0.0_f32; Block::COUNT]);
        for (frequency, block) in frequency.iter().zip(space.blocks()) {
            let least = options.least.get(block).copied().unwrap_or(2);
            let idf = if *frequency < least {
                0.0
            } else {
                ((1.0 + mails) / (1.0 + count_f32(*frequency))).ln() + 1.0
            };
            factors.push(idf * options.weight.get(block).copied().unwrap_or(1.0));
            norms.push(idf * idf);
            if let Some(unknown) = unknown.get_mut(block) {
                *unknown = unknown.max(idf * idf);
            }
        }
        let mut smoothing = options.smoothing;
        for (smoothing, most) in smoothing.iter_mut().zip(&unknown) {
            *smoothing *= most;
        }
        for (unknown, block) in unknown.iter_mut().zip(Block::ALL) {
            if !block.counts_unknown() {
                *unknown = 0.0;
            }
        }
        let blocks = space.blocks().map(|block| u8::try_from(block).unwrap_or(u8::MAX)).collect();
        Self { factors, norms, unknown, smoothing, blocks }
    }

    /// The view of a feature.
    pub(super) fn view(&self, number: u32) -> usize {
        let block = usize::from(self.blocks.get(number as usize).copied().unwrap_or(0));
        Block::ALL.get(block).map_or(0, |block| block.view())
    }

    /// The sentences together as one normalised row.
    pub(super) fn row(&self, sentences: &[&SentenceCounts]) -> Vec<(u32, f32)> {
        let mut cells: Vec<(u32, f32)> = sentences.iter().flat_map(|s| s.known.iter().copied()).collect();
        let mut norms = [0.0_f32; Block::COUNT];
        for sentence in sentences {
            for ((norm, count), unknown) in norms.iter_mut().zip(&sentence.unknown).zip(&self.unknown) {
                *norm += count * unknown;
            }
        }
        for (number, count) in &cells {
            let number = *number as usize;
            let squared = self.norms.get(number).copied().unwrap_or(0.0);
            // what these mails do not know counts as unknown
            let block = usize::from(self.blocks.get(number).copied().unwrap_or(0));
            let add = if squared > 0.0 { squared } else { self.unknown.get(block).copied().unwrap_or(0.0) };
            if let Some(norm) = norms.get_mut(block) {
                *norm += count * add;
            }
        }
        for (norm, smoothing) in norms.iter_mut().zip(&self.smoothing) {
            *norm = inverse_norm(*norm, *smoothing);
        }
        for (number, value) in &mut cells {
            let number = *number as usize;
            let block = usize::from(self.blocks.get(number).copied().unwrap_or(0));
            *value *=
                self.factors.get(number).copied().unwrap_or(0.0) * norms.get(block).copied().unwrap_or(0.0);
        }
        cells.retain(|(_, value)| *value != 0.0);
        cells.sort_unstable_by_key(|(number, _)| *number);
        cells
    }
}
