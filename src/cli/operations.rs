//! Commands about the state: tickets, customers, undo, retry, audit, export, erase, status.

mod show;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::FormatArg;
use super::output::{self, Format, bold, printable};
use super::state::{State, Whereabouts, author, not_understood};
use crate::decide::TicketState;
use crate::decide::customer;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Request, Response};
use crate::edge::ledger::customers::Change;
use crate::edge::ledger::tickets::TicketFilter;
use crate::edge::ledger::undo::Undo;
use crate::mail::{Address, MessageId};
use crate::time::Timestamp;

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

/// `undo`.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The Message-ID of a mail.
    #[arg(value_name = "MESSAGE-ID", conflicts_with_all = ["rule", "from", "to"])]
    id: Option<String>,
    /// What was done where this rule or route applied.
    #[arg(long, conflicts_with = "to")]
    rule: Option<String>,
    /// Not before: a time such as 2026-11-22T09:00Z, or an age such as 2h or 3d.
    #[arg(long, value_parser = moment)]
    from: Option<Timestamp>,
    /// Not after; without it, up to now.
    #[arg(long, value_parser = moment, requires = "from")]
    to: Option<Timestamp>,
    #[command(flatten)]
    format: FormatArg,
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// The newest lines.
    Show {
        /// Not before: a time such as 2026-11-22T09:00Z, or an age such as 2h or 3d.
        #[arg(long, value_parser = moment)]
        since: Option<Timestamp>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// Check that nothing was changed or cut off.
    Verify,
}

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

/// `undo`.
///
/// # Errors
/// When the state cannot be read or written, or nothing matches.
pub fn undo(place: &Whereabouts, args: UndoArgs) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let now = SystemClock.now();
    let what = match (args.id, args.rule, args.from) {
        (Some(id), _, _) => {
            Undo::Mail { id: MessageId::new(&id).with_context(|| format!("{id:?} is no Message-ID"))? }
        }
        (None, Some(rule), since) => Undo::Rule { rule, since: since.unwrap_or(Timestamp(0)) },
        (None, None, Some(from)) => Undo::Window { from, to: args.to.unwrap_or(now) },
        (None, None, None) => anyhow::bail!("name a Message-ID, --rule or --from"),
    };
    let request = Request::Undo { undo: what, author: author() };
    let Response::Undone(all) = state.ask(&request)? else { return Err(not_understood()) };
    anyhow::ensure!(!all.is_empty(), "nothing matches: nothing was taken back");
    for mail in &all {
        if args.format.format == Format::Jsonl {
            output::json(mail)?;
            continue;
        }
        let id = mail.message_id.as_ref().map_or("a mail without Message-ID", MessageId::as_str);
        output::line(&bold(&printable(id)))?;
        for what in &mail.taken_back {
            output::line(&format!("  back   {what}"))?;
        }
        for what in &mail.stays {
            output::line(&format!("  STAYS  {what}"))?;
        }
    }
    if !state.running() {
        output::say("the daemon is down: what is on the servers is taken back when it runs again");
    }
    Ok(())
}

/// `retry`.
///
/// # Errors
/// When the state cannot be read or written.
pub fn retry(place: &Whereabouts, id: Option<&str>, format: Format) -> anyhow::Result<()> {
    let id = match id {
        Some(text) => Some(MessageId::new(text).with_context(|| format!("{text:?} is no Message-ID"))?),
        None => None,
    };
    let mut state = State::of(place)?;
    let Response::Retried(mails) = state.ask(&Request::Retry { id, author: author() })? else {
        return Err(not_understood());
    };
    match format {
        Format::Jsonl => output::json(&serde_json::json!({ "mails": mails })),
        Format::Text => output::line(&format!("{mails} mails are tried again")),
    }
}

/// `audit`.
///
/// # Errors
/// When the audit cannot be read, or was changed.
pub fn audit(place: &Whereabouts, command: &AuditCommand) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    match *command {
        AuditCommand::Verify => {
            let Response::Verified(lines) = state.ask(&Request::VerifyAudit)? else {
                return Err(not_understood());
            };
            output::line(&format!("{lines} lines, whole"))
        }
        AuditCommand::Show { since, limit, format } => {
            let request = Request::Audit { since: since.unwrap_or(Timestamp(0)), limit };
            let Response::Audit(lines) = state.ask(&request)? else { return Err(not_understood()) };
            for line in &lines {
                match format.format {
                    Format::Jsonl => output::json(line)?,
                    Format::Text => {
                        let event = serde_json::to_string(&line.event)?;
                        output::line(&format!("{:>8}  {}  {event}", line.n, show::when(line.at)))?;
                    }
                }
            }
            Ok(())
        }
    }
}

/// `export`.
///
/// # Errors
/// When the state cannot be read.
pub fn export(place: &Whereabouts, address: &str) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let Response::Export(export) = state.ask(&Request::Export { who: identity(address) })? else {
        return Err(not_understood());
    };
    output::json(&export)
}

/// `erase`.
///
/// # Errors
/// When the state cannot be written, or a legal hold prevents it.
pub fn erase(place: &Whereabouts, address: &str, despite_hold: bool, format: Format) -> anyhow::Result<()> {
    let mut state = State::of(place)?;
    let request = Request::Erase { who: identity(address), despite_hold, author: author() };
    let receipt = match state.ask(&request)? {
        Response::Erased(receipt) => receipt,
        Response::OnHold(hold) => anyhow::bail!(
            "nothing was erased: {} on legal hold; ask legal, then use --despite-hold",
            hold.tickets.join(", ")
        ),
        _ => return Err(not_understood()),
    };
    if format == Format::Jsonl {
        return output::json(&receipt);
    }
    output::line(&bold(&format!("receipt {}  {}", receipt.receipt, show::when(receipt.at))))?;
    for (kind, count) in &receipt.counts {
        output::line(&format!("  erased  {count} {kind}"))?;
    }
    for what in &receipt.stays {
        output::line(&format!("  STAYS   {what}"))?;
    }
    Ok(())
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
