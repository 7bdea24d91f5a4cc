//! Power cuts: the state on an ext4 of its own, in a file. A child process records mails and says
//! which are durable; then the file system is shut down as by a power cut (`EXT4_IOC_SHUTDOWN` without
//! flushing its journal), the child is killed, the file system mounted again, and the state opened.
//!
//! Needs root, loop devices, mkfs.ext4 and python3 (for the one ioctl); elsewhere it is skipped, and
//! says so. `EVENKEEL_POWER_CUTS=100` makes more of them: `tests/soak/power-cuts`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use evenkeel::edge::ledger::opening::Found;
use evenkeel::edge::ledger::{Cursor, EffectState, Store};

use super::{NOW, key, record};

/// A file with an ext4 in it.
pub struct Disk {
    at: tempfile::TempDir,
}

pub fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Disk {
    /// Made and mounted; `None`, said aloud, where that cannot be done.
    pub fn make(what: &str) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let image = at.path().join("image");
        std::fs::File::create(&image).unwrap().set_len(1024 * 1024 * 1024).unwrap();
        std::fs::create_dir(at.path().join("mounted")).unwrap();
        let disk = Self { at };
        let made = works(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))
            && works(Command::new("python3").arg("--version"))
            && disk.mount();
        if made {
            return Some(disk);
        }
        let why = "no ext4 can be mounted from a file here (needs root, loop devices, mkfs.ext4, python3)";
        crate::skipped::skipped(what, why);
        None
    }

    fn mount(&self) -> bool {
        let (image, mounted) = (self.at.path().join("image"), self.mounted());
        works(Command::new("mount").args(["-o", "loop"]).arg(image).arg(mounted))
    }

    pub fn mounted(&self) -> std::path::PathBuf {
        self.at.path().join("mounted")
    }

    fn unmount(&self) {
        for _ in 0..100 {
            if works(Command::new("umount").arg(self.mounted())) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the disk is busy for ever");
    }

    /// Whoever will cut the power, waiting for the word. What it leaves: nothing that was not flushed,
    /// not even the file system's own journal.
    fn at_the_switch(&self) -> Child {
        let ioctl = "import fcntl, os, struct, sys\n\
                     disk = os.open(sys.argv[1], os.O_RDONLY)\n\
                     print('ready', flush=True)\n\
                     sys.stdin.readline()\n\
                     fcntl.ioctl(disk, 0x8004587D, struct.pack('I', 2))";
        let mut switch = Command::new("python3")
            .args(["-c", ioctl])
            .arg(self.mounted())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(switch.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        switch
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.mounted()).stderr(Stdio::null()).status();
    }
}

/// How the child writes.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Mails made durable together.
    group: u32,
    /// Bytes of each record.
    bytes: usize,
}

const WAYS: [Way; 4] = [
    Way { group: 1, bytes: 200 },
    Way { group: 64, bytes: 200 },
    // new bases are copied meanwhile
    Way { group: 16, bytes: 12_000 },
    Way { group: 700, bytes: 200 },
];

fn begin(state: &Path, from: u32, way: Way) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::power::the_child_that_writes", "--ignored", "--nocapture"])
        .env("EVENKEEL_POWER_CHILD", format!("{from} {} {}", way.group, way.bytes))
        .env("EVENKEEL_POWER_STATE", state)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "is run by the test of power cuts"]
fn the_child_that_writes() {
    let Ok(plan) = std::env::var("EVENKEEL_POWER_CHILD") else { return };
    let plan: Vec<u32> = plan.split(' ').map(|number| number.parse().unwrap()).collect();
    let state = std::env::var("EVENKEEL_POWER_STATE").unwrap();
    let mut store = Store::open(Path::new(&state)).unwrap();
    for uid in plan[0].. {
        let record = written(uid, plan[2] as usize);
        let cursor = Cursor { uid_validity: 7, uid_next: uid + 1, began: NOW };
        store.intend(&record, None, Some(cursor)).unwrap();
        if uid % plan[1] == 0 {
            store.commit().unwrap();
            println!("durable {uid}");
        }
    }
}

fn written(uid: u32, bytes: usize) -> evenkeel::edge::ledger::MailRecord {
    let mut record = record(uid, EffectState::Pending, "EK-1");
    record.reasons[0].detail = format!("{uid} ").repeat(bytes / 8);
    record
}

#[derive(Debug, Default)]
struct Tally {
    cuts: u32,
    durable: u64,
    lost: u64,
    torn: u32,
    kept_unacknowledged: u64,
    made_anew: u32,
    slowest_start: Duration,
}

