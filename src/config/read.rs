//! From TOML text to a [`Config`], or to every problem in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::account::Account;
use super::check::Checked;
use super::merge::{Sources, id_of};
use super::{Config, ConfigError, ConfigProblem, Mode, advice, thresholds};

/// The keys of the top level; every other one is a mistake.
const KEYS: [&str; 23] = [
    "mode",
    "state-dir",
    "control-socket",
    "model",
    "playbooks",
    "forward-cap-bytes",
    "forward-in-doubt",
    "attempts",
    "authserv-ids",
    "http",
    "alerts",
    "account",
    "queues",
    "desks",
    "rule",
    "route",
    "routes",
    "conduct",
    "service",
    "limits",
    "learning",
    "thresholds",
    "company",
];

/// Where things stand: `rule vip`, `routes.threat`, `desks`.
pub type Places = BTreeMap<String, Range<usize>>;

/// Collects problems while sections are taken out of the table.
struct Reader<'a> {
    sources: &'a Sources,
    table: DeTable<'a>,
    places: Places,
    problems: Vec<ConfigProblem>,
}

/// Parses and checks the text of a config file that stands alone.
///
/// # Errors
/// With every problem found.
pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut sources = Sources::default();
    sources.add(file, text);
    parse_all(file, &sources)
}

/// Parses and checks a config with its drop-in files.
///
/// # Errors
/// With every problem found.
pub fn parse_all(file: &Path, sources: &Sources) -> Result<Config, ConfigError> {
    let table = sources.merged()?;
    let mut reader = Reader { sources, table, places: Places::new(), problems: Vec::new() };
    reader.unknown_keys();
    reader.remember_places();
    let mut accounts: Vec<(Range<usize>, Account)> = reader.accounts();
    let policy = crate::decide::Policy {
        queues: reader.take("queues").unwrap_or_default(),
        desks: reader.take("desks").unwrap_or_default(),
        rules: reader.list("rule"),
        routes: reader.take("routes").unwrap_or_default(),
        specials: reader.list("route"),
        conduct: reader.take("conduct").unwrap_or_default(),
        service: reader.take("service").unwrap_or_default(),
        limits: reader.take("limits").unwrap_or_default(),
        learning: reader.take("learning").unwrap_or_default(),
        authserv_ids: reader.take("authserv-ids").unwrap_or_default(),
    };
    let at = reader.places.get("thresholds").cloned();
    let section: thresholds::Section = reader.take("thresholds").unwrap_or_default();
    let thresholds = section.resolve().unwrap_or_else(|problems| {
        reader.problems.extend(problems.into_iter().map(|what| sources.problem(at.as_ref(), what)));
        crate::classify::thresholds::Thresholds::default()
    });
    let state_dir: PathBuf = reader.take("state-dir").unwrap_or_else(|| PathBuf::from("/var/lib/evenkeel"));
    for (_, account) in &mut accounts {
        account.share_tokens(&state_dir);
    }
    let mut config = Config {
        path: file.to_owned(),
        mode: reader.take("mode").unwrap_or(Mode::Observe),
        control_socket: reader.take("control-socket").unwrap_or_else(|| state_dir.join("control.sock")),
        state_dir,
        model: reader.take("model"),
        playbooks: reader.take("playbooks"),
        forward_cap_bytes: reader.take("forward-cap-bytes").unwrap_or(32 * 1024 * 1024),
        forward_in_doubt: reader.take("forward-in-doubt").unwrap_or_default(),
        attempts: reader.take("attempts").unwrap_or(3),
        http: reader.take("http").unwrap_or_default(),
        alerts: reader.take("alerts").unwrap_or_default(),
        accounts: accounts.iter().map(|(_, account)| account.clone()).collect(),
        policy,
        thresholds,
        company: reader.take("company").unwrap_or_default(),
        warnings: Vec::new(),
    };
    let (places, mut problems) = (reader.places, reader.problems);
    let mut checked = Checked { config: &config, sources, places: &places, found: Vec::new() };
    checked.accounts(&accounts);
    checked.policy();
    checked.http();
    problems.extend(checked.found);
    if problems.is_empty() {
        config.warnings = advice::warnings(&config, sources, &places);
        return Ok(config);
    }
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    problems.dedup();
    Err(ConfigError(problems))
}

