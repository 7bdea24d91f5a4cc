//! The ledger against everything that can happen to its files.

mod backups;
mod damage;
mod memory;
pub mod power;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use evenkeel::decide::customer::State;
use evenkeel::decide::{Desk, Reason, Ticket, Word};
use evenkeel::edge::ledger::customers::Change;
use evenkeel::edge::ledger::{
    CaseQuery, Cursor, Effect, EffectRecord, EffectState, FolderKey, MailKey, MailRecord, MailState, Store,
};
use evenkeel::mail::MessageId;
use evenkeel::time::Timestamp;

const NOW: Timestamp = Timestamp(1_793_600_000);

fn key(uid: u32) -> MailKey {
    let folder = FolderKey { account: "support".into(), folder: "INBOX".into() };
    MailKey { folder, uid_validity: 7, uid }
}

/// A mail of Carl's, with a forward that is in the given state.
fn record(uid: u32, state: EffectState, ticket: &str) -> MailRecord {
    let id = MessageId::new(&format!("ek.forward{uid}@example.com")).unwrap();
    let effect = Effect::Forward { desk: Desk::Legal, id, to: vec!["legal@example.com".into()] };
    MailRecord {
        key: key(uid),
        identity: format!("identity{uid}"),
        message_id: MessageId::new(&format!("mail{uid}@example.org")),
        decided: Timestamp(NOW.0 + i64::from(uid)),
        state: if state.is_final() { MailState::Done } else { MailState::Intended },
        verdict: None,
        reasons: vec![Reason::new(Word::Rule, "a reason ".repeat(20))],
        ticket: Some(ticket.to_owned()),
        customer: Some("carl@example.org".into()),
        before: None,
        effects: vec![EffectRecord { effect, state }],
    }
}

fn query() -> CaseQuery {
    CaseQuery {
        account: "support".into(),
        customer: Some("carl@example.org".into()),
        references: vec![MessageId::new("first@example.org").unwrap()],
        ..CaseQuery::default()
    }
}

/// Decides and records one more mail of Carl's; durable.
fn mail(store: &mut Store, uid: u32, state: EffectState) -> MailRecord {
    let mut case = store.case(&query()).unwrap();
    let mut ticket = case.ticket.clone().unwrap_or_else(|| Ticket::open(case.next_ticket.clone(), NOW));
    ticket.mail(Some("carl@example.org"), None, NOW, NOW);
    case.customer.contact(NOW);
    let record = record(uid, state, ticket.id.as_str());
    case.ticket = Some(ticket);
    let cursor = Cursor { uid_validity: 7, uid_next: uid + 1, began: NOW };
    store.intend(&record, Some((&case, &query())), Some(cursor)).unwrap();
    store.commit().unwrap();
    record
}

/// A state with marks, tickets, and mails of which some are done and some are not.
fn fill(dir: &Path, mails: u32) -> Store {
    let mut store = Store::open(dir).unwrap();
    let set = Change::Set { state: State::EmailOnly, days: None, note: "by hand".into() };
    store.change_customer("rude@example.org", &set, "anna", NOW).unwrap();
    let link = Change::Link { other: "rude2@example.net".into() };
    store.change_customer("rude@example.org", &link, "anna", NOW).unwrap();
    let states = [EffectState::Pending, EffectState::InFlight, EffectState::Done];
    for uid in 1..=mails {
        let state = states[uid as usize % 3].clone();
        mail(&mut store, uid, state);
    }
    store.commit().unwrap();
    store
}

/// All records of a state, as a backup holds them.
fn contents(store: &mut Store) -> Vec<String> {
    let made = store.backup().unwrap();
    let text = fs::read_to_string(&made.file).unwrap();
    fs::remove_file(&made.file).unwrap();
    let puts = text.lines().filter_map(|line| line.get(17..)).filter(|line| line.starts_with("{\"put\""));
    puts.map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    let at = usize::try_from(at).unwrap() % bytes.len();
    bytes[at] ^= 1 << (at % 8);
    fs::write(path, bytes).unwrap();
}

fn zero(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let start = (at % bytes.len()) / 4096 * 4096;
    let end = (start + 4096).min(bytes.len());
    bytes[start..end].fill(0);
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(length).unwrap();
}

/// The one file with this ending in the journal.
fn journal_file(dir: &Path, ending: &str) -> PathBuf {
    let entries = fs::read_dir(dir.join("journal")).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == ending));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What was set aside in a state directory.
fn aside(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| name.contains(".damaged-") || name.contains(".replaced-")).collect();
    names.sort();
    names
}
