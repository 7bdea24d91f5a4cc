//! Splits one part of a mail into folded words and sentences, in one pass.

mod disguise;

use std::iter::Peekable;
use std::str::CharIndices;

use self::disguise::collapse;
use super::super::fold::{Kind, fold, is_apostrophe, is_invisible, is_picture, kind, normal, one_script};
use super::super::hash;
use super::super::lexicon::Lexicon;
use super::{Part, Sentence, Text, Word};

/// A line shorter than this ends where its writer ended it; a longer one may be wrapped.
const SHORT_LINE: usize = 50;

struct Reader<'a> {
    text: &'a mut Text,
    lexicon: &'a Lexicon,
    chars: Peekable<CharIndices<'a>>,
    part: Part,
    first_word: usize,
    /// Start of the current word in the folded text and in the source.
    word: Option<(usize, usize)>,
    length: usize,
    shape: Shape,
    singles: usize,
    line_start: usize,
}

/// What was seen in the current word.
#[derive(Clone, Copy, Default)]
struct Shape {
    latin: usize,
    other: usize,
    digits: usize,
    letters: usize,
    capitals: usize,
    titled: bool,
    masked: bool,
    repeats: usize,
    last: Option<char>,
    longest_run: usize,
}

pub(super) fn read(text: &mut Text, part: Part, source: &str, lexicon: &Lexicon) {
    let source = normal(source);
    let end =
        (0..=source.len().min(Text::MAX_BYTES)).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
    let source = source.get(..end).unwrap_or_default();
    let first_word = text.words.len();
    let mut reader = Reader {
        text,
        lexicon,
        chars: source.char_indices().peekable(),
        part,
        first_word,
        word: None,
        length: 0,
        shape: Shape::default(),
        singles: 0,
        line_start: 0,
    };
    while let Some((at, c)) = reader.chars.next() {
        reader.take(at, c);
    }
    reader.end_word(source.len());
    reader.end_sentence(false);
    reader.text.folded.push('\n');
}

