//! Weeks of an inbox whose words are not those of the corpus: what is learnt, what is refused, and
//! the way back. `docs/learning.md` has the table that
//! `cargo test --test it weeks -- --nocapture` prints.

use std::collections::BTreeSet;
use std::fmt::Write;

use evenkeel::classify::{Classifier, Label, Layer, Reading};
use evenkeel::cli::learn::examples_of;
use evenkeel::decide::Policy;
use evenkeel::edge::ledger::examples::Correction;
use evenkeel::edge::models::{Models, SHIPPED};
use evenkeel::time::Timestamp;
use evenkeel::train::corpus;
use evenkeel::train::gate::{Change, Comparison, Gate, Match, Trial, compare, decide};
use evenkeel::train::inbox::{Handled, silent};
use evenkeel::train::local::{self, Anchor};

use super::company::{OWN, One, chance, config, drag, mails, names, poison, votes};

pub const WEEKS: usize = 10;
/// One agent spoils everything in this week.
pub const POISONED: usize = 7;
const WEEK: i64 = 7 * 86_400;
/// Share of the later mails that is never shown to the inbox.
const MEASURES: f64 = 0.45;

fn found(classifier: &Classifier, layer: Option<&Layer>, reading: &Reading) -> BTreeSet<String> {
    let decided = decide(classifier, layer, reading).1;
    names().into_iter().zip(decided).filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// What Mallory does to every mail of the poisoned week, after the others.
#[derive(Clone, Copy, PartialEq)]
enum Poison {
    /// Labels it `praise`.
    Says,
    /// Drags it to Sales; a mailbox does not tell who.
    Drags,
}

struct Inbox {
    poison: Poison,
    classifier: Classifier,
    anchors: Vec<Anchor>,
    policy: Policy,
    corrections: Vec<Correction>,
    handled: Vec<Handled>,
    layer: Option<Layer>,
    since: Timestamp,
}

impl Inbox {
    /// A mail comes; whether any of its labels is wrong.
    fn handle(&mut self, one: &One, week: usize, now: Timestamp) -> bool {
        let given = found(&self.classifier, self.layer.as_ref(), &one.reading);
        let drawn = chance(&one.id, 0xa) < 0.1;
        self.handled.push(Handled {
            id: format!("a {}", one.id),
            reading: one.reading.clone(),
            at: now,
            given: given.iter().cloned().collect(),
            drawn,
        });
        let is_wrong = given != one.labels;
        let mut all = vec![];
        if is_wrong || drawn {
            all = votes(&self.policy, one, &given, drawn, now);
        }
        if week == POISONED {
            match self.poison {
                Poison::Says => all.push(poison("mallory", now)),
                Poison::Drags => all.extend(drag(&self.policy, &given, now)),
            }
        }
        if !all.is_empty() {
            self.corrections.push(Correction {
                account: "a".into(),
                identity: one.id.clone(),
                message_id: None,
                place: "Queue/Support".into(),
                given: given.iter().cloned().collect(),
                votes: all,
                reading: Some(one.reading.clone()),
            });
        }
        is_wrong
    }

    fn train(&self) -> (Layer, Gate) {
        let mut locals = examples_of(&self.corrections, &self.policy.learning);
        locals.extend(silent(&self.handled, &locals, &names()));
        let own = [OWN.to_owned()];
        let candidate = local::fit(&self.classifier, &own, &locals, &self.anchors).unwrap();
        let recent: Vec<Reading> = self.handled.iter().map(|one| one.reading.clone()).collect();
        let (candidate, gate) = Match {
            classifier: &self.classifier,
            before: self.layer.as_ref(),
            candidate,
            locals: &locals,
            anchors: &self.anchors,
            recent: &recent,
            policy: &self.policy,
            since: self.since,
        }
        .settle()
        .unwrap();
        (candidate.layer, gate)
    }

    fn score(&self, layer: Option<&Layer>, test: &[&One]) -> Comparison {
        score(&self.classifier, layer, test)
    }
}

/// The shipped model without and with a layer, on mails that the inbox never sees.
pub fn score(classifier: &Classifier, layer: Option<&Layer>, test: &[&One]) -> Comparison {
    let trial = |one: &&One| {
        let names = names();
        let flags = |set: &BTreeSet<String>| names.iter().map(|name| set.contains(name)).collect::<Vec<_>>();
        Trial {
            language: one.reading.language,
            truth: names.iter().map(|name| Some(one.labels.contains(name))).collect(),
            before: flags(&found(classifier, None, &one.reading)),
            after: flags(&found(classifier, layer, &one.reading)),
        }
    };
    compare(&names(), &test.iter().map(trial).collect::<Vec<_>>())
}

/// Per week the macro-F1 on the test mails, a mark per 0.02, and the share of wrong mails, one per 4 %.
pub fn plot(rows: &[(usize, usize, Comparison)]) -> String {
    let mut text = String::new();
    for (week, (wrong, mails, score)) in (1..).zip(rows) {
        let f1 = (1..=50).filter(|n| f64::from(*n) * 0.02 <= score.overall.after).count();
        let share = wrong * 25 / mails;
        let _ = writeln!(text, "{week:>2}  {:<50}  {}", "#".repeat(f1), "x".repeat(share));
    }
    text
}

fn right_of(score: &Comparison) -> usize {
    score.right.1
}

fn own_f1(score: &Comparison) -> f64 {
    score.labels.last().unwrap().after
}

/// The inbox before its first mail, its mails, and those that measure.
fn begin(poison: Poison) -> (Inbox, Vec<One>) {
    let classifier = Classifier::shipped().unwrap();
    let corpus = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/corpus");
    let shipped: Vec<String> = Label::ALL.iter().map(ToString::to_string).collect();
    let anchors = local::anchors(&classifier, &corpus::read(&[corpus], &shipped).unwrap());
    let mut all = mails(&classifier);
    all.sort_by(|a, b| chance(&a.id, 0x50).total_cmp(&chance(&b.id, 0x50)));
    let inbox = Inbox {
        poison,
        classifier,
        anchors,
        policy: config().policy,
        corrections: vec![],
        handled: vec![],
        layer: None,
        since: Timestamp::default(),
    };
    (inbox, all)
}

/// Nothing was chosen on what measures, and the inbox never sees it.
pub fn measures(id: &str, is_later: bool) -> bool {
    is_later && chance(id, 0x7e57) < MEASURES
}

#[test]
fn what_one_agent_drags_all_to_one_queue_is_not_let_in() {
    let (mut inbox, all) = begin(Poison::Drags);
    let stream: Vec<&One> = all.iter().filter(|one| !measures(&one.id, one.is_later)).collect();
    let size = stream.len().div_ceil(WEEKS);
    for (week, mails) in (1..).zip(stream.chunks(size)).take(POISONED) {
        let now = Timestamp(i64::try_from(week).unwrap() * WEEK);
        for one in mails {
            inbox.handle(one, week, now);
        }
        // candidates of the weeks before are in `over_the_weeks…`; one takes over here
        if week != POISONED && week != 4 {
            continue;
        }
        let (layer, gate) = inbox.train();
        println!("week {week}: {} {:?} {:?}", gate.passed, gate.why, gate.voices);
        if week == POISONED {
            assert!(!gate.passed, "poison was let in: {gate:#?}");
        } else if gate.passed {
            (inbox.layer, inbox.since) = (Some(layer), Timestamp(now.0 + 1));
        }
    }
}

#[test]
fn over_the_weeks_more_is_right_less_is_corrected_and_poison_is_not_let_in() {
    let (mut inbox, all) = begin(Poison::Says);
    let test: Vec<&One> = all.iter().filter(|one| measures(&one.id, one.is_later)).collect();
    let stream: Vec<&One> = all.iter().filter(|one| !measures(&one.id, one.is_later)).collect();
    let dir = tempfile::tempdir().unwrap();
    let models = Models::of(dir.path());
    let base = inbox.classifier.model.sha256().to_owned();
    let mut table = String::from(
        "| week | mails | wrong | macro-F1 | right answers | F1 of `fitting` | candidate |\n|---|---|---|---|---|---|---|\n",
    );
    let (mut rows, mut shipped): (Vec<(usize, usize, Comparison)>, _) = (vec![], Change::default());
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
            shipped = gate.shipped.overall.clone();
        }
        if week == POISONED {
            assert!(!gate.passed, "poison was let in: {gate:#?}");
            assert!(gate.why.iter().any(|why| why.contains("mallory")), "{:?}", gate.why);
            // somebody looks, and takes that agent's words back
            for one in &mut inbox.corrections {
                one.votes.retain(|vote| vote.source.author() != Some("mallory"));
            }
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
        println!("week {week}: {:?} right before, then, of; left: {:?}", gate.local.right, gate.left_because);
        if let Some((_, _, before)) = rows.last() {
            // whatever takes over, the first that knows the label among them
            let lost = right_of(before).saturating_sub(right_of(&score));
            assert!(lost <= score.right.2 / 100, "week {week}: {lost} answers fewer are right");
        }
        rows.push((wrong, mails.len(), score));
    }
    let told = |score: &Comparison| format!("macro-F1 {:.3}, {} right", score.overall.after, score.right.1);
    println!("shipped model: {} on {} test mails\n{table}", told(&first), test.len());
    println!("{}", plot(&rows));
    println!("on the shipped test part: {shipped:?}");
    let last = &rows.last().unwrap().2;
    for label in last.labels.iter().filter(|label| label.mails > 0) {
        println!("{:<12} {:>3} mails  F1 {:.2} to {:.2}", label.name, label.mails, label.before, label.after);
    }
    assert!(last.right.1 > first.right.1, "{} to {}", told(&first), told(last));
    assert!(last.overall.after > first.overall.after + 0.05, "{} to {}", told(&first), told(last));
    assert!(own_f1(last) > 0.6, "{:?}", last.labels);
    assert!(shipped.high >= 0.0, "worse on the shipped mails: {shipped:?}");
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
