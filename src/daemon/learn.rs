//! What agents say by moving mails and changing keywords: found in the queue folders by Message-ID
//! and content, never by uid, so that a mail that was appended anew and expunged was moved, too.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Shared;
use super::plan;
use super::worker::{READ_CAP, WorkError, Worker};
use crate::classify::{Reading, Scratch};
use crate::config::Mode;
use crate::decide::Policy;
use crate::edge::ledger::examples::Seen;
use crate::edge::ledger::{Cursor, FolderKey, LedgerError, MailRecord, Store};
use crate::edge::seal::Seal;
use crate::edge::{EdgeError, Head, Heads, Mailbox, Outbox};
use crate::mail::Mail;
use crate::time::Timestamp;

/// Bytes of text kept of a mail.
const MOST_TEXT: usize = 6_000;

/// Mails that are read in one round for what they said when they were corrected.
const READS: usize = 20;

/// The mail as numbers, to learn from; on a thread of its own, as everything that reads mails.
pub(super) async fn reading(shared: &Shared, mail: &Mail) -> Option<Reading> {
    let policy = shared.policy();
    if policy.book.policy.learning.recent == 0 || shared.mode != Mode::Act {
        return None;
    }
    let (classifier, mail) = (policy.classifier, mail.clone());
    let reading =
        tokio::task::spawn_blocking(move || classifier.reading(&mut Scratch::default(), &mail)).await;
    reading.ok().flatten()
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// One look at the queue folders: what was moved there, which keywords were changed.
    pub(super) async fn look_for_votes(&mut self) -> Result<(), WorkError<M::Error>> {
        let book = self.shared.policy().book;
        let rules = &book.policy.learning;
        let pause = Duration::from_mins(u64::from(rules.look_minutes));
        if !rules.watch || !self.shared.is_time_to_look(&self.account.name, pause) {
            return Ok(());
        }
        let folders: BTreeSet<String> = book.policy.queues.0.values().cloned().collect();
        self.look_for_moves(&folders, &book.policy).await?;
        for folder in &folders {
            self.look_for_keywords(folder, &book.policy).await?;
        }
        self.read_corrected().await
    }

    /// Looks at mails that were not in these folders at the last look. Whatever breaks off is looked at
    /// again: a mail that lies where we know it to be says nothing.
    async fn look_for_moves(
        &mut self,
        folders: &BTreeSet<String>,
        policy: &Policy,
    ) -> Result<(), WorkError<M::Error>> {
        let account = self.account.name.clone();
        let key = move |folder: &String| FolderKey {
            account: account.clone(),
            folder: format!("\\Votes/{folder}"),
        };
        let keys: Vec<FolderKey> = folders.iter().map(key).collect();
        let asked = keys.clone();
        let all =
            move |store: &mut Store| asked.iter().map(|key| store.cursor(key)).collect::<Result<Vec<_>, _>>();
        let cursors = self.shared.ledger.run(all).await.map_err(WorkError::Ledger)?;
        let mut changed = Vec::new();
        for ((folder, key), cursor) in folders.iter().zip(keys).zip(cursors) {
            let from = cursor.map_or(u32::MAX, |cursor| cursor.uid_next);
            let heads = match self.mailbox.heads(folder, from, None).await {
                Err(error) if error.is_refusal() => {
                    tracing::warn!(account = %self.account.name, folder, %error, "a queue folder cannot be looked at");
                    continue;
                }
                other => other.map_err(WorkError::Mailbox)?,
            };
            let (next, mails) = since_last_look(heads, cursor, self.shared.clock.now());
            for head in mails {
                self.look_at(folder, next.uid_validity, head, policy).await?;
            }
            if Some(next) != cursor {
                changed.push((key, next));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let write =
            move |store: &mut Store| changed.iter().try_for_each(|(key, next)| store.set_cursor(key, *next));
        self.shared.ledger.run(write).await.map_err(WorkError::Ledger)
    }

    /// A mail that is new in a queue folder.
    async fn look_at(
        &mut self,
        folder: &str,
        uid_validity: u32,
        head: Head,
        policy: &Policy,
    ) -> Result<(), WorkError<M::Error>> {
        let Some(record) = self.record_of(folder, &head).await? else {
            return self.shared.ledger.run(Store::seen_unknown).await.map_err(WorkError::Ledger);
        };
        let key = FolderKey { account: self.account.name.clone(), folder: folder.to_owned() };
        let (name, policy, now) = (folder.to_owned(), policy.clone(), self.shared.clock.now());
        let hash = record.identity.clone();
        let seen = self
            .shared
            .ledger
            .run(move |store| {
                store.set_place(&key, uid_validity, head.uid, &record.identity)?;
                store.seen_in(&record, &name, &policy, now)
            })
            .await
            .map_err(WorkError::Ledger)?;
        match seen {
            Seen::AtHome => {}
            Seen::Neutral => tracing::debug!(mail.id_hash = %hash, folder, "a move that says nothing"),
            Seen::Vote => tracing::info!(mail.id_hash = %hash, folder, "a move is taken as a correction"),
            Seen::Held => tracing::warn!(mail.id_hash = %hash, folder,
                "many mails were moved at once: their corrections wait for `evenkeel label --confirm-held`"),
        }
        Ok(())
    }

    /// Which of our mails this is: by its Message-ID when only one has it, else by its content.
    async fn record_of(
        &mut self,
        folder: &str,
        head: &Head,
    ) -> Result<Option<MailRecord>, WorkError<M::Error>> {
        let id = crate::mail::parse(&head.fields).message_id;
        let accounts = vec![self.account.name.clone()];
        if let Some(id) = id {
            let mut found = self
                .shared
                .ledger
                .run(move |store| store.find(&accounts, &id))
                .await
                .map_err(WorkError::Ledger)?;
            if found.len() <= 1 {
                return Ok(found.pop());
            }
        }
        let whole = self.mailbox.fetch_in(folder, head.uid, READ_CAP).await.map_err(WorkError::Mailbox)?;
        let Some((bytes, size)) = whole else { return Ok(None) };
        let (account, identity) = (self.account.name.clone(), plan::identity(&bytes, size));
        let known = self.shared.ledger.run(move |store| store.by_identity(&account, &identity)).await;
        known.map_err(WorkError::Ledger)
    }

    async fn look_for_keywords(&mut self, folder: &str, policy: &Policy) -> Result<(), WorkError<M::Error>> {
        let flags = match self.mailbox.flags_in(folder).await {
            Err(error) if error.is_refusal() => return Ok(()),
            other => other.map_err(WorkError::Mailbox)?,
        };
        let Some((uid_validity, flags)) = flags else { return Ok(()) };
        let account = self.account.name.clone();
        let key = FolderKey { account: account.clone(), folder: folder.to_owned() };
        let (rules, now) = (policy.learning.clone(), self.shared.clock.now());
        let votes = self
            .shared
            .ledger
            .run(move |store| {
                let there = flags.iter().map(|(uid, _)| *uid).collect();
                let mut votes = 0_u32;
                for (uid, identity) in store.places(&key, uid_validity, &there)? {
                    let Some((_, set)) = flags.iter().find(|(at, _)| *at == uid) else { continue };
                    if let Some(record) = store.by_identity(&account, &identity)? {
                        votes += u32::from(store.seen_keywords(&record, set, &rules, now)?);
                    }
                }
                Ok(votes)
            })
            .await
            .map_err(WorkError::Ledger)?;
        if votes > 0 {
            tracing::info!(account = %self.account.name, folder, votes, "changed keywords are taken as corrections");
        }
        Ok(())
    }

    /// The key for texts, if the operator wants them kept.
    fn seal(&self) -> Option<Seal> {
        let book = self.shared.policy().book;
        let rules = &book.policy.learning;
        let file = rules.text_key_file.as_ref().filter(|_| rules.keep_text)?;
        Seal::open(file).map_err(|error| tracing::error!(%error, "texts are not kept")).ok()
    }

    /// Corrected mails that are no more among the newest are read where they lie.
    async fn read_corrected(&mut self) -> Result<(), WorkError<M::Error>> {
        let seal = self.seal();
        let texts = seal.is_some();
        let account = self.account.name.clone();
        let unread = self
            .shared
            .ledger
            .run(move |store| store.unread_corrections(&account, texts))
            .await
            .map_err(WorkError::Ledger)?;
        for correction in unread.into_iter().take(READS) {
            let Some(id) = &correction.message_id else { continue };
            let bytes = match self.mailbox.read_in(&correction.place, id, READ_CAP).await {
                Err(error) if error.is_refusal() => continue,
                other => other.map_err(WorkError::Mailbox)?,
            };
            let Some(bytes) = bytes else { continue };
            let (mail, _) = super::fresh::read(self.shared, bytes).await.map_err(WorkError::Ledger)?;
            let reading = reading(self.shared, &mail).await;
            let text = seal.as_ref().and_then(|seal| kept(seal, &correction.identity, &mail));
            let (account, identity) = (correction.account.clone(), correction.identity.clone());
            let write = move |store: &mut Store| -> Result<(), LedgerError> {
                store.set_reading(&account, &identity, reading, text)
            };
            self.shared.ledger.run(write).await.map_err(WorkError::Ledger)?;
        }
        Ok(())
    }
}

/// What is kept of a mail's text: name, subject, new text.
fn kept(seal: &Seal, identity: &str, mail: &Mail) -> Option<String> {
    let name = mail.sender().map_or("", |sender| sender.name.as_str());
    let text = crate::mail::parse::head(&mail.new_text, MOST_TEXT);
    let kept = serde_json::json!({ "name": name, "subject": mail.subject, "text": text });
    seal.seal(identity, &kept.to_string()).ok()
}

/// Mails that were not there at the last look, and up to where this one went. A folder that does not
/// exist yet begins with its first mail, one that does with the next.
fn since_last_look(heads: Option<Heads>, cursor: Option<Cursor>, now: Timestamp) -> (Cursor, Vec<Head>) {
    let began = cursor.map_or(now, |cursor| cursor.began);
    let at = |uid_validity, uid_next| Cursor { uid_validity, uid_next, began };
    match (heads, cursor) {
        (None, None) => (at(0, 1), Vec::new()),
        (None, Some(cursor)) => (cursor, Vec::new()),
        (Some(heads), Some(cursor)) if [0, heads.uid_validity].contains(&cursor.uid_validity) => {
            let next = heads.mails.last().map_or(cursor.uid_next, |head| head.uid.saturating_add(1));
            (at(heads.uid_validity, next), heads.mails)
        }
        (Some(heads), _) => (at(heads.uid_validity, heads.uid_next), Vec::new()),
    }
}
