//! Conversations through the daemon, in a world made of lists, with the shipped model and rules.

mod conduct;
mod drafts;
mod operations;
mod policy;
mod service;

use crate::world::{Break, Life, World};
use evenkeel::config::Mode;

const DAY: i64 = 86_400;

fn mail(id: &str, from: &str, subject: &str, body: &str) -> String {
    format!(
        "Authentication-Results: mx.example.test; dkim=pass header.d=example.org\nFrom: {from}\nTo: support@example.test\nSubject: {subject}\nMessage-ID: <{id}@example.org>\nDate: Sat, 21 Nov 2026 10:00:00 +0000\n\n{body}\n"
    )
}

fn reply(id: &str, to: &str, from: &str, body: &str) -> String {
    mail(id, from, "Re: x", body).replacen(
        "Date:",
        &format!("In-Reply-To: <{to}@example.org>\nReferences: <{to}@example.org>\nDate:"),
        1,
    )
}

fn threat(id: &str) -> String {
    mail(
        id,
        "Dana Whitlock <dana@example.org>",
        "Last warning",
        "You charged my card twice for order 88213. If the money is not back by Friday, my lawyer files the lawsuit \
         on Monday and I report you to the consumer protection authority.",
    )
}

fn complaint(id: &str) -> String {
    mail(
        id,
        "Ivo Marsh <ivo@example.org>",
        "Router dead again",
        "The router you delivered last week does not work. It restarts every ten minutes and the internet is gone each time. \
         Order 70155. This is the second broken one.",
    )
}

fn insult(id: &str) -> String {
    mail(
        id,
        "Rick Sand <rick@example.org>",
        "you people",
        "You are a bunch of useless idiots, stupid lying bastards, every single one of you. Go to hell, morons.",
    )
}

#[tokio::test]
async fn a_threat_goes_to_legal_with_its_original_and_is_filed_and_answered_in_a_draft() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver(&threat("t1"));
    let life = Life::begin(&world, dir.path()).await;
    assert_eq!(life.session().await.unwrap(), 1);
    let filed = world.folder("Queue/Legal");
    assert_eq!(filed.len(), 1);
    assert!(filed[0].flags.contains("ek-threat") && !filed[0].flags.contains("\\Seen"));
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, ["legal@example.test"]);
    assert!(
        sent[0].1.contains(&String::from_utf8_lossy(&filed[0].bytes).into_owned()),
        "the original is untouched"
    );
    let drafts = world.folder("Drafts");
    assert_eq!(drafts.len(), 1);
    let draft = String::from_utf8_lossy(&drafts[0].bytes).into_owned();
    assert!(
        draft.contains("In-Reply-To: <t1@example.org>") && draft.contains("X-Evenkeel-Labels: threat"),
        "{draft}"
    );
    let record = &life.records("t1@example.org").await[0];
    assert!(record.effects.iter().all(|effect| effect.state.is_final()) && !record.reasons.is_empty());
}

#[tokio::test]
async fn a_second_session_does_nothing_again() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    let life = Life::begin(&world, dir.path()).await;
    life.session().await.unwrap();
    let (before, sent) = (world.snapshot(), world.sent().len());
    assert_eq!(life.session().await.unwrap(), 0);
    drop(life);
    let life = Life::begin(&world, dir.path()).await;
    assert_eq!(life.session().await.unwrap(), 0);
    assert_eq!((world.snapshot(), world.sent().len()), (before, sent));
}

fn deliver_three(world: &World) {
    world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    let more = "The router is still broken. The internet does not work at all today, it has failed again since the morning.";
    world.deliver(&reply("c2", "c1", "Ivo Marsh <ivo@example.org>", more));
}

#[tokio::test]
async fn wherever_the_line_breaks_the_end_is_the_same() {
    let undisturbed = {
        let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
        deliver_three(&world);
        Life::begin(&world, dir.path()).await.session().await.unwrap();
        (world.snapshot(), world.effects())
    };
    assert_eq!(
        undisturbed.1, 11,
        "4 for the threat, 3 for the complaint, 4 for the reply that replaces a draft"
    );
    for effect in 1..=undisturbed.1 {
        for how in [Break::Before, Break::After] {
            let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
            deliver_three(&world);
            world.break_at(effect, how);
            // the process dies with the line: a new one opens the state
            let first = Life::begin(&world, dir.path()).await;
            let _ = first.session().await;
            drop(first);
            for _ in 0..3 {
                let life = Life::begin(&world, dir.path()).await;
                life.session().await.unwrap();
            }
            assert_eq!(world.snapshot(), undisturbed.0, "effect {effect}, cut {how:?}");
            let sent = world.sent();
            let again = effect == 2 && how == Break::After;
            assert_eq!(
                sent.len(),
                if again { 2 } else { 1 },
                "effect {effect}, cut {how:?}: SMTP's one window"
            );
            let ids: std::collections::BTreeSet<_> = sent
                .iter()
                .map(|(_, text)| text.lines().find(|l| l.starts_with("Message-ID")).unwrap().to_owned())
                .collect();
            assert_eq!(ids.len(), 1, "a repeated forward is recognisable as the same");
        }
    }
}

