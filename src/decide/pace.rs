//! Hard caps against loops: how many drafts and forwards one sender, one thread and the whole inbox
//! may cause within a window. Whatever the headers say, two machines that answer each other stop here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Decision;
use super::action::{Action, Keyword, Queue};
use super::policy::Policy;
use super::reason::{Reason, Word};
use crate::time::Timestamp;

/// Parts into which a window is divided: it slides by a twelfth.
const PARTS: i64 = 12;

/// The caps. 0 is no cap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Minutes in which mails count together.
    pub window_minutes: u32,
    /// Mails of one sender that are drafted for or forwarded.
    pub per_sender: u32,
    /// The same for one thread.
    pub per_thread: u32,
    /// The same for everybody together.
    pub in_all: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window_minutes: 60, per_sender: 50, per_thread: 50, in_all: 10_000 }
    }
}

impl Limits {
    /// The window.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_secs(u64::from(self.window_minutes.max(1)) * 60)
    }
}

/// How many mails there were of late: counts by the part of the window in which they fell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pace(Vec<(i64, u32)>);

impl Pace {
    /// Mails in the window that ends at `now`.
    #[must_use]
    pub fn recent(&self, window: Duration, now: Timestamp) -> u32 {
        let start = now.minus(window).0;
        let young = self.0.iter().filter(|(from, _)| *from > start.saturating_sub(part(window)));
        young.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Counts a mail at `now`, and forgets those before the window.
    pub fn add(&mut self, window: Duration, now: Timestamp) {
        let part = part(window);
        let start = now.minus(window).0.saturating_sub(part);
        let current = now.0.saturating_sub(now.0.rem_euclid(part));
        self.0.retain(|(from, _)| *from > start);
        match self.0.iter_mut().find(|(from, _)| *from == current) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.0.push((current, 1)),
        }
    }

    /// Whether nothing was counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn part(window: Duration) -> i64 {
    (i64::try_from(window.as_secs()).unwrap_or(i64::MAX) / PARTS).max(1)
}

/// What the caps are held against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paces {
    /// Of the sender.
    #[serde(skip_serializing_if = "Pace::is_empty")]
    pub sender: Pace,
    /// Of the thread.
    #[serde(skip_serializing_if = "Pace::is_empty")]
    pub thread: Pace,
    /// Of everybody.
    #[serde(skip_serializing_if = "Pace::is_empty")]
    pub all: Pace,
    /// Mails that were held at a cap.
    #[serde(skip_serializing_if = "Pace::is_empty")]
    pub held: Pace,
}

/// Holds a decision against the caps: at one of them nothing is drafted or forwarded, and the mail is
/// filed for a person.
#[must_use]
pub fn hold(mut decision: Decision, policy: &Policy, now: Timestamp) -> Decision {
    let is_answer = |action: &Action| !matches!(action, Action::Tag(_) | Action::File(_));
    if !decision.actions.iter().any(is_answer) {
        return decision;
    }
    let limits = &policy.limits;
    let window = limits.window();
    let paces = &mut decision.case.paces;
    let caps = [
        ("sender", &paces.sender, limits.per_sender),
        ("thread", &paces.thread, limits.per_thread),
        ("in all", &paces.all, limits.in_all),
    ];
    let reached = caps.iter().find(|(_, pace, cap)| *cap > 0 && pace.recent(window, now) >= *cap);
    let Some((what, _, cap)) = reached else {
        for pace in [&mut paces.sender, &mut paces.thread, &mut paces.all] {
            pace.add(window, now);
        }
        return decision;
    };
    let detail = format!("{what}: {cap} in {} minutes", limits.window_minutes);
    paces.held.add(window, now);
    decision.reasons.push(Reason::new(Word::LoopCap, detail));
    let mut keywords = std::collections::BTreeSet::from([Keyword::Review]);
    for action in &decision.actions {
        if let Action::Tag(set) = action {
            keywords.extend(set.iter().copied());
        }
    }
    decision.actions = vec![Action::Tag(keywords), Action::File(Queue::Review)];
    decision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let hour = Duration::from_hours(1);
        let mut pace = Pace::default();
        for minute in 0..60 {
            pace.add(hour, Timestamp(minute * 60));
        }
        assert_eq!(pace.recent(hour, Timestamp(3_599)), 60);
        let later = pace.recent(hour, Timestamp(3_600 + 1_800));
        assert!((29..=36).contains(&later), "{later}");
        assert_eq!(pace.recent(hour, Timestamp(3 * 3_600)), 0);
        pace.add(hour, Timestamp(3 * 3_600));
        assert_eq!(pace.0.len(), 1, "what is over is forgotten");
    }
}
