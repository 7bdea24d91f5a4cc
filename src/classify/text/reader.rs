//! Splits one part of a mail into folded words and sentences, in one pass.

mod disguise;
mod sentence;
mod sign;
mod word;

use std::str::Chars;

use super::super::fold::{Common, is_invisible, is_picture, normal};
use super::super::hash;
use super::super::lexicon::Lexicon;
use super::{Part, Text};

struct Reader<'a> {
    text: &'a mut Text,
    lexicon: &'a Lexicon,
    source: &'a str,
    /// What is not read yet, and how long all of it was.
    rest: Chars<'a>,
    bytes: usize,
    part: Part,
    first_word: usize,
    /// Start of the current word in the folded text and in the source.
    word: Option<(usize, usize)>,
    shape: Shape,
    singles: usize,
    joins: usize,
    line_start: usize,
}

/// What was seen in the current word.
#[derive(Clone, Copy)]
struct Shape {
    /// Key of the folded word so far.
    key: u64,
    /// Characters kept or left out.
    length: usize,
    latin: usize,
    other: usize,
    digits: usize,
    letters: usize,
    capitals: usize,
    titled: bool,
    masked: bool,
    repeats: usize,
    last: char,
    longest_run: usize,
}

impl Shape {
    const NEW: Self = Self {
        key: hash::EMPTY,
        length: 0,
        latin: 0,
        other: 0,
        digits: 0,
        letters: 0,
        capitals: 0,
        titled: false,
        masked: false,
        repeats: 0,
        last: '\0',
        longest_run: 0,
    };
}

pub(super) fn read(text: &mut Text, part: Part, source: &str, lexicon: &Lexicon) {
    let source = normal(source);
    let source = source.get(..source.floor_char_boundary(Text::MAX_BYTES)).unwrap_or_default();
    let first_word = text.words.len();
    let mut reader = Reader {
        text,
        lexicon,
        source,
        rest: source.chars(),
        bytes: source.len(),
        part,
        first_word,
        word: None,
        shape: Shape::NEW,
        singles: 0,
        joins: 0,
        line_start: 0,
    };
    while let Some((at, c)) = reader.next() {
        reader.take(at, c);
    }
    reader.end_word(source.len());
    reader.end_sentence(false);
    reader.text.folded.push('\n');
}

impl Reader<'_> {
    /// Where the next character stands.
    fn at(&self) -> usize {
        self.bytes - self.rest.as_str().len()
    }

    fn next(&mut self) -> Option<(usize, char)> {
        let at = self.at();
        self.rest.next().map(|c| (at, c))
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self, at: usize, c: char) {
        let (common, folded) = Common::of(c);
        if common.in_word() {
            self.letters(at, c, common, folded);
        } else if c == ' ' {
            self.end_word(at);
            self.space();
        } else if is_invisible(c) {
        } else if self.word.is_some() && self.inside(c) {
            self.sign_inside(c);
        } else {
            self.between(at, c);
        }
    }

    /// Takes a letter or digit and all that follow it.
    fn letters(&mut self, at: usize, mut c: char, mut common: Common, mut folded: char) {
        if self.word.is_none() {
            self.word = Some((self.text.folded.len(), at));
            self.shape = Shape { titled: common.is_capital(), ..Shape::NEW };
        }
        let mut shape = self.shape;
        loop {
            if common.is_digit() {
                shape.digits += 1;
                shape.repeats = 0;
            } else {
                shape.letters += 1;
                shape.capitals += usize::from(common.is_capital());
                shape.latin += usize::from(c.is_ascii_alphabetic());
                shape.other += usize::from(!c.is_ascii());
                if shape.last == folded {
                    shape.repeats += 1;
                    shape.longest_run = shape.longest_run.max(shape.repeats + 1);
                } else {
                    shape.repeats = 0;
                }
            }
            shape.last = folded;
            if shape.length < Text::MAX_WORD {
                self.text.folded.push(folded);
                shape.key = hash::roll(shape.key, folded);
            }
            shape.length += 1;
            let before = self.rest.clone();
            match self.rest.next() {
                Some(next) => (c, (common, folded)) = (next, Common::of(next)),
                None => break,
            }
            if !common.in_word() {
                self.rest = before;
                break;
            }
        }
        self.shape = shape;
    }

    fn space(&mut self) {
        if !matches!(self.text.folded.as_bytes().last(), Some(b' ' | b'\n')) {
            self.text.folded.push(' ');
        }
    }

    fn between(&mut self, at: usize, c: char) {
        self.end_word(at);
        let next = self.peek().unwrap_or('\n');
        self.count(c, next);
        if is_picture(c) {
            let start = self.text.folded.len();
            self.text.folded.push(c);
            self.push(start, hash::roll(hash::EMPTY, c), at, at + c.len_utf8());
            self.text.folded.push(' ');
        } else if c.is_whitespace() {
            self.space();
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
}
