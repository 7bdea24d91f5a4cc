//! `[thresholds]`: a number for a label, or a table of numbers by language.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::classify::Label;
use crate::classify::thresholds::Thresholds;
use crate::mail::Language;

/// The section as it is written.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Section {
    band: Option<f32>,
    #[serde(flatten)]
    labels: BTreeMap<Label, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    All(f32),
    By(BTreeMap<Language, f32>),
}

impl Section {
    /// Over the defaults; every number that is no probability is a problem.
    pub(super) fn resolve(self) -> Result<Thresholds, Vec<String>> {
        let mut thresholds = Thresholds::default();
        let mut problems = Vec::new();
        let mut check = |key: String, value: f32| {
            if !(0.0..=1.0).contains(&value) {
                problems.push(format!(
                    "[thresholds] {key} = {value} is no probability; use a number from 0 to 1"
                ));
            }
        };
        if let Some(band) = self.band {
            check("band".into(), band);
            thresholds.band = band;
        }
        for (label, entry) in self.labels {
            match entry {
                Entry::All(value) => {
                    check(label.to_string(), value);
                    thresholds.by_label.insert(label, value);
                }
                Entry::By(languages) => {
                    for (language, value) in languages {
                        check(format!("{label}.{language}"), value);
                        thresholds.by_language.insert((label, language), value);
                    }
                }
            }
        }
        if problems.is_empty() { Ok(thresholds) } else { Err(problems) }
    }
}
