//! New mails, in sets: one command and one commit for many. While one set is acted on the next is read,
//! decided and recorded, and while that comes to its end the one after it is claimed and fetched: the
//! server is hardly ever waited for by us, or we by it. A set that has died once is handled mail by mail, so that
//! the one that kills is found.

use std::collections::BTreeSet;
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

    async fn end(mut self) -> Result<(SetInHand, Intended), LedgerError> {
        self.work.as_mut().await;
        let intended = self.work.as_mut().take_output().ok_or(LedgerError::Stopped)?;
        Ok((self.set, intended?))
    }
}

impl<'a, M: Mailbox, O: Outbox> Worker<'a, M, O> {
    /// Handles listed mails, oldest first; how many.
    pub(super) async fn handle_all(&mut self, listed: Vec<Listed>) -> Result<usize, WorkError<M::Error>> {
        let mut counting = None;
        let handled = self.handle_sets(&listed, &mut counting).await;
        if let Some(Counting { keys, first, .. }) = counting
            && first.end().await.map_err(WorkError::Ledger)?
        {
            // counted and never touched
            self.ledger(move |store| store.release(&keys)).await?;
        }
        handled
    }

    async fn handle_sets<'l>(
        &mut self,
        listed: &'l [Listed],
        counting: &mut Option<Counting<'l>>,
    ) -> Result<usize, WorkError<M::Error>> {
        let mut handled = 0;
        let mut rest = listed;
        let mut deciding = None;
        *counting = self.count(&mut rest).await?;
        while !self.shared.stopping()
            && let Some(Counting { set, first, .. }) = counting.take()
        {
            let first = first.end().await.map_err(WorkError::Ledger)?;
            *counting = self.count(&mut rest).await?;
            self.shared.alive_for(&self.folder, STEP);
            if first {
                deciding = Some(self.go_on(deciding.take(), set).await?);
            } else {
                // it has broken off before, so perhaps one of them is to blame
                self.finish_set(deciding.take()).await?;
                for one in set {
                    self.handle_one(one).await?;
                    if self.shared.stopping() {
                        break;
                    }
                }
            }
            handled += set.len();
        }
        self.finish_set(deciding).await?;
        self.all_written().await?;
        Ok(handled)
    }

    /// Begins to count the attempts at the next set, well before it is touched.
    async fn count<'l>(&self, rest: &mut &'l [Listed]) -> Result<Option<Counting<'l>>, WorkError<M::Error>> {
        if rest.is_empty() {
            return Ok(None);
        }
        let (set, later) = rest.split_at(set_length(rest));
        *rest = later;
        let keys = self.keys(&self.not_theirs(set));
        let counted = keys.clone();
        let first = self.shared.ledger.begin(move |store| store.attempt_first(&counted)).await;
        Ok(Some(Counting { set, keys, first: first.map_err(WorkError::Ledger)? }))
    }

    /// Fetches a set, brings the one before it to its end, and begins to decide the fetched one.
    async fn go_on(
        &mut self,
        before: Option<Deciding<'a>>,
        set: &[Listed],
    ) -> Result<Deciding<'a>, WorkError<M::Error>> {
        let Some(mut before) = before else {
            let reading = self.fetch_set(set, true).await?;
            return Ok(self.decide(reading, None));
        };
        let fetched = before.beside(self.fetch_set(set, true)).await;
        let (last, intended) = before.end().await.map_err(WorkError::Ledger)?;
        let reading = match fetched {
            Ok(reading) => reading,
            Err(error) => return self.act_on_set(last, intended).await.and(Err(error)),
        };
        let keys = reading.set.keys.clone();
        let decided = if intended.rest.is_empty() {
            let mut deciding = self.decide(reading, Some(intended.drafting()));
            deciding.beside(self.act_on_set(last, intended)).await.map(|()| deciding)
        } else {
            // nothing overtakes what is decided only when the first of its set are acted on
            self.act_on_set(last, intended).await.map(|()| self.decide(reading, None))
        };
        if decided.is_err() {
            self.forgive(&keys).await?;
        }
        decided
    }

    /// Handles a mail by itself.
    pub(super) async fn handle_one(&mut self, mail: &Listed) -> Result<(), WorkError<M::Error>> {
        let reading = self.fetch_set(std::slice::from_ref(mail), false).await?;
        let deciding = self.decide(reading, None);
        self.finish_set(Some(deciding)).await
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

    /// Brings a set to its end.
    async fn finish_set(&mut self, deciding: Option<Deciding<'a>>) -> Result<(), WorkError<M::Error>> {
        let Some(deciding) = deciding else { return Ok(()) };
        let (set, intended) = deciding.end().await.map_err(WorkError::Ledger)?;
        self.act_on_set(set, intended).await
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
