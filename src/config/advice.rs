//! What works, but probably not as meant: `check` says it, nothing refuses it.

use super::merge::Sources;
use super::read::Places;
use super::{Config, ConfigProblem, Mode};
use crate::decide::facts::FORGEABLE;
use crate::decide::rule::Rule;
use crate::decide::{Desk, Queue};

struct Advice<'a> {
    config: &'a Config,
    sources: &'a Sources,
    places: &'a Places,
    found: Vec<ConfigProblem>,
}

/// Everything that is probably not as meant.
#[must_use]
pub(super) fn warnings(config: &Config, sources: &Sources, places: &Places) -> Vec<ConfigProblem> {
    let mut advice = Advice { config, sources, places, found: Vec::new() };
    advice.servers();
    advice.rules();
    advice.routes();
    advice.forgeable();
    advice.found
}

impl Advice<'_> {
    fn say(&mut self, place: &str, what: String) {
        let at = self.places.get(place);
        self.found.push(self.sources.problem(at, what));
    }

    fn servers(&mut self) {
        let config = self.config;
        for (label, route) in config.policy.routes.named() {
            for desk in route.forward.iter().chain(&route.notify) {
                if config.policy.recipients(*desk).is_empty() {
                    let what = format!(
                        "a mail with {label} is to be forwarded to {desk}, which has no address; set [desks] {desk} = [\"…\"]"
                    );
                    self.say("desks", what);
                }
            }
        }
        for desk in &config.policy.service.remind {
            if config.policy.recipients(*desk).is_empty() {
                let what =
                    format!("{desk} is to be reminded, but has no address; set [desks] {desk} = [\"…\"]");
                self.say("service.remind", what);
            }
        }
        let has_desk = config.policy.desks.values().any(|addresses| !addresses.is_empty());
        for account in config.accounts.iter().filter(|account| account.smtp.is_none() && has_desk) {
            let what =
                format!("account {:?} has no [account.smtp]: nothing can be forwarded from it", account.name);
            self.say("account", what);
        }
        if config.policy.conduct.require_authentication && config.policy.authserv_ids.is_empty() {
            let what = "no sender can be proven, so no customer becomes e-mail-only by itself; name your mail server in \
                        `authserv-ids` (the first word of the Authentication-Results it writes)";
            self.say("conduct", what.into());
        }
        if config.mode == Mode::Observe {
            let what = "mode is \"observe\": decisions are logged and nothing is changed; set mode = \"act\" when you like what you see";
            self.say("mode", what.into());
        }
    }

    /// Rules that can never fire, or never get their turn.
    fn rules(&mut self) {
        let rules = &self.config.policy.rules;
        let mut added: Vec<&str> = Vec::new();
        let mut stopped_by: Option<&Rule> = None;
        for (index, rule) in rules.iter().enumerate() {
            let place = format!("rule {}", rule.id);
            if let Some(earlier) = stopped_by {
                let what = format!(
                    "rule {:?} never gets its turn: {:?} stops every mail before it; change their order, or take out `stop`",
                    rule.id, earlier.id
                );
                self.say(&place, what);
            } else if let Some(never) = rule.when.never(&added) {
                self.say(&place, format!("rule {:?} can never fire: {never}", rule.id));
            } else if rule.unless.as_ref().is_some_and(|unless| unless.always() || *unless == rule.when) {
                self.say(
                    &place,
                    format!("rule {:?} can never fire: `unless` always holds with `when`", rule.id),
                );
            } else if let Some(earlier) = rules.iter().take(index).find(|earlier| {
                earlier.stop
                    && earlier.unless.is_none()
                    && earlier.capture.is_none()
                    && earlier.when == rule.when
            }) {
                let what = format!(
                    "rule {:?} is shadowed: {:?} has the same condition and stops; join them",
                    rule.id, earlier.id
                );
                self.say(&place, what);
            }
            let nothing = rule.add_labels.is_empty() && rule.add_facts.is_empty() && rule.capture.is_none();
            if nothing && !rule.stop {
                self.say(
                    &place,
                    format!("rule {:?} adds nothing; give it `add-labels`, `add-facts` or `stop`", rule.id),
                );
            }
            added.extend(rule.add_facts.iter().map(String::as_str));
            if rule.stop && rule.when.always() && rule.unless.is_none() && rule.capture.is_none() {
                stopped_by = stopped_by.or(Some(rule));
            }
        }
    }

    /// Routes that never fit, and queues that nothing is filed into.
    fn routes(&mut self) {
        let policy = &self.config.policy;
        let own: Vec<String> = policy.learning.labels.iter().map(ToString::to_string).collect();
        let added: Vec<&String> = policy.rules.iter().flat_map(|rule| &rule.add_facts).chain(&own).collect();
        for (index, route) in policy.specials.iter().enumerate() {
            let place = format!("route {}", route.id);
            if let Some(fact) = route.facts.iter().find(|fact| !added.contains(fact)) {
                self.say(&place, format!("route {:?} never fits: no rule adds the fact {fact:?}", route.id));
            }
            if let Some(earlier) = policy.specials.iter().take(index).find(|earlier| earlier.covers(route)) {
                let what = format!(
                    "route {:?} is shadowed: whatever fits it fits {:?} before it; change their order",
                    route.id, earlier.id
                );
                self.say(&place, what);
            }
        }
        let named: Vec<Queue> = policy
            .routes
            .named()
            .filter_map(|(_, route)| route.queue)
            .chain(policy.specials.iter().filter_map(|route| route.queue))
            .collect();
        for queue in policy.queues.0.keys().filter(|queue| matches!(queue, Queue::Own(_))) {
            if !named.contains(queue) {
                self.say(&format!("queues.{queue}"), format!("no route files into the queue {queue}"));
            }
        }
    }

    /// Rules by which a stranger could make us send mail.
    fn forgeable(&mut self) {
        let policy = &self.config.policy;
        let sends = |forward: &[Desk], notify: &[Desk]| !forward.is_empty() || !notify.is_empty();
        for rule in &policy.rules {
            let word = FORGEABLE.into_iter().find(|word| rule.when.names(word));
            let word = word.or_else(|| rule.when.names("header").then_some("header"));
            let proven = rule.when.names("authenticated")
                || rule.unless.as_ref().is_some_and(|unless| unless.names("authenticated"));
            let (Some(word), false) = (word, proven) else { continue };
            let by_fact = policy.specials.iter().find(|route| {
                sends(
                    route.forward.as_deref().unwrap_or_default(),
                    route.notify.as_deref().unwrap_or_default(),
                ) && route.facts.iter().any(|fact| rule.add_facts.contains(fact))
            });
            let by_label = policy.routes.named().find(|(name, route)| {
                sends(&route.forward, &route.notify)
                    && rule.add_labels.iter().any(|label| label.as_str() == *name)
            });
            let route = by_fact.map(|route| route.id.clone()).or_else(|| by_label.map(|(n, _)| n.to_owned()));
            if let Some(route) = route {
                let what = format!(
                    "rule {:?} sends mail out by the route {route:?} on `{word}`, which every stranger can forge; add `&& authenticated`",
                    rule.id
                );
                self.say(&format!("rule {}", rule.id), what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::read::parse;

    fn warned(text: &str) -> Vec<String> {
        let text = format!(
            "mode = \"act\"\nauthserv-ids = [\"mx\"]\n{text}\n[[account]]\nname = \"a\"\naddress = \"a@b.example\"\n\
             [account.imap]\nhost = \"h\"\nport = 1\nuser = \"u\"\npassword-file = \"p\"\n[account.smtp]\nhost = \"h\"\nport = 1\n"
        );
        let config = parse(Path::new("e.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        found.into_iter().filter(|warning| !warning.contains("which has no address")).collect()
    }

    const DESKS: &str =
        "[desks]\nlegal = [\"l@b.example\"]\nlead = [\"l@b.example\"]\nsales = [\"s@b.example\"]\n";

    #[test]
    fn a_rule_that_can_never_fire_or_never_gets_its_turn_is_told_with_its_line() {
        let found = warned(
            "[[rule]]\nid = \"a\"\nwhen = '\"gold\" in facts'\nadd-facts = [\"x\"]\n[[rule]]\nid = \"b\"\nwhen = 'true'\nstop = true\n\
             [[rule]]\nid = \"c\"\nwhen = 'review'\nadd-facts = [\"y\"]\n",
        );
        assert!(
            found[0].starts_with("e.toml:3: rule \"a\" can never fire: no earlier rule adds"),
            "{found:#?}"
        );
        assert!(found[1].starts_with("e.toml:11: rule \"c\" never gets its turn: \"b\""), "{found:#?}");
        assert_eq!(found.len(), 2, "{found:#?}");
    }

    #[test]
    fn a_shadowed_route_and_a_route_that_never_fits_are_told() {
        let found = warned(
            "[[route]]\nid = \"wide\"\nlabels = [\"idea\", \"praise\"]\nqueue = \"sales\"\n\
             [[route]]\nid = \"narrow\"\nlabels = [\"idea\"]\nqueue = \"sales\"\n\
             [[route]]\nid = \"lost\"\nfacts = [\"gold\"]\n",
        );
        assert!(found[0].contains("route \"narrow\" is shadowed"), "{found:#?}");
        assert!(found[1].contains("route \"lost\" never fits"), "{found:#?}");
    }

    #[test]
    fn mail_that_a_stranger_could_make_us_send_is_told_until_the_sender_is_proven() {
        let rule = |when: &str| {
            format!(
                "{DESKS}[[rule]]\nid = \"boss\"\nwhen = '{when}'\nadd-facts = [\"boss\"]\n\
                 [[route]]\nid = \"boss\"\nfacts = [\"boss\"]\nforward = [\"sales\"]\n"
            )
        };
        let found = warned(&rule("sender.domain == \"example.org\""));
        assert!(found[0].contains("every stranger can forge"), "{found:#?}");
        assert!(warned(&rule("sender.domain == \"example.org\" && authenticated")).is_empty());
        assert!(
            warned(&rule("\"complaint\" in labels")).is_empty(),
            "what a mail says is judged, not believed"
        );
    }
}
