//! Undoes the disguises of swear words and drawn-out letters.

use super::super::super::fold::disguised;
use super::super::super::hash;
use super::super::Word;
use super::Reader;
use super::word::offset;

/// Fewest single letters in a row that may be a spaced-out word.
const SPACED: usize = 3;

impl Reader<'_> {
    pub(super) fn unmask(&mut self, start: usize) -> bool {
        let lexicon = self.lexicon;
        let found = self.text.folded.get(start..).and_then(|word| {
            let as_latin: String = word.chars().map(|c| disguised(c).map_or(c, |(latin, _)| latin)).collect();
            let as_cyrillic: String =
                word.chars().map(|c| disguised(c).map_or(c, |(_, cyrillic)| cyrillic)).collect();
            [word, &as_latin, &as_cyrillic].into_iter().find_map(|form| lexicon.unmask(form))
        });
        if let Some(found) = &found {
            self.text.folded.truncate(start);
            self.text.folded.push_str(found);
        }
        found.is_some()
    }

    pub(super) fn drop_signs(&mut self, start: usize) {
        self.replace(start, |word| {
            Some(word.chars().filter(|c| !matches!(c, '*' | '#' | '@' | '$' | '!')).collect())
        });
    }

    /// Joins the run of single letters before the last `keep` words when it spells a swear word.
    pub(super) fn join_singles(&mut self, keep: usize) {
        let run = std::mem::take(&mut self.singles);
        if run < SPACED {
            return;
        }
        let end = self.text.words.len().saturating_sub(keep);
        let start = end.saturating_sub(run).max(self.first_word);
        let letters: String =
            self.text.words.get(start..end).unwrap_or_default().iter().map(|w| self.text.word(w)).collect();
        let (Some(first), Some(last)) =
            (self.text.words.get(start).copied(), self.text.words.get(end.saturating_sub(1)).copied())
        else {
            return;
        };
        if !self.lexicon.is_masked_word(&letters) {
            return;
        }
        let from = self.text.folded.len();
        self.text.folded.push(' ');
        self.text.folded.push_str(&letters);
        self.text.folded.push(' ');
        let folded = (offset(from + 1), offset(from + 1 + letters.len()));
        let joined = Word { key: hash::of(&letters), folded, source: (first.source.0, last.source.1) };
        self.text.words.splice(start..end, [joined]);
        self.text.marks.disguised += 1;
    }
}

/// A word with every run of three and more of a letter made one.
pub(super) fn collapse(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while chars.next_if_eq(&c).is_some() {
            run += 1;
        }
        let keep = if c.is_numeric() || run < 3 { run } else { 1 };
        out.extend(std::iter::repeat_n(c, keep));
    }
    out
}
