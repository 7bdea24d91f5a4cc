//! Documents that are written from the code, and so cannot drift. After a change that is meant,
//! `EVENKEEL_UPDATE=1 cargo test --test it documents` writes them anew.

use std::fmt::Write as _;
use std::fs;

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
