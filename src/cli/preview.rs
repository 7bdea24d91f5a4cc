//! `preview`: what would be done with the newest mails, by one policy or by two.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::daemon::rulebook;
use super::interrupt::Interrupted;
use super::learn::classifier_in_force;
use super::output::{self, Format, bold, printable};
use super::progress;
use super::state::{State, not_understood};
use crate::config::Config;
use crate::daemon::simulate::{Found, Simulation, Would};
use crate::decide::Case;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Request, Response};
use crate::edge::imap::Imap;
use crate::edge::ledger::{CaseQuery, Effect, FolderKey, MailKey};
use crate::edge::{Clock, Mailbox};
use crate::mail::MessageId;

/// What is fetched of a mail to read it.
const READ_CAP: u32 = 1024 * 1024;

/// What would be done with a mail.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Done {
    labels: Vec<String>,
    primary: Option<String>,
    queue: Option<String>,
    forward: Vec<String>,
    notify: Vec<String>,
    keywords: Vec<String>,
    draft: Option<String>,
    reasons: Vec<crate::decide::Reason>,
    /// Which text the draft has: to compare it, not to show it.
    #[serde(skip)]
    text: Option<String>,
}

/// One line of `preview --format jsonl`; with `--against` also what the old policy would do.
#[derive(Serialize)]
struct Line<'a> {
    account: &'a str,
    folder: &'a str,
    uid: u32,
    message_id: Option<&'a str>,
    #[serde(flatten)]
    done: &'a Done,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Done>,
}

impl Done {
    fn of(would: &Would) -> Self {
        let verdict = &would.verdict;
        let mut done = Self {
            labels: verdict.labels.iter().map(|found| found.label.to_string()).collect(),
            primary: verdict.primary().map(|label| label.to_string()),
            queue: None,
            forward: Vec::new(),
            notify: Vec::new(),
            keywords: Vec::new(),
            draft: None,
            reasons: would.decision.reasons.clone(),
            text: would.decision.draft().map(|draft| draft.body.clone()),
        };
        for entry in &would.record.effects {
            match &entry.effect {
                Effect::SaveDraft { playbook, .. } => done.draft = Some(playbook.clone()),
                Effect::Forward { to, .. } => done.forward.extend(to.iter().cloned()),
                Effect::Notify { to, .. } => done.notify.extend(to.iter().cloned()),
                Effect::Tag { keywords } => done.keywords.extend(keywords.iter().map(|k| k.word())),
                Effect::File { folder } => done.queue = Some(folder.clone()),
            }
        }
        done
    }

    /// Name, value of each part that is shown.
    fn parts(&self) -> [(&'static str, String); 5] {
        let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(" ") };
        [
            ("keywords", list(&self.keywords)),
            ("queue", self.queue.clone().unwrap_or_else(|| "stays where it is".into())),
            ("forward", list(&self.forward)),
            ("notify", list(&self.notify)),
            ("draft", self.draft.as_ref().map_or_else(|| "none".into(), |name| format!("playbook {name}"))),
        ]
    }

    /// Whether another thing would be done, for whatever reason.
    fn differs(&self, other: &Self) -> bool {
        self.parts() != other.parts() || self.text != other.text
    }
}

/// A directory that goes with the preview.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("evenkeel-preview-{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn simulation(config: &Config, scratch: &Path) -> anyhow::Result<Simulation> {
    Ok(Simulation::new(scratch, rulebook(config)?, classifier_in_force(config)?)?)
}

fn real(state: &mut State, query: &CaseQuery) -> anyhow::Result<Option<Case>> {
    match state.ask(&Request::Case { query: query.clone() })? {
        Response::Case(case) => Ok(Some(*case)),
        // before the first start nothing is known
        Response::Records(_) => Ok(None),
        _ => Err(not_understood()),
    }
}

/// `preview`.
///
/// # Errors
/// When a server or the state cannot be read.
pub fn preview(config: &Config, against: Option<&Config>, last: usize, format: Format) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            done = Box::pin(preview_all(config, against, last, format)) => done,
            // what it has on disk goes with it
            _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
        }
    })
}

async fn preview_all(
    config: &Config,
    against: Option<&Config>,
    last: usize,
    format: Format,
) -> anyhow::Result<()> {
    let (new_dir, old_dir) = (Scratch::new("new"), Scratch::new("old"));
    let mut state = State::of(&config.into())?;
    let mut new = simulation(config, &new_dir.0)?;
    let mut old = against.map(|config| simulation(config, &old_dir.0)).transpose()?;
    let now = SystemClock.now();
    let (mut mails, mut changed) = (0_u32, 0_u32);
    let bar = progress::bar(0);
    bar.set_message("mails");
    for account in &config.accounts {
        let mut imap = Imap::connect(&account.imap, account.drafts.as_deref()).await?;
        for folder in &account.folders {
            let place = FolderKey { account: account.name.clone(), folder: folder.clone() };
            let uid_validity = imap.examine(folder).await?.uid_validity;
            let uids = imap.newest(last).await?;
            bar.inc_length(uids.len() as u64);
            for uid in uids {
                bar.inc(1);
                let Some(bytes) = imap.fetch(uid, READ_CAP).await? else { continue };
                let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let key = MailKey { folder: place.clone(), uid_validity, uid };
                let found = |key| Found { key, bytes: &bytes, size, address: &account.address };
                let would = new.handle(found(key.clone()), now, |query| real(&mut state, query))?;
                let done = Done::of(&would);
                let before = match &mut old {
                    Some(old) => {
                        Some(Done::of(&old.handle(found(key), now, |query| real(&mut state, query))?))
                    }
                    None => None,
                };
                mails += 1;
                let id = would.mail.message_id.as_ref().map(MessageId::as_str);
                let (account, done) = (account.name.as_str(), &done);
                let line = Line { account, folder, uid, message_id: id, done, before: before.as_ref() };
                if before.as_ref().is_none_or(|before| before.differs(done)) {
                    changed += 1;
                    bar.suspend(|| show(&line, &would.mail.subject, format))?;
                }
            }
        }
        imap.logout().await;
    }
    bar.finish_and_clear();
    if against.is_some() {
        output::say(&format!("{changed} of {mails} mails would be handled in another way"));
    }
    Ok(())
}

fn show(line: &Line<'_>, subject: &str, format: Format) -> anyhow::Result<()> {
    if format == Format::Jsonl {
        return output::json(line);
    }
    let place = format!("{}/{} uid {}", line.account, line.folder, line.uid);
    output::line(&format!("{}  {}", bold(&printable(subject)), place))?;
    let before = line.before.map(Done::parts);
    for (index, (name, value)) in line.done.parts().into_iter().enumerate() {
        let old = before.as_ref().and_then(|parts| parts.get(index)).map(|(_, value)| value);
        match old {
            Some(old) if *old != value => output::line(&format!("  {name:<9} {old}  ->  {value}"))?,
            Some(_) => {}
            None if value == "none" && matches!(name, "forward" | "notify") => {}
            None => output::line(&format!("  {name:<9} {value}"))?,
        }
    }
    if line.before.is_some_and(|before| before.text != line.done.text && before.draft == line.done.draft) {
        output::line("  draft     the text differs")?;
    }
    output::line(&format!("  because   {}\n", crate::decide::reason_line(&line.done.reasons)))
}
