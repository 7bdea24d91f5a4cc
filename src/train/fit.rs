//! From examples to a model: two stages, calibration, thresholds.

mod base;

use std::sync::Mutex;

use self::base::Base;
use super::corpus::Example;
use super::counts::{Counted, Space, count};
use super::subspace::FitError;
use super::{Ridges, TrainError, TrainOptions, Trained, cut, softmax, stack};
use crate::classify::features::Block;
use crate::classify::lexicon::Lexicon;
use crate::classify::model::{LANGUAGES, probabilities_of};
use crate::classify::rules::Rules;

/// Fewest mails to train on.
const LEAST: usize = 50;
/// Threads for the folds; results do not depend on it.
const THREADS: usize = 2;

/// Where training has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Features are being counted.
    Counting {
        /// Mails to train on.
        mails: usize,
    },
    /// One of the fits of the first stage is done.
    Fitted {
        /// How many are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The second stage is being fitted.
    Stacking,
}

/// Scores of mails by models that did not see them.
#[derive(Clone, Debug, Default)]
pub struct OutOfFold {
    /// Places of the mails in the examples.
    pub examples: Vec<usize>,
    /// Probabilities with the effect of rules, a row per mail.
    pub probabilities: Vec<Vec<f32>>,
}

/// Ridges that tuning tries: one factor on those of the views, and that of the second stage.
const GRID: [(f64, &[f64]); 4] = [
    (0.5, &[30.0, 100.0, 300.0]),
    (1.0, &[30.0, 100.0, 300.0]),
    (3.0, &[30.0, 100.0, 300.0]),
    (10.0, &[30.0, 100.0, 300.0]),
];

/// The training part, counted.
struct Part<'e> {
    mails: Vec<&'e Example>,
    targets: Vec<&'e [bool]>,
    folds: Vec<u64>,
    space: Space,
    counted: Vec<Counted<'e>>,
    /// Whether every mail has exactly one label.
    exclusive: bool,
}

/// First stage and what follows from it, for one choice of ridges.
struct Candidate {
    ridges: Ridges,
    base: Base,
    inputs: Vec<Vec<f32>>,
    crossed: Crossed,
}

/// Second-stage log-odds of every mail by heads that did not see it, and slope and offset per label
/// that calibrate them.
struct Crossed {
    logits: Vec<Vec<f64>>,
    slopes: Vec<(f64, f64)>,
}

pub(super) fn fit(
    options: &TrainOptions,
    examples: &[Example],
    lexicon: &Lexicon,
    rules: &Rules,
    progress: &mut dyn FnMut(Step),
) -> Result<Trained, TrainError> {
    let kept = |example: &Example| options.all || !example.is_held_back();
    let places: Vec<usize> =
        (0..).zip(examples).filter(|(_, example)| kept(example)).map(|(place, _)| place).collect();
    if places.len() < LEAST {
        return Err(TrainError::TooFew { found: places.len(), least: LEAST });
    }
    let mails: Vec<&Example> = examples.iter().filter(|example| kept(example)).collect();
    progress(Step::Counting { mails: mails.len() });
    let (space, counted) = count(&mails, lexicon, rules);
    let targets: Vec<&[bool]> = mails.iter().map(|example| example.labels.as_slice()).collect();
    let one = |flags: &&[bool]| flags.iter().filter(|is| **is).count() == 1;
    let exclusive = options.labels.len() > 2 && targets.iter().all(one);
    let folds = mails.iter().map(|example| example.fold(options.folds)).collect();
    let part = Part { mails, targets, folds, space, counted, exclusive };
    let chosen = choose(options, &part, progress)?;
    let rows: Vec<&[f32]> = chosen.inputs.iter().map(Vec::as_slice).collect();
    let heads = part.heads(&rows, &part.targets, options.labels.len(), chosen.ridges.stack);
    let probabilities = probabilities(options, &part, &chosen.crossed);
    let mut model = chosen.base.model(&part.space, options.labels.len());
    model.labels.clone_from(&options.labels);
    model.exclusive = exclusive;
    model.lexicon = lexicon.clone();
    model.stack = stack::folded(&heads, &chosen.crossed.slopes);
    model.thresholds = thresholds(options, &probabilities, &part.mails);
    model.prepare();
    let out_of_fold = OutOfFold { examples: places, probabilities };
    Ok(Trained { model, out_of_fold, ridges: chosen.ridges })
}

