//! Carrying out the effects of a record, each in a way that may be repeated.

use std::collections::BTreeSet;

use super::plan;
use super::worker::{STEP, WorkError, Worker};
use crate::decide::{Decision, Desk, Keyword};
use crate::edge::ledger::record::DraftMark;
use crate::edge::ledger::{Effect, EffectState, MailRecord, MailState};
use crate::edge::outgoing::{self, Marks};
use crate::edge::smtp::TIME_PER_MIB;
use crate::edge::{EdgeError, FoundDraft, Mailbox, Moved, Outbox, Retry};
use crate::mail::{Mail, MessageId};

/// A mail in hand while its effects are carried out.
pub(super) struct InHand {
    pub(super) mail: Mail,
    pub(super) bytes: Vec<u8>,
    /// RFC822.SIZE: more than `bytes` when the mail was cut.
    pub(super) size: u32,
    pub(super) decision: Decision,
    /// Whether an earlier run may have done some of it.
    pub(super) again: bool,
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Carries out what is pending. The record says afterwards what has become of it; `Ok(false)`
    /// if something has to be tried again later.
    pub(super) async fn act(
        &mut self,
        record: &mut MailRecord,
        hand: &InHand,
    ) -> Result<bool, WorkError<M::Error>> {
        let mut draft_saved = None;
        let mut deferred = false;
        for index in 0..record.effects.len() {
            let outcome = match self.carry_out(record, index, hand, deferred, &mut draft_saved).await {
                Ok(outcome) => outcome,
                Err(broken) => {
                    // what is done must be known when the connection is back
                    self.write_down(record, draft_saved).await?;
                    return Err(broken);
                }
            };
            deferred |= !outcome.is_final();
            if let Some(entry) = record.effects.get_mut(index) {
                entry.state = outcome;
            }
        }
        if !deferred {
            record.state = MailState::Done;
        }
        self.write_down(record, draft_saved).await?;
        Ok(!deferred)
    }

    async fn carry_out(
        &mut self,
        record: &mut MailRecord,
        index: usize,
        hand: &InHand,
        deferred: bool,
        draft_saved: &mut Option<DraftMark>,
    ) -> Result<EffectState, WorkError<M::Error>> {
        let Some(entry) = record.effects.get(index) else { return Ok(EffectState::Done) };
        let was = entry.state.clone();
        if was.is_final() {
            return Ok(was);
        }
        match entry.effect.clone() {
            Effect::SaveDraft { id, replaces, .. } => {
                let (state, mark) = self.save_draft(record, hand, &id, replaces.as_ref()).await?;
                *draft_saved = mark;
                Ok(state)
            }
            Effect::Forward { desk, id, to } | Effect::Notify { desk, id, to } => {
                let enclose = matches!(entry.effect, Effect::Forward { .. });
                let sent = self.forward(record, index, hand, Forward { desk, id, to, was, enclose }).await?;
                if let Some(entry) = record.effects.get_mut(index) {
                    entry.state = sent.clone();
                }
                // nothing on a server tells whether it was sent: it must not wait for the rest
                self.write_down(record, draft_saved.clone()).await?;
                Ok(sent)
            }
            Effect::Tag { keywords } => self.tag(record, &keywords).await,
            // the mail stays in sight until nothing else is left to do
            Effect::File { .. } if deferred => Ok(EffectState::Pending),
            Effect::File { folder } => self.file(record, &folder, hand.again).await,
        }
    }

