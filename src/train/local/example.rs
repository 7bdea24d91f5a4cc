//! What is fitted on: mails of an inbox, and mails of the shipped corpus beside them.

use std::collections::BTreeMap;

use super::FOLDS;
use crate::classify::{Classifier, Reading, Scratch, hash};
use crate::time::Timestamp;
use crate::train::corpus::Example;

/// A mail of this inbox on which people have spoken, or to whose labels nobody objected.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalExample {
    /// What it is; decides where it is used.
    pub id: String,
    /// The mail as numbers.
    pub reading: Reading,
    /// For each label somebody spoke about, whether it is there.
    pub says: BTreeMap<String, bool>,
    /// Labels it was given.
    pub given: Vec<String>,
    /// The last word was said at; when it was handled, where nobody has spoken.
    pub at: Timestamp,
    /// Whose words stand: persons, `move`, `keywords`.
    pub voices: Vec<String>,
    /// Whether nobody has spoken: what it was given is held to be right. Without these only what was
    /// wrong would be learnt from, and everything would look like it.
    pub silent: bool,
}

impl LocalExample {
    /// Whether it never trains, for good: the fourth that candidates are compared on.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        hash::mix(hash::of(&self.id) ^ 0x6e1d).is_multiple_of(4)
    }

    /// Whether somebody said otherwise than it was given.
    #[must_use]
    pub fn is_correction(&self) -> bool {
        self.says.iter().any(|(label, is)| self.given.contains(label) != *is)
    }

    pub(super) fn fold(&self) -> u64 {
        hash::mix(hash::of(&self.id) ^ 0x0f01d) % FOLDS
    }
}

/// A mail of the shipped corpus that the shipped model did not see.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The mail as numbers.
    pub reading: Reading,
    /// For each shipped label whether it is there.
    pub labels: Vec<bool>,
    /// Whether it steadies the fit; the others test.
    pub steadies: bool,
    pub(super) fold: u64,
}

/// Reads the held-back part of a corpus as anchors.
#[must_use]
pub fn anchors(classifier: &Classifier, examples: &[Example]) -> Vec<Anchor> {
    let mut scratch = Scratch::default();
    let held_back = examples.iter().filter(|example| example.is_held_back());
    let anchors = held_back.filter_map(|example| {
        let mut reading = classifier.reading(&mut scratch, &example.mail)?;
        reading.language = example.language;
        let key = hash::mix(hash::of(&example.id) ^ 0xa2c4);
        let labels = example.labels.clone();
        Some(Anchor { reading, labels, steadies: key.is_multiple_of(2), fold: (key >> 8) % FOLDS })
    });
    anchors.collect()
}

/// Examples of a corpus of the company's own: its labels may be shipped ones or its own.
#[must_use]
pub fn own_examples(classifier: &Classifier, examples: &[Example], names: &[String]) -> Vec<LocalExample> {
    let mut scratch = Scratch::default();
    let read = examples.iter().filter_map(|example| {
        let mut reading = classifier.reading(&mut scratch, &example.mail)?;
        reading.language = example.language;
        let says = names.iter().cloned().zip(example.labels.iter().copied()).collect();
        let id = format!("own-corpus {}", example.id);
        Some(LocalExample {
            id,
            reading,
            says,
            given: vec![],
            at: Timestamp::default(),
            voices: vec![],
            silent: false,
        })
    });
    read.collect()
}
