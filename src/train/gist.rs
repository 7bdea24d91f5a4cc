//! From marked mails to the weights by which a draft chooses: which sentence of a mail says what it is about,
//! which says what is wanted, which matter is the right one. The estimator is the one of the first stage.

use std::collections::BTreeMap;
use std::path::Path;

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array2;
use serde::Deserialize;

use super::corpus::{CorpusProblem, Example, files};
use super::csr::Csr;
use super::subspace::SubspaceParams;
use super::{TrainError, TrainOptions, read_corpus, write};
use crate::classify::Label;
use crate::mail::Language;
use crate::reply::Playbooks;
use crate::reply::compose::answered;
use crate::reply::facts::{Candidate, Parts};
use crate::reply::gist::{Aspect, COLUMNS, Gist, Scale};

/// How strongly weights are held down.
const RIDGE: f64 = 6.0;
/// Steps of the fit.
const STEPS: usize = 25;
/// Folds.
const FOLDS: u64 = 5;
/// How many right choices a wrong one is worth: what is said of a wrong matter is worse than the general
/// words.
const COST: [f64; 3] = [1.0, 1.5, 1.5];

/// What a reader marked in one mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    id: String,
    /// The words that say what the mail is about.
    key: Option<String>,
    /// Others that do as well.
    #[serde(default)]
    also: Vec<String>,
    /// The words that say what is wanted.
    wish: Option<String>,
    /// The matter whose words fit.
    matter: Option<String>,
    /// Others whose words fit, too.
    #[serde(default)]
    near: Vec<String>,
}

/// How well one aspect is chosen in one language.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen {
    /// Mails that have what is looked for.
    pub there: usize,
    /// Mails for which something was chosen.
    pub chosen: usize,
    /// Of these chosen as a reader did.
    pub right: usize,
}

/// Figures by language and aspect, of mails that did not train.
pub type Figures = BTreeMap<(Language, &'static str), Chosen>;

/// One candidate of one mail.
struct Row {
    columns: Vec<u32>,
    right: bool,
}

/// The candidates of one mail for one aspect.
struct Choice {
    language: Language,
    fold: u64,
    held_back: bool,
    /// Whether a reader marked something.
    there: bool,
    rows: Vec<Row>,
}

/// Reads the marks, trains, writes the weights.
///
/// # Errors
/// All problems of the marks at once, each with file and line; a file that cannot be written.
pub fn train(options: &TrainOptions, marks: &Path, to: &Path) -> Result<(Figures, Figures), TrainError> {
    let examples = read_corpus(options)?;
    let marked = read(marks, &examples).map_err(TrainError::Corpus)?;
    let books = Playbooks::shipped().unwrap_or_default();
    let mails: Vec<Marked<'_>> =
        marked.iter().filter_map(|(mark, example)| Marked::of(mark, example, &books)).collect();
    let keys: Vec<Choice> = mails.iter().map(|mail| mail.sentences(Aspect::Key)).collect();
    let wishes: Vec<Choice> = mails.iter().map(|mail| mail.sentences(Aspect::Wish)).collect();
    let (key, odds) = fit(&keys, COST[0])?;
    let matters: Vec<Choice> = mails.iter().zip(&odds).map(|(mail, odds)| mail.matters(odds)).collect();
    let (wish, wish_odds) = fit(&wishes, COST[1])?;
    let (matter, matter_odds) = fit(&matters, COST[2])?;
    let mut figures = (Figures::new(), Figures::new());
    for (name, scale, choices, odds) in [
        ("key", &key, &keys, &odds),
        ("wish", &wish, &wishes, &wish_odds),
        ("matter", &matter, &matters, &matter_odds),
    ] {
        for (choice, odds) in choices.iter().zip(odds) {
            let part = if choice.held_back { &mut figures.1 } else { &mut figures.0 };
            let chosen = part.entry((choice.language, name)).or_default();
            let best = choice.best(odds).filter(|(odds, _)| *odds >= scale.cut);
            chosen.there += usize::from(choice.there);
            chosen.chosen += usize::from(best.is_some());
            chosen.right += usize::from(best.is_some_and(|(_, right)| right));
        }
    }
    write(to, &Gist([key, wish, matter]).to_bytes())?;
    Ok(figures)
}

/// A marked mail, taken apart.
struct Marked<'a> {
    mark: &'a Mark,
    example: &'a Example,
    parts: Parts<'a>,
    labels: Vec<Label>,
    candidates: Vec<Candidate>,
}

impl<'a> Marked<'a> {
    fn of(mark: &'a Mark, example: &'a Example, books: &'a Playbooks) -> Option<Self> {
        let book = books.book(example.language)?;
        let found =
            Label::ALL.into_iter().zip(&example.labels).filter(|(_, is)| **is).map(|(label, _)| label);
        let (labels, wary) = answered(&found.collect::<Vec<_>>())?;
        let parts = Parts::of(&example.mail, book);
        let candidates = parts.reading(wary).candidates().to_vec();
        Some(Self { mark, example, parts, labels, candidates })
    }

    fn choice(&self, there: bool, rows: Vec<Row>) -> Choice {
        Choice {
            language: self.example.language,
            fold: self.example.fold(FOLDS),
            held_back: self.example.is_held_back(),
            there,
            rows,
        }
    }

