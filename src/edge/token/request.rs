//! One POST of a form, one answer in JSON.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::TokenError;
use crate::config::{Server, Tls};
use crate::edge::wire::Wire;

/// Time for the whole exchange.
const PATIENCE: Duration = Duration::from_secs(30);

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// What the provider answers.
pub(super) struct Answer {
    pub(super) host: String,
    pub(super) status: u16,
    /// `Null` when it is no JSON.
    pub(super) body: serde_json::Value,
}

/// A form as `application/x-www-form-urlencoded`.
fn encoded(form: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in form {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // writing to a string cannot fail
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Host, port, protection and path.
fn parts(url: &str, ca_file: Option<&Path>) -> Option<(Server, String)> {
    let (tls, rest, usual) = match url.strip_prefix("https://") {
        Some(rest) => (Tls::Implicit, rest, 443),
        None => (Tls::None, url.strip_prefix("http://")?, 80),
    };
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, usual),
    };
    let plain = !host.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && c != '@' && c != '#');
    let server = Server {
        host: host.to_owned(),
        port,
        tls,
        ca_file: ca_file.map(Path::to_owned),
        timeout_secs: PATIENCE.as_secs(),
        ..Server::default()
    };
    plain.then(|| (server, format!("/{path}")))
}

pub(super) async fn post(
    url: &str,
    ca_file: Option<&Path>,
    form: &[(&str, &str)],
) -> Result<Answer, TokenError> {
    let bad = || TokenError::Url { url: url.to_owned() };
    let (server, path) = parts(url, ca_file).ok_or_else(bad)?;
    let host = server.host.clone();
    let wire = Wire::connect(&server).await?;
    let answer = |what: &str| TokenError::Answer { host: host.clone(), what: what.to_owned() };
    let exchange = async {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(wire)).await.map_err(|_| answer("no HTTP"))?;
        let driver = tokio::spawn(connection);
        let request = hyper::Request::post(path)
            .header(HOST, format!("{}:{}", server.host, server.port))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Full::new(Bytes::from(encoded(form))))
            .map_err(|_| bad())?;
        let response = sender.send_request(request).await.map_err(|_| answer("nothing"))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        driver.abort();
        let body = body.map_err(|_| answer("too much, or half of it"))?.to_bytes();
        Ok(Answer { host: host.clone(), status, body: serde_json::from_slice(&body).unwrap_or_default() })
    };
    timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(answer("not in time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_so_that_no_value_can_add_a_field() {
        assert_eq!(encoded(&[("a", "x&b=1 ü"), ("c", "~")]), "a=x%26b%3D1%20%C3%BC&c=~");
    }

    #[test]
    fn a_url_has_host_port_and_path_and_plain_http_is_seen_as_such() {
        let (server, path) = parts("https://login.example/t/oauth2/v2.0/token", None).unwrap();
        assert_eq!((server.host.as_str(), server.port, server.tls), ("login.example", 443, Tls::Implicit));
        assert_eq!(path, "/t/oauth2/v2.0/token");
        let (server, _) = parts("http://127.0.0.1:8080/token", None).unwrap();
        assert_eq!((server.port, server.tls), (8080, Tls::None));
        for bad in ["", "ftp://x/y", "https://user@x/y", "https://x", "https://x/y z"] {
            assert!(parts(bad, None).is_none(), "{bad}");
        }
    }
}
