//! Commands about the state: tickets, customers, undo, retry, audit, export, erase, status.

mod customers;
mod records;
mod show;
mod tickets;
mod undo;

use super::output::{self, Format};
use super::state::{State, Whereabouts, not_understood};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Request, Response};
use crate::mail::Address;
use crate::time::Timestamp;

pub use customers::{CustomersCommand, customers};
pub use records::{AuditCommand, audit, erase, export};
pub use tickets::{TicketsArgs, tickets};
pub use undo::{UndoArgs, retry, undo};

/// A point in time, or an age.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(crate::config::Start::Age(age)) = crate::config::Start::try_from(text.to_owned()) {
        return Ok(SystemClock.now().minus(age));
    }
    let at = text.parse::<jiff::Timestamp>().map(|at| Timestamp(at.as_second()));
    at.map_err(|_| "write a time such as 2026-11-22T09:00Z, or an age such as 2h or 3d".to_owned())
}

fn identity(address: &str) -> String {
    Address { name: String::new(), address: address.to_owned() }.identity()
}

/// `status`.
///
/// # Errors
/// When the state cannot be read.
pub fn status(place: &Whereabouts, format: Format) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let Response::Status(status) = state.ask(&Request::Status)? else { return Err(not_understood()) };
    if format == Format::Jsonl {
        return output::json(&status);
    }
    show::status(&status)
}
