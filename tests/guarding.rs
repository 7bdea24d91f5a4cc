//! What guards the inbox and the daemon: caps against loops, mails that a server will not show, own
//! mail that comes back, machines that nothing proves.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::LazyLock;

use evenkeel::classify::{Finding, Label, Verdict};
use evenkeel::config::{Mode, Server};
use evenkeel::decide::{Case, Keyword, Queue, Rulebook, TicketId, Word, decide};
use evenkeel::edge::imap::Imap;
use evenkeel::edge::{Listed, Mailbox};
use evenkeel::mail::{Language, parse};
use evenkeel::reply::Playbooks;
use evenkeel::time::Timestamp;

use proptest::prelude::*;

use crate::world::{Life, World};

#[path = "../fuzz/pipeline.rs"]
mod pipeline;

fn question(id: u32, from: &str) -> String {
    format!(
        "From: {from}\nTo: support@example.test\nSubject: Router dead again\nMessage-ID: <q{id}@example.org>\n\n\
         The router you delivered last week does not work. It restarts every ten minutes and the internet is gone. Order 70{id}.\n"
    )
}

const TWO_PER_SENDER: &str = "[limits]\nper-sender = 2\nper-thread = 0\nin-all = 5\n";

#[tokio::test]
async fn at_a_cap_mails_are_filed_for_review_and_nothing_is_drafted_also_after_a_restart() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    for id in 0..3 {
        world.deliver(&question(id, "Ivo <ivo@example.org>"));
    }
    let life = Life::begin_with(&world, dir.path(), Mode::Act, TWO_PER_SENDER).await;
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 2);
    let held = world.folder("Queue/Review");
    assert_eq!(held.len(), 1, "the third is filed, and for a person");
    assert!(held[0].flags.contains("ek-review"));
    let record = &life.records("q2@example.org").await[0];
    assert!(record.reasons.iter().any(|reason| reason.word == Word::LoopCap), "{:?}", record.reasons);
    drop(life);

    let life = Life::begin_with(&world, dir.path(), Mode::Act, TWO_PER_SENDER).await;
    world.deliver(&question(3, "Ivo <IVO+x@example.org>"));
    world.deliver(&question(4, "Mia <mia@example.org>"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Review").len(), 2, "a restart and a plus-address reset nothing");
    assert_eq!(world.folder("Drafts").len(), 3, "another sender is served");

    *life.clock.0.lock().unwrap() += 3 * 3_600;
    world.deliver(&question(5, "Ivo <ivo@example.org>"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 4, "the window has slid on");
}

#[tokio::test]
async fn the_cap_in_all_holds_for_strangers_too() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    for id in 0..7 {
        world.deliver(&question(id, &format!("P <p{id}@example.org>")));
    }
    let life = Life::begin_with(&world, dir.path(), Mode::Act, TWO_PER_SENDER).await;
    life.session().await.unwrap();
    assert_eq!((world.folder("Drafts").len(), world.folder("Queue/Review").len()), (5, 2));
}

#[tokio::test]
async fn of_several_senders_a_person_decides_whom_to_answer() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver(&question(1, "Ivo <ivo@example.org>, Mia <mia@example.net>"));
    let life = Life::begin(&world, dir.path()).await;
    life.session().await.unwrap();
    assert!(world.folder("Drafts").is_empty());
    let inbox = world.folder("INBOX");
    assert!(inbox.len() == 1 && inbox[0].flags.contains("ek-review"), "{:?}", world.snapshot());
    let record = &life.records("q1@example.org").await[0];
    assert!(record.reasons.iter().any(|reason| reason.word == Word::SeveralSenders), "{:?}", record.reasons);
}

#[tokio::test]
async fn a_mail_the_server_refuses_to_show_is_quarantined_and_the_others_go_on() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let poison = world.deliver(&question(1, "Ivo <ivo@example.org>"));
    world.deliver(&question(2, "Mia <mia@example.org>"));
    world.refuse(poison);
    let life = Life::begin(&world, dir.path()).await;
    for _ in 0..3 {
        assert!(life.session().await.is_err());
    }
    life.session().await.unwrap();
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.iter().map(|mail| mail.uid).collect::<Vec<_>>(), [poison]);
    assert!(inbox[0].flags.contains("ek-review"));
    assert_eq!(world.folder("Drafts").len(), 1);
}

