//! Finds the concepts of a sentence.

use super::super::hash;
use super::super::lists::Lists;
use super::super::text::{Sentence, Text};
use super::compile::STEM;
use super::phrases::Place;
use super::{Lexicon, spoken};
use crate::mail::Language;

/// A concept in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Place of its first word in the sentence.
    pub from: u16,
    /// Number of the concept.
    pub concept: u16,
    /// Place after its last word.
    pub to: u16,
}

/// What the lexicon says of words, by number: the concepts each stands for alone, with the languages
/// in which it does, and the atoms of phrases it is.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    concepts: Lists<(u16, u8)>,
    atoms: Lists<u32>,
}

/// What the lexicon says of one word.
#[derive(Clone, Copy, Debug, Default)]
struct Reading<'a> {
    concepts: &'a [(u16, u8)],
    atoms: &'a [u32],
}

/// Buffers for the search, reused from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// The words of the sentence: numbers in `other`, or in the readings of known words.
    words: Vec<Numbered>,
    other: Readings,
    hits: Vec<Hit>,
}

#[derive(Clone, Copy, Debug)]
enum Numbered {
    Known(u32),
    Other(u32),
}

/// Longest gap written `..`, in words.
const GAP: usize = 3;

impl Readings {
    /// Appends what the lexicon says of a word.
    pub(crate) fn push(&mut self, lexicon: &Lexicon, word: &str, key: u64) {
        lexicon.atoms_of(word, key, |atom| {
            for concept in lexicon.alone.of(atom) {
                self.concepts.push(*concept);
            }
            if lexicon.phrases.use_atom(atom) {
                self.atoms.push(atom);
            }
        });
        self.atoms.end();
        let concepts = self.concepts.open();
        concepts.sort_unstable();
        let length = merge(concepts);
        self.concepts.end_at(length);
    }

    /// Appends a word of which the lexicon says nothing.
    pub(crate) fn end(&mut self) {
        self.concepts.end();
        self.atoms.end();
    }

    fn len(&self) -> u32 {
        u32::try_from(self.atoms.len()).unwrap_or(u32::MAX)
    }

    fn clear(&mut self) {
        self.concepts.clear();
        self.atoms.clear();
    }

    #[inline]
    fn of(&self, word: u32) -> Reading<'_> {
        Reading { concepts: self.concepts.of(word), atoms: self.atoms.of(word) }
    }
}

/// Makes of neighbours with the same concept one, in the languages of all; how many are left.
fn merge(concepts: &mut [(u16, u8)]) -> usize {
    let mut last: Option<usize> = None;
    for at in 0..concepts.len() {
        let Some(&(concept, languages)) = concepts.get(at) else {
            break;
        };
        match last.and_then(|last| concepts.get_mut(last)) {
            Some(same) if same.0 == concept => same.1 |= languages,
            _ => {
                let place = last.map_or(0, |last| last + 1);
                if let Some(free) = concepts.get_mut(place) {
                    *free = (concept, languages);
                }
                last = Some(place);
            }
        }
    }
    last.map_or(0, |last| last + 1)
}

impl Finder {
    /// The concepts in `sentence`, in order of place and number, each once a place.
    pub fn find(&mut self, lexicon: &Lexicon, text: &Text, sentence: &Sentence) -> &[Hit] {
        self.clear();
        for word in text.of(sentence) {
            self.look_up(lexicon, text.word(word), word.key);
        }
        self.hits(lexicon, &Readings::default(), text.language)
    }

    /// Begins a sentence.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.other.clear();
    }

    /// The next word, by its number among those known.
    #[inline]
    pub(crate) fn add(&mut self, number: u32) {
        self.words.push(Numbered::Known(number));
    }

    /// The next word, by its letters.
    pub(crate) fn look_up(&mut self, lexicon: &Lexicon, word: &str, key: u64) {
        self.words.push(Numbered::Other(self.other.len()));
        self.other.push(lexicon, word, key);
    }

    /// The concepts of the words since [`Self::clear`], in order of place and number; `known` is
    /// what the lexicon says of known words.
    pub(crate) fn hits(&mut self, lexicon: &Lexicon, known: &Readings, language: Language) -> &[Hit] {
        let Self { words, other, hits } = self;
        hits.clear();
        let languages = spoken(language);
        let reading = |at: usize| match words.get(at) {
            Some(Numbered::Known(number)) => known.of(*number),
            Some(Numbered::Other(number)) => other.of(*number),
            None => Reading::default(),
        };
        let mut next = reading(0);
        for at in 0..words.len() {
            let Reading { concepts, atoms } = next;
            next = reading(at + 1);
            let from = hits.len();
            let said = concepts.iter().filter(|(_, spoken)| spoken & languages != 0);
            hits.extend(said.map(|(concept, _)| hit(*concept, at, at + 1)));
            let alone = hits.len();
            for &atom in atoms {
                let mut take = |phrases: &[u32]| {
                    for phrase in phrases.iter().filter_map(|phrase| lexicon.phrases.get(*phrase)) {
                        if phrase.languages & languages != 0
                            && let Some(end) = follow(&reading, words.len(), phrase.rest, at + 1)
                        {
                            hits.push(hit(phrase.concept, at, end));
                        }
                    }
                };
                take(lexicon.phrases.gapped(atom));
                for &second in next.atoms {
                    take(lexicon.phrases.beginning(atom, second));
                }
            }
            if hits.len() > alone
                && let Some(here) = hits.get_mut(from..)
            {
                here.sort_unstable();
            }
        }
        hits.dedup_by_key(|hit| (hit.from, hit.concept));
        hits
    }
}

impl Lexicon {
    /// Calls `take` with the atoms of a word: every stem it begins with, and itself.
    fn atoms_of(&self, word: &str, key: u64, mut take: impl FnMut(u32)) {
        let mut prefix = hash::EMPTY;
        for (length, c) in (1_u32..).zip(word.chars()) {
            prefix = hash::roll(prefix, c);
            if self.stem_lengths.checked_shr(length).is_some_and(|lengths| lengths & 1 == 1)
                && let Some(atom) = self.index.get(prefix ^ STEM)
            {
                take(atom);
            }
        }
        if let Some(atom) = self.index.get(key) {
            take(atom);
        }
    }
}

fn hit(concept: u16, from: usize, to: usize) -> Hit {
    let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
    Hit { from: place(from), concept, to: place(to) }
}

/// Where the places of a phrase end when they begin at word `at`.
fn follow<'a>(
    reading: &impl Fn(usize) -> Reading<'a>,
    words: usize,
    rest: &[Place],
    at: usize,
) -> Option<usize> {
    let Some((place, rest)) = rest.split_first() else {
        return Some(at);
    };
    if at >= words {
        return None;
    }
    match place {
        Place::Atom(atom) => {
            reading(at).atoms.contains(atom).then(|| follow(reading, words, rest, at + 1)).flatten()
        }
        Place::Any => follow(reading, words, rest, at + 1),
        Place::Gap => (at..=at + GAP).find_map(|at| follow(reading, words, rest, at)),
    }
}
