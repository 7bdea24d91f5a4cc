//! Tickets from the first mail to the closing message, legal from the threat to its answer, over
//! days of simulated time.

use super::{DAY, complaint, mail, reply, threat};
use crate::world::{Life, World};
use evenkeel::config::Mode;
use evenkeel::decide::TicketState;
use evenkeel::edge::control::{Request, Response};
use evenkeel::edge::ledger::cases::StoredTicket;
use evenkeel::edge::ledger::tickets::TicketFilter;

const HOUR: i64 = 3_600;

/// Around the clock, so that an hour is an hour.
const COMPANY: &str = "[company]\nname = \"Northwind\"\n[company.hours]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
     from = \"00:00\"\nto = \"00:00\"\n[service]\nremind = [\"lead\"]\n";

async fn ticket(life: &Life, id: &str) -> StoredTicket {
    let number = life.records(&format!("{id}@example.org")).await[0].ticket.clone();
    let filter = TicketFilter { number, ..TicketFilter::default() };
    match life.ask(Request::Tickets { filter }).await {
        Response::Tickets(mut all) => all.remove(0),
        other => panic!("{other:?}"),
    }
}

/// An agent sends an answer: a copy in Sent, the draft gone.
fn answer(world: &World, id: &str, to: &str) {
    world.clear("Drafts");
    world.put("Sent", &reply(id, to, "Support <support@example.test>", "Here is what we have found."));
}

fn newest(world: &World, folder: &str) -> std::collections::BTreeSet<String> {
    world.folder(folder).last().unwrap().flags.clone()
}

fn support(world: &World) -> &'static str {
    if world.folder("Queue/Support").is_empty() { "Queue/Review" } else { "Queue/Support" }
}

#[tokio::test]
async fn overdue_answered_promised_reminded_settled_told_and_closed() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, COMPANY).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let queue = support(&world);
    let first = ticket(&life, "c1").await.ticket;
    assert_eq!(first.state, TicketState::New);
    assert_eq!(first.due.unwrap().0 - first.opened.0, 8 * HOUR);

    life.pass(7 * HOUR);
    life.session().await.unwrap();
    assert!(!newest(&world, queue).contains("ek-overdue"));
    life.pass(2 * HOUR);
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert!(newest(&world, queue).contains("ek-overdue"));
    let sent = world.sent();
    assert_eq!(sent.len(), 1, "told once");
    assert!(sent[0].1.contains("An answer is overdue") && sent[0].0 == ["lead@example.test"]);

    // late enough that what the old draft promised is past
    life.pass(5 * HOUR);
    answer(&world, "a1", "c1");
    life.session().await.unwrap();
    assert!(!newest(&world, queue).contains("ek-overdue"));
    let answered = ticket(&life, "c1").await.ticket;
    assert_eq!(answered.state, TicketState::WaitingForThem);

    // the customer answers the agent's mail, whose id we have learned from Sent
    world.deliver(&reply(
        "c2",
        "a1",
        "Ivo Marsh <ivo@example.org>",
        "It still restarts, the internet is gone again.",
    ));
    life.session().await.unwrap();
    let again = ticket(&life, "c2").await.ticket;
    assert_eq!((again.id.clone(), again.state), (first.id.clone(), TicketState::WaitingForUs));

    answer(&world, "a2", "c2");
    life.session().await.unwrap();
    let folder = support(&world);
    world.flag(folder, "c2@example.org", "ek-resolved");
    life.session().await.unwrap();
    assert_eq!(ticket(&life, "c1").await.ticket.state, TicketState::Resolved);
    life.pass(5 * HOUR);
    life.session().await.unwrap();
    assert_eq!(ticket(&life, "c1").await.ticket.state, TicketState::ClosingDue);
    assert!(newest(&world, folder).contains("ek-closing-due"));
    let drafts = world.folder("Drafts");
    assert_eq!(drafts.len(), 1);
    let draft = String::from_utf8_lossy(&drafts[0].bytes).into_owned();
    assert!(draft.contains("In-Reply-To: <c2@example.org>") && draft.contains("closing-due"), "{draft}");

    answer(&world, "a3", "c2");
    life.session().await.unwrap();
    assert_eq!(ticket(&life, "c1").await.ticket.state, TicketState::Closed);
    assert!(!newest(&world, folder).contains("ek-closing-due"));
    life.pass(30 * DAY);
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 0, "closed is closed");
}

