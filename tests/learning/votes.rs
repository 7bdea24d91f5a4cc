//! Corrections by moves, keywords and the command, in the in-memory world.

use evenkeel::config::Mode;
use evenkeel::daemon::nightly::{is_time, trouble};
use evenkeel::decide::vote::{LearningRules, Source};
use evenkeel::edge::control::{Examples, Request, Response};
use evenkeel::edge::ledger::examples::{Correction, Labelled, Statement};
use evenkeel::edge::ledger::undo::Undo;
use evenkeel::mail::MessageId;
use evenkeel::time::Timestamp;

use crate::world::{Life, World};

/// Looks at the keywords in every round.
const EAGER: &str = "[learning]\nlook-minutes = 0\n";

fn complaint(id: &str) -> String {
    format!(
        "From: Ivo Marsh <{id}@example.org>\nTo: support@example.test\nSubject: Kettle arrived broken\nMessage-ID: <{id}@example.org>\n\
         Date: Mon, 21 Sep 2026 09:00:00 +0000\n\nHello,\n\nthe kettle I ordered arrived broken, the lid does not close and it leaks \
         all over the kitchen. This is the second one that fails. Order {id}.\n\nIvo\n"
    )
}

async fn begin(dir: &std::path::Path, world: &World, extra: &str) -> Life {
    Life::begin_with(world, dir, Mode::Act, extra).await
}

pub async fn examples(life: &Life) -> Examples {
    match life.ask(Request::Examples).await {
        Response::Examples(all) => *all,
        other => panic!("{other:?}"),
    }
}

async fn corrections(life: &Life) -> Vec<Correction> {
    let all = examples(life).await.corrections;
    all.into_iter().filter(|one| !one.votes.is_empty()).collect()
}

fn said(correction: &Correction) -> String {
    let says = correction.says(&LearningRules::default());
    let words = says.iter().map(|(label, is)| format!("{}{label}", if *is { '+' } else { '-' }));
    words.collect::<Vec<_>>().join(" ")
}

async fn label(life: &Life, id: &str, statement: Statement, author: &str) -> Labelled {
    let id = MessageId::new(&format!("{id}@example.org")).unwrap();
    let rules = Box::new(LearningRules::default());
    match life.ask(Request::Label { id, statement, rules, author: author.into() }).await {
        Response::Labelled(mut all) => all.remove(0),
        other => panic!("{other:?}"),
    }
}

fn these(labels: &[&str]) -> Statement {
    Statement::Labels { labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

#[tokio::test]
async fn a_move_from_queue_to_queue_is_a_correction_and_our_own_move_is_none() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, EAGER).await;
    life.session().await.unwrap();
    world.deliver(&complaint("m1"));
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert!(corrections(&life).await.is_empty(), "our own filing");
    world.drag("Queue/Support", "Queue/Product", "m1@example.org");
    life.session().await.unwrap();
    let all = corrections(&life).await;
    assert_eq!(all.len(), 1);
    assert_eq!(said(&all[0]), "-complaint +idea");
    assert!(all[0].reading.as_ref().is_some_and(|reading| reading.ids.len() > 20), "kept as numbers");
    assert!(matches!(&all[0].votes[0].source, Source::Move { from, .. } if from == "Queue/Support"));
    // the last word counts: it is moved back
    world.drag("Queue/Product", "Queue/Support", "m1@example.org");
    life.session().await.unwrap();
    assert_eq!(corrections(&life).await[0].votes.len(), 1, "a queue of many labels says nothing of idea");
}

#[tokio::test]
async fn a_mail_appended_anew_and_expunged_was_moved_even_without_a_message_id() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, EAGER).await;
    life.session().await.unwrap();
    let mail = complaint("m2").replace("Message-ID: <m2@example.org>\n", "");
    world.deliver(&mail);
    life.session().await.unwrap();
    // as Outlook does it: the same bytes under a new uid, the old mail gone
    world.put("Queue/Sales", &mail);
    world.clear("Queue/Support");
    life.session().await.unwrap();
    let all = corrections(&life).await;
    assert_eq!(all.len(), 1, "{:?}", examples(&life).await.health);
    assert_eq!(said(&all[0]), "-complaint +pricing");
}

