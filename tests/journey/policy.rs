//! Rules and routes of ops, and a policy that is changed while the daemon runs.

use super::{DAY, complaint, insult, reply, threat};
use crate::world::{Life, World};
use evenkeel::config::Mode;

const GOLD: &str = r#"
[queues]
vip = "Teams/VIP"
[[rule]]
id = "gold"
when = 'header("x-plan") == "gold" && authenticated'
capture = 'Order (?<order>[0-9]+)'
add-facts = ["gold"]
[[rule]]
id = "old-order"
when = '"gold" in facts && int(capture("order")) < 80000'
add-facts = ["old-order"]
[[route]]
id = "vip"
facts = ["old-order"]
queue = "vip"
priority = "high"
tag = ["gold"]
assign = ["anna"]
notify = ["lead"]
"#;

fn gold(mail: &str) -> String {
    mail.replacen("Date:", "X-Plan: gold\nDate:", 1)
}

#[tokio::test]
async fn a_rule_reads_a_header_captures_a_number_and_its_route_files_tags_and_tells() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, GOLD).await;
    world.deliver(&gold(&complaint("c1")));
    world.deliver(&complaint("c2"));
    // whoever only claims to be a gold customer is none
    world
        .deliver(&gold(&complaint("c3")).replace("mx.example.test; dkim=pass", "mx.example.test; dkim=fail"));
    life.session().await.unwrap();
    let vip = world.folder("Teams/VIP");
    assert_eq!(vip.len(), 1);
    for keyword in ["ek-complaint", "ek-gold", "ek-high"] {
        assert!(vip[0].flags.contains(keyword), "{:?}", vip[0].flags);
    }
    assert_eq!(world.folder("Queue/Support").len() + world.folder("Queue/Review").len(), 2);
    let sent = world.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, ["lead@example.test"]);
    assert!(
        sent[0].1.contains("Teams/VIP") && !sent[0].1.contains("router"),
        "a notice says nothing of the text"
    );
    let record = &life.records("c1@example.org").await[0];
    let reasons = evenkeel::decide::reason_line(&record.reasons);
    assert!(reasons.contains("rule (gold, old-order)") && reasons.contains("route (vip)"), "{reasons}");
}

#[tokio::test]
async fn no_route_takes_a_threat_from_legal_by_accident() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let all = "[[rule]]\nid = \"all\"\nwhen = 'true'\nadd-facts = [\"all\"]\n\
               [[route]]\nid = \"leave\"\nfacts = [\"all\"]\nleave = true\n";
    let life = Life::begin_with(&world, dir.path(), Mode::Act, all).await;
    world.deliver(&threat("t1"));
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    assert_eq!((world.folder("Queue/Legal").len(), world.sent().len()), (1, 1));
    let inbox = world.folder("INBOX");
    assert_eq!(inbox.len(), 1, "the complaint is left");
    assert!(inbox[0].flags.is_empty());
}

#[tokio::test]
async fn a_good_policy_takes_the_place_of_the_old_one_and_a_bad_one_does_not() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    let to = |queue: &str| {
        format!("[routes]\ncomplaint = {{ queue = \"{queue}\" }}\nreview = {{ queue = \"{queue}\" }}\n")
    };
    life.reload(&to("product")).unwrap();
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Product").len(), 1);
    let why = life.reload(&format!("{}[[rule]]\nid = \"x\"\nwhen = 'nonsense'\n", to("sales"))).unwrap_err();
    assert!(why.contains("\"nonsense\" is no fact"), "{why}");
    world.deliver(&complaint("c2"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Queue/Product").len(), 2, "the old policy is in force");
    let evenkeel::edge::control::Response::Status(status) =
        life.ask(evenkeel::edge::control::Request::Status).await
    else {
        panic!("no status")
    };
    assert!(status.policy_refused.unwrap().contains("nonsense"));
}

#[tokio::test]
async fn what_preview_says_is_what_run_then_does() {
    use evenkeel::daemon::simulate::{Found, Simulation};
    use evenkeel::edge::ledger::{FolderKey, LedgerError, MailKey};

    let (world, dir, scratch) = (World::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, GOLD).await;
    // what is known already: one insult, one ticket
    world.deliver(&insult("i1"));
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    life.pass(DAY);
    world.deliver(&insult("i2"));
    world.deliver(&complaint("c2").replace("Ivo Marsh <ivo@", "Rick Sand <rick@"));
    world.deliver(&gold(&complaint("c3").replace("Router dead again", "Second router")));
    world.deliver(&threat("t1"));
    world.deliver(&reply("t2", "t1", "Dana Whitlock <dana@example.org>", "When does your office open?"));
    world.deliver(&reply(
        "c4",
        "c1",
        "Ivo Marsh <ivo@example.org>",
        "The router is still broken, it restarts.",
    ));
    let (book, classifier) = Life::policy_of(GOLD);
    let mut simulation = Simulation::new(scratch.path(), book, classifier).unwrap();
    let mut said = Vec::new();
    for stored in world.folder("INBOX") {
        let folder = FolderKey { account: "a".into(), folder: "INBOX".into() };
        let key = MailKey { folder, uid_validity: 1, uid: stored.uid };
        let size = u32::try_from(stored.bytes.len()).unwrap();
        let found = Found { key, bytes: &stored.bytes, size, address: "support@example.test" };
        let mut asked = None;
        let query = evenkeel::daemon::plan::case_query("a", &evenkeel::mail::parse(&stored.bytes));
        if let evenkeel::edge::control::Response::Case(case) =
            life.ask(evenkeel::edge::control::Request::Case { query }).await
        {
            asked = Some(*case);
        }
        let simulated = simulation.handle::<LedgerError>(found, life.now(), |_| Ok(asked)).unwrap();
        let draft = simulated.decision.draft().map(|draft| draft.wordings.clone());
        said.push((simulated.record.reasons, effects(&simulated.record.effects), draft.is_some()));
    }
    life.session().await.unwrap();
    let mut done = Vec::new();
    for id in ["i2", "c2", "c3", "t1", "t2", "c4"] {
        let record = life.records(&format!("{id}@example.org")).await.remove(0);
        let drafted = record
            .effects
            .iter()
            .any(|entry| matches!(entry.effect, evenkeel::edge::ledger::Effect::SaveDraft { .. }));
        done.push((record.reasons, effects(&record.effects), drafted));
    }
    assert_eq!(said, done);
    assert!(done[0].1.contains(&"file into Queue/Email-only".to_owned()), "{:?}", done[0]);
}

fn effects(entries: &[evenkeel::edge::ledger::EffectRecord]) -> Vec<String> {
    entries.iter().map(|entry| entry.effect.to_string()).collect()
}
