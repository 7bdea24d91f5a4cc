//! People who move, delete, edit and flag while we work: they win.

use std::time::Duration;

use super::{Rig, complaint, threat, until};
use crate::e2e::servers::Daemon;

/// Where the daemon is when a person comes in between.
const STEPS: [&str; 7] = ["fetch", "classify", "intent", "draft", "inflight", "tag", "done"];

#[test]
fn a_mail_that_a_person_moves_at_any_step_stays_where_the_person_put_it() {
    let Some(rig) = Rig::start("people-move", &[]) else { return };
    let config = rig.config(&rig.wish());
    rig.support().create("Mine");
    for step in STEPS {
        let daemon = Daemon::start(&rig.servers, &config, Some(&format!("{step}:1")));
        let id = rig.deliver(&threat(&format!("moved-{step}")));
        daemon.wait_for_death();
        let mut support = rig.support();
        let filed = !support.find("Queue/Legal", &id).is_empty();
        if !filed {
            support.take("INBOX", &id, "Mine");
        }
        drop(support);
        let daemon = rig.daemon();
        // whatever is still done about it is done by now
        let last = rig.deliver(&complaint(&format!("after-{step}")));
        super::until_filed(&rig, &daemon, step, "Queue/Support", &last);
        daemon.stop();
        let everything = rig.support().everything();
        let places: Vec<&String> = everything.iter().filter(|line| line.contains(&id)).collect();
        assert_eq!(places.len(), 1, "{step}: {places:?}");
        let folder = if filed { "Queue/Legal " } else { "Mine " };
        assert!(places[0].starts_with(folder), "{step}: {places:?}");
        let drafts = rig.support().search("Drafts", &format!("HEADER In-Reply-To \"{id}\""));
        assert!(drafts.len() <= 1 && rig.forwards(&id) <= 1, "{step}");
    }
    rig.servers.assert_log_is_clean();
}

#[test]
fn a_mail_that_a_person_deletes_is_not_brought_back() {
    let Some(rig) = Rig::start("people-delete", &[]) else { return };
    let config = rig.config(&rig.wish());
    for step in ["intent", "tag"] {
        let daemon = Daemon::start(&rig.servers, &config, Some(&format!("{step}:1")));
        let id = rig.deliver(&complaint(&format!("deleted-{step}")));
        daemon.wait_for_death();
        rig.support().delete("INBOX", &id);
        let daemon = rig.daemon();
        let last = rig.deliver(&complaint(&format!("next-{step}")));
        super::until_filed(&rig, &daemon, step, "Queue/Support", &last);
        daemon.stop();
        assert!(!rig.support().everything().iter().any(|line| line.contains(&id)), "{step}");
        assert!(rig.explain(&id).contains("a person was faster"), "{step}: {}", rig.explain(&id));
    }
}

#[test]
fn a_flag_that_a_person_sets_meanwhile_stays_and_the_mail_is_handled() {
    let Some(rig) = Rig::start("people-flag", &[]) else { return };
    let config = rig.config(&rig.wish());
    let daemon = Daemon::start(&rig.servers, &config, Some("intent:1"));
    let id = rig.deliver(&complaint("flagged"));
    daemon.wait_for_death();
    rig.support().flag("INBOX", &id, r"+FLAGS (\Flagged)");
    let daemon = rig.daemon();
    super::until_filed(&rig, &daemon, "flagged", "Queue/Support", &id);
    daemon.stop();
    rig.assert_exactly_once("flagged", &id, "Queue/Support", "ek-complaint", 0);
    assert!(rig.support().find("Queue/Support", &id)[0].flags.iter().any(|flag| flag == "\\Flagged"));
}

#[test]
fn a_draft_that_a_person_has_sent_is_not_written_a_second_time() {
    let Some(rig) = Rig::start("people-draft", &[]) else { return };
    let config = rig.config(&rig.wish());
    // the draft is saved, its record is not yet done
    let daemon = Daemon::start(&rig.servers, &config, Some("tag:1"));
    let id = rig.deliver(&complaint("sent"));
    daemon.wait_for_death();
    let mut support = rig.support();
    assert_eq!(support.count("Drafts"), 1);
    let daemon = rig.daemon();
    super::until_filed(&rig, &daemon, "sent", "Queue/Support", &id);
    assert_eq!(support.count("Drafts"), 1);
    let drafts = support.search("Drafts", "ALL");
    support.order("SELECT Drafts");
    support.order(&format!("UID STORE {} +FLAGS (\\Deleted)", drafts[0]));
    support.order("EXPUNGE");
    support.order("CLOSE");
    daemon.stop();
    let daemon = rig.daemon();
    std::thread::sleep(Duration::from_millis(800));
    daemon.stop();
    assert_eq!(support.count("Drafts"), 0, "a done draft is nobody's business any more");
}

#[test]
fn the_same_mail_twice_is_answered_once_and_another_one_with_its_message_id_is_answered_too() {
    let Some(rig) = Rig::start("twice", &[]) else { return };
    let mut support = rig.support();
    let daemon = rig.daemon();
    let mail = complaint("twice");
    // byte for byte, as an importer or a resend by IMAP does it
    support.append("INBOX", &mail);
    support.append("INBOX", &mail);
    let other = String::from_utf8(mail.clone()).unwrap().replace("55120", "66231");
    support.append("INBOX", other.as_bytes());
    until("two are handled", Duration::from_secs(20), || daemon.log().matches("mail handled").count() == 2);
    until("the twin is met", Duration::from_secs(20), || daemon.log().contains("nothing is done twice"));
    daemon.stop();
    let id = "<twice@example.org>";
    assert_eq!(support.find("Queue/Support", id).len() + support.find("INBOX", id).len(), 3, "none is lost");
    assert_eq!(
        support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len(),
        2,
        "one for each content"
    );
}
