//! Logins with tokens: against Dovecot, which asks the test's endpoint about each, and for SMTP against
//! Postfix, which asks Dovecot.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Rig, threat, until, until_filed};
use crate::e2e::servers::{Daemon, Servers, protect};

#[derive(Debug)]
struct Inner {
    /// Requests for tokens, decoded enough to be searched.
    requests: Vec<String>,
    /// Tokens that are good.
    good: Vec<String>,
    life: u64,
    /// What is answered instead of a token.
    refusal: Option<&'static str>,
    /// What Dovecot wanted to know.
    asked: usize,
}

/// A provider: gives tokens and says whether one is good.
#[derive(Clone, Debug)]
struct Provider {
    port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let inner = Inner { requests: Vec::new(), good: Vec::new(), life: 3_600, refusal: None, asked: 0 };
        let provider =
            Self { port: listener.local_addr().unwrap().port(), inner: Arc::new(Mutex::new(inner)) };
        let shared = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let provider = shared.clone();
                std::thread::spawn(move || provider.serve(stream));
            }
        });
        provider
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut out = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let (mut first, mut length, mut bearer) = (String::new(), 0, String::new());
            reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let (name, value) = line.trim().split_once(':').unwrap_or_default();
                match name.to_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().ok()?,
                    "authorization" => {
                        value.trim().trim_start_matches("Bearer ").clone_into(&mut bearer);
                    }
                    "" => break,
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let (status, answer) = self.answer(&first, &bearer, &String::from_utf8_lossy(&body));
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            out.write_all((head + &answer).as_bytes()).ok()?;
        }
    }

    fn answer(&self, first: &str, bearer: &str, body: &str) -> (&'static str, String) {
        let mut inner = self.inner.lock().unwrap();
        if first.contains("/introspect") {
            inner.asked += 1;
            let active = inner.good.iter().any(|token| token == bearer);
            return ("200 OK", format!("{{\"active\":{active},\"email\":\"support@example.test\"}}"));
        }
        inner.requests.push(body.to_owned());
        if let Some(refusal) = inner.refusal {
            return (
                "400 Bad Request",
                format!("{{\"error\":\"{refusal}\",\"error_description\":\"AADSTS70008: expired\"}}"),
            );
        }
        let n = inner.requests.len();
        let token = format!("token-{n}");
        inner.good.push(token.clone());
        let life = inner.life;
        (
            "200 OK",
            format!(
                "{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":{life},\"refresh_token_expires_in\":864000,\"refresh_token\":\"refresh-{n}\"}}"
            ),
        )
    }

    fn requests(&self) -> Vec<String> {
        self.inner.lock().unwrap().requests.clone()
    }

    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap());
    }
}

fn secret(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    protect(&path);
    path
}

/// Dovecot that asks `provider`, and a config with `keys` under `[account.oauth2]`.
fn rig(name: &str, provider: &Provider, keys: &str) -> Option<(Rig, PathBuf)> {
    let dir = tempfile::Builder::new().prefix("evenkeel-oauth-").tempdir().unwrap().keep();
    std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let port = provider.port;
    let ext = dir.join("oauth2.ext");
    let text = format!(
        "introspection_url = http://127.0.0.1:{port}/introspect\nintrospection_mode = auth\nusername_attribute = email\n\
         username_format = %Ln\nactive_attribute = active\nactive_value = true\n"
    );
    std::fs::write(&ext, text).unwrap();
    let passdb = format!(
        "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}\n}}",
        ext.display()
    );
    let rig = Rig::start(name, &["auth_mechanisms = plain login xoauth2 oauthbearer", &passdb])?;
    let config = rig.config(&rig.wish());
    let password = format!("password-file = {:?}\n", rig.servers.dir.join("password").display().to_string());
    let text = std::fs::read_to_string(&config).unwrap().replace(&password, "");
    let keys = keys.replace("DIR", &dir.display().to_string());
    secret(&dir, "client", "client-secret");
    secret(&dir, "refresh", "refresh-0");
    std::fs::write(
        &config,
        format!("{text}[account.oauth2]\ntoken-url = \"http://127.0.0.1:{port}/token\"\nclient-id = \"the-program\"\n{keys}\n"),
    )
    .unwrap();
    Some((rig, config))
}

#[test]
fn a_refresh_token_opens_imap_and_smtp_by_both_mechanisms_and_its_successor_is_kept() {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let provider = Provider::start();
        let keys = format!("refresh-token-file = \"DIR/refresh\"\nmechanism = \"{mechanism}\"");
        let Some((rig, config)) = rig(mechanism, &provider, &keys) else { return };
        let daemon = Daemon::start(&rig.servers, &config, None);
        let id = rig.deliver(&threat(&format!("token-{mechanism}")));
        until_filed(&rig, &daemon, mechanism, "Queue/Legal", &id);
        daemon.stop();
        rig.assert_exactly_once(mechanism, &id, "Queue/Legal", "ek-threat", 1);
        let requests = provider.requests();
        assert_eq!(requests.len(), 1, "one token for IMAP and SMTP: {requests:?}");
        assert!(requests[0].contains("grant_type=refresh_token&refresh_token=refresh-0"), "{requests:?}");
        // the provider has given another refresh token: the next start uses it
        let daemon = Daemon::start(&rig.servers, &config, None);
        daemon.stop();
        assert!(provider.requests()[1].contains("refresh_token=refresh-1"), "{:?}", provider.requests());
        // somebody has consented again: the new file wins
        let file = config.clone();
        let text = std::fs::read_to_string(&file).unwrap();
        let path = text.split("refresh-token-file = \"").nth(1).unwrap().split('"').next().unwrap();
        std::fs::write(path, "refresh-new").unwrap();
        let daemon = Daemon::start(&rig.servers, &config, None);
        let log = daemon.log();
        daemon.stop();
        assert!(provider.requests()[2].contains("refresh_token=refresh-new"), "{:?}", provider.requests());
        assert!(!log.contains("refresh-") && !log.contains("token-1"), "{log}");
        rig.servers.assert_log_is_clean();
    }
}

