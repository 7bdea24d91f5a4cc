//! From a TCP connection to a logged-in session.

use std::collections::BTreeSet;
use std::time::Duration;

use async_imap::{Authenticator, Client};
use imap_proto::{Response, Status};
use tokio::io::BufStream;
use tokio::time::timeout;

use super::exec::{Connection, Stream};
use super::{Code, ImapError};
use crate::config::{Server, Tls};
use crate::edge::login::{self, LoginError, Proof};
use crate::edge::said::said;
use crate::edge::wire::Wire;

fn stream(wire: Wire) -> Stream {
    BufStream::with_capacity(64 * 1024, 16 * 1024, wire)
}

/// Connects, reads the greeting, starts TLS where asked, logs in.
///
/// # Errors
/// See [`ImapError`].
pub async fn login(server: &Server) -> Result<Connection, ImapError> {
    let proof = login::proof(server).await?;
    let patience = server.patience();
    let mut client = Client::new(stream(Wire::connect(server).await?));
    greeting(&mut client, patience).await?;
    if server.tls == Tls::Starttls {
        client = starttls(client, server).await?;
    }
    let attempt = match proof {
        Proof::Password(password) => timeout(patience, client.login(&server.user, password.reveal())).await,
        Proof::Token { mechanism, answer, after_refusal } => {
            let answers = Answers([answer.as_str(), after_refusal].into_iter());
            timeout(patience, client.authenticate(mechanism, answers)).await
        }
    };
    match attempt {
        Err(_) => Err(ImapError::Silent { during: "LOGIN" }),
        Ok(Ok(session)) => Ok(Connection::new(session, patience)),
        Ok(Err((error, _))) => Err(refusal(error, server)),
    }
}

/// What challenges are answered with, one after the other.
struct Answers<I>(I);

impl<'a, I: Iterator<Item = &'a str>> Authenticator for Answers<I> {
    type Response = &'a str;

    fn process(&mut self, _: &[u8]) -> &'a str {
        self.0.next().unwrap_or_default()
    }
}

fn refusal(error: async_imap::error::Error, server: &Server) -> ImapError {
    use async_imap::error::Error;
    match error {
        // RFC 5530: not a word about user or password
        Error::No(why)
            if ["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG"].iter().any(|code| why.contains(code)) =>
        {
            ImapError::Refused { during: "LOGIN", code: Code::Passing, why: said(&why, 160) }
        }
        Error::No(why) | Error::Bad(why) => LoginError::refused(server, &why).into(),
        Error::ConnectionLost => ImapError::Closed { during: "LOGIN" },
        // other errors may quote the input buffer or the command
        _ => ImapError::Stream {
            during: "LOGIN",
            why: "the connection failed or the answer is no IMAP".into(),
        },
    }
}

async fn greeting(client: &mut Client<Stream>, patience: Duration) -> Result<(), ImapError> {
    let during = "greeting";
    let read = timeout(patience, client.read_response()).await.map_err(|_| ImapError::Silent { during })?;
    let first =
        read.map_err(|_| ImapError::Stream { during, why: "what the server sends is no IMAP".into() })?;
    match first.as_ref().map(|response| response.parsed()) {
        None => Err(ImapError::Closed { during }),
        Some(Response::Data { status: Status::Bye, outcome }) => {
            let why = outcome.information.as_deref().unwrap_or_default();
            Err(ImapError::Bye { why: why.chars().filter(|c| !c.is_control()).take(160).collect() })
        }
        Some(_) => Ok(()),
    }
}

/// Whatever the server sent behind its OK, before TLS, is thrown away with the buffer.
async fn starttls(mut client: Client<Stream>, server: &Server) -> Result<Client<Stream>, ImapError> {
    let during = "STARTTLS";
    timeout(server.patience(), client.run_command_and_check_ok("STARTTLS", None))
        .await
        .map_err(|_| ImapError::Silent { during })?
        .map_err(|error| match error {
            async_imap::error::Error::No(_) | async_imap::error::Error::Bad(_) => {
                LoginError::no_starttls(server).into()
            }
            _ => ImapError::Closed { during },
        })?;
    let wire = client.into_inner().into_inner().into_tls(server).await?;
    Ok(Client::new(stream(wire)))
}

/// Asks for the capabilities, which may have changed with the login.
///
/// # Errors
/// See [`ImapError`].
pub async fn capabilities(connection: &mut Connection) -> Result<BTreeSet<String>, ImapError> {
    Ok(connection.exec("CAPABILITY").await?.capabilities.into_iter().collect())
}
