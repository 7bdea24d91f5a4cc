//! One watched folder: find new mails, handle each once, finish what was begun.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::act::InHand;
use super::plan::{self, Decided};
use super::{Shared, backoff::Backoff};
use crate::config::{Account, Mode, Start};
use crate::decide::{Decision, Keyword, OWN_ID_PREFIX, Word, bounce, decide};
use crate::edge::ledger::{Cursor, EffectState, FolderKey, LedgerError, MailKey, MailRecord, MailState};
use crate::edge::{EdgeError, FolderState, Listed, Mailbox, Outbox, Uid, metrics};
use crate::mail::{AutomatedReason, Mail};
use crate::time::Timestamp;

/// Time within which one step with a server comes to an end, all time limits included.
pub(super) const STEP: Duration = Duration::from_mins(10);

/// What is fetched of a mail to read it; the parser reads no more.
pub(super) const READ_CAP: u32 = 1024 * 1024;

/// How far back mails are looked at again when a folder's UIDs have changed.
const RESYNC: Duration = Duration::from_hours(720);

/// Why a session with a mailbox ends.
#[derive(Debug, thiserror::Error)]
pub enum WorkError<E: EdgeError> {
    /// The mailbox: connect again.
    #[error(transparent)]
    Mailbox(E),
    /// The ledger: stop, nothing may be done that is not recorded.
    #[error(transparent)]
    Ledger(LedgerError),
}

/// Handles one folder over one connection.
pub struct Worker<'a, M: Mailbox, O: Outbox> {
    pub(super) shared: &'a Shared,
    pub(super) account: &'a Account,
    pub(super) folder: FolderKey,
    pub(super) mailbox: M,
    pub(super) outbox: Option<O>,
    /// When open records are tried again, and how often they were.
    pub(super) retry_at: Option<Instant>,
    pub(super) retries: Backoff,
    pub(super) uid_validity: u32,
    pub(super) next: Uid,
    pub(super) read_only: bool,
    /// When the folder was seen first: older mail is nobody's business.
    pub(super) began: Timestamp,
    /// The way to colleagues did not work in this round: it is not tried for every mail.
    pub(super) smtp_waits: bool,
}

impl<'a, M: Mailbox, O: Outbox> Worker<'a, M, O> {
    /// A worker for `folder` of `account`. Call [`Worker::open`] first.
    pub fn new(
        shared: &'a Shared,
        account: &'a Account,
        folder: &str,
        mailbox: M,
        outbox: Option<O>,
    ) -> Self {
        let folder = FolderKey { account: account.name.clone(), folder: folder.to_owned() };
        Self {
            shared,
            account,
            folder,
            mailbox,
            outbox,
            retry_at: None,
            retries: Backoff::default(),
            uid_validity: 0,
            next: 0,
            read_only: false,
            began: Timestamp::default(),
            smtp_waits: false,
        }
    }

