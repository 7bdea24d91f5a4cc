//! Mails from files: `.eml`, mbox, Maildir, directories, JSON lines, standard input.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::mail::{self, Mail, parse::MAX_MAIL_BYTES};

/// Longest JSON line read, in bytes: a message is far shorter, a file without line ends is not.
const MAX_LINE_BYTES: u64 = 8 << 20;
/// What is looked at to tell an mbox from a mail where the name does not.
const SNIFF_BYTES: u64 = 4 << 10;

/// One mail and the name under which it is reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The input's own id (JSON lines), else the Message-ID, else the path; behind a path, `#3` is
    /// the third mail of an mbox and `:3` the third line of a file.
    pub id: String,
    /// The mail.
    pub mail: Mail,
}

/// Why one input could not be read. The others still are.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file or directory could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is no message.
    #[error("{}:{line}: no message: {detail}; expected {{\"id\", \"from_name\", \"subject\", \"body\"}}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// A directory holds nothing that looks like mail.
    #[error("no mail in {}: expected .eml, .mbox or .jsonl files, or a Maildir", path.display())]
    NoMail {
        /// The directory.
        path: PathBuf,
    },
}

/// The mails of some paths, in the order given, directories in the order of their names. Reads as it
/// goes: an mbox or JSON file of any size is never held in memory.
#[derive(Debug)]
pub struct Inputs {
    todo: VecDeque<Source>,
    open: Option<Stream>,
}

#[derive(Debug)]
enum Source {
    /// Named by the user: an unknown file is taken for a mail.
    Named(PathBuf),
    /// Found in a directory, known to be of this kind.
    Found(PathBuf, Kind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Eml,
    Mbox,
    Json,
}

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    reader: BufReader<File>,
    kind: Kind,
    /// Lines read (JSON) or mails returned (mbox).
    count: usize,
    /// The first line of the next mail has been read.
    started: bool,
}

impl Inputs {
    /// The mails of `paths`; `-` is one mail on standard input.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { todo: paths.into_iter().map(Source::Named).collect(), open: None }
    }

    fn named(&mut self, path: PathBuf) -> Option<Result<Input, InputError>> {
        if path.as_os_str() == "-" {
            return Some(one_mail(io::stdin().lock(), &path));
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                let mut found = Vec::new();
                if let Err(error) = list(&path, &mut found) {
                    return Some(Err(error));
                }
                if found.is_empty() {
                    return Some(Err(InputError::NoMail { path }));
                }
                for (path, kind) in found.into_iter().rev() {
                    self.todo.push_front(Source::Found(path, kind));
                }
                None
            }
            Ok(_) => {
                let kind = kind_of(&path).unwrap_or(Kind::Eml);
                self.found(path, kind)
            }
            Err(source) => Some(Err(InputError::Unreadable { path, source })),
        }
    }

    fn found(&mut self, path: PathBuf, kind: Kind) -> Option<Result<Input, InputError>> {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) => return Some(Err(InputError::Unreadable { path, source })),
        };
        if kind == Kind::Eml {
            return Some(one_mail(file, &path));
        }
        self.open = Some(Stream { path, reader: BufReader::new(file), kind, count: 0, started: false });
        None
    }
}

impl Iterator for Inputs {
    type Item = Result<Input, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(stream) = &mut self.open {
                match stream.read() {
                    Ok(Some(input)) => return Some(Ok(input)),
                    Ok(None) => self.open = None,
                    Err(error) => {
                        // a bad line is passed over, a bad file is left
                        if matches!(error, InputError::Unreadable { .. }) {
                            self.open = None;
                        }
                        return Some(Err(error));
                    }
                }
            }
            let step = match self.todo.pop_front()? {
                Source::Named(path) => self.named(path),
                Source::Found(path, kind) => self.found(path, kind),
            };
            if step.is_some() {
                return step;
            }
        }
    }
}

fn one_mail(reader: impl Read, path: &Path) -> Result<Input, InputError> {
    let mut bytes = Vec::new();
    // one byte more than is parsed, so that the parser sees that there was more
    let limit = MAX_MAIL_BYTES as u64 + 1;
    reader
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|source| InputError::Unreadable { path: path.to_owned(), source })?;
    Ok(input(&bytes, || path.display().to_string()))
}

fn input(bytes: &[u8], name: impl FnOnce() -> String) -> Input {
    let mail = mail::parse(bytes);
    let id = mail.message_id.as_ref().map_or_else(name, |id| id.as_str().to_owned());
    Input { id, mail }
}

impl Stream {
    fn read(&mut self) -> Result<Option<Input>, InputError> {
        match self.kind {
            Kind::Json => self.message(),
            Kind::Mbox | Kind::Eml => self.mail(),
        }
    }

