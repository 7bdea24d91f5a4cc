//! The steps of a set: claim, fetch, act, and say what was done.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::act::InHand;
use super::fresh::Fresh;
use super::intend::{Intended, Intention};
use super::plan;
use super::sets::SetInHand;
use super::worker::{READ_CAP, STEP, WorkError, Worker};
use crate::classify::Verdict;
use crate::decide::{Decision, Word};
use crate::edge::ledger::{LedgerError, MailKey, MailRecord, Store};
use crate::edge::{EdgeError, Listed, Mailbox, Outbox, metrics};

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Acts on what was recorded, and records and acts on what could not go with it.
    pub(super) async fn act_on(
        &mut self,
        mut intended: Intended,
        set: &SetInHand,
    ) -> Result<(), WorkError<M::Error>> {
        loop {
            let rest = self.act_on_part(intended, set.begun).await?;
            self.shared.alive_for(&self.folder, STEP);
            if rest.is_empty() {
                break;
            }
            let intention = self.intention(None);
            intended = intention.record(self.shared, rest).await.map_err(WorkError::Ledger)?;
        }
        if self.next <= set.last {
            self.advance(set.last.saturating_add(1)).await?;
        }
        Ok(())
    }

    /// A line that breaks says nothing against the mails in hand: only a death of the process does.
    pub(super) async fn blameless<R>(
        &self,
        keys: &[MailKey],
        result: Result<R, WorkError<M::Error>>,
    ) -> Result<R, WorkError<M::Error>> {
        // a refusal is an answer, about these mails
        if let Err(WorkError::Mailbox(error)) = &result
            && !error.is_refusal()
        {
            self.forgive(keys).await?;
        }
        result
    }

    pub(super) async fn forgive(&self, keys: &[MailKey]) -> Result<(), WorkError<M::Error>> {
        let keys = keys.to_vec();
        self.ledger(move |store| keys.iter().try_for_each(|key| store.forgive(key))).await
    }

    pub(super) fn key(&self, mail: &Listed) -> MailKey {
        MailKey { folder: self.folder.clone(), uid_validity: self.uid_validity, uid: mail.uid }
    }

    pub(super) async fn ledger<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<R, LedgerError> + Send + 'static,
    ) -> Result<R, WorkError<M::Error>> {
        self.shared.ledger.run(job).await.map_err(WorkError::Ledger)
    }

    /// Mails of a set that nobody else has claimed.
    pub(super) fn not_theirs(&self, set: &[Listed]) -> Vec<Listed> {
        let theirs =
            |mail: &&Listed| self.acting() && mail.claimed_by.iter().any(|by| *by != self.shared.instance);
        set.iter().filter(|mail| !theirs(mail)).cloned().collect()
    }

    pub(super) fn keys(&self, set: &[Listed]) -> Vec<MailKey> {
        set.iter().map(|mail| self.key(mail)).collect()
    }

    /// Counts an attempt at a mail by itself; whether it may be touched.
    pub(super) async fn may_try(&mut self, mail: &Listed) -> Result<bool, WorkError<M::Error>> {
        let key = self.key(mail);
        let counted = key.clone();
        let count = self.ledger(move |store| store.attempt(&counted)).await?;
        if count > self.shared.attempts {
            self.quarantine(key).await?;
        }
        Ok(count <= self.shared.attempts)
    }

    /// Claims mails whose attempts are counted; those that are ours to handle.
    pub(super) async fn claim(&mut self, mut ours: Vec<Listed>) -> Result<Vec<Listed>, WorkError<M::Error>> {
        if !self.acting() {
            return Ok(ours);
        }
        let unclaimed: Vec<Listed> = ours.iter().filter(|mail| mail.claimed_by.is_empty()).cloned().collect();
        let won = self.mailbox.claim(&unclaimed, &self.shared.instance).await.map_err(WorkError::Mailbox)?;
        let is_ours = |mail: &Listed| !mail.claimed_by.is_empty() || won.contains(&mail.uid);
        let lost: Vec<MailKey> =
            ours.iter().filter(|mail| !is_ours(mail)).map(|mail| self.key(mail)).collect();
        if !lost.is_empty() {
            self.tell_of_theirs(lost.len());
            self.ledger(move |store| store.release(&lost)).await?;
            ours.retain(is_ours);
        }
        self.shared.crash_point("claim");
        Ok(ours)
    }

    /// Another evenkeel works on this mailbox: said once, and in the status.
    pub(super) fn tell_of_theirs(&self, lost: usize) {
        if lost > 0 && self.shared.note_theirs(lost) == 0 {
            tracing::error!(account = %self.folder.account, folder = %self.folder.folder,
                "another evenkeel has claimed mails here: they are left to it; stop one of the two");
        }
    }

    pub(super) async fn fetch(
        &mut self,
        set: &[Listed],
    ) -> Result<Vec<(Listed, Vec<u8>)>, WorkError<M::Error>> {
        if let [mail] = set {
            if mail.size.is_none() {
                tracing::warn!(account = %self.folder.account, folder = %self.folder.folder, mail.uid = mail.uid,
                    "the server refuses to list a mail: it is asked for by itself");
            }
            let fetched = self.mailbox.fetch(mail.uid, READ_CAP).await.map_err(WorkError::Mailbox)?;
            // of an empty mail some servers say that it has no body
            let fetched = fetched.or_else(|| (mail.size == Some(0)).then(Vec::new));
            return Ok(fetched.map(|bytes| (mail.clone(), bytes)).into_iter().collect());
        }
        if set.is_empty() {
            return Ok(Vec::new());
        }
        let uids: Vec<u32> = set.iter().map(|mail| mail.uid).collect();
        let mut bodies = self.mailbox.fetch_set(&uids, READ_CAP).await.map_err(WorkError::Mailbox)?;
        Ok(set.iter().filter_map(|mail| Some((mail.clone(), bodies.remove(&mail.uid)?))).collect())
    }

    /// Acts for as many as went together; what is left.
    async fn act_on_part(
        &mut self,
        intended: Intended,
        begun: Instant,
    ) -> Result<Vec<Fresh>, WorkError<M::Error>> {
        let Intended { mut mails, reopened, twin, mut rest, undo: _ } = intended;
        if let Some((record, _)) = mails.last() {
            self.next = self.next.max(record.key.uid.saturating_add(1));
        }
        tell_reopened(&reopened);
        for (record, hand) in &mails {
            tell(record, &hand.decision, reopened.is_empty());
        }
        if !mails.is_empty() {
            self.shared.crash_point("intent");
            let acting = self.acting();
            let done = if acting { Box::pin(self.act(&mut mails)).await? } else { true };
            self.shared.crash_point("done");
            if !done && self.retry_at.is_none() {
                self.plan_retry(false);
            }
            for (record, hand) in &mails {
                metrics::mail_processed(record, acting);
                metrics::mail_age(hand.arrived, self.shared.clock.now());
                log_handled(record, hand, acting, begun);
            }
        }
        if let Some(twin) = twin {
            if rest.is_empty() {
                return Ok(rest);
            }
            let known = rest.remove(0);
            // the very same mail: only the cursor had not gone on
            if twin.key != known.key {
                self.meet_again(twin, known.key.clone(), known.key.uid).await?;
            }
        }
        Ok(rest)
    }

    /// What the next mails are decided with. Where the set before is not acted on yet, `drafting` are the
    /// tickets that it drafts for.
    pub(super) fn intention(&self, drafting: Option<BTreeSet<String>>) -> Intention {
        Intention {
            drafting,
            book: self.shared.policy().book,
            address: self.account.address.clone(),
            at: self.shared.clock.now(),
            acting: self.acting(),
            // a mail that was quarantined and is tried again lies behind the cursor
            place: self.cursor(self.next),
        }
    }
}

