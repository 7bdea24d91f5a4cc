//! What is kept to learn from: the newest mails as numbers, what people said about mails, and where
//! mails lie, so that a move is seen.
//!
//! | key | value |
//! |---|---|
//! | `recent/<account>/<identity>` | [`Recent`] |
//! | `recent-at/<time>/<account>/<identity>` | their order |
//! | `vote/<account>/<identity>` | [`Correction`] |
//! | `text/<account>/<identity>` | the mail's text, encrypted, where the operator keeps it |
//! | `place/<account>/<folder>/<UIDVALIDITY>/<uid>` | identity of a mail in a queue folder |
//! | `meta/learning` | [`Health`] |

mod readings;
mod recent;
mod statements;
mod votes;

use serde::{Deserialize, Serialize};

pub(crate) use self::statements::labelled;
pub use self::statements::{Labelled, Statement};
pub use self::votes::Seen;
use super::LedgerError;
use super::keys::escaped;
use super::store::Store;
use crate::classify::{Reading, Verdict};
use crate::decide::vote::{self, LearningRules, Says, Vote};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// A mail handled of late, as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// Handled at.
    pub at: Timestamp,
    /// The mail as numbers.
    pub reading: Reading,
    /// Labels it was given.
    pub labels: Vec<String>,
    /// Its Message-ID.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    /// Whether it was drawn for review.
    #[serde(default)]
    pub drawn: bool,
}

/// What people said about a mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// Account of the mail.
    pub account: String,
    /// What the mail is, wherever it is.
    pub identity: String,
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// Where it lies now, as far as we have seen.
    pub place: String,
    /// Labels it was given, the company's own among them.
    pub given: Vec<String>,
    /// What was said, oldest first.
    pub votes: Vec<Vote>,
    /// The mail as numbers; `None` until it was read for that.
    pub reading: Option<Reading>,
}

impl Correction {
    /// What counts of it.
    #[must_use]
    pub fn says(&self, rules: &LearningRules) -> Says {
        vote::together(&self.votes, &self.given, &rules.second_vote)
    }
}

/// Whether learning is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Moves of people between folders that were seen.
    pub moves: u64,
    /// Moves that became votes.
    pub votes: u64,
    /// Moves since the last one that became a vote.
    pub silent: u64,
    /// Moves seen under a mail that is not known.
    pub unknown: u64,
    /// When the last candidate was trained.
    pub trained: Option<Timestamp>,
    /// Corrections when it was.
    pub trained_on: u64,
    /// What came of it.
    pub outcome: String,
}

fn vote_key(account: &str, identity: &str) -> String {
    format!("vote/{}/{identity}", escaped(account))
}

fn text_key(account: &str, identity: &str) -> String {
    format!("text/{}/{identity}", escaped(account))
}

fn given(verdict: Option<&Verdict>) -> Vec<String> {
    let Some(verdict) = verdict else { return Vec::new() };
    let own = verdict.own.iter().map(|own| own.label.clone());
    verdict.labels.iter().map(|found| found.label.to_string()).chain(own).collect()
}

impl Store {
    /// Whether learning is alive.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn learning_health(&self) -> Result<Health, LedgerError> {
        Ok(self.get("meta/learning")?.unwrap_or_default())
    }

    /// Notes that a candidate was trained.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn trained(&mut self, at: Timestamp, on: u64, outcome: &str) -> Result<(), LedgerError> {
        let mut health = self.learning_health()?;
        (health.trained, health.trained_on, health.outcome) = (Some(at), on, outcome.to_owned());
        self.put("meta/learning", &health)?;
        self.apply()
    }
}
