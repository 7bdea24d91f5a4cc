//! What is kept of corrected mails: numbers, and the text where the operator keeps it.

use super::super::LedgerError;
use super::super::store::Store;
use super::recent::{order_key, recent_key};
use super::{Correction, text_key, vote_key};
use crate::classify::Reading;

impl Store {
    /// Corrections whose mails were not yet read to learn from; with `texts` also those whose text is
    /// not kept yet.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn unread_corrections(&self, account: &str, texts: bool) -> Result<Vec<Correction>, LedgerError> {
        let mut unread = Vec::new();
        for one in self.corrections()? {
            if one.account != account || one.votes.is_empty() {
                continue;
            }
            let no_text = texts && self.text_of(&one.account, &one.identity)?.is_none();
            if one.reading.is_none() || no_text {
                unread.push(one);
            }
        }
        Ok(unread)
    }

    /// All kept texts, encrypted: account, identity, text.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn texts(&self) -> Result<Vec<(String, String, String)>, LedgerError> {
        let keys: Vec<String> = self.keys("text/").collect::<Result<_, _>>()?;
        let mut all = Vec::new();
        for key in keys {
            let Some((account, identity)) = key.split_once('/') else { continue };
            if let Some(text) = self.get::<String>(&format!("text/{key}"))? {
                all.push((account.to_owned(), identity.to_owned(), text));
            }
        }
        Ok(all)
    }

    /// The kept text of a corrected mail, encrypted.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn text_of(&self, account: &str, identity: &str) -> Result<Option<String>, LedgerError> {
        self.get(&text_key(account, identity))
    }

    /// Adds what was read of a corrected mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_reading(
        &mut self,
        account: &str,
        identity: &str,
        reading: Option<Reading>,
        text: Option<String>,
    ) -> Result<(), LedgerError> {
        if let Some(mut correction) = self.correction(account, identity)? {
            correction.reading = reading.or(correction.reading);
            self.put_correction(&correction)?;
            if let Some(text) = text {
                self.put(&text_key(account, identity), &text)?;
            }
        }
        self.apply()
    }

    /// Forgets what was kept of a mail to learn from. How many entries that were; written with
    /// whatever else the job writes.
    pub(in crate::edge::ledger) fn forget_example(
        &mut self,
        account: &str,
        identity: &str,
    ) -> Result<usize, LedgerError> {
        let recent = self.recent_of(account, identity)?;
        let known = usize::from(self.correction(account, identity)?.is_some());
        if let Some(recent) = &recent {
            self.remove(&order_key(recent.at, account, identity));
            let count = self.get::<usize>("meta/recent")?.unwrap_or(0);
            self.put("meta/recent", &count.saturating_sub(1))?;
        }
        self.remove(&recent_key(account, identity));
        self.remove(&vote_key(account, identity));
        self.remove(&text_key(account, identity));
        Ok(known + usize::from(recent.is_some()))
    }
}