impl Reader<'_> {
    fn take(&mut self, at: usize, c: char) {
        let kind = kind(c);
        if kind != Kind::Other {
            self.letter(at, c, kind);
        } else if is_invisible(c) {
        } else if self.word.is_some() && self.inside(c) {
            self.sign_inside(c);
        } else {
            self.between(at, c);
        }
    }

    fn letter(&mut self, at: usize, c: char, kind: Kind) {
        let capital = kind == Kind::Letter { capital: true };
        if self.word.is_none() {
            self.word = Some((self.text.folded.len(), at));
            self.length = 0;
            self.shape = Shape { titled: capital, ..Shape::default() };
        }
        let shape = &mut self.shape;
        if kind == Kind::Digit {
            shape.digits += 1;
            self.text.marks.digits += 1;
        } else {
            shape.letters += 1;
            self.text.marks.letters += 1;
            shape.capitals += usize::from(capital);
            self.text.marks.capitals += usize::from(capital);
            shape.latin += usize::from(c.is_ascii_alphabetic());
            shape.other += usize::from(!c.is_ascii());
        }
        let folded = fold(c);
        if shape.last == Some(folded) && kind != Kind::Digit {
            shape.repeats += 1;
            shape.longest_run = shape.longest_run.max(shape.repeats + 1);
        } else {
            shape.repeats = 0;
        }
        shape.last = Some(folded);
        if self.length < Text::MAX_WORD {
            self.text.folded.push(folded);
        }
        self.length += 1;
    }

    /// Whether a sign belongs to the word it stands in.
    fn inside(&mut self, c: char) -> bool {
        let next = self.chars.peek().map_or(' ', |(_, next)| *next);
        if is_apostrophe(c) {
            return next.is_alphabetic();
        }
        match c {
            '*' | '#' => next.is_alphanumeric() || next == c || self.shape.masked,
            '@' | '$' => next.is_alphanumeric() || matches!(next, '@' | '$' | '*'),
            '!' => next.is_alphabetic(),
            ':' => self.is_scheme() && next == '/',
            '.' => self.current() == "www" && next.is_alphanumeric(),
            _ => false,
        }
    }

    fn current(&self) -> &str {
        self.word.and_then(|(start, _)| self.text.folded.get(start..)).unwrap_or_default()
    }

    fn is_scheme(&self) -> bool {
        matches!(self.current(), "http" | "https" | "mailto" | "tel")
    }

    fn sign_inside(&mut self, c: char) {
        if is_apostrophe(c) {
            self.text.folded.push('\'');
            return;
        }
        if c == ':' || c == '.' {
            return self.whole("‹link›", |text| text.marks.links += 1);
        }
        if c == '@' && self.is_address() {
            return self.whole("‹address›", |text| text.marks.addresses += 1);
        }
        self.shape.masked = true;
        if self.length < Text::MAX_WORD {
            self.text.folded.push(c);
        }
        self.length += 1;
    }

    /// Whether what follows an `@` is a domain.
    fn is_address(&self) -> bool {
        self.chars
            .clone()
            .map(|(_, c)| c)
            .take(80)
            .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '.'))
            .any(|c| c == '.')
    }

    /// Makes everything up to the next white space one word of the given name.
    fn whole(&mut self, name: &str, count: impl FnOnce(&mut Text)) {
        let Some((start, from)) = self.word.take() else {
            return;
        };
        let mut to = from;
        while let Some((at, _)) =
            self.chars.next_if(|(_, c)| !c.is_whitespace() && !matches!(c, '>' | ')' | ']' | '"' | ','))
        {
            to = at + 1;
        }
        self.text.folded.truncate(start);
        self.text.folded.push_str(name);
        count(self.text);
        self.push(start, from, to);
    }

    fn between(&mut self, at: usize, c: char) {
        self.end_word(at);
        let next = self.chars.peek().map_or('\n', |(_, next)| *next);
        self.count(c, next);
        if is_picture(c) {
            let start = self.text.folded.len();
            self.text.folded.push(c);
            self.push(start, at, at + c.len_utf8());
            self.text.folded.push(' ');
        } else if c.is_whitespace() {
            if !self.text.folded.ends_with([' ', '\n']) {
                self.text.folded.push(' ');
            }
            if c == '\n' {
                self.line(at, next);
            }
        } else {
            self.text.folded.push(match c {
                '«' | '»' | '“' | '”' | '„' => '"',
                '–' | '—' | '−' => '-',
                _ => c,
            });
            if matches!(c, '.' | '!' | '?' | '…') && self.ends_here(c, next) {
                self.end_sentence(c == '?');
            }
        }
    }

    fn count(&mut self, c: char, next: char) {
        let marks = &mut self.text.marks;
        let counter = match c {
            '!' | '?' => {
                if matches!(next, '!' | '?') {
                    marks.outcries += 1;
                }
                if c == '!' { &mut marks.exclamations } else { &mut marks.questions }
            }
            '…' => &mut marks.ellipses,
            '.' if next == '.' => &mut marks.ellipses,
            ',' | ';' | ':' | '-' | '–' | '—' => &mut marks.commas,
            '"' | '«' | '“' | '„' => &mut marks.quotes,
            '(' | '[' => &mut marks.brackets,
            '$' | '€' | '£' | '₴' | '₽' | '¥' => &mut marks.money,
            '%' => &mut marks.percent,
            '\n' => &mut marks.lines,
            _ if is_picture(c) => &mut marks.pictures,
            _ => return,
        };
        *counter += 1;
    }

    /// Whether a sentence ends at this mark: not after an initial, not inside `3.50` or `a.m`.
    fn ends_here(&self, c: char, next: char) -> bool {
        if !(next.is_whitespace() || matches!(next, '"' | '»' | '”' | ')' | '\'') || is_picture(next)) {
            return false;
        }
        c != '.' || self.text.words.last().is_none_or(|word| !is_short_form(self.text.word(word)))
    }

    fn line(&mut self, at: usize, next: char) {
        let length = at.saturating_sub(self.line_start);
        self.line_start = at + 1;
        if matches!(next, '-' | '*' | '•' | '–' | '—') || next.is_numeric() {
            self.text.marks.items += 1;
            self.end_sentence(false);
        } else if next == '\n' || next == '\r' || length < SHORT_LINE {
            self.end_sentence(false);
        }
    }

    fn end_word(&mut self, at: usize) {
        let Some((start, from)) = self.word.take() else {
            return;
        };
        let shape = self.shape;
        if shape.letters >= 3 && shape.capitals == shape.letters {
            self.text.marks.shouted += 1;
        }
        self.text.marks.titled += usize::from(shape.titled);
        if (shape.masked || (shape.digits > 0 && shape.letters > 0)) && self.unmask(start) {
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
        if shape.latin > 0 && shape.other > 0 {
            self.replace(start, one_script);
        }
        if self.text.folded.len() > start {
            self.push(start, from, at);
        }
    }

    fn replace(&mut self, start: usize, change: impl FnOnce(&str) -> Option<String>) {
        if let Some(new) = self.text.folded.get(start..).and_then(change) {
            self.text.folded.truncate(start);
            self.text.folded.push_str(&new);
        }
    }

    fn push(&mut self, start: usize, from: usize, to: usize) {
        let word = self.text.folded.get(start..).unwrap_or_default();
        let single = word.chars().nth(1).is_none() && word.chars().all(char::is_alphabetic);
        let key = hash::of(word);
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
        let length = self.text.words.len() - self.first_word;
        if length >= Text::MAX_SENTENCE && (self.singles == 0 || length >= 2 * Text::MAX_SENTENCE) {
            self.end_sentence(false);
        }
    }

    fn end_sentence(&mut self, question: bool) {
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
    word.chars().nth(1).is_none() && word.chars().all(char::is_alphabetic)
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

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
