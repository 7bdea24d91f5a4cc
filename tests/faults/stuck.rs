//! A store that hangs: the file system of the state is frozen under the running daemon.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Rig, complaint, until_filed};
use crate::e2e::servers::Daemon;
use crate::ledger::power::{Disk, works};

/// `WATCHDOG_USEC`: a short one, so that the test sees soon that it is no longer fed.
const WATCHDOG: Duration = Duration::from_secs(4);

/// A frozen file system; thawed when dropped.
struct Frozen(PathBuf);

impl Frozen {
    fn new(at: PathBuf) -> Self {
        assert!(works(Command::new("fsfreeze").arg("-f").arg(&at)));
        Self(at)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        works(Command::new("fsfreeze").arg("-u").arg(&self.0));
    }
}

/// What the daemon tells systemd within `time`, until `enough`.
fn told(systemd: &UnixDatagram, time: Duration, enough: impl Fn(&str) -> bool) -> bool {
    let (begun, mut buffer) = (Instant::now(), [0; 4096]);
    while let Some(left) = time.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
        systemd.set_read_timeout(Some(left)).unwrap();
        let Ok(length) = systemd.recv(&mut buffer) else { return false };
        if enough(&String::from_utf8_lossy(&buffer[..length])) {
            return true;
        }
    }
    false
}

#[test]
fn a_store_that_hangs_starves_the_watchdog_and_after_the_restart_nothing_is_lost() {
    let Some(rig) = Rig::start("stuck", &[]) else { return };
    let Some(disk) = Disk::make("a store that hangs") else { return };
    std::os::unix::fs::symlink(disk.mounted(), rig.servers.dir.join("hung")).unwrap();
    let mut wish = rig.wish();
    wish.state = "hung/state";
    let config = rig.config(&wish);
    let notify = rig.servers.dir.join("notify");
    let systemd = UnixDatagram::bind(&notify).unwrap();
    let (notify, watchdog) =
        (format!("NOTIFY_SOCKET={}", notify.display()), format!("WATCHDOG_USEC={}", WATCHDOG.as_micros()));
    let daemon = Daemon::launch_by(&["env", &notify, &watchdog], &rig.servers, &config);
    let is_fed = |text: &str| text.contains("WATCHDOG=1");
    assert!(told(&systemd, Duration::from_secs(30), |text| text.contains("READY=1")), "{}", daemon.log());
    daemon.wait_for_line("watching");
    assert!(told(&systemd, WATCHDOG, is_fed), "{}", daemon.log());

    let frozen = Frozen::new(disk.mounted());
    let id = rig.deliver(&complaint("stuck"));
    let says_so = |text: &str| text.contains("ledger shows no sign of life");
    assert!(told(&systemd, Duration::from_mins(2), says_so), "the ledger hangs and nobody says so");
    assert!(!told(&systemd, WATCHDOG * 2, is_fed), "the watchdog is fed all the same");

    // what systemd does then
    daemon.signal("-ABRT");
    drop(frozen);
    daemon.wait_for_death();
    let daemon = Daemon::launch_by(&["env"], &rig.servers, &config);
    until_filed(&rig, &daemon, "stuck", "Queue/Support", &id);
    daemon.stop();
    rig.assert_exactly_once("stuck", &id, "Queue/Support", "ek-complaint", 0);
    rig.servers.assert_log_is_clean();
}
