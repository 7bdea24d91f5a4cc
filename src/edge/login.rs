//! What is the same in every login, to whichever server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Mechanism, Secret, SecretError, Server, Tls};
use crate::edge::Trouble;
use crate::edge::said::{masked, said};
use crate::edge::token::{self, TokenError};

/// Why a login did not come about. Trying often does not help, and may lock the account.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The password cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No token instead of a password.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The server does not offer what the config asks for: nothing is ever sent unprotected instead.
    #[error(
        "{host}:{port} does not offer STARTTLS; use `tls = \"implicit\"` and its port, usually 993 (IMAP) or 465 (SMTP)"
    )]
    NoStarttls {
        /// Host name of the config.
        host: String,
        /// Port.
        port: u16,
    },
    /// The server refuses user and password.
    #[error("{host} refuses the login of {user}: {why}; check `user` and the password file", user = masked(user))]
    Refused {
        /// Host name of the config.
        host: String,
        /// User of the config.
        user: String,
        /// What the server says.
        why: String,
    },
    /// Refused so often that the next attempt waits.
    #[error(
        "the login of {user} at {host} was refused three times and is tried again in {minutes} minutes; check `user` and the password file, then restart",
        user = masked(user)
    )]
    Waiting {
        /// Host name of the config.
        host: String,
        /// User of the config.
        user: String,
        /// How long it still waits.
        minutes: u64,
    },
}

impl LoginError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Secret(_) | Self::Token(TokenError::Secret(_) | TokenError::Url { .. }) => Trouble::Setup,
            Self::Token(TokenError::Wire(_) | TokenError::Answer { .. }) => Trouble::Line,
            Self::NoStarttls { .. } => Trouble::Tls,
            Self::Token(TokenError::Refused { .. } | TokenError::Keep { .. })
            | Self::Refused { .. }
            | Self::Waiting { .. } => Trouble::Login,
        }
    }

    /// Whether somebody has looked at who we are, and said no: to be tried seldom.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Token(error) => error.is_refusal(),
            Self::Secret(_) | Self::NoStarttls { .. } | Self::Waiting { .. } => false,
        }
    }

    pub(super) fn no_starttls(server: &Server) -> Self {
        debug_assert!(server.tls == Tls::Starttls, "only asked for where the config wants it");
        Self::NoStarttls { host: server.host.clone(), port: server.port }
    }

    pub(super) fn refused(server: &Server, why: &str) -> Self {
        if let Some(oauth2) = &server.oauth2 {
            token::forget(oauth2);
        }
        let why = said(why, 160);
        Self::Refused { host: server.host.clone(), user: server.user.clone(), why }
    }
}

/// What a login is made with.
pub(super) enum Proof {
    /// A password.
    Password(Secret),
    /// The answer to a challenge (base64 is added by whoever sends it), and what to say when the
    /// server then explains its refusal.
    Token { mechanism: &'static str, answer: String, after_refusal: &'static str },
}

/// Reads the password, or fetches a token.
pub(super) async fn proof(server: &Server) -> Result<Proof, LoginError> {
    let Some(oauth2) = &server.oauth2 else { return Ok(Proof::Password(server.password()?)) };
    let token = token::access(oauth2).await?;
    let (user, token) = (&server.user, token.reveal());
    Ok(match oauth2.mechanism {
        Mechanism::Xoauth2 => Proof::Token {
            mechanism: "XOAUTH2",
            answer: format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            after_refusal: "",
        },
        Mechanism::OauthBearer => Proof::Token {
            mechanism: "OAUTHBEARER",
            // saslname of RFC 5801 §4
            answer: format!(
                "n,a={},\x01host={}\x01port={}\x01auth=Bearer {token}\x01\x01",
                user.replace('=', "=3D").replace(',', "=2C"),
                server.host,
                server.port
            ),
            after_refusal: "\x01",
        },
    })
}

/// Logins refused in a row before the pause gets long.
const PATIENCE: u32 = 3;

/// Pause after refused logins: many servers lock an account that is tried more often.
const AFTER_REFUSED: Duration = Duration::from_mins(15);

/// Counts refused logins of each user over all connections: five folders of one account must not
/// try five times as often. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Gates(Arc<Mutex<BTreeMap<(String, String), Gate>>>);

#[derive(Debug, Default)]
struct Gate {
    refused: u32,
    until: Option<Instant>,
}

impl Gates {
    /// Demands that a login may be tried now.
    ///
    /// # Errors
    /// [`LoginError::Waiting`] after three refusals, for a quarter of an hour.
    pub fn pass(&self, server: &Server) -> Result<(), LoginError> {
        match self.closed_for(server) {
            None => Ok(()),
            Some(time) => Err(LoginError::Waiting {
                host: server.host.clone(),
                user: server.user.clone(),
                minutes: time.as_secs().div_ceil(60),
            }),
        }
    }

    /// How long no login may be tried.
    #[must_use]
    pub fn closed_for(&self, server: &Server) -> Option<Duration> {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = gates.get(&key(server))?.until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|time| !time.is_zero())
    }

    /// Takes note of how a login went.
    pub fn note(&self, server: &Server, refused: bool) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(key(server)).or_default();
        gate.refused = if refused { gate.refused.saturating_add(1) } else { 0 };
        gate.until = (gate.refused >= PATIENCE).then(|| Instant::now() + AFTER_REFUSED);
    }
}

fn key(server: &Server) -> (String, String) {
    (server.host.clone(), server.user.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_password_is_tried_three_times_over_all_folders_and_then_every_quarter_of_an_hour() {
        let gates = Gates::default();
        let server: Server = toml::from_str("host = \"h\"\nport = 1\nuser = \"u\"").unwrap();
        for _ in 0..2 {
            gates.note(&server, true);
            assert!(gates.pass(&server).is_ok());
        }
        gates.clone().note(&server, true);
        let told = gates.pass(&server).unwrap_err().to_string();
        assert!(told.contains("in 15 minutes"), "{told}");
        let other: Server = toml::from_str("host = \"h\"\nport = 1\nuser = \"other\"").unwrap();
        assert!(gates.pass(&other).is_ok());
        gates.note(&server, false);
        assert!(gates.pass(&server).is_ok());
    }
}
