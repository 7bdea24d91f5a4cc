//! What the audit tells and the ledger does not know: after an older state came back, or both halves
//! of the newest were damaged. The audit names mails by their hash and says which effects were done,
//! so nothing of that is done twice; it names customers by a keyed hash, so a mark can be given back
//! to a customer who is still known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::{self, Event, Mark};
use super::record::{EffectState, MailRecord};
use super::store::Store;
use crate::decide::customer::State;
use crate::decide::{Customer, TicketState};
use crate::time::Timestamp;

/// What the audit tells of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Effects that were done, as [`super::Effect`] is displayed.
    pub done: Vec<String>,
}

/// What is remembered of a mail that has no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: it is new.
    New,
    /// What the audit tells.
    Told(Told),
    /// It carries keywords of ours, and nobody knows of it: the state is older than the mailbox.
    Lost,
}

impl Memory {
    /// Takes from a record what was done already: nothing is written to anybody a second time.
    pub fn withhold(&self, record: &mut MailRecord) {
        if *self != Self::New {
            tracing::warn!(mail.id_hash = %record.identity, memory = ?self,
                "a mail that an older state has handled: nothing is written a second time");
        }
        for entry in &mut record.effects {
            let written = entry.effect.own_id().is_some();
            match self {
                Self::Told(told) if told.done.contains(&entry.effect.to_string()) => {
                    entry.state = EffectState::Done;
                }
                Self::Lost if written => {
                    entry.state = EffectState::Skipped("its keywords say that it was done before".into());
                }
                Self::New | Self::Told(_) | Self::Lost => {}
            }
        }
    }
}

/// Author of marks that were given back.
const AUTHOR: &str = "recalled from the audit";

pub(super) fn told_key(identity: &str) -> String {
    format!("told/{identity}")
}

impl Store {
    /// Takes over what the audit says after the line that the ledger knows.
    pub(super) fn recall(&mut self, known: &Mark) -> Result<(), LedgerError> {
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        let mut conduct: BTreeMap<String, (State, Timestamp)> = BTreeMap::new();
        let mut tickets: BTreeMap<String, (TicketState, Timestamp)> = BTreeMap::new();
        let mut erased: Vec<(String, Timestamp)> = Vec::new();
        audit::read(self.dir(), |_, _, line| {
            if line.n <= known.n {
                return true;
            }
            match line.event {
                Event::Decided { mail, .. } => {
                    told.entry(mail).or_default();
                }
                Event::Effect { mail, effect, outcome } if outcome == "done" => {
                    told.entry(mail).or_default().done.push(effect);
                }
                Event::Conduct { customer, to, .. } => {
                    if let Some(state) = State::from_word(&to) {
                        conduct.insert(customer, (state, line.at));
                    }
                }
                Event::Ticket { ticket, state, .. } => {
                    if let Some(state) = TicketState::from_word(&state) {
                        tickets.insert(ticket, (state, line.at));
                    }
                }
                Event::Erased { receipt, .. } => erased.push((receipt, line.at)),
                Event::Effect { .. } | Event::Command { .. } => {}
            }
            true
        })?;
        let counts = (told.len(), conduct.len(), tickets.len());
        for (mail, told) in told {
            self.put(&told_key(&mail), &told)?;
        }
        self.recall_tickets(tickets)?;
        let lost = self.recall_customers(conduct, &erased)?;
        let mark = self.audit_end();
        self.put("meta/audit", &mark)?;
        self.commit()?;
        tracing::warn!(
            mails = counts.0,
            marks = counts.1,
            tickets = counts.2,
            marks_without_customer = lost,
            "the audit knows more than the ledger: what it tells is taken over"
        );
        Ok(())
    }

    /// Numbers of tickets go on behind those that were given, and known tickets stand where they stood.
    fn recall_tickets(
        &mut self,
        tickets: BTreeMap<String, (TicketState, Timestamp)>,
    ) -> Result<(), LedgerError> {
        let mut opened = self.get::<u64>("meta/tickets")?.unwrap_or(0);
        for (number, (state, at)) in tickets {
            opened = opened.max(crate::decide::TicketId::sequence_of(&number).saturating_add(1));
            if let Some(mut stored) = self.ticket(&number)? {
                stored.ticket.state = state;
                // it stands in the audit already
                self.write_ticket(stored, Some(state), AUTHOR, at)?;
            }
        }
        self.put("meta/tickets", &opened)
    }

    /// Gives marks back and erases again who was erased; how many marks found nobody.
    fn recall_customers(
        &mut self,
        mut conduct: BTreeMap<String, (State, Timestamp)>,
        erased: &[(String, Timestamp)],
    ) -> Result<usize, LedgerError> {
        if conduct.is_empty() && erased.is_empty() {
            return Ok(0);
        }
        let known: Vec<String> = self.keys("customer/").collect::<Result<_, _>>()?;
        for who in known {
            let name = self.pseudonym(&who);
            let was_erased =
                erased.iter().find(|(receipt, at)| *receipt == super::erase::receipt(&name, *at));
            if let Some((_, at)) = was_erased {
                // its line stands in the audit already
                self.erase_quietly(&who, *at)?;
                conduct.remove(&name);
            } else if let Some((state, at)) = conduct.remove(&name) {
                let mut customer = self.get::<Customer>(&format!("customer/{who}"))?.unwrap_or_default();
                if customer.state(at) != state {
                    customer.decide(state, None, AUTHOR, "the ledger was damaged", at);
                    self.write_customer(&who, &customer, AUTHOR, at)?;
                }
            }
        }
        Ok(conduct.values().filter(|(state, _)| *state != State::Clear).count())
    }

    /// What is remembered of a mail that has no record. `tagged`: it carries keywords of ours.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn memory(&self, identity: &str, tagged: bool) -> Result<Memory, LedgerError> {
        if let Some(told) = self.get::<Told>(&told_key(identity))? {
            return Ok(Memory::Told(told));
        }
        // a person may have moved it here from another account, and knows what for
        if tagged && !self.known_in_any_account(identity)? {
            return Ok(Memory::Lost);
        }
        Ok(Memory::New)
    }

    fn known_in_any_account(&self, identity: &str) -> Result<bool, LedgerError> {
        let mut accounts: Vec<String> = Vec::new();
        for path in self.keys("cursor/") {
            accounts
                .push(path?.split('/').next().unwrap_or_default().replace("%2F", "/").replace("%25", "%"));
        }
        accounts.dedup();
        for account in accounts {
            if self.by_identity(&account, identity)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
