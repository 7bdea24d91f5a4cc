//! A small IMAP client that owes nothing to the product's.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::servers::Servers;

pub struct ImapClient {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    tag: u32,
}

pub struct Found {
    pub flags: Vec<String>,
    pub bytes: Vec<u8>,
}

impl ImapClient {
    pub fn login(servers: &Servers, user: &str) -> Self {
        Self::at(servers.port, user, &servers.password())
    }

    /// Another server than Dovecot.
    pub fn at(port: u16, user: &str, password: &str) -> Self {
        let login = format!("LOGIN {user} {password}");
        for _ in 0..50 {
            let mut client = Self::connect(port);
            let (_, answer) = client.command(&login);
            if answer.starts_with("OK") {
                return client;
            }
            // where only one line is allowed, the one just given up may still be counted
            assert!(answer.contains("[LIMIT]"), "{user}: {answer}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{user}: no line is free");
    }

    fn connect(port: u16) -> Self {
        let writer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        writer.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut client = Self { reader: BufReader::new(writer.try_clone().unwrap()), writer, tag: 0 };
        client.line();
        client
    }

    fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).unwrap();
        line
    }

    /// Untagged lines with their literals, and the tagged answer.
    fn command(&mut self, command: &str) -> (Vec<(String, Vec<u8>)>, String) {
        self.tag += 1;
        let tag = format!("t{} ", self.tag);
        self.writer.write_all(format!("{tag}{command}\r\n").as_bytes()).unwrap();
        let mut answers = Vec::new();
        loop {
            let mut text = String::from_utf8_lossy(&self.line()).into_owned();
            let mut literal = Vec::new();
            while let Some(size) = text
                .trim_end()
                .strip_suffix('}')
                .and_then(|t| t.rsplit_once('{'))
                .and_then(|(_, n)| n.parse::<usize>().ok())
            {
                literal = vec![0; size];
                self.reader.read_exact(&mut literal).unwrap();
                text.truncate(text.rfind('{').unwrap());
                text.push_str(&String::from_utf8_lossy(&self.line()));
            }
            if let Some(answer) = text.strip_prefix(&tag) {
                return (answers, answer.to_owned());
            }
            answers.push((text, literal));
        }
    }

    fn ok(&mut self, command: &str) -> Vec<(String, Vec<u8>)> {
        let (answers, answer) = self.command(command);
        assert!(answer.starts_with("OK"), "{command}: {answer}");
        answers
    }

    pub fn create(&mut self, folder: &str) {
        self.ok(&format!("CREATE \"{folder}\""));
    }

    /// A person deletes the mail with this id.
    pub fn delete(&mut self, folder: &str, id: &str) {
        let uids = self.search(folder, &format!("HEADER Message-ID \"{id}\""));
        self.ok(&format!("SELECT \"{folder}\""));
        for uid in uids {
            self.ok(&format!("UID STORE {uid} +FLAGS (\\Deleted)"));
            self.ok(&format!("UID EXPUNGE {uid}"));
        }
        self.ok("CLOSE");
    }

    /// A person moves the mail with this id.
    pub fn take(&mut self, from: &str, id: &str, to: &str) {
        let uids = self.search(from, &format!("HEADER Message-ID \"{id}\""));
        self.ok(&format!("SELECT \"{from}\""));
        for uid in uids {
            self.ok(&format!("UID MOVE {uid} \"{to}\""));
        }
        self.ok("CLOSE");
    }

    /// A person flags the mail with this id.
    pub fn flag(&mut self, folder: &str, id: &str, flags: &str) {
        let uids = self.search(folder, &format!("HEADER Message-ID \"{id}\""));
        self.ok(&format!("SELECT \"{folder}\""));
        for uid in uids {
            self.ok(&format!("UID STORE {uid} {flags}"));
        }
        self.ok("CLOSE");
    }

    /// Deletes or renames a folder, or whatever else succeeds with OK.
    pub fn order(&mut self, command: &str) {
        self.ok(command);
    }

    pub fn append(&mut self, folder: &str, bytes: &[u8]) {
        crate::canary::remember(bytes);
        let length = bytes.len();
        self.tag += 1;
        self.writer
            .write_all(format!("t{} APPEND \"{folder}\" {{{length}}}\r\n", self.tag).as_bytes())
            .unwrap();
        assert!(self.line().starts_with(b"+"));
        self.writer.write_all(bytes).unwrap();
        self.writer.write_all(b"\r\n").unwrap();
        let prefix = format!("t{} OK", self.tag);
        while !self.line().starts_with(prefix.as_bytes()) {}
    }

    fn open(&mut self, folder: &str) -> bool {
        self.command(&format!("EXAMINE \"{folder}\"")).1.starts_with("OK")
    }

    pub fn search(&mut self, folder: &str, criteria: &str) -> Vec<u32> {
        if !self.open(folder) {
            return Vec::new();
        }
        let answers = self.ok(&format!("UID SEARCH {criteria}"));
        let line = answers.iter().find_map(|(text, _)| text.strip_prefix("* SEARCH").map(str::to_owned));
        line.unwrap_or_default().split_whitespace().map(|n| n.parse().unwrap()).collect()
    }

    pub fn count(&mut self, folder: &str) -> usize {
        self.search(folder, "ALL").len()
    }

    /// Whether a folder that is not selected is empty, without making the server look at its mails.
    pub fn is_empty(&mut self, folder: &str) -> bool {
        let answers = self.ok(&format!("STATUS \"{folder}\" (MESSAGES)"));
        answers.iter().any(|(line, _)| line.contains("(MESSAGES 0)"))
    }

    fn fetch(&mut self, uids: &[u32]) -> Vec<Found> {
        uids.iter()
            .map(|uid| {
                let answers = self.ok(&format!("UID FETCH {uid} (FLAGS BODY.PEEK[])"));
                let (text, bytes) =
                    answers.into_iter().find(|(text, _)| text.contains(&format!("UID {uid}"))).unwrap();
                let flags = text.split("FLAGS (").nth(1).unwrap().split(')').next().unwrap();
                Found { flags: flags.split_whitespace().map(str::to_owned).collect(), bytes }
            })
            .collect()
    }

    pub fn find(&mut self, folder: &str, id: &str) -> Vec<Found> {
        let uids = self.search(folder, &format!("HEADER Message-ID \"{id}\""));
        self.fetch(&uids)
    }

    pub fn all(&mut self, folder: &str) -> Vec<Found> {
        let uids = self.search(folder, "ALL");
        self.fetch(&uids)
    }

    /// Every folder with its mails: uid, flags and Message-ID.
    pub fn everything(&mut self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let folders = self.ok("LIST \"\" \"*\"");
        for (text, _) in folders {
            let folder = text.trim_end().rsplit(" \"/\" ").next().unwrap().trim_matches('"').to_owned();
            for uid in self.search(&folder, "ALL") {
                let answers =
                    self.ok(&format!("UID FETCH {uid} (FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"));
                // the mail may be moved between two commands
                let Some((text, id)) = answers.into_iter().find(|(text, _)| text.contains("FLAGS")) else {
                    continue;
                };
                let flags = text.split("FLAGS (").nth(1).unwrap().split(')').next().unwrap();
                // \Recent belongs to whoever looks first
                let flags: BTreeSet<&str> = flags.split_whitespace().filter(|f| *f != "\\Recent").collect();
                all.insert(format!("{folder} {uid} {flags:?} {}", String::from_utf8_lossy(&id).trim()));
            }
        }
        all
    }

    /// How many mails are in queue folders.
    pub fn filed(&mut self) -> usize {
        self.everything().iter().filter(|line| line.starts_with("Queue/")).count()
    }

    /// Waits until `done`.
    pub fn until(&mut self, what: &str, done: impl Fn(&mut Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(
                begun.elapsed() < Duration::from_secs(40),
                "waited in vain: {what}\n{:#?}",
                self.everything()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
