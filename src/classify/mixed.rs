//! What the second stage reads beside scores and form: each score between 0 and 1, labels together,
//! and labels by language and brevity.
//! A linear stage cannot see that a score beyond doubt says no more than one without doubt, nor that
//! it means less beside another one; these numbers let it.

use super::form;
use super::model::Model;

/// Above this many labels no pairs are formed: they grow with the square.
const MOST: usize = 16;
/// The last numbers of [`form`], each with a weight of its own per label: a short mail, the language.
const MARKS: usize = 5;
/// Scores that are also read between 0 and 1: of the mail as a whole and of its strongest sentence.
const BOUNDED: usize = 2;

/// How many numbers [`add`] appends for so many labels.
#[must_use]
pub const fn count(labels: usize, views: usize) -> usize {
    if labels > MOST {
        return 0;
    }
    labels + labels * views * BOUNDED + labels * (labels - 1) / 2 + labels * MARKS
}

/// Appends to `inputs` (scores by pool, view and label, then form) what follows from them.
pub fn add(inputs: &mut Vec<f32>, labels: usize, views: usize) {
    if count(labels, views) == 0 {
        return;
    }
    let at = |place: usize| inputs.get(place).copied().unwrap_or(0.0);
    // the mail as a whole and its strongest sentence, over all views
    let shares: Vec<f32> = (0..labels)
        .map(|label| {
            let sum: f32 = (0..BOUNDED * views).map(|view| at(view * labels + label)).sum();
            share(sum / 2.0)
        })
        .collect();
    let forms = labels * views * Model::POOLS;
    let marks: Vec<f32> = (form::COUNT - MARKS..form::COUNT).map(|place| at(forms + place)).collect();
    let bounded: Vec<f32> = (0..labels * views * BOUNDED).map(|place| share(at(place))).collect();
    inputs.extend(&shares);
    inputs.extend(bounded);
    for (first, one) in shares.iter().enumerate() {
        inputs.extend(shares.iter().skip(first + 1).map(|other| one * other));
        inputs.extend(marks.iter().map(|mark| one * mark));
    }
}

/// Where among all inputs the scores between 0 and 1 stand: first of the whole mail, then of its
/// strongest sentence, each view by view.
#[must_use]
pub const fn bounded(labels: usize, views: usize) -> std::ops::Range<usize> {
    let from = labels * views * Model::POOLS + form::COUNT + labels;
    if count(labels, views) == 0 { from..from } else { from..from + labels * views * BOUNDED }
}

/// What a weight on a bounded score is worth as a weight on the score itself, beside a constant half
/// of the weight: the slope of the line from zero to where the score stands.
#[must_use]
pub fn slope(score: f32) -> f32 {
    if score.abs() < 1e-3 { 0.25 } else { (share(score) - 0.5) / score }
}

fn share(score: f32) -> f32 {
    1.0 / (1.0 + (-score.clamp(-30.0, 30.0)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_numbers_are_added_as_are_counted() {
        for labels in [1, 3, 12, 16, 17] {
            let mut inputs = vec![0.5; labels * 3 * Model::POOLS + form::COUNT];
            let before = inputs.len();
            add(&mut inputs, labels, 3);
            assert_eq!(inputs.len() - before, count(labels, 3), "{labels}");
        }
    }
}
