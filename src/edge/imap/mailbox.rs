//! [`Mailbox`] in the words of IMAP.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::exec::uid_set;
use super::reading::{LIST_LIMIT, by_message_id, searchable};
use super::{Imap, ImapError};
use crate::decide::Keyword;
use crate::edge::{FolderFlags, FolderState, FoundDraft, Head, Heads, Listed, Mailbox, Moved, Uid};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// Listings put together at once: a backlog is then handled without a break, and little is known of mails
/// that wait.
const LISTINGS: usize = 8;

/// Poll interval where the server has no IDLE.
const POLL: Duration = Duration::from_mins(1);

impl Mailbox for Imap {
    type Error = ImapError;

    async fn select(&mut self, folder: &str) -> Result<FolderState, ImapError> {
        self.open("SELECT", folder).await
    }

    async fn since(&mut self, at: Timestamp) -> Result<Option<Uid>, ImapError> {
        // SINCE compares dates in the server's zone: the listing's INTERNALDATE decides the hour
        let Ok(day) = jiff::Timestamp::from_second(at.0) else { return Ok(None) };
        let day = (day - jiff::SignedDuration::from_hours(14)).to_zoned(jiff::tz::TimeZone::UTC);
        let uids = self.search(&format!("SINCE {}", day.strftime("%-d-%b-%Y"))).await?;
        for some in uids.chunks(LIST_LIMIT) {
            let rows = self.rows(&uid_set(some), "INTERNALDATE").await?;
            let young = rows.iter().filter(|row| row.arrived.is_none_or(|arrived| arrived >= at));
            if let Some(first) = young.map(|row| row.uid).min() {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    async fn list(&mut self, from: Uid) -> Result<Vec<Listed>, ImapError> {
        let mut uids = self.search(&format!("UID {from}:*")).await?;
        // `n:*` always includes the last mail, also when its uid is below n
        uids.retain(|uid| *uid >= from);
        let mut listed = Vec::new();
        for some in uids.chunks(LIST_LIMIT).take(LISTINGS) {
            listed.append(&mut self.list_set(some).await?);
        }
        Ok(listed)
    }

    async fn claim(&mut self, mails: &[Listed], who: &str) -> Result<BTreeSet<Uid>, ImapError> {
        self.claim_set(mails, who).await
    }

    async fn fetch(&mut self, uid: Uid, cap: u32) -> Result<Option<Vec<u8>>, ImapError> {
        self.fetch_one(uid, cap).await
    }

    async fn fetch_set(&mut self, uids: &[Uid], cap: u32) -> Result<BTreeMap<Uid, Vec<u8>>, ImapError> {
        self.fetch_many(uids, cap).await
    }

    async fn tag(&mut self, uids: &[Uid], keywords: &BTreeSet<Keyword>) -> Result<BTreeSet<Uid>, ImapError> {
        self.tag_set(uids, keywords).await
    }

    async fn file(
        &mut self,
        uids: &[Uid],
        folder: &str,
        again: bool,
    ) -> Result<BTreeMap<Uid, Moved>, ImapError> {
        self.file_set(uids, folder, again).await
    }

    async fn holds(&mut self, folder: &str, id: &MessageId) -> Result<bool, ImapError> {
        self.has_message_id(folder, id).await
    }

    async fn save_draft(&mut self, message: &[u8]) -> Result<(), ImapError> {
        let drafts = self.folders.drafts.clone();
        self.folders.ensure(&mut self.connection, &drafts).await?;
        let command = format!("APPEND {} (\\Draft)", self.folders.wire(&drafts));
        self.connection.exec_literal(&command, message).await?;
        Ok(())
    }

    async fn find_draft(&mut self, id: &MessageId) -> Result<Option<FoundDraft>, ImapError> {
        Ok(self.search_drafts(&by_message_id(id)).await?.pop())
    }

    async fn drafts_about(&mut self, id: &MessageId) -> Result<Vec<FoundDraft>, ImapError> {
        let id = searchable(id);
        self.search_drafts(&format!("OR HEADER In-Reply-To {id} HEADER References {id}")).await
    }

    async fn remove_draft(&mut self, draft: FoundDraft) -> Result<bool, ImapError> {
        let drafts = self.folders.drafts.clone();
        let home = self.selected.clone();
        self.open("SELECT", &drafts).await?;
        let left = self.expunge(&[draft.uid]).await?;
        self.back_to(home).await?;
        Ok(left.is_empty())
    }

    async fn mark(
        &mut self,
        folder: &str,
        id: &MessageId,
        keywords: &BTreeSet<Keyword>,
        on: bool,
    ) -> Result<bool, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(false);
        }
        let home = self.selected.clone();
        let state = self.open("SELECT", folder).await?;
        let words: Vec<String> = keywords
            .iter()
            .filter(|keyword| state.keywords.allows(**keyword))
            .map(|keyword| keyword.word())
            .collect();
        let uids = self.search(&format!("NOT DELETED {}", by_message_id(id))).await?;
        if !uids.is_empty() && !words.is_empty() {
            let sign = if on { '+' } else { '-' };
            let set = uid_set(&uids);
            self.connection.exec(&format!("UID STORE {set} {sign}FLAGS ({})", words.join(" "))).await?;
        }
        self.back_to(home).await?;
        Ok(!uids.is_empty())
    }

    async fn bring_back(&mut self, folder: &str, id: &MessageId) -> Result<Moved, ImapError> {
        let Some((target, _)) = self.selected.clone() else {
            return Err(ImapError::OutOfStep { during: "UID MOVE" });
        };
        if !self.can("MOVE") && !self.can("UIDPLUS") {
            return Ok(Moved::Impossible);
        }
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(Moved::Gone);
        }
        let home = self.selected.clone();
        self.open("SELECT", folder).await?;
        let mut moved = Moved::Gone;
        for uid in self.search(&format!("NOT DELETED {}", by_message_id(id))).await? {
            moved = self.move_set(&[uid], &target).await?.remove(&uid).unwrap_or(Moved::Gone);
        }
        self.back_to(home).await?;
        Ok(moved)
    }

