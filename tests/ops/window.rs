//! The window over HTTP: who gets in, what is shown, what can be done.

use std::time::{Duration, Instant};

use super::web::{Answer, Lonely, ask_port, free_port, get, get_socket, request};
use crate::e2e::client::ImapClient;
use crate::e2e::servers::{Daemon, Servers, protect};

pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A browser that has logged in.
struct Browser {
    port: u16,
    cookie: String,
}

impl Browser {
    fn log_in(port: u16) -> Self {
        let host = format!("127.0.0.1:{port}");
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer = ask_port(port, &request("POST", "/login", &host, form, &format!("token={TOKEN}")));
        assert_eq!(answer.status, 303, "{}", answer.body);
        let set = answer.header("set-cookie").unwrap();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        Self { port, cookie: set.split(';').next().unwrap().to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        let headers = format!("Cookie: {}\r\nAccept: text/html\r\n", self.cookie);
        ask_port(self.port, &request("GET", path, "localhost", &headers, ""))
    }

    fn post(&self, path: &str, body: &str) -> Answer {
        let headers =
            format!("Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n", self.cookie);
        ask_port(self.port, &request("POST", path, "localhost", &headers, body))
    }

    /// The mark that the forms of a page carry.
    fn mark(&self, path: &str) -> String {
        let page = self.get(path).body;
        let (_, rest) =
            page.split_once("name=\"mark\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

pub(super) fn section(port: u16, dir: &str, extra: &str) -> String {
    format!("[http]\nlisten = \"127.0.0.1:{port}\"\ntoken-file = \"{dir}/token\"\n{extra}\n")
}

#[test]
fn nobody_gets_in_without_the_token_and_a_port_without_token_has_no_window() {
    let port = free_port();
    let lonely = Lonely::start(&section(port, "DIR", ""));
    let token = lonely.dir.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    protect(&token);
    for path in
        ["/", "/feed", "/review", "/tickets", "/customers", "/customers/a@b.example", "/mails/x", "/learning"]
    {
        assert_eq!(get(port, path).status, 401, "{path}");
    }
    let browser = ask_port(port, &request("GET", "/", "localhost", "Accept: text/html\r\n", ""));
    assert_eq!((browser.status, browser.header("location")), (303, Some("/login")));
    let with = |header: &str| ask_port(port, &request("GET", "/", "localhost", header, "")).status;
    assert_eq!(with(&format!("Authorization: Bearer {TOKEN}\r\n")), 200);
    assert_eq!(with("Authorization: Bearer 0123456789abcdef0123456789abcdee\r\n"), 401);
    assert_eq!(with("Cookie: evenkeel=9999999999.00\r\n"), 401);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let wrong = ask_port(port, &request("POST", "/login", "localhost", form, "token=guess"));
    assert_eq!(wrong.status, 403);
    assert!(wrong.header("set-cookie").is_none() && wrong.body.contains("not the token"));
    let inside = Browser::log_in(port);
    assert!(inside.get("/").body.contains("support/INBOX"));
    // a new token ends every session
    std::fs::write(&token, "another-token-0123456789abcdef\n").unwrap();
    assert_eq!(inside.get("/").status, 303);

    let open = free_port();
    let _other = Lonely::start(&format!("[http]\nlisten = \"127.0.0.1:{open}\""));
    assert_eq!((get(open, "/").status, get(open, "/livez").status), (404, 200));
}

#[test]
fn over_the_socket_no_token_is_needed_but_forms_still_carry_their_mark() {
    let lonely = Lonely::start("[http]\nlisten = \"DIR/http.sock\"");
    let socket = lonely.dir.path().join("http.sock");
    let page = get_socket(&socket, "/customers");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nobody."), "{}", page.body);
    let state = get_socket(&socket, "/customers/rick@example.org");
    let state: serde_json::Value = serde_json::from_str(&state.body).unwrap();
    assert_eq!(
        (state["state"].as_str(), state["customer"].as_str()),
        (Some("clear"), Some("rick@example.org"))
    );
}

/// A mail whose every part would like to be markup.
pub(super) const HOSTILE: &str = "From: \"<script>alert(1)</script>\" <\"<b>x\"@example.org>\r\nTo: support@example.test\r\n\
Subject: <img src=x onerror=alert(1)>\r\nMessage-ID: <\"><script>@example.org>\r\nDate: Sun, 22 Nov 2026 05:00:00 +0000\r\n\
Content-Type: text/plain; charset=utf-8\r\n\r\nThe router you sold me is dead again, <script>alert(2)</script>, please replace it.\r\n";

/// The config of a daemon that shows its window, texts of mails too, at this port.
pub(super) fn with_window(servers: &Servers, port: u16) -> std::path::PathBuf {
    let config = servers.config("act");
    let dir = servers.dir.display().to_string();
    let token = servers.dir.join("token");
    std::fs::write(&token, TOKEN).unwrap();
    protect(&token);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + &section(port, &dir, "show-text = true")).unwrap();
    config
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story on one pair of servers")]
fn the_window_shows_what_was_decided_and_takes_it_back_and_no_mail_can_speak_in_it() {
    let Some(servers) = Servers::start("window", &[]) else { return };
    let port = free_port();
    let config = with_window(&servers, port);
    let _daemon = Daemon::start(&servers, &config, None);
    servers.deliver("support@example.test", &crate::e2e::sample("threat.en.eml"));
    servers.deliver("support@example.test", HOSTILE.as_bytes());
    let mut support = ImapClient::login(&servers, "support");
    support.until("both are filed", |imap| imap.filed() == 2);
    let browser = Browser::log_in(port);
    let begun = Instant::now();
    while !browser.get("/").body.contains("The newest 2 mails") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", browser.get("/").body);
        std::thread::sleep(Duration::from_millis(50));
    }

    let overview = browser.get("/").body;
    for part in ["1 threat waits for legal", "<svg viewBox", "support/INBOX", "certificate of localhost:"] {
        assert!(overview.contains(part), "{part} in\n{overview}");
    }
    let feed = browser.get("/feed").body;
    assert!(feed.contains("threat <span class=\"dim\">") && feed.contains("Queue/Legal"), "{feed}");
    for path in ["/", "/feed", "/review", "/tickets", "/customers", "/learning"] {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{path}");
        let without_ours = page.body.replace("<script src=\"/script.js\" defer>", "");
        assert!(!without_ours.contains("<script") && !page.body.contains("onerror"), "{path}: {}", page.body);
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(
            !page.body.contains("http://") && !page.body.contains("https://"),
            "{path} names something remote"
        );
        assert!(
            !page.body.contains("style=") && !page.body.contains("onclick"),
            "{path} would break the policy"
        );
    }

    // one mail, with its text only when asked
    let path_of = |folder: &str| {
        let item = feed
            .split("<li")
            .find(|item| item.contains(folder))
            .unwrap_or_else(|| panic!("{folder}: {feed}"));
        item.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let threat = path_of("Queue/Legal");
    let page = browser.get(&threat).body;
    assert!(page.contains("forward to legal: done") && !page.contains("lawyer"), "{page}");
    let page = browser.get(&format!("{threat}?text=true")).body;
    assert!(page.contains("<mark title=\"threat\">") && page.contains("lawyer"), "{page}");
    let hostile = feed
        .split("<li")
        .find(|item| item.contains("router") || !item.contains("Queue/Legal") && item.contains("/mails/"));
    let hostile = hostile.unwrap().split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = browser.get(&format!("{hostile}?text=true")).body;
    assert!(page.contains("(2)&lt;/script&gt;") && page.matches("<script").count() == 1, "{page}");

    // how the model does, as `report --inbox` says it
    let page = browser.get("/learning");
    assert_eq!(page.status, 200, "{}", page.body);
    for part in [
        "2 newest mails of this inbox, model shipped",
        "Reliability of threat",
        "Precision and recall of threat",
        "class=\"confusion\"",
        "class=\"ring\"",
        "Mails a day",
        "No candidate was trained yet",
    ] {
        assert!(page.body.contains(part), "{part} in\n{}", page.body);
    }
    let file = servers.dir.join("report.html");
    let written = Servers::evenkeel(&config, &["report", "--inbox", "--output", file.to_str().unwrap()]);
    assert!(written.status.success(), "{written:?}");
    let report = std::fs::read_to_string(file).unwrap();
    let plots = |page: &str| {
        page.split("<svg")
            .skip(1)
            .map(|svg| svg.split("</svg>").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(plots(&report), plots(&page.body), "the same plots");

    // a settled ticket
    let tickets = browser.get("/tickets").body;
    let action = tickets.split("action=\"").find_map(|rest| rest.strip_prefix("/tickets/")).unwrap();
    let number = action.split('/').next().unwrap();
    let mark = browser.mark("/tickets");
    assert_eq!(browser.post(&format!("/tickets/{number}/resolve"), &format!("mark={mark}")).status, 303);
    let said = Servers::evenkeel(&config, &["tickets", number]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("resolved"), "{said:?}");

    // a form from elsewhere does nothing; one of ours does
    for body in ["", "mark=", "mark=0000"] {
        assert_eq!(browser.post(&format!("{threat}/undo"), body).status, 403, "{body:?}");
    }
    assert_eq!(support.count("Queue/Legal"), 1);
    let mark = browser.mark(&threat);
    assert_eq!(browser.post(&format!("{threat}/undo"), &format!("mark={mark}")).status, 303);
    support.until("it is back", |imap| imap.count("INBOX") == 1);
    assert_eq!(browser.get(&format!("{threat}/undo")).status, 405, "looking changes nothing");

    // a person knows better: one form, in the audit, learnt from
    assert_eq!(browser.post(&format!("{hostile}/label"), "panic=1").status, 403);
    let mark = browser.mark(hostile);
    let odd = browser.post(&format!("{hostile}/label"), &format!("mark={mark}&no-such-label=1"));
    assert_eq!(odd.status, 400, "{}", odd.body);
    assert_eq!(
        browser.post(&format!("{hostile}/label"), &format!("mark={mark}&panic=1&complaint=1")).status,
        303
    );
    let audit = Servers::evenkeel(&config, &["audit", "show"]);
    assert!(String::from_utf8_lossy(&audit.stdout).contains("label complaint panic"), "{audit:?}");

    // a customer: a page for people, the state for other channels, an appeal
    let marked = Servers::evenkeel(
        &config,
        &["customers", "set", "rick@example.org", "email-only", "--note", "<b>agreed</b>"],
    );
    assert!(marked.status.success());
    let page = browser.get("/customers/rick@example.org").body;
    assert!(page.contains("email-only") && page.contains("&lt;b&gt;agreed"), "{page}");
    let program = format!("Authorization: Bearer {TOKEN}\r\n");
    let state = ask_port(port, &request("GET", "/customers/Rick@Example.org", "localhost", &program, ""));
    let state: serde_json::Value = serde_json::from_str(&state.body).unwrap();
    assert_eq!(state["state"], "email-only", "{state}");
    let mark = browser.mark("/customers/rick@example.org");
    assert_eq!(
        browser.post("/customers/rick@example.org/lift", &format!("mark={mark}&appeal=%20")).status,
        400
    );
    assert_eq!(
        browser.post("/customers/rick@example.org/lift", &format!("mark={mark}&appeal=sorry")).status,
        303
    );
    assert!(browser.get("/customers/rick@example.org").body.contains("ended by window: sorry"));
    let audit = Servers::evenkeel(&config, &["audit", "show"]);
    assert!(String::from_utf8_lossy(&audit.stdout).contains("window"), "what is done here is in the audit");
    // out again
    let mark = browser.mark("/");
    assert_eq!(browser.post("/logout", &format!("mark={mark}")).status, 303);
}
