//! The newest mails as numbers, and where mails lie.

use std::collections::BTreeSet;

use super::super::LedgerError;
use super::super::keys::{escaped, folder_path};
use super::super::record::{FolderKey, MailRecord};
use super::super::store::Store;
use super::{Recent, given};
use crate::classify::Reading;
use crate::decide::vote::LearningRules;
use crate::time::Timestamp;

pub(super) fn recent_key(account: &str, identity: &str) -> String {
    format!("recent/{}/{identity}", escaped(account))
}

pub(super) fn order_key(at: Timestamp, account: &str, identity: &str) -> String {
    format!("recent-at/{:020}/{}/{identity}", at.0.max(0), escaped(account))
}

fn place_key(folder: &FolderKey, uid_validity: u32, uid: u32) -> String {
    format!("place/{}/{uid_validity:010}/{uid:010}", folder_path(folder))
}

impl Store {
    /// Keeps a handled mail as numbers, and forgets the oldest beyond `keep`. Applied with the record.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn remember(
        &mut self,
        record: &MailRecord,
        reading: &Reading,
        rules: &LearningRules,
    ) -> Result<(), LedgerError> {
        let keep = usize::try_from(rules.recent).unwrap_or(usize::MAX);
        if keep == 0 {
            return Ok(());
        }
        let (account, identity, at) = (&record.key.folder.account, &record.identity, record.decided);
        let drawn = self.is_drawn(identity, rules.audit_share);
        let labels = given(record.verdict.as_ref());
        self.put(
            &recent_key(account, identity),
            &Recent { at, reading: reading.clone(), labels, message_id: record.message_id.clone(), drawn },
        )?;
        self.put(&order_key(at, account, identity), &())?;
        let count = self.get::<usize>("meta/recent")?.unwrap_or(0).saturating_add(1);
        let too_many = count.saturating_sub(keep);
        let old: Vec<String> = self.keys("recent-at/").take(too_many).collect::<Result<_, _>>()?;
        for key in &old {
            self.remove(&format!("recent-at/{key}"));
            if let Some((_, path)) = key.split_once('/') {
                self.remove(&format!("recent/{path}"));
            }
        }
        self.put("meta/recent", &count.saturating_sub(old.len()))
    }

    /// Drawn by a keyed hash: nobody can choose which mails are measured, and a restart draws the same.
    fn is_drawn(&self, identity: &str, share: f32) -> bool {
        let text = self.secret().iter().fold(String::from("audit"), |text, byte| format!("{text}{byte:02x}"));
        let hash = crate::classify::hash::of(&format!("{text}{identity}"));
        let thousandths = crate::classify::hash::mix(hash) % 1_000;
        f64::from(u32::try_from(thousandths).unwrap_or(0)) < f64::from(share) * 1_000.0
    }

    /// A mail of the newest, as numbers.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn recent_of(&self, account: &str, identity: &str) -> Result<Option<Recent>, LedgerError> {
        self.get(&recent_key(account, identity))
    }

    /// The newest mails as numbers with account and identity, oldest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn recents(&self) -> Result<Vec<(String, String, Recent)>, LedgerError> {
        let mut all = Vec::new();
        for key in self.keys("recent-at/") {
            let key = key?;
            let mut parts = key.split('/').skip(1);
            let (Some(account), Some(identity)) = (parts.next(), parts.next()) else { continue };
            if let Some(recent) = self.get(&format!("recent/{account}/{identity}"))? {
                all.push((account.to_owned(), identity.to_owned(), recent));
            }
        }
        Ok(all)
    }

    /// Notes that a mail lies in a folder under this uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_place(
        &mut self,
        folder: &FolderKey,
        uid_validity: u32,
        uid: u32,
        identity: &str,
    ) -> Result<(), LedgerError> {
        self.put(&place_key(folder, uid_validity, uid), &identity)?;
        self.apply()
    }

    /// Mails seen in a folder: uid and identity. What is no more in `there` is forgotten.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn places(
        &mut self,
        folder: &FolderKey,
        uid_validity: u32,
        there: &BTreeSet<u32>,
    ) -> Result<Vec<(u32, String)>, LedgerError> {
        let prefix = format!("place/{}/", folder_path(folder));
        let keys: Vec<String> = self.keys(&prefix).collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for key in keys {
            let place = key
                .split_once('/')
                .and_then(|(validity, uid)| Some((validity.parse::<u32>().ok()?, uid.parse::<u32>().ok()?)));
            match place.filter(|(validity, uid)| *validity == uid_validity && there.contains(uid)) {
                Some((_, uid)) => {
                    if let Some(identity) = self.get::<String>(&format!("{prefix}{key}"))? {
                        found.push((uid, identity));
                    }
                }
                None => self.remove(&format!("{prefix}{key}")),
            }
        }
        self.apply()?;
        Ok(found)
    }
}
