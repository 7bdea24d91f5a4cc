//! The long runs, which `./check` leaves out: `tests/soak/run` says how. Each prints a row for a table.

mod weeks;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::e2e::client::ImapClient;
use crate::e2e::id_of;
use crate::e2e::servers::Daemon;
use crate::faults::{Rig, complaint, threat};

/// Steps at which the process is killed; `time` is no step but a moment.
const STEPS: [&str; 11] =
    ["claim", "fetch", "classify", "intent", "draft", "inflight", "forward", "tag", "move", "done", "time"];

/// Kills between two counts.
const BETWEEN_COUNTS: usize = 20;

/// xorshift: the same seed gives the same run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    mails: usize,
    lost: usize,
    doubled_mails: usize,
    untagged: usize,
    missing_drafts: usize,
    doubled_drafts: usize,
    missing_forwards: usize,
    doubled_forwards: usize,
    /// Doubled, and not recognisable by the same Message-ID.
    strange_forwards: usize,
}

impl Tally {
    /// Counts what has become of `mails` (id, whether it is a threat).
    fn count(&mut self, rig: &Rig, mails: &[(String, bool)]) {
        let mut support = rig.support();
        let everything = support.everything();
        let mut forwards: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for forward in rig.legal().all("INBOX") {
            let text = String::from_utf8_lossy(&forward.bytes).into_owned();
            if let Some((id, _)) = mails.iter().find(|(id, _)| text.contains(id.as_str())) {
                forwards.entry(id).or_default().push(id_of(&forward.bytes));
            }
        }
        for (id, is_threat) in mails {
            let places: Vec<&String> = everything.iter().filter(|line| line.contains(id.as_str())).collect();
            let drafts = support.search("Drafts", &format!("HEADER In-Reply-To \"{id}\"")).len();
            let sent = forwards.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            self.mails += 1;
            self.lost += usize::from(places.is_empty());
            self.doubled_mails += places.len().saturating_sub(1);
            let keyword = if *is_threat { "ek-threat" } else { "ek-complaint" };
            self.untagged += places.iter().filter(|place| !place.contains(keyword)).count();
            self.missing_drafts += usize::from(drafts == 0);
            self.doubled_drafts += drafts.saturating_sub(1);
            self.missing_forwards += usize::from(*is_threat && sent.is_empty());
            self.doubled_forwards += sent.len().saturating_sub(1);
            self.strange_forwards += usize::from(sent.iter().any(|id| Some(id) != sent.first()));
        }
    }

    fn assert_kept(&self, doubled_forwards: usize) {
        let promise = Self { mails: self.mails, doubled_forwards: self.doubled_forwards, ..Self::default() };
        assert_eq!(*self, promise, "the promise is broken");
        assert!(
            self.doubled_forwards <= doubled_forwards,
            "{self:?}: more than the declared window explains"
        );
    }
}

fn rig(name: &str) -> (Rig, std::path::PathBuf) {
    let rig = Rig::start(name, &[]).expect("the long runs need Dovecot, Postfix and root");
    let mut wish = rig.wish();
    // random kills are nobody's fault, and all mails come from the same two senders
    wish.top = "attempts = 100000\n[limits]\nper-sender = 0\nper-thread = 0\nin-all = 0\n";
    let config = rig.config(&wish);
    (rig, config)
}

