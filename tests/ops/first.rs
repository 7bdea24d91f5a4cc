//! The first day: `init` writes a config, `doctor` proves it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::e2e::client::ImapClient;
use crate::e2e::servers::Servers;

fn init(config: &Path, args: &[&str], password: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
        .arg("--config")
        .arg(config)
        .arg("init")
        .args(["--password-file", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // a program that refuses at once does not read it
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const ADDRESS: [&str; 2] = ["--address", "help@gmail.com"];

#[test]
fn init_writes_a_config_that_is_good_and_a_password_that_only_its_owner_reads() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("evenkeel.toml");
    let flags = ["--legal", "legal@example.com", "--company", "O\"Neil & Söhne", "--zone", "Europe/Kyiv"];
    let output = init(&config, &[&ADDRESS[..], &flags].concat(), "s3cret-canary\n");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("app password") && stderr(&output).contains("doctor"),
        "{}",
        stderr(&output)
    );
    assert!(!stderr(&output).contains("s3cret"), "{}", stderr(&output));
    let text = fs::read_to_string(&config).unwrap();
    for part in [
        "imap.gmail.com",
        "smtp.gmail.com",
        "port = 465",
        "mode = \"observe\"",
        "'O\"Neil & Söhne'",
        "# lead = ",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(!text.contains("s3cret"));
    for name in ["support-password", "window-token"] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("support-password")).unwrap(), "s3cret-canary\n");
    let checked = Servers::evenkeel(&config, &["check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    // a second time nothing is touched; a second mailbox goes beside
    let again = init(&config, &ADDRESS, "other\n");
    assert!(!again.status.success() && stderr(&again).contains("nothing was written"), "{}", stderr(&again));
    assert!(!dir.path().join("conf.d").exists());
    let second = init(&config, &["--address", "shop@ukr.net", "--name", "shop"], "other\n");
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    let checked = Servers::evenkeel(&config, &["check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    let third = init(&config, &["--address", "other@ukr.net", "--name", "shop"], "other\n");
    assert!(stderr(&third).contains("shop.toml is there already"), "{}", stderr(&third));
}

#[test]
fn init_writes_nothing_when_something_is_missing_or_would_not_be_good() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("evenkeel.toml");
    let none: [&str; 0] = [];
    for (args, part) in [
        (&none[..], "name it with --address"),
        (&["--address", "nobody"], "no mail address"),
        (&["--address", "a@example.invalid"], "name it with --imap"),
        (&["--address", "a@ukr.net", "--zone", "Mars/Base"], "no time zone"),
        (&["--address", "a@ukr.net", "--name", "a/b"], "letters, digits and dashes"),
        (&["--address", "a@ukr.net", "--provider", "pigeon"], "ukrnet"),
    ] {
        let output = init(&config, args, "x\n");
        assert!(!output.status.success(), "{args:?}");
        assert!(stderr(&output).contains(part), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn init_at_microsoft_writes_tokens_instead_of_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("evenkeel.toml");
    let address = ["--address", "help@contoso.onmicrosoft.com"];
    let output = init(&config, &address, "x\n");
    assert!(stderr(&output).contains("name it with --client-id"), "{}", stderr(&output));
    let ids = ["--client-id", "1111-2222", "--tenant", "3333-4444"];
    let output = init(&config, &[&address[..], &ids].concat(), "app-secret\n");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("[account.oauth2]") && !text.contains("\npassword-"), "{text}");
    let checked = Servers::evenkeel(&config, &["check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
}

#[test]
fn init_beside_a_config_of_the_package_adds_a_mailbox_and_leaves_the_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("evenkeel.toml");
    let shipped = fs::read_to_string(super::root().join("deploy/debian/evenkeel.toml")).unwrap();
    fs::write(&config, &shipped).unwrap();
    let told = Servers::evenkeel(&config, &["check"]);
    assert_eq!(told.status.code(), Some(78));
    assert!(stderr(&told).contains("evenkeel init"), "{}", stderr(&told));
    let output = init(&config, &["--address", "help@yandex.ru", "--no-http"], "pw\n");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&config).unwrap(), shipped);
    let checked = Servers::evenkeel(&config, &["check"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert!(!dir.path().join("window-token").exists());
}

#[test]
fn doctor_proves_a_mailbox_with_a_draft_that_it_removes_and_a_mail_to_legal() {
    let Some(servers) = Servers::start(
        "doctor",
        &[
            "mail_plugins = quota",
            "protocol imap {",
            "mail_plugins = quota imap_quota",
            "}",
            "plugin {",
            "quota = count:User",
            "quota_rule = *:storage=10M",
            "quota_vsizes = yes",
            "}",
        ],
    ) else {
        return;
    };
    let config = servers.config("observe");
    let output = Servers::evenkeel(&config, &["doctor", "--send-test"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", stderr(&output));
    for part in [
        "IMAP: localhost is ",
        "IMAP: the certificate is valid until 20",
        "a draft was saved in Drafts, found and removed again",
        "a keyword was set on it",
        "of 10 MiB used",
        "SMTP: connected to localhost",
        "a test mail was taken for legal@example.test",
        "no Sent folder was found",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let mut support = ImapClient::login(&servers, "support");
    assert_eq!(support.count("Drafts"), 0, "the test draft is gone");
    let mut legal = ImapClient::login(&servers, "legal");
    legal.until("the test mail has come", |imap| imap.count("INBOX") == 1);
    // a wrong password is told as such, with what mends it
    fs::write(servers.dir.join("password"), "wrong\n").unwrap();
    let output = Servers::evenkeel(&config, &["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("FAIL  IMAP: localhost refuses the login"), "{said}");
}
