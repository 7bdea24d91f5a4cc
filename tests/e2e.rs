//! The main job against real servers: Dovecot and Postfix, started for the test on loopback.
//!
//! They need root and Debian's packages (`./check` installs them). Where they are absent the tests
//! say so and pass; with `EVENKEEL_E2E=required` (set by `./check`) that is a failure.

pub mod client;
pub mod learning;
mod operations;
pub mod servers;

use std::path::PathBuf;
use std::time::Duration;

use client::ImapClient;
use servers::{Daemon, Servers};

const STEPS: [&str; 9] =
    ["fetch", "classify", "intent", "draft", "inflight", "forward", "tag", "move", "done"];

pub fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/e2e").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

/// Fixture, folder, keywords that must be there, whether a draft is written.
const SITUATIONS: [(&str, &str, &[&str], bool); 13] = [
    ("threat.en.eml", "Queue/Legal", &["ek-threat"], true),
    ("threat.uk.eml", "Queue/Legal", &["ek-threat"], true),
    ("harassment.es.eml", "Queue/Lead", &["ek-harassment"], false),
    ("abuse.ru.eml", "Queue/Support", &["ek-abuse"], true),
    ("panic.uk.eml", "Queue/Urgent", &["ek-panic"], true),
    ("entitlement.ru.eml", "Queue/Support", &["ek-entitlement"], true),
    ("criticism.en.eml", "Queue/Content", &["ek-criticism"], true),
    ("complaint.es.eml", "Queue/Support", &["ek-complaint"], true),
    ("pricing.en.eml", "Queue/Sales", &["ek-pricing"], true),
    ("idea.uk.eml", "Queue/Product", &["ek-idea"], true),
    ("question.ru.eml", "Queue/Support", &["ek-question"], true),
    ("praise.es.eml", "Queue/Support", &["ek-praise"], true),
    ("automated.en.eml", "Queue/Automated", &["ek-automated"], false),
];

pub(crate) fn id_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().trim().to_owned()
}

#[test]
fn each_situation_ends_in_its_folder_with_its_keywords_and_one_threaded_draft() {
    let Some(servers) = Servers::start("situations", &[]) else { return };
    let daemon = Daemon::start(&servers, &servers.config("act"), None);
    for (name, ..) in SITUATIONS {
        servers.deliver("support@example.test", &sample(name));
    }
    let mut support = ImapClient::login(&servers, "support");
    support.until("all are filed", |imap| imap.filed() == SITUATIONS.len());
    let mut drafts_expected = 0;
    for (name, folder, keywords, draft) in SITUATIONS {
        let id = id_of(&sample(name));
        let found = support.find(folder, &id);
        assert_eq!(found.len(), 1, "{name} in {folder}; explain says:\n{}", servers.explain(&id));
        for keyword in keywords {
            assert!(found[0].flags.iter().any(|f| f == keyword), "{name}: {keyword} in {:?}", found[0].flags);
        }
        assert!(
            !found[0].flags.iter().any(|f| f.eq_ignore_ascii_case("\\Seen")),
            "{name} was marked as read"
        );
        let drafts = support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\""));
        assert_eq!(drafts.len(), usize::from(draft), "{name}");
        drafts_expected += usize::from(draft);
    }
    assert_eq!(support.count("Drafts"), drafts_expected);
    for draft in support.all("Drafts") {
        assert!(draft.flags.iter().any(|f| f == "\\Draft"), "{:?}", draft.flags);
    }

    // legal has the untouched original
    let mut legal = ImapClient::login(&servers, "legal");
    legal.until("two forwards", |imap| imap.count("INBOX") == 2);
    for name in ["threat.en.eml", "threat.uk.eml"] {
        let id = id_of(&sample(name));
        let original = support.find("Queue/Legal", &id).remove(0).bytes;
        let forwards = legal.all("INBOX");
        let carries = |bytes: &[u8]| bytes.windows(original.len()).any(|window| window == original);
        assert_eq!(forwards.iter().filter(|mail| carries(&mail.bytes)).count(), 1, "{name} byte for byte");
    }
    let mut lead = ImapClient::login(&servers, "lead");
    lead.until("one forward", |imap| imap.count("INBOX") == 1);

    // a second run does nothing
    daemon.stop();
    let before = support.everything();
    let daemon = Daemon::start(&servers, &servers.config("act"), None);
    daemon.wait_for_line("watching");
    std::thread::sleep(Duration::from_millis(800));
    daemon.stop();
    assert_eq!(support.everything(), before);
    assert_eq!((legal.count("INBOX"), lead.count("INBOX")), (2, 1));
    servers.assert_log_is_clean();
}

