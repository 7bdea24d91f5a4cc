//! `doctor`: logs in to every server, says what it can do, and what will be used instead of what
//! it cannot. Changes nothing.

use super::daemon::check;
use super::output::{self, bold};
use crate::config::{Account, Config};
use crate::decide::Keyword;
use crate::edge::Mailbox;
use crate::edge::imap::Imap;
use crate::edge::login::Gates;
use crate::edge::smtp::Smtp;

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
///
/// # Errors
/// When a server cannot be used; all servers are tried first.
pub fn doctor(config: &Config) -> anyhow::Result<()> {
    check(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failures = 0_usize;
    for account in &config.accounts {
        output::line(&bold(&format!("account {}", account.name)))?;
        failures += usize::from(!runtime.block_on(imap(config, account))?);
        failures += usize::from(!runtime.block_on(smtp(account))?);
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

async fn imap(config: &Config, account: &Account) -> anyhow::Result<bool> {
    let server = &account.imap;
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
    let queues = config.policy.queues.0.values().map(String::as_str);
    let missing: Vec<&str> = queues.filter(|name| !folders.exists(name)).collect();
    if missing.is_empty() {
        good("all queue folders exist")?;
    } else {
        note(&format!("queue folders that will be created when needed: {}", missing.join(", ")))?;
    }
    imap.logout().await;
    Ok(usable)
}

async fn smtp(account: &Account) -> anyhow::Result<bool> {
    let Some(server) = &account.smtp else {
        note("no [account.smtp]: nothing can be forwarded from this account")?;
        return Ok(true);
    };
    match Smtp::new(server.clone(), Gates::default()).connect().await {
        Ok(mut connection) => {
            good(&format!("SMTP: connected to {}:{} ({:?})", server.host, server.port, server.tls))?;
            // the test is over; how the server takes the goodbye does not matter
            let _ = connection.quit().await;
            Ok(true)
        }
        Err(error) => {
            bad(&format!("SMTP: {error}"))?;
            Ok(false)
        }
    }
}
