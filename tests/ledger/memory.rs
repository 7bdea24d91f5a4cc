//! What is remembered when the state is older than the mailbox, or gone: nothing is written twice.

use std::fs;

use evenkeel::config::Mode;
use evenkeel::decide::customer::State;
use evenkeel::edge::control::{Request, Response};
use evenkeel::edge::ledger::tickets::TicketFilter;
use evenkeel::edge::ledger::{EffectState, Store};

use super::{NOW, copy, fill, mail};
use crate::world::{Life, World};

fn text(id: &str, from: &str, subject: &str, body: &str) -> String {
    format!(
        "From: {from}\nTo: support@example.test\nSubject: {subject}\nMessage-ID: <{id}@example.org>\n\
         Date: Mon, 21 Sep 2026 09:00:00 +0000\n\n{body}\n"
    )
}

fn threat(id: &str) -> String {
    text(
        id,
        "Dana Whitlock <dana@example.org>",
        "Last warning",
        "You charged my card twice for order 88213. If the money is not back by Friday, my lawyer files the lawsuit \
         on Monday and I report you to the consumer protection authority.",
    )
}

fn complaint(id: &str) -> String {
    text(
        id,
        "Ivo Marsh <ivo@example.org>",
        "Router dead again",
        "The router you delivered last week does not work. It restarts every ten minutes and the internet is gone \
         each time. Order 70155. This is the second broken one.",
    )
}

/// Handles two mails, and then they are in INBOX again as if they had never been moved: with their
/// keywords, or without.
async fn handled(world: &World, dir: &std::path::Path, keep_keywords: bool) -> (usize, usize) {
    let life = Life::begin(world, dir).await;
    world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let done = (world.sent().len(), world.folder("Drafts").len());
    assert!(done.0 == 1 && done.1 >= 1, "{done:?}");
    world.bring_all_back("INBOX", keep_keywords);
    assert_eq!(world.folder("INBOX").len(), 2);
    done
}

#[tokio::test]
async fn when_ledger_and_journal_are_lost_the_audit_tells_what_was_done_and_nothing_is_done_twice() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let done = handled(&world, dir.path(), false).await;
    wait_for(dir.path());
    fs::remove_dir_all(dir.path().join("ledger")).unwrap();
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    let life = Life::begin(&world, dir.path()).await;
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert_eq!((world.sent().len(), world.folder("Drafts").len()), done);
    assert_eq!(world.folder("INBOX").len(), 2, "whoever put them back knows what for");
    let tickets = match life.ask(Request::Tickets { filter: TicketFilter::default() }).await {
        Response::Tickets(all) => all,
        other => panic!("{other:?}"),
    };
    assert!(tickets.iter().all(|stored| stored.ticket.id.sequence() >= 2), "numbers are not given twice");
}

#[tokio::test]
async fn when_the_whole_state_is_lost_the_keywords_tell_that_a_mail_was_handled() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let done = handled(&world, dir.path(), true).await;
    let fresh = tempfile::tempdir().unwrap();
    // an agent has sent one of the drafts meanwhile: it is not written again
    world.clear("Drafts");
    let life = Life::begin(&world, fresh.path()).await;
    life.session().await.unwrap();
    assert_eq!((world.sent().len(), world.folder("Drafts").len()), (done.0, 0));
    assert!(world.folder("INBOX").is_empty(), "they are filed again");
    // and what is new is handled as ever
    world.deliver(&complaint("c2").replace("ivo@", "ivan@"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1);
}

#[tokio::test]
async fn after_a_flipped_bit_the_daemon_starts_again_and_does_nothing_twice() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let done = handled(&world, dir.path(), false).await;
    wait_for(dir.path());
    super::cut(&dir.path().join("ledger/db"), 4_000);
    let life = Life::begin(&world, dir.path()).await;
    life.session().await.unwrap();
    assert_eq!((world.sent().len(), world.folder("Drafts").len()), done);
    assert_eq!(super::aside(dir.path()).len(), 1);
}

#[test]
fn marks_given_after_an_older_state_was_written_come_back_from_the_audit() {
    let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = fill(dir.path(), 3);
    mail(&mut store, 4, EffectState::Done);
    drop(store);
    copy(dir.path(), old.path());
    let mut store = Store::open(dir.path()).unwrap();
    let set = evenkeel::edge::ledger::customers::Change::Set {
        state: State::LegalOnly,
        days: None,
        note: "court".into(),
    };
    store.change_customer("carl@example.org", &set, "anna", NOW).unwrap();
    store.commit().unwrap();
    drop(store);
    // a backup tool has put ledger and journal of yesterday back, not the audit
    for half in ["ledger", "journal"] {
        fs::remove_dir_all(dir.path().join(half)).unwrap();
        copy(&old.path().join(half), &dir.path().join(half));
    }
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.show_customer("carl@example.org", NOW).unwrap().conduct, State::LegalOnly);
    assert_eq!(store.marked_customers(NOW).unwrap().len(), 2);
    store.verify_audit().unwrap();
}

#[tokio::test]
async fn a_customer_erased_while_a_mail_is_in_hand_stays_erased_and_its_effects_are_cancelled() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_as(&world, dir.path(), Mode::Act).await;
    // the forward waits: the mail is under way
    world.smtp_refuses(Some(false));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let held = life.records("t1@example.org").await.remove(0);
    let erase = Request::Erase { who: "dana@example.org".into(), despite_hold: true, author: "anna".into() };
    assert!(matches!(life.ask(erase).await, Response::Erased(_)));
    // whoever still holds the record from before cannot bring it back
    let mut late = held.clone();
    late.effects[0].state = EffectState::Done;
    life.update(late).await;
    world.smtp_refuses(None);
    life.session().await.unwrap();
    assert!(world.sent().is_empty(), "nothing is sent for an erased customer");
    let Response::Export(export) = life.ask(Request::Export { who: "dana@example.org".into() }).await else {
        panic!("no export")
    };
    assert!(export.mails.is_empty() && export.tickets.is_empty());
}

#[test]
fn a_clock_that_jumps_a_year_deletes_nothing_also_over_a_restart() {
    use evenkeel::edge::ledger::retention::REST;
    let dir = tempfile::tempdir().unwrap();
    let mut store = fill(dir.path(), 5);
    let year = evenkeel::time::Timestamp(NOW.0 + 365 * 86_400);
    assert!(store.may_delete(NOW, REST).unwrap());
    assert!(!store.may_delete(year, REST).unwrap());
    assert!(!store.may_delete(year, REST).unwrap(), "it rests");
    store.commit().unwrap();
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert!(!store.may_delete(year, REST).unwrap(), "a restart is no proof");
    drop(store);
    // and with the clock set right it goes on
    let mut store = Store::open(dir.path()).unwrap();
    assert!(store.may_delete(NOW.minus(std::time::Duration::from_mins(1)), REST).unwrap());
}

/// Until nobody holds the state any more.
fn wait_for(dir: &std::path::Path) {
    while matches!(Store::open(dir), Err(evenkeel::edge::ledger::LedgerError::Locked { .. })) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
