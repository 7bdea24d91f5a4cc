//! Backup, restore, and states of older versions.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use evenkeel::decide::customer::State;
use evenkeel::edge::ledger::backup::{self, RestoreError};
use evenkeel::edge::ledger::opening::Found;
use evenkeel::edge::ledger::{EffectState, LedgerError, MailState, Store};
use sha2::{Digest, Sha256};

use super::{NOW, aside, contents, copy, cut, fill, flip, key, mail};

pub fn sum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_backup_made_while_mails_are_recorded_is_restored_to_the_last_record() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = fill(dir.path(), 30);
    let before = contents(&mut store);
    let made = store.backup().unwrap();
    assert_eq!(backup::inspect(&made.file).unwrap(), made);
    assert_eq!(made.records, u64::try_from(before.len()).unwrap());
    // into an empty directory, and over a state that went on
    backup::restore(other.path(), &made.file).unwrap();
    assert!(contents(&mut Store::open(other.path()).unwrap()) == before);
    assert_eq!(Store::open(other.path()).unwrap().verify_audit().unwrap(), made.audit_lines);
    assert!(aside(other.path()).is_empty());
    mail(&mut store, 99, EffectState::Done);
    drop(store);
    backup::restore(dir.path(), &made.file).unwrap();
    assert_eq!(aside(dir.path()).len(), 2, "what was there is kept: {:?}", aside(dir.path()));
    let store = Store::open(dir.path()).unwrap();
    assert!(store.record(&key(99)).unwrap().is_none());
    assert_eq!(store.marked_customers(NOW).unwrap().len(), 1);
}

/// A way to spoil a file, by name.
type Spoil<'a> = (&'a str, &'a dyn Fn(&Path));

#[test]
fn a_damaged_or_newer_backup_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = fill(dir.path(), 10);
    let before = contents(&mut store);
    let made = store.backup().unwrap();
    let good = fs::read(&made.file).unwrap();
    drop(store);
    let spoil: [Spoil<'_>; 4] = [
        ("a changed byte", &|file| flip(file, 3_000)),
        ("a cut end", &|file| cut(file, fs::metadata(file).unwrap().len() - 40)),
        ("a missing last line", &|file| {
            let text = fs::read_to_string(file).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            fs::write(file, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
        }),
        ("no backup at all", &|file| fs::write(file, "hello\n").unwrap()),
    ];
    for (name, spoil) in spoil {
        fs::write(&made.file, &good).unwrap();
        spoil(&made.file);
        let error = backup::restore(dir.path(), &made.file).unwrap_err();
        assert!(matches!(error, RestoreError::Damaged { .. }), "{name}: {error}");
    }
    let text = String::from_utf8(good).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let head = head[17..].replace("\"format\":2", "\"format\":7");
    fs::write(&made.file, format!("{} {head}\n{rest}", sum(&head))).unwrap();
    let error = backup::restore(dir.path(), &made.file).unwrap_err();
    assert!(matches!(error, RestoreError::Newer { found: 7, .. }), "{error}");
    fs::remove_file(&made.file).unwrap();
    assert!(aside(dir.path()).is_empty());
    assert!(contents(&mut Store::open(dir.path()).unwrap()) == before);
}

#[test]
fn a_state_in_use_is_not_restored_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = fill(dir.path(), 3);
    let made = store.backup().unwrap();
    let error = backup::restore(dir.path(), &made.file).unwrap_err();
    assert!(matches!(error, RestoreError::Ledger(LedgerError::Locked { .. })), "{error}");
}

#[test]
fn whoever_was_erased_after_a_backup_stays_erased_when_it_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = fill(dir.path(), 6);
    let made = store.backup().unwrap();
    let kept = fs::read(&made.file).unwrap();
    store.erase("carl@example.org", false, "anna", NOW).unwrap().unwrap();
    store.commit().unwrap();
    drop(store);
    fs::write(&made.file, kept).unwrap();
    backup::restore(dir.path(), &made.file).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let export = store.export("carl@example.org", NOW).unwrap();
    assert!(export.mails.is_empty() && store.customer("carl@example.org").unwrap().is_none());
    assert_eq!(store.marked_customers(NOW).unwrap().len(), 1, "others are as they were");
}

