//! Agents correct on a real server: by MOVE, as Outlook does it, and by keywords.

use super::client::ImapClient;
use super::servers::{Daemon, Servers};
use super::{id_of, sample};

fn labelled(config: &std::path::Path) -> Vec<serde_json::Value> {
    let output = Servers::evenkeel(config, &["label", "--list", "--format", "jsonl"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn moves_and_keywords_of_agents_on_a_real_server_are_corrections_and_a_move_to_trash_is_none() {
    let Some(servers) = Servers::start("learning", &[]) else { return };
    let config = servers.config("act");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[learning]\nlook-minutes = 0\n")).unwrap();
    let daemon = Daemon::start(&servers, &config, None);
    let mut support = ImapClient::login(&servers, "support");
    support.create("Trash");
    let names = [
        "complaint.es.eml",
        "question.ru.eml",
        "praise.es.eml",
        "entitlement.ru.eml",
        "pricing.en.eml",
        "idea.uk.eml",
    ];
    for name in names {
        servers.deliver("support@example.test", &sample(name));
    }
    support.until("all are filed", |imap| imap.filed() == names.len());
    assert!(labelled(&config).is_empty(), "our own moves");

    let [moved, outlook, keyword, trash, ..] = names.map(|name| id_of(&sample(name)));
    support.take("Queue/Support", &moved, "Queue/Product");
    let bytes = support.find("Queue/Support", &outlook).remove(0).bytes;
    support.append("Queue/Sales", &bytes);
    support.delete("Queue/Support", &outlook);
    support.flag("Queue/Support", &keyword, "-FLAGS (ek-praise)");
    support.flag("Queue/Support", &keyword, "+FLAGS (ek-idea)");
    support.take("Queue/Support", &trash, "Trash");
    // the next mail makes the daemon look
    servers.deliver("support@example.test", &sample("automated.en.eml"));
    let begun = std::time::Instant::now();
    let mut all = labelled(&config);
    while all.len() < 3 {
        assert!(begun.elapsed().as_secs() < 30, "not learnt: {all:#?}");
        std::thread::sleep(std::time::Duration::from_millis(200));
        all = labelled(&config);
    }
    let says = |id: &str| {
        let id = id.trim_matches(['<', '>']);
        all.iter().find(|one| one["message_id"] == id).map(|one| one["says"].clone()).unwrap_or_default()
    };
    assert_eq!(says(&moved)["idea"], true, "{all:#?}");
    assert_eq!(says(&outlook)["pricing"], true, "{all:#?}");
    assert_eq!(says(&keyword), serde_json::json!({ "idea": true, "praise": false }));
    assert!(says(&trash).is_null());
    daemon.stop();
    servers.assert_log_is_clean();
}