/// The candidate with the least out-of-fold log-loss; without tuning there is one.
fn choose(
    options: &TrainOptions,
    part: &Part<'_>,
    progress: &mut dyn FnMut(Step),
) -> Result<Candidate, TrainError> {
    let given = [options.ridges.stack];
    let only: [(f64, &[f64]); 1] = [(1.0, &given)];
    let grid = if options.tune { GRID.as_slice() } else { only.as_slice() };
    let mut best: Option<(f64, Candidate)> = None;
    for (factor, stacks) in grid {
        let views = options.ridges.views.map(|ridge| ridge * factor);
        let mut bases = bases(options, views, part, progress)?;
        progress(Step::Stacking);
        let inputs = part.inputs(&bases, options.labels.len());
        let Some(base) = bases.pop() else {
            continue;
        };
        let crossed = stacks.iter().map(|stack| (*stack, crossed(options, part, &inputs, *stack)));
        let found = crossed.map(|(stack, crossed)| (part.log_loss(&crossed), stack, crossed));
        let Some((loss, stack, crossed)) = found.min_by(|a, b| a.0.total_cmp(&b.0)) else {
            continue;
        };
        if best.as_ref().is_none_or(|(least, _)| loss < *least) {
            best = Some((loss, Candidate { ridges: Ridges { views, stack }, base, inputs, crossed }));
        }
    }
    best.map(|(_, candidate)| candidate).ok_or(TrainError::TooFew { found: 0, least: LEAST })
}

impl Part<'_> {
    /// What the second stage reads of each mail, by the base that did not see it.
    fn inputs(&self, bases: &[Base], labels: usize) -> Vec<Vec<f32>> {
        let of = |(mail, fold): (&Counted<'_>, &u64)| {
            bases.get(usize::try_from(*fold).ok()?).map(|base| base.inputs(mail, labels))
        };
        self.counted.iter().zip(&self.folds).filter_map(of).collect()
    }

    fn heads(&self, rows: &[&[f32]], targets: &[&[bool]], labels: usize, alpha: f64) -> Vec<stack::Head> {
        if self.exclusive {
            softmax::fit(rows, targets, labels, alpha)
        } else {
            stack::fit(rows, targets, labels, alpha)
        }
    }

    /// How badly calibrated log-odds tell the labels, summed over mails.
    fn log_loss(&self, crossed: &Crossed) -> f64 {
        let of = |(logits, flags): (&Vec<f64>, &&[bool])| -> f64 {
            let line = |(logit, (slope, offset)): (&f64, &(f64, f64))| slope * logit + offset;
            let logits: Vec<f64> = logits.iter().zip(&crossed.slopes).map(line).collect();
            if self.exclusive {
                return softmax::log_loss(&logits, softmax::class(flags), 1.0);
            }
            let each = logits.iter().zip(*flags).map(|(x, is)| (if *is { -x } else { *x }).exp().ln_1p());
            each.sum()
        };
        crossed.logits.iter().zip(&self.targets).map(of).sum()
    }
}

