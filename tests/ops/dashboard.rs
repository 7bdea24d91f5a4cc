//! The Grafana dashboard: whole, and every query of it understood by Prometheus' own parser.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use evenkeel::edge::metrics::ALL;
use serde_json::Value;

use super::{metric_names, promtool, root};
use crate::skipped::skipped;

fn board() -> Value {
    let text = std::fs::read_to_string(root().join("deploy/grafana/evenkeel.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every query with the title of its panel, as Grafana sends it.
fn queries(board: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap().replace("$__rate_interval", "5m");
            assert!(!query.contains('$'), "{query}: a variable that is not filled in");
            found.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    found
}

#[test]
fn the_dashboard_is_whole_and_its_panels_lie_side_by_side() {
    let board = board();
    let variables = board["templating"]["list"].as_array().unwrap();
    assert!(
        variables.iter().any(|v| v["name"] == "datasource" && v["query"] == "prometheus"),
        "{variables:?}"
    );
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in board["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "two panels of one id: {panel}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{panel}");
        for cell in (place("x")..place("x") + place("w"))
            .flat_map(|x| (place("y")..place("y") + place("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(cell), "panels lie over one another at {cell:?}: {panel}");
        }
        let letters: Vec<&str> =
            panel["targets"].as_array().unwrap().iter().map(|t| t["refId"].as_str().unwrap()).collect();
        assert_eq!(letters.iter().collect::<BTreeSet<_>>().len(), letters.len(), "{panel}");
    }
}

#[test]
fn a_query_sums_only_by_labels_that_its_metric_has() {
    for (title, query) in queries(&board()) {
        let known: BTreeSet<&str> = ALL
            .iter()
            .filter(|metric| metric_names(&query).iter().any(|name| name == metric.name))
            .flat_map(|metric| metric.labels.iter().copied())
            .chain(["le"])
            .collect();
        for list in query.split("by (").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            for label in list.split(',').map(str::trim) {
                assert!(known.contains(label), "{title}: {query} sums by {label}, there is {known:?}");
            }
        }
    }
}

#[test]
fn prometheus_understands_every_query_of_the_dashboard() {
    let dir = tempfile::tempdir().unwrap();
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let queries = queries(&board());
    for (at, (_, query)) in queries.iter().enumerate() {
        writeln!(rules, "      - record: query:{at}\n        expr: {}", Value::from(query.as_str())).unwrap();
    }
    let check = |text: &str| {
        std::fs::write(dir.path().join("rules.yml"), text).unwrap();
        promtool(dir.path(), &["check", "rules", "rules.yml"])
    };
    let Some(good) = check(&rules) else { return skipped("the dashboard's queries", super::NO_PROMTOOL) };
    let said = String::from_utf8_lossy(&good.stdout).into_owned() + &String::from_utf8_lossy(&good.stderr);
    assert!(good.status.success() && said.contains(&format!("{} rules found", queries.len())), "{said}");
    // a query that is none is noticed
    assert!(!check(&rules.replacen("expr: \"", "expr: \"sum by (", 1)).unwrap().status.success());
}
