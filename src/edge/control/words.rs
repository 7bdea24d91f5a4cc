//! What can be asked over the control socket, and what is answered.

use serde::{Deserialize, Serialize};

use crate::decide::Case;
use crate::decide::vote::LearningRules;
use crate::edge::ledger::audit::Line;
use crate::edge::ledger::backup::Backup;
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::ledger::customers::{Change, Shown};
use crate::edge::ledger::erase::{Export, OnHold, Receipt};
use crate::edge::ledger::examples::{Correction, Health, Labelled, Recent, Statement};
use crate::edge::ledger::tickets::TicketFilter;
use crate::edge::ledger::undo::{Undo, Undone};
use crate::edge::ledger::{CaseQuery, LedgerError, MailRecord, Store};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Request {
    /// What was done with the mails of this Message-ID.
    Explain {
        /// The Message-ID.
        id: MessageId,
    },
    /// Customer and ticket that a mail would be decided with.
    Case {
        /// What it is found by.
        query: CaseQuery,
    },
    /// How the daemon is.
    Status,
    /// Tickets.
    Tickets {
        /// Which.
        filter: TicketFilter,
    },
    /// A ticket is settled.
    Resolve {
        /// Its number.
        number: String,
        /// Who says so.
        author: String,
    },
    /// One customer.
    Customer {
        /// An address or identity.
        who: String,
    },
    /// Customers who are not served as everybody.
    Customers,
    /// Decide how a customer is served.
    Change {
        /// An address or identity.
        who: String,
        /// What is decided.
        change: Change,
        /// Who decides it.
        author: String,
    },
    /// Take back what was done.
    Undo {
        /// What.
        undo: Undo,
        /// Who wants it.
        author: String,
    },
    /// Try again what has failed.
    Retry {
        /// With the mails of this Message-ID; without it, with all.
        id: Option<MessageId>,
        /// Who wants it.
        author: String,
    },
    /// Say what labels the mails of this Message-ID have.
    Label {
        /// The Message-ID.
        id: MessageId,
        /// What is said.
        statement: Statement,
        /// Labels of one's own, and which need two votes.
        rules: Box<LearningRules>,
        /// Who says it.
        author: String,
    },
    /// What is held counts, or is forgotten.
    SettleHeld {
        /// Whether it counts.
        counts: bool,
        /// Who says so.
        author: String,
    },
    /// Take back what a person has said about labels.
    TakeBack {
        /// Who said it.
        person: String,
        /// Not what was said before.
        since: Timestamp,
        /// Who wants it.
        author: String,
    },
    /// Everything there is to learn from.
    Examples,
    /// A candidate was trained.
    Trained {
        /// On so many corrections.
        on: u64,
        /// What came of it.
        outcome: String,
    },
    /// Read policy and model again.
    Reload,
    /// The newest lines of the audit.
    Audit {
        /// Written at or after.
        since: Timestamp,
        /// At most so many.
        limit: usize,
    },
    /// Check the whole audit.
    VerifyAudit,
    /// Write a backup into the state directory.
    Backup,
    /// Everything stored about a customer.
    Export {
        /// An address or identity.
        who: String,
    },
    /// Erase everything stored about a customer.
    Erase {
        /// An address or identity.
        who: String,
        /// Also what is on legal hold.
        despite_hold: bool,
        /// Who wants it.
        author: String,
    },
}

