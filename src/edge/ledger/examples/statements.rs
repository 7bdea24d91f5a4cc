//! What people say about mails by a command.

use serde::{Deserialize, Serialize};

use super::super::LedgerError;
use super::super::audit::Event;
use super::super::store::Store;
use super::Correction;
use crate::decide::vote::{self, LearningRules, Says, Source, Vote};
use crate::mail::MessageId;
use crate::time::Timestamp;

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

impl Store {
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