fn wait_until_empty(rig: &Rig, daemon: &Daemon) {
    let mut support = rig.support();
    let begun = Instant::now();
    while support.count("INBOX") > 0 {
        assert!(begun.elapsed() < Duration::from_mins(5), "INBOX does not empty:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn deliver(rig: &Rig, name: &str, is_threat: bool) -> (String, bool) {
    let mail = if is_threat { threat(name) } else { complaint(name) };
    (rig.deliver(&mail), is_threat)
}

#[test]
#[ignore = "hours; see tests/soak/run"]
fn kills() {
    let (wanted, seed) = (number("EVENKEEL_KILLS", 1_000), number("EVENKEEL_SEED", 1));
    let (rig, config) = rig("soak-kills");
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut tally, mut open) = (Tally::default(), Vec::new());
    let mut by_step: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut kills, mut window, mut rss) = (0, 0, Vec::new());
    let begun = Instant::now();
    // the very first start takes "now" as its beginning
    Daemon::start(&rig.servers, &config, None).stop();
    while kills < wanted {
        let step = STEPS[usize::try_from(dice.below(STEPS.len() as u64)).unwrap()];
        let more = dice.below(3);
        for n in 0..=more {
            // what is to be forwarded must be a threat
            let is_threat = dice.below(2) == 0 || n == 0;
            open.push(deliver(&rig, &format!("kill-{seed}-{}", tally.mails + open.len()), is_threat));
        }
        // steps of a set come once for several mails, the others once for each
        let of_set = matches!(step, "claim" | "fetch" | "classify" | "intent" | "done" | "tag" | "move");
        let nth = if of_set { 1 } else { 1 + dice.below(2) };
        let plan = (step != "time").then(|| format!("{step}:{nth}"));
        let daemon = Daemon::launch(&rig.servers, &config, plan.as_deref());
        let patience = if plan.is_some() { 10_000 } else { 50 + dice.below(3_000) };
        let by_itself = daemon.dies_within(Duration::from_millis(patience));
        // what is not reached any more is killed at this moment
        *by_step.entry(if by_itself { step } else { "time" }).or_default() += 1;
        // between "in flight" and "done" only the other side knows
        window += usize::from(!by_itself || matches!(step, "inflight" | "forward"));
        kills += 1;
        if kills % BETWEEN_COUNTS as u64 == 0 || kills == wanted {
            let daemon = Daemon::start(&rig.servers, &config, None);
            wait_until_empty(&rig, &daemon);
            rss.push(daemon.rss_kib());
            daemon.stop();
            tally.count(&rig, &open);
            open.clear();
            println!("{kills} kills, {:.0} s: {tally:?}", begun.elapsed().as_secs_f32());
        }
    }
    let mut steps = String::new();
    for (step, count) in &by_step {
        let _ = write!(steps, "{step} {count}, ");
    }
    println!("kills by step: {}", steps.trim_end_matches(", "));
    println!(
        "| {} | {kills} | {} | {} | {} | {} | {} / {} |",
        tally.mails,
        tally.lost,
        tally.doubled_mails,
        tally.doubled_drafts,
        tally.doubled_forwards,
        rss.first().copied().unwrap_or(0),
        rss.last().copied().unwrap_or(0)
    );
    tally.assert_kept(window);
}

#[test]
#[ignore = "as long as EVENKEEL_MINUTES says; see tests/soak/run"]
fn cuts() {
    let (minutes, seed) = (number("EVENKEEL_MINUTES", 60), number("EVENKEEL_SEED", 1));
    let (rig, config) = rig("soak-cuts");
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let daemon = Daemon::start(&rig.servers, &config, None);
    let (mut mails, mut cuts, mut rss) = (Vec::new(), 0_usize, Vec::new());
    let begun = Instant::now();
    let mut next_cut = Duration::ZERO;
    while begun.elapsed() < Duration::from_secs(minutes * 60) {
        mails.push(deliver(&rig, &format!("cut-{seed}-{}", mails.len()), dice.below(2) == 0));
        if begun.elapsed() >= next_cut {
            if dice.below(3) == 0 {
                rig.smtp.cut_all();
            } else {
                rig.imap.cut_all();
            }
            cuts += 1;
            next_cut = begun.elapsed() + Duration::from_millis(1_000 + dice.below(9_000));
        }
        if mails.len() == 20 || mails.len() % 500 == 0 {
            rss.push(daemon.rss_kib());
        }
        std::thread::sleep(Duration::from_millis(100 + dice.below(900)));
    }
    // pauses between connections have grown: a new start does not wait
    daemon.stop();
    let daemon = Daemon::launch(&rig.servers, &config, None);
    // what was begun and broken off is finished first
    crate::faults::until("it watches", Duration::from_mins(5), || daemon.log().contains("watching"));
    wait_until_empty(&rig, &daemon);
    daemon.stop();
    let mut tally = Tally::default();
    tally.count(&rig, &mails);
    println!("{tally:?}");
    println!(
        "| {} | {cuts} cuts | {} | {} | {} | {} | {} / {} |",
        tally.mails,
        tally.lost,
        tally.doubled_mails,
        tally.doubled_drafts,
        tally.doubled_forwards,
        rss.first().copied().unwrap_or(0),
        rss.last().copied().unwrap_or(0)
    );
    tally.assert_kept(cuts);
}

/// A mail of some kilobytes that a machine wrote: it is tagged and moved, nothing else.
fn automated(n: usize) -> Vec<u8> {
    let text = "The nightly report is attached to your account. No action is needed on your side.\r\n"
        .repeat(30 + n % 60);
    format!(
        "From: Reports <noreply@reports.example.org>\r\nTo: support@example.test\r\nSubject: Report {n}\r\n\
         Message-ID: <backlog-{n}@reports.example.org>\r\nDate: Sat, 21 Nov 2026 09:12:00 +0200\r\n\
         Auto-Submitted: auto-generated\r\n\r\n{text}"
    )
    .into_bytes()
}

/// What the same server gives to a client that only fetches and moves, in sets of a hundred.
fn bare_pass(support: &mut ImapClient, to: &str) -> Duration {
    let uids = support.search("INBOX", "ALL");
    let begun = Instant::now();
    support.order("SELECT INBOX");
    for set in uids.chunks(100) {
        let set: Vec<String> = set.iter().map(u32::to_string).collect();
        let set = set.join(",");
        support.order(&format!("UID FETCH {set} (UID BODY.PEEK[])"));
        // no `ek-…`: a mail with a keyword of ours counts as handled before, and every step is then proven
        support.order(&format!("UID STORE {set} +FLAGS (seen-by-bare-pass)"));
        support.order(&format!("UID MOVE {set} {to}"));
    }
    begun.elapsed()
}

