//! New mails, in sets: one command, one commit for many. A set that has died once is handled mail by
//! mail, so that the one that kills is found.

use std::collections::BTreeSet;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::act::InHand;
use super::fresh::{self, Fetched, Fresh};
use super::plan::{self, Decided};
use super::worker::{READ_CAP, STEP, WorkError, Worker};
use crate::classify::Verdict;
use crate::decide::{Decision, Word, bounce, decide};
use crate::edge::ledger::recall::Memory;
use crate::edge::ledger::{Effect, EffectState, LedgerError, MailKey, MailRecord, MailState, Store};
use crate::edge::{EdgeError, Listed, Mailbox, Outbox, Uid, metrics};
use crate::time::Timestamp;

/// Most mails in a set: two commits a set, of a few milliseconds each, are then little for each mail.
const SET_MAILS: usize = 200;

/// Most bytes fetched with one command: a slow line has the time of one command for it.
const SET_BYTES: u32 = 2 * 1024 * 1024;

/// A set that is claimed and fetched, and is being read.
struct Ahead {
    keys: Vec<MailKey>,
    last: Uid,
    begun: Instant,
    reading: Vec<JoinHandle<Vec<Fresh>>>,
}

/// What the ledger's thread has made of the first of a set.
#[derive(Default)]
struct Intended {
    mails: Vec<(MailRecord, InHand)>,
    reopened: Vec<MailRecord>,
    /// The next one was handled before, under another uid.
    twin: Option<MailRecord>,
    /// What was not reached.
    rest: Vec<Fresh>,
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Handles listed mails, oldest first; how many. While one set is acted on the next is being read.
    pub(super) async fn handle_all(&mut self, listed: Vec<Listed>) -> Result<usize, WorkError<M::Error>> {
        let mut handled = 0;
        let mut rest = listed.as_slice();
        let mut ahead: Option<Ahead> = None;
        while !rest.is_empty() && !self.shared.stopping() {
            let (set, later) = rest.split_at(set_length(rest));
            rest = later;
            self.shared.alive_for(&self.folder, STEP);
            let keys: Vec<MailKey> = set.iter().map(|mail| self.key(mail)).collect();
            let tried = self.ledger(move |store| store.attempts(&keys)).await?;
            // it has broken off before, so perhaps one of them is to blame
            if tried.iter().any(|attempts| *attempts > 0) {
                self.finish_ahead(ahead.take()).await?;
                for one in set.chunks(1) {
                    self.handle_set(one).await?;
                    if self.shared.stopping() {
                        break;
                    }
                }
            } else {
                let next = self.fetch_ahead(set).await;
                let finished = self.finish_ahead(ahead.take()).await;
                if let (Err(_), Ok(next)) = (&finished, &next) {
                    self.forgive(&next.keys).await?;
                }
                finished?;
                ahead = Some(next?);
            }
            handled += set.len();
        }
        self.finish_ahead(ahead).await?;
        self.all_written().await?;
        Ok(handled)
    }

    /// Handles a set by itself.
    pub(super) async fn handle_set(&mut self, set: &[Listed]) -> Result<(), WorkError<M::Error>> {
        let ahead = self.fetch_ahead(set).await?;
        self.finish_ahead(Some(ahead)).await
    }

    /// Counts, claims and fetches a set, and begins to read it.
    async fn fetch_ahead(&mut self, set: &[Listed]) -> Result<Ahead, WorkError<M::Error>> {
        let begun = Instant::now();
        let keys: Vec<MailKey> = set.iter().map(|mail| self.key(mail)).collect();
        let last = set.iter().map(|mail| mail.uid).max().unwrap_or(0);
        let fetched = self.begin_and_fetch(set).await;
        let fetched = self.blameless(&keys, fetched).await?;
        let reading = fresh::read_set(self.shared, fetched);
        Ok(Ahead { keys, last, begun, reading })
    }

    async fn begin_and_fetch(&mut self, set: &[Listed]) -> Result<Vec<Fetched>, WorkError<M::Error>> {
        let set = self.begin(set).await?;
        let fetched = self.fetch(&set).await?;
        self.shared.crash_point("fetch");
        Ok(fetched
            .into_iter()
            .map(|(listed, bytes)| Fetched { key: self.key(&listed), listed, bytes })
            .collect())
    }

