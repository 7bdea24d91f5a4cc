//! Full and read-only disks. Needs root for a tmpfs of its own; elsewhere it is skipped, and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use evenkeel::edge::ledger::{EffectState, Ledger, LedgerError, Store};

use super::{contents, fill, mail};

/// A tmpfs of so many MiB, unmounted at the end.
struct Small {
    at: tempfile::TempDir,
}

impl Small {
    fn mount(mebibytes: u32) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let option = format!("size={mebibytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(at.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { at });
        }
        crate::skipped::skipped("full disks", "a tmpfs cannot be mounted here (needs root)");
        None
    }

    fn state(&self) -> PathBuf {
        self.at.path().join("state")
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        assert!(Command::new("mount").args(["-o", &option]).arg(self.at.path()).status().unwrap().success());
    }

    /// Takes all the space that is left.
    fn fill_up(&self) -> PathBuf {
        let path = self.at.path().join("other");
        let block = vec![1_u8; 4096];
        let mut file = fs::File::create(&path).unwrap();
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.at.path()).status();
    }
}

fn opened(dir: &Path) -> Result<(), LedgerError> {
    Ledger::open(dir).map(drop)
}

/// The thread of a dropped ledger gives the lock back a moment later.
fn soon(dir: &Path) -> Store {
    loop {
        match Store::open(dir) {
            Err(LedgerError::Locked { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
            other => return other.unwrap(),
        }
    }
}

#[test]
fn a_full_disk_stops_the_ledger_without_loss_and_it_goes_on_when_there_is_space() {
    let Some(disk) = Small::mount(48) else { return };
    drop(fill(&disk.state(), 20));
    opened(&disk.state()).unwrap();
    let mut store = soon(&disk.state());
    let other = disk.fill_up();
    let mut recorded = 20;
    let mut refused = None;
    for uid in 21..4_000 {
        let mut record = super::record(uid, EffectState::Pending, "EK-1");
        record.reasons[0].detail = "x".repeat(4_000);
        let done = store.intend(&record, None, None).and_then(|()| store.commit());
        match done {
            Ok(()) => recorded = uid,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.expect("the disk never got full");
    assert!(matches!(refused, LedgerError::Full { .. }), "{refused}");
    assert!(refused.to_string().contains("free some space"), "{refused}");
    drop(store);
    // commands still read; the daemon does not begin before there is space
    let store = soon(&disk.state());
    for uid in 21..=recorded {
        assert!(store.record(&super::key(uid)).unwrap().is_some(), "{uid} of {recorded} was acknowledged");
    }
    drop(store);
    let error = opened(&disk.state()).unwrap_err();
    assert!(matches!(error, LedgerError::Full { .. }), "{error}");
    fs::remove_file(other).unwrap();
    opened(&disk.state()).unwrap();
    let mut store = soon(&disk.state());
    mail(&mut store, 5_000, EffectState::Pending);
    assert!(contents(&mut store).len() > 100);
}

#[test]
fn a_read_only_disk_is_refused_in_one_line_and_nothing_is_set_aside() {
    let Some(disk) = Small::mount(48) else { return };
    let before = contents(&mut fill(&disk.state(), 5));
    disk.remount("ro");
    let error = opened(&disk.state()).unwrap_err();
    assert!(matches!(error, LedgerError::Directory { .. }), "{error}");
    assert!(error.to_string().contains("Read-only"), "{error}");
    assert_eq!(error.to_string().lines().count(), 1);
    disk.remount("rw");
    assert!(contents(&mut soon(&disk.state())) == before);
    assert!(super::aside(&disk.state()).is_empty());
}
