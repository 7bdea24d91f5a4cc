//! Care for the agents: how many hostile mails each queue and agent had this week, and who gets the
//! next one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::Queue;
use super::name::Name;
use crate::time::Timestamp;

/// Hostile mails of one week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Care {
    /// The week: Mondays since 1970.
    pub week: i64,
    /// By queue.
    pub queues: BTreeMap<Queue, u32>,
    /// By agent.
    pub agents: BTreeMap<Name, u32>,
}

impl Care {
    /// The counts of the week of `now`; empty when these are of another.
    #[must_use]
    pub fn of_week(self, now: Timestamp) -> Self {
        // 1 January 1970 was a Thursday
        let week = now.0.div_euclid(86_400).saturating_add(3).div_euclid(7);
        if self.week == week { self } else { Self { week, ..Self::default() } }
    }

    /// Counts a hostile mail.
    pub fn count(&mut self, queue: Option<Queue>, agent: Option<Name>) {
        if let Some(queue) = queue {
            *self.queues.entry(queue).or_default() += 1;
        }
        if let Some(agent) = agent {
            *self.agents.entry(agent).or_default() += 1;
        }
    }

    /// Who of `agents` gets a hostile mail instead of `first`, if `first` would then have more than
    /// `share` of all: the one who had the fewest.
    #[must_use]
    pub fn relief(&self, agents: &[Name], first: Name, share: f32) -> Option<Name> {
        let of = |agent: &Name| self.agents.get(agent).copied().unwrap_or(0);
        let all: u32 = agents.iter().map(of).sum();
        #[expect(clippy::cast_precision_loss, reason = "a share of some dozens")]
        let next = (of(&first) + 1) as f32 / (all + 1) as f32;
        // the very first mail of a week is all of them
        if all == 0 || next <= share {
            return None;
        }
        agents.iter().copied().min_by_key(of).filter(|agent| of(agent) < of(&first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_their_share_and_a_new_week_begins_at_nought() {
        let (anna, boris) = (Name::new("anna").unwrap(), Name::new("boris").unwrap());
        let monday = Timestamp(1_789_948_800);
        let mut care = Care::default().of_week(monday);
        assert_eq!(care.relief(&[anna, boris], anna, 0.6), None, "the first of the week");
        care.count(Some(Queue::Support), Some(anna));
        assert_eq!(care.relief(&[anna, boris], anna, 0.6), Some(boris));
        care.count(None, Some(boris));
        assert_eq!(care.relief(&[anna, boris], anna, 0.7), None);
        let sunday = Timestamp(monday.0 + 7 * 86_400 - 1);
        assert_eq!(care.clone().of_week(sunday).agents.len(), 2);
        assert!(care.of_week(Timestamp(sunday.0 + 1)).agents.is_empty());
    }
}
