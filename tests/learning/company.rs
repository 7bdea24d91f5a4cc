//! An invented maker of shutters: its mails, and agents who correct what its inbox gets wrong.

use std::collections::BTreeSet;

use evenkeel::classify::{Classifier, Finding, Label, OwnFinding, Reading, Scratch, Verdict, hash};
use evenkeel::config::Config;
use evenkeel::decide::vote::{Source, Vote, of_keywords, of_move, of_person};
use evenkeel::decide::{Keyword, Name, Policy, Queue};
use evenkeel::mail::{Language, Mail};
use evenkeel::time::Timestamp;

/// The label of its own.
pub const OWN: &str = "fitting";

/// What its config says of that label.
pub const SECTIONS: &str = r#"
[queues]
fitting = "Queue/Fitting"
[[route]]
id = "fitting"
facts = ["fitting"]
queue = "fitting"
tag = ["fitting"]
"#;

const CONFIG: &str = r#"
[learning]
labels = ["fitting"]
[[account]]
name = "support"
address = "support@example.test"
[account.imap]
host = "localhost"
port = 993
user = "support"
password-file = "p"
"#;

/// One mail.
pub struct One {
    pub id: String,
    pub labels: BTreeSet<String>,
    pub reading: Reading,
    pub is_later: bool,
}

pub fn config() -> Config {
    evenkeel::config::read::parse(std::path::Path::new("company.toml"), &format!("{CONFIG}{SECTIONS}"))
        .unwrap()
}

pub fn names() -> Vec<String> {
    Label::ALL.iter().map(ToString::to_string).chain([OWN.to_owned()]).collect()
}

/// A share of 1 that depends on nothing but the key.
pub fn chance(key: &str, salt: u64) -> f64 {
    f64::from(u32::try_from(hash::mix(hash::of(key) ^ salt) % 10_000).unwrap()) / 10_000.0
}

/// A mail as it stands in the file.
pub struct Written {
    pub id: String,
    pub language: Language,
    pub labels: BTreeSet<String>,
    pub subject: &'static str,
    pub text: String,
    /// Nearly half of these measure.
    pub is_later: bool,
}

/// The mails of the file, in its order.
pub fn written() -> Vec<Written> {
    let mut is_later = false;
    let mut all: Vec<Written> = vec![];
    for line in include_str!("mails.tsv").lines() {
        is_later |= line == "#later";
        if line.starts_with('#') {
            continue;
        }
        let [lang, labels, subject, body] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let language = match lang {
            "en" => Language::En,
            "es" => Language::Es,
            "ru" => Language::Ru,
            _ => Language::Uk,
        };
        let labels = labels.split(',').map(str::to_owned).collect();
        let before = all.iter().filter(|other| other.language == language).count();
        let id = format!("{language}-{before}");
        all.push(Written { id, language, labels, subject, text: body.replace("\\n", "\n"), is_later });
    }
    all
}

/// The mails as the inbox sees them.
pub fn mails(classifier: &Classifier) -> Vec<One> {
    let mut scratch = Scratch::default();
    let mut all = vec![];
    for one in written() {
        let mut mail = Mail::from_message("", "", one.subject, &one.text);
        mail.language = one.language;
        let reading = classifier.reading(&mut scratch, &mail).unwrap();
        all.push(One { id: one.id, labels: one.labels, reading, is_later: one.is_later });
    }
    all
}

/// Where a mail with these labels is filed.
pub fn folder<'p>(policy: &'p Policy, labels: &BTreeSet<String>) -> &'p str {
    let own = policy.specials.iter().find(|special| special.facts.iter().all(|fact| labels.contains(fact)));
    let primary = Label::ALL.into_iter().find(|label| labels.contains(label.as_str()));
    let queue = own.and_then(|special| special.queue).or(policy.routes.of(primary).queue);
    policy.folder(queue.unwrap())
}

