//! Two daemons on one mailbox.

use std::time::{Duration, Instant};

use super::{Rig, threat};
use crate::e2e::servers::Daemon;

fn two_daemons(rig: &Rig) -> [Daemon; 2] {
    ["one", "two"].map(|state| {
        let mut wish = rig.wish();
        wish.state = state;
        Daemon::start(&rig.servers, &rig.config(&wish), None)
    })
}

/// Each mail is handled by one of the two and by that one only; what both have written.
fn shared_out(case: &str, rig: &Rig, count: usize) -> String {
    let daemons = two_daemons(rig);
    let ids: Vec<String> = (0..count).map(|n| rig.deliver(&threat(&format!("{case}-{n}")))).collect();
    let logs = || daemons[0].log() + "\n\n" + &daemons[1].log();
    let begun = Instant::now();
    while logs().matches("mail handled").count() < count {
        assert!(begun.elapsed() < Duration::from_mins(1), "{:#?}\n{}", rig.support().everything(), logs());
        std::thread::sleep(Duration::from_millis(50));
    }
    let logs = daemons.map(Daemon::stop).join("\n\n");
    assert_eq!(logs.matches("mail handled").count(), count, "{logs}");
    for id in &ids {
        rig.assert_exactly_once(case, id, "Queue/Legal", "ek-threat", 1);
    }
    logs
}

#[test]
fn two_daemons_share_a_mailbox_where_the_server_decides_who_was_first() {
    let Some(rig) = Rig::start("claims", &[]) else { return };
    let logs = shared_out("claim", &rig, 20);
    assert!(logs.contains("another evenkeel has claimed"), "the one that comes second says so: {logs}");
    assert!(!logs.contains("not connected"), "to come second is no reason to break the line off: {logs}");
}

#[test]
fn two_daemons_share_a_mailbox_where_the_server_compares_nothing() {
    let Some(rig) = Rig::start("claims-old", &["imap_capability = IMAP4rev1 UIDPLUS MOVE IDLE"]) else {
        return;
    };
    shared_out("old-claim", &rig, 20);
}

#[test]
fn a_claim_of_our_own_is_taken_up_again_after_a_kill() {
    let Some(rig) = Rig::start("claims-own", &[]) else { return };
    let config = rig.config(&rig.wish());
    let daemon = Daemon::start(&rig.servers, &config, Some("claim:1"));
    let id = rig.deliver(&threat("claim-own"));
    daemon.wait_for_death();
    assert!(rig.support().find("INBOX", &id)[0].flags.iter().any(|flag| flag.starts_with("ek-by-")));
    let daemon = rig.daemon();
    super::until_filed(&rig, &daemon, "claim-own", "Queue/Legal", &id);
    daemon.stop();
    rig.assert_exactly_once("claim-own", &id, "Queue/Legal", "ek-threat", 1);
}
