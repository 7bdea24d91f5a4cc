//! `preview` and `explain`: what would be done, and what was done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::classify::classifier;
use super::daemon::rulebook;
use super::output::{self, Format, bold, printable};
use crate::config::Config;
use crate::daemon::account_names;
use crate::daemon::plan::case_query;
use crate::decide::{Action, Case, Decision, Rulebook, decide};
use crate::edge::clock::SystemClock;
use crate::edge::control::{self, Request, Response};
use crate::edge::imap::Imap;
use crate::edge::ledger::{CaseQuery, Effect, EffectState, MailRecord, Store};
use crate::edge::{Clock, Mailbox};
use crate::mail::MessageId;

/// What is fetched of a mail to read it.
const READ_CAP: u32 = 1024 * 1024;

/// Where the state is asked: the running daemon, or the files when none is running.
enum State {
    Daemon(PathBuf),
    Files(Box<Store>, Vec<String>),
    /// Before the first start there is none.
    Nothing,
}

impl State {
    fn of(config: &Config) -> anyhow::Result<Self> {
        if control::answers(&config.control_socket) {
            return Ok(Self::Daemon(config.control_socket.clone()));
        }
        if !config.state_dir.join("ledger").exists() {
            return Ok(Self::Nothing);
        }
        Ok(Self::Files(Box::new(Store::open(&config.state_dir)?), account_names(config)))
    }

    fn ask(&self, request: &Request) -> anyhow::Result<Response> {
        match self {
            Self::Daemon(socket) => Ok(control::ask(socket, request)?),
            Self::Files(store, accounts) => Ok(control::answer(store, accounts, request)?),
            Self::Nothing => Ok(Response::Records { records: Vec::new() }),
        }
    }
}

/// One line of `preview --format jsonl`.
#[derive(Serialize)]
struct Previewed<'a> {
    account: &'a str,
    folder: &'a str,
    uid: u32,
    message_id: Option<&'a str>,
    labels: Vec<&'a str>,
    primary: Option<crate::classify::Label>,
    queue: Option<&'a str>,
    forward: Vec<String>,
    notify: Vec<String>,
    keywords: Vec<String>,
    draft: Option<&'a str>,
    reasons: &'a [crate::decide::Reason],
}

/// Cases as they would become while one mail after the other is handled; nothing is written.
struct Simulated {
    state: State,
    customers: BTreeMap<String, crate::decide::Customer>,
    tickets: BTreeMap<String, crate::decide::Ticket>,
    threads: BTreeMap<MessageId, String>,
    opened: u64,
}

impl Simulated {
    fn case(&mut self, query: &CaseQuery) -> anyhow::Result<Case> {
        let asked = self.state.ask(&Request::Case { query: query.clone() })?;
        let mut case = match asked {
            Response::Case { case } => *case,
            Response::Records { .. } => Case::new(crate::decide::TicketId::new(0, [0, 0])),
            Response::Error { why } => anyhow::bail!("the daemon says: {why}"),
        };
        if let Some(known) = query.customer.as_ref().and_then(|who| self.customers.get(who)) {
            case.customer = known.clone();
        }
        let number = query.references.iter().rev().find_map(|id| self.threads.get(id));
        if let Some(known) = number.and_then(|number| self.tickets.get(number)) {
            case.ticket = Some(known.clone());
        }
        case.next_ticket = crate::decide::TicketId::new(self.opened, [0, 0]);
        Ok(case)
    }

    fn remember(&mut self, query: &CaseQuery, id: Option<&MessageId>, after: &Case) {
        if let Some(who) = &query.customer {
            self.customers.insert(who.clone(), after.customer.clone());
        }
        if let Some(ticket) = &after.ticket {
            if ticket.id == after.next_ticket {
                self.opened += 1;
            }
            self.tickets.insert(ticket.id.to_string(), ticket.clone());
            for id in id.into_iter().chain(&query.references) {
                self.threads.insert(id.clone(), ticket.id.to_string());
            }
        }
    }
}

/// `preview`.
///
/// # Errors
/// When a server or the state cannot be read.
pub fn preview(config: &Config, last: usize, format: Format) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(preview_all(config, last, format))
}

