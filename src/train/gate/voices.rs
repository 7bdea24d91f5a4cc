//! Whether what somebody newly says agrees with what everybody else teaches: a model that has not heard
//! that voice is asked. Agents mostly correct what is in doubt anyway; nonsense denies what is sure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Match, decide};
use crate::classify::Label;
use crate::train::local::{self, LocalExample};
use crate::train::subspace::FitError;

/// New corrections below which a voice is not judged.
const LEAST_NEW: usize = 10;
/// Probability from which on an answer is held possible.
const POSSIBLE: f32 = 0.2;
/// Share of new corrections that must be held possible.
const LEAST_POSSIBLE: f64 = 0.4;

/// What one voice has newly said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Who; `move` and `keywords` are those whom a mailbox does not name.
    pub name: String,
    /// Answers other than what was given.
    pub new: usize,
    /// Of these a model that has heard everybody else holds possible.
    pub possible: usize,
}

impl Voice {
    /// Whether nobody else's words support it.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.new >= LEAST_NEW && super::share(self.possible, self.new) < LEAST_POSSIBLE
    }
}

impl Match<'_> {
    /// Every voice that has said enough that is new.
    ///
    /// # Errors
    /// When linfa cannot fit.
    pub(super) fn voices(&self) -> Result<Vec<Voice>, FitError> {
        let own = &self.candidate.layer.own;
        let names: BTreeSet<&String> = self.locals.iter().flat_map(|one| &one.voices).collect();
        let mut voices = vec![];
        for name in names {
            let new: Vec<&LocalExample> = self.locals.iter().filter(|one| self.is_news(one, name)).collect();
            if new.iter().map(|one| objections(one).count()).sum::<usize>() < LEAST_NEW {
                continue;
            }
            let others: Vec<LocalExample> =
                self.locals.iter().filter(|one| !one.voices.contains(name)).cloned().collect();
            let heard = local::hear(self.classifier, own, &others, self.anchors)?;
            let labels = heard.layer.names();
            let mut voice = Voice { name: name.clone(), ..Voice::default() };
            for one in new {
                let (chances, _) = decide(self.classifier, Some(&heard.layer), &one.reading);
                for (label, is) in objections(one) {
                    let Some(place) = labels.iter().position(|known| known == label) else { continue };
                    // of a label of one's own that nobody else has taught yet nothing can be expected
                    if place >= Label::COUNT && !heard.fitted.contains(label) {
                        continue;
                    }
                    let chance = chances.get(place).copied().unwrap_or(0.0);
                    voice.new += 1;
                    voice.possible += usize::from(if is { chance } else { 1.0 - chance } >= POSSIBLE);
                }
            }
            voices.push(voice);
        }
        Ok(voices)
    }

    fn is_news(&self, one: &LocalExample, voice: &String) -> bool {
        one.at >= self.since && one.voices.contains(voice)
    }
}

/// What was said otherwise than it was given.
fn objections(one: &LocalExample) -> impl Iterator<Item = (&String, bool)> {
    let said = one.says.iter().map(|(label, is)| (label, *is));
    said.filter(|(label, is)| one.given.contains(label) != *is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_alone_when_enough_is_new_and_next_to_nothing_of_it_is_held_possible() {
        let voice = |new, possible| Voice { name: "mallory".into(), new, possible };
        assert!(voice(45, 10).is_alone());
        assert!(!voice(24, 12).is_alone() && !voice(9, 0).is_alone());
    }
}
