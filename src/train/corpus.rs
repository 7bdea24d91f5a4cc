//! Reads a corpus: mails with their labels.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::classify::hash;
use crate::mail::{Language, Mail};

/// A labelled mail.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its id, unique in the corpus.
    pub id: String,
    /// The language it is written in.
    pub language: Language,
    /// The mail.
    pub mail: Mail,
    /// For each label of the taxonomy whether it is present.
    pub labels: Vec<bool>,
    /// `plain`, `hard`, `trap` or empty.
    pub kind: String,
}

impl Example {
    /// Whether it belongs to the fifth that never trains and never guides.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        hash::mix(hash::of(&self.id)).is_multiple_of(5)
    }

    /// To which of `folds` parts it belongs.
    #[must_use]
    pub fn fold(&self, folds: u64) -> u64 {
        hash::mix(hash::of(&self.id) ^ 0xf01d) % folds.max(1)
    }
}

/// Something wrong in a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusProblem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for CorpusProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.problem)
    }
}

#[derive(Deserialize)]
struct Line {
    id: String,
    lang: Language,
    #[serde(default)]
    from_name: String,
    #[serde(default)]
    from: String,
    subject: String,
    body: String,
    labels: Vec<String>,
    primary: Option<String>,
    #[serde(default)]
    kind: String,
}

/// Reads every `*.jsonl` under `paths` (files or directories), sorted by id, and every mail of a
/// directory whose name is a label (`<label>/*.eml`; `none` for mails without one).
///
/// # Errors
/// Every problem of every file at once.
pub fn read(paths: &[PathBuf], taxonomy: &[String]) -> Result<Vec<Example>, Vec<CorpusProblem>> {
    let mut problems = vec![];
    let files = files(paths).unwrap_or_else(|problem| {
        problems.push(problem);
        vec![]
    });
    let mut known: BTreeMap<String, Example> = BTreeMap::new();
    for file in files {
        let found = match std::fs::read(&file) {
            Ok(bytes) => examples(&file, &bytes, taxonomy),
            Err(error) => vec![(0, Err(error.to_string()))],
        };
        for (line, example) in found {
            match example {
                Ok(example) if known.contains_key(&example.id) => {
                    problems.push(CorpusProblem {
                        file: file.clone(),
                        line,
                        problem: format!("id {} is used twice", example.id),
                    });
                }
                Ok(example) => {
                    known.insert(example.id.clone(), example);
                }
                Err(problem) => problems.push(CorpusProblem { file: file.clone(), line, problem }),
            }
        }
    }
    if problems.is_empty() && known.is_empty() {
        let file = paths.first().cloned().unwrap_or_default();
        problems.push(CorpusProblem {
            file,
            line: 0,
            problem: "no mails here: expected *.jsonl or <label>/*.eml".to_owned(),
        });
    }
    if problems.is_empty() { Ok(known.into_values().collect()) } else { Err(problems) }
}

/// The files of a corpus under these paths, sorted.
///
/// # Errors
/// The first path that cannot be listed.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CorpusProblem> {
    let mut files = vec![];
    for path in paths {
        let problem =
            |error: std::io::Error| CorpusProblem { file: path.clone(), line: 0, problem: error.to_string() };
        list(path, &mut files).map_err(problem)?;
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// SHA-256 of all mails with their labels, in order of id.
#[must_use]
pub fn checksum(examples: &[Example]) -> String {
    let mut text = String::new();
    for example in examples {
        let name = example.mail.sender().map_or("", |sender| sender.name.as_str());
        let flags: String = example.labels.iter().map(|is| if *is { '1' } else { '0' }).collect();
        for field in [example.id.as_str(), name, &example.mail.subject, &example.mail.new_text, &flags] {
            text.push_str(field);
            text.push('\0');
        }
    }
    crate::classify::model::checksum(text.as_bytes())
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            list(&entry?.path(), files)?;
        }
        Ok(())
    } else {
        let known = path.extension().is_some_and(|extension| extension == "jsonl" || extension == "eml");
        if known {
            files.push(path.to_owned());
        }
        std::fs::metadata(path).map(|_| ())
    }
}

type Found = Vec<(usize, Result<Example, String>)>;

fn examples(file: &Path, bytes: &[u8], taxonomy: &[String]) -> Found {
    if file.extension().is_some_and(|extension| extension == "eml") {
        return vec![(0, one_mail(file, bytes, taxonomy))];
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| (number, one_line(line, taxonomy)))
        .collect()
}

fn one_mail(file: &Path, bytes: &[u8], taxonomy: &[String]) -> Result<Example, String> {
    let folder = file
        .parent()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mail = crate::mail::parse(bytes);
    let labels = if folder == "none" { vec![] } else { vec![folder] };
    Ok(Example {
        id: file.display().to_string(),
        language: mail.language,
        labels: flags(&labels, taxonomy)?,
        mail,
        kind: String::new(),
    })
}

fn one_line(line: &[u8], taxonomy: &[String]) -> Result<Example, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let labels = flags(&line.labels, taxonomy)?;
    let first = taxonomy.iter().zip(&labels).find(|(_, is)| **is).map(|(name, _)| name.as_str());
    if line.primary.as_deref() != first {
        return Err(format!(
            "primary is {}, by precedence it is {}",
            line.primary.as_deref().unwrap_or("null"),
            first.unwrap_or("null")
        ));
    }
    let mail = Mail::from_message(&line.from_name, &line.from, &line.subject, &line.body);
    Ok(Example { id: line.id, language: line.lang, mail, labels, kind: line.kind })
}

fn flags(labels: &[String], taxonomy: &[String]) -> Result<Vec<bool>, String> {
    for (at, label) in labels.iter().enumerate() {
        if !taxonomy.contains(label) {
            return Err(format!("unknown label {label:?}, expected one of {}", taxonomy.join(", ")));
        }
        if labels.iter().take(at).any(|before| before == label) {
            return Err(format!("label {label} is given twice"));
        }
    }
    let alone = labels.len() > 1 && labels.iter().any(|label| label == "automated");
    if alone {
        Err("automated stands alone".to_owned())
    } else {
        Ok(taxonomy.iter().map(|name| labels.contains(name)).collect())
    }
}
