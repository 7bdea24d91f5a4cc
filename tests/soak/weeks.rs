//! Ten weeks of an inbox whose words are not those of the corpus, on a real server: mail comes over SMTP,
//! agents drag over IMAP, change keywords and say `label`, `train --local` is run once a week, and the gate decides.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use evenkeel::classify::{Classifier, Label};
use evenkeel::edge::models::Models;

use crate::e2e::client::ImapClient;
use crate::e2e::learning::{QUEUES, filed, labelled, mail, taken_up};
use crate::e2e::sample;
use crate::e2e::servers::{Daemon, Servers};
use crate::learning::company::{
    One, SECTIONS, Written, agents, belief, chance, config, folder, is_grave, mails, names, written,
};
use crate::learning::weeks::{POISONED, WEEKS, measures, plot, score};

/// A mail of a week, as agents find it.
struct Placed<'m> {
    id: String,
    written: &'m Written,
    folder: &'static str,
    given: BTreeSet<String>,
}

struct Office {
    servers: Servers,
    config: std::path::PathBuf,
    support: ImapClient,
    policy: evenkeel::decide::Policy,
}

impl Office {
    fn open(servers: Servers) -> Self {
        let config_file = servers.config("act");
        let text = std::fs::read_to_string(&config_file).unwrap();
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/data/corpus");
        let learning = format!(
            "[learning]\nlook-minutes = 0\nlabels = [\"fitting\"]\nmass = 1000\ntrain = false\npromote = true\naudit-share = 0.1\ncorpus = \"{corpus}\"\n"
        );
        std::fs::write(&config_file, format!("{text}\n{learning}{SECTIONS}")).unwrap();
        let mut support = ImapClient::login(&servers, "support");
        support.create("Queue/Fitting");
        Self { servers, config: config_file, support, policy: config().policy }
    }

    fn ask(&self, person: &str, args: &[&str]) -> String {
        String::from_utf8(self.run(person, args).stdout).unwrap()
    }

    /// What has become of a week's candidate.
    fn train(&self) -> String {
        String::from_utf8(self.run("anna", &["train", "--local"]).stderr).unwrap()
    }

    fn run(&self, person: &str, args: &[&str]) -> std::process::Output {
        let output = Servers::evenkeel_of(person, &self.config, args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Has the daemon look at the folders: it does when it has handled a mail.
    fn nudge(&mut self) {
        let before = filed(&mut self.support);
        self.servers.deliver("support@example.test", &sample("automated.en.eml"));
        self.support.until("the next is filed", |imap| filed(imap) == before + 1);
        // what it has seen is read beside the mail that comes in
        let (mut known, mut since) = (labelled(&self.config), Instant::now());
        while since.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(300));
            let now = labelled(&self.config);
            if now != known {
                (known, since) = (now, Instant::now());
            }
        }
    }

    /// Mails come, and are filed.
    fn receive<'m>(&mut self, week: usize, mails: &[&'m Written]) -> Vec<Placed<'m>> {
        let before = filed(&mut self.support);
        for (n, one) in mails.iter().enumerate() {
            self.servers.deliver("support@example.test", &mail(one, n, &format!("week{week}")));
        }
        self.support.until("the week's mails are filed", |imap| filed(imap) == before + mails.len());
        let place = |(n, one): (usize, &&'m Written)| {
            let id = format!("<week{week}-{n}@example.org>");
            let (folder, found) = QUEUES
                .iter()
                .find_map(|folder| Some((*folder, self.support.find(folder, &id).pop()?)))
                .unwrap();
            let given = found.flags.iter().filter_map(|flag| flag.strip_prefix("ek-"));
            let given =
                given.filter(|name| names().iter().any(|known| known == name)).map(str::to_owned).collect();
            Placed { id, written: one, folder, given }
        };
        mails.iter().enumerate().map(place).collect()
    }

    /// What agents do about a mail that is labelled wrongly, or was drawn for review.
    fn correct(&mut self, one: &Placed<'_>, is_drawn: bool) {
        let (first, second) = agents(&one.written.id);
        let labels = belief(&one.written.id, &one.written.labels, first);
        let to = folder(&self.policy, &labels);
        let how = chance(&one.written.id, 0x40);
        if is_drawn || how < 0.35 {
            self.say(first, &one.id, &labels);
        } else if one.folder != to && how < 0.8 {
            self.support.take(one.folder, &one.id, to);
        } else {
            let words = |labels: &BTreeSet<String>| {
                labels.iter().map(|name| format!("ek-{name}")).collect::<Vec<_>>().join(" ")
            };
            let (wrong, missing) = (&one.given - &labels, &labels - &one.given);
            if !wrong.is_empty() {
                self.support.flag(one.folder, &one.id, &format!("-FLAGS ({})", words(&wrong)));
            }
            if !missing.is_empty() {
                self.support.flag(one.folder, &one.id, &format!("+FLAGS ({})", words(&missing)));
            }
        }
        if is_grave(&labels) || is_grave(&one.given) {
            let labels = belief(&one.written.id, &one.written.labels, second);
            self.say(second, &one.id, &labels);
        }
    }

    fn say(&self, person: &str, id: &str, labels: &BTreeSet<String>) {
        let mut args = vec!["label", id];
        args.extend(labels.iter().map(String::as_str));
        if labels.is_empty() {
            args.push("--none");
        }
        self.ask(person, &args);
    }
}

