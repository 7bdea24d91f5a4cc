//! Finishing what was begun: after a crash, after a cut line, under new UIDs, or never.

use std::time::Duration;

use tokio::time::Instant;

use super::act::InHand;
use super::fresh::read;
use super::plan;
use super::worker::{READ_CAP, STEP, WorkError, Worker};
use crate::decide::{Case, Keyword, Reason, TicketId, Word, decide};
use crate::edge::ledger::{Effect, EffectState, MailKey, MailRecord, MailState};
use crate::edge::{EdgeError, Listed, Mailbox, Outbox, Uid};

/// How long a forward is tried before it is left to a person.
const GIVE_UP: Duration = Duration::from_hours(5 * 24);

/// Sessions that one open record may break.
const SESSIONS_BROKEN: u32 = 5;

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Finishes records that are open, oldest first.
    pub(super) async fn resume(&mut self) -> Result<(), WorkError<M::Error>> {
        if !self.acting() {
            return Ok(());
        }
        self.smtp_waits = false;
        let folder = self.folder.clone();
        let open = self
            .shared
            .ledger
            .run(move |store| store.open_records(&folder))
            .await
            .map_err(WorkError::Ledger)?;
        let mut all_done = true;
        for record in open {
            let key = record.key.clone();
            match Box::pin(self.finish(record)).await {
                Ok(done) => all_done &= done,
                Err(broken) => return Err(self.blame(key, broken).await),
            }
            self.shared.alive_for(&self.folder, STEP);
        }
        self.plan_retry(all_done);
        Ok(())
    }

    pub(super) fn plan_retry(&mut self, all_done: bool) {
        if all_done {
            self.retry_at = None;
            self.retries.reset();
        } else {
            let pause = self.retries.next(0).max(self.shared.retry_floor);
            self.retry_at = Some(Instant::now() + pause);
        }
    }

    /// Finishes one open record; `false` if it has to be tried again.
    pub(super) async fn finish(&mut self, mut record: MailRecord) -> Result<bool, WorkError<M::Error>> {
        let uid = record.key.uid;
        let same = record.key.uid_validity == self.uid_validity;
        if same && record.verdict.is_none() && record.effects.is_empty() {
            return self.handle_again(record).await;
        }
        let bytes =
            if same { self.mailbox.fetch(uid, READ_CAP).await.map_err(WorkError::Mailbox)? } else { None };
        let listed = match &bytes {
            Some(_) => {
                self.mailbox.list(uid).await.map_err(WorkError::Mailbox)?.into_iter().find(|m| m.uid == uid)
            }
            None => None,
        };
        // a server that was restored may give an old uid to another mail
        let same_mail = |bytes: &Vec<u8>, listed: &Listed| {
            let size = listed.size.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            bytes.is_empty() || plan::identity(bytes, size) == record.identity
        };
        let found = bytes.zip(listed).filter(|(bytes, listed)| same_mail(bytes, listed));
        let Some((bytes, listed)) = found else {
            // with new UIDs the mail comes by again and is recognised by its content
            if same {
                self.finish_gone(&mut record).await?;
            }
            return Ok(true);
        };
        let (mail, verdict) = read(self.shared, bytes.clone()).await.map_err(WorkError::Ledger)?;
        let verdict = record.verdict.clone().unwrap_or(verdict);
        let before = record.before.clone().unwrap_or_else(|| Case::new(TicketId::new(0, [0, 0])));
        let decision = decide(&mail, &verdict, &before, &self.shared.policy().book, record.decided);
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX).max(listed.size.unwrap_or(0));
        let hand = InHand { mail, bytes, size, arrived: listed.arrived, decision, again: true };
        let mut batch = [(record, hand)];
        let done = self.act(&mut batch).await?;
        let [(mut record, _)] = batch;
        if !done && self.shared.clock.now().since(record.decided) > GIVE_UP {
            self.give_up_record(&mut record, "it could not be done for five days").await?;
            return Ok(true);
        }
        Ok(done)
    }

    /// A quarantined mail that a person wants to be tried again: it is as good as new, and its attempts
    /// are counted anew.
    async fn handle_again(&mut self, mut record: MailRecord) -> Result<bool, WorkError<M::Error>> {
        let uid = record.key.uid;
        let listed = self.mailbox.list(uid).await.map_err(WorkError::Mailbox)?;
        if let Some(mut listed) = listed.into_iter().find(|mail| mail.uid == uid) {
            // its keyword tells that it was quarantined, not that it was handled
            listed.tagged = false;
            Box::pin(self.handle_one(&listed)).await?;
        } else {
            record.state = MailState::Done;
            self.store(&record).await?;
        }
        Ok(true)
    }

    /// A record that breaks every session must not keep new mail away for ever.
    async fn blame(&mut self, key: MailKey, broken: WorkError<M::Error>) -> WorkError<M::Error> {
        if matches!(broken, WorkError::Ledger(_)) {
            return broken;
        }
        let counted = key.clone();
        let counting =
            self.shared.ledger.run(move |store| Ok((store.attempt(&counted)?, store.record(&key)?))).await;
        match counting {
            Err(error) => WorkError::Ledger(error),
            Ok((attempts, Some(mut record))) if attempts > SESSIONS_BROKEN => {
                for entry in record.effects.iter_mut().filter(|entry| !entry.state.is_final()) {
                    entry.state =
                        EffectState::Failed(format!("every attempt broke the connection: {broken}"));
                }
                record.state = MailState::Done;
                tracing::error!(mail.id_hash = %record.identity, error = %broken,
                    "effects of a mail break every connection: a person must look");
                self.store(&record).await.err().unwrap_or(broken)
            }
            Ok(_) => broken,
        }
    }

    async fn give_up_record(
        &mut self,
        record: &mut MailRecord,
        why: &str,
    ) -> Result<(), WorkError<M::Error>> {
        for entry in record.effects.iter_mut().filter(|entry| !entry.state.is_final()) {
            entry.state = EffectState::Failed(why.to_owned());
        }
        tracing::error!(mail.id_hash = %record.identity, why, "effects were given up: a person must look");
        record.state = MailState::Done;
        self.mark_for_review(record.key.uid).await?;
        self.store(record).await
    }

    /// The mail is not where it was: either our own move was the last thing that happened, or a
    /// person took it.
    async fn finish_gone(&mut self, record: &mut MailRecord) -> Result<(), WorkError<M::Error>> {
        for index in 0..record.effects.len() {
            let Some(entry) = record.effects.get(index) else { break };
            if entry.state.is_final() {
                continue;
            }
            let outcome = match (&entry.effect, &record.message_id) {
                (Effect::File { folder }, Some(id))
                    if self.mailbox.holds(folder, id).await.map_err(WorkError::Mailbox)? =>
                {
                    EffectState::Done
                }
                (Effect::SaveDraft { id, .. }, _)
                    if self.mailbox.find_draft(id).await.map_err(WorkError::Mailbox)?.is_some() =>
                {
                    EffectState::Done
                }
                (Effect::Forward { desk, .. }, _) => {
                    tracing::error!(desk = %desk, mail.id_hash = %record.identity,
                        "the mail was taken away before it could be forwarded: a person must forward it");
                    EffectState::Failed("the mail was taken away first".into())
                }
                _ => EffectState::Skipped("a person was faster".into()),
            };
            if let Some(entry) = record.effects.get_mut(index) {
                entry.state = outcome;
            }
        }
        record.state = MailState::Done;
        self.store(record).await
    }

    async fn store(&self, record: &MailRecord) -> Result<(), WorkError<M::Error>> {
        let record = record.clone();
        self.shared.ledger.run(move |store| store.update(&record)).await.map_err(WorkError::Ledger)
    }

    /// A mail whose content was handled before: the folder's UIDs have changed, or a person has put
    /// it back. What is done stays done; what was begun is finished under the new uid.
    pub(super) async fn meet_again(
        &mut self,
        mut twin: MailRecord,
        key: MailKey,
        uid: Uid,
    ) -> Result<(), WorkError<M::Error>> {
        let open = twin.state == MailState::Intended;
        tracing::info!(open, "a mail that was handled before: nothing is done twice");
        let old = std::mem::replace(&mut twin.key, key);
        let cursor = self.cursor(uid.saturating_add(1));
        let moved = twin.clone();
        self.shared
            .ledger
            .run(move |store| {
                store.forget(&old)?;
                store.intend(&moved, None, Some(cursor))
            })
            .await
            .map_err(WorkError::Ledger)?;
        self.next = uid.saturating_add(1);
        if open && self.acting() && !Box::pin(self.finish(twin)).await? {
            self.plan_retry(false);
        }
        Ok(())
    }

    pub(super) async fn quarantine(&mut self, key: MailKey) -> Result<(), WorkError<M::Error>> {
        let uid = key.uid;
        tracing::error!(account = %self.folder.account, folder = %self.folder.folder, mail.uid = uid,
            attempts = self.shared.attempts, "a mail was quarantined: handling it never came to an end");
        self.mark_for_review(uid).await?;
        let record = MailRecord {
            identity: format!("quarantined-{}-{uid}", self.uid_validity),
            key,
            message_id: None,
            decided: self.shared.clock.now(),
            state: MailState::Quarantined,
            verdict: None,
            reasons: vec![Reason::new(Word::Quarantined, format!("{} attempts", self.shared.attempts))],
            ticket: None,
            customer: None,
            before: None,
            effects: Vec::new(),
        };
        crate::edge::metrics::mail_processed(&record, self.acting());
        let cursor = self.cursor(uid.saturating_add(1).max(self.next));
        self.next = cursor.uid_next;
        self.shared
            .ledger
            .run(move |store| store.intend(&record, None, Some(cursor)))
            .await
            .map_err(WorkError::Ledger)
    }

    pub(super) async fn mark_for_review(&mut self, uid: Uid) -> Result<(), WorkError<M::Error>> {
        if !self.acting() {
            return Ok(());
        }
        match self.mailbox.tag(&[uid], &[Keyword::Review].into()).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_refusal() => Ok(()),
            Err(error) => Err(WorkError::Mailbox(error)),
        }
    }
}
