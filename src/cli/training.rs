//! `train`, `evaluate` and `report`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Corpus.
    #[arg(long, default_value = "data/corpus", value_name = "DIR")]
    pub corpus: Vec<PathBuf>,
}
/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {}
/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {}

/// train
pub fn train(_: &TrainArgs) -> anyhow::Result<()> {
    Ok(())
}
/// evaluate
pub fn evaluate(_: &EvaluateArgs) -> anyhow::Result<()> {
    Ok(())
}
/// report
pub fn report(_: &ReportArgs) -> anyhow::Result<()> {
    Ok(())
}