    fn line(&mut self, line: &mut Vec<u8>) -> Result<usize, InputError> {
        line.clear();
        let read = self.reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line);
        read.map_err(|source| InputError::Unreadable { path: self.path.clone(), source })
    }

    /// The next mail of an mbox (RFC 4155, quoted as in mboxrd).
    fn mail(&mut self) -> Result<Option<Input>, InputError> {
        let mut bytes = Vec::new();
        let mut line = Vec::new();
        let mut after_blank = true;
        loop {
            let read = self.line(&mut line)?;
            let starts = after_blank && line.starts_with(b"From ");
            if read == 0 || (starts && self.started) {
                break;
            }
            after_blank = line.trim_ascii().is_empty();
            self.started |= starts;
            if starts || bytes.len() > MAX_MAIL_BYTES {
                continue;
            }
            let quoted = line.trim_ascii_start().iter().take_while(|b| **b == b'>').count();
            let unquote = quoted > 0 && line.get(quoted..).is_some_and(|rest| rest.starts_with(b"From "));
            bytes.extend_from_slice(line.get(usize::from(unquote)..).unwrap_or(&line));
        }
        if line.is_empty() && bytes.trim_ascii().is_empty() && !self.started {
            return Ok(None);
        }
        // at the end of the file no further mail has been started
        self.started = !line.is_empty();
        self.count += 1;
        Ok(Some(input(&bytes, || format!("{}#{}", self.path.display(), self.count))))
    }

    /// The next message of a JSON lines file.
    fn message(&mut self) -> Result<Option<Input>, InputError> {
        let mut line = Vec::new();
        loop {
            if self.line(&mut line)? == 0 {
                return Ok(None);
            }
            self.count += 1;
            let whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE_BYTES;
            let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
            if !whole {
                let error = self.bad("longer than 8 MiB");
                while !line.ends_with(b"\n") && self.line(&mut line)? > 0 {}
                return Err(error);
            }
            if text.is_empty() {
                continue;
            }
            let message: Message =
                serde_json::from_slice(text).map_err(|error| self.bad(&error.to_string()))?;
            return Ok(Some(self.from_message(message)));
        }
    }

    fn bad(&self, detail: &str) -> InputError {
        InputError::BadLine { path: self.path.clone(), line: self.count, detail: detail.to_owned() }
    }

    fn from_message(&self, message: Message) -> Input {
        let id = match message.id {
            Some(Id::Text(id)) if !id.is_empty() => id,
            Some(Id::Number(id)) => id.to_string(),
            _ => format!("{}:{}", self.path.display(), self.count),
        };
        let or_empty = Option::unwrap_or_default;
        let mail = Mail::from_message(
            &or_empty(message.from_name),
            &or_empty(message.from),
            &or_empty(message.subject),
            &or_empty(message.body),
        );
        Input { id, mail }
    }
}

/// One line of the corpus, or of the user's own export. Unknown keys are ignored.
#[derive(Deserialize)]
struct Message {
    id: Option<Id>,
    from_name: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

/// The mail files below a directory, sorted by path. Symbolic links to directories are not followed.
fn list(directory: &Path, found: &mut Vec<(PathBuf, Kind)>) -> Result<(), InputError> {
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
fn kind_of(path: &Path) -> Option<Kind> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str =
        "From: Ana <ana@example.org>\nSubject: Hola\nMessage-ID: <1@example.org>\n\nBuenos días\n";

    fn ids(path: &Path) -> Vec<Result<String, String>> {
        Inputs::new([path.to_owned()]).map(|i| i.map(|i| i.id).map_err(|e| e.to_string())).collect()
    }

    #[test]
    fn a_maildir_is_read_but_not_its_tmp() {
        let dir = tempfile::tempdir().unwrap();
        for (name, id) in
            [("cur/2:2,S", "b"), ("new/1", "a"), ("tmp/3", "c"), (".Sent/cur/4", "d"), (".Sent/new/5", "e")]
        {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, MAIL.replace("1@", &format!("{id}@"))).unwrap();
        }
        let ids: Vec<_> = ids(dir.path()).into_iter().map(Result::unwrap).collect();
        assert_eq!(ids, ["d@example.org", "e@example.org", "b@example.org", "a@example.org"]);
    }

    #[test]
    fn an_mbox_gives_each_mail_and_undoes_its_quoting() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box.mbox");
        let second = "From x\nSubject: no id\n\n>From here on\nFrom the start it failed\n\n";
        fs::write(&path, format!("From ana@example.org Mon\n{MAIL}\n{second}")).unwrap();
        let mails: Vec<_> = Inputs::new([path.clone()]).map(Result::unwrap).collect();
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0].id, "1@example.org");
        assert_eq!(mails[1].id, format!("{}#2", path.display()));
        assert_eq!(mails[1].mail.new_text, "From here on\nFrom the start it failed");
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        fs::write(&path, "{\"id\":\"a\",\"body\":\"one\"}\nnot json\n\n{\"body\":\"two\",\"extra\":1}\n{\"id\":7,\"subject\":null}").unwrap();
        let ids = ids(&path);
        assert_eq!(ids[0], Ok("a".into()));
        assert!(ids[1].as_ref().unwrap_err().contains("in.jsonl:2: no message"));
        assert_eq!(ids[2], Ok(format!("{}:4", path.display())));
        assert_eq!(ids[3], Ok("7".into()));
    }

    #[test]
    fn a_missing_file_does_not_stop_the_others() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.eml"), MAIL).unwrap();
        fs::write(dir.path().join("notes.txt"), "nothing").unwrap();
        let paths = [dir.path().join("none.eml"), dir.path().to_owned()];
        let all: Vec<_> = Inputs::new(paths).collect();
        assert!(matches!(all[0], Err(InputError::Unreadable { .. })));
        assert_eq!(all[1].as_ref().unwrap().id, "1@example.org");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_directory_without_mail_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ids(dir.path())[0].as_ref().unwrap_err().starts_with("no mail in "));
    }
}