impl Reader<'_> {
    fn unknown_keys(&mut self) {
        for (key, _) in &self.table {
            let name = key.get_ref().as_ref();
            if !KEYS.contains(&name) {
                let what = format!("`{name}` is no key of the config; it has {}", KEYS.join(", "));
                self.problems.push(self.sources.problem(Some(&key.span()), what));
            }
        }
    }

    fn remember_places(&mut self) {
        for (key, value) in &self.table {
            let name = key.get_ref().as_ref();
            self.places.insert(name.to_owned(), key.span());
            match value.get_ref() {
                DeValue::Table(table) => {
                    for (inner, _) in table {
                        self.places.insert(format!("{name}.{}", inner.get_ref()), inner.span());
                    }
                }
                DeValue::Array(items) => {
                    for item in items {
                        if let Some(id) = id_of(item) {
                            self.places.insert(format!("{name} {id}"), item.span());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        self.read(key, value)
    }

    fn read<T: DeserializeOwned>(&mut self, key: &str, value: Spanned<DeValue<'_>>) -> Option<T> {
        let start = value.span();
        let de: ValueDeserializer<'_> = value.into_deserializer();
        match T::deserialize(de) {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().unwrap_or(start);
                let what = format!("{key}: {}", error.message().trim_end());
                self.problems.push(self.sources.problem(Some(&at), what));
                None
            }
        }
    }

    /// The entries of `[[key]]`, each read by itself so that every problem is told.
    fn list<T: DeserializeOwned>(&mut self, key: &str) -> Vec<T> {
        let Some(value) = self.table.remove(key) else { return Vec::new() };
        self.entries(key, value).into_iter().map(|(_, entry)| entry).collect()
    }

    fn entries<T: DeserializeOwned>(
        &mut self,
        key: &str,
        value: Spanned<DeValue<'_>>,
    ) -> Vec<(Range<usize>, T)> {
        let span = value.span();
        if let DeValue::Array(items) = value.into_inner() {
            let mut entries = Vec::new();
            for item in items {
                let span = item.span();
                entries.extend(self.read::<T>(key, item).map(|entry| (span, entry)));
            }
            entries
        } else {
            let what = format!("{key}: write [[{key}]] with two brackets: there may be several");
            self.problems.push(self.sources.problem(Some(&span), what));
            Vec::new()
        }
    }

    /// Each account with its place.
    fn accounts(&mut self) -> Vec<(Range<usize>, Account)> {
        let Some(value) = self.table.remove("account") else {
            let what =
                "there is no [[account]]; add one with `name`, `address` and [account.imap], or run `evenkeel init`".to_owned();
            self.problems.push(self.sources.problem(None, what));
            return Vec::new();
        };
        self.entries("account", value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
mode = "act"
[[account]]
name = "support"
address = "support@example.com"
[account.imap]
host = "mail.example.com"
port = 993
user = "support"
password-file = "/etc/evenkeel/password"
"#;

    fn problems(text: &str) -> Vec<String> {
        parse(Path::new("e.toml"), text).unwrap_err().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_short_config_is_enough() {
        let config = parse(Path::new("e.toml"), GOOD).unwrap();
        assert_eq!(config.mode, Mode::Act);
        assert_eq!(config.accounts[0].folders, ["INBOX"]);
        assert_eq!(config.policy, crate::decide::Policy::default());
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_line() {
        let text = format!(
            "modus = 1\n{GOOD}tls = \"sometimes\"\n[queues]\nlegal = 7\n[conduct]\nwindow-day = 3\n[thresholds]\nthreat = 7.0\n"
        );
        let found = problems(&text);
        for part in
            ["e.toml:1: `modus` is no key", "tls", "queues: ", "window-day", "threat = 7 is no probability"]
        {
            assert!(found.iter().any(|p| p.contains(part)), "{part} in {found:#?}");
        }
        assert!(found.iter().any(|p| p.starts_with("e.toml:12:")), "{found:#?}");
    }

    #[test]
    fn rules_and_routes_are_read_and_every_mistake_in_them_has_its_line() {
        let text = format!(
            "{GOOD}[queues]\nvip = \"Teams/VIP\"\n[[rule]]\nid = \"vip\"\nwhen = 'header(\"x-plan\") == \"gold\"'\n\
             add-facts = [\"vip\"]\n[[route]]\nid = \"vip\"\nfacts = [\"vip\"]\nqueue = \"vip\"\npriority = \"high\"\n"
        );
        let config = parse(Path::new("e.toml"), &text).unwrap();
        assert_eq!(config.policy.folder(config.policy.specials[0].queue.unwrap()), "Teams/VIP");
        let found =
            problems(&text.replace("header(", "heder(").replace("queue = \"vip\"", "queue = \"vpi\""));
        assert!(found.iter().any(|p| p.starts_with("e.toml:15: rule: ")), "{found:#?}");
        let found = problems(&text.replace("queue = \"vip\"", "queue = \"vpi\""));
        assert!(
            found[0].starts_with("e.toml:17: route vip: the queue vpi has no folder; add [queues] vpi"),
            "{found:#?}"
        );
    }

    #[test]
    fn a_watched_folder_into_which_mail_is_filed_is_refused() {
        let found = problems(
            &GOOD.replace("[account.imap]", "folders = [\"INBOX\", \"Queue/Legal\"]\n[account.imap]"),
        );
        assert!(found[0].contains("take it out of `folders`"), "{found:#?}");
    }
}
