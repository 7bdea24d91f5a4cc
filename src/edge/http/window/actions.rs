//! What can be done in the window: each a form with the mark of its session, each in the audit.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::access::{self, Session};
use super::{Mark, Window};
use crate::classify::Label;
use crate::edge::ledger::customers::Change;
use crate::edge::ledger::examples::Statement;
use crate::edge::ledger::undo::Undo;
use crate::mail::Address;

/// Who has done it, in the audit: the window knows a token, not a person.
const AUTHOR: &str = "window";

pub(super) fn refused(window: &Window) -> Response {
    let text = "The form was not made by this window, or your session has ended. Go back, load the page again, and repeat.";
    window.message(StatusCode::FORBIDDEN, "Not done", text)
}

/// Takes back what was done with a mail.
pub(super) async fn undo(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(identity): Path<String>,
    Form(form): Form<Mark>,
) -> Response {
    if !access::may(&session, &form.mark) {
        return refused(&window);
    }
    let (accounts, now) = (window.host().control.accounts.clone(), window.now());
    let asked = identity.clone();
    let done = window.ask(move |store| {
        let record = store.by_identities(&accounts, &asked)?;
        let Some(id) = record.and_then(|record| record.message_id) else { return Ok(Vec::new()) };
        store.undo(&accounts, &Undo::Mail { id }, AUTHOR, now)
    });
    match done.await {
        Err(broken) => broken.into_response(),
        Ok(undone) if undone.is_empty() => window.message(
            StatusCode::NOT_FOUND,
            "Not done",
            "Nothing was done with this mail that can be taken back.",
        ),
        Ok(_) => {
            (window.host().control.nudge)();
            Redirect::to(&format!("/mails/{identity}")).into_response()
        }
    }
}

/// A person says what labels a mail has: the fields of the form that are set, or that it was right.
pub(super) async fn label(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(identity): Path<String>,
    Form(mut form): Form<BTreeMap<String, String>>,
) -> Response {
    if !access::may(&session, &form.remove("mark").unwrap_or_default()) {
        return refused(&window);
    }
    let right = form.remove("right").is_some();
    let none = form.remove("none").is_some();
    let labels: Vec<String> = if none { Vec::new() } else { form.into_keys().collect() };
    if labels.is_empty() && !none && !right {
        return window.message(StatusCode::BAD_REQUEST, "Not done", "Choose a label, or say that none fits.");
    }
    let rules = (window.host().learning)();
    let known = |label: &String| {
        Label::ALL.iter().any(|known| known.as_str() == label)
            || rules.labels.iter().any(|own| own.to_string() == *label)
    };
    if !labels.iter().all(known) {
        return window.message(StatusCode::BAD_REQUEST, "Not done", "There is no such label.");
    }
    let statement = if right { Statement::Right } else { Statement::Labels { labels } };
    let (accounts, now, asked) = (window.host().control.accounts.clone(), window.now(), identity.clone());
    let done = window.ask(move |store| {
        let record = store.by_identities(&accounts, &asked)?;
        let Some(id) = record.and_then(|record| record.message_id) else { return Ok(Vec::new()) };
        store.label(&accounts, &id, &statement, (AUTHOR, now), &rules)
    });
    match done.await {
        Err(broken) => broken.into_response(),
        Ok(labelled) if labelled.is_empty() => {
            window.message(StatusCode::NOT_FOUND, "Not done", "This mail is not on record any more.")
        }
        Ok(_) => Redirect::to(&format!("/mails/{identity}?said=true")).into_response(),
    }
}

/// A ticket is settled.
pub(super) async fn resolve(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(number): Path<String>,
    Form(form): Form<Mark>,
) -> Response {
    if !access::may(&session, &form.mark) {
        return refused(&window);
    }
    let now = window.now();
    match window.ask(move |store| store.resolve(&number, AUTHOR, now)).await {
        Err(broken) => broken.into_response(),
        Ok(None) => window.message(
            StatusCode::NOT_FOUND,
            "Not done",
            "There is no such ticket, or it is settled already.",
        ),
        Ok(Some(_)) => Redirect::to("/tickets").into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Appeal {
    #[serde(default)]
    mark: String,
    appeal: String,
}

/// A customer is served as everybody again.
pub(super) async fn lift(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(address): Path<String>,
    Form(form): Form<Appeal>,
) -> Response {
    if !access::may(&session, &form.mark) {
        return refused(&window);
    }
    let appeal: String = form.appeal.trim().chars().filter(|c| !c.is_control()).take(500).collect();
    if appeal.is_empty() {
        return window.message(
            StatusCode::BAD_REQUEST,
            "Not done",
            "Say what speaks for it: it is kept with the record.",
        );
    }
    let (who, now) = (Address { name: String::new(), address }.identity(), window.now());
    match window.ask(move |store| store.change_customer(&who, &Change::Lift { appeal }, AUTHOR, now)).await {
        Err(broken) => broken.into_response(),
        Ok(shown) => {
            Redirect::to(&format!("/customers/{}", super::context::encoded(&shown.customer))).into_response()
        }
    }
}
