//! What ops configure: queues, desks, routes and the conduct rules. The defaults do what the
//! shipped playbooks expect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::{Desk, Queue};
use super::pace::Limits;
use crate::classify::Label;

/// The whole policy: pure data, swapped as one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// Folder of each queue, `/` between the levels whatever the server's own separator is.
    pub queues: Queues,
    /// Addresses of each desk; a desk without addresses gets no mail.
    pub desks: BTreeMap<Desk, Vec<String>>,
    /// What happens to a mail by its primary label.
    pub routes: Routes,
    /// When abuse has consequences.
    pub conduct: ConductRules,
    /// Caps against loops.
    pub limits: Limits,
}

impl Policy {
    /// The folder of `queue`.
    #[must_use]
    pub fn folder(&self, queue: Queue) -> &str {
        let q = &self.queues;
        match queue {
            Queue::Legal => &q.legal,
            Queue::EmailOnly => &q.email_only,
            Queue::Lead => &q.lead,
            Queue::Urgent => &q.urgent,
            Queue::Support => &q.support,
            Queue::Sales => &q.sales,
            Queue::Content => &q.content,
            Queue::Product => &q.product,
            Queue::Automated => &q.automated,
            Queue::Review => &q.review,
        }
    }

    /// The addresses of `desk`; empty when none are configured.
    #[must_use]
    pub fn recipients(&self, desk: Desk) -> &[String] {
        self.desks.get(&desk).map_or(&[], Vec::as_slice)
    }
}

/// Folder names of the queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each field is the folder of the queue of the same name")]
pub struct Queues {
    pub legal: String,
    pub email_only: String,
    pub lead: String,
    pub urgent: String,
    pub support: String,
    pub sales: String,
    pub content: String,
    pub product: String,
    pub automated: String,
    pub review: String,
}

impl Default for Queues {
    fn default() -> Self {
        let folder = |name: &str| format!("Queue/{name}");
        Self {
            legal: folder("Legal"),
            email_only: folder("Email-only"),
            lead: folder("Lead"),
            urgent: folder("Urgent"),
            support: folder("Support"),
            sales: folder("Sales"),
            content: folder("Content"),
            product: folder("Product"),
            automated: folder("Automated"),
            review: folder("Review"),
        }
    }
}

/// Where a mail with a given primary label goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// The queue it is filed into; absent: it stays where it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Desks that get the untouched original by mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<Desk>,
    /// Whether a draft reply is prepared.
    #[serde(default = "yes")]
    pub draft: bool,
    /// Whether a ticket is opened.
    #[serde(default = "yes")]
    pub ticket: bool,
}

const fn yes() -> bool {
    true
}

impl Route {
    const fn to(queue: Queue) -> Self {
        Self { queue: Some(queue), forward: Vec::new(), draft: true, ticket: true }
    }
}

/// One route per label, and one for mail in which no label was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Default for Routes {
    fn default() -> Self {
        let to = Route::to;
        Self {
            automated: Route { draft: false, ticket: false, ..to(Queue::Automated) },
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

/// When abuse makes a customer e-mail-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConductRules {
    /// Incidents within the window that make a customer e-mail-only.
    pub email_only_after: u32,
    /// Days in which incidents count together.
    pub window_days: u32,
    /// Days until the e-mail-only mark expires.
    pub email_only_days: u32,
}

impl Default for ConductRules {
    fn default() -> Self {
        Self { email_only_after: 2, window_days: 30, email_only_days: 90 }
    }
}
