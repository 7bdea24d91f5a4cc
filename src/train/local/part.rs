//! The weights of one label: fitted, asked, written into a layer.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array2;

use super::Row;
use crate::classify::layer::Layer;
use crate::classify::{Label, Reading};
use crate::train::csr::Csr;
use crate::train::subspace::{FitError, SubspaceParams};

/// The ridge: weights are held at those of the shipped model.
const ALPHA: f64 = 0.5;
/// Subspaces searched.
const STEPS: usize = 25;

/// Weights of one label.
pub(super) struct Part {
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

pub(super) fn fit_label(layer: &Layer, label: usize, rows: &[&Row<'_>]) -> Result<Part, FitError> {
    let columns = Label::COUNT + layer.ids.len();
    let mut x = Csr::new(columns);
    let mut y = vec![];
    for row in rows {
        let cells = cells(layer, row.reading);
        for _ in 0..row.times {
            x.push(cells.iter().copied());
            y.push(row.truth);
        }
    }
    let mut start = vec![0.0; columns];
    if let Some(own) = start.get_mut(label).filter(|_| label < Label::COUNT) {
        *own = 1.0;
    }
    let y = Array2::from_shape_fn((y.len(), 1), |(row, _)| y.get(row).copied().unwrap_or(false));
    let bias = (label < Label::COUNT).then_some(0.0);
    let params = SubspaceParams::default().alpha(ALPHA).steps(STEPS).start(start, bias);
    let fitted = params.fit(&DatasetBase::new(x, y))?;
    Ok(Part { weights: fitted.weights, bias: fitted.bias.first().copied().unwrap_or(0.0) })
}

/// The shipped log-odds, then the known ids.
fn cells(layer: &Layer, reading: &Reading) -> Vec<(u32, f32)> {
    let logits = (0_u32..).zip(reading.logits.iter().copied().take(Label::COUNT));
    let ids = layer.row(&reading.ids);
    logits.chain(ids.filter_map(|(place, x)| Some((u32::try_from(place + Label::COUNT).ok()?, x)))).collect()
}

impl Part {
    pub(super) fn logit(&self, layer: &Layer, reading: &Reading) -> f32 {
        let cells = cells(layer, reading).into_iter();
        let sum: f32 = cells.map(|(at, x)| x * self.weights.get(at as usize).copied().unwrap_or(0.0)).sum();
        self.bias + sum
    }

    pub(super) fn write(&self, layer: &mut Layer, label: usize) {
        let labels = layer.labels();
        let (inputs, ids) = self.weights.split_at_checked(Label::COUNT).unwrap_or_default();
        for (place, weight) in layer.inputs.iter_mut().skip(label * Label::COUNT).zip(inputs) {
            *place = *weight;
        }
        for (row, weight) in layer.weights.chunks_exact_mut(labels).zip(ids) {
            if let Some(place) = row.get_mut(label) {
                *place = *weight;
            }
        }
        set_bias(layer, label, self.bias);
    }
}

pub(super) fn set_bias(layer: &mut Layer, label: usize, bias: f32) {
    if let Some(place) = layer.bias.get_mut(label) {
        *place = bias;
    }
}
