//! The playbooks of a config, read from its folder.

use std::path::Path;

use super::BadFiles;
use crate::decide::own::OwnFile;
use crate::decide::{Name, OwnPlaybooks};
use crate::mail::Language;
use crate::reply::Playbooks;
use crate::reply::playbook::NAMES;

/// The shipped playbooks with those in `dir` laid over them, and those under names of the company's
/// own `labels`; without `labels` any name may be one.
///
/// # Errors
/// With every problem of the files.
pub fn playbooks(dir: Option<&Path>, labels: Option<&[Name]>) -> anyhow::Result<(Playbooks, OwnPlaybooks)> {
    let files = dir.map_or_else(|| Ok(Vec::new()), read)?;
    let (mut company, mut own, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (language, name, text) in files {
        let label = Name::new(&name).ok().filter(|_| !NAMES.contains(&name.as_str()));
        match label {
            Some(label) if labels.is_none_or(|labels| labels.contains(&label)) => {
                own.push(OwnFile { language, label, text });
            }
            Some(label) => problems.push(format!(
                "{language}/{name}.toml: there is no label {label}; add it to [learning] labels, or call the file one of {}",
                NAMES.join(", ")
            )),
            None => company.push((format!("{language}/{name}.toml"), text)),
        }
    }
    let company: Vec<(&str, &str)> =
        company.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut say = |found: Vec<crate::reply::PlaybookProblem>| {
        problems.extend(found.iter().map(ToString::to_string));
    };
    let shipped = Playbooks::with(&company).map_err(&mut say);
    // what is wrong with the others would be told again
    let own = match &shipped {
        Ok(_) => OwnPlaybooks::parse(&company, &own).map_err(say),
        Err(()) => Err(()),
    };
    match (shipped, own) {
        (Ok(shipped), Ok(own)) if problems.is_empty() => Ok((shipped, own)),
        _ => Err(BadFiles(problems).into()),
    }
}

/// Language, name and text of every playbook in a folder, in that order.
fn read(dir: &Path) -> anyhow::Result<Vec<(Language, String, String)>> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        BadFiles(vec![format!(
            "playbooks: {}: {error}; name a directory with <language>/<label>.toml",
            path.display()
        )])
    };
    let mut files = Vec::new();
    for language in Language::ALL {
        let folder = dir.join(language.as_str());
        if !folder.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.extension().is_some_and(|ending| ending == "toml") {
                let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                files.push((language, name, text));
            }
        }
    }
    if files.is_empty() {
        let none = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no playbook in it");
        return Err(unreadable(dir, &none).into());
    }
    files.sort();
    Ok(files)
}
