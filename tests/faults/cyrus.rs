//! The main job and its kills on another server than Dovecot: Cyrus, where `EVENKEEL_CYRUS` names a
//! directory into which `tests/e2e/cyrus fetch` has unpacked it (`./check` does).

use std::process::Command;

use super::{Rig, complaint, threat, until_filed_in};
use crate::e2e::client::ImapClient;
use crate::e2e::id_of;
use crate::e2e::servers::Daemon;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/cyrus");

/// Where the daemon is killed.
const STEPS: [&str; 8] = ["claim", "fetch", "intent", "draft", "inflight", "tag", "move", "done"];

/// A Cyrus with the mailbox of support, beside the rig's servers.
struct Cyrus {
    dir: std::path::PathBuf,
    port: u16,
    password: String,
}

impl Cyrus {
    fn start(rig: &Rig) -> Option<Self> {
        let Some(root) = std::env::var_os("EVENKEEL_CYRUS") else {
            let why = "EVENKEEL_CYRUS names no unpacked Cyrus (`tests/e2e/cyrus fetch DIR`)";
            crate::skipped::skipped("Cyrus", why);
            return None;
        };
        let (dir, password) = (rig.servers.dir.join("cyrus"), rig.servers.password());
        let port = (0..200)
            .map(|n| 31_000 + n * 2)
            .find(|port| (0..2).all(|i| std::net::TcpListener::bind(("127.0.0.1", port + i)).is_ok()))?;
        let started = Command::new(SCRIPT)
            .args(["start".as_ref(), dir.as_os_str(), port.to_string().as_ref(), root.as_os_str()])
            .args([rig.servers.dir.as_os_str(), password.as_ref()])
            .output()
            .unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(Self { dir, port, password })
    }

    fn support(&self) -> ImapClient {
        ImapClient::at(self.port, "support", &self.password)
    }

    fn deliver(&self, mail: &[u8]) -> String {
        self.support().append("INBOX", mail);
        id_of(mail)
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").arg(&self.dir).output();
    }
}

#[test]
fn on_cyrus_mails_are_tagged_filed_drafted_and_forwarded_once_wherever_the_daemon_is_killed() {
    let Some(rig) = Rig::start("cyrus", &[]) else { return };
    let Some(cyrus) = Cyrus::start(&rig) else { return };
    let mut wish = rig.wish();
    wish.imap_port = cyrus.port;
    let config = rig.config(&wish);
    let daemon = Daemon::start(&rig.servers, &config, None);
    let calm = cyrus.deliver(&complaint("cyrus-calm"));
    let grave = cyrus.deliver(&threat("cyrus-grave"));
    let mut support = cyrus.support();
    until_filed_in(&mut support, &daemon, "calm", "Queue/Support", &calm);
    until_filed_in(&mut support, &daemon, "grave", "Queue/Legal", &grave);
    daemon.stop();
    rig.assert_exactly_once_in(&mut support, "calm", &calm, "Queue/Support", "ek-complaint", 0);
    rig.assert_exactly_once_in(&mut support, "grave", &grave, "Queue/Legal", "ek-threat", 1);
    for step in STEPS {
        let daemon = Daemon::start(&rig.servers, &config, Some(&format!("{step}:1")));
        let id = cyrus.deliver(&threat(&format!("cyrus-{step}")));
        daemon.wait_for_death();
        let daemon = Daemon::start(&rig.servers, &config, None);
        until_filed_in(&mut support, &daemon, step, "Queue/Legal", &id);
        daemon.stop();
        rig.assert_exactly_once_in(&mut support, step, &id, "Queue/Legal", "ek-threat", 1);
    }
    rig.servers.assert_log_is_clean();
}