    /// Opens the folder, finds the place to go on from, and finishes what an earlier run began.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn open(&mut self) -> Result<(), WorkError<M::Error>> {
        let state = self.mailbox.select(&self.folder.folder).await.map_err(WorkError::Mailbox)?;
        self.read_only = state.read_only;
        self.uid_validity = state.uid_validity;
        if state.read_only {
            tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                "the folder is read-only: mails are only observed");
        } else if !state.keywords.any && Keyword::all().any(|keyword| !state.keywords.allows(keyword)) {
            tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                "the server allows no new keywords here: folders and the ledger tell what was found");
        }
        self.next = self.find_place(&state).await?;
        self.resume().await
    }

    /// Whether anything may be changed here.
    pub(super) fn acting(&self) -> bool {
        self.shared.mode == Mode::Act && !self.read_only
    }

    pub(super) fn cursor(&self, uid_next: Uid) -> Cursor {
        Cursor { uid_validity: self.uid_validity, uid_next, began: self.began }
    }

    async fn find_place(&mut self, state: &FolderState) -> Result<Uid, WorkError<M::Error>> {
        let folder = self.folder.clone();
        let cursor =
            self.shared.ledger.run(move |store| store.cursor(&folder)).await.map_err(WorkError::Ledger)?;
        let now = self.shared.clock.now();
        self.began = cursor.map_or(now, |cursor| cursor.began);
        let since = match cursor {
            Some(cursor) if cursor.uid_validity == state.uid_validity => return Ok(cursor.uid_next),
            Some(_) => {
                tracing::warn!(account = %self.folder.account, folder = %self.folder.folder,
                    "the folder's UIDVALIDITY has changed: mails are recognised by content");
                Some(now.minus(RESYNC).max(self.began))
            }
            None => match self.account.start {
                Start::Now => None,
                Start::Age(age) => {
                    self.began = now.minus(age);
                    Some(self.began)
                }
            },
        };
        let found = match since {
            Some(at) => self.mailbox.since(at).await.map_err(WorkError::Mailbox)?,
            None => None,
        };
        let next = found.unwrap_or(state.uid_next).max(1);
        self.advance(next).await?;
        Ok(next)
    }

    async fn advance(&mut self, next: Uid) -> Result<(), WorkError<M::Error>> {
        self.next = next;
        let cursor = self.cursor(next);
        let folder = self.folder.clone();
        self.shared
            .ledger
            .run(move |store| store.set_cursor(&folder, cursor))
            .await
            .map_err(WorkError::Ledger)
    }

    /// Handles everything that is new; how many mails that were.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn catch_up(&mut self) -> Result<usize, WorkError<M::Error>> {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.resume().await?;
        }
        self.undo().await?;
        self.smtp_waits = false;
        let mut handled = 0;
        loop {
            let listed = self.mailbox.list(self.next).await.map_err(WorkError::Mailbox)?;
            if listed.is_empty() {
                // new mail first: what agents and the clock have to say can wait for it
                Box::pin(self.serve()).await?;
                return Ok(handled);
            }
            for mail in listed {
                if self.shared.stopping() {
                    return Ok(handled);
                }
                self.handle_counted(mail).await?;
                self.shared.alive_for(&self.folder, STEP);
                handled += 1;
            }
        }
    }

    /// A line that breaks says nothing against the mail in hand: only a death of the process does.
    async fn handle_counted(&mut self, listed: Listed) -> Result<(), WorkError<M::Error>> {
        let result = self.handle(listed).await;
        // a refusal is an answer, about this mail
        if let Err(WorkError::Mailbox(error)) = &result
            && !error.is_refusal()
        {
            let key =
                MailKey { folder: self.folder.clone(), uid_validity: self.uid_validity, uid: listed.uid };
            self.shared.ledger.run(move |store| store.forgive(&key)).await.map_err(WorkError::Ledger)?;
        }
        result
    }

    async fn handle(&mut self, listed: Listed) -> Result<(), WorkError<M::Error>> {
        let key = MailKey { folder: self.folder.clone(), uid_validity: self.uid_validity, uid: listed.uid };
        let counted = key.clone();
        let (known, attempts) = self
            .shared
            .ledger
            .run(move |store| {
                let known = store.record(&counted)?;
                let attempts = if known.is_some() { vec![0] } else { store.attempt(&[counted])? };
                Ok((known, attempts))
            })
            .await
            .map_err(WorkError::Ledger)?;
        if known.is_some() {
            return self.advance(listed.uid.saturating_add(1)).await;
        }
        if attempts.first().is_some_and(|count| *count > self.shared.attempts) {
            return self.quarantine(key, listed).await;
        }
        if listed.size.is_none() {
            tracing::warn!(account = %self.folder.account, folder = %self.folder.folder, mail.uid = listed.uid,
                "the server refuses to list a mail: it is asked for by itself");
        }
        let fetched = self.mailbox.fetch(listed.uid, READ_CAP).await.map_err(WorkError::Mailbox)?;
        self.shared.crash_point("fetch");
        // of an empty mail some servers say that it has no body
        let fetched = fetched.or_else(|| (listed.size == Some(0)).then(Vec::new));
        let Some(bytes) = fetched else { return self.advance(listed.uid.saturating_add(1)).await };
        let size = listed.size.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let identity = if bytes.is_empty() {
            // nothing tells one empty mail from another
            format!("empty-{}-{}", self.uid_validity, listed.uid)
        } else {
            plan::identity(&bytes, size)
        };
        let span = tracing::info_span!("mail", account = %self.folder.account, folder = %self.folder.folder,
            mail.uid = listed.uid, mail.id_hash = %identity);
        Box::pin(self.handle_bytes(key, listed, bytes, identity).instrument(span)).await
    }

    async fn handle_bytes(
        &mut self,
        key: MailKey,
        listed: Listed,
        bytes: Vec<u8>,
        identity: String,
    ) -> Result<(), WorkError<M::Error>> {
        let begun = Instant::now();
        let (account, wanted) = (self.folder.account.clone(), identity.clone());
        let twin = self
            .shared
            .ledger
            .run(move |store| store.by_identity(&account, &wanted))
            .await
            .map_err(WorkError::Ledger)?;
        if let Some(twin) = twin {
            return self.meet_again(twin, key, listed).await;
        }
        let (mail, verdict) = self.read(&bytes).await.map_err(WorkError::Ledger)?;
        metrics::classified(begun.elapsed());
        self.shared.crash_point("classify");
        let (mut record, hand) = self.intend(key, listed, bytes, identity, mail, verdict).await?;
        self.next = listed.uid.saturating_add(1);
        self.shared.crash_point("intent");
        let acting = self.acting();
        let done = if acting { Box::pin(self.act(&mut record, &hand)).await? } else { true };
        self.shared.crash_point("done");
        if !done && self.retry_at.is_none() {
            self.plan_retry(false);
        }
        let labels = plan::label_words(&record);
        metrics::mail_processed(&record, acting);
        metrics::mail_age(listed.arrived, self.shared.clock.now());
        tracing::info!(
            label.primary = record.verdict.as_ref().and_then(crate::classify::Verdict::primary).map_or("none", |l| l.as_str()),
            labels,
            decision.reason = %crate::decide::reason_line(&record.reasons),
            queue = plan::folder_of(&record).unwrap_or("none"),
            draft = hand.decision.draft().is_some(),
            acting,
            duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "mail handled"
        );
        Ok(())
    }

    /// Decides and records in one step on the ledger's thread, so that two mails of one customer
    /// in two mailboxes cannot overtake each other.
    async fn intend(
        &mut self,
        key: MailKey,
        listed: Listed,
        bytes: Vec<u8>,
        identity: String,
        mail: Mail,
        verdict: crate::classify::Verdict,
    ) -> Result<(MailRecord, InHand), WorkError<M::Error>> {
        let book = self.shared.policy().book;
        let address = self.account.address.clone();
        let at = self.shared.clock.now();
        let acting = self.acting();
        let cursor = self.cursor(listed.uid.saturating_add(1));
        let (mail, decision, record, reopened) = self
            .shared
            .ledger
            .run(move |store| {
                let query = plan::case_query(&key.folder.account, &mail);
                let before = store.case(&query)?;
                let decision = decide(&mail, &verdict, &before, &book, at);
                let open_draft = match &before.ticket {
                    Some(ticket) => store.draft(ticket.id.as_str())?,
                    None => None,
                };
                let (mail, verdict) = (&mail, &verdict);
                let address = &address;
                let decided = Decided {
                    key,
                    identity,
                    mail,
                    verdict,
                    before,
                    decision: &decision,
                    open_draft,
                    address,
                    at,
                };
                let mut record = plan::record(decided, &book.policy);
                if !acting {
                    for entry in &mut record.effects {
                        entry.state = EffectState::Skipped("observed only".into());
                    }
                    record.state = MailState::Done;
                }
                // who is only watched is not judged: observing leaves customers and tickets as they are
                let after = acting.then_some((&decision.case, &query));
                store.intend(&record, after, Some(cursor))?;
                let mut reopened = Vec::new();
                for id in bounce::own_ids(mail).iter().filter(|_| acting) {
                    reopened.extend(store.reopen(id, "it came back undelivered")?);
                }
                Ok((mail.clone(), decision, record, reopened))
            })
            .await
            .map_err(WorkError::Ledger)?;
        self.tell(&decision, &reopened);
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(listed.size.unwrap_or(0));
        Ok((record, InHand { mail, bytes, size, decision, again: false }))
    }

    /// Says aloud what ops must know at once.
    fn tell(&self, decision: &Decision, reopened: &[MailRecord]) {
        let has = |word: Word| decision.reasons.iter().find(|reason| reason.word == word);
        if let Some(reason) = has(Word::LoopCap) {
            tracing::warn!(decision.reason = %reason, "a cap against loops is reached: nothing is drafted or forwarded, the mail is filed for review");
        }
        if has(Word::OwnForwardBounced).is_some() && reopened.is_empty() {
            tracing::error!(
                decision.reason = "own-forward-bounced",
                "mail of ours came back undelivered, and the ledger does not know it or has told of it: a person must look"
            );
        }
        for record in reopened {
            tracing::error!(decision.reason = "own-forward-bounced", of.id_hash = %record.identity,
                of.uid = record.key.uid, "what we sent about a mail came back undelivered: a person must hand it over");
        }
        if self.acting() {
            self.shared.note_held(&decision.case.paces.held);
        }
    }

    /// Parses and classifies on a thread of its own: a panic costs this mail, not the daemon.
    pub(super) async fn read(&self, bytes: &[u8]) -> Result<(Mail, crate::classify::Verdict), LedgerError> {
        let copy = bytes.to_vec();
        let parsing = tokio::task::spawn_blocking(move || crate::mail::parse(&copy));
        let Ok(mut mail) = parsing.await else { return Ok(unread()) };
        // anybody can write our prefix: only an id that we gave is ours
        if let Some(id) = mail.message_id.clone().filter(|id| id.as_str().starts_with(OWN_ID_PREFIX))
            && self.shared.ledger.run(move |store| store.own(&id)).await?.is_some()
        {
            mail.automated = Some(AutomatedReason::OwnMail);
        }
        let classifier = self.shared.policy().classifier;
        let classifying = tokio::task::spawn_blocking(move || {
            let verdict = classifier.classify(&mail);
            (mail, verdict)
        });
        Ok(classifying.await.unwrap_or_else(|_| unread()))
    }

    /// Waits until something may have happened in the folder, or there is something to try again.
    ///
    /// # Errors
    /// See [`WorkError`].
    pub async fn wait(&mut self) -> Result<(), WorkError<M::Error>> {
        let mut at_most = Duration::from_secs(self.account.poll_secs);
        if let Some(at) = self.retry_at {
            at_most =
                at_most.min(at.saturating_duration_since(Instant::now()).max(Duration::from_millis(50)));
        }
        self.shared.alive_for(&self.folder, at_most.saturating_add(STEP));
        self.mailbox.wait(at_most).await.map_err(WorkError::Mailbox)
    }

    /// The mailbox, for a goodbye.
    pub fn into_mailbox(self) -> M {
        self.mailbox
    }
}

/// What is left of a mail on which the reader failed.
fn unread() -> (Mail, crate::classify::Verdict) {
    tracing::error!("reading a mail failed: it is left for a person");
    let mail = Mail { problems: vec![crate::mail::Problem::Unparseable], ..Mail::default() };
    (mail, crate::classify::Verdict::unread())
}
