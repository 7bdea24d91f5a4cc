//! Who may open the window: over a Unix socket whoever can open it, over a port whoever has the token.
//!
//! A browser gets a cookie that is a signed time of expiry, made from the token: a new token ends every
//! session, nothing is kept. Forms carry a mark made from the cookie, which a page elsewhere cannot know.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::window::Window;
use crate::edge::ledger::keys::hex;
use crate::time::Timestamp;

/// How long a browser stays in.
const SESSION: i64 = 12 * 3_600;

const COOKIE: &str = "evenkeel";

/// The session of a request, proven.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The mark that forms must carry.
    pub(super) mark: String,
    /// Whether a browser's cookie proved it, so that forms must carry the mark.
    by_cookie: bool,
}

fn sign(key: &[u8], text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Whether `found` is what `key` makes of `text`; takes as long whatever is wrong.
fn proven(key: &[u8], text: &str, found: &str) -> bool {
    let wanted = sign(key, text);
    let same = wanted.len() == found.len();
    let differences = wanted.bytes().zip(found.bytes()).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    same && !wanted.is_empty() && differences == 0
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The session that the headers of a request prove.
fn session(headers: &HeaderMap, token: &str, now: Timestamp) -> Option<Session> {
    let key = token.as_bytes();
    if let Some(given) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let given = given.strip_prefix("Bearer ")?;
        let good = proven(key, "bearer", &sign(given.as_bytes(), "bearer"));
        return good.then(|| Session { mark: String::new(), by_cookie: false });
    }
    let value = cookie(headers)?;
    let (until, mac) = value.split_once('.')?;
    let fresh = until.parse::<i64>().is_ok_and(|until| until > now.0);
    let good = fresh && proven(key, &format!("session.{until}"), mac);
    good.then(|| Session { mark: sign(key, &format!("form.{value}")), by_cookie: true })
}

/// The answer that lets a browser in, if the token is right.
pub(super) fn let_in(window: &Window, given: &str) -> Option<Response> {
    let token = window.token().ok().flatten()?;
    proven(token.as_bytes(), "bearer", &sign(given.trim().as_bytes(), "bearer")).then(|| {
        let until = window.now().0.saturating_add(SESSION);
        let mac = sign(token.as_bytes(), &format!("session.{until}"));
        let value = format!("{COOKIE}={until}.{mac}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION}");
        ([(header::SET_COOKIE, value)], Redirect::to("/")).into_response()
    })
}

/// The answer that ends a browser's session.
pub(super) fn let_out() -> Response {
    let value = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    ([(header::SET_COOKIE, value)], Redirect::to("/login")).into_response()
}

/// Before every page of the window.
pub(super) async fn demand(State(window): State<Window>, mut request: Request, next: Next) -> Response {
    let found = if window.by_socket() {
        // whoever can open the socket; forms still carry a mark, because a browser may be led here
        Some(Session { mark: sign(window.key(), "form.socket"), by_cookie: true })
    } else {
        match window.token() {
            Err(error) => {
                tracing::error!(%error, "the window cannot be opened");
                return (StatusCode::SERVICE_UNAVAILABLE, "the token cannot be read; the log says why\n")
                    .into_response();
            }
            Ok(None) => {
                let text = "there is no window without [http] token-file or token-credential\n";
                return (StatusCode::NOT_FOUND, text).into_response();
            }
            Ok(Some(token)) => session(request.headers(), &token, window.now()),
        }
    };
    let Some(session) = found else {
        let browser = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        return if request.method() == Method::GET && browser.is_some_and(|kinds| kinds.contains("text/html"))
        {
            Redirect::to("/login").into_response()
        } else {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "a token is needed\n")
                .into_response()
        };
    };
    request.extensions_mut().insert(session);
    next.run(request).await
}

/// Whether a form may do what it asks.
pub(super) fn may(session: &Session, mark: &str) -> bool {
    !session.by_cookie || proven(session.mark.as_bytes(), "mark", &sign(mark.as_bytes(), "mark"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_cookie_is_good_for_its_token_and_its_time_only() {
        let until = NOW.0 + SESSION;
        let good = format!("{until}.{}", sign(b"token", &format!("session.{until}")));
        let of = |value: &str, token: &str, now| {
            session(&headers(header::COOKIE, &format!("a=b; {COOKIE}={value}")), token, now).is_some()
        };
        assert!(of(&good, "token", NOW));
        assert!(!of(&good, "another", NOW), "a new token ends every session");
        assert!(!of(&good, "token", Timestamp(until)), "it has run out");
        let longer = good.replacen(&until.to_string(), &(until + 9).to_string(), 1);
        assert!(!of(&longer, "token", NOW), "the time is signed");
        assert!(!of("", "token", NOW) && !of("1.", "token", NOW));
    }

    #[test]
    fn a_form_needs_the_mark_of_its_own_session_and_a_program_with_the_token_does_not() {
        let until = NOW.0 + SESSION;
        let cookie = |t: i64| format!("{COOKIE}={t}.{}", sign(b"token", &format!("session.{t}")));
        let mine = session(&headers(header::COOKIE, &cookie(until)), "token", NOW).unwrap();
        let theirs = session(&headers(header::COOKIE, &cookie(until - 1)), "token", NOW).unwrap();
        assert!(may(&mine, &mine.mark) && !may(&mine, &theirs.mark) && !may(&mine, ""));
        let program = session(&headers(header::AUTHORIZATION, "Bearer token"), "token", NOW).unwrap();
        assert!(may(&program, ""));
        assert!(session(&headers(header::AUTHORIZATION, "Bearer tokem"), "token", NOW).is_none());
    }
}
