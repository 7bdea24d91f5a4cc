//! Points in time, as plain numbers. This module reads no clock: `edge::clock` does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant moved forward by `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(by.as_secs()))
    }

    /// This instant moved back by `by`.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(by.as_secs()))
    }

    /// The time from `earlier` to this instant; zero when `earlier` is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_a_later_instant_is_zero_and_never_wraps() {
        let noon = Timestamp(1_000);
        assert_eq!(noon.since(noon.plus(Duration::from_secs(5))), Duration::ZERO);
        assert_eq!(noon.plus(Duration::from_secs(5)).since(noon), Duration::from_secs(5));
        assert_eq!(Timestamp(i64::MAX).plus(Duration::from_secs(9)), Timestamp(i64::MAX));
    }
}
