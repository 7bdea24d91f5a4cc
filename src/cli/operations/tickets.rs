//! `tickets`.

use clap::Args;

use super::{identity, show};
use crate::cli::FormatArg;
use crate::cli::output::{self, Format};
use crate::cli::state::{State, Whereabouts, author, not_understood};
use crate::decide::TicketState;
use crate::edge::control::{Request, Response};
use crate::edge::ledger::tickets::TicketFilter;

/// `tickets`.
#[derive(Debug, Args)]
pub struct TicketsArgs {
    /// A ticket's number: that one only.
    #[arg(value_name = "NUMBER")]
    number: Option<String>,
    /// In this state only: new, waiting-for-us, waiting-for-them, resolved, closing-due, closed.
    #[arg(long, value_parser = state_word)]
    state: Option<TicketState>,
    /// Only those whose answer or promise is overdue.
    #[arg(long)]
    overdue: bool,
    /// Only those of this customer.
    #[arg(long, value_name = "ADDRESS")]
    customer: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// The ticket is settled.
    #[arg(long, requires = "number")]
    resolve: bool,
    #[command(flatten)]
    format: FormatArg,
}

fn state_word(word: &str) -> Result<TicketState, String> {
    TicketState::from_word(word)
        .ok_or_else(|| format!("there are {}", TicketState::ALL.map(TicketState::as_str).join(", ")))
}

/// `tickets`.
///
/// # Errors
/// When the state cannot be read, or there is no such ticket.
pub fn tickets(place: &Whereabouts, args: TicketsArgs) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let number = args.number.map(|number| number.trim_matches(['[', ']']).to_uppercase());
    let request = match number.clone().filter(|_| args.resolve) {
        Some(number) => Request::Resolve { number, author: author() },
        None => Request::Tickets {
            filter: TicketFilter {
                number: number.clone(),
                state: args.state,
                overdue: args.overdue,
                customer: args.customer.as_deref().map(identity),
                limit: args.limit,
            },
        },
    };
    let Response::Tickets(tickets) = state.ask(&request)? else { return Err(not_understood()) };
    if let Some(number) = number.filter(|_| tickets.is_empty()) {
        let why = if args.resolve { "there is none, or it is settled already" } else { "there is none" };
        anyhow::bail!("ticket {number}: {why}");
    }
    for stored in &tickets {
        match args.format.format {
            Format::Jsonl => output::json(stored)?,
            Format::Text => show::ticket(stored)?,
        }
    }
    Ok(())
}
