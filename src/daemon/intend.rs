//! Deciding and recording: in one step on the ledger's thread, so that two mails of one customer in two
//! mailboxes cannot overtake each other, and the second of a thread knows the first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Shared;
use super::act::InHand;
use super::fresh::Fresh;
use super::plan::{self, Decided};
use crate::decide::{Decision, Rulebook, bounce, decide};
use crate::edge::ledger::recall::Memory;
use crate::edge::ledger::{
    CaseQuery, Cursor, Effect, EffectState, LedgerError, MailRecord, MailState, Store,
};
use crate::time::Timestamp;

/// What the ledger's thread has made of the first of a set.
#[derive(Default)]
pub(super) struct Intended {
    pub(super) mails: Vec<(MailRecord, InHand)>,
    pub(super) reopened: Vec<MailRecord>,
    /// The next one was handled before, under another uid.
    pub(super) twin: Option<MailRecord>,
    /// What was not reached.
    pub(super) rest: Vec<Fresh>,
    /// A person wants something undone in the folder.
    pub(super) undo: bool,
}

impl Intended {
    /// Tickets that drafts are written for.
    pub(super) fn drafting(&self) -> BTreeSet<String> {
        self.mails.iter().filter_map(|(record, _)| drafted_ticket(record)).collect()
    }
}

/// What mails are decided with.
pub(super) struct Intention {
    pub(super) book: Arc<Rulebook>,
    /// The mailbox's own.
    pub(super) address: String,
    pub(super) at: Timestamp,
    /// Whether decisions are carried out.
    pub(super) acting: bool,
    /// Up to where the folder was handled.
    pub(super) place: Cursor,
    /// Tickets that the set before drafts for, where it is not acted on yet.
    pub(super) drafting: Option<BTreeSet<String>>,
}

impl Intention {
    /// Decides and records as many mails as can go together.
    pub(super) async fn record(self, shared: &Shared, fresh: Vec<Fresh>) -> Result<Intended, LedgerError> {
        let acting = self.acting;
        let intended = shared.ledger.run(move |store| self.all(store, fresh)).await?;
        if let Some((_, hand)) = intended.mails.last().filter(|_| acting) {
            shared.note_held(&hand.decision.case.paces.held);
        }
        Ok(intended)
    }

    fn all(&self, store: &mut Store, fresh: Vec<Fresh>) -> Result<Intended, LedgerError> {
        let mut all = Intended::default();
        let mut drafted = self.drafting.clone().unwrap_or_default();
        if let Some(one) = fresh.first().filter(|_| self.acting) {
            all.undo = !store.undo_requests(&one.key.folder)?.is_empty();
        }
        let mut fresh = fresh.into_iter();
        for one in fresh.by_ref() {
            let twin = store
                .by_identity(&one.key.folder.account, &one.identity)?
                .filter(|twin| twin.identity == one.identity);
            if let Some(twin) = twin {
                // the first of two alike is acted on before the second meets it
                all.twin = Some(twin).filter(|_| all.mails.is_empty() && self.drafting.is_none());
                all.rest.push(one);
                break;
            }
            let (mut record, decision, query) = self.decided(store, &one)?;
            if drafted_ticket(&record).is_some_and(|ticket| !drafted.insert(ticket)) {
                // it replaces a draft that is not saved yet
                all.rest.push(one);
                break;
            }
            let memory = store.memory(&one.identity, one.tagged)?;
            memory.withhold(&mut record);
            if !self.acting {
                for entry in &mut record.effects {
                    entry.state = EffectState::Skipped("observed only".into());
                }
                record.state = MailState::Done;
            }
            let again = memory != Memory::New;
            self.write(store, &one, &record, &decision, &query)?;
            for id in bounce::own_ids(&one.mail).iter().filter(|_| self.acting) {
                all.reopened.extend(store.reopen(id, "it came back undelivered")?);
            }
            let size = u32::try_from(one.bytes.len()).unwrap_or(u32::MAX).max(one.size);
            let hand =
                InHand { mail: one.mail, bytes: one.bytes, size, arrived: one.arrived, decision, again };
            all.mails.push((record, hand));
        }
        all.rest.extend(fresh);
        Ok(all)
    }

    fn write(
        &self,
        store: &mut Store,
        one: &Fresh,
        record: &MailRecord,
        decision: &Decision,
        query: &CaseQuery,
    ) -> Result<(), LedgerError> {
        if let Some(reading) = one.reading.as_ref().filter(|_| self.acting) {
            store.remember(record, reading, &self.book.policy.learning)?;
        }
        // who is only watched is not judged: observing leaves customers and tickets as they are
        let after = self.acting.then_some((&decision.case, query));
        let next = self.place.uid_next.max(one.key.uid.saturating_add(1));
        store.intend(record, after, Some(Cursor { uid_next: next, ..self.place }))
    }

    fn decided(&self, store: &Store, one: &Fresh) -> Result<(MailRecord, Decision, CaseQuery), LedgerError> {
        let query = plan::case_query(&one.key.folder.account, &one.mail);
        let before = store.case(&query)?;
        let decision = decide(&one.mail, &one.verdict, &before, &self.book, self.at);
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
            address: &self.address,
            at: self.at,
        };
        let record = plan::record(decided, &self.book.policy);
        Ok((record, decision, query))
    }
}

/// The ticket of a mail that gets a draft.
fn drafted_ticket(record: &MailRecord) -> Option<String> {
    let drafts = record.effects.iter().any(|entry| matches!(entry.effect, Effect::SaveDraft { .. }));
    record.ticket.clone().filter(|_| drafts)
}
