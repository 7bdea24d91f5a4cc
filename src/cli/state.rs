//! Where commands ask: the running daemon over its control socket, the files when none is running.

use std::path::PathBuf;

use crate::config::Config;
use crate::daemon::account_names;
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::edge::control::{self, Request, Response, Status};
use crate::edge::ledger::Store;

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
    /// The state of a config.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        if control::answers(&config.control_socket) {
            return Ok(Self::Daemon(config.control_socket.clone()));
        }
        if !config.state_dir.join("ledger").exists() {
            return Ok(Self::Nothing);
        }
        Ok(Self::Files(Box::new(Store::open(&config.state_dir)?), account_names(config)))
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
