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
    let forms = labels * views * Model::POOLS;
    let shares = inputs.len();
    for label in 0..labels {
        // the mail as a whole and its strongest sentence, over all views
        let scores = (0..BOUNDED * views).filter_map(|view| inputs.get(view * labels + label));
        inputs.push(share(scores.sum::<f32>() / 2.0));
    }
    for place in 0..labels * views * BOUNDED {
        inputs.extend(inputs.get(place).copied().map(share));
    }
    for first in shares..shares + labels {
        let one = inputs.get(first).copied().unwrap_or(0.0);
        let marks = forms + form::COUNT - MARKS..forms + form::COUNT;
        for other in (first + 1..shares + labels).chain(marks) {
            inputs.extend(inputs.get(other).map(|other| one * other));
        }
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
