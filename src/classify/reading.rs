//! What is kept of a mail to learn from it: numbers, no text. Ids of what it says (hashes of words,
//! pairs, beginnings of words, concepts), the model's log-odds, the rules that matched.

use serde::{Deserialize, Serialize};

use super::features;
use super::hash;
use super::text::{Part, Text};
use super::{Classifier, Label, Model, Scratch};
use crate::mail::{Language, Mail};

/// The version of ids: readings of another one are not learnt from.
pub const VERSION: u32 = 1;

/// Most ids kept of a mail; the first ones of a longer mail.
const MOST_IDS: usize = 900;

/// Log-odds beyond this say no more.
pub(super) const BOUND: f32 = 8.0;

/// Lengths of the beginnings of words that have an id of their own: inflected forms share them.
const STEMS: [usize; 2] = [4, 6];

/// A mail as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Version of the ids.
    pub version: u32,
    /// The first characters of the SHA-256 of the model whose log-odds these are.
    pub base: String,
    /// Language of the new text.
    pub language: Language,
    /// The model's log-odds per label, without what was learnt here and without rules.
    pub logits: Vec<f32>,
    /// Ids of the rules that matched.
    pub rules: Vec<String>,
    /// What it says, ascending, each once.
    pub ids: Vec<u32>,
    /// Words of the new text.
    pub words: u32,
}

/// What kind of thing an id stands for: its two lowest bits.
#[must_use]
pub const fn kind(id: u32) -> usize {
    (id & 3) as usize
}

/// How many kinds there are: words, pairs, beginnings, concepts.
pub const KINDS: usize = 4;

#[expect(clippy::cast_possible_truncation, reason = "an id is the low half of a hash")]
const fn id(kind: u32, key: u64) -> u32 {
    (hash::mix(hash::pair(0x4c6f_6361_6c00 + kind as u64, key)) as u32 & !3) | kind
}

/// The ids of a text that was read, ascending, each once.
pub(super) fn ids(model: &Model, scratch: &mut Scratch, out: &mut Vec<u32>) {
    out.clear();
    each(model, scratch, &mut |id, _| out.push(id));
    out.truncate(MOST_IDS);
    out.sort_unstable();
    out.dedup();
}

/// Calls `take` with every id and the word it was read from, where it was read from one.
pub(super) fn each(model: &Model, scratch: &mut Scratch, take: &mut dyn FnMut(u32, &str)) {
    let Scratch { text, finder, .. } = scratch;
    for sentence in text.sentences() {
        words(text, text.of(sentence), sentence.part, take);
        if sentence.part != Part::Name {
            let keys = text.of(sentence).iter().map(|word| word.key);
            features::pairs(keys, sentence.question, |key| take(id(1, key), ""));
        }
        for hit in finder.find(&model.lexicon, text, sentence) {
            take(id(3, model.lexicon.key(hit.concept)), "");
        }
    }
}

fn words(text: &Text, words: &[super::text::Word], part: Part, take: &mut dyn FnMut(u32, &str)) {
    for word in words {
        let said = text.word(word);
        if part != Part::Body {
            take(id(0, features::head_key(part, word.key)), said);
        }
        if part == Part::Name {
            continue;
        }
        take(id(0, word.key), said);
        for length in STEMS {
            if said.chars().count() > length {
                let key = said.chars().take(length).fold(hash::EMPTY, hash::roll);
                take(id(2, key ^ length as u64), said);
            }
        }
    }
}

impl Reading {
    /// The same log-odds with the effect of these rules.
    #[must_use]
    pub fn with_rules(&self, rules: &super::Rules, mut logits: Vec<f32>) -> Vec<f32> {
        for rule in rules.all().iter().filter(|rule| self.rules.contains(&rule.id)) {
            if let Some(logit) = logits.get_mut(rule.label as usize) {
                *logit = rule.effect.on(*logit);
            }
        }
        logits
    }
}

impl Classifier {
    /// What may be kept of `mail` to learn from it; nothing of a machine's mail.
    #[must_use]
    pub fn reading(&self, scratch: &mut Scratch, mail: &Mail) -> Option<Reading> {
        if mail.automated.is_some() {
            return None;
        }
        let mut reading = self.model.reading(scratch, mail);
        let rules = self.rules.matching(&scratch.text, mail.language);
        reading.rules = rules.map(|rule| rule.id.clone()).collect();
        Some(reading)
    }
}

impl Model {
    /// As [`Classifier::reading`], without rules.
    #[must_use]
    pub fn reading(&self, scratch: &mut Scratch, mail: &Mail) -> Reading {
        scratch.text.read(mail, &self.lexicon);
        self.score_read(mail, scratch);
        let mut found = vec![];
        ids(self, scratch, &mut found);
        Reading {
            version: VERSION,
            base: self.sha256.chars().take(12).collect(),
            language: mail.language,
            logits: scratch.logits.iter().take(Label::COUNT).map(|x| round(x.clamp(-BOUND, BOUND))).collect(),
            rules: vec![],
            ids: found,
            words: u32::try_from(scratch.text.marks().words).unwrap_or(u32::MAX),
        }
    }
}

/// Three places are enough, and short to store.
fn round(x: f32) -> f32 {
    (x * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(name: &str, subject: &str, body: &str) -> Reading {
        let classifier = Classifier::shipped().unwrap();
        let mail = Mail::from_message(name, "", subject, body);
        classifier.reading(&mut Scratch::default(), &mail).unwrap()
    }

    #[test]
    fn a_reading_holds_no_word_of_the_mail_and_is_small() {
        let body = "The Zephyrine boiler hums at night and my neighbour Ottoline complains. ".repeat(40);
        let text = serde_json::to_string(&reading("Rosamund", "Humming", &body)).unwrap();
        for word in ["zephyrine", "ottoline", "rosamund", "humming", "boiler"] {
            assert!(!text.to_lowercase().contains(word), "{word} in {text}");
        }
        assert!(text.len() < 16 * 1024, "{} bytes", text.len());
    }

    #[test]
    fn inflected_forms_share_a_beginning_and_other_words_do_not() {
        let of = |word: &str| reading("", "", word).ids;
        let shared = |a: &str, b: &str| {
            let (a, b) = (of(a), of(b));
            a.iter().filter(|id| b.contains(id) && kind(**id) == 2).count()
        };
        assert!(shared("гарантийный", "гарантийная") >= 2);
        assert_eq!(shared("гарантийный", "доставка"), 0);
    }
}
