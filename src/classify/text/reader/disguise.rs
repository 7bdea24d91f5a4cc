//! Undoes the disguises of swear words and drawn-out letters. Nothing else changes by it: a form
//! counts only when the lexicon knows the word behind it.

use std::ops::Range;

use super::super::super::fold::{cyrillic_for, disguised, is_cyrillic};
use super::super::super::hash;
use super::super::super::lexicon::Lexicon;
use super::super::Word;
use super::Reader;
use super::word::offset;

/// Fewest single letters in a row that may be a spaced-out word.
const SPACED: usize = 3;
/// Most pieces that signs cut a word into, and most signs between two of them.
const PIECES: usize = 3;
const SIGNS: usize = 5;
/// Fewest letters shown of a word in which signs stand for others.
const SHOWN: usize = 3;
/// Most places of a text at which pieces are tried: nobody swears more often.
pub(super) const MOST_JOINS: usize = 300;

impl Reader<'_> {
    pub(super) fn unmask(&mut self, start: usize) -> bool {
        let lexicon = self.lexicon;
        let found = self
            .text
            .folded
            .get(start..)
            .and_then(|word| forms(word).into_iter().find_map(|form| lexicon.unmask(&form)));
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
        if self.lexicon.is_masked_word(&letters) {
            self.join(start..end, &letters);
        }
    }

    /// Joins the last words when nothing but signs stands between them and they spell a swear word.
    pub(super) fn join_pieces(&mut self) {
        self.joins += 1;
        let end = self.text.words.len();
        let lexicon = self.lexicon;
        let mut form = self.text.words.last().map_or("", |word| self.text.word(word)).to_owned();
        if !form.chars().all(char::is_alphabetic) {
            return;
        }
        let mut found = None;
        let first = end.saturating_sub(PIECES).max(self.first_word);
        for start in (first..end.saturating_sub(1)).rev() {
            let Some(gap) = self.gap_after(start) else { break };
            // what is a swear word already has no need of what follows
            let piece = self.text.words.get(start).map_or("", |word| self.text.word(word));
            if !piece.chars().all(char::is_alphabetic) || lexicon.is_masked_word(piece) {
                break;
            }
            form = format!("{piece}{}{form}", SIGN.to_string().repeat(gap));
            found = behind(lexicon, &form).map(|word| (start, word)).or(found);
        }
        if let Some((start, word)) = found {
            self.join(start..end, &word);
            self.singles = 0;
        }
    }

    /// How many signs stand between a word and the next; `None` when anything else does, or when it
    /// looks like an abbreviation before a name (`г.Нида`).
    fn gap_after(&self, at: usize) -> Option<usize> {
        let (word, next) = (self.text.words.get(at)?, self.text.words.get(at + 1)?);
        let gap = self.text.folded.get(word.folded.1 as usize..next.folded.0 as usize)?;
        let signs = gap.chars().count();
        let hides = |c: char| {
            matches!(c, '.' | '…' | ',' | '%' | '(' | ')' | '?' | '"' | '-' | '~' | '^' | '|' | '+' | '=')
        };
        let named = self.is_capital(next.source.0) && !self.is_capital(word.source.0);
        ((1..=SIGNS).contains(&signs) && gap.chars().all(hides) && !named).then_some(signs)
    }

    fn is_capital(&self, at: u32) -> bool {
        self.source.get(at as usize..).is_some_and(|text| text.starts_with(char::is_uppercase))
    }

    /// Makes one word of several.
    fn join(&mut self, words: Range<usize>, whole: &str) {
        let (Some(first), Some(last)) = (
            self.text.words.get(words.start).copied(),
            self.text.words.get(words.end.saturating_sub(1)).copied(),
        ) else {
            return;
        };
        let from = self.text.folded.len();
        self.text.folded.push(' ');
        self.text.folded.push_str(whole);
        self.text.folded.push(' ');
        let folded = (offset(from + 1), offset(from + 1 + whole.len()));
        let joined = Word { key: hash::of(whole), folded, source: (first.source.0, last.source.1) };
        self.text.words.splice(words, [joined]);
        self.text.marks.disguised += 1;
    }
}

/// Stands for a sign between two pieces.
const SIGN: char = '\u{1}';

/// What a word with signs, digits or letters of another script may be meant for.
fn forms(word: &str) -> Vec<String> {
    let each = |of: &dyn Fn(char) -> char| word.chars().map(of).collect::<String>();
    let mut forms = vec![
        word.to_owned(),
        each(&|c| disguised(c).map_or(c, |(latin, _)| latin)),
        each(&|c| disguised(c).map_or(c, |(_, cyrillic)| cyrillic)),
    ];
    if word.contains(is_cyrillic) {
        let sign = |c| disguised(c).map_or(c, |(_, cyrillic)| cyrillic);
        forms.push(each(&|c| cyrillic_for(c).map_or(sign(c), |(look, _)| look)));
        forms.push(each(&|c| cyrillic_for(c).map_or(sign(c), |(_, sound)| sound)));
        // 3.14 is read "пи"; the 3 is a word of its own
        forms.extend(word.strip_prefix("14").map(|rest| format!("пи{rest}")));
    }
    forms
}

/// The swear word behind pieces with signs between them: signs that mean nothing, a letter each, or
/// one or two letters together.
fn behind(lexicon: &Lexicon, pieces: &str) -> Option<String> {
    let whole = pieces.replace(SIGN, "");
    let last = pieces.rsplit(SIGN).next().map_or(0, |piece| piece.chars().count());
    let unmask = |form: &String| lexicon.unmask_across(form, form.chars().count().saturating_sub(last));
    if let Some(found) = forms(&whole).iter().find_map(unmask) {
        return Some(found);
    }
    if whole.chars().count() < SHOWN {
        return None;
    }
    let parts = || pieces.split(SIGN).filter(|piece| !piece.is_empty());
    let runs = |stars: &str| parts().collect::<Vec<_>>().join(stars);
    [pieces.replace(SIGN, "*"), runs("*"), runs("**")].iter().find_map(unmask)
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