fn drawn(told: &str) -> BTreeSet<String> {
    let lines = told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|one| format!("<{}>", one["message_id"].as_str().unwrap())).collect()
}

fn in_force(servers: &Path, classifier: &Classifier) -> Option<evenkeel::classify::Layer> {
    let models = Models::of(&servers.join("state"));
    models.load(&models.in_force(), classifier.model.sha256()).unwrap()
}

pub fn run() {
    let servers = Servers::start("weeks", &[]).expect("Dovecot and Postfix");
    let mut office = Office::open(servers);
    let daemon = Daemon::start(&office.servers, &office.config, None);
    // what is moved before the daemon's first look at the folders says nothing
    office.nudge();
    let classifier = Classifier::shipped().unwrap();
    let all: Vec<One> = mails(&classifier);
    let test: Vec<&One> = all.iter().filter(|one| measures(&one.id, one.is_later)).collect();
    let all = written();
    let mut stream: Vec<&Written> = all.iter().filter(|one| !measures(&one.id, one.is_later)).collect();
    stream.sort_by(|a, b| chance(&a.id, 0x50).total_cmp(&chance(&b.id, 0x50)));
    let first = score(&classifier, None, &test);
    let mut table = String::from(
        "| week | mails | wrong | macro-F1 | right answers | F1 of `fitting` | candidate |\n|---|---|---|---|---|---|---|\n",
    );
    let (mut rows, mut promoted) = (vec![], 0);
    for (week, mails) in (1..).zip(stream.chunks(stream.len().div_ceil(WEEKS))) {
        let placed = office.receive(week, mails);
        let drawn = drawn(&office.ask("anna", &["label", "--drawn", "--format", "jsonl"]));
        let mut wrong = 0;
        for one in &placed {
            let is_wrong = one.given != one.written.labels;
            wrong += usize::from(is_wrong);
            if is_wrong || drawn.contains(&one.id) {
                office.correct(one, drawn.contains(&one.id));
            }
        }
        if week == POISONED {
            for one in &placed {
                office.say("mallory", &one.id, &BTreeSet::from([Label::Praise.to_string()]));
            }
        }
        office.nudge();
        let told = office.train();
        let passed = told.contains("is in force");
        if passed {
            promoted += 1;
            taken_up(&daemon, promoted);
        }
        if week == POISONED {
            assert!(!passed, "poison was let in: {told}");
            office.ask("anna", &["label", "--take-back", "mallory"]);
        }
        let layer = in_force(&office.servers.dir, &classifier);
        let score = score(&classifier, layer.as_ref(), &test);
        let own = score.labels.last().unwrap().after;
        let (_, gate) = told.lines().find_map(|line| line.split_once(": ")).unwrap_or_default();
        let gate = if passed { format!("in force; {gate}") } else { gate.to_owned() };
        let _ = writeln!(
            table,
            "| {week} | {} | {wrong} | {:.3} | {} of {} | {own:.2} | {gate} |",
            mails.len(),
            score.overall.after,
            score.right.1,
            score.right.2,
        );
        println!("{}", table.lines().last().unwrap());
        rows.push((wrong, mails.len(), score));
    }
    println!(
        "{} test mails, macro-F1 {:.3} before\n{table}\n{}",
        test.len(),
        first.overall.after,
        plot(&rows)
    );
    let last = &rows.last().unwrap().2;
    assert!(
        last.overall.after > first.overall.after,
        "{:.3} to {:.3}",
        first.overall.after,
        last.overall.after
    );
    let share = |rows: &[(usize, usize, _)]| {
        let (wrong, all) = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        f64::from(u32::try_from(wrong).unwrap()) / f64::from(u32::try_from(all).unwrap())
    };
    let (early, late) = (share(&rows[..3]), share(&rows[rows.len() - 3..]));
    assert!(late < early, "{early:.2} of the mails were wrong at first, {late:.2} at last");

    // one command back, and the same bytes again
    let models = Models::of(&office.servers.dir.join("state"));
    let name = models.in_force();
    let file = office.servers.dir.join("state/models").join(format!("{name}.layer"));
    let bytes = std::fs::read(&file).unwrap();
    office.ask("anna", &["models", "rollback"]);
    assert_ne!(models.in_force(), name);
    office.ask("anna", &["models", "promote", &name]);
    assert_eq!((models.in_force(), std::fs::read(&file).unwrap()), (name, bytes));
    daemon.stop();
    office.servers.assert_log_is_clean();
}
