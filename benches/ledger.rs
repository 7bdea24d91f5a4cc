//! What a mail costs in the ledger when many customers and tickets are known: the case looked up,
//! the record, customer and ticket written, made durable in groups of 64 as the daemon does.
//!
//! `cargo bench --bench ledger -- 1000 1000000` compares these two sizes, each in a process of its
//! own: memory that one has used is no memory of the other.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark measures with the clock and says what it found"
)]

use std::time::Instant;

use evenkeel::classify::Verdict;
use evenkeel::daemon::plan::{self, Decided};
use evenkeel::decide::{Care, Customer, Paces, Rulebook, Ticket, TicketId, decide};
use evenkeel::edge::ledger::{CaseQuery, FolderKey, MailKey, Store};
use evenkeel::mail::MessageId;
use evenkeel::time::Timestamp;

const MAILS: u32 = 12_800;

fn fill(store: &mut Store, count: u64) {
    store.start_at(count, &Care::default(), &Paces::default()).unwrap();
    for n in 0..count {
        let mut customer = Customer::default();
        customer.contact(Timestamp(i64::try_from(n).unwrap()));
        store.take_over_customer(&format!("customer{n}@example.org"), &customer).unwrap();
        let mut ticket = Ticket::open(TicketId::new(n, [7, 9]), Timestamp(0));
        ticket.mail(Some(&format!("customer{n}@example.org")), None, Timestamp(0), Timestamp(0));
        let query = CaseQuery {
            account: "a".into(),
            references: vec![MessageId::new(&format!("first{n}@example.org")).unwrap()],
            ..CaseQuery::default()
        };
        store.take_over_ticket(&query, &ticket).unwrap();
        if n % 1_000 == 0 {
            store.commit().unwrap();
        }
    }
    store.commit().unwrap();
}

/// Processor time of all threads, in microseconds: what a busy machine does not change.
fn processor() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1_000.0
}

/// Microseconds for one mail, by the clock and of all processors: the mean, in which whatever is done
/// now and then has its part.
fn measure(store: &mut Store, known: u64, book: &Rulebook) -> (f64, f64) {
    let busy = processor();
    let begun = Instant::now();
    for n in 0..MAILS {
        let who = u64::from(n).wrapping_mul(2_654_435_761) % known;
        let text = format!(
            "From: C <customer{who}@example.org>\r\nTo: a@example.com\r\nSubject: Router {n} again\r\n\
             Message-ID: <m{n}@example.org>\r\nIn-Reply-To: <first{who}@example.org>\r\n\r\nIt does not work.\r\n"
        );
        let mail = evenkeel::mail::parse(text.as_bytes());
        let query = plan::case_query("a", &mail);
        let before = store.case(&query).unwrap();
        assert!(before.ticket.is_some(), "the thread is known");
        let at = Timestamp(1_000 + i64::from(n));
        let verdict = Verdict::unread();
        let decision = decide(&mail, &verdict, &before, book, at);
        let folder = FolderKey { account: "a".into(), folder: "INBOX".into() };
        let record = plan::record(
            Decided {
                key: MailKey { folder, uid_validity: 1, uid: n + 1 },
                identity: plan::identity(text.as_bytes(), n),
                mail: &mail,
                verdict: &verdict,
                before,
                decision: &decision,
                open_draft: None,
                address: "a@example.com",
                at,
            },
            &book.policy,
        );
        store.intend(&record, Some((&decision.case, &query)), None).unwrap();
        if n % 64 == 63 {
            store.commit().unwrap();
        }
    }
    let mails = f64::from(MAILS);
    (begun.elapsed().as_secs_f64() * 1e6 / mails, (processor() - busy) / mails)
}

/// Memory of this process: now, and the most it was.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    format!("{} resident, {} at most", of("VmRSS:"), of("VmHWM:"))
}

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 50_000] } else { sizes };
    let [size] = sizes[..] else {
        for size in sizes {
            let program = std::env::current_exe().unwrap();
            assert!(std::process::Command::new(program).arg(size.to_string()).status().unwrap().success());
        }
        return;
    };
    let book = Rulebook::default();
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    fill(&mut store, size);
    // what filling has left to do is no cost of the mails
    let journal = dir.path().join("journal");
    while std::fs::read_dir(&journal)
        .unwrap()
        .flatten()
        .any(|file| file.path().extension().is_some_and(|ending| ending == "unfinished"))
    {
        std::thread::sleep(std::time::Duration::from_millis(100));
        store.commit().unwrap();
    }
    let filled = resident();
    let (cost, busy) = measure(&mut store, size, &book);
    let now = resident();
    println!(
        "{size:>9} customers and tickets: {cost:>7.0} µs a mail, {busy:.0} µs of processor, {now} (after filling {filled})"
    );
    drop(store);
    let begun = Instant::now();
    let store = Store::open(dir.path()).unwrap();
    println!("          opened again in {:.1} s, {} bytes", begun.elapsed().as_secs_f64(), store.bytes());
}
