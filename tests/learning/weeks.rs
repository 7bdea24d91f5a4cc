//! Weeks of an inbox whose words are not those of the corpus: what is learnt, what is refused, and
//! the way back. `docs/learning.md` has a table that
//! `cargo test --test it weeks -- --ignored --nocapture` prints.

use std::collections::BTreeSet;
use std::fmt::Write;

use evenkeel::classify::{Classifier, Label, Layer, Reading, Scratch, hash};
use evenkeel::cli::learn::examples_of;
use evenkeel::decide::Policy;
use evenkeel::decide::vote::{LearningRules, Source, Vote, of_person};
use evenkeel::edge::ledger::examples::Correction;
use evenkeel::edge::models::{Models, SHIPPED};
use evenkeel::mail::{Language, Mail};
use evenkeel::time::Timestamp;
use evenkeel::train::corpus;
use evenkeel::train::gate::{Comparison, Gate, Match, Trial, compare, decide};
use evenkeel::train::inbox::{Handled, silent};
use evenkeel::train::local::{self, Anchor};

const OWN: &str = "fitting";
const WEEKS: usize = 10;
/// One agent labels everything `praise` in this week.
const POISONED: usize = 7;
const WEEK: i64 = 7 * 86_400;

struct One {
    /// What it is about; several mails are about the same.
    matter: String,
    id: String,
    labels: BTreeSet<String>,
    reading: Reading,
}

fn names() -> Vec<String> {
    Label::ALL.iter().map(ToString::to_string).chain([OWN.to_owned()]).collect()
}

/// How people begin and end a mail; the same matter comes from several of them.
const DRESS: [[(&str, &str); 4]; 2] = [
    [
        ("Hi there,", "Cheers, Tom"),
        ("Good morning, Ruth Alder from Whitby here.", "Waiting to hear from you."),
        ("Hello team,", "Regards, the Okafors"),
        ("Evening,", "Sent from the train, sorry for typos. Jo"),
    ],
    [
        ("Hola:", "Un saludo, Nuria"),
        ("Buenos días, soy Tomás Rey, de Lugo.", "Quedo a la espera."),
        ("Buenas,", "Gracias de antemano, familia Soto"),
        ("Qué tal,", "Enviado desde el tren. Pau"),
    ],
];

