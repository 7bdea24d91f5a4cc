//! From mail, verdict and case to a decision. Pure, total, deterministic: no clock, no
//! randomness, no I/O, no async.

pub mod action;
pub mod bounce;
pub mod case;
pub mod customer;
pub mod pace;
pub mod policy;
pub mod reason;
pub mod ticket;

use std::collections::BTreeSet;

pub use action::{Action, Desk, Keyword, Queue};
pub use case::Case;
pub use customer::Customer;
pub use pace::{Limits, Paces};
pub use policy::Policy;
pub use reason::{Reason, Word};
pub use ticket::{Ticket, TicketId};

use crate::classify::{Label, Verdict};
use crate::mail::{AutomatedReason, Mail, Problem};
use crate::reply::{self, Company, History, Playbooks};
use crate::time::Timestamp;
use customer::Consequence;

/// How the Message-IDs of everything we write begin.
pub const OWN_ID_PREFIX: &str = "ek1.";

/// All that a decision follows, swapped as one.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// Queues, desks, routes, conduct.
    pub policy: Policy,
    /// What drafts may say about the company.
    pub company: Company,
    /// The wordings of drafts.
    pub playbooks: Playbooks,
}

/// What is to be done with a mail, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What to do, in the order in which it is done.
    pub actions: Vec<Action>,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
    /// Customer and ticket after this mail.
    pub case: Case,
}

impl Decision {
    /// The queue the mail is filed into, if it is.
    #[must_use]
    pub fn queue(&self) -> Option<Queue> {
        self.actions.iter().find_map(|action| match action {
            Action::File(queue) => Some(*queue),
            Action::SaveDraft(_) | Action::Forward(_) | Action::Tag(_) => None,
        })
    }

    /// The draft that is saved, if one is.
    #[must_use]
    pub fn draft(&self) -> Option<&reply::Draft> {
        self.actions.iter().find_map(|action| match action {
            Action::SaveDraft(draft) => Some(draft.as_ref()),
            Action::Forward(_) | Action::Tag(_) | Action::File(_) => None,
        })
    }

    /// The reasons on one line, for logs and headers.
    #[must_use]
    pub fn reason_line(&self) -> String {
        reason_line(&self.reasons)
    }
}

