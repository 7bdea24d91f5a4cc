//! What a colleague's server may answer, and when it may fall silent.

use std::time::{Duration, Instant};

use super::peer::{Answer, SmtpPeer};
use super::{Rig, complaint, threat, until, until_filed};
use crate::e2e::servers::Daemon;

fn rig_with_peer(name: &str, top: &str) -> Option<(Rig, SmtpPeer, std::path::PathBuf)> {
    let rig = Rig::start(name, &[])?;
    let peer = SmtpPeer::start();
    let mut wish = rig.wish();
    wish.smtp_port = peer.port;
    wish.top = top;
    let config = rig.config(&wish);
    Some((rig, peer, config))
}

fn until_logged(daemon: &Daemon, what: &str) {
    until(what, Duration::from_secs(40), || daemon.log().contains(what));
}

#[test]
fn what_may_pass_is_tried_again_and_the_mail_waits_tagged_where_it_arrived() {
    let Some((rig, peer, config)) = rig_with_peer("smtp-later", "") else { return };
    for (case, verb, answer) in [
        ("421-banner", "banner", "421 too busy"),
        ("454-auth", "AUTH", "454 temporary authentication failure"),
        ("450-rcpt", "RCPT", "450 greylisted"),
        ("451-body", "body", "451 local error"),
        ("452-data", "DATA", "452 no space"),
    ] {
        let before = peer.taken().len();
        peer.answer(verb, Answer::Says(answer));
        let daemon = Daemon::start(&rig.servers, &config, None);
        let id = rig.deliver(&threat(case));
        until_logged(&daemon, "a forward waits");
        let mut support = rig.support();
        support.until("tagged meanwhile", |imap| {
            imap.find("INBOX", &id).first().is_some_and(|m| m.flags.iter().any(|f| f == "ek-threat"))
        });
        assert_eq!(support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len(), 1, "{case}");
        peer.behave();
        until_filed(&rig, &daemon, case, "Queue/Legal", &id);
        daemon.stop();
        assert_eq!(peer.taken().len(), before + 1, "{case}");
        rig.assert_exactly_once(case, &id, "Queue/Legal", "ek-threat", 0);
    }
}

#[test]
fn what_is_refused_for_good_is_not_tried_again_and_the_mail_stays_for_a_person() {
    let Some((rig, peer, config)) = rig_with_peer("smtp-never", "") else { return };
    for (case, verb, answer) in [
        ("550-rcpt", "RCPT", "550 no such user"),
        ("552-body", "body", "552 too big"),
        ("554-body", "body", "554 looks like spam"),
        ("553-mail", "MAIL", "553 not from you"),
    ] {
        peer.answer(verb, Answer::Says(answer));
        let daemon = Daemon::start(&rig.servers, &config, None);
        let id = rig.deliver(&threat(case));
        until_logged(&daemon, "a forward failed for good");
        let attempts = peer.attempts();
        let mut support = rig.support();
        support.until("marked for a person", |imap| {
            imap.find("INBOX", &id).first().is_some_and(|m| m.flags.iter().any(|f| f == "ek-review"))
        });
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(peer.attempts(), attempts, "{case}: not tried again");
        assert!(rig.explain(&id).contains("FAILED"), "{case}");
        daemon.stop();
        peer.behave();
        rig.assert_exactly_once(case, &id, "INBOX", "ek-threat", 0);
    }
    assert_eq!(peer.taken().len(), 0);
}

#[test]
fn silence_at_any_verb_has_an_end_and_other_mail_goes_on() {
    let Some((rig, peer, config)) = rig_with_peer("smtp-silent", "") else { return };
    for verb in ["banner", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"] {
        let before = peer.taken().len();
        peer.answer(verb, Answer::Silence);
        let daemon = Daemon::start(&rig.servers, &config, None);
        let begun = Instant::now();
        let id = rig.deliver(&threat(&format!("silent-{verb}")));
        let other = rig.deliver(&complaint(&format!("beside-{verb}")));
        until_filed(&rig, &daemon, verb, "Queue/Support", &other);
        assert!(begun.elapsed() < Duration::from_secs(15), "{verb}: {:?}", begun.elapsed());
        until_logged(&daemon, "a forward waits");
        peer.behave();
        until_filed(&rig, &daemon, verb, "Queue/Legal", &id);
        daemon.stop();
        assert_eq!(peer.taken().len(), before + 1, "{verb}");
    }
}

#[test]
fn of_two_addresses_of_a_desk_the_one_that_must_wait_gets_its_copy_later_and_the_other_only_one() {
    let Some((rig, peer, config)) = rig_with_peer("smtp-partly", "") else { return };
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("[\"legal@example.test\"]", "[\"legal@example.test\", \"second@example.test\"]");
    std::fs::write(&config, text).unwrap();
    peer.answer("RCPT", Answer::SaysTo("second@", "450 greylisted"));
    let daemon = Daemon::start(&rig.servers, &config, None);
    let id = rig.deliver(&threat("partly"));
    until("the first has it", Duration::from_secs(20), || peer.taken().len() == 1);
    peer.behave();
    until_filed(&rig, &daemon, "partly", "Queue/Legal", &id);
    daemon.stop();
    let to: Vec<String> = peer.taken().iter().map(|(to, _)| to.join(",")).collect();
    assert_eq!(to, ["RCPT TO:<legal@example.test>", "RCPT TO:<second@example.test>"]);
}

#[test]
fn a_refused_login_at_the_desk_s_server_is_not_tried_until_the_account_is_locked() {
    let Some((rig, peer, config)) = rig_with_peer("smtp-login", "") else { return };
    peer.answer("AUTH", Answer::Says("535 wrong password"));
    let daemon = Daemon::start(&rig.servers, &config, None);
    rig.deliver(&threat("login-1"));
    until_logged(&daemon, "is tried again in 15 minutes");
    rig.deliver(&threat("login-2"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(peer.attempts(), 3);
    let mut support = rig.support();
    support.until("both wait, tagged", |imap| {
        imap.all("INBOX").iter().filter(|m| m.flags.iter().any(|f| f == "ek-threat")).count() == 2
    });
    drop(daemon);
}
