//! One matter of one customer, from the first mail to the closing message.

use std::fmt;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketState {
    /// A mail came in; an agent has to answer.
    #[default]
    WaitingForUs,
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
}

impl Ticket {
    /// A ticket that is opened by a mail at `now`.
    #[must_use]
    pub const fn open(id: TicketId, now: Timestamp) -> Self {
        Self {
            id,
            opened: now,
            last_mail: now,
            mails: 0,
            state: TicketState::WaitingForUs,
            gravest: None,
            draft: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_numbers_are_short_distinct_and_without_characters_that_are_misread() {
        let ids: std::collections::BTreeSet<_> = (0..5_000).map(|n| TicketId::new(n, [7, 200])).collect();
        assert_eq!(ids.len(), 5_000);
        assert!(
            ids.iter().all(|id| id.as_str().len() == 10 && !id.as_str().contains(['O', 'I', 'L', '1', '8']))
        );
    }
}