#[tokio::test]
async fn a_promise_is_remembered_when_its_draft_was_sent_and_nagged_before_it_breaks() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, COMPANY).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let promised =
        ticket(&life, "c1").await.ticket.would_promise.expect("the draft says by when we are back");
    answer(&world, "a1", "c1");
    life.session().await.unwrap();
    assert_eq!(ticket(&life, "c1").await.ticket.promised, Some(promised));
    life.pass(promised.0 - life.now().0 - HOUR / 2);
    life.session().await.unwrap();
    assert!(newest(&world, support(&world)).contains("ek-overdue"));
    assert!(world.sent()[0].1.contains("A promise is about to break"));
}

#[tokio::test]
async fn a_number_in_the_subject_joins_only_whoever_takes_part() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let number = ticket(&life, "c1").await.ticket.id.to_string();
    let with = |id: &str, from: &str| {
        mail(id, from, &format!("about [{number}]"), "The router is still broken, it restarts all the time.")
    };
    world.deliver(&with("c2", "Ivo Marsh <ivo@example.org>"));
    world.deliver(&with("c3", "Eve <eve@example.org>"));
    // the same person, the same matter, a new mail
    world.deliver(&complaint("c4").replace("Subject: ", "Subject: Re: "));
    life.session().await.unwrap();
    assert_eq!(ticket(&life, "c2").await.ticket.id.to_string(), number);
    assert_ne!(ticket(&life, "c3").await.ticket.id.to_string(), number, "a number that was overheard");
    assert_eq!(ticket(&life, "c4").await.ticket.id.to_string(), number);
}

#[tokio::test]
async fn a_threat_is_evidence_legal_is_reminded_escalated_and_its_answer_ends_that() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, COMPANY).await;
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let forward = world.sent()[0].1.clone();
    for part in ["SHA-256:", "proven (dkim pass", "threatens:", "lawyer", "order 88213", "Ticket:    EK-"] {
        assert!(forward.contains(part), "{part} in {forward}");
    }
    assert!(ticket(&life, "t1").await.ticket.hold);
    for (hours, mails, to) in [(25, 2, "legal@example.test"), (48, 3, "legal@example.test")] {
        life.pass(hours * HOUR);
        life.session().await.unwrap();
        let legal: Vec<_> = world.sent().into_iter().filter(|(_, text)| !text.contains("overdue")).collect();
        assert_eq!(legal.len(), mails);
        assert_eq!(legal.last().unwrap().0, [to]);
    }
    let number = ticket(&life, "t1").await.ticket.id.to_string();
    assert!(world.sent().last().unwrap().1.contains(&format!("[{number}] Reminder 2")));
    life.pass(48 * HOUR);
    life.session().await.unwrap();
    assert_eq!(world.sent().last().unwrap().0, ["lead@example.test"], "escalated");

    // an out-of-office answer acknowledges nothing
    let own = forward.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().to_owned();
    let from_legal = |id: &str| {
        mail(id, "Legal <legal@example.test>", "Re: threat", "We have it, thank you.").replacen(
            "Date:",
            &format!("In-Reply-To: {own}\nReferences: {own}\nDate:"),
            1,
        )
    };
    world.deliver(&from_legal("l1").replacen("Date:", "Auto-Submitted: auto-replied\nDate:", 1));
    life.session().await.unwrap();
    assert!(ticket(&life, "t1").await.ticket.legal.unwrap().acknowledged.is_none());
    world.deliver(&from_legal("l2"));
    life.session().await.unwrap();
    assert!(ticket(&life, "t1").await.ticket.legal.unwrap().acknowledged.is_some());
    assert!(life.records("l2@example.org").await[0].effects.len() == 1, "filed, nothing drafted");
    let before = world.sent().len();
    life.pass(90 * DAY);
    life.session().await.unwrap();
    assert_eq!(world.sent().len(), before);
}

