//! What moves and keywords say about mails.

use std::collections::BTreeSet;

use super::super::LedgerError;
use super::super::record::{Effect, EffectState, MailRecord};
use super::super::store::Store;
use super::{Correction, Health, given, vote_key};
use crate::classify::Verdict;
use crate::decide::vote::{self, LearningRules, Source, Vote};
use crate::time::Timestamp;

/// What came of a mail that was seen in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It lies where we know it to be.
    AtHome,
    /// A move that says nothing.
    Neutral,
    /// A vote.
    Vote,
    /// A vote of a mass move: it waits.
    Held,
}

impl Store {
    /// What was said about a mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn correction(&self, account: &str, identity: &str) -> Result<Option<Correction>, LedgerError> {
        self.get(&vote_key(account, identity))
    }

    /// Everything that was said, by account and identity.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn corrections(&self) -> Result<Vec<Correction>, LedgerError> {
        let keys: Vec<String> = self.keys("vote/").collect::<Result<_, _>>()?;
        let mut all = Vec::new();
        for key in keys {
            all.extend(self.get::<Correction>(&format!("vote/{key}"))?);
        }
        Ok(all)
    }

    pub(super) fn correction_of(&self, record: &MailRecord) -> Result<Correction, LedgerError> {
        let (account, identity) = (&record.key.folder.account, &record.identity);
        if let Some(known) = self.correction(account, identity)? {
            return Ok(known);
        }
        let recent = self.recent_of(account, identity)?;
        Ok(Correction {
            account: account.clone(),
            identity: identity.clone(),
            message_id: record.message_id.clone(),
            place: lies_in(record),
            given: given(record.verdict.as_ref()),
            votes: Vec::new(),
            reading: recent.map(|recent| recent.reading),
        })
    }

    pub(super) fn put_correction(&mut self, correction: &Correction) -> Result<(), LedgerError> {
        self.put(&vote_key(&correction.account, &correction.identity), correction)
    }

    /// A mail was seen in `folder`, into which a person may have moved it. What came of it.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn seen_in(
        &mut self,
        record: &MailRecord,
        folder: &str,
        policy: &crate::decide::Policy,
        now: Timestamp,
    ) -> Result<Seen, LedgerError> {
        let rules = &policy.learning;
        let mut correction = self.correction_of(record)?;
        if correction.place == folder {
            return Ok(Seen::AtHome);
        }
        let verdict = record.verdict.clone().unwrap_or_else(Verdict::unread);
        let from = std::mem::replace(&mut correction.place, folder.to_owned());
        let mut health: Health = self.get("meta/learning")?.unwrap_or_default();
        health.moves = health.moves.saturating_add(1);
        let says = vote::of_move(policy, rules, &from, folder, &verdict);
        let seen = if let Some(says) = says {
            let source = Source::Move { from, to: folder.to_owned() };
            correction.votes.push(Vote { at: now, source, says, held: false });
            health.votes = health.votes.saturating_add(1);
            health.silent = 0;
            Seen::Vote
        } else {
            health.silent = health.silent.saturating_add(1);
            Seen::Neutral
        };
        self.put("meta/learning", &health)?;
        self.put_correction(&correction)?;
        self.apply()?;
        if seen == Seen::Vote && self.hold_if_mass(rules, now)? {
            return Ok(Seen::Held);
        }
        Ok(seen)
    }

    /// A move was seen of a mail that is not known: nothing can be learnt from it.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn seen_unknown(&mut self) -> Result<(), LedgerError> {
        let mut health: Health = self.get("meta/learning")?.unwrap_or_default();
        health.unknown = health.unknown.saturating_add(1);
        self.put("meta/learning", &health)?;
        self.apply()
    }

    /// Holds the moves of a mass move, those before the limit was reached among them.
    fn hold_if_mass(&mut self, rules: &LearningRules, now: Timestamp) -> Result<bool, LedgerError> {
        let window = std::time::Duration::from_mins(u64::from(rules.mass_minutes));
        let of_window =
            |vote: &Vote| matches!(vote.source, Source::Move { .. }) && now.since(vote.at) < window;
        let all = self.corrections()?;
        let times: Vec<Timestamp> = all
            .iter()
            .flat_map(|one| &one.votes)
            .filter(|vote| of_window(vote))
            .map(|vote| vote.at)
            .collect();
        if !vote::is_mass(&times, now, rules) {
            return Ok(false);
        }
        for mut correction in all {
            let mut changed = false;
            for vote in correction.votes.iter_mut().filter(|vote| of_window(vote) && !vote.held) {
                vote.held = true;
                changed = true;
            }
            if changed {
                self.put_correction(&correction)?;
            }
        }
        self.apply()?;
        Ok(true)
    }

    /// The keywords on a mail are now these. Whether that says something new.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn seen_keywords(
        &mut self,
        record: &MailRecord,
        set: &BTreeSet<String>,
        rules: &LearningRules,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let Some(ours) = keywords_of(record) else { return Ok(false) };
        let mut correction = self.correction_of(record)?;
        let says = vote::of_keywords(&ours, set, &rules.labels);
        let last = correction.votes.iter().rev().find(|vote| vote.source == Source::Keywords);
        let before = last.map(|vote| vote.says.clone()).unwrap_or_default();
        if says == before {
            return Ok(false);
        }
        // a keyword put back as it was takes that part of the vote back
        correction.votes.retain(|vote| vote.source != Source::Keywords);
        if !says.is_empty() {
            correction.votes.push(Vote { at: now, source: Source::Keywords, says, held: false });
        }
        self.put_correction(&correction)?;
        self.apply()?;
        Ok(true)
    }
}

/// Where we have put a mail, or are about to: its queue's folder, or where it arrived.
fn lies_in(record: &MailRecord) -> String {
    let filed = record.effects.iter().find_map(|entry| match &entry.effect {
        Effect::File { folder } if entry.state == EffectState::Done || !entry.state.is_final() => {
            Some(folder.clone())
        }
        _ => None,
    });
    filed.unwrap_or_else(|| record.key.folder.folder.clone())
}

/// The keywords we have set on a mail; `None` when we have set none, or taken them off.
fn keywords_of(record: &MailRecord) -> Option<BTreeSet<crate::decide::Keyword>> {
    record.effects.iter().find_map(|entry| match &entry.effect {
        Effect::Tag { keywords } if entry.state == EffectState::Done => {
            Some(keywords.iter().copied().collect())
        }
        _ => None,
    })
}
