//! What is stored about a customer: given out, or erased with a receipt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::Event;
use super::cases::StoredTicket;
use super::customers::Shown;
use super::examples::Correction;
use super::keys::{message_key, sender_pace_key, short_hash, thread_key};
use super::record::{EffectState, MailRecord, MailState};
use super::store::Store;
use crate::time::Timestamp;

/// Everything that is stored about a customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// Conduct, marks, incidents, linked addresses.
    pub customer: Shown,
    /// Records of the customer's mails: decisions, reasons, effects. No text: none is stored.
    pub mails: Vec<MailRecord>,
    /// Tickets the customer takes part in.
    pub tickets: Vec<StoredTicket>,
    /// What people said about the labels of the customer's mails, and the mails as numbers.
    #[serde(default)]
    pub corrections: Vec<Correction>,
}

/// Proof that something was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Number, which also stands in the audit.
    pub receipt: String,
    /// Erased at.
    pub at: Timestamp,
    /// How much, by kind.
    pub counts: BTreeMap<String, u64>,
    /// What is not ours to erase, or must stay.
    pub stays: Vec<String>,
}

/// What was asked to be erased must stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnHold {
    /// Tickets with a legal hold.
    pub tickets: Vec<String>,
}

/// Number of a receipt: from the keyed hash of the customer, so that it can be found again.
pub(super) fn receipt(pseudonym: &str, at: Timestamp) -> String {
    short_hash(&format!("{pseudonym}{}", at.0)).chars().take(12).collect()
}

impl Store {
    /// Everything that is stored about `who`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn export(&self, who: &str, now: Timestamp) -> Result<Export, LedgerError> {
        let customer = self.show_customer(who, now)?;
        let mails = self.mails_of(&customer.customer)?;
        let mut tickets: BTreeMap<String, StoredTicket> = BTreeMap::new();
        for number in mails.iter().filter_map(|mail| mail.ticket.as_ref()) {
            if let Some(stored) = self.ticket(number)? {
                tickets.insert(number.clone(), stored);
            }
        }
        let mut corrections = Vec::new();
        for mail in &mails {
            corrections.extend(self.correction(&mail.key.folder.account, &mail.identity)?);
        }
        Ok(Export { customer, mails, tickets: tickets.into_values().collect(), corrections })
    }

    fn mails_of(&self, who: &str) -> Result<Vec<MailRecord>, LedgerError> {
        let mut mails = Vec::new();
        for path in self.keys(&format!("mails-of/{}/", short_hash(who))) {
            mails.extend(self.get::<MailRecord>(&format!("mail/{}", path?))?);
        }
        Ok(mails)
    }

    /// Erases everything that is stored about `who`, also what is under way. A ticket on legal hold
    /// prevents it, unless `despite_hold`.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn erase(
        &mut self,
        who: &str,
        despite_hold: bool,
        author: &str,
        now: Timestamp,
    ) -> Result<Result<Receipt, OnHold>, LedgerError> {
        let all = self.export(who, now)?;
        let held: Vec<String> =
            all.tickets.iter().filter(|t| t.ticket.hold).map(|t| t.ticket.id.to_string()).collect();
        if !held.is_empty() && !despite_hold {
            return Ok(Err(OnHold { tickets: held }));
        }
        let main = all.customer.customer.clone();
        let mut counts = BTreeMap::new();
        let mut count = |kind: &str, by: usize| {
            *counts.entry(kind.to_owned()).or_insert(0_u64) += u64::try_from(by).unwrap_or(0);
        };
        count("customer", usize::from(self.customer(&main)?.is_some()));
        count("linked addresses", all.customer.record.linked.len());
        count("mails", all.mails.len());
        count("tickets", all.tickets.len());
        count("mails under way", all.mails.iter().filter(|mail| mail.state == MailState::Intended).count());
        let examples = self.wipe(all, now)?;
        count("examples to learn from", examples);
        let receipt = receipt(&self.pseudonym(&main), now);
        self.note(now, Event::Erased { receipt: receipt.clone(), counts: counts.clone() });
        let command =
            Event::Command { command: "erase".into(), author: author.to_owned(), outcome: receipt.clone() };
        self.note(now, command);
        self.apply()?;
        let stays = vec![
            "mails and drafts in the mailbox: delete them there".to_owned(),
            "what was forwarded to colleagues".to_owned(),
            "audit lines: ids and reasons, the customer under a keyed hash".to_owned(),
            "backups, and damaged files that were set aside: delete them".to_owned(),
        ];
        Ok(Ok(Receipt { receipt, at: now, counts, stays }))
    }

    /// Erases again who was erased after the state was written that is now in force.
    pub(super) fn erase_quietly(&mut self, who: &str, at: Timestamp) -> Result<(), LedgerError> {
        let all = self.export(who, at)?;
        self.wipe(all, at).map(drop)
    }

    /// Removes what is known of a customer, from the journal's older files as well. Whoever holds one
    /// of the mails finds its record without a customer, and cancels what is left to do. How many
    /// examples to learn from were forgotten.
    fn wipe(&mut self, all: Export, at: Timestamp) -> Result<usize, LedgerError> {
        let main = all.customer.customer.clone();
        let mut examples = 0;
        for mut mail in all.mails {
            examples += self.forget_example(&mail.key.folder.account, &mail.identity)?;
            self.erase_mail(&mut mail)?;
        }
        for mut stored in all.tickets {
            stored.ticket.participants.remove(&main);
            stored.newest = None;
            let number = stored.ticket.id.to_string();
            self.put(&format!("ticket/{number}"), &stored)?;
        }
        for address in all.customer.record.linked.iter().chain([&main]) {
            for key in ["customer", "marked", "link"] {
                self.remove(&format!("{key}/{address}"));
            }
            self.remove(&sender_pace_key(address));
        }
        let erased = format!("erased/{}", self.pseudonym(&main));
        self.put(&erased, &at)?;
        self.leave_no_trace();
        Ok(examples)
    }

    /// Whether the customer of this mail was erased while it was in hand.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn was_erased(&self, record: &MailRecord) -> Result<bool, LedgerError> {
        let stored = self.record(&record.key)?;
        Ok(record.customer.is_some() && stored.is_some_and(|stored| stored.customer.is_none()))
    }

    /// What a record says about its sender, and how it could be found.
    fn erase_mail(&mut self, mail: &mut MailRecord) -> Result<(), LedgerError> {
        let account = mail.key.folder.account.clone();
        if let Some(id) = mail.message_id.take() {
            self.remove(&message_key(&account, &id));
            self.remove(&thread_key(&account, &id));
        }
        for entry in mail.effects.iter_mut().filter(|entry| !entry.state.is_final()) {
            entry.state = EffectState::Skipped("erased".into());
        }
        if let Some(who) = mail.customer.take() {
            let path = super::keys::mail_path(&mail.key);
            self.remove(&format!("mails-of/{}/{path}", short_hash(&self.known_as(&who)?)));
        }
        mail.before = None;
        mail.state = MailState::Done;
        self.update_quietly(mail)
    }
}