#[tokio::test]
async fn trash_archive_and_junk_say_nothing_and_an_undo_is_no_vote() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, EAGER).await;
    life.session().await.unwrap();
    for (id, to) in [("n1", "Trash"), ("n2", "Archive"), ("n3", "Junk")] {
        world.deliver(&complaint(id));
        life.session().await.unwrap();
        world.drag("Queue/Support", to, &format!("{id}@example.org"));
    }
    world.deliver(&complaint("n4"));
    life.session().await.unwrap();
    let undo = Undo::Mail { id: MessageId::new("n4@example.org").unwrap() };
    life.ask(Request::Undo { undo, author: "anna".into() }).await;
    for _ in 0..3 {
        life.session().await.unwrap();
    }
    assert_eq!(world.folder("INBOX").len(), 1);
    assert!(corrections(&life).await.is_empty(), "{:#?}", corrections(&life).await);
}

#[tokio::test]
async fn changed_keywords_are_a_correction_until_they_are_put_back() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, EAGER).await;
    life.session().await.unwrap();
    world.deliver(&complaint("k1"));
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert!(corrections(&life).await.is_empty(), "ours");
    world.unflag("Queue/Support", "k1@example.org", "ek-complaint");
    world.flag("Queue/Support", "k1@example.org", "ek-question");
    world.flag("Queue/Support", "k1@example.org", "$Important");
    life.session().await.unwrap();
    assert_eq!(said(&corrections(&life).await[0]), "-complaint +question");
    world.flag("Queue/Support", "k1@example.org", "ek-complaint");
    world.unflag("Queue/Support", "k1@example.org", "ek-question");
    life.session().await.unwrap();
    assert!(corrections(&life).await.is_empty());
}

#[tokio::test]
async fn a_mass_move_waits_until_somebody_confirms_it() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, "[learning]\nlook-minutes = 0\nmass = 3\n").await;
    life.session().await.unwrap();
    for n in 0..5 {
        world.deliver(&complaint(&format!("x{n}")));
    }
    life.session().await.unwrap();
    for n in 0..5 {
        world.drag("Queue/Support", "Queue/Sales", &format!("x{n}@example.org"));
    }
    life.session().await.unwrap();
    let all = corrections(&life).await;
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|one| said(one).is_empty() && one.votes[0].held), "{all:#?}");
    let Response::Settled(5) = life.ask(Request::SettleHeld { counts: true, author: "lead".into() }).await
    else {
        panic!()
    };
    assert!(corrections(&life).await.iter().all(|one| said(one) == "-complaint +pricing"));
}

#[tokio::test]
async fn a_person_says_the_labels_takes_them_back_and_a_threat_needs_two() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, EAGER).await;
    world.deliver(&complaint("p1"));
    life.session().await.unwrap();
    let one = label(&life, "p1", these(&["question"]), "anna").await;
    assert_eq!((one.says.get("question"), one.says.get("complaint")), (Some(&true), Some(&false)));
    let one = label(&life, "p1", these(&["threat"]), "anna").await;
    assert_eq!((one.says.get("threat"), one.waiting), (None, vec!["threat".to_owned()]));
    let one = label(&life, "p1", these(&["threat"]), "boris").await;
    assert_eq!(one.says.get("threat"), Some(&true));
    let one = label(&life, "p1", these(&[]), "anna").await;
    assert!(one.says.values().all(|present| !present), "the last word of a person: none");
    let one = label(&life, "p1", Statement::Undo, "anna").await;
    assert!(one.says.is_empty());
    assert!(corrections(&life).await.is_empty());
}

