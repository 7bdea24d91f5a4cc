//! From a mail and its labels to a draft that a good agent would send, or to the reason why there
//! is none. Pure: the same request gives the same draft.
//!
//! In the order in which a draft is made: [`facts`] reads what the mail says, [`compose()`] lays the
//! moves of one or more [`playbook`]s in a row and chooses a wording for each, [`promise`] writes
//! the time of the next answer, [`guard`] reads the finished text once more and may refuse it.

pub mod company;
pub mod compose;
pub mod edits;
pub mod extract;
pub mod facts;
pub(crate) mod gist;
pub mod guard;
pub mod lexicon;
pub mod playbook;
pub mod promise;

use std::collections::BTreeSet;

pub use company::{Address, Company};
pub use compose::{compose, compose_for};
pub use guard::Broken;
pub use playbook::{PlaybookProblem, Playbooks};

use crate::classify::{Finding, Label};
use crate::mail::{Language, Mail};
use crate::time::Timestamp;

/// Everything a draft is made from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The mail to answer.
    pub mail: &'a Mail,
    /// The labels decided to be present, in any order.
    pub labels: &'a [Label],
    /// Those among them that may well be wrong: see [`doubted`]. About them nothing is said that would
    /// be wrong with them.
    pub doubted: &'a [Label],
    /// Who answers.
    pub company: &'a Company,
    /// What is said in which situation.
    pub playbooks: &'a Playbooks,
    /// What is known of this customer and case.
    pub history: &'a History,
    /// The instant the promises are counted from.
    pub now: Timestamp,
}

/// Probability below which a label may be wrong where another is far surer.
pub const DOUBTFUL: f32 = 0.8;

/// Probability below which a label may well be wrong.
pub const SURE: f32 = 0.62;

/// By how much another label is surer than the one that goes before it, for that one to be in doubt.
pub const FAR: f32 = 0.2;

/// Probability from which a threat beside a complaint, and an insult, need no word that tells of them.
pub const PLAIN: f32 = 0.9;

/// The labels of a mail's verdict that may well be wrong: those that are not likely enough, and the one
/// that goes before the others where another is far surer.
#[must_use]
pub fn doubted(found: &[Finding], mail: &Mail) -> Vec<Label> {
    let lists = lexicon::of(mail.language);
    let complains = found.iter().any(|found| found.label == Label::Complaint);
    let told = |label| match label {
        // nobody is told to stop who has insulted nobody
        Label::Abuse => lexicon::stands(mail, &lists.insults),
        // a colleague reads it as a threat all the same; the answer deals with what is complained about
        Label::Threat => !complains || lexicon::stands(mail, &lists.threats),
        _ => true,
    };
    let first = crate::classify::label::primary(found.iter().map(|found| found.label));
    let surest = found.iter().map(|found| found.probability).fold(0.0, f32::max);
    // two of them are no slip of the tongue
    let insulted = lexicon::hits_of(mail, &lists.insults) > 1;
    let doubtful = |found: &&Finding| {
        found.probability < SURE && !(found.label == Label::Abuse && insulted)
            || found.probability < PLAIN && !told(found.label)
            || Some(found.label) == first && found.probability < DOUBTFUL && surest - found.probability > FAR
    };
    found.iter().filter(doubtful).map(|found| found.label).collect()
}

/// A message that no mail asks for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// The matter is settled, and the customer is told.
    Closing,
    /// A promised answer is late.
    FollowUp,
    /// An idea or a wish is refused.
    Decline,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closing, Self::FollowUp, Self::Decline];

    /// The name of its playbook.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closing => "closing",
            Self::FollowUp => "follow-up",
            Self::Decline => "decline",
        }
    }

    /// Why there is a draft, for its header.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Closing => "closing-due",
            Self::FollowUp => "promise-due",
            Self::Decline => "declined",
        }
    }
}

/// What the ledger knows of this customer and case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Ticket number as in subjects, without brackets: `EK-1042`.
    pub ticket: Option<String>,
    /// Incidents of abuse within the window, before this mail.
    pub incidents: u32,
    /// Since when the customer is answered by e-mail only.
    pub email_only_since: Option<Timestamp>,
    /// Mails and calls of this customer in the last seven days, this one included.
    pub contacts_this_week: u32,
    /// Ids of the wordings this customer has already been sent.
    pub wordings: BTreeSet<String>,
}

