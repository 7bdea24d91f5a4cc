//! The second stage: out-of-fold scores and form become one calibrated log-odds per label.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use super::subspace::to_f32;

/// Ridge of the calibration: next to nothing.
const CALIBRATION_ALPHA: f64 = 0.01;

/// Smallest deviation an input is divided by: what only a few mails have (a language that cannot be
/// told) would otherwise count for more than everything else together.
const LEAST_DEVIATION: f64 = 0.1;

/// Weights and bias of one label.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) weights: Vec<f64>,
    pub(super) bias: f64,
}

impl Head {
    pub(super) fn logit(&self, inputs: &[f32]) -> f64 {
        self.bias + self.weights.iter().zip(inputs).map(|(w, x)| w * f64::from(*x)).sum::<f64>()
    }
}

/// Mean and deviation of every input.
struct Scale {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scale {
    fn of(rows: &[&[f32]]) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        let n = to_f64(rows.len().max(1));
        let mut means = vec![0.0; width];
        for row in rows {
            for (mean, x) in means.iter_mut().zip(*row) {
                *mean += f64::from(*x) / n;
            }
        }
        let mut deviations = vec![0.0; width];
        for row in rows {
            for ((sum, mean), x) in deviations.iter_mut().zip(&means).zip(*row) {
                *sum += (f64::from(*x) - mean).powi(2) / n;
            }
        }
        for variance in &mut deviations {
            *variance = if *variance > 1e-12 { variance.sqrt().max(LEAST_DEVIATION) } else { 0.0 };
        }
        Self { means, deviations }
    }
}

/// Fits one linfa logistic regression per label on standardised inputs.
pub(super) fn fit(rows: &[&[f32]], targets: &[&[bool]], labels: usize, alpha: f64) -> Vec<Head> {
    let scale = Scale::of(rows);
    let width = scale.means.len();
    let mut x = Array2::<f64>::zeros((rows.len(), width).f());
    for (mut to, row) in x.rows_mut().into_iter().zip(rows) {
        for (((to, x), mean), deviation) in to.iter_mut().zip(*row).zip(&scale.means).zip(&scale.deviations) {
            *to = if *deviation > 0.0 { (f64::from(*x) - mean) / deviation } else { 0.0 };
        }
    }
    (0..labels)
        .map(|label| {
            let y: Array1<bool> =
                targets.iter().map(|row| row.get(label).copied().unwrap_or(false)).collect();
            one(&x, y, alpha, &scale)
        })
        .collect()
}

fn one(x: &Array2<f64>, y: Array1<bool>, alpha: f64, scale: &Scale) -> Head {
    let positive = to_f64(y.iter().filter(|is| **is).count()) + 0.5;
    let base = (positive / (to_f64(y.len()) + 1.0 - positive)).ln();
    let nothing = Head { weights: vec![0.0; scale.means.len()], bias: base };
    let data = DatasetBase::new(x.view(), y);
    let Ok(fitted) =
        LogisticRegression::default().alpha(alpha).max_iterations(60).gradient_tolerance(1e-3).fit(&data)
    else {
        return nothing;
    };
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let mut bias = sign * fitted.intercept();
    let weights =
        fitted.params().iter().zip(&scale.means).zip(&scale.deviations).map(|((beta, mean), deviation)| {
            let weight = if *deviation > 0.0 { sign * beta / deviation } else { 0.0 };
            bias -= weight * mean;
            weight
        });
    let weights: Vec<f64> = weights.collect();
    Head { weights, bias }
}

/// Slope and offset that make log-odds out of scores: a logistic regression on the score alone.
/// (linfa's Platt scaling stops early on scores that are far too sure.)
pub(super) fn calibrate(scores: &[f64], targets: &[bool]) -> (f64, f64) {
    let scores: Vec<[f32; 1]> = scores.iter().map(|score| [to_f32(*score)]).collect();
    let rows: Vec<&[f32]> = scores.iter().map(<[f32; 1]>::as_slice).collect();
    let flags: Vec<&[bool]> = targets.iter().map(std::slice::from_ref).collect();
    let fitted = fit(&rows, &flags, 1, CALIBRATION_ALPHA);
    let line = fitted.first().and_then(|head| Some((*head.weights.first()?, head.bias)));
    rising(line.unwrap_or((1.0, 0.0)))
}

/// A label that cannot be told keeps its order: a falling slope would turn it round.
fn rising((slope, offset): (f64, f64)) -> (f64, f64) {
    if slope > 0.0 && slope.is_finite() && offset.is_finite() { (slope, offset) } else { (1.0, 0.0) }
}

/// Weights and biases of all labels with slope and offset folded in, as the model stores them.
pub(super) fn folded(heads: &[Head], slopes: &[(f64, f64)]) -> crate::classify::model::Stack {
    let mut stack = crate::classify::model::Stack::default();
    for (head, (slope, offset)) in heads.iter().zip(slopes) {
        stack.weights.extend(head.weights.iter().map(|weight| to_f32(weight * slope)));
        stack.bias.push(to_f32(head.bias * slope + offset));
    }
    stack
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
const fn to_f64(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_label_is_learnt_with_the_right_sign_and_scale() {
        let rows: Vec<Vec<f32>> = (0..200).map(|n| vec![if n % 10 == 0 { 3.0 } else { -3.0 }, 0.5]).collect();
        let targets: Vec<Vec<bool>> = (0..200).map(|n| vec![n % 10 == 0]).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let flags: Vec<&[bool]> = targets.iter().map(Vec::as_slice).collect();
        let heads = fit(&rows, &flags, 1, 1.0);
        assert!(heads[0].logit(&[3.0, 0.5]) > 1.0 && heads[0].logit(&[-3.0, 0.5]) < -1.0);
    }

    #[test]
    fn calibration_never_turns_a_score_round() {
        let (slope, _) = calibrate(&[1.0, 2.0, 3.0, 4.0], &[true, true, false, false]);
        assert!(slope > 0.0);
    }
}
