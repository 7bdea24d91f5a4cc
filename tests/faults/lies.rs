//! A server that contradicts itself: what it says is not acted on.

use std::time::Duration;

use evenkeel::config::Mode;

use super::proxy::Side;
use super::{Rig, threat, until_filed};
use crate::world::{Life, World};

/// Name, what is said, what is said instead.
const LIES: [(&str, &str, &str); 7] = [
    ("search-names-uids-that-are-not-there", r"^\* SEARCH( \d+)+", "$0 7777 8888"),
    ("search-names-uids-that-cannot-be", r"^\* SEARCH( \d+)+", "$0 0 4294967295"),
    (
        "rows-of-other-mails",
        r"^(\* \d+ FETCH \()UID (\d+) (RFC822\.SIZE.*)",
        "* 900 FETCH (UID 900 RFC822.SIZE 5)\r\n${1}UID $2 $3",
    ),
    ("rows-twice", r"^(\* \d+ FETCH \(UID \d+ RFC822\.SIZE.*\)\r\n)", "$1$1"),
    ("a-copy-of-another-uid", r"COPYUID (\d+) \d+ (\d+)", "COPYUID $1 777 $2"),
    ("an-answer-nobody-asked-for", r"^(\* SEARCH.*\r\n)", "zz99 OK done\r\n$1"),
    ("a-line-of-nonsense", r"^(\* SEARCH.*\r\n)", "* NONSENSE {} )(\r\n$1"),
];

#[test]
fn whatever_a_server_lies_about_no_mail_is_lost_or_handled_twice() {
    let Some(rig) = Rig::start("lies", &[]) else { return };
    for (case, pattern, with) in LIES {
        let daemon = rig.daemon();
        rig.imap.rewrite(Side::Server, pattern, with);
        let id = rig.deliver(&threat(case));
        std::thread::sleep(Duration::from_secs(4));
        // it may have done everything, or nothing; it lives, and goes on when it hears the truth
        rig.imap.honest();
        until_filed(&rig, &daemon, case, "Queue/Legal", &id);
        daemon.stop();
        rig.assert_exactly_once(case, &id, "Queue/Legal", "ek-threat", 1);
    }
    rig.servers.assert_log_is_clean();
}

#[tokio::test]
async fn uidnext_that_goes_back_means_a_restore_and_mails_are_told_by_content() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mail = |name: &str| String::from_utf8(threat(name)).unwrap().replace("\r\n", "\n");
    let life =
        Life::begin_with(&world, dir.path(), Mode::Act, "[routes]\nthreat = { forward = [\"legal\"] }\n")
            .await;
    for name in ["old-1", "old-2", "old-3"] {
        world.deliver(&mail(name));
    }
    assert_eq!(life.session().await.unwrap(), 3);
    // a backup of an hour ago: the last two were not in it, and a uid of theirs goes to another mail
    world.restore(1);
    let again = world.deliver(&mail("new"));
    assert_eq!(again, 2, "the uid of another mail");
    assert_eq!(life.session().await.unwrap(), 2);
    let sent = world.sent();
    assert_eq!(sent.len(), 4, "the new one was sent, the old one not again");
    assert!(sent[3].1.contains("<new@example.org>"));
    assert_eq!(life.session().await.unwrap(), 0);
}
