//! How far what an agent has sent is from the draft, word by word. Only hashes of words are kept:
//! nobody can read the text from them, and the distance is the same.

use super::lexicon;
use super::playbook::hash;

/// Words compared at most; a draft is far shorter.
const MOST: usize = 600;

/// The words of a text, in order, each as 32 bits of a hash. Case, punctuation and spaces do not count.
#[must_use]
pub fn words(text: &str) -> Vec<u32> {
    let folded = lexicon::fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(MOST).map(|word| u32::try_from(hash(&[word]) >> 32).unwrap_or(0)).collect()
}

/// Words inserted, deleted or replaced, as a share of the longer text: 0 for the same text, 1 for
/// another one (Levenshtein's distance over words).
#[must_use]
pub fn distance(draft: &[u32], sent: &[u32]) -> f32 {
    let longer = draft.len().max(sent.len());
    if longer == 0 {
        return 0.0;
    }
    let mut row: Vec<usize> = (0..=sent.len()).collect();
    for (at, word) in draft.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(sent) {
            let best = (diagonal + usize::from(word != other)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "at most some hundred words")]
    let share = |count: usize| count as f32;
    share(row.last().copied().unwrap_or(0)) / share(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(draft: &str, sent: &str) -> f32 {
        distance(&words(draft), &words(sent))
    }

    #[test]
    fn what_was_sent_unchanged_has_no_distance_whatever_the_line_breaks() {
        assert!(of("Hello Ana,\n\nI am sorry.", "hello Ana, I am\nsorry").abs() < f32::EPSILON);
        assert!(of("", "").abs() < f32::EPSILON);
    }

    #[test]
    fn a_word_changed_added_or_left_out_counts_once() {
        let near = |found: f32, wanted: f32| assert!((found - wanted).abs() < 0.001, "{found}");
        near(of("one two three four", "one two drei four"), 0.25);
        near(of("one two three four", "one two three four five"), 0.2);
        near(of("one two three four", "two three four"), 0.25);
        near(of("one two", "three four five six"), 1.0);
    }
}
