//! How well reading does on public mail and text. Figures are printed (`--nocapture`) and held a
//! little below what is reached. Without the data a test says so and passes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evenkeel::mail::{Mail, new_text, parse};

pub(super) fn dataset(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("EVENKEEL_DATASETS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/datasets"), PathBuf::from);
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    crate::skipped::skipped("public data", &format!("there is none at {}", path.display()));
    None
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                all.push(path);
            }
        }
    }
    all.retain(|p| {
        !p.to_string_lossy().contains("LICENSE") && p.file_name().is_some_and(|n| n != "SOURCE.md")
    });
    all.sort();
    all
}

pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole.max(1)).unwrap())
}

pub(super) fn words(text: &str) -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    // quoted lines are never new text to us, whatever stands below them
    for word in text.lines().filter(|l| !l.trim_start().starts_with('>')).flat_map(str::split_whitespace) {
        *words.entry(word.to_owned()).or_insert(0) += 1;
    }
    words
}

fn shared(a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>) -> usize {
    a.iter().map(|(word, count)| (*count).min(b.get(word).copied().unwrap_or(0))).sum()
}

#[test]
fn replies_are_trimmed_as_people_trimmed_them() {
    let Some(root) = dataset("mail/mail_reply_trimmer") else {
        return;
    };
    let (mut right, mut all, mut exact, mut mails) = (0, 0, 0, 0);
    for path in files(&root.join("emails")) {
        let name = path.file_name().unwrap();
        let whole = words(&std::fs::read_to_string(&path).unwrap());
        let expected = words(&std::fs::read_to_string(root.join("trimmed").join(name)).unwrap());
        let parts = new_text::split(&std::fs::read_to_string(&path).unwrap());
        let got = words(&parts.new_text);
        let total: usize = whole.values().sum();
        let (kept, got_words, expected_words) =
            (shared(&got, &expected), got.values().sum::<usize>(), expected.values().sum::<usize>());
        let wrong = (got_words - kept) + (expected_words - kept);
        right += total.saturating_sub(wrong);
        all += total;
        mails += 1;
        exact += usize::from(wrong == 0);
        if wrong > 0 {
            println!(
                "{}: {wrong} of {total} words wrong (kept {got_words}, expected {expected_words})",
                name.display()
            );
        }
    }
    println!("reply_trimmer: {:.4} of {all} words right, {exact} of {mails} mails exact", ratio(right, all));
    assert!(ratio(right, all) >= 0.985);
}

/// The data names client, locale and variant; these variants are answers, or carry a text of their own.
const WITH_OWN_TEXT: &[&str] = &[
    "_variant_2",
    "_variant_4",
    "_variant_8",
    "_variant_9",
    "_variant_10",
    "_variant_13",
    "_variant_14",
    "_variant_15",
];

#[test]
fn forwards_are_opened_and_answers_cut() {
    let Some(root) = dataset("mail/mail_forward_crisp") else {
        return;
    };
    let (mut right, mut all) = (0, 0);
    for path in files(&root) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let ours = ["_en", "_es", "_ru", "_uk", "_de", "_fr", "_it", "_pl", "_pt"]
            .iter()
            .any(|l| name.contains(&format!("{l}_body")));
        if !ours {
            continue;
        }
        let parts = new_text::split(&std::fs::read_to_string(&path).unwrap());
        let earlier = |text: &str| {
            text.contains("Aenean quis diam") || text.contains("Unicum iter") || text.contains("Duis quis")
        };
        let header =
            parts.new_text.contains("john.doe@acme.com") || parts.new_text.contains("bessie.berry@acme.com");
        let own_text = WITH_OWN_TEXT.iter().any(|v| name.ends_with(v) || name.contains(&format!("{v}_")));
        let ok = earlier(&parts.quoted)
            && !header
            && if own_text { !earlier(&parts.new_text) } else { parts.forwarded && earlier(&parts.new_text) };
        all += 1;
        right += usize::from(ok);
        if !ok {
            println!(
                "wrong: {name}: forwarded {} {:?}",
                parts.forwarded,
                parts.new_text.chars().take(200).collect::<String>()
            );
        }
    }
    println!("forward_crisp: {right} of {all} right in the nine languages known");
    assert!(ratio(right, all) >= 0.98);
}