    fn sentences(&self, aspect: Aspect) -> Choice {
        let main = self.labels.first().copied().unwrap_or(Label::Complaint);
        let words: Vec<&String> = match aspect {
            Aspect::Wish => self.mark.wish.iter().collect(),
            _ => self.mark.key.iter().chain(&self.mark.also).collect(),
        };
        let row = |candidate: &Candidate| Row {
            columns: candidate.columns(main),
            right: words.iter().any(|words| same(candidate.text(), words)),
        };
        self.choice(!words.is_empty(), self.candidates.iter().map(row).collect())
    }

    /// `odds` are those of the sentences by weights that did not see the mail.
    fn matters(&self, odds: &[f32]) -> Choice {
        let best = self.candidates.iter().zip(odds).max_by(|a, b| a.1.total_cmp(b.1));
        let key = best.map(|(candidate, _)| candidate.folded());
        let right = |name: &String| self.mark.matter.iter().chain(&self.mark.near).any(|known| known == name);
        let rows = self.parts.matters(key, &self.labels).into_iter();
        let rows = rows.map(|(matter, columns)| Row { columns, right: right(&matter.name) });
        self.choice(self.mark.matter.is_some(), rows.collect())
    }
}

impl Choice {
    /// The log-odds of the best candidate, and whether it is right.
    fn best(&self, odds: &[f32]) -> Option<(f32, bool)> {
        let rated = odds.iter().copied().zip(self.rows.iter().map(|row| row.right));
        rated.max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// Weights of all that is not held back, and the log-odds of every candidate by weights that did not
/// see its mail.
fn fit(choices: &[Choice], cost: f64) -> Result<(Scale, Vec<Vec<f32>>), TrainError> {
    let mut odds: Vec<Vec<f32>> = vec![Vec::new(); choices.len()];
    for fold in 0..FOLDS {
        let scale = scale(choices.iter().filter(|choice| !choice.held_back && choice.fold != fold))?;
        for (choice, odds) in
            choices.iter().zip(&mut odds).filter(|(choice, _)| !choice.held_back && choice.fold == fold)
        {
            *odds = choice.rows.iter().map(|row| scale.log_odds(&row.columns)).collect();
        }
    }
    let mut whole = scale(choices.iter().filter(|choice| !choice.held_back))?;
    for (choice, odds) in choices.iter().zip(&mut odds).filter(|(choice, _)| choice.held_back) {
        *odds = choice.rows.iter().map(|row| whole.log_odds(&row.columns)).collect();
    }
    let best = choices.iter().zip(&odds).filter(|(choice, _)| !choice.held_back);
    whole.cut = cut(best.filter_map(|(choice, odds)| choice.best(odds)).collect(), cost);
    Ok((whole, odds))
}

fn scale<'c>(choices: impl Iterator<Item = &'c Choice>) -> Result<Scale, TrainError> {
    let mut rows = Csr::new(COLUMNS);
    let mut right = vec![];
    for row in choices.flat_map(|choice| &choice.rows) {
        rows.push(row.columns.iter().map(|column| (*column, 1.0)));
        right.push(row.right);
    }
    let targets = Array2::from_shape_vec((right.len(), 1), right).unwrap_or_default();
    let params = SubspaceParams::default().alpha(RIDGE).steps(STEPS).check()?;
    let fitted = params.fit(&DatasetBase::new(rows, targets))?;
    let bias = fitted.bias.first().copied().unwrap_or_default();
    Ok(Scale::of(&fitted.weights, bias, f32::INFINITY))
}

/// The log-odds from which choosing is worth most.
fn cut(mut best: Vec<(f32, bool)>, cost: f64) -> f32 {
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut worth, mut most, mut cut) = (0.0, 0.0, f32::INFINITY);
    for (odds, right) in best {
        worth += if right { 1.0 } else { -cost };
        if worth > most {
            (most, cut) = (worth, odds);
        }
    }
    cut
}

/// Whether a candidate gives back the words that were marked.
fn same(candidate: &str, marked: &str) -> bool {
    let plain = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let (candidate, marked) = (plain(candidate), plain(marked));
    let (long, short) =
        if candidate.len() > marked.len() { (&candidate, &marked) } else { (&marked, &candidate) };
    !short.is_empty() && long.contains(short.as_str()) && short.len() * 2 >= long.len()
}

fn read<'e>(marks: &Path, examples: &'e [Example]) -> Result<Vec<(Mark, &'e Example)>, Vec<CorpusProblem>> {
    let known: BTreeMap<&str, &Example> =
        examples.iter().map(|example| (example.id.as_str(), example)).collect();
    let (mut found, mut problems) = (vec![], vec![]);
    let files = files(&[marks.to_owned()]).unwrap_or_else(|problem| {
        problems.push(problem);
        vec![]
    });
    for file in files {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                problems.push(CorpusProblem { file, line: 0, problem: error.to_string() });
                continue;
            }
        };
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            match one(text, &known) {
                Ok(mark) => found.push(mark),
                Err(problem) => problems.push(CorpusProblem { file: file.clone(), line, problem }),
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn one<'e>(line: &str, known: &BTreeMap<&str, &'e Example>) -> Result<(Mark, &'e Example), String> {
    let mark: Mark = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let example =
        known.get(mark.id.as_str()).ok_or_else(|| format!("no mail of the corpus is {}", mark.id))?;
    let text = example.mail.new_text.split_whitespace().collect::<Vec<_>>().join(" ");
    let stands = |words: &&String| !text.contains(&words.split_whitespace().collect::<Vec<_>>().join(" "));
    match mark.key.iter().chain(&mark.also).chain(&mark.wish).find(stands) {
        Some(words) => Err(format!("{} does not say {words:?}", mark.id)),
        None => Ok((mark, example)),
    }
}
