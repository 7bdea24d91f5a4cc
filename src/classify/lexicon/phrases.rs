//! The phrases of a lexicon, found by their first two words.

use super::super::lists::Lists;
use super::super::table::KeyIndex;

/// The bits of an atom that are its number; those above say what it does in phrases.
pub(super) const ATOM: u32 = 0x00ff_ffff;
/// It stands in one.
const USED: u32 = 1 << 24;
/// It begins one and a gap follows.
pub(super) const GAPPED: u32 = 1 << 25;
/// It begins one and an atom follows.
pub(super) const FIRST: u32 = 1 << 26;
/// It is the second of one.
pub(super) const SECOND: u32 = 1 << 27;

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

/// Several words in a row that mean a concept in some languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrase<'a> {
    pub(super) concept: u16,
    pub(super) languages: u8,
    /// The places after the first.
    pub(super) rest: &'a [Place],
}

/// All phrases.
#[derive(Clone, Debug, Default)]
pub(super) struct Phrases {
    means: Vec<(u16, u8)>,
    rest: Lists<Place>,
    /// What each atom does in them.
    uses: Vec<u32>,
    /// Phrases by their first atom when a gap follows it.
    gapped: Lists<u32>,
    /// Phrases by their first two atoms.
    pairs: KeyIndex,
    by_pair: Lists<u32>,
    /// First atom, second atom if any, phrase: until they are sorted.
    begins: Vec<(u32, Option<u32>, u32)>,
}

impl Phrases {
    /// None yet, of so many atoms.
    pub(super) fn new(atoms: usize) -> Self {
        Self { uses: vec![0; atoms], ..Self::default() }
    }

    /// One more; [`Self::sorted`] must follow the last.
    pub(super) fn push(&mut self, concept: u16, languages: u8, mut places: impl Iterator<Item = Place>) {
        let Some(Place::Atom(first)) = places.next() else {
            return;
        };
        for place in places {
            self.rest.push(place);
        }
        let phrase = u32::try_from(self.means.len()).unwrap_or(u32::MAX);
        let second = match self.rest.open().first() {
            Some(Place::Atom(second)) => Some(*second),
            _ => None,
        };
        let atoms = (*self.rest.open()).iter().filter_map(|place| match place {
            Place::Atom(atom) => Some((*atom, USED)),
            _ => None,
        });
        let begins = (first, USED | if second.is_some() { FIRST } else { GAPPED });
        for (atom, what) in atoms.chain([begins]).chain(second.map(|second| (second, SECOND))) {
            if let Some(uses) = self.uses.get_mut(atom as usize) {
                *uses |= what;
            }
        }
        self.rest.end();
        self.means.push((concept, languages));
        self.begins.push((first, second, phrase));
    }

    /// Makes them ready to be found.
    pub(super) fn sorted(mut self) -> Self {
        let begins = std::mem::take(&mut self.begins);
        let of = |(first, second, phrase): &(u32, Option<u32>, u32)| {
            second.map(|second| (pair(*first, second), *phrase))
        };
        let mut keys: Vec<u64> = begins.iter().filter_map(of).map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        self.pairs = KeyIndex::new(keys);
        let paired = begins.iter().filter_map(of);
        let paired = paired.filter_map(|(key, phrase)| self.pairs.get(key).map(|number| (number, phrase)));
        self.by_pair = Lists::new(self.pairs.keys().len(), paired.collect());
        let gapped = begins.iter().filter(|(_, second, _)| second.is_none());
        let gapped = gapped.map(|(first, _, phrase)| (*first, *phrase));
        self.gapped = Lists::new(self.uses.len(), gapped.collect());
        self
    }

    /// An atom with what it does, if it stands in any phrase.
    pub(super) fn atom(&self, atom: u32) -> Option<u32> {
        let uses = self.uses.get(atom as usize).filter(|uses| **uses != 0)?;
        Some(atom & ATOM | uses)
    }

    /// The phrases that begin with this atom and a gap.
    #[inline]
    pub(super) fn gapped(&self, atom: u32) -> &[u32] {
        self.gapped.of(atom & ATOM)
    }

    /// The phrases that begin with these two atoms.
    #[inline]
    pub(super) fn beginning(&self, first: u32, second: u32) -> &[u32] {
        self.pairs.get(pair(first & ATOM, second & ATOM)).map_or(&[], |number| self.by_pair.of(number))
    }

    #[inline]
    pub(super) fn get(&self, phrase: u32) -> Option<Phrase<'_>> {
        let (concept, languages) = *self.means.get(phrase as usize)?;
        Some(Phrase { concept, languages, rest: self.rest.of(phrase) })
    }
}

const fn pair(first: u32, second: u32) -> u64 {
    (first as u64) << 32 | second as u64
}
