//! What the commands about the state print for people.

use crate::cli::output::{self, bold, printable};
use crate::decide::{Customer, Priority, customer};
use crate::edge::control::{FolderHealth, Status};
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::ledger::customers::Shown;
use crate::time::Timestamp;

pub(super) fn when(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(|_| "?".into(), |at| at.to_string())
}

pub(super) fn ticket(stored: &StoredTicket) -> anyhow::Result<()> {
    let ticket = &stored.ticket;
    let mut parts = vec![format!("{}  {}", bold(&format!("[{}]", ticket.id)), ticket.state)];
    let mut add = |name: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{name} {value}")));
    };
    add(
        "priority",
        (ticket.priority != Priority::Normal).then(|| format!("{:?}", ticket.priority).to_lowercase()),
    );
    add("queue", ticket.queue.map(|queue| queue.to_string()));
    add("gravest", ticket.gravest.map(|label| label.to_string()));
    add("due", ticket.due.map(when));
    add("promised", ticket.promised.map(when));
    add("assigned", ticket.assigned.map(|name| name.to_string()));
    add("mails", Some(ticket.mails.to_string()));
    add("customer", ticket.participants.first().map(|who| printable(who)));
    add(
        "legal",
        ticket.legal.as_ref().map(|legal| match legal.acknowledged {
            Some(at) => format!("acknowledged {}", when(at)),
            None => format!("waits since {}", when(legal.since)),
        }),
    );
    output::line(&parts.join("  "))
}

pub(super) fn customer(shown: &Shown, whole: bool) -> anyhow::Result<()> {
    let record: &Customer = &shown.record;
    let mut parts = vec![format!("{}  {}", bold(&printable(&shown.customer)), shown.conduct)];
    if let Some(mark) = record.mark.as_ref().filter(|_| shown.conduct != customer::State::Clear) {
        let until = mark.until.map_or_else(|| "until lifted".to_owned(), |at| format!("until {}", when(at)));
        parts.push(format!("since {}  {until}  by {}", when(mark.since), printable(&mark.author)));
        if !mark.note.is_empty() {
            parts.push(format!("({})", printable(&mark.note)));
        }
    }
    output::line(&parts.join("  "))?;
    if !whole {
        return Ok(());
    }
    if !record.linked.is_empty() {
        let all: Vec<String> = record.linked.iter().map(|address| printable(address)).collect();
        output::line(&format!("  also       {}", all.join(", ")))?;
    }
    output::line(&format!(
        "  incidents  {} of abuse remembered, {} of harassment",
        record.incidents.len(),
        record.harassments.len()
    ))?;
    for id in &record.evidence {
        output::line(&format!("  evidence   <{}>", printable(id.as_str())))?;
    }
    for past in &record.past {
        let appeal =
            if past.appeal.is_empty() { String::new() } else { format!(": {}", printable(&past.appeal)) };
        output::line(&format!(
            "  was        {} from {} to {}, ended by {}{appeal}",
            past.mark.state,
            when(past.mark.since),
            when(past.ended),
            printable(&past.ended_by)
        ))?;
    }
    Ok(())
}

fn since(health: Option<&FolderHealth>) -> String {
    let Some(health) = health else { return String::new() };
    let synced = health.synced.map_or_else(String::new, |at| format!(", last proven {}", when(at)));
    format!(" (since {}{synced})", when(health.since))
}

pub(super) fn status(status: &Status) -> anyhow::Result<()> {
    if status.running {
        output::line(&bold(&format!("evenkeel {} is running, mode {}", status.version, status.mode)))?;
        for (folder, what) in &status.folders {
            output::line(&format!("  folder    {folder}: {what}{}", since(status.health.get(folder))))?;
        }
        for (server, until) in &status.certificates {
            output::line(&format!("  tls       {server}: certificate until {}", when(*until)))?;
        }
        for expiry in &status.secrets {
            let what = expiry.secret.replace('-', " ");
            output::line(&format!("  login     {}: {what} until {}", expiry.account, when(expiry.until)))?;
        }
        if let Some(why) = &status.learning {
            output::line(&format!("  LEARNING  {why}"))?;
        }
        output::line(&format!("  policy    since {}, {} rules", when(status.policy_since), status.rules))?;
        for line in status.policy_refused.iter().flat_map(|why| why.lines()) {
            output::line(&format!("  REFUSED   {line}"))?;
        }
    } else {
        output::line(&bold("evenkeel is not running; this is what its files say"))?;
    }
    output::line(&format!("  tickets   {} open, {} overdue", status.open_tickets, status.overdue))?;
    let open: Vec<String> =
        status.queues.iter().filter(|(_, n)| **n > 0).map(|(queue, n)| format!("{queue} {n}")).collect();
    if !open.is_empty() {
        output::line(&format!("  queues    {}", open.join(", ")))?;
    }
    if status.legal_waiting > 0 {
        output::line(&format!("  legal     {} threats not acknowledged", status.legal_waiting))?;
    }
    let oldest =
        status.oldest_pending.map_or_else(String::new, |at| format!(", the oldest since {}", when(at)));
    output::line(&format!("  mails     {} with effects still to do{oldest}", status.under_way))?;
    output::line(&format!("  ledger    {} bytes on disk", status.store_bytes))?;
    output::line(&format!(
        "  caps      drafted for or forwarded in {} minutes: {} of at most {}; held at a cap against loops (loop-cap): {}",
        status.window_minutes, status.answered, status.answered_cap, status.held_at_cap
    ))?;
    output::line(&format!("  forwards  that came back (own-forward-bounced): {}", status.reopened.len()))?;
    for id in &status.reopened {
        output::line(&format!("            {}", printable(id.as_str())))?;
    }
    output::line(&format!("  customers {} not served as everybody", status.marked_customers))?;
    if !status.hostile.is_empty() {
        let all: Vec<String> = status.hostile.iter().map(|(who, count)| format!("{who} {count}")).collect();
        output::line(&format!("  hostile   this week: {}", all.join(", ")))?;
    }
    for edits in &status.edits {
        let (mean, playbook, language) = (edits.mean(), &edits.playbook, &edits.language);
        output::line(&format!(
            "  drafts    {playbook:<11} {language}  sent {:>5}  as they were {:>5}  changed on average {}.{} %",
            edits.sent,
            edits.unchanged,
            mean / 10,
            mean % 10
        ))?;
    }
    Ok(())
}
