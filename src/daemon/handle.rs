//! New mails, in sets: one command, one commit for many. A set that has died once is handled mail by
//! mail, so that the one that kills is found.

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Shared;
use super::act::InHand;
use super::fresh::{self, Fetched, Fresh};
use super::intend::{Intended, Intention};
use super::plan;
use super::worker::{READ_CAP, STEP, WorkError, Worker};
use crate::classify::Verdict;
use crate::decide::{Decision, Word};
use crate::edge::ledger::{LedgerError, MailKey, MailRecord, Store};
use crate::edge::{EdgeError, Listed, Mailbox, Outbox, Uid, metrics};

/// Most mails in a set: two commits a set, of a few milliseconds each, are then little for each mail.
const SET_MAILS: usize = 200;

/// Most bytes fetched with one command: a slow line has the time of one command for it.
const SET_BYTES: u32 = 2 * 1024 * 1024;

/// A set that is claimed and fetched, and is being read.
struct Ahead {
    set: SetInHand,
    reading: Vec<JoinHandle<Vec<Fresh>>>,
}

/// A set on its way.
struct SetInHand {
    keys: Vec<MailKey>,
    last: Uid,
    begun: Instant,
}

impl Ahead {
    /// What it says is read to its end, decided and recorded.
    async fn intended(
        self,
        shared: &Shared,
        intention: Intention,
    ) -> (SetInHand, Result<Intended, LedgerError>) {
        let read = async {
            let fresh = fresh::ours_told(shared, self.reading).await?;
            shared.crash_point("classify");
            intention.record(shared, fresh).await
        };
        let intended = read.await;
        (self.set, intended)
    }
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Handles listed mails, oldest first; how many. While one set is decided and recorded the next is
    /// fetched, and while it is acted on the next is read.
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
                ahead = Some(self.finish_and_fetch(ahead.take(), set).await?);
            }
            handled += set.len();
        }
        self.finish_ahead(ahead).await?;
        self.all_written().await?;
        Ok(handled)
    }

    /// Brings one set to its end and fetches the next.
    async fn finish_and_fetch(
        &mut self,
        ahead: Option<Ahead>,
        set: &[Listed],
    ) -> Result<Ahead, WorkError<M::Error>> {
        let Some(ahead) = ahead else { return self.fetch_ahead(set).await };
        let intending = ahead.intended(self.shared, self.intention());
        let (next, intended) = tokio::join!(self.fetch_ahead(set), intending);
        let finished = self.act_on_set(intended).await;
        if let (Err(_), Ok(next)) = (&finished, &next) {
            self.forgive(&next.set.keys).await?;
        }
        finished?;
        next
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
        Ok(Ahead { set: SetInHand { keys, last, begun }, reading })
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
        let Some(ahead) = ahead else { return Ok(()) };
        let intended = ahead.intended(self.shared, self.intention()).await;
        self.act_on_set(intended).await
    }

    async fn act_on_set(
        &mut self,
        (set, intended): (SetInHand, Result<Intended, LedgerError>),
    ) -> Result<(), WorkError<M::Error>> {
        let intended = intended.map_err(WorkError::Ledger)?;
        let done = self.act_on(intended, &set).await;
        self.blameless(&set.keys, done).await
    }

    /// Acts on what was recorded, and records and acts on what could not go with it.
    async fn act_on(&mut self, mut intended: Intended, set: &SetInHand) -> Result<(), WorkError<M::Error>> {
        loop {
            let rest = self.act_on_part(intended, set.begun).await?;
            self.shared.alive_for(&self.folder, STEP);
            if rest.is_empty() {
                break;
            }
            intended = self.intention().record(self.shared, rest).await.map_err(WorkError::Ledger)?;
        }
        if self.next <= set.last {
            self.advance(set.last.saturating_add(1)).await?;
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

    /// Acts for as many as went together; what is left.
    async fn act_on_part(
        &mut self,
        intended: Intended,
        begun: Instant,
    ) -> Result<Vec<Fresh>, WorkError<M::Error>> {
        let Intended { mut mails, reopened, twin, mut rest } = intended;
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

    /// What the next mails are decided with.
    fn intention(&self) -> Intention {
        Intention {
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
