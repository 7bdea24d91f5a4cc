//! Two daemons on one mailbox.

use std::time::Duration;

use super::{Rig, threat, until};
use crate::e2e::servers::Daemon;

fn two_daemons(rig: &Rig) -> [Daemon; 2] {
    ["one", "two"].map(|state| {
        let mut wish = rig.wish();
        wish.state = state;
        Daemon::start(&rig.servers, &rig.config(&wish), None)
    })
}

#[test]
fn two_daemons_share_a_mailbox_where_the_server_decides_who_was_first() {
    let Some(rig) = Rig::start("claims", &[]) else { return };
    let [one, two] = two_daemons(&rig);
    let ids: Vec<String> = (0..20).map(|n| rig.deliver(&threat(&format!("claim-{n}")))).collect();
    let mut support = rig.support();
    support.until("all are filed", |imap| imap.count("Queue/Legal") == ids.len());
    until("nothing is under way", Duration::from_secs(20), || {
        one.log().matches("mail handled").count() + two.log().matches("mail handled").count() == ids.len()
    });
    let told = [&one, &two].iter().filter(|d| d.log().contains("another evenkeel has claimed")).count();
    let lost = [&one, &two].iter().filter(|d| d.log().contains("not connected")).count();
    one.stop();
    two.stop();
    for id in &ids {
        rig.assert_exactly_once("claims", id, "Queue/Legal", "ek-threat", 1);
    }
    assert!(told >= 1, "the one that comes second says so");
    assert_eq!(lost, 0, "to come second is no reason to break the line off");
}

#[test]
fn two_daemons_where_nobody_can_decide_never_handle_the_same_mail() {
    let Some(rig) = Rig::start("claims-old", &["imap_capability = IMAP4rev1 UIDPLUS MOVE IDLE"]) else {
        return;
    };
    let [one, two] = two_daemons(&rig);
    let ids: Vec<String> = (0..12).map(|n| rig.deliver(&threat(&format!("old-claim-{n}")))).collect();
    let mut support = rig.support();
    // both may have stepped back from a mail: it stays for a person
    support.until("each is filed, or claimed by both", |imap| {
        let there = imap.count("INBOX") + imap.count("Queue/Legal") == ids.len();
        there
            && imap
                .all("INBOX")
                .iter()
                .all(|m| m.flags.iter().filter(|f| f.starts_with("ek-by-")).count() == 2)
    });
    std::thread::sleep(Duration::from_secs(1));
    let says = one.log() + &two.log();
    one.stop();
    two.stop();
    let everything = support.everything();
    for id in &ids {
        assert_eq!(everything.iter().filter(|line| line.contains(id)).count(), 1, "{id}");
        assert!(support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len() <= 1, "{id}");
        assert!(rig.forwards(id) <= 1, "{id}");
    }
    assert!(says.contains("stop one of the two"), "{says}");
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
