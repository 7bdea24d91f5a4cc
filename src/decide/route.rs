//! Routes: from labels and facts to what is done with a mail.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::action::{Desk, Queue};
use super::name::Name;
use crate::classify::Label;

/// How soon a mail wants to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Before the others: listed first, keyword `ek-high`.
    High,
    /// In its turn.
    #[default]
    Normal,
    /// When there is time.
    Low,
}

/// Which draft is prepared: `true`, `false`, or the name of a playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "DraftWord")]
pub enum DraftBy {
    /// None.
    None,
    /// By the playbooks of the labels that were found.
    #[default]
    Labels,
    /// By this one.
    Playbook(Label),
    /// By that of a label of the company's own; by the labels that were found where it has none in the
    /// language of the mail.
    Own(Name),
}

/// As it is written in the config.
#[derive(Deserialize)]
#[serde(untagged)]
enum DraftWord {
    Wanted(bool),
    Playbook(String),
}

impl TryFrom<DraftWord> for DraftBy {
    type Error = String;

    fn try_from(word: DraftWord) -> Result<Self, Self::Error> {
        match word {
            DraftWord::Wanted(true) => Ok(Self::Labels),
            DraftWord::Wanted(false) => Ok(Self::None),
            DraftWord::Playbook(name) => match (Label::from_word(&name), Name::new(&name)) {
                (Some(label), _) if label != Label::Automated => Ok(Self::Playbook(label)),
                (None, Ok(own)) => Ok(Self::Own(own)),
                _ => Err(no_playbook(&name)),
            },
        }
    }
}

/// What is said of a name that no playbook has.
#[must_use]
pub fn no_playbook(name: &str) -> String {
    format!("there is no playbook {name:?}; use the word of a label, one of [learning] labels, true or false")
}

/// What is done with a mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// The queue it is filed into; absent: it stays where it arrived.
    #[serde(default)]
    pub queue: Option<Queue>,
    /// Desks that get the untouched original by mail.
    #[serde(default)]
    pub forward: Vec<Desk>,
    /// Desks that are told, without the original.
    #[serde(default)]
    pub notify: Vec<Desk>,
    /// Which draft reply is prepared.
    #[serde(default)]
    pub draft: DraftBy,
    /// Whether a ticket is opened.
    #[serde(default = "yes")]
    pub ticket: bool,
    /// Keywords of one's own: `vip` is set as `ek-vip`.
    #[serde(default)]
    pub tag: Vec<Name>,
    /// How soon it wants to be read.
    #[serde(default)]
    pub priority: Priority,
    /// Agents who share these tickets in turn.
    #[serde(default)]
    pub assign: Vec<Name>,
}

const fn yes() -> bool {
    true
}

impl Route {
    /// Into `queue`, with a ticket and a draft.
    #[must_use]
    pub const fn to(queue: Queue) -> Self {
        Self {
            queue: Some(queue),
            forward: Vec::new(),
            notify: Vec::new(),
            draft: DraftBy::Labels,
            ticket: true,
            tag: Vec::new(),
            priority: Priority::Normal,
            assign: Vec::new(),
        }
    }
}

/// A route that is laid over the one of the primary label when labels and facts fit. What it
/// leaves out stays as the label's route has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Special {
    /// Its name in reasons.
    pub id: String,
    /// Fits a mail with at least one of these labels; empty: with any, or with none.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Fits a mail with all of these facts.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Touch nothing: the mail stays as it arrived, without a draft.
    #[serde(default)]
    pub leave: bool,
    /// See [`Route::queue`].
    #[serde(default)]
    pub queue: Option<Queue>,
    /// See [`Route::forward`].
    #[serde(default)]
    pub forward: Option<Vec<Desk>>,
    /// See [`Route::notify`].
    #[serde(default)]
    pub notify: Option<Vec<Desk>>,
    /// See [`Route::draft`].
    #[serde(default)]
    pub draft: Option<DraftBy>,
    /// See [`Route::ticket`].
    #[serde(default)]
    pub ticket: Option<bool>,
    /// See [`Route::tag`].
    #[serde(default)]
    pub tag: Option<Vec<Name>>,
    /// See [`Route::priority`].
    #[serde(default)]
    pub priority: Option<Priority>,
    /// See [`Route::assign`].
    #[serde(default)]
    pub assign: Option<Vec<Name>>,
}

