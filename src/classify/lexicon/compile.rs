//! From patterns as written to tables.

use std::collections::BTreeMap;

use super::super::fold::{fold, is_apostrophe, normal};
use super::super::hash;
use super::super::table::KeyIndex;
use super::mask::Masks;
use super::{EN, ES, Entry, Lexicon, LexiconError, RU, UK};

/// Sets stems apart from whole words with the same letters.
pub(super) const STEM: u64 = 0x51_7cc1_b727_220a;

/// A word or stem that some pattern begins with or consists of.
#[derive(Clone, Debug, Default)]
pub(super) struct Atom {
    /// Concepts it stands for alone, with the languages in which it does.
    pub(super) concepts: Vec<(u16, u8)>,
    /// Phrases that begin with it.
    pub(super) phrases: Vec<u32>,
}

/// One place of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// This word or stem.
    Atom(u32),
    /// Any one word.
    Any,
    /// Up to three words.
    Gap,
}

/// Several words in a row.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pub(super) concept: u16,
    pub(super) languages: u8,
    /// The places after the first.
    pub(super) rest: Vec<Place>,
}

#[derive(Default)]
struct Compiler {
    keys: Vec<u64>,
    known: BTreeMap<u64, u32>,
    atoms: Vec<Atom>,
    phrases: Vec<Phrase>,
    stem_lengths: u64,
    masked: Vec<(String, bool)>,
}

pub(super) fn compile(source: &str, entries: &BTreeMap<String, Entry>) -> Result<Lexicon, LexiconError> {
    let mut compiler = Compiler::default();
    let mut names = vec![];
    for (name, entry) in entries.iter().filter(|(_, entry)| entry.table.is_empty()) {
        for (text, languages) in [
            (&entry.en, EN),
            (&entry.es, ES),
            (&entry.ru, RU),
            (&entry.uk, UK),
            (&entry.any, EN | ES | RU | UK),
        ] {
            compiler.patterns(number(names.len()), name, languages, text, entry.masked)?;
        }
        names.push(name.clone());
    }
    let first_meaning = number(names.len());
    for line in entries.values().flat_map(|entry| entry.table.lines()).filter(|line| line.contains('|')) {
        let name = line.split(['|', ',']).next().unwrap_or_default().trim().to_owned();
        for (text, languages) in line.split('|').zip([EN, ES, RU, UK]) {
            compiler.patterns(number(names.len()), &name, languages, text, false)?;
        }
        names.push(name);
    }
    Ok(Lexicon {
        source: source.to_owned(),
        keys: names.iter().map(|name| hash::of(name)).collect(),
        names,
        index: KeyIndex::new(compiler.keys),
        atoms: compiler.atoms,
        phrases: compiler.phrases,
        stem_lengths: compiler.stem_lengths,
        first_meaning,
        masks: Masks::new(compiler.masked),
    })
}

fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

impl Compiler {
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
        let mut places = vec![];
        for word in pattern.split_whitespace() {
            places.push(match word {
                "_" => Place::Any,
                ".." => Place::Gap,
                _ => Place::Atom(self.atom(word, masked && !pattern.contains(' '))?),
            });
        }
        let Some((Place::Atom(first), rest)) = places.split_first() else {
            return Err("begins with a gap: begin with a word");
        };
        if matches!(rest.last(), Some(Place::Any | Place::Gap)) {
            return Err("ends with a gap: end with a word");
        }
        let number = u32::try_from(self.phrases.len()).unwrap_or(u32::MAX);
        let Some(atom) = self.atoms.get_mut(*first as usize) else {
            return Ok(());
        };
        if rest.is_empty() {
            match atom.concepts.iter_mut().find(|(known, _)| *known == concept) {
                Some((_, known)) => *known |= languages,
                None => atom.concepts.push((concept, languages)),
            }
        } else {
            atom.phrases.push(number);
            self.phrases.push(Phrase { concept, languages, rest: rest.to_vec() });
        }
        Ok(())
    }

    fn atom(&mut self, written: &str, masked: bool) -> Result<u32, &'static str> {
        let word: String =
            normal(written).chars().map(|c| if is_apostrophe(c) { '\'' } else { fold(c) }).collect();
        let (letters, stem) =
            word.strip_suffix('*').map_or((word.as_str(), false), |letters| (letters, true));
        if letters.contains('*') {
            return Err("has a star inside: a star ends a stem");
        }
        if letters.chars().any(|c| c.is_ascii_punctuation() && c != '\'' && c != '_') {
            return Err("has a sign in a word: write the words apart");
        }
        let letters: String = letters.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
        if masked && letters.chars().count() > 2 {
            self.masked.push((letters.clone(), stem));
        }
        if stem {
            self.stem_lengths |= 1 << letters.chars().count().min(63);
        }
        let key = hash::of(&letters) ^ if stem { STEM } else { 0 };
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let number = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        self.known.insert(key, number);
        self.keys.push(key);
        self.atoms.push(Atom::default());
        Ok(number)
    }
}
