//! From TOML text to a [`Config`], or to every problem in it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::account::{Account, Server};
use super::{Config, ConfigError, ConfigProblem, Mode, thresholds};
use crate::decide::Queue;

/// The keys of the top level; every other one is a mistake.
const KEYS: [&str; 15] = [
    "mode",
    "state-dir",
    "control-socket",
    "model",
    "playbooks",
    "forward-cap-bytes",
    "attempts",
    "account",
    "queues",
    "desks",
    "routes",
    "conduct",
    "limits",
    "thresholds",
    "company",
];

/// Collects problems while sections are taken out of the table.
struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    table: DeTable<'a>,
    problems: Vec<ConfigProblem>,
}

/// Parses and checks the text of a config file.
///
/// # Errors
/// With every problem found.
pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let table = DeTable::parse(text).map_err(|e| {
        ConfigError(vec![ConfigProblem {
            file: file.to_owned(),
            line: e.span().map(|span| line_of(text, &span)),
            what: format!("{}; the file must be TOML", e.message()),
        }])
    })?;
    let mut reader = Reader { file, text, table: table.into_inner(), problems: Vec::new() };
    reader.unknown_keys();
    let accounts: Vec<(usize, Account)> = reader.accounts();
    let policy = crate::decide::Policy {
        queues: reader.take("queues").unwrap_or_default(),
        desks: reader.take("desks").unwrap_or_default(),
        routes: reader.take("routes").unwrap_or_default(),
        conduct: reader.take("conduct").unwrap_or_default(),
        limits: reader.take("limits").unwrap_or_default(),
    };
    let section: thresholds::Section = reader.take("thresholds").unwrap_or_default();
    let thresholds = section.resolve().unwrap_or_else(|problems| {
        reader.problems.extend(problems.into_iter().map(|what| problem(file, None, what)));
        crate::classify::thresholds::Thresholds::default()
    });
    let state_dir: PathBuf = reader.take("state-dir").unwrap_or_else(|| PathBuf::from("/var/lib/evenkeel"));
    let config = Config {
        path: file.to_owned(),
        mode: reader.take("mode").unwrap_or(Mode::Observe),
        control_socket: reader.take("control-socket").unwrap_or_else(|| state_dir.join("control.sock")),
        state_dir,
        model: reader.take("model"),
        playbooks: reader.take("playbooks"),
        forward_cap_bytes: reader.take("forward-cap-bytes").unwrap_or(32 * 1024 * 1024),
        attempts: reader.take("attempts").unwrap_or(3),
        accounts: accounts.iter().map(|(_, account)| account.clone()).collect(),
        policy,
        thresholds,
        company: reader.take("company").unwrap_or_default(),
    };
    let mut problems = reader.problems;
    problems.extend(check(&config, &accounts));
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|p| p.line);
    Err(ConfigError(problems))
}

impl Reader<'_> {
    fn unknown_keys(&mut self) {
        for (key, _) in &self.table {
            let name = key.get_ref().as_ref();
            if !KEYS.contains(&name) {
                let what = format!("`{name}` is no key of the config; it has {}", KEYS.join(", "));
                let line = Some(line_of(self.text, &key.span()));
                self.problems.push(problem(self.file, line, what));
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
                let line = line_of(self.text, &error.span().unwrap_or(start));
                let what = format!("{key}: {}", error.message().trim_end());
                self.problems.push(problem(self.file, Some(line), what));
                None
            }
        }
    }

    /// Each account with its line.
    fn accounts(&mut self) -> Vec<(usize, Account)> {
        let Some(value) = self.table.remove("account") else {
            let what =
                "there is no [[account]]; add one with `name`, `address` and [account.imap]".to_owned();
            self.problems.push(problem(self.file, None, what));
            return Vec::new();
        };
        let line = line_of(self.text, &value.span());
        if let DeValue::Array(items) = value.into_inner() {
            items
                .into_iter()
                .filter_map(|item| {
                    let line = line_of(self.text, &item.span());
                    self.read::<Account>("account", item).map(|account| (line, account))
                })
                .collect()
        } else {
            let what = "account: write [[account]] with two brackets: there may be several".to_owned();
            self.problems.push(problem(self.file, Some(line), what));
            Vec::new()
        }
    }
}

fn problem(file: &Path, line: Option<usize>, what: String) -> ConfigProblem {
    ConfigProblem { file: file.to_owned(), line, what }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
}

