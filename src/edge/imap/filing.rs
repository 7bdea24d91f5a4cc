//! Changing: claims, keywords, moves. A mail is removed only after its copy was proven.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::answer::Row;
use super::exec::uid_set;
use super::reading::by_message_id;
use super::{Code, Imap, ImapError};
use crate::decide::Keyword;
use crate::edge::{EdgeError, Listed, Moved, Uid};
use crate::mail::MessageId;

/// What the keyword of a claim begins with; the name of the instance follows.
const CLAIM: &str = "ek-by-";

/// Rounds in which mails that somebody has touched or claimed meanwhile are claimed again.
const CLAIM_ROUNDS: u64 = 6;

/// Most of a header that is compared.
const HEADER_CAP: u32 = 256 * 1024;

/// Who claims a mail with this keyword.
pub(super) fn claimant(flag: &str) -> Option<String> {
    flag.to_lowercase().strip_prefix(CLAIM).map(str::to_owned)
}

/// How long to wait before a mail is claimed again: 20 to 220 ms, another time for each instance.
fn claim_pause(who: &str, round: u64) -> Duration {
    let spread = who.bytes().fold(round, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(20 + spread % 200)
}

impl Imap {
    /// See [`crate::edge::Mailbox::claim`]. A claim is set and then looked at: whoever was second sees
    /// both, takes its own back and tries again a moment later, unless the other one stays. With
    /// CONDSTORE (RFC 7162 §3.1.3) the server refuses most second claims itself; Dovecot lets one
    /// through when nothing has changed since the session last looked.
    pub(super) async fn claim_set(
        &mut self,
        mails: &[Listed],
        who: &str,
    ) -> Result<BTreeSet<Uid>, ImapError> {
        let mut wanted: BTreeSet<Uid> = mails.iter().map(|mail| mail.uid).collect();
        let keyword = format!("{CLAIM}{who}");
        let can = self.selected.as_ref().is_some_and(|(_, state)| {
            !state.read_only && (state.keywords.any || state.keywords.known.contains(&keyword))
        });
        if !can {
            return Ok(wanted);
        }
        let foreign = |row: &Row| row.flags.iter().filter_map(|flag| claimant(flag)).any(|by| by != who);
        let conditional = self.can("CONDSTORE");
        let mut newest = mails.iter().filter_map(|mail| mail.modseq).max();
        let mut ours = BTreeSet::new();
        for round in 0..CLAIM_ROUNDS {
            if round > 0 && !wanted.is_empty() {
                tokio::time::sleep(claim_pause(who, round)).await;
                let rows = self.rows(&uid_set(&wanted), self.claim_items()).await?;
                wanted.retain(|uid| rows.iter().any(|row| row.uid == *uid && !foreign(row)));
                newest = rows.iter().filter_map(|row| row.modseq).max();
            }
            // a set of none is no valid command
            if wanted.is_empty() {
                break;
            }
            let unless = newest.filter(|_| conditional);
            let unless = unless.map_or_else(String::new, |newest| format!("(UNCHANGEDSINCE {newest}) "));
            let uids: Vec<Uid> = wanted.iter().copied().collect();
            let (stored, modified) = self.store_flags(&uids, &format!("{unless}+FLAGS ({keyword})")).await?;
            // somebody has touched these: a person perhaps, so they are looked at again
            wanted = modified;
            let mut contested = BTreeSet::new();
            for row in stored.values().filter(|row| !wanted.contains(&row.uid)) {
                let of = if foreign(row) { &mut contested } else { &mut ours };
                of.insert(row.uid);
            }
            if !contested.is_empty() {
                let set = uid_set(&contested);
                self.connection.exec(&format!("UID STORE {set} -FLAGS.SILENT ({keyword})")).await?;
                wanted.append(&mut contested);
            }
        }
        Ok(ours)
    }

    /// STORE: the flags that each mail has after it, from the answer, and for those that the server did
    /// not show from a look at them; and those that it has left as they were. Who is gone is in neither.
    async fn store_flags(
        &mut self,
        uids: &[Uid],
        wish: &str,
    ) -> Result<(BTreeMap<Uid, Row>, BTreeSet<Uid>), ImapError> {
        let reply = self.connection.exec(&format!("UID STORE {} {wish}", uid_set(uids))).await?;
        let modified: BTreeSet<Uid> = reply.modified.into_iter().filter(|uid| uids.contains(uid)).collect();
        let mut rows: BTreeMap<Uid, Row> = reply.rows.into_iter().map(|row| (row.uid, row)).collect();
        let untold = |uid: &&Uid| !rows.contains_key(uid) && !modified.contains(uid);
        let untold: Vec<Uid> = uids.iter().filter(untold).copied().collect();
        if !untold.is_empty() {
            rows.extend(self.rows(&uid_set(&untold), "FLAGS").await?.into_iter().map(|row| (row.uid, row)));
        }
        // what came along is news about other mails
        rows.retain(|uid, _| uids.contains(uid));
        Ok((rows, modified))
    }

    fn claim_items(&self) -> &'static str {
        if self.can("CONDSTORE") { "FLAGS MODSEQ" } else { "FLAGS" }
    }

    /// See [`crate::edge::Mailbox::tag`].
    pub(super) async fn tag_set(
        &mut self,
        uids: &[Uid],
        keywords: &BTreeSet<Keyword>,
    ) -> Result<BTreeSet<Uid>, ImapError> {
        let allowed = self.selected.as_ref().map(|(_, state)| &state.keywords);
        let words: Vec<String> = keywords
            .iter()
            .filter(|keyword| allowed.is_none_or(|a| a.allows(**keyword)))
            .map(|keyword| keyword.word())
            .collect();
        if words.is_empty() || uids.is_empty() {
            return Ok(uids.iter().copied().collect());
        }
        // a STORE to a mail that is gone, or in a read-only folder, is answered OK as well
        let (rows, _) = self.store_flags(uids, &format!("+FLAGS ({})", words.join(" "))).await?;
        let has = |row: &Row, word: &String| row.flags.iter().any(|flag| flag.eq_ignore_ascii_case(word));
        if rows.values().all(|row| words.iter().all(|word| has(row, word))) {
            Ok(rows.into_keys().collect())
        } else {
            let why = "it says OK and sets no keyword; is the folder read-only?".into();
            Err(ImapError::Refused { during: "UID STORE", code: Code::Other, why })
        }
    }

    /// Deletes these mails and no others; which of them are still there.
    pub(super) async fn expunge(&mut self, uids: &[Uid]) -> Result<BTreeSet<Uid>, ImapError> {
        let set = uid_set(uids);
        if !self.can("UIDPLUS") {
            // a plain EXPUNGE would take whatever a person has marked as deleted along
            return Ok(uids.iter().copied().collect());
        }
        self.connection.exec(&format!("UID STORE {set} +FLAGS (\\Deleted)")).await?;
        self.connection.exec(&format!("UID EXPUNGE {set}")).await?;
        let rows = self.rows(&set, "FLAGS").await?;
        Ok(rows.iter().map(|row| row.uid).filter(|uid| uids.contains(uid)).collect())
    }

    /// Moves mails of the selected folder; what has become of each.
    pub(super) async fn move_set(
        &mut self,
        uids: &[Uid],
        folder: &str,
    ) -> Result<BTreeMap<Uid, Moved>, ImapError> {
        let target = self.folders.wire(folder);
        let set = uid_set(uids);
        let has_move = self.can("MOVE");
        let verb = if has_move { "UID MOVE" } else { "UID COPY" };
        let reply = self.connection.exec(&format!("{verb} {set} {target}")).await?;
        let proven = reply.copied.unwrap_or_default();
        let outcome = |uid: &Uid| if proven.contains(uid) { Moved::Done } else { Moved::Gone };
        let mut moved: BTreeMap<Uid, Moved> = uids.iter().map(|uid| (*uid, outcome(uid))).collect();
        if !has_move {
            let copied: Vec<Uid> = uids.iter().copied().filter(|uid| proven.contains(uid)).collect();
            if !copied.is_empty() {
                self.expunge(&copied).await?;
            }
        } else if !self.can("UIDPLUS") {
            // without COPYUID only a look tells
            let rows = self.rows(&set, "FLAGS").await?;
            if rows.iter().any(|row| uids.contains(&row.uid)) {
                return Err(ImapError::OutOfStep { during: "UID MOVE" });
            }
            for one in moved.values_mut() {
                *one = Moved::Done;
            }
        }
        Ok(moved)
    }

    /// Moves mails, with the folder created where somebody has deleted it meanwhile.
    pub(super) async fn move_or_create(
        &mut self,
        uids: &[Uid],
        folder: &str,
    ) -> Result<BTreeMap<Uid, Moved>, ImapError> {
        self.folders.ensure(&mut self.connection, folder).await?;
        match self.move_set(uids, folder).await {
            Err(ImapError::Refused { code: Code::TryCreate, .. }) => {
                self.folders.forget(folder);
                self.folders.ensure(&mut self.connection, folder).await?;
                self.move_set(uids, folder).await
            }
            other => other,
        }
    }

    /// Whether the mail `uid` of the selected folder is in `folder` as well: same size, same header.
    /// A Message-ID alone proves nothing, senders reuse them.
    pub(super) async fn copy_exists(&mut self, uid: Uid, folder: &str) -> Result<bool, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(false);
        }
        let items = format!("RFC822.SIZE BODY.PEEK[HEADER]<0.{HEADER_CAP}>");
        let rows = self.rows(&uid.to_string(), &items).await?;
        let Some(original) = rows.into_iter().find(|row| row.uid == uid) else { return Ok(false) };
        let (Some(size), Some(header)) = (original.size, original.body) else { return Ok(false) };
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let (under, over) = (size.saturating_sub(1), size.saturating_add(1));
        let uids = self.search(&format!("NOT DELETED LARGER {under} SMALLER {over}")).await?;
        let mut found = false;
        for some in uids.chunks(100) {
            let rows = self.rows(&uid_set(some), &items).await?;
            found |= rows.iter().any(|row| row.size == Some(size) && row.body.as_ref() == Some(&header));
        }
        self.back_to(home).await?;
        Ok(found)
    }

    pub(super) async fn has_message_id(&mut self, folder: &str, id: &MessageId) -> Result<bool, ImapError> {
        if !self.folders.finds(&mut self.connection, folder).await? {
            return Ok(false);
        }
        let home = self.selected.clone();
        self.open("EXAMINE", folder).await?;
        let found = self.search(&by_message_id(id)).await?;
        self.back_to(home).await?;
        Ok(!found.is_empty())
    }

    /// See [`crate::edge::Mailbox::file`].
    pub(super) async fn file_set(
        &mut self,
        uids: &[Uid],
        folder: &str,
        again: bool,
    ) -> Result<BTreeMap<Uid, Moved>, ImapError> {
        let mut filed = BTreeMap::new();
        if !self.can("MOVE") && !self.can("UIDPLUS") {
            filed.extend(uids.iter().map(|uid| (*uid, Moved::Impossible)));
            return Ok(filed);
        }
        let mut left: Vec<Uid> = Vec::new();
        for uid in uids {
            // a server that was killed in a MOVE may have left the mail in both
            if again && self.can("UIDPLUS") && self.copy_exists(*uid, folder).await? {
                self.expunge(&[*uid]).await?;
                filed.insert(*uid, Moved::Done);
            } else {
                left.push(*uid);
            }
        }
        if left.is_empty() {
            return Ok(filed);
        }
        match self.move_or_create(&left, folder).await {
            Ok(moved) => filed.extend(moved),
            // perhaps only one of them is to blame
            Err(error) if left.len() > 1 && matches!(error, ImapError::Refused { .. }) => {
                for uid in left {
                    let moved = match self.move_or_create(&[uid], folder).await {
                        Err(error) if error.is_refusal() => Moved::Refused(error.to_string(), error.retry()),
                        moved => moved?.get(&uid).cloned().unwrap_or(Moved::Gone),
                    };
                    filed.insert(uid, moved);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(filed)
    }
}
