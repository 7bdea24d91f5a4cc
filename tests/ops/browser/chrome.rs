//! A headless Chromium, driven over `WebDriver` (W3C) by its `chromedriver`: Debian's packages `chromium` and
//! `chromium-driver`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::skipped::skipped;

pub const TAB: &str = "\u{E004}";
pub const ENTER: &str = "\u{E007}";
pub const SPACE: &str = " ";

/// A browser with a profile of its own; gone when dropped.
pub struct Chrome {
    driver: Child,
    port: u16,
    session: String,
    /// Held open: it would die of a closed pipe.
    _said: BufReader<ChildStdout>,
    profile: tempfile::TempDir,
}

impl Chrome {
    /// `None`, said aloud, where there is none.
    pub fn start(test: &str) -> Option<Self> {
        if !["/usr/bin/chromium", "/usr/bin/chromedriver"].iter().all(|path| Path::new(path).exists()) {
            skipped(test, "Debian's packages chromium and chromium-driver are needed");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .env("HOME", profile.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "chromedriver does not say its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        let mut chrome = Self { driver, port, session: String::new(), _said: said, profile };
        let home = chrome.profile.path().display();
        let args = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--hide-scrollbars",
            format!("--user-data-dir={home}/profile"),
        ]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": 10_000, "pageLoad": 20_000 },
        } } });
        let made = chrome.ask("POST", "/session", &wanted).expect("a session");
        chrome.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        Some(chrome)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        (&stream).write_all((head + &body).as_bytes()).unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut good, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            good = good.or_else(|| line.starts_with("http/").then(|| line.contains(" 200")));
            length = line.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let value = serde_json::from_slice::<Value>(&answer).unwrap()["value"].clone();
        if good == Some(true) { Ok(value) } else { Err(value) }
    }

    fn order(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.ask("POST", &path, body).unwrap_or_else(|why| panic!("{path}: {}", why["message"]))
    }

    pub fn open(&self, url: &str) {
        self.order("/url", &json!({ "url": url }));
    }

    pub fn url(&self) -> String {
        let url = self.ask("GET", &format!("{}/url", self.session), &Value::Null).unwrap();
        url.as_str().unwrap().to_owned()
    }

    /// Runs a script of the test's, which the page's policy does not concern.
    pub fn run(&self, script: &str) -> Value {
        self.order("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Presses keys, one after the other.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
            })
            .collect();
        self.order(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }),
        );
    }

    /// A command of the `DevTools` protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Value {
        self.order("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// Width in CSS pixels and `light` or `dark`.
    pub fn look(&self, width: u32, scheme: &str) {
        let telephone = width < 700;
        let size = json!({ "width": width, "height": 740, "deviceScaleFactor": 1, "mobile": telephone });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &scheme);
    }

    /// What stands in the browser's own log since the last look: violations, errors.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.order("/se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Addresses asked for since the last look.
    pub fn asked_for(&self) -> Vec<String> {
        let log = self.order("/se/log", &json!({ "type": "performance" }));
        let events = log.as_array().unwrap().iter();
        events
            .map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether a page has opened a dialogue.
    pub fn has_alert(&self) -> bool {
        self.ask("GET", &format!("{}/alert/text", self.session), &Value::Null).is_ok()
    }

    /// A picture of the whole page into `dir`.
    pub fn picture(&self, dir: &Path, name: &str) {
        let taken = self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        let mut decode = Command::new("base64")
            .arg("-d")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(dir.join(format!("{name}.png"))).unwrap())
            .spawn()
            .unwrap();
        decode.stdin.take().unwrap().write_all(taken["data"].as_str().unwrap().as_bytes()).unwrap();
        assert!(decode.wait().unwrap().success());
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.ask("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
