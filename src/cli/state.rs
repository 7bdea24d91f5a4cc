//! Where commands ask: the running daemon over its control socket, the files when none is running.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use super::output;
use crate::config::{Config, ConfigError};
use crate::daemon::account_names;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{self, Request, Response, Status};
use crate::edge::ledger::Store;

/// Where the state of a config is. Known also while the rest of the config is wrong: a broken rule
/// must not keep anybody from asking the running daemon.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    control_socket: PathBuf,
    state_dir: PathBuf,
    accounts: Vec<String>,
}

impl From<&Config> for Whereabouts {
    fn from(config: &Config) -> Self {
        Self {
            control_socket: config.control_socket.clone(),
            state_dir: config.state_dir.clone(),
            accounts: account_names(config),
        }
    }
}

impl Whereabouts {
    /// Whether a daemon answers.
    #[must_use]
    pub fn is_running(&self) -> bool {
        control::answers(&self.control_socket)
    }

    /// Where the state is.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Of the config at `path`; one with mistakes will do while a daemon answers.
    ///
    /// # Errors
    /// With the mistakes of the config when no daemon answers.
    pub fn of(path: &Path) -> Result<Self, ConfigError> {
        Config::load(path).map(|config| Self::from(&config)).or_else(|error| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let table: toml::Table = text.parse().unwrap_or_default();
            let named = |key: &str| table.get(key).and_then(toml::Value::as_str).map(PathBuf::from);
            let state_dir = named("state-dir").unwrap_or_else(|| PathBuf::from("/var/lib/evenkeel"));
            let control_socket = named("control-socket").unwrap_or_else(|| state_dir.join("control.sock"));
            if control::answers(&control_socket) {
                Ok(Self { control_socket, state_dir, accounts: Vec::new() })
            } else {
                Err(error)
            }
        })
    }
}

/// Where the state is asked.
pub enum State {
    /// The running daemon.
    Daemon(PathBuf),
    /// The files.
    Files(Box<Store>, Vec<String>),
    /// Before the first start there is none.
    Nothing,
}

impl State {
    /// The state of a config, wherever it is.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn of(place: &Whereabouts) -> anyhow::Result<Self> {
        if control::answers(&place.control_socket) {
            return Ok(Self::Daemon(place.control_socket.clone()));
        }
        if !["ledger", "journal"].iter().any(|half| place.state_dir.join(half).exists()) {
            return Ok(Self::Nothing);
        }
        Ok(Self::Files(Box::new(Store::open(&place.state_dir)?), place.accounts.clone()))
    }

    /// Asks; what was written to the files is durable afterwards.
    ///
    /// # Errors
    /// When nobody answers, or the answer is that something is wrong.
    pub fn ask(&mut self, request: &Request) -> anyhow::Result<Response> {
        let response = match self {
            Self::Daemon(socket) => control::ask(socket, request)?,
            Self::Files(store, accounts) => {
                let now = SystemClock.now();
                let answered = control::answer(store, accounts, now, Status::default(), request)?;
                store.commit()?;
                answered
            }
            Self::Nothing => match request {
                Request::Explain { .. } | Request::Case { .. } => Response::Records(Vec::new()),
                _ => anyhow::bail!("there is no state yet: the daemon has never run with this config"),
            },
        };
        match response {
            Response::Error(why) => anyhow::bail!("{why}"),
            other => Ok(other),
        }
    }

    /// Whether the answer will be carried out at once.
    #[must_use]
    pub const fn running(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }
}

/// What root has written into the state of the daemon's user becomes that user's: it could not go on otherwise.
pub fn give_back(config: &Path) {
    let Ok(place) = Whereabouts::of(config) else { return };
    let (Ok(me), Ok(dir)) = (fs::metadata("/proc/self"), File::open(&place.state_dir)) else { return };
    let Ok(owner) = dir.metadata() else { return };
    if me.uid() == 0 && owner.uid() != 0 {
        give(&dir, owner.uid(), owner.gid());
    }
}

/// Everything of root's in a directory. Its owner may be nobody's friend: entries are reached through the open
/// directory, and what was opened must be what was looked at, no link and nothing that has another name elsewhere.
fn give(dir: &File, user: u32, group: u32) {
    let at = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd()));
    for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
        let path = at.join(entry.file_name());
        let Ok(seen) = fs::symlink_metadata(&path) else { continue };
        if !(seen.is_dir() || seen.is_file() && seen.nlink() == 1) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        if file.metadata().ok().is_none_or(|data| (data.dev(), data.ino()) != (seen.dev(), seen.ino())) {
            continue;
        }
        if seen.uid() == 0 && fchown(&file, Some(user), Some(group)).is_err() {
            let name = entry.file_name();
            output::say(&format!("{} belongs to root: the daemon cannot write it", name.display()));
        }
        if seen.is_dir() {
            give(&file, user, group);
        }
    }
}

/// The answer is of another kind than the question.
#[must_use]
pub fn not_understood() -> anyhow::Error {
    anyhow::anyhow!("the daemon's answer is not understood; is it of another version?")
}

/// Who gives a command: the person behind sudo, or the user.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the command line's own environment")]
pub fn author() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}
