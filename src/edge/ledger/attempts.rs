//! How often handling of a mail was begun and not ended.

use super::LedgerError;
use super::keys::{attempt_key, cut_key};
use super::record::MailKey;
use super::store::Store;

impl Store {
    /// Attempts at each mail so far.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn attempts(&self, mails: &[MailKey]) -> Result<Vec<u32>, LedgerError> {
        mails.iter().map(|mail| Ok(self.get::<u32>(&attempt_key(mail))?.unwrap_or(0))).collect()
    }

    /// Forgets the attempts at mails that are not ours to handle.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn release(&mut self, mails: &[MailKey]) -> Result<(), LedgerError> {
        for mail in mails {
            self.remove(&attempt_key(mail));
            self.remove(&cut_key(mail));
        }
        self.apply()
    }
}
