//! `customers`.

use clap::Subcommand;

use super::{identity, show};
use crate::cli::FormatArg;
use crate::cli::output::{self, Format};
use crate::cli::state::{State, Whereabouts, author, not_understood};
use crate::decide::customer;
use crate::edge::control::{Request, Response};
use crate::edge::ledger::customers::Change;

/// `customers`.
#[derive(Debug, Subcommand)]
pub enum CustomersCommand {
    /// Customers who are not served as everybody; or one customer, with everything known.
    Show {
        /// An address.
        #[arg(value_name = "ADDRESS")]
        address: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// Decide how a customer is served.
    #[command(
        after_help = "Example:\n  evenkeel customers set rick@example.org email-only --days 30 --note 'agreed with the lead'"
    )]
    Set {
        /// An address.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// clear, warned, email-only or legal-only.
        #[arg(value_parser = conduct_word)]
        state: customer::State,
        /// For so many days; without it, until somebody lifts it.
        #[arg(long)]
        days: Option<u32>,
        /// Why.
        #[arg(long)]
        note: String,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// Serve a customer as everybody again.
    #[command(
        after_help = "Example:\n  evenkeel customers lift rick@example.org --appeal 'apologised on the telephone'"
    )]
    Lift {
        /// An address.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// What speaks for it.
        #[arg(long)]
        appeal: String,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// Two addresses belong to one person: one record from now on.
    Link {
        /// The address that is kept.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// The other one.
        #[arg(value_name = "OTHER")]
        other: String,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
}

fn conduct_word(word: &str) -> Result<customer::State, String> {
    customer::State::from_word(word)
        .ok_or_else(|| format!("there are {}", customer::State::ALL.map(customer::State::as_str).join(", ")))
}

/// `customers`.
///
/// # Errors
/// When the state cannot be read or written.
pub fn customers(place: &Whereabouts, command: CustomersCommand) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let author = author();
    let change = |address: &str, change: Change| Request::Change { who: identity(address), change, author };
    let (request, format, whole) = match command {
        CustomersCommand::Show { address: None, format } => (Request::Customers, format, false),
        CustomersCommand::Show { address: Some(who), format } => {
            (Request::Customer { who: identity(&who) }, format, true)
        }
        CustomersCommand::Set { address, state, days, note, format } => {
            (change(&address, Change::Set { state, days, note }), format, true)
        }
        CustomersCommand::Lift { address, appeal, format } => {
            (change(&address, Change::Lift { appeal }), format, true)
        }
        CustomersCommand::Link { address, other, format } => {
            (change(&address, Change::Link { other: identity(&other) }), format, true)
        }
    };
    let Response::Customers(all) = state.ask(&request)? else { return Err(not_understood()) };
    for shown in &all {
        match format.format {
            Format::Jsonl => output::json(shown)?,
            Format::Text => show::customer(shown, whole)?,
        }
    }
    Ok(())
}
