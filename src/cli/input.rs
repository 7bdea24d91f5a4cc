//! Mails from files: `.eml`, mbox, Maildir, directories, JSON lines, standard input.

mod list;
mod stream;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use list::{Kind, kind_of, list};
use stream::Stream;

use crate::mail::{self, Mail, parse::MAX_MAIL_BYTES};

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
        let opened = if kind == Kind::Eml {
            File::open(&path).map(|file| Some(one_mail(file, &path)))
        } else {
            Stream::open(&path, kind).map(|stream| {
                self.open = Some(stream);
                None
            })
        };
        opened.unwrap_or_else(|source| Some(Err(InputError::Unreadable { path, source })))
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
