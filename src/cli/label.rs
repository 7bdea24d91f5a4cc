//! `label`: what labels a mail has, said by a person.

use anyhow::Context;
use clap::Args;

use super::FormatArg;
use super::output::{self, Format, bold, printable};
use super::state::{State, Whereabouts, author, not_understood};
use crate::classify::Label;
use crate::config::Config;
use crate::decide::vote::Says;
use crate::edge::control::{Examples, Request, Response};
use crate::edge::ledger::examples::{Labelled, Statement, labelled};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// `label`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct LabelArgs {
    /// The mail's Message-ID, with or without angle brackets.
    #[arg(value_name = "MESSAGE-ID", required_unless_present_any = ["list", "drawn", "confirm_held", "reject_held", "take_back"])]
    id: Option<String>,
    /// The labels it has; it then has none of the others.
    #[arg(value_name = "LABEL", conflicts_with_all = ["none", "right", "undo", "confirm"])]
    labels: Vec<String>,
    /// It has none of the labels.
    #[arg(long, requires = "id")]
    none: bool,
    /// It was labelled rightly.
    #[arg(long, requires = "id", conflicts_with = "none")]
    right: bool,
    /// Take back everything that was said about it.
    #[arg(long, requires = "id", conflicts_with_all = ["none", "right"])]
    undo: bool,
    /// What is held of it counts.
    #[arg(long, requires = "id", conflicts_with_all = ["none", "right", "undo"])]
    confirm: bool,
    /// List what was said.
    #[arg(long, conflicts_with = "id")]
    list: bool,
    /// List the mails drawn for review that nobody has spoken on.
    #[arg(long, conflicts_with_all = ["id", "list"])]
    drawn: bool,
    /// Every move that is held as part of a mass move counts.
    #[arg(long, conflicts_with_all = ["id", "list", "drawn"])]
    confirm_held: bool,
    /// Every move that is held is forgotten.
    #[arg(long, conflicts_with_all = ["id", "list", "drawn", "confirm_held"])]
    reject_held: bool,
    /// Everything this person has said is taken back.
    #[arg(long, value_name = "PERSON", conflicts_with_all = ["id", "list", "drawn", "confirm_held", "reject_held"])]
    take_back: Option<String>,
    /// With --take-back: not what was said before; a time such as 2026-11-22T09:00Z, or an age such as 7d.
    #[arg(long, value_parser = super::operations::moment, requires = "take_back")]
    since: Option<Timestamp>,
    #[command(flatten)]
    format: FormatArg,
}

/// `label`.
///
/// # Errors
/// When a label is unknown, the mail is unknown, or the state cannot be written.
pub fn label(config: &Config, args: &LabelArgs) -> anyhow::Result<()> {
    let mut state = State::of(&Whereabouts::from(config))?;
    let format = args.format.format;
    if let Some(person) = args.take_back.clone() {
        let request = Request::TakeBack { person, since: args.since.unwrap_or_default(), author: author() };
        let Response::Settled(mails) = state.ask(&request)? else { return Err(not_understood()) };
        return output::line(&format!("what was said about {mails} mails is taken back"));
    }
    if args.confirm_held || args.reject_held {
        let request = Request::SettleHeld { counts: args.confirm_held, author: author() };
        let Response::Settled(mails) = state.ask(&request)? else { return Err(not_understood()) };
        let done = if args.confirm_held { "count now" } else { "are forgotten" };
        return output::line(&format!("the moves of {mails} mails {done}"));
    }
    let Some(text) = &args.id else {
        let Response::Examples(examples) = state.ask(&Request::Examples)? else {
            return Err(not_understood());
        };
        return if args.drawn { drawn(&examples, format) } else { list(config, &examples, format) };
    };
    let rules = Box::new(config.policy.learning.clone());
    let own: Vec<String> = rules.labels.iter().map(ToString::to_string).collect();
    let statement = if args.undo {
        Statement::Undo
    } else if args.confirm {
        Statement::Confirm
    } else if args.right {
        Statement::Right
    } else {
        anyhow::ensure!(args.none || !args.labels.is_empty(), "name the labels it has, or --none");
        for label in &args.labels {
            anyhow::ensure!(
                Label::from_word(label).is_some() || own.contains(label),
                "there is no label {label:?}; there are {}{}",
                Label::ALL.map(Label::as_str).join(", "),
                own.iter().map(|name| format!(", {name}")).collect::<String>()
            );
        }
        Statement::Labels { labels: args.labels.clone() }
    };
    let id = MessageId::new(text).with_context(|| format!("{text:?} is no Message-ID"))?;
    let request = Request::Label { id, statement, rules, author: author() };
    let Response::Labelled(all) = state.ask(&request)? else { return Err(not_understood()) };
    anyhow::ensure!(!all.is_empty(), "no mail with this Message-ID was handled here");
    for one in &all {
        show(one, format)?;
    }
    Ok(())
}

fn words(says: &Says) -> String {
    let word = |(label, is): (&String, &bool)| if *is { label.clone() } else { format!("not {label}") };
    // a whole statement is told by what is there
    let told: Vec<String> = if says.len() >= Label::COUNT {
        says.iter().filter(|(_, is)| **is).map(|(label, _)| label.clone()).collect()
    } else {
        says.iter().map(word).collect()
    };
    match (told.is_empty(), says.is_empty()) {
        (true, true) => "nothing yet".to_owned(),
        (true, false) => "none of the labels".to_owned(),
        _ => told.join(", "),
    }
}

fn show(one: &Labelled, format: Format) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        return output::json(one);
    }
    let id = one.message_id.as_ref().map_or("a mail without Message-ID", MessageId::as_str);
    output::line(&bold(&printable(id)))?;
    output::line(&format!("  given   {}", one.given.join(", ")))?;
    output::line(&format!("  counts  {}", words(&one.says)))?;
    if !one.waiting.is_empty() {
        output::line(&format!("  waits   for a second voice: {}", one.waiting.join(", ")))?;
    }
    if one.held > 0 {
        output::line(&format!("  held    {} votes of a mass move", one.held))?;
    }
    Ok(())
}

fn list(config: &Config, examples: &Examples, format: Format) -> anyhow::Result<()> {
    let rules = &config.policy.learning;
    for correction in examples.corrections.iter().filter(|one| !one.votes.is_empty()) {
        let one = labelled(correction, rules);
        show(&one, format)?;
    }
    Ok(())
}

/// Mails drawn for review: `explain` says more of each.
fn drawn(examples: &Examples, format: Format) -> anyhow::Result<()> {
    let spoken = |identity: &String| {
        examples.corrections.iter().any(|one| one.identity == *identity && !one.votes.is_empty())
    };
    for (account, identity, recent) in examples.recent.iter().filter(|(_, identity, _)| !spoken(identity)) {
        if !recent.drawn {
            continue;
        }
        let id = recent.message_id.as_ref().map_or("", MessageId::as_str);
        if format == Format::Jsonl {
            output::json(
                &serde_json::json!({ "account": account, "identity": identity, "message_id": id, "labels": recent.labels }),
            )?;
        } else {
            output::line(&format!("{}  {}", printable(id), recent.labels.join(", ")))?;
        }
    }
    Ok(())
}
