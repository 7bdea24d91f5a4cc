//! The SMTP edge (RFC 5321), over lettre's connection, phase by phase.
//!
//! lettre's pooled transport is not used: a send that is cancelled goes back into its pool in the
//! middle of DATA, and the next mail is reported as sent. Here every phase has its own time limit,
//! one connection carries one mail, and what happens before the body can be repeated safely.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use crate::config::{Server, Tls};
use crate::edge::login::{self, Gates, LoginError, Proof};
use crate::edge::said::said;
use crate::edge::wire::{Wire, WireError, ca_certificates};
use crate::edge::{EdgeError, Outbox, Retry, Transfer, Trouble};

/// Time for a body, besides that for a command (RFC 5321 §4.5.3.2 recommends five minutes for most;
/// a colleague's server that needs longer than `timeout-secs` is tried again), for each mebibyte.
pub const TIME_PER_MIB: Duration = Duration::from_mins(3);

/// What can go wrong on the way to colleagues.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// No connection.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// No login.
    #[error(transparent)]
    Login(#[from] LoginError),
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
            Self::Login(_) | Self::Refused { .. } | Self::Failed { .. } | Self::Unknown { .. } => {
                Retry::Later
            }
        }
    }

    fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::Wire(error) => error.trouble(),
            Self::Login(error) => error.trouble(),
            Self::Failed { during: "STARTTLS", .. } => Trouble::Tls,
            Self::Address { .. } => Trouble::Setup,
            Self::Refused { .. } | Self::Failed { .. } | Self::Unknown { .. } => Trouble::Line,
        }
    }
}

/// The way to colleagues through one server.
pub struct Smtp {
    server: Server,
    gates: Gates,
    connection: Option<AsyncSmtpConnection>,
}

impl Smtp {
    /// A way through `server`; nothing is connected yet.
    #[must_use]
    pub const fn new(server: Server, gates: Gates) -> Self {
        Self { server, gates, connection: None }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`SmtpError`].
    pub async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let server = &self.server;
        let hello = ClientId::default();
        self.gates.pass(server)?;
        let wire = Wire::connect(server).await?;
        let mut connection = self
            .step("greeting", AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello))
            .await?;
        if server.tls == Tls::Starttls {
            if !connection.can_starttls() {
                return Err(LoginError::no_starttls(server).into());
            }
            self.step("STARTTLS", connection.starttls(tls(server)?, &hello)).await?;
        }
        if !server.user.is_empty() {
            let login = async {
                match login::proof(server).await? {
                    Proof::Password(password) => {
                        let credentials = Credentials::new(server.user.clone(), password.reveal().to_owned());
                        let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
                        self.step_with("AUTH", login, |error| self.judge_login(error)).await?;
                    }
                    Proof::Token { mechanism, answer, after_refusal } => {
                        let command = format!("AUTH {mechanism} {}\r\n", BASE64.encode(answer));
                        let login = async {
                            let mut answer = connection.command(command).await?;
                            if answer.has_code(334) {
                                // it wants to explain its refusal
                                let more = format!("{}\r\n", BASE64.encode(after_refusal));
                                answer = connection.command(more).await?;
                            }
                            Ok(answer)
                        };
                        self.step_with("AUTH", login, |error| self.judge_login(error)).await?;
                    }
                }
                Ok(())
            };
            let login = login.await;
            match &login {
                Ok(()) => self.gates.note(server, false),
                Err(SmtpError::Login(error)) if error.is_refusal() => self.gates.note(server, true),
                Err(_) => {}
            }
            login?;
        }
        Ok(connection)
    }

    /// 4xx: the server cannot ask whoever knows the passwords.
    fn judge_login(&self, error: &lettre::transport::smtp::Error) -> SmtpError {
        if error.is_permanent() {
            LoginError::refused(&self.server, &causes(error)).into()
        } else {
            judge("AUTH", error)
        }
    }

    async fn step<T>(
        &self,
        during: &'static str,
        phase: impl Future<Output = Result<T, lettre::transport::smtp::Error>> + Send,
    ) -> Result<T, SmtpError> {
        self.step_with(during, phase, |error| judge(during, error)).await
    }

    async fn step_with<T>(
        &self,
        during: &'static str,
        phase: impl Future<Output = Result<T, lettre::transport::smtp::Error>> + Send,
        judge: impl Fn(&lettre::transport::smtp::Error) -> SmtpError + Send,
    ) -> Result<T, SmtpError> {
        match timeout(self.server.patience(), phase).await {
            Err(_) => Err(SmtpError::Failed { during, why: "no answer in time".into() }),
            Ok(Err(error)) => Err(judge(&error)),
            Ok(Ok(value)) => Ok(value),
        }
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
        let sender = Mail::new(Some(address(from)?), parameters);
        self.step("MAIL FROM", connection.command(sender)).await?;
        let mut refused = None;
        let (mut accepted, mut later) = (0_usize, Vec::new());
        for recipient in to {
            let command = Rcpt::new(address(recipient)?, Vec::new());
            match self.step("RCPT TO", connection.command(command)).await {
                Ok(_) => accepted += 1,
                Err(error @ SmtpError::Refused { .. }) => {
                    if error.retry() == Retry::Later {
                        tracing::warn!(%error, "a server wants one of a desk's addresses later");
                        later.push(recipient.clone());
                    } else {
                        tracing::error!(%error, "a server refuses one of a desk's addresses");
                    }
                    // of several the one that may pass decides what becomes of the mail
                    if refused.as_ref().is_none_or(|known: &SmtpError| known.retry() == Retry::Never) {
                        refused = Some(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = refused.filter(|_| accepted == 0) {
            return Err(error);
        }
        self.step("DATA", connection.command(Data)).await?;
        self.connection = Some(connection);
        Ok(Transfer { eight_bit, later })
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), SmtpError> {
        let Some(mut connection) = self.connection.take() else {
            return Err(SmtpError::Failed { during: "DATA", why: "nothing was prepared".into() });
        };
        let mebibytes = u32::try_from(message.len() / (1024 * 1024) + 1).unwrap_or(u32::MAX);
        let limit = self.server.patience() + TIME_PER_MIB.saturating_mul(mebibytes);
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

/// What an error says, with its causes.
fn causes(error: &lettre::transport::smtp::Error) -> String {
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !why.contains(&cause_text) {
            why = format!("{why}: {cause_text}");
        }
        source = cause.source();
    }
    clip(&why)
}

fn judge(during: &'static str, error: &lettre::transport::smtp::Error) -> SmtpError {
    let why = causes(error);
    if error.status().is_some() {
        // a server that turns everybody away is broken or busy, not of an opinion on this mail
        let about_mail = matches!(during, "MAIL FROM" | "RCPT TO" | "DATA" | "the body");
        SmtpError::Refused { during, for_good: about_mail && error.is_permanent(), why }
    } else {
        SmtpError::Failed { during, why }
    }
}

fn clip(text: &str) -> String {
    said(text, 200)
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