#[test]
fn what_was_erased_is_in_no_file_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = fill(dir.path(), 6);
    store.erase("carl@example.org", false, "anna", NOW).unwrap().unwrap();
    store.commit().unwrap();
    for entry in fs::read_dir(dir.path().join("journal")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("carl@example.org") && text.contains("rude@example.org") | text.is_empty());
    }
}

/// The program with a config of its own, as ops call it.
fn evenkeel(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let password = dir.join("password");
    fs::write(&password, "secret").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let config = dir.join("evenkeel.toml");
    let text = format!(
        "mode = \"act\"\nstate-dir = \"{dir}/state\"\n[[account]]\nname = \"support\"\n\
         address = \"support@example.test\"\n[account.imap]\nhost = \"127.0.0.1\"\nport = 33101\ntls = \"none\"\n\
         user = \"support\"\npassword-file = \"{password}\"\n",
        dir = dir.display(),
        password = password.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    let output =
        command.arg("--config").arg(config).args(args).env_remove("CREDENTIALS_DIRECTORY").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_commands_write_a_backup_where_they_are_told_and_restore_it() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let before = contents(&mut fill(&state, 8));
    let target = dir.path().join("backups");
    fs::create_dir(&target).unwrap();
    let (status, out, err) = evenkeel(dir.path(), &["backup", target.to_str().unwrap()]);
    assert!(status == 0 && out.starts_with("written: "), "{out}{err}");
    let files: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(state.join("backups")).unwrap().count(), 0, "none stays behind");
    let (status, _, err) = evenkeel(dir.path(), &["backup", files[0].to_str().unwrap()]);
    assert!(status == 1 && err.contains("it exists"), "{err}");
    fs::remove_dir_all(&state).unwrap();
    let (status, out, err) = evenkeel(dir.path(), &["restore", files[0].to_str().unwrap()]);
    assert!(status == 0 && out.starts_with("restored: "), "{out}{err}");
    let mut store = Store::open(&state).unwrap();
    assert!(contents(&mut store) == before);
    // while somebody owns the state, who that is stands in the one line, and in the exit status
    let (status, _, err) = evenkeel(dir.path(), &["restore", files[0].to_str().unwrap()]);
    assert_eq!((status, err.trim().lines().count()), (73, 1), "{err}");
    assert!(err.contains(&format!("process {}", std::process::id())), "{err}");
    drop(store);
    flip(&files[0], 2_000);
    let (status, _, err) = evenkeel(dir.path(), &["restore", files[0].to_str().unwrap()]);
    assert!(status == 1 && err.contains("nothing was changed"), "{err}");
}

#[test]
fn the_exit_status_tells_a_newer_state_and_damage_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut store = fill(&state, 8);
    // the base holds all of it: sled cannot be brought up from the log alone
    store.erase("nobody@example.org", false, "anna", NOW).unwrap().unwrap();
    store.commit().unwrap();
    drop(store);
    cut(&state.join("ledger/db"), 5_000);
    let (status, _, err) = evenkeel(dir.path(), &["status"]);
    assert_eq!((status, err.trim().lines().count()), (0, 1), "{err}");
    assert!(err.contains("nothing is lost") && err.contains(".damaged-"), "{err}");
    let base = super::journal_file(&state, "base");
    let text = fs::read_to_string(&base).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let head = head[17..].replace("\"format\":2", "\"format\":9");
    fs::write(&base, format!("{} {head}\n{rest}", sum(&head))).unwrap();
    let (status, _, err) = evenkeel(dir.path(), &["status"]);
    assert_eq!((status, err.trim().lines().count()), (78, 1), "{err}");
    assert!(err.contains("install the newer version"), "{err}");
}

