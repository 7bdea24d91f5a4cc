//! Passwords: from files only, never shown.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::account::Server;

/// A password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
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
    #[error(
        "the password file {path} cannot be read: {source}; create it, readable for the daemon's user only"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Anybody on the machine can read it.
    #[error("the password file {path} is readable for everybody; run `chmod 600 {path}`")]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be sent.
    #[error("the password file {path} must hold one line with the password, and no other")]
    Form {
        /// The file.
        path: PathBuf,
    },
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
        let path = match (&self.password_file, &self.password_credential) {
            (Some(path), _) => path.clone(),
            (None, Some(name)) => credential(name)?,
            (None, None) => {
                return Err(SecretError::NotConfigured { user: self.user.clone(), host: self.host.clone() });
            }
        };
        let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
        let mode = std::fs::metadata(&path).map_err(unreadable)?.permissions().mode();
        if mode & 0o004 != 0 {
            return Err(SecretError::Public { path });
        }
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() || password.contains(['\r', '\n', '\0']) {
            return Err(SecretError::Form { path });
        }
        Ok(Secret(password.to_owned()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "systemd names the directory of credentials in the environment"
)]
fn credential(name: &str) -> Result<PathBuf, SecretError> {
    let missing = || SecretError::NoCredential { name: name.to_owned() };
    let dir = std::env::var("CREDENTIALS_DIRECTORY").map_err(|_| missing())?;
    let path = PathBuf::from(dir).join(name);
    if path.exists() { Ok(path) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tls;

    fn server(path: &std::path::Path) -> Server {
        Server {
            host: "h".into(),
            port: 993,
            tls: Tls::Implicit,
            user: "u".into(),
            password_file: Some(path.to_owned()),
            password_credential: None,
            ca_file: None,
            timeout_secs: 60,
        }
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
