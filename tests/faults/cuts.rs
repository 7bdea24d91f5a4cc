//! The line is cut, at every step of the protocol, and comes back.

use std::time::{Duration, Instant};

use super::proxy::{Do, Side};
use super::{Rig, threat, until, until_filed};

/// Name, who speaks, the line, what happens.
const IMAP_CUTS: [(&str, Side, &str, Do); 20] = [
    ("greeting", Side::Server, r"^\* OK", Do::CutBehind(5)),
    ("login", Side::Client, "LOGIN", Do::CutAfter),
    ("list", Side::Server, r"^\* LIST", Do::Cut),
    ("select", Side::Client, "SELECT", Do::CutAfter),
    ("search", Side::Server, r"^\* SEARCH \d", Do::Cut),
    ("listing", Side::Server, r"RFC822\.SIZE", Do::CutBehind(4)),
    ("claim", Side::Client, "UID STORE .*ek-by-", Do::CutAfter),
    ("fetch-sent", Side::Client, r"UID FETCH .*BODY\.PEEK\[\]", Do::Cut),
    ("fetch-literal", Side::Server, r"BODY\[\]<0> \{", Do::CutBehind(300)),
    ("append-sent", Side::Client, "APPEND", Do::Cut),
    ("append-literal", Side::Client, "APPEND", Do::CutBehind(200)),
    ("append-literal-end", Side::Client, "^X-Evenkeel-Labels", Do::CutBehind(40)),
    ("append-unanswered", Side::Server, "APPENDUID", Do::Cut),
    ("store-sent", Side::Client, "UID STORE .*ek-threat", Do::Cut),
    ("store-unanswered", Side::Client, "UID STORE .*ek-threat", Do::CutAfter),
    ("store-look", Side::Server, r"^\* .*FETCH .*ek-threat", Do::Cut),
    ("move-sent", Side::Client, "UID MOVE", Do::Cut),
    ("move-unanswered", Side::Client, "UID MOVE", Do::CutAfter),
    ("move-half-told", Side::Server, "COPYUID", Do::CutBehind(3)),
    ("bye", Side::Client, "UID MOVE", Do::Reset),
];

#[test]
fn cut_at_every_step_of_imap_the_end_is_the_same() {
    let Some(rig) = Rig::start("cuts-imap", &[]) else { return };
    for (case, side, pattern, action) in IMAP_CUTS {
        let daemon = rig.daemon();
        let before = rig.imap.fired();
        rig.imap.once(side, pattern, action);
        if matches!(case, "greeting" | "login" | "list" | "select") {
            rig.imap.cut_all();
        }
        let id = rig.deliver(&threat(case));
        until_filed(&rig, &daemon, case, "Queue/Legal", &id);
        daemon.stop();
        assert_eq!(rig.imap.fired(), before + 1, "{case}: the cut was never reached");
        rig.assert_exactly_once(case, &id, "Queue/Legal", "ek-threat", 1);
    }
    rig.servers.assert_log_is_clean();
}

/// The last value: how many forwards there may be.
const SMTP_CUTS: [(&str, Side, &str, Do, usize); 8] = [
    ("banner", Side::Server, "^220", Do::Cut, 1),
    ("ehlo", Side::Client, "^EHLO", Do::CutAfter, 1),
    ("mail", Side::Client, "^MAIL", Do::CutAfter, 1),
    ("rcpt", Side::Client, "^RCPT", Do::Cut, 1),
    ("data", Side::Client, "^DATA", Do::Cut, 1),
    ("body", Side::Server, "^354", Do::Cut, 1),
    ("before-the-dot", Side::Client, "^X-Evenkeel", Do::CutBehind(100), 1),
    // the window that SMTP leaves: taken, and nobody was told
    ("after-the-dot", Side::Client, r"^\.\r\n", Do::CutAfter, 2),
];

#[test]
fn cut_at_every_step_of_smtp_a_forward_arrives_once_and_twice_only_in_the_declared_window() {
    let Some(rig) = Rig::start("cuts-smtp", &[]) else { return };
    for (case, side, pattern, action, forwards) in SMTP_CUTS {
        let daemon = rig.daemon();
        rig.smtp.once(side, pattern, action);
        let id = rig.deliver(&threat(case));
        until_filed(&rig, &daemon, case, "Queue/Legal", &id);
        daemon.stop();
        until(case, Duration::from_secs(10), || rig.forwards(&id) >= forwards);
        rig.assert_exactly_once(case, &id, "Queue/Legal", "ek-threat", forwards);
        if forwards == 2 {
            let copies: std::collections::BTreeSet<String> = rig
                .legal()
                .all("INBOX")
                .iter()
                .filter(|mail| String::from_utf8_lossy(&mail.bytes).contains(&id))
                .map(|mail| crate::e2e::id_of(&mail.bytes))
                .collect();
            assert_eq!(copies.len(), 1, "the second is recognisable by its Message-ID");
            assert!(daemon_log_counts_it(&rig), "what is in doubt is said");
        }
    }
    rig.servers.assert_log_is_clean();
}