#[test]
fn killed_at_any_step_and_started_again_the_end_is_the_same() {
    let Some(servers) = Servers::start("kills", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    let mut legal = ImapClient::login(&servers, "legal");
    let config = servers.config("act");
    for (round, step) in STEPS.iter().enumerate() {
        let text = String::from_utf8(sample("threat.en.eml")).unwrap();
        let mail = text.replace("threat-1@", &format!("kill-{step}@"));
        let id = id_of(mail.as_bytes());
        let daemon = Daemon::start(&servers, &config, Some(&format!("{step}:1")));
        servers.deliver("support@example.test", mail.as_bytes());
        daemon.wait_for_death();
        let daemon = Daemon::start(&servers, &config, None);
        support
            .until(&format!("{step}: the mail is filed"), |imap| !imap.find("Queue/Legal", &id).is_empty());
        legal.until(&format!("{step}: legal has it"), |imap| imap.count("INBOX") > round);
        daemon.stop();
        assert_eq!(support.count("INBOX"), 0, "{step}");
        assert_eq!(support.find("Queue/Legal", &id).len(), 1, "{step}");
        assert!(support.find("Queue/Legal", &id)[0].flags.iter().any(|f| f == "ek-threat"), "{step}");
        assert_eq!(support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len(), 1, "{step}");
    }
    // SMTP cannot tell whether the mail was taken when the line broke after the final dot: a
    // kill between in-flight and done repeats the forward, with the same Message-ID
    let forwards = legal.all("INBOX");
    let ids: std::collections::BTreeSet<String> = forwards.iter().map(|mail| id_of(&mail.bytes)).collect();
    assert_eq!(ids.len(), STEPS.len());
    assert!(forwards.len() <= STEPS.len() + 1, "{} forwards for {} threats", forwards.len(), STEPS.len());
}

#[test]
fn a_server_without_move_gets_a_proven_copy_and_one_without_uidplus_only_tags() {
    let Some(servers) = Servers::start("old", &["imap_capability = IMAP4rev1 UIDPLUS IDLE"]) else { return };
    let daemon = Daemon::start(&servers, &servers.config("act"), None);
    servers.deliver("support@example.test", &sample("complaint.es.eml"));
    let mut support = ImapClient::login(&servers, "support");
    let id = id_of(&sample("complaint.es.eml"));
    support.until("the mail is filed", |imap| !imap.find("Queue/Support", &id).is_empty());
    support.until("the original is gone", |imap| imap.count("INBOX") == 0);
    assert!(support.find("Queue/Support", &id)[0].flags.iter().any(|f| f == "ek-complaint"));
    daemon.stop();

    let Some(servers) = Servers::start("older", &["imap_capability = IMAP4rev1"]) else { return };
    let daemon = Daemon::start(&servers, &servers.config_with("act", "poll-secs = 30", "state"), None);
    servers.deliver("support@example.test", &sample("complaint.es.eml"));
    let mut support = ImapClient::login(&servers, "support");
    support.until("the mail is tagged", |imap| {
        imap.find("INBOX", &id).first().is_some_and(|mail| mail.flags.iter().any(|f| f == "ek-complaint"))
    });
    support.until("a draft is there", |imap| imap.count("Drafts") == 1);
    daemon.stop();
    assert_eq!(support.count("INBOX"), 1, "what cannot be moved safely stays");
}

#[test]
fn two_accounts_with_starttls_and_several_folders_work_in_one_process() {
    let Some(servers) = Servers::start("two", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    let mut second = ImapClient::login(&servers, "second");
    second.create("Web");
    let daemon = Daemon::start(&servers, &servers.config_two(), None);
    for _ in 0..3 {
        daemon.wait_for_line("watching");
    }
    servers.deliver("support@example.test", &sample("question.ru.eml"));
    servers.deliver("second@example.test", &sample("pricing.en.eml"));
    second.append("Web", &sample("idea.uk.eml"));
    support.until("support is filed", |imap| imap.count("Queue/Support") == 1);
    second.until("second is filed", |imap| imap.count("Queue/Sales") == 1);
    second.until("the other folder too", |imap| imap.count("Queue/Product") == 1 && imap.count("Web") == 0);
    daemon.stop();
}

#[test]
fn mail_that_was_there_before_the_first_start_is_left_alone_unless_an_age_is_configured() {
    let Some(servers) = Servers::start("start", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    servers.deliver("support@example.test", &sample("question.ru.eml"));
    support.until("it is there", |imap| imap.count("INBOX") == 1);
    let daemon = Daemon::start(&servers, &servers.config("act"), None);
    daemon.wait_for_line("watching");
    std::thread::sleep(Duration::from_millis(600));
    daemon.stop();
    assert_eq!(support.count("INBOX"), 1);
    let config = servers.config_with("act", "start = \"2d\"", "aged");
    let daemon = Daemon::start(&servers, &config, None);
    support.until("it is filed", |imap| imap.count("INBOX") == 0);
    daemon.stop();
}

#[test]
fn preview_shows_what_run_then_does_and_changes_nothing() {
    let Some(servers) = Servers::start("preview", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    for (name, ..) in SITUATIONS {
        servers.deliver("support@example.test", &sample(name));
    }
    support.until("all are there", |imap| imap.count("INBOX") == SITUATIONS.len());
    let config = servers.config_with("act", "start = \"2d\"", "state");
    let before = support.everything();
    let output = Servers::evenkeel(&config, &["preview", "--last", "100", "--format", "jsonl"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(support.everything(), before, "a preview changes nothing");
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), SITUATIONS.len());
    let daemon = Daemon::start(&servers, &config, None);
    support.until("INBOX is empty", |imap| imap.count("INBOX") == 0);
    daemon.stop();
    for line in lines {
        let id = format!("<{}>", line["message_id"].as_str().unwrap());
        let found = support.find(line["queue"].as_str().unwrap(), &id);
        assert_eq!(found.len(), 1, "{line}");
        for keyword in line["keywords"].as_array().unwrap() {
            assert!(found[0].flags.iter().any(|f| keyword == f), "{line}: {:?}", found[0].flags);
        }
        let drafts = support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len();
        assert_eq!(drafts, usize::from(!line["draft"].is_null()), "{line}");
    }
}

#[test]
fn a_wrong_password_and_a_foreign_certificate_are_named_with_the_fix() {
    let Some(servers) = Servers::start("refused", &[]) else { return };
    let good = std::fs::read_to_string(servers.config("act")).unwrap();
    let wrong = servers.dir.join("wrong");
    std::fs::write(&wrong, "not-the-password\n").unwrap();
    servers::protect(&wrong);
    let password = servers.dir.join("password").display().to_string();
    let ca = format!("ca-file = \"{}\"", servers.dir.join("cert.pem").display());
    for (text, says) in [
        (good.replace(&password, &wrong.display().to_string()), "check `user` and the password file"),
        (good.replace(&ca, ""), "the certificate must be valid for this name"),
    ] {
        let config = servers.dir.join("refused.toml");
        std::fs::write(&config, text).unwrap();
        let output = Servers::evenkeel(&config, &["doctor"]);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(says) && !said.contains("not-the-password"), "{said}");
    }
}

#[test]
fn explain_answers_from_the_running_daemon_and_from_the_files_alike() {
    let Some(servers) = Servers::start("explain", &[]) else { return };
    let daemon = Daemon::start(&servers, &servers.config("act"), None);
    servers.deliver("support@example.test", &sample("threat.en.eml"));
    let id = id_of(&sample("threat.en.eml"));
    let mut support = ImapClient::login(&servers, "support");
    support.until("the mail is filed", |imap| !imap.find("Queue/Legal", &id).is_empty());
    daemon.wait_for_line("mail handled");
    let running = servers.explain(&id);
    assert!(running.contains("forward to legal (legal@example.test): done"), "{running}");
    let second = Servers::evenkeel(&servers.config("act"), &["run"]);
    assert_eq!(second.status.code(), Some(73), "{}", String::from_utf8_lossy(&second.stderr));
    daemon.stop();
    assert_eq!(servers.explain(&id), running);
    let unknown = Servers::evenkeel(&servers.config("act"), &["explain", "<nobody@example.org>"]);
    assert_eq!(unknown.status.code(), Some(1));
}