#[test]
fn client_credentials_log_in_as_the_program_and_the_token_is_renewed_before_it_ends() {
    let provider = Provider::start();
    provider.set(|inner| inner.life = 4);
    let keys = "client-secret-file = \"DIR/client\"\nscope = \"https://outlook.office365.com/.default\"";
    let Some((rig, config)) = rig("client", &provider, keys) else { return };
    let daemon = Daemon::start(&rig.servers, &config, None);
    let first = &provider.requests()[0];
    for part in [
        "grant_type=client_credentials",
        "client_secret=client-secret",
        "scope=https%3A%2F%2Foutlook.office365.com%2F.default",
    ] {
        assert!(first.contains(part), "{first}");
    }
    let before = provider.requests().len();
    std::thread::sleep(Duration::from_millis(3_200));
    let id = rig.deliver(&threat("renewed"));
    until_filed(&rig, &daemon, "renewed", "Queue/Legal", &id);
    until("renewed at 75 %", Duration::from_secs(5), || provider.requests().len() > before);
    // the server has lost our token: the next login gets another one
    provider.set(|inner| inner.life = 3_600);
    std::thread::sleep(Duration::from_secs(4));
    rig.imap.cut_all();
    provider.set(|inner| inner.good.clear());
    let id = rig.deliver(&threat("again"));
    until_filed(&rig, &daemon, "again", "Queue/Legal", &id);
    daemon.stop();
}

#[test]
fn a_withdrawn_consent_is_said_with_what_to_do_and_not_tried_again_and_again() {
    let provider = Provider::start();
    let keys = "refresh-token-file = \"DIR/refresh\"\nclient-secret-expires = \"2096-02-29\"";
    let Some((rig, config)) = rig("revoked", &provider, keys) else { return };
    // early: while the old token is still good
    provider.set(|inner| inner.life = 4);
    let daemon = Daemon::start(&rig.servers, &config, None);
    let status = || -> serde_json::Value {
        let output = Servers::evenkeel(&config, &["status", "--format", "jsonl"]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // what the config and the provider say about ends is known
    let ends = status();
    assert_eq!(ends["secrets"][0]["until"], 3_981_312_000_i64, "{ends}");
    let consent = &ends["secrets"][1];
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let left = consent["until"].as_i64().unwrap() - now;
    assert!(consent["secret"] == "consent" && (863_000..=864_000).contains(&left), "{ends}");
    assert!(ends["degraded"].as_object().unwrap().is_empty(), "{ends}");
    provider.set(|inner| inner.refusal = Some("invalid_grant"));
    std::thread::sleep(Duration::from_millis(3_200));
    let id = rig.deliver(&super::complaint("still-works"));
    until_filed(&rig, &daemon, "still-works", "Queue/Support", &id);
    until("the warning", Duration::from_secs(10), || daemon.log().contains("the token cannot be renewed"));
    let log = daemon.log();
    assert!(
        log.contains("consent again and write the new refresh token to") && log.contains("/refresh"),
        "{log}"
    );
    let said = Servers::evenkeel(&config, &["status"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("degraded") && said.contains("client secret until 2096-02-29"), "{said}");
    let refused = status()["degraded"].to_string();
    assert!(refused.contains("consent again"), "{refused}");
    daemon.stop();
    // at the start: three attempts, then a long pause
    let before = provider.requests().len();
    let daemon = Daemon::launch(&rig.servers, &config, None);
    until("three attempts", Duration::from_secs(20), || provider.requests().len() >= before + 3);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(provider.requests().len(), before + 3);
    assert!(daemon.log().contains("the consent has expired or was withdrawn"), "{}", daemon.log());
    drop(daemon);
}

#[test]
fn a_provider_that_is_down_does_not_end_a_session_whose_token_is_good() {
    let provider = Provider::start();
    provider.set(|inner| inner.life = 8);
    let Some((rig, config)) = rig("down", &provider, "client-secret-file = \"DIR/client\"") else { return };
    let daemon = Daemon::start(&rig.servers, &config, None);
    provider.set(|inner| inner.refusal = Some("temporarily_unavailable"));
    std::thread::sleep(Duration::from_millis(6_200));
    rig.imap.cut_all();
    let id = rig.deliver(&super::complaint("old-token"));
    until_filed(&rig, &daemon, "old-token", "Queue/Support", &id);
    daemon.stop();
}
