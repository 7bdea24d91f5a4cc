//! The pages that are looked at.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::access::Session;
use super::super::health;
use super::{Broken, Window, context, is_browser};
use crate::classify::Label;
use crate::decide::TicketState;
use crate::edge::ledger::MailRecord;
use crate::edge::ledger::tickets::TicketFilter;
use crate::mail::Address;
use crate::plot::{Bar, bars};
use crate::time::Timestamp;

/// Mails that plots are drawn from.
const PLOTTED: usize = 1_000;
/// Mails on a page.
const LISTED: usize = 100;
/// Tickets on a page.
const TICKETS: usize = 200;
/// Days that are plotted.
const DAYS: i64 = 14;

/// Queues, mailboxes and plots.
pub(super) async fn overview(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
) -> Result<Response, Broken> {
    let now = window.now();
    let status = health::status(window.host()).await.map_err(Broken)?;
    let stuck = (window.host().stuck)();
    let records = window.ask(|store| store.newest(PLOTTED)).await?;
    let drawn = [
        ("volume", volume(&records, now)),
        ("labels", labels(&records)),
        ("confidence", confidence(&records)),
    ];
    let context = json!({
        "title": "Now", "here": "Now", "mark": session.mark,
        "status": context::status(&status, &stuck, now), "seen": records.len(),
    });
    Ok(window.page_with("overview.html", context, &drawn))
}

fn volume(records: &[MailRecord], now: Timestamp) -> String {
    const DAY: i64 = 86_400;
    let today = now.0.div_euclid(DAY);
    let rows: Vec<Bar> = (0..DAYS)
        .rev()
        .map(|back| {
            let day = today - back;
            let count = records.iter().filter(|record| record.decided.0.div_euclid(DAY) == day).count();
            let name = jiff::Timestamp::from_second(day * DAY);
            Bar::count(name.map_or_else(|_| String::new(), |at| at.strftime("%a %d %b").to_string()), count)
        })
        .collect();
    bars("Mails a day, the newest at the bottom", &rows)
}

fn labels(records: &[MailRecord]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for verdict in records.iter().filter_map(|record| record.verdict.as_ref()) {
        for found in &verdict.labels {
            *counts.entry(found.label.as_str()).or_default() += 1;
        }
        if verdict.labels.is_empty() {
            *counts.entry("nothing found").or_default() += 1;
        }
    }
    let mut rows: Vec<Bar> = counts.into_iter().map(|(name, count)| Bar::count(name, count)).collect();
    rows.sort_by(|a, b| b.value.total_cmp(&a.value));
    bars("Mails by label", &rows)
}

fn confidence(records: &[MailRecord]) -> String {
    let surest: Vec<f32> = records
        .iter()
        .filter_map(|record| record.verdict.as_ref())
        .filter_map(|verdict| verdict.primary().map(|label| verdict.score(label)))
        .collect();
    let rows: Vec<Bar> = (0..10_u8)
        .rev()
        .map(|tenth| {
            let (from, to) = (f32::from(tenth) / 10.0, f32::from(tenth + 1) / 10.0);
            let inside = surest.iter().filter(|p| **p >= from && (**p < to || tenth == 9)).count();
            Bar::count(format!("{} to {} %", u32::from(tenth) * 10, u32::from(tenth) * 10 + 10), inside)
        })
        .collect();
    bars("Mails by the probability of their primary label", &rows)
}

/// Decisions, the newest first.
pub(super) async fn feed(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
) -> Result<Response, Broken> {
    let records = window.ask(|store| store.newest(LISTED)).await?;
    Ok(list(&window, &session, &records, "Decisions", "Decisions", "No mail was handled yet."))
}

/// Mails in doubt, or of which something failed.
pub(super) async fn review(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
) -> Result<Response, Broken> {
    let mut records = window.ask(|store| store.newest(PLOTTED)).await?;
    records.retain(context::wants_a_person);
    records.truncate(LISTED);
    let empty = "Nothing waits for a person.";
    Ok(list(&window, &session, &records, "Waiting for a person", "Review", empty))
}

fn list(
    window: &Window,
    session: &Session,
    records: &[MailRecord],
    title: &str,
    here: &str,
    empty: &str,
) -> Response {
    let now = window.now();
    let mails: Vec<Value> = records.iter().map(|record| context::mail(record, now)).collect();
    let correct = here == "Review";
    let context = json!({
        "title": title, "here": here, "mark": session.mark, "mails": mails, "empty": empty, "correct": correct,
    });
    window.page("feed.html", context)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: bool,
    #[serde(default)]
    said: bool,
}

