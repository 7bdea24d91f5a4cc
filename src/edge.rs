//! The edges: everything that touches the world, behind four narrow traits.

pub mod clock;
pub mod control;
pub mod http;
pub mod imap;
pub mod ledger;
pub mod login;
pub mod metrics;
pub mod models;
pub mod outgoing;
mod said;
pub mod seal;
pub mod smtp;
pub mod systemd;
pub mod token;
pub mod webhook;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use crate::decide::Keyword;
use crate::mail::MessageId;
use crate::time::Timestamp;

/// A unique identifier of RFC 9051 §2.3.1.1.
pub type Uid = u32;

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The cause may pass by itself.
    Later,
    /// Somebody must change something first.
    Never,
}

/// Kinds of trouble with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The line: not reachable, silent, cut, busy.
    Line,
    /// The login.
    Login,
    /// The certificate, or no TLS.
    Tls,
    /// The folder cannot be opened.
    Folder,
    /// The config or a file it names.
    Setup,
}

/// The state of a selected folder.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FolderState {
    /// UIDVALIDITY (RFC 9051 §2.3.1.1).
    pub uid_validity: u32,
    /// UIDNEXT: the smallest uid a new mail can get.
    pub uid_next: Uid,
    /// How many mails there are.
    pub exists: u32,
    /// Whether the folder cannot be changed.
    pub read_only: bool,
    /// Keywords that can be set for good (PERMANENTFLAGS).
    pub keywords: Keywords,
}

/// What a folder says about keywords in PERMANENTFLAGS.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Keywords {
    /// Whether new keywords can be created (`\*`).
    pub any: bool,
    /// Keywords that exist already.
    pub known: BTreeSet<String>,
}

impl Keywords {
    /// Whether `keyword` can be set here.
    #[must_use]
    pub fn allows(&self, keyword: Keyword) -> bool {
        self.any || self.known.contains(&keyword.word())
    }
}

/// A mail as the server lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its uid.
    pub uid: Uid,
    /// RFC822.SIZE in bytes; `None` when the server refuses to tell.
    pub size: Option<u32>,
    /// INTERNALDATE.
    pub arrived: Option<Timestamp>,
    /// MODSEQ, where the server counts changes.
    pub modseq: Option<u64>,
    /// Names of the instances that have claimed it.
    pub claimed_by: BTreeSet<String>,
    /// Whether it carries a keyword of ours.
    pub tagged: bool,
}

/// Where a moved or appended mail ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is in the target folder: proven by COPYUID, APPENDUID or a look.
    Done,
    /// The mail was gone before we came: a person was faster.
    Gone,
    /// The server can neither move nor expunge a single mail: it was left where it was.
    Impossible,
    /// Of several, the server refuses this one, with these words.
    Refused(String, Retry),
}

/// A person's mailbox on an IMAP server. One implementation speaks IMAP, one in the tests is made
/// of lists.
pub trait Mailbox: Send {
    /// The error of this edge.
    type Error: EdgeError;

    /// Opens `folder` for change, and says what it is like.
    fn select(&mut self, folder: &str) -> impl Future<Output = Result<FolderState, Self::Error>> + Send;

    /// The smallest uid among the mails that arrived at `at` or later.
    fn since(&mut self, at: Timestamp) -> impl Future<Output = Result<Option<Uid>, Self::Error>> + Send;

    /// Lists mails of the selected folder with a uid of at least `from`, in ascending order,
    /// perhaps only the first some hundred.
    fn list(&mut self, from: Uid) -> impl Future<Output = Result<Vec<Listed>, Self::Error>> + Send;

