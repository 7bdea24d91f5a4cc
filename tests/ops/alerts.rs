//! Somebody is told: by a signed webhook, by mail, once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use evenkeel::edge::webhook::signature;
use evenkeel::time::Timestamp;

use super::web::{Lonely, free_port, get};
use crate::e2e::client::ImapClient;
use crate::e2e::servers::{Daemon, Servers, protect};
use crate::faults::peer::{Answer, SmtpPeer};
use crate::faults::{Rig, until};

const SECRET: &str = "webhook-secret-canary";

/// What was posted: the head's lines and the body.
struct Posted {
    head: Vec<String>,
    body: String,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let wanted = format!("{name}: ");
        self.head
            .iter()
            .find_map(|line| line.strip_prefix(&wanted))
            .unwrap_or_else(|| panic!("{name}: {:?}", self.head))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver that answers with each of `statuses` in turn, then with 200.
fn receiver(statuses: &'static [u16]) -> (u16, Receiver<Posted>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter();
        for stream in listener.incoming() {
            let posted = take(&stream.unwrap(), *statuses.next().unwrap_or(&200));
            if tell.send(posted).is_err() {
                return;
            }
        }
    });
    (port, told)
}

fn take(mut stream: &TcpStream, status: u16) -> Posted {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").unwrap();
    Posted { head, body: String::from_utf8(body).unwrap() }
}

fn section(port: u16, dir: &str) -> String {
    format!(
        "[alerts]\nwebhook = \"http://127.0.0.1:{port}/hook\"\nwebhook-secret-file = \"{dir}/hook-secret\"\nevery-secs = 1\ndown-minutes = 0\n"
    )
}

#[test]
fn an_account_that_is_down_and_a_customer_who_is_served_otherwise_are_told_signed_and_again_after_an_error() {
    let (port, told) = receiver(&[503]);
    let lonely = Lonely::start(&section(port, "DIR"));
    let secret = lonely.dir.path().join("hook-secret");
    std::fs::write(&secret, SECRET).unwrap();
    protect(&secret);
    // without its secret nothing goes out unsigned; the next condition finds it
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("{}", lonely.log()));
    let marked = Servers::evenkeel(
        &lonely.config,
        &["customers", "set", "rick@example.org", "email-only", "--note", "x"],
    );
    assert!(marked.status.success());
    let first = next();
    let again = next();
    let posts = [first, again];
    for posted in &posts {
        let at = Timestamp(posted.header("x-evenkeel-timestamp").parse().unwrap());
        let wanted = format!("sha256={}", signature(SECRET, at, &posted.body));
        assert_eq!(posted.header("x-evenkeel-signature"), wanted);
        assert_eq!(posted.header("content-type"), "application/json");
    }
    let begun = Instant::now();
    let mut seen: Vec<serde_json::Value> = posts.iter().map(Posted::json).collect();
    let both = |seen: &[serde_json::Value]| seen.iter().any(|json| json["alert"] == "customer-changed");
    while !both(&seen) && begun.elapsed() < Duration::from_secs(20) {
        seen.push(next().json());
    }
    let changed = seen.iter().find(|json| json["alert"] == "customer-changed").unwrap();
    assert_eq!(
        (changed["subject"].as_str(), changed["details"]["to"].as_str()),
        (Some("rick@example.org"), Some("email-only"))
    );
    let log = lonely.log();
    assert!(!log.contains("rick@") && !log.contains(SECRET), "{log}");
}

#[test]
fn a_forward_that_is_refused_reaches_ops_by_mail() {
    let Some(servers) = Servers::start("alerts", &[]) else { return };
    let config = servers.config("act");
    let text = std::fs::read_to_string(&config).unwrap();
    // an address that the server does not know: refused for good
    let text = text.replace("legal@example.test", "nobody@example.test");
    std::fs::write(&config, text + "[alerts]\nmail-to = [\"lead@example.test\"]\nevery-secs = 1\n").unwrap();
    let _daemon = Daemon::start(&servers, &config, None);
    servers.deliver("support@example.test", &crate::e2e::sample("threat.en.eml"));
    let mut lead = ImapClient::login(&servers, "lead");
    lead.until("the alert has come", |imap| imap.count("INBOX") == 1);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(lead.count("INBOX"), 1, "it is told once");
    servers.assert_log_is_clean();
}

