//! [`Mailbox`] in the words of IMAP.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answer::{Reply, Row};
use super::exec::{quoted, uid_set};
use super::{Imap, ImapError};
use crate::decide::Keyword;
use crate::edge::{EdgeError, FolderState, FoundDraft, Head, Heads, Keywords, Listed, Mailbox, Moved, Uid};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// Most mails listed at once: a uid set of 500 stays under 8 KB, which every server takes.
const LIST_LIMIT: usize = 500;

/// What is asked of a mail to list it.
const LISTED: &str = "RFC822.SIZE INTERNALDATE";

/// Bytes fetched with one command.
const PIECE: u32 = 1024 * 1024;

/// Poll interval where the server has no IDLE.
const POLL: Duration = Duration::from_mins(1);

impl Imap {
    /// Opens a folder without the right to change it, for dry runs.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn examine(&mut self, folder: &str) -> Result<FolderState, ImapError> {
        self.open("EXAMINE", folder).await
    }

    async fn open(&mut self, verb: &str, folder: &str) -> Result<FolderState, ImapError> {
        self.selected = None;
        let command = format!("{verb} {}", self.folders.wire(folder));
        let reply = self.connection.exec(&command).await.map_err(|error| match error {
            ImapError::Refused { why, .. } => ImapError::NoFolder { folder: folder.to_owned(), why },
            other => other,
        })?;
        let mut state = folder_state(&reply);
        if state.uid_next == 0 && state.exists > 0 {
            // UIDNEXT is only recommended: the last mail tells as well
            let last = self.rows("*", "FLAGS").await?.iter().map(|row| row.uid).max().unwrap_or(0);
            state.uid_next = last.saturating_add(1);
        }
        if state.uid_validity == 0 {
            return Err(ImapError::OutOfStep { during: "SELECT" });
        }
        self.selected = Some((folder.to_owned(), state.clone()));
        Ok(state)
    }

    /// Runs a step in another folder and comes back; the folder must still be the same one.
    async fn back_to(&mut self, home: Option<(String, FolderState)>) -> Result<(), ImapError> {
        let Some((folder, before)) = home else { return Ok(()) };
        let now = self.open("SELECT", &folder).await?;
        if now.uid_validity == before.uid_validity {
            Ok(())
        } else {
            Err(ImapError::OutOfStep { during: "SELECT" })
        }
    }

    async fn search(&mut self, criteria: &str) -> Result<Vec<Uid>, ImapError> {
        let reply = self.connection.exec(&format!("UID SEARCH {criteria}")).await?;
        self.news |= reply.exists.is_some();
        let sorted: BTreeSet<Uid> = reply.found.into_iter().collect();
        Ok(sorted.into_iter().collect())
    }

    async fn search_drafts(&mut self, criteria: &str) -> Result<Vec<FoundDraft>, ImapError> {
        let drafts = self.folders.drafts.clone();
        if !self.folders.exists(&drafts) {
            return Ok(Vec::new());
        }
        let home = self.selected.clone();
        self.open("EXAMINE", &drafts).await?;
        let uids = self.search(&format!("NOT DELETED {criteria}")).await?;
        let rows =
            if uids.is_empty() { Vec::new() } else { self.rows(&uid_set(&uids), "RFC822.SIZE").await? };
        self.back_to(home).await?;
        Ok(rows.into_iter().map(|row| FoundDraft { uid: row.uid, size: row.size.unwrap_or(0) }).collect())
    }

    /// Asks for one mail after the other. Those that are refused are listed without a size; where all
    /// of several are, the trouble is the server's and not a mail's.
    async fn list_singly(&mut self, uids: &[Uid], refused: ImapError) -> Result<Vec<Listed>, ImapError> {
        let mut found = Vec::new();
        let mut refusals = 0_usize;
        for uid in uids {
            match self.rows(&uid.to_string(), LISTED).await {
                Ok(rows) => found.extend(rows.iter().filter(|row| row.uid == *uid).filter_map(listed)),
                Err(error) if error.is_refusal() => {
                    refusals += 1;
                    found.push(Listed { uid: *uid, size: None, arrived: None });
                }
                Err(error) => return Err(error),
            }
        }
        if refusals > 1 && refusals == uids.len() { Err(refused) } else { Ok(found) }
    }

    async fn rows(&mut self, set: &str, items: &str) -> Result<Vec<Row>, ImapError> {
        let reply = self.connection.exec(&format!("UID FETCH {set} (UID {items})")).await?;
        self.news |= reply.exists.is_some();
        Ok(reply.rows)
    }

    /// Uids of the newest `count` mails of the selected folder.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn newest(&mut self, count: usize) -> Result<Vec<Uid>, ImapError> {
        let uids = self.search("ALL").await?;
        Ok(uids.iter().rev().take(count).rev().copied().collect())
    }

    async fn expunge(&mut self, uid: Uid) -> Result<bool, ImapError> {
        self.connection.exec(&format!("UID STORE {uid} +FLAGS (\\Deleted)")).await?;
        if !self.can("UIDPLUS") {
            return Ok(false);
        }
        self.connection.exec(&format!("UID EXPUNGE {uid}")).await?;
        Ok(self.rows(&uid.to_string(), "FLAGS").await?.iter().all(|row| row.uid != uid))
    }

    async fn move_or_copy(&mut self, uid: Uid, folder: &str) -> Result<Moved, ImapError> {
        let target = self.folders.wire(folder);
        if !self.can("MOVE") {
            return self.copy_and_expunge(uid, &target).await;
        }
        let reply = self.connection.exec(&format!("UID MOVE {uid} {target}")).await?;
        match reply.copied {
            Some(from) if from.contains(&uid) => Ok(Moved::Done),
            Some(_) => Ok(Moved::Gone),
            None if self.can("UIDPLUS") => Ok(Moved::Gone),
            None if self.rows(&uid.to_string(), "FLAGS").await?.iter().any(|row| row.uid == uid) => {
                Err(ImapError::OutOfStep { during: "UID MOVE" })
            }
            None => Ok(Moved::Done),
        }
    }

    /// COPY, proof, expunge of this one mail (the way before RFC 6851).
    async fn copy_and_expunge(&mut self, uid: Uid, target: &str) -> Result<Moved, ImapError> {
        let reply = self.connection.exec(&format!("UID COPY {uid} {target}")).await?;
        match reply.copied {
            Some(from) if from.contains(&uid) => {
                self.expunge(uid).await?;
                Ok(Moved::Done)
            }
            _ => Ok(Moved::Gone),
        }
    }
}

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
        uids.truncate(LIST_LIMIT);
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let mut listed: Vec<Listed> = match self.rows(&uid_set(&uids), LISTED).await {
            Ok(rows) => rows.iter().filter(|row| row.uid >= from).filter_map(listed).collect(),
            // one mail that cannot be read spoils the whole set on some servers
            Err(refused) if refused.is_refusal() => self.list_singly(&uids, refused).await?,
            Err(error) => return Err(error),
        };
        listed.sort_by_key(|mail| mail.uid);
        listed.dedup_by_key(|mail| mail.uid);
        Ok(listed)
    }

    async fn fetch(&mut self, uid: Uid, cap: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let mut bytes = Vec::new();
        loop {
            // in pieces: each has the time of a command, however slow the line
            let from = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let length = cap.saturating_sub(from).min(PIECE);
            let rows = self.rows(&uid.to_string(), &format!("BODY.PEEK[]<{from}.{length}>")).await?;
            let Some(piece) = rows.into_iter().find(|row| row.uid == uid).and_then(|row| row.body) else {
                return Ok(None);
            };
            bytes.extend_from_slice(&piece);
            let got = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            if got < length || from.saturating_add(got) >= cap {
                return Ok(Some(bytes));
            }
        }
    }

    async fn tag(&mut self, uid: Uid, keywords: &BTreeSet<Keyword>) -> Result<bool, ImapError> {
        let allowed = self.selected.as_ref().map(|(_, state)| &state.keywords);
        let words: Vec<String> = keywords
            .iter()
            .filter(|keyword| allowed.is_none_or(|a| a.allows(**keyword)))
            .map(|keyword| keyword.word())
            .collect();
        if words.is_empty() {
            return Ok(true);
        }
        self.connection.exec(&format!("UID STORE {uid} +FLAGS ({})", words.join(" "))).await?;
        // a STORE to a mail that is gone, or in a read-only folder, is answered OK as well
        let rows = self.rows(&uid.to_string(), "FLAGS").await?;
        let Some(row) = rows.iter().find(|row| row.uid == uid) else { return Ok(false) };
        let set = |word: &String| row.flags.iter().any(|flag| flag.eq_ignore_ascii_case(word));
        if words.iter().all(set) {
            Ok(true)
        } else {
            let why = "it says OK and sets no keyword; is the folder read-only?".into();
            Err(ImapError::Refused { during: "UID STORE", try_create: false, why })
        }
    }

    async fn file(
        &mut self,
        uid: Uid,
        folder: &str,
        maybe_copied: Option<&MessageId>,
    ) -> Result<Moved, ImapError> {
        if !self.can("MOVE") && !self.can("UIDPLUS") {
            return Ok(Moved::Impossible);
        }
        if let Some(id) = maybe_copied.filter(|_| !self.can("MOVE"))
            && self.holds(folder, id).await?
        {
            self.expunge(uid).await?;
            return Ok(Moved::Done);
        }
        self.folders.ensure(&mut self.connection, folder).await?;
        match self.move_or_copy(uid, folder).await {
            Err(ImapError::Refused { try_create: true, .. }) => {
                // somebody has deleted the folder meanwhile
                self.folders.forget(folder);
                self.folders.ensure(&mut self.connection, folder).await?;
                self.move_or_copy(uid, folder).await
            }
            other => other,
        }
    }

    async fn holds(&mut self, folder: &str, id: &MessageId) -> Result<bool, ImapError> {
        if !self.folders.exists(folder) {
            return Ok(false);
        }
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let found = self.search(&by_message_id(id)).await?;
        self.back_to(home).await?;
        Ok(!found.is_empty())
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
        let removed = self.expunge(draft.uid).await?;
        self.back_to(home).await?;
        Ok(removed)
    }

    async fn mark(
        &mut self,
        folder: &str,
        id: &MessageId,
        keywords: &BTreeSet<Keyword>,
        on: bool,
    ) -> Result<bool, ImapError> {
        if !self.folders.exists(folder) {
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
        if !self.folders.exists(folder) {
            return Ok(Moved::Gone);
        }
        let home = self.selected.clone();
        self.open("SELECT", folder).await?;
        let mut moved = Moved::Gone;
        for uid in self.search(&format!("NOT DELETED {}", by_message_id(id))).await? {
            moved = self.move_or_copy(uid, &target).await?;
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
        if !self.folders.exists(folder) {
            return Ok(None);
        }
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let found = self.search(&format!("NOT DELETED {}", by_message_id(id))).await?;
        let bytes = match found.last() {
            Some(uid) => self.fetch(*uid, cap).await?,
            None => None,
        };
        self.back_to(home).await?;
        Ok(bytes)
    }

    async fn heads(
        &mut self,
        folder: &str,
        from: Uid,
        keyword: Option<&str>,
    ) -> Result<Option<Heads>, ImapError> {
        if !self.folders.exists(folder) {
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
        if std::mem::take(&mut self.news) {
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

/// A row as a mail that is there; news about another mail has no size.
fn listed(row: &Row) -> Option<Listed> {
    row.size.map(|size| Listed { uid: row.uid, size: Some(size), arrived: row.arrived })
}

fn by_message_id(id: &MessageId) -> String {
    format!("HEADER Message-ID {}", searchable(id))
}

/// HEADER matches substrings: the angle brackets end the id on both sides. Of an id with other than
/// ASCII characters, which not every server takes in a search, the longest plain part is looked for.
fn searchable(id: &MessageId) -> String {
    if id.as_str().is_ascii() {
        return quoted(&format!("<{}>", id.as_str()));
    }
    let parts = id.as_str().split(|c: char| !c.is_ascii());
    quoted(parts.max_by_key(|part| part.len()).unwrap_or_default())
}

fn folder_state(reply: &Reply) -> FolderState {
    FolderState {
        uid_validity: reply.uid_validity.unwrap_or(0),
        uid_next: reply.uid_next.unwrap_or(0),
        exists: reply.exists.unwrap_or(0),
        read_only: reply.read_only,
        keywords: Keywords {
            any: reply.permanent_flags.iter().any(|flag| flag == "\\*"),
            known: reply.permanent_flags.iter().map(|flag| flag.to_lowercase()).collect(),
        },
    }
}
