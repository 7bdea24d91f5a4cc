//! Fetches the text of one mail for the window, over a connection of its own: nothing is kept.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Shared, plan};
use crate::config::Account;
use crate::edge::Mailbox;
use crate::edge::http::{ReadText, TextReader};
use crate::edge::imap::Imap;
use crate::edge::ledger::MailRecord;

/// What is fetched of a mail.
const CAP: u32 = 256 * 1024;
/// Most characters that are shown.
const SHOWN: usize = 20_000;
/// Time for connection, search and fetch.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reader for the accounts of the config; one mail at a time.
pub(super) fn reader(accounts: &[Account], shared: &Arc<Shared>) -> TextReader {
    let (accounts, shared): (Arc<[Account]>, _) = (accounts.into(), shared.clone());
    let turn = Arc::new(Mutex::new(()));
    Arc::new(move |record| {
        let (accounts, shared, turn) = (accounts.clone(), shared.clone(), turn.clone());
        Box::pin(async move {
            let _turn = turn.lock().await;
            let reading = Box::pin(read(&accounts, &shared, &record));
            tokio::time::timeout(PATIENCE, reading)
                .await
                .map_err(|_| "the server did not answer in time".to_owned())?
        })
    })
}

async fn read(accounts: &[Account], shared: &Shared, record: &MailRecord) -> Result<ReadText, String> {
    let account = accounts.iter().find(|account| account.name == record.key.folder.account);
    let account = account.ok_or("its account is no longer configured")?;
    let id = record.message_id.as_ref().ok_or("it has no Message-ID by which it could be found")?;
    let mut imap =
        Imap::connect(&account.imap, account.drafts.as_deref()).await.map_err(|error| error.to_string())?;
    let mut bytes = None;
    for folder in plan::folder_of(record).into_iter().chain([record.key.folder.folder.as_str()]) {
        // a folder may be gone: the mail is looked for in the other one
        if let Ok(Some(found)) = imap.read_in(folder, id, CAP).await {
            bytes = Some(found);
            break;
        }
    }
    imap.logout().await;
    let bytes = bytes.ok_or("it is neither where it was filed nor where it arrived")?;
    let classifier = shared.policy().classifier;
    let read = tokio::task::spawn_blocking(move || {
        let mail = crate::mail::parse(&bytes);
        let evidence = classifier.evidence(&mail);
        let text = mail.new_text.chars().take(SHOWN).collect();
        ReadText { text, evidence }
    });
    read.await.map_err(|_| "it cannot be read".to_owned())
}
