//! From 64-bit keys to row numbers by open addressing: one probe, nearly always.

use super::hash::mix;

/// An immutable index of distinct keys; the number of a key is its place in the input. A slot holds
/// a number plus one and forty bits of the key; together with the place of the slot they tell keys
/// apart (once in 2⁴⁰ they do not, which costs a feature its weight in one model), so that the keys
/// themselves, another miss of the cache, need not be read.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    keys: Vec<u64>,
    slots: Vec<u64>,
    /// About eight bits a key: tells most foreign keys without a look at the slots, which
    /// are too many for the near cache.
    filter: Vec<u64>,
}

/// A key that is looked for, and for what; its number once it is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// A key, then a number.
    pub(crate) key: u64,
    /// What it belongs to.
    pub(crate) of: u32,
}

impl Wanted {
    /// The number, once it is found.
    #[inline]
    pub(crate) fn number(&self) -> Option<u32> {
        u32::try_from(self.key).ok()
    }
}

/// Bits of a slot that hold the number.
const NUMBER: u64 = 0x00ff_ffff;

impl KeyIndex {
    /// Indexes `keys`. Of equal keys the first counts.
    #[must_use]
    pub fn new(keys: Vec<u64>) -> Self {
        let size = (keys.len() + keys.len() / 2 + 1).next_power_of_two();
        let mut index = Self {
            keys: Vec::with_capacity(keys.len()),
            slots: vec![0; size],
            filter: vec![0; (size / 8).max(1)],
        };
        for (number, key) in (1..NUMBER).zip(keys) {
            index.keys.push(key);
            let (word, bit) = index.bit(mix(key));
            if let Some(word) = index.filter.get_mut(word) {
                *word |= bit;
            }
            let mut at = mix(key);
            while let Some(slot) = index.slots.get_mut(place(at, size)) {
                if *slot == 0 {
                    *slot = tag(key) | number;
                    break;
                }
                at = at.wrapping_add(1);
            }
        }
        index
    }

    /// The keys in order.
    #[must_use]
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The number of `key`.
    #[must_use]
    #[inline]
    pub fn get(&self, key: u64) -> Option<u32> {
        if self.may_have(key) { self.probe(key) } else { None }
    }

    /// As [`Self::get`], for a key that may be known.
    #[inline]
    fn probe(&self, key: u64) -> Option<u32> {
        let mut at = mix(key);
        loop {
            let slot = *self.slots.get(place(at, self.slots.len()))?;
            let number = u32::try_from((slot & NUMBER).checked_sub(1)?).ok()?;
            if slot & !NUMBER == tag(key) {
                return Some(number);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Whether `key` may be known: a cheap look that is right about every known key and nearly
    /// every other.
    #[must_use]
    #[inline]
    pub fn may_have(&self, key: u64) -> bool {
        let (word, bit) = self.bit(mix(key));
        self.filter.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Keeps of `wanted` what is known, with numbers in place of keys. Filter first, look after: no
    /// look-up waits for the outcome of another, so that misses of the cache overlap.
    pub(crate) fn sift(&self, wanted: &mut Vec<Wanted>) {
        let mut kept = 0;
        for at in 0..wanted.len() {
            if let Some(one) = wanted.get(at).copied()
                && let Some(free) = wanted.get_mut(kept)
            {
                *free = one;
                kept += usize::from(self.may_have(one.key));
            }
        }
        wanted.truncate(kept);
        wanted.retain_mut(|one| self.probe(one.key).map(|number| one.key = number.into()).is_some());
    }

    /// The word of the filter and the bit in it that stand for a mixed key: other bits of it than
    /// those that choose the slot.
    #[inline]
    const fn bit(&self, mixed: u64) -> (usize, u64) {
        (place(mixed >> 40, self.filter.len()), 1 << (mixed >> 34 & 63))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn place(at: u64, size: usize) -> usize {
    at as usize & size.wrapping_sub(1)
}

const fn tag(key: u64) -> u64 {
    mix(key) & !NUMBER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_at_its_place_and_no_other() {
        let keys: Vec<u64> = (0..5_000).map(|n| n * n * 7).collect();
        let index = KeyIndex::new(keys.clone());
        for (place, key) in (0..).zip(&keys) {
            assert_eq!(index.get(*key), Some(place));
            assert_eq!(index.get(key + 1).filter(|_| !keys.contains(&(key + 1))), None);
        }
        assert_eq!(KeyIndex::default().get(3), None);
        assert_eq!(KeyIndex::new(vec![]).get(3), None);
    }
}
