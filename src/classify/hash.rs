//! 64-bit keys of words, n-grams and pairs. Fixed for ever by the features version.

/// The key of nothing: where a rolling key begins.
pub const EMPTY: u64 = 0x9e37_79b9_7f4a_7c15;

/// A rolling key with one more character.
#[must_use]
pub const fn roll(key: u64, c: char) -> u64 {
    (key.rotate_left(5) ^ c as u64).wrapping_mul(0x2127_599b_f432_5c37)
}

/// The key of a string.
#[must_use]
pub fn of(text: &str) -> u64 {
    text.chars().fold(EMPTY, roll)
}

/// Spreads the bits of a key, so that its low bits can choose a slot.
#[must_use]
pub const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    key ^ (key >> 29)
}

/// The key of a pair, in order.
#[must_use]
pub const fn pair(first: u64, second: u64) -> u64 {
    mix(first.rotate_left(23) ^ second.wrapping_mul(0xa24b_aed4_963e_e407))
}
