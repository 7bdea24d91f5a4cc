//! Where sentences end.

use super::super::super::fold::is_picture;
use super::super::Sentence;
use super::Reader;
use super::word::{is_letter, offset};

/// A line shorter than this ends where its writer ended it; a longer one may be wrapped.
const SHORT_LINE: usize = 50;

impl Reader<'_> {
    /// Whether a sentence ends at this mark: not after an initial, not inside `3.50` or `a.m`.
    pub(super) fn ends_here(&self, c: char, next: char) -> bool {
        if !(next.is_whitespace() || matches!(next, '"' | '»' | '”' | ')' | '\'') || is_picture(next)) {
            return false;
        }
        c != '.' || self.text.words.last().is_none_or(|word| !is_short_form(self.text.word(word)))
    }

    pub(super) fn line(&mut self, at: usize, next: char) {
        let length = at.saturating_sub(self.line_start);
        self.line_start = at + 1;
        if matches!(next, '-' | '*' | '•' | '–' | '—') || next.is_numeric() {
            self.text.marks.items += 1;
            self.end_sentence(false);
        } else if next == '\n' || next == '\r' || length < SHORT_LINE {
            self.end_sentence(false);
        }
    }

    pub(super) fn end_sentence(&mut self, question: bool) {
        self.join_singles(0);
        let end = self.text.words.len();
        if end > self.first_word {
            let words = (offset(self.first_word), offset(end));
            self.text.sentences.push(Sentence { part: self.part, words, question });
            self.first_word = end;
        }
    }
}

/// Whether a full stop after this word is probably no end of a sentence.
fn is_short_form(word: &str) -> bool {
    is_letter(word)
        || matches!(
            word,
            "mr" | "mrs"
                | "ms"
                | "dr"
                | "st"
                | "no"
                | "nr"
                | "sr"
                | "sra"
                | "dra"
                | "ud"
                | "av"
                | "ул"
                | "вул"
                | "руб"
                | "грн"
                | "тел"
                | "им"
                | "ім"
                | "стр"
                | "буд"
                | "кв"
        )
}
