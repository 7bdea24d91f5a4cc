//! Swear words in disguise: what is seen through in public data, and what is left as it is.

use std::collections::BTreeMap;

use evenkeel::classify::text::Text;
use evenkeel::classify::{Classifier, Label, Lexicon, fold};
use evenkeel::mail::{Mail, language};

use super::datasets::{dataset, files, ratio};

const HOSTILE: [Label; 3] = [Label::Abuse, Label::Harassment, Label::Threat];

#[test]
fn of_distorted_lines_nearly_as_many_are_found_as_of_corrected_ones() {
    let Some(root) = dataset("text/ru_distorted_toxicity") else {
        return;
    };
    let table = std::fs::read_to_string(root.join("toxicity_corpus/russian_distorted_toxicity.tsv")).unwrap();
    let classifier = Classifier::shipped().unwrap();
    let found = |text: &str| {
        let verdict = classifier.classify(&Mail::from_message("", "", "", text));
        verdict.labels.iter().any(|found| HOSTILE.contains(&found.label))
    };
    let (mut all, mut of_distorted, mut of_corrected) = (0, 0, 0);
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[_, _, distorted, "1", "1", corrected] = fields.as_slice() else { continue };
        let (seen, meant) = (found(distorted), found(corrected));
        all += 1;
        of_distorted += usize::from(seen);
        of_corrected += usize::from(meant);
        if seen != meant {
            let changed = distorted.split(' ').zip(corrected.split(' ')).find(|(one, other)| one != other);
            println!("{}: {changed:?}", if seen { "only distorted" } else { "only corrected" });
        }
    }
    let (of_distorted, of_corrected) = (ratio(of_distorted, all), ratio(of_corrected, all));
    println!(
        "ru_distorted_toxicity: recall {of_distorted:.3} distorted, {of_corrected:.3} corrected, {all} lines"
    );
    assert!(all >= 85 && of_corrected - of_distorted <= 0.05);
}

/// How many words there are, and those in which letters stand that their writer did not write.
fn invented(texts: impl Iterator<Item = String>) -> (usize, BTreeMap<String, usize>) {
    let lexicon = Lexicon::shipped().unwrap();
    let (mut text, mut invented, mut words) = (Text::default(), BTreeMap::new(), 0);
    for body in texts {
        let body = fold::normal(&body).into_owned();
        let mail = Mail { language: language::detect(&body, ""), new_text: body, ..Mail::default() };
        text.read(&mail, &lexicon);
        words += text.words().len();
        for word in text.words() {
            let source =
                mail.new_text.get(word.source.0 as usize..word.source.1 as usize).unwrap_or_default();
            let written: String = source.chars().filter(|c| c.is_alphabetic()).map(fold::fold).collect();
            let read: String = text.word(word).chars().filter(|c| c.is_alphabetic()).collect();
            let drawn_out = read.chars().all(|c| written.contains(c));
            if !drawn_out && !text.word(word).starts_with('‹') && source.chars().any(|c| !c.is_alphabetic())
            {
                *invented.entry(format!("{source} -> {read}")).or_insert(0) += 1;
            }
        }
    }
    (words, invented)
}

#[test]
fn ordinary_text_is_not_taken_for_disguise() {
    for name in ["text/banking77", "text/tydip", "text/ua_gec", "text/nlupp"] {
        let Some(root) = dataset(name) else {
            return;
        };
        let texts = files(&root).into_iter().map(|path| std::fs::read(path).unwrap());
        let lines = texts
            .flat_map(|text| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect::<Vec<_>>());
        let (words, invented) = invented(lines);
        let count = invented.values().sum::<usize>();
        println!("{name}: {count} words of {words} were read as others: {invented:?}");
        assert!(words > 10_000 && count * 20_000 <= words);
    }
}
