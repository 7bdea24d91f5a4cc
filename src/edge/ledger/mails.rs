//! Mails in the store: attempts at them, their records, and what is found by them.

use serde::Deserialize;

use super::LedgerError;
use super::audit::Event;
use super::cases::CaseQuery;
use super::keys::{attempt_key, cursor_key, cut_key, folder_path, mail_key, mail_path, message_key, own_key};
use super::record::{Cursor, EffectRecord, EffectState, FolderKey, MailKey, MailRecord, MailState};
use super::store::{OPEN, Store};
use crate::decide::{Case, Reason, Word};
use crate::mail::MessageId;

/// Mails kept under one Message-ID: whoever sends a thousand with the same one shall not grow a record.
const SAME_ID_KEPT: usize = 16;

impl Store {
    /// Up to where a folder has been handled.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn cursor(&self, folder: &FolderKey) -> Result<Option<Cursor>, LedgerError> {
        self.get(&cursor_key(folder))
    }

    /// Sets the cursor.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_cursor(&mut self, folder: &FolderKey, cursor: Cursor) -> Result<(), LedgerError> {
        self.put(&cursor_key(folder), &cursor)?;
        self.apply()
    }

    /// The record of a mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn record(&self, mail: &MailKey) -> Result<Option<MailRecord>, LedgerError> {
        self.get(&mail_key(mail))
    }

    /// The record of a mail that was handled under another uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn by_identity(&self, account: &str, identity: &str) -> Result<Option<MailRecord>, LedgerError> {
        match self.get::<MailKey>(&format!("identity/{account}/{identity}"))? {
            Some(key) => self.record(&key),
            None => Ok(None),
        }
    }

    /// Records what will be done with a mail, its case after it, and the folder's new cursor.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn intend(
        &mut self,
        record: &MailRecord,
        after: Option<(&Case, &CaseQuery)>,
        cursor: Option<Cursor>,
    ) -> Result<(), LedgerError> {
        let account = &record.key.folder.account;
        self.write(record)?;
        self.remove(&attempt_key(&record.key));
        self.remove(&cut_key(&record.key));
        self.remove(&super::recall::told_key(&record.identity));
        self.put(&format!("identity/{account}/{}", record.identity), &record.key)?;
        self.put(&super::retention::day_key(record), &())?;
        if let Some(id) = &record.message_id {
            let key = message_key(account, id);
            let mut mails: Vec<MailKey> = self.get(&key)?.unwrap_or_default();
            if !mails.contains(&record.key) {
                mails.push(record.key.clone());
            }
            if let Some(extra) = mails.len().checked_sub(SAME_ID_KEPT) {
                mails.drain(..extra);
            }
            self.put(&key, &mails)?;
        }
        for id in record.effects.iter().filter_map(|entry| entry.effect.own_id()) {
            self.put(&own_key(id), &record.key)?;
        }
        if let Some((case, query)) = after {
            self.write_case(record, case, query)?;
            self.note(record.decided, decided(record));
        }
        if let Some(cursor) = cursor {
            self.put(&cursor_key(&record.key.folder), &cursor)?;
        }
        self.apply()
    }

    /// Removes the record of a mail that now has another uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn forget(&mut self, mail: &MailKey) -> Result<(), LedgerError> {
        self.remove(&mail_key(mail));
        self.remove(&format!("{OPEN}{}", mail_path(mail)));
        self.apply()
    }

    /// Records what has become of a mail's effects.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn update(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        let before: Option<Carried> = self.get(&mail_key(&record.key))?;
        if record.customer.is_some() && before.as_ref().is_some_and(|before| before.customer.is_none()) {
            // its customer was erased meanwhile, and stays so
            return Ok(());
        }
        for (index, entry) in record.effects.iter().enumerate() {
            let was = before.as_ref().and_then(|before| before.effects.get(index)).map(|was| &was.state);
            if entry.state.is_final() && was != Some(&entry.state) {
                crate::edge::metrics::effect(&entry.effect, &entry.state);
                self.note(
                    record.decided,
                    Event::Effect {
                        mail: record.identity.clone(),
                        effect: entry.effect.to_string(),
                        outcome: entry.state.to_string(),
                    },
                );
            }
        }
        self.write(record)?;
        self.apply()
    }

    /// As [`Store::update`] without a line in the audit, and without making it visible yet.
    pub(super) fn update_quietly(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        self.write(record)
    }

    fn write(&mut self, record: &MailRecord) -> Result<(), LedgerError> {
        let open = format!("{OPEN}{}", mail_path(&record.key));
        if record.state == MailState::Intended {
            self.put(&open, &record.decided)?;
        } else {
            self.remove(&open);
        }
        self.put(&mail_key(&record.key), record)
    }

    /// The record of the mail about which we wrote something with this id.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn own(&self, id: &MessageId) -> Result<Option<MailRecord>, LedgerError> {
        match self.get::<MailKey>(&own_key(id))? {
            Some(key) => self.record(&key),
            None => Ok(None),
        }
    }

    /// Notes that the mail we sent with this id came back: its effect has failed, and a person has to
    /// act. The record, unless the id is unknown or this was noted before.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn reopen(&mut self, id: &MessageId, why: &str) -> Result<Option<MailRecord>, LedgerError> {
        let Some(mut record) = self.own(id)? else { return Ok(None) };
        let failed = EffectState::Failed(why.to_owned());
        let sent = record.effects.iter_mut().find(|entry| entry.effect.own_id() == Some(id));
        let Some(entry) = sent.filter(|entry| entry.state != failed) else { return Ok(None) };
        entry.state = failed;
        // what is still to be done is done; what is done waits for a person
        if record.state == MailState::Done {
            record.state = MailState::Reopened;
        }
        record.reasons.push(Reason::new(Word::OwnForwardBounced, why));
        self.put(&format!("reopened/{}", mail_path(&record.key)), &())?;
        self.write(&record)?;
        self.apply()?;
        Ok(Some(record))
    }

    /// Records of which an effect came undone.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn reopened(&self) -> Result<Vec<MailRecord>, LedgerError> {
        let mut records = Vec::new();
        for path in self.keys("reopened/") {
            records.extend(self.get::<MailRecord>(&format!("mail/{}", path?))?);
        }
        Ok(records)
    }

    /// Records of `folder` that are not done, oldest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn open_records(&self, folder: &FolderKey) -> Result<Vec<MailRecord>, LedgerError> {
        let folder = folder_path(folder);
        let mut records = Vec::new();
        for rest in self.keys(&format!("{OPEN}{folder}/")) {
            records.extend(self.get::<MailRecord>(&format!("mail/{folder}/{}", rest?))?);
        }
        Ok(records)
    }

    /// All records of mails with this Message-ID, over all `accounts`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn find(&self, accounts: &[String], id: &MessageId) -> Result<Vec<MailRecord>, LedgerError> {
        let mut records = Vec::new();
        for account in accounts {
            let keys: Vec<MailKey> = self.get(&message_key(account, id))?.unwrap_or_default();
            for key in keys {
                records.extend(self.record(&key)?);
            }
        }
        Ok(records)
    }
}

