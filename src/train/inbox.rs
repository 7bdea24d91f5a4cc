//! How the model in force does on this inbox: what people said, and what nobody objected to.

use std::collections::BTreeMap;

use super::corpus::Example;
use super::evaluate::Judged;
use super::gate::decide;
use super::local::LocalExample;
use super::tally::{Tally, wilson};
use crate::classify::layer::Layer;
use crate::classify::{Classifier, Label, Reading};
use crate::mail::{Language, Mail};
use crate::time::Timestamp;

/// Findings of a label from which on it can be judged.
const LEAST_FOUND: usize = 20;
/// A label whose precision is surely below this is put on hold.
const HOLD_BELOW: f64 = 0.5;
/// Change of the share of a language that is told.
const LANGUAGE_SHIFT: f64 = 0.2;
/// Change of the usual length that is told.
const LENGTH_SHIFT: f64 = 2.0;
/// Change of the share of unknown words that is told.
const WORD_SHIFT: f64 = 0.15;

/// A mail handled of late.
#[derive(Clone, Debug)]
pub struct Handled {
    /// As in [`LocalExample::id`].
    pub id: String,
    /// The mail as numbers.
    pub reading: Reading,
    /// When.
    pub at: Timestamp,
    /// Labels it was given.
    pub given: Vec<String>,
    /// Whether it was drawn for review, and somebody has spoken on it.
    pub drawn: bool,
}

/// Mails of an inbox with what is held to be true of them: what people said, else what they were given.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// Label names.
    pub names: Vec<String>,
    /// The mails, `kind` is `said`, `drawn` or `silent`.
    pub examples: Vec<Example>,
    rows: Vec<(Vec<f32>, Vec<bool>)>,
}

/// Mails to whose labels nobody objected, as examples.
#[must_use]
pub fn silent(handled: &[Handled], said: &[LocalExample], names: &[String]) -> Vec<LocalExample> {
    let spoken: std::collections::BTreeSet<&str> = said.iter().map(|one| one.id.as_str()).collect();
    let quiet = handled.iter().filter(|mail| !spoken.contains(mail.id.as_str()));
    let example = |mail: &Handled| LocalExample {
        id: mail.id.clone(),
        reading: mail.reading.clone(),
        says: names.iter().map(|name| (name.clone(), mail.given.contains(name))).collect(),
        given: mail.given.clone(),
        at: mail.at,
        voices: vec![],
        silent: true,
    };
    quiet.map(example).collect()
}

impl Inbox {
    /// Judges the newest mails with the layer in force.
    #[must_use]
    pub fn of(
        classifier: &Classifier,
        layer: Option<&Layer>,
        names: &[String],
        handled: &[Handled],
        said: &[LocalExample],
    ) -> Self {
        let said: BTreeMap<&str, &LocalExample> = said.iter().map(|one| (one.id.as_str(), one)).collect();
        let mut inbox = Self { names: names.to_vec(), ..Self::default() };
        for mail in handled {
            let spoken = said.get(mail.id.as_str());
            let truth = |name: &String| {
                let word = spoken.and_then(|one| one.says.get(name).copied());
                word.unwrap_or_else(|| mail.given.contains(name))
            };
            let kind = match (mail.drawn, spoken) {
                (true, Some(_)) => "drawn",
                (false, Some(_)) => "said",
                (_, None) => "silent",
            };
            inbox.examples.push(Example {
                id: mail.id.clone(),
                language: mail.reading.language,
                mail: Mail::default(),
                labels: names.iter().map(truth).collect(),
                kind: kind.to_owned(),
            });
            let (mut chances, mut decided) = decide(classifier, layer, &mail.reading);
            chances.resize(names.len(), 0.0);
            decided.resize(names.len(), false);
            inbox.rows.push((chances, decided));
        }
        inbox
    }

    /// The mails as judged; with `drawn` those of the audit sample only, which nobody has chosen.
    #[must_use]
    pub fn judged(&self, drawn: bool) -> Vec<Judged<'_>> {
        let rows = self.examples.iter().zip(&self.rows);
        let chosen = rows.filter(|(example, _)| !drawn || example.kind == "drawn");
        chosen
            .map(|(example, (chances, decided))| Judged {
                example,
                probabilities: chances.clone(),
                decided: decided.clone(),
            })
            .collect()
    }
}

/// Shipped labels that are given so often wrongly that they should only be suggested: what they were
/// given against what people said. Threats and harassment are never held back.
#[must_use]
pub fn on_hold(handled: &[Handled], said: &[LocalExample]) -> Vec<Label> {
    let said: BTreeMap<&str, &LocalExample> = said.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut tallies: BTreeMap<Label, Tally> = BTreeMap::new();
    for mail in handled {
        for label in mail.given.iter().filter_map(|name| Label::from_word(name)) {
            let word = said.get(mail.id.as_str()).and_then(|one| one.says.get(label.as_str()).copied());
            tallies.entry(label).or_default().count(word.unwrap_or(true), true);
        }
    }
    let bad = |(label, tally): (Label, Tally)| {
        let found = tally.hits + tally.false_alarms;
        let grave = matches!(label, Label::Threat | Label::Harassment);
        let surely = wilson(tally.hits, found).1 < HOLD_BELOW;
        (found >= LEAST_FOUND && surely && !grave).then_some(label)
    };
    tallies.into_iter().filter_map(bad).collect()
}

