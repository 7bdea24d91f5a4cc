//! How far figures would move with other mails of the same kind.

use super::evaluate::Judged;
use super::tally::{Tally, macro_f1};
use crate::classify::hash;

/// How often mails are drawn anew.
const ROUNDS: u64 = 400;

/// Intervals at 95 % by drawing mails with replacement (percentile bootstrap, Efron 1979). The draws
/// follow from a counter, so the same mails give the same interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intervals {
    /// Of the mean F1 over labels.
    pub macro_f1: (f64, f64),
    /// Of the F1 of each label.
    pub f1: Vec<(f64, f64)>,
}

impl Intervals {
    /// Of judged mails.
    #[must_use]
    pub fn of(labels: usize, judged: &[Judged<'_>]) -> Self {
        let mut macros = vec![];
        let mut each = vec![vec![]; labels];
        for round in 0..ROUNDS {
            let mut tallies = vec![Tally::default(); labels];
            for draw in 0..judged.len() as u64 {
                let place = hash::mix(hash::pair(round, draw)) % judged.len().max(1) as u64;
                let Some(one) = usize::try_from(place).ok().and_then(|place| judged.get(place)) else {
                    continue;
                };
                for ((tally, truth), found) in tallies.iter_mut().zip(&one.example.labels).zip(&one.decided) {
                    tally.count(*truth, *found);
                }
            }
            macros.push(macro_f1(&tallies));
            for (all, tally) in each.iter_mut().zip(&tallies) {
                all.push(tally.f1());
            }
        }
        Self { macro_f1: middle(macros), f1: each.into_iter().map(middle).collect() }
    }
}

/// The bounds of the middle 95 %.
fn middle(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 40;
    let low = values.get(cut).copied().unwrap_or(0.0);
    let high = values.iter().rev().nth(cut).copied().unwrap_or(1.0);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Language, Mail};
    use crate::train::Example;

    #[test]
    fn the_interval_holds_the_figure_and_narrows_with_more_mails() {
        let examples: Vec<Example> = (0..400)
            .map(|n| Example {
                id: n.to_string(),
                language: Language::En,
                mail: Mail::default(),
                labels: vec![n % 2 == 0],
                kind: String::new(),
            })
            .collect();
        let judged: Vec<Judged<'_>> = examples
            .iter()
            .enumerate()
            .map(|(n, example)| Judged {
                example,
                probabilities: vec![0.5],
                decided: vec![(n % 2 == 0) != (n % 10 == 0)],
            })
            .collect();
        let width = |judged: &[Judged<'_>]| {
            let interval = Intervals::of(1, judged).macro_f1;
            assert!(interval.0 < 0.89 && interval.1 > 0.88, "{interval:?}");
            interval.1 - interval.0
        };
        assert!(width(&judged) < width(&judged[..60]));
        assert_eq!(Intervals::of(1, &judged), Intervals::of(1, &judged));
    }
}
