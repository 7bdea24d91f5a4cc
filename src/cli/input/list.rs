//! Which files are mail, and of which kind.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::InputError;

/// What is looked at to tell an mbox from a mail where the name does not.
const SNIFF_BYTES: u64 = 4 << 10;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Eml,
    Mbox,
    Json,
}

/// The mail files below a directory, sorted by path. Symbolic links to directories are not followed.
pub(super) fn list(directory: &Path, found: &mut Vec<(PathBuf, Kind)>) -> Result<(), InputError> {
    let unreadable = |source| InputError::Unreadable { path: directory.to_owned(), source };
    let mut entries =
        fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let maildir = directory.join("cur").is_dir() && directory.join("new").is_dir();
    let in_maildir = directory.file_name().is_some_and(|name| name == "cur" || name == "new");
    for entry in entries {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let name = entry.file_name();
        if kind.is_dir() {
            // what lies in tmp is not delivered yet
            if !(maildir && name == "tmp") {
                list(&path, found)?;
            }
        } else if in_maildir {
            found.push((path, Kind::Eml));
        } else if !maildir
            && !name.as_encoded_bytes().starts_with(b".")
            && let Some(kind) = kind_of(&path)
        {
            found.push((path, kind));
        }
    }
    Ok(())
}

/// What a file holds, by its name, else by its beginning.
pub(super) fn kind_of(path: &Path) -> Option<Kind> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("eml") => return Some(Kind::Eml),
        Some("mbox" | "mbx") => return Some(Kind::Mbox),
        Some("jsonl" | "ndjson") => return Some(Kind::Json),
        _ => {}
    }
    let mut start = Vec::new();
    File::open(path).ok()?.take(SNIFF_BYTES).read_to_end(&mut start).ok()?;
    if start.starts_with(b"From ") {
        return Some(Kind::Mbox);
    }
    let text = String::from_utf8_lossy(&start);
    let fields =
        ["from:", "to:", "subject:", "date:", "received:", "return-path:", "message-id:", "delivered-to:"];
    let head = text.lines().take_while(|line| !line.is_empty()).map(str::to_lowercase);
    (head.filter(|line| fields.iter().any(|field| line.starts_with(field))).count() >= 2).then_some(Kind::Eml)
}
