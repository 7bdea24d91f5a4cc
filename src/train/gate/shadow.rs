//! What a candidate would do otherwise with the newest mails.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Match, decide};
use crate::classify::layer::Layer;
use crate::classify::{Label, Reading};
use crate::decide::route::DraftBy;
use crate::decide::{Desk, Route};

/// What would be done otherwise with the newest mails, by their labels alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// Mails looked at.
    pub mails: usize,
    /// Forwards that there were not.
    pub more_forwards: usize,
    /// Forwards that would no more be.
    pub fewer_forwards: usize,
    /// Mails that go to another queue.
    pub other_queue: usize,
    /// Mails whose draft follows another playbook, or that get one or none where it was otherwise.
    pub other_draft: usize,
}

impl Match<'_> {
    pub(super) fn shadow(&self) -> Shadow {
        let mut shadow = Shadow { mails: self.recent.len(), ..Shadow::default() };
        for reading in self.recent {
            let (was, before) = self.handled(self.before, reading);
            let (is, after) = self.handled(Some(&self.candidate.layer), reading);
            let more = |a: &[Desk], b: &[Desk]| a.iter().filter(|desk| !b.contains(desk)).count();
            shadow.more_forwards += more(&after.forward, &before.forward);
            shadow.fewer_forwards += more(&before.forward, &after.forward);
            shadow.other_queue += usize::from(before.queue != after.queue);
            shadow.other_draft += usize::from(was != is);
        }
        shadow
    }

    /// By what a mail would be drafted for, if it is, and its route. Rules of the company are not asked:
    /// they read more than numbers.
    fn handled(&self, layer: Option<&Layer>, reading: &Reading) -> (Option<BTreeSet<String>>, Route) {
        let decided = decide(self.classifier, layer, reading).1;
        let found: BTreeSet<Label> =
            Label::ALL.into_iter().zip(&decided).filter(|(_, is)| **is).map(|(label, _)| label).collect();
        let own = layer.map_or(&[][..], |layer| &layer.own);
        let own = own.iter().zip(decided.iter().skip(Label::COUNT)).filter(|(_, is)| **is);
        let facts: BTreeSet<String> = own.map(|(name, _)| name.clone()).collect();
        let primary = found.first().copied();
        let mut route = self.policy.routes.of(primary).clone();
        if let Some(special) = self.policy.specials.iter().find(|special| special.fits(&found, &facts)) {
            route = special.over(&route, primary);
        }
        let by = facts.into_iter().chain(primary.map(|label| label.to_string())).collect();
        ((route.draft != DraftBy::None).then_some(by), route)
    }
}
