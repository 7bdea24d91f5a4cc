//! What is tried for real: a draft saved, tagged, found and removed; a mail to legal.

use std::collections::BTreeSet;

use super::{bad, good, note};
use crate::config::{Account, Config};
use crate::decide::{Desk, Keyword};
use crate::edge::clock::SystemClock;
use crate::edge::imap::Imap;
use crate::edge::outgoing::{self, Marks, own_id};
use crate::edge::smtp::Smtp;
use crate::edge::{Clock, Mailbox, Outbox};
use crate::mail::MessageId;

const MARKS: Marks<'static> = Marks { ticket: None, labels: "", reasons: "doctor" };

/// A mail of ours that proves something, and its id.
fn message(account: &Account, to: &[String], what: &str, text: &str) -> Option<(MessageId, Vec<u8>)> {
    let now = SystemClock.now();
    let id = own_id(&format!("doctor.{}", now.0), what, &account.address)?;
    let subject = "evenkeel: a test, please ignore";
    let bytes = outgoing::notice(&id, &account.address, to, subject, text, &MARKS, now).ok()?;
    Some((id, bytes))
}

/// A draft is saved, tagged, found again and removed.
pub(super) async fn draft(imap: &mut Imap, account: &Account) -> anyhow::Result<bool> {
    let to = [account.address.clone()];
    let text = "This draft was saved by `evenkeel doctor` and is removed again at once.";
    let Some((id, bytes)) = message(account, &to, "draft", text) else {
        bad("drafts: the account's address cannot stand in a mail")?;
        return Ok(false);
    };
    let drafts = imap.folders().drafts.clone();
    if let Err(error) = imap.save_draft(&bytes).await {
        bad(&format!("drafts: none can be saved in {drafts}: {error}"))?;
        return Ok(false);
    }
    let tagged = imap.mark(&drafts, &id, &BTreeSet::from([Keyword::Review]), true).await;
    let found = match imap.find_draft(&id).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            bad(&format!("drafts: one was saved in {drafts} and cannot be found again by its Message-ID"))?;
            return Ok(false);
        }
        Err(error) => {
            bad(&format!("drafts: {drafts} cannot be searched: {error}"))?;
            return Ok(false);
        }
    };
    match imap.remove_draft(found).await {
        Ok(true) => good(&format!("a draft was saved in {drafts}, found and removed again"))?,
        Ok(false) => note(&format!(
            "a draft was saved in {drafts} and found, but a single mail cannot be removed here: old drafts stay; delete the test draft yourself"
        ))?,
        Err(error) => {
            bad(&format!("drafts: the test draft in {drafts} cannot be removed: {error}"))?;
            return Ok(false);
        }
    }
    match tagged {
        Ok(true) => good("a keyword was set on it")?,
        Ok(false) | Err(_) => {
            note("no keyword could be set on it: folders and the ledger tell what was found")?;
        }
    }
    Ok(true)
}

/// A short mail to legal, as forwards go.
pub(super) async fn test_mail(config: &Config, account: &Account, mut smtp: Smtp) -> anyhow::Result<bool> {
    let to = config.policy.recipients(Desk::Legal).to_vec();
    if to.is_empty() {
        bad("no test mail: [desks] legal has no address")?;
        return Ok(false);
    }
    let text = "`evenkeel doctor --send-test` has sent this mail to prove that threats will reach you.\nNothing has happened; no answer is needed.";
    let Some((_, bytes)) = message(account, &to, "test", text) else {
        bad("no test mail: an address under [desks] legal cannot stand in a mail")?;
        return Ok(false);
    };
    let sent = match smtp.prepare(&account.address, &to).await {
        Ok(_) => smtp.send(&bytes).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(()) => good(&format!("a test mail was taken for {}; ask them whether it came", to.join(", ")))?,
        Err(error) => bad(&format!("a test mail to legal: {error}"))?,
    }
    Ok(true)
}