    async fn write_down(
        &self,
        record: &MailRecord,
        draft: Option<DraftMark>,
    ) -> Result<(), WorkError<M::Error>> {
        let record = record.clone();
        self.shared
            .ledger
            .run(move |store| {
                if let (Some(draft), Some(ticket)) = (&draft, &record.ticket) {
                    store.set_draft(&record.key.folder.account, ticket, draft)?;
                }
                store.update(&record)
            })
            .await
            .map_err(WorkError::Ledger)
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
        let name = book.company.name.as_str();
        let built =
            outgoing::draft(id, &self.account.address, name, &hand.mail, draft, &marks, record.decided);
        let bytes = match built {
            Ok(bytes) => bytes,
            Err(error) => return Ok((self.failed("draft", &error), None)),
        };
        let mark = DraftMark { id: id.clone(), size: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
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
                Err(error) if error.is_refusal() => return Ok((self.failed("draft", &error), None)),
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

    async fn forward(
        &mut self,
        record: &mut MailRecord,
        index: usize,
        hand: &InHand,
        forward: Forward,
    ) -> Result<EffectState, WorkError<M::Error>> {
        let Forward { desk, id, to, was, enclose } = forward;
        if self.outbox.is_none() {
            let why = "the account has no [account.smtp]".to_owned();
            return self.give_up(record, format!("forward to {desk}: {why}"), why).await;
        }
        if self.smtp_waits {
            return Ok(was);
        }
        let original = if enclose { self.original(record, hand).await? } else { None };
        if enclose && original.is_none() {
            let why = format!("the original is gone or larger than forward-cap-bytes ({} bytes)", hand.size);
            return self.give_up(record, format!("forward to {desk}: {why}"), why).await;
        }
        let from = self.account.address.clone();
        let Some(outbox) = &mut self.outbox else { return Ok(EffectState::Pending) };
        let transfer = match outbox.prepare(&from, &to).await {
            Ok(transfer) => transfer,
            Err(error) if error.retry() == Retry::Later => {
                tracing::warn!(desk = %desk, %error, "a forward waits");
                self.smtp_waits = true;
                // what was in flight stays in flight: it may have been sent
                return Ok(was);
            }
            Err(error) => return self.give_up(record, error.to_string(), error.to_string()).await,
        };
        let labels = plan::label_words(record);
        let reasons = crate::decide::reason_line(&record.reasons);
        let marks = Marks { ticket: record.ticket.as_deref(), labels: &labels, reasons: &reasons };
        let subject = plan::forward_subject(desk, record);
        let at = record.decided;
        let built = if let Some(original) = &original {
            let book = self.shared.policy().book;
            let evidence = plan::evidence(original, &hand.mail, &book);
            let summary = plan::forward_summary(desk, &hand.mail, record, &self.account.name, &evidence);
            let enclosed = outgoing::Enclosed { original, eight_bit: transfer.eight_bit };
            outgoing::forward(&id, &from, &to, &subject, &summary, enclosed, &marks, at)
        } else {
            let text = plan::notice(record, &self.account.name);
            outgoing::notice(&id, &from, &to, &subject, &text, &marks, at)
        };
        let message = match built {
            Ok(message) => message,
            Err(error) => return self.give_up(record, error.to_string(), error.to_string()).await,
        };
        if was == EffectState::InFlight {
            tracing::warn!(desk = %desk, mail.id_hash = %record.identity,
                "a forward may have been sent before: it is sent again with the same Message-ID");
        }
        if let Some(entry) = record.effects.get_mut(index) {
            entry.state = EffectState::InFlight;
        }
        self.write_down(record, None).await?;
        self.shared.crash_point("inflight");
        let mebibytes = u32::try_from(message.len() / (1024 * 1024)).unwrap_or(u32::MAX);
        self.shared.alive_for(&self.folder, STEP.saturating_add(TIME_PER_MIB.saturating_mul(mebibytes)));
        let Some(outbox) = &mut self.outbox else { return Ok(EffectState::InFlight) };
        let sent = outbox.send(&message).await;
        self.shared.crash_point("forward");
        match sent {
            Ok(()) => Ok(EffectState::Done),
            Err(error) if error.outcome_unknown() => {
                crate::edge::metrics::ambiguous();
                tracing::warn!(desk = %desk, %error, "it is unknown whether a forward was sent");
                Ok(EffectState::InFlight)
            }
            Err(error) if error.retry() == Retry::Later => {
                tracing::warn!(desk = %desk, %error, "a forward waits");
                Ok(EffectState::Pending)
            }
            Err(error) => self.give_up(record, error.to_string(), error.to_string()).await,
        }
    }

    /// The whole original: what was fetched, or if that was only a part, all of it.
    async fn original(
        &mut self,
        record: &MailRecord,
        hand: &InHand,
    ) -> Result<Option<Vec<u8>>, WorkError<M::Error>> {
        if u32::try_from(hand.bytes.len()).unwrap_or(u32::MAX) >= hand.size {
            return Ok(Some(hand.bytes.clone()));
        }
        if hand.size > self.shared.forward_cap_bytes {
            return Ok(None);
        }
        let cap = self.shared.forward_cap_bytes;
        self.mailbox.fetch(record.key.uid, cap).await.map_err(WorkError::Mailbox)
    }

    /// A forward that will never succeed: the mail is marked for a person and stays where it is.
    async fn give_up(
        &mut self,
        record: &mut MailRecord,
        error: String,
        why: String,
    ) -> Result<EffectState, WorkError<M::Error>> {
        tracing::error!(mail.id_hash = %record.identity, %error, "a forward failed for good: the mail stays for a person");
        let tagged = self.mailbox.tag(record.key.uid, &BTreeSet::from([Keyword::Review])).await;
        match tagged {
            Ok(_) => {}
            Err(error) if error.is_refusal() => {}
            Err(error) => return Err(WorkError::Mailbox(error)),
        }
        for entry in &mut record.effects {
            if matches!(entry.effect, Effect::File { .. }) {
                entry.state = EffectState::Skipped("left for a person: a forward failed".into());
            }
        }
        Ok(EffectState::Failed(why))
    }

    async fn tag(
        &mut self,
        record: &MailRecord,
        keywords: &[Keyword],
    ) -> Result<EffectState, WorkError<M::Error>> {
        let keywords: BTreeSet<Keyword> = keywords.iter().copied().collect();
        let tagged = self.mailbox.tag(record.key.uid, &keywords).await;
        self.shared.crash_point("tag");
        match tagged {
            Ok(true) => Ok(EffectState::Done),
            Ok(false) => Ok(EffectState::Skipped("a person was faster".into())),
            Err(error) if error.is_refusal() => Ok(self.failed("tag", &error)),
            Err(error) => Err(WorkError::Mailbox(error)),
        }
    }

    async fn file(
        &mut self,
        record: &MailRecord,
        folder: &str,
        again: bool,
    ) -> Result<EffectState, WorkError<M::Error>> {
        let moved =
            self.mailbox.file(record.key.uid, folder, record.message_id.as_ref().filter(|_| again)).await;
        self.shared.crash_point("move");
        match moved {
            Ok(Moved::Done) => Ok(EffectState::Done),
            Ok(Moved::Gone) => Ok(EffectState::Skipped("a person was faster".into())),
            Ok(Moved::Impossible) => {
                Ok(EffectState::Skipped("the server can neither move nor expunge a single mail".into()))
            }
            Err(error) if error.is_refusal() => Ok(self.failed("move", &error)),
            Err(error) => Err(WorkError::Mailbox(error)),
        }
    }

    fn failed(&self, effect: &str, error: &dyn std::error::Error) -> EffectState {
        let folder = &self.folder;
        tracing::error!(account = %folder.account, folder = %folder.folder, effect, %error, "an effect was refused");
        EffectState::Failed(error.to_string())
    }
}

/// A forward as it stands in the record.
struct Forward {
    desk: Desk,
    id: MessageId,
    to: Vec<String>,
    was: EffectState,
    /// Whether the original goes along.
    enclose: bool,
}
