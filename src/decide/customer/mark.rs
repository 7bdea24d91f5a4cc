//! Marks: how a customer is served, why, since when and until when.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mail::MessageId;
use crate::time::Timestamp;

/// How a customer is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As everybody.
    #[default]
    Clear,
    /// The boundary was drawn once.
    Warned,
    /// By e-mail only.
    EmailOnly,
    /// By the legal department only.
    LegalOnly,
}

impl State {
    /// All states, mildest first.
    pub const ALL: [Self; 4] = [Self::Clear, Self::Warned, Self::EmailOnly, Self::LegalOnly];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Warned => "warned",
            Self::EmailOnly => "email-only",
            Self::LegalOnly => "legal-only",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a mark was set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Abuse, as often as the rules say.
    #[default]
    Abuse,
    /// Threats, as often as the rules say.
    Threats,
    /// A stronger mark has expired.
    Decay,
    /// A person has decided it.
    Person,
}

/// A mark: how a customer is served, why, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How the customer is served.
    #[serde(default = "email_only")]
    pub state: State,
    /// Set at.
    pub since: Timestamp,
    /// Expires at; without it only a person lifts it.
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub cause: Cause,
    /// Message-IDs of the mails it was set for.
    #[serde(default)]
    pub evidence: Vec<MessageId>,
    /// Who set it: `evenkeel`, or a person.
    #[serde(default = "ourselves")]
    pub author: String,
    /// What the person wrote.
    #[serde(default)]
    pub note: String,
}

/// Marks of format 1 knew only this state.
const fn email_only() -> State {
    State::EmailOnly
}

pub(super) fn ourselves() -> String {
    "evenkeel".to_owned()
}

/// A mark that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The mark.
    #[serde(flatten)]
    pub mark: Mark,
    /// Over since.
    pub ended: Timestamp,
    /// Who ended it: `evenkeel` when it expired, or a person.
    pub ended_by: String,
    /// Why, for instance what the customer said in an appeal.
    #[serde(default)]
    pub appeal: String,
}
