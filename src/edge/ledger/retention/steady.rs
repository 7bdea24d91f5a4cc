//! Whether the wall clock can be trusted with deleting: a clock that jumps a year must not take a year
//! of records with it. Pure arithmetic.

use std::time::Duration;

use crate::time::Timestamp;

/// A step of the clock that is no jump: corrections, daylight saving done wrong, slow rounds.
const TOLERANCE: Duration = Duration::from_hours(1);

/// A pause between two runs after which the clock is doubted.
const LONGEST_PAUSE: Duration = Duration::from_hours(30 * 24);

/// So long a jumped clock must go on evenly before it is believed: time for a person to notice.
pub const REST: Duration = Duration::from_hours(24);

/// Compares the wall clock with one that cannot jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steady {
    /// Both clocks at the last look.
    last: Option<(Timestamp, Duration)>,
    /// The clock is not believed before this.
    until: Option<Duration>,
}

/// What a look at the clocks says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// They agree.
    Steady,
    /// The wall clock has jumped just now.
    Jumped,
    /// It has jumped not long ago.
    Resting,
}

impl Steady {
    /// Looks at both clocks: `wall`, and `running`, the time since some moment on a clock that does
    /// not jump. `before` is what the wall clock showed when an earlier run looked last. After a jump
    /// it is not believed for `rest`; with none, it always is.
    pub fn look(
        &mut self,
        wall: Timestamp,
        running: Duration,
        before: Option<Timestamp>,
        rest: Duration,
    ) -> Trust {
        let jumped = match self.last {
            Some((was, at)) => {
                let passed = i64::try_from(running.saturating_sub(at).as_secs()).unwrap_or(i64::MAX);
                wall.0.abs_diff(was.0.saturating_add(passed)) > TOLERANCE.as_secs()
            }
            None => before
                .is_some_and(|before| wall.since(before) > LONGEST_PAUSE || before.since(wall) > TOLERANCE),
        };
        self.last = Some((wall, running));
        if jumped && !rest.is_zero() {
            self.until = Some(running.saturating_add(rest));
            return Trust::Jumped;
        }
        if self.until.is_some_and(|until| running < until) {
            return Trust::Resting;
        }
        self.until = None;
        Trust::Steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn at(hours: i64) -> (Timestamp, Duration) {
        (Timestamp(1_790_000_000 + hours * HOUR), Duration::from_hours(u64::try_from(hours).unwrap()))
    }

    #[test]
    fn a_clock_that_goes_evenly_is_believed_also_over_daylight_saving_and_a_weekend_off() {
        let mut steady = Steady::default();
        let (wall, running) = at(0);
        assert_eq!(
            steady.look(wall, running, Some(wall.minus(Duration::from_hours(70))), REST),
            Trust::Steady
        );
        for hours in 1..200 {
            let (wall, running) = at(hours);
            let step = if hours == 100 { 1_800 } else { 0 };
            assert_eq!(steady.look(Timestamp(wall.0 + step), running, None, REST), Trust::Steady, "{hours}");
        }
    }

    #[test]
    fn after_a_jump_forward_or_back_nothing_is_believed_for_a_day() {
        for jump in [365 * 24 * HOUR, -24 * HOUR] {
            let mut steady = Steady::default();
            let mut look = |hours, jump| {
                let (wall, running) = at(hours);
                steady.look(Timestamp(wall.0 + jump), running, None, REST)
            };
            assert_eq!(look(0, 0), Trust::Steady);
            assert_eq!(look(1, jump), Trust::Jumped);
            assert_eq!(look(2, jump), Trust::Resting);
            assert_eq!(look(24, jump), Trust::Resting);
            assert_eq!(look(25, jump), Trust::Steady);
            assert_eq!(look(26, 0), Trust::Jumped, "back again is a jump as well");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_from_the_start_is_doubted() {
        let (wall, running) = at(0);
        for before in [wall.0 - 400 * 24 * HOUR, wall.0 + 2 * HOUR] {
            assert_eq!(Steady::default().look(wall, running, Some(Timestamp(before)), REST), Trust::Jumped);
        }
        assert_eq!(Steady::default().look(wall, running, None, REST), Trust::Steady, "the very first start");
    }
}
