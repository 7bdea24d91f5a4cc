//! Where words end, and what is made of them.

use super::super::super::fold::{Kind, is_cyrillic, kind, one_script};
use super::super::super::hash;
use super::super::{Text, Word};
use super::disguise::{MOST_JOINS, collapse};
use super::{Reader, Shape};

impl Reader<'_> {
    pub(super) fn end_word(&mut self, at: usize) {
        let Some((start, from)) = self.word.take() else {
            return;
        };
        let mut shape = self.shape;
        self.count_word();
        if shape.letters >= 3 && shape.capitals == shape.letters {
            self.text.marks.shouted += 1;
        }
        self.text.marks.titled += usize::from(shape.titled);
        let mixed = shape.latin > 0 && shape.other > 0;
        if shape.masked || shape.digits > 0 || shape.longest_run >= 3 || mixed {
            self.change(start, &shape);
            shape.key = hash::of(self.text.folded.get(start..).unwrap_or_default());
        }
        if self.text.folded.len() > start {
            self.push(start, shape.key, from, at);
        }
    }

    /// Undoes disguises, drawn-out letters, digits and mixed scripts.
    fn change(&mut self, start: usize, shape: &Shape) {
        let word = self.text.folded.get(start..).unwrap_or_default();
        let mixed = shape.latin > 0 && shape.other > 0 && word.contains(is_cyrillic);
        if (shape.masked || mixed || (shape.digits > 0 && shape.letters > 0)) && self.unmask(start) {
            self.text.marks.disguised += 1;
        } else if shape.masked {
            self.drop_signs(start);
        }
        if shape.longest_run >= 3 {
            self.replace(start, |word| Some(collapse(word)));
        }
        if shape.digits > 0 {
            self.replace(start, |word| {
                Some(word.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect())
            });
        }
        if mixed {
            self.replace(start, one_script);
        }
    }

    /// Counts the characters of the current word.
    pub(super) fn count_word(&mut self) {
        let (marks, shape) = (&mut self.text.marks, &self.shape);
        marks.letters += shape.letters;
        marks.digits += shape.digits;
        marks.capitals += shape.capitals;
    }

    pub(super) fn replace(&mut self, start: usize, change: impl FnOnce(&str) -> Option<String>) {
        if let Some(new) = self.text.folded.get(start..).and_then(change) {
            self.text.folded.truncate(start);
            self.text.folded.push_str(&new);
        }
    }

    /// A word of which all from `start` on in the folded text is known, with its key.
    pub(super) fn push(&mut self, start: usize, key: u64, from: usize, to: usize) {
        let word = self.text.folded.get(start..).unwrap_or_default();
        let single = is_letter(word);
        let end = self.text.folded.len();
        self.text.words.push(Word {
            key,
            folded: (offset(start), offset(end)),
            source: (offset(from), offset(to)),
        });
        if single {
            self.singles += 1;
        } else {
            self.join_singles(1);
        }
        let cut = start.checked_sub(1).and_then(|before| self.text.folded.as_bytes().get(before));
        if cut.is_some_and(|before| !matches!(before, b' ' | b'\n')) && self.joins < MOST_JOINS {
            self.join_pieces();
        }
        let length = self.text.words.len() - self.first_word;
        if length >= Text::MAX_SENTENCE && (self.singles == 0 || length >= 2 * Text::MAX_SENTENCE) {
            self.end_sentence(false);
        }
    }
}

/// Whether a word is a single letter.
pub(super) fn is_letter(word: &str) -> bool {
    word.len() <= 4
        && word.chars().nth(1).is_none()
        && word.chars().all(|c| c != '_' && matches!(kind(c), Kind::Letter { .. }))
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
