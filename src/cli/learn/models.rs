//! `models`: what was learnt, what it does otherwise, and which is in force.

use clap::Subcommand;
use serde::Serialize;

use super::material::Material;
use super::show_gate;
use crate::classify::Label;
use crate::classify::layer::Layer;
use crate::cli::FormatArg;
use crate::cli::classify::classifier;
use crate::cli::output::{self, Format, printable};
use crate::cli::state::{State, Whereabouts, author};
use crate::config::Config;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::Request;
use crate::edge::models::{Models, SHIPPED};
use crate::train::gate::{Gate, decide};

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
