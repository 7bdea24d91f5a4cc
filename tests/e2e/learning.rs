//! Agents correct on a real server: by MOVE, as Outlook does it, and by keywords.

use base64::Engine as _;
use evenkeel::mail::Language;

use super::client::ImapClient;
use super::servers::{Daemon, Servers};
use super::{id_of, sample};
use crate::learning::company::{OWN, SECTIONS, Written, written};

pub fn labelled(config: &std::path::Path) -> Vec<serde_json::Value> {
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

    let [moved, outlook, keyword, trash, new, ..] = names.map(|name| id_of(&sample(name)));
    // a folder that was not there when the daemon logged in
    support.create("Queue/Content");
    let mut is_here = |folder: &&&str| !support.find(folder, &new).is_empty();
    let folder = QUEUES.iter().find(&mut is_here).unwrap();
    support.take(folder, &new, "Queue/Content");
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
    // the two changes of a keyword may be seen one after the other
    let both = serde_json::json!({ "idea": true, "praise": false });
    while all.len() < 4 || all.iter().all(|one| one["says"] != both) {
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
    assert_eq!(says(&keyword), both);
    assert!(says(&trash).is_null());
    assert_eq!(says(&new)["criticism"], true, "{all:#?}");
    daemon.stop();
    servers.assert_log_is_clean();
}

pub const QUEUES: [&str; 10] = [
    "Queue/Support",
    "Queue/Sales",
    "Queue/Product",
    "Queue/Content",
    "Queue/Urgent",
    "Queue/Legal",
    "Queue/Lead",
    "Queue/Review",
    "Queue/Automated",
    "Queue/Fitting",
];

pub fn filed(imap: &mut ImapClient) -> usize {
    QUEUES.iter().map(|folder| imap.count(folder)).sum()
}

/// A mail of the maker of shutters, as it comes over SMTP.
pub fn mail(one: &Written, n: usize, time: &str) -> Vec<u8> {
    let text = format!(
        "From: <{time}{n}@customers.example>\nTo: support@example.test\nSubject: =?utf-8?b?{}?=\nMessage-ID: <{time}-{n}@example.org>\n\
         Date: Sat, 21 Nov 2026 09:12:00 +0200\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\n{}\n",
        base64::engine::general_purpose::STANDARD.encode(one.subject),
        one.text
    );
    text.replace('\n', "\r\n").into_bytes()
}

fn run(config: &std::path::Path, args: &[&str]) -> String {
    let output = Servers::evenkeel(config, args);
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    told
}

/// Waits for the n-th reload: it is done beside the mail that comes in.
pub fn taken_up(daemon: &Daemon, times: usize) {
    let begun = std::time::Instant::now();
    while daemon.log().matches("the new policy is in force").count() < times {
        assert!(begun.elapsed().as_secs() < 60, "not taken up: {}", daemon.log());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// An agent drags what is about a visit of the fitter into its folder.
fn drag(support: &mut ImapClient, time: &str, count: usize) {
    for n in 0..count {
        let id = format!("<{time}-{n}@example.org>");
        let mut is_here =
            |folder: &&&str| !support.search(folder, &format!("HEADER Message-ID \"{id}\"")).is_empty();
        let folder = QUEUES.iter().find(&mut is_here).unwrap();
        support.take(folder, &id, "Queue/Fitting");
    }
}

/// Has the daemon look at the folders by one more mail, waits until it has `count` corrections, and trains.
fn learn(
    servers: &Servers,
    config: &std::path::Path,
    support: &mut ImapClient,
    next: &str,
    count: usize,
) -> String {
    let before = filed(support);
    servers.deliver("support@example.test", &sample(next));
    support.until("the next is filed", |imap| filed(imap) == before + 1);
    let begun = std::time::Instant::now();
    while labelled(config).len() < count {
        assert!(begun.elapsed().as_secs() < 30, "not learnt: {:#?}", labelled(config));
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let told = run(config, &["train", "--local"]);
    println!("{told}");
    told
}

/// A company's own label end to end: agents drag, a candidate passes the gate and takes over, later mails
/// go where the agents would have dragged them, and one command goes back to the same bytes.
#[test]
fn what_agents_drag_is_learnt_on_a_real_server_and_one_command_goes_back() {
    let Some(servers) = Servers::start("own-label", &[]) else { return };
    let config = servers.config("act");
    let text = std::fs::read_to_string(&config).unwrap();
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/data/corpus");
    let learning = format!(
        "[learning]\nlook-minutes = 0\nlabels = [\"fitting\"]\nmass = 1000\ntrain = false\npromote = true\ncorpus = \"{corpus}\"\n"
    );
    let playbooks = servers.dir.join("playbooks");
    for (language, says) in
        [("en", "Our fitters' planners will read this."), ("es", "Lo leerá quien planifica las visitas.")]
    {
        let folder = playbooks.join(language);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!("[say]\nquote = [\"{says}\", \"{says} \", \"{says}  \"]\n");
        std::fs::write(folder.join("fitting.toml"), text).unwrap();
    }
    let playbooks = format!("playbooks = \"{}\"\n", playbooks.display());
    std::fs::write(&config, format!("{playbooks}{text}\n{learning}{SECTIONS}")).unwrap();
    let mut support = ImapClient::login(&servers, "support");
    support.create("Queue/Fitting");
    let daemon = Daemon::start(&servers, &config, None);
    // what is moved before the daemon's first look at the folders says nothing; it looks when it has read all
    servers.deliver("support@example.test", &sample("automated.en.eml"));
    support.until("the first is filed", |imap| filed(imap) == 1);
    std::thread::sleep(std::time::Duration::from_secs(2));

    let all = written();
    let is_own = |one: &&Written| one.labels.contains(OWN);
    let seen: Vec<&Written> = all.iter().filter(is_own).filter(|one| !one.is_later).collect();
    let others: Vec<&Written> = all.iter().filter(|one| !is_own(one)).step_by(10).collect();
    let stream: Vec<&Written> = seen.iter().chain(&others).copied().collect();
    for (n, one) in stream.iter().enumerate() {
        servers.deliver("support@example.test", &mail(one, n, "first"));
    }
    support.until("all are filed", |imap| filed(imap) == stream.len() + 1);
    drag(&mut support, "first", seen.len());
    let told = learn(&servers, &config, &mut support, "praise.es.eml", seen.len());
    // what teaches and what tests is drawn by a mail's bytes, the hour of its arrival among them: where the
    // draw has left too little to learn from, the same customers write again, and agents drag again
    let told = if told.contains(" waits for a person") {
        let before = filed(&mut support);
        for (n, one) in seen.iter().enumerate() {
            servers.deliver("support@example.test", &mail(one, n, "again"));
        }
        support.until("they are filed again", |imap| filed(imap) == before + seen.len());
        drag(&mut support, "again", seen.len());
        learn(&servers, &config, &mut support, "pricing.en.eml", 2 * seen.len())
    } else {
        told
    };
    assert!(told.contains("is in force"), "{told}");
    taken_up(&daemon, 1);
    let models = servers.dir.join("state/models");
    let in_force = std::fs::read_to_string(models.join("in-force")).unwrap();
    let file = models.join(format!("{}.layer", in_force.trim()));
    let bytes = std::fs::read(&file).unwrap();

    // agents have dragged mails of two languages; some come again from others, word for word
    let is_read = |one: &&Written| [Language::En, Language::Es].contains(&one.language);
    let new = all.iter().filter(is_own).filter(|one| one.is_later).filter(is_read);
    let later: Vec<&Written> = new.chain(seen.iter().copied().take(10)).collect();
    let mut deliver = |time: &str| {
        let before = filed(&mut support);
        let fitting = support.count("Queue/Fitting");
        for (n, one) in later.iter().enumerate() {
            servers.deliver("support@example.test", &mail(one, n, time));
        }
        support.until("the later ones are filed", |imap| filed(imap) == before + later.len());
        support.count("Queue/Fitting") - fitting
    };
    let learnt = deliver("second");
    println!("{learnt} of {} later mails went where they belong", later.len());
    // how much is learnt is measured over weeks; here, that what is learnt decides
    assert!(learnt >= 5, "{learnt} of {}: {}", later.len(), daemon.log());
    let told: Vec<String> =
        (0..later.len()).map(|n| servers.explain(&format!("second-{n}@example.org"))).collect();
    let answered = told.iter().filter(|told| told.contains("draft by playbook fitting")).count();
    println!("{answered} of them are answered by its own playbook");
    // a fright or an insult beside it is answered as such
    assert!(answered > 0 && answered * 2 >= learnt, "{answered} of {learnt}: {told:#?}");
    run(&config, &["models", "rollback"]);
    taken_up(&daemon, 2);
    assert_eq!(deliver("third"), 0, "the shipped model knows nothing of it");
    run(&config, &["models", "promote", in_force.trim()]);
    taken_up(&daemon, 3);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    assert_eq!(deliver("fourth"), learnt, "the same bytes decide the same");
    daemon.stop();
    servers.assert_log_is_clean();
}
