//! L2 logistic regression on sparse rows, one label against the rest, as a linfa estimator.
//!
//! The method is sequential subspace optimisation (Narkiss and Zibulevsky, 2005): each step looks
//! for the optimum in the space of the present weights, the gradient and the last move. The
//! directions are ours; the coefficients in that space, and so every parameter, are computed by
//! `linfa-logistic`. The basis is orthonormal, which makes linfa's ridge on three coefficients the
//! ridge on all weights, so the limit is the optimum of the whole problem.

mod basis;

use linfa::ParamGuard;
use linfa::dataset::{DatasetBase, Records};
use linfa::traits::{Fit, PredictInplace};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

use self::basis::{Direction, Gram, TINY, advance, orthonormal};
use super::csr::Csr;

/// Why a fit is impossible.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A parameter out of range.
    #[error("{0} must be greater than zero")]
    Parameter(&'static str),
    /// Rows and targets of different number.
    #[error("{rows} rows but targets for {targets}")]
    Shape {
        /// Rows of the matrix.
        rows: usize,
        /// Rows of the targets.
        targets: usize,
    },
    /// linfa could not use the data.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// Unchecked parameters; [`ParamGuard`] checks them.
#[derive(Clone, Debug)]
pub struct SubspaceParams(ValidSubspaceParams);

/// Parameters of the method.
#[derive(Clone, Debug)]
pub struct ValidSubspaceParams {
    alpha: f64,
    steps: usize,
    iterations: u64,
    /// Weights (feature by feature, a weight per label) to begin at, and the bias of every label.
    start: Option<(Vec<f32>, Option<f32>)>,
}

impl Default for SubspaceParams {
    fn default() -> Self {
        Self(ValidSubspaceParams { alpha: 0.1, steps: 10, iterations: 8, start: None })
    }
}

impl SubspaceParams {
    /// The ridge: ½·alpha·‖w‖² is added to the summed loss.
    #[must_use]
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Begins at these weights (feature by feature, a weight per label), and with this bias. The optimum
    /// is the same; it is reached sooner.
    #[must_use]
    pub fn start(mut self, weights: Vec<f32>, bias: Option<f32>) -> Self {
        self.0.start = Some((weights, bias));
        self
    }

    /// How many subspaces are searched.
    #[must_use]
    pub const fn steps(mut self, steps: usize) -> Self {
        self.0.steps = steps;
        self
    }
}

impl ParamGuard for SubspaceParams {
    type Checked = ValidSubspaceParams;
    type Error = FitError;

    fn check_ref(&self) -> Result<&ValidSubspaceParams, FitError> {
        if self.0.alpha.is_nan() || self.0.alpha <= 0.0 {
            return Err(FitError::Parameter("alpha"));
        }
        if self.0.steps == 0 {
            return Err(FitError::Parameter("steps"));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<ValidSubspaceParams, FitError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

/// Fitted weights: for each feature a weight per label.
#[derive(Clone, Debug)]
pub struct SparseLogistic {
    /// Feature by feature, a weight per label.
    pub weights: Vec<f32>,
    /// A bias per label.
    pub bias: Vec<f32>,
}

impl Fit<Csr, Array2<bool>, FitError> for ValidSubspaceParams {
    type Object = SparseLogistic;

    fn fit(&self, dataset: &DatasetBase<Csr, Array2<bool>>) -> Result<SparseLogistic, FitError> {
        let (x, y) = (dataset.records(), dataset.targets());
        if x.nsamples() != y.nrows() {
            return Err(FitError::Shape { rows: x.nsamples(), targets: y.nrows() });
        }
        let mut state = State::new(x, y);
        if let Some((weights, bias)) = &self.start {
            state.begin_at(x, weights, *bias);
        }
        for _ in 0..self.steps {
            state.step(self, x, y);
        }
        Ok(SparseLogistic { weights: state.weights, bias: state.bias })
    }
}

impl PredictInplace<Csr, Array2<f32>> for SparseLogistic {
    fn predict_inplace<'a>(&'a self, x: &'a Csr, y: &mut Array2<f32>) {
        let lanes = self.bias.len();
        for (out, score) in y.iter_mut().zip(x.times(&self.weights, lanes)) {
            *out = score;
        }
        for mut row in y.rows_mut() {
            for (out, bias) in row.iter_mut().zip(&self.bias) {
                *out += bias;
            }
        }
    }

    fn default_target(&self, x: &Csr) -> Array2<f32> {
        Array2::zeros((x.nsamples(), self.bias.len()))
    }
}

/// Weights, last move and gradient (features × labels), and their scores (rows × labels).
struct State {
    lanes: usize,
    weights: Vec<f32>,
    moved: Vec<f32>,
    scores: Vec<f32>,
    moved_scores: Vec<f32>,
    bias: Vec<f32>,
}

impl State {
    fn new(x: &Csr, y: &Array2<bool>) -> Self {
        let lanes = y.ncols();
        let (features, rows) = (x.nfeatures() * lanes, x.nsamples() * lanes);
        let bias = y
            .columns()
            .into_iter()
            .map(|column| log_odds(column.iter().filter(|is| **is).count(), column.len()))
            .collect();
        Self {
            lanes,
            weights: vec![0.0; features],
            moved: vec![0.0; features],
            scores: vec![0.0; rows],
            moved_scores: vec![0.0; rows],
            bias,
        }
    }

    fn begin_at(&mut self, x: &Csr, weights: &[f32], bias: Option<f32>) {
        if weights.len() == self.weights.len() {
            self.weights.copy_from_slice(weights);
            self.scores = x.times(weights, self.lanes);
        }
        if let Some(bias) = bias {
            self.bias.fill(bias);
        }
    }

    fn step(&mut self, params: &ValidSubspaceParams, x: &Csr, y: &Array2<bool>) {
        let lanes = self.lanes.max(1);
        let mut error = self.scores.clone();
        for (row, is) in error.chunks_exact_mut(lanes).zip(y.rows()) {
            for ((cell, bias), is) in row.iter_mut().zip(&self.bias).zip(is) {
                *cell = 1.0 / (1.0 + (-(*cell + bias)).exp()) - f32::from(u8::from(*is));
            }
        }
        let mut gradient = x.transposed_times(&error, lanes);
        let ridge = to_f32(params.alpha);
        for (g, w) in gradient.iter_mut().zip(&self.weights) {
            *g += ridge * w;
        }
        let gradient_scores = x.times(&gradient, lanes);
        let grams = self.grams(&gradient);
        let mut keep = vec![[1.0, 0.0, 0.0]; lanes];
        for ((label, gram), keep) in grams.iter().enumerate().zip(&mut keep) {
            if let Some((coefficients, bias)) = self.solve(params, label, gram, &gradient_scores, y) {
                *keep = coefficients;
                if let Some(place) = self.bias.get_mut(label) {
                    *place = to_f32(bias);
                }
            }
        }
        advance(&mut self.weights, &mut self.moved, &gradient, &keep);
        advance(&mut self.scores, &mut self.moved_scores, &gradient_scores, &keep);
    }

    fn grams(&self, gradient: &[f32]) -> Vec<Gram> {
        let lanes = self.lanes.max(1);
        let mut grams = vec![[0.0; 6]; lanes];
        let rows = self
            .weights
            .chunks_exact(lanes)
            .zip(gradient.chunks_exact(lanes))
            .zip(self.moved.chunks_exact(lanes));
        for ((w, g), d) in rows {
            for (((gram, w), g), d) in grams.iter_mut().zip(w).zip(g).zip(d) {
                let (w, g, d) = (f64::from(*w), f64::from(*g), f64::from(*d));
                for (sum, product) in gram.iter_mut().zip([w * w, w * g, w * d, g * g, g * d, d * d]) {
                    *sum += product;
                }
            }
        }
        grams
    }

    /// The best point of the subspace of one label: coefficients of the directions, and the bias.
    fn solve(
        &self,
        params: &ValidSubspaceParams,
        label: usize,
        gram: &Gram,
        gradient: &[f32],
        y: &Array2<bool>,
    ) -> Option<(Direction, f64)> {
        let basis = orthonormal(gram);
        let rows = y.nrows();
        let mut z = Array2::<f64>::zeros((rows, basis.len()).f());
        let cells = |scores: &[f32]| {
            scores.iter().skip(label).step_by(self.lanes.max(1)).map(|s| f64::from(*s)).collect::<Vec<_>>()
        };
        let (of_weights, of_gradient, of_move) =
            (cells(&self.scores), cells(gradient), cells(&self.moved_scores));
        let places = z.rows_mut().into_iter().zip(of_weights).zip(of_gradient).zip(of_move);
        for (((mut row, weights), gradient), moved) in places {
            for (cell, [first, second, third]) in row.iter_mut().zip(&basis) {
                *cell = first * weights + second * gradient + third * moved;
            }
        }
        let targets = y.column(label).to_owned();
        let positive = targets.iter().filter(|is| **is).count();
        let norm = gram.first()?.sqrt();
        let mut start = Array1::<f64>::zeros(basis.len() + 1);
        // linfa 0.8.1 makes the majority +1 and starts where it is told in that orientation
        let sign = majority_sign(positive, rows);
        if let Some(first) = start.first_mut().filter(|_| norm > TINY) {
            *first = sign * norm;
        }
        if let Some(last) = start.last_mut() {
            *last = sign * f64::from(*self.bias.get(label)?);
        }
        let fitted = LogisticRegression::default()
            .alpha(params.alpha)
            .max_iterations(params.iterations)
            .gradient_tolerance(1e-3)
            .initial_params(start)
            .fit(&DatasetBase::new(z, targets))
            .ok()?;
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let mut coefficients = [0.0; 3];
        for (beta, direction) in fitted.params().iter().zip(&basis) {
            for (sum, part) in coefficients.iter_mut().zip(direction) {
                *sum += sign * beta * part;
            }
        }
        let bias = sign * fitted.intercept();
        (coefficients.iter().all(|c| c.is_finite()) && bias.is_finite()).then_some((coefficients, bias))
    }
}

/// linfa 0.8.1 makes the class seen first +1 and then flips when it is the smaller one: a tie goes
/// to the class of the first row, but then the start is only less good.
fn majority_sign(positive: usize, rows: usize) -> f64 {
    if positive * 2 > rows { 1.0 } else { -1.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn log_odds(positive: usize, all: usize) -> f32 {
    let positive = positive as f32 + 0.5;
    (positive / (all as f32 + 1.0 - positive)).ln()
}

#[expect(clippy::cast_possible_truncation, reason = "weights need no more than f32")]
pub(super) const fn to_f32(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of which the first feature decides the first label, and a rare second one.
    fn data() -> (Csr, Array2<bool>) {
        let mut x = Csr::new(3);
        let mut y = Array2::from_elem((60, 2), false);
        for row in 0..60 {
            let first = row % 3 == 0;
            x.push([(0, f32::from(u8::from(first))), (1, 1.0), (2, f32::from(u8::from(row % 2 == 0)))]);
            y[(row, 0)] = first;
            y[(row, 1)] = row == 4 || row == 10;
        }
        (x, y)
    }

    #[test]
    fn a_minority_label_is_scored_upwards() {
        let (x, y) = data();
        let data = DatasetBase::new(x, y);
        let fitted = SubspaceParams::default().alpha(0.1).fit(&data).unwrap();
        let mut scores = fitted.default_target(data.records());
        fitted.predict_inplace(data.records(), &mut scores);
        assert!(scores[(0, 0)] > 1.0 && scores[(1, 0)] < -1.0, "{scores:?}");
    }

    #[test]
    fn it_reaches_the_optimum_of_the_whole_problem() {
        let (x, y) = data();
        let dense = Array2::from_shape_fn((60, 3), |(r, c)| {
            x.rows()
                .nth(r)
                .unwrap()
                .iter()
                .find(|(k, _)| *k as usize == c)
                .map_or(0.0, |(_, v)| f64::from(*v))
        });
        let targets = y.column(0).to_owned();
        let whole = LogisticRegression::default()
            .alpha(0.5)
            .max_iterations(500)
            .fit(&DatasetBase::new(dense, targets))
            .unwrap();
        let sign = if whole.labels().pos.class { 1.0 } else { -1.0 };
        let ours = SubspaceParams::default().alpha(0.5).steps(30).fit(&DatasetBase::new(x, y)).unwrap();
        for (feature, want) in whole.params().iter().enumerate() {
            let got = f64::from(ours.weights[feature * 2]);
            assert!((got - sign * want).abs() < 0.02, "{feature}: {got} against {want}");
        }
    }

    #[test]
    fn a_label_nobody_has_fits_to_its_bias() {
        let mut x = Csr::new(1);
        x.push([(0, 1.0)]);
        x.push([(0, 1.0)]);
        let fitted =
            SubspaceParams::default().fit(&DatasetBase::new(x, Array2::from_elem((2, 1), false))).unwrap();
        assert!(fitted.bias[0] < 0.0);
        assert!(SubspaceParams::default().alpha(0.0).check().is_err());
    }
}