/// What parses but cannot work.
fn check(config: &Config, accounts: &[(usize, Account)]) -> Vec<ConfigProblem> {
    let mut found = Vec::new();
    let mut say = |line: Option<usize>, what: String| found.push(problem(&config.path, line, what));
    for (index, (line, account)) in accounts.iter().enumerate() {
        let name = &account.name;
        let line = Some(*line);
        if accounts.iter().take(index).any(|(_, other)| other.name == *name) {
            say(line, format!("two accounts are called {name:?}; give each its own name"));
        }
        if name.is_empty() || name.contains(['/', '\n']) {
            say(line, format!("account name {name:?} must not be empty or hold a slash"));
        }
        if account.address.parse::<lettre::Address>().is_err() {
            say(line, format!("address {:?} of account {name:?} is no mail address", account.address));
        }
        for (at, folder) in account.folders.iter().enumerate() {
            let box_of =
                |other: &Account| (other.imap.host.clone(), other.imap.port, other.imap.user.clone());
            let earlier = accounts
                .iter()
                .take(index)
                .any(|(_, other)| box_of(other) == box_of(account) && other.folders.contains(folder));
            if earlier || account.folders.iter().take(at).any(|other| other == folder) {
                say(
                    line,
                    format!(
                        "account {name:?}: {folder:?} of this mailbox is watched twice; its mails would be answered twice"
                    ),
                );
            }
            if account.drafts.as_ref() == Some(folder) {
                say(line, format!("account {name:?} watches its own drafts folder {folder:?}"));
            }
        }
        if account.folders.is_empty() {
            say(line, format!("account {name:?} watches no folder; leave `folders` out for INBOX"));
        }
        if !(30..=1_500).contains(&account.poll_secs) {
            say(line, format!("poll-secs of account {name:?} must be between 30 and 1500"));
        }
        let servers = [("imap", Some(&account.imap)), ("smtp", account.smtp.as_ref())];
        for (kind, server) in servers.into_iter().filter_map(|(kind, server)| Some((kind, server?))) {
            for what in server_problems(kind, server) {
                say(line, format!("account {name:?}: {what}"));
            }
        }
        for folder in &account.folders {
            if Queue::ALL.iter().any(|queue| config.policy.folder(*queue) == folder) {
                say(
                    line,
                    format!(
                        "account {name:?} watches {folder:?}, into which it files: take it out of `folders`"
                    ),
                );
            }
        }
    }
    if !(1..=1_440).contains(&config.policy.limits.window_minutes) {
        say(None, "[limits] window-minutes must be between 1 and 1440, a day".to_owned());
    }
    for queue in Queue::ALL {
        let folder = config.policy.folder(queue);
        if folder.is_empty() || folder.contains(['\r', '\n', '\0', '*', '%']) {
            say(None, format!("[queues] folder {folder:?} is no folder name"));
        }
    }
    for (desk, addresses) in &config.policy.desks {
        for address in addresses {
            if address.parse::<lettre::Address>().is_err() {
                say(None, format!("[desks] {desk}: {address:?} is no mail address"));
            }
        }
    }
    found
}

fn server_problems(kind: &str, server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    if server.host.is_empty() {
        found.push(format!("{kind}: `host` is empty"));
    }
    if server.password_file.is_some() && server.password_credential.is_some() {
        found.push(format!("{kind}: set `password-file` or `password-credential`, not both"));
    }
    let has_password = server.password_file.is_some() || server.password_credential.is_some();
    if server.user.is_empty() && (has_password || kind == "imap") {
        found.push(format!("{kind}: `user` is missing"));
    } else if !server.user.is_empty() && !has_password {
        found.push(format!("{kind}: no password; set `password-file` or `password-credential`"));
    }
    found
}

/// What works, but probably not as meant.
#[must_use]
pub fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let routes = &config.policy.routes;
    let forwards = [("threat", &routes.threat), ("harassment", &routes.harassment)];
    for (label, route) in forwards {
        for desk in &route.forward {
            if config.policy.recipients(*desk).is_empty() {
                found.push(format!("a {label} is to be forwarded to {desk}, which has no address; set [desks] {desk} = [\"…\"]"));
            }
        }
    }
    let has_desk = config.policy.desks.values().any(|addresses| !addresses.is_empty());
    for account in config.accounts.iter().filter(|account| account.smtp.is_none() && has_desk) {
        found.push(format!(
            "account {:?} has no [account.smtp]: nothing can be forwarded from it",
            account.name
        ));
    }
    if config.mode == Mode::Observe {
        found.push("mode is \"observe\": decisions are logged and nothing is changed; set mode = \"act\" when you like what you see".into());
    }
    found
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
    fn a_watched_folder_into_which_mail_is_filed_is_refused() {
        let found = problems(
            &GOOD.replace("[account.imap]", "folders = [\"INBOX\", \"Queue/Legal\"]\n[account.imap]"),
        );
        assert!(found[0].contains("take it out of `folders`"), "{found:#?}");
    }
}
