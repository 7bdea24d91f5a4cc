//! Mails that follow one another in a file, read as they are asked for.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::list::Kind;
use super::{Input, InputError, input};
use crate::mail::{Mail, parse::MAX_MAIL_BYTES};

/// Longest JSON line read, in bytes: a message is far shorter, a file without line ends is not.
const MAX_LINE_BYTES: u64 = 8 << 20;

/// A file of mails, and how far it has been read.
#[derive(Debug)]
pub(super) struct Stream {
    path: PathBuf,
    reader: BufReader<File>,
    kind: Kind,
    /// Lines read (JSON) or mails returned (mbox).
    count: usize,
    /// The first line of the next mail has been read.
    started: bool,
}

impl Stream {
    /// Opens a file of this kind.
    pub(super) fn open(path: &Path, kind: Kind) -> io::Result<Self> {
        let reader = BufReader::new(File::open(path)?);
        Ok(Self { path: path.to_owned(), reader, kind, count: 0, started: false })
    }

    /// The next mail, or `None` at the end.
    pub(super) fn read(&mut self) -> Result<Option<Input>, InputError> {
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
            return Ok(Some(self.input(message)));
        }
    }

    fn bad(&self, detail: &str) -> InputError {
        InputError::BadLine { path: self.path.clone(), line: self.count, detail: detail.to_owned() }
    }

    fn input(&self, message: Message) -> Input {
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
