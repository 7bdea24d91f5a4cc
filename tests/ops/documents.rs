//! Documents that are written from the code, and so cannot drift. After a change that is meant,
//! `EVENKEEL_UPDATE=1 cargo test --test it documents` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use evenkeel::edge::metrics::{ALL, Kind};

use super::root;

/// The part of a document between `<!-- name: from the code -->` and `<!-- end -->` says `wanted`.
fn says(path: &str, name: &str, wanted: &str) {
    let file = root().join(path);
    let text = fs::read_to_string(&file).unwrap();
    let begin = format!("<!-- {name}: from the code -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{path} has no {name}"));
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    let wanted = format!("\n{}\n\n", wanted.trim());
    if found == wanted {
        return;
    }
    assert!(
        std::env::var("EVENKEEL_UPDATE").is_ok(),
        "{path}: {name} is not what the code says; run `EVENKEEL_UPDATE=1 cargo test --test it documents`"
    );
    fs::write(&file, format!("{before}{begin}{wanted}<!-- end -->{after}")).unwrap();
}

#[test]
fn every_metric_is_in_the_documents() {
    let mut table = "| metric | kind | says |\n|---|---|---|\n".to_owned();
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels =
            if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(",")) };
        writeln!(table, "| `{}{labels}` | {kind} | {} |", metric.name, metric.help).unwrap();
    }
    says("docs/operating.md", "metrics", &table);
}

#[test]
fn every_provider_is_in_the_documents() {
    use evenkeel::cli::init::providers::{Login, PROVIDERS};
    let mut table =
        "| provider | `--provider` | IMAP, SMTP | logs in with | before |\n|---|---|---|---|---|\n"
            .to_owned();
    for provider in PROVIDERS {
        let login = match provider.login {
            Login::Password => "password",
            Login::AppPassword => "app password",
            Login::OAuth2 => "OAuth2",
        };
        let (smtp, port) = provider.smtp;
        writeln!(
            table,
            "| {} | `{}` | `{}`, `{smtp}:{port}` | {login} | {} |",
            provider.name, provider.word, provider.imap, provider.first
        )
        .unwrap();
    }
    says("docs/operating.md", "providers", &table);
}

/// A key of the annotated config.
struct Key {
    section: String,
    name: String,
    default: Option<String>,
    says: String,
}

/// The keys of `deploy/evenkeel.toml`, with the comments before them.
fn annotated() -> Vec<Key> {
    let text = fs::read_to_string(root().join("deploy/evenkeel.toml")).unwrap();
    let (mut keys, mut section, mut says): (Vec<Key>, String, Vec<&str>) =
        (Vec::new(), String::new(), Vec::new());
    let mut fresh = true;
    for line in text.lines() {
        let (default, plain) = match line.strip_prefix("#= ") {
            Some(rest) => (true, rest),
            None => (false, line.strip_prefix("# ").unwrap_or(line)),
        };
        let name = plain.split(" = ").next().unwrap_or_default();
        let is_key = plain.contains(" = ") && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        if plain.starts_with('[') && plain.ends_with(']') {
            plain.trim_matches(['[', ']']).clone_into(&mut section);
            says.clear();
        } else if is_key {
            let value = plain.split_once(" = ").map(|(_, value)| value.to_owned());
            keys.push(Key {
                section: section.clone(),
                name: name.to_owned(),
                default: value.filter(|_| default),
                says: says.join(" "),
            });
            fresh = true;
        } else if line.starts_with("# ") && !line.starts_with("# ---") {
            if fresh {
                says.clear();
                fresh = false;
            }
            says.push(plain.trim());
        } else {
            says.clear();
        }
    }
    keys
}

/// The keys that the code knows in a section: it names them when it meets another.
fn known(section: &str) -> Vec<String> {
    let base = "[[account]]\nname = \"a\"\naddress = \"a@b.example\"\n[account.imap]\nhost = \"h\"\nport = 1\nuser = \"u\"\npassword-file = \"p\"\n";
    let text = match section {
        "" => format!("no-such-key = 1\n{base}"),
        "account" => base.replace("[account.imap]", "no-such-key = 1\n[account.imap]"),
        "account.imap" => base.replace("host", "no-such-key = 1\nhost"),
        other => format!("{base}[{other}]\nno-such-key = 1\n"),
    };
    let error = evenkeel::config::read::parse(std::path::Path::new("e.toml"), &text).unwrap_err().to_string();
    let list = if section.is_empty() { "it has " } else { "expected " };
    let (_, rest) = error.split_once(list).unwrap_or_else(|| panic!("{section}: {error}"));
    let rest = rest.lines().next().unwrap();
    let words = rest.split([' ', ',']).map(|word| word.trim_matches('`'));
    words.filter(|word| !["", "one", "of", "or"].contains(word)).map(str::to_owned).collect()
}

