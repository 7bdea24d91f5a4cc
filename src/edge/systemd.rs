//! What systemd wants to know (`sd_notify(3)`). Without systemd nothing is said.

use std::time::Duration;

use sd_notify::NotifyState;

/// Tick when no watchdog is asked for.
const QUIET_TICK: Duration = Duration::from_secs(30);

/// What opening a large ledger may take: a minute for a million customers, measured.
const PATIENCE: Duration = Duration::from_mins(30);

/// The service manager, if there is one.
#[derive(Debug)]
pub struct Systemd {
    watchdog: Option<Duration>,
}

impl Systemd {
    /// Reads what systemd asks for from the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled() }
    }

    /// Half of the watchdog's time, or a quiet tick.
    #[must_use]
    pub fn watchdog_interval(&self) -> Duration {
        self.watchdog.map_or(QUIET_TICK, |time| time / 2)
    }

    /// The ledger is being checked, which takes longer than the service manager waits when much is
    /// known.
    pub fn opening(&self) {
        let patience = u32::try_from(PATIENCE.as_micros()).unwrap_or(u32::MAX);
        notify(&[NotifyState::ExtendTimeoutUsec(patience), NotifyState::Status("checking the ledger")]);
    }

    /// Start is complete.
    pub fn ready(&self, status: &str) {
        notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The policy is being read again: until [`Systemd::ready`] is called. systemd wants to know
    /// when that began, on the clock that does not jump.
    pub fn reloading(&self) {
        let begun = NotifyState::monotonic_usec_now();
        match begun {
            Ok(begun) => notify(&[NotifyState::Reloading, begun]),
            Err(_) => notify(&[NotifyState::Reloading]),
        }
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        notify(&[NotifyState::Status(status)]);
    }

    /// Alive.
    pub fn feed_watchdog(&self) {
        if self.watchdog.is_some() {
            notify(&[NotifyState::Watchdog]);
        }
    }

    /// The stop has begun.
    pub fn stopping(&self) {
        notify(&[NotifyState::Stopping]);
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
