//! Accounts and servers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::oauth2::OAuth2;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Implicit,
    /// TLS after the command of that name; refused when the server does not offer it.
    Starttls,
    /// None: only to this machine.
    None,
}

/// An IMAP or SMTP server and who logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Server {
    /// Host name; the certificate must be valid for it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    #[serde(default)]
    pub tls: Tls,
    /// User name; empty for an SMTP server that wants no login.
    #[serde(default)]
    pub user: String,
    /// File that holds the password, and nothing else but perhaps a final line break.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Name of the systemd credential that holds the password.
    #[serde(default)]
    pub password_credential: Option<String>,
    /// Certificates, in PEM form, that are trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds within which the server must answer a command, and a connection must be made.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u64,
    /// Tokens instead of a password: the account's, where the server has no password of its own.
    #[serde(skip)]
    pub oauth2: Option<OAuth2>,
}

impl Server {
    /// How long to wait for an answer.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout_secs)
    }
}

const fn timeout_secs() -> u64 {
    60
}

impl Server {
    /// A server that wants no login.
    #[must_use]
    pub fn anonymous(host: &str, port: u16, tls: Tls) -> Self {
        Self { host: host.to_owned(), port, tls, timeout_secs: timeout_secs(), ..Self::default() }
    }
}

/// From which mail on an account is handled when it is seen for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Start {
    /// Mails that arrive from now on.
    #[default]
    Now,
    /// Mails that arrived within this time, too.
    Age(Duration),
}

impl TryFrom<String> for Start {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "now" {
            return Ok(Self::Now);
        }
        let bad = || format!("`{text}` is neither `now` nor an age such as `12h` or `7d`");
        let (unit, number) = match text.chars().last() {
            Some('h') => (3_600, text.trim_end_matches('h')),
            Some('d') => (86_400, text.trim_end_matches('d')),
            _ => return Err(bad()),
        };
        let number: u32 = number.parse().map_err(|_| bad())?;
        Ok(Self::Age(Duration::from_secs(u64::from(number) * unit)))
    }
}

/// A mailbox that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// Its name in logs and state.
    pub name: String,
    /// The address customers write to; drafts and forwards are from it.
    pub address: String,
    /// Other addresses of this mailbox; a draft is from the one the customer wrote to.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Folders that are watched.
    #[serde(default = "inbox")]
    pub folders: Vec<String>,
    /// From which mail on.
    #[serde(default)]
    pub start: Start,
    /// Drafts folder, where the server's own `\Drafts` is not the one.
    #[serde(default)]
    pub drafts: Option<String>,
    /// Seconds after which the folder is looked at even if the server reports nothing.
    #[serde(default = "poll_secs")]
    pub poll_secs: u64,
    /// Where the mail is.
    pub imap: Server,
    /// The way to colleagues; needed for forwards.
    #[serde(default)]
    pub smtp: Option<Server>,
    /// Tokens instead of passwords.
    #[serde(default)]
    pub oauth2: Option<OAuth2>,
}

impl Account {
    /// Hands the account's tokens to those of its servers that have no password.
    pub(super) fn share_tokens(&mut self, state_dir: &Path) {
        if let Some(oauth2) = &mut self.oauth2 {
            oauth2.kept = state_dir.join("tokens").join(&self.name);
        }
        for server in std::iter::once(&mut self.imap).chain(&mut self.smtp) {
            let has_password = server.password_file.is_some() || server.password_credential.is_some();
            if !has_password && !server.user.is_empty() {
                server.oauth2.clone_from(&self.oauth2);
            }
        }
    }
}

impl Account {
    /// Whose drafts are written here; `name` is what customers read beside the address.
    #[must_use]
    pub fn desk<'a>(&'a self, name: &'a str) -> crate::edge::outgoing::Desk<'a> {
        crate::edge::outgoing::Desk { name, address: &self.address, aliases: &self.aliases }
    }
}

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

/// Under the 30 minutes after which servers may end an IDLE (RFC 2177), and short enough that a
/// connection that died silently is noticed.
const fn poll_secs() -> u64 {
    300
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_now_or_an_age_in_hours_or_days() {
        let start = |text: &str| Start::try_from(text.to_owned());
        assert_eq!(start("now"), Ok(Start::Now));
        assert_eq!(start("36h"), Ok(Start::Age(Duration::from_hours(36))));
        assert_eq!(start("7d"), Ok(Start::Age(Duration::from_hours(168))));
        assert!(start("week").is_err() && start("d").is_err() && start("-1d").is_err());
    }
}