#[test]
fn every_key_that_the_code_knows_is_in_the_annotated_config() {
    let keys = annotated();
    let tables =
        ["account", "queues", "desks", "rule", "route", "routes", "thresholds", "company", "imap", "smtp"];
    let tables =
        [&tables[..], &["conduct", "service", "limits", "http", "alerts", "hours", "learning", "oauth2"]]
            .concat();
    let mut missing = Vec::new();
    for section in
        ["", "http", "alerts", "account", "account.imap", "account.oauth2", "conduct", "service", "limits"]
    {
        for name in known(section) {
            let there = keys.iter().any(|key| key.section == section && key.name == name)
                || tables.contains(&name.as_str());
            if !there {
                missing.push(format!("[{section}] {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "deploy/evenkeel.toml does not tell: {missing:#?}");
}

#[test]
fn the_table_of_keys_in_the_documents_is_the_annotated_config() {
    let mut table = "| key | default | says |\n|---|---|---|\n".to_owned();
    let mut section = String::from("none");
    for key in annotated() {
        if ["queues", "routes", "rule", "route"].contains(&key.section.as_str()) {
            continue;
        }
        if section != key.section {
            section.clone_from(&key.section);
            let name = if section.is_empty() { "at the top".to_owned() } else { format!("`[{section}]`") };
            writeln!(table, "| **{name}** | | |").unwrap();
        }
        let default = key.default.map_or_else(String::new, |default| format!("`{default}`"));
        writeln!(table, "| `{}` | {default} | {} |", key.name, key.says.replace('|', "\\|")).unwrap();
    }
    says("docs/operating.md", "keys", &table);
}

/// Commands of ours in a document: lines of code blocks, and words in backticks.
pub(super) fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            block = !block;
            continue;
        }
        let spans: Vec<&str> = if block || line.starts_with("    ") {
            vec![line.trim()]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for span in spans {
            let span = span.strip_prefix("sudo ").unwrap_or(span);
            if span.starts_with("evenkeel ") {
                found.push(span.split(" #").next().unwrap().trim().to_owned());
            }
        }
    }
    found
}

/// The words of a command line, with examples in place of what a reader fills in.
pub(super) fn words(command: &str) -> Vec<String> {
    let command = command.split([';', '|', '>']).next().unwrap();
    let mut words: Vec<String> = Vec::new();
    let mut quoted: Option<String> = None;
    for word in command.split_whitespace() {
        let plain = word.trim_matches(['[', ']', '(', ')', ',']);
        if let Some(text) = &mut quoted {
            text.push(' ');
            text.push_str(word.trim_end_matches('\''));
            if word.ends_with('\'') {
                words.extend(quoted.take());
            }
            continue;
        }
        if word.starts_with('\'') && !word.ends_with('\'') {
            quoted = Some(word.trim_start_matches('\'').to_owned());
            continue;
        }
        if plain.is_empty() || plain.contains('…') || plain == "<" {
            continue;
        }
        words.push(match plain {
            "MESSAGE-ID" => "a@b.example".into(),
            "ADDRESS" | "OTHER" => "rick@example.org".into(),
            "STATE" => "warned".into(),
            "NUMBER" => "EK-2222-A3".into(),
            "N" => "5".into(),
            "T" | "ID" | "DIR" | "LABEL" => "2h".into(),
            other => other.trim_matches('\'').into(),
        });
    }
    words
}

/// README and everything in `docs`.
pub(super) fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md")];
    documents.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    documents.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    documents.sort();
    documents
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in documents() {
        for command in commands(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            let mut words = words(&command);
            if words.len() == 2 {
                // a command that is only named
                words.push("--help".into());
            }
            if let Err(why) = evenkeel::cli::understood(&words) {
                wrong.push(format!(
                    "{}: {command}: {}",
                    path.display(),
                    why.lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert!(seen > 10, "the documents name {seen} commands");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
