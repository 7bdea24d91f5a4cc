//! New mails, in sets: one command and one commit for many. While one set is acted on the next is read,
//! decided and recorded, and while that comes to its end those after it are claimed, fetched and read: the
//! server is hardly ever waited for by us, or we by it. A set that has died once is handled mail by mail, so that
//! the one that kills is found.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::fresh::{self, Fetched, Fresh};
use super::intend::Intended;
use super::worker::{READ_CAP, STEP, WorkError, Worker};
use crate::edge::ledger::{Begun, LedgerError, MailKey};
use crate::edge::{Listed, Mailbox, Outbox, Uid};

/// Most mails in a set: the commits of a set, of a few milliseconds each, are then little for each mail.
const SET_MAILS: usize = 200;

/// Most bytes fetched with one command: a slow line has the time of one command for it.
const SET_BYTES: u32 = 2 * 1024 * 1024;

/// Sets that are fetched and read while the one before them is being decided, at most.
const AHEAD: usize = 2;

/// A set on its way.
pub(super) struct SetInHand {
    pub(super) keys: Vec<MailKey>,
    pub(super) last: Uid,
    pub(super) begun: Instant,
}

/// A set whose attempts are being counted.
struct Counting<'a> {
    set: &'a [Listed],
    keys: Vec<MailKey>,
    /// Whether it is the first attempt at each of them; only then it is counted.
    first: Begun<bool>,
}

/// A set that is claimed and fetched, and is being read.
struct Reading {
    set: SetInHand,
    parts: Vec<JoinHandle<Vec<Fresh>>>,
}

type Intending<'a> = BoxFuture<'a, Result<Intended, LedgerError>>;

/// A set that is read to its end, decided and recorded, while something else is waited for.
struct Deciding<'a> {
    set: SetInHand,
    work: Pin<Box<MaybeDone<Intending<'a>>>>,
}

impl Deciding<'_> {
    /// Goes on while `work` is not done.
    async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let _: Poll<()> = self.work.as_mut().poll(context);
            work.as_mut().poll(context)
        })
        .await
    }

    async fn is_done(&mut self) -> bool {
        self.beside(std::future::ready(())).await;
        matches!(&*self.work, MaybeDone::Done(_))
    }

    async fn end(mut self) -> Result<(SetInHand, Intended), LedgerError> {
        self.work.as_mut().await;
        let intended = self.work.as_mut().take_output().ok_or(LedgerError::Stopped)?;
        Ok((self.set, intended?))
    }
}

/// Sets on their way, oldest first: one is decided, those after it are read meanwhile.
#[derive(Default)]
struct Flow<'a> {
    deciding: Option<Deciding<'a>>,
    reading: VecDeque<Reading>,
}

impl Flow<'_> {
    /// Mails of all sets.
    fn keys(&self) -> Vec<MailKey> {
        let deciding = self.deciding.iter().map(|deciding| &deciding.set);
        let sets = deciding.chain(self.reading.iter().map(|reading| &reading.set));
        sets.flat_map(|set| &set.keys).cloned().collect()
    }

    /// Whether the next set may be fetched before the oldest one is acted on: nobody shall wait for what
    /// is not decided yet.
    async fn has_room(&mut self) -> bool {
        let Some(deciding) = &mut self.deciding else { return self.reading.is_empty() };
        self.reading.len() < AHEAD && !deciding.is_done().await
    }
}

impl<'a, M: Mailbox, O: Outbox> Worker<'a, M, O> {
    /// Handles listed mails, oldest first; how many.
    pub(super) async fn handle_all(&mut self, listed: Vec<Listed>) -> Result<usize, WorkError<M::Error>> {
        let (mut counting, mut flow) = (VecDeque::new(), Flow::default());
        let handled = self.handle_sets(&listed, &mut counting, &mut flow).await;
        if handled.is_err() {
            self.forgive(&flow.keys()).await?;
        }
        for Counting { keys, first, .. } in counting {
            if first.end().await.map_err(WorkError::Ledger)? {
                // counted and never touched
                self.ledger(move |store| store.release(&keys)).await?;
            }
        }
        handled
    }

