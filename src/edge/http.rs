//! Pages over HTTP, on a port of this machine or a Unix socket: metrics and health for monitors, a
//! window for people.
//!
//! Whoever can reach the port may read `/metrics`, `/livez` and `/readyz`; they hold no address. The
//! window wants the token.

mod access;
mod health;
mod window;

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::control;
use super::ledger::MailRecord;
use crate::classify::Evidence;
use crate::config::{Http, Listen};
use crate::decide::vote::LearningRules;
use crate::train::report::Report;

/// Connections at a time; more wait.
const CONNECTIONS: usize = 64;
/// Time for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest body of a request, in bytes: forms are small.
const MAX_BODY: usize = 64 * 1024;

/// What can go wrong with the pages.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The port or socket cannot be opened.
    #[error("[http] listen = \"{place}\" cannot be opened: {source}; choose another port or path")]
    Listen {
        /// Port or path.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What the pages show.
#[derive(Clone)]
pub struct Host {
    /// Ledger and status, as for commands.
    pub control: control::Host,
    /// Loops that show no sign of life.
    pub stuck: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Fetches the text of a mail, where that is allowed.
    pub text: Option<TextReader>,
    /// What counts as a correction, by the policy in force.
    pub learning: Arc<dyn Fn() -> LearningRules + Send + Sync>,
    /// How the model in force does on these mails.
    pub scorecard: Arc<dyn Fn(&control::Examples) -> Report + Send + Sync>,
}

/// Fetches the text of a mail from its server; an error says why it cannot.
pub type TextReader =
    Arc<dyn Fn(MailRecord) -> Pin<Box<dyn Future<Output = Result<ReadText, String>> + Send>> + Send + Sync>;

/// The new text of a mail, and what labels were read from.
#[derive(Clone, Debug)]
pub struct ReadText {
    /// The text, without quotes and signature.
    pub text: String,
    /// The words that carried the labels.
    pub evidence: Vec<Evidence>,
}

/// The serving task; ends when it is dropped, and a socket with it.
#[derive(Debug)]
pub struct Served {
    task: Option<JoinHandle<()>>,
    socket: Option<PathBuf>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(path) = &self.socket {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Serves the pages where the config says; nowhere without it.
///
/// # Errors
/// When port or socket cannot be opened.
pub async fn serve(config: &Http, host: Host) -> Result<Served, HttpError> {
    let Some(listen) = &config.listen else { return Ok(Served { task: None, socket: None }) };
    let failed = |place: String| move |source| HttpError::Listen { place, source };
    let router = router(config, host);
    match listen {
        Listen::Port(address) => {
            let listener = TcpListener::bind(address).await.map_err(failed(address.to_string()))?;
            tracing::info!(%address, "pages are served");
            Ok(Served { task: Some(tokio::spawn(answer(listener, router))), socket: None })
        }
        Listen::Socket(path) => {
            let place = path.display().to_string();
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(place)(error));
                }
                _ => {}
            }
            let listener = UnixListener::bind(path).map_err(failed(place.clone()))?;
            let owner_only = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(path, owner_only).map_err(failed(place))?;
            tracing::info!(path = %path.display(), "pages are served");
            Ok(Served { task: Some(tokio::spawn(answer(listener, router))), socket: Some(path.clone()) })
        }
    }
}

async fn answer<L: Listener>(mut listener: L, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // the semaphore is never closed
    while let Ok(place) = places.clone().acquire_owned().await {
        let (stream, _) = listener.accept().await;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _place = place;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a reader of the pages went away");
            }
        });
    }
}

fn router(config: &Http, host: Host) -> Router {
    let hosts: Arc<[String]> = config.hosts.clone().into();
    let by_socket = matches!(config.listen, Some(Listen::Socket(_)));
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(host.clone())
        .merge(window::router(config, host))
        .fallback(async || (StatusCode::NOT_FOUND, "there is no such page; begin at /\n"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let hosts = hosts.clone();
            async move { guard(&hosts, by_socket, request, next).await }
        }))
}

/// What holds for every page: a name of ours was asked for, the answer comes in time, and a browser
/// may do nothing with it but show it.
async fn guard(hosts: &[String], by_socket: bool, request: Request, next: Next) -> Response {
    if !by_socket && !is_ours(hosts, &request) {
        // a page elsewhere that has bound its own name to this machine's address
        return (StatusCode::MISDIRECTED_REQUEST, "this name is not served here; see [http] hosts\n")
            .into_response();
    }
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await;
    let mut response =
        answered.unwrap_or_else(|_| (StatusCode::GATEWAY_TIMEOUT, "no answer in time\n").into_response());
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Nothing is loaded, framed or sent elsewhere; style and script are the two files of ours, and the script may
/// not make markup of text.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

fn is_ours(hosts: &[String], request: &Request) -> bool {
    let Some(host) = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name) || hosts.iter().any(|known| known == name)
}
