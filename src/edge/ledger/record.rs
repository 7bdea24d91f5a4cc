//! The records of the ledger. None of them holds text of a mail.

use serde::{Deserialize, Serialize};

use crate::classify::Verdict;
use crate::decide::{Case, Desk, Keyword, Reason};
use crate::edge::Uid;
use crate::mail::MessageId;
use crate::time::Timestamp;

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FolderKey {
    /// Account name of the config.
    pub account: String,
    /// Folder name.
    pub folder: String,
}

/// A mail in a watched folder, as the server names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailKey {
    /// Where it is.
    #[serde(flatten)]
    pub folder: FolderKey,
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// Its uid.
    pub uid: Uid,
}

/// Up to where a folder has been handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// UIDVALIDITY to which `uid_next` belongs.
    pub uid_validity: u32,
    /// The smallest uid that has not been handled.
    pub uid_next: Uid,
    /// From when on mail in the folder is handled at all.
    pub began: Timestamp,
}

/// How far the handling of a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailState {
    /// Decided; effects are being carried out.
    Intended,
    /// Every effect has an outcome.
    Done,
    /// Handling it failed too often; it was left for a person.
    Quarantined,
    /// Every effect had its outcome, and one came undone: a person has to act.
    Reopened,
}

/// One effect of a decision, without the text it carries: that is composed again from the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Effect {
    /// A draft with this Message-ID.
    SaveDraft {
        /// Message-ID of the draft.
        id: MessageId,
        /// Name of the playbook it follows.
        playbook: String,
        /// An older draft of the thread that it replaces, if nobody edited it.
        replaces: Option<DraftMark>,
    },
    /// The original to a desk.
    Forward {
        /// The desk.
        desk: Desk,
        /// Message-ID of the forward.
        id: MessageId,
        /// The desk's addresses when it was decided.
        to: Vec<String>,
    },
    /// A notice to a desk, without the original.
    Notify {
        /// The desk.
        desk: Desk,
        /// Message-ID of the notice.
        id: MessageId,
        /// The desk's addresses when it was decided.
        to: Vec<String>,
    },
    /// Keywords.
    Tag {
        /// The keywords.
        keywords: Vec<Keyword>,
    },
    /// A move.
    File {
        /// Folder, `/` between levels.
        folder: String,
    },
}

impl Effect {
    /// The Message-ID of what it writes.
    #[must_use]
    pub const fn own_id(&self) -> Option<&MessageId> {
        match self {
            Self::SaveDraft { id, .. } | Self::Forward { id, .. } | Self::Notify { id, .. } => Some(id),
            Self::Tag { .. } | Self::File { .. } => None,
        }
    }
}

/// A draft of ours, recognisable as unedited by its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftMark {
    /// Its Message-ID.
    pub id: MessageId,
    /// Its size in bytes as we saved it.
    pub size: u32,
    /// Its playbook.
    #[serde(default)]
    pub playbook: String,
    /// Its language.
    #[serde(default)]
    pub language: String,
    /// Hashes of its words, to tell how much of it is sent: [`crate::reply::edits`].
    #[serde(default)]
    pub words: Vec<u32>,
}

impl DraftMark {
    /// The mark of a draft with these bytes.
    #[must_use]
    pub fn of(id: &MessageId, bytes: &[u8], draft: &crate::reply::Draft) -> Self {
        Self {
            id: id.clone(),
            size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            playbook: draft.playbook.clone(),
            language: draft.language.to_string(),
            words: own_words(&crate::mail::parse(bytes)),
        }
    }

    /// How far what was sent is from this draft, 0 to 1; `None` when its words are unknown.
    #[must_use]
    pub fn distance(&self, sent: &crate::mail::Mail) -> Option<f32> {
        (!self.words.is_empty()).then(|| crate::reply::edits::distance(&self.words, &own_words(sent)))
    }
}

/// The words of a mail without what it quotes.
fn own_words(mail: &crate::mail::Mail) -> Vec<u32> {
    crate::reply::edits::words(&format!("{}\n{}", mail.new_text, mail.signature))
}

/// What has become of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum EffectState {
    /// Not known to be done.
    Pending,
    /// About to pass the point after which only the server knows whether it is done.
    InFlight,
    /// Done, and the server has said so.
    Done,
    /// Not done, on purpose.
    Skipped(String),
    /// Not done, because a server refuses for good.
    Failed(String),
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SaveDraft { playbook, .. } => write!(f, "draft by playbook {playbook}"),
            Self::Forward { desk, .. } => write!(f, "forward to {desk}"),
            Self::Notify { desk, .. } => write!(f, "tell {desk}"),
            Self::Tag { keywords } => {
                let words: Vec<String> = keywords.iter().map(|keyword| keyword.word()).collect();
                write!(f, "keywords {}", words.join(" "))
            }
            Self::File { folder } => write!(f, "file into {folder}"),
        }
    }
}

impl std::fmt::Display for EffectState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pending => f.write_str("still to do"),
            Self::InFlight => f.write_str("being done, or in doubt"),
            Self::Done => f.write_str("done"),
            Self::Skipped(why) => write!(f, "not done: {why}"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

impl EffectState {
    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped(_) | Self::Failed(_))
    }
}

/// An effect and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRecord {
    /// The effect.
    pub effect: Effect,
    /// What has become of it.
    #[serde(flatten)]
    pub state: EffectState,
}

/// A mail's record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailRecord {
    /// Where it was found.
    pub key: MailKey,
    /// Hash of its header block and size: what it is, wherever it is.
    pub identity: String,
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// Decided at.
    pub decided: Timestamp,
    /// How far it has come.
    pub state: MailState,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Why it was decided so.
    pub reasons: Vec<Reason>,
    /// Number of its ticket.
    pub ticket: Option<String>,
    /// Identity of its sender, where the customer was judged by it.
    #[serde(default)]
    pub customer: Option<String>,
    /// Customer and ticket before it: with them the same draft can be composed again.
    pub before: Option<Case>,
    /// Effects in the order in which they are carried out.
    pub effects: Vec<EffectRecord>,
}
