//! What ops configure: queues, desks, rules, routes and the conduct rules. The defaults do what the
//! shipped playbooks expect.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::action::{Desk, Queue};
use super::pace::Limits;
use super::route::{Route, Special};
use super::rule::Rule;
use crate::classify::Label;
use crate::time::Timestamp;

/// The whole policy: pure data, swapped as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Folder of each queue.
    pub queues: Queues,
    /// Addresses of each desk; a desk without addresses gets no mail.
    pub desks: BTreeMap<Desk, Vec<String>>,
    /// What is read into a mail before it is routed, in order.
    pub rules: Vec<Rule>,
    /// What happens to a mail by its primary label.
    pub routes: Routes,
    /// Routes that are laid over the label's own when labels and facts fit; the first that fits counts.
    pub specials: Vec<Special>,
    /// When abuse has consequences.
    pub conduct: ConductRules,
    /// The service cycle: clocks, reminders, legal.
    pub service: ServiceRules,
    /// Caps against loops.
    pub limits: Limits,
    /// What counts as a correction, and when it is learnt from.
    pub learning: super::vote::LearningRules,
    /// Names under which our own servers write `Authentication-Results`.
    pub authserv_ids: Vec<String>,
}

impl Policy {
    /// The folder of `queue`.
    #[must_use]
    pub fn folder(&self, queue: Queue) -> &str {
        let folders = &self.queues.0;
        // `evenkeel check` refuses a queue without folder; a mail that gets here is still looked at
        folders.get(&queue).or_else(|| folders.get(&Queue::Review)).map_or("Queue/Review", String::as_str)
    }

    /// The addresses of `desk`; empty when none are configured.
    #[must_use]
    pub fn recipients(&self, desk: Desk) -> &[String] {
        self.desks.get(&desk).map_or(&[], Vec::as_slice)
    }
}

/// Folder of each queue, `/` between the levels whatever the server's own separator is. Ops may
/// add queues of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<Queue, String>")]
pub struct Queues(pub BTreeMap<Queue, String>);

impl From<BTreeMap<Queue, String>> for Queues {
    fn from(named: BTreeMap<Queue, String>) -> Self {
        let mut folders = Self::default();
        folders.0.extend(named);
        folders
    }
}

impl Default for Queues {
    fn default() -> Self {
        let folder = |queue: Queue| {
            let mut name = queue.as_str().to_owned();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            (queue, format!("Queue/{name}"))
        };
        Self(Queue::ALL.into_iter().map(folder).collect())
    }
}

/// One route per label, and one for mail in which no label was found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each field is the route of the label of the same name")]
pub struct Routes {
    pub automated: Route,
    pub threat: Route,
    pub harassment: Route,
    pub abuse: Route,
    pub panic: Route,
    pub entitlement: Route,
    pub criticism: Route,
    pub complaint: Route,
    pub pricing: Route,
    pub idea: Route,
    pub question: Route,
    pub praise: Route,
    /// A mail in doubt: a score in the review band, a foreign language, nothing found.
    pub review: Route,
}

impl Routes {
    /// The route of `label`; `None` is a mail without any label.
    #[must_use]
    pub const fn of(&self, label: Option<Label>) -> &Route {
        match label {
            Some(Label::Automated) => &self.automated,
            Some(Label::Threat) => &self.threat,
            Some(Label::Harassment) => &self.harassment,
            Some(Label::Abuse) => &self.abuse,
            Some(Label::Panic) => &self.panic,
            Some(Label::Entitlement) => &self.entitlement,
            Some(Label::Criticism) => &self.criticism,
            Some(Label::Complaint) => &self.complaint,
            Some(Label::Pricing) => &self.pricing,
            Some(Label::Idea) => &self.idea,
            Some(Label::Question) => &self.question,
            Some(Label::Praise) => &self.praise,
            None => &self.review,
        }
    }

