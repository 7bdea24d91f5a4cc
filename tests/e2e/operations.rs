//! What agents and ops do, on real servers: an answer from Sent, undo, a refused policy, the audit.

use super::client::ImapClient;
use super::servers::{Daemon, Servers};
use super::{id_of, sample};

fn ask(config: &std::path::Path, args: &[&str]) -> String {
    let output = Servers::evenkeel(config, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_answer_is_learned_from_sent_and_a_mail_is_undone_on_a_real_server() {
    let Some(servers) = Servers::start("operations", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    support.create("Sent");
    let config = servers.config("act");
    let daemon = Daemon::start(&servers, &config, None);
    let mail = sample("complaint.es.eml");
    let id = id_of(&mail);
    servers.deliver("support@example.test", &mail);
    support.until("it is filed", |imap| imap.count("INBOX") == 0 && imap.filed() == 1);
    let tickets = ask(&config, &["tickets", "--format", "jsonl"]);
    assert!(tickets.contains("\"state\":\"new\""), "{tickets}");

    // an agent answers; the next mail makes the daemon look
    let answer = format!(
        "From: support@example.test\r\nTo: ibarra@example.org\r\nSubject: Re: Pedido\r\nMessage-ID: <agent-1@example.test>\r\n\
         In-Reply-To: {id}\r\nReferences: {id}\r\n\r\nLe cambiamos la cafetera.\r\n"
    );
    support.append("Sent", answer.as_bytes());
    servers.deliver("support@example.test", &sample("automated.en.eml"));
    support.until("both are filed", |imap| imap.filed() == 2);
    let answered = |config: &std::path::Path| ask(config, &["tickets", "--state", "waiting-for-them"]);
    let begun = std::time::Instant::now();
    while answered(&config).is_empty() {
        assert!(begun.elapsed().as_secs() < 20, "the answer was not learned: {}", ask(&config, &["tickets"]));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    let undone = ask(&config, &["undo", &id]);
    assert!(undone.contains("file into Queue/"), "{undone}");
    support.until("it is back", |imap| imap.count("INBOX") == 1);
    support.until("its keywords are off", |imap| {
        // who has handled it stays on it
        let ours = |flag: &String| flag.starts_with("ek-") && !flag.starts_with("ek-by-");
        imap.find("INBOX", &id).iter().all(|mail| !mail.flags.iter().any(ours))
    });
    assert!(ask(&config, &["audit", "verify"]).contains("whole"));
    assert!(ask(&config, &["status"]).contains("is running, mode act"));
    daemon.stop();
    // the same commands on the files
    assert!(ask(&config, &["status"]).contains("is not running"));
    assert!(ask(&config, &["explain", &id]).contains("undone"));
    servers.assert_log_is_clean();
}

#[test]
fn sighup_takes_a_good_policy_and_refuses_a_bad_one() {
    let Some(servers) = Servers::start("reload", &[]) else { return };
    let mut support = ImapClient::login(&servers, "support");
    let config = servers.config("act");
    let daemon = Daemon::start(&servers, &config, None);
    let good = std::fs::read_to_string(&config).unwrap();
    let drop_in = config.parent().unwrap().join("conf.d");
    std::fs::create_dir_all(&drop_in).unwrap();
    let file = drop_in.join("10-all.toml");
    std::fs::write(&file, "[[rule]]\nid = \"x\"\nwhen = 'nonsense'\n").unwrap();
    daemon.hang_up();
    daemon.wait_for_line("the new policy is refused");
    let status = ask(&config, &["status"]);
    assert!(status.contains("10-all.toml:3") && status.contains("nonsense"), "{status}");
    let all = "[[rule]]\nid = \"all\"\nwhen = 'true'\nadd-facts = [\"all\"]\n\
               [[route]]\nid = \"all\"\nfacts = [\"all\"]\nqueue = \"product\"\n";
    std::fs::write(&file, all).unwrap();
    daemon.hang_up();
    daemon.wait_for_line("the new policy is in force");
    servers.deliver("support@example.test", &sample("complaint.es.eml"));
    support.until("it follows the new policy", |imap| imap.count("Queue/Product") == 1);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), good);
    daemon.stop();
}

#[test]
fn at_its_most_talkative_no_log_holds_a_mail_or_a_password_whatever_the_libraries_would_say() {
    let Some(servers) = Servers::start("talkative", &[]) else { return };
    let config = servers.config("act");
    let all = "trace,async_imap=trace,imap_proto=trace,lettre=trace,rustls=trace,tokio_rustls=trace,hyper=trace,sled=trace";
    let daemon = Daemon::launch_with(&servers, &config, Some(("EVENKEEL_LOG", all)));
    daemon.wait_for_line("watching");
    for name in ["threat.en.eml", "abuse.ru.eml", "complaint.es.eml", "panic.uk.eml"] {
        servers.deliver("support@example.test", &sample(name));
    }
    let mut legal = ImapClient::login(&servers, "legal");
    legal.until("legal has it", |imap| imap.count("INBOX") == 1);
    ImapClient::login(&servers, "support").until("all are filed", |imap| imap.filed() == 4);
    let log = daemon.stop();
    // passwords travel in base64, too
    let plain = format!("\0support\0{}", servers.password());
    let sent = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, plain);
    assert!(!log.contains(&sent) && !log.contains("LOGIN"), "{log}");
    servers.assert_log_is_clean();
}
