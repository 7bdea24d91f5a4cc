//! `train --local` and `models`: what was learnt from this inbox.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::FormatArg;
use super::classify::classifier;
use super::output::{self, Format, bold, printable};
use super::state::{State, Whereabouts, author, not_understood};
use crate::classify::layer::Layer;
use crate::classify::{Classifier, Label, Reading, Scratch, reading};
use crate::config::Config;
use crate::decide::vote::{LearningRules, Source};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{Examples, Request, Response};
use crate::edge::ledger::examples::Correction;
use crate::edge::models::{Models, SHIPPED};
use crate::edge::seal::Seal;
use crate::mail::Mail;
use crate::time::Timestamp;
use crate::train::corpus;
use crate::train::evaluate::Figures;
use crate::train::gate::{Change, Gate, Match, decide};
use crate::train::inbox::{Drift, Handled, Inbox, on_hold, silent};
use crate::train::local::{self, Anchor, LocalExample};
use crate::train::report;

/// `models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// What was learnt, when, and which model is in force.
    List {
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// What a model does otherwise than the one in force, on the newest mails; and what its gate found.
    #[command(after_help = "Example:\n  evenkeel models diff 3f9a2c")]
    Diff {
        /// The first characters of its name.
        #[arg(value_name = "MODEL")]
        name: String,
        /// Against this one instead of the one in force; `shipped` is the one that ships.
        #[arg(long, value_name = "MODEL")]
        against: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        format: FormatArg,
    },
    /// Put a model in force, whatever its gate found.
    Promote {
        /// The first characters of its name; `shipped` for the one that ships.
        #[arg(value_name = "MODEL")]
        name: String,
    },
    /// Put the model in force that was so before.
    Rollback,
}

/// The classifier of a config with what was learnt laid on it. A learnt model that cannot be used is
/// told and left out: the shipped one then does the work.
///
/// # Errors
/// When model or rules of the config cannot be used.
pub fn classifier_in_force(config: &Config) -> anyhow::Result<Classifier> {
    let mut classifier = classifier(Some(config))?;
    let models = Models::of(&config.state_dir);
    classifier.on_hold = models.on_hold();
    match models.load(&models.in_force(), classifier.model.sha256()) {
        Ok(layer) => classifier.model.set_layer(layer),
        Err(error) => tracing::error!(%error, "what was learnt is left out, the shipped model is used"),
    }
    Ok(classifier)
}

/// Corrections as examples, in the order of their ids.
#[must_use]
pub fn examples_of(corrections: &[Correction], rules: &LearningRules) -> Vec<LocalExample> {
    let example = |one: &Correction| {
        let reading = one.reading.clone().filter(|reading| reading.version == reading::VERSION)?;
        let says = one.says(rules);
        let at = one.votes.iter().map(|vote| vote.at).max()?;
        let id = format!("{} {}", one.account, one.identity);
        (!says.is_empty()).then(|| LocalExample {
            id,
            reading,
            says,
            given: one.given.clone(),
            at,
            silent: false,
        })
    };
    corrections.iter().filter_map(example).collect()
}

/// Everything that training and comparing needs.
struct Material {
    classifier: Classifier,
    models: Models,
    own: Vec<String>,
    locals: Vec<LocalExample>,
    anchors: Vec<Anchor>,
    recent: Vec<Reading>,
    examples: Examples,
}