async fn preview_all(config: &Config, last: usize, format: Format) -> anyhow::Result<()> {
    let classifier = classifier(Some(config))?;
    let book = rulebook(config)?;
    let mut simulated = Simulated {
        state: State::of(config)?,
        customers: BTreeMap::new(),
        tickets: BTreeMap::new(),
        threads: BTreeMap::new(),
        opened: 0,
    };
    let now = SystemClock.now();
    for account in &config.accounts {
        let mut imap = Imap::connect(&account.imap, account.drafts.as_deref()).await?;
        for folder in &account.folders {
            imap.examine(folder).await?;
            for uid in imap.newest(last).await? {
                let Some(bytes) = imap.fetch(uid, READ_CAP).await? else { continue };
                let mail = crate::mail::parse(&bytes);
                let verdict = classifier.classify(&mail);
                let query = case_query(&account.name, &mail);
                let case = simulated.case(&query)?;
                let decision = decide(&mail, &verdict, &case, &book, now);
                simulated.remember(&query, mail.message_id.as_ref(), &decision.case);
                let line = previewed(&account.name, folder, uid, &mail, &verdict, &decision, &book);
                show(&line, &mail.subject, &decision, format)?;
            }
        }
        imap.logout().await;
    }
    Ok(())
}

fn previewed<'a>(
    account: &'a str,
    folder: &'a str,
    uid: u32,
    mail: &'a crate::mail::Mail,
    verdict: &crate::classify::Verdict,
    decision: &'a Decision,
    book: &'a Rulebook,
) -> Previewed<'a> {
    let mut line = Previewed {
        account,
        folder,
        uid,
        message_id: mail.message_id.as_ref().map(MessageId::as_str),
        labels: verdict.labels.iter().map(|found| found.label.as_str()).collect(),
        primary: verdict.primary(),
        queue: decision.queue().map(|queue| book.policy.folder(queue)),
        forward: Vec::new(),
        notify: Vec::new(),
        keywords: Vec::new(),
        draft: decision.draft().map(|draft| draft.playbook.as_str()),
        reasons: &decision.reasons,
    };
    let policy = &book.policy;
    for action in &decision.actions {
        match action {
            Action::Forward(desk) => line.forward.extend(policy.recipients(*desk).iter().cloned()),
            Action::Tag(keywords) => line.keywords.extend(keywords.iter().map(|k| k.word())),
            Action::Notify(desk) => line.notify.extend(policy.recipients(*desk).iter().cloned()),
            Action::SaveDraft(_) | Action::File(_) => {}
        }
    }
    line
}

fn show(line: &Previewed<'_>, subject: &str, decision: &Decision, format: Format) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        return output::json(line);
    }
    let place = format!("{}/{} uid {}", line.account, line.folder, line.uid);
    output::line(&format!("{}  {}", bold(&printable(subject)), place))?;
    output::line(&format!(
        "  keywords  {}",
        if line.keywords.is_empty() { "none".into() } else { line.keywords.join(" ") }
    ))?;
    output::line(&format!("  queue     {}", line.queue.unwrap_or("stays where it is")))?;
    if !line.forward.is_empty() {
        output::line(&format!("  forward   {}", line.forward.join(", ")))?;
    }
    if !line.notify.is_empty() {
        output::line(&format!("  notify    {}", line.notify.join(", ")))?;
    }
    output::line(&format!(
        "  draft     {}",
        line.draft.map_or_else(|| "none".into(), |playbook| format!("playbook {playbook}"))
    ))?;
    output::line(&format!("  because   {}\n", decision.reason_line()))
}

/// `explain`.
///
/// # Errors
/// When the state cannot be read, or knows nothing of the mail.
pub fn explain(config: &Config, id: &str, format: Format) -> anyhow::Result<()> {
    let id = MessageId::new(id).ok_or_else(|| anyhow::anyhow!("{id:?} is no Message-ID"))?;
    let records = match State::of(config)?.ask(&Request::Explain { id: id.clone() })? {
        Response::Records { records } => records,
        Response::Error { why } => anyhow::bail!("the daemon says: {why}"),
        Response::Case { .. } => anyhow::bail!("the daemon's answer is not understood"),
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
        if !verdict.rules.is_empty() {
            output::line(&format!("  rules     {}", verdict.rules.join(", ")))?;
        }
    }
    for reason in &record.reasons {
        output::line(&format!("  because   {reason}"))?;
    }
    for entry in &record.effects {
        let what = match &entry.effect {
            Effect::SaveDraft { playbook, .. } => format!("draft by playbook {playbook}"),
            Effect::Forward { desk, to, .. } => format!("forward to {desk} ({})", to.join(", ")),
            Effect::Notify { desk, to, .. } => format!("tell {desk} ({})", to.join(", ")),
            Effect::Tag { keywords } => {
                format!("keywords {}", keywords.iter().map(|k| k.word()).collect::<Vec<_>>().join(" "))
            }
            Effect::File { folder } => format!("file into {folder}"),
        };
        let became = match &entry.state {
            EffectState::Pending => "still to do".to_owned(),
            EffectState::InFlight => "being done, or in doubt".to_owned(),
            EffectState::Done => "done".to_owned(),
            EffectState::Skipped(why) => format!("not done: {why}"),
            EffectState::Failed(why) => format!("FAILED: {why}"),
        };
        output::line(&format!("  effect    {what}: {became}"))?;
    }
    output::line("")
}
