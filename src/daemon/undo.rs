//! Taking back on the servers what a person wants undone; the ledger's part is done already.

use std::collections::BTreeSet;

use super::worker::{WorkError, Worker};
use crate::edge::ledger::{Effect, EffectState, MailRecord};
use crate::edge::{EdgeError, Mailbox, Moved, Outbox};

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Takes back what was asked for in this folder.
    pub(super) async fn undo(&mut self) -> Result<(), WorkError<M::Error>> {
        if !self.acting() {
            return Ok(());
        }
        let folder = self.folder.clone();
        let asked = self
            .shared
            .ledger
            .run(move |store| store.undo_requests(&folder))
            .await
            .map_err(WorkError::Ledger)?;
        for mut record in asked {
            for index in (0..record.effects.len()).rev() {
                let outcome = match self.take_back(&record, index).await {
                    Ok(outcome) => outcome,
                    Err(WorkError::Mailbox(error)) if error.is_refusal() => {
                        Some(format!("undoing it was refused: {error}"))
                    }
                    Err(broken) => return Err(broken),
                };
                if let (Some(entry), Some(why)) = (record.effects.get_mut(index), outcome) {
                    entry.state = EffectState::Skipped(why);
                }
            }
            tracing::info!(mail.id_hash = %record.identity, "what was done with a mail was taken back");
            self.shared.ledger.run(move |store| store.undone(&record)).await.map_err(WorkError::Ledger)?;
        }
        Ok(())
    }

    /// Takes one effect back, the last first; what became of it, `None` when it stays as it is.
    async fn take_back(
        &mut self,
        record: &MailRecord,
        index: usize,
    ) -> Result<Option<String>, WorkError<M::Error>> {
        let Some(entry) = record.effects.get(index) else { return Ok(None) };
        if entry.state != EffectState::Done {
            return Ok(None);
        }
        let why = match (&entry.effect, &record.message_id) {
            (Effect::File { folder }, Some(id)) => {
                match self.mailbox.bring_back(folder, id).await.map_err(WorkError::Mailbox)? {
                    Moved::Done => "undone: moved back",
                    Moved::Gone => "undone: a person had moved it",
                    Moved::Impossible | Moved::Refused(..) => {
                        "it stays: the server can neither move nor expunge"
                    }
                }
            }
            (Effect::Tag { keywords }, Some(id)) => {
                let keywords: BTreeSet<_> = keywords.iter().copied().collect();
                let home = self.folder.folder.clone();
                self.mailbox.mark(&home, id, &keywords, false).await.map_err(WorkError::Mailbox)?;
                "undone: keywords taken off"
            }
            (Effect::SaveDraft { id, .. }, _) => {
                let ours = self.draft_size(record, id).await?;
                match self.mailbox.find_draft(id).await.map_err(WorkError::Mailbox)? {
                    None => "undone: the draft was gone",
                    Some(found) if ours.is_some_and(|size| size != found.size) => {
                        "it stays: an agent has edited the draft"
                    }
                    Some(found) => {
                        self.mailbox.remove_draft(found).await.map_err(WorkError::Mailbox)?;
                        "undone: the draft was removed"
                    }
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(why.to_owned()))
    }

    /// Size of the draft as we saved it.
    async fn draft_size(
        &self,
        record: &MailRecord,
        id: &crate::mail::MessageId,
    ) -> Result<Option<u32>, WorkError<M::Error>> {
        let Some(ticket) = record.ticket.clone() else { return Ok(None) };
        let mark =
            self.shared.ledger.run(move |store| store.draft(&ticket)).await.map_err(WorkError::Ledger)?;
        Ok(mark.filter(|mark| mark.id == *id).map(|mark| mark.size))
    }
}