impl Special {
    /// Whether it fits a mail with these labels and facts.
    #[must_use]
    pub fn fits(&self, labels: &BTreeSet<Label>, facts: &BTreeSet<String>) -> bool {
        let by_label = self.labels.is_empty() || self.labels.iter().any(|label| labels.contains(label));
        by_label && self.facts.iter().all(|fact| facts.contains(fact))
    }

    /// Whether everything that fits `other` fits this one, too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let wider = self.labels.is_empty()
            || (!other.labels.is_empty() && other.labels.iter().all(|label| self.labels.contains(label)));
        wider && self.facts.iter().all(|fact| other.facts.contains(fact))
    }

    /// The label's route with this one laid over it. A threat or harassment keeps its queue and
    /// its desks unless this route names that label: no rule takes one away from its desk by accident.
    #[must_use]
    pub fn over(&self, base: &Route, primary: Option<Label>) -> Route {
        let mut route = base.clone();
        let grave = matches!(primary, Some(Label::Threat | Label::Harassment));
        let meant = !grave || primary.is_some_and(|label| self.labels.contains(&label));
        if let Some(queue) = self.queue.filter(|_| meant) {
            route.queue = Some(queue);
        }
        if let Some(forward) = &self.forward {
            if meant {
                route.forward.clone_from(forward);
            } else {
                route.forward.extend(forward.iter().filter(|desk| !base.forward.contains(desk)));
            }
        }
        if let Some(draft) = self.draft.filter(|_| meant) {
            route.draft = draft;
        }
        if let Some(ticket) = self.ticket.filter(|_| meant) {
            route.ticket = ticket;
        }
        let lists = [(&mut route.tag, &self.tag), (&mut route.assign, &self.assign)];
        for (mine, theirs) in lists {
            if let Some(theirs) = theirs {
                mine.clone_from(theirs);
            }
        }
        if let Some(notify) = &self.notify {
            route.notify.clone_from(notify);
        }
        if let Some(priority) = self.priority {
            route.priority = priority;
        }
        route
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special(text: &str) -> Special {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_a_special_route_leaves_out_stays_as_the_label_has_it() {
        let vip = special("id = \"vip\"\nfacts = [\"vip\"]\nqueue = \"urgent\"\npriority = \"high\"");
        let route = vip.over(&Route::to(Queue::Support), Some(Label::Complaint));
        assert_eq!((route.queue, route.priority), (Some(Queue::Urgent), Priority::High));
        assert!(route.ticket && route.draft == DraftBy::Labels);
        assert!(!vip.fits(&BTreeSet::new(), &BTreeSet::new()));
        assert!(vip.fits(&BTreeSet::new(), &BTreeSet::from(["vip".to_owned()])));
    }

    #[test]
    fn a_threat_keeps_its_desk_unless_the_route_names_threats() {
        let legal = Route { forward: vec![Desk::Legal], ..Route::to(Queue::Legal) };
        let vip = special("id = \"vip\"\nqueue = \"urgent\"\nforward = [\"lead\"]\ndraft = false");
        let route = vip.over(&legal, Some(Label::Threat));
        assert_eq!(
            (route.queue, route.forward, route.draft),
            (Some(Queue::Legal), vec![Desk::Legal, Desk::Lead], DraftBy::Labels)
        );
        let meant = special("id = \"x\"\nlabels = [\"threat\"]\nqueue = \"urgent\"");
        assert_eq!(meant.over(&legal, Some(Label::Threat)).queue, Some(Queue::Urgent));
    }
}
