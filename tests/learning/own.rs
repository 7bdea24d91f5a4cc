//! A label of a company's own, from files alone: fifty examples, a route, a playbook.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use evenkeel::classify::{OwnFinding, Verdict};
use evenkeel::cli::daemon::rulebook;
use evenkeel::decide::{Case, Name, TicketId, decide};
use evenkeel::mail::{Language, Mail};
use evenkeel::time::Timestamp;

use super::company::{OWN, SECTIONS, Written, written};

const PLAYBOOK: &str = r#"
moves = [["greet"], ["visit"], ["ask"], ["next"], ["sign"]]

[say]
visit = [
  "Thank you for writing about the visit of our fitter.",
  "Your message about the fitter's visit has reached the people who plan them.",
  "I have passed what you say about the visit to those who plan our fitters' days.",
]
next = [
  "Our planners will look at it, and I will answer {{ by }}.",
  "The planners have it in front of them; I will answer {{ by }}.",
  "It is with our planners now, and I will answer {{ by }}.",
]

[[ask]]
q = "Is there somebody at home in the mornings?"
"#;

/// A company's files in `dir`; `learning` is added to that section.
fn company(dir: &Path, learning: &str) -> PathBuf {
    let playbook = dir.join("playbooks/en/fitting.toml");
    std::fs::create_dir_all(playbook.parent().unwrap()).unwrap();
    std::fs::write(playbook, PLAYBOOK).unwrap();
    let password = dir.join("password");
    std::fs::write(&password, "x").unwrap();
    crate::e2e::servers::protect(&password);
    let (at, root) = (dir.display(), env!("CARGO_MANIFEST_DIR"));
    let text = format!(
        "mode = \"act\"\nstate-dir = \"{at}/state\"\nplaybooks = \"{at}/playbooks\"\nauthserv-ids = [\"mx.example.test\"]\n\
         [[account]]\nname = \"support\"\naddress = \"support@example.test\"\n[account.imap]\nhost = \"localhost\"\nport = 993\n\
         user = \"support\"\npassword-file = \"{at}/password\"\n[learning]\nlabels = [\"fitting\"]\npromote = true\n\
         corpus = \"{root}/data/corpus\"\n{learning}\n{SECTIONS}"
    );
    let config = dir.join("evenkeel.toml");
    std::fs::write(&config, text).unwrap();
    config
}

fn run(config: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evenkeel")).arg("--config").arg(config).args(args).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn eml(one: &Written, n: usize) -> String {
    format!(
        "From: <c{n}@customers.example>\nTo: support@example.test\nSubject: {}\nMessage-ID: <c{n}@example.org>\n\
         Date: Sat, 21 Nov 2026 09:12:00 +0200\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n{}\n",
        one.subject, one.text
    )
}

#[test]
fn fifty_examples_a_route_and_a_playbook_make_a_label_with_its_own_draft() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        company(dir.path(), &format!("own-corpus = [\"{}\"]", dir.path().join("examples").display()));
    let all = written();
    let is_own = |one: &&Written| one.labels.contains(OWN);
    let is_new = |one: &&Written| one.is_later && one.language == Language::En;
    let folder = dir.path().join("examples").join(OWN);
    std::fs::create_dir_all(&folder).unwrap();
    let examples: Vec<&Written> = all.iter().filter(is_own).filter(|one| !is_new(one)).take(50).collect();
    assert_eq!(examples.len(), 50);
    for (n, one) in examples.into_iter().enumerate() {
        std::fs::write(folder.join(format!("{n}.eml")), eml(one, n)).unwrap();
    }
    let new = dir.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let later: Vec<&Written> = all.iter().filter(is_own).filter(is_new).collect();
    for (n, one) in later.iter().enumerate() {
        std::fs::write(new.join(format!("{n}.eml")), eml(one, n)).unwrap();
    }
    // the daemon has run once
    drop(evenkeel::edge::ledger::Ledger::open(&dir.path().join("state")).unwrap());
    let drafts = || -> Vec<serde_json::Value> {
        let output = run(&config, &["draft", "--format", "jsonl", new.to_str().unwrap()]);
        assert!(output.status.success(), "{}", told(&output));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let all: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        all.into_iter().filter(|draft| draft["playbook"] == OWN).collect()
    };
    assert!(drafts().is_empty(), "nothing is learnt yet");
    let trained = run(&config, &["train", "--local"]);
    assert!(told(&trained).contains("is in force"), "{}", told(&trained));
    let drafts = drafts();
    println!("{} of {} later mails get the draft of {OWN}", drafts.len(), later.len());
    assert!(drafts.len() * 3 >= later.len(), "{drafts:#?}");
    assert!(drafts.iter().all(|draft| draft["body"].as_str().unwrap().contains("visit")), "{drafts:#?}");
    let checked = run(&config, &["check"]);
    assert!(checked.status.success() && !told(&checked).contains("has no playbook"), "{}", told(&checked));
    // what would be written can be tried before anything is learnt
    let tried = run(&config, &["draft", "--for", OWN, new.join("0.eml").to_str().unwrap()]);
    assert!(tried.status.success() && told(&tried).contains("fitter"), "{}", told(&tried));
}

