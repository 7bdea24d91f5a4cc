//! The config and its drop-in files as one table. Files of `conf.d` beside the config are laid over
//! it in the byte order of their names: tables merge key by key, a value replaces a value, `[[rule]]`
//! and `[[route]]` with an id that is there already replace it in its place, others are added at the
//! end.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, ConfigProblem};

/// Lists whose entries are known by `id`.
const BY_ID: [&str; 2] = ["rule", "route"];

/// A file's text and where it stands among all texts.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its text, after as much white space as the files before it are long. So every place in every
    /// file has a number of its own.
    text: String,
    start: usize,
}

/// The files of a config, in the order in which they are read.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// One more file.
    pub fn add(&mut self, path: &Path, text: &str) {
        let start = self.0.last().map_or(0, |last| last.text.len() + 1);
        let text = format!("{}{text}", " ".repeat(start));
        self.0.push(Source { path: path.to_owned(), text, start });
    }

    /// The file and line of a place.
    #[must_use]
    pub fn place(&self, at: usize) -> (PathBuf, Option<usize>) {
        let source = self.0.iter().rev().find(|source| source.start <= at).or_else(|| self.0.first());
        source.map_or_else(Default::default, |source| {
            let line = source.text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
            (source.path.clone(), Some(line))
        })
    }

    /// A problem at a place.
    #[must_use]
    pub fn problem(&self, span: Option<&Range<usize>>, what: String) -> ConfigProblem {
        let (file, line) = match span {
            Some(span) => self.place(span.start),
            None => (self.0.first().map_or_else(PathBuf::new, |source| source.path.clone()), None),
        };
        ConfigProblem { file, line, what }
    }

    /// All files as one table.
    ///
    /// # Errors
    /// With every file that is no TOML, and every id that a file gives twice.
    pub fn merged(&self) -> Result<DeTable<'_>, ConfigError> {
        let mut problems = Vec::new();
        let mut whole: Option<DeTable<'_>> = None;
        for source in &self.0 {
            match DeTable::parse(&source.text) {
                Err(error) => {
                    let what = format!("{}; the file must be TOML", error.message());
                    let span = error.span().unwrap_or(source.start..source.start);
                    problems.push(self.problem(Some(&span), what));
                }
                Ok(table) => {
                    let table = table.into_inner();
                    problems.extend(self.twice(&table));
                    match &mut whole {
                        None => whole = Some(table),
                        Some(whole) => lay_over(whole, table, true),
                    }
                }
            }
        }
        if problems.is_empty() { Ok(whole.unwrap_or_default()) } else { Err(ConfigError(problems)) }
    }

    fn twice(&self, table: &DeTable<'_>) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for list in BY_ID {
            let Some(DeValue::Array(items)) = table.get(list).map(Spanned::get_ref) else { continue };
            for (index, item) in items.iter().enumerate() {
                let Some(id) = id_of(item) else { continue };
                if items.iter().take(index).any(|earlier| id_of(earlier) == Some(id)) {
                    let what = format!("{list} {id:?} is there twice in this file; give each its own id");
                    problems.push(self.problem(Some(&item.span()), what));
                }
            }
        }
        problems
    }
}

/// The `id` of an entry.
pub(super) fn id_of<'a>(item: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    match item.get_ref() {
        DeValue::Table(table) => match table.get("id").map(Spanned::get_ref) {
            Some(DeValue::String(id)) => Some(id.as_ref()),
            _ => None,
        },
        _ => None,
    }
}

fn lay_over<'a>(base: &mut DeTable<'a>, over: DeTable<'a>, top: bool) {
    for (key, value) in over {
        let by_id = top && BY_ID.contains(&key.get_ref().as_ref());
        let appended = top && key.get_ref().as_ref() == "account";
        let name: Cow<'a, str> = key.get_ref().clone();
        let Some(below) = base.get_mut(name.as_ref()) else {
            base.insert(key, value);
            continue;
        };
        let span = value.span();
        match (below.get_mut(), value.into_inner()) {
            (DeValue::Table(below), DeValue::Table(above)) => lay_over(below, above, false),
            (DeValue::Array(below), DeValue::Array(above)) if by_id => {
                for item in above {
                    let same = id_of(&item).map(str::to_owned);
                    match below.iter_mut().find(|known| same.is_some() && id_of(known) == same.as_deref()) {
                        Some(known) => *known = item,
                        None => below.push(item),
                    }
                }
            }
            (DeValue::Array(below), DeValue::Array(above)) if appended => {
                for item in above {
                    below.push(item);
                }
            }
            (_, above) => *below = Spanned::new(span, above),
        }
    }
}

/// The drop-in files beside `config`, in the byte order of their names.
///
/// # Errors
/// When the directory is there and cannot be read.
pub fn drop_ins(config: &Path) -> std::io::Result<Vec<PathBuf>> {
    let dir = config.parent().unwrap_or_else(|| Path::new("")).join("conf.d");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir)? {
        let path = entry?.path();
        // editors leave hidden and other files beside
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(files: &[&str]) -> String {
        let mut sources = Sources::default();
        for (n, text) in files.iter().enumerate() {
            sources.add(Path::new(&format!("{n}.toml")), text);
        }
        format!(
            "{:?}",
            sources.merged().map(|table| table.keys().map(|k| k.get_ref().to_string()).collect::<Vec<_>>())
        )
    }

    #[test]
    fn a_place_is_found_in_its_own_file() {
        let mut sources = Sources::default();
        sources.add(Path::new("a.toml"), "x = 1\ny = 2\n");
        sources.add(Path::new("b.toml"), "z = 3\n\nw = 4\n");
        let table = sources.merged().unwrap();
        let place = |key: &str| sources.place(table.get(key).unwrap().span().start);
        assert_eq!(place("y"), (PathBuf::from("a.toml"), Some(2)));
        assert_eq!(place("w"), (PathBuf::from("b.toml"), Some(3)));
    }

    #[test]
    fn two_entries_of_one_id_in_one_file_are_a_mistake_and_in_two_files_a_replacement() {
        let rule = "[[rule]]\nid = \"a\"\nwhen = \"true\"\n";
        assert!(merged(&[&format!("{rule}{rule}")]).contains("twice"));
        let mut sources = Sources::default();
        sources.add(Path::new("a.toml"), &format!("{rule}[[rule]]\nid = \"b\"\n"));
        sources.add(Path::new("b.toml"), "[[rule]]\nid = \"a\"\nwhen = \"false\"\n[[rule]]\nid = \"c\"\n");
        let table = sources.merged().unwrap();
        let DeValue::Array(rules) = table.get("rule").unwrap().get_ref() else { panic!("no list") };
        let ids: Vec<_> = rules.iter().filter_map(id_of).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(sources.place(rules[0].span().start).0, PathBuf::from("b.toml"));
    }
}
