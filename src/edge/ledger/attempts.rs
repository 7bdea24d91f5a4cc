//! How often handling of a mail was begun and not ended.

use super::LedgerError;
use super::keys::{attempt_key, cut_key};
use super::record::MailKey;
use super::store::Store;

/// Broken lines that are not held against the mail in hand.
const CUTS_FORGIVEN: u32 = 10;

impl Store {
    /// Counts one more attempt at a mail, before it is touched; the count.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn attempt(&mut self, mail: &MailKey) -> Result<u32, LedgerError> {
        let key = attempt_key(mail);
        let count = self.get::<u32>(&key)?.unwrap_or(0).saturating_add(1);
        self.put(&key, &count)?;
        self.apply()?;
        Ok(count)
    }

    /// Counts the first attempt at each mail, before any is touched; whether it is the first at all
    /// of them. Where it is not, nothing is counted.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn attempt_first(&mut self, mails: &[MailKey]) -> Result<bool, LedgerError> {
        for mail in mails {
            if self.get::<u32>(&attempt_key(mail))?.is_some_and(|count| count > 0) {
                self.discard();
                return Ok(false);
            }
            self.put(&attempt_key(mail), &1)?;
        }
        self.apply()?;
        Ok(true)
    }

    /// Takes an attempt back, at most `CUTS_FORGIVEN` times: the line broke, which is seldom the
    /// mail's fault.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn forgive(&mut self, mail: &MailKey) -> Result<(), LedgerError> {
        let (attempts, cuts) = (attempt_key(mail), cut_key(mail));
        let cut = self.get::<u32>(&cuts)?.unwrap_or(0);
        if let Some(count) = self.get::<u32>(&attempts)?.filter(|_| cut < CUTS_FORGIVEN) {
            self.put(&attempts, &count.saturating_sub(1))?;
            self.put(&cuts, &cut.saturating_add(1))?;
        }
        self.apply()
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
