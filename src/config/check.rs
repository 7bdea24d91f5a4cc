//! What parses but cannot work.

use std::ops::Range;

use super::account::{Account, Server};
use super::merge::Sources;
use super::read::Places;
use super::{Config, ConfigProblem};
use crate::decide::route::{DraftBy, no_playbook};
use crate::decide::rule::MAX_RULES;

/// Looks for what parses but cannot work.
pub(super) struct Checked<'a> {
    pub(super) config: &'a Config,
    pub(super) sources: &'a Sources,
    pub(super) places: &'a Places,
    /// What was found.
    pub(super) found: Vec<ConfigProblem>,
}

impl Checked<'_> {
    fn say(&mut self, at: Option<&Range<usize>>, what: String) {
        self.found.push(self.sources.problem(at, what));
    }

    fn say_of(&mut self, place: &str, what: String) {
        let at = self.places.get(place);
        self.found.push(self.sources.problem(at, what));
    }

    pub(super) fn accounts(&mut self, accounts: &[(Range<usize>, Account)]) {
        for (index, (at, account)) in accounts.iter().enumerate() {
            let name = &account.name;
            let at = Some(at);
            if accounts.iter().take(index).any(|(_, other)| other.name == *name) {
                self.say(at, format!("two accounts are called {name:?}; give each its own name"));
            }
            if name.is_empty() || name.contains(['/', '\n']) {
                self.say(at, format!("account name {name:?} must not be empty or hold a slash"));
            }
            if account.address.parse::<lettre::Address>().is_err() {
                self.say(at, format!("address {:?} of account {name:?} is no mail address", account.address));
            }
            if !(30..=1_500).contains(&account.poll_secs) {
                self.say(at, format!("poll-secs of account {name:?} must be between 30 and 1500"));
            }
            let servers = [("imap", Some(&account.imap)), ("smtp", account.smtp.as_ref())];
            for (kind, server) in servers.into_iter().filter_map(|(kind, server)| Some((kind, server?))) {
                for what in server_problems(kind, server) {
                    self.say(at, format!("account {name:?}: {what}"));
                }
            }
            for what in account.oauth2.iter().flat_map(super::OAuth2::problems) {
                self.say(at, format!("account {name:?}: {what}"));
            }
            self.folders(accounts.get(..index).unwrap_or_default(), at, account);
        }
    }

    fn folders(&mut self, earlier: &[(Range<usize>, Account)], at: Option<&Range<usize>>, account: &Account) {
        let name = &account.name;
        let box_of = |other: &Account| (other.imap.host.clone(), other.imap.port, other.imap.user.clone());
        for (index, folder) in account.folders.iter().enumerate() {
            let watched =
                |other: &Account| box_of(other) == box_of(account) && other.folders.contains(folder);
            let again = account.folders.iter().take(index).any(|other| other == folder);
            if again || earlier.iter().any(|(_, other)| watched(other)) {
                let what = format!(
                    "account {name:?}: {folder:?} of this mailbox is watched twice; its mails would be answered twice"
                );
                self.say(at, what);
            }
            if account.drafts.as_ref() == Some(folder) {
                self.say(at, format!("account {name:?} watches its own drafts folder {folder:?}"));
            }
            if self.config.policy.queues.0.values().any(|queue| queue == folder) {
                let what = format!(
                    "account {name:?} watches {folder:?}, into which it files: take it out of `folders`"
                );
                self.say(at, what);
            }
        }
        if account.folders.is_empty() {
            self.say(at, format!("account {name:?} watches no folder; leave `folders` out for INBOX"));
        }
    }

    pub(super) fn policy(&mut self) {
        let policy = &self.config.policy;
        if !(1..=1_440).contains(&policy.limits.window_minutes) {
            let what = "[limits] window-minutes must be between 1 and 1440, a day".to_owned();
            self.say_of("limits.window-minutes", what);
        }
        for (queue, folder) in &policy.queues.0 {
            if folder.is_empty() || folder.contains(['\r', '\n', '\0', '*', '%']) {
                self.say_of(
                    &format!("queues.{queue}"),
                    format!("[queues] folder {folder:?} is no folder name"),
                );
            }
        }
        for (desk, addresses) in &policy.desks {
            for address in addresses {
                if address.parse::<lettre::Address>().is_err() {
                    self.say_of(
                        &format!("desks.{desk}"),
                        format!("[desks] {desk}: {address:?} is no mail address"),
                    );
                }
            }
        }
        let service = &policy.service;
        if !(0.0..=1.0).contains(&service.hostile_share) {
            let what = "hostile-share is a share: use a number from 0 to 1".to_owned();
            self.say_of("service.hostile-share", what);
        }
        if policy.learning.keep_text && policy.learning.text_key_file.is_none() {
            let what = "[learning] keep-text needs a key: set text-key-file".to_owned();
            self.say_of("learning.keep-text", what);
        }
        if !(0.0..=1.0).contains(&policy.learning.audit_share) {
            let what = "[learning] audit-share is a share: use a number from 0 to 1".to_owned();
            self.say_of("learning.audit-share", what);
        }
        if policy.learning.train_hours.iter().any(|hour| *hour > 23) {
            let what = "[learning] train-hours are hours of the day, 0 to 23".to_owned();
            self.say_of("learning.train-hours", what);
        }
        self.playbooks();
        let watched = |folder: &String| self.config.accounts.iter().any(|a| a.folders.contains(folder));
        if let Some(folder) = service.resolved_folder.as_ref().filter(|folder| watched(folder)) {
            let what =
                format!("resolved-folder {folder:?} is watched for new mail; name a folder of its own");
            self.say_of("service.resolved-folder", what);
        }
        if policy.rules.len() > MAX_RULES {
            self.say_of("rule", format!("{} rules; at most {MAX_RULES} are followed", policy.rules.len()));
        }
        let routes = policy
            .routes
            .named()
            .map(|(name, route)| (format!("routes.{name}"), route.queue, &route.forward, &route.notify));
        let none = Vec::new();
        let specials = policy.specials.iter().map(|special| {
            let (forward, notify) = (special.forward.as_ref(), special.notify.as_ref());
            (
                format!("route {}", special.id),
                special.queue,
                forward.unwrap_or(&none),
                notify.unwrap_or(&none),
            )
        });
        for (place, queue, forward, notify) in routes.chain(specials) {
            if let Some(queue) = queue.filter(|queue| !policy.queues.0.contains_key(queue)) {
                let known: Vec<&str> = policy.queues.0.keys().map(crate::decide::Queue::as_str).collect();
                let what = format!(
                    "{place}: the queue {queue} has no folder; add [queues] {queue} = \"…\", or use one of {}",
                    known.join(", ")
                );
                self.say_of(&place, what);
            }
            for desk in forward.iter().chain(notify) {
                let shipped = matches!(desk, crate::decide::Desk::Legal | crate::decide::Desk::Lead);
                if !shipped && !policy.desks.contains_key(desk) {
                    let what =
                        format!("{place}: the desk {desk} has no address; add [desks] {desk} = [\"…\"]");
                    self.say_of(&place, what);
                }
            }
        }
    }
}

