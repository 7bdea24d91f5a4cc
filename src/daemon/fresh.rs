//! Reading mails that were fetched, on threads of their own: a panic costs the mail, not the daemon.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Shared, plan};
use crate::classify::{Classifier, Reading, Scratch, Verdict};
use crate::config::Mode;
use crate::decide::OWN_ID_PREFIX;
use crate::edge::ledger::{LedgerError, MailKey};
use crate::edge::{Listed, metrics};
use crate::mail::{AutomatedReason, Mail};
use crate::time::Timestamp;

/// Mails that one thread reads at least, before another one helps.
const SHARE: usize = 8;

/// Most threads that read a set.
const READERS: usize = 4;

/// A mail as the server gave it.
pub(super) struct Fetched {
    pub(super) key: MailKey,
    pub(super) listed: Listed,
    pub(super) bytes: Vec<u8>,
}

/// A mail that was fetched and read.
pub(super) struct Fresh {
    pub(super) key: MailKey,
    pub(super) arrived: Option<Timestamp>,
    /// It carries keywords of ours.
    pub(super) tagged: bool,
    pub(super) size: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) identity: String,
    pub(super) mail: Mail,
    pub(super) verdict: Verdict,
    /// To learn from.
    pub(super) reading: Option<Reading>,
}

/// Begins to read a set; the parts come in its order.
pub(super) fn read_set(shared: &Shared, mut fetched: Vec<Fetched>) -> Vec<JoinHandle<Vec<Fresh>>> {
    let policy = shared.policy();
    let learns = policy.book.policy.learning.recent > 0 && shared.mode == Mode::Act;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(READERS);
    let share = fetched.len().div_ceil(threads).max(SHARE);
    let mut parts = Vec::new();
    while !fetched.is_empty() {
        let later = fetched.split_off(share.min(fetched.len()));
        let (part, classifier) = (std::mem::replace(&mut fetched, later), policy.classifier.clone());
        parts.push(tokio::task::spawn_blocking(move || {
            let mut scratch = Scratch::default();
            part.into_iter().map(|mail| fresh(&classifier, &mut scratch, mail, learns)).collect()
        }));
    }
    parts
}

/// What was read, with our own mail recognised.
pub(super) async fn ours_told(
    shared: &Shared,
    parts: Vec<JoinHandle<Vec<Fresh>>>,
) -> Result<Vec<Fresh>, LedgerError> {
    let mut set = Vec::new();
    for part in parts {
        match part.await {
            Ok(part) => set.extend(part),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // the runtime is being shut down
                Err(_) => return Err(LedgerError::Stopped),
            },
        }
    }
    for one in &mut set {
        if is_ours(shared, &one.mail).await? {
            one.mail.automated = Some(AutomatedReason::OwnMail);
            one.verdict = shared.policy().classifier.classify(&one.mail);
            one.reading = None;
        }
    }
    Ok(set)
}

/// Reads one mail by itself.
pub(super) async fn read(shared: &Shared, bytes: Vec<u8>) -> Result<(Mail, Verdict), LedgerError> {
    let classifier = shared.policy().classifier;
    let judge = classifier.clone();
    let reading = tokio::task::spawn_blocking(move || look(&judge, &mut Scratch::default(), &bytes, false));
    let Ok((mut mail, mut verdict, _)) = reading.await else { return Ok(unread()) };
    if is_ours(shared, &mail).await? {
        mail.automated = Some(AutomatedReason::OwnMail);
        verdict = classifier.classify(&mail);
    }
    Ok((mail, verdict))
}

/// Whether it is mail of ours that came back: anybody can write our prefix, only an id that we gave
/// is ours.
async fn is_ours(shared: &Shared, mail: &Mail) -> Result<bool, LedgerError> {
    match mail.message_id.clone().filter(|id| id.as_str().starts_with(OWN_ID_PREFIX)) {
        Some(id) => Ok(shared.ledger.run(move |store| store.own(&id)).await?.is_some()),
        None => Ok(false),
    }
}

fn fresh(classifier: &Classifier, scratch: &mut Scratch, fetched: Fetched, learns: bool) -> Fresh {
    let Fetched { key, listed, bytes } = fetched;
    let size = listed.size.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let identity = if bytes.is_empty() {
        // nothing tells one empty mail from another
        format!("empty-{}-{}", key.uid_validity, listed.uid)
    } else {
        plan::identity(&bytes, size)
    };
    let (mail, verdict, reading) = look(classifier, scratch, &bytes, learns);
    Fresh {
        key,
        arrived: listed.arrived,
        tagged: listed.tagged,
        size,
        bytes,
        identity,
        mail,
        verdict,
        reading,
    }
}

fn look(
    classifier: &Classifier,
    scratch: &mut Scratch,
    bytes: &[u8],
    learns: bool,
) -> (Mail, Verdict, Option<Reading>) {
    let begun = Instant::now();
    let looked = catch_unwind(AssertUnwindSafe(|| {
        let mail = crate::mail::parse(bytes);
        if learns {
            let (verdict, reading) = classifier.classify_and_keep(scratch, &mail);
            return (mail, verdict, reading);
        }
        let verdict = classifier.classify_with(scratch, &mail);
        (mail, verdict, None)
    }));
    metrics::classified(begun.elapsed());
    looked.unwrap_or_else(|_| {
        // it may be half filled
        *scratch = Scratch::default();
        let (mail, verdict) = unread();
        (mail, verdict, None)
    })
}

/// What is left of a mail on which the reader failed.
fn unread() -> (Mail, Verdict) {
    tracing::error!("reading a mail failed: it is left for a person");
    let mail = Mail { problems: vec![crate::mail::Problem::Unparseable], ..Mail::default() };
    (mail, Verdict::unread())
}