#[tokio::test]
async fn mails_of_no_bytes_are_all_marked_for_review() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver("");
    world.deliver("");
    let life = Life::begin(&world, dir.path()).await;
    assert_eq!(life.session().await.unwrap(), 2);
    let inbox = world.folder("INBOX");
    assert!(inbox.len() == 2 && inbox.iter().all(|mail| mail.flags.contains("ek-review")), "{inbox:?}");
    assert_eq!(life.session().await.unwrap(), 0);
}

#[tokio::test]
async fn our_own_mail_is_known_by_an_id_we_gave_and_a_forged_one_is_read() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    world.deliver(&question(1, "Ivo <ivo@example.org>"));
    let life = Life::begin(&world, dir.path()).await;
    life.session().await.unwrap();
    let draft = String::from_utf8_lossy(&world.folder("Drafts")[0].bytes).replace("\r\n", "\n");
    // the agent has sent it with the inbox in copy
    world.deliver(&draft);
    let forged =
        question(2, "Eve <eve@example.org>").replace("<q2@example.org>", "<ek1.0123.draft@example.test>");
    world.deliver(&forged);
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Automated").len(), 1);
    assert_eq!(world.folder("Drafts").len(), 2, "the forged one is answered as a person's");
}

/// What only the model takes for a machine's.
fn guessed_automated(probability: f32) -> Verdict {
    Verdict {
        labels: vec![Finding { label: Label::Automated, probability }],
        review: false,
        scores: [0.0; Label::COUNT],
        language: Language::En,
        own: vec![],
        rules: Vec::new(),
    }
}

#[test]
fn a_machine_that_nothing_proves_goes_to_review() {
    let mail = parse(
        b"From: ana@example.org\nSubject: notice\nMessage-ID: <1@example.org>\n\nYour invoice is ready.\n",
    );
    assert_eq!(mail.automated, None);
    let mut verdict = guessed_automated(0.9);
    let case = Case::new(TicketId::new(1, [0, 0]));
    let book = Rulebook::default();
    let decision = decide(&mail, &verdict, &case, &book, Timestamp(1_790_000_000));
    assert_eq!((decision.queue(), decision.draft().is_some()), (Some(Queue::Review), false));
    assert_eq!(decision.reasons[0].word, Word::AutomatedUnproven);
    let tags = format!("{:?}", decision.actions);
    assert!(tags.contains(&format!("{:?}", Keyword::Review)), "{tags}");
    // a header proves it
    let proven = parse(b"Auto-Submitted: auto-generated\nFrom: ana@example.org\nMessage-ID: <1@example.org>\n\nYour invoice.\n");
    verdict.labels.clear();
    let decision = decide(&proven, &verdict, &case, &book, Timestamp(1_790_000_000));
    assert_eq!(decision.queue(), Some(Queue::Automated));
}

#[test]
fn a_person_taken_for_a_machine_is_answered_and_reviewed() {
    let text = b"From: nikolai@example.org\nSubject: mail\nMessage-ID: <1@example.org>\n\nSince Wednesday I do not \
        receive any mails at order 88120. I rang twice and got only an automatic reply. When will it work again?\n";
    let mail = parse(text);
    let mut verdict = guessed_automated(0.96);
    let case = Case::new(TicketId::new(1, [0, 0]));
    let book = Rulebook { playbooks: Playbooks::shipped().unwrap(), ..Rulebook::default() };
    let now = Timestamp(1_790_000_000);
    let decision = decide(&mail, &verdict, &case, &book, now);
    assert_eq!((decision.queue(), decision.draft().is_some()), (Some(Queue::Review), true), "{decision:?}");
    assert_eq!(decision.reasons[0].word, Word::AutomatedUnproven);
    // a rule has found the words of a machine
    verdict.rules = vec!["automated-no-reply".into()];
    assert!(decide(&mail, &verdict, &case, &book, now).draft().is_none());
}

