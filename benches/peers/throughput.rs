//! Mails a second on one core, from text to twelve calibrated probabilities: `throughput FILE…` reads
//! JSON lines into memory and prints one JSON object a file; `reading_share` is what folding, splitting
//! and hashing take of it. Run by `benches/peers/run`.

#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::time::Instant;

use anyhow::Context;
use evenkeel::classify::{Model, Rules, Scratch, Thresholds, classify_with, text::Text};
use evenkeel::mail::Mail;

#[derive(serde::Deserialize)]
struct Line {
    from_name: String,
    subject: String,
    body: String,
}

/// How long each file is gone through, in seconds.
const SECONDS: f64 = 3.0;

#[expect(clippy::print_stdout, reason = "its result")]
fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let model = Model::shipped()?;
    let load = start.elapsed().as_secs_f64();
    let rules = Rules::shipped().map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let (thresholds, mut scratch) = (Thresholds::default(), Scratch::default());
    for file in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
        let lines: Vec<Line> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let mails: Vec<Mail> = lines
            .iter()
            .map(|line| Mail::from_message(&line.from_name, "", &line.subject, &line.body))
            .collect();
        let mut found = 0;
        let all = each(&mails, |mail| {
            found += classify_with(&mut scratch, mail, &model, &rules, &thresholds).labels.len();
        });
        let mut text = Text::default();
        let read = each(&mails, |mail| text.read(mail, model.lexicon()));
        let result = serde_json::json!({
            "file": file,
            "mails_per_second": 1.0 / all,
            "reading_share": read / all,
            "labels": found,
            "load_seconds": load,
        });
        println!("{result}");
    }
    Ok(())
}

/// Seconds a mail, going through all of them again and again.
fn each(mails: &[Mail], mut take: impl FnMut(&Mail)) -> f64 {
    let start = Instant::now();
    let mut done = 0_u32;
    while start.elapsed().as_secs_f64() < SECONDS {
        for mail in mails {
            take(mail);
            done += 1;
        }
    }
    start.elapsed().as_secs_f64() / f64::from(done)
}
