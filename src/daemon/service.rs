//! The service cycle: what agents have done (Sent, keywords, folders) and what the clock says
//! (answers overdue, promises about to break, closing messages, legal's silence). One worker of each
//! account does it, beside its mails.

use std::collections::BTreeSet;

use super::service_mail::Reminder;
use super::worker::{READ_CAP, WorkError, Worker};
use crate::decide::{Desk, Keyword, Name, Ticket, TicketState};
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::ledger::record::DraftMark;
use crate::edge::ledger::{Cursor, FolderKey, Store};

use crate::edge::{EdgeError, Head, Mailbox, Outbox};
use crate::mail::{Mail, MessageId};
use crate::reply::Occasion;
use crate::time::Timestamp;

/// Tickets that are looked at in one round.
const ROUND: usize = 100;

/// The keyword that an agent sets when a matter is settled: `ek-resolved`.
const RESOLVED: &str = "resolved";

impl<M: Mailbox, O: Outbox> Worker<'_, M, O> {
    /// One round. A refusal of the server costs this round's part, not the connection.
    pub(super) async fn serve(&mut self) -> Result<(), WorkError<M::Error>> {
        let first = self.account.folders.first() == Some(&self.folder.folder);
        if !first || !self.acting() {
            return Ok(());
        }
        let rules = self.shared.policy().book.policy.service.clone();
        self.prune(rules.keep_days, rules.keep_audit_days).await?;
        let mut parts = Vec::new();
        parts.push(self.look_at_sent().await);
        parts.push(self.look_for_resolved(rules.resolved_folder.as_deref()).await);
        parts.push(self.look_at_clocks().await);
        parts.push(Box::pin(self.look_for_votes()).await);
        for part in parts {
            match part {
                Err(WorkError::Mailbox(error)) if error.is_refusal() => {
                    tracing::warn!(account = %self.account.name, %error, "a part of the service round was refused");
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Deletes a little of what is older than it is kept.
    async fn prune(&self, days: u32, audit_days: u32) -> Result<(), WorkError<M::Error>> {
        let now = self.shared.clock.now();
        let before = move |days: u32| now.minus(std::time::Duration::from_hours(u64::from(days) * 24));
        let rest = self.shared.clock_rest;
        let deleted = self
            .shared
            .ledger
            .run(move |store| {
                if !store.may_delete(now, rest)? {
                    return Ok((0, 0));
                }
                let records = if days > 0 { store.prune(before(days), now, ROUND)? } else { 0 };
                let months = if audit_days > 0 { store.prune_audit(before(audit_days))? } else { 0 };
                Ok((records, months))
            })
            .await
            .map_err(WorkError::Ledger)?;
        if deleted != (0, 0) {
            tracing::info!(
                records = deleted.0,
                audit_months = deleted.1,
                "what was kept long enough is deleted"
            );
        }
        Ok(())
    }

    /// What agents have sent answers tickets.
    async fn look_at_sent(&mut self) -> Result<(), WorkError<M::Error>> {
        let Some(sent) = self.mailbox.sent_folder() else { return Ok(()) };
        for head in self.new_heads("\\Sent", &sent).await? {
            let mail = crate::mail::parse(&head.fields);
            let at = self.shared.clock.now();
            let account = self.account.name.clone();
            let job = {
                let mail = mail.clone();
                move |store: &mut Store| {
                    let draft = store.draft_answered_by(&account, &mail)?;
                    Ok(store.answered(&account, &mail, at)?.map(|stored| (stored, draft)))
                }
            };
            let answered = self.shared.ledger.run(job).await.map_err(WorkError::Ledger)?;
            if let Some((stored, draft)) = answered {
                tracing::info!(ticket = %stored.ticket.id, state = %stored.ticket.state, "an agent has answered");
                self.set_marks(&stored, &[Keyword::Overdue, Keyword::ClosingDue], false).await?;
                if let Some(draft) = draft {
                    self.measure(&sent, &mail, &draft).await?;
                    self.withdraw(&draft).await?;
                }
            }
        }
        Ok(())
    }

    /// Counts how much of a draft an agent has sent.
    async fn measure(
        &mut self,
        sent: &str,
        mail: &Mail,
        draft: &DraftMark,
    ) -> Result<(), WorkError<M::Error>> {
        let Some(id) = &mail.message_id else { return Ok(()) };
        let Some(bytes) = self.mailbox.read_in(sent, id, READ_CAP).await.map_err(WorkError::Mailbox)? else {
            return Ok(());
        };
        let Some(distance) = draft.distance(&crate::mail::parse(&bytes)) else { return Ok(()) };
        let draft = draft.clone();
        self.shared
            .ledger
            .run(move |store| store.count_edit(&draft, distance))
            .await
            .map_err(WorkError::Ledger)
    }

    /// Takes a draft of ours that is out of date out of Drafts, unless somebody has touched it.
    pub(super) async fn withdraw(&mut self, draft: &DraftMark) -> Result<(), WorkError<M::Error>> {
        let found = self.mailbox.find_draft(&draft.id).await.map_err(WorkError::Mailbox)?;
        if let Some(found) = found.filter(|found| found.size == draft.size) {
            self.mailbox.remove_draft(found).await.map_err(WorkError::Mailbox)?;
            tracing::info!("a draft was withdrawn: an agent has answered");
        }
        Ok(())
    }

    /// The mails of a folder that were not there at the last look.
    async fn new_heads(&mut self, role: &str, folder: &str) -> Result<Vec<Head>, WorkError<M::Error>> {
        let key = FolderKey { account: self.account.name.clone(), folder: role.to_owned() };
        let asked = key.clone();
        let cursor =
            self.shared.ledger.run(move |store| store.cursor(&asked)).await.map_err(WorkError::Ledger)?;
        let from = cursor.map_or(u32::MAX, |cursor| cursor.uid_next);
        let heads = self.mailbox.heads(folder, from, None).await.map_err(WorkError::Mailbox)?;
        let now = self.shared.clock.now();
        // a folder that does not exist yet begins with its first mail
        let (uid_validity, uid_next, mails) = match (heads, cursor) {
            (None, None) => (0, 1, Vec::new()),
            (None, Some(_)) => return Ok(Vec::new()),
            (Some(heads), Some(cursor)) if [0, heads.uid_validity].contains(&cursor.uid_validity) => {
                let next = heads.mails.last().map_or(cursor.uid_next, |head| head.uid.saturating_add(1));
                (heads.uid_validity, next, heads.mails)
            }
            (Some(heads), _) => (heads.uid_validity, heads.uid_next, Vec::new()),
        };
        let next = Cursor { uid_validity, uid_next, began: cursor.map_or(now, |cursor| cursor.began) };
        if Some(next) != cursor {
            self.shared
                .ledger
                .run(move |store| store.set_cursor(&key, next))
                .await
                .map_err(WorkError::Ledger)?;
        }
        Ok(mails)
    }

    /// Mails that an agent has marked or moved as settled.
    async fn look_for_resolved(&mut self, folder: Option<&str>) -> Result<(), WorkError<M::Error>> {
        let keyword = Name::new(RESOLVED).map(Keyword::Own).ok();
        let Some(keyword) = keyword else { return Ok(()) };
        let policy = self.shared.policy().book;
        let queues: BTreeSet<String> = policy.policy.queues.0.values().cloned().collect();
        for queue in queues {
            self.look_for_declined(&queue).await?;
            let heads =
                self.mailbox.heads(&queue, 1, Some(&keyword.word())).await.map_err(WorkError::Mailbox)?;
            for head in heads.into_iter().flat_map(|heads| heads.mails) {
                let id = self.settle(&head, "keyword").await?;
                if let Some(id) = id {
                    let keywords = BTreeSet::from([keyword]);
                    self.mailbox.mark(&queue, &id, &keywords, false).await.map_err(WorkError::Mailbox)?;
                }
            }
        }
        if let Some(folder) = folder {
            for head in self.new_heads("\\Resolved", folder).await? {
                self.settle(&head, "folder").await?;
            }
        }
        Ok(())
    }

    async fn settle(
        &mut self,
        head: &Head,
        by: &'static str,
    ) -> Result<Option<MessageId>, WorkError<M::Error>> {
        let Some(id) = crate::mail::parse(&head.fields).message_id else { return Ok(None) };
        let (account, asked, at) = (self.account.name.clone(), id.clone(), self.shared.clock.now());
        let settled = self
            .shared
            .ledger
            .run(move |store| match store.ticket_of(&account, &asked)? {
                Some(stored) => {
                    store.change_ticket(stored.ticket.id.as_str(), by, at, |ticket| ticket.resolve(at))
                }
                None => Ok(None),
            })
            .await
            .map_err(WorkError::Ledger)?;
        if let Some(stored) = settled {
            tracing::info!(ticket = %stored.ticket.id, by, "a ticket is settled");
            self.set_marks(&stored, &[Keyword::Overdue], false).await?;
        }
        Ok(Some(id))
    }

    /// Sets or takes off keywords of a ticket's newest mail.
    async fn set_marks(
        &mut self,
        stored: &StoredTicket,
        keywords: &[Keyword],
        on: bool,
    ) -> Result<(), WorkError<M::Error>> {
        let Some((id, folder)) = &stored.newest else { return Ok(()) };
        let keywords: BTreeSet<Keyword> = keywords.iter().copied().collect();
        self.mailbox.mark(folder, id, &keywords, on).await.map_err(WorkError::Mailbox)?;
        Ok(())
    }

    async fn look_at_clocks(&mut self) -> Result<(), WorkError<M::Error>> {
        let (account, now) = (self.account.name.clone(), self.shared.clock.now());
        let waking = self
            .shared
            .ledger
            .run(move |store| store.waking(&account, now, ROUND))
            .await
            .map_err(WorkError::Ledger)?;
        for stored in waking {
            let legal = stored.ticket.legal.as_ref().filter(|legal| legal.acknowledged.is_none());
            if legal.and_then(|legal| legal.next).is_some_and(|next| next <= now) {
                self.remind_legal(&stored, now).await?;
            } else if stored.ticket.state == TicketState::Resolved {
                self.want_closing(&stored, now).await?;
            } else {
                self.nag(&stored, now).await?;
            }
        }
        Ok(())
    }

    /// An answer is overdue, or a promise is about to break: then a draft says how things stand.
    async fn nag(&mut self, stored: &StoredTicket, now: Timestamp) -> Result<(), WorkError<M::Error>> {
        self.set_marks(stored, &[Keyword::Overdue], true).await?;
        if stored.ticket.state == TicketState::WaitingForThem
            && let Some(draft) = self.draft_for(Occasion::FollowUp, stored, now).await?
        {
            let (account, number) = (self.account.name.clone(), stored.ticket.id.to_string());
            self.shared
                .ledger
                .run(move |store| store.set_draft(&account, &number, &draft))
                .await
                .map_err(WorkError::Ledger)?;
        }
        let ticket = &stored.ticket;
        tracing::warn!(ticket = %ticket.id, state = %ticket.state, "an answer is due");
        let desks = self.shared.policy().book.policy.service.remind.clone();
        for desk in desks {
            let reminder = Reminder::Due { promised: ticket.promised };
            if !self.remind(desk, stored, &reminder, now).await? {
                return Ok(());
            }
        }
        self.change(ticket, "clock", now, |ticket| {
            ticket.nagged = true;
            true
        })
        .await
    }

    /// A settled ticket whose customer has not been told: tagged, with a draft that tells it.
    async fn want_closing(
        &mut self,
        stored: &StoredTicket,
        now: Timestamp,
    ) -> Result<(), WorkError<M::Error>> {
        self.set_marks(stored, &[Keyword::ClosingDue], true).await?;
        let draft = self.draft_for(Occasion::Closing, stored, now).await?;
        let (account, number) = (self.account.name.clone(), stored.ticket.id.to_string());
        self.shared
            .ledger
            .run(move |store| {
                if let Some(draft) = &draft {
                    store.set_draft(&account, &number, draft)?;
                }
                store.change_ticket(&number, "clock", now, |ticket| {
                    ticket.state = TicketState::ClosingDue;
                    true
                })
            })
            .await
            .map_err(WorkError::Ledger)?;
        tracing::info!(ticket = %stored.ticket.id, "a closing message is due");
        Ok(())
    }

    /// Legal has not acknowledged a threat: again, and at last to the lead as well.
    async fn remind_legal(
        &mut self,
        stored: &StoredTicket,
        now: Timestamp,
    ) -> Result<(), WorkError<M::Error>> {
        let Some(legal) = stored.ticket.legal.clone() else { return Ok(()) };
        let rules = self.shared.policy().book.policy.service.clone();
        let next = rules.legal_reminder(legal.since, legal.reminders.saturating_add(1));
        let mut desks = vec![Desk::Legal];
        if next.is_none() {
            tracing::error!(ticket = %stored.ticket.id, "legal has not acknowledged a threat: the lead is told");
            desks.push(Desk::Lead);
        }
        for desk in desks {
            let reminder = Reminder::Legal { number: legal.reminders.saturating_add(1), since: legal.since };
            if !self.remind(desk, stored, &reminder, now).await? {
                return Ok(());
            }
        }
        self.change(&stored.ticket, "clock", now, move |ticket| {
            if let Some(legal) = &mut ticket.legal {
                legal.reminders = legal.reminders.saturating_add(1);
                legal.next = next;
            }
            true
        })
        .await
    }

    async fn change(
        &self,
        ticket: &Ticket,
        by: &'static str,
        now: Timestamp,
        change: impl FnOnce(&mut Ticket) -> bool + Send + 'static,
    ) -> Result<(), WorkError<M::Error>> {
        let number = ticket.id.to_string();
        self.shared
            .ledger
            .run(move |store| store.change_ticket(&number, by, now, change))
            .await
            .map_err(WorkError::Ledger)?;
        Ok(())
    }
}
