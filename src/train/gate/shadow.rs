//! What a candidate would do otherwise with the newest mails.

use serde::{Deserialize, Serialize};

use super::{Match, decide};
use crate::classify::Label;
use crate::classify::layer::Layer;
use crate::decide::Desk;

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
            let route = |layer: Option<&Layer>| {
                let decided = decide(self.classifier, layer, reading).1;
                let primary =
                    Label::ALL.into_iter().zip(&decided).find(|(_, is)| **is).map(|(label, _)| label);
                (primary, self.policy.routes.of(primary))
            };
            let (was, before) = route(self.before);
            let (is, after) = route(Some(&self.candidate.layer));
            let more = |a: &[Desk], b: &[Desk]| a.iter().filter(|desk| !b.contains(desk)).count();
            shadow.more_forwards += more(&after.forward, &before.forward);
            shadow.fewer_forwards += more(&before.forward, &after.forward);
            shadow.other_queue += usize::from(before.queue != after.queue);
            shadow.other_draft += usize::from(was != is);
        }
        shadow
    }
}
