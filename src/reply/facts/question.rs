//! What a mail asks.

use super::Fact;
use super::choice::{FEWEST_WORDS, Reading};
use super::quote::fact;
use super::sentence::{LONGEST, Sentence};
use crate::classify::Label;
use crate::reply::lexicon;

/// Fewest words of a question that is asked because a mail ends with it.
const FEWEST_LAST: usize = 4;

impl Reading<'_> {
    /// The first question that asks for something; else, where `requests` are looked for, the sentence
    /// that requests an answer.
    pub(super) fn question(&mut self, requests: bool) -> Option<Fact> {
        let asked = |sentence: &&Sentence| {
            sentence.asks()
                && sentence.content(self.lists).count() + self.hits(sentence, Label::Question).min(1)
                    >= FEWEST_WORDS
                && !lexicon::has(&sentence.folded, &self.lists.rhetoric)
                && (!self.wary || self.hits(sentence, Label::Question) > 0)
        };
        let free: Vec<&Sentence> = self.free().map(|(_, sentence)| sentence).collect();
        // a second question has to be one beyond doubt
        let second = self.all.iter().any(|sentence| sentence.asks() && self.taken.contains(&sentence.text));
        let asked =
            |sentence: &&Sentence| asked(sentence) && (!second || self.hits(sentence, Label::Question) > 0);
        let plain = free.iter().copied().filter(|sentence| !sentence.hangs).find(asked);
        let requested = |sentence: &&Sentence| {
            requests
                && !self.wary
                && !second
                && !sentence.hangs
                && sentence.content(self.lists).count() > FEWEST_WORDS
                && sentence.text.chars().count() <= LONGEST
                && self.requests(sentence)
        };
        let found = plain.or_else(|| free.iter().copied().find(asked)).or_else(|| self.last_question(second));
        let found = match found {
            Some(sentence) => self.beside(sentence),
            None => free.iter().copied().find(requested).and_then(|sentence| fact(sentence, self.lists)),
        };
        let both: Vec<String> = found
            .iter()
            .flat_map(|fact| self.all.iter().filter(|one| fact.read_from.contains(&one.text)))
            .map(|one| one.text.clone())
            .collect();
        self.taken.extend(both);
        self.take(found)
    }

    /// A question with those that stand beside it, as far as they can be given back in one breath: "Are
    /// they ready? And until when are you open?"
    fn beside(&self, sentence: &Sentence) -> Option<Fact> {
        let joins = |other: &&Sentence| {
            other.asks()
                && other.text.contains(' ')
                && other.may(self.wary)
                && !self.taken.contains(&other.text)
                && !lexicon::has(&other.folded, &self.lists.rhetoric)
                && !lexicon::has(&other.folded, &self.lists.courting)
        };
        let alone = fact(sentence, self.lists);
        let Some(at) = self.all.iter().position(|one| one.text == sentence.text) else { return alone };
        let before = at.checked_sub(1).and_then(|at| self.all.get(at)).filter(joins);
        let after = self.all.get(at + 1).filter(joins);
        let pairs = [(before, Some(sentence)), (Some(sentence), after)];
        // as it stands in the mail: nothing was left out between them, such as the number of a list
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        pairs
            .into_iter()
            .filter_map(|(first, second)| Some(format!("{} {}", first?.text, second?.text)))
            .find(|both| both.chars().count() <= LONGEST && text.contains(both.as_str()))
            .and_then(|both| fact(&Sentence::of(both, self.lists, true), self.lists))
            .or(alone)
    }

    /// The question that a mail ends with, however few words of content it has: "What does it say?"
    fn last_question(&self, second: bool) -> Option<&Sentence> {
        let told = self.all.iter().rev().take(2);
        let mut last = told.filter(|sentence| sentence.text.split_whitespace().count() >= FEWEST_LAST);
        last.next().filter(|sentence| {
            sentence.asks()
                && !second
                && sentence.may(true)
                && !self.wary
                && self.hits(sentence, Label::Question) > 0
                && !self.taken.contains(&sentence.text)
                && !lexicon::has(&sentence.folded, &self.lists.rhetoric)
        })
    }

    /// Whether a sentence asks for an answer without a question mark.
    pub(super) fn requests(&self, sentence: &Sentence) -> bool {
        let first =
            sentence.folded.split(' ').next().unwrap_or("").trim_matches(|c: char| !c.is_alphanumeric());
        let interrogative = self.cues(Label::Question).is_some_and(|cues| lexicon::has(first, cues));
        lexicon::has(&sentence.folded, &self.lists.requests)
            || interrogative && !sentence.folded.contains(',') && self.hits(sentence, Label::Complaint) == 0
    }
}
