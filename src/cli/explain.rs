//! `explain`: what was done with a mail, and why.

use super::output::{self, Format, bold};
use super::state::{State, Whereabouts, not_understood};
use crate::edge::control::{Request, Response};
use crate::edge::ledger::{Effect, MailRecord};
use crate::mail::MessageId;

/// `explain`.
///
/// # Errors
/// When the state cannot be read, or knows nothing of the mail.
pub fn explain(place: &Whereabouts, id: &str, format: Format) -> anyhow::Result<()> {
    let id = MessageId::new(id).ok_or_else(|| anyhow::anyhow!("{id:?} is no Message-ID"))?;
    let Response::Records(records) = State::of(place)?.ask(&Request::Explain { id: id.clone() })? else {
        return Err(not_understood());
    };
    anyhow::ensure!(
        !records.is_empty(),
        "nothing is known of <{}>; it may have arrived before the first start, or not yet",
        id.as_str()
    );
    for record in &records {
        match format {
            Format::Jsonl => output::json(record)?,
            Format::Text => explain_text(record)?,
        }
    }
    Ok(())
}

fn explain_text(record: &MailRecord) -> anyhow::Result<()> {
    let key = &record.key;
    let at = jiff::Timestamp::from_second(record.decided.0).map_or_else(|_| "?".into(), |at| at.to_string());
    output::line(&bold(&format!("{}/{} uid {}", key.folder.account, key.folder.folder, key.uid)))?;
    output::line(&format!("  decided   {at}"))?;
    if let Some(ticket) = &record.ticket {
        output::line(&format!("  ticket    {ticket}"))?;
    }
    if let Some(verdict) = &record.verdict {
        output::line(&format!("  language  {}", verdict.language))?;
        for found in &verdict.labels {
            output::line(&format!("  label     {} {:.2}", found.label, found.probability))?;
        }
        for found in &verdict.own {
            output::line(&format!("  label     {} {:.2}", found.label, found.probability))?;
        }
        if !verdict.rules.is_empty() {
            output::line(&format!("  rules     {}", verdict.rules.join(", ")))?;
        }
    }
    for reason in &record.reasons {
        output::line(&format!("  because   {reason}"))?;
    }
    for entry in &record.effects {
        let to = match &entry.effect {
            Effect::Forward { to, .. } | Effect::Notify { to, .. } => format!(" ({})", to.join(", ")),
            Effect::SaveDraft { .. } | Effect::Tag { .. } | Effect::File { .. } => String::new(),
        };
        output::line(&format!("  effect    {}{to}: {}", entry.effect, entry.state))?;
    }
    output::line("")
}
