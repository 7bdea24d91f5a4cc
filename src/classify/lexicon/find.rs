//! Finds the concepts of a sentence.

use super::super::hash;
use super::super::text::{Sentence, Text};
use super::compile::STEM;
use super::phrases::{ATOM, FIRST, GAPPED, Place, SECOND};
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
    places: Vec<Span>,
    /// Word by word its concepts (the number above eight bits of languages), then its atoms (with what
    /// phrases make of them in the high bits).
    items: Vec<u32>,
    /// Atoms of the word that is read.
    atoms: Vec<u32>,
}

/// Where the items of a word stand.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    from: u32,
    concepts: u16,
    atoms: u16,
}

/// What the lexicon says of one word.
#[derive(Clone, Copy, Debug, Default)]
struct Reading<'a> {
    concepts: &'a [u32],
    atoms: &'a [u32],
}

/// Buffers for the search, reused from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// The words of the sentence.
    words: Readings,
    hits: Vec<Hit>,
}

/// Longest gap written `..`, in words.
const GAP: usize = 3;

impl Readings {
    /// Appends what the lexicon says of a word.
    pub(crate) fn push(&mut self, lexicon: &Lexicon, word: &str, key: u64) {
        let Self { places, items, atoms } = self;
        let from = items.len();
        lexicon.atoms_of(word, key, |atom| {
            let concepts = lexicon.alone.of(atom).iter();
            items.extend(
                concepts.map(|(concept, languages)| u32::from(*concept) << 8 | u32::from(*languages)),
            );
            atoms.extend(lexicon.phrases.atom(atom));
        });
        let length = items.get_mut(from..).map_or(0, |concepts| {
            concepts.sort_unstable();
            merge(concepts)
        });
        items.truncate(from + length);
        places.push(Span { from: number(from), concepts: short(length), atoms: short(atoms.len()) });
        items.append(atoms);
    }

    /// Appends a word of which the lexicon says nothing.
    pub(crate) fn end(&mut self) {
        self.places.push(Span::default());
    }

    /// Appends what `others` have of the word with this number.
    #[inline]
    fn copy(&mut self, others: &Self, word: u32) {
        let Some(place) = others.places.get(word as usize) else {
            return self.end();
        };
        let from = number(self.items.len());
        let length = usize::from(place.concepts) + usize::from(place.atoms);
        let items = others.items.get(place.from as usize..place.from as usize + length);
        self.items.extend_from_slice(items.unwrap_or_default());
        self.places.push(Span { from, ..*place });
    }

    fn clear(&mut self) {
        self.places.clear();
        self.items.clear();
    }

    #[inline]
    fn of(&self, word: usize) -> Reading<'_> {
        let place = self.places.get(word).copied().unwrap_or_default();
        let items = self.items.get(place.from as usize..).unwrap_or_default();
        let (concepts, items) = items.split_at_checked(place.concepts.into()).unwrap_or_default();
        Reading { concepts, atoms: items.get(..place.atoms.into()).unwrap_or_default() }
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn short(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Makes of neighbours with the same concept one, in the languages of all; how many are left.
fn merge(concepts: &mut [u32]) -> usize {
    let mut last: Option<usize> = None;
    for at in 0..concepts.len() {
        let Some(&concept) = concepts.get(at) else {
            break;
        };
        match last.and_then(|last| concepts.get_mut(last)) {
            Some(same) if *same >> 8 == concept >> 8 => *same |= concept,
            _ => {
                let place = last.map_or(0, |last| last + 1);
                if let Some(free) = concepts.get_mut(place) {
                    *free = concept;
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
        self.hits(lexicon, text.language)
    }

    /// Begins a sentence.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// The next word, by its number among those known.
    #[inline]
    pub(crate) fn add(&mut self, known: &Readings, number: u32) {
        self.words.copy(known, number);
    }

    /// The next word, by its letters.
    pub(crate) fn look_up(&mut self, lexicon: &Lexicon, word: &str, key: u64) {
        self.words.push(lexicon, word, key);
    }

    /// The concepts of the words since [`Self::clear`], in order of place and number.
    pub(crate) fn hits(&mut self, lexicon: &Lexicon, language: Language) -> &[Hit] {
        let Self { words, hits } = self;
        hits.clear();
        let languages = spoken(language);
        let mut next = words.of(0);
        for at in 0..words.places.len() {
            let Reading { concepts, atoms } = next;
            next = words.of(at + 1);
            let from = hits.len();
            for concept in concepts.iter().filter(|concept| *concept & u32::from(languages) != 0) {
                hits.push(hit(short((concept >> 8) as usize), at, at + 1));
            }
            let alone = hits.len();
            for &atom in atoms {
                let mut take = |phrases: &[u32]| {
                    for phrase in phrases.iter().filter_map(|phrase| lexicon.phrases.get(*phrase)) {
                        if phrase.languages & languages != 0
                            && let Some(end) = follow(words, phrase.rest, at + 1)
                        {
                            hits.push(hit(phrase.concept, at, end));
                        }
                    }
                };
                if atom & GAPPED != 0 {
                    take(lexicon.phrases.gapped(atom));
                }
                if atom & FIRST != 0 {
                    for &second in next.atoms.iter().filter(|second| *second & SECOND != 0) {
                        take(lexicon.phrases.beginning(atom, second));
                    }
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
    Hit { from: short(from), concept, to: short(to) }
}

/// Where the places of a phrase end when they begin at word `at`.
fn follow(words: &Readings, rest: &[Place], at: usize) -> Option<usize> {
    let Some((place, rest)) = rest.split_first() else {
        return Some(at);
    };
    if at >= words.places.len() {
        return None;
    }
    match place {
        Place::Atom(atom) => {
            let stands = words.of(at).atoms.iter().any(|one| one & ATOM == *atom);
            stands.then(|| follow(words, rest, at + 1)).flatten()
        }
        Place::Any => follow(words, rest, at + 1),
        Place::Gap => (at..=at + GAP).find_map(|at| follow(words, rest, at)),
    }
}
