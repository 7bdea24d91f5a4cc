//! `undo` and `retry`.

use anyhow::Context;
use clap::Args;

use super::moment;
use crate::cli::FormatArg;
use crate::cli::output::{self, Format, bold, printable};
use crate::cli::state::{State, Whereabouts, author, not_understood};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Request, Response};
use crate::edge::ledger::undo::Undo;
use crate::mail::MessageId;
use crate::time::Timestamp;

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
