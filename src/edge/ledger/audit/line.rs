//! A line of the audit: what happened, chained to the line before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::keys::hex;
use crate::time::Timestamp;

/// What is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Event {
    /// A mail was decided.
    Decided {
        /// What it is: see [`crate::daemon::plan::identity`].
        mail: String,
        /// Account and folder in which it was found.
        place: String,
        /// Labels, in order of precedence.
        labels: Vec<String>,
        /// Reasons, on one line.
        reasons: String,
        /// Its ticket.
        ticket: Option<String>,
    },
    /// What has become of an effect.
    Effect {
        /// The mail's identity.
        mail: String,
        /// `forward legal`, `file Queue/Legal`, …
        effect: String,
        /// `done`, `skipped: …`, `failed: …`.
        outcome: String,
    },
    /// A customer is served in another way.
    Conduct {
        /// A keyed hash of the customer's identity.
        customer: String,
        /// From this state.
        from: String,
        /// To this one.
        to: String,
        /// Who decided it.
        author: String,
    },
    /// A ticket has changed its state.
    Ticket {
        /// Its number.
        ticket: String,
        /// The new state.
        state: String,
        /// What brought it about.
        by: String,
    },
    /// A person has given a command.
    Command {
        /// The command without addresses.
        command: String,
        /// Who gave it.
        author: String,
        /// What became of it.
        outcome: String,
    },
    /// A customer's data were erased.
    Erased {
        /// The receipt's number.
        receipt: String,
        /// How much was erased, by kind.
        counts: std::collections::BTreeMap<String, u64>,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub n: u64,
    /// Written at.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Hash of the line before; sixty-four zeros before the first.
    pub prev: String,
    /// Hash of this line without this field.
    #[serde(default)]
    pub hash: String,
}

/// Number and hash of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Number.
    pub n: u64,
    /// Hash.
    pub hash: String,
}

impl Default for Mark {
    fn default() -> Self {
        Self { n: 0, hash: "0".repeat(64) }
    }
}

impl Line {
    /// The hash of its content.
    pub(super) fn sealed(&self) -> String {
        let mut open = self.clone();
        open.hash = String::new();
        // a struct of strings and numbers can always be written
        let text = serde_json::to_string(&open).unwrap_or_default();
        hex(&Sha256::digest(text.as_bytes()))
    }
}
