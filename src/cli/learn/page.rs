//! `report --inbox`: how the model in force does on this inbox, as a page.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::material::Material;
use crate::classify::{Label, Reading};
use crate::cli::output;
use crate::cli::state::{State, Whereabouts};
use crate::config::Config;
use crate::edge::control::Examples;
use crate::train::evaluate::Figures;
use crate::train::gate::Gate;
use crate::train::inbox::{Drift, Handled, Inbox};
use crate::train::report;

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
    html.push_str(&report::plot(
        "mean F1 of each candidate on mails that taught neither",
        &curve,
        false,
        None,
    ));
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
