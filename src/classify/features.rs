//! What the model sees of a sentence: keys in seven blocks. The trainer counts them, the engine adds
//! up their rows; both call what is here, so they cannot differ.

use super::hash;
use super::lexicon::{Finder, Hit, Lexicon};
use super::text::{Part, Sentence, Text};

/// The version of folding, splitting, keys and form features: a model fits one only.
pub const VERSION: u32 = 4;

/// A kind of feature. Each kind is normalised by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// A word.
    Word,
    /// Two words in a row, with marks for start and end of the sentence.
    Pair,
    /// Two to five characters of a word with its edges.
    Gram,
    /// A word of the subject or of the sender's name, apart from the same word elsewhere.
    Head,
    /// A concept of the lexicon.
    Concept,
    /// Two concepts of a sentence, in order.
    Link,
    /// A meaning: a word in four languages.
    Meaning,
}

impl Block {
    /// How many blocks there are.
    pub const COUNT: usize = 7;

    /// All blocks.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Word, Self::Pair, Self::Gram, Self::Head, Self::Concept, Self::Link, Self::Meaning];

    /// The word for it in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Pair => "pair",
            Self::Gram => "gram",
            Self::Head => "head",
            Self::Concept => "concept",
            Self::Link => "link",
            Self::Meaning => "meaning",
        }
    }

    /// How many views there are.
    pub const VIEWS: usize = 3;

    /// The view a block belongs to. Each view is a model of its own with its own scores: what is
    /// said, how it is spelt, what is meant; the second stage weighs them.
    #[must_use]
    pub const fn view(self) -> usize {
        match self {
            Self::Word | Self::Pair | Self::Head => 0,
            Self::Gram => 1,
            Self::Concept | Self::Link | Self::Meaning => 2,
        }
    }

    /// Whether an unknown feature of this block counts in the norm (as the rarest known one).
    #[must_use]
    pub const fn counts_unknown(self) -> bool {
        matches!(self, Self::Word | Self::Pair)
    }
}

/// The mark at the start of a sentence, as a word key.
pub const START: u64 = 0x5bd1_e995_0000_0001;
/// The mark at the end of a sentence.
pub const END: u64 = 0x5bd1_e995_0000_0002;
/// The mark at the end of a question.
pub const QUESTION: u64 = 0x5bd1_e995_0000_0003;
/// Shortest and longest run of characters.
const GRAM: (usize, usize) = (2, 5);
/// How many concepts on a link reaches.
const LINK_REACH: usize = 4;

/// The key of a word in a head: subject or name.
#[must_use]
pub const fn head_key(part: Part, word: u64) -> u64 {
    hash::pair(if matches!(part, Part::Name) { 0x4e } else { 0x53 }, word)
}

/// Calls `take` with the key of every 2- to 5-gram of the word with a space on either side.
#[inline]
pub fn grams(word: &str, mut take: impl FnMut(u64)) {
    // rolling keys of the last one, two … five characters
    let mut keys = [hash::EMPTY; GRAM.1];
    let mut step = |c: char, before: usize| {
        keys.rotate_right(1);
        if let Some(shortest) = keys.first_mut() {
            *shortest = hash::EMPTY;
        }
        for (key, length) in keys.iter_mut().zip(1..=(before + 1).min(GRAM.1)) {
            *key = hash::roll(*key, c);
            if length >= GRAM.0 {
                take(hash::mix(*key ^ length as u64));
            }
        }
    };
    step(' ', 0);
    let mut before = 1;
    for c in word.chars() {
        step(c, before);
        before += 1;
    }
    step(' ', before);
}

/// Calls `take` with every pair key of the words, edges marked.
pub fn pairs(words: impl Iterator<Item = u64>, question: bool, mut take: impl FnMut(u64)) {
    let mut before = START;
    for word in words {
        take(hash::pair(before, word));
        before = word;
    }
    take(hash::pair(before, if question { QUESTION } else { END }));
}

/// Every feature of a sentence, with repetitions.
pub fn of_sentence(
    text: &Text,
    sentence: &Sentence,
    lexicon: &Lexicon,
    finder: &mut Finder,
    out: &mut Vec<(Block, u64)>,
) {
    let words = text.of(sentence);
    if sentence.part != Part::Body {
        out.extend(words.iter().map(|word| (Block::Head, head_key(sentence.part, word.key))));
    }
    if sentence.part != Part::Name {
        out.extend(words.iter().map(|word| (Block::Word, word.key)));
        pairs(words.iter().map(|word| word.key), sentence.question, |key| out.push((Block::Pair, key)));
        for word in words {
            grams(text.word(word), |key| out.push((Block::Gram, key)));
        }
    }
    of_hits(finder.find(lexicon, text, sentence), lexicon, |sense| {
        let block = match sense {
            Sense::Meaning(_) => Block::Meaning,
            Sense::Concept(_) => Block::Concept,
            Sense::Link(..) => Block::Link,
        };
        out.push((block, sense.key(lexicon)));
    });
}

/// What is meant, by numbers of the lexicon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// A concept.
    Concept(u16),
    /// A meaning.
    Meaning(u16),
    /// Two concepts in order.
    Link(u16, u16),
}

impl Sense {
    /// Its feature key.
    #[must_use]
    pub fn key(self, lexicon: &Lexicon) -> u64 {
        match self {
            Self::Concept(concept) | Self::Meaning(concept) => lexicon.key(concept),
            Self::Link(first, second) => hash::pair(lexicon.key(first), lexicon.key(second)),
        }
    }
}

/// Calls `take` with every concept, meaning and link of the concepts of a sentence.
#[inline]
pub fn of_hits(hits: &[Hit], lexicon: &Lexicon, mut take: impl FnMut(Sense)) {
    let mut rest = hits;
    while let Some((hit, later)) = rest.split_first() {
        rest = later;
        if lexicon.is_meaning(hit.concept) {
            take(Sense::Meaning(hit.concept));
            continue;
        }
        take(Sense::Concept(hit.concept));
        let later = later.iter().take(2 * LINK_REACH).filter(|hit| !lexicon.is_meaning(hit.concept));
        for later in later.take(LINK_REACH) {
            take(Sense::Link(hit.concept, later.concept));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_every_run_of_two_to_five_characters_once() {
        let mut count = 0;
        grams("кот", |_| count += 1);
        // ␣кот␣: four pairs, three triples, two fours, one five
        assert_eq!(count, 10);
    }

    #[test]
    fn a_pair_knows_its_order_and_edges() {
        let mut keys = vec![];
        pairs([1, 2].into_iter(), false, |key| keys.push(key));
        pairs([2, 1].into_iter(), true, |key| keys.push(key));
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 6);
    }
}