/// One cut, on top of what the last one left; the last uid that is in the state afterwards.
fn one_cut(disk: &Disk, seed: u64, from: u32, way: Way, tally: &mut Tally) -> u32 {
    let state = disk.mounted().join("state");
    let mut child = begin(&state, from, way);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // after the first record and a while that is different each time
    let mut durable = from - 1;
    let read = |lines: &mut dyn Iterator<Item = std::io::Result<String>>| {
        let line = lines.next()?.ok()?;
        Some(line.split("durable ").nth(1).and_then(|uid| uid.parse::<u32>().ok()))
    };
    // and now and then while the state is being opened
    while !seed.is_multiple_of(5) {
        let Some(line) = read(&mut lines) else { break };
        if let Some(uid) = line {
            durable = uid;
            break;
        }
    }
    let pause = Duration::from_micros(500 + seed % 400_000);
    let off = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let cutter = scope.spawn(|| {
            let mut switch = disk.at_the_switch();
            std::thread::sleep(pause);
            // a process dies with its power: what it says from now on nobody hears, and an fdatasync
            // that overlaps the ioctl may return 0 although the file system's journal was given up
            off.store(true, Ordering::SeqCst);
            switch.stdin.take().unwrap().write_all(b"now\n").unwrap();
            assert!(switch.wait().unwrap().success(), "the ioctl is refused");
        });
        while let Some(line) = read(&mut lines) {
            if let Some(uid) = line.filter(|_| !off.load(Ordering::SeqCst)) {
                durable = uid;
            }
        }
        cutter.join().unwrap();
    });
    child.kill().unwrap();
    child.wait().unwrap();
    disk.unmount();
    assert!(disk.mount(), "the disk cannot be mounted again");
    let begun = Instant::now();
    let store = Store::open(&state).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    tally.slowest_start = tally.slowest_start.max(begun.elapsed());
    tally.cuts += 1;
    tally.durable += u64::from(durable + 1 - from);
    if *store.found() != Found::Whole {
        eprintln!("seed {seed}, {way:?}: {:?}", store.found());
        tally.made_anew += 1;
    }
    for uid in from..=durable {
        if store.record(&key(uid)).unwrap() != Some(written(uid, way.bytes)) {
            tally.lost += 1;
        }
    }
    let cursor = store.cursor(&key(1).folder).unwrap().map_or(0, |cursor| cursor.uid_next);
    let mut last = durable;
    while store.record(&key(last + 1)).unwrap().is_some() {
        last += 1;
    }
    tally.kept_unacknowledged += u64::from(last - durable);
    // a batch is there as a whole or not at all
    let open = store.open_records(&key(1).folder).unwrap().len();
    let expected = if last == 0 { 0 } else { last + 1 };
    if cursor != expected || open != last as usize || store.verify_audit().is_err() {
        eprintln!("seed {seed}, {way:?}: torn: cursor {cursor}, last {last}, open {open}");
        tally.torn += 1;
    }
    last
}

#[test]
fn sleds_flush_goes_through_our_fdatasync_in_this_program() {
    let dir = tempfile::tempdir().unwrap();
    let before = evenkeel_lasting_flush::calls();
    let mut store = Store::open(dir.path()).unwrap();
    super::mail(&mut store, 1, EffectState::Pending);
    drop(store);
    assert!(evenkeel_lasting_flush::calls() > before);
}

#[test]
fn a_power_cut_loses_nothing_acknowledged_and_destroys_nothing() {
    let wanted = std::env::var("EVENKEEL_POWER_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_u32);
    let mut seed = std::env::var("EVENKEEL_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(7_u64);
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut disk = None;
    let mut last = 0;
    for n in 0..wanted {
        // a fresh disk now and then: the first start is cut as well
        if n % 8 == 0 {
            drop(disk.take());
            disk = Disk::make("power cuts");
            last = 0;
        }
        let Some(disk) = &disk else { return };
        let way = WAYS[n as usize % WAYS.len()];
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let name = format!("{:>4} mails a flush, {:>6} bytes each", way.group, way.bytes);
        last = one_cut(disk, seed >> 33, last + 1, way, tallies.entry(name).or_default());
    }
    eprintln!(
        "{:<36} {:>5} {:>9} {:>5} {:>5} {:>11} {:>14}",
        "power cuts", "cuts", "durable", "lost", "torn", "made anew", "slowest start"
    );
    for (name, tally) in &tallies {
        eprintln!(
            "{name:<36} {:>5} {:>9} {:>5} {:>5} {:>11} {:>11} ms",
            tally.cuts,
            tally.durable,
            tally.lost,
            tally.torn,
            tally.made_anew,
            tally.slowest_start.as_millis()
        );
    }
    for (name, tally) in &tallies {
        assert_eq!((tally.lost, tally.torn), (0, 0), "{name}");
    }
}
