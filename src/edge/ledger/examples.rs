//! What is kept to learn from: the newest mails as numbers, what people said about mails, and where
//! mails lie, so that a move is seen.
//!
//! | key | value |
//! |---|---|
//! | `recent/<account>/<identity>` | [`Recent`] |
//! | `recent-at/<time>/<account>/<identity>` | their order |
//! | `vote/<account>/<identity>` | [`Correction`] |
//! | `text/<account>/<identity>` | the mail's text, encrypted, where the operator keeps it |
//! | `place/<account>/<folder>/<UIDVALIDITY>/<uid>` | identity of a mail in a queue folder |
//! | `meta/learning` | [`Health`] |

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::audit::Event;
use super::keys::{escaped, folder_path};
use super::record::{Effect, EffectState, FolderKey, MailRecord};
use super::store::Store;
use crate::classify::{Reading, Verdict};
use crate::decide::vote::{self, LearningRules, Says, Source, Vote};
use crate::mail::MessageId;
use crate::time::Timestamp;

/// A mail handled of late, as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// Handled at.
    pub at: Timestamp,
    /// The mail as numbers.
    pub reading: Reading,
    /// Labels it was given.
    pub labels: Vec<String>,
    /// Its Message-ID.
    #[serde(default)]
    pub message_id: Option<MessageId>,
    /// Whether it was drawn for review.
    #[serde(default)]
    pub drawn: bool,
}

/// What people said about a mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// Account of the mail.
    pub account: String,
    /// What the mail is, wherever it is.
    pub identity: String,
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// Where it lies now, as far as we have seen.
    pub place: String,
    /// Labels it was given, the company's own among them.
    pub given: Vec<String>,
    /// What was said, oldest first.
    pub votes: Vec<Vote>,
    /// The mail as numbers; `None` until it was read for that.
    pub reading: Option<Reading>,
}

impl Correction {
    /// What counts of it.
    #[must_use]
    pub fn says(&self, rules: &LearningRules) -> Says {
        vote::together(&self.votes, &self.given, &rules.second_vote)
    }
}

/// Whether learning is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Moves of people between folders that were seen.
    pub moves: u64,
    /// Moves that became votes.
    pub votes: u64,
    /// Moves since the last one that became a vote.
    pub silent: u64,
    /// Moves seen under a mail that is not known.
    pub unknown: u64,
    /// When the last candidate was trained.
    pub trained: Option<Timestamp>,
    /// Corrections when it was.
    pub trained_on: u64,
    /// What came of it.
    pub outcome: String,
}

/// What a command says about a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "statement")]
pub enum Statement {
    /// These labels and none of the others.
    Labels {
        /// Their words; none: nothing of the kind.
        labels: Vec<String>,
    },
    /// As it was labelled, so it is right.
    Right,
    /// What was said about it is taken back.
    Undo,
    /// What was held counts.
    Confirm,
}

/// A mail and what counts of what was said about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// Labels it was given.
    pub given: Vec<String>,
    /// What counts.
    pub says: Says,
    /// Grave labels that wait for a second voice.
    pub waiting: Vec<String>,
    /// Votes that are held.
    pub held: u64,
}

fn vote_key(account: &str, identity: &str) -> String {
    format!("vote/{}/{identity}", escaped(account))
}

fn text_key(account: &str, identity: &str) -> String {
    format!("text/{}/{identity}", escaped(account))
}

fn recent_key(account: &str, identity: &str) -> String {
    format!("recent/{}/{identity}", escaped(account))
}

fn order_key(at: Timestamp, account: &str, identity: &str) -> String {
    format!("recent-at/{:020}/{}/{identity}", at.0.max(0), escaped(account))
}

fn place_key(folder: &FolderKey, uid_validity: u32, uid: u32) -> String {
    format!("place/{}/{uid_validity:010}/{uid:010}", folder_path(folder))
}

fn given(verdict: Option<&Verdict>) -> Vec<String> {
    let Some(verdict) = verdict else { return Vec::new() };
    let own = verdict.own.iter().map(|own| own.label.clone());
    verdict.labels.iter().map(|found| found.label.to_string()).chain(own).collect()
}

