//! The binary as a person or a program meets it: help, exit status, stdout, stderr.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn evenkeel(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args(args)
        .stdin(Stdio::null())
        .env_remove("CREDENTIALS_DIRECTORY")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A config whose server is a port of this machine on which nothing listens.
fn config(dir: &Path, extra: &str) -> String {
    let password = dir.join("password");
    fs::write(&password, "secret-canary").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let path = dir.join("evenkeel.toml");
    let text = format!(
        "mode = \"act\"\nstate-dir = \"{dir}/state\"\n{extra}\n[[account]]\nname = \"support\"\n\
         address = \"support@example.test\"\n[account.imap]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n\
         user = \"support\"\npassword-file = \"{password}\"\n",
        dir = dir.display(),
        password = password.display()
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "run",
        "init",
        "check",
        "doctor",
        "preview",
        "classify",
        "draft",
        "read",
        "train",
        "evaluate",
        "report",
        "explain",
        "status",
        "tickets",
        "customers",
        "undo",
        "retry",
        "backup",
        "restore",
        "audit",
        "export",
        "erase",
    ] {
        let output = evenkeel(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(stdout(&output).contains("Example:"), "{command}: {}", stdout(&output));
    }
}

#[test]
fn commands_about_the_state_say_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "");
    for (args, part) in [
        (&["status"][..], "there is no state yet"),
        (&["undo", "<x@example.org>"], "there is no state yet"),
        (&["customers", "show"], "there is no state yet"),
    ] {
        let output = evenkeel(&[&["--config", path.as_str()], args].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains(part), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(evenkeel(&["customers", "set", "a@b", "nice", "--note", "x"]).status.code(), Some(2));
    assert_eq!(evenkeel(&["undo", "--from", "yesterday"]).status.code(), Some(2));
}

#[test]
fn wrong_usage_is_status_2_and_a_missing_config_is_78_and_names_the_file() {
    assert_eq!(evenkeel(&["fly"]).status.code(), Some(2));
    let output = evenkeel(&["--config", "/nowhere/evenkeel.toml", "check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("/nowhere/evenkeel.toml: cannot be read"), "{}", stderr(&output));
}

#[test]
fn a_broken_config_is_told_whole_with_lines_and_status_78() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "modus = 1\n[queues]\nlegal = 1");
    let output = evenkeel(&["--config", &path, "check"]);
    assert_eq!(output.status.code(), Some(78));
    let said = stderr(&output);
    assert!(said.contains("evenkeel.toml:3: `modus`") && said.contains("queues:"), "{said}");
}

#[test]
fn a_good_config_is_good_and_a_public_password_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "");
    let output = evenkeel(&["--config", &path, "check"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    fs::set_permissions(dir.path().join("password"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = evenkeel(&["--config", &path, "check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("chmod 600") && !stderr(&output).contains("canary"));
}

#[test]
fn a_corrupt_model_is_refused_by_name_with_status_78() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bad.model"), b"not a model").unwrap();
    let path = config(dir.path(), &format!("model = \"{}/bad.model\"", dir.path().display()));
    for command in ["check", "run"] {
        let output = evenkeel(&["--config", &path, command]);
        assert_eq!(output.status.code(), Some(78), "{command}: {}", stderr(&output));
        assert!(stderr(&output).contains("bad.model"), "{}", stderr(&output));
    }
}

#[test]
fn wordings_of_ones_own_are_laid_over_the_shipped_ones_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let books = dir.path().join("playbooks/en");
    fs::create_dir_all(&books).unwrap();
    let thanks = "You made our Tuesday, thank you";
    let text =
        |line: &str| format!("[say]\nthanks = [\"{line} one.\", \"{line} two.\", \"{line} three.\"]\n");
    fs::write(books.join("praise.toml"), text(thanks)).unwrap();
    let path = config(dir.path(), &format!("playbooks = \"{}/playbooks\"", dir.path().display()));
    assert_eq!(evenkeel(&["--config", &path, "check"]).status.code(), Some(0));
    fs::write(books.join("praise.toml"), text("Your call is important to us, {{ nonsense }}")).unwrap();
    let output = evenkeel(&["--config", &path, "check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("en/praise"), "{}", stderr(&output));
}

#[test]
fn doctor_says_which_server_cannot_be_reached_and_what_to_check() {
    let dir = tempfile::tempdir().unwrap();
    let output = evenkeel(&["--config", &config(dir.path(), ""), "doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("127.0.0.1:9 cannot be reached"), "{}", stdout(&output));
    assert!(stdout(&output).contains("check `host`, `port`"));
}

#[test]
fn a_password_never_travels_unprotected_to_another_machine() {
    let dir = tempfile::tempdir().unwrap();
    let path = config(dir.path(), "");
    // 192.0.2.1 is reserved for documentation (RFC 5737); the check comes before any connection
    let text = fs::read_to_string(&path).unwrap().replace("127.0.0.1", "192.0.2.1");
    fs::write(&path, text).unwrap();
    let output = evenkeel(&["--config", &path, "doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("would send the password readable"), "{}", stdout(&output));
}

#[test]
fn json_lines_come_back_as_json_lines_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    let mut file = fs::File::create(&path).unwrap();
    for (id, body) in
        [("b", "Thank you, Anna, you saved my day!"), ("a", "Where can I change my delivery address?")]
    {
        let message =
            serde_json::json!({"id": id, "from_name": "Sam", "subject": "", "body": body, "extra": 1});
        writeln!(file, "{message}").unwrap();
    }
    let output = evenkeel(&["classify", "--explain", "--format", "jsonl", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|l| l["id"].as_str().unwrap()).collect::<Vec<_>>(), ["b", "a"]);
    for line in &lines {
        assert_eq!(line["scores"].as_object().unwrap().len(), 12);
        assert_eq!(line["language"], "en");
        assert!(line["evidence"].is_array());
    }
    assert_eq!(lines[0]["primary"], "praise");
    let drafts = evenkeel(&["draft", "--format", "jsonl", path.to_str().unwrap()]);
    let first: serde_json::Value = serde_json::from_str(stdout(&drafts).lines().next().unwrap()).unwrap();
    assert_eq!(first["playbook"], "praise");
    assert!(first["body"].as_str().unwrap().contains("Sam"));
    let wanted = evenkeel(&["draft", "--for", "abuse", "--format", "jsonl", path.to_str().unwrap()]);
    let first: serde_json::Value = serde_json::from_str(stdout(&wanted).lines().next().unwrap()).unwrap();
    assert_eq!(first["playbook"], "abuse");
}

#[test]
fn a_bad_line_is_named_and_the_others_are_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.jsonl");
    fs::write(&path, "{\"id\":\"1\",\"from_name\":\"\",\"subject\":\"\",\"body\":\"hello\"}\nnonsense\n")
        .unwrap();
    let output = evenkeel(&["read", "--format", "jsonl", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output).lines().count(), 1);
    assert!(stderr(&output).contains("in.jsonl:2"), "{}", stderr(&output));
}

#[test]
fn one_mail_on_stdin_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args(["read", "--format", "jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mail = b"From: Ana <ana@example.org>\r\nSubject: Hola\r\nMessage-ID: <x@example.org>\r\n\r\nBuenos d\xc3\xadas, \xc2\xbfd\xc3\xb3nde est\xc3\xa1 mi pedido?\r\n";
    child.stdin.take().unwrap().write_all(mail).unwrap();
    let output = child.wait_with_output().unwrap();
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["id"], &line["language"]), (&"x@example.org".into(), &"es".into()));
    assert_eq!(line["automated"], serde_json::Value::Null);
}

/// Peak of resident memory in KiB after reading `path`, while the program waits for a second mail.
fn peak_after(path: &Path) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .args(["read", "--format", "jsonl", path.to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("the lamp is broken"), "{line}");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_mail_of_a_hundred_megabytes_takes_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let head = "From: Ana <ana@example.org>\r\nMessage-ID: <x@example.org>\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello, the lamp is broken.\r\n--b\r\n\
                Content-Type: video/mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let line = "A".repeat(76) + "\r\n";
    let write = |name: &str, start: &str, bytes: usize| {
        let path = dir.path().join(name);
        let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        file.write_all(start.as_bytes()).unwrap();
        file.write_all(head.as_bytes()).unwrap();
        for _ in 0..bytes / line.len() {
            file.write_all(line.as_bytes()).unwrap();
        }
        path
    };
    let large = 100 << 20;
    let idle = peak_after(&write("small.eml", "", 100));
    for (name, start) in
        [("large.eml", ""), ("large.mbox", "From ana@example.org Tue Nov 17 09:12:00 2026\r\n")]
    {
        let peak = peak_after(&write(name, start, large));
        println!("{name}: {} KiB above idle", peak.saturating_sub(idle));
        assert!(peak < idle + (64 << 10), "{name}: {peak} KiB, idle {idle} KiB");
    }
}