#[tokio::test]
async fn the_second_insult_makes_a_customer_email_only_and_a_calm_mail_then_goes_to_that_queue() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&insult("i1"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Support").len() + world.folder("Queue/Review").len(), 1);
    assert_eq!(world.folder("Drafts").len(), 1, "the boundary, once");
    *life.clock.0.lock().unwrap() += DAY;
    world.deliver(&insult("i2"));
    life.session().await.unwrap();
    let queue = world.folder("Queue/Email-only");
    assert_eq!(queue.len(), 1);
    assert!(queue[0].flags.contains("ek-email-only"));
    *life.clock.0.lock().unwrap() += DAY;
    world.deliver(&complaint("c9").replace("Ivo Marsh <ivo@", "Rick Sand <rick@"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Email-only").len(), 2, "the issue is worked on, by e-mail only");
    *life.clock.0.lock().unwrap() += 100 * DAY;
    world.deliver(&complaint("c10").replace("Ivo Marsh <ivo@", "Rick Sand <rick@"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Email-only").len(), 2, "the mark has expired");
}

#[tokio::test]
async fn a_thread_keeps_one_draft_the_newest_unless_an_agent_has_edited_it() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let ticket = life.records("c1@example.org").await[0].ticket.clone().unwrap();
    world.deliver(&reply(
        "c2",
        "c1",
        "Ivo Marsh <ivo@example.org>",
        "The router is still broken. The internet does not work at all today, it has failed again since the morning.",
    ));
    life.session().await.unwrap();
    let drafts = world.folder("Drafts");
    assert_eq!(drafts.len(), 1);
    assert!(String::from_utf8_lossy(&drafts[0].bytes).contains("In-Reply-To: <c2@example.org>"));
    assert_eq!(
        life.records("c2@example.org").await[0].ticket.as_ref(),
        Some(&ticket),
        "one thread, one ticket"
    );
    world.edit_draft();
    world.deliver(&reply(
        "c3",
        "c2",
        "Ivo Marsh <ivo@example.org>",
        "Now the second router has stopped working as well, it does not even start.",
    ));
    life.session().await.unwrap();
    let drafts = world.folder("Drafts");
    assert_eq!(drafts.len(), 1);
    assert!(
        String::from_utf8_lossy(&drafts[0].bytes).ends_with("edited"),
        "an agent's work is never touched"
    );
}

#[tokio::test]
async fn a_calm_reply_in_a_thread_with_a_threat_goes_along_and_the_quoted_threat_does_not_fire_again() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    world.deliver(&reply("t2", "t1", "Dana Whitlock <dana@example.org>",
        "Could you please send me the invoice for this order again? I need it for my accounts.\n\nOn Sat, 21 Nov 2026, Dana Whitlock wrote:\n> my lawyer files the lawsuit on Monday and I report you to the consumer protection authority"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Legal").len(), 2);
    assert_eq!(world.sent().len(), 1, "legal is not told twice");
}

#[tokio::test]
async fn while_legal_cannot_be_reached_the_mail_stays_in_sight_and_others_go_on() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.smtp_refuses(Some(false));
    world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].flags.contains("ek-threat"));
    assert_eq!(world.folder("Queue/Support").len() + world.folder("Queue/Review").len(), 1);
    world.smtp_refuses(None);
    life.session().await.unwrap();
    assert_eq!(
        (world.folder("INBOX").len(), world.folder("Queue/Legal").len(), world.sent().len()),
        (0, 1, 1)
    );
    assert_eq!(world.folder("Drafts").len(), 2);
}

#[tokio::test]
async fn a_forward_that_is_refused_for_good_leaves_the_mail_to_a_person() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.smtp_refuses(Some(true));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    life.session().await.unwrap();
    let inbox = world.folder("INBOX");
    assert!(
        inbox[0].flags.contains("ek-review") && inbox[0].flags.contains("ek-threat"),
        "{:?}",
        inbox[0].flags
    );
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn new_uids_are_met_with_the_memory_of_what_was_done() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.smtp_refuses(Some(false));
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    world.renumber();
    world.smtp_refuses(None);
    life.session().await.unwrap();
    life.session().await.unwrap();
    assert_eq!(
        (world.folder("Queue/Legal").len(), world.folder("Drafts").len(), world.sent().len()),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn a_person_who_takes_the_mail_first_wins() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.smtp_refuses(Some(false));
    let uid = world.deliver(&threat("t1"));
    life.session().await.unwrap();
    world.take_away("INBOX", uid);
    world.smtp_refuses(None);
    life.session().await.unwrap();
    assert!(world.folder("Queue/Legal").is_empty());
    assert_eq!(world.folder("Drafts").len(), 1);
    let record = &life.records("t1@example.org").await[0];
    assert!(record.effects.iter().all(|effect| effect.state.is_final()), "{:?}", record.effects);
}

#[tokio::test]
async fn mails_without_message_id_and_with_a_stolen_one_are_handled_too() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1").replace("Message-ID: <c1@example.org>\n", ""));
    world.deliver(&complaint("same"));
    world.deliver(&threat("same"));
    world.deliver("");
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Legal").len(), 1);
    assert_eq!(world.folder("Drafts").len(), 3);
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.len(), 1, "what cannot be read stays where it is");
    assert!(inbox[0].flags.contains("ek-review"));
}