/// A reply for a person to look over and send. Plain text, without the quoted original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The playbook: the word of the primary label or of the occasion.
    pub playbook: String,
    /// The language it is written in: the customer's.
    pub language: Language,
    /// `Re: …`, with the ticket number in brackets if there is one.
    pub subject: String,
    /// The text, lines separated by `\n`, without a line break at the end.
    pub body: String,
    /// Ids of the wordings used, in order of use, for [`History::wordings`].
    pub wordings: Vec<String>,
    /// What the agent has to complete before sending, in the customer's language. Each stands in
    /// the body between `[[` and `]]`.
    pub fill_in: Vec<String>,
    /// The instant by which the text promises a next message, if it does.
    pub promised: Option<Timestamp>,
}

/// Why there is no draft.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDraft {
    /// A machine wrote the mail.
    #[error("the mail was written by a machine")]
    Automated,
    /// Harassment is not answered, not even to make it stop.
    #[error("harassment without business is not answered")]
    HarassmentWithoutBusiness,
    /// The boundary was stated before; abuse without an issue is let go.
    #[error("abuse without an issue is answered once, and {incidents} were counted before")]
    AbuseAgain {
        /// Incidents before this mail.
        incidents: u32,
    },
    /// Nothing was found in the mail that a playbook could answer.
    #[error("no label was found, so a person reads it first")]
    NoLabel,
    /// No playbooks in the language of the mail.
    #[error("there are no playbooks for the language of the mail")]
    LanguageNotSupported,
    /// A playbook lacks a move it names; `evenkeel check` says which and how to mend it.
    #[error("the playbook {playbook} has no wording that fits the move {wanted}")]
    NoWording {
        /// The playbook, `en/complaint`.
        playbook: String,
        /// The move.
        wanted: String,
    },
    /// The finished text broke rules of the guard.
    #[error("the text breaks the rule {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    GuardFailed(Vec<Broken>),
}

impl NoDraft {
    /// The stable word for logs, headers and `--format jsonl`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::HarassmentWithoutBusiness => "harassment-without-business",
            Self::AbuseAgain { .. } => "abuse-again",
            Self::NoLabel => "no-label",
            Self::LanguageNotSupported => "language-not-supported",
            Self::NoWording { .. } => "no-wording",
            Self::GuardFailed(_) => "guard-failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_label_is_in_doubt_where_another_is_far_surer() {
        let found = |label, probability| Finding { label, probability };
        let threat = found(Label::Threat, 0.7);
        let mail = Mail {
            language: crate::mail::Language::En,
            new_text: "I will sue you.".into(),
            ..Mail::default()
        };
        let doubted = |found: &[Finding]| doubted(found, &mail);
        assert_eq!(doubted(&[threat, found(Label::Complaint, 0.98)]), [Label::Threat]);
        assert_eq!(doubted(&[threat, found(Label::Complaint, 0.8)]), []);
        assert_eq!(doubted(&[found(Label::Complaint, 0.98), found(Label::Praise, 0.5)]), [Label::Praise]);
    }

    #[test]
    fn a_polite_threat_is_one_where_it_is_sure() {
        let found = |label, probability| Finding { label, probability };
        let mail = Mail { language: crate::mail::Language::En, ..Mail::default() };
        let beside = |threat| doubted(&[found(Label::Threat, threat), found(Label::Complaint, 0.9)], &mail);
        assert_eq!(beside(0.85), [Label::Threat]);
        assert_eq!(beside(0.95), []);
    }

    #[test]
    fn nobody_is_told_to_stop_on_a_guess() {
        let abuse = |probability| [Finding { label: Label::Abuse, probability }];
        let of = |text: &str| Mail {
            language: crate::mail::Language::En,
            new_text: text.into(),
            ..Mail::default()
        };
        let (polite, rude) =
            (of("I expected more from people who do this for a living."), of("You idiots, where is it?"));
        assert_eq!(doubted(&abuse(0.8), &polite), [Label::Abuse]);
        assert_eq!(doubted(&abuse(0.8), &rude), []);
        assert_eq!(doubted(&abuse(0.95), &polite), [], "contempt needs no insult");
        assert_eq!(doubted(&abuse(0.45), &rude), [Label::Abuse]);
        let rant = of("Are you brainless? Your chat muppet asks me again.");
        assert_eq!(doubted(&abuse(0.45), &rant), [], "two insults are no slip");
    }
}
