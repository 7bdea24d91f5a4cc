//! Each mail of `tests/fixtures/mail` as it is read. A fixture is named after its quirk.

use std::path::PathBuf;

use evenkeel::mail::{Mail, parse};

fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut files: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(p).unwrap()))
        .collect()
}

pub(super) fn fixtures() -> Vec<(String, Vec<u8>)> {
    folder("tests/fixtures/mail")
}

/// A mail as the snapshots show it: nothing left out.
fn shown(mail: &Mail) -> String {
    let addresses = |list: &[evenkeel::mail::Address]| {
        list.iter().map(|a| format!("{} <{}>", a.name, a.address)).collect::<Vec<_>>().join(", ")
    };
    let ids = |list: &[evenkeel::mail::MessageId]| {
        list.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let attachments: Vec<_> =
        mail.attachments.iter().map(|a| format!("{} ({}, {} bytes)", a.name, a.mime_type, a.bytes)).collect();
    format!(
        "id: {}\nreferences: {}\nfrom: {}\nreply-to: {}\nidentity: {}\nauthentication: {}\nto: {}\ncc: {}\nsubject: {}\n\
         date: {:?}\nlanguage: {}\nautomated: {:?}\nprotection: {}\nreturned: {}\nforwarded: {}\nattachments: {}\nproblems: {:?}\n--- new text\n{}\n--- quoted\n{}\n--- signature\n{}\n",
        ids(mail.message_id.as_slice()),
        ids(&mail.references),
        addresses(&mail.from),
        addresses(&mail.reply_to),
        mail.person
            .as_ref()
            .map(|p| format!("{} ({:?})", p.address.identity(), p.source))
            .unwrap_or_default(),
        mail.authentication.as_ref().map(ToString::to_string).unwrap_or_default(),
        addresses(&mail.to),
        addresses(&mail.cc),
        mail.subject,
        mail.date.map(|d| d.0),
        mail.language,
        mail.automated.map(evenkeel::mail::AutomatedReason::as_str),
        mail.protection.map_or("", evenkeel::mail::Protection::as_str),
        ids(&mail.returned),
        mail.forwarded,
        attachments.join(", "),
        mail.problems,
        mail.new_text,
        mail.quoted,
        mail.signature,
    )
}

#[test]
fn every_fixture_is_read_as_it_was() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 90, "fixtures are missing");
    for (name, bytes) in fixtures {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../snapshots/mail" }, {
            insta::assert_snapshot!(name, shown(&parse(&bytes)));
        });
    }
}

/// The label in `<nn>-<label>-<quirk>.<lang>.eml` decides whether a machine wrote it, the language is the file's.
#[test]
fn every_sample_is_read_in_its_language_and_only_machines_are_machines() {
    let samples = folder("data/samples");
    assert!(samples.len() >= 40, "samples are missing");
    for (name, bytes) in samples {
        let mail = parse(&bytes);
        let language = name.rsplit_once('.').unwrap().1;
        assert_eq!(mail.language.as_str(), language, "{name}: {}", mail.new_text);
        assert_eq!(mail.automated.is_some(), name.contains("-automated-"), "{name}: {:?}", mail.automated);
        assert!(mail.new_text.split_whitespace().count() >= 3, "{name}: {:?}", mail.new_text);
        assert!(mail.to.iter().any(|a| a.address == "support@example.test"), "{name}");
        let domain = mail.sender().unwrap().address.rsplit_once('@').unwrap().1.to_owned();
        assert!(
            ["example.org", "example.net", "example.com"].iter().any(|d| domain.ends_with(d)),
            "{name}: {domain}"
        );
    }
}
