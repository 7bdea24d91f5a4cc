//! The operator's file: TOML in, a [`Config`] or every problem at once out.

pub mod account;
pub mod advice;
pub mod alerts;
mod check;
pub mod http;
pub mod merge;
pub mod oauth2;
pub mod read;
pub mod secret;
pub mod thresholds;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::classify::thresholds::Thresholds;
use crate::decide::Policy;
use crate::reply::Company;

pub use account::{Account, Server, Start, Tls};
pub use alerts::Alerts;
pub use http::{Http, Listen};
pub use oauth2::{Mechanism, OAuth2};
pub use secret::{Secret, SecretError};

/// Where the daemon looks when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/evenkeel/evenkeel.toml";

/// Whether anything is changed on the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Mails are read and decided, the decisions are logged and recorded, nothing else.
    #[default]
    Observe,
    /// Decisions are carried out.
    Act,
}

/// What is done with a forward of which nobody knows whether it was sent: the line died between its
/// last byte and the server's answer (RFC 5321 §4.5.3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InDoubt {
    /// It is sent again with the same Message-ID.
    #[default]
    Send,
    /// The mail is marked for a person and stays where it is.
    Hold,
}

/// A config that was found good.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Whether anything is changed on the servers.
    pub mode: Mode,
    /// Where the ledger lives.
    pub state_dir: PathBuf,
    /// The control socket.
    pub control_socket: PathBuf,
    /// A model to use instead of the shipped one.
    pub model: Option<PathBuf>,
    /// Playbooks of one's own, laid over the shipped ones.
    pub playbooks: Option<PathBuf>,
    /// Largest original that is forwarded, in bytes.
    pub forward_cap_bytes: u32,
    /// What is done with a forward of which nobody knows whether it was sent.
    pub forward_in_doubt: InDoubt,
    /// Attempts after which a mail is left to a person.
    pub attempts: u32,
    /// The pages: metrics, health, the window.
    pub http: Http,
    /// Who is told when a person is needed.
    pub alerts: Alerts,
    /// The mailboxes.
    pub accounts: Vec<Account>,
    /// Queues, desks, routes, conduct.
    pub policy: Policy,
    /// Thresholds over those of the model.
    pub thresholds: Thresholds,
    /// What drafts may say about the company.
    pub company: Company,
    /// What works, but probably not as meant.
    pub warnings: Vec<ConfigProblem>,
}

/// One thing that is wrong with a config, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file.
    pub file: PathBuf,
    /// Line, 1 for the first, where it is known.
    pub line: Option<usize>,
    /// What is wrong, and the fix.
    pub what: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.what),
            None => write!(f, "{}: {}", self.file.display(), self.what),
        }
    }
}

/// Every problem of a config.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<ConfigProblem>);

impl Config {
    /// Reads and checks a config file with its drop-in files, see [`merge`].
    ///
    /// # Errors
    /// With every problem found.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |file: &Path, e: &std::io::Error, fix: &str| {
            let what = format!("cannot be read: {e}; {fix}");
            ConfigError(vec![ConfigProblem { file: file.to_owned(), line: None, what }])
        };
        let missing = "name the file with --config, or write one with `evenkeel init`";
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(path, &e, missing))?;
        let mut sources = merge::Sources::default();
        sources.add(path, &text);
        let permit = "make it readable for the daemon's user, or take it away";
        for file in merge::drop_ins(path).map_err(|e| unreadable(path, &e, permit))? {
            let text = std::fs::read_to_string(&file).map_err(|e| unreadable(&file, &e, permit))?;
            sources.add(&file, &text);
        }
        read::parse_all(path, &sources)
    }
}
