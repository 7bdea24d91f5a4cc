//! What a server cannot or will not do: quotas, rights, keywords, extensions, folders that are gone,
//! UIDs that change.

use std::time::Duration;

use super::proxy::Side;
use super::{Rig, complaint, threat, until, until_filed};
use crate::e2e::servers::Daemon;

#[test]
fn over_quota_the_mail_stays_tagged_and_its_draft_is_saved_when_there_is_room() {
    let settings = [
        "mail_plugins = quota",
        "plugin {\n  quota = count:User\n  quota_rule = *:storage=1M\n  quota_rule2 = INBOX:ignore\n  quota_vsizes = yes\n}",
    ];
    let Some(rig) = Rig::start("quota", &settings) else { return };
    let mut support = rig.support();
    support.create("Heap");
    support.append("Heap", &[b"Subject: heap\r\n\r\n".to_vec(), vec![b'x'; 1_048_000]].concat());
    let daemon = rig.daemon();
    let id = rig.deliver(&complaint("quota"));
    until("it is said", Duration::from_secs(20), || daemon.log().contains("an effect was refused for now"));
    support.until("tagged", |imap| {
        imap.find("INBOX", &id).first().is_some_and(|m| m.flags.iter().any(|f| f == "ek-complaint"))
    });
    assert_eq!(support.count("Drafts"), 0);
    support.order("DELETE Heap");
    until_filed(&rig, &daemon, "quota", "Queue/Support", &id);
    daemon.stop();
    rig.assert_exactly_once("quota", &id, "Queue/Support", "ek-complaint", 0);
}

/// Rights for a folder, in a file of Dovecot's ACL plugin.
fn acl(rig: &Rig, lines: &str) {
    std::fs::write(rig.servers.dir.join("acl"), lines).unwrap();
}

fn with_acl(name: &str) -> Option<Rig> {
    let dir = tempfile::Builder::new().prefix("evenkeel-acl-").tempdir().unwrap().keep();
    let path = dir.join("acl");
    std::fs::write(&path, "* owner lrwstipekxa\n").unwrap();
    for path in [&dir, &path] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let plugin = format!("plugin {{\n  acl = vfile:{}:cache_secs=0\n}}", path.display());
    let rig = Rig::start(name, &["mail_plugins = acl", &plugin]);
    if let Some(rig) = &rig {
        std::os::unix::fs::symlink(&path, rig.servers.dir.join("acl")).unwrap();
    }
    rig
}

#[test]
fn a_read_only_mailbox_is_observed_and_nothing_is_changed() {
    let Some(rig) = with_acl("read-only") else { return };
    let mut support = rig.support();
    acl(&rig, "INBOX owner lrp\n");
    let daemon = rig.daemon();
    until("it is said", Duration::from_secs(10), || daemon.log().contains("the folder is read-only"));
    let before = support.everything().len();
    let id = rig.deliver(&threat("read-only"));
    daemon.wait_for_line("mail handled");
    assert_eq!(support.everything().len(), before + 1);
    assert!(support.find("INBOX", &id)[0].flags.iter().all(|flag| !flag.starts_with("ek-")));
    assert_eq!((support.count("Drafts"), rig.forwards(&id)), (0, 0));
    daemon.stop();
}

