//! The commands of the documents that are not ours: each is run by a test or a script of `deploy`, or this list says
//! why not.

use std::fs;
use std::process::{Command, Stdio};

use super::documents::documents;
use super::web::{Lonely, free_port};
use super::window::{TOKEN, section};
use super::{root, web};
use crate::e2e::servers::{Servers, protect};
use crate::skipped::skipped;

/// Programs whose name begins a command.
const PROGRAMS: [&str; 12] = [
    "./try",
    "./check",
    "apt",
    "cargo",
    "curl",
    "deploy/package",
    "deploy/debian/try-boot",
    "head",
    "ssh",
    "systemctl",
    "tests/soak/power-cuts",
    "tests/soak/run",
];

/// What becomes of a command.
enum Run {
    /// This file runs it: so it says.
    By(&'static str, &'static str),
    /// Carried out below.
    Here,
    /// Not here, because …
    Not(&'static str),
}

/// By the beginning of the command; the first that fits.
const LIST: [(&str, Run); 24] = [
    (
        "./try",
        Run::Not(
            "builds a release; `e2e` has the same servers from deploy/throwaway-servers, the same mails",
        ),
    ),
    ("./check", Run::Not("is what runs the tests")),
    ("apt install ./target/debian/", Run::By("deploy/debian/try-package", "dpkg -i /first.deb")),
    ("cargo build --release --locked", Run::Not("takes minutes; deploy/package does it")),
    ("cargo install --locked cargo-deb", Run::By("check", "cargo install --locked --quiet cargo-deny")),
    ("cargo test --test it ", Run::Here),
    ("cargo bench --profile dev --bench ", Run::Here),
    ("curl ", Run::Here),
    ("deploy/package", Run::Not("builds a release, for a quarter of an hour: by hand, before a release")),
    ("deploy/debian/try-boot", Run::Not("wants a package; by hand, before a release")),
    ("head -c 64 /dev/urandom", Run::Here),
    (
        "ssh -L ",
        Run::Not(
            "wants another machine; over_the_socket_no_token_is_needed_but_forms_still_carry_their_mark",
        ),
    ),
    ("systemctl enable --now evenkeel", Run::By("deploy/debian/try-boot", "systemctl enable --now evenkeel")),
    ("systemctl reload", Run::By("deploy/debian/try-boot", "systemctl reload evenkeel")),
    ("systemctl restart evenkeel", Run::By("deploy/debian/try-boot", "systemctl restart evenkeel")),
    ("systemctl status", Run::By("deploy/debian/try-boot", "systemctl status evenkeel")),
    (
        "systemctl stop evenkeel && evenkeel restore",
        Run::By("deploy/debian/try-boot", "systemctl stop evenkeel && evenkeel restore"),
    ),
    ("tests/soak/power-cuts", Run::By("tests/soak/power-cuts", "a_power_cut_loses_nothing")),
    ("tests/soak/run kills", Run::By("tests/soak.rs", "fn kills")),
    ("tests/soak/run cuts", Run::By("tests/soak.rs", "fn cuts")),
    ("tests/soak/run latency", Run::By("tests/soak.rs", "fn latency")),
    ("tests/soak/run backlog", Run::By("tests/soak.rs", "fn backlog")),
    ("tests/soak/run accounts", Run::By("tests/soak.rs", "fn accounts")),
    ("tests/soak/run weeks", Run::By("tests/soak.rs", "fn weeks")),
];

/// Commands of a document: every line of a block of `sh`, and whatever begins with one of the programs.
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut block) = (Vec::new(), None);
    let known = |line: &str| PROGRAMS.iter().any(|name| line.split([' ', '`']).next() == Some(name));
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language.to_owned()) };
            continue;
        }
        let spans: Vec<&str> = match &block {
            Some(language) if language == "sh" => vec![line.trim()],
            Some(_) => Some(line.trim()).into_iter().filter(|line| known(line)).collect(),
            None if line.starts_with("    ") && known(line.trim()) => vec![line.trim()],
            None => line.split('`').skip(1).step_by(2).filter(|span| known(span)).collect(),
        };
        let ours = |span: &&str| span.starts_with("evenkeel ") || span.is_empty();
        found.extend(
            spans
                .into_iter()
                .filter(|span| !ours(span))
                .map(|span| span.split("  #").next().unwrap_or_default().trim().to_owned()),
        );
    }
    found
}

#[test]
fn every_other_command_in_the_documents_is_run_somewhere_or_it_is_said_why_not() {
    let (mut wrong, mut unused) = (Vec::new(), LIST.iter().map(|(begin, _)| *begin).collect::<Vec<_>>());
    for path in documents() {
        for command in commands(&fs::read_to_string(&path).unwrap()) {
            let Some((begin, run)) = LIST.iter().find(|(begin, _)| command.starts_with(begin)) else {
                wrong.push(format!("{}: {command}: say in {} who runs it", path.display(), file!()));
                continue;
            };
            unused.retain(|known| known != begin);
            match run {
                Run::By(file, text) => {
                    let there = fs::read_to_string(root().join(file)).unwrap().contains(text);
                    assert!(there, "{file} does not run {command}: {text:?} is not in it");
                }
                Run::Here => here(&command),
                Run::Not(why) => println!("{command}: not run, it {why}"),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unused.is_empty(), "no document names {unused:?} any more");
}

/// Carries a command out, as far as a test can.
fn here(command: &str) {
    if let Some(rest) = command.strip_prefix("cargo test --test it ") {
        // the tests of that name are part of this run
        let name = rest.split(' ').next().unwrap();
        let me = Command::new(std::env::current_exe().unwrap()).args([name, "--list"]).output().unwrap();
        let listed = String::from_utf8_lossy(&me.stdout).into_owned();
        assert!(listed.contains(": test"), "{command} names no test");
    } else if let Some(rest) = command.strip_prefix("cargo bench --profile dev --bench ") {
        let name = rest.split(' ').next().unwrap();
        assert!(root().join(format!("benches/{name}.rs")).exists(), "{command} names no bench");
    } else if command.starts_with("curl ") {
        asked_by_another_channel(command);
    } else {
        let output = Command::new("sh").args(["-c", command]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{command}: {output:?}");
    }
}

/// The document's own `curl`, with port and token of a daemon that runs here.
fn asked_by_another_channel(command: &str) {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped(command, "there is no curl");
    }
    let port = free_port();
    let lonely = Lonely::start(&section(port, "DIR", ""));
    let token = lonely.dir.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    protect(&token);
    let mark = ["customers", "set", "rick@example.org", "email-only", "--note", ""];
    assert!(Servers::evenkeel(&lonely.config, &mark).status.success());
    let command = command
        .replace("/etc/evenkeel/window-token", &token.display().to_string())
        .replace("127.0.0.1:9753", &format!("127.0.0.1:{port}"));
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    // the answer in the document has these keys
    let text = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let shown = text.lines().find(|line| line.starts_with("{\"customer\"")).unwrap();
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answer), keys(&shown));
    assert_eq!((&answer["customer"], &answer["state"]), (&shown["customer"], &shown["state"]));
    assert_eq!(web::get(port, "/").status, 401, "not without the token");
}