#[tokio::test]
async fn what_is_kept_holds_no_text_and_goes_with_the_customer() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, "[learning]\nrecent = 2\n").await;
    for id in ["e1", "e2", "e3"] {
        world.deliver(&complaint(id));
        life.session().await.unwrap();
    }
    assert_eq!(examples(&life).await.recent.len(), 2, "the oldest goes");
    label(&life, "e3", these(&["question"]), "anna").await;
    let text = serde_json::to_string(&examples(&life).await).unwrap();
    for word in ["kettle", "leaks", "Ivo", "Marsh"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    let export = life.ask(Request::Export { who: "e3@example.org".into() }).await;
    let Response::Export(export) = export else { panic!() };
    assert_eq!(export.corrections.len(), 1);
    let erase = Request::Erase { who: "e3@example.org".into(), despite_hold: false, author: "anna".into() };
    let Response::Erased(receipt) = life.ask(erase).await else { panic!() };
    assert_eq!(receipt.counts["examples to learn from"], 2);
    let left = examples(&life).await;
    assert_eq!((left.corrections.len(), left.recent.len()), (0, 1));
}

#[tokio::test]
async fn a_mail_that_is_no_more_among_the_newest_is_read_where_it_lies() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, "[learning]\nlook-minutes = 0\nrecent = 1\n").await;
    life.session().await.unwrap();
    for id in ["o1", "o2"] {
        world.deliver(&complaint(id));
        life.session().await.unwrap();
    }
    world.drag("Queue/Support", "Queue/Sales", "o1@example.org");
    life.session().await.unwrap();
    let all = corrections(&life).await;
    assert!(all[0].reading.is_some(), "{all:?}");
}

#[tokio::test]
async fn moves_that_teach_nothing_are_an_alarm_until_one_teaches_something() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    // agents use a folder that no route files into
    let extra = "[learning]\nlook-minutes = 0\nmass = 0\nmoves = [{ from = \"Queue/Elsewhere\", to = \"Queue/Sales\", present = [\"pricing\"] }]\n";
    let life = begin(dir.path(), &world, extra).await;
    life.session().await.unwrap();
    let rules = LearningRules { look_minutes: 0, ..LearningRules::default() };
    for n in 0..50 {
        assert_eq!(trouble(&rules, &examples(&life).await.health), None, "{n}");
        world.deliver(&complaint(&format!("s{n}")));
        life.session().await.unwrap();
        world.drag("Queue/Support", "Queue/Sales", &format!("s{n}@example.org"));
        life.session().await.unwrap();
    }
    let health = examples(&life).await.health;
    assert_eq!((health.moves, health.silent, health.votes), (50, 50, 0));
    let told = trouble(&rules, &health).unwrap();
    assert!(told.contains("50 moves in a row taught nothing"), "{told}");
    // a reload brings rules that fit
    life.reload(EAGER).unwrap();
    world.deliver(&complaint("s-last"));
    life.session().await.unwrap();
    world.drag("Queue/Support", "Queue/Sales", "s-last@example.org");
    life.session().await.unwrap();
    assert_eq!(trouble(&rules, &examples(&life).await.health), None);
}

#[tokio::test]
async fn a_storm_of_corrections_is_read_in_turns_and_trained_on_once() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = begin(dir.path(), &world, "[learning]\nlook-minutes = 0\nrecent = 1\nmass = 0\n").await;
    life.session().await.unwrap();
    for n in 0..30 {
        world.deliver(&complaint(&format!("t{n}")));
    }
    life.session().await.unwrap();
    for n in 0..30 {
        world.drag("Queue/Support", "Queue/Sales", &format!("t{n}@example.org"));
    }
    life.session().await.unwrap();
    let all = corrections(&life).await;
    let read = all.iter().filter(|one| one.reading.is_some()).count();
    assert!(all.len() == 30 && read < 30, "mails are waiting, too: {read} of {}", all.len());
    life.session().await.unwrap();
    assert!(corrections(&life).await.iter().all(|one| one.reading.is_some()));
    // at its hour, once, however many there are
    let rules = LearningRules::default();
    let three = Timestamp(20_000 * 86_400 + 3 * 3_600);
    let health = examples(&life).await.health;
    assert!(is_time(&rules, &health, 30, three));
    life.ask(Request::Trained { on: 30, outcome: "waits for a person".into() }).await;
    let health = examples(&life).await.health;
    assert!(!is_time(&rules, &health, 49, Timestamp(three.0 + 86_400 * 365 * 30)));
}
