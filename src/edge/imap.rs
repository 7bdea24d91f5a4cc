//! The IMAP edge (RFC 3501 and 9051): a thin layer over async-imap that believes nothing but
//! tagged answers and proofs.

pub mod answer;
pub mod exec;
mod filing;
pub mod folders;
pub mod login;
mod mailbox;
pub mod quota;
mod reading;
pub mod utf7;

use std::collections::BTreeSet;
use std::time::Duration;

use imap_proto::ResponseCode;

use crate::config::Server;
use crate::edge::login::LoginError;
use crate::edge::wire::WireError;
use crate::edge::{EdgeError, FolderState, Retry, Trouble};
use exec::Connection;

pub use folders::Folders;

/// What can go wrong on the way to a mailbox.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// No connection.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// No login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A command was answered NO or BAD.
    #[error("the server refuses {during}: {why}")]
    Refused {
        /// The command's verb.
        during: &'static str,
        /// Why, as a response code says it.
        code: Code,
        /// What the server says.
        why: String,
    },
    /// The server has announced that it closes the connection.
    #[error("the server says goodbye: {why}")]
    Bye {
        /// What the server says.
        why: String,
    },
    /// The connection ended in the middle.
    #[error("the connection was closed during {during}")]
    Closed {
        /// The command's verb.
        during: &'static str,
    },
    /// The server did not answer in time.
    #[error("the server did not answer {during} in time")]
    Silent {
        /// The command's verb.
        during: &'static str,
    },
    /// The stream failed.
    #[error("the connection failed during {during}: {why}")]
    Stream {
        /// The command's verb.
        during: &'static str,
        /// What the system or the parser says.
        why: String,
    },
    /// An answer that belongs to no command, or contradicts another.
    #[error("the server's answers contradict one another during {during}")]
    OutOfStep {
        /// The command's verb.
        during: &'static str,
    },
    /// A name that cannot be put into a command.
    #[error("a name with a line break or NUL cannot be used in {during}")]
    Argument {
        /// The command's verb.
        during: &'static str,
    },
    /// A watched folder does not exist.
    #[error(
        "the folder {folder:?} does not exist or cannot be opened: {why}; name an existing folder in `folders`"
    )]
    NoFolder {
        /// Folder of the config.
        folder: String,
        /// What the server says.
        why: String,
    },
    /// A queue folder cannot be created.
    #[error(
        "the folder {folder:?} cannot be created: {why}; create it on the server, or name another one under [queues]"
    )]
    Create {
        /// Folder of the config.
        folder: String,
        /// Why, as a response code says it.
        code: Code,
        /// What the server says.
        why: String,
    },
}

/// What a response code (RFC 9051 §7.1) says about a refusal, as far as it matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Creating the folder would help.
    TryCreate,
    /// It may pass by itself: no space, too busy, out of order.
    Passing,
    /// None of these.
    Other,
}

impl Code {
    /// Codes that the parser does not know stand at the beginning of the text.
    fn of(code: Option<&ResponseCode<'_>>, text: Option<&str>) -> Self {
        const PASSING: [&str; 7] =
            ["OVERQUOTA", "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN", "EXPUNGEISSUED"];
        let word = text.and_then(|text| text.strip_prefix('[')?.split([']', ' ']).next());
        match (code, word) {
            (Some(ResponseCode::TryCreate), _) => Self::TryCreate,
            (_, Some(word)) if PASSING.iter().any(|passing| word.eq_ignore_ascii_case(passing)) => {
                Self::Passing
            }
            _ => Self::Other,
        }
    }
}

impl EdgeError for ImapError {
    fn retry(&self) -> Retry {
        match self {
            Self::Wire(error) => error.retry(),
            Self::Argument { .. }
            | Self::Create { code: Code::Other | Code::TryCreate, .. }
            | Self::Refused { code: Code::Other | Code::TryCreate, .. } => Retry::Never,
            Self::Login(_)
            | Self::Refused { .. }
            | Self::Bye { .. }
            | Self::Closed { .. }
            | Self::Silent { .. }
            | Self::Stream { .. }
            | Self::OutOfStep { .. }
            | Self::NoFolder { .. }
            | Self::Create { .. } => Retry::Later,
        }
    }

    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Create { .. })
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::Wire(error) => error.trouble(),
            Self::Login(error) => error.trouble(),
            Self::Argument { .. } => Trouble::Setup,
            Self::NoFolder { .. } => Trouble::Folder,
            Self::Refused { .. }
            | Self::Create { .. }
            | Self::Bye { .. }
            | Self::Closed { .. }
            | Self::Silent { .. }
            | Self::Stream { .. }
            | Self::OutOfStep { .. } => Trouble::Line,
        }
    }
}

/// A logged-in mailbox.
#[derive(Debug)]
pub struct Imap {
    connection: Connection,
    /// Capabilities after login, upper case.
    capabilities: BTreeSet<String>,
    folders: Folders,
    /// The folder that is selected, and its state when it was.
    selected: Option<(String, FolderState)>,
}

impl Imap {
    /// Connects and logs in. `drafts` overrides the folder with the special use `\Drafts`.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn connect(server: &Server, drafts: Option<&str>) -> Result<Self, ImapError> {
        let mut connection = login::login(server).await?;
        let capabilities = login::capabilities(&mut connection).await?;
        let folders = Folders::list(&mut connection, &capabilities, drafts).await?;
        Ok(Self { connection, capabilities, folders, selected: None })
    }

    /// Capabilities after login, upper case.
    #[must_use]
    pub const fn capabilities(&self) -> &BTreeSet<String> {
        &self.capabilities
    }

    /// Whether the server announces `capability`.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// The server's folders.
    #[must_use]
    pub const fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Says goodbye; errors do not matter any more, and nobody waits for a server that is silent.
    pub async fn logout(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.exec("LOGOUT")).await;
    }
}
