//! `train --local` and `models`: what was learnt from this inbox.

mod material;
mod models;
mod page;

use self::material::Material;
pub use self::models::{ModelsCommand, models};
pub use self::page::report_inbox;
use super::classify::classifier;
use super::output::{self, bold};
use super::progress::spinner;
use super::state::{State, Whereabouts};
use crate::classify::{Classifier, Label, Reading};
use crate::config::Config;
pub use crate::daemon::inbox::examples_of;
use crate::daemon::inbox::handled;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::Request;
use crate::edge::models::Models;
use crate::train::gate::{Change, Gate, Match};
use crate::train::inbox::{Drift, silent};
use crate::train::local::{self, LocalExample};

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

/// `train --local`.
///
/// # Errors
/// When the examples cannot be read, linfa cannot fit, or the model cannot be written.
pub fn train_local(config: &Config) -> anyhow::Result<()> {
    let models = Models::of(&config.state_dir);
    let _turn = models.queue(|| output::say("another training is under way: this one waits for its end"))?;
    let mut state = State::of(&Whereabouts::from(config))?;
    let bar = spinner("reading corrections and the corpus");
    let material = Material::gather(config, &mut state, true)?;
    let (_, before, since) = material.in_force();
    let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).chain(material.own.clone()).collect();
    let quiet = silent(&handled(&material.examples), &material.locals, &names);
    let locals: Vec<LocalExample> = material.locals.iter().cloned().chain(quiet).collect();
    bar.set_message("fitting a layer");
    let candidate = local::fit(&material.classifier, &material.own, &locals, &material.anchors)?;
    bar.set_message("comparing it with the model in force, and every voice with all the others");
    let (candidate, gate) = Match {
        classifier: &material.classifier,
        before: before.as_ref(),
        candidate,
        locals: &locals,
        anchors: &material.anchors,
        recent: &material.recent,
        policy: &config.policy,
        since,
    }
    .settle()?;
    bar.finish_and_clear();
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
    for (place, comparison) in
        [("mails that taught neither", &gate.local), ("shipped test part", &gate.shipped)]
    {
        output::line(&bold(&format!("{place}: {} mails", comparison.mails)))?;
        for change in
            comparison.all().filter(|change| change.mails > 0 && (change.before - change.after).abs() > 1e-6)
        {
            output::line(&format!("  {}", line_of(change)))?;
        }
        if comparison.threats_lost + comparison.threats_won > 0 {
            output::line(&format!(
                "  threats newly found {}, newly missed {}",
                comparison.threats_won, comparison.threats_lost
            ))?;
        }
    }
    if !gate.left.is_empty() {
        output::line(&format!("left as before: {}", gate.left.join(", ")))?;
        for why in &gate.left_because {
            output::line(&format!("  {why}"))?;
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
