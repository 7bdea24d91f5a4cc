//! What becomes of drafts: withdrawn, measured, left alone; and those that no mail asks for.

use super::{complaint, mail, reply};
use crate::world::{Life, World};
use evenkeel::config::Mode;
use evenkeel::edge::control::{Request, Response, Status};

const COMPANY: &str = "[company]\nname = \"Northwind\"\n[company.hours]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
     from = \"00:00\"\nto = \"00:00\"\n";

async fn status(life: &Life) -> Status {
    match life.ask(Request::Status).await {
        Response::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

fn draft(world: &World) -> String {
    String::from_utf8_lossy(&world.folder("Drafts").last().unwrap().bytes).into_owned()
}

#[tokio::test]
async fn a_draft_is_withdrawn_when_an_agent_answers_otherwise_and_the_change_is_counted() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1);
    world.put("Sent", &reply("a1", "c1", "Support <support@example.test>", "Here is what we have found."));
    life.session().await.unwrap();
    assert!(world.folder("Drafts").is_empty(), "nobody had touched it");
    let edits = status(&life).await.edits;
    assert_eq!((edits.len(), edits[0].sent, edits[0].unchanged), (1, 1, 0), "{edits:?}");
    assert!(
        edits[0].playbook == "complaint" && edits[0].language == "en" && edits[0].mean() > 500,
        "{edits:?}"
    );
}

#[tokio::test]
async fn a_draft_that_is_sent_as_it_was_counts_as_unchanged() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    let sent = draft(&world);
    world.clear("Drafts");
    // clients give it an id of their own
    let own_id = sent.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    world.put("Sent", &sent.replace(&own_id, "Message-ID: <a1@client.example>"));
    life.session().await.unwrap();
    let edits = status(&life).await.edits;
    assert_eq!((edits[0].sent, edits[0].unchanged, edits[0].mean()), (1, 1, 0), "{edits:?}");
}

#[tokio::test]
async fn an_edited_draft_stays_when_somebody_else_answers() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    world.edit_draft();
    world.put("Sent", &reply("a1", "c1", "Support <support@example.test>", "Here is what we have found."));
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1);
}

#[tokio::test]
async fn before_a_promise_breaks_a_draft_says_how_things_stand() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin_with(&world, dir.path(), Mode::Act, COMPANY).await;
    world.deliver(&complaint("c1"));
    life.session().await.unwrap();
    world.clear("Drafts");
    world.put("Sent", &reply("a1", "c1", "Support <support@example.test>", "Here is what we have found."));
    life.session().await.unwrap();
    // until when something is promised is the playbook's and the company's business
    for _ in 0..24 {
        if world.folder("Drafts").is_empty() {
            life.pass(3 * 3_600);
            life.session().await.unwrap();
        }
    }
    let text = draft(&world);
    assert!(text.contains("promise-due") && text.contains("WHAT IS KNOWN BY NOW"), "{text}");
    assert!(text.contains("In-Reply-To: <c1@example.org>"), "{text}");
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1, "once");
}

#[tokio::test]
async fn a_refused_idea_gets_a_draft_that_gives_the_reason() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let life = Life::begin(&world, dir.path()).await;
    world.deliver(&mail(
        "i1",
        "Una Brand <una@example.org>",
        "A suggestion",
        "I have a suggestion for the app: could you add a dark mode? It would be great in the evening.",
    ));
    life.session().await.unwrap();
    world.clear("Drafts");
    let folder = ["Queue/Product", "Queue/Review"].into_iter().find(|f| !world.folder(f).is_empty()).unwrap();
    world.flag(folder, "i1@example.org", "ek-declined");
    life.session().await.unwrap();
    let text = draft(&world);
    assert!(text.contains("THE REASON") && text.contains("X-Evenkeel-Fill-In"), "{text}");
    assert!(!world.folder(folder)[0].flags.contains("ek-declined"), "the mark is taken off");
    life.session().await.unwrap();
    assert_eq!(world.folder("Drafts").len(), 1, "once");
}
