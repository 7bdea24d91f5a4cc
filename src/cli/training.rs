//! `train`, `evaluate` and `report`: from a corpus to a model, and from both to figures.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::BadFiles;
use super::output::{self, Format};
use super::progress;
use crate::classify::{Label, Lexicon, Model, Rules};
use crate::train::evaluate::{Figures, Judged, json_lines, judge};
use crate::train::{self, Example, Step, TrainOptions, report};

/// What a corpus is.
#[derive(Debug, Args)]
pub struct CorpusArgs {
    /// JSON lines, directories of them, or a directory with one folder of mails for each label.
    #[arg(long, value_name = "PATH", default_value = "data/corpus")]
    corpus: Vec<PathBuf>,
    /// Labels in order of precedence, for another taxonomy than the twelve.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    labels: Vec<String>,
}

impl CorpusArgs {
    fn options(&self) -> TrainOptions {
        let labels = if self.labels.is_empty() {
            Label::ALL.iter().map(ToString::to_string).collect()
        } else {
            self.labels.clone()
        };
        TrainOptions { corpus: self.corpus.clone(), labels, ..TrainOptions::default() }
    }
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// Where the model goes; the card goes beside it.
    #[arg(long, value_name = "FILE", default_value = "models/evenkeel.model")]
    model: PathBuf,
    /// Write what models that did not see them say of the training mails, a JSON line a mail.
    #[arg(long, value_name = "FILE")]
    judgements: Option<PathBuf>,
    /// Choose how strongly weights are held down by out-of-fold log-loss: several times as slow.
    #[arg(long)]
    tune: bool,
    /// Train on every mail and hold none back, to measure on another corpus.
    #[arg(long)]
    all: bool,
    /// Learn from marked mails instead which sentence a draft gives back and which matter it speaks of:
    /// a directory of JSON lines. The weights go to `models/evenkeel.gist`.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["judgements", "tune", "all", "labels"])]
    gist: Option<PathBuf>,
    /// Learn from the corrections of this inbox, on top of the shipped model; the gate decides whether
    /// the result takes over.
    #[arg(long, conflicts_with_all = ["judgements", "tune", "all", "corpus", "labels"])]
    pub local: bool,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// The model; the shipped one when it is left out.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Measure on every mail, not only on the held-back fifth that was never trained on.
    #[arg(long)]
    all: bool,
    /// Write what the model says of each mail, a JSON line a mail.
    #[arg(long, value_name = "FILE")]
    judgements: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    /// Text for people, JSON lines for programs.
    format: Format,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// The model; the shipped one when it is left out.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Where the page goes.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub output: PathBuf,
    /// How the model in force does on this inbox, instead of on a corpus.
    #[arg(long, conflicts_with_all = ["corpus", "labels", "model"])]
    pub inbox: bool,
}

fn rules() -> anyhow::Result<Rules> {
    Ok(Rules::shipped().map_err(|problems| BadFiles(problems.iter().map(ToString::to_string).collect()))?)
}

fn model(path: Option<&PathBuf>) -> anyhow::Result<Model> {
    let Some(path) = path else { return Ok(Model::shipped()?) };
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Model::of_any_taxonomy(&bytes).with_context(|| path.display().to_string())
}

/// `train`.
///
/// # Errors
/// When corpus, lexicon or rules cannot be used, or a file cannot be written.
pub fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let card = args.model.with_extension("card.toml");
    let options = TrainOptions {
        model: args.model.clone(),
        card,
        judgements: args.judgements.clone(),
        tune: args.tune,
        all: args.all,
        ..args.corpus.options()
    };
    if let Some(marks) = &args.gist {
        return gist(&options, marks, &args.model.with_extension("gist"));
    }
    let lexicon = Lexicon::shipped().map_err(|error| BadFiles(vec![error.to_string()]))?;
    let bar = progress::bar(0);
    let card = train::train(&options, &lexicon, &rules()?, &mut |step| match step {
        Step::Counting { mails } => bar.set_message(format!("counting features of {mails} mails")),
        Step::Fitted { done, of } => {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message("fitting");
        }
        Step::Stacking => bar.set_message("second stage and calibration"),
    })?;
    bar.finish_and_clear();
    output::say(&format!(
        "{} from {} mails; macro-F1 out of fold {:.3}, on the held-back part {:.3}",
        args.model.display(),
        card.corpus.mails,
        card.out_of_fold.macro_f1,
        card.held_back.macro_f1
    ));
    Ok(())
}

/// How well a draft chooses, language by language.
fn gist(options: &TrainOptions, marks: &Path, to: &Path) -> anyhow::Result<()> {
    let bar = progress::spinner("reading the corpus and the marks");
    let (out_of_fold, held_back) = train::gist::train(options, marks, to)?;
    bar.finish_and_clear();
    for (part, figures) in [("out of fold", out_of_fold), ("held back", held_back)] {
        for ((language, aspect), of) in figures {
            output::say(&format!(
                "{part:<11}  {language}  {aspect:<6}  there in {:>4}, chosen for {:>4}, right {:>4}",
                of.there, of.chosen, of.right
            ));
        }
    }
    output::say(&to.display().to_string());
    Ok(())
}

/// `evaluate`.
///
/// # Errors
/// When corpus, model or rules cannot be used.
pub fn evaluate(args: &EvaluateArgs) -> anyhow::Result<()> {
    let options = args.corpus.options();
    let bar = progress::spinner("reading the corpus");
    let examples = train::read_corpus(&options)?;
    let model = model(args.model.as_ref())?;
    let rules = rules()?;
    bar.set_message("judging its mails");
    let judged = judge(&model, &rules, part(&examples, args.all));
    bar.finish_and_clear();
    if let Some(file) = &args.judgements {
        let lines = json_lines(&options.labels, &judged);
        std::fs::write(file, lines).with_context(|| file.display().to_string())?;
    }
    let figures = Figures::of(&options.labels, &judged);
    match args.format {
        Format::Text => output::line(figures.text().trim_end()),
        Format::Jsonl => output::line(figures.json_lines().trim_end()),
    }
}

fn part(examples: &[Example], all: bool) -> impl Iterator<Item = &Example> {
    examples.iter().filter(move |example| all || example.is_held_back())
}

/// `report`.
///
/// # Errors
/// When corpus, model or rules cannot be used, or the page cannot be written.
pub fn report(args: &ReportArgs) -> anyhow::Result<()> {
    let options = args.corpus.options();
    let bar = progress::spinner("reading the corpus");
    let examples = train::read_corpus(&options)?;
    let model = model(args.model.as_ref())?;
    bar.set_message("judging its mails");
    let judged: Vec<Judged<'_>> = judge(&model, &rules()?, part(&examples, false));
    bar.finish_and_clear();
    let title =
        format!("{} held-back mails, model {}", judged.len(), model.sha256().get(..12).unwrap_or_default());
    let page = report::of_judged(&title, &options.labels, &judged).page();
    std::fs::write(&args.output, page).with_context(|| args.output.display().to_string())?;
    output::say(&format!("{}: figures of {} held-back mails", args.output.display(), judged.len()));
    Ok(())
}