    /// Every route with its key in the config.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Route)> {
        let labels = Label::ALL.into_iter().map(|label| (label.as_str(), self.of(Some(label))));
        labels.chain([("review", &self.review)])
    }
}

impl Default for Routes {
    fn default() -> Self {
        let to = Route::to;
        Self {
            automated: Route { draft: super::route::DraftBy::None, ticket: false, ..to(Queue::Automated) },
            threat: Route { forward: vec![Desk::Legal], ..to(Queue::Legal) },
            harassment: Route { forward: vec![Desk::Lead], ..to(Queue::Lead) },
            abuse: to(Queue::Support),
            panic: to(Queue::Urgent),
            entitlement: to(Queue::Support),
            criticism: to(Queue::Content),
            complaint: to(Queue::Support),
            pricing: to(Queue::Sales),
            idea: to(Queue::Product),
            question: to(Queue::Support),
            praise: to(Queue::Support),
            review: to(Queue::Review),
        }
    }
}

/// When abuse has consequences, and which.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConductRules {
    /// Incidents within the window that make a customer e-mail-only.
    pub email_only_after: u32,
    /// Days in which incidents count together.
    pub window_days: u32,
    /// Days until the e-mail-only mark expires; the customer is warned from then on.
    pub email_only_days: u32,
    /// Days until a warning expires.
    pub warned_days: u32,
    /// Threats within the window that make a customer legal-only; 0: only a person does that.
    pub legal_only_after: u32,
    /// Days until the legal-only mark expires; 0: only a person lifts it.
    pub legal_only_days: u32,
    /// Whether marks are only set automatically when the sender is proven; otherwise the mail goes
    /// to a person.
    pub require_authentication: bool,
}

impl Default for ConductRules {
    fn default() -> Self {
        Self {
            email_only_after: 2,
            window_days: 30,
            email_only_days: 90,
            warned_days: 30,
            legal_only_after: 0,
            legal_only_days: 0,
            require_authentication: true,
        }
    }
}

/// Clocks and reminders.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ServiceRules {
    /// Hours of business within which a queue answers; without it, those of the label under
    /// `[company]`.
    pub answer_within_hours: BTreeMap<Queue, u16>,
    /// Desks that are told when an answer is overdue or a promise is about to break.
    pub remind: Vec<Desk>,
    /// A folder: a mail that an agent moves there is settled.
    pub resolved_folder: Option<String>,
    /// Hours after which legal is reminded of a threat that it has not acknowledged.
    pub legal_remind_hours: Vec<u32>,
    /// Hours after which the lead is told, too.
    pub legal_escalate_hours: u32,
    /// Share of the week's hostile mails, 0 to 1, above which an agent of a route is relieved by
    /// the one who had the fewest.
    pub hostile_share: f32,
    /// Days after which records of mails are deleted, with the tickets that are closed and the
    /// customers who are served as everybody, if both have been quiet as long. 0: never.
    pub keep_days: u32,
    /// Days after which whole months of the audit are deleted. 0: never.
    pub keep_audit_days: u32,
}

impl Default for ServiceRules {
    fn default() -> Self {
        Self {
            answer_within_hours: BTreeMap::new(),
            remind: Vec::new(),
            resolved_folder: None,
            legal_remind_hours: vec![24, 72],
            legal_escalate_hours: 120,
            hostile_share: 0.5,
            keep_days: 730,
            keep_audit_days: 1_095,
        }
    }
}

impl ServiceRules {
    /// When the next reminder to legal is due, `sent` having been sent; `None` after the
    /// escalation.
    #[must_use]
    pub fn legal_reminder(&self, since: Timestamp, sent: u32) -> Option<Timestamp> {
        let index = usize::try_from(sent).ok()?;
        let hours = match self.legal_remind_hours.get(index) {
            Some(hours) => *hours,
            None if index == self.legal_remind_hours.len() => self.legal_escalate_hours,
            None => return None,
        };
        Some(since.plus(std::time::Duration::from_hours(u64::from(hours))))
    }
}
