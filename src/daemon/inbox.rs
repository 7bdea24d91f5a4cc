//! What was learnt from an inbox, and how it does: corrections and the newest mails as examples, and
//! the scorecard that `report --inbox` and the window show.

use std::collections::{BTreeMap, BTreeSet};

use crate::classify::{Classifier, Label, Reading, reading};
use crate::decide::vote::{self, LearningRules, Source};
use crate::edge::control::Examples;
use crate::edge::ledger::examples::Correction;
use crate::edge::models::Models;
use crate::plot::{Bar, Curve, bars, curve};
use crate::train::gate::Gate;
use crate::train::inbox::{Drift, Handled, Inbox};
use crate::train::local::LocalExample;
use crate::train::report::Report;

/// Days whose volume is drawn.
const DAYS: usize = 28;
/// Candidates of the learning curve.
const CANDIDATES: usize = 30;

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
            voices: vote::standing(&one.votes, &says),
            says,
            given: one.given.clone(),
            at,
            silent: false,
        })
    };
    corrections.iter().filter_map(example).collect()
}

/// The newest mails with what they were given.
#[must_use]
pub fn handled(examples: &Examples) -> Vec<Handled> {
    let is_sample =
        |one: &&Correction| one.votes.iter().any(|vote| matches!(vote.source, Source::Sample { .. }));
    let spoken: BTreeSet<&str> =
        examples.corrections.iter().filter(is_sample).map(|one| one.identity.as_str()).collect();
    let recent = examples.recent.iter().filter(|(_, _, recent)| recent.reading.version == reading::VERSION);
    let handled = recent.map(|(account, identity, recent)| Handled {
        id: format!("{account} {identity}"),
        reading: recent.reading.clone(),
        at: recent.at,
        given: recent.labels.clone(),
        drawn: recent.drawn && spoken.contains(identity.as_str()),
    });
    handled.collect()
}

/// How the model in force does on the newest mails.
#[must_use]
pub fn scorecard(
    classifier: &Classifier,
    models: &Models,
    rules: &LearningRules,
    examples: &Examples,
    locals: &[LocalExample],
) -> Report {
    let name = models.in_force();
    let layer = models.load(&name, classifier.model.sha256()).ok().flatten();
    let own = rules.labels.iter().map(ToString::to_string);
    let names: Vec<String> = Label::ALL.iter().map(ToString::to_string).chain(own).collect();
    let handled = handled(examples);
    let inbox = Inbox::of(classifier, layer.as_ref(), &names, &handled, locals);
    let judged = inbox.judged(false);
    let short = name.get(..12).unwrap_or(&name);
    let mut report = Report::new(&format!("{} newest mails of this inbox, model {short}", judged.len()));
    health(&mut report, models, examples);
    if judged.is_empty() {
        report.say("No mail is kept as numbers yet, so there is nothing to measure.");
        return report;
    }
    report.heading("What is decided rightly");
    report.say("What nobody objected to counts as right here, so these figures flatter; those of the mails drawn for review do not.");
    let figures = report.figures(&names, &judged);
    let drawn = inbox.judged(true);
    report.heading(&format!("Drawn for review: {} mails on which somebody has spoken", drawn.len()));
    if drawn.is_empty() {
        report.say("`evenkeel label --drawn` shows those that wait.");
    } else {
        report.figures(&names, &drawn);
    }
    over_time(&mut report, models, &handled);
    report.judged(&names, &judged, &figures);
    report
}

/// Whether learning is alive, and what it has come to.
fn health(report: &mut Report, models: &Models, examples: &Examples) {
    let health = &examples.health;
    let spoken = examples.corrections.iter().filter(|one| !one.votes.is_empty()).count();
    let held = examples.corrections.iter().filter(|one| one.votes.iter().any(|vote| vote.held)).count();
    report.say(&format!(
        "{spoken} corrections; {} moves seen, {} of them say something.",
        health.moves, health.votes
    ));
    if held > 0 {
        report
            .say(&format!("{held} wait for `evenkeel label --confirm-held`: many mails were moved at once."));
    }
    if !health.outcome.is_empty() {
        let at = health.trained.and_then(|at| jiff::Timestamp::from_second(at.0).ok());
        let at = at.map_or_else(String::new, |at| at.strftime(" of %F %H:%M UTC").to_string());
        report.say(&format!("The last training{at}: {}", health.outcome));
    }
    let held: Vec<String> = models.on_hold().iter().map(ToString::to_string).collect();
    if !held.is_empty() {
        report.say(&format!("Labels on hold, only suggested: {}.", held.join(", ")));
    }
}

/// Learning curve, volume, drift.
fn over_time(report: &mut Report, models: &Models, handled: &[Handled]) {
    report.heading("Learning curve and volume");
    let all = models.all();
    let gates: Vec<Gate> = all.iter().filter_map(|name| models.card(name)).collect();
    let newest = gates.get(gates.len().saturating_sub(CANDIDATES)..).unwrap_or_default();
    let across = |n: usize| count(n) / count(newest.len().saturating_sub(1).max(1));
    if newest.is_empty() {
        report.say("No candidate was trained yet.");
    } else {
        let points =
            newest.iter().enumerate().map(|(n, gate)| (across(n), gate.local.overall.after)).collect();
        let plot =
            Curve { points, diagonal: false, ring: None, axes: ("candidates, oldest first", "mean F1") };
        let caption = format!("Mean F1 of {} candidates, each on mails that taught it nothing", newest.len());
        report.plots("plots small", [(caption.clone(), curve(&caption, &plot))]);
    }
    let mut days = BTreeMap::<i64, usize>::new();
    for mail in handled {
        *days.entry(mail.at.0.div_euclid(DAY)).or_default() += 1;
    }
    let last = days.last_key_value().map_or(0, |(day, _)| *day);
    let first = days.first_key_value().map_or(0, |(day, _)| *day);
    let rows: Vec<Bar> = (first..=last)
        .rev()
        .take(DAYS)
        .map(|day| {
            let name = jiff::Timestamp::from_second(day * DAY).map(|at| at.strftime("%a %d %b").to_string());
            Bar::count(name.unwrap_or_default(), days.get(&day).copied().unwrap_or(0))
        })
        .collect();
    let caption = "Mails a day, the newest first";
    report.plots("plots", [(caption.to_owned(), bars(caption, &rows))]);
    let readings: Vec<&Reading> = handled.iter().map(|mail| &mail.reading).collect();
    let told = Drift::of(&readings).map(|drift| drift.told()).unwrap_or_default();
    let drift = if told.is_empty() { "nothing much has changed".to_owned() } else { told.join("; ") };
    report.say(&format!("Drift of language, length and words: {drift}."));
}

/// Seconds.
const DAY: i64 = 86_400;

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
