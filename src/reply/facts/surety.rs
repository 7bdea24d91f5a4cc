//! Whether a sentence is surely the matter of a mail: a wrong one repeated is worse than none.

use super::choice::Reading;
use super::clause::{behind, is_scene, sets_scene};
use super::sentence::Sentence;
use crate::classify::Label;
use crate::reply::lexicon;

/// An imperative that is known by its ending has more letters than this.
const SHORTEST_ORDER: usize = 5;

/// Fewest words behind the scenery that may tell what failed without a word of failure.
const FEWEST_BEHIND: usize = 4;

impl Reading<'_> {
    /// Whether a sentence has a sign that alone says what a mail is about. That nobody answered is seldom
    /// all of it.
    pub(super) fn names_failure(&self, sentence: &Sentence) -> bool {
        // what was bought or filed is told first; what stands behind it failed
        let cues = [Label::Complaint, Label::Panic].into_iter().filter_map(|label| self.cues(label));
        let cues: Vec<&lexicon::Phrases> = cues.chain([&self.lists.negations]).collect();
        let scene = is_scene(sentence, &cues, self.lists);
        let told = if scene { behind(sentence, self.lists) } else { &sentence.folded };
        lexicon::has(told, self.signs)
    }

    /// Whether a sentence tells of calls, letters and attempts rather than of the matter itself.
    pub(super) fn chases(&self, sentence: &Sentence) -> bool {
        // where nobody answered, the calls are the matter
        if self.matter.is_some_and(|matter| matter.name == "silence") {
            return false;
        }
        [&self.lists.contacted, &self.lists.tried].iter().any(|list| lexicon::has(&sentence.folded, list))
    }

    /// Whether a sentence asks what something costs.
    pub(super) fn asks_price(&self, sentence: &Sentence) -> bool {
        let asks = sentence.asks() || lexicon::has(&sentence.folded, &self.lists.requests);
        asks && self.hits(sentence, Label::Pricing) > 0
    }

    /// Whether a sentence asks something, and courts nobody.
    pub(super) fn inquires(&self, sentence: &Sentence) -> bool {
        let asks = sentence.asks() && !lexicon::has(&sentence.folded, &self.lists.rhetoric)
            || lexicon::has(&sentence.folded, &self.lists.requests);
        sentence.may(true) && asks && self.hits(sentence, Label::Question) > 0
    }

    /// Whether a sentence is business, whatever stands beside it: what failed, or a number and what is
    /// asked about it.
    pub(super) fn is_business(&self, sentence: &Sentence) -> bool {
        let failed = self.hits(sentence, Label::Complaint);
        let digits = sentence.text.chars().filter(char::is_ascii_digit).count();
        let numbered =
            digits > 2 && self.lists.nouns.values().any(|list| lexicon::has(&sentence.folded, list));
        let asked = failed > 0 || lexicon::has(&sentence.folded, &self.lists.asking);
        let turned = self.lists.turns.iter().any(|turn| lexicon::first_words(&sentence.folded, turn));
        let lacks = failed > 0 || lexicon::has(&sentence.folded, &self.lists.negations);
        let named = self.names_failure(sentence) && (lacks || digits > 0 || turned);
        let told = turned && lacks;
        sentence.may(true) && (named || told || failed > 1 && digits > 0 || numbered && asked)
    }
}

impl Reading<'_> {
    /// How many other signs a sentence has that it tells what failed: that something is not as it should
    /// be, what somebody said or a screen shows, or that it is set off from what came before.
    pub(super) fn signs(&self, sentence: &Sentence) -> usize {
        // "I did not open it" is a side remark
        let whole = sentence.folded.split(' ').count() > FEWEST_BEHIND;
        let negated = whole && lexicon::has(&sentence.folded, &self.lists.negations);
        let speech = speaks(&sentence.text);
        let set_off = self.lists.contrasts.iter().any(|word| {
            let inside = sentence.folded.split(", ").skip(1).any(|clause| lexicon::first_words(clause, word));
            inside || lexicon::first_words(&sentence.folded, word)
        });
        [negated, speech, set_off].into_iter().filter(|sign| *sign).count()
    }

    /// Whether a sentence only tells what went before: what its writer bought, did or is.
    pub(super) fn is_scenery(&self, sentence: &Sentence) -> bool {
        let behind = behind(sentence, self.lists);
        let tells = |text: &str| {
            let cues = self.cues(Label::Complaint);
            cues.is_some_and(|cues| lexicon::has(text, cues))
        };
        sets_scene(sentence, self.lists)
            && !tells(&sentence.folded)
            && !lexicon::has(behind, &self.lists.negations)
            && behind.split_whitespace().count() < FEWEST_BEHIND
    }

    /// Whether a sentence excuses or concedes something, or, in a language whose sentences have one, is
    /// without a verb.
    pub(super) fn is_aside(&self, sentence: &Sentence) -> bool {
        let verbs = &self.lists.verbs;
        let acts = |word: &str| {
            let long = |end: &String| word.chars().count() > end.chars().count() + 1 || word == end;
            verbs.iter().any(|end| word.ends_with(end.as_str()) && long(end))
        };
        let mut words = sentence.folded.split(|c: char| !c.is_alphanumeric() && c != '\'');
        let verbless =
            !verbs.is_empty() && !words.any(acts) && !lexicon::has(&sentence.folded, &self.lists.negations);
        verbless || lexicon::has(&sentence.folded, &self.lists.asides)
    }

    /// Whether a sentence begins with what is to be done.
    pub(super) fn demands(&self, sentence: &Sentence) -> bool {
        self.orders(sentence)
            || self.lists.asking.iter().any(|asking| lexicon::first_words(&sentence.folded, asking))
    }

    /// Whether a sentence begins with an imperative, one of the list or one by its form.
    pub(super) fn orders(&self, sentence: &Sentence) -> bool {
        let folded = sentence.folded.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = folded.split(|c: char| !c.is_alphanumeric() && c != '\'').next().unwrap_or("");
        let formed = first.chars().count() > SHORTEST_ORDER
            && self.lists.commands.iter().any(|ending| first.ends_with(ending.as_str()));
        // "Put 40 on my meter on Friday" tells what was done
        let dated = [&self.lists.calendar, &self.lists.months, &self.lists.moments];
        let told = self.lists.past_alike.contains(first)
            && dated.iter().any(|list| lexicon::has(&sentence.folded, list));
        if told {
            return false;
        }
        formed || self.lists.imperatives.iter().any(|order| lexicon::first_words(folded, order))
    }
}

/// Whether something else than a name stands between quotation marks.
fn speaks(text: &str) -> bool {
    let marks = |c: char| matches!(c, '"' | '«' | '»' | '“' | '”' | '„');
    text.contains(marks)
        && (text.chars().filter(|c| marks(*c)).count() % 2 == 1
            || text.split(marks).skip(1).step_by(2).any(|said| !is_name(said)))
}

/// A word, or words with capitals: «Наталка Полтавка».
fn is_name(said: &str) -> bool {
    let mut words = said.split_whitespace();
    said.split_whitespace().count() < 2 || words.all(|word| word.starts_with(char::is_uppercase))
}
