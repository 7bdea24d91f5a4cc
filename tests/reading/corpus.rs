//! The project's own corpus, and real texts: languages told, people heard, nothing lost.

use std::path::{Path, PathBuf};

use evenkeel::mail::{Language, language, new_text, parse};

use super::datasets::{dataset, files, ratio, words};

#[test]
fn people_of_the_corpus_are_not_taken_for_machines() {
    let (mut wrong, mut people) = (0, 0);
    for line in corpus() {
        if line["primary"] == "automated" {
            continue;
        }
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let head =
            "From: Person <person@example.org>\r\nTo: support@example.test\r\nMessage-ID: <1@example.org>";
        let mail =
            parse(format!("{head}\r\nSubject: {}\r\n\r\n{}", text("subject"), text("body")).as_bytes());
        people += 1;
        if let Some(reason) = mail.automated {
            wrong += 1;
            println!("machine ({reason}): {} {} {}", text("id"), mail.subject, mail.new_text);
        }
    }
    println!("corpus: {wrong} of {people} people taken for machines");
    assert!(ratio(wrong, people) <= 0.001);
}

fn tell(texts: &[(String, String)], expected: Language) -> (usize, usize) {
    let (mut right, mut alone, mut short, mut shorts) = (0, 0, 0, 0);
    for (text, subject) in texts {
        // the crate that decides ties, by itself, with only our four languages to choose from
        alone += usize::from(whatlang_alone(&format!("{text}\n{subject}")) == expected);
        let is_short = text.split_whitespace().count() <= 6;
        shorts += usize::from(is_short);
        short += usize::from(is_short && language::detect(text, subject) == expected);
        let got = language::detect(text, subject);
        right += usize::from(got == expected);
        if got != expected {
            println!(
                "{expected} taken for {got}: {:?} {:?}",
                subject,
                text.chars().take(160).collect::<String>()
            );
        }
    }
    println!(
        "{expected}: {right} of {} right; {short} of {shorts} of at most six words; whatlang alone {alone}",
        texts.len()
    );
    (right, texts.len())
}

fn whatlang_alone(text: &str) -> Language {
    use whatlang::{Detector, Lang};
    match Detector::with_allowlist(vec![Lang::Eng, Lang::Spa, Lang::Rus, Lang::Ukr]).detect_lang(text) {
        Some(Lang::Eng) => Language::En,
        Some(Lang::Spa) => Language::Es,
        Some(Lang::Rus) => Language::Ru,
        Some(Lang::Ukr) => Language::Uk,
        _ => Language::Other,
    }
}

/// The lines of the project's own corpus.
fn corpus() -> Vec<serde_json::Value> {
    let root = std::env::var_os("EVENKEEL_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("data/corpus"), PathBuf::from);
    if !root.is_dir() {
        crate::skipped::skipped("the corpus", &format!("there is none at {}", root.display()));
        return Vec::new();
    }
    let texts = files(&root)
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .map(|p| std::fs::read_to_string(p).unwrap());
    texts
        .flat_map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_language_of_the_corpus_is_told() {
    let lines = corpus();
    let (mut right, mut all) = (0, 0);
    for language in Language::ALL {
        let of_language = lines.iter().filter(|line| line["lang"] == language.as_str());
        let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let texts: Vec<_> = of_language
            .map(|line| (new_text::split(&text(line, "body")).new_text, text(line, "subject")))
            .collect();
        let (r, n) = tell(&texts, language);
        right += r;
        all += n;
    }
    println!("corpus: {:.4} of {all} right", ratio(right, all));
    assert!(lines.is_empty() || ratio(right, all) >= 0.995);
}

#[test]
fn nothing_of_the_corpus_is_lost() {
    let (mut cut, mut all) = (0, 0);
    for line in corpus() {
        let body = line["body"].as_str().unwrap_or_default();
        let parts = new_text::split(body);
        all += 1;
        if words(&parts.new_text).values().sum::<usize>() < words(body).values().sum::<usize>() {
            cut += 1;
            println!("cut: {} {:?} / {:?} / {:?}", line["id"], parts.new_text, parts.quoted, parts.signature);
        }
    }
    println!("corpus: {cut} of {all} bodies cut");
    // what is cut there are quoted notices and signatures
    assert!(ratio(cut, all) <= 0.01);
}

#[test]
fn the_language_of_real_requests_is_told() {
    let (Some(gec), Some(tydip)) = (dataset("text/ua_gec"), dataset("text/tydip")) else {
        return;
    };
    let texts: Vec<_> = files(&gec)
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .map(|p| (std::fs::read_to_string(p).unwrap(), String::new()))
        .collect();
    let (right, all) = tell(&texts, Language::Uk);
    assert!(ratio(right, all) >= 0.97);
    for (file, language) in
        [("en_test.csv", Language::En), ("es_test.csv", Language::Es), ("ru_test.csv", Language::Ru)]
    {
        let text = std::fs::read_to_string(tydip.join("data/all").join(file)).unwrap();
        let texts: Vec<_> = text.lines().skip(1).map(|line| (line.to_owned(), String::new())).collect();
        let (right, all) = tell(&texts, language);
        assert!(ratio(right, all) >= 0.95, "{file}");
    }
}
