//! A person's mail: rules, conduct, route, draft.

use std::collections::BTreeSet;

use super::action::{Action, Keyword, Queue};
use super::case::Case;
use super::customer::{Consequence, State};
use super::name::Name;
use super::own::Own;
use super::reason::{Reason, Word};
use super::route::{DraftBy, Priority, Route};
use super::rule::Found;
use super::ticket::{Legal, Ticket, TicketState};
use super::{Decision, Rulebook, hours};
use crate::classify::label::{self, Label};
use crate::classify::{Finding, Verdict};
use crate::mail::{Address, Mail};
use crate::reply::{self, History};
use crate::time::Timestamp;

/// A mail with everything its decision looks at.
struct Hand<'a> {
    mail: &'a Mail,
    /// The verdict with the labels that rules have added.
    verdict: Verdict,
    book: &'a Rulebook,
    found: &'a Found,
    route: Route,
    now: Timestamp,
}

/// Decides what is done with a person's mail.
pub(super) fn decide(
    mail: &Mail,
    verdict: &Verdict,
    before: &Case,
    book: &Rulebook,
    found: &Found,
    now: Timestamp,
) -> Decision {
    let verdict = with_labels(verdict, &found.labels);
    let primary = verdict.primary();
    let mut reasons = vec![route_reason(&verdict)];
    reasons.extend(super::rule_reasons(found));
    let labels: BTreeSet<Label> = verdict.labels.iter().map(|found| found.label).collect();
    let base = book.policy.routes.of(primary);
    let special = super::special(book, &labels, found);
    let mut route = base.clone();
    if let Some(special) = special {
        reasons.push(Reason::new(Word::Route, special.id.clone()));
        let named = primary.is_some_and(|label| special.labels.contains(&label));
        if special.leave && (named || !is_grave(primary)) {
            return Decision { actions: Vec::new(), reasons, case: before.clone() };
        }
        route = special.over(base, primary);
    }
    let mut case = before.clone();
    let mut hand = Hand { mail, verdict, book, found, route, now };
    let review = hand.conduct(&mut case, &mut reasons);
    let queue = hand.queue(&case, special.is_some_and(|s| s.queue.is_some()), &mut reasons);
    if hand.route.ticket {
        hand.advance_ticket(&mut case, queue, &mut reasons);
    }
    hand.care(&mut case, queue);
    let mut actions = Vec::new();
    hand.draft(&mut case, &mut actions, &mut reasons);
    tell_colleagues(&hand.route, book, &mut actions, &mut reasons);
    let keywords = hand.keywords(&case, review);
    if !keywords.is_empty() {
        actions.push(Action::Tag(keywords));
    }
    actions.extend(queue.map(Action::File));
    Decision { actions, reasons, case }
}

/// What goes to colleagues, as far as they have addresses.
pub(super) fn tell_colleagues(
    route: &Route,
    book: &Rulebook,
    actions: &mut Vec<Action>,
    reasons: &mut Vec<Reason>,
) {
    let forwards = route.forward.iter().map(|desk| (*desk, Action::Forward(*desk)));
    let notices = route.notify.iter().map(|desk| (*desk, Action::Notify(*desk)));
    for (desk, action) in forwards.chain(notices) {
        if book.policy.recipients(desk).is_empty() {
            reasons.push(Reason::new(Word::DeskWithoutAddress, desk.to_string()));
        } else {
            actions.push(action);
        }
    }
}

fn is_grave(label: Option<Label>) -> bool {
    matches!(label, Some(Label::Threat | Label::Harassment))
}

fn with_labels(verdict: &Verdict, added: &BTreeSet<Label>) -> Verdict {
    let mut verdict = verdict.clone();
    for label in added.iter().filter(|label| **label != Label::Automated) {
        if !verdict.has(*label) {
            verdict.labels.push(Finding { label: *label, probability: verdict.score(*label) });
        }
    }
    verdict.labels.sort_by_key(|found| found.label);
    verdict
}

fn route_reason(verdict: &Verdict) -> Reason {
    match verdict.primary() {
        Some(label) => Reason::new(Word::Label, format!("{label} {:.2}", verdict.score(label))),
        None => Reason::new(Word::Review, "no label was found"),
    }
}

