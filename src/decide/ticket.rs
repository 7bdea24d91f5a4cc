//! One matter of one customer, from the first mail to the closing message.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::action::Queue;
use super::name::Name;
use super::route::Priority;
use crate::classify::Label;
use crate::mail::MessageId;
use crate::time::Timestamp;

/// A ticket's number as people see it: `EK-` and four characters, `-` and a two-character check
/// part that an outsider cannot compute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(String);

/// Digits and capitals; of characters that are mistaken for one another at most one.
const ALPHABET: &[u8; 24] = b"2346790ACDEFGHJKMNPQRTWX";

impl TicketId {
    /// The number of the `sequence`-th ticket; `check` is a keyed hash of the sequence.
    #[must_use]
    pub fn new(sequence: u64, check: [u8; 2]) -> Self {
        let base = ALPHABET.len() as u64;
        let mut digits = Vec::new();
        let mut rest = sequence;
        while rest > 0 || digits.len() < 4 {
            digits.push(letter(rest % base));
            rest /= base;
        }
        digits.reverse();
        digits.push('-');
        digits.extend(check.map(|byte| letter(u64::from(byte) % base)));
        Self(format!("EK-{}", digits.into_iter().collect::<String>()))
    }

    /// How many tickets were opened before it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        Self::sequence_of(&self.0)
    }

    /// [`TicketId::sequence`] of a number that is only known as text.
    #[must_use]
    pub fn sequence_of(number: &str) -> u64 {
        let digits = number.split('-').nth(1).unwrap_or_default();
        let place = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte).unwrap_or(0) as u64;
        digits
            .bytes()
            .fold(0_u64, |sum, byte| sum.wrapping_mul(ALPHABET.len() as u64).wrapping_add(place(byte)))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn letter(index: u64) -> char {
    usize::try_from(index).ok().and_then(|i| ALPHABET.get(i)).map_or('X', |byte| char::from(*byte))
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketState {
    /// Its first mail came in; nobody has answered.
    New,
    /// A mail came in; an agent has to answer.
    #[default]
    WaitingForUs,
    /// We have answered; the customer has the floor.
    WaitingForThem,
    /// The matter is settled; the customer may not know it yet.
    Resolved,
    /// The matter is settled and the customer still has to be told.
    ClosingDue,
    /// The customer has been told.
    Closed,
}

impl TicketState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::New, Self::WaitingForUs, Self::WaitingForThem, Self::Resolved, Self::ClosingDue, Self::Closed];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::WaitingForUs => "waiting-for-us",
            Self::WaitingForThem => "waiting-for-them",
            Self::Resolved => "resolved",
            Self::ClosingDue => "closing-due",
            Self::Closed => "closed",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for TicketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A ticket. No mail text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: TicketId,
    /// Opened at.
    pub opened: Timestamp,
    /// Last mail at.
    pub last_mail: Timestamp,
    /// Mails of the customer so far.
    pub mails: u32,
    /// Where it stands.
    pub state: TicketState,
    /// The gravest primary label so far.
    pub gravest: Option<Label>,
    /// Our last draft in this thread, which may still be open.
    pub draft: Option<MessageId>,
    /// The queue of its newest mail.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// How soon it wants to be read.
    #[serde(default)]
    pub priority: Priority,
    /// The agent it was given to.
    #[serde(default)]
    pub assigned: Option<Name>,
    /// Identities of the customers who wrote in it, at most [`Ticket::PARTICIPANTS`].
    #[serde(default)]
    pub participants: BTreeSet<String>,
    /// When our answer is due, by the business hours of the company.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// When the customer was promised to hear from us, as the draft that was sent says.
    #[serde(default)]
    pub promised: Option<Timestamp>,
    /// What the open draft would promise.
    #[serde(default)]
    pub would_promise: Option<Timestamp>,
    /// When we answered last.
    #[serde(default)]
    pub answered: Option<Timestamp>,
    /// When it was resolved.
    #[serde(default)]
    pub resolved: Option<Timestamp>,
    /// The agent was reminded of what is due.
    #[serde(default)]
    pub nagged: bool,
    /// The matter with legal, if it is there.
    #[serde(default)]
    pub legal: Option<Legal>,
    /// Nothing of it may be deleted.
    #[serde(default)]
    pub hold: bool,
}

/// A matter that was handed to legal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Legal {
    /// Handed over at.
    pub since: Timestamp,
    /// Legal has answered at.
    pub acknowledged: Option<Timestamp>,
    /// Reminders sent so far.
    pub reminders: u32,
    /// When the next reminder is due.
    pub next: Option<Timestamp>,
}

impl Ticket {
    /// How many participants are kept.
    pub const PARTICIPANTS: usize = 16;

    /// A ticket that is opened by a mail at `now`.
    #[must_use]
    pub const fn open(id: TicketId, now: Timestamp) -> Self {
        Self {
            id,
            opened: now,
            last_mail: now,
            mails: 0,
            state: TicketState::New,
            gravest: None,
            draft: None,
            queue: None,
            priority: Priority::Normal,
            assigned: None,
            participants: BTreeSet::new(),
            due: None,
            promised: None,
            would_promise: None,
            answered: None,
            resolved: None,
            nagged: false,
            legal: None,
            hold: false,
        }
    }

