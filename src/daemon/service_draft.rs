//! Drafts that no mail asks for by itself: a matter is settled, an answer is late, an idea is refused.

use std::collections::BTreeSet;

use super::worker::{READ_CAP, WorkError, Worker};
use crate::decide::{Keyword, Name};
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::ledger::record::DraftMark;
use crate::edge::outgoing::{self, Marks, own_id};
use crate::edge::{Mailbox, Outbox};
use crate::mail::Mail;
use crate::reply::{self, History, Occasion};
use crate::time::Timestamp;

/// The keyword that an agent sets when an idea or a wish is refused: `ek-declined`.
const DECLINED: &str = "declined";

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// Ideas that an agent has marked as refused are answered with a draft; the mark is taken off.
    pub(super) async fn look_for_declined(&mut self, queue: &str) -> Result<(), WorkError<M::Error>> {
        let Ok(keyword) = Name::new(DECLINED).map(Keyword::Own) else { return Ok(()) };
        let heads = self.mailbox.heads(queue, 1, Some(&keyword.word())).await.map_err(WorkError::Mailbox)?;
        for head in heads.into_iter().flat_map(|heads| heads.mails) {
            let Some(id) = crate::mail::parse(&head.fields).message_id else { continue };
            let (account, asked, now) = (self.account.name.clone(), id.clone(), self.shared.clock.now());
            let found = self.shared.ledger.run(move |store| store.ticket_of(&account, &asked)).await;
            if let Some(mut stored) = found.map_err(WorkError::Ledger)? {
                // the one that was marked, not the newest of the thread
                stored.newest = Some((id.clone(), queue.to_owned()));
                if let Some(draft) = self.draft_for(Occasion::Decline, &stored, now).await? {
                    let (account, number) = (self.account.name.clone(), stored.ticket.id.to_string());
                    let job = move |store: &mut crate::edge::ledger::Store| {
                        store.set_draft(&account, &number, &draft)
                    };
                    self.shared.ledger.run(job).await.map_err(WorkError::Ledger)?;
                }
            }
            self.mailbox
                .mark(queue, &id, &BTreeSet::from([keyword]), false)
                .await
                .map_err(WorkError::Mailbox)?;
        }
        Ok(())
    }

    /// Saves a draft for an occasion, about the newest mail of a ticket; `None` when that mail is gone
    /// or an agent is writing already.
    pub(super) async fn draft_for(
        &mut self,
        occasion: Occasion,
        stored: &StoredTicket,
        now: Timestamp,
    ) -> Result<Option<DraftMark>, WorkError<M::Error>> {
        let Some((id, folder)) = &stored.newest else { return Ok(None) };
        let read = self.mailbox.read_in(folder, id, READ_CAP).await.map_err(WorkError::Mailbox)?;
        let Some(bytes) = read else { return Ok(None) };
        let mail: Mail = crate::mail::parse(&bytes);
        let book = self.shared.policy().book;
        let number = stored.ticket.id.to_string();
        let who = mail.sender().map(crate::mail::Address::identity).unwrap_or_default();
        let known =
            self.shared.ledger.run(move |store| store.customer(&who)).await.map_err(WorkError::Ledger)?;
        let history = History {
            ticket: Some(number.clone()),
            wordings: known.map(|customer| customer.wordings).unwrap_or_default(),
            ..History::default()
        };
        let request = reply::Request {
            mail: &mail,
            labels: &[],
            doubted: &[],
            company: &book.company,
            playbooks: &book.playbooks,
            history: &history,
            now,
        };
        let draft = match reply::compose_for(occasion, &request) {
            Ok(draft) => draft,
            Err(why) => {
                tracing::warn!(ticket = %number, occasion = occasion.as_str(), why = why.reason(), "there is no draft");
                return Ok(None);
            }
        };
        let what = format!("{}.{}", number.to_lowercase(), now.0);
        let Some(own) = own_id(&what, occasion.as_str(), &self.account.address) else { return Ok(None) };
        if self.mailbox.find_draft(&own).await.map_err(WorkError::Mailbox)?.is_some()
            || !self.mailbox.drafts_about(id).await.map_err(WorkError::Mailbox)?.is_empty()
        {
            // an agent is writing already
            return Ok(None);
        }
        let marks = Marks { ticket: Some(&number), labels: "", reasons: occasion.reason() };
        let desk = self.account.desk(&book.company.name);
        let built = outgoing::draft(&own, &desk, &mail, &draft, &marks, now);
        let Ok(bytes) = built else { return Ok(None) };
        self.mailbox.save_draft(&bytes).await.map_err(WorkError::Mailbox)?;
        Ok(Some(DraftMark::of(&own, &bytes, &draft)))
    }
}