    /// Decides and acts on a set that was fetched.
    async fn finish_ahead(&mut self, ahead: Option<Ahead>) -> Result<(), WorkError<M::Error>> {
        let Some(Ahead { keys, last, begun, reading }) = ahead else { return Ok(()) };
        let fresh = fresh::ours_told(self.shared, reading).await.map_err(WorkError::Ledger)?;
        self.shared.crash_point("classify");
        let done = self.handle_read(fresh, last, begun).await;
        self.blameless(&keys, done).await
    }

    async fn handle_read(
        &mut self,
        mut fresh: Vec<Fresh>,
        last: Uid,
        begun: Instant,
    ) -> Result<(), WorkError<M::Error>> {
        while !fresh.is_empty() {
            fresh = self.handle_fresh(fresh, begun).await?;
            self.shared.alive_for(&self.folder, STEP);
        }
        if self.next <= last {
            self.advance(last.saturating_add(1)).await?;
        }
        Ok(())
    }

    /// A line that breaks says nothing against the mails in hand: only a death of the process does.
    async fn blameless<R>(
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

    async fn forgive(&self, keys: &[MailKey]) -> Result<(), WorkError<M::Error>> {
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

    /// Counts an attempt for each mail and claims them; those that are ours to handle.
    async fn begin(&mut self, set: &[Listed]) -> Result<Vec<Listed>, WorkError<M::Error>> {
        let who = self.shared.instance.clone();
        let foreign = |mail: &&Listed| self.acting() && mail.claimed_by.iter().any(|by| *by != who);
        let mut lost = set.iter().filter(foreign).count();
        let mut ours: Vec<Listed> = set.iter().filter(|mail| !foreign(mail)).cloned().collect();
        let keys: Vec<MailKey> = ours.iter().map(|mail| self.key(mail)).collect();
        let attempts = self.ledger(move |store| store.attempt(&keys)).await?;
        if let ([mail], [count]) = (ours.as_slice(), attempts.as_slice())
            && *count > self.shared.attempts
        {
            let key = self.key(mail);
            self.quarantine(key).await?;
            return Ok(Vec::new());
        }
        if self.acting() {
            let unclaimed: Vec<Listed> =
                ours.iter().filter(|mail| mail.claimed_by.is_empty()).cloned().collect();
            let won = self.mailbox.claim(&unclaimed, &who).await.map_err(WorkError::Mailbox)?;
            let is_ours = |mail: &Listed| !mail.claimed_by.is_empty() || won.contains(&mail.uid);
            let released: Vec<MailKey> =
                ours.iter().filter(|mail| !is_ours(mail)).map(|mail| self.key(mail)).collect();
            if !released.is_empty() {
                lost += released.len();
                self.ledger(move |store| store.release(&released)).await?;
                ours.retain(is_ours);
            }
            self.shared.crash_point("claim");
        }
        self.tell_of_theirs(lost);
        Ok(ours)
    }

    /// Another evenkeel works on this mailbox: said once, and in the status.
    fn tell_of_theirs(&self, lost: usize) {
        if lost > 0 && self.shared.note_theirs(lost) == 0 {
            tracing::error!(account = %self.folder.account, folder = %self.folder.folder,
                "another evenkeel has claimed mails here: they are left to it; stop one of the two");
        }
    }

    async fn fetch(&mut self, set: &[Listed]) -> Result<Vec<(Listed, Vec<u8>)>, WorkError<M::Error>> {
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

    /// Intends and acts for as many as can go together; what is left.
    async fn handle_fresh(
        &mut self,
        fresh: Vec<Fresh>,
        begun: Instant,
    ) -> Result<Vec<Fresh>, WorkError<M::Error>> {
        let Intended { mut mails, reopened, twin, mut rest } = self.intend(fresh).await?;
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

    /// Decides and records in one step on the ledger's thread, so that two mails of one customer
    /// in two mailboxes cannot overtake each other, and the second of a thread knows the first.
    async fn intend(&mut self, fresh: Vec<Fresh>) -> Result<Intended, WorkError<M::Error>> {
        let book = self.shared.policy().book;
        let address = self.account.address.clone();
        let at = self.shared.clock.now();
        let acting = self.acting();
        // a mail that was quarantined and is tried again lies behind the cursor
        let place = self.cursor(self.next);
        let intended = self.ledger(move |store| {
            let mut all = Intended::default();
            let mut drafted = BTreeSet::new();
            let mut fresh = fresh.into_iter();
            for one in fresh.by_ref() {
                let twin = store
                    .by_identity(&one.key.folder.account, &one.identity)?
                    .filter(|twin| twin.identity == one.identity);
                if let Some(twin) = twin {
                    // in a set the first of two alike is acted on before the second meets it
                    all.twin = Some(twin).filter(|_| all.mails.is_empty());
                    all.rest.push(one);
                    break;
                }
                let (mut record, decision, query) = decided(store, &one, &book, &address, at)?;
                let ticket = record.ticket.clone().filter(|_| has_draft(&record));
                if ticket.is_some_and(|ticket| !drafted.insert(ticket)) {
                    // it replaces a draft that is not saved yet
                    all.rest.push(one);
                    break;
                }
                let memory = store.memory(&one.identity, one.tagged)?;
                memory.withhold(&mut record);
                if !acting {
                    for entry in &mut record.effects {
                        entry.state = EffectState::Skipped("observed only".into());
                    }
                    record.state = MailState::Done;
                }
                // who is only watched is not judged: observing leaves customers and tickets as they are
                let after = acting.then_some((&decision.case, &query));
                let next = place.uid_next.max(one.key.uid.saturating_add(1));
                let cursor = crate::edge::ledger::Cursor { uid_next: next, ..place };
                if let Some(reading) = one.reading.as_ref().filter(|_| acting) {
                    store.remember(&record, reading, &book.policy.learning)?;
                }
                store.intend(&record, after, Some(cursor))?;
                for id in bounce::own_ids(&one.mail).iter().filter(|_| acting) {
                    all.reopened.extend(store.reopen(id, "it came back undelivered")?);
                }
                let size = u32::try_from(one.bytes.len()).unwrap_or(u32::MAX).max(one.size);
                let arrived = one.arrived;
                let again = memory != Memory::New;
                let hand = InHand { mail: one.mail, bytes: one.bytes, size, arrived, decision, again };
                all.mails.push((record, hand));
            }
            all.rest.extend(fresh);
            Ok(all)
        });
        let intended = intended.await?;
        if let Some((_, hand)) = intended.mails.last().filter(|_| acting) {
            self.shared.note_held(&hand.decision.case.paces.held);
        }
        Ok(intended)
    }
}

fn tell_reopened(reopened: &[MailRecord]) {
    for record in reopened {
        tracing::error!(decision.reason = "own-forward-bounced", of.id_hash = %record.identity,
            of.uid = record.key.uid, "what we sent about a mail came back undelivered: a person must hand it over");
    }
}

/// How many of the next mails go together.
fn set_length(listed: &[Listed]) -> usize {
    let mut bytes = 0_u32;
    let mut count = 0;
    for mail in listed.iter().take(SET_MAILS) {
        // what the server will not show, has no bytes, or is long is handled by itself
        let Some(size) = mail.size.filter(|size| (1..READ_CAP).contains(size)) else { break };
        bytes = bytes.saturating_add(size);
        if bytes > SET_BYTES {
            break;
        }
        count += 1;
    }
    count.max(1)
}

fn has_draft(record: &MailRecord) -> bool {
    record.effects.iter().any(|entry| matches!(entry.effect, Effect::SaveDraft { .. }))
}

fn decided(
    store: &Store,
    one: &Fresh,
    book: &crate::decide::Rulebook,
    address: &str,
    at: Timestamp,
) -> Result<(MailRecord, Decision, crate::edge::ledger::CaseQuery), LedgerError> {
    let query = plan::case_query(&one.key.folder.account, &one.mail);
    let before = store.case(&query)?;
    let decision = decide(&one.mail, &one.verdict, &before, book, at);
    let open_draft = match &before.ticket {
        Some(ticket) => store.draft(ticket.id.as_str())?,
        None => None,
    };
    let decided = Decided {
        key: one.key.clone(),
        identity: one.identity.clone(),
        mail: &one.mail,
        verdict: &one.verdict,
        before,
        decision: &decision,
        open_draft,
        address,
        at,
    };
    let record = plan::record(decided, &book.policy);
    Ok((record, decision, query))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(sizes: &[Option<u32>]) -> Vec<Listed> {
        sizes.iter().map(|size| Listed { size: *size, ..Listed::default() }).collect()
    }

    #[test]
    fn small_mails_go_together_and_odd_ones_alone() {
        assert_eq!(set_length(&sizes(&[Some(9); 270])), SET_MAILS);
        assert_eq!(set_length(&sizes(&[Some(9), Some(0), Some(9)])), 1);
        assert_eq!(set_length(&sizes(&[None, Some(9)])), 1);
        assert_eq!(set_length(&sizes(&[Some(READ_CAP), Some(9)])), 1);
        assert_eq!(set_length(&sizes(&[Some(READ_CAP - 1); 9])), 2);
    }
}
