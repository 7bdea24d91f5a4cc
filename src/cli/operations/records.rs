//! What is on record: `audit`, `export`, `erase`.

use clap::Subcommand;

use super::{identity, moment, show};
use crate::cli::FormatArg;
use crate::cli::output::{self, Format, bold};
use crate::cli::state::{State, Whereabouts, author, not_understood};
use crate::edge::control::{Request, Response};
use crate::time::Timestamp;

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