impl Material {
    fn gather(config: &Config, state: &mut State, with_anchors: bool) -> anyhow::Result<Self> {
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

    /// The newest mails with what they were given.
    fn handled(&self) -> Vec<Handled> {
        let spoken = |identity: &String| {
            let one = self.examples.corrections.iter().find(|one| one.identity == *identity);
            one.is_some_and(|one| one.votes.iter().any(|vote| matches!(vote.source, Source::Sample { .. })))
        };
        let recent =
            self.examples.recent.iter().filter(|(_, _, recent)| recent.reading.version == reading::VERSION);
        let handled = recent.map(|(account, identity, recent)| Handled {
            id: format!("{account} {identity}"),
            reading: recent.reading.clone(),
            given: recent.labels.clone(),
            drawn: recent.drawn && spoken(identity),
        });
        handled.collect()
    }

    /// Puts labels on hold that are wrong too often, and lets others go; whether that changed.
    fn review_labels(&self) -> anyhow::Result<bool> {
        let held = on_hold(&self.handled(), &self.locals);
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
    fn in_force(&self) -> (String, Option<Layer>, Timestamp) {
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

/// `train --local`.
///
/// # Errors
/// When the examples cannot be read, linfa cannot fit, or the model cannot be written.
pub fn train_local(config: &Config) -> anyhow::Result<()> {
    let mut state = State::of(&Whereabouts::from(config))?;
    let material = Material::gather(config, &mut state, true)?;
    let (_, before, since) = material.in_force();
    let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).chain(material.own.clone()).collect();
    let quiet = silent(&material.handled(), &material.locals, &names, Timestamp::default());
    let locals: Vec<LocalExample> = material.locals.iter().cloned().chain(quiet).collect();
    let candidate = local::fit(&material.classifier, &material.own, &locals, &material.anchors)?;
    let gate = Match {
        classifier: &material.classifier,
        before: before.as_ref(),
        candidate: &candidate,
        locals: &locals,
        anchors: &material.anchors,
        recent: &material.recent,
        policy: &config.policy,
        since,
    }
    .gate();
    let name = material.models.add(&candidate.layer, &gate)?;
    let held = material.review_labels()?;
    let readings: Vec<&Reading> = material.recent.iter().collect();
    for what in Drift::of(&readings).map(|drift| drift.told()).unwrap_or_default() {
        tracing::warn!(drift = what, "the mails of this inbox have changed");
    }
    let takes_over = gate.passed && config.policy.learning.promote;
    if takes_over {
        let base = material.classifier.model.sha256();
        material.models.promote(&name, base, "gate", SystemClock.now())?;
    }
    if takes_over || held {
        let _ = state.ask(&Request::Reload);
    }
    let short = name.get(..12).unwrap_or(&name);
    let outcome = if takes_over {
        format!("{short} is in force: {}", gate.why.join("; "))
    } else {
        format!("{short} waits for a person: {}", gate.why.join("; "))
    };
    let on = u64::try_from(material.examples.corrections.len()).unwrap_or(u64::MAX);
    state.ask(&Request::Trained { on, outcome: outcome.clone() })?;
    show_gate(&gate)?;
    output::say(&outcome);
    Ok(())
}

fn show_gate(gate: &Gate) -> anyhow::Result<()> {
    for (place, comparison) in [("held-back corrections", &gate.local), ("shipped test part", &gate.shipped)]
    {
        output::line(&bold(&format!("{place}: {} mails", comparison.mails)))?;
        let all = [&comparison.overall].into_iter().chain(&comparison.languages).chain(&comparison.labels);
        for change in all.filter(|change| change.mails > 0 && (change.before - change.after).abs() > 1e-6) {
            output::line(&format!("  {}", line_of(change)))?;
        }
        if comparison.threats_lost + comparison.threats_won > 0 {
            output::line(&format!(
                "  threats newly found {}, newly missed {}",
                comparison.threats_won, comparison.threats_lost
            ))?;
        }
    }
    let shadow = &gate.shadow;
    output::line(&format!(
        "{} newest mails: {} more forwards, {} fewer, {} in another queue, {} with another draft",
        shadow.mails, shadow.more_forwards, shadow.fewer_forwards, shadow.other_queue, shadow.other_draft
    ))
}

fn line_of(change: &Change) -> String {
    format!(
        "{:<12} {:.3} → {:.3}  ({:+.3} to {:+.3}, {} mails){}",
        change.name,
        change.before,
        change.after,
        change.low,
        change.high,
        change.mails,
        if change.is_worse() { "  WORSE" } else { "" }
    )
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    in_force: bool,
    gate: Option<Gate>,
}

/// `models`.
///
/// # Errors
/// When a model is unknown or damaged, or the state cannot be read.
pub fn models(config: &Config, command: &ModelsCommand) -> anyhow::Result<()> {
    let models = Models::of(&config.state_dir);
    let base = || anyhow::Ok(classifier(Some(config))?.model.sha256().to_owned());
    match command {
        ModelsCommand::List { format } => list(&models, format.format),
        ModelsCommand::Diff { name, against, format } => {
            diff(config, &models, name, against.as_deref(), format.format)
        }
        ModelsCommand::Promote { name } => {
            let name = models.find(name)?;
            models.promote(&name, &base()?, &author(), SystemClock.now())?;
            tell(config, &format!("{name} is in force"))
        }
        ModelsCommand::Rollback => {
            let name = models.roll_back(&base()?, &author(), SystemClock.now())?;
            tell(config, &format!("{name} is in force again"))
        }
    }
}

/// Says what is in force, to the running daemon as well.
fn tell(config: &Config, what: &str) -> anyhow::Result<()> {
    let place = Whereabouts::from(config);
    if place.is_running() {
        State::of(&place)?.ask(&Request::Reload)?;
    }
    output::line(what)
}

fn list(models: &Models, format: Format) -> anyhow::Result<()> {
    let in_force = models.in_force();
    let all = models.all();
    for name in std::iter::once(SHIPPED.to_owned()).chain(all) {
        let gate = models.card::<Gate>(&name);
        let now = name == in_force;
        if format == Format::Jsonl {
            output::json(&Listed { name: &name, in_force: now, gate })?;
            continue;
        }
        let mark = if now { "*" } else { " " };
        let short = name.get(..12).unwrap_or(&name);
        let told = gate.map_or_else(String::new, |gate| {
            let passed = if gate.passed { "passed" } else { "held" };
            format!("{} corrections, {passed}: {}", gate.corrections, gate.why.join("; "))
        });
        output::line(&format!("{mark} {short:<12}  {told}"))?;
    }
    if format == Format::Text {
        for one in models.history().iter().rev().take(10) {
            let verb = if one.back { "back to" } else { "promoted" };
            let name = one.name.get(..12).unwrap_or(&one.name);
            let at = jiff::Timestamp::from_second(one.at.0).map_or_else(|_| "?".into(), |at| at.to_string());
            output::say(&format!("{at}  {verb} {name} by {}", printable(&one.by)));
        }
    }
    Ok(())
}

fn diff(
    config: &Config,
    models: &Models,
    name: &str,
    against: Option<&str>,
    format: Format,
) -> anyhow::Result<()> {
    let mut state = State::of(&Whereabouts::from(config))?;
    let material = Material::gather(config, &mut state, false)?;
    let base = material.classifier.model.sha256();
    let name = models.find(name)?;
    let old = against.map_or_else(|| Ok(models.in_force()), |old| models.find(old))?;
    let (after, before) = (models.load(&name, base)?, models.load(&old, base)?);
    if let Some(gate) = models.card::<Gate>(&name).filter(|_| format == Format::Text) {
        show_gate(&gate)?;
    }
    let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).chain(material.own).collect();
    let mut changed = 0_usize;
    for (_, _, recent) in &material.examples.recent {
        let of = |layer: Option<&Layer>| -> Vec<String> {
            let decided = decide(&material.classifier, layer, &recent.reading).1;
            names.iter().zip(decided).filter(|(_, is)| *is).map(|(name, _)| name.clone()).collect()
        };
        let (was, is) = (of(before.as_ref()), of(after.as_ref()));
        if was == is {
            continue;
        }
        changed += 1;
        let id = recent.message_id.as_ref().map_or("", crate::mail::MessageId::as_str);
        if format == Format::Jsonl {
            output::json(&serde_json::json!({ "message_id": id, "before": was, "after": is }))?;
        } else {
            output::line(&format!("{}  {} → {}", printable(id), was.join(", "), is.join(", ")))?;
        }
    }
    output::say(&format!(
        "{changed} of the {} newest mails are labelled otherwise",
        material.examples.recent.len()
    ));
    Ok(())
}

/// `report --inbox`: how the model in force does on this inbox, as a page.
///
/// # Errors
/// When the examples cannot be read or the page cannot be written.
pub fn report_inbox(config: &Config, output: &Path) -> anyhow::Result<()> {
    let mut state = State::of(&Whereabouts::from(config))?;
    let material = Material::gather(config, &mut state, false)?;
    let (name, layer, _) = material.in_force();
    let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).chain(material.own.clone()).collect();
    let handled = material.handled();
    let inbox = Inbox::of(&material.classifier, layer.as_ref(), &names, &handled, &material.locals);
    let judged = inbox.judged(false);
    let short = name.get(..12).unwrap_or(&name);
    let title = format!("{} newest mails of this inbox, model {short}", judged.len());
    let page = report::html_with(&title, &names, &judged, &inbox_section(&material, &inbox, &handled));
    std::fs::write(output, page).with_context(|| output.display().to_string())?;
    output::say(&format!("{}: how {short} does on {} mails", output.display(), judged.len()));
    Ok(())
}

/// What only an inbox has: the audit sample, the learning curve, volume, drift.
fn inbox_section(material: &Material, inbox: &Inbox, handled: &[Handled]) -> String {
    let mut html = String::from(
        "<p>What nobody objected to counts as right here, so these figures flatter; those of the drawn mails do not.</p>",
    );
    let drawn = inbox.judged(true);
    let figures = Figures::of(&inbox.names, &drawn);
    let _ = write!(html, "<h2>Drawn for review: {} mails</h2><pre>{}</pre>", drawn.len(), figures.text());
    let gates: Vec<Gate> =
        material.models.all().iter().filter_map(|name| material.models.card(name)).collect();
    let across = |n: usize, of: usize| count(n) / count(of.saturating_sub(1).max(1));
    let curve: Vec<(f64, f64)> = gates
        .iter()
        .enumerate()
        .map(|(n, gate)| (across(n, gates.len()), gate.local.overall.after))
        .collect();
    html.push_str("<h2>Learning curve and volume</h2>");
    html.push_str(&report::plot("mean F1 of each candidate on held-back corrections", &curve, false, None));
    let days = volume(&material.examples);
    let most = days.iter().map(|(_, mails)| *mails).max().unwrap_or(1).max(1);
    let volume: Vec<(f64, f64)> = days
        .iter()
        .enumerate()
        .map(|(n, (_, mails))| (across(n, days.len()), count(*mails) / count(most)))
        .collect();
    let caption = format!("mails a day, at most {most}");
    html.push_str(&report::plot(&caption, &volume, false, None));
    let readings: Vec<&Reading> = handled.iter().map(|mail| &mail.reading).collect();
    let told = Drift::of(&readings).map(|drift| drift.told()).unwrap_or_default();
    let drift = if told.is_empty() { "nothing much has changed".to_owned() } else { told.join("; ") };
    let held: Vec<String> = material.models.on_hold().iter().map(ToString::to_string).collect();
    let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
    let _ = write!(html, "<p>Drift: {drift}. Labels on hold, only suggested: {held}.</p>");
    html
}

/// Mails of each day among the newest.
fn volume(examples: &Examples) -> Vec<(i64, usize)> {
    let mut days = std::collections::BTreeMap::<i64, usize>::new();
    for (_, _, recent) in &examples.recent {
        *days.entry(recent.at.0.div_euclid(86_400)).or_default() += 1;
    }
    days.into_iter().collect()
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
