//! What can be done with a mail. The set is closed: what is not here cannot happen. In
//! particular there is no action that sends anything to a customer.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::classify::Label;
use crate::reply::Draft;

/// A folder that a team works from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variant is the team's name")]
pub enum Queue {
    Legal,
    EmailOnly,
    Lead,
    Urgent,
    Support,
    Sales,
    Content,
    Product,
    Automated,
    Review,
}

impl Queue {
    /// All queues.
    pub const ALL: [Self; 10] = [
        Self::Legal,
        Self::EmailOnly,
        Self::Lead,
        Self::Urgent,
        Self::Support,
        Self::Sales,
        Self::Content,
        Self::Product,
        Self::Automated,
        Self::Review,
    ];
}

/// A colleague's address that gets the original of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Desk {
    /// The legal department.
    Legal,
    /// The team lead.
    Lead,
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legal => "legal",
            Self::Lead => "lead",
        })
    }
}

/// A keyword (RFC 9051 §2.3.2) that we set. Few and fixed: some servers keep a new one for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keyword {
    /// The label was found.
    Label(Label),
    /// A person should look.
    Review,
    /// The customer is e-mail-only.
    EmailOnly,
}

impl Keyword {
    /// Every keyword this program may set.
    pub fn all() -> impl Iterator<Item = Self> {
        Label::ALL.into_iter().map(Self::Label).chain([Self::Review, Self::EmailOnly])
    }

    /// The word on the server.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label(Label::Automated) => "ek-automated",
            Self::Label(Label::Threat) => "ek-threat",
            Self::Label(Label::Harassment) => "ek-harassment",
            Self::Label(Label::Abuse) => "ek-abuse",
            Self::Label(Label::Panic) => "ek-panic",
            Self::Label(Label::Entitlement) => "ek-entitlement",
            Self::Label(Label::Criticism) => "ek-criticism",
            Self::Label(Label::Complaint) => "ek-complaint",
            Self::Label(Label::Pricing) => "ek-pricing",
            Self::Label(Label::Idea) => "ek-idea",
            Self::Label(Label::Question) => "ek-question",
            Self::Label(Label::Praise) => "ek-praise",
            Self::Review => "ek-review",
            Self::EmailOnly => "ek-email-only",
        }
    }
}

/// One thing to do. Listed and done in this order: what a colleague needs first, the move last,
/// so that a mail whose handling broke off is still where it arrived.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Save a reply in Drafts. A person sends it, or does not.
    SaveDraft(Box<Draft>),
    /// Send the untouched original to colleagues.
    Forward(Desk),
    /// Set keywords.
    Tag(BTreeSet<Keyword>),
    /// Move to the queue's folder.
    File(Queue),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_the_keyword_that_carries_its_word() {
        for label in Label::ALL {
            assert_eq!(Keyword::Label(label).as_str(), format!("ek-{label}"));
        }
    }
}
