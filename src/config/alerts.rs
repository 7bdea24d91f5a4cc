//! `[alerts]`: who is told when something needs a person.

use std::path::PathBuf;

use serde::Deserialize;

use super::secret::{Secret, SecretError, read_secret};

/// `[alerts]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Alerts {
    /// Addresses that get a short mail, through the first account with an SMTP server.
    pub mail_to: Vec<String>,
    /// Where a signed JSON object is posted: `https://…`, or `http://` on this machine.
    pub webhook: Option<String>,
    /// File with the secret that signs it.
    pub webhook_secret_file: Option<PathBuf>,
    /// Name of the systemd credential with that secret.
    pub webhook_secret_credential: Option<String>,
    /// Most alerts in an hour; what is above is counted and logged.
    pub per_hour: u32,
    /// Seconds between two looks.
    pub every_secs: u64,
    /// Minutes after which a folder that is not watched is told.
    pub down_minutes: u64,
    /// Mails in the review queue above which it is told; again at every doubling.
    pub review_above: u64,
    /// Closing messages due above which it is told.
    pub closing_above: u64,
    /// Days before a certificate or secret runs out.
    pub expiry_days: u64,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            mail_to: Vec::new(),
            webhook: None,
            webhook_secret_file: None,
            webhook_secret_credential: None,
            per_hour: 20,
            every_secs: 60,
            down_minutes: 15,
            review_above: 50,
            closing_above: 10,
            expiry_days: 14,
        }
    }
}

impl Alerts {
    /// Whether anybody is told.
    #[must_use]
    pub const fn wanted(&self) -> bool {
        !self.mail_to.is_empty() || self.webhook.is_some()
    }

    /// Reads the secret that signs webhooks.
    ///
    /// # Errors
    /// When it cannot be read, or anybody can read it.
    pub fn secret(&self) -> Result<Option<Secret>, SecretError> {
        read_secret(self.webhook_secret_file.as_ref(), self.webhook_secret_credential.as_deref())
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        for address in &self.mail_to {
            if address.parse::<lettre::Address>().is_err() {
                found.push(format!("[alerts] mail-to: {address:?} is no mail address"));
            }
        }
        if let Some(url) = &self.webhook
            && let Err(why) = crate::edge::webhook::Target::parse(url)
        {
            found.push(format!("[alerts] webhook: {why}"));
        }
        if self.webhook_secret_file.is_some() && self.webhook_secret_credential.is_some() {
            found.push("[alerts] set `webhook-secret-file` or `webhook-secret-credential`, not both".into());
        }
        if !(1..=3_600).contains(&self.every_secs) {
            found.push("[alerts] every-secs must be between 1 and 3600".into());
        }
        found
    }
}
