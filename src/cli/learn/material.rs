//! Everything that training and comparing needs, gathered from the ledger and the disk.

use super::super::output;
use super::super::state::{State, not_understood};
use crate::classify::layer::Layer;
use crate::classify::{Classifier, Label, Reading, Scratch, reading};
use crate::cli::classify::classifier;
use crate::config::Config;
use crate::daemon::inbox::{examples_of, handled};
use crate::decide::vote::LearningRules;
use crate::edge::control::{Examples, Request, Response};
use crate::edge::ledger::examples::Correction;
use crate::edge::models::Models;
use crate::edge::seal::Seal;
use crate::mail::Mail;
use crate::time::Timestamp;
use crate::train::corpus;
use crate::train::inbox::on_hold;
use crate::train::local::{self, Anchor, LocalExample};

/// Everything that training and comparing needs.
pub(super) struct Material {
    pub(super) classifier: Classifier,
    pub(super) models: Models,
    pub(super) own: Vec<String>,
    pub(super) locals: Vec<LocalExample>,
    pub(super) anchors: Vec<Anchor>,
    pub(super) recent: Vec<Reading>,
    pub(super) examples: Examples,
}

impl Material {
    pub(super) fn gather(config: &Config, state: &mut State, with_anchors: bool) -> anyhow::Result<Self> {
        let rules = &config.policy.learning;
        let Response::Examples(examples) = state.ask(&Request::Examples)? else {
            return Err(not_understood());
        };
        let classifier = classifier(Some(config))?;
        let own: Vec<String> = rules.labels.iter().map(ToString::to_string).collect();
        let mut examples = *examples;
        read_again(&classifier, rules, &mut examples)?;
        let mut locals = examples_of(&examples.corrections, rules);
        let mut anchors = vec![];
        if with_anchors {
            let shipped: Vec<String> = Label::ALL.iter().map(ToString::to_string).collect();
            let names: Vec<String> = shipped.iter().chain(&own).cloned().collect();
            if !rules.own_corpus.is_empty() {
                let read =
                    corpus::read(&rules.own_corpus, &names).map_err(crate::train::TrainError::Corpus)?;
                locals.extend(local::own_examples(&classifier, &read, &names));
            }
            if rules.corpus.exists() {
                let paths = [rules.corpus.clone()];
                let read = corpus::read(&paths, &shipped).map_err(crate::train::TrainError::Corpus)?;
                anchors = local::anchors(&classifier, &read);
            }
        }
        let recent = examples.recent.iter().map(|(_, _, recent)| recent.reading.clone());
        let recent = recent.filter(|reading| reading.version == reading::VERSION).collect();
        let models = Models::of(&config.state_dir);
        Ok(Self { classifier, models, own, locals, anchors, recent, examples })
    }

    /// Puts labels on hold that are wrong too often, and lets others go; whether that changed.
    pub(super) fn review_labels(&self) -> anyhow::Result<bool> {
        let held = on_hold(&handled(&self.examples), &self.locals);
        let changed = self.models.hold(&held)?;
        if changed && !held.is_empty() {
            let words: Vec<&str> = held.iter().map(|label| label.as_str()).collect();
            tracing::error!(
                labels = words.join(", "),
                "wrong too often of late: only suggested from now on, a person looks"
            );
        }
        Ok(changed)
    }

    /// The layer in force and since when.
    pub(super) fn in_force(&self) -> (String, Option<Layer>, Timestamp) {
        let name = self.models.in_force();
        let layer = self.models.load(&name, self.classifier.model.sha256()).unwrap_or_else(|error| {
            output::say(&format!("warning: {error}"));
            None
        });
        let since = self.models.history().iter().rev().find(|one| one.name == name).map(|one| one.at);
        (name, layer, since.unwrap_or_default())
    }
}

/// What is kept of a text.
#[derive(serde::Deserialize)]
struct Kept {
    name: String,
    subject: String,
    text: String,
}

/// Reads kept texts again with the model and the features of this program.
fn read_again(classifier: &Classifier, rules: &LearningRules, examples: &mut Examples) -> anyhow::Result<()> {
    let Some(file) = rules.text_key_file.as_ref().filter(|_| !examples.texts.is_empty()) else {
        return Ok(());
    };
    let seal = Seal::open(file)?;
    let mut scratch = Scratch::default();
    for (account, identity, sealed) in &examples.texts {
        let of = |one: &&mut Correction| one.account == *account && one.identity == *identity;
        let Some(correction) = examples.corrections.iter_mut().find(of) else { continue };
        let kept: Kept = serde_json::from_str(&seal.unseal(identity, sealed)?)?;
        let mail = Mail::from_message(&kept.name, "", &kept.subject, &kept.text);
        correction.reading = classifier.reading(&mut scratch, &mail).or(correction.reading.take());
    }
    Ok(())
}
