//! Throwaway servers and daemons.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::canary;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/throwaway-servers");

static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Dovecot and Postfix in a directory of their own; gone when dropped.
pub struct Servers {
    pub dir: PathBuf,
    pub port: u16,
    _temp: tempfile::TempDir,
}

/// The program that is tested: the one just built, or for long runs one that `EVENKEEL_BIN` names.
fn program() -> PathBuf {
    std::env::var_os("EVENKEEL_BIN").map_or_else(|| env!("CARGO_BIN_EXE_evenkeel").into(), PathBuf::from)
}

pub fn protect(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

impl Servers {
    /// Starts them; `None`, said aloud, where that is impossible.
    pub fn start(name: &str, dovecot: &[&str]) -> Option<Self> {
        let installed =
            ["/usr/sbin/dovecot", "/usr/sbin/postfix"].iter().all(|path| Path::new(path).exists());
        let root = fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
        if !installed || !root {
            let why = "Dovecot and Postfix from Debian's packages, and root, are needed";
            assert!(std::env::var("EVENKEEL_E2E").as_deref() != Ok("required"), "{why}");
            crate::skipped::skipped(name, why);
            return None;
        }
        let temp = tempfile::Builder::new().prefix("evenkeel-e2e-").tempdir().unwrap();
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let dir = temp.path().join("servers");
        // ports of their own for each test; another process may hold some
        for _ in 0..20 {
            let step = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
            let port = 21_000 + (std::process::id() % 700) as u16 * 50 % 9_000 + step * 6;
            let free = (0..5).all(|i| std::net::TcpListener::bind(("127.0.0.1", port + i)).is_ok());
            if !free {
                continue;
            }
            let output = Command::new(SCRIPT)
                .arg("start")
                .arg(&dir)
                .arg(port.to_string())
                .args(dovecot)
                .output()
                .unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            let servers = Self { dir, port, _temp: temp };
            canary::remember_secret(&servers.password());
            return Some(servers);
        }
        panic!("no free ports on loopback");
    }

    /// Ends Dovecot alone, and waits until it has gone.
    pub fn stop_dovecot(&self) {
        let pid = fs::read_to_string(self.dir.join("run/master.pid")).unwrap();
        let pid = pid.trim();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        while Path::new(&format!("/proc/{pid}")).exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts Dovecot again, with the config as it now is.
    pub fn start_dovecot(&self) {
        let conf = self.dir.join("dovecot.conf");
        assert!(Command::new("dovecot").arg("-c").arg(conf).stdin(Stdio::null()).status().unwrap().success());
    }

    /// An administrator does something.
    pub fn doveadm(&self, args: &[&str]) {
        let conf = self.dir.join("dovecot.conf");
        let output = Command::new("doveadm").arg("-c").arg(conf).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn password(&self) -> String {
        fs::read_to_string(self.dir.join("password")).unwrap().trim().to_owned()
    }

    fn account(&self, name: &str, extra: &str, tls: &str) -> String {
        let (dir, port) = (self.dir.display(), self.port + u16::from(tls == "implicit"));
        format!(
            "[[account]]\nname = \"{name}\"\naddress = \"{name}@example.test\"\n{extra}\n[account.imap]\nhost = \"localhost\"\n\
             port = {port}\ntls = \"{tls}\"\nuser = \"{name}\"\npassword-file = \"{dir}/password\"\nca-file = \"{dir}/cert.pem\"\n\
             [account.smtp]\nhost = \"localhost\"\nport = {smtp}\ntls = \"starttls\"\nuser = \"{name}\"\n\
             password-file = \"{dir}/password\"\nca-file = \"{dir}/cert.pem\"\n",
            smtp = self.port + 4
        )
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn config_with(&self, mode: &str, extra: &str, state: &str) -> PathBuf {
        let text = format!(
            "mode = \"{mode}\"\nstate-dir = \"{dir}/{state}\"\n[desks]\nlegal = [\"legal@example.test\"]\nlead = [\"lead@example.test\"]\n{account}",
            dir = self.dir.display(),
            account = self.account("support", extra, "implicit")
        );
        self.write("evenkeel.toml", &text)
    }

    pub fn config(&self, mode: &str) -> PathBuf {
        self.config_with(mode, "", "state")
    }

    pub fn config_two(&self) -> PathBuf {
        let text = format!(
            "mode = \"act\"\nstate-dir = \"{}/state\"\n{}{}",
            self.dir.display(),
            self.account("support", "", "starttls"),
            self.account("second", "folders = [\"INBOX\", \"Web\"]", "implicit")
        );
        self.write("two.toml", &text)
    }

    /// As [`Servers::evenkeel`], run by a colleague of this name.
    pub fn evenkeel_of(person: &str, config: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.env("SUDO_USER", person).arg("--config").arg(config).args(args).output().unwrap()
    }

    pub fn evenkeel(config: &Path, args: &[&str]) -> Output {
        Command::new(program()).arg("--config").arg(config).args(args).output().unwrap()
    }

    pub fn explain(&self, id: &str) -> String {
        let output = Self::evenkeel(&self.dir.join("evenkeel.toml"), &["explain", id]);
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// Delivers over SMTP, as a stranger would.
    pub fn deliver(&self, to: &str, mail: &[u8]) {
        canary::remember(mail);
        let stream = TcpStream::connect(("127.0.0.1", self.port + 4)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        let mut answer = |expected: &str| loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.get(3..4).is_none_or(|c| c != "-") {
                assert!(line.starts_with(expected), "{line}");
                break;
            }
        };
        answer("220");
        for (command, code) in [
            ("EHLO stranger.example.org\r\n".to_owned(), "250"),
            ("MAIL FROM:<stranger@example.org> BODY=8BITMIME\r\n".to_owned(), "250"),
            (format!("RCPT TO:<{to}>\r\n"), "250"),
            ("DATA\r\n".to_owned(), "354"),
        ] {
            stream.write_all(command.as_bytes()).unwrap();
            answer(code);
        }
        let stuffed: Vec<u8> = mail
            .split_inclusive(|b| *b == b'\n')
            .flat_map(|line| if line.starts_with(b".") { [b".", line].concat() } else { line.to_vec() })
            .collect();
        stream.write_all(&stuffed).unwrap();
        stream.write_all(b".\r\n").unwrap();
        answer("250");
        stream.write_all(b"QUIT\r\n").unwrap();
    }

    /// Postfix holds nothing that it has not delivered yet.
    pub fn is_idle(&self) -> bool {
        fn files(dir: &Path) -> usize {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
        }
        let queue = self.dir.join("postfix/queue");
        ["incoming", "active", "deferred"].iter().all(|name| files(&queue.join(name)) == 0)
    }

    /// No body, subject or whole address has reached a log of ours.
    pub fn assert_log_is_clean(&self) {
        let mut handled = 0;
        for entry in fs::read_dir(&self.dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "log")
                && path.to_string_lossy().contains("daemon")
            {
                let log = fs::read_to_string(&path).unwrap();
                handled += log.matches("mail handled").count();
                for canary in ["example.org", "Whitlock", "canary", "lawyer", "адвокат", &self.password()]
                {
                    assert!(!log.contains(canary), "{canary} in {}", path.display());
                }
            }
        }
        assert!(handled > 0, "nothing was logged at all");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").arg(&self.dir).output();
        canary::search_audits(&self.dir);
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    seen: std::cell::Cell<usize>,
}

impl Daemon {
    pub fn start(servers: &Servers, config: &Path, crash_at: Option<&str>) -> Self {
        let daemon = Self::launch(servers, config, crash_at);
        daemon.wait_for_line("watching");
        daemon.seen.set(0);
        daemon
    }

    /// Without waiting until it watches.
    pub fn launch(servers: &Servers, config: &Path, crash_at: Option<&str>) -> Self {
        let environment = crash_at.map(|step| ("EVENKEEL_CRASH_AT", step));
        Self::launch_with(servers, config, environment)
    }

    /// With one variable of the environment.
    pub fn launch_with(servers: &Servers, config: &Path, environment: Option<(&str, &str)>) -> Self {
        let mut command = Command::new(program());
        command.envs(environment);
        Self::run(servers, config, command)
    }

    /// Without waiting until it watches, started by another program, which becomes it.
    pub fn launch_by(starter: &[&str], servers: &Servers, config: &Path) -> Self {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(program());
        Self::run(servers, config, command)
    }

    fn run(servers: &Servers, config: &Path, mut command: Command) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let log = servers.dir.join(format!("daemon-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        command.arg("--config").arg(config).arg("run").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log, seen: std::cell::Cell::new(0) }
    }

    pub fn log(&self) -> String {
        let mut text = String::new();
        fs::File::open(&self.log).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until `text` has appeared once more than at the last call.
    pub fn wait_for_line(&self, text: &str) {
        let begun = Instant::now();
        let wanted = self.seen.get() + 1;
        while self.log().matches(text).count() < wanted {
            assert!(begun.elapsed() < Duration::from_secs(30), "{text:?} did not come:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.seen.set(if text == "watching" { wanted } else { 0 });
    }

    pub fn wait_for_death(mut self) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it lives on:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it dies by itself within `time`; if not it is killed.
    pub fn dies_within(mut self, time: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < time {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Resident memory in KiB.
    pub fn rss_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// SIGTERM, and a clean end; the whole log.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            canary::search(&self.log.display().to_string(), &self.log());
        }
    }
}
