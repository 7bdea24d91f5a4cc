//! How full the mailbox is (RFC 9208).

use std::fmt;

use super::{Imap, ImapError};

/// Room in a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Used, in kibibytes.
    pub used: u64,
    /// Allowed, in kibibytes.
    pub allowed: u64,
}

impl Quota {
    /// Whether less than a tenth is left.
    #[must_use]
    pub const fn full(self) -> bool {
        self.used > self.allowed.saturating_sub(self.allowed / 10)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} MiB used", self.used / 1024, self.allowed / 1024)
    }
}

impl Imap {
    /// The quota of INBOX; `None` where there is none.
    ///
    /// # Errors
    /// When the connection fails, or the server refuses to tell.
    pub async fn quota(&mut self) -> Result<Option<Quota>, ImapError> {
        if !self.can("QUOTA") {
            return Ok(None);
        }
        let reply = self.connection.exec("GETQUOTAROOT INBOX").await?;
        Ok(reply.quota.map(|(used, allowed)| Quota { used, allowed }))
    }
}
