//! The second stage of a taxonomy in which every mail has exactly one label: a multinomial
//! regression (linfa) over the scores of the whole mail, and one temperature.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use super::stack::Head;
use crate::classify::features::Block;

/// Where the fit begins: nearly the scores themselves.
const DIAGONAL: f64 = 0.8;
/// A label that no mail of the part has.
const NEVER: f64 = -10.0;
/// Bounds of the temperature's inverse.
const SLOPES: (f64, f64) = (0.2, 5.0);

/// The label of a mail that has one.
pub(super) fn class(flags: &[bool]) -> usize {
    flags.iter().position(|is| *is).unwrap_or(0)
}

/// A score per label: that of the whole mail, all views together.
fn whole(row: &[f32], label: usize, labels: usize) -> f64 {
    let views = (0..Block::VIEWS).filter_map(|view| row.get(view * labels + label));
    views.map(|score| f64::from(*score)).sum()
}

/// Fits one multinomial regression; strongly penalised, it learns which labels are taken for which.
pub(super) fn fit(rows: &[&[f32]], targets: &[&[bool]], labels: usize, alpha: f64) -> Vec<Head> {
    let mut x = Array2::<f64>::zeros((rows.len(), labels).f());
    for ((row, label), cell) in x.indexed_iter_mut() {
        *cell = rows.get(row).map_or(0.0, |row| whole(row, label, labels));
    }
    let y: Array1<usize> = targets.iter().map(|flags| class(flags)).collect();
    let mut present = y.to_vec();
    present.sort_unstable();
    present.dedup();
    let start = Array2::from_shape_fn((labels + 1, present.len()), |(from, to)| {
        if present.get(to) == Some(&from) { DIAGONAL } else { 0.0 }
    });
    let width = rows.first().map_or(0, |row| row.len());
    let data = DatasetBase::new(x, y);
    let fitted = MultiLogisticRegression::default()
        .alpha(alpha)
        .max_iterations(40)
        .gradient_tolerance(1e-3)
        .initial_params(start)
        .fit(&data);
    let head = |label: usize| {
        let mut head = Head { weights: vec![0.0; width], bias: NEVER };
        let Some(column) = present.iter().position(|class| *class == label) else {
            return head;
        };
        for from in 0..labels {
            let weight = match &fitted {
                Ok(fitted) => fitted.params().get((from, column)).copied().unwrap_or(0.0),
                // a fit that failed leaves the scores as they are
                Err(_) => f64::from(u8::from(from == label)),
            };
            for view in 0..Block::VIEWS {
                if let Some(place) = head.weights.get_mut(view * labels + from) {
                    *place = weight;
                }
            }
        }
        head.bias = fitted.as_ref().map_or(0.0, |f| f.intercept().get(column).copied().unwrap_or(0.0));
        head
    };
    (0..labels).map(head).collect()
}

/// What log-odds are multiplied by so that the probabilities are as sure as they are right: the
/// least log-loss, by golden sections.
pub(super) fn temperature(logits: &[Vec<f64>], targets: &[&[bool]]) -> f64 {
    let loss = |slope: f64| -> f64 {
        let each = logits.iter().zip(targets).map(|(row, flags)| log_loss(row, class(flags), slope));
        each.sum()
    };
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = SLOPES;
    for _ in 0..40 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(left) < loss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    f64::midpoint(low, high)
}

/// Minus the logarithm of the probability of `class`.
pub(super) fn log_loss(logits: &[f64], class: usize, slope: f64) -> f64 {
    let most = logits.iter().fold(f64::NEG_INFINITY, |most, logit| most.max(slope * logit));
    let sum: f64 = logits.iter().map(|logit| (slope * logit - most).exp()).sum();
    sum.ln() + most - slope * logits.get(class).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_taken_for_each_other_are_told_apart() {
        // label 1 always scores a little below label 0, also where it is right
        let rows: Vec<Vec<f32>> = (0..120)
            .map(|n| {
                let mut row = vec![-1.0; 3 * Block::VIEWS];
                row[n % 3] = 1.0;
                if n % 3 == 1 {
                    row[0] = 1.2;
                }
                row
            })
            .collect();
        let targets: Vec<Vec<bool>> = (0..120).map(|n| (0..3).map(|l| l == n % 3).collect()).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let flags: Vec<&[bool]> = targets.iter().map(Vec::as_slice).collect();
        let heads = fit(&rows, &flags, 3, 0.1);
        let said: Vec<f64> = heads.iter().map(|head| head.logit(rows[1])).collect();
        assert!(said[1] > said[0] && said[1] > said[2], "{said:?}");
    }

    #[test]
    fn scores_that_are_too_sure_are_cooled() {
        let logits: Vec<Vec<f64>> = (0..100).map(|_| vec![6.0, 0.0]).collect();
        let targets: Vec<Vec<bool>> = (0..100).map(|n| vec![n % 4 != 0, n % 4 == 0]).collect();
        let flags: Vec<&[bool]> = targets.iter().map(Vec::as_slice).collect();
        let slope = temperature(&logits, &flags);
        assert!((slope * 6.0 - 3.0_f64.ln()).abs() < 0.15, "{slope}");
    }
}
