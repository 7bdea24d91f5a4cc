//! Rows of small integers, a scale each.

use super::super::table::KeyIndex;

/// The features of one block: for each key a weight per label and what it adds to the norm.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub(crate) keys: Vec<u64>,
    pub(crate) weights: Vec<i8>,
    pub(crate) scales: Vec<f32>,
    /// Squared idf.
    pub(crate) norms: Vec<f32>,
    pub(crate) index: KeyIndex,
    pub(crate) labels: usize,
}

impl Rows {
    /// Rows from sorted keys, their weights (row by row) and squared idf.
    #[must_use]
    pub fn new(labels: usize, keys: Vec<u64>, weights: &[f32], norms: Vec<f32>) -> Self {
        let mut small = Vec::with_capacity(weights.len());
        let mut scales = Vec::with_capacity(keys.len());
        for row in weights.chunks_exact(labels.max(1)) {
            let scale = row.iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 127.0;
            small.extend(row.iter().map(|w| quantise(*w, scale)));
            scales.push(scale);
        }
        Self::from_parts(labels, keys, small, scales, norms)
    }

    /// Rows as stored.
    #[must_use]
    pub fn from_parts(
        labels: usize,
        keys: Vec<u64>,
        weights: Vec<i8>,
        scales: Vec<f32>,
        norms: Vec<f32>,
    ) -> Self {
        let index = KeyIndex::new(keys.iter().copied());
        Self { keys, weights, scales, norms, index, labels }
    }

    /// How many features there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the parts belong together.
    pub(crate) fn fits(&self, labels: usize) -> bool {
        self.labels == labels
            && self.weights.len() == self.keys.len() * labels
            && self.scales.len() == self.keys.len()
            && self.norms.len() == self.keys.len()
            && self.scales.iter().chain(&self.norms).all(|x| x.is_finite())
    }

    /// Adds the row of `key` to `sum`; what it adds to the squared norm, or `None` when unknown.
    #[inline]
    pub fn add(&self, key: u64, sum: &mut [f32]) -> Option<f32> {
        let row = self.index.get(key)? as usize;
        let scale = *self.scales.get(row)?;
        let weights = self.weights.get(row * self.labels..(row + 1) * self.labels)?;
        for (sum, weight) in sum.iter_mut().zip(weights) {
            *sum += scale * f32::from(*weight);
        }
        self.norms.get(row).copied()
    }

    /// The row of `key` times `coefficients`, 0 when unknown.
    #[must_use]
    pub fn dot(&self, key: u64, coefficients: &[f32]) -> f32 {
        let row = self.index.get(key).and_then(|row| {
            let row = row as usize;
            Some((self.scales.get(row)?, self.weights.get(row * self.labels..(row + 1) * self.labels)?))
        });
        row.map_or(0.0, |(scale, weights)| {
            weights.iter().zip(coefficients).map(|(weight, c)| scale * f32::from(*weight) * c).sum()
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i8")]
fn quantise(weight: f32, scale: f32) -> i8 {
    if scale > 0.0 { (weight / scale).round().clamp(-127.0, 127.0) as i8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_weights_within_half_a_step() {
        let rows = Rows::new(3, vec![7, 9], &[0.5, -1.0, 0.0, 1e-3, 2e-3, -3e-3], vec![1.0, 2.0]);
        let mut sum = [0.0; 3];
        assert_eq!(rows.add(9, &mut sum), Some(2.0));
        assert_eq!(rows.add(8, &mut sum), None);
        for (got, want) in sum.iter().zip([1e-3, 2e-3, -3e-3]) {
            assert!((got - want).abs() <= 3e-3 / 254.0 + 1e-9);
        }
    }
}