#[test]
fn without_the_right_to_create_folders_the_mail_is_tagged_and_drafted_and_stays() {
    let Some(rig) = with_acl("no-create") else { return };
    acl(&rig, "* owner lrwstipe\n");
    let daemon = rig.daemon();
    let id = rig.deliver(&complaint("no-create"));
    daemon.wait_for_line("mail handled");
    assert!(daemon.log().contains("cannot be created"), "{}", daemon.log());
    rig.assert_exactly_once("no-create", &id, "INBOX", "ek-complaint", 0);
    // the folder is made, and the mail taken back
    acl(&rig, "* owner lrwstipekxa\n");
    let mut support = rig.support();
    support.create("Queue/Support");
    drop(support);
    let config = rig.servers.dir.join("state.toml");
    let output = crate::e2e::servers::Servers::evenkeel(&config, &["retry", &id]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    until_filed(&rig, &daemon, "retry", "Queue/Support", &id);
    daemon.stop();
    rig.assert_exactly_once("no-create", &id, "Queue/Support", "ek-complaint", 0);
}

#[test]
fn exchange_without_keywords_and_condstore_files_drafts_and_forwards() {
    let profile = "imap_capability = IMAP4rev1 MOVE UIDPLUS IDLE NAMESPACE LITERAL+ UNSELECT CHILDREN ID";
    let Some(rig) = Rig::start("exchange", &[profile]) else { return };
    rig.imap.rewrite(
        Side::Server,
        r"PERMANENTFLAGS \([^)]*\)",
        r"PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft)",
    );
    // what Exchange does not know is an error there
    rig.imap.rewrite(Side::Client, r"(UID SEARCH .*)KEYWORD", "${1}NONSENSE");
    rig.imap.rewrite(Side::Client, r"UID STORE (\S+) \+FLAGS \(ek-", "UID NONSENSE $1 (");
    rig.imap.rewrite(Side::Client, r"MODSEQ|UNCHANGEDSINCE", "NONSENSE");
    let daemon = rig.daemon();
    assert!(daemon.log().contains("the server allows no new keywords"), "{}", daemon.log());
    let id = rig.deliver(&threat("exchange"));
    until_filed(&rig, &daemon, "exchange", "Queue/Legal", &id);
    daemon.wait_for_line("mail handled");
    let log = daemon.log();
    assert!(!log.contains("refused") && !log.contains("not connected"), "{log}");
    daemon.stop();
    let mut support = rig.support();
    assert_eq!(support.count("INBOX"), 0);
    assert_eq!(support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len(), 1);
    assert_eq!(rig.forwards(&id), 1);
    assert!(support.find("Queue/Legal", &id)[0].flags.iter().all(|flag| !flag.starts_with("ek-")));
}

#[test]
fn a_server_that_refuses_a_keyword_though_it_promised_any_still_gets_the_mail_filed() {
    let Some(rig) = Rig::start("keyword-no", &[]) else { return };
    rig.imap.rewrite(Side::Client, r"\+FLAGS \(ek-threat", "+FLAGS (]ek-threat");
    let daemon = rig.daemon();
    let id = rig.deliver(&threat("keyword-no"));
    until_filed(&rig, &daemon, "keyword-no", "Queue/Legal", &id);
    assert!(daemon.log().contains("an effect was refused"), "{}", daemon.log());
    daemon.stop();
    assert_eq!(rig.forwards(&id), 1);
}

#[test]
fn when_uidvalidity_changes_nothing_is_done_twice_and_nothing_new_is_missed() {
    let Some(rig) = Rig::start("uidvalidity", &[]) else { return };
    let mut wish = rig.wish();
    // mails stay in INBOX: only what is remembered tells that they were handled
    wish.top = "[routes]\nthreat = { forward = [\"legal\"] }\n";
    let config = rig.config(&wish);
    let daemon = Daemon::start(&rig.servers, &config, None);
    let old = rig.deliver(&threat("uv-old"));
    daemon.wait_for_line("mail handled");
    daemon.stop();
    rig.assert_exactly_once("before", &old, "INBOX", "ek-threat", 1);
    rig.servers.doveadm(&["mailbox", "update", "-u", "support", "--uid-validity", "4242", "INBOX"]);
    // the same Message-ID on another mail is another mail
    let text = String::from_utf8(threat("uv-old")).unwrap().replace("412 pounds", "512 pounds");
    rig.deliver(text.as_bytes());
    let new = rig.deliver(&threat("uv-new"));
    let daemon = Daemon::start(&rig.servers, &config, None);
    daemon.wait_for_line("mail handled");
    until("both new ones", Duration::from_secs(20), || daemon.log().matches("mail handled").count() == 2);
    let log = daemon.log();
    assert!(log.contains("UIDVALIDITY has changed"), "{log}");
    assert_eq!(log.matches("nothing is done twice").count(), 1, "{log}");
    daemon.stop();
    assert_eq!(rig.forwards(&new), 1);
    assert_eq!(rig.forwards(&old), 2, "the old one and the other one of the same id");
    let mut support = rig.support();
    assert_eq!(support.count("Drafts"), 3);
    assert_eq!(support.count("INBOX"), 3);
}

#[test]
fn a_watched_folder_that_is_renamed_is_missed_aloud_and_taken_up_again_when_it_is_back() {
    let Some(rig) = Rig::start("gone", &[]) else { return };
    let mut support = rig.support();
    support.create("Web");
    let mut wish = rig.wish();
    wish.account = "folders = [\"Web\"]";
    let daemon = Daemon::start(&rig.servers, &rig.config(&wish), None);
    support.order("RENAME Web Elsewhere");
    rig.imap.cut_all();
    until("it is said", Duration::from_secs(20), || {
        daemon.log().contains("does not exist or cannot be opened")
    });
    assert!(!support.everything().iter().any(|line| line.starts_with("Web ")));
    support.order("RENAME Elsewhere Web");
    daemon.wait_for_line("watching");
    support.append("Web", &complaint("back"));
    until_filed(&rig, &daemon, "back", "Queue/Support", "<back@example.org>");
    // deleted, and made anew: other UIDs, nothing missed
    support.order("DELETE Web");
    rig.imap.cut_all();
    std::thread::sleep(Duration::from_millis(500));
    support.create("Web");
    support.append("Web", &complaint("anew"));
    until_filed(&rig, &daemon, "anew", "Queue/Support", "<anew@example.org>");
    daemon.stop();
}

#[test]
fn a_queue_folder_that_is_deleted_under_us_is_made_again() {
    let Some(rig) = Rig::start("queue-gone", &[]) else { return };
    let daemon = rig.daemon();
    let first = rig.deliver(&complaint("queue-1"));
    until_filed(&rig, &daemon, "queue-1", "Queue/Support", &first);
    rig.support().order("DELETE Queue/Support");
    let second = rig.deliver(&complaint("queue-2"));
    until_filed(&rig, &daemon, "queue-2", "Queue/Support", &second);
    daemon.stop();
}
