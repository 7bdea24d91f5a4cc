//! An SMTP server that answers each verb as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a verb is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Says(&'static str),
    /// To the recipient with this word only; the others are taken.
    SaysTo(&'static str, &'static str),
    Silence,
}

#[derive(Debug, Default)]
struct Inner {
    answers: BTreeMap<&'static str, Answer>,
    /// Recipients and text of what was taken.
    taken: Vec<(Vec<String>, String)>,
    attempts: usize,
}

/// The server.
#[derive(Clone, Debug)]
pub struct SmtpPeer {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl SmtpPeer {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let peer = Self { port: listener.local_addr().unwrap().port(), inner: Arc::default() };
        let shared = peer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let peer = shared.clone();
                std::thread::spawn(move || {
                    let _ = peer.converse(stream);
                });
            }
        });
        peer
    }

    /// `verb` is `banner`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA` or `body`.
    pub fn answer(&self, verb: &'static str, answer: Answer) {
        self.inner.lock().unwrap().answers.insert(verb, answer);
    }

    pub fn behave(&self) {
        self.inner.lock().unwrap().answers.clear();
    }

    pub fn taken(&self) -> Vec<(Vec<String>, String)> {
        self.inner.lock().unwrap().taken.clone()
    }

    pub fn attempts(&self) -> usize {
        self.inner.lock().unwrap().attempts
    }

    /// Whether the verb was taken.
    fn say(&self, out: &mut TcpStream, verb: &str, about: &str, usual: &str) -> std::io::Result<bool> {
        let answer = self.inner.lock().unwrap().answers.get(verb).cloned();
        let text = match answer {
            Some(Answer::Says(text)) => text,
            Some(Answer::SaysTo(whom, text)) if about.contains(whom) => text,
            Some(Answer::Silence) => {
                std::thread::sleep(Duration::from_mins(1));
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            _ => usual,
        };
        out.write_all(format!("{text}\r\n").as_bytes())?;
        Ok(text.starts_with(['2', '3']))
    }

    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        self.inner.lock().unwrap().attempts += 1;
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream).lines();
        if !self.say(&mut out, "banner", "", "220 peer")? {
            return Ok(());
        }
        let mut to = Vec::new();
        while let Some(line) = lines.next().transpose()? {
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    self.say(&mut out, "EHLO", "", "250-peer\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")?;
                }
                "AUTH" => {
                    self.say(&mut out, "AUTH", "", "235 welcome")?;
                }
                "MAIL" => {
                    to.clear();
                    self.say(&mut out, "MAIL", "", "250 ok")?;
                }
                "RCPT" => {
                    if self.say(&mut out, "RCPT", &line, "250 ok")? {
                        to.push(line);
                    }
                }
                "DATA" => {
                    if !self.say(&mut out, "DATA", "", "354 go")? {
                        continue;
                    }
                    let mut text = String::new();
                    for line in lines.by_ref() {
                        let line = line?;
                        if line == "." {
                            break;
                        }
                        text.push_str(&line);
                        text.push('\n');
                    }
                    if self.say(&mut out, "body", "", "250 taken")? {
                        self.inner.lock().unwrap().taken.push((to.clone(), text));
                    }
                }
                "QUIT" => {
                    out.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                _ => out.write_all(b"500 what\r\n")?,
            }
        }
        Ok(())
    }
}
