//! What can be done with a mail. The set is closed: what is not here cannot happen. In
//! particular there is no action that sends anything to a customer.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{Name, NoName};
use crate::classify::Label;
use crate::reply::Draft;

/// A folder that a team works from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
    /// One that ops have added under `[queues]`.
    Own(Name),
}

impl Queue {
    /// The shipped queues.
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

    /// Its word in the config.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Legal => "legal",
            Self::EmailOnly => "email-only",
            Self::Lead => "lead",
            Self::Urgent => "urgent",
            Self::Support => "support",
            Self::Sales => "sales",
            Self::Content => "content",
            Self::Product => "product",
            Self::Automated => "automated",
            Self::Review => "review",
            Self::Own(name) => name.as_str(),
        }
    }
}

impl TryFrom<String> for Queue {
    type Error = NoName;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        let shipped = Self::ALL.into_iter().find(|queue| queue.as_str() == word);
        shipped.map_or_else(|| Name::new(&word).map(Self::Own), Ok)
    }
}

impl From<Queue> for String {
    fn from(queue: Queue) -> Self {
        queue.as_str().to_owned()
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A colleague's address that gets the original of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Desk {
    /// The legal department.
    Legal,
    /// The team lead.
    Lead,
    /// One that ops have added under `[desks]`.
    Own(Name),
}

impl Desk {
    /// Its word in the config.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Legal => "legal",
            Self::Lead => "lead",
            Self::Own(name) => name.as_str(),
        }
    }
}

impl TryFrom<String> for Desk {
    type Error = NoName;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        Ok(match word.as_str() {
            "legal" => Self::Legal,
            "lead" => Self::Lead,
            _ => Self::Own(Name::new(&word)?),
        })
    }
}

impl From<Desk> for String {
    fn from(desk: Desk) -> Self {
        desk.as_str().to_owned()
    }
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    /// The route gives the mail a high priority.
    High,
    /// Nobody has answered in time, or a promise is about to break.
    Overdue,
    /// It is resolved, and the customer has not been told.
    ClosingDue,
    /// A tag of a route.
    Own(Name),
}

impl Keyword {
    /// Every keyword that is set without being named in the config.
    pub fn all() -> impl Iterator<Item = Self> {
        Label::ALL.into_iter().map(Self::Label).chain([
            Self::Review,
            Self::EmailOnly,
            Self::Overdue,
            Self::ClosingDue,
        ])
    }

    /// The keyword with this word; `None` for one that is not ours.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let fixed = Self::all().chain([Self::High]).find(|keyword| keyword.word() == word);
        fixed.or_else(|| Name::new(word.strip_prefix("ek-")?).ok().map(Self::Own))
    }

    /// The word on the server: `ek-` and a name.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Own(name) => format!("ek-{name}"),
            fixed => fixed.fixed_word().to_owned(),
        }
    }

    const fn fixed_word(self) -> &'static str {
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
            Self::High => "ek-high",
            Self::Overdue => "ek-overdue",
            Self::ClosingDue => "ek-closing-due",
            Self::Own(_) => "",
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
    /// Tell colleagues that the mail is there: its ticket and labels, nothing of its text.
    Notify(Desk),
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
            assert_eq!(Keyword::Label(label).word(), format!("ek-{label}"));
        }
    }
}
