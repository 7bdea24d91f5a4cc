//! Finds the concepts of a sentence.

use super::super::hash;
use super::super::text::{Sentence, Text};
use super::compile::{Place, STEM};
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

/// Buffers for the search, reused from sentence to sentence.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    /// Atoms of all words of the sentence, and where those of each word end.
    atoms: Vec<u32>,
    ends: Vec<u32>,
    hits: Vec<Hit>,
}

/// Longest gap written `..`, in words.
const GAP: usize = 3;

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
        self.atoms.clear();
        self.ends.clear();
    }

    /// The next word, by the atoms it has.
    pub(crate) fn add(&mut self, atoms: &[u32]) {
        self.atoms.extend_from_slice(atoms);
        self.end_word();
    }

    /// The next word, by its letters.
    pub(crate) fn look_up(&mut self, lexicon: &Lexicon, word: &str, key: u64) {
        lexicon.atoms_of(word, key, &mut self.atoms);
        self.end_word();
    }

    fn end_word(&mut self) {
        self.ends.push(u32::try_from(self.atoms.len()).unwrap_or(u32::MAX));
    }

    /// The concepts of the words since [`Self::clear`], in order of place and number.
    pub(crate) fn hits(&mut self, lexicon: &Lexicon, language: Language) -> &[Hit] {
        self.hits.clear();
        let languages = spoken(language);
        for at in 0..self.ends.len() {
            for &atom in of_word(&self.atoms, &self.ends, at) {
                let Some(atom) = lexicon.atoms.get(atom as usize) else {
                    continue;
                };
                for &(concept, spoken) in &atom.concepts {
                    if spoken & languages != 0 {
                        self.hits.push(hit(concept, at, at + 1));
                    }
                }
                for &phrase in &atom.phrases {
                    let Some(phrase) = lexicon.phrases.get(phrase as usize) else {
                        continue;
                    };
                    let foreign = phrase.languages & languages == 0;
                    if foreign || !may_follow(of_word(&self.atoms, &self.ends, at + 1), &phrase.rest) {
                        continue;
                    }
                    if let Some(end) = follow(&self.atoms, &self.ends, &phrase.rest, at + 1) {
                        self.hits.push(hit(phrase.concept, at, end));
                    }
                }
            }
        }
        self.hits.sort_unstable();
        self.hits.dedup_by_key(|hit| (hit.from, hit.concept));
        &self.hits
    }
}

impl Lexicon {
    /// Appends the atoms of a word: itself and every stem it begins with.
    pub(crate) fn atoms_of(&self, word: &str, key: u64, atoms: &mut Vec<u32>) {
        let mut prefix = hash::EMPTY;
        for (length, c) in (1_u32..).zip(word.chars()) {
            prefix = hash::roll(prefix, c);
            if self.stem_lengths.checked_shr(length).is_some_and(|lengths| lengths & 1 == 1) {
                atoms.extend(self.index.get(prefix ^ STEM));
            }
        }
        atoms.extend(self.index.get(key));
    }
}

fn hit(concept: u16, from: usize, to: usize) -> Hit {
    let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
    Hit { from: place(from), concept, to: place(to) }
}

fn of_word<'a>(atoms: &'a [u32], ends: &[u32], word: usize) -> &'a [u32] {
    let start = word.checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or(0));
    let end = ends.get(word).copied().unwrap_or(start);
    atoms.get(start as usize..end as usize).unwrap_or_default()
}

/// Whether the word after the first of a phrase lets it go on: settles nearly every phrase.
fn may_follow(next: &[u32], rest: &[Place]) -> bool {
    match rest.first() {
        Some(Place::Atom(atom)) => next.contains(atom),
        _ => true,
    }
}

/// Where the places of a phrase end when they begin at word `at`.
fn follow(atoms: &[u32], ends: &[u32], rest: &[Place], at: usize) -> Option<usize> {
    let Some((place, rest)) = rest.split_first() else {
        return Some(at);
    };
    if at >= ends.len() {
        return None;
    }
    match place {
        Place::Atom(atom) => {
            of_word(atoms, ends, at).contains(atom).then(|| follow(atoms, ends, rest, at + 1)).flatten()
        }
        Place::Any => follow(atoms, ends, rest, at + 1),
        Place::Gap => (at..=at + GAP).find_map(|at| follow(atoms, ends, rest, at)),
    }
}