#[test]
fn harassment_on_a_guess_is_dealt_with_by_the_next_label_and_reviewed() {
    let text = b"From: wanda@example.org\nSubject: login\nMessage-ID: <1@example.org>\n\nMy mother is 88 and I look \
        after her papers. Could you offer a second login for relatives that can only look and not pay?\n";
    let mail = parse(text);
    let mut scores = [0.0; Label::COUNT];
    scores[Label::Harassment as usize] = 0.7;
    let found = |label, probability| Finding { label, probability };
    let verdict = Verdict {
        labels: vec![found(Label::Harassment, 0.7), found(Label::Idea, 0.6)],
        review: false,
        scores,
        language: Language::En,
        own: vec![],
        rules: Vec::new(),
    };
    let case = Case::new(TicketId::new(1, [0, 0]));
    let book = Rulebook { playbooks: Playbooks::shipped().unwrap(), ..Rulebook::default() };
    let decision = decide(&mail, &verdict, &case, &book, Timestamp(1_790_000_000));
    assert_eq!((decision.queue(), decision.draft().is_some()), (Some(Queue::Review), true), "{decision:?}");
    let tags = format!("{:?}", decision.actions);
    assert!(tags.contains(&format!("{:?}", Keyword::Review)), "{tags}");
    assert_eq!(decision.case.customer.recent_incidents(&book.policy.conduct, Timestamp(1_790_000_000)), 0);
}

/// An IMAP server with mails 1 to 3 that cannot read the second one, and so refuses any set with it.
fn server_with_a_broken_mail() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut out = stream.try_clone().unwrap();
        out.write_all(b"* OK ready\r\n").unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let (tag, command) = line.split_once(' ').unwrap();
            let mut answer = String::new();
            let mut status = "OK done";
            if command.starts_with("CAPABILITY") {
                answer.push_str("* CAPABILITY IMAP4rev1\r\n");
            } else if command.starts_with("LIST") {
                answer.push_str("* LIST () \"/\" INBOX\r\n");
            } else if command.starts_with("SELECT") {
                answer.push_str("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n");
            } else if command.starts_with("UID SEARCH") {
                answer.push_str("* SEARCH 1 2 3\r\n");
            } else if let Some(rest) = command.strip_prefix("UID FETCH ") {
                let set = rest.split(' ').next().unwrap();
                let range = |part: &str| {
                    let (from, to) = part.split_once(':').unwrap_or((part, part));
                    from.parse::<u32>().unwrap()..=to.parse().unwrap()
                };
                let uids: Vec<u32> = set.split(',').flat_map(range).collect();
                if uids.contains(&2) {
                    status = "NO cannot read message 2";
                } else {
                    for uid in uids {
                        let size = if uid == 3 { 0 } else { 10 };
                        let _ = write!(
                            answer,
                            "* {uid} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"17-Jul-2026 02:44:25 +0000\")\r\n"
                        );
                    }
                }
            }
            out.write_all(format!("{answer}{tag} {status}\r\n").as_bytes()).unwrap();
        }
    });
    port
}

#[tokio::test]
async fn one_broken_mail_does_not_hide_the_others_and_an_empty_one_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "secret").unwrap();
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let port = server_with_a_broken_mail();
    let text = format!(
        "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nuser = \"u\"\npassword-file = {:?}\n",
        password.display().to_string()
    );
    let server: Server = toml::from_str(&text).unwrap();
    let mut imap = Imap::connect(&server, None).await.unwrap();
    imap.select("INBOX").await.unwrap();
    let listed = imap.list(1).await.unwrap();
    let sizes: Vec<_> = listed.iter().map(|Listed { uid, size, .. }| (*uid, *size)).collect();
    assert_eq!(sizes, [(1, Some(10)), (2, None), (3, Some(0))]);
}

static PIPELINE: LazyLock<pipeline::Pipeline> = LazyLock::new(pipeline::Pipeline::shipped);

#[test]
fn every_fixture_goes_all_the_way_to_a_draft_or_a_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
    for entry in std::fs::read_dir(folder).unwrap() {
        PIPELINE.handle(&std::fs::read(entry.unwrap().path()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mail_goes_all_the_way(
        subject in "\\PC{0,40}",
        name in "\\PC{0,20}",
        body in "(\\PC{0,40}[.!?\n ]){0,12}",
        kind in "text/(plain|html|calendar)|multipart/mixed; boundary=b|message/rfc822|application/(ms-tnef|pkcs7-mime)",
    ) {
        let mail = format!(
            "From: {name} <a@example.org>\nSubject: {subject}\nMessage-ID: <1@example.org>\nContent-Type: {kind}\n\n{body}"
        );
        PIPELINE.handle(mail.as_bytes());
    }

    #[test]
    fn any_bytes_go_all_the_way(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        PIPELINE.handle(&bytes);
    }
}
