//! The SMTP edge (RFC 5321), over lettre's connection, phase by phase.
//!
//! lettre's pooled transport is not used: a send that is cancelled goes back into its pool in the
//! middle of DATA, and the next mail is reported as sent. Here every phase has its own time limit,
//! one connection carries one mail, and what happens before the body can be repeated safely.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use crate::config::{Server, Tls};
use crate::edge::wire::{Wire, WireError, ca_certificates};
use crate::edge::{EdgeError, Outbox, Retry, Transfer};

/// Time for each command (RFC 5321 §4.5.3.2 recommends five minutes; a colleague's server that
/// needs longer than this is tried again).
const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// Time for a body: `STEP_TIMEOUT` and this for each mebibyte.
pub const TIME_PER_MIB: Duration = Duration::from_mins(3);

/// What can go wrong on the way to colleagues.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// No connection.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The password cannot be read.
    #[error(transparent)]
    Secret(#[from] crate::config::SecretError),
    /// No TLS where the config asks for it.
    #[error("{host}:{port} does not offer STARTTLS; use `tls = \"implicit\"` and its port, usually 465")]
    NoStarttls {
        /// Host name of the config.
        host: String,
        /// Port.
        port: u16,
    },
    /// The server refuses user and password.
    #[error("{host} refuses the login of {user}: {why}; check `user` and the password file")]
    Login {
        /// Host name of the config.
        host: String,
        /// User of the config.
        user: String,
        /// What the server says.
        why: String,
    },
    /// A server refused in so many words; nothing was sent.
    #[error("the server refuses {during}: {why}")]
    Refused {
        /// The phase.
        during: &'static str,
        /// Whether it says so for good (5xx).
        for_good: bool,
        /// What it says.
        why: String,
    },
    /// The connection failed before the body was complete; nothing was sent.
    #[error("the connection failed during {during}: {why}")]
    Failed {
        /// The phase.
        during: &'static str,
        /// What the system says.
        why: String,
    },
    /// The connection failed after the body had begun: only the server knows whether it was sent.
    #[error(
        "the connection failed after the body was sent: {why}; only the server knows whether it took the mail"
    )]
    Unknown {
        /// What the system says.
        why: String,
    },
    /// An address cannot be used.
    #[error("{address:?} is no mail address")]
    Address {
        /// The address of the config.
        address: String,
    },
}

impl EdgeError for SmtpError {
    fn retry(&self) -> Retry {
        match self {
            Self::Wire(error) => error.retry(),
            Self::Refused { for_good: true, .. } | Self::Address { .. } => Retry::Never,
            // a login that is refused today was right yesterday: somebody mends it, the mail waits
            Self::Secret(_)
            | Self::NoStarttls { .. }
            | Self::Login { .. }
            | Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Unknown { .. } => Retry::Later,
        }
    }

    fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// The way to colleagues through one server.
pub struct Smtp {
    server: Server,
    connection: Option<AsyncSmtpConnection>,
}

impl Smtp {
    /// A way through `server`; nothing is connected yet.
    #[must_use]
    pub const fn new(server: Server) -> Self {
        Self { server, connection: None }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`SmtpError`].
    pub async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let server = &self.server;
        let hello = ClientId::default();
        let wire = Wire::connect(server).await?;
        let mut connection =
            step("greeting", AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello)).await?;
        if server.tls == Tls::Starttls {
            if !connection.can_starttls() {
                return Err(SmtpError::NoStarttls { host: server.host.clone(), port: server.port });
            }
            step("STARTTLS", connection.starttls(tls(server)?, &hello)).await?;
        }
        if !server.user.is_empty() {
            let password = server.password()?;
            let credentials = Credentials::new(server.user.clone(), password.reveal().to_owned());
            let login =
                step("AUTH", connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await;
            login.map_err(|error| match error {
                SmtpError::Refused { why, .. } => {
                    SmtpError::Login { host: server.host.clone(), user: server.user.clone(), why }
                }
                other => other,
            })?;
        }
        Ok(connection)
    }
}

impl Outbox for Smtp {
    type Error = SmtpError;

    async fn prepare(&mut self, from: &str, to: &[String]) -> Result<Transfer, SmtpError> {
        self.connection = None;
        let mut connection = self.connect().await?;
        let eight_bit = connection.server_info().supports_feature(Extension::EightBitMime);
        let mut parameters = Vec::new();
        if eight_bit {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        step("MAIL FROM", connection.command(Mail::new(Some(address(from)?), parameters))).await?;
        let mut refused = None;
        let mut accepted = 0_usize;
        for recipient in to {
            match step("RCPT TO", connection.command(Rcpt::new(address(recipient)?, Vec::new()))).await {
                Ok(_) => accepted += 1,
                Err(error @ SmtpError::Refused { .. }) => {
                    tracing::error!(%error, "a server refuses one of a desk's addresses");
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = refused.filter(|_| accepted == 0) {
            return Err(error);
        }
        step("DATA", connection.command(Data)).await?;
        self.connection = Some(connection);
        Ok(Transfer { eight_bit })
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), SmtpError> {
        let Some(mut connection) = self.connection.take() else {
            return Err(SmtpError::Failed { during: "DATA", why: "nothing was prepared".into() });
        };
        let mebibytes = u32::try_from(message.len() / (1024 * 1024) + 1).unwrap_or(u32::MAX);
        let limit = STEP_TIMEOUT + TIME_PER_MIB.saturating_mul(mebibytes);
        let answer = timeout(limit, connection.message(message)).await;
        match answer {
            Err(_) => Err(SmtpError::Unknown { why: "no answer in time".into() }),
            Ok(Err(error)) if error.status().is_some() => Err(judge("the body", &error)),
            Ok(Err(error)) => Err(SmtpError::Unknown { why: clip(&error.to_string()) }),
            Ok(Ok(_)) => {
                // the mail is taken; whether the goodbye arrives does not matter
                let _ = timeout(Duration::from_secs(5), connection.quit()).await;
                Ok(())
            }
        }
    }
}

async fn step<T>(
    during: &'static str,
    phase: impl Future<Output = Result<T, lettre::transport::smtp::Error>> + Send,
) -> Result<T, SmtpError> {
    match timeout(STEP_TIMEOUT, phase).await {
        Err(_) => Err(SmtpError::Failed { during, why: "no answer in time".into() }),
        Ok(Err(error)) => Err(judge(during, &error)),
        Ok(Ok(value)) => Ok(value),
    }
}

fn judge(during: &'static str, error: &lettre::transport::smtp::Error) -> SmtpError {
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        why = format!("{why}: {cause}");
        source = cause.source();
    }
    let why = clip(&why);
    if error.status().is_some() {
        // a server that turns everybody away is broken or busy, not of an opinion on this mail
        let about_mail = matches!(during, "MAIL FROM" | "RCPT TO" | "DATA" | "the body");
        SmtpError::Refused { during, for_good: about_mail && error.is_permanent(), why }
    } else {
        SmtpError::Failed { during, why }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn address(text: &str) -> Result<Address, SmtpError> {
    text.parse().map_err(|_| SmtpError::Address { address: text.to_owned() })
}

fn tls(server: &Server) -> Result<TlsParameters, SmtpError> {
    let failed = |e: lettre::transport::smtp::Error| SmtpError::Failed {
        during: "STARTTLS",
        why: clip(&e.to_string()),
    };
    let mut builder = TlsParameters::builder(server.host.clone());
    for certificate in ca_certificates(server)? {
        builder = builder.add_root_certificate(Certificate::from_der(certificate.to_vec()).map_err(failed)?);
    }
    builder.build_rustls().map_err(failed)
}