    async fn handle_sets<'l>(
        &mut self,
        listed: &'l [Listed],
        counting: &mut VecDeque<Counting<'l>>,
        flow: &mut Flow<'a>,
    ) -> Result<usize, WorkError<M::Error>> {
        let mut handled = 0;
        let mut rest = listed;
        self.count(&mut rest, counting).await?;
        while !self.shared.stopping()
            && let Some(Counting { set, first, .. }) = counting.pop_front()
        {
            let first = first.end().await.map_err(WorkError::Ledger)?;
            self.count(&mut rest, counting).await?;
            self.shared.alive_for(&self.folder, STEP);
            if first {
                self.fetch_into(flow, set).await?;
            } else {
                // it has broken off before, so perhaps one of them is to blame
                self.drain(flow).await?;
                for one in set {
                    self.handle_one(one).await?;
                    if self.shared.stopping() {
                        break;
                    }
                }
            }
            handled += set.len();
        }
        self.drain(flow).await?;
        self.all_written().await?;
        Ok(handled)
    }

    /// Begins to count the attempts at the next sets, well before they are touched.
    async fn count<'l>(
        &self,
        rest: &mut &'l [Listed],
        counting: &mut VecDeque<Counting<'l>>,
    ) -> Result<(), WorkError<M::Error>> {
        while counting.len() <= AHEAD && !rest.is_empty() {
            let (set, later) = rest.split_at(set_length(rest));
            *rest = later;
            let keys = self.keys(&self.not_theirs(set));
            let counted = keys.clone();
            let first = self.shared.ledger.begin(move |store| store.attempt_first(&counted)).await;
            counting.push_back(Counting { set, keys, first: first.map_err(WorkError::Ledger)? });
        }
        Ok(())
    }

    /// Fetches a set, and brings those before it on their way as far as there is no room for more.
    async fn fetch_into(&mut self, flow: &mut Flow<'a>, set: &[Listed]) -> Result<(), WorkError<M::Error>> {
        let fetched = match &mut flow.deciding {
            Some(deciding) => deciding.beside(self.fetch_set(set, true)).await,
            None => self.fetch_set(set, true).await,
        };
        match fetched {
            Ok(reading) => flow.reading.push_back(reading),
            Err(error) => return self.drain(flow).await.and(Err(error)),
        }
        while !flow.has_room().await {
            self.step(flow).await?;
        }
        Ok(())
    }

    /// Brings the oldest set to its end, while the next one is decided.
    async fn step(&mut self, flow: &mut Flow<'a>) -> Result<(), WorkError<M::Error>> {
        let Some(deciding) = flow.deciding.take() else {
            flow.deciding = flow.reading.pop_front().map(|reading| self.decide(reading, None));
            return Ok(());
        };
        let (last, intended) = deciding.end().await.map_err(WorkError::Ledger)?;
        let (undo, next) = (intended.undo, flow.reading.pop_front());
        // nothing overtakes what is decided only when the first of its set are acted on
        let beside = intended.rest.is_empty() && !undo;
        let drafting = beside.then(|| intended.drafting());
        let mut next = next.map(|reading| self.decide(reading, drafting));
        let mut done = match next.as_mut().filter(|_| beside) {
            Some(next) => next.beside(self.act_on_set(last, intended)).await,
            None => self.act_on_set(last, intended).await,
        };
        if undo && done.is_ok() {
            // a person waits for it
            done = self.undo().await;
        }
        flow.deciding = next;
        done
    }

    /// Brings all sets to their end, or when the daemon stops what is decided.
    async fn drain(&mut self, flow: &mut Flow<'a>) -> Result<(), WorkError<M::Error>> {
        loop {
            if self.shared.stopping() && !flow.reading.is_empty() {
                let undecided: Vec<_> = flow.reading.drain(..).flat_map(|reading| reading.set.keys).collect();
                self.ledger(move |store| store.release(&undecided)).await?;
            }
            if flow.deciding.is_none() && flow.reading.is_empty() {
                return Ok(());
            }
            self.step(flow).await?;
        }
    }

    /// Handles a mail by itself.
    pub(super) async fn handle_one(&mut self, mail: &Listed) -> Result<(), WorkError<M::Error>> {
        let reading = self.fetch_set(std::slice::from_ref(mail), false).await?;
        let (set, intended) = self.decide(reading, None).end().await.map_err(WorkError::Ledger)?;
        self.act_on_set(set, intended).await
    }

    /// Claims and fetches a set, and begins to read it.
    async fn fetch_set(&mut self, set: &[Listed], counted: bool) -> Result<Reading, WorkError<M::Error>> {
        let begun = Instant::now();
        let keys = self.keys(set);
        let last = set.iter().map(|mail| mail.uid).max().unwrap_or(0);
        let fetched = self.claim_and_fetch(set, counted).await;
        let fetched = self.blameless(&keys, fetched).await?;
        let parts = fresh::read_set(self.shared, fetched);
        Ok(Reading { set: SetInHand { keys, last, begun }, parts })
    }

    async fn claim_and_fetch(
        &mut self,
        set: &[Listed],
        counted: bool,
    ) -> Result<Vec<Fetched>, WorkError<M::Error>> {
        let mut ours = self.not_theirs(set);
        self.tell_of_theirs(set.len().saturating_sub(ours.len()));
        if let (false, [mail]) = (counted, ours.as_slice())
            && !self.may_try(mail).await?
        {
            ours.clear();
        }
        let ours = self.claim(ours).await?;
        let fetched = self.fetch(&ours).await?;
        self.shared.crash_point("fetch");
        let fetched = fetched.into_iter();
        Ok(fetched.map(|(listed, bytes)| Fetched { key: self.key(&listed), listed, bytes }).collect())
    }

    /// Begins to decide and record a set; `drafting` as in [`Worker::intention`].
    fn decide(&self, reading: Reading, drafting: Option<BTreeSet<String>>) -> Deciding<'a> {
        let (shared, intention) = (self.shared, self.intention(drafting));
        let Reading { set, parts } = reading;
        let work = async move {
            let fresh = fresh::ours_told(shared, parts).await?;
            shared.crash_point("classify");
            intention.record(shared, fresh).await
        };
        Deciding { set, work: Box::pin(maybe_done(work.boxed())) }
    }

    async fn act_on_set(&mut self, set: SetInHand, intended: Intended) -> Result<(), WorkError<M::Error>> {
        let done = self.act_on(intended, &set).await;
        self.blameless(&set.keys, done).await
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