/// How many of `whole`'s words are kept and dropped rightly, and how many there are.
fn rightly(whole: &str, got: &str, expected: &str) -> (usize, usize) {
    let (whole, got, expected) = (words(whole), words(got), words(expected));
    let count = |words: &BTreeMap<String, usize>| words.values().sum::<usize>();
    let kept = shared(&got, &expected);
    let wrong = (count(&got) - kept) + (count(&expected) - kept);
    (count(&whole).saturating_sub(wrong), count(&whole))
}

#[test]
fn the_words_of_forwards_are_kept_and_dropped_rightly() {
    const OWN: &str = "Praesent suscipit egestas hendrerit. Aliquam eget dui dui.";
    let Some(root) = dataset("mail/mail_forward_crisp") else {
        return;
    };
    let (mut right, mut all, mut known, mut of_known) = (0, 0, 0, 0);
    for path in files(&root) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if !name.contains("_body") {
            continue;
        }
        let body = ["Aenean quis diam", "Unicum iter", "Duis quis"];
        let body = body.iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
        let expected = if text.contains("Praesent suscipit egestas") { OWN } else { text.split_at(body).1 };
        let (r, n) = rightly(&text, &new_text::split(&text).new_text, expected);
        (right, all) = (right + r, all + n);
        let ours = ["en", "es", "ru", "uk", "de", "fr", "it", "pl", "pt"];
        if ours.iter().any(|l| name.contains(&format!("_{l}_body"))) {
            (known, of_known) = (known + r, of_known + n);
            if n > 0 && ratio(r, n) < 0.95 {
                println!("{name}: {r} of {n} words");
            }
        }
    }
    println!(
        "forward_crisp: {:.4} of {of_known} words right in the nine languages known, {:.4} of {all} in all",
        ratio(known, of_known),
        ratio(right, all)
    );
    assert!(ratio(known, of_known) >= 0.95 && ratio(right, all) >= 0.9);
}

#[test]
fn the_words_of_replies_of_odd_clients_are_kept_and_dropped_rightly() {
    let Some(root) = dataset("mail/mail_reply_crisp") else {
        return;
    };
    let (mut right, mut all, mut exact, mut mails) = (0, 0, 0, 0);
    for line in include_str!("replies.txt").lines().filter(|line| !line.starts_with('#')) {
        let (name, ranges) = line.split_once(':').unwrap();
        let path = root.join("fixtures").join(format!("{name}.txt"));
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let kept = |at: usize| {
            ranges.split_whitespace().any(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                (from.parse().unwrap()..=to.parse().unwrap()).contains(&at)
            })
        };
        let lines = text.lines().enumerate().filter(|(at, _)| kept(at + 1));
        let expected = lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        let (r, n) = rightly(&text, &new_text::split(&text).new_text, &expected);
        (right, all, mails) = (right + r, all + n, mails + 1);
        exact += usize::from(r == n);
        if r < n {
            println!("{name}: {r} of {n} words");
        }
    }
    println!("reply_crisp: {:.4} of {all} words right, {exact} of {mails} mails exact", ratio(right, all));
    assert!(mails == 90 && ratio(right, all) >= 0.98);
}

