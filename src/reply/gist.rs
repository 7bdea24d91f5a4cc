//! What marked mails have taught about choosing: which sentence of a mail says what it is about, which one
//! says what is wanted, and which of the matters with a sign is the right one. Linear weights over hashed
//! features, `models/evenkeel.gist`; `evenkeel train --gist data/gist` makes it.

use std::sync::LazyLock;

use crate::classify::hash;

/// Columns that features are hashed to.
pub(crate) const COLUMNS: usize = 1 << 17;

/// First bytes of the file: its kind and version.
const MAGIC: &[u8; 8] = b"ekgist1\n";

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// A sentence says what the mail is about.
    Key,
    /// A sentence says what is wanted.
    Wish,
    /// A matter is what the mail is about.
    Matter,
}

/// Weights of one aspect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) bias: f32,
    /// Log-odds from which a choice is sure enough.
    pub(crate) cut: f32,
    /// What a step of a weight is worth.
    step: f32,
    weights: Vec<i8>,
}

impl Scale {
    /// Weights rounded to 255 steps.
    pub(crate) fn of(weights: &[f32], bias: f32, cut: f32) -> Self {
        let most = weights.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
        let step = if most > 0.0 { most / f32::from(i8::MAX) } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "at most 127 steps by its making")]
        let rounded = |weight: &f32| (weight / step).round() as i8;
        Self { bias, cut, step, weights: weights.iter().map(rounded).collect() }
    }

    /// Log-odds of these columns.
    pub(crate) fn log_odds(&self, columns: &[u32]) -> f32 {
        let weight =
            |column: &u32| self.weights.get(*column as usize).map_or(0.0, |weight| f32::from(*weight));
        self.bias + self.step * columns.iter().map(weight).sum::<f32>()
    }
}

/// All three.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gist(pub(crate) [Scale; 3]);

impl Gist {
    pub(crate) const fn scale(&self, aspect: Aspect) -> &Scale {
        let [key, wish, matter] = &self.0;
        match aspect {
            Aspect::Key => key,
            Aspect::Wish => wish,
            Aspect::Matter => matter,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for scale in &self.0 {
            for number in [scale.bias, scale.cut, scale.step] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(scale.weights.iter().map(|weight| weight.to_le_bytes()[0]));
        }
        bytes
    }

    /// `None` where the bytes are something else.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut scale = || {
            let mut number = || {
                let (head, tail) = rest.split_first_chunk::<4>()?;
                rest = tail;
                Some(f32::from_le_bytes(*head))
            };
            let (bias, cut, step) = (number()?, number()?, number()?);
            let (weights, tail) = rest.split_at_checked(COLUMNS)?;
            rest = tail;
            let weights = weights.iter().map(|byte| i8::from_le_bytes([*byte])).collect();
            Some(Scale { bias, cut, step, weights })
        };
        Some(Self([scale()?, scale()?, scale()?]))
    }
}

static SHIPPED: LazyLock<Gist> = LazyLock::new(|| {
    // the shipped file reads: a test holds it
    Gist::of_bytes(include_bytes!("../../models/evenkeel.gist")).unwrap_or_else(|| {
        Gist([(); 3].map(|()| Scale { bias: 0.0, cut: f32::INFINITY, step: 1.0, weights: Vec::new() }))
    })
});

/// The shipped weights.
pub(crate) fn shipped() -> &'static Gist {
    &SHIPPED
}

/// Letters of a word that count: the rest is mostly its ending.
const STEM: usize = 6;

/// A word without most of its ending.
pub(crate) fn stem(word: &str) -> String {
    word.chars().take(STEM).collect()
}

/// The features of one candidate, as columns.
#[derive(Default)]
pub(crate) struct Columns(Vec<u32>);

impl Columns {
    /// Adds the feature that these words name.
    pub(crate) fn add(&mut self, parts: &[&str]) {
        let key = parts.iter().fold(hash::EMPTY, |key, part| hash::pair(key, hash::of(part)));
        self.0.extend(u32::try_from(hash::mix(key) % COLUMNS as u64));
    }

    pub(crate) fn extend(&mut self, others: &[u32]) {
        self.0.extend(others);
    }

    /// In order, each once.
    pub(crate) fn done(mut self) -> Vec<u32> {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_nothing_else_is() {
        let mut weights = vec![0.0; COLUMNS];
        weights[7] = -1.27;
        weights[9] = 0.5;
        let gist = Gist([0.1, 0.2, 0.3].map(|bias| Scale::of(&weights, bias, 1.5)));
        let bytes = gist.to_bytes();
        assert_eq!(Gist::of_bytes(&bytes), Some(gist.clone()));
        assert!((gist.scale(Aspect::Key).log_odds(&[7, 9]) + 0.67).abs() < 0.01);
        assert_eq!(Gist::of_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Gist::of_bytes(b"something else"), None);
    }

    #[test]
    fn the_shipped_weights_read() {
        assert!(Gist::of_bytes(include_bytes!("../../models/evenkeel.gist")).is_some());
    }
}