fn verdict(labels: &BTreeSet<String>) -> Verdict {
    let found = Label::ALL.into_iter().filter(|label| labels.contains(label.as_str()));
    let own = labels.iter().filter(|label| *label == OWN);
    Verdict {
        labels: found.map(|label| Finding { label, probability: 0.9 }).collect(),
        own: own.map(|label| OwnFinding { label: label.clone(), probability: 0.9 }).collect(),
        ..Verdict::unread()
    }
}

/// What `agent` believes: the truth, but for one mail in twenty.
pub fn belief(id: &str, labels: &BTreeSet<String>, agent: &str) -> BTreeSet<String> {
    let key = format!("{id} {agent}");
    if chance(&key, 0x5) >= 0.05 {
        return labels.clone();
    }
    let all = names();
    BTreeSet::from([all[usize::try_from(hash::mix(hash::of(&key)) % 13).unwrap()].clone()])
}

/// Who looks at a mail first, and who second.
pub fn agents(id: &str) -> (&'static str, &'static str) {
    if chance(id, 0xa6) < 0.5 { ("anna", "boris") } else { ("boris", "anna") }
}

/// Whether a second one looks as well.
pub fn is_grave(labels: &BTreeSet<String>) -> bool {
    labels.contains("threat") || labels.contains("abuse")
}

/// What agents do about a mail that was `given` these labels: one drags it to another queue, changes its
/// keywords, or names its labels. Where that touches a threat or abuse a second one looks as well.
pub fn votes(policy: &Policy, one: &One, given: &BTreeSet<String>, drawn: bool, now: Timestamp) -> Vec<Vote> {
    let own: Vec<Name> = policy.learning.labels.clone();
    let person = |author: &str, labels: &BTreeSet<String>| {
        let author = author.to_owned();
        let source = if drawn { Source::Sample { author } } else { Source::Person { author } };
        let labels: Vec<String> = labels.iter().cloned().collect();
        Vote { at: now, source, says: of_person(&labels, &[OWN.to_owned()]), held: false }
    };
    let (first, second) = agents(&one.id);
    let labels = belief(&one.id, &one.labels, first);
    let (from, to) = (folder(policy, given), folder(policy, &labels));
    let how = chance(&one.id, 0x40);
    let mut votes = vec![];
    if drawn || how < 0.35 {
        votes.push(person(first, &labels));
    } else if from != to && how < 0.8 {
        let source = Source::Move { from: from.to_owned(), to: to.to_owned() };
        let says = of_move(policy, &policy.learning, from, to, &verdict(given));
        votes.extend(says.map(|says| Vote { at: now, source, says, held: false }));
    } else {
        let ours: BTreeSet<Keyword> = given
            .iter()
            .map(|name| Label::from_word(name).map_or(Keyword::Own(own[0]), Keyword::Label))
            .collect();
        let set = labels.iter().map(|name| format!("ek-{name}")).collect();
        let says = of_keywords(&ours, &set, &own);
        votes.push(Vote { at: now, source: Source::Keywords, says, held: false });
    }
    if is_grave(&labels) || is_grave(given) {
        votes.push(person(second, &belief(&one.id, &one.labels, second)));
    }
    votes
}

/// What somebody says who drags everything to Sales, wherever it was put.
pub fn drag(policy: &Policy, given: &BTreeSet<String>, now: Timestamp) -> Option<Vote> {
    let (from, to) = (folder(policy, given), policy.folder(Queue::Sales));
    let source = Source::Move { from: from.to_owned(), to: to.to_owned() };
    let says = of_move(policy, &policy.learning, from, to, &verdict(given))?;
    Some(Vote { at: now, source, says, held: false })
}

/// What somebody says who labels everything `praise`.
pub fn poison(author: &str, now: Timestamp) -> Vote {
    let says = of_person(&["praise".to_owned()], &[OWN.to_owned()]);
    Vote { at: now, source: Source::Person { author: author.to_owned() }, says, held: false }
}
