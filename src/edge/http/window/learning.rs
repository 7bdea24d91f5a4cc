//! What is learnt from agents, and how the model in force does: as `report --inbox` says it.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::super::access::Session;
use super::super::health;
use super::{Broken, Window};
use crate::edge::control::Examples;

pub(super) async fn learning(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
) -> Result<Response, Broken> {
    let examples: Examples = window.ask(|store| Examples::of(store)).await?;
    let trouble = health::status(window.host()).await.map_err(Broken)?.learning;
    let scorecard = window.host().scorecard.clone();
    // drawing mails anew takes a while
    let report = tokio::task::spawn_blocking(move || scorecard(&examples)).await;
    let report = report.map_err(|error| Broken(error.to_string()))?;
    let context =
        json!({ "title": report.title, "here": "Learning", "mark": session.mark, "trouble": trouble });
    Ok(window.page_with("learning.html", context, &[("report", report.markup().to_owned())]))
}
