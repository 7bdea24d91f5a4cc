//! `doctor`: proves every server, says what it can do, and what will be used instead of what it
//! cannot. All it changes is a draft of its own that it removes again.

mod proof;

use clap::Args;

use super::daemon::check;
use super::output::{self, bold};
use crate::config::{Account, Config, Server};
use crate::decide::Keyword;
use crate::edge::clock::SystemClock;
use crate::edge::imap::Imap;
use crate::edge::login::Gates;
use crate::edge::smtp::Smtp;
use crate::edge::wire::certificate;
use crate::edge::{Clock, Mailbox};

/// What a capability is used for, and what happens without it.
const CAPABILITIES: [(&str, &str, &str); 5] = [
    ("IDLE", "new mail is noticed at once", "the folder is looked at every minute"),
    ("MOVE", "mails are filed in one step", "mails are copied, the copy is proven, the original expunged"),
    (
        "UIDPLUS",
        "moves and copies are proven by the server",
        "without MOVE nothing is filed: mails are only tagged",
    ),
    ("SPECIAL-USE", "the Drafts folder is named by the server", "the Drafts folder is found by its name"),
    (
        "CONDSTORE",
        "two daemons on one mailbox share it: the server decides who handles a mail",
        "two daemons on one mailbox leave each other's mails to a person: run only one",
    ),
];

/// `doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {
    /// Send a short mail to legal.
    #[arg(long)]
    send_test: bool,
    /// Save no draft to prove that it can be done.
    #[arg(long)]
    no_draft: bool,
}

/// `doctor`.
///
/// # Errors
/// When a server cannot be used; all servers are tried first.
pub fn doctor(config: &Config, args: &DoctorArgs) -> anyhow::Result<()> {
    check(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failures = 0_usize;
    for account in &config.accounts {
        output::line(&bold(&format!("account {}", account.name)))?;
        failures += usize::from(!runtime.block_on(imap(config, account, args))?);
        failures += usize::from(!runtime.block_on(smtp(config, account, args))?);
    }
    anyhow::ensure!(failures == 0, "{failures} servers cannot be used as configured");
    Ok(())
}

fn good(text: &str) -> anyhow::Result<()> {
    output::line(&format!("  ok    {text}"))
}

fn note(text: &str) -> anyhow::Result<()> {
    output::line(&format!("  note  {text}"))
}

fn bad(text: &str) -> anyhow::Result<()> {
    output::line(&format!("  FAIL  {text}"))
}

/// What the name leads to; nothing is said where the connection will say it.
async fn name(kind: &str, server: &Server) -> anyhow::Result<()> {
    let found = tokio::net::lookup_host((server.host.as_str(), server.port)).await;
    let addresses: Vec<String> =
        found.map(|all| all.map(|at| at.ip().to_string()).collect()).unwrap_or_default();
    if addresses.is_empty() {
        return Ok(());
    }
    good(&format!("{kind}: {} is {}", server.host, addresses.join(", ")))
}

/// How long the certificate is good.
fn certificate(kind: &str, server: &Server) -> anyhow::Result<()> {
    let Some(until) = certificate::seen().remove(&format!("{}:{}", server.host, server.port)) else {
        return Ok(());
    };
    let day =
        jiff::Timestamp::from_second(until.0).map(|at| at.strftime("%F").to_string()).unwrap_or_default();
    let left = until.since(SystemClock.now()).as_secs() / 86_400;
    let text = format!("{kind}: the certificate is valid until {day}");
    if left < 14 { note(&format!("{text}, {left} days from now")) } else { good(&text) }
}

async fn imap(config: &Config, account: &Account, args: &DoctorArgs) -> anyhow::Result<bool> {
    let server = &account.imap;
    name("IMAP", server).await?;
    let mut imap = match Imap::connect(server, account.drafts.as_deref()).await {
        Ok(imap) => imap,
        Err(error) => {
            bad(&format!("IMAP: {error}"))?;
            return Ok(false);
        }
    };
    good(&format!(
        "IMAP: logged in at {}:{} as {} ({:?})",
        server.host, server.port, server.user, server.tls
    ))?;
    certificate("IMAP", server)?;
    for (capability, with, without) in CAPABILITIES {
        if imap.can(capability) {
            good(&format!("{capability}: {with}"))?;
        } else {
            note(&format!("no {capability}: {without}"))?;
        }
    }
    let mut usable = true;
    for folder in &account.folders {
        match imap.select(folder).await {
            Err(error) => {
                bad(&error.to_string())?;
                usable = false;
            }
            Ok(state) => {
                good(&format!("folder {folder}: {} mails", state.exists))?;
                if state.read_only {
                    note(&format!("{folder} is read-only: its mails are only observed"))?;
                } else if Keyword::all().all(|keyword| state.keywords.allows(keyword)) {
                    good(&format!("keywords can be set in {folder}"))?;
                } else {
                    note(&format!(
                        "the server allows no new keywords in {folder}: folder and ledger tell what was found"
                    ))?;
                }
            }
        }
    }
    let folders = imap.folders();
    let how = if folders.drafts_by_special_use { "named by the server" } else { "by its name" };
    let exists = if folders.exists(&folders.drafts) { "" } else { "; it will be created" };
    good(&format!("drafts go to {} ({how}{exists})", folders.drafts))?;
    match &folders.sent {
        Some(sent) => good(&format!("answers of agents are learned from {sent}"))?,
        None => note("no Sent folder was found: that an agent has answered is not noticed")?,
    }
    let queues = config.policy.queues.0.values().map(String::as_str);
    let missing: Vec<&str> = queues.filter(|name| !folders.exists(name)).collect();
    if missing.is_empty() {
        good("all queue folders exist")?;
    } else {
        note(&format!("queue folders that will be created when needed: {}", missing.join(", ")))?;
    }
    match imap.quota().await {
        Ok(Some(quota)) if quota.full() => {
            note(&format!("the mailbox is nearly full: {quota}; drafts may be refused"))?;
        }
        Ok(Some(quota)) => good(&format!("quota: {quota}"))?,
        Ok(None) => good("no quota is told")?,
        Err(error) => note(&format!("the quota is not told: {error}"))?,
    }
    if !args.no_draft {
        usable &= proof::draft(&mut imap, account).await?;
    }
    imap.logout().await;
    Ok(usable)
}

async fn smtp(config: &Config, account: &Account, args: &DoctorArgs) -> anyhow::Result<bool> {
    let Some(server) = &account.smtp else {
        note("no [account.smtp]: nothing can be forwarded from this account")?;
        return Ok(true);
    };
    name("SMTP", server).await?;
    match Smtp::new(server.clone(), Gates::default()).connect().await {
        Ok(mut connection) => {
            good(&format!("SMTP: connected to {}:{} ({:?})", server.host, server.port, server.tls))?;
            // the test is over; how the server takes the goodbye does not matter
            let _ = connection.quit().await;
            certificate("SMTP", server)?;
            if args.send_test {
                return proof::test_mail(config, account, Smtp::new(server.clone(), Gates::default())).await;
            }
            Ok(true)
        }
        Err(error) => {
            bad(&format!("SMTP: {error}"))?;
            Ok(false)
        }
    }
}
