//! What a mail looks like, as numbers: capitals, marks, length, language. Not whether it has a name or
//! a subject: in a corpus the nameless are the angry, in an inbox they are anybody.

use super::fold::{Kind, kind};
use super::text::{Marks, Part, Text};
use crate::mail::{Language, Mail};

/// How many numbers of form there are.
pub const COUNT: usize = 33;

/// Their names, in order, as evidence shows them.
pub const NAMES: [&str; COUNT] = [
    "length",
    "sentences",
    "sentence-length",
    "capitals",
    "shouting",
    "no-capitals",
    "exclamations",
    "outcries",
    "questions",
    "question-last",
    "question-share",
    "ellipses",
    "commas",
    "quotes",
    "digits",
    "money",
    "percent",
    "links",
    "addresses",
    "pictures",
    "disguise",
    "lines",
    "items",
    "subject-length",
    "subject-shouted",
    "reply",
    "forward",
    "attachments",
    "short",
    "es",
    "ru",
    "uk",
    "other-language",
];

/// The numbers of form of a mail, each roughly between 0 and 1, in the order of [`NAMES`].
#[must_use]
pub fn of(mail: &Mail, text: &Text) -> [f32; COUNT] {
    let marks = text.marks();
    let words = count(marks.words.max(1));
    let sentences = count(marks.sentences.max(1));
    let share = |part: usize| (count(part) / words).min(1.0);
    let per_sentence = |part: usize| (count(part) / sentences).min(2.0);
    let subject = mail.subject.trim();
    let questions = text.sentences().iter().filter(|s| s.part == Part::Body && s.question).count();
    let last_asks =
        text.sentences().iter().rev().filter(|s| s.part == Part::Body).take(2).any(|s| s.question);
    let is = |language: Language| yes(mail.language == language);
    [
        count(marks.words + 1).ln() / 5.0,
        count(marks.sentences + 1).ln() / 3.0,
        (words / sentences / 20.0).min(2.0),
        capitals(marks),
        share(marks.shouted),
        yes(marks.titled == 0),
        per_sentence(marks.exclamations),
        saturate(marks.outcries),
        per_sentence(marks.questions),
        yes(last_asks),
        count(questions) / sentences,
        saturate(marks.ellipses),
        share(marks.commas),
        saturate(marks.quotes),
        share(marks.digits),
        saturate(marks.money),
        saturate(marks.percent),
        saturate(marks.links),
        saturate(marks.addresses),
        saturate(marks.pictures),
        saturate(marks.disguised),
        share(marks.lines),
        saturate(marks.items),
        (count(marks.subject_words) / 8.0).min(2.0),
        yes(shouted(subject)),
        yes(starts_with(subject, &["re:", "re ", "отв:", "відп:", "rv:"])),
        yes(starts_with(subject, &["fwd:", "fw:", "пересл", "rv:", "reenv"])),
        saturate(mail.attachments.len()),
        yes(marks.words < 12),
        is(Language::Es),
        is(Language::Ru),
        is(Language::Uk),
        is(Language::Other),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "counts of a mail are far below 2^24")]
const fn count(n: usize) -> f32 {
    n as f32
}

const fn yes(is: bool) -> f32 {
    if is { 1.0 } else { 0.0 }
}

/// 0, ½, ⅔, ¾ … for 0, 1, 2, 3.
fn saturate(n: usize) -> f32 {
    let n = count(n);
    n / (n + 1.0)
}

fn capitals(marks: &Marks) -> f32 {
    count(marks.capitals) / count(marks.letters.max(1))
}

fn shouted(subject: &str) -> bool {
    let mut letters = subject.chars().filter(|c| *c != '_' && matches!(kind(*c), Kind::Letter { .. }));
    letters.clone().count() > 3 && letters.all(char::is_uppercase)
}

fn starts_with(subject: &str, marks: &[&str]) -> bool {
    let start: String = subject.chars().take(8).flat_map(char::to_lowercase).collect();
    marks.iter().any(|mark| start.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::*;

    #[test]
    fn every_number_is_finite_and_bounded_for_any_mail() {
        for body in ["", "!!!!????", "A", &"HELP! ".repeat(500)] {
            let mail = Mail { new_text: body.to_owned(), ..Mail::default() };
            let mut text = Text::default();
            text.read(&mail, &Lexicon::default());
            assert!(of(&mail, &text).iter().all(|x| x.is_finite() && (0.0..=3.0).contains(x)), "{body}");
        }
    }
}