/// A base without each fold, and last one on all mails.
fn bases(
    options: &TrainOptions,
    ridges: [f64; Block::VIEWS],
    part: &Part<'_>,
    progress: &mut dyn FnMut(Step),
) -> Result<Vec<Base>, TrainError> {
    let jobs: Vec<u64> = (0..=options.folds).collect();
    let total = jobs.len();
    let mut done: Vec<Option<Result<Base, FitError>>> = jobs.iter().map(|_| None).collect();
    let queue = Mutex::new(jobs);
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (send, queue) = (send.clone(), &queue);
            scope.spawn(move || {
                while let Some(left_out) = queue.lock().ok().and_then(|mut queue| queue.pop()) {
                    let of = (&part.space, part.counted.as_slice(), part.mails.as_slice());
                    let base = Base::fit(
                        options,
                        ridges,
                        of,
                        |fold| fold != left_out,
                        (&part.folds, part.exclusive),
                    );
                    if send.send((left_out, base)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (finished, (job, base)) in (1..).zip(receive) {
            if let Some(place) = usize::try_from(job).ok().and_then(|job| done.get_mut(job)) {
                *place = Some(base);
            }
            progress(Step::Fitted { done: finished, of: total });
        }
    });
    Ok(done.into_iter().flatten().collect::<Result<Vec<_>, _>>()?)
}

fn crossed(options: &TrainOptions, part: &Part<'_>, inputs: &[Vec<f32>], alpha: f64) -> Crossed {
    let labels = options.labels.len();
    let mut logits = vec![vec![0.0; labels]; inputs.len()];
    for left_out in 0..options.folds {
        let others = |fold: u64| fold != left_out;
        let seen = |fold: &&u64| others(**fold);
        let rows: Vec<&[f32]> = inputs
            .iter()
            .zip(&part.folds)
            .filter(|(_, fold)| seen(fold))
            .map(|(row, _)| row.as_slice())
            .collect();
        let known: Vec<&[bool]> = part
            .targets
            .iter()
            .zip(&part.folds)
            .filter(|(_, fold)| seen(fold))
            .map(|(row, _)| *row)
            .collect();
        let heads = part.heads(&rows, &known, labels, alpha);
        for ((logits, input), fold) in logits.iter_mut().zip(inputs).zip(&part.folds) {
            if !others(*fold) {
                *logits = heads.iter().map(|head| head.logit(input)).collect();
            }
        }
    }
    if part.exclusive {
        let slope = softmax::temperature(&logits, &part.targets);
        return Crossed { logits, slopes: vec![(slope, 0.0); labels] };
    }
    let slopes = (0..labels).map(|label| {
        let scores: Vec<f64> = logits.iter().filter_map(|row| row.get(label).copied()).collect();
        let truth: Vec<bool> = part.targets.iter().filter_map(|row| row.get(label).copied()).collect();
        stack::calibrate(&scores, &truth)
    });
    let slopes = slopes.collect();
    Crossed { logits, slopes }
}

/// Calibrated probabilities after the rules.
fn probabilities(options: &TrainOptions, part: &Part<'_>, crossed: &Crossed) -> Vec<Vec<f32>> {
    let row = |(logits, mail): (&Vec<f64>, &Counted<'_>)| {
        let calibrated = logits
            .iter()
            .zip(&crossed.slopes)
            .map(|(logit, (slope, offset))| super::subspace::to_f32(slope * logit + offset));
        let mut logits: Vec<f32> = calibrated.collect();
        for rule in &mail.rules {
            let place = options.labels.iter().position(|name| name == rule.label.as_str());
            if let Some(logit) = place.and_then(|place| logits.get_mut(place)) {
                *logit = rule.effect.on(*logit);
            }
        }
        probabilities_of(&logits, part.exclusive)
    };
    crossed.logits.iter().zip(&part.counted).map(row).collect()
}

/// Label by label a threshold per language.
fn thresholds(options: &TrainOptions, probabilities: &[Vec<f32>], mails: &[&Example]) -> Vec<f32> {
    let of = |(label, name): (usize, &String)| {
        let scored: Vec<cut::Scored> = probabilities
            .iter()
            .zip(mails)
            .filter_map(|(row, example)| {
                Some(cut::Scored {
                    probability: *row.get(label)?,
                    truth: *example.labels.get(label)?,
                    language: example.language,
                })
            })
            .collect();
        cut::thresholds(name, &scored)
    };
    let all: Vec<f32> = options.labels.iter().enumerate().flat_map(of).collect();
    debug_assert_eq!(all.len(), options.labels.len() * LANGUAGES.len());
    all
}
