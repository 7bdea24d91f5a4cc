//! Looking: opening a folder, searching, fetching. Nothing here changes a mail.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Reply, Row};
use super::exec::{quoted, uid_set};
use super::{Imap, ImapError};
use crate::decide::Keyword;
use crate::edge::{EdgeError, FolderState, FoundDraft, Keywords, Listed, Uid};
use crate::mail::MessageId;

/// Most mails listed at once: a uid set of 500 stays under 8 KB, which every server takes.
pub(super) const LIST_LIMIT: usize = 500;

/// Bytes fetched with one command.
const PIECE: u32 = 1024 * 1024;

impl Imap {
    /// Opens a folder without the right to change it, for dry runs.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn examine(&mut self, folder: &str) -> Result<FolderState, ImapError> {
        self.open("EXAMINE", folder).await
    }

    pub(super) async fn open(&mut self, verb: &str, folder: &str) -> Result<FolderState, ImapError> {
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
    pub(super) async fn back_to(&mut self, home: Option<(String, FolderState)>) -> Result<(), ImapError> {
        let Some((folder, before)) = home else { return Ok(()) };
        let now = self.open("SELECT", &folder).await?;
        // it came in while another folder was selected
        self.connection.news |= now.uid_next > before.uid_next;
        if now.uid_validity == before.uid_validity {
            Ok(())
        } else {
            Err(ImapError::OutOfStep { during: "SELECT" })
        }
    }

    pub(super) async fn search(&mut self, criteria: &str) -> Result<Vec<Uid>, ImapError> {
        let reply = self.connection.exec(&format!("UID SEARCH {criteria}")).await?;
        let sorted: BTreeSet<Uid> = reply.found.into_iter().collect();
        // no server has got so far; one that says so would keep us going round for ever
        if sorted.contains(&0) || sorted.contains(&Uid::MAX) {
            return Err(ImapError::OutOfStep { during: "UID SEARCH" });
        }
        Ok(sorted.into_iter().collect())
    }

    pub(super) async fn search_drafts(&mut self, criteria: &str) -> Result<Vec<FoundDraft>, ImapError> {
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

    /// FETCH of `set`; rows that the server sends unasked are news about other mails.
    pub(super) async fn rows(&mut self, set: &str, items: &str) -> Result<Vec<Row>, ImapError> {
        let reply = self.connection.exec(&format!("UID FETCH {set} (UID {items})")).await?;
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

    /// What is asked of a mail to list it.
    fn listed_items(&self) -> &'static str {
        if self.can("CONDSTORE") {
            "RFC822.SIZE INTERNALDATE FLAGS MODSEQ"
        } else {
            "RFC822.SIZE INTERNALDATE FLAGS"
        }
    }

    pub(super) async fn list_set(&mut self, uids: &[Uid]) -> Result<Vec<Listed>, ImapError> {
        let mut listed: Vec<Listed> = match self.rows(&uid_set(uids), self.listed_items()).await {
            Ok(rows) => {
                let asked = rows.iter().filter(|row| uids.binary_search(&row.uid).is_ok());
                asked.filter_map(listed).collect()
            }
            // one mail that cannot be read spoils the whole set on some servers
            Err(refused) if refused.is_refusal() => self.list_singly(uids, refused).await?,
            Err(error) => return Err(error),
        };
        listed.sort_by_key(|mail| mail.uid);
        listed.dedup_by_key(|mail| mail.uid);
        Ok(listed)
    }

    /// Asks for one mail after the other. Those that are refused are listed without a size; where all
    /// of several are, the trouble is the server's and not a mail's.
    async fn list_singly(&mut self, uids: &[Uid], refused: ImapError) -> Result<Vec<Listed>, ImapError> {
        let mut found = Vec::new();
        let mut refusals = 0_usize;
        for uid in uids {
            match self.rows(&uid.to_string(), self.listed_items()).await {
                Ok(rows) => {
                    found.extend(rows.iter().filter(|row| row.uid == *uid).filter_map(listed));
                }
                Err(error) if error.is_refusal() => {
                    refusals += 1;
                    found.push(Listed { uid: *uid, ..Listed::default() });
                }
                Err(error) => return Err(error),
            }
        }
        if refusals > 1 && refusals == uids.len() { Err(refused) } else { Ok(found) }
    }

    pub(super) async fn fetch_one(&mut self, uid: Uid, cap: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let mut bytes = Vec::new();
        loop {
            // in pieces: each has the time of a command, however slow the line
            let from = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let length = cap.saturating_sub(from).min(PIECE);
            let rows = self.rows(&uid.to_string(), &format!("BODY.PEEK[]<{from}.{length}>")).await?;
            let Some(piece) = body_of(rows, uid)? else { return Ok(None) };
            bytes.extend_from_slice(&piece);
            let got = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            if got < length || from.saturating_add(got) >= cap {
                return Ok(Some(bytes));
            }
        }
    }

    pub(super) async fn fetch_many(
        &mut self,
        uids: &[Uid],
        cap: u32,
    ) -> Result<BTreeMap<Uid, Vec<u8>>, ImapError> {
        let rows = self.rows(&uid_set(uids), &format!("BODY.PEEK[]<0.{cap}>")).await?;
        let mut bodies = BTreeMap::new();
        for row in rows.into_iter().filter(|row| uids.contains(&row.uid)) {
            let Some(body) = row.body else { continue };
            if bodies.insert(row.uid, body).is_some() {
                return Err(ImapError::OutOfStep { during: "UID FETCH" });
            }
        }
        Ok(bodies)
    }
}

/// The body of one mail. A server that sends two different ones is not believed either.
fn body_of(rows: Vec<Row>, uid: Uid) -> Result<Option<Vec<u8>>, ImapError> {
    let mut bodies = rows.into_iter().filter(|row| row.uid == uid).filter_map(|row| row.body);
    let first = bodies.next();
    if bodies.any(|other| Some(&other) != first.as_ref()) {
        return Err(ImapError::OutOfStep { during: "UID FETCH" });
    }
    Ok(first)
}

/// A row as a mail that is there; news about another mail has no size.
fn listed(row: &Row) -> Option<Listed> {
    let claimed_by: BTreeSet<String> =
        row.flags.iter().filter_map(|flag| super::filing::claimant(flag)).collect();
    // servers keep the case in which a keyword was set first; a claim says only that handling was begun
    let is_ours = |flag: &String| Keyword::from_word(&flag.to_lowercase()).is_some();
    let tagged = row.flags.iter().any(|flag| is_ours(flag) && super::filing::claimant(flag).is_none());
    let (uid, arrived, modseq) = (row.uid, row.arrived, row.modseq);
    Some(Listed { uid, size: Some(row.size?), arrived, modseq, claimed_by, tagged })
}

pub(super) fn by_message_id(id: &MessageId) -> String {
    format!("HEADER Message-ID {}", searchable(id))
}

/// HEADER matches substrings: the angle brackets end the id on both sides. Of an id with other than
/// ASCII characters, which not every server takes in a search, the longest plain part is looked for.
pub(super) fn searchable(id: &MessageId) -> String {
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