#[tokio::test]
async fn observing_changes_nothing_and_records_what_would_be_done() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver(&threat("t1"));
    let before = world.snapshot();
    let life = Life::begin_as(&world, dir.path(), Mode::Observe).await;
    life.session().await.unwrap();
    assert_eq!(world.snapshot(), before);
    assert!(world.sent().is_empty());
    assert_eq!(life.records("t1@example.org").await[0].effects.len(), 4);
}

#[tokio::test]
async fn a_machine_is_filed_and_never_answered() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&threat("a1").replacen("Date:", "Auto-Submitted: auto-replied\nDate:", 1));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Automated").len(), 1);
    assert!(world.folder("Drafts").is_empty() && world.sent().is_empty());
}

#[tokio::test]
async fn a_bounce_of_our_own_forward_is_shown_to_a_person_and_is_no_new_threat() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&threat("t1"));
    life.session().await.unwrap();
    let forwarded = world.sent()[0].1.clone();
    let own = forwarded.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().to_owned();
    world.deliver(&format!(
        "From: MAILER-DAEMON@example.test\nTo: support@example.test\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n\
         Message-ID: <b1@example.test>\nIn-Reply-To: {own}\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
         legal@example.test: mailbox full\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; example.test\n\n\
         Final-Recipient: rfc822; legal@example.test\nAction: failed\nStatus: 5.2.2\n\n--b--\n"
    ));
    life.session().await.unwrap();
    let review = world.folder("Queue/Review");
    assert_eq!(review.len(), 1);
    assert!(review[0].flags.contains("ek-automated") && review[0].flags.contains("ek-review"));
    assert_eq!(world.sent().len(), 1);
    let reopened = life.reopened().await;
    assert_eq!(reopened.len(), 1, "the forward is open again, for a person");
    assert_eq!(reopened[0].message_id.as_ref().unwrap().as_str(), "t1@example.org");
    assert_eq!(reopened[0].state, evenkeel::edge::ledger::MailState::Reopened);
    assert!(reopened[0].reasons.iter().any(|r| r.word == evenkeel::decide::Word::OwnForwardBounced));
}

#[tokio::test]
async fn a_mail_that_kills_the_daemon_again_and_again_is_left_to_a_person_and_the_others_go_on() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    let poison = world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    life.died_of(poison, 3).await;
    life.session().await.unwrap();
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.len(), 1);
    assert_eq!((inbox[0].uid, inbox[0].flags.contains("ek-review")), (poison, true));
    assert_eq!(world.folder("Drafts").len(), 1, "the complaint was handled");
    assert_eq!(life.session().await.unwrap(), 0, "it is not tried again");
}

#[tokio::test]
async fn a_line_that_breaks_again_and_again_says_nothing_against_the_mail() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    for cut in 1..=5 {
        world.fail_fetches(1);
        assert!(life.session().await.is_err(), "cut {cut}");
    }
    life.session().await.unwrap();
    assert!(world.folder("INBOX").is_empty());
    assert_eq!(world.folder("Drafts").len(), 1);
}
