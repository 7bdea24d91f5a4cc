//! `[http]`: where metrics, health and the window are served.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::secret::{SecretError, read_secret};

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 24;

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// A port of this machine.
    Port(SocketAddr),
    /// A Unix socket, for the daemon's user only.
    Socket(PathBuf),
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with('/') {
            return Ok(Self::Socket(text.into()));
        }
        text.parse().map(Self::Port).map_err(|_| {
            format!("`{text}` is neither the path of a socket nor an address such as \"127.0.0.1:9753\"")
        })
    }
}

/// `[http]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Http {
    /// Where; nothing is served without it.
    pub listen: Option<Listen>,
    /// File with the token that opens the window on a port.
    pub token_file: Option<PathBuf>,
    /// Name of the systemd credential with the token.
    pub token_credential: Option<String>,
    /// Names under which a proxy of yours shows the pages, besides this machine's own.
    pub hosts: Vec<String>,
    /// Whether the window may fetch the text of a mail from the server when somebody asks for it.
    pub show_text: bool,
}

impl Http {
    /// Reads the token; `None` where none is configured.
    ///
    /// # Errors
    /// When the file cannot be read, anybody can read it, or it holds no token.
    pub fn token(&self) -> Result<Option<String>, SecretError> {
        let found = read_secret(self.token_file.as_ref(), self.token_credential.as_deref())?;
        let Some(token) = found else { return Ok(None) };
        if token.reveal().len() < SHORTEST_TOKEN || token.reveal().contains(char::is_whitespace) {
            return Err(SecretError::Short);
        }
        Ok(Some(token.reveal().to_owned()))
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(Listen::Port(address)) = &self.listen
            && !address.ip().to_canonical().is_loopback()
        {
            found.push(format!(
                "[http] listen = \"{address}\" would be open to other machines; use 127.0.0.1 and put a proxy with TLS before it"
            ));
        }
        if self.token_file.is_some() && self.token_credential.is_some() {
            found.push("[http] set `token-file` or `token-credential`, not both".into());
        }
        if self.hosts.iter().any(|host| host.is_empty() || host.contains(['/', ':', ' '])) {
            found.push("[http] hosts are plain names such as \"keel.example.com\", without port".into());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_on_this_machine_only() {
        let of =
            |text: &str| Http { listen: Some(Listen::try_from(text.to_owned()).unwrap()), ..Http::default() };
        assert!(of("127.0.0.1:9753").problems().is_empty() && of("[::1]:1").problems().is_empty());
        assert!(of("/run/evenkeel/http.sock").problems().is_empty());
        assert!(of("0.0.0.0:9753").problems()[0].contains("proxy"));
        assert!(Listen::try_from("9753".to_owned()).is_err());
    }
}
