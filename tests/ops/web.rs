//! A reader of pages, and a daemon without a mail server behind it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn exchange(mut stream: impl Read + Write, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    // templates write a slash of data so; it reads better here
    Answer { status, head: head.to_owned(), body: body.replace("&#x2f;", "/") }
}

/// A request as bytes; `headers` are whole lines with their ends.
pub fn request(method: &str, path: &str, host: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

pub fn ask_port(port: u16, text: &str) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    exchange(stream, text)
}

pub fn get(port: u16, path: &str) -> Answer {
    ask_port(port, &request("GET", path, &format!("127.0.0.1:{port}"), "", ""))
}

pub fn get_socket(socket: &Path, path: &str) -> Answer {
    exchange(UnixStream::connect(socket).unwrap(), &request("GET", path, "localhost", "", ""))
}

pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A daemon whose mail server does not answer; killed when dropped.
pub struct Lonely {
    child: Child,
    pub dir: tempfile::TempDir,
    pub config: PathBuf,
}

impl Lonely {
    /// With `extra` at the end of its config; `DIR` in it is a directory of its own.
    pub fn start(extra: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("evenkeel.toml");
        let secret = dir.path().join("password");
        fs::write(&secret, "canary-password").unwrap();
        crate::canary::remember_secret("canary-password");
        crate::e2e::servers::protect(&secret);
        let text = format!(
            "mode = \"act\"\nstate-dir = \"DIR/state\"\nauthserv-ids = [\"mx.example.test\"]\n[[account]]\nname = \"support\"\n\
             address = \"support@example.test\"\n[account.imap]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n\
             user = \"support\"\npassword-file = \"DIR/password\"\n{extra}\n"
        );
        fs::write(&config, text.replace("DIR", &dir.path().display().to_string())).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .arg("--config")
            .arg(&config)
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.path().join("daemon.log")).unwrap())
            .spawn()
            .unwrap();
        let lonely = Self { child, dir, config };
        lonely.until("not connected");
        lonely
    }

    /// A signal by its name, as `kill` knows it.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Ends the daemon and waits for that; its files stay.
    pub fn end(&mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("daemon.log")).unwrap()
    }

    pub fn until(&self, text: &str) {
        let begun = Instant::now();
        while !self.log().contains(text) {
            assert!(begun.elapsed() < Duration::from_mins(2), "{text:?} did not come:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Lonely {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        crate::canary::search("a lonely daemon's log", &self.log());
        crate::canary::search_audits(self.dir.path());
    }
}
