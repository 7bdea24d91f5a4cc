//! Posts a signed JSON object to one place: HTTP/1.1 over our own connection, one request each.
//!
//! The signature is `X-Evenkeel-Signature: sha256=<hex>`, an HMAC-SHA256 over
//! `X-Evenkeel-Timestamp`, a dot, and the body. Whoever receives it compares it and refuses old times.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::time::timeout;

use super::ledger::keys::hex;
use super::wire::{Wire, WireError};
use crate::config::{Secret, Server, Tls};
use crate::time::Timestamp;

/// Time for a request, connection included.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where it is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    server: Server,
    /// Host and port as the request names them.
    authority: String,
    path: String,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No connection.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The request failed on the way.
    #[error("the webhook failed: {0}")]
    Failed(String),
    /// No answer in time.
    #[error("the webhook did not answer in time")]
    Silent,
    /// The other side says no.
    #[error("the webhook was answered with {0}")]
    Refused(u16),
}

impl WebhookError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Refused(400..=407 | 409..=428 | 430..=499) | Self::Wire(WireError::Plaintext { .. }))
    }
}

impl Target {
    /// Reads an address such as `https://hooks.example.com/evenkeel`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || format!("{url:?} is no address such as https://hooks.example.com/evenkeel");
        let (tls, rest, usual) = if let Some(rest) = url.strip_prefix("https://") {
            (Tls::Implicit, rest, 443)
        } else {
            (Tls::None, url.strip_prefix("http://").ok_or_else(wrong)?, 80)
        };
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at).ok_or_else(wrong)?,
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':').filter(|(host, _)| !host.contains(':')) {
            Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
            None => (authority, usual),
        };
        let odd = |text: &str| text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '@');
        if host.is_empty() || odd(authority) || odd(path) {
            return Err(wrong());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { server: Server::anonymous(host, port, tls), authority: authority.to_owned(), path })
    }

    /// Posts `body`, signed at `at`.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn post(&self, body: &str, secret: Option<&Secret>, at: Timestamp) -> Result<(), WebhookError> {
        let sending = Box::pin(self.send(body, secret, at));
        timeout(PATIENCE, sending).await.map_err(|_| WebhookError::Silent)?
    }

    async fn send(&self, body: &str, secret: Option<&Secret>, at: Timestamp) -> Result<(), WebhookError> {
        let failed = |error: &dyn std::fmt::Display| WebhookError::Failed(error.to_string());
        let wire = Wire::connect(&self.server).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(wire)).await.map_err(|error| failed(&error))?;
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("evenkeel/", env!("CARGO_PKG_VERSION")))
            .header("x-evenkeel-timestamp", at.0);
        if let Some(secret) = secret {
            let signature = format!("sha256={}", signature(secret.reveal(), at, body));
            request = request.header("x-evenkeel-signature", signature);
        }
        let request =
            request.body(Full::new(Bytes::from(body.to_owned()))).map_err(|error| failed(&error))?;
        let talking = async {
            // it ends with the answer, or with an error that the answer tells, too
            let _ = connection.await;
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = sender.send_request(request) => answer.map_err(|error| failed(&error))?,
            () = talking => return Err(WebhookError::Silent),
        };
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(WebhookError::Refused(answer.status().as_u16()))
        }
    }
}

/// The HMAC-SHA256 of time and body, in hex.
#[must_use]
pub fn signature(secret: &str, at: Timestamp, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{}.{body}", at.0).as_bytes());
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_what_is_none_is_refused() {
        let target = Target::parse("https://hooks.example.com/a?b=c").unwrap();
        assert_eq!((target.server.host.as_str(), target.server.port), ("hooks.example.com", 443));
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("hooks.example.com", "/a?b=c"));
        assert_eq!(Target::parse("http://127.0.0.1:8080").unwrap().server.port, 8080);
        assert_eq!(Target::parse("https://h.example?x").unwrap().path, "/?x");
        for bad in ["hooks.example.com", "ftp://x/", "https://", "https://user@host/", "https://h/\r\nX: y"] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let known = signature("secret", Timestamp(1_700_000_000), "{\"a\":1}");
        assert_eq!(known, "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");
        assert_ne!(known, signature("secret", Timestamp(1_700_000_001), "{\"a\":1}"));
        assert_ne!(known, signature("secreT", Timestamp(1_700_000_000), "{\"a\":1}"));
    }
}
