//! Customers over days: insults, marks, appeals, and what nobody can do in another's name.

use super::{DAY, complaint, insult, mail, reply};
use crate::world::{Life, World};
use evenkeel::config::Mode;
use evenkeel::decide::customer::State;
use evenkeel::edge::control::{Request, Response};
use evenkeel::edge::ledger::customers::{Change, Shown};

async fn customer(life: &Life, who: &str) -> Shown {
    match life.ask(Request::Customer { who: who.into() }).await {
        Response::Customers(mut all) => all.remove(0),
        other => panic!("{other:?}"),
    }
}

async fn change(life: &Life, who: &str, change: Change) -> Shown {
    match life.ask(Request::Change { who: who.into(), change, author: "anna".into() }).await {
        Response::Customers(mut all) => all.remove(0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn insult_warning_email_only_appeal_and_clear_again() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&insult("i1"));
    life.session().await.unwrap();
    assert_eq!(customer(&life, "rick@example.org").await.conduct, State::Warned);
    life.pass(DAY);
    world.deliver(&insult("i2"));
    life.session().await.unwrap();
    let shown = customer(&life, "rick@example.org").await;
    assert_eq!(shown.conduct, State::EmailOnly);
    let mark = shown.record.mark.unwrap();
    assert_eq!((mark.author.as_str(), mark.evidence.len()), ("evenkeel", 2));
    assert!(mark.until.is_some());
    life.pass(DAY);
    let lifted =
        change(&life, "rick@example.org", Change::Lift { appeal: "apologised on the telephone".into() })
            .await;
    assert_eq!(lifted.conduct, State::Clear);
    assert_eq!(lifted.record.past.last().unwrap().appeal, "apologised on the telephone");
    world.deliver(&complaint("c1").replace("Ivo Marsh <ivo@", "Rick Sand <rick@"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Email-only").len(), 1, "only the second insult");
    let Response::Customers(marked) = life.ask(Request::Customers).await else { panic!() };
    assert!(marked.is_empty());
}

#[tokio::test]
async fn insults_in_anothers_name_go_to_a_person_and_change_nothing() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    for id in ["i1", "i2", "i3"] {
        world.deliver(&insult(id).replace("mx.example.test;", "mx.elsewhere.test;"));
    }
    life.session().await.unwrap();
    assert_eq!(customer(&life, "rick@example.org").await.conduct, State::Clear);
    assert!(world.folder("Queue/Email-only").is_empty());
    let record = &life.records("i2@example.org").await[0];
    assert!(evenkeel::decide::reason_line(&record.reasons).contains("conduct-for-review"));
    let tagged = |record: &evenkeel::edge::ledger::MailRecord| {
        record.effects.iter().any(|entry| entry.effect.to_string().contains("ek-review"))
    };
    assert!(tagged(record) && tagged(&life.records("i3@example.org").await[0]));
}

#[tokio::test]
async fn two_addresses_of_one_person_share_one_mark() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    let set = Change::Set { state: State::EmailOnly, days: Some(30), note: "agreed with the lead".into() };
    assert_eq!(change(&life, "rick@work.test", set).await.conduct, State::EmailOnly);
    change(&life, "rick@example.org", Change::Link { other: "rick@work.test".into() }).await;
    for who in ["rick@work.test", "rick@example.org"] {
        let shown = customer(&life, who).await;
        assert_eq!((shown.conduct, shown.customer.as_str()), (State::EmailOnly, "rick@example.org"));
    }
    world.deliver(&complaint("c1").replace("Ivo Marsh <ivo@example.org>", "Rick <rick@work.test>"));
    life.session().await.unwrap();
    let queue = world.folder("Queue/Email-only");
    assert!(queue.len() == 1 && queue[0].flags.contains("ek-email-only"));
    assert_eq!(world.folder("Drafts").len(), 1, "the issue underneath is worked on");
    life.pass(31 * DAY);
    assert_eq!(customer(&life, "rick@work.test").await.conduct, State::Clear, "it expires");
}

#[tokio::test]
async fn windows_and_counts_are_as_ops_set_them() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let more = "[conduct]\nemail-only-after = 1\nemail-only-days = 2\nrequire-authentication = false\n";
    let life = Life::begin_with(&world, dir.path(), Mode::Act, more).await;
    world.deliver(&insult("i1").replace("dkim=pass", "dkim=none"));
    life.session().await.unwrap();
    assert_eq!(customer(&life, "rick@example.org").await.conduct, State::EmailOnly);
    life.pass(3 * DAY);
    assert_eq!(customer(&life, "rick@example.org").await.conduct, State::Clear);
}

#[tokio::test]
async fn the_thread_of_a_panic_stays_with_the_urgent_queue_while_it_is_open() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    let panic = mail(
        "p1",
        "Lena Ott <lena@example.org>",
        "PLEASE HELP",
        "Please help me, I am desperate! All our data is gone, the whole shop is down and we open in one hour. \
         I am panicking, I do not know what to do, please, it is urgent, please call me right now!!!",
    );
    world.deliver(&panic);
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Urgent").len(), 1);
    world.deliver(&reply("p2", "p1", "Lena Ott <lena@example.org>", "Where can I find my customer number?"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Urgent").len(), 2, "a calm follow-up goes with the thread");
}