    async fn read_in(
        &mut self,
        folder: &str,
        id: &MessageId,
        cap: u32,
    ) -> Result<Option<Vec<u8>>, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(None);
        }
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let found = self.search(&format!("NOT DELETED {}", by_message_id(id))).await?;
        let bytes = match found.last() {
            Some(uid) => self.fetch_one(*uid, cap).await?,
            None => None,
        };
        self.back_to(home).await?;
        Ok(bytes)
    }

    async fn fetch_in(
        &mut self,
        folder: &str,
        uid: Uid,
        cap: u32,
    ) -> Result<Option<(Vec<u8>, u32)>, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(None);
        }
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let rows = self.rows(&uid.to_string(), "RFC822.SIZE").await?;
        let size = rows.iter().find(|row| row.uid == uid).and_then(|row| row.size);
        let bytes = self.fetch(uid, cap).await?;
        self.back_to(home).await?;
        Ok(bytes.zip(size))
    }

    async fn flags_in(&mut self, folder: &str) -> Result<Option<FolderFlags>, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(None);
        }
        let home = self.selected.clone();
        let state = self.open("EXAMINE", folder).await?;
        let mut uids = self.search("NOT DELETED").await?;
        let newest = uids.split_off(uids.len().saturating_sub(LIST_LIMIT));
        let rows = if newest.is_empty() { Vec::new() } else { self.rows(&uid_set(&newest), "FLAGS").await? };
        self.back_to(home).await?;
        let flags = rows.into_iter().map(|row| (row.uid, row.flags.into_iter().collect()));
        Ok(Some((state.uid_validity, flags.collect())))
    }

    async fn heads(
        &mut self,
        folder: &str,
        from: Uid,
        keyword: Option<&str>,
    ) -> Result<Option<Heads>, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(None);
        }
        let home = self.selected.clone();
        let state = self.open("EXAMINE", folder).await?;
        let mut heads =
            Heads { uid_validity: state.uid_validity, uid_next: state.uid_next, mails: Vec::new() };
        // a keyword that the folder does not know is refused by some servers
        let known = keyword
            .is_none_or(|word| state.keywords.any || state.keywords.known.contains(&word.to_lowercase()));
        if known && from < state.uid_next {
            let with = keyword.map(|word| format!(" KEYWORD {word}")).unwrap_or_default();
            let mut uids = self.search(&format!("UID {from}:*{with}")).await?;
            uids.retain(|uid| *uid >= from);
            uids.truncate(LIST_LIMIT);
            if !uids.is_empty() {
                let items = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID IN-REPLY-TO REFERENCES SUBJECT FROM DATE)]";
                let rows = self.rows(&uid_set(&uids), items).await?;
                heads.mails = rows
                    .into_iter()
                    .filter_map(|row| Some(Head { uid: row.uid, fields: row.body? }))
                    .collect();
                heads.mails.sort_by_key(|head| head.uid);
            }
        }
        self.back_to(home).await?;
        Ok(Some(heads))
    }

    fn sent_folder(&self) -> Option<String> {
        self.folders.sent.clone()
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), ImapError> {
        if std::mem::take(&mut self.connection.news) {
            // reported with an earlier answer: IDLE would not say it again
            return Ok(());
        }
        if self.can("IDLE") {
            self.connection.idle(at_most).await?;
        } else {
            tokio::time::sleep(at_most.min(POLL)).await;
            self.connection.exec("NOOP").await?;
        }
        Ok(())
    }
}