#[test]
fn replies_of_odd_clients_leave_no_attribution() {
    let Some(root) = dataset("mail/mail_reply_crisp") else {
        return;
    };
    let (mut clean, mut all) = (0, 0);
    for path in files(&root).into_iter().filter(|p| p.extension().is_some_and(|e| e == "txt")) {
        let parts = new_text::split(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        let left = parts.new_text.lines().find(|l| {
            let l = l.to_lowercase();
            l.starts_with('>')
                || ((l.contains("wrote:") || l.contains("écrit :") || l.contains("schrieb"))
                    && l.contains('@'))
        });
        all += 1;
        clean += usize::from(left.is_none());
        if let Some(left) = left {
            println!("left in {}: {left}", path.file_name().unwrap().display());
        }
    }
    println!("reply_crisp: {clean} of {all} without quote or attribution");
    assert!(ratio(clean, all) >= 0.97);
}

#[test]
fn bounces_and_vacation_replies_are_machines() {
    let Some(root) = dataset("mail/mail_sisimai") else {
        return;
    };
    let (mut machines, mut all) = (0, 0);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for path in files(&root.join("maildir/bsd")) {
        let mail = parse(&std::fs::read(&path).unwrap());
        // the one person among them: "Forward the message."
        if path.ends_with("lhost-sendmail-14.eml") {
            assert_eq!(mail.automated, None);
            continue;
        }
        all += 1;
        if let Some(reason) = mail.automated {
            machines += 1;
            *reasons.entry(reason.as_str()).or_insert(0) += 1;
        } else {
            println!(
                "taken for human: {} {:?} {:?}",
                path.file_name().unwrap().display(),
                mail.from.first().map(|a| &a.address),
                mail.subject
            );
        }
    }
    println!("sisimai: {machines} of {all} recognised: {reasons:?}");
    assert!(ratio(machines, all) >= 0.995);
}

/// A mail as it would come straight from its author: without what lists add.
fn without_list_headers(bytes: &[u8]) -> Vec<u8> {
    const ADDED: &[&str] =
        &["list-", "precedence:", "x-beenthere", "x-mailing-list", "mailing-list:", "x-loop", "errors-to:"];
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut kept = String::new();
    let mut keep = true;
    for line in head.lines() {
        if !line.starts_with([' ', '\t']) {
            let lower = line.to_lowercase();
            keep = !ADDED.iter().any(|name| lower.starts_with(name));
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    format!("{kept}\n{body}").into_bytes()
}

/// Robots among the easy ham: news digests, a bug tracker, an answer robot.
fn is_robot(mail: &Mail) -> bool {
    const ROBOTS: &[&str] = &["bugzilla-daemon", "robot", "pudge@perl.org", "rssfeeds", "newsletter"];
    mail.sender().is_some_and(|a| ROBOTS.iter().any(|robot| a.address.contains(robot)))
}

#[test]
fn people_are_not_taken_for_machines() {
    let Some(root) = dataset("mail/mail_spamassassin") else {
        return;
    };
    let (mut wrong, mut people) = (0, 0);
    for path in files(&root.join("data")).into_iter().filter(|p| p.to_string_lossy().contains("easy-ham")) {
        let mail = parse(&without_list_headers(&std::fs::read(&path).unwrap()));
        if is_robot(&mail) {
            continue;
        }
        people += 1;
        if let Some(reason) = mail.automated {
            wrong += 1;
            println!(
                "machine ({reason}): {} {:?} {}",
                path.display(),
                mail.sender().map(|a| &a.address),
                mail.subject
            );
        }
    }
    println!("spamassassin: {wrong} of {people} people taken for machines");
    assert!(people >= 50 && wrong == 0);
}

#[test]
fn malformed_mail_is_read() {
    let mut all = 0;
    let mut empty = 0;
    for name in [
        "mail_stalwart",
        "mail_webklex",
        "mail_zbateson",
        "mail_sisimai/maildir/err",
        "mail_sisimai/mailbox",
        "mail_reply_trimmer",
        "mail_reply_crisp",
    ] {
        let Some(root) = dataset(&format!("mail/{name}")) else {
            return;
        };
        for path in files(&root) {
            let mail: Mail = parse(&std::fs::read(&path).unwrap());
            all += 1;
            if let Some(reason) = mail.automated
                && !name.contains("sisimai")
            {
                println!("machine ({reason}): {} {}", path.display(), mail.subject);
            }
            if mail.new_text.is_empty()
                && mail.quoted.is_empty()
                && mail.signature.is_empty()
                && path.extension().is_none_or(|e| e != "json")
            {
                empty += 1;
                println!("no text: {} {:?}", path.display(), mail.problems);
            }
        }
    }
    println!("malformed and odd: {all} read, {empty} without any text");
    assert!(all > 400 && ratio(empty, all) <= 0.15);
}
