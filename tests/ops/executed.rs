//! The commands of the documents, carried out: with a daemon that has no mail server behind it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::documents::{commands, documents, words};
use super::root;
use super::web::Lonely;

/// What is to come of a command here.
enum Wanted {
    /// It does what it is for.
    Success,
    /// It understands and says why it cannot, here: with this in what it says.
    No(&'static str),
    /// It is parsed here (`every_command_in_the_documents_is_understood`) and run where this file says it, because …
    Elsewhere(&'static str, &'static str, &'static str),
}

const fn elsewhere(file: &'static str, text: &'static str, why: &'static str) -> Wanted {
    Wanted::Elsewhere(file, text, why)
}

/// By command and, where that matters, its flags.
fn wanted(words: &[String]) -> Option<Wanted> {
    let has = |flag: &str| words.iter().any(|word| word == flag);
    Some(match words.get(1)?.as_str() {
        "tickets" if has("EK-2222-A3") => Wanted::No("there is none"),
        "draft" if has("fitting") => Wanted::No("there is no label or occasion"),
        "--help" | "check" | "classify" | "draft" | "read" | "status" | "tickets" | "customers" | "audit"
        | "export" | "erase" | "backup" | "retry" | "report" => Wanted::Success,
        "label" if has("--list") || has("--drawn") || has("--confirm-held") => Wanted::Success,
        "label" if has("fitting") => Wanted::No("there is no label"),
        "label" => Wanted::No("no mail with this Message-ID"),
        "explain" => Wanted::No("nothing is known of"),
        "models" if has("rollback") => Wanted::No("nothing to go back to"),
        "models" if has("list") => Wanted::Success,
        "models" => elsewhere(
            "tests/e2e/learning.rs",
            "\"models\", \"promote\"",
            "a candidate has to be trained before",
        ),
        "train" => elsewhere("tests/e2e/learning.rs", "\"train\", \"--local\"", "it wants many corrections"),
        "undo" => elsewhere("tests/e2e/operations.rs", "\"undo\"", "a mail that was handled is needed"),
        "init" => elsewhere("tests/ops/first.rs", "\"init\"", "it asks a person, or takes flags"),
        "doctor" => elsewhere("tests/ops/first.rs", "\"doctor\", \"--send-test\"", "a mail server is needed"),
        "preview" => elsewhere("tests/e2e.rs", "\"preview\", \"--last\"", "a mail server is needed"),
        "run" => elsewhere("tests/ops/web.rs", "\"run\"", "it never ends; the daemon of this test is one"),
        "restore" => elsewhere("tests/ledger/backups.rs", "\"restore\"", "the daemon has to be down"),
        _ => return None,
    })
}

/// Commands in the first column of the documents' tables, where they stand without the program's name.
fn of_tables(text: &str) -> Vec<String> {
    let (_, rest) = text.split_once("| command | does |").unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut found: Vec<String> = Vec::new();
    for row in rows {
        let cell = row.split(" | ").next().unwrap_or_default();
        for span in cell.split('`').skip(1).step_by(2) {
            // `label --list`, `--drawn`; `models list`, `diff`
            let before = found.last().and_then(|last| last.split(' ').next()).unwrap_or_default();
            let goes_on = span.starts_with("--") || ["diff", "promote", "rollback"].contains(&span);
            found.push(if goes_on { format!("{before} {span}") } else { span.to_owned() });
        }
    }
    found
}

fn run(config: &Path, dir: &Path, words: &[String]) -> Output {
    let mut words = words.iter().skip(1).map(String::as_str).collect::<Vec<_>>();
    // the document's own config is the one of this test
    if words.first() == Some(&"--config") {
        words.drain(..2);
    }
    Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .arg("--config")
        .arg(config)
        .args(words)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A command of a document as it can be carried out here: a customer and files that there are.
fn here(command: &str, dir: &Path) -> Vec<String> {
    let filled = command.replace("LABEL…", "question").replace("--note …", "--note x");
    let mut words = words(&filled.replace("--appeal …", "--appeal sorry"));
    for word in &mut words {
        match word.as_str() {
            "MAIL" => "mail.eml".clone_into(word),
            "/var/backups/evenkeel/" | "DIR" => *word = dir.join("backups").display().to_string(),
            _ => {}
        }
    }
    let needs = |words: &[String], name: &str| words.len() == 2 && words[1] == name;
    for (name, more) in [
        ("read", "mail.eml"),
        ("explain", "a@b.example"),
        ("backup", "backups"),
        ("audit", "verify"),
        ("label", "--list"),
    ] {
        if needs(&words, name) {
            words.push(more.into());
        }
    }
    words
}

#[test]
fn the_commands_of_the_documents_do_what_they_say() {
    let lonely = Lonely::start("");
    let dir = lonely.dir.path();
    let sample = fs::read_dir(root().join("data/samples")).unwrap().map(|entry| entry.unwrap().path()).min();
    fs::copy(sample.unwrap(), dir.join("mail.eml")).unwrap();
    fs::write(
        dir.join("messages.jsonl"),
        "{\"id\":\"1\",\"subject\":\"\",\"body\":\"Where is my parcel?\"}\n",
    )
    .unwrap();
    fs::create_dir(dir.join("backups")).unwrap();
    let known = ["evenkeel", "customers", "set", "rick@example.org", "warned", "--note", "x"];
    let known: Vec<String> = known.iter().map(|word| (*word).to_owned()).collect();
    assert!(run(&lonely.config, dir, &known).status.success());

    let (mut done, mut parsed, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let mut all = commands(&text);
        if text.contains("| command | does |") {
            all.extend(of_tables(&text).into_iter().map(|command| format!("evenkeel {command}")));
        }
        for command in all {
            let words = here(&command, dir);
            let plain: Vec<String> = match words.get(1).map(String::as_str) {
                Some("--config") => words
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| ![1, 2].contains(at))
                    .map(|(_, w)| w.clone())
                    .collect(),
                _ => words.clone(),
            };
            match wanted(&plain) {
                None => wrong.push(format!("{command}: say in {} what is to come of it", file!())),
                Some(Wanted::Elsewhere(file, text, why)) => {
                    let there = fs::read_to_string(root().join(file)).unwrap().contains(text);
                    assert!(there, "{file} does not run {command}: {text:?} is not in it");
                    parsed.insert(format!("{command}: {file}, {why}"));
                }
                Some(wanted) => {
                    let output = run(&lonely.config, dir, &words);
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    let good = match wanted {
                        Wanted::No(why) => output.status.code() == Some(1) && said.contains(why),
                        _ => output.status.success(),
                    };
                    if !good {
                        wrong.push(format!(
                            "{}: {command}: {:?} {said}",
                            path.display(),
                            output.status.code()
                        ));
                    }
                    done.insert(command);
                }
            }
        }
    }
    println!("{} carried out, {} run elsewhere:\n{parsed:#?}", done.len(), parsed.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(done.len() >= 20, "{done:#?}");
}