#[test]
#[ignore = "minutes, and a quiet machine; see tests/soak/run"]
fn backlog() {
    let count = usize::try_from(number("EVENKEEL_BACKLOG", 10_000)).unwrap();
    let (rig, config) = rig("soak-backlog");
    let text = std::fs::read_to_string(&config).unwrap();
    // not through the proxies: they look at every byte
    let text = text
        .replace(&format!("port = {}", rig.imap.port), &format!("port = {}", rig.servers.port))
        .replace("address = \"support@example.test\"", "address = \"support@example.test\"\nstart = \"30d\"");
    std::fs::write(&config, text).unwrap();
    let mut support = rig.support();
    support.create("Bare");
    for n in 0..count {
        support.append("INBOX", &automated(n));
    }
    let bare = bare_pass(&mut support, "Bare");
    support.order("SELECT Bare");
    support.order("UID MOVE 1:* INBOX");
    support.order("CLOSE");
    let begun = Instant::now();
    let daemon = Daemon::start(&rig.servers, &config, None);
    while !support.is_empty("INBOX") {
        assert!(begun.elapsed() < Duration::from_mins(30), "{}", daemon.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let ours = begun.elapsed();
    let rss = daemon.rss_kib();
    daemon.stop();
    assert_eq!(support.count("Queue/Automated"), count);
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{count} mails: bare fetch and move {:.0}/s, evenkeel end to end {:.0}/s ({:.0} %), {rss} KiB resident",
        rate(bare),
        rate(ours),
        rate(ours) / rate(bare) * 100.0
    );
}

#[test]
#[ignore = "a quarter of an hour; see tests/soak/run"]
fn weeks() {
    weeks::run();
}

#[test]
#[ignore = "a minute, and a quiet machine; see tests/soak/run"]
fn latency() {
    let count = usize::try_from(number("EVENKEEL_MAILS", 200)).unwrap();
    let (rig, config) = rig("soak-latency");
    let daemon = Daemon::start(&rig.servers, &config, None);
    let mut support = rig.support();
    let mut times = Vec::new();
    for n in 0..count {
        let id = rig.deliver(&automated(n));
        let begun = Instant::now();
        while support.search("Queue/Automated", &format!("HEADER Message-ID \"{id}\"")).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", daemon.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        times.push(begun.elapsed());
    }
    daemon.stop();
    times.sort_unstable();
    println!(
        "{count} mails, delivered to filed: p50 {} ms, p99 {} ms",
        times[count / 2].as_millis(),
        times[count * 99 / 100].as_millis()
    );
}

#[test]
#[ignore = "a minute; see tests/soak/run"]
fn accounts() {
    let (count, each) = (usize::try_from(number("EVENKEEL_ACCOUNTS", 100)).unwrap(), 3);
    let (rig, config) = rig("soak-accounts");
    let password = rig.servers.password();
    let mut users = std::fs::read_to_string(rig.servers.dir.join("users")).unwrap();
    let mut text = std::fs::read_to_string(&config).unwrap();
    let (top, account) = text.split_once("[[account]]").unwrap();
    let mut all = top.to_owned();
    for n in 0..count {
        let _ = writeln!(users, "box{n}:{{PLAIN}}{password}");
        let own = account.replace("\"support", &format!("\"box{n}"));
        let _ = write!(all, "[[account]]{own}");
    }
    text = all.replace(&format!("port = {}", rig.imap.port), &format!("port = {}", rig.servers.port));
    std::fs::write(rig.servers.dir.join("users"), users).unwrap();
    std::fs::write(&config, text).unwrap();
    let daemon = Daemon::launch(&rig.servers, &config, None);
    let watched = |log: String| log.matches("watching").count();
    crate::faults::until("all are watched", Duration::from_mins(2), || watched(daemon.log()) >= count);
    let idle = daemon.rss_kib();
    let begun = Instant::now();
    let mut boxes: Vec<ImapClient> =
        (0..count).map(|n| ImapClient::at(rig.servers.port, &format!("box{n}"), &password)).collect();
    for (n, own) in boxes.iter_mut().enumerate() {
        for m in 0..each {
            own.append("INBOX", &complaint(&format!("box-{n}-{m}")));
        }
    }
    for own in &mut boxes {
        while own.count("Queue/Support") < each {
            assert!(begun.elapsed() < Duration::from_mins(5), "{}", daemon.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!((own.count("INBOX"), own.count("Drafts")), (0, each));
    }
    println!(
        "{count} accounts, {each} mails each: filed and drafted {:.1} s after the first was put there; {idle} KiB resident idle, {} after",
        begun.elapsed().as_secs_f32(),
        daemon.rss_kib()
    );
    daemon.stop();
}
