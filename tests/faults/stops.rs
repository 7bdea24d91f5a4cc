//! SIGTERM, at whatever moment it comes.

use std::time::{Duration, Instant};

use super::{Rig, complaint, threat};

/// What systemd waits for (`TimeoutStopSec`) is longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn told_to_stop_at_any_moment_it_ends_in_time_and_the_end_is_the_same() {
    let Some(rig) = Rig::start("stops", &[]) else { return };
    let mut threats = Vec::new();
    let mut complaints = Vec::new();
    for n in 0..12_u64 {
        let daemon = rig.daemon();
        threats.push(rig.deliver(&threat(&format!("stop-threat-{n}"))));
        complaints.push(rig.deliver(&complaint(&format!("stop-complaint-{n}"))));
        // from "just noticed" to "all done"
        std::thread::sleep(Duration::from_millis(n * 40));
        let begun = Instant::now();
        // its exit status is 0
        daemon.stop();
        assert!(begun.elapsed() < PATIENCE, "{n}: {:?}", begun.elapsed());
    }
    let daemon = rig.daemon();
    for (ids, folder) in [(&threats, "Queue/Legal"), (&complaints, "Queue/Support")] {
        for id in ids {
            super::until_filed(&rig, &daemon, "stops", folder, id);
        }
    }
    daemon.stop();
    for id in &threats {
        rig.assert_exactly_once("stops", id, "Queue/Legal", "ek-threat", 1);
    }
    for id in &complaints {
        rig.assert_exactly_once("stops", id, "Queue/Support", "ek-complaint", 0);
    }
    rig.servers.assert_log_is_clean();
}
