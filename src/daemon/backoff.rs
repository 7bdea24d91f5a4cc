//! When to try again: pure arithmetic.

use std::time::Duration;

/// First pause after a failure.
const FIRST: Duration = Duration::from_secs(1);

/// Longest pause.
const LONGEST: Duration = Duration::from_mins(5);

/// Counts failures in a row and says how long to pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets failures after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure; the pause doubles from one second to five minutes. `spread` (any number,
    /// different for each caller) shortens it by up to a quarter, so that a hundred accounts do not
    /// come back in the same second.
    pub fn next(&mut self, spread: u64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let pause = FIRST.saturating_mul(1 << self.failures.saturating_sub(1).min(10)).min(LONGEST);
        let quarter = u64::try_from(pause.as_millis() / 4).unwrap_or(u64::MAX).max(1);
        pause.saturating_sub(Duration::from_millis(spread % quarter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_never_end() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..12).map(|_| backoff.next(0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next(0).as_secs(), 1);
    }

    #[test]
    fn spread_takes_off_at_most_a_quarter() {
        for spread in [0, 1, 999, u64::MAX] {
            let pause = Backoff::default().next(spread);
            assert!(pause > Duration::from_millis(749) && pause <= FIRST, "{pause:?}");
        }
    }
}
