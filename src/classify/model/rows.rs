//! Rows of small integers, a scale each, laid out so that a look-up reads one place.

use super::super::table::KeyIndex;

/// How many labels stand together.
pub(crate) const LANES: usize = 16;
/// Sums for `LANES` labels.
pub type Lanes = [f32; LANES];

/// The features of one block: for each key a weight per label and what it adds to the norm.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    index: KeyIndex,
    labels: usize,
    chunks: Vec<Chunk>,
}

/// Part of a row: the weights of up to `LANES` labels, never across two lines of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Chunk {
    weights: [i8; LANES],
    scale: f32,
    /// Squared idf.
    norm: f32,
}

/// How many chunks a row of so many labels has.
#[must_use]
pub(crate) const fn chunks(labels: usize) -> usize {
    labels.div_ceil(LANES)
}

impl Rows {
    /// Rows from keys, their weights (row by row) and squared idf.
    #[must_use]
    pub fn new(labels: usize, keys: Vec<u64>, weights: &[f32], norms: &[f32]) -> Self {
        let mut small = Vec::with_capacity(weights.len());
        let mut scales = Vec::with_capacity(keys.len());
        for row in weights.chunks_exact(labels.max(1)) {
            let scale = row.iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 127.0;
            small.extend(row.iter().map(|w| quantise(*w, scale)));
            scales.push(scale);
        }
        Self::from_parts(labels, keys, &small, &scales, norms)
    }

    /// Rows as stored.
    #[must_use]
    pub fn from_parts(labels: usize, keys: Vec<u64>, weights: &[i8], scales: &[f32], norms: &[f32]) -> Self {
        let mut all = Vec::with_capacity(keys.len() * chunks(labels));
        for ((row, scale), norm) in weights.chunks_exact(labels.max(1)).zip(scales).zip(norms) {
            for part in row.chunks(LANES) {
                let mut chunk = Chunk { scale: *scale, norm: *norm, ..Chunk::default() };
                for (place, weight) in chunk.weights.iter_mut().zip(part) {
                    *place = *weight;
                }
                all.push(chunk);
            }
        }
        Self { index: KeyIndex::new(keys), labels, chunks: all }
    }

    /// How many features there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.keys().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.keys().is_empty()
    }

    /// Whether the parts belong together.
    pub(crate) fn fits(&self, labels: usize) -> bool {
        self.labels == labels
            && self.chunks.len() == self.len() * chunks(labels)
            && self.chunks.iter().all(|chunk| chunk.scale.is_finite() && chunk.norm.is_finite())
    }

    /// The keys, in order of their numbers.
    pub(crate) fn keys(&self) -> &[u64] {
        self.index.keys()
    }

    /// Weights, scale and squared idf of each row.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (impl Iterator<Item = i8>, f32, f32)> {
        self.chunks.chunks_exact(chunks(self.labels).max(1)).map(|row| {
            let (scale, norm) = row.first().map_or((0.0, 0.0), |chunk| (chunk.scale, chunk.norm));
            (row.iter().flat_map(|chunk| chunk.weights).take(self.labels), scale, norm)
        })
    }

    /// The number of a key.
    #[inline]
    pub(crate) fn number(&self, key: u64) -> Option<u32> {
        self.index.get(key)
    }

    /// Adds the row of `key` to `sum`; what it adds to the squared norm, or `None` when unknown.
    #[inline]
    pub fn add(&self, key: u64, sum: &mut [Lanes]) -> Option<f32> {
        self.index.get(key).map(|row| self.add_rows(&std::iter::once(row), sum))
    }

    /// The index of its keys.
    #[inline]
    pub(crate) const fn index(&self) -> &KeyIndex {
        &self.index
    }

    /// What the row with this number adds to the squared norm.
    #[inline]
    pub(crate) fn norm(&self, number: u32) -> f32 {
        self.chunks.get(number as usize * chunks(self.labels)).map_or(0.0, |chunk| chunk.norm)
    }

    /// Adds the rows with these numbers to `sum`; what they add to the squared norm.
    #[inline]
    pub(crate) fn add_rows<N>(&self, numbers: &N, sum: &mut [Lanes]) -> f32
    where
        N: Iterator<Item = u32> + Clone,
    {
        let width = chunks(self.labels);
        let mut norm = 0.0;
        for (part, sum) in sum.iter_mut().enumerate() {
            // all rows before the next part: the sums stay in registers
            let mut lanes = *sum;
            norm = 0.0;
            for number in numbers.clone() {
                if let Some(chunk) = self.chunks.get(number as usize * width + part) {
                    add_small(&mut lanes, &chunk.weights, chunk.scale);
                    norm += chunk.norm;
                }
            }
            *sum = lanes;
        }
        norm
    }

    /// Weights, scale and squared idf of the parts of a row.
    pub(super) fn chunks_of(&self, row: u32) -> impl Iterator<Item = (&[i8; LANES], f32, f32)> {
        self.row(row).unwrap_or_default().iter().map(|chunk| (&chunk.weights, chunk.scale, chunk.norm))
    }

    /// The row of `key` times `coefficients`, 0 when unknown.
    #[must_use]
    pub fn dot(&self, key: u64, coefficients: &[f32]) -> f32 {
        let row = self.index.get(key).and_then(|row| self.row(row)).unwrap_or_default();
        let weights =
            row.iter().flat_map(|chunk| chunk.weights.map(|weight| chunk.scale * f32::from(weight)));
        weights.zip(coefficients).map(|(weight, c)| weight * c).sum()
    }

    fn row(&self, row: u32) -> Option<&[Chunk]> {
        let width = chunks(self.labels);
        self.chunks.get(row as usize * width..(row as usize + 1) * width)
    }
}

/// Adds small weights times their scale.
#[inline]
fn add_small(sum: &mut Lanes, weights: &[i8; LANES], scale: f32) {
    for (sum, weight) in sum.iter_mut().zip(weights) {
        *sum += scale * f32::from(*weight);
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
        let rows = Rows::new(3, vec![7, 9], &[0.5, -1.0, 0.0, 1e-3, 2e-3, -3e-3], &[1.0, 2.0]);
        let mut sum = [[0.0; LANES]];
        assert_eq!(rows.add(9, &mut sum), Some(2.0));
        assert_eq!(rows.add(8, &mut sum), None);
        for (got, want) in sum[0].iter().zip([1e-3, 2e-3, -3e-3]) {
            assert!((got - want).abs() <= 3e-3 / 254.0 + 1e-9);
        }
        assert!((rows.dot(7, &[2.0, 1.0, 0.0])).abs() < 0.01);
    }

    #[test]
    fn a_taxonomy_of_many_labels_takes_several_chunks() {
        let weights: Vec<f32> = (0..40_u8).map(f32::from).collect();
        let rows = Rows::new(20, vec![1, 2], &weights, &[1.0, 1.0]);
        let mut sum = [[0.0; LANES]; 2];
        rows.add(2, &mut sum).unwrap();
        assert!((sum[1][3] - 39.0).abs() < 0.2 && sum[1][4] == 0.0, "{sum:?}");
        assert!(rows.fits(20) && !rows.fits(19));
    }
}
