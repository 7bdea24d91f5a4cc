//! Passwords: from files only, never shown.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::account::Server;

/// A password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Something secret that did not come from a file.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password, for the login and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A password that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret in {path} cannot be read: {source}; create it, readable for the daemon's user only")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Anybody on the machine can read it.
    #[error("the secret in {path} is readable for everybody; run `chmod 600 {path}`")]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be sent.
    #[error("{path} must hold one line with the secret, and no other")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// It can be guessed.
    #[error(
        "the token of the window must be one word of at least 24 characters; `evenkeel init` makes one, or: openssl rand -hex 24"
    )]
    Short,
    /// A credential is named, but systemd has given none.
    #[error(
        "the credential {name:?} is not there: add `LoadCredential={name}:/path/of/the/file` to the unit, or use `password-file`; outside the unit, name the directory: CREDENTIALS_DIRECTORY=/etc/evenkeel evenkeel …"
    )]
    NoCredential {
        /// Name of the config.
        name: String,
    },
    /// Neither file nor credential is configured.
    #[error("no password for {user} at {host}: set `password-file` or `password-credential`")]
    NotConfigured {
        /// User of the config.
        user: String,
        /// Host of the config.
        host: String,
    },
}

impl Server {
    /// Reads the password; at every login, so that a changed one is used without a restart.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn password(&self) -> Result<Secret, SecretError> {
        let read = read_secret(self.password_file.as_ref(), self.password_credential.as_deref())?;
        read.ok_or_else(|| SecretError::NotConfigured { user: self.user.clone(), host: self.host.clone() })
    }
}

/// What a file holds, or a systemd credential; `None` when neither is named.
pub(crate) fn read_secret(
    file: Option<&PathBuf>,
    named: Option<&str>,
) -> Result<Option<Secret>, SecretError> {
    let path = match (file, named) {
        (Some(path), _) => path.clone(),
        (None, Some(name)) => credential(name)?,
        (None, None) => return Ok(None),
    };
    let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
    let mode = std::fs::metadata(&path).map_err(unreadable)?.permissions().mode();
    if mode & 0o004 != 0 {
        return Err(SecretError::Public { path });
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.contains(['\r', '\n', '\0']) {
        return Err(SecretError::Form { path });
    }
    Ok(Some(Secret(secret.to_owned())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "systemd names the directory of credentials in the environment"
)]
fn credential(name: &str) -> Result<PathBuf, SecretError> {
    let missing = || SecretError::NoCredential { name: name.to_owned() };
    // a command outside the unit takes it where the unit does
    let dir = std::env::var("CREDENTIALS_DIRECTORY").unwrap_or_else(|_| "/etc/evenkeel".into());
    let path = PathBuf::from(dir).join(name);
    if path.exists() { Ok(path) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(path: &std::path::Path) -> Server {
        Server { user: "u".into(), password_file: Some(path.to_owned()), ..Server::default() }
    }

    #[test]
    fn a_password_that_everybody_can_read_is_refused_with_the_command_that_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, "s3cret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(server(&path).password().unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let secret = server(&path).password().unwrap();
        assert_eq!(secret.reveal(), "s3cret");
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
