//! What is known when a mail is decided: its customer and its ticket.

use serde::{Deserialize, Serialize};

use super::care::Care;
use super::customer::Customer;
use super::pace::Paces;
use super::ticket::{Ticket, TicketId};

/// Customer and ticket of one mail, before or after its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The sender's record; empty for a new customer.
    pub customer: Customer,
    /// The ticket of the thread, if there is one.
    pub ticket: Option<Ticket>,
    /// Hostile mails of the week.
    #[serde(default)]
    pub care: Care,
    /// The number a new ticket would get.
    pub next_ticket: TicketId,
    /// What the caps against loops are held against.
    #[serde(default)]
    pub paces: Paces,
}

impl Case {
    /// The case of a stranger who opens a thread.
    #[must_use]
    pub fn new(next_ticket: TicketId) -> Self {
        let (customer, care, paces) = (Customer::default(), Care::default(), Paces::default());
        Self { customer, ticket: None, care, next_ticket, paces }
    }
}
