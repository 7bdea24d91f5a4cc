//! What would be done with a mailbox's mails, one after the other, nothing changed: the same code
//! as the worker's, on a ledger that is thrown away.

use std::collections::BTreeSet;
use std::path::Path;

use super::plan::{self, Decided};
use crate::classify::{Classifier, Verdict};
use crate::decide::{Case, Decision, Rulebook, decide};
use crate::edge::ledger::{CaseQuery, LedgerError, MailKey, MailRecord, Store};
use crate::mail::Mail;
use crate::time::Timestamp;

/// A policy tried on mails.
pub struct Simulation {
    store: Store,
    book: Rulebook,
    classifier: Classifier,
    /// Customers and tickets that were taken over from the real ledger.
    known: BTreeSet<String>,
}

/// What would be done with a mail.
pub struct Would {
    /// The mail.
    pub mail: Mail,
    /// Its verdict.
    pub verdict: Verdict,
    /// The decision.
    pub decision: Decision,
    /// The record with every effect.
    pub record: MailRecord,
}

/// A mail as it lies in a folder.
pub struct Found<'a> {
    /// Where it is.
    pub key: MailKey,
    /// Its beginning, as much as is read.
    pub bytes: &'a [u8],
    /// RFC822.SIZE.
    pub size: u32,
    /// The account's address.
    pub address: &'a str,
}

impl Simulation {
    /// A simulation whose ledger lives in `dir`, which the caller throws away afterwards.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn new(dir: &Path, book: Rulebook, classifier: Classifier) -> Result<Self, LedgerError> {
        Ok(Self { store: Store::open(dir)?, book, classifier, known: BTreeSet::new() })
    }

    /// Handles a mail as the daemon would at `now`. `real` is asked for the case in the real ledger
    /// where this mail is the first to bring it up.
    ///
    /// # Errors
    /// When the ledgers cannot be read.
    pub fn handle<E: From<LedgerError>>(
        &mut self,
        found: Found<'_>,
        now: Timestamp,
        real: impl FnOnce(&CaseQuery) -> Result<Option<Case>, E>,
    ) -> Result<Would, E> {
        let mail = crate::mail::parse(found.bytes);
        let verdict = self.classifier.classify(&mail);
        let query = plan::case_query(&found.key.folder.account, &mail);
        if let Some(case) = real(&query)? {
            self.take_over(&query, &case)?;
        }
        let before = self.store.case(&query)?;
        let decision = decide(&mail, &verdict, &before, &self.book, now);
        let decided = Decided {
            key: found.key,
            identity: plan::identity(found.bytes, found.size),
            mail: &mail,
            verdict: &verdict,
            before,
            decision: &decision,
            open_draft: None,
            address: found.address,
            at: now,
        };
        let record = plan::record(decided, &self.book.policy);
        self.store.intend(&record, Some((&decision.case, &query)), None)?;
        Ok(Would { mail, verdict, decision, record })
    }

    /// What the real ledger knows, unless an earlier mail of this run has brought it up.
    fn take_over(&mut self, query: &CaseQuery, case: &Case) -> Result<(), LedgerError> {
        if self.known.is_empty() {
            self.store.start_at(case.next_ticket.sequence(), &case.care, &case.paces)?;
            self.known.insert("tickets".into());
        }
        if let Some(who) = &query.customer
            && self.known.insert(format!("customer {who}"))
        {
            self.store.take_over_customer(who, &case.customer)?;
        }
        if let Some(ticket) = &case.ticket
            && self.known.insert(format!("ticket {}", ticket.id))
        {
            self.store.take_over_ticket(query, ticket)?;
        }
        Ok(())
    }
}
