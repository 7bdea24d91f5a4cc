//! `report --inbox`: how the model in force does on this inbox, as a page.

use std::path::Path;

use anyhow::Context;

use super::material::Material;
use crate::cli::output;
use crate::cli::state::{State, Whereabouts};
use crate::config::Config;
use crate::daemon::inbox::scorecard;

/// `report --inbox`: how the model in force does on this inbox, as a page.
///
/// # Errors
/// When the examples cannot be read or the page cannot be written.
pub fn report_inbox(config: &Config, output: &Path) -> anyhow::Result<()> {
    let mut state = State::of(&Whereabouts::from(config))?;
    let material = Material::gather(config, &mut state, false)?;
    let rules = &config.policy.learning;
    let report =
        scorecard(&material.classifier, &material.models, rules, &material.examples, &material.locals);
    std::fs::write(output, report.page()).with_context(|| output.display().to_string())?;
    output::say(&format!("{}: {}", output.display(), report.title));
    Ok(())
}