#[test]
fn a_mailbox_that_goes_down_is_told_by_mail_and_signed_webhook_again_after_errors_and_never_above_the_cap() {
    const CAP: usize = 3;
    let Some(rig) = Rig::start("alarm", &[]) else { return };
    let (port, told) = receiver(&[503]);
    let pages = free_port();
    let peer = SmtpPeer::start();
    peer.answer("RCPT", Answer::Says("450 greylisted"));
    let secret = rig.servers.dir.join("hook-secret");
    std::fs::write(&secret, SECRET).unwrap();
    protect(&secret);
    crate::canary::remember_secret(SECRET);
    let dir = rig.servers.dir.display().to_string();
    let top = format!(
        "[http]\nlisten = \"127.0.0.1:{pages}\"\n{}per-hour = {CAP}\nmail-to = [\"ops@example.test\"]\n",
        section(port, &dir)
    );
    let mut wish = rig.wish();
    wish.smtp_port = peer.port;
    wish.top = &top;
    let daemon = Daemon::start(&rig.servers, &rig.config(&wish), None);
    // at the start it was not connected either: that may have been told, and is over
    std::thread::sleep(Duration::from_millis(2_500));
    let count = |text: &str| daemon.log().matches(text).count();
    let held = || count("an alert was held back") > 0;
    let mut up = true;
    while !held() {
        let phase = if up { "phase=\"begins\"" } else { "phase=\"ends\"" };
        let before = count(phase);
        if up {
            rig.servers.stop_dovecot();
        } else {
            rig.servers.start_dovecot();
        }
        up = !up;
        let begun = Instant::now();
        while count(phase) == before {
            assert!(begun.elapsed() < Duration::from_mins(1), "nothing is told: {}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        until("both ways have failed once", Duration::from_secs(20), || count("an alert waits") >= 2);
        peer.behave();
    }
    until("the mails have come", Duration::from_mins(1), || peer.taken().len() >= CAP);
    // the webhook: everything signed, the refused one twice, no more than the cap
    let mut posts = Vec::new();
    while let Ok(posted) = told.recv_timeout(Duration::from_secs(3)) {
        posts.push(posted);
    }
    let mut ids = BTreeSet::new();
    for posted in &posts {
        let at = Timestamp(posted.header("x-evenkeel-timestamp").parse().unwrap());
        let wanted = format!("sha256={}", signature(SECRET, at, &posted.body));
        assert_eq!(posted.header("x-evenkeel-signature"), wanted);
        let json = posted.json();
        assert_eq!(
            (&json["alert"], &json["subject"]),
            (&"account-down".into(), &"support/INBOX".into()),
            "{json}"
        );
        ids.insert(json["id"].to_string());
    }
    assert_eq!((ids.len(), posts.len()), (CAP, CAP + 1), "one was refused once and told again");
    for phase in ["begins", "ends"] {
        assert!(posts.iter().any(|posted| posted.json()["phase"] == phase), "{phase}");
    }
    // the mail: the same, in words
    let mails = peer.taken();
    assert_eq!(mails.len(), CAP);
    for (to, text) in &mails {
        assert_eq!(to, &["RCPT TO:<ops@example.test>"]);
        assert!(text.contains("account-down") && text.contains("support/INBOX"), "{text}");
    }
    assert!(mails.iter().any(|(_, text)| text.contains("is not watched")), "{mails:?}");
    let metrics = get(pages, "/metrics").body;
    let capped = "evenkeel_alerts_total{alert=\"account-down\",result=\"capped\"}";
    assert!(metrics.contains(capped), "{metrics}");
}
