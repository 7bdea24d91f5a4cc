//! Logins that are refused, and servers that have no room.

use std::time::Duration;

use super::proxy::{Do, Side};
use super::{Rig, complaint, until};
use crate::e2e::servers::{Daemon, protect};

#[test]
fn a_wrong_password_is_tried_three_times_for_all_folders_together_and_said_once() {
    let Some(rig) = Rig::start("login", &[]) else { return };
    let mut support = rig.support();
    for folder in ["Web", "Shop"] {
        support.create(folder);
    }
    let wrong = rig.servers.dir.join("wrong");
    std::fs::write(&wrong, "not-the-password\n").unwrap();
    protect(&wrong);
    let mut wish = rig.wish();
    wish.account = "folders = [\"INBOX\", \"Web\", \"Shop\"]";
    wish.password = Some(wrong);
    rig.imap.times(1_000, Side::Client, "LOGIN", Do::Count);
    let daemon = Daemon::launch(&rig.servers, &rig.config(&wish), None);
    until("it waits", Duration::from_secs(20), || rig.imap.fired() >= 3);
    std::thread::sleep(Duration::from_secs(6));
    // three tasks may be in the middle of a login when the third refusal comes
    assert!((3..=5).contains(&rig.imap.fired()), "{} attempts", rig.imap.fired());
    let log = daemon.log();
    assert_eq!(log.matches("not connected").count(), 3, "one line for each folder: {log}");
    assert!(log.contains("check `user` and the password file") && !log.contains("not-the-password"), "{log}");
    drop(daemon);
}

#[test]
fn a_server_that_has_no_connection_left_is_asked_again_and_not_taken_for_a_refused_password() {
    let Some(rig) = Rig::start("limit", &["mail_max_userip_connections = 1"]) else { return };
    let other = rig.support();
    rig.imap.times(1_000, Side::Client, "LOGIN", Do::Count);
    let daemon = Daemon::launch(&rig.servers, &rig.config(&rig.wish()), None);
    until("it is asked more than three times", Duration::from_secs(40), || rig.imap.fired() > 3);
    assert!(daemon.log().contains("Maximum number of connections"), "{}", daemon.log());
    drop(other);
    daemon.wait_for_line("watching");
    let log = daemon.log();
    assert_eq!(log.matches("not connected").count(), 1, "{log}");
    daemon.stop();
    let daemon = rig.daemon();
    let id = rig.deliver(&complaint("after-limit"));
    daemon.wait_for_line("mail handled");
    daemon.stop();
    rig.assert_exactly_once("after-limit", &id, "Queue/Support", "ek-complaint", 0);
}
