//! From examples to a model: two stages, calibration, thresholds.

mod base;

use std::sync::Mutex;

use self::base::Base;
use super::corpus::Example;
use super::counts::{Counted, Space, count};
use super::subspace::FitError;
use super::{TrainError, TrainOptions, Trained, cut, stack};
use crate::classify::lexicon::Lexicon;
use crate::classify::model::LANGUAGES;
use crate::classify::probability;
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

pub(super) fn fit(
    options: &TrainOptions,
    examples: &[Example],
    lexicon: &Lexicon,
    rules: &Rules,
    progress: &mut dyn FnMut(Step),
) -> Result<Trained, TrainError> {
    let places: Vec<usize> =
        (0..).zip(examples).filter(|(_, example)| !example.is_held_back()).map(|(place, _)| place).collect();
    if places.len() < LEAST {
        return Err(TrainError::TooFew { found: places.len(), least: LEAST });
    }
    let mails: Vec<&Example> = examples.iter().filter(|example| !example.is_held_back()).collect();
    progress(Step::Counting { mails: mails.len() });
    let (space, counted) = count(&mails, lexicon, rules);
    let folds: Vec<u64> = mails.iter().map(|example| example.fold(options.folds)).collect();
    let bases = bases(options, &space, &counted, &mails, &folds, progress)?;
    progress(Step::Stacking);
    let labels = options.labels.len();
    let inputs: Vec<Vec<f32>> = counted
        .iter()
        .zip(&folds)
        .filter_map(|(mail, fold)| {
            bases.get(usize::try_from(*fold).ok()?).map(|base| base.inputs(mail, labels))
        })
        .collect();
    let targets: Vec<&[bool]> = mails.iter().map(|example| example.labels.as_slice()).collect();
    let (logits, slopes) = crossed(options, &inputs, &targets, &folds);
    let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let heads = stack::fit(&rows, &targets, labels, options.stack_alpha);
    let probabilities = probabilities(options, &logits, &slopes, &counted);
    let thresholds = thresholds(options, &probabilities, &mails);
    let base = bases.last().ok_or(TrainError::TooFew { found: 0, least: LEAST })?;
    let mut model = base.model(&space, labels);
    model.labels.clone_from(&options.labels);
    model.lexicon = lexicon.clone();
    model.stack = stack::folded(&heads, &slopes);
    model.thresholds = thresholds;
    model.sum_grams();
    Ok(Trained { model, out_of_fold: OutOfFold { examples: places, probabilities } })
}

/// A base without each fold, and last one on all mails.
fn bases(
    options: &TrainOptions,
    space: &Space,
    counted: &[Counted<'_>],
    mails: &[&Example],
    folds: &[u64],
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
                    let base = Base::fit(options, space, counted, mails, |fold| fold != left_out, folds);
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

/// Second-stage log-odds of every mail by heads that did not see it, and the calibration of each label.
fn crossed(
    options: &TrainOptions,
    inputs: &[Vec<f32>],
    targets: &[&[bool]],
    folds: &[u64],
) -> (Vec<Vec<f64>>, Vec<(f64, f64)>) {
    let labels = options.labels.len();
    let mut logits = vec![vec![0.0; labels]; inputs.len()];
    for left_out in 0..options.folds {
        let others = |fold: u64| fold != left_out;
        let rows: Vec<&[f32]> = inputs
            .iter()
            .zip(folds)
            .filter(|(_, fold)| others(**fold))
            .map(|(row, _)| row.as_slice())
            .collect();
        let known: Vec<&[bool]> =
            targets.iter().zip(folds).filter(|(_, fold)| others(**fold)).map(|(row, _)| *row).collect();
        let heads = stack::fit(&rows, &known, labels, options.stack_alpha);
        for ((logits, input), fold) in logits.iter_mut().zip(inputs).zip(folds) {
            if !others(*fold) {
                *logits = heads.iter().map(|head| head.logit(input)).collect();
            }
        }
    }
    let slopes = (0..labels).map(|label| {
        let scores: Vec<f64> = logits.iter().filter_map(|row| row.get(label).copied()).collect();
        let truth: Vec<bool> = targets.iter().filter_map(|row| row.get(label).copied()).collect();
        stack::calibrate(&scores, &truth)
    });
    let slopes = slopes.collect();
    (logits, slopes)
}

/// Calibrated probabilities after the rules.
fn probabilities(
    options: &TrainOptions,
    logits: &[Vec<f64>],
    slopes: &[(f64, f64)],
    counted: &[Counted<'_>],
) -> Vec<Vec<f32>> {
    let row = |(logits, mail): (&Vec<f64>, &Counted<'_>)| {
        let calibrated = logits
            .iter()
            .zip(slopes)
            .map(|(logit, (slope, offset))| super::subspace::to_f32(slope * logit + offset));
        let mut logits: Vec<f32> = calibrated.collect();
        for rule in &mail.rules {
            let place = options.labels.iter().position(|name| name == rule.label.as_str());
            if let Some(logit) = place.and_then(|place| logits.get_mut(place)) {
                *logit = rule.effect.on(*logit);
            }
        }
        logits.into_iter().map(probability).collect()
    };
    logits.iter().zip(counted).map(row).collect()
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
