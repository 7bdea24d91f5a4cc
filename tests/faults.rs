//! Faults of the line and of the other side: a proxy that cuts where it is told, servers that refuse,
//! stall and lie, people who are faster. After each case a checker counts.
//!
//! What needs Dovecot and Postfix is skipped without them, as in `e2e`.

mod claims;
mod cuts;
mod cyrus;
mod dns;
mod flood;
mod lies;
mod logins;
pub mod peer;
mod people;
mod poison;
mod proxy;
mod refusals;
mod smtp;
mod stops;
mod stuck;
mod tls;
mod tokens;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::e2e::client::ImapClient;
use crate::e2e::servers::{Daemon, Servers};
use crate::e2e::{id_of, sample};
use proxy::Proxy;

/// Dovecot and Postfix behind proxies.
pub struct Rig {
    pub servers: Servers,
    pub imap: Proxy,
    pub smtp: Proxy,
}

/// What a config of the rig may change.
pub struct Wish<'a> {
    pub imap_port: u16,
    pub smtp_port: u16,
    /// Keys of the top level.
    pub top: &'a str,
    /// Keys of the account.
    pub account: &'a str,
    pub state: &'a str,
    pub password: Option<PathBuf>,
}

impl Rig {
    /// `None`, said aloud, where the servers cannot be had.
    pub fn start(name: &str, dovecot: &[&str]) -> Option<Self> {
        let servers = Servers::start(name, dovecot)?;
        let (imap, smtp) = (Proxy::before(servers.port), Proxy::before(servers.port + 4));
        Some(Self { servers, imap, smtp })
    }

    pub fn wish(&self) -> Wish<'static> {
        Wish {
            imap_port: self.imap.port,
            smtp_port: self.smtp.port,
            top: "",
            account: "",
            state: "state",
            password: None,
        }
    }

    /// A config that goes through the proxies, readable for them.
    pub fn config(&self, wish: &Wish<'_>) -> PathBuf {
        let dir = self.servers.dir.display();
        let password = wish.password.clone().unwrap_or_else(|| self.servers.dir.join("password"));
        let text = format!(
            "mode = \"act\"\nstate-dir = \"{dir}/{state}\"\n{top}\n[desks]\nlegal = [\"legal@example.test\"]\nlead = [\"lead@example.test\"]\n\
             [[account]]\nname = \"support\"\naddress = \"support@example.test\"\n{account}\n\
             [account.imap]\nhost = \"localhost\"\nport = {imap}\ntls = \"none\"\nuser = \"support\"\npassword-file = {password:?}\ntimeout-secs = 5\n\
             [account.smtp]\nhost = \"localhost\"\nport = {smtp}\ntls = \"none\"\nuser = \"support\"\npassword-file = {password:?}\ntimeout-secs = 5\n",
            top = wish.top,
            state = wish.state,
            account = wish.account,
            imap = wish.imap_port,
            smtp = wish.smtp_port,
            password = password.display().to_string(),
        );
        let path = self.servers.dir.join(format!("{}.toml", wish.state));
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn daemon(&self) -> Daemon {
        Daemon::start(&self.servers, &self.config(&self.wish()), None)
    }

    pub fn support(&self) -> ImapClient {
        ImapClient::login(&self.servers, "support")
    }

    pub fn legal(&self) -> ImapClient {
        ImapClient::login(&self.servers, "legal")
    }

    pub fn deliver(&self, mail: &[u8]) -> String {
        self.servers.deliver("support@example.test", mail);
        id_of(mail)
    }

    /// The mail with this id is in `folder` and nowhere else, with its keyword; one draft answers it;
    /// the desk has it as often as `forwards` says. Nothing personal was logged.
    pub fn assert_exactly_once(&self, case: &str, id: &str, folder: &str, keyword: &str, forwards: usize) {
        self.assert_exactly_once_in(&mut self.support(), case, id, folder, keyword, forwards);
    }

    /// The same, of a mailbox on another server.
    pub fn assert_exactly_once_in(
        &self,
        support: &mut ImapClient,
        case: &str,
        id: &str,
        folder: &str,
        keyword: &str,
        forwards: usize,
    ) {
        let everything = support.everything();
        let places: Vec<&String> = everything.iter().filter(|line| line.contains(id)).collect();
        assert_eq!(places.len(), 1, "{case}: {places:#?}");
        assert!(places[0].starts_with(&format!("{folder} ")), "{case}: {places:?}");
        assert!(places[0].contains(&format!("{keyword:?}")), "{case}: {places:?}");
        let drafts = support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\""));
        assert_eq!(drafts.len(), 1, "{case}: drafts");
        assert_eq!(self.forwards(id), forwards, "{case}: forwards");
    }

    /// What `evenkeel explain` says.
    pub fn explain(&self, id: &str) -> String {
        let config = self.servers.dir.join("state.toml");
        let output = Servers::evenkeel(&config, &["explain", id]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// How often legal has got this mail, once Postfix has delivered all that it accepted.
    pub fn forwards(&self, id: &str) -> usize {
        until("Postfix has delivered what it accepted", Duration::from_mins(1), || self.servers.is_idle());
        let carries = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(id);
        self.legal().all("INBOX").iter().filter(|mail| carries(&mail.bytes)).count()
    }
}

/// A threat with an id of its own: it is forwarded, answered in a draft, tagged and moved.
pub fn threat(name: &str) -> Vec<u8> {
    named("threat.en.eml", name)
}

/// A complaint with an id of its own: no forward.
pub fn complaint(name: &str) -> Vec<u8> {
    named("complaint.es.eml", name)
}

fn named(file: &str, name: &str) -> Vec<u8> {
    let text = String::from_utf8(sample(file)).unwrap();
    let id = id_of(text.as_bytes());
    // a thread of its own as well: other tickets, other senders
    text.replace(&id, &format!("<{name}@example.org>"))
        .replacen("Subject: ", &format!("Subject: {name} "), 1)
        .into_bytes()
}

/// Waits until `done`.
pub fn until(what: &str, at_most: Duration, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < at_most, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the mail is where it belongs.
pub fn until_filed(rig: &Rig, daemon: &Daemon, case: &str, folder: &str, id: &str) {
    until_filed_in(&mut rig.support(), daemon, case, folder, id);
}

/// The same, in a mailbox on another server.
pub fn until_filed_in(support: &mut ImapClient, daemon: &Daemon, case: &str, folder: &str, id: &str) {
    let begun = Instant::now();
    while support.find(folder, id).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(45),
            "{case}: not in {folder}\n{:#?}\n{}",
            support.everything(),
            daemon.log()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
