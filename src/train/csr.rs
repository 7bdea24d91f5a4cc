//! Sparse rows, as linfa's `Records`.

use linfa::dataset::Records;

/// A sparse matrix in compressed rows.
#[derive(Clone, Debug)]
pub struct Csr {
    /// Where each row ends.
    ends: Vec<usize>,
    cells: Vec<(u32, f32)>,
    columns: usize,
}

impl Csr {
    /// A matrix without rows.
    #[must_use]
    pub const fn new(columns: usize) -> Self {
        Self { ends: Vec::new(), cells: Vec::new(), columns }
    }

    /// Appends a row of (column, value); columns beyond the width are ignored.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        let columns = self.columns;
        self.cells.extend(row.into_iter().filter(|(column, _)| (*column as usize) < columns));
        self.ends.push(self.cells.len());
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.cells.get(start..*end).unwrap_or_default())
    }

    /// This matrix times a dense one of `lanes` columns, row by row.
    #[must_use]
    pub fn times(&self, dense: &[f32], lanes: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.ends.len() * lanes];
        for (row, out) in self.rows().zip(out.chunks_exact_mut(lanes.max(1))) {
            for (column, value) in row {
                let at = *column as usize * lanes;
                for (out, x) in out.iter_mut().zip(dense.get(at..at + lanes).unwrap_or_default()) {
                    *out += value * x;
                }
            }
        }
        out
    }

    /// The transposed of this matrix times a dense one of `lanes` columns, row by row.
    #[must_use]
    pub fn transposed_times(&self, dense: &[f32], lanes: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.columns * lanes];
        for (row, from) in self.rows().zip(dense.chunks_exact(lanes.max(1))) {
            for (column, value) in row {
                let at = *column as usize * lanes;
                for (out, x) in out.get_mut(at..at + lanes).unwrap_or_default().iter_mut().zip(from) {
                    *out += value * x;
                }
            }
        }
        out
    }
}

impl Records for Csr {
    type Elem = f32;

    fn nsamples(&self) -> usize {
        self.ends.len()
    }

    fn nfeatures(&self) -> usize {
        self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_a_dense_matrix() {
        let mut x = Csr::new(3);
        x.push([(0, 1.0), (2, 2.0)]);
        x.push([(1, 3.0), (9, 5.0)]);
        assert_eq!(x.times(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0], 2), [7.0, 70.0, 6.0, 60.0]);
        assert_eq!(x.transposed_times(&[1.0, 10.0, 2.0, 20.0], 2), [1.0, 10.0, 6.0, 60.0, 2.0, 20.0]);
        assert_eq!((x.nsamples(), x.nfeatures()), (2, 3));
    }
}