#[tokio::test]
async fn legal_is_told_the_thread_so_far_and_reads_no_insult_but_in_the_original() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, COMPANY).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let text = "You idiots have until Friday, then my lawyer files the lawsuit against your company.";
    world.deliver(&mail("t1", "Ivo Marsh <ivo@example.org>", "Re: router", text).replacen(
        "Date:",
        "In-Reply-To: <c1@example.org>\nReferences: <c1@example.org>\nDate:",
        1,
    ));
    life.session().await.unwrap();
    let forward = world.sent()[0].1.clone();
    let (before, original) = forward.split_once("message/rfc822").unwrap();
    assert!(before.contains("Thread so far:") && before.contains("<c1@example.org>"), "{before}");
    assert!(before.contains("You i***** have") && !before.contains("idiots"), "{before}");
    assert!(original.contains("You idiots have"), "{original}");
}

#[tokio::test]
async fn hostile_mails_are_shared_among_agents_and_counted() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let agents = "[routes]\nabuse = { queue = \"support\", assign = [\"anna\", \"boris\"] }\n";
    let life = Life::begin_with(&world, dir.path(), Mode::Act, agents).await;
    for n in 0..4 {
        world.deliver(&super::insult(&format!("i{n}")).replace("<rick@", &format!("<r{n}@")));
        life.session().await.unwrap();
    }
    let Response::Status(status) = life.ask(Request::Status).await else { panic!() };
    let of = |who: &str| status.hostile.get(who).copied().unwrap_or(0);
    assert_eq!((of("agent anna"), of("agent boris")), (2, 2), "{status:?}");
    life.pass(8 * DAY);
    let Response::Status(status) = life.ask(Request::Status).await else { panic!() };
    assert!(status.hostile.is_empty(), "a new week");
}

#[tokio::test]
async fn what_is_old_is_deleted_but_not_under_a_legal_hold() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life =
        Life::begin_with(&world, dir.path(), Mode::Act, "[service]\nkeep-days = 100\nkeep-audit-days = 50\n")
            .await;
    world.deliver(&complaint("c1"));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    life.pass(99 * DAY);
    life.session().await.unwrap();
    assert_eq!(life.records("c1@example.org").await.len(), 1);
    life.pass(10 * DAY);
    world.deliver(&complaint("c2"));
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert!(life.records("c1@example.org").await.is_empty());
    assert_eq!(life.records("t1@example.org").await.len(), 1, "on hold");
    let Response::Verified(_) = life.ask(Request::VerifyAudit).await else { panic!("the chain is whole") };
    assert_eq!(evenkeel::edge::ledger::audit::files(dir.path()).unwrap().len(), 1, "old months are gone");
}

#[tokio::test]
async fn harassment_again_is_raised_and_still_never_answered() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    let courting = |id: &str| {
        mail(
            id,
            "Otto <otto@example.org>",
            "Hello beautiful",
            "Anna, you have such beautiful eyes, I saw your photo on the team page. Are you single? \
             Have dinner with me tonight, I want you. Your smile drives me crazy, sexy girl.",
        )
    };
    world.deliver(&courting("h1"));
    life.pass(DAY);
    world.deliver(&courting("h2").replace("Hello beautiful", "You did not answer, gorgeous"));
    life.session().await.unwrap();
    let lead = world.folder("Queue/Lead");
    assert_eq!(lead.len(), 2);
    assert!(!lead[0].flags.contains("ek-high") && lead[1].flags.contains("ek-high"));
    assert!(world.folder("Drafts").is_empty());
}
