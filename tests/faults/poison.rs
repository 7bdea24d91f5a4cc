//! A mail that kills the daemon: counted before it is touched, left to a person, taken back on demand.

use evenkeel::edge::control::{Request, Response};

use super::complaint;
use crate::world::{Life, World};

fn mail(name: &str) -> String {
    String::from_utf8(complaint(name)).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn a_quarantined_mail_is_handled_when_a_person_says_retry() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let poison = world.deliver(&mail("poison"));
    let life = Life::begin(&world, dir.path()).await;
    life.died_of(poison, 3).await;
    world.deliver(&mail("behind"));
    assert_eq!(life.session().await.unwrap(), 2);
    assert_eq!(world.folder("Queue/Support").len(), 1, "the one behind it goes on");
    let inbox = world.folder("INBOX");
    assert!(inbox.len() == 1 && inbox[0].flags.contains("ek-review"), "{inbox:?}");

    let answer = life.ask(Request::Retry { id: None, author: "ops".into() }).await;
    assert!(matches!(answer, Response::Retried(1)), "{answer:?}");
    assert_eq!(life.session().await.unwrap(), 0, "no mail is listed again for it");
    assert_eq!(world.folder("Queue/Support").len(), 2);
    assert_eq!(world.folder("Drafts").len(), 2);
    // what kills again is left alone again
    let again = world.deliver(&mail("again"));
    life.died_of(again, 3).await;
    life.session().await.unwrap();
    life.ask(Request::Retry { id: None, author: "ops".into() }).await;
    life.died_of(again, 3).await;
    life.session().await.unwrap();
    let answer = life.ask(Request::Retry { id: None, author: "ops".into() }).await;
    assert!(matches!(answer, Response::Retried(1)), "{answer:?}");
}
