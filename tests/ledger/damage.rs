//! Damaged, lost and outdated files: nothing acknowledged is lost while one half is whole.

use std::fs;
use std::path::Path;

use evenkeel::edge::ledger::customers::Change;
use evenkeel::edge::ledger::opening::Found;
use evenkeel::edge::ledger::{EffectState, LedgerError, Store};

use super::{aside, contents, copy, cut, fill, flip, journal_file, mail, zero};

/// Damages copies of one state, each in its way, and compares what is there afterwards.
fn each_comes_back(cases: impl IntoIterator<Item = (String, Box<dyn Fn(&Path)>)>) -> usize {
    let pristine = tempfile::tempdir().unwrap();
    let mut store = fill(pristine.path(), 150);
    // most of it is in the base, and some in the log
    store.erase("nobody@example.org", false, "anna", super::NOW).unwrap().unwrap();
    for uid in 151..=170 {
        mail(&mut store, uid, EffectState::Done);
    }
    let before = contents(&mut store);
    drop(store);
    assert!(before.len() > 600, "{}", before.len());
    let mut mended = 0;
    for (name, damage) in cases {
        let dir = tempfile::tempdir().unwrap();
        copy(pristine.path(), dir.path());
        damage(dir.path());
        let mut store = Store::open(dir.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = store.found().clone();
        assert!(!matches!(found, Found::Salvaged { .. }), "{name}: {found:?}");
        assert!(contents(&mut store) == before, "{name}: not the same records, found {found:?}");
        assert_eq!(store.verify_audit().unwrap(), store.verify_audit().unwrap());
        if let Found::Mended { aside: Some(kept), .. } = found {
            assert!(kept.exists() && aside(dir.path()).len() == 1, "{name}");
            mended += 1;
        }
        // and it is good for the next day
        mail(&mut store, 9_000, EffectState::Pending);
        let after = contents(&mut store);
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        assert_eq!(*store.found(), Found::Whole, "{name}");
        assert!(contents(&mut store) == after, "{name}: lost at the next start");
    }
    mended
}

type Case = (String, Box<dyn Fn(&Path)>);

fn case(name: &str, damage: impl Fn(&Path) + 'static) -> Case {
    (name.to_owned(), Box::new(damage))
}

#[test]
fn a_flipped_bit_anywhere_in_sleds_file_costs_nothing() {
    let cases = (0..24_u64).map(|n| {
        case(&format!("bit {n}"), move |dir| {
            flip(&dir.join("ledger/db"), n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
        })
    });
    assert!(each_comes_back(cases) > 5, "flipped bits were not noticed");
}

#[test]
fn a_zeroed_block_or_a_cut_end_of_sleds_file_costs_nothing() {
    let zeroed = (0..8_usize)
        .map(|n| case(&format!("block {n}"), move |dir| zero(&dir.join("ledger/db"), n * 70_001)));
    let cuts = (1..8_u64).map(|n| {
        case(&format!("cut to {n} eighths"), move |dir| {
            let path = dir.join("ledger/db");
            let length = fs::metadata(&path).unwrap().len();
            cut(&path, length * n / 8);
        })
    });
    assert!(each_comes_back(zeroed.chain(cuts)) > 5, "damage was not noticed");
}

#[test]
fn lost_empty_and_left_over_files_of_sled_cost_nothing() {
    let cases = [
        case("empty conf", |dir| cut(&dir.join("ledger/conf"), 0)),
        case("no conf", |dir| fs::remove_file(dir.join("ledger/conf")).unwrap()),
        case("no db", |dir| fs::remove_file(dir.join("ledger/db")).unwrap()),
        case("empty db", |dir| cut(&dir.join("ledger/db"), 0)),
        case("a snapshot that was not finished", |dir| {
            fs::write(dir.join("ledger/snap.0000000000000FFF.generating"), b"half").unwrap();
        }),
        case("nothing of sled", |dir| fs::remove_dir_all(dir.join("ledger")).unwrap()),
        case("a remake that was broken off", |dir| {
            fs::create_dir(dir.join("ledger.new")).unwrap();
            fs::write(dir.join("ledger.new/db"), b"half").unwrap();
        }),
        case("an opening that never came back, three times", |dir| {
            fs::write(dir.join("opening"), "3").unwrap();
        }),
    ];
    each_comes_back(cases);
}

#[test]
fn damage_to_the_journal_costs_nothing_while_sled_is_whole() {
    let mut cases = vec![
        case("a changed line of the log", |dir| flip(&journal_file(dir, "log"), 5_000)),
        case("a zeroed block of the log", |dir| zero(&journal_file(dir, "log"), 20_000)),
        case("a base that is cut", |dir| cut(&journal_file(dir, "base"), 10)),
        case("no base", |dir| fs::remove_file(journal_file(dir, "base")).unwrap()),
        case("no log", |dir| fs::remove_file(journal_file(dir, "log")).unwrap()),
        case("no journal", |dir| fs::remove_dir_all(dir.join("journal")).unwrap()),
    ];
    cases.push(case("a copy of a base that was not finished", |dir| {
        fs::write(dir.join("journal/00000000000000000009.unfinished"), b"half").unwrap();
    }));
    cases.push(case("a line that was being written when the process died", |dir| {
        let log = journal_file(dir, "log");
        let mut bytes = fs::read(&log).unwrap();
        bytes.extend_from_slice(b"0123456789abcdef {\"batch\":{\"n\":");
        fs::write(&log, bytes).unwrap();
    }));
    each_comes_back(cases);
}

#[test]
fn an_older_copy_of_one_half_is_noticed_and_made_good_from_the_other() {
    for half in ["ledger", "journal"] {
        let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(fill(dir.path(), 10));
        copy(&dir.path().join(half), &old.path().join(half));
        let mut store = Store::open(dir.path()).unwrap();
        for uid in 11..=60 {
            store.attempt(&super::key(uid)).unwrap();
        }
        let before = contents(&mut store);
        drop(store);
        fs::remove_dir_all(dir.path().join(half)).unwrap();
        copy(&old.path().join(half), &dir.path().join(half));
        let mut store = Store::open(dir.path()).unwrap();
        assert!(contents(&mut store) == before, "{half}");
    }
}

#[test]
fn what_a_killed_process_had_not_brought_into_sled_comes_from_the_journal() {
    let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(fill(dir.path(), 10));
    copy(&dir.path().join("ledger"), &old.path().join("ledger"));
    let mut store = Store::open(dir.path()).unwrap();
    mail(&mut store, 11, EffectState::Pending);
    let before = contents(&mut store);
    drop(store);
    fs::remove_dir_all(dir.path().join("ledger")).unwrap();
    copy(&old.path().join("ledger"), &dir.path().join("ledger"));
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(*store.found(), Found::Whole, "a kill is no damage");
    assert!(contents(&mut store) == before);
}

#[test]
fn what_waits_in_memory_for_sled_is_in_the_journal_when_the_process_is_killed() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = fill(dir.path(), 60);
    let set = Change::Lift { appeal: "sorry".into() };
    store.change_customer("rude@example.org", &set, "anna", super::NOW).unwrap();
    store.commit().unwrap();
    // so the files lie when the process is gone: sled knows next to nothing
    copy(dir.path(), killed.path());
    let before = contents(&mut store);
    assert!(store.marked_customers(super::NOW).unwrap().is_empty(), "what waits is read");
    assert_eq!(store.open_records(&super::key(1).folder).unwrap().len(), 40);
    drop(store);
    let sled = |dir: &Path| sled::open(dir.join("ledger")).unwrap().len();
    assert!(sled(killed.path()) < 20 && sled(dir.path()) > 300, "it was not written group by group");
    let mut store = Store::open(killed.path()).unwrap();
    assert_eq!(*store.found(), Found::Whole, "a kill is no damage");
    assert!(contents(&mut store) == before);
    assert!(store.marked_customers(super::NOW).unwrap().is_empty(), "and what was removed stays so");
}

#[test]
fn of_two_damaged_halves_every_readable_line_is_kept_and_nothing_is_invented() {
    let dir = tempfile::tempdir().unwrap();
    let before = contents(&mut fill(dir.path(), 60));
    // the marks of customers are in the first lines, the damage is behind them
    flip(&journal_file(dir.path(), "log"), 30_000);
    cut(&dir.path().join("ledger/db"), 100);
    let mut store = Store::open(dir.path()).unwrap();
    assert!(matches!(store.found(), Found::Salvaged { lost_lines: 1, .. }), "{:?}", store.found());
    assert_eq!(aside(dir.path()).len(), 2);
    let after = contents(&mut store);
    let invented: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert!(after.len() + 12 > before.len(), "{} of {}", after.len(), before.len());
    // counters of the lost batch may be older; they are not new
    assert!(invented.len() <= 6, "{invented:#?}");
    assert_eq!(store.marked_customers(super::NOW).unwrap().len(), 1);
}

#[test]
fn the_journal_stays_short_and_holds_everything_while_a_base_is_copied() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let mut most = 0;
    for uid in 1..=2_600_u32 {
        let mut record = super::record(uid % 900, EffectState::Pending, "EK-1");
        record.reasons[0].detail = "x".repeat(8_000);
        store.intend(&record, None, None).unwrap();
        if uid % 20 == 0 {
            store.commit().unwrap();
            let files = fs::read_dir(dir.path().join("journal")).unwrap();
            // older files go while they are counted
            let sizes = files.filter_map(|file| file.unwrap().metadata().ok());
            most = most.max(sizes.map(|size| size.len()).sum::<u64>());
        }
    }
    let before = contents(&mut store);
    drop(store);
    assert!(most < 40 * 1024 * 1024, "{most} bytes");
    // and sled is lost: the base that was copied meanwhile knows all
    fs::remove_dir_all(dir.path().join("ledger")).unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    assert!(contents(&mut store) == before);
}

#[test]
fn a_state_of_a_newer_version_is_refused_with_one_line_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(fill(dir.path(), 3));
    let base = journal_file(dir.path(), "base");
    let text = fs::read_to_string(&base).unwrap();
    let head = text.lines().next().unwrap()[17..].replace("\"format\":2", "\"format\":3");
    let sum = super::backups::sum(&head);
    let rest: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    fs::write(&base, format!("{sum} {head}\n{rest}")).unwrap();
    let Err(error) = Store::open(dir.path()) else { panic!("it was opened") };
    assert!(matches!(error, LedgerError::Newer { found: 3, known: 2 }));
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(aside(dir.path()).is_empty());
}
