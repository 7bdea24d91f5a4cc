//! One TCP connection, with or without TLS, to a mail server.

pub mod certificate;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{Server, Tls};
use crate::edge::{EdgeError, Retry, Trouble};

/// How long the name's resolution, the connection and its TLS handshake may take at most, each.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// After that long without a connection the next address is tried beside it (RFC 8305 §5).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// What can go wrong before a word is spoken.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The name has no address.
    #[error("{host} cannot be resolved: {source}; check `host` and the machine's DNS")]
    Resolve {
        /// Host name of the config.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// No address accepts the connection.
    #[error("{host}:{port} cannot be reached: {source}; check `host`, `port` and the firewall")]
    Connect {
        /// Host name of the config.
        host: String,
        /// Port.
        port: u16,
        /// What the last address said.
        source: io::Error,
    },
    /// TLS failed: most often the certificate.
    #[error(
        "TLS with {host}:{port} failed: {source}; the certificate must be valid for this name, or `ca-file` must name its issuer"
    )]
    Tls {
        /// Host name of the config.
        host: String,
        /// Port.
        port: u16,
        /// What rustls says.
        source: io::Error,
    },
    /// `tls = "none"` to another machine.
    #[error(
        "{host} is not this machine: `tls = \"none\"` would send the password readable; use \"implicit\" or \"starttls\""
    )]
    Plaintext {
        /// Host name of the config.
        host: String,
    },
    /// The file of certificates cannot be read.
    #[error("ca-file {path} cannot be read: {why}; it must hold certificates in PEM form")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl EdgeError for WireError {
    fn retry(&self) -> Retry {
        match self {
            Self::Resolve { .. } | Self::Connect { .. } | Self::Tls { .. } => Retry::Later,
            Self::Plaintext { .. } | Self::CaFile { .. } => Retry::Never,
        }
    }

    fn trouble(&self) -> Trouble {
        match self {
            // a line that broke in the handshake says nothing about the certificate
            Self::Tls { source, .. } if source.kind() != io::ErrorKind::InvalidData => Trouble::Line,
            Self::Tls { .. } => Trouble::Tls,
            Self::Resolve { .. } | Self::Connect { .. } => Trouble::Line,
            Self::Plaintext { .. } | Self::CaFile { .. } => Trouble::Setup,
        }
    }
}

/// A connection.
#[derive(Debug)]
pub enum Wire {
    /// Readable by everyone on the way; only ever to this machine.
    Plain(TcpStream),
    /// Under TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Connects to `server`; under TLS at once if it is implicit.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn connect(server: &Server) -> Result<Self, WireError> {
        let tcp = connect_tcp(server).await?;
        match server.tls {
            Tls::Implicit => Self::handshake(tcp, server).await,
            Tls::Starttls | Tls::None => Ok(Self::Plain(tcp)),
        }
    }

    /// Starts TLS on a plain connection.
    ///
    /// # Errors
    /// See [`WireError`].
    pub async fn into_tls(self, server: &Server) -> Result<Self, WireError> {
        match self {
            Self::Plain(tcp) => Self::handshake(tcp, server).await,
            Self::Tls(_) => Ok(self),
        }
    }

    async fn handshake(tcp: TcpStream, server: &Server) -> Result<Self, WireError> {
        let failed = |source| WireError::Tls { host: server.host.clone(), port: server.port, source };
        let name = ServerName::try_from(server.host.clone())
            .map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidInput, e)))?;
        let connector = TlsConnector::from(tls_config(server)?);
        let stream = timeout(CONNECT_TIMEOUT.min(server.patience()), connector.connect(name, tcp))
            .await
            .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        if let Some(shown) = stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
            certificate::note(&server.host, server.port, shown);
        }
        Ok(Self::Tls(Box::new(stream)))
    }
}

async fn connect_tcp(server: &Server) -> Result<TcpStream, WireError> {
    let Server { host, port, tls, .. } = server;
    let resolve = |source| WireError::Resolve { host: host.clone(), source };
    let patience = CONNECT_TIMEOUT.min(server.patience());
    // resolved at every connect: an address that changed is found
    let addresses: Vec<SocketAddr> = timeout(patience, tokio::net::lookup_host((host.as_str(), *port)))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(resolve)?
        .collect();
    if *tls == Tls::None && !addresses.iter().all(|a| is_loopback(a.ip())) {
        return Err(WireError::Plaintext { host: host.clone() });
    }
    let failed = |source| WireError::Connect { host: host.clone(), port: *port, source };
    let tcp = timeout(patience, first_to_answer(addresses))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(failed)?;
    // without it lettre's body and final dot wait 40 ms for each other (22/s against 392/s)
    tcp.set_nodelay(true).map_err(failed)?;
    Ok(tcp)
}

/// Tries address after address, each a little later than the one before, and takes the first that
/// answers: a dead route to one of them does not keep the others waiting.
async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut waiting = addresses.into_iter();
    let mut trying = JoinSet::new();
    trying.extend(waiting.next().map(TcpStream::connect));
    while !trying.is_empty() {
        let next = async {
            tokio::time::sleep(NEXT_ADDRESS).await;
            waiting.next()
        };
        tokio::select! {
            Some(ended) = trying.join_next() => match ended {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => {
                    last = error;
                    trying.extend(waiting.next().map(TcpStream::connect));
                }
                Err(_) => {}
            },
            Some(address) = next => {
                trying.spawn(TcpStream::connect(address));
            }
            else => {}
        }
    }
    Err(last)
}

/// Whether an address is this machine.
#[must_use]
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Read at every connect, so that a renewed certificate store is used without a restart.
fn tls_config(server: &Server) -> Result<Arc<ClientConfig>, WireError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in ca_certificates(server)? {
        roots.add(certificate).map_err(|e| ca_error(server, &e))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| ca_error(server, &e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The certificates of `ca-file`; none when it is not set.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn ca_certificates(server: &Server) -> Result<Vec<CertificateDer<'static>>, WireError> {
    let Some(path) = &server.ca_file else { return Ok(Vec::new()) };
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|e| ca_error(server, &e))?;
    if certificates.is_empty() {
        return Err(ca_error(server, &"it holds no certificate"));
    }
    Ok(certificates)
}

fn ca_error(server: &Server, why: &dyn std::fmt::Display) -> WireError {
    WireError::CaFile { path: server.ca_file.clone().unwrap_or_default(), why: why.to_string() }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

impl lettre::transport::smtp::client::AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(tcp) => tcp.peer_addr(),
            Self::Tls(tls) => tls.get_ref().0.peer_addr(),
        }
    }
}
