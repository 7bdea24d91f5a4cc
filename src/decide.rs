//! From mail, verdict and case to a decision. Pure, total, deterministic: no clock, no
//! randomness, no I/O, no async.

pub mod action;
pub mod bounce;
pub mod care;
pub mod case;
pub mod condition;
pub mod customer;
pub mod doubt;
pub mod facts;
pub mod hours;
pub mod human;
pub mod name;
pub mod own;
pub mod pace;
pub mod policy;
pub mod reason;
pub mod route;
pub mod rule;
pub mod ticket;
pub mod vote;

use std::collections::BTreeSet;

pub use action::{Action, Desk, Keyword, Queue};
pub use care::Care;
pub use case::Case;
pub use customer::Customer;
pub use name::Name;
pub use own::OwnPlaybooks;
pub use pace::{Limits, Paces};
pub use policy::Policy;
pub use reason::{Reason, Word};
pub use route::{Priority, Route};
pub use ticket::{Ticket, TicketId, TicketState};

use crate::classify::{Label, Verdict};
use crate::mail::{AutomatedReason, Mail, Problem};
use crate::reply::{self, Company, Playbooks};
use crate::time::Timestamp;
use facts::Facts;
use rule::Found;

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
    /// Those under names of the company's own labels.
    pub own: OwnPlaybooks,
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
            Action::SaveDraft(_) | Action::Forward(_) | Action::Notify(_) | Action::Tag(_) => None,
        })
    }

    /// The draft that is saved, if one is.
    #[must_use]
    pub fn draft(&self) -> Option<&reply::Draft> {
        self.actions.iter().find_map(|action| match action {
            Action::SaveDraft(draft) => Some(draft.as_ref()),
            Action::Forward(_) | Action::Notify(_) | Action::Tag(_) | Action::File(_) => None,
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
    if let Some(answered) = from_a_colleague(mail, case, book, now) {
        return answered;
    }
    let mut found = if book.policy.rules.is_empty() {
        Found::default()
    } else {
        rule::follow(&book.policy.rules, Facts::of(mail, verdict, case, book, now))
    };
    // a label of the company's own routes as a fact of that name
    found.facts.extend(verdict.own.iter().map(|own| own.label.clone()));
    if let Some(reason) = mail.automated {
        return file_automated(mail, reason, case, book, &found);
    }
    if verdict.primary() == Some(Label::Automated) {
        let Some(person) = doubt::by_a_person(verdict, mail) else { return doubt_automated(verdict, case) };
        // somebody waits for an answer, perhaps
        let mut decided = human::decide(mail, &person, case, book, &found, now);
        decided.reasons.insert(0, unproven(verdict));
        return decided;
    }
    human::decide(mail, &doubt::borne_out(verdict, mail), case, book, &found, now)
}

/// A colleague answers what we have sent: it goes to the thread's queue, nothing is drafted or
/// counted. Legal's answer acknowledges the case. Who answers has our mail: its id cannot be guessed.
fn from_a_colleague(mail: &Mail, case: &Case, book: &Rulebook, now: Timestamp) -> Option<Decision> {
    let sender = mail.sender()?.identity();
    let of = |desk: &Desk| {
        let address = |text: &String| crate::mail::Address { name: String::new(), address: text.clone() };
        book.policy.recipients(*desk).iter().any(|text| address(text).identity() == sender)
    };
    let ours = mail.references.iter().any(|id| id.as_str().starts_with(OWN_ID_PREFIX));
    let desk = book.policy.desks.keys().find(|desk| of(desk)).filter(|_| ours)?;
    let mut case = case.clone();
    let ticket = case.ticket.as_mut().filter(|_| mail.automated.is_none())?;
    let mut reasons = vec![Reason::new(Word::Colleague, desk.to_string())];
    if let Some(legal) = ticket.legal.as_mut().filter(|legal| legal.acknowledged.is_none())
        && of(&Desk::Legal)
    {
        legal.acknowledged = Some(now);
        legal.next = None;
        reasons.push(Reason::new(Word::LegalAcknowledged, String::new()));
    }
    let queue = ticket.queue.or(book.policy.routes.of(ticket.gravest).queue);
    Some(Decision { actions: queue.map(Action::File).into_iter().collect(), reasons, case })
}

/// Why the rules say what they say.
fn rule_reasons(found: &Found) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !found.rules.is_empty() {
        reasons.push(Reason::new(Word::Rule, found.rules.join(", ")));
    }
    reasons.extend(found.failed.iter().map(|why| Reason::new(Word::RuleFailed, why.clone())));
    reasons
}

/// The special route of a mail with these labels and facts.
fn special<'a>(book: &'a Rulebook, labels: &BTreeSet<Label>, found: &Found) -> Option<&'a route::Special> {
    book.policy.specials.iter().find(|special| special.fits(labels, &found.facts))
}

/// A mail that only sounds like a machine's: no header and nothing in its structure proves it, so a
/// person may have written it, and a person looks.
fn doubt_automated(verdict: &Verdict, case: &Case) -> Decision {
    let mut keywords = label_keywords(verdict);
    keywords.insert(Keyword::Review);
    Decision {
        actions: vec![Action::Tag(keywords), Action::File(Queue::Review)],
        reasons: vec![unproven(verdict)],
        case: case.clone(),
    }
}

fn unproven(verdict: &Verdict) -> Reason {
    Reason::new(Word::AutomatedUnproven, format!("model {:.2}", verdict.score(Label::Automated)))
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

/// A machine's mail: filed, never answered, never counted. Rules may route it elsewhere.
fn file_automated(
    mail: &Mail,
    why: AutomatedReason,
    case: &Case,
    book: &Rulebook,
    found: &Found,
) -> Decision {
    let base = &book.policy.routes.automated;
    let labels = BTreeSet::from([Label::Automated]);
    let fit = special(book, &labels, found);
    let route = fit.map_or_else(|| base.clone(), |special| special.over(base, Some(Label::Automated)));
    let mut keywords = labels.into_iter().map(Keyword::Label).collect::<BTreeSet<_>>();
    keywords.extend(route.tag.iter().copied().map(Keyword::Own));
    let mut queue = route.queue;
    let mut reasons = vec![];
    if bounce::own_ids(mail).is_empty() {
        reasons.push(Reason::new(Word::Automated, why.to_string()));
    } else {
        keywords.insert(Keyword::Review);
        queue = Some(Queue::Review);
        reasons.push(Reason::new(Word::OwnForwardBounced, "a colleague's server refused what was forwarded"));
    }
    reasons.extend(rule_reasons(found));
    if let Some(special) = fit {
        reasons.push(Reason::new(Word::Route, special.id.clone()));
        if special.leave {
            return Decision { actions: Vec::new(), reasons, case: case.clone() };
        }
    }
    let mut actions = Vec::new();
    human::tell_colleagues(&route, book, &mut actions, &mut reasons);
    actions.push(Action::Tag(keywords));
    actions.extend(queue.map(Action::File));
    Decision { actions, reasons, case: case.clone() }
}

fn label_keywords(verdict: &Verdict) -> BTreeSet<Keyword> {
    verdict.labels.iter().map(|found| Keyword::Label(found.label)).collect()
}