    /// A mail of the customer came in; our answer is due at `due`. A ticket that was settled is open
    /// again.
    pub fn mail(&mut self, who: Option<&str>, primary: Option<Label>, due: Timestamp, now: Timestamp) {
        self.mails = self.mails.saturating_add(1);
        self.last_mail = now;
        let settled =
            matches!(self.state, TicketState::Resolved | TicketState::ClosingDue | TicketState::Closed);
        if settled && !matches!(self.gravest, Some(Label::Threat | Label::Harassment)) {
            // what was grave before is settled; a threat stays with legal
            self.gravest = None;
        }
        self.gravest = self.gravest.into_iter().chain(primary).min();
        if let Some(who) = who.filter(|_| self.participants.len() < Self::PARTICIPANTS) {
            self.participants.insert(who.to_owned());
        }
        let waiting = matches!(self.state, TicketState::New | TicketState::WaitingForUs);
        if !waiting || self.mails == 1 {
            self.due = Some(due);
            self.nagged = false;
        } else {
            // who writes again while waiting does not wait anew, but may have become more urgent
            self.due = Some(self.due.map_or(due, |before| before.min(due)));
        }
        if self.mails > 1 {
            self.state = TicketState::WaitingForUs;
        }
        self.resolved = None;
    }

    /// An agent has answered.
    pub fn answer(&mut self, now: Timestamp) {
        self.answered = Some(now);
        self.due = None;
        self.nagged = false;
        self.promised = self.would_promise.take().filter(|at| *at > now);
        self.state = match self.state {
            TicketState::Resolved | TicketState::ClosingDue | TicketState::Closed => {
                self.promised = None;
                TicketState::Closed
            }
            TicketState::New | TicketState::WaitingForUs | TicketState::WaitingForThem => {
                TicketState::WaitingForThem
            }
        };
    }

    /// An agent says that the matter is settled; whether that was news.
    pub fn resolve(&mut self, now: Timestamp) -> bool {
        if matches!(self.state, TicketState::Resolved | TicketState::ClosingDue | TicketState::Closed) {
            return false;
        }
        self.state = TicketState::Resolved;
        self.resolved = Some(now);
        self.due = None;
        self.promised = None;
        self.nagged = false;
        true
    }

    /// The moment at which somebody must be reminded, if there is one: `margin` before a promise
    /// breaks, when an answer is overdue, or when a resolved ticket still has no closing message.
    #[must_use]
    pub fn wakes(&self, margin: Duration, grace: Duration) -> Option<Timestamp> {
        let legal = self.legal.as_ref().filter(|legal| legal.acknowledged.is_none()).and_then(|l| l.next);
        let clock = self.clock(margin, grace).filter(|_| !self.nagged);
        legal.into_iter().chain(clock).min()
    }

    /// What the service cycle waits for.
    fn clock(&self, margin: Duration, grace: Duration) -> Option<Timestamp> {
        match self.state {
            TicketState::New | TicketState::WaitingForUs => self.due,
            TicketState::WaitingForThem => self.promised.map(|at| at.minus(margin)),
            TicketState::Resolved => self.resolved.map(|at| at.plus(grace)),
            TicketState::ClosingDue | TicketState::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_waits_is_answered_resolved_and_closed_by_the_message_that_says_so() {
        let mut ticket = Ticket::open(TicketId::new(1, [0, 0]), Timestamp(0));
        let hour = Duration::from_hours(1);
        ticket.mail(Some("a@b"), Some(Label::Panic), Timestamp(3_600), Timestamp(0));
        assert_eq!((ticket.state, ticket.wakes(hour, hour)), (TicketState::New, Some(Timestamp(3_600))));
        ticket.would_promise = Some(Timestamp(90_000));
        ticket.answer(Timestamp(60));
        assert_eq!(ticket.state, TicketState::WaitingForThem);
        assert_eq!(ticket.wakes(hour, hour), Some(Timestamp(86_400)), "an hour before the promise breaks");
        assert!(ticket.resolve(Timestamp(100)) && !ticket.resolve(Timestamp(101)));
        assert_eq!(ticket.wakes(hour, hour), Some(Timestamp(3_700)));
        ticket.answer(Timestamp(200));
        assert_eq!((ticket.state, ticket.wakes(hour, hour)), (TicketState::Closed, None));
        ticket.mail(Some("a@b"), Some(Label::Praise), Timestamp(9_000), Timestamp(300));
        assert_eq!((ticket.state, ticket.gravest), (TicketState::WaitingForUs, Some(Label::Praise)));
    }

    #[test]
    fn whoever_writes_again_does_not_start_to_wait_anew() {
        let mut ticket = Ticket::open(TicketId::new(1, [0, 0]), Timestamp(0));
        ticket.mail(None, None, Timestamp(100), Timestamp(0));
        ticket.mail(None, None, Timestamp(190), Timestamp(90));
        assert_eq!(ticket.due, Some(Timestamp(100)));
    }

    #[test]
    fn ticket_numbers_are_short_distinct_and_without_characters_that_are_misread() {
        let ids: std::collections::BTreeSet<_> = (0..5_000).map(|n| TicketId::new(n, [7, 200])).collect();
        assert_eq!(ids.len(), 5_000);
        assert!((0..5_000).all(|n| TicketId::new(n * 977, [7, 200]).sequence() == n * 977));
        assert!(
            ids.iter().all(|id| id.as_str().len() == 10 && !id.as_str().contains(['O', 'I', 'L', '1', '8']))
        );
    }
}
