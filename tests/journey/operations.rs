//! Undo, retry, audit, export and erase.

use super::{DAY, complaint, insult, threat};
use crate::world::{Life, World};
use evenkeel::config::Mode;
use evenkeel::decide::customer::State;
use evenkeel::edge::control::{Request, Response};
use evenkeel::edge::ledger::tickets::TicketFilter;
use evenkeel::edge::ledger::undo::{Undo, Undone};
use evenkeel::mail::MessageId;
use evenkeel::time::Timestamp;

async fn undo(life: &Life, undo: Undo) -> Vec<Undone> {
    match life.ask(Request::Undo { undo, author: "anna".into() }).await {
        Response::Undone(all) => all,
        other => panic!("{other:?}"),
    }
}

async fn conduct(life: &Life, who: &str) -> State {
    match life.ask(Request::Customer { who: who.into() }).await {
        Response::Customers(all) => all[0].conduct,
        other => panic!("{other:?}"),
    }
}

fn of(id: &str) -> Undo {
    Undo::Mail { id: MessageId::new(&format!("{id}@example.org")).unwrap() }
}

#[tokio::test]
async fn a_mail_is_undone_moved_back_untagged_its_draft_gone_and_it_is_not_done_again() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    assert!(world.folder("INBOX").is_empty() && world.folder("Drafts").len() == 1);
    let all = undo(&life, of("c1")).await;
    assert!(all[0].stays.is_empty() && all[0].taken_back.len() >= 3, "{all:?}");
    life.session().await.unwrap();
    life.session().await.unwrap();
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].flags.is_empty(), "{:?}", inbox[0].flags);
    assert!(world.folder("Drafts").is_empty());
}

#[tokio::test]
async fn an_undo_in_a_backlog_waits_for_the_sets_in_hand_and_not_for_all_that_is_listed() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let backlog = 2_000;
    for n in 0..backlog {
        world.deliver(&format!(
            "From: noreply@reports.example.org\r\nSubject: Report {n}\r\nMessage-ID: <r{n}@example.org>\r\n\
             Auto-Submitted: auto-generated\r\n\r\nNothing to do.\r\n"
        ));
    }
    let asking = async {
        let filed = || world.folder("Queue/Automated").len();
        while filed() == 0 {
            tokio::task::yield_now().await;
        }
        undo(&life, of("c1")).await;
        let asked = filed();
        while !world.folder("Drafts").is_empty() && filed() < backlog {
            tokio::task::yield_now().await;
        }
        (asked, filed())
    };
    let (session, (asked, undone)) = tokio::join!(life.session(), asking);
    session.unwrap();
    assert!(undone <= asked + 800, "asked after {asked}, undone after {undone} mails");
    assert_eq!(world.folder("Queue/Automated").len(), backlog);
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_said_and_what_was_not_sent_is_withdrawn() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let all = undo(&life, of("t1")).await;
    assert_eq!(all[0].stays, ["forward to legal: a sent mail cannot be called back"]);
    world.smtp_refuses(Some(false));
    world.deliver(&threat("t2").replace("Dana Whitlock <dana@", "Dora Whit <dora@"));
    life.session().await.unwrap();
    let all = undo(&life, of("t2")).await;
    assert!(all[0].taken_back.iter().any(|what| what.contains("forward to legal: withdrawn")), "{all:?}");
    world.smtp_refuses(None);
    life.session().await.unwrap();
    assert_eq!(world.sent().len(), 1, "the withdrawn one is not sent");
}

#[tokio::test]
async fn an_undone_insult_does_not_count_and_an_edited_draft_stays() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&insult("i1"));
    life.session().await.unwrap();
    world.edit_draft();
    life.pass(DAY);
    world.deliver(&insult("i2"));
    life.session().await.unwrap();
    assert_eq!(conduct(&life, "rick@example.org").await, State::EmailOnly);
    undo(&life, of("i2")).await;
    assert_eq!(conduct(&life, "rick@example.org").await, State::Warned);
    undo(&life, of("i1")).await;
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1, "an agent's work is never touched");
}