impl Checked<'_> {
    /// Routes that name a playbook of a label of the company's own.
    fn playbooks(&mut self) {
        let policy = &self.config.policy;
        let routes = policy.routes.named().map(|(name, route)| (format!("routes.{name}"), Some(route.draft)));
        let specials = policy.specials.iter().map(|special| (format!("route {}", special.id), special.draft));
        for (place, draft) in routes.chain(specials) {
            if let Some(DraftBy::Own(name)) = draft
                && !policy.learning.labels.contains(&name)
            {
                self.say_of(&place, format!("{place}: {}", no_playbook(name.as_str())));
            }
        }
    }

    pub(super) fn http(&mut self) {
        for what in self.config.http.problems() {
            self.say_of("http", what);
        }
        for what in self.config.alerts.problems() {
            self.say_of("alerts", what);
        }
    }
}

fn server_problems(kind: &str, server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    if server.host.is_empty() {
        found.push(format!("{kind}: `host` is empty"));
    }
    if !(5..=600).contains(&server.timeout_secs) {
        found.push(format!("{kind}: `timeout-secs` must be between 5 and 600"));
    }
    if server.password_file.is_some() && server.password_credential.is_some() {
        found.push(format!("{kind}: set `password-file` or `password-credential`, not both"));
    }
    let has_password =
        server.password_file.is_some() || server.password_credential.is_some() || server.oauth2.is_some();
    if server.user.is_empty() && (has_password || kind == "imap") {
        found.push(format!("{kind}: `user` is missing"));
    } else if !server.user.is_empty() && !has_password {
        found.push(format!(
            "{kind}: no password; set `password-file`, `password-credential` or [account.oauth2]"
        ));
    }
    found
}
