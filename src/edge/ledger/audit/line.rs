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

/// What stands before the hash of a line.
const HASH: &str = ",\"hash\":\"";

/// How a line ends that has no hash yet.
const NO_HASH: &str = ",\"hash\":\"\"}";

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
        hex(&Sha256::digest(self.open().as_bytes()))
    }

    /// Gives it its hash; the line as it is written.
    pub(super) fn seal(&mut self) -> String {
        let open = self.open();
        self.hash = hex(&Sha256::digest(open.as_bytes()));
        // the hash stands last
        format!("{}{HASH}{}\"}}\n", open.strip_suffix(NO_HASH).unwrap_or_default(), self.hash)
    }

    /// What the hash is made of: the line with an empty one.
    fn open(&self) -> String {
        #[derive(Serialize)]
        struct Open<'a> {
            n: u64,
            at: Timestamp,
            event: &'a Event,
            prev: &'a str,
            hash: &'static str,
        }
        let Self { n, at, event, prev, hash: _ } = self;
        let mut text = Vec::with_capacity(512);
        // a struct of strings and numbers can always be written
        let _ = serde_json::to_writer(&mut text, &Open { n: *n, at: *at, event, prev, hash: "" });
        String::from_utf8(text).unwrap_or_default()
    }
}
