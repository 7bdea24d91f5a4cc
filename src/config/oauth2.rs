//! Logins with tokens instead of passwords: Google, Microsoft 365, and whoever speaks OAuth 2.0
//! (RFC 6749).

use std::path::PathBuf;

use serde::Deserialize;

use super::secret::{Secret, SecretError, read_secret};
use crate::time::Timestamp;

/// How a token is shown to a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// Google's and Microsoft's own.
    #[default]
    Xoauth2,
    /// RFC 7628.
    OauthBearer,
}

/// Whose defaults are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Gmail and Workspace.
    Google,
    /// Microsoft 365: needs `tenant`.
    Microsoft,
}

/// `[account.oauth2]`. With a refresh token the mailbox's owner has consented; without one the
/// program logs in in its own name (client credentials). Every secret comes from a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OAuth2 {
    /// Whose defaults are used for `token-url` and `scope`.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// Microsoft's directory id.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Where tokens are fetched.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The registered program.
    #[serde(default)]
    pub client_id: String,
    /// File with the program's secret.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// The day on which the program's secret ends, `2027-03-01`: providers tell nobody but whoever made it.
    #[serde(default)]
    pub client_secret_expires: Option<String>,
    /// systemd credential with the program's secret.
    #[serde(default)]
    pub client_secret_credential: Option<String>,
    /// File with the refresh token.
    #[serde(default)]
    pub refresh_token_file: Option<PathBuf>,
    /// systemd credential with the refresh token.
    #[serde(default)]
    pub refresh_token_credential: Option<String>,
    /// File with an access token that somebody else renews.
    #[serde(default)]
    pub access_token_file: Option<PathBuf>,
    /// What the token is for.
    #[serde(default)]
    pub scope: Option<String>,
    /// How it is shown to mail servers.
    #[serde(default)]
    pub mechanism: Mechanism,
    /// Certificates, in PEM form, that are trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Where a refresh token is kept that the provider has given in place of the first; set by the
    /// config, not in the file.
    #[serde(skip)]
    pub kept: PathBuf,
}

impl OAuth2 {
    /// Where tokens are fetched.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.token_url.clone().or_else(|| match self.provider? {
            Provider::Google => Some("https://oauth2.googleapis.com/token".to_owned()),
            Provider::Microsoft => {
                let tenant = self.tenant.as_deref()?;
                Some(format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"))
            }
        })
    }

    /// What is asked for.
    #[must_use]
    pub fn wanted_scope(&self) -> Option<&str> {
        let of_provider = match (self.provider, self.has_refresh_token()) {
            (Some(Provider::Microsoft), true) => Some(
                "https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office365.com/SMTP.Send offline_access",
            ),
            (Some(Provider::Microsoft), false) => Some("https://outlook.office365.com/.default"),
            // a refresh token of Google's carries its scope
            (Some(Provider::Google) | None, _) => None,
        };
        self.scope.as_deref().or(of_provider)
    }

    /// Whether somebody has consented, and not only the program was registered.
    #[must_use]
    pub const fn has_refresh_token(&self) -> bool {
        self.refresh_token_file.is_some() || self.refresh_token_credential.is_some()
    }

    /// The program's secret; `None` for one that has none.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn client_secret(&self) -> Result<Option<Secret>, SecretError> {
        read_secret(self.client_secret_file.as_ref(), self.client_secret_credential.as_deref())
    }

    /// The refresh token of the config.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn refresh_token(&self) -> Result<Option<Secret>, SecretError> {
        read_secret(self.refresh_token_file.as_ref(), self.refresh_token_credential.as_deref())
    }

    /// When the program's secret ends: at the beginning of the day that the config names, in UTC.
    #[must_use]
    pub fn client_secret_end(&self) -> Option<Timestamp> {
        let day: jiff::civil::Date = self.client_secret_expires.as_deref()?.parse().ok()?;
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Timestamp(midnight.timestamp().as_second()))
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut say = |what: &str| found.push(format!("[account.oauth2]: {what}"));
        if self.client_secret_expires.is_some() && self.client_secret_end().is_none() {
            say("`client-secret-expires` is no day: write it like \"2027-03-01\"");
        }
        if self.access_token_file.is_some() {
            return found;
        }
        if self.provider == Some(Provider::Microsoft) && self.tenant.is_none() && self.token_url.is_none() {
            say("`tenant` is missing: the directory id of your Microsoft 365");
        } else if self.url().is_none() {
            say("set `provider` to \"google\" or \"microsoft\", or give `token-url`");
        }
        if self.client_id.is_empty() {
            say("`client-id` is missing: the id of the registered program");
        }
        let has_secret = self.client_secret_file.is_some() || self.client_secret_credential.is_some();
        if !self.has_refresh_token() && !has_secret {
            say(
                "set `refresh-token-file` (somebody has consented) or `client-secret-file` (client credentials)",
            );
        }
        if !self.has_refresh_token() && self.provider == Some(Provider::Google) {
            say("Google gives mail access only with a `refresh-token-file`");
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_on_which_a_secret_ends_is_a_day_or_refused() {
        let of = |day: &str| -> OAuth2 {
            toml::from_str(&format!(
                "provider = \"google\"\nclient-id = \"x\"\nrefresh-token-file = \"f\"\nclient-secret-expires = \"{day}\""
            ))
            .unwrap()
        };
        let good = of("2027-03-01");
        assert_eq!((good.client_secret_end(), good.problems()), (Some(Timestamp(1_803_859_200)), vec![]));
        assert!(of("1 March").problems()[0].contains("2027-03-01"));
    }
}
