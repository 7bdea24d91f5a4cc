//! Signs inside words: apostrophes, disguises, links and addresses.

use super::super::super::fold::is_apostrophe;
use super::super::super::hash;
use super::super::Text;
use super::Reader;

impl Reader<'_> {
    /// Whether a sign belongs to the word it stands in.
    pub(super) fn inside(&mut self, c: char) -> bool {
        let next = self.peek().unwrap_or(' ');
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

    pub(super) fn sign_inside(&mut self, c: char) {
        if is_apostrophe(c) {
            self.text.folded.push('\'');
            self.shape.key = hash::roll(self.shape.key, '\'');
            return;
        }
        if c == ':' || c == '.' {
            return self.whole("‹link›", |text| text.marks.links += 1);
        }
        if c == '@' && self.is_address() {
            return self.whole("‹address›", |text| text.marks.addresses += 1);
        }
        self.shape.masked = true;
        if self.shape.length < Text::MAX_WORD {
            self.text.folded.push(c);
            self.shape.key = hash::roll(self.shape.key, c);
        }
        self.shape.length += 1;
    }

    /// Whether what follows an `@` is a domain.
    fn is_address(&self) -> bool {
        self.rest
            .clone()
            .take(80)
            .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '.'))
            .any(|c| c == '.')
    }

    /// Makes everything up to the next white space one word of the given name.
    fn whole(&mut self, name: &str, count: impl FnOnce(&mut Text)) {
        let Some((start, from)) = self.word.take() else {
            return;
        };
        let stays = |c: char| !c.is_whitespace() && !matches!(c, '>' | ')' | ']' | '"' | ',');
        let mut to = from;
        while self.peek().is_some_and(stays) {
            to = self.at() + 1;
            self.rest.next();
        }
        self.count_word();
        self.text.folded.truncate(start);
        self.text.folded.push_str(name);
        count(self.text);
        self.push(start, hash::of(name), from, to);
    }
}