/// The mails of the file, each as it stands, and each as `times` people might send it.
fn mails(classifier: &Classifier, times: usize) -> Vec<One> {
    let mut scratch = Scratch::default();
    let lines = include_str!("mails.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut all = vec![];
    for (n, line) in lines.enumerate() {
        let [lang, labels, subject, body] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let es = lang == "es";
        for time in 0..=times {
            let (before, after) = DRESS[usize::from(es)][(n + time) % 4];
            let text = if time == 0 { body.to_owned() } else { format!("{before}\n\n{body}\n\n{after}") };
            let mut mail = Mail::from_message("", "", subject, &text);
            mail.language = if es { Language::Es } else { Language::En };
            let reading = classifier.reading(&mut scratch, &mail).unwrap();
            let labels = labels.split(',').map(str::to_owned).collect();
            all.push(One { matter: format!("{lang}{n}"), id: format!("{lang}{n}-{time}"), labels, reading });
        }
    }
    all
}

fn chance(key: &str, salt: u64) -> f64 {
    f64::from(u32::try_from(hash::mix(hash::of(key) ^ salt) % 10_000).unwrap()) / 10_000.0
}

fn found(classifier: &Classifier, layer: Option<&Layer>, reading: &Reading) -> BTreeSet<String> {
    let decided = decide(classifier, layer, reading).1;
    names().into_iter().zip(decided).filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// What an agent says: the truth, but for one in twenty.
fn says(one: &One, week: usize) -> Vec<String> {
    if week == POISONED {
        return vec!["praise".into()];
    }
    if chance(&one.id, 0x5) < 0.05 {
        let all = names();
        return vec![all[usize::try_from(hash::mix(hash::of(&one.id)) % 13).unwrap()].clone()];
    }
    one.labels.iter().cloned().collect()
}

struct Inbox {
    classifier: Classifier,
    anchors: Vec<Anchor>,
    rules: LearningRules,
    corrections: Vec<Correction>,
    handled: Vec<Handled>,
    layer: Option<Layer>,
    since: Timestamp,
}

impl Inbox {
    fn handle(&mut self, one: &One, week: usize, now: Timestamp) -> bool {
        let given = found(&self.classifier, self.layer.as_ref(), &one.reading);
        let drawn = chance(&one.id, 0xa) < 0.1;
        self.handled.push(Handled {
            id: format!("a {}", one.id),
            reading: one.reading.clone(),
            given: given.iter().cloned().collect(),
            drawn,
        });
        if given == one.labels && !drawn && week != POISONED {
            return false;
        }
        let statement = of_person(&says(one, week), &[OWN.to_owned()]);
        let agents: &[&str] = if week == POISONED { &["mallory", "mallory2"] } else { &["anna", "boris"] };
        let vote = |author: &&str| Vote {
            at: now,
            source: Source::Person { author: (*author).to_owned() },
            says: statement.clone(),
            held: false,
        };
        self.corrections.push(Correction {
            account: "a".into(),
            identity: one.id.clone(),
            message_id: None,
            place: "Queue/Support".into(),
            given: given.iter().cloned().collect(),
            votes: agents.iter().map(vote).collect(),
            reading: Some(one.reading.clone()),
        });
        given != one.labels
    }

    fn train(&self) -> (Layer, Gate) {
        let mut locals = examples_of(&self.corrections, &self.rules);
        locals.extend(silent(&self.handled, &locals, &names(), Timestamp::default()));
        let own = [OWN.to_owned()];
        let candidate = local::fit(&self.classifier, &own, &locals, &self.anchors).unwrap();
        let gate = Match {
            classifier: &self.classifier,
            before: self.layer.as_ref(),
            candidate: &candidate,
            locals: &locals,
            anchors: &self.anchors,
            recent: &[],
            policy: &Policy::default(),
            since: self.since,
        }
        .gate();
        (candidate.layer, gate)
    }

    fn score(&self, layer: Option<&Layer>, test: &[&One]) -> Comparison {
        let trial = |one: &&One| {
            let names = names();
            let flags =
                |set: &BTreeSet<String>| names.iter().map(|name| set.contains(name)).collect::<Vec<_>>();
            Trial {
                language: one.reading.language,
                truth: names.iter().map(|name| Some(one.labels.contains(name))).collect(),
                before: flags(&found(&self.classifier, None, &one.reading)),
                after: flags(&found(&self.classifier, layer, &one.reading)),
            }
        };
        compare(&names(), &test.iter().map(trial).collect::<Vec<_>>())
    }
}

fn own_f1(score: &Comparison) -> f64 {
    score.labels.last().unwrap().after
}

#[test]
#[ignore = "it holds figures that are not measured since weights and gate were changed: docs/learning.md"]
fn over_the_weeks_more_is_right_less_is_corrected_and_poison_is_not_let_in() {
    let classifier = Classifier::shipped().unwrap();
    let corpus = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/corpus");
    let shipped: Vec<String> = Label::ALL.iter().map(ToString::to_string).collect();
    let anchors = local::anchors(&classifier, &corpus::read(&[corpus], &shipped).unwrap());
    let mut all = mails(&classifier, 3);
    all.sort_by_key(|one| hash::mix(hash::of(&one.id)));
    // no matter that measures is ever seen by the inbox
    let measures = |one: &&One| chance(&one.matter, 0x7e57) < 0.3;
    let test: Vec<&One> = all.iter().filter(measures).filter(|one| one.id.ends_with("-0")).collect();
    let stream: Vec<&One> =
        all.iter().filter(|one| !measures(one)).filter(|one| !one.id.ends_with("-0")).collect();
    let rules =
        LearningRules { labels: vec![evenkeel::decide::Name::new(OWN).unwrap()], ..Default::default() };
    let mut inbox = Inbox {
        classifier,
        anchors,
        rules,
        corrections: vec![],
        handled: vec![],
        layer: None,
        since: Timestamp::default(),
    };
    let dir = tempfile::tempdir().unwrap();
    let models = Models::of(dir.path());
    let base = inbox.classifier.model.sha256().to_owned();
    let mut table = String::from(
        "| week | mails | wrong | macro-F1 | right answers | F1 of `fitting` | candidate |\n|---|---|---|---|---|---|---|\n",
    );
    let mut rows = vec![];
    let first = inbox.score(None, &test);
    let size = stream.len().div_ceil(WEEKS);
    for (week, mails) in (1..).zip(stream.chunks(size)) {
        let now = Timestamp(i64::try_from(week).unwrap() * WEEK);
        let wrong = mails.iter().filter(|one| inbox.handle(one, week, now)).count();
        let (layer, gate) = inbox.train();
        let name = models.add(&layer, &gate).unwrap();
        let candidate = inbox.score(Some(&layer), &test).overall.after;
        if gate.passed {
            models.promote(&name, &base, "gate", now).unwrap();
            inbox.layer = models.load(&name, &base).unwrap();
            inbox.since = Timestamp(now.0 + 1);
        }
        if week == POISONED {
            assert!(!gate.passed, "poison was let in: {gate:#?}");
            assert!(
                gate.why.iter().any(|why| why.contains("agree") || why.contains("falls")),
                "{:?}",
                gate.why
            );
            // somebody looks, and takes that agent's words back
            inbox.corrections.retain(|one| one.votes[0].at != now);
            let gone: BTreeSet<String> = mails.iter().map(|one| format!("a {}", one.id)).collect();
            inbox.handled.retain(|one| !gone.contains(&one.id));
        }
        let score = inbox.score(inbox.layer.as_ref(), &test);
        let told = if gate.passed { "in force".to_owned() } else { gate.why.join("; ") };
        let _ = writeln!(
            table,
            "| {week} | {} | {wrong} | {:.3} | {} of {} | {:.2} | {candidate:.3}: {told} |",
            mails.len(),
            score.overall.after,
            score.right.1,
            score.right.2,
            own_f1(&score)
        );
        rows.push((wrong, mails.len(), score));
    }
    let told = |score: &Comparison| format!("macro-F1 {:.3}, {} right", score.overall.after, score.right.1);
    println!("shipped model: {} on {} test mails\n{table}", told(&first), test.len());
    let last = &rows.last().unwrap().2;
    for label in last.labels.iter().filter(|label| label.mails > 0) {
        println!("{:<12} {:>3} mails  F1 {:.2} to {:.2}", label.name, label.mails, label.before, label.after);
    }
    assert!(last.right.1 > first.right.1, "{} to {}", told(&first), told(last));
    assert!(last.overall.after > first.overall.after + 0.05, "{} to {}", told(&first), told(last));
    assert!(own_f1(last) > 0.6, "{:?}", last.labels);
    let share = |rows: &[(usize, usize, Comparison)]| {
        let (wrong, all) = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        f64::from(u32::try_from(wrong).unwrap()) / f64::from(u32::try_from(all).unwrap())
    };
    let (early, late) = (share(&rows[..3]), share(&rows[rows.len() - 3..]));
    assert!(late < early, "{early} of the mails were wrong at first, {late} at last");

    // going back restores the bytes
    let now = models.in_force();
    assert_ne!(now, SHIPPED);
    let file = |name: &str| std::fs::read(dir.path().join("models").join(format!("{name}.layer"))).unwrap();
    let bytes = file(&now);
    let before = models.roll_back(&base, "anna", Timestamp(WEEK * 20)).unwrap();
    assert_ne!(before, now);
    models.promote(&now, &base, "anna", Timestamp(WEEK * 21)).unwrap();
    assert_eq!(file(&models.in_force()), bytes);
}
