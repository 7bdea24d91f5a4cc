//! The product as ops meet it: pages, metrics, alert rules, first steps, package, unit.

mod alerts;
mod browser;
mod dashboard;
mod documents;
mod executed;
mod first;
mod interrupts;
mod pages;
mod shell;
mod web;
mod window;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use evenkeel::edge::metrics::ALL;

use crate::skipped::skipped;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Words in `text` that look like a metric of ours, without the endings of a histogram's series.
fn metric_names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let plain = |word: &str| {
        ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|end| word.strip_suffix(end))
            .filter(|name| ALL.iter().any(|metric| metric.name == *name))
            .unwrap_or(word)
            .to_owned()
    };
    words.filter(|word| word.starts_with("evenkeel_")).map(plain).collect()
}

#[test]
fn alert_rules_and_dashboard_name_only_metrics_that_exist() {
    for path in ["deploy/prometheus/evenkeel.rules.yml", "deploy/grafana/evenkeel.json"] {
        let names = metric_names(&fs::read_to_string(root().join(path)).unwrap());
        assert!(names.len() > 15, "{path}: {names:?}");
        for name in names {
            assert!(ALL.iter().any(|metric| metric.name == name), "{path} names {name}");
        }
    }
    let text = fs::read_to_string(root().join("deploy/grafana/evenkeel.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    for panel in board["panels"].as_array().unwrap() {
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{panel}");
    }
}

const NO_PROMTOOL: &str = "promtool is needed, from Debian's package prometheus";

/// Prometheus' own checker; `None` where there is none.
fn promtool(dir: &Path, args: &[&str]) -> Option<Output> {
    Command::new("promtool").args(args).current_dir(dir).output().ok()
}

#[test]
fn the_alert_rules_fire_when_they_should_and_only_then() {
    let dir = root().join("deploy/prometheus");
    let Some(checked) = promtool(&dir, &["check", "rules", "evenkeel.rules.yml"]) else {
        return skipped("alert rules", NO_PROMTOOL);
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let tested = promtool(&dir, &["test", "rules", "evenkeel.rules.test.yml"]).unwrap();
    let said =
        String::from_utf8_lossy(&tested.stdout).into_owned() + &String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");
}
