//! Carrying out the effects of a record, each in a way that may be repeated.

use std::collections::{BTreeMap, BTreeSet};

use super::forward::Forward;
use super::plan;
use super::worker::{STEP, WorkError, Worker};
use crate::classify::{Label, Verdict};
use crate::decide::{Decision, Keyword};
use crate::edge::ledger::record::DraftMark;
use crate::edge::ledger::{Effect, EffectRecord, EffectState, LedgerError, MailRecord, MailState, Store};
use crate::edge::outgoing::{self, Marks};
use crate::edge::{EdgeError, FoundDraft, Mailbox, Moved, Outbox, Retry, Uid};
use crate::mail::{Mail, MessageId};
use crate::time::Timestamp;

/// A mail in hand while its effects are carried out.
pub(super) struct InHand {
    pub(super) mail: Mail,
    pub(super) bytes: Vec<u8>,
    /// RFC822.SIZE: more than `bytes` when the mail was cut.
    pub(super) size: u32,
    /// INTERNALDATE.
    pub(super) arrived: Option<Timestamp>,
    pub(super) decision: Decision,
    /// Whether an earlier run may have done some of it.
    pub(super) again: bool,
}

/// An effect of a batch: which record, which of its effects.
type Place = (usize, usize);

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Carries out what is pending: drafts and forwards mail by mail, keywords and moves in sets. The
    /// records say afterwards what has become of it; `Ok(false)` if something has to be tried again
    /// later.
    pub(super) async fn act(
        &mut self,
        batch: &mut [(MailRecord, InHand)],
    ) -> Result<bool, WorkError<M::Error>> {
        let mut drafts = vec![None; batch.len()];
        let broken = self.carry_out_all(batch, &mut drafts).await.err();
        let mut all_done = true;
        for (record, _) in &mut *batch {
            if record.effects.iter().all(|entry| entry.state.is_final()) {
                record.state = MailState::Done;
                self.settled += 1;
            } else {
                all_done = false;
            }
        }
        // what is done must be known when the connection is back
        let records = batch.iter().map(|(record, _)| record.clone()).zip(drafts).collect();
        self.all_written().await?;
        self.writing = Some(self.shared.ledger.begin(writing(records)).await.map_err(WorkError::Ledger)?);
        // of a set nobody waits for it but the next set
        if batch.len() == 1 || broken.is_some() {
            self.all_written().await?;
        }
        broken.map_or(Ok(all_done), Err)
    }

    /// Waits until what was done with the last set is durable.
    pub(super) async fn all_written(&mut self) -> Result<(), WorkError<M::Error>> {
        match self.writing.take() {
            Some(writing) => writing.end().await.map_err(WorkError::Ledger),
            None => Ok(()),
        }
    }

    async fn carry_out_all(
        &mut self,
        batch: &mut [(MailRecord, InHand)],
        drafts: &mut [Option<DraftMark>],
    ) -> Result<(), WorkError<M::Error>> {
        let mut order: Vec<_> = batch.iter_mut().zip(drafts).collect();
        // in a flood whoever threatens or is frightened does not wait for the others' drafts
        order.sort_by_key(|((record, _), _)| !is_urgent(record));
        for ((record, hand), draft) in order {
            for index in 0..record.effects.len() {
                self.shared.alive_for(&self.folder, STEP);
                let outcome = self.carry_out(record, index, hand, draft).await?;
                if let Some(entry) = record.effects.get_mut(index) {
                    entry.state = outcome;
                }
            }
        }
        self.tag_all(batch).await?;
        self.file_all(batch).await
    }

    /// What cannot go in sets: drafts and what is sent to colleagues.
    async fn carry_out(
        &mut self,
        record: &mut MailRecord,
        index: usize,
        hand: &InHand,
        draft_saved: &mut Option<DraftMark>,
    ) -> Result<EffectState, WorkError<M::Error>> {
        let Some(entry) = record.effects.get(index) else { return Ok(EffectState::Done) };
        let was = entry.state.clone();
        if was.is_final() {
            return Ok(was);
        }
        let effect = entry.effect.clone();
        let enclose = matches!(effect, Effect::Forward { .. });
        if effect.own_id().is_some() {
            let asked = record.clone();
            if self.ledger(move |store| store.was_erased(&asked)).await? {
                return Ok(EffectState::Skipped("erased".into()));
            }
        }
        match effect {
            Effect::SaveDraft { id, replaces, .. } => {
                let (state, mark) = self.save_draft(record, hand, &id, replaces.as_ref()).await?;
                *draft_saved = mark;
                Ok(state)
            }
            Effect::Forward { desk, id, to } | Effect::Notify { desk, id, to } => {
                let sent = self.forward(record, index, hand, Forward { desk, id, to, was, enclose }).await?;
                if let Some(entry) = record.effects.get_mut(index) {
                    entry.state = sent.clone();
                }
                // nothing on a server tells whether it was sent: it must not wait for the rest
                self.write_down(vec![(record.clone(), draft_saved.clone())]).await?;
                Ok(sent)
            }
            Effect::Tag { .. } | Effect::File { .. } => Ok(was),
        }
    }

    pub(super) async fn write_down(
        &self,
        records: Vec<(MailRecord, Option<DraftMark>)>,
    ) -> Result<(), WorkError<M::Error>> {
        self.ledger(writing(records)).await
    }

    async fn tag_all(&mut self, batch: &mut [(MailRecord, InHand)]) -> Result<(), WorkError<M::Error>> {
        let mut groups: BTreeMap<BTreeSet<Keyword>, Vec<Place>> = BTreeMap::new();
        for (place, entry) in pending(batch, |_| true) {
            if let Effect::Tag { keywords } = &entry.effect {
                groups.entry(keywords.iter().copied().collect()).or_default().push(place);
            }
        }
        for (keywords, places) in groups {
            let uids = uids(batch, &places);
            let tagged = self.mailbox.tag(&uids, &keywords).await;
            self.shared.crash_point("tag");
            let (tagged, refused) = match tagged {
                Ok(tagged) => (tagged, None),
                Err(error) if error.is_refusal() => (BTreeSet::new(), Some(self.refused("tag", &error))),
                Err(error) => return Err(WorkError::Mailbox(error)),
            };
            for (place, uid) in places.iter().zip(uids) {
                let outcome = match &refused {
                    Some(refused) => refused.clone(),
                    None if tagged.contains(&uid) => EffectState::Done,
                    None => EffectState::Skipped("a person was faster".into()),
                };
                settle(batch, *place, outcome);
            }
        }
        Ok(())
    }

    /// Mails stay in sight until nothing else is left to do.
    async fn file_all(&mut self, batch: &mut [(MailRecord, InHand)]) -> Result<(), WorkError<M::Error>> {
        let mut groups: BTreeMap<(String, bool), Vec<Place>> = BTreeMap::new();
        let last = |record: &MailRecord| {
            let mut others = record.effects.iter().filter(|e| !matches!(e.effect, Effect::File { .. }));
            others.all(|entry| entry.state.is_final())
        };
        for (place, entry) in pending(batch, last) {
            if let Effect::File { folder } = &entry.effect {
                let again = batch.get(place.0).is_some_and(|(_, hand)| hand.again);
                groups.entry((folder.clone(), again)).or_default().push(place);
            }
        }
        for ((folder, again), places) in groups {
            let uids = uids(batch, &places);
            let filed = self.mailbox.file(&uids, &folder, again).await;
            self.shared.crash_point("move");
            let outcomes: Vec<EffectState> = match filed {
                Ok(mut filed) => {
                    uids.iter().map(|uid| self.filed(filed.remove(uid).unwrap_or(Moved::Gone))).collect()
                }
                Err(error) if error.is_refusal() => vec![self.refused("move", &error); uids.len()],
                Err(error) => return Err(WorkError::Mailbox(error)),
            };
            for (place, outcome) in places.iter().zip(outcomes) {
                settle(batch, *place, outcome);
            }
        }
        Ok(())
    }

    fn filed(&self, moved: Moved) -> EffectState {
        match moved {
            Moved::Done => EffectState::Done,
            Moved::Gone => EffectState::Skipped("a person was faster".into()),
            Moved::Impossible => {
                EffectState::Skipped("the server can neither move nor expunge a single mail".into())
            }
            Moved::Refused(why, retry) => self.refused_with("move", &why, retry),
        }
    }

    async fn save_draft(
        &mut self,
        record: &MailRecord,
        hand: &InHand,
        id: &MessageId,
        replaces: Option<&DraftMark>,
    ) -> Result<(EffectState, Option<DraftMark>), WorkError<M::Error>> {
        let Some(draft) = hand.decision.draft() else {
            return Ok((EffectState::Skipped("the policy in force wants no draft".into()), None));
        };
        let labels = plan::label_words(record);
        let reasons = crate::decide::reason_line(&record.reasons);
        let marks = Marks { ticket: record.ticket.as_deref(), labels: &labels, reasons: &reasons };
        let book = self.shared.policy().book;
        let desk = self.account.desk(&book.company.name);
        let built = outgoing::draft(id, &desk, &hand.mail, draft, &marks, record.decided);
        let bytes = match built {
            Ok(bytes) => bytes,
            Err(error) => return Ok((self.failed("draft", &error.to_string()), None)),
        };
        let mark = DraftMark::of(id, &bytes, draft);
        let old = match replaces {
            Some(old) => {
                self.mailbox.find_draft(&old.id).await.map_err(WorkError::Mailbox)?.map(|found| (found, old))
            }
            None => None,
        };
        if let Some((found, old)) = &old
            && found.size != old.size
        {
            return Ok((EffectState::Skipped("an agent is editing the draft of this thread".into()), None));
        }
        let saved = hand.again && self.mailbox.find_draft(id).await.map_err(WorkError::Mailbox)?.is_some();
        if !saved {
            if self.agent_writes(hand, old.as_ref().map(|(found, _)| *found)).await? {
                return Ok((EffectState::Skipped("an agent is writing in this thread".into()), None));
            }
            match self.mailbox.save_draft(&bytes).await {
                Ok(()) => {}
                Err(error) if error.is_refusal() => return Ok((self.refused("draft", &error), None)),
                Err(error) => return Err(WorkError::Mailbox(error)),
            }
        }
        self.shared.crash_point("draft");
        if let Some((found, _)) = old {
            self.mailbox.remove_draft(found).await.map_err(WorkError::Mailbox)?;
        }
        Ok((EffectState::Done, Some(mark)))
    }

    /// Whether a draft in the thread is not ours: most clients save an edited draft as a new mail.
    async fn agent_writes(
        &mut self,
        hand: &InHand,
        ours: Option<FoundDraft>,
    ) -> Result<bool, WorkError<M::Error>> {
        for id in hand.mail.references.iter().rev().take(3) {
            let drafts = self.mailbox.drafts_about(id).await.map_err(WorkError::Mailbox)?;
            if drafts.iter().any(|draft| ours.is_none_or(|ours| ours.uid != draft.uid)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A refusal that may pass is tried again, slowly; any other is for a person.
    pub(super) fn refused(&self, effect: &str, error: &M::Error) -> EffectState {
        self.refused_with(effect, &error.to_string(), error.retry())
    }

    fn refused_with(&self, effect: &str, why: &str, retry: Retry) -> EffectState {
        let folder = &self.folder;
        if retry == Retry::Later {
            tracing::warn!(account = %folder.account, folder = %folder.folder, effect, error = %why,
                "an effect was refused for now: it is tried again");
            return EffectState::Pending;
        }
        self.failed(effect, why)
    }

    pub(super) fn failed(&self, effect: &str, why: &str) -> EffectState {
        let folder = &self.folder;
        tracing::error!(account = %folder.account, folder = %folder.folder, effect, error = %why, "an effect was refused");
        EffectState::Failed(why.to_owned())
    }
}

fn is_urgent(record: &MailRecord) -> bool {
    let primary = record.verdict.as_ref().and_then(Verdict::primary);
    matches!(primary, Some(Label::Threat | Label::Panic))
}

/// Writes records, and the drafts that were saved for them.
fn writing(
    records: Vec<(MailRecord, Option<DraftMark>)>,
) -> impl FnOnce(&mut Store) -> Result<(), LedgerError> + Send {
    move |store| {
        for (record, draft) in &records {
            if let (Some(draft), Some(ticket)) = (draft, &record.ticket) {
                store.set_draft(&record.key.folder.account, ticket, draft)?;
            }
            store.update(record)?;
        }
        Ok(())
    }
}

/// Effects that are not settled, of records that `fit`.
fn pending(
    batch: &[(MailRecord, InHand)],
    fit: impl Fn(&MailRecord) -> bool,
) -> impl Iterator<Item = (Place, &EffectRecord)> {
    batch.iter().enumerate().filter(move |(_, (record, _))| fit(record)).flat_map(|(at, (record, _))| {
        let effects = record.effects.iter().enumerate();
        effects.filter(|(_, entry)| !entry.state.is_final()).map(move |(index, entry)| ((at, index), entry))
    })
}

fn uids(batch: &[(MailRecord, InHand)], places: &[Place]) -> Vec<Uid> {
    places.iter().filter_map(|(at, _)| Some(batch.get(*at)?.0.key.uid)).collect()
}

fn settle(batch: &mut [(MailRecord, InHand)], (at, index): Place, outcome: EffectState) {
    if let Some(entry) = batch.get_mut(at).and_then(|(record, _)| record.effects.get_mut(index)) {
        entry.state = outcome;
    }
}