impl Hand<'_> {
    fn primary(&self) -> Option<Label> {
        self.verdict.primary()
    }

    /// Counts what bears on the customer's conduct; whether a person should look at it.
    fn conduct(&mut self, case: &mut Case, reasons: &mut Vec<Reason>) -> bool {
        let rules = &self.book.policy.conduct;
        let (customer, id, now) = (&mut case.customer, self.mail.message_id.as_ref(), self.now);
        if let Some(over) = customer.expire(rules, now)
            && over != State::Warned
        {
            reasons.push(Reason::new(Word::EmailOnlyExpired, over.as_str()));
        }
        customer.contact(now);
        let proven = self.mail.is_proven(&self.book.policy.authserv_ids);
        if self.verdict.has(Label::Threat)
            && let Some(state) = customer.threat(rules, proven, id, now)
        {
            let why = format!("{state}: {} threats in {} days", rules.legal_only_after, rules.window_days);
            reasons.push(Reason::new(Word::LegalOnlyBegins, why));
        }
        if self.verdict.has(Label::Harassment) {
            let times = customer.harassment(rules, id, now);
            if times > 1 {
                reasons.push(Reason::new(
                    Word::HarassmentAgain,
                    format!("{times} times in {} days", rules.window_days),
                ));
                self.route.priority = Priority::High;
            }
        }
        if !self.verdict.has(Label::Abuse) {
            return false;
        }
        match customer.incident(rules, proven, id, now) {
            Consequence::Boundary => {
                reasons.push(Reason::new(Word::FirstIncident, "the draft draws the boundary"));
            }
            Consequence::Begins(_) => reasons.push(Reason::new(
                Word::EmailOnlyBegins,
                format!("{} incidents in {} days", customer.recent_incidents(rules, now), rules.window_days),
            )),
            // the queue says how the customer is served
            Consequence::Continues => {}
            Consequence::Unproven => {
                reasons.push(Reason::new(
                    Word::ConductForReview,
                    "e-mail-only would begin, but the sender is not proven",
                ));
                return true;
            }
        }
        false
    }

    /// The queue, most binding ground first: threat and harassment, the thread, the customer, a
    /// special route, doubt, the label's own route.
    fn queue(&self, case: &Case, by_special: bool, reasons: &mut Vec<Reason>) -> Option<Queue> {
        let own = self.route.queue;
        let gravest = case.ticket.as_ref().and_then(|ticket| ticket.gravest);
        // what is with legal stays there, also when the next mail is for the lead
        let graver = is_grave(gravest) && gravest < self.primary();
        if is_grave(self.primary()) && !graver {
            return own;
        }
        let open = case.ticket.as_ref().is_some_and(|ticket| {
            matches!(ticket.state, TicketState::New | TicketState::WaitingForUs | TicketState::WaitingForThem)
        });
        if is_grave(gravest) {
            reasons
                .push(Reason::new(Word::ThreadGoesAlong, gravest.map_or(String::new(), |l| l.to_string())));
            return self.book.policy.routes.of(gravest).queue;
        }
        match case.customer.state(self.now) {
            State::LegalOnly => {
                reasons.push(Reason::new(Word::LegalOnly, String::new()));
                return self.book.policy.routes.threat.queue;
            }
            State::EmailOnly => {
                reasons.push(Reason::new(Word::EmailOnly, String::new()));
                return Some(Queue::EmailOnly);
            }
            State::Clear | State::Warned => {}
        }
        if by_special {
            return own;
        }
        if let Some(graver) = gravest.filter(|label| open && self.primary().is_none_or(|own| *label < own)) {
            reasons.push(Reason::new(Word::ThreadGoesAlong, graver.to_string()));
            return self.book.policy.routes.of(Some(graver)).queue;
        }
        if self.verdict.review && self.primary().is_some() {
            reasons.push(Reason::new(Word::Review, "a score is in the band of doubt"));
            return self.book.policy.routes.review.queue;
        }
        own
    }

    fn is_hostile(&self) -> bool {
        [Label::Threat, Label::Harassment, Label::Abuse].iter().any(|label| self.verdict.has(*label))
    }

    /// Counts what a colleague has to read.
    fn care(&self, case: &mut Case, queue: Option<Queue>) {
        if self.is_hostile() {
            let agent = case.ticket.as_ref().and_then(|ticket| ticket.assigned);
            let mut counts = std::mem::take(&mut case.care).of_week(self.now);
            counts.count(queue, agent);
            case.care = counts;
        }
    }

    fn advance_ticket(&self, case: &mut Case, queue: Option<Queue>, reasons: &mut Vec<Reason>) {
        let (now, primary) = (self.now, self.primary());
        let company = &self.book.company;
        let number = case.next_ticket.clone();
        let ticket = case.ticket.get_or_insert_with(|| Ticket::open(number, now));
        let by_queue = queue.and_then(|queue| self.book.policy.service.answer_within_hours.get(&queue));
        let by_label = company.answer_within(primary.unwrap_or(Label::Question));
        let hours = by_queue.copied().unwrap_or(by_label);
        let due = hours::after(company, now, u32::from(hours).saturating_mul(60));
        let who = self.mail.sender().map(Address::identity);
        ticket.mail(who.as_deref(), primary, due, now);
        ticket.queue = queue;
        ticket.priority = ticket.priority.min(self.route.priority);
        if self.verdict.has(Label::Threat) {
            // the case stays open on the thread, however often it is threatened in it
            let next = self.book.policy.service.legal_reminder(now, 0);
            ticket.legal.get_or_insert(Legal { since: now, next, ..Legal::default() });
            ticket.hold = true;
        }
        if ticket.assigned.is_none() {
            let share = self.book.policy.service.hostile_share;
            ticket.assigned = in_turn(&self.route.assign, ticket);
            if let Some(first) = ticket.assigned.filter(|_| self.is_hostile())
                && let Some(other) = case.care.clone().of_week(now).relief(&self.route.assign, first, share)
            {
                reasons.push(Reason::new(Word::Relieved, format!("{first} by {other}")));
                ticket.assigned = Some(other);
            }
        }
    }

    fn draft(&self, case: &mut Case, actions: &mut Vec<Action>, reasons: &mut Vec<Reason>) {
        let own = self.book.own.chosen(self.route.draft, &self.verdict);
        let labels: Vec<Label> = match self.route.draft {
            DraftBy::None => {
                reasons.push(Reason::new(Word::NoDraft, "the route wants none"));
                return;
            }
            DraftBy::Playbook(label) => vec![label],
            DraftBy::Labels | DraftBy::Own(_) if own.is_some() => Own::LABELS.into(),
            DraftBy::Labels | DraftBy::Own(_) => {
                self.verdict.labels.iter().map(|found| found.label).collect()
            }
        };
        match self.compose(&labels, own, case) {
            Ok(draft) => {
                if let Some(ticket) = &mut case.ticket {
                    ticket.would_promise = draft.promised;
                }
                actions.push(Action::SaveDraft(Box::new(draft)));
            }
            Err(why) => reasons.push(Reason::new(Word::NoDraft, why.reason())),
        }
    }

    fn compose(
        &self,
        labels: &[Label],
        own: Option<Own<'_>>,
        case: &mut Case,
    ) -> Result<reply::Draft, reply::NoDraft> {
        let customer = &case.customer;
        let incidents = customer.recent_incidents(&self.book.policy.conduct, self.now);
        let restricted = customer.state(self.now) >= State::EmailOnly;
        let history = History {
            ticket: case.ticket.as_ref().map(|ticket| ticket.id.to_string()),
            // the one of this mail is counted already
            incidents: incidents.saturating_sub(u32::from(self.verdict.has(Label::Abuse))),
            email_only_since: customer.mark.as_ref().filter(|_| restricted).map(|mark| mark.since),
            contacts_this_week: customer.contacts_this_week(self.now),
            wordings: customer.wordings.clone(),
        };
        // what a rule of the company has added is certain
        let doubted = reply::doubted(&self.verdict.labels, self.mail);
        let doubted: Vec<Label> =
            doubted.into_iter().filter(|label| own.is_none() && !self.found.labels.contains(label)).collect();
        let mut draft = reply::compose(&reply::Request {
            mail: self.mail,
            labels,
            doubted: &doubted,
            company: &self.book.company,
            playbooks: own.map_or(&self.book.playbooks, |own| own.playbooks),
            history: &history,
            now: self.now,
        })?;
        if let Some(own) = own {
            own.label.clone_into(&mut draft.playbook);
        }
        case.customer.wordings.extend(draft.wordings.iter().cloned());
        Ok(draft)
    }

    fn keywords(&self, case: &Case, review: bool) -> BTreeSet<Keyword> {
        let mut keywords = super::label_keywords(&self.verdict);
        let labels = self.verdict.labels.iter().map(|found| found.label);
        if self.verdict.review || review || label::primary(labels).is_none() || !self.found.failed.is_empty()
        {
            keywords.insert(Keyword::Review);
        }
        if case.customer.state(self.now) >= State::EmailOnly {
            keywords.insert(Keyword::EmailOnly);
        }
        if self.route.priority == Priority::High {
            keywords.insert(Keyword::High);
        }
        keywords.extend(self.route.tag.iter().copied().map(Keyword::Own));
        keywords
    }
}

/// The agents of a route take turns, by the number of the ticket.
fn in_turn(agents: &[Name], ticket: &Ticket) -> Option<Name> {
    let turn = ticket.id.sequence().checked_rem(u64::try_from(agents.len()).ok()?)?;
    agents.get(usize::try_from(turn).ok()?).copied()
}