    /// The first `cap` bytes of a mail, unseen as before; `None` when it is gone.
    fn fetch(
        &mut self,
        uid: Uid,
        cap: u32,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// The first `cap` bytes of several mails, of at most some mebibytes together; those that are
    /// gone are missing.
    fn fetch_set(
        &mut self,
        uids: &[Uid],
        cap: u32,
    ) -> impl Future<Output = Result<BTreeMap<Uid, Vec<u8>>, Self::Error>> + Send;

    /// Claims listed mails for the instance `who`, so that another evenkeel leaves them alone; those
    /// that it may handle. Where a server can hold no claim all of them are.
    fn claim(
        &mut self,
        mails: &[Listed],
        who: &str,
    ) -> impl Future<Output = Result<BTreeSet<Uid>, Self::Error>> + Send;

    /// Adds keywords to mails; those that are there and have them.
    fn tag(
        &mut self,
        uids: &[Uid],
        keywords: &BTreeSet<Keyword>,
    ) -> impl Future<Output = Result<BTreeSet<Uid>, Self::Error>> + Send;

    /// Moves mails to `folder`, which is created when it does not exist; what has become of each.
    /// With `again` an earlier attempt may have got half way: where the same mail, header and size,
    /// is in `folder` already, no second copy is made.
    fn file(
        &mut self,
        uids: &[Uid],
        folder: &str,
        again: bool,
    ) -> impl Future<Output = Result<BTreeMap<Uid, Moved>, Self::Error>> + Send;

    /// Whether a mail with this Message-ID is in `folder`. A refused search is an error, never `false`.
    fn holds(
        &mut self,
        folder: &str,
        id: &MessageId,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Saves a draft in the folder with the special use `\Drafts`.
    fn save_draft(&mut self, message: &[u8]) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The draft with this Message-ID, if it is still in Drafts.
    fn find_draft(
        &mut self,
        id: &MessageId,
    ) -> impl Future<Output = Result<Option<FoundDraft>, Self::Error>> + Send;

    /// Drafts that answer or refer to the mail with this Message-ID.
    fn drafts_about(
        &mut self,
        id: &MessageId,
    ) -> impl Future<Output = Result<Vec<FoundDraft>, Self::Error>> + Send;

    /// Removes the draft with this uid from Drafts, and only it.
    fn remove_draft(&mut self, draft: FoundDraft) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Adds or takes off keywords of the mail with this Message-ID in `folder`; `false` when it is
    /// not there.
    fn mark(
        &mut self,
        folder: &str,
        id: &MessageId,
        keywords: &BTreeSet<Keyword>,
        on: bool,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Moves the mail with this Message-ID from `folder` into the selected one.
    fn bring_back(
        &mut self,
        folder: &str,
        id: &MessageId,
    ) -> impl Future<Output = Result<Moved, Self::Error>> + Send;

    /// The first `cap` bytes of the mail with this Message-ID in `folder`.
    fn read_in(
        &mut self,
        folder: &str,
        id: &MessageId,
        cap: u32,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// The first `cap` bytes and the size of the mail with this uid in `folder`.
    fn fetch_in(
        &mut self,
        folder: &str,
        uid: Uid,
        cap: u32,
    ) -> impl Future<Output = Result<Option<(Vec<u8>, u32)>, Self::Error>> + Send;

    /// UIDVALIDITY of `folder`, and the flags of its newest mails by uid; `None` when there is no such
    /// folder.
    fn flags_in(
        &mut self,
        folder: &str,
    ) -> impl Future<Output = Result<Option<FolderFlags>, Self::Error>> + Send;

    /// The heads of mails in `folder` with a uid of at least `from`, perhaps only the first some
    /// hundred; with `keyword`, only of those that have it. `None` when there is no such folder.
    fn heads(
        &mut self,
        folder: &str,
        from: Uid,
        keyword: Option<&str>,
    ) -> impl Future<Output = Result<Option<Heads>, Self::Error>> + Send;

    /// The folder into which mail clients put what was sent, if there is one.
    fn sent_folder(&self) -> Option<String>;

    /// Returns when something may have changed in the selected folder, or after `at_most`.
    fn wait(&mut self, at_most: Duration) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// UIDVALIDITY of a folder, and the flags of mails by uid.
pub type FolderFlags = (u32, Vec<(Uid, BTreeSet<String>)>);

/// The heads of mails in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heads {
    /// UIDVALIDITY of the folder.
    pub uid_validity: u32,
    /// UIDNEXT of the folder.
    pub uid_next: Uid,
    /// The mails, in ascending order of their uids.
    pub mails: Vec<Head>,
}

/// The head of a mail: enough to know its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its uid.
    pub uid: Uid,
    /// Its header fields that tell about the thread, as bytes: to be read by [`crate::mail::parse()`].
    pub fields: Vec<u8>,
}

/// A draft of ours in Drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundDraft {
    /// Its uid in Drafts.
    pub uid: Uid,
    /// Its RFC822.SIZE in bytes.
    pub size: u32,
}

/// The way to colleagues: SMTP.
pub trait Outbox: Send {
    /// The error of this edge.
    type Error: EdgeError;

    /// Goes through everything that can fail without a mail being sent: connection, login,
    /// `MAIL FROM`, `RCPT TO`, `DATA`. After `Ok` the next call is [`Outbox::send`].
    fn prepare(
        &mut self,
        from: &str,
        to: &[String],
    ) -> impl Future<Output = Result<Transfer, Self::Error>> + Send;

    /// Sends the prepared mail. After an error that is not a refusal it is unknown whether the
    /// server has taken it.
    fn send(&mut self, message: &[u8]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What a prepared server can carry, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whether 8-bit bodies pass unchanged (RFC 6152).
    pub eight_bit: bool,
    /// Recipients that the server wants to hear of later: this mail goes to the others.
    pub later: Vec<String>,
}

/// What every edge's error can tell.
pub trait EdgeError: std::error::Error + Send + Sync + 'static {
    /// Whether trying again can help.
    fn retry(&self) -> Retry;

    /// Whether the other side has understood and said no: the connection can be used on. What
    /// [`EdgeError::retry`] says is then about the thing that was refused.
    fn is_refusal(&self) -> bool {
        false
    }

    /// Whether only the other side knows if it was done.
    fn outcome_unknown(&self) -> bool {
        false
    }

    /// What kind of trouble it is: the same kind is told only once.
    fn trouble(&self) -> Trouble {
        Trouble::Line
    }
}

/// The wall clock, for what is recorded and displayed.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