/// Reasons on one line.
#[must_use]
pub fn reason_line(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Decides what is done with `mail`.
#[must_use]
pub fn decide(mail: &Mail, verdict: &Verdict, case: &Case, book: &Rulebook, now: Timestamp) -> Decision {
    pace::hold(decide_one(mail, verdict, case, book, now), &book.policy, now)
}

/// Decides by this mail alone, whatever came before it.
fn decide_one(mail: &Mail, verdict: &Verdict, case: &Case, book: &Rulebook, now: Timestamp) -> Decision {
    if let Some(left) = leave_to_a_person(mail, verdict, case) {
        return left;
    }
    if let Some(reason) = mail.automated {
        return file_automated(mail, reason, case, book);
    }
    if verdict.primary() == Some(Label::Automated) {
        return doubt_automated(verdict, case);
    }
    decide_human(mail, verdict, case, book, now)
}

/// A mail that only sounds like a machine's: no header and nothing in its structure proves it, so a
/// person may have written it, and a person looks.
fn doubt_automated(verdict: &Verdict, case: &Case) -> Decision {
    let mut keywords = label_keywords(verdict);
    keywords.insert(Keyword::Review);
    let detail = format!("model {:.2}", verdict.score(Label::Automated));
    Decision {
        actions: vec![Action::Tag(keywords), Action::File(Queue::Review)],
        reasons: vec![Reason::new(Word::AutomatedUnproven, detail)],
        case: case.clone(),
    }
}

/// Mail that no rule should touch: unreadable, or with several senders. It stays where it is.
fn leave_to_a_person(mail: &Mail, verdict: &Verdict, case: &Case) -> Option<Decision> {
    let unreadable = mail.problems.iter().any(|p| matches!(p, Problem::Unparseable | Problem::NoHeaders));
    let reason = if unreadable {
        Reason::new(Word::Unparseable, "nothing could be read in it")
    } else if mail.from.len() > 1 && mail.automated.is_none() {
        Reason::new(Word::SeveralSenders, format!("{} addresses in From", mail.from.len()))
    } else {
        return None;
    };
    let mut keywords = label_keywords(verdict);
    keywords.insert(Keyword::Review);
    Some(Decision { actions: vec![Action::Tag(keywords)], reasons: vec![reason], case: case.clone() })
}

fn file_automated(mail: &Mail, why: AutomatedReason, case: &Case, book: &Rulebook) -> Decision {
    let mut keywords = BTreeSet::from([Keyword::Label(Label::Automated)]);
    let mut queue = book.policy.routes.automated.queue;
    let reason = if bounce::own_ids(mail).is_empty() {
        Reason::new(Word::Automated, why.to_string())
    } else {
        keywords.insert(Keyword::Review);
        queue = Some(Queue::Review);
        Reason::new(Word::OwnForwardBounced, "a colleague's server refused what was forwarded")
    };
    let mut actions = vec![Action::Tag(keywords)];
    actions.extend(queue.map(Action::File));
    Decision { actions, reasons: vec![reason], case: case.clone() }
}

fn decide_human(mail: &Mail, verdict: &Verdict, before: &Case, book: &Rulebook, now: Timestamp) -> Decision {
    let mut case = before.clone();
    let mut reasons = Vec::new();
    let primary = verdict.primary();
    let route = book.policy.routes.of(primary);

    if case.customer.expire(now) {
        reasons.push(Reason::new(Word::EmailOnlyExpired, String::new()));
    }
    case.customer.contact(now);
    reasons.push(route_reason(verdict));
    if verdict.has(Label::Abuse) {
        reasons.extend(count_incident(&mut case.customer, book, now));
    }
    let queue = choose_queue(verdict, &case, book, &mut reasons);
    if route.ticket {
        advance_ticket(&mut case, primary, now);
    }

    let mut actions = Vec::new();
    if route.draft {
        match draft(mail, verdict, &mut case, book, now) {
            Ok(draft) => actions.push(Action::SaveDraft(Box::new(draft))),
            Err(why) => reasons.push(Reason::new(Word::NoDraft, why.reason())),
        }
    } else {
        reasons.push(Reason::new(Word::NoDraft, "the route wants none"));
    }
    for desk in &route.forward {
        if book.policy.recipients(*desk).is_empty() {
            reasons.push(Reason::new(Word::DeskWithoutAddress, desk.to_string()));
        } else {
            actions.push(Action::Forward(*desk));
        }
    }
    let mut keywords = label_keywords(verdict);
    if verdict.review || primary.is_none() {
        keywords.insert(Keyword::Review);
    }
    if case.customer.email_only.is_some() {
        keywords.insert(Keyword::EmailOnly);
    }
    if !keywords.is_empty() {
        actions.push(Action::Tag(keywords));
    }
    actions.extend(queue.map(Action::File));
    Decision { actions, reasons, case }
}

fn label_keywords(verdict: &Verdict) -> BTreeSet<Keyword> {
    verdict.labels.iter().map(|found| Keyword::Label(found.label)).collect()
}

fn route_reason(verdict: &Verdict) -> Reason {
    match verdict.primary() {
        Some(label) => Reason::new(Word::Label, format!("{label} {:.2}", verdict.score(label))),
        None => Reason::new(Word::Review, "no label was found"),
    }
}

fn count_incident(customer: &mut Customer, book: &Rulebook, now: Timestamp) -> Option<Reason> {
    let rules = &book.policy.conduct;
    match customer.incident(rules, now) {
        Consequence::Boundary => Some(Reason::new(Word::FirstIncident, "the draft draws the boundary")),
        Consequence::EmailOnlyBegins => Some(Reason::new(
            Word::EmailOnlyBegins,
            format!("{} incidents in {} days", customer.recent_incidents(rules, now), rules.window_days),
        )),
        // `choose_queue` says that the customer is e-mail-only
        Consequence::EmailOnlyContinues => None,
    }
}

/// The queue, most binding ground first: threat and harassment, the thread, the customer, doubt,
/// the label's own route.
fn choose_queue(verdict: &Verdict, case: &Case, book: &Rulebook, reasons: &mut Vec<Reason>) -> Option<Queue> {
    let grave = |label: Option<Label>| matches!(label, Some(Label::Threat | Label::Harassment));
    let primary = verdict.primary();
    let own = book.policy.routes.of(primary).queue;
    if grave(primary) {
        return own;
    }
    let gravest = case.ticket.as_ref().and_then(|ticket| ticket.gravest);
    if grave(gravest) {
        reasons.push(Reason::new(Word::ThreadGoesAlong, gravest.map_or(String::new(), |l| l.to_string())));
        return book.policy.routes.of(gravest).queue;
    }
    if case.customer.email_only.is_some() {
        reasons.push(Reason::new(Word::EmailOnly, String::new()));
        return Some(Queue::EmailOnly);
    }
    if verdict.review && primary.is_some() {
        reasons.push(Reason::new(Word::Review, "a score is in the band of doubt"));
        return book.policy.routes.review.queue;
    }
    own
}

fn advance_ticket(case: &mut Case, primary: Option<Label>, now: Timestamp) {
    let ticket = case.ticket.get_or_insert_with(|| Ticket::open(case.next_ticket.clone(), now));
    ticket.mails = ticket.mails.saturating_add(1);
    ticket.last_mail = now;
    ticket.gravest = ticket.gravest.into_iter().chain(primary).min();
}

fn draft(
    mail: &Mail,
    verdict: &Verdict,
    case: &mut Case,
    book: &Rulebook,
    now: Timestamp,
) -> Result<reply::Draft, reply::NoDraft> {
    let labels: Vec<Label> = verdict.labels.iter().map(|found| found.label).collect();
    let incidents = case.customer.recent_incidents(&book.policy.conduct, now);
    let history = History {
        ticket: case.ticket.as_ref().map(|ticket| ticket.id.to_string()),
        // the one of this mail is counted already
        incidents: incidents.saturating_sub(u32::from(verdict.has(Label::Abuse))),
        email_only_since: case.customer.email_only.map(|mark| mark.since),
        contacts_this_week: case.customer.contacts_this_week(now),
        wordings: case.customer.wordings.clone(),
    };
    let draft = reply::compose(&reply::Request {
        mail,
        labels: &labels,
        company: &book.company,
        playbooks: &book.playbooks,
        history: &history,
        now,
    })?;
    case.customer.wordings.extend(draft.wordings.iter().cloned());
    Ok(draft)
}