/// Of a record what changes while it is carried out.
#[derive(Deserialize)]
struct Carried {
    #[serde(default)]
    customer: Option<String>,
    effects: Vec<EffectRecord>,
}

fn decided(record: &MailRecord) -> Event {
    let labels = record.verdict.iter().flat_map(|verdict| &verdict.labels);
    Event::Decided {
        mail: record.identity.clone(),
        place: format!("{}/{}", record.key.folder.account, record.key.folder.folder),
        labels: labels.map(|found| found.label.to_string()).collect(),
        reasons: crate::decide::reason_line(&record.reasons),
        ticket: record.ticket.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uid: u32) -> MailKey {
        let folder = FolderKey { account: "support".into(), folder: "INBOX".into() };
        MailKey { folder, uid_validity: 7, uid }
    }

    fn record(uid: u32, state: MailState) -> MailRecord {
        MailRecord {
            key: key(uid),
            identity: format!("hash{uid}"),
            message_id: MessageId::new("a@b"),
            decided: crate::time::Timestamp(1),
            state,
            verdict: None,
            reasons: Vec::new(),
            ticket: None,
            before: None,
            customer: None,
            effects: Vec::new(),
        }
    }

    #[test]
    fn what_was_intended_is_open_until_it_is_done_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        {
            let mut store = Store::open(dir.path()).unwrap();
            assert!(store.attempt_first(&[key(1), key(2)]).unwrap());
            assert_eq!(store.attempt(&key(1)).unwrap(), 2);
            for uid in [1, 2] {
                let cursor = Cursor { uid_validity: 7, uid_next: uid + 1, began: crate::time::Timestamp(0) };
                store.intend(&record(uid, MailState::Intended), None, Some(cursor)).unwrap();
            }
            store.update(&record(1, MailState::Done)).unwrap();
            store.commit().unwrap();
        }
        let store = Store::open(dir.path()).unwrap();
        let open = store.open_records(&key(0).folder).unwrap();
        assert_eq!(open.iter().map(|r| r.key.uid).collect::<Vec<_>>(), [2]);
        assert_eq!(store.cursor(&key(0).folder).unwrap().unwrap().uid_next, 3);
        assert_eq!(store.by_identity("support", "hash1").unwrap().unwrap().key.uid, 1);
        assert_eq!(store.find(&["support".into()], &MessageId::new("a@b").unwrap()).unwrap().len(), 2);
    }
}
