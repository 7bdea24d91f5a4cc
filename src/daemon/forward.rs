//! What goes to colleagues: the original, or word of it.

use std::collections::BTreeSet;

use super::act::InHand;
use super::plan;
use super::worker::{STEP, WorkError, Worker};
use crate::config::InDoubt;
use crate::decide::{Desk, Keyword};
use crate::edge::ledger::{Effect, EffectState, MailRecord};
use crate::edge::outgoing::{self, Marks};
use crate::edge::smtp::TIME_PER_MIB;
use crate::edge::{EdgeError, Mailbox, Outbox, Retry};
use crate::mail::{Mail, MessageId};

/// Most earlier mails of a thread that are named in a forward.
const THREAD: usize = 20;

/// A forward as it stands in the record.
pub(super) struct Forward {
    pub(super) desk: Desk,
    pub(super) id: MessageId,
    pub(super) to: Vec<String>,
    pub(super) was: EffectState,
    /// Whether the original goes along.
    pub(super) enclose: bool,
}

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    pub(super) async fn forward(
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
        if was == EffectState::InFlight && self.shared.forward_in_doubt == InDoubt::Hold {
            let why = format!("it may have been sent before: ask {desk}, then `evenkeel retry`");
            return self.give_up(record, format!("forward to {desk}: {why}"), why).await;
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
            let policy = self.shared.policy();
            let lexicon = policy.classifier.model.lexicon();
            let mut evidence = plan::evidence(original, &hand.mail, &policy.book, lexicon);
            evidence.extend(plan::thread_so_far(&self.earlier(&hand.mail).await?));
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
        self.write_down(vec![(record.clone(), None)]).await?;
        self.shared.crash_point("inflight");
        let mebibytes = u32::try_from(message.len() / (1024 * 1024)).unwrap_or(u32::MAX);
        self.shared.alive_for(&self.folder, STEP.saturating_add(TIME_PER_MIB.saturating_mul(mebibytes)));
        let Some(outbox) = &mut self.outbox else { return Ok(EffectState::InFlight) };
        let sent = outbox.send(&message).await;
        self.shared.crash_point("forward");
        match sent {
            Ok(()) if transfer.later.is_empty() => Ok(EffectState::Done),
            Ok(()) => {
                // the others have it; these are tried again
                if let Some(Effect::Forward { to, .. } | Effect::Notify { to, .. }) =
                    record.effects.get_mut(index).map(|entry| &mut entry.effect)
                {
                    *to = transfer.later;
                }
                Ok(EffectState::Pending)
            }
            Err(error) if error.outcome_unknown() => {
                crate::edge::metrics::ambiguous();
                tracing::warn!(desk = %desk, %error, "it is unknown whether a forward was sent");
                self.smtp_waits = true;
                Ok(EffectState::InFlight)
            }
            Err(error) if error.retry() == Retry::Later => {
                tracing::warn!(desk = %desk, %error, "a forward waits");
                self.smtp_waits = true;
                Ok(EffectState::Pending)
            }
            Err(error) => self.give_up(record, error.to_string(), error.to_string()).await,
        }
    }

    /// What the ledger knows of the mails that this one answers, oldest first.
    async fn earlier(&self, mail: &Mail) -> Result<Vec<MailRecord>, WorkError<M::Error>> {
        let skipped = mail.references.len().saturating_sub(THREAD);
        let ids: Vec<MessageId> = mail.references.iter().skip(skipped).cloned().collect();
        let account = [self.folder.account.clone()];
        self.ledger(move |store| {
            let mut all = Vec::new();
            for id in &ids {
                all.extend(store.find(&account, id)?);
            }
            Ok(all)
        })
        .await
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
        let tagged = self.mailbox.tag(&[record.key.uid], &BTreeSet::from([Keyword::Review])).await;
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
}
