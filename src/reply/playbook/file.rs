//! How a playbook is written, and how one is laid over another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::wording::{Ask, Wording};
use super::{Book, Matter, NAMES, Outcome, Script, folder};
use crate::mail::Language;
use crate::reply::lexicon::Phrases;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    moves: Option<Vec<Vec<String>>>,
    #[serde(default)]
    say: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    ask: Vec<AskLine>,
    #[serde(default)]
    matter: Vec<MatterTable>,
    #[serde(default)]
    outcome: Vec<OutcomeTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AskLine {
    q: String,
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MatterTable {
    name: String,
    strong: Phrases,
    #[serde(default)]
    weak: Phrases,
    #[serde(default)]
    ask: Vec<AskLine>,
    #[serde(default)]
    say: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct OutcomeTable {
    name: String,
    said: String,
    #[serde(default)]
    strong: Phrases,
    #[serde(default)]
    weak: Phrases,
    #[serde(default)]
    step: Vec<String>,
}

/// Language and name of a path such as `en/complaint.toml`.
pub(super) fn place(path: &str) -> Option<(Language, &'static str)> {
    let (language, name) = path.split_once('/')?;
    let language = match language {
        "en" => Language::En,
        "es" => Language::Es,
        "ru" => Language::Ru,
        "uk" => Language::Uk,
        _ => return None,
    };
    let name = name.strip_suffix(".toml")?;
    NAMES.iter().find(|known| **known == name).map(|known| (language, *known))
}

impl Book {
    pub(super) fn lay(&mut self, language: Language, name: &str, file: File) {
        let stem = format!("{}/{name}", folder(language));
        for table in file.matter {
            let stem = format!("{stem}/{}", table.name);
            let mut script = Script::default();
            script.lay(&stem, None, table.say, table.ask);
            let matter = Matter { name: table.name, strong: table.strong, weak: table.weak, script };
            match self.matters.iter_mut().find(|known| known.name == matter.name) {
                Some(known) => *known = matter,
                None => self.matters.push(matter),
            }
        }
        let spoken = self.matters.iter().filter(|matter| matter.name != "silence");
        let signs: BTreeSet<&str> = spoken.flat_map(|matter| matter.strong.iter()).collect();
        self.signs = signs.into_iter().map(str::to_owned).collect::<Vec<_>>().into();
        for table in file.outcome {
            let stem = format!("{stem}/{}", table.name);
            let mut script = Script::default();
            if !table.step.is_empty() {
                script.lay(&stem, None, BTreeMap::from([("step".to_owned(), table.step)]), Vec::new());
            }
            let (name, said) = (table.name, table.said);
            let outcome = Outcome { name, said, strong: table.strong, weak: table.weak, script };
            match self.outcomes.iter_mut().find(|known| known.name == outcome.name) {
                Some(known) => *known = outcome,
                None => self.outcomes.push(outcome),
            }
        }
        self.scripts.entry(name.to_owned()).or_default().lay(&stem, file.moves, file.say, file.ask);
    }
}

impl Script {
    fn lay(
        &mut self,
        stem: &str,
        moves: Option<Vec<Vec<String>>>,
        say: BTreeMap<String, Vec<String>>,
        ask: Vec<AskLine>,
    ) {
        if let Some(moves) = moves {
            self.moves = moves;
        }
        for (name, texts) in say {
            let stem = format!("{stem}/{name}");
            self.say.insert(name, texts.into_iter().map(|text| Wording::new(&stem, text)).collect());
        }
        if !ask.is_empty() {
            self.ask = ask.into_iter().map(|line| Ask::new(stem, line.q, line.unless)).collect();
        }
    }
}