/// How the daemon is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a daemon answered, and not the files.
    pub running: bool,
    /// Version of the program.
    pub version: String,
    /// `Act` or `Observe`.
    pub mode: String,
    /// What each watched folder does.
    pub folders: std::collections::BTreeMap<String, String>,
    /// The policy is in force since.
    pub policy_since: Timestamp,
    /// Why the last reload was refused.
    pub policy_refused: Option<String>,
    /// Rules in force.
    pub rules: usize,
    /// Tickets that are not closed.
    pub open_tickets: u64,
    /// Of them, those whose answer or promise is overdue.
    pub overdue: u64,
    /// Mails whose effects are not all done.
    pub under_way: u64,
    /// Customers who are not served as everybody.
    pub marked_customers: u64,
    /// Minutes in which mails count together against loops.
    pub window_minutes: u64,
    /// Mails of that time for which something was drafted or forwarded.
    pub answered: u32,
    /// At most so many; 0: no cap.
    pub answered_cap: u32,
    /// Mails of that time that were held at a cap.
    pub held_at_cap: u32,
    /// Message-IDs of mails of which an effect came undone: a person has to act.
    pub reopened: Vec<MessageId>,
    /// Hostile mails of this week, by `queue …` and `agent …`.
    pub hostile: std::collections::BTreeMap<String, u32>,
    /// How each watched folder is.
    #[serde(default)]
    pub health: std::collections::BTreeMap<String, FolderHealth>,
    /// When the oldest mail was decided whose effects are not all done.
    #[serde(default)]
    pub oldest_pending: Option<Timestamp>,
    /// Size of the ledger on disk.
    #[serde(default)]
    pub store_bytes: u64,
    /// Tickets that are not closed, by state.
    #[serde(default)]
    pub tickets: std::collections::BTreeMap<String, u64>,
    /// Tickets that are not closed, by the queue of their newest mail.
    #[serde(default)]
    pub queues: std::collections::BTreeMap<String, u64>,
    /// Threats handed to legal that nobody has acknowledged.
    #[serde(default)]
    pub legal_waiting: u64,
    /// When the certificates run out that mail servers have shown, by `host:port`.
    #[serde(default)]
    pub certificates: std::collections::BTreeMap<String, Timestamp>,
    /// When secrets and consents end with which accounts log in, as far as that is known.
    #[serde(default)]
    pub secrets: Vec<Expiry>,
    /// Accounts whose login the provider no longer renews, and what to do.
    #[serde(default)]
    pub degraded: std::collections::BTreeMap<String, String>,
    /// Why nothing is learnt from corrections, if something is wrong.
    #[serde(default)]
    pub learning: Option<String>,
    /// How much agents change drafts before they send them, by playbook and language.
    #[serde(default)]
    pub edits: Vec<crate::edge::ledger::edits::Edits>,
}

/// The end of something an account logs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The account.
    pub account: String,
    /// `client-secret` or `consent`.
    pub secret: String,
    /// When it ends.
    pub until: Timestamp,
}

/// How a watched folder is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderHealth {
    /// Whether it is being watched.
    pub connected: bool,
    /// What it does, or why it cannot.
    pub status: String,
    /// Like this since.
    pub since: Timestamp,
    /// When the server last proved that nothing is left to do.
    pub synced: Option<Timestamp>,
}

/// Everything there is to learn from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Examples {
    /// What people said, with the mails as numbers.
    pub corrections: Vec<Correction>,
    /// The newest mails as numbers: account, content hash, mail.
    pub recent: Vec<(String, String, Recent)>,
    /// Kept texts, encrypted: account, content hash, text.
    pub texts: Vec<(String, String, String)>,
    /// Whether learning is alive.
    pub health: Health,
}

impl Examples {
    /// What the ledger has.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn of(store: &Store) -> Result<Self, LedgerError> {
        Ok(Self {
            corrections: store.corrections()?,
            recent: store.recents()?,
            texts: store.texts()?,
            health: store.learning_health()?,
        })
    }
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "of")]
pub enum Response {
    /// Records, oldest first; none when the Message-ID is unknown.
    Records(Vec<MailRecord>),
    /// Customer and ticket.
    Case(Box<Case>),
    /// How the daemon is.
    Status(Box<Status>),
    /// Tickets, the most urgent first.
    Tickets(Vec<StoredTicket>),
    /// Customers.
    Customers(Vec<Shown>),
    /// What was taken back, mail by mail.
    Undone(Vec<Undone>),
    /// How many mails are tried again.
    Retried(u64),
    /// Lines of the audit, oldest first.
    Audit(Vec<Line>),
    /// The audit is whole; number of its last line.
    Verified(u64),
    /// A backup was written.
    Backup(Backup),
    /// Everything stored about a customer.
    Export(Box<Export>),
    /// It was erased.
    Erased(Receipt),
    /// It was not erased.
    OnHold(OnHold),
    /// What counts of what was said, mail by mail.
    Labelled(Vec<Labelled>),
    /// So many mails.
    Settled(u64),
    /// Everything there is to learn from.
    Examples(Box<Examples>),
    /// It will be done.
    Noted,
    /// The request could not be answered.
    Error(String),
}
