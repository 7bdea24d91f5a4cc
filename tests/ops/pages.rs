//! What monitors read.

use std::time::{Duration, Instant};

use super::web::{Lonely, ask_port, free_port, get, get_socket, request};
use crate::e2e::client::ImapClient;
use crate::e2e::servers::{Daemon, Servers};

#[test]
fn a_daemon_without_its_mail_server_is_alive_but_not_ready_and_its_numbers_name_no_address() {
    let port = free_port();
    let lonely = Lonely::start(&format!("[http]\nlisten = \"127.0.0.1:{port}\""));
    assert_eq!(get(port, "/livez").status, 200);
    let ready = get(port, "/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("support/INBOX: not watched since"), "{}", ready.body);
    let metrics = get(port, "/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "evenkeel_imap_connected{account=\"support\",folder=\"INBOX\"} 0",
        "evenkeel_imap_reconnects_total{account=\"support\",reason=\"connect\"} 1",
        "# TYPE evenkeel_store_commit_duration_seconds histogram",
        "evenkeel_effect_ambiguous_total 0",
        "evenkeel_tickets{state=\"closing-due\"} 0",
        "evenkeel_queue_tickets{queue=\"review\"} 0",
        "evenkeel_config_last_reload_successful 1",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line} in\n{}", metrics.body);
    }
    assert!(!metrics.body.contains('@') && !metrics.body.contains("canary"), "{}", metrics.body);
    let status = Servers::evenkeel(&lonely.config, &["status", "--format", "jsonl"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["health"]["support/INBOX"]["connected"], false, "{status}");
    assert!(status["store_bytes"].as_u64().unwrap() > 0, "{status}");
}

#[test]
fn a_foreign_name_a_long_head_and_other_methods_are_refused() {
    let port = free_port();
    let _lonely =
        Lonely::start(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\nhosts = [\"keel.example.com\"]"));
    let by = |host: &str| ask_port(port, &request("GET", "/livez", host, "", "")).status;
    assert_eq!(by("evil.example.org"), 421, "a page elsewhere may have bound its name to this machine");
    assert_eq!((by("keel.example.com"), by(&format!("localhost:{port}"))), (200, 200));
    assert_eq!(ask_port(port, &request("POST", "/metrics", "localhost", "", "")).status, 405);
    assert_eq!(get(port, "/nowhere").status, 404);
    let policy = get(port, "/livez");
    assert!(policy.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(policy.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn the_same_pages_come_over_a_socket_that_only_its_owner_can_open() {
    use std::os::unix::fs::PermissionsExt;
    let lonely = Lonely::start("[http]\nlisten = \"DIR/http.sock\"");
    let socket = lonely.dir.path().join("http.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(get_socket(&socket, "/livez").status, 200);
    assert!(get_socket(&socket, "/metrics").body.contains("evenkeel_build_info"));
}

#[test]
fn what_is_done_on_real_servers_is_counted() {
    let Some(servers) = Servers::start("metrics", &[]) else { return };
    let port = free_port();
    let config = servers.config("act");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[http]\nlisten = \"127.0.0.1:{port}\"\n")).unwrap();
    let _daemon = Daemon::start(&servers, &config, None);
    servers.deliver("support@example.test", &crate::e2e::sample("threat.en.eml"));
    let mut support = ImapClient::login(&servers, "support");
    support.until("it is filed", |imap| imap.filed() == 1);
    let begun = Instant::now();
    let wanted = "evenkeel_effects_total{kind=\"file\",result=\"done\"} 1";
    while !get(port, "/metrics").body.contains(wanted) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", get(port, "/metrics").body);
        std::thread::sleep(Duration::from_millis(50));
    }
    let metrics = get(port, "/metrics").body;
    for part in [
        "evenkeel_mails_processed_total{label=\"threat\",outcome=\"",
        "evenkeel_effects_total{kind=\"forward\",result=\"done\"} 1",
        "evenkeel_imap_connected{account=\"support\",folder=\"INBOX\"} 1",
        "evenkeel_imap_last_sync_timestamp_seconds{account=\"support\",folder=\"INBOX\"} 1",
        "evenkeel_mail_age_seconds_count 1",
        "evenkeel_classify_duration_seconds_count 1",
        "evenkeel_tls_peer_not_after_timestamp_seconds{server=\"localhost:",
        "evenkeel_legal_waiting 1",
        "evenkeel_queue_depth 0",
    ] {
        assert!(metrics.contains(part), "{part} in\n{metrics}");
    }
    assert!(!metrics.contains('@') && !metrics.contains("example.org"), "{metrics}");
    assert_eq!(get(port, "/readyz").body, "ready\n");
    let said = Servers::evenkeel(&config, &["status"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("last proven 20") && said.contains("certificate until 20"), "{said}");
    if let Ok(mut promtool) = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), metrics.as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }
}