/// One mail.
pub(super) async fn mail(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(identity): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Broken> {
    let accounts = window.host().control.accounts.clone();
    let found = window.ask(move |store| store.by_identities(&accounts, &identity)).await?;
    let Some(record) = found else {
        return Ok(window.message(
            StatusCode::NOT_FOUND,
            "Unknown mail",
            "No such mail is on record; it may be too old.",
        ));
    };
    let reader = window.host().text.clone();
    let (mut text, mut problem) = (Value::Null, Value::Null);
    if let Some(reader) = reader.as_ref().filter(|_| wanted.text) {
        match reader(record.clone()).await {
            Ok(read) => text = context::marked(&read.text, &read.evidence).into(),
            Err(why) => problem = why.into(),
        }
    }
    let now = window.now();
    let shown = context::whole_mail(&record, now);
    let scores: Vec<Bar> = record.verdict.iter().flat_map(context::scores).collect();
    let context = json!({
        "title": "A mail", "here": "Decisions", "mark": session.mark, "mail": shown,
        "text": text, "problem": problem, "can_show": reader.is_some(),
        "said": wanted.said, "choices": choices(&window, &record),
    });
    Ok(window.page_with("mail.html", context, &[("scores", bars("Probability of each label", &scores))]))
}

/// Every label there is, and whether the mail has it.
fn choices(window: &Window, record: &MailRecord) -> Vec<Value> {
    let own = (window.host().learning)().labels;
    let shipped = Label::ALL.iter().map(|label| {
        let has = record.verdict.as_ref().is_some_and(|verdict| verdict.has(*label));
        json!({ "name": label.as_str(), "has": has })
    });
    let found =
        |name: &str| record.verdict.iter().flat_map(|verdict| &verdict.own).any(|own| own.label == name);
    let own = own.iter().map(|label| json!({ "name": label.as_str(), "has": found(label.as_str()) }));
    shipped.chain(own).collect()
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    overdue: bool,
    state: Option<String>,
    queue: Option<String>,
}

/// Tickets, the most urgent first.
pub(super) async fn tickets(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Query(which): Query<Which>,
) -> Result<Response, Broken> {
    let now = window.now();
    let state = which.state.as_deref().and_then(TicketState::from_word);
    let filter = TicketFilter { overdue: which.overdue, state, limit: 0, ..TicketFilter::default() };
    let mut found = window.ask(move |store| store.tickets(&filter, now)).await?;
    if let Some(queue) = &which.queue {
        found.retain(|stored| stored.ticket.queue.is_some_and(|is| is.to_string() == *queue));
    }
    let all = found.len();
    let shown: Vec<Value> = found.iter().take(TICKETS).map(|stored| context::ticket(stored, now)).collect();
    let title = match (&which.queue, which.overdue, state) {
        (Some(queue), ..) => format!("Tickets: {queue}"),
        (None, true, _) => "Tickets: overdue".to_owned(),
        (None, false, Some(state)) => format!("Tickets: {state}"),
        (None, false, None) => "Tickets".to_owned(),
    };
    let title = if all > TICKETS { format!("{title}, the first {TICKETS} of {all}") } else { title };
    Ok(window.page(
        "tickets.html",
        json!({ "title": title, "here": "Tickets", "mark": session.mark, "tickets": shown }),
    ))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    address: Option<String>,
}

/// Customers who are not served as everybody.
pub(super) async fn customers(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
) -> Result<Response, Broken> {
    if let Some(address) = asked.address.filter(|address| !address.trim().is_empty()) {
        return Ok(Redirect::to(&format!("/customers/{}", context::encoded(address.trim()))).into_response());
    }
    let now = window.now();
    let found = window.ask(move |store| store.marked_customers(now)).await?;
    let shown: Vec<Value> = found.iter().map(context::customer).collect();
    Ok(window.page(
        "customers.html",
        json!({ "title": "Customers", "here": "Customers", "mark": session.mark, "customers": shown }),
    ))
}

/// One customer: a page for a browser, the state as JSON for another channel.
pub(super) async fn customer(
    State(window): State<Window>,
    Extension(session): Extension<Session>,
    Path(address): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Broken> {
    let (who, now) = (Address { name: String::new(), address }.identity(), window.now());
    let filter = TicketFilter { customer: Some(who.clone()), limit: TICKETS, ..TicketFilter::default() };
    let (shown, tickets) =
        window.ask(move |store| Ok((store.show_customer(&who, now)?, store.tickets(&filter, now)?))).await?;
    if !is_browser(&headers) {
        return Ok(Json(context::answer(&shown)).into_response());
    }
    let tickets: Vec<Value> = tickets.iter().map(|stored| context::ticket(stored, now)).collect();
    Ok(window.page(
        "customer.html",
        json!({
            "title": shown.customer, "here": "Customers", "mark": session.mark,
            "customer": context::customer(&shown), "tickets": tickets,
        }),
    ))
}