#[test]
fn check_says_when_a_playbook_has_no_label_and_a_label_no_playbook() {
    let dir = tempfile::tempdir().unwrap();
    let config = company(dir.path(), "");
    let (file, other) =
        (dir.path().join("playbooks/en/fitting.toml"), dir.path().join("playbooks/en/fiting.toml"));
    std::fs::rename(&file, &other).unwrap();
    let output = run(&config, &["check"]);
    assert_eq!(output.status.code(), Some(78), "{}", told(&output));
    assert!(
        told(&output).contains("en/fiting.toml: there is no label fiting; add it to [learning] labels"),
        "{}",
        told(&output)
    );
    std::fs::write(
        dir.path().join("playbooks/en/praise.toml"),
        "[say]\nthank = [\"Thanks.\", \"Many thanks.\", \"Thank you.\"]",
    )
    .unwrap();
    std::fs::remove_file(&other).unwrap();
    let output = run(&config, &["check"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("the label fitting has no playbook"), "{}", told(&output));
    // a route that says what to draft, or a playbook, ends the warning
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("tag = [\"fitting\"]", "draft = \"question\"")).unwrap();
    assert!(!told(&run(&config, &["check"])).contains("has no playbook"));
    std::fs::write(&config, text.replace("tag = [\"fitting\"]", "draft = \"fiting\"")).unwrap();
    let output = run(&config, &["check"]);
    assert!(
        !output.status.success() && told(&output).contains("there is no playbook \"fiting\""),
        "{}",
        told(&output)
    );
    // what is wrong in it is told under its own name
    std::fs::write(&config, text).unwrap();
    std::fs::write(&file, PLAYBOOK.replace("Thank you for", "Calm down,")).unwrap();
    let output = run(&config, &["check"]);
    assert!(
        !output.status.success() && told(&output).contains("en/fitting.toml: move `visit`"),
        "{}",
        told(&output)
    );
    let folder = dir.path().join("playbooks").display().to_string();
    let output = run(&config, &["check", "--playbooks", &folder]);
    assert!(told(&output).contains("en/fitting.toml: move `visit`"), "{}", told(&output));
}

#[test]
fn the_daemon_files_and_answers_by_the_label_unless_something_graver_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let config = company(dir.path(), "");
    let book = rulebook(&evenkeel::config::Config::load(&config).unwrap()).unwrap();
    let mut mail =
        Mail::from_message("Ivo Marsh", "ivo@example.org", "When", "When does the fitter come to us?");
    mail.language = Language::En;
    let mut verdict = Verdict { language: Language::En, ..Verdict::unread() };
    verdict.own = vec![OwnFinding { label: OWN.into(), probability: 0.8 }];
    let decided =
        decide(&mail, &verdict, &Case::new(TicketId::new(1, [0, 0])), &book, Timestamp(1_790_000_000));
    let draft = decided.draft().unwrap_or_else(|| panic!("{:?}", decided.reasons));
    assert_eq!(draft.playbook, OWN);
    assert!(draft.body.contains("visit") && draft.body.contains("in the mornings?"), "{}", draft.body);
    assert_eq!(decided.queue().map(|queue| queue.to_string()).as_deref(), Some(OWN));
    assert!(book.own.of(OWN, Language::Es).is_none());
    let panic = evenkeel::classify::Finding { label: evenkeel::classify::Label::Panic, probability: 0.9 };
    verdict.labels = vec![panic];
    let decided =
        decide(&mail, &verdict, &Case::new(TicketId::new(1, [0, 0])), &book, Timestamp(1_790_000_000));
    assert_eq!(decided.draft().unwrap().playbook, "panic");
    // and by a fact of a rule, where the route names it
    let mut named = book.clone();
    verdict = Verdict { language: Language::En, ..Verdict::unread() };
    named.policy.specials[0].facts.clear();
    named.policy.specials[0].draft = Some(evenkeel::decide::route::DraftBy::Own(Name::new(OWN).unwrap()));
    let decided =
        decide(&mail, &verdict, &Case::new(TicketId::new(1, [0, 0])), &named, Timestamp(1_790_000_000));
    assert_eq!(decided.draft().unwrap().playbook, OWN);
}