impl Store {
    /// Keeps a handled mail as numbers, and forgets the oldest beyond `keep`. Applied with the record.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn remember(
        &mut self,
        record: &MailRecord,
        reading: &Reading,
        rules: &LearningRules,
    ) -> Result<(), LedgerError> {
        let keep = usize::try_from(rules.recent).unwrap_or(usize::MAX);
        if keep == 0 {
            return Ok(());
        }
        let (account, identity, at) = (&record.key.folder.account, &record.identity, record.decided);
        let drawn = self.is_drawn(identity, rules.audit_share)?;
        let labels = given(record.verdict.as_ref());
        self.put(
            &recent_key(account, identity),
            &Recent { at, reading: reading.clone(), labels, message_id: record.message_id.clone(), drawn },
        )?;
        self.put(&order_key(at, account, identity), &())?;
        let count = self.get::<usize>("meta/recent")?.unwrap_or(0).saturating_add(1);
        let too_many = count.saturating_sub(keep);
        let old: Vec<String> = self.keys("recent-at/").take(too_many).collect::<Result<_, _>>()?;
        for key in &old {
            self.remove(&format!("recent-at/{key}"));
            if let Some((_, path)) = key.split_once('/') {
                self.remove(&format!("recent/{path}"));
            }
        }
        self.put("meta/recent", &count.saturating_sub(old.len()))
    }

    /// Drawn by a keyed hash: nobody can choose which mails are measured, and a restart draws the same.
    fn is_drawn(&self, identity: &str, share: f32) -> Result<bool, LedgerError> {
        let text = self.secret().iter().fold(String::from("audit"), |text, byte| format!("{text}{byte:02x}"));
        let hash = crate::classify::hash::of(&format!("{text}{identity}"));
        let thousandths = crate::classify::hash::mix(hash) % 1_000;
        Ok(f64::from(u32::try_from(thousandths).unwrap_or(0)) < f64::from(share) * 1_000.0)
    }

    /// Notes that a mail lies in a folder under this uid.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_place(
        &mut self,
        folder: &FolderKey,
        uid_validity: u32,
        uid: u32,
        identity: &str,
    ) -> Result<(), LedgerError> {
        self.put(&place_key(folder, uid_validity, uid), &identity)?;
        self.apply()
    }

    /// Mails seen in a folder: uid and identity. What is no more in `there` is forgotten.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn places(
        &mut self,
        folder: &FolderKey,
        uid_validity: u32,
        there: &BTreeSet<u32>,
    ) -> Result<Vec<(u32, String)>, LedgerError> {
        let prefix = format!("place/{}/", folder_path(folder));
        let keys: Vec<String> = self.keys(&prefix).collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for key in keys {
            let place = key
                .split_once('/')
                .and_then(|(validity, uid)| Some((validity.parse::<u32>().ok()?, uid.parse::<u32>().ok()?)));
            match place.filter(|(validity, uid)| *validity == uid_validity && there.contains(uid)) {
                Some((_, uid)) => {
                    if let Some(identity) = self.get::<String>(&format!("{prefix}{key}"))? {
                        found.push((uid, identity));
                    }
                }
                None => self.remove(&format!("{prefix}{key}")),
            }
        }
        self.apply()?;
        Ok(found)
    }

    /// What was said about a mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn correction(&self, account: &str, identity: &str) -> Result<Option<Correction>, LedgerError> {
        self.get(&vote_key(account, identity))
    }

    /// A mail of the newest, as numbers.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn recent_of(&self, account: &str, identity: &str) -> Result<Option<Recent>, LedgerError> {
        self.get(&recent_key(account, identity))
    }

    /// The newest mails as numbers with account and identity, oldest first.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn recents(&self) -> Result<Vec<(String, String, Recent)>, LedgerError> {
        let mut all = Vec::new();
        for key in self.keys("recent-at/") {
            let key = key?;
            let mut parts = key.split('/').skip(1);
            let (Some(account), Some(identity)) = (parts.next(), parts.next()) else { continue };
            if let Some(recent) = self.get(&format!("recent/{account}/{identity}"))? {
                all.push((account.to_owned(), identity.to_owned(), recent));
            }
        }
        Ok(all)
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

    fn correction_of(&self, record: &MailRecord) -> Result<Correction, LedgerError> {
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

    /// A person says something about the mails with this Message-ID.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn label(
        &mut self,
        accounts: &[String],
        id: &MessageId,
        statement: &Statement,
        who: (&str, Timestamp),
        rules: &LearningRules,
    ) -> Result<Vec<Labelled>, LedgerError> {
        let (author, now) = who;
        let own: Vec<String> = rules.labels.iter().map(ToString::to_string).collect();
        let mut all = Vec::new();
        for record in self.find(accounts, id)? {
            let mut correction = self.correction_of(&record)?;
            let drawn = self.recent_of(&correction.account, &correction.identity)?.is_some_and(|r| r.drawn);
            let author = author.to_owned();
            let source = if drawn { Source::Sample { author } } else { Source::Person { author } };
            match statement {
                Statement::Labels { labels } => {
                    let says = vote::of_person(labels, &own);
                    correction.votes.push(Vote { at: now, source, says, held: false });
                }
                Statement::Right => {
                    let says = vote::of_person(&correction.given, &own);
                    correction.votes.push(Vote { at: now, source, says, held: false });
                }
                Statement::Undo => correction.votes.clear(),
                Statement::Confirm => correction.votes.iter_mut().for_each(|vote| vote.held = false),
            }
            self.put_correction(&correction)?;
            self.apply()?;
            all.push(labelled(&correction, rules));
        }
        let command = match statement {
            Statement::Labels { labels } if labels.is_empty() => "label --none".to_owned(),
            Statement::Labels { labels } => format!("label {}", labels.join(" ")),
            Statement::Right => "label --right".to_owned(),
            Statement::Undo => "label --undo".to_owned(),
            Statement::Confirm => "label --confirm".to_owned(),
        };
        let outcome = format!("{} mails", all.len());
        self.note(now, Event::Command { command, author: author.to_owned(), outcome });
        self.apply()?;
        Ok(all)
    }

    /// Lets everything that is held count, or forgets it; how many mails.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn settle_held(&mut self, counts: bool, author: &str, now: Timestamp) -> Result<u64, LedgerError> {
        let mut settled = 0;
        for mut correction in self.corrections()? {
            if !correction.votes.iter().any(|vote| vote.held) {
                continue;
            }
            if counts {
                correction.votes.iter_mut().for_each(|vote| vote.held = false);
            } else {
                correction.votes.retain(|vote| !vote.held);
            }
            self.put_correction(&correction)?;
            settled += 1;
        }
        let command = if counts { "label --confirm" } else { "label --reject" }.to_owned();
        let outcome = format!("{settled} mails");
        self.note(now, Event::Command { command, author: author.to_owned(), outcome });
        self.apply()?;
        Ok(settled)
    }

    /// Takes back everything a person has said since then; how many mails that touches.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn take_back(
        &mut self,
        person: &str,
        since: Timestamp,
        author: &str,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        let mut touched = 0;
        for mut correction in self.corrections()? {
            let before = correction.votes.len();
            correction.votes.retain(|vote| vote.at < since || vote.source.author() != Some(person));
            if correction.votes.len() < before {
                self.put_correction(&correction)?;
                touched += 1;
            }
        }
        let (command, outcome) = ("label --take-back".to_owned(), format!("{touched} mails"));
        self.note(now, Event::Command { command, author: author.to_owned(), outcome });
        self.apply()?;
        Ok(touched)
    }

    fn put_correction(&mut self, correction: &Correction) -> Result<(), LedgerError> {
        self.put(&vote_key(&correction.account, &correction.identity), correction)
    }

    /// Corrections whose mails were not yet read to learn from; with `texts` also those whose text is
    /// not kept yet.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn unread_corrections(&self, account: &str, texts: bool) -> Result<Vec<Correction>, LedgerError> {
        let mut unread = Vec::new();
        for one in self.corrections()? {
            if one.account != account || one.votes.is_empty() {
                continue;
            }
            let no_text = texts && self.text_of(&one.account, &one.identity)?.is_none();
            if one.reading.is_none() || no_text {
                unread.push(one);
            }
        }
        Ok(unread)
    }

    /// All kept texts, encrypted: account, identity, text.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn texts(&self) -> Result<Vec<(String, String, String)>, LedgerError> {
        let keys: Vec<String> = self.keys("text/").collect::<Result<_, _>>()?;
        let mut all = Vec::new();
        for key in keys {
            let Some((account, identity)) = key.split_once('/') else { continue };
            if let Some(text) = self.get::<String>(&format!("text/{key}"))? {
                all.push((account.to_owned(), identity.to_owned(), text));
            }
        }
        Ok(all)
    }

    /// The kept text of a corrected mail, encrypted.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn text_of(&self, account: &str, identity: &str) -> Result<Option<String>, LedgerError> {
        self.get(&text_key(account, identity))
    }

    /// Adds what was read of a corrected mail.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn set_reading(
        &mut self,
        account: &str,
        identity: &str,
        reading: Option<Reading>,
        text: Option<String>,
    ) -> Result<(), LedgerError> {
        if let Some(mut correction) = self.correction(account, identity)? {
            correction.reading = reading.or(correction.reading);
            self.put_correction(&correction)?;
            if let Some(text) = text {
                self.put(&text_key(account, identity), &text)?;
            }
        }
        self.apply()
    }

    /// Whether learning is alive.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn learning_health(&self) -> Result<Health, LedgerError> {
        Ok(self.get("meta/learning")?.unwrap_or_default())
    }

    /// Notes that a candidate was trained.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn trained(&mut self, at: Timestamp, on: u64, outcome: &str) -> Result<(), LedgerError> {
        let mut health = self.learning_health()?;
        (health.trained, health.trained_on, health.outcome) = (Some(at), on, outcome.to_owned());
        self.put("meta/learning", &health)?;
        self.apply()
    }

    /// Forgets what was kept of a mail to learn from. How many entries that were; written with
    /// whatever else the job writes.
    pub(super) fn forget_example(&mut self, account: &str, identity: &str) -> Result<usize, LedgerError> {
        let recent = self.recent_of(account, identity)?;
        let known = usize::from(self.correction(account, identity)?.is_some());
        if let Some(recent) = &recent {
            self.remove(&order_key(recent.at, account, identity));
            let count = self.get::<usize>("meta/recent")?.unwrap_or(0);
            self.put("meta/recent", &count.saturating_sub(1))?;
        }
        self.remove(&recent_key(account, identity));
        self.remove(&vote_key(account, identity));
        self.remove(&text_key(account, identity));
        Ok(known + usize::from(recent.is_some()))
    }
}

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

pub(crate) fn labelled(correction: &Correction, rules: &LearningRules) -> Labelled {
    Labelled {
        message_id: correction.message_id.clone(),
        given: correction.given.clone(),
        says: correction.says(rules),
        waiting: vote::waiting(&correction.votes, &correction.given, &rules.second_vote),
        held: u64::try_from(correction.votes.iter().filter(|vote| vote.held).count()).unwrap_or(0),
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
