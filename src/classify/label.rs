//! The twelve situations of the taxonomy.

use serde::{Deserialize, Serialize};

/// What the sender does in the new text of a mail, in order of precedence: the first that is
/// present is the primary one and chooses the playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// A machine or mass mail; nobody waits for a human answer. Always alone.
    Automated,
    /// Says that harm or pressure will follow.
    Threat,
    /// Makes it personal or romantic with a member of staff.
    Harassment,
    /// Swears at, insults or belittles staff or company.
    Abuse,
    /// Is frightened or desperate about something urgent.
    Panic,
    /// Demands something outside the terms because it was given before or elsewhere.
    Entitlement,
    /// Is indignant about what the company said, published or stands for.
    Criticism,
    /// Reports that the product or service failed or disappointed.
    Complaint,
    /// Asks about or disputes price, discount, free use.
    Pricing,
    /// Offers a suggestion, a feature request or help.
    Idea,
    /// Asks an ordinary question or makes an ordinary request.
    Question,
    /// Thanks or compliments.
    Praise,
}

impl Label {
    /// How many labels there are.
    pub const COUNT: usize = 12;

    /// All labels in order of precedence.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Automated,
        Self::Threat,
        Self::Harassment,
        Self::Abuse,
        Self::Panic,
        Self::Entitlement,
        Self::Criticism,
        Self::Complaint,
        Self::Pricing,
        Self::Idea,
        Self::Question,
        Self::Praise,
    ];

    /// The label's word, as in config, data, keywords and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Threat => "threat",
            Self::Harassment => "harassment",
            Self::Abuse => "abuse",
            Self::Panic => "panic",
            Self::Entitlement => "entitlement",
            Self::Criticism => "criticism",
            Self::Complaint => "complaint",
            Self::Pricing => "pricing",
            Self::Idea => "idea",
            Self::Question => "question",
            Self::Praise => "praise",
        }
    }

    /// The label with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == word)
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first present label in order of precedence.
#[must_use]
pub fn primary(labels: impl IntoIterator<Item = Label>) -> Option<Label> {
    labels.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threat_outranks_praise_in_the_same_mail() {
        assert_eq!(primary([Label::Praise, Label::Threat]), Some(Label::Threat));
        assert_eq!(primary([]), None);
    }

    #[test]
    fn every_label_is_found_by_its_own_word() {
        for label in Label::ALL {
            assert_eq!(Label::from_word(label.as_str()), Some(label));
        }
        assert_eq!(Label::from_word("joy"), None);
    }
}