/// Every format that was ever written is in `tests/fixtures/state`.
#[test]
fn a_state_of_every_earlier_format_is_taken_over_with_what_was_under_way() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state");
    let formats: Vec<_> = fs::read_dir(&fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!formats.is_empty());
    for format in formats {
        let dir = tempfile::tempdir().unwrap();
        copy(&format, dir.path());
        let mut store = Store::open(dir.path()).unwrap();
        assert_eq!(*store.found(), Found::Whole, "{}", format.display());
        let open = store.open_records(&key(1).folder).unwrap();
        assert_eq!(open.iter().map(|record| record.key.uid).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(open[1].effects[0].state, EffectState::InFlight);
        assert_eq!(store.record(&key(3)).unwrap().unwrap().state, MailState::Done);
        assert_eq!(store.cursor(&key(1).folder).unwrap().unwrap().uid_next, 4);
        assert_eq!(store.attempt(&key(4)).unwrap(), 2, "the attempt before counts");
        let rude = store.show_customer("rude2@example.net", NOW).unwrap();
        assert_eq!((rude.customer.as_str(), rude.conduct), ("rude@example.org", State::EmailOnly));
        let ticket = store.case(&super::query()).unwrap().ticket.unwrap();
        assert_eq!(ticket.mails, 3);
        assert!(store.draft(ticket.id.as_str()).unwrap().is_some());
        assert!(store.verify_audit().unwrap() > 0);
        // from now on it has both halves
        let before = contents(&mut store);
        drop(store);
        fs::remove_dir_all(dir.path().join("ledger")).unwrap();
        assert!(contents(&mut Store::open(dir.path()).unwrap()) == before, "{}", format.display());
    }
}

#[test]
fn a_restore_that_is_killed_between_two_renames_leaves_one_whole_state() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = fill(dir.path(), 12);
    let made = store.backup().unwrap();
    mail(&mut store, 99, EffectState::Done);
    store.commit().unwrap();
    drop(store);
    // the journal that a restore makes
    backup::restore(other.path(), &made.file).unwrap();
    let whole = |name: &str, prepare: &dyn Fn(&Path)| {
        let torn = tempfile::tempdir().unwrap();
        copy(dir.path(), torn.path());
        prepare(torn.path());
        let all = |store: &Store| (1..=12).all(|uid| store.record(&key(uid)).unwrap().is_some());
        let store = Store::open(torn.path()).unwrap();
        assert!(all(&store) && store.marked_customers(NOW).unwrap().len() == 1, "{name}");
        drop(store);
        // the restore is repeated
        backup::restore(torn.path(), &made.file).unwrap();
        let store = Store::open(torn.path()).unwrap();
        assert!(all(&store) && store.record(&key(99)).unwrap().is_none(), "{name}: again");
    };
    let aside = |at: &Path| fs::rename(at.join("journal"), at.join("journal.replaced-now")).unwrap();
    whole("journal set aside", &|at| {
        copy(&other.path().join("journal"), &at.join("journal.new"));
        aside(at);
    });
    whole("new journal in its place", &|at| {
        aside(at);
        copy(&other.path().join("journal"), &at.join("journal"));
    });
    whole("old ledger set aside", &|at| {
        aside(at);
        copy(&other.path().join("journal"), &at.join("journal"));
        fs::rename(at.join("ledger"), at.join("ledger.replaced-now")).unwrap();
    });
}

/// Every entry below a directory with its owner.
fn owners(dir: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let data = fs::symlink_metadata(entry.path()).unwrap();
        found.push((entry.path().display().to_string(), data.uid()));
        if data.is_dir() {
            owners(&entry.path(), found);
        }
    }
}

#[test]
fn what_root_writes_into_the_daemon_s_state_belongs_to_the_daemon_s_user_and_nothing_outside_is_touched() {
    use std::os::unix::fs::{chown, symlink};
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return crate::skipped::skipped("commands of root", "root is needed");
    }
    let mut store = fill(&state, 5);
    let made = store.backup().unwrap().file;
    drop(store);
    let (outside, file) = (dir.path().join("outside"), dir.path().join("a.backup"));
    fs::rename(made, &file).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("root"), "x").unwrap();
    fs::write(dir.path().join("other"), "x").unwrap();
    symlink(&outside, state.join("link")).unwrap();
    fs::hard_link(dir.path().join("other"), state.join("linked")).unwrap();
    // the user `mail` of Debian
    chown(&state, Some(8), Some(8)).unwrap();
    let (status, _, err) = evenkeel(dir.path(), &["restore", file.to_str().unwrap()]);
    assert_eq!(status, 0, "{err}");
    let mut found = Vec::new();
    owners(&state, &mut found);
    let roots: Vec<&str> =
        found.iter().filter(|(_, user)| *user == 0).map(|(path, _)| path.as_str()).collect();
    assert!(
        found.len() > 6 && roots.iter().all(|path| path.ends_with("/link") || path.ends_with("/linked")),
        "{found:#?}"
    );
    assert_eq!(fs::metadata(outside.join("root")).unwrap().uid(), 0);
    assert_eq!(fs::metadata(dir.path().join("other")).unwrap().uid(), 0);
}