#[test]
fn whoever_wants_no_forward_twice_has_the_doubtful_one_held_for_a_person() {
    let Some(rig) = Rig::start("cuts-hold", &[]) else { return };
    let mut wish = rig.wish();
    wish.top = "forward-in-doubt = \"hold\"";
    let config = rig.config(&wish);
    let daemon = crate::e2e::servers::Daemon::start(&rig.servers, &config, None);
    rig.smtp.once(Side::Client, r"^\.\r\n", Do::CutAfter);
    let id = rig.deliver(&threat("hold"));
    daemon.wait_for_line("it may have been sent before");
    let mut support = rig.support();
    support.until("it is marked for a person where it arrived", |imap| {
        imap.find("INBOX", &id).first().is_some_and(|mail| mail.flags.iter().any(|flag| flag == "ek-review"))
    });
    daemon.stop();
    assert_eq!(rig.forwards(&id), 1, "the first was taken");
    assert!(rig.explain(&id).contains("ask legal"), "{}", rig.explain(&id));
}

fn daemon_log_counts_it(rig: &Rig) -> bool {
    std::fs::read_dir(&rig.servers.dir)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default())
        .any(|text| text.contains("a forward may have been sent before"))
}

#[test]
fn a_line_that_dies_in_idle_is_noticed_whether_it_says_so_or_not() {
    let Some(rig) = Rig::start("idle", &[]) else { return };
    let mut wish = rig.wish();
    wish.account = "poll-secs = 30";
    let config = rig.config(&wish);
    let daemon = crate::e2e::servers::Daemon::start(&rig.servers, &config, None);
    // an end that is told: at once
    let id = rig.deliver(&threat("idle-first"));
    until_filed(&rig, &daemon, "idle-first", "Queue/Legal", &id);
    until("idle again", Duration::from_secs(5), || rig.imap.connections() >= 1);
    std::thread::sleep(Duration::from_millis(300));
    rig.imap.cut_all();
    let begun = Instant::now();
    let id = rig.deliver(&threat("idle-cut"));
    until_filed(&rig, &daemon, "idle-cut", "Queue/Legal", &id);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // nobody is told: within the poll and the patience for its end, here 30 and 5 seconds
    rig.imap.once(Side::Server, r"^\* \d+ (EXISTS|RECENT)", Do::Blackhole);
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let id = rig.deliver(&threat("idle-blackhole"));
    until_filed(&rig, &daemon, "idle-blackhole", "Queue/Legal", &id);
    assert!(begun.elapsed() < Duration::from_secs(42), "{:?}", begun.elapsed());
    assert_eq!(rig.imap.fired(), 1);
    daemon.stop();
}

#[test]
fn a_server_that_flaps_twenty_times_costs_two_lines_in_the_log() {
    let Some(rig) = Rig::start("flaps", &[]) else { return };
    let daemon = rig.daemon();
    rig.imap.times(20, Side::Client, "SELECT", Do::CutAfter);
    rig.imap.cut_all();
    // pauses grow: twenty flaps would take an hour, so it is asked for a while only
    std::thread::sleep(Duration::from_secs(16));
    let flaps = rig.imap.fired();
    assert!((3..=20).contains(&flaps), "{flaps}: it pauses longer each time");
    let log = daemon.log();
    assert_eq!(log.matches("not connected").count(), 1, "{log}");
    assert_eq!(log.matches("watching").count(), 1, "{log}");
}

#[test]
fn a_restart_of_the_server_loses_nothing_and_is_said_once() {
    let Some(rig) = Rig::start("restart", &[]) else { return };
    let daemon = rig.daemon();
    rig.servers.stop_dovecot();
    // a process of Dovecot may outlive its master
    rig.imap.cut_all();
    std::thread::sleep(Duration::from_secs(3));
    rig.servers.start_dovecot();
    let id = rig.deliver(&threat("restart"));
    until_filed(&rig, &daemon, "restart", "Queue/Legal", &id);
    let log = daemon.log();
    assert_eq!(log.matches("not connected").count(), 1, "{log}");
    assert_eq!(log.matches("watching").count(), 2, "down and up: {log}");
    daemon.stop();
    rig.assert_exactly_once("restart", &id, "Queue/Legal", "ek-threat", 1);
}

#[test]
fn a_line_of_a_few_bytes_a_second_gives_up_and_goes_on_when_it_is_fast_again() {
    let Some(rig) = Rig::start("slow", &[]) else { return };
    let daemon = rig.daemon();
    rig.smtp.throttle(4);
    let id = rig.deliver(&threat("slow-smtp"));
    let other = rig.deliver(&super::complaint("slow-other"));
    // other mail is not kept waiting
    until_filed(&rig, &daemon, "slow-other", "Queue/Support", &other);
    until("the forward waits", Duration::from_secs(30), || daemon.log().contains("a forward waits"));
    assert_eq!(rig.forwards(&id), 0);
    rig.smtp.throttle(0);
    until_filed(&rig, &daemon, "slow-smtp", "Queue/Legal", &id);
    daemon.stop();
    rig.assert_exactly_once("slow-smtp", &id, "Queue/Legal", "ek-threat", 1);
}