/// How the newer half of the newest mails differs from the older half.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    /// Share of each language, before and now.
    pub languages: BTreeMap<Language, (f64, f64)>,
    /// Median of words, before and now.
    pub words: (f64, f64),
    /// Share of words that do not occur in the first quarter: of the second quarter, and of the newer half.
    pub unknown: (f64, f64),
}

impl Drift {
    /// Of readings in order of time; nothing when there are too few.
    #[must_use]
    pub fn of(readings: &[&Reading]) -> Option<Self> {
        let (before, now) = readings.split_at_checked(readings.len() / 2)?;
        if before.len() < 20 {
            return None;
        }
        let mut drift = Self::default();
        for (half, place) in [(before, 0), (now, 1)] {
            for reading in half {
                let shares = drift.languages.entry(reading.language).or_default();
                let share = if place == 0 { &mut shares.0 } else { &mut shares.1 };
                *share += 1.0 / f64::from(u32::try_from(half.len()).unwrap_or(1));
            }
        }
        drift.words = (median(before), median(now));
        let (first, second) = before.split_at_checked(before.len() / 2)?;
        let known: std::collections::BTreeSet<u32> = words(first).collect();
        drift.unknown = (unknown(&known, second), unknown(&known, now));
        Some(drift)
    }

    /// What has changed so much that somebody should know.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let mut told = vec![];
        for (language, (before, now)) in &self.languages {
            if (before - now).abs() > LANGUAGE_SHIFT {
                told.push(format!(
                    "{:.0} % of the mails are in {language}, before {:.0} %",
                    now * 100.0,
                    before * 100.0
                ));
            }
        }
        let (before, now) = self.words;
        if now > before * LENGTH_SHIFT || now * LENGTH_SHIFT < before {
            told.push(format!("a mail usually has {now:.0} words, before {before:.0}"));
        }
        let (before, now) = self.unknown;
        if now - before > WORD_SHIFT {
            told.push(format!("{:.0} % of the words are new, before {:.0} %", now * 100.0, before * 100.0));
        }
        told
    }
}

fn words<'a>(readings: &'a [&Reading]) -> impl Iterator<Item = u32> + 'a {
    let all = readings.iter().flat_map(|reading| reading.ids.iter().copied());
    all.filter(|id| crate::classify::reading::kind(*id) == 0)
}

fn unknown(known: &std::collections::BTreeSet<u32>, readings: &[&Reading]) -> f64 {
    let all = words(readings).count().max(1);
    let new = words(readings).filter(|id| !known.contains(id)).count();
    f64::from(u32::try_from(new).unwrap_or(0)) / f64::from(u32::try_from(all).unwrap_or(1))
}

fn median(readings: &[&Reading]) -> f64 {
    let mut lengths: Vec<u32> = readings.iter().map(|reading| reading.words).collect();
    lengths.sort_unstable();
    f64::from(lengths.get(lengths.len() / 2).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handled(n: usize, given: &str) -> Handled {
        let reading = Reading { language: Language::En, words: 30, ids: vec![4, 8], ..Reading::default() };
        Handled { id: n.to_string(), reading, at: Timestamp(0), given: vec![given.to_owned()], drawn: false }
    }

    fn denied(n: usize, label: &str) -> LocalExample {
        LocalExample {
            id: n.to_string(),
            reading: Reading::default(),
            says: BTreeMap::from([(label.to_owned(), false)]),
            given: vec![label.to_owned()],
            at: Timestamp(0),
            voices: vec![],
            silent: false,
        }
    }

    #[test]
    fn a_label_that_is_mostly_wrong_is_put_on_hold_but_never_a_threat() {
        for (label, held) in [("pricing", vec![Label::Pricing]), ("threat", vec![])] {
            let mails: Vec<Handled> = (0..40).map(|n| handled(n, label)).collect();
            let said: Vec<LocalExample> = (0..30).map(|n| denied(n, label)).collect();
            assert_eq!(on_hold(&mails, &said), held);
            assert_eq!(on_hold(&mails, &said[..12]), []);
        }
    }

    #[test]
    fn a_new_language_and_longer_mails_are_told() {
        let mut all: Vec<Reading> = (0..40).map(|n| handled(n, "idea").reading).collect();
        let of = |all: &[Reading]| Drift::of(&all.iter().collect::<Vec<_>>()).unwrap().told();
        assert_eq!(of(&all), Vec::<String>::new());
        for reading in &mut all[25..] {
            (reading.language, reading.words, reading.ids) = (Language::Es, 90, vec![4, 12, 16, 20]);
        }
        let told = of(&all);
        assert!(told.len() == 4 && told[1].contains("es") && told[3].contains("new"), "{told:?}");
    }
}
