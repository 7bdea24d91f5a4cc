//! The window: pages for people who run the inbox, written by the server, working without
//! scripts and quicker with the one that is ours.
//!
//! Everything a mail says is hostile: templates escape, the answer's policy forbids what slips through.
//! No text of a mail is kept; with `show-text` a page fetches the newest lines from the server when
//! somebody asks for them.

mod actions;
mod context;
mod learning;
mod views;

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment};
use serde::Deserialize;

use super::Host;
use super::access::{self, Session};
use crate::config::{Http, Listen, SecretError};
use crate::edge::ledger::{LedgerError, Store};
use crate::time::Timestamp;

/// The pages' templates, by name.
const TEMPLATES: [(&str, &str); 10] = [
    ("base.html", include_str!("window/pages/base.html")),
    ("overview.html", include_str!("window/pages/overview.html")),
    ("feed.html", include_str!("window/pages/feed.html")),
    ("mail.html", include_str!("window/pages/mail.html")),
    ("tickets.html", include_str!("window/pages/tickets.html")),
    ("customers.html", include_str!("window/pages/customers.html")),
    ("customer.html", include_str!("window/pages/customer.html")),
    ("learning.html", include_str!("window/pages/learning.html")),
    ("login.html", include_str!("window/pages/login.html")),
    ("message.html", include_str!("window/pages/message.html")),
];

/// What the pages share.
#[derive(Clone)]
pub(super) struct Window(Arc<Inner>);

struct Inner {
    config: Http,
    host: Host,
    templates: Environment<'static>,
    /// Signs the marks of forms where no token does.
    key: [u8; 32],
}

impl Window {
    fn new(config: &Http, host: Host) -> Self {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, text) in TEMPLATES {
            if let Err(error) = templates.add_template(name, text) {
                tracing::error!(%error, name, "a page cannot be shown; please report it");
            }
        }
        let mut key = [0_u8; 32];
        let read = std::fs::File::open("/dev/urandom")
            .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut key));
        if let Err(error) = read {
            tracing::error!(%error, "/dev/urandom cannot be read: forms over the socket are not safe");
        }
        Self(Arc::new(Inner { config: config.clone(), host, templates, key }))
    }

    pub(super) fn by_socket(&self) -> bool {
        matches!(self.0.config.listen, Some(Listen::Socket(_)))
    }

    pub(super) fn token(&self) -> Result<Option<String>, SecretError> {
        self.0.config.token()
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0.key
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.host.control.clock.now()
    }

    fn host(&self) -> &Host {
        &self.0.host
    }

    /// Asks the ledger.
    async fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<R, LedgerError> + Send + 'static,
    ) -> Result<R, Broken> {
        self.0.host.control.ledger.run(job).await.map_err(|error| Broken(error.to_string()))
    }

    /// A page, or a word that it is broken.
    fn page(&self, name: &str, context: serde_json::Value) -> Response {
        self.page_with(name, context, &[])
    }

    /// A page with parts that are markup already.
    fn page_with(
        &self,
        name: &str,
        context: serde_json::Value,
        drawn: &[(&'static str, String)],
    ) -> Response {
        let drawn = drawn.iter().map(|(key, svg)| (*key, Value::from_safe_string(svg.clone())));
        let context = minijinja::context! {
            version => env!("CARGO_PKG_VERSION"),
            leave => !self.by_socket(),
            drawn => Value::from_pairs(drawn),
            ..Value::from(Serde(context))
        };
        let rendered = self.0.templates.get_template(name).and_then(|template| template.render(context));
        match rendered {
            Ok(text) => Html(text).into_response(),
            Err(error) => {
                tracing::error!(%error, name, "a page cannot be shown; please report it");
                (StatusCode::INTERNAL_SERVER_ERROR, "this page is broken; the log says why\n").into_response()
            }
        }
    }

    /// A page with one sentence.
    fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let mut response = self.page("message.html", serde_json::json!({ "title": title, "text": text }));
        *response.status_mut() = status;
        response
    }
}

/// The ledger does not answer.
struct Broken(String);

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("the ledger does not answer: {}\n", self.0)).into_response()
    }
}

/// Whether a browser asks, and not a program.
fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|kinds| kinds.contains("text/html"))
}

/// The routes of the window.
pub(super) fn router(config: &Http, host: Host) -> Router {
    let window = Window::new(config, host);
    let inside = Router::new()
        .route("/", get(views::overview))
        .route("/feed", get(views::feed))
        .route("/review", get(views::review))
        .route("/mails/{identity}", get(views::mail))
        .route("/mails/{identity}/undo", post(actions::undo))
        .route("/mails/{identity}/label", post(actions::label))
        .route("/tickets", get(views::tickets))
        .route("/tickets/{number}/resolve", post(actions::resolve))
        .route("/customers", get(views::customers))
        .route("/customers/{address}", get(views::customer))
        .route("/customers/{address}/lift", post(actions::lift))
        .route("/learning", get(learning::learning))
        .route("/logout", post(logout))
        .route_layer(middleware::from_fn_with_state(window.clone(), access::demand));
    Router::new()
        .merge(inside)
        .route("/login", get(ask_in).post(let_in))
        .route("/style.css", get(style))
        .route("/script.js", get(script))
        .with_state(window)
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

async fn ask_in(State(window): State<Window>) -> Response {
    window.page("login.html", serde_json::json!({ "title": "Log in", "outside": true }))
}

async fn let_in(State(window): State<Window>, Form(form): Form<Token>) -> Response {
    if let Some(response) = access::let_in(&window, &form.token) {
        return response;
    }
    // whoever guesses shall wait
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    tracing::warn!("somebody tried to open the window with a wrong token");
    let context = serde_json::json!({ "title": "Log in", "outside": true, "wrong": true });
    let mut response = window.page("login.html", context);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    mark: String,
}

async fn logout(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Form(form): Form<Mark>,
) -> Response {
    if access::may(&session, &form.mark) { access::let_out() } else { actions::refused(&window) }
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("window/pages/style.css"))
        .into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("window/pages/script.js"))
        .into_response()
}
