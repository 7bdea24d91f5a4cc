//! What the pages say about records, tickets and customers.

use serde_json::{Value, json};

use crate::classify::{Evidence, Label, Verdict};
use crate::decide::{Priority, customer};
use crate::edge::control::Status;
use crate::edge::ledger::cases::StoredTicket;
use crate::edge::ledger::customers::Shown;
use crate::edge::ledger::{Effect, EffectState, MailRecord, MailState};
use crate::plot::Bar;
use crate::time::Timestamp;

/// A path segment: everything but letters, digits and a few signs encoded.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A time as people read it, in UTC.
fn when(at: Timestamp) -> Value {
    let shown = jiff::Timestamp::from_second(at.0);
    let text = shown.as_ref().map_or_else(|_| "?".into(), |at| at.strftime("%F %H:%M UTC").to_string());
    json!({ "text": text, "iso": shown.map_or_else(|_| String::new(), |at| at.to_string()) })
}

/// How long ago, or from now, in the largest unit.
fn distance(at: Timestamp, now: Timestamp) -> String {
    let (gap, past) = if at <= now { (now.since(at), true) } else { (at.since(now), false) };
    let seconds = gap.as_secs();
    let text = match seconds {
        0..60 => "less than a minute".to_owned(),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if past { format!("{text} ago") } else { format!("in {text}") }
}

/// A mail in a list.
pub(super) fn mail(record: &MailRecord, now: Timestamp) -> Value {
    let shipped = record.verdict.iter().flat_map(|verdict| &verdict.labels);
    let shipped = shipped.map(|found| (found.label.as_str(), found.probability));
    let own = record.verdict.iter().flat_map(|verdict| &verdict.own);
    let labels: Vec<Value> = shipped
        .chain(own.map(|found| (found.label.as_str(), found.probability)))
        .map(|(name, probability)| json!({ "name": name, "percent": percent(probability) }))
        .collect();
    let review = record.verdict.as_ref().is_some_and(|verdict| verdict.review);
    let failed = record.effects.iter().any(|entry| matches!(entry.state, EffectState::Failed(_)));
    let state = match record.state {
        MailState::Intended => "under way",
        MailState::Done if failed => "something failed",
        MailState::Done => "done",
        MailState::Quarantined => "left to a person",
        MailState::Reopened => "a person has to act",
    };
    json!({
        "identity": record.identity,
        "at": when(record.decided),
        "ago": distance(record.decided, now),
        "place": format!("{}/{}", record.key.folder.account, record.key.folder.folder),
        "labels": labels,
        "review": review,
        "trouble": failed || matches!(record.state, MailState::Quarantined | MailState::Reopened),
        "state": state,
        "reasons": record.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "folder": crate::daemon::plan::folder_of(record),
        "draft": record.effects.iter().any(|entry| matches!(entry.effect, Effect::SaveDraft { .. })),
        "ticket": record.ticket,
        "customer": record.customer,
        "customer_path": record.customer.as_deref().map(encoded),
        "likeliest": record.verdict.iter().flat_map(scores).take(3).map(|bar| bar.name).collect::<Vec<_>>(),
        "known": record.message_id.is_some(),
    })
}

fn percent(probability: f32) -> String {
    format!("{:.0}", f64::from(probability) * 100.0)
}

/// Whether a person has to look at a mail.
pub(super) fn wants_a_person(record: &MailRecord) -> bool {
    record.verdict.as_ref().is_some_and(|verdict| verdict.review)
        || matches!(record.state, MailState::Quarantined | MailState::Reopened)
        || record.effects.iter().any(|entry| matches!(entry.state, EffectState::Failed(_)))
}

/// The probability of each label, the surest first.
pub(super) fn scores(verdict: &Verdict) -> Vec<Bar> {
    let mut scores: Vec<(&str, f32)> =
        Label::ALL.iter().map(|label| (label.as_str(), verdict.score(*label))).collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    scores
        .into_iter()
        .map(|(name, score)| Bar {
            name: name.into(),
            value: f64::from(score),
            shown: format!("{} %", percent(score)),
        })
        .collect()
}

/// A mail on its own page.
pub(super) fn whole_mail(record: &MailRecord, now: Timestamp) -> Value {
    let mut shown = mail(record, now);
    let effects: Vec<Value> = record
        .effects
        .iter()
        .map(|entry| {
            json!({
                "what": entry.effect.to_string(),
                "outcome": entry.state.to_string(),
                "failed": matches!(entry.state, EffectState::Failed(_)),
            })
        })
        .collect();
    if let Value::Object(map) = &mut shown {
        map.insert("effects".into(), effects.into());
        map.insert(
            "message_id".into(),
            json!(record.message_id.as_ref().map(crate::mail::MessageId::as_str)),
        );
        map.insert("language".into(), json!(record.verdict.as_ref().map(|v| v.language.to_string())));
        map.insert("rules".into(), json!(record.verdict.as_ref().map(|v| v.rules.clone())));
    }
    shown
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// A text in pieces, those marked from which a label was read.
pub(super) fn marked(text: &str, evidence: &[Evidence]) -> Vec<Value> {
    let letters: Vec<(usize, char)> = text.char_indices().map(|(at, c)| (at, lower(c))).collect();
    let mut cuts: Vec<(usize, usize, &str)> = Vec::new();
    for found in evidence.iter().filter(|found| found.weight > 0.0) {
        // evidence is read from the text in small letters
        let wanted: Vec<char> = found.text.chars().map(lower).collect();
        if wanted.len() < 3 {
            continue;
        }
        let same = |part: &[(usize, char)]| part.iter().map(|(_, c)| c).eq(&wanted);
        let Some(first) = letters.windows(wanted.len()).position(same) else { continue };
        let from = letters.get(first).map_or(0, |(at, _)| *at);
        let to = letters.get(first + wanted.len()).map_or(text.len(), |(at, _)| *at);
        cuts.push((from, to, found.label.as_str()));
    }
    cuts.sort_by_key(|(from, to, _)| (*from, usize::MAX - *to));
    let (mut pieces, mut done) = (Vec::new(), 0);
    let mut plain = |from: usize, to: usize, label: Option<&str>| {
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            pieces.push(json!({ "text": part, "label": label }));
        }
    };
    for (from, to, label) in cuts {
        if from >= done {
            plain(done, from, None);
            plain(from, to, Some(label));
            done = to;
        }
    }
    plain(done, text.len(), None);
    pieces
}

/// A ticket.
pub(super) fn ticket(stored: &StoredTicket, now: Timestamp) -> Value {
    let ticket = &stored.ticket;
    let due = ticket.due.map(|at| json!({ "at": when(at), "left": distance(at, now), "late": at <= now }));
    let promised =
        ticket.promised.map(|at| json!({ "at": when(at), "left": distance(at, now), "late": at <= now }));
    json!({
        "number": ticket.id.as_str(),
        "state": ticket.state.as_str(),
        "closing": ticket.state.as_str() == "closing-due",
        "open": !matches!(ticket.state.as_str(), "resolved" | "closing-due" | "closed"),
        "high": ticket.priority == Priority::High,
        "gravest": ticket.gravest.map(Label::as_str),
        "queue": ticket.queue.map(|queue| queue.to_string()),
        "due": due,
        "promised": promised,
        "assigned": ticket.assigned.map(|name| name.to_string()),
        "mails": ticket.mails,
        "customer": ticket.participants.first(),
        "customer_path": ticket.participants.first().map(|who| encoded(who)),
        "legal": ticket.legal.as_ref().map(|legal| json!({
            "since": when(legal.since),
            "acknowledged": legal.acknowledged.map(when),
        })),
    })
}

/// A customer; `whole` with history.
pub(super) fn customer(shown: &Shown) -> Value {
    let record = &shown.record;
    let mark = record.mark.as_ref().filter(|_| shown.conduct != customer::State::Clear);
    json!({
        "address": shown.customer,
        "path": encoded(&shown.customer),
        "state": shown.conduct.as_str(),
        "marked": mark.is_some(),
        "mark": mark.map(|mark| json!({
            "since": when(mark.since),
            "until": mark.until.map(when),
            "author": mark.author,
            "note": mark.note,
        })),
        "linked": record.linked,
        "incidents": record.incidents.len(),
        "harassments": record.harassments.len(),
        "threats": record.threats.len(),
        "contacts": record.contacts.len(),
        "evidence": record.evidence.iter().map(crate::mail::MessageId::as_str).collect::<Vec<_>>(),
        "past": record.past.iter().map(|past| json!({
            "state": past.mark.state.as_str(),
            "since": when(past.mark.since),
            "ended": when(past.ended),
            "by": past.ended_by,
            "appeal": past.appeal,
        })).collect::<Vec<_>>(),
    })
}

/// The state of a customer, for other channels: what an agent there must know, no history.
pub(super) fn answer(shown: &Shown) -> Value {
    let mark = shown.record.mark.as_ref().filter(|_| shown.conduct != customer::State::Clear);
    let time = |at: Timestamp| jiff::Timestamp::from_second(at.0).map(|at| at.to_string()).ok();
    json!({
        "customer": shown.customer,
        "state": shown.conduct.as_str(),
        "since": mark.and_then(|mark| time(mark.since)),
        "until": mark.and_then(|mark| mark.until).and_then(time),
        "note": mark.map(|mark| mark.note.clone()),
        "incidents": shown.record.incidents.len(),
    })
}

/// How the daemon is.
pub(super) fn status(status: &Status, stuck: &[String], now: Timestamp) -> Value {
    let folders: Vec<Value> = status
        .health
        .iter()
        .map(|(name, health)| {
            json!({
                "name": name,
                "up": health.connected,
                "status": health.status,
                "since": distance(health.since, now),
                "synced": health.synced.map(|at| distance(at, now)),
            })
        })
        .collect();
    let certificates: Vec<Value> = status
        .certificates
        .iter()
        .map(|(server, at)| {
            json!({ "server": server, "until": when(*at), "left": distance(*at, now), "soon": at.since(now).as_secs() < 14 * 86_400 })
        })
        .collect();
    let secrets: Vec<Value> = status
        .secrets
        .iter()
        .map(|end| {
            json!({ "account": end.account, "secret": end.secret.replace('-', " "), "until": when(end.until), "left": distance(end.until, now), "soon": end.until.since(now).as_secs() < 14 * 86_400 })
        })
        .collect();
    let all: u64 = status.queues.values().sum();
    let queues: Vec<Value> = status
        .queues
        .iter()
        .map(|(name, count)| json!({ "name": name, "path": encoded(name), "count": count }))
        .collect();
    json!({
        "mode": status.mode,
        "folders": folders,
        "certificates": certificates,
        "secrets": secrets,
        "learning": status.learning,
        "queues": queues,
        "in_queues": all,
        "stuck": stuck,
        "refused": status.policy_refused,
        "policy_since": when(status.policy_since),
        "rules": status.rules,
        "open": status.open_tickets,
        "overdue": status.overdue,
        "states": status.tickets,
        "under_way": status.under_way,
        "oldest": status.oldest_pending.map(|at| distance(at, now)),
        "legal_waiting": status.legal_waiting,
        "came_back": status.reopened.len(),
        "held": status.held_at_cap,
        "marked": status.marked_customers,
        "kilobytes": status.store_bytes / 1024,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::EvidenceKind;

    #[test]
    fn an_address_in_a_path_cannot_leave_it() {
        assert_eq!(encoded("a.b@c.example"), "a.b@c.example");
        assert_eq!(encoded("../x?y#z <é>"), "..%2Fx%3Fy%23z%20%3C%C3%A9%3E");
    }

    #[test]
    fn the_words_that_carried_a_label_are_marked_and_nothing_is_lost() {
        let of = |text: &str, weight| Evidence {
            label: Label::Threat,
            kind: EvidenceKind::Model,
            id: "word".into(),
            text: text.into(),
            weight,
        };
        let text = "I will sue you. Привет, суд ждёт. Thanks";
        let pieces =
            marked(text, &[of("СУД ждёт", 1.0), of("sue you", 2.0), of("sue", 1.0), of("Thanks", -1.0)]);
        let joined: String = pieces.iter().filter_map(|piece| piece["text"].as_str()).collect();
        assert_eq!(joined, text);
        let marks: Vec<&str> = pieces
            .iter()
            .filter(|piece| !piece["label"].is_null())
            .filter_map(|piece| piece["text"].as_str())
            .collect();
        assert_eq!(marks, ["sue you", "суд ждёт"]);
    }

    #[test]
    fn a_distance_is_told_in_its_largest_unit() {
        assert_eq!(distance(Timestamp(0), Timestamp(7_300)), "2 h ago");
        assert_eq!(distance(Timestamp(400_000), Timestamp(0)), "in 4 days");
    }
}
