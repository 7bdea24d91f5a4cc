//! The house rules that a compiler does not hold.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && name != ".git" && name != "corpus" {
                files(&path, ending, found);
            }
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// The code of a file, without its unit tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What a pure module must not name, and so cannot do.
const EFFECTS: [&str; 22] = [
    "tokio",
    "sled::",
    "lettre",
    "async_imap",
    "imap_proto",
    "tracing::",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "File::",
    "SystemTime",
    "Instant",
    "::now()",
    "async fn",
    ".await",
    "crate::edge",
    "crate::daemon",
    "crate::cli",
    "crate::config",
    "crate::train",
];

#[test]
fn a_pure_module_reaches_for_no_effect() {
    let src = root().join("src");
    let mut pure = Vec::new();
    for module in ["mail", "classify", "decide", "reply"] {
        pure.push(src.join(format!("{module}.rs")));
        files(&src.join(module), ".rs", &mut pure);
    }
    pure.push(src.join("time.rs"));
    assert!(pure.len() > 30, "the pure modules were not found: {}", pure.len());
    let mut broken = Vec::new();
    for path in pure {
        // threads that end with the function that has begun them only make it faster
        let code = code(&path).replace("std::thread::scope", "");
        for effect in EFFECTS.iter().filter(|effect| code.contains(**effect)) {
            broken.push(format!("{} names {effect}", path.display()));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn offline_training_reaches_for_no_server() {
    let mut all = vec![root().join("src/train.rs")];
    files(&root().join("src/train"), ".rs", &mut all);
    for path in all {
        let code = code(&path);
        for effect in ["crate::edge", "crate::daemon", "tokio", "lettre", "sled::"] {
            assert!(!code.contains(effect), "{} names {effect}", path.display());
        }
    }
}

#[test]
fn the_layout_is_the_one_the_architecture_describes() {
    let mut all = Vec::new();
    files(&root().join("src"), ".rs", &mut all);
    assert!(all.iter().all(|path| path.file_name().unwrap() != "mod.rs"), "modules are foo.rs and foo/");
    assert!(fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count() <= 40);
    for word in ["utils", "helpers", "manager", "common"] {
        assert!(all.iter().all(|path| path.file_stem().unwrap() != word), "{word} says nothing");
    }
}

/// Whether a word in backticks is meant as a path of this project.
fn is_project_path(word: &str) -> bool {
    let tops =
        ["src/", "docs/", "data/", "models/", "deploy/", "tests/", "benches/", ".ci/", "./try", "./check"];
    let alone = ["Cargo.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "deny.toml", "clippy.toml"];
    (tops.iter().any(|top| word.starts_with(top)) || alone.contains(&word))
        && !word.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '*' | '…' | '{' | '('))
}

#[test]
fn every_path_a_document_names_exists() {
    let mut documents = Vec::new();
    files(&root(), ".md", &mut documents);
    assert!(documents.len() >= 6);
    let mut missing = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let quoted = text.split('`').skip(1).step_by(2);
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for word in quoted.filter(|word| is_project_path(word)).chain(linked) {
            if word.is_empty() || word.starts_with("http") {
                continue;
            }
            let beside = document.parent().unwrap().join(word);
            if !root().join(word).exists() && !beside.exists() {
                missing.push(format!("{} names {word}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_shipped_config_is_good_and_its_commented_defaults_are_the_real_ones() {
    use evenkeel::config::read::parse;
    let path = root().join("deploy/evenkeel.toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut shipped = parse(&path, &text).unwrap();
    // with the comment sign taken off every default, the config says the same
    let spelt: String =
        text.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
    assert!(spelt.len() + 20 < text.len(), "no commented defaults were found");
    let mut spelt = parse(&path, &spelt).unwrap();
    // their lines differ
    shipped.warnings.clear();
    spelt.warnings.clear();
    assert_eq!(format!("{shipped:?}"), format!("{spelt:?}"));
}

#[test]
fn the_unit_runs_the_binary_that_the_package_installs_and_gives_it_its_secrets() {
    let unit = fs::read_to_string(root().join("deploy/evenkeel.service")).unwrap();
    for line in
        ["Type=notify", "ExecStart=/usr/bin/evenkeel", "WatchdogSec=", "LoadCredential=", "DynamicUser=yes"]
    {
        assert!(unit.contains(line), "{line}");
    }
}