#[tokio::test]
async fn a_rule_and_a_window_of_time_are_undone_as_one() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let rule = "[[rule]]\nid = \"routers\"\nwhen = 'lower(subject).contains(\"router\")'\nadd-facts = [\"router\"]\n\
                [[route]]\nid = \"routers\"\nfacts = [\"router\"]\nqueue = \"product\"\n";
    let life = Life::begin_with(&world, dir.path(), Mode::Act, rule).await;
    for id in ["c1", "c2"] {
        world.deliver(&complaint(id).replace("Ivo Marsh <ivo@", &format!("Ivo <{id}@")));
    }
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Product").len(), 2);
    assert_eq!(undo(&life, Undo::Rule { rule: "routers".into(), since: Timestamp(0) }).await.len(), 2);
    life.session().await.unwrap();
    assert_eq!((world.folder("INBOX").len(), world.folder("Queue/Legal").len()), (2, 1));
    let window = Undo::Window { from: Timestamp(0), to: Timestamp(i64::MAX) };
    assert_eq!(undo(&life, window).await.len(), 3);
}

#[tokio::test]
async fn what_has_failed_is_tried_again_when_somebody_says_so() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.smtp_refuses(Some(true));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    world.smtp_refuses(None);
    let Response::Retried(mails) = life.ask(Request::Retry { id: None, author: "anna".into() }).await else {
        panic!()
    };
    assert_eq!(mails, 1);
    life.session().await.unwrap();
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn the_audit_tells_what_was_done_without_addresses_and_notices_a_change() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&insult("i1"));
    life.pass(DAY);
    world.deliver(&insult("i2"));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let Response::Verified(lines) = life.ask(Request::VerifyAudit).await else { panic!() };
    assert!(lines > 8, "{lines}");
    let file = evenkeel::edge::ledger::audit::files(dir.path()).unwrap().remove(0);
    let text = std::fs::read_to_string(&file).unwrap();
    for part in ["\"kind\":\"decided\"", "forward to legal", "\"to\":\"email-only\"", "\"state\":\"new\""] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains('@'), "no address, no Message-ID: {text}");
    std::fs::write(&file, text.replace("email-only", "clear")).unwrap();
    let Response::Error(why) = life.ask(Request::VerifyAudit).await else { panic!() };
    assert!(why.contains("was changed after it was written"), "{why}");
}

#[tokio::test]
async fn a_customer_is_exported_and_erased_with_a_receipt_but_not_under_a_legal_hold() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    world.smtp_refuses(Some(false));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let erase =
        |who: &str, despite_hold| Request::Erase { who: who.into(), despite_hold, author: "anna".into() };
    let Response::Export(export) = life.ask(Request::Export { who: "ivo@example.org".into() }).await else {
        panic!()
    };
    assert_eq!((export.mails.len(), export.tickets.len()), (1, 1));
    let Response::Erased(receipt) = life.ask(erase("ivo@example.org", false)).await else { panic!() };
    assert_eq!((receipt.counts["mails"], receipt.counts["customer"]), (1, 1));
    let Response::Export(export) = life.ask(Request::Export { who: "ivo@example.org".into() }).await else {
        panic!()
    };
    assert!(export.mails.is_empty() && export.customer.record.contacts.is_empty());
    assert!(life.records("c1@example.org").await.is_empty());
    let Response::OnHold(hold) = life.ask(erase("dana@example.org", false)).await else { panic!() };
    assert_eq!(hold.tickets.len(), 1);
    let Response::Erased(receipt) = life.ask(erase("dana@example.org", true)).await else { panic!() };
    assert_eq!(receipt.counts["mails under way"], 1);
    world.smtp_refuses(None);
    life.session().await.unwrap();
    assert!(world.sent().is_empty(), "what was under way is erased, too");
    let Response::Verified(_) = life.ask(Request::VerifyAudit).await else { panic!("the chain is whole") };
}

#[tokio::test]
async fn tickets_are_listed_the_most_urgent_first_and_resolved_by_command() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let all = |state| Request::Tickets { filter: TicketFilter { state, ..TicketFilter::default() } };
    let Response::Tickets(tickets) = life.ask(all(None)).await else { panic!() };
    assert_eq!(tickets.len(), 2);
    assert!(tickets[0].ticket.due <= tickets[1].ticket.due);
    let number = tickets[0].ticket.id.to_string();
    let resolve = Request::Resolve { number: number.clone(), author: "anna".into() };
    let Response::Tickets(resolved) = life.ask(resolve).await else { panic!() };
    assert_eq!(resolved[0].ticket.state, evenkeel::decide::TicketState::Resolved);
    let Response::Status(status) = life.ask(Request::Status).await else { panic!() };
    assert_eq!((status.open_tickets, status.running), (2, true));
}
