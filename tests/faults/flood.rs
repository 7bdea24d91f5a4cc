//! Many mails at once.

use super::{Rig, complaint, threat, until_filed};
use crate::e2e::servers::Daemon;

#[test]
fn in_a_flood_a_threat_does_not_wait_for_the_drafts_of_what_came_before_it() {
    let Some(rig) = Rig::start("flood", &[]) else { return };
    // what comes before the first start is nobody's business
    rig.daemon().stop();
    let config = rig.config(&rig.wish());
    // on a busy machine Postfix may take its time: a forward that is put off proves nothing
    let patient = std::fs::read_to_string(&config).unwrap().replace("timeout-secs = 5", "timeout-secs = 60");
    std::fs::write(&config, patient).unwrap();
    let calm: Vec<String> = (0..8).map(|n| rig.deliver(&complaint(&format!("flood-{n}")))).collect();
    let id = rig.deliver(&threat("flood-last"));
    Daemon::start(&rig.servers, &config, Some("draft:2")).wait_for_death();
    assert_eq!(rig.forwards(&id), 1, "it came last and is with legal before the second draft is saved");
    let daemon = rig.daemon();
    for one in &calm {
        until_filed(&rig, &daemon, "flood", "Queue/Support", one);
    }
    until_filed(&rig, &daemon, "flood", "Queue/Legal", &id);
    daemon.stop();
    rig.assert_exactly_once("flood", &id, "Queue/Legal", "ek-threat", 1);
    for one in &calm {
        rig.assert_exactly_once("flood", one, "Queue/Support", "ek-complaint", 0);
    }
}
