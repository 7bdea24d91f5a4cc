//! From patterns as written to tables.

use std::collections::BTreeMap;

use super::super::fold::{fold, is_apostrophe, normal};
use super::super::hash;
use super::super::lists::Lists;
use super::super::table::KeyIndex;
use super::mask::Masks;
use super::phrases::{Phrases, Place};
use super::{EN, ES, Entry, Lexicon, LexiconError, RU, UK};

/// Sets stems apart from whole words with the same letters.
pub(super) const STEM: u64 = 0x51_7cc1_b727_220a;

/// A word, stem or gap of a pattern.
enum Written {
    Atom(u64),
    Any,
    Gap,
}

/// Patterns as read: words and stems by key.
#[derive(Default)]
struct Reader {
    /// A word or stem that stands for a concept alone, in some languages.
    alone: Vec<(u64, u16, u8)>,
    /// Several in a row.
    phrases: Vec<(u16, u8, Vec<Written>)>,
    stem_lengths: u64,
    masked: Vec<(String, bool)>,
    /// Letters of the current word.
    letters: String,
}

pub(super) fn compile(source: &str, entries: &BTreeMap<String, Entry>) -> Result<Lexicon, LexiconError> {
    let mut reader = Reader::default();
    let mut names = vec![];
    for (name, entry) in entries.iter().filter(|(_, entry)| entry.table.is_empty()) {
        for (text, languages) in [
            (&entry.en, EN),
            (&entry.es, ES),
            (&entry.ru, RU),
            (&entry.uk, UK),
            (&entry.any, EN | ES | RU | UK),
        ] {
            reader.patterns(number(names.len()), name, languages, text, entry.masked)?;
        }
        names.push(name.clone());
    }
    let first_meaning = number(names.len());
    for line in entries.values().flat_map(|entry| entry.table.lines()).filter(|line| line.contains('|')) {
        let name = line.split(['|', ',']).next().unwrap_or_default().trim().to_owned();
        for (text, languages) in line.split('|').zip([EN, ES, RU, UK]) {
            reader.patterns(number(names.len()), &name, languages, text, false)?;
        }
        names.push(name);
    }
    let index = reader.index();
    Ok(Lexicon {
        source: source.to_owned(),
        keys: names.iter().map(|name| hash::of(name)).collect(),
        names,
        alone: reader.alone(&index),
        phrases: reader.phrases(&index),
        index,
        stem_lengths: reader.stem_lengths,
        first_meaning,
        masks: Masks::new(reader.masked),
    })
}

fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

impl Reader {
    fn patterns(
        &mut self,
        concept: u16,
        name: &str,
        languages: u8,
        text: &str,
        masked: bool,
    ) -> Result<(), LexiconError> {
        for pattern in text.split([',', '\n']).map(str::trim).filter(|pattern| !pattern.is_empty()) {
            self.pattern(concept, languages, pattern, masked).map_err(|problem| LexiconError::Pattern {
                concept: name.to_owned(),
                pattern: pattern.to_owned(),
                problem,
            })?;
        }
        Ok(())
    }

    fn pattern(
        &mut self,
        concept: u16,
        languages: u8,
        pattern: &str,
        masked: bool,
    ) -> Result<(), &'static str> {
        let alone = !pattern.contains(char::is_whitespace);
        let mut written = vec![];
        for word in pattern.split_whitespace() {
            let place = match word {
                "_" => Written::Any,
                ".." => Written::Gap,
                _ => Written::Atom(self.atom(word, masked && alone)?),
            };
            match place {
                Written::Atom(key) if alone => self.alone.push((key, concept, languages)),
                place => written.push(place),
            }
        }
        if matches!(written.first(), Some(Written::Any | Written::Gap)) {
            return Err("begins with a gap: begin with a word");
        }
        if matches!(written.last(), Some(Written::Any | Written::Gap)) {
            return Err("ends with a gap: end with a word");
        }
        if !alone {
            self.phrases.push((concept, languages, written));
        }
        Ok(())
    }

    /// The key of a word or `stem*`.
    fn atom(&mut self, written: &str, masked: bool) -> Result<u64, &'static str> {
        self.letters.clear();
        self.letters.extend(normal(written).chars().map(|c| match c {
            _ if is_apostrophe(c) => '\'',
            _ if c.is_numeric() => '0',
            _ => fold(c),
        }));
        let stem = self.letters.ends_with('*');
        if stem {
            self.letters.pop();
        }
        if self.letters.contains('*') {
            return Err("has a star inside: a star ends a stem");
        }
        if self.letters.chars().any(|c| c.is_ascii_punctuation() && c != '\'' && c != '_') {
            return Err("has a sign in a word: write the words apart");
        }
        let length = self.letters.chars().count();
        if masked && length > 2 {
            self.masked.push((self.letters.clone(), stem));
        }
        if stem {
            self.stem_lengths |= 1 << length.min(63);
        }
        Ok(hash::of(&self.letters) ^ if stem { STEM } else { 0 })
    }

    /// Numbers for all words and stems.
    fn index(&self) -> KeyIndex {
        let alone = self.alone.iter().map(|(key, ..)| *key);
        let within = self.phrases.iter().flat_map(|(.., written)| written).filter_map(|place| match place {
            Written::Atom(key) => Some(*key),
            _ => None,
        });
        let mut keys: Vec<u64> = alone.chain(within).collect();
        keys.sort_unstable();
        keys.dedup();
        KeyIndex::new(keys)
    }

    /// The concepts of each atom that stands for some alone, with their languages.
    fn alone(&self, index: &KeyIndex) -> Lists<(u16, u8)> {
        let atoms = self.alone.iter().filter_map(|(key, concept, languages)| {
            index.get(*key).map(|atom| (atom, (*concept, *languages)))
        });
        Lists::new(index.keys().len(), atoms.collect())
    }

    fn phrases(&self, index: &KeyIndex) -> Phrases {
        let mut phrases = Phrases::new(index.keys().len());
        for (concept, languages, written) in &self.phrases {
            let places = written.iter().filter_map(|place| match place {
                Written::Atom(key) => index.get(*key).map(Place::Atom),
                Written::Any => Some(Place::Any),
                Written::Gap => Some(Place::Gap),
            });
            phrases.push(*concept, *languages, places);
        }
        phrases.sorted()
    }
}
