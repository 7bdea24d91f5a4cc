//! From 64-bit keys to row numbers by open addressing: one probe, nearly always.

use super::hash::mix;

/// An immutable index of distinct keys; the number of a key is its place in the input.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    slots: Vec<(u64, u32)>,
    mask: u64,
}

const EMPTY: u32 = u32::MAX;

impl KeyIndex {
    /// Indexes `keys`. Of equal keys the first counts.
    #[must_use]
    pub fn new(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = (keys.len() * 2 + 1).next_power_of_two();
        let mut index = Self { slots: vec![(0, EMPTY); size], mask: size as u64 - 1 };
        for (number, key) in (0..EMPTY).zip(keys) {
            let slot = index.slot(key);
            if let Some(slot) = index.slots.get_mut(slot).filter(|slot| slot.1 == EMPTY) {
                *slot = (key, number);
            }
        }
        index
    }

    /// The number of `key`.
    #[must_use]
    #[inline]
    pub fn get(&self, key: u64) -> Option<u32> {
        let mut at = mix(key) & self.mask;
        loop {
            let slot = self.slots.get(usize::try_from(at).ok()?)?;
            if slot.1 == EMPTY {
                return None;
            }
            if slot.0 == key {
                return Some(slot.1);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// The slot that holds `key`, or the free one where it belongs.
    fn slot(&self, key: u64) -> usize {
        let mut at = mix(key) & self.mask;
        loop {
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            match self.slots.get(place) {
                Some(slot) if slot.1 != EMPTY && slot.0 != key => at = (at + 1) & self.mask,
                _ => return place,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_at_its_place_and_no_other() {
        let keys: Vec<u64> = (0..5_000).map(|n| n * n * 7).collect();
        let index = KeyIndex::new(keys.iter().copied());
        for (place, key) in (0..).zip(&keys) {
            assert_eq!(index.get(*key), Some(place));
            assert_eq!(index.get(key + 1).filter(|_| !keys.contains(&(key + 1))), None);
        }
        assert_eq!(KeyIndex::default().get(3), None);
        assert_eq!(KeyIndex::new([].into_iter()).get(3), None);
    }
}
