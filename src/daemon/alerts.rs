//! Tells somebody when a person is needed: by mail and by a signed webhook, once when it begins and
//! once when it is over, never more than so many in an hour. What is told holds no text of a mail.

mod conditions;
mod courier;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::config::Config;
use crate::decide::customer;
use crate::edge::control;
use crate::edge::ledger::LedgerError;
use crate::time::Timestamp;
use conditions::Condition;
use courier::Courier;

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    /// A stable word.
    pub(super) kind: &'static str,
    /// What it is about, for programs.
    pub(super) subject: String,
    /// `begins`, `ends`, or for a customer `changed`.
    pub(super) phase: &'static str,
    /// A sentence.
    pub(super) text: String,
    /// Whether people get it by mail as well.
    pub(super) by_mail: bool,
    /// More for programs.
    pub(super) more: serde_json::Value,
}

/// Looks again and again, until the daemon stops; only a failure of the ledger ends it.
pub(super) async fn watch(shared: Arc<Shared>, config: Config) -> Result<(), LedgerError> {
    if !config.alerts.wanted() {
        return Ok(());
    }
    let mut courier = Courier::new(&config, shared.clone());
    let mut told: BTreeMap<(&'static str, String), Condition> = BTreeMap::new();
    let mut served: Option<BTreeMap<String, customer::State>> = None;
    while !shared.stopping() {
        let now = shared.clock.now();
        let (status, marked, refused) = look(&shared, now).await?;
        let found = conditions::found(&config.alerts, &status, &refused, now);
        for alert in changes(&mut told, found) {
            courier.tell(alert, now);
        }
        let before = served.replace(marked);
        if let (Some(before), Some(after)) = (&before, &served) {
            for alert in conducts(before, after) {
                courier.tell(alert, now);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(config.alerts.every_secs)) => {}
            () = shared.stopped() => {}
        }
    }
    Ok(())
}

/// Status, how customers are served, and mails of which a forward was refused.
async fn look(
    shared: &Shared,
    now: Timestamp,
) -> Result<(control::Status, BTreeMap<String, customer::State>, Vec<String>), LedgerError> {
    let base = shared.report();
    shared
        .ledger
        .run(move |store| {
            let status = control::status(store, now, base)?;
            let marked = store.marked_customers(now)?;
            let marked = marked.into_iter().map(|shown| (shown.customer, shown.conduct)).collect();
            let refused = conditions::refused_forwards(&store.newest(conditions::LOOKED_AT)?, now);
            Ok((status, marked, refused))
        })
        .await
}

/// What begins and what is over.
fn changes(told: &mut BTreeMap<(&'static str, String), Condition>, found: Vec<Condition>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut now_true = BTreeMap::new();
    for condition in found {
        let key = (condition.kind, condition.subject.clone());
        let before = told.get(&key);
        // a queue that has doubled is told again
        if before
            .is_none_or(|before| condition.size >= before.size.saturating_mul(2).max(1) && condition.size > 1)
        {
            alerts.push(condition.alert("begins"));
            now_true.insert(key, condition);
        } else if let Some(before) = before {
            now_true.insert(key, before.clone());
        }
    }
    for (key, condition) in std::mem::take(told) {
        if !now_true.contains_key(&key) {
            alerts.push(condition.alert("ends"));
        }
    }
    *told = now_true;
    alerts
}

/// Customers who are served in another way than at the last look.
fn conducts(
    before: &BTreeMap<String, customer::State>,
    after: &BTreeMap<String, customer::State>,
) -> Vec<Alert> {
    let everybody = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    everybody
        .into_iter()
        .filter_map(|who| {
            let state = |of: &BTreeMap<String, customer::State>| of.get(who).copied().unwrap_or_default();
            let (from, to) = (state(before), state(after));
            (from != to).then(|| Alert {
                kind: "customer-changed",
                subject: who.clone(),
                phase: "changed",
                text: format!("a customer is now served as {to}"),
                by_mail: false,
                more: serde_json::json!({ "from": from.as_str(), "to": to.as_str() }),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(size: u64) -> Condition {
        Condition {
            kind: "review-growing",
            subject: "review".into(),
            size,
            text: format!("{size} mails wait"),
        }
    }

    #[test]
    fn a_condition_is_told_when_it_begins_when_it_doubles_and_when_it_is_over() {
        let mut told = BTreeMap::new();
        let mut phases = |found: Vec<Condition>| -> Vec<(&str, String)> {
            changes(&mut told, found).into_iter().map(|alert| (alert.phase, alert.text)).collect()
        };
        assert_eq!(phases(vec![queue(51)]), [("begins", "51 mails wait".to_owned())]);
        assert!(phases(vec![queue(60)]).is_empty() && phases(vec![queue(101)]).is_empty());
        assert_eq!(phases(vec![queue(102)]).len(), 1, "twice as many as when it was told");
        assert_eq!(phases(vec![])[0].0, "ends");
        assert!(phases(vec![]).is_empty());
    }

    #[test]
    fn a_customer_who_is_served_in_another_way_is_told_to_programs_only() {
        let of = |pairs: &[(&str, customer::State)]| {
            pairs.iter().map(|(who, state)| ((*who).to_owned(), *state)).collect::<BTreeMap<_, _>>()
        };
        let before = of(&[("a@x", customer::State::Warned), ("b@x", customer::State::EmailOnly)]);
        let after = of(&[("a@x", customer::State::EmailOnly), ("c@x", customer::State::Warned)]);
        let told: Vec<(String, serde_json::Value)> =
            conducts(&before, &after).into_iter().map(|alert| (alert.subject, alert.more)).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0].1, serde_json::json!({ "from": "warned", "to": "email-only" }));
        assert_eq!(told[1].1["to"], "clear");
        assert!(conducts(&before, &after).iter().all(|alert| !alert.by_mail));
    }
}
