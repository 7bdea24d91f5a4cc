//! Why something was decided: a stable word for programs, a detail for people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable words. They appear in logs, in `X-Evenkeel-Reason` and in `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The route of the primary label.
    Label,
    /// A machine wrote it.
    Automated,
    /// It sounds like a machine's, and nothing proves it.
    AutomatedUnproven,
    /// A cap against loops is reached: nothing is drafted or forwarded.
    LoopCap,
    /// Our own forward came back undelivered.
    OwnForwardBounced,
    /// The verdict is in doubt.
    Review,
    /// The thread is with legal or the lead; a calmer mail goes along.
    ThreadGoesAlong,
    /// First incident of abuse in the window.
    FirstIncident,
    /// Repeated abuse: the customer is now e-mail-only.
    EmailOnlyBegins,
    /// The customer is e-mail-only.
    EmailOnly,
    /// The e-mail-only mark has expired.
    EmailOnlyExpired,
    /// No draft, and why.
    NoDraft,
    /// A desk should get it, but no address is configured.
    DeskWithoutAddress,
    /// The mail could not be read.
    Unparseable,
    /// Handling it failed too often.
    Quarantined,
    /// More than one sender: nothing is answered automatically.
    SeveralSenders,
    /// Rules that applied.
    Rule,
    /// A rule whose condition could not be answered.
    RuleFailed,
    /// A special route fits.
    Route,
    /// Conduct would have consequences, but anybody may have written in the customer's name.
    ConductForReview,
    /// Repeated threats: the customer is served by legal only.
    LegalOnlyBegins,
    /// The customer is served by legal only.
    LegalOnly,
    /// The same person has made it personal before.
    HarassmentAgain,
    /// An agent had their share of hostile mails; another one gets this.
    Relieved,
    /// A colleague answers what we have sent.
    Colleague,
    /// Legal has acknowledged a case.
    LegalAcknowledged,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable word.
    pub word: Word,
    /// What exactly; no text of the mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Reason {
    /// A reason with its detail.
    pub fn new(word: Word, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into() }
    }
}

impl Word {
    /// The word as it appears outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Automated => "automated",
            Self::AutomatedUnproven => "automated-unproven",
            Self::LoopCap => "loop-cap",
            Self::OwnForwardBounced => "own-forward-bounced",
            Self::Review => "review",
            Self::ThreadGoesAlong => "thread-goes-along",
            Self::FirstIncident => "first-incident",
            Self::EmailOnlyBegins => "email-only-begins",
            Self::EmailOnly => "email-only",
            Self::EmailOnlyExpired => "email-only-expired",
            Self::NoDraft => "no-draft",
            Self::DeskWithoutAddress => "desk-without-address",
            Self::Unparseable => "unparseable",
            Self::Quarantined => "quarantined",
            Self::SeveralSenders => "several-senders",
            Self::Rule => "rule",
            Self::RuleFailed => "rule-failed",
            Self::Route => "route",
            Self::ConductForReview => "conduct-for-review",
            Self::LegalOnlyBegins => "legal-only-begins",
            Self::LegalOnly => "legal-only",
            Self::HarassmentAgain => "harassment-again",
            Self::Relieved => "relieved",
            Self::Colleague => "colleague",
            Self::LegalAcknowledged => "legal-acknowledged",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word.as_str())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}