fn tell_reopened(reopened: &[MailRecord]) {
    for record in reopened {
        tracing::error!(decision.reason = "own-forward-bounced", of.id_hash = %record.identity,
            of.uid = record.key.uid, "what we sent about a mail came back undelivered: a person must hand it over");
    }
}

/// Says aloud what ops must know at once.
fn tell(record: &MailRecord, decision: &Decision, unknown_bounce: bool) {
    let has = |word: Word| decision.reasons.iter().find(|reason| reason.word == word);
    if let Some(reason) = has(Word::LoopCap) {
        tracing::warn!(decision.reason = %reason, mail.id_hash = %record.identity,
            "a cap against loops is reached: nothing is drafted or forwarded, the mail is filed for review");
    }
    if has(Word::OwnForwardBounced).is_some() && unknown_bounce {
        tracing::error!(
            decision.reason = "own-forward-bounced",
            "mail of ours came back undelivered, and the ledger does not know it or has told of it: a person must look"
        );
    }
}

fn log_handled(record: &MailRecord, hand: &InHand, acting: bool, begun: Instant) {
    let labels = plan::label_words(record);
    tracing::info!(
        account = %record.key.folder.account,
        folder = %record.key.folder.folder,
        mail.uid = record.key.uid,
        mail.id_hash = %record.identity,
        label.primary = record.verdict.as_ref().and_then(Verdict::primary).map_or("none", |l| l.as_str()),
        labels,
        decision.reason = %crate::decide::reason_line(&record.reasons),
        queue = plan::folder_of(record).unwrap_or("none"),
        draft = hand.decision.draft().is_some(),
        acting,
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "mail handled"
    );
}
