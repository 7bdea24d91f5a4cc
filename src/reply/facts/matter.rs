//! Which known matter a mail is about.

use crate::reply::gist::{Columns, stem};
use crate::reply::lexicon;
use crate::reply::playbook::Matter;

/// How far a text is short, in characters, and a sign early in it: later a single strong one may be a
/// figure of speech.
const SHORT: usize = 240;

/// Where a matter is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Subject and text.
    pub(super) folded: &'a str,
    pub(super) subject: &'a str,
    /// The sentence that says what the mail is about.
    pub(super) key: Option<&'a str>,
    /// Whether somebody may be in danger.
    pub(super) danger: bool,
    /// Whether the mail is written in a fright: then it is about what has a first step, if it can be.
    pub(super) fright: bool,
}

/// How much of a mail speaks for a matter.
struct Signs<'a> {
    matter: &'a Matter,
    strong: usize,
    weak: usize,
    /// Strong and weak ones of the subject.
    titled: (usize, usize),
    /// Strong and weak ones of the key sentence.
    told: (usize, usize),
    early: bool,
    rank: usize,
}

/// A sign of several words is seldom a figure of speech.
fn weight(sign: &str) -> usize {
    if sign.contains(' ') { 3 } else { 2 }
}

impl<'a> Signs<'a> {
    fn of(place: Place<'_>, head: &str, matter: &'a Matter) -> Option<Self> {
        let both =
            |text: &str| (lexicon::sum(text, &matter.strong, weight), lexicon::places(text, &matter.weak));
        let (strong, weak) = both(place.folded);
        let (titled, told) = (both(place.subject), place.key.map_or((0, 0), both));
        let early = lexicon::has(head, &matter.strong);
        let urgent = if place.fright && matter.urgent() { 2 } else { 0 };
        let rank = strong + weak + titled.0 + urgent + 2 * told.0 + told.1;
        (strong + weak > 0).then_some(Self { matter, strong, weak, titled, told, early, rank })
    }
}

/// The matters that have a sign, each with the features by which one is chosen.
pub(super) fn candidates<'a>(place: Place<'_>, matters: &'a [Matter]) -> Vec<(&'a Matter, Vec<u32>)> {
    let head: String = place.folded.chars().take(SHORT).collect();
    let found: Vec<Signs<'_>> = matters
        .iter()
        .filter(|matter| place.danger || matter.name != "danger")
        .filter_map(|matter| Signs::of(place, &head, matter))
        .collect();
    let columns = |signs: &Signs<'_>| {
        let others = || found.iter().filter(|other| other.matter.name != signs.matter.name);
        columns(place, signs, others().map(|other| other.rank).max(), others().count())
    };
    found.iter().map(|signs| (signs.matter, columns(signs))).collect()
}

fn columns(place: Place<'_>, signs: &Signs<'_>, next: Option<usize>, others: usize) -> Vec<u32> {
    let mut columns = Columns::default();
    let name = signs.matter.name.as_str();
    let count = |name: &str, number: usize, most: usize| format!("{name} {}", number.min(most));
    let next = next.unwrap_or(0);
    let lead = if signs.rank >= next {
        count("ahead", signs.rank - next, 6)
    } else {
        count("behind", next - signs.rank, 6)
    };
    let strength = format!("{} {}", count("strong", signs.strong, 9), count("weak", signs.weak, 4));
    let mut flags = vec![
        count("all strong", signs.strong, 9),
        count("all weak", signs.weak, 5),
        count("titled strong", signs.titled.0, 4),
        count("titled weak", signs.titled.1, 2),
        count("told strong", signs.told.0, 6),
        count("told weak", signs.told.1, 4),
        count("others", others, 9),
        format!("{lead} of {}", count("strong", signs.strong, 3)),
        strength.clone(),
        lead,
    ];
    let truths = [
        ("early", signs.early),
        ("short", place.folded.chars().count() <= SHORT),
        ("urgent", signs.matter.urgent()),
        ("fright", place.fright),
        ("urgent fright", place.fright && signs.matter.urgent()),
        ("urgent calm", !place.fright && signs.matter.urgent()),
        ("no key", place.key.is_none()),
    ];
    flags.extend(truths.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()));
    for flag in &flags {
        columns.add(&["matter", flag]);
    }
    columns.add(&["matter name", name]);
    columns.add(&["matter name", name, &strength]);
    let words = |text: &str| -> Vec<String> {
        let split =
            text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| word.chars().count() > 2);
        split.map(stem).collect()
    };
    for (kind, text) in [("told", place.key.unwrap_or("")), ("titled", place.subject)] {
        for word in words(text) {
            columns.add(&["matter word", name, &word]);
            columns.add(&["matter word", kind, name, &word]);
        }
    }
    for word in words(place.folded) {
        columns.add(&["matter all", name, &word]);
    }
    columns.done()
}

#[cfg(test)]
mod tests {
    use crate::classify::Label;
    use crate::mail::Mail;
    use crate::reply::facts::read;
    use crate::reply::{Company, Playbooks};

    fn found(text: &str, subject: &str, label: Label) -> Option<String> {
        let books = Playbooks::shipped().unwrap();
        let mail = Mail::from_message("Ann Lee", "ann@mail.example", subject, text);
        let book = books.book(crate::mail::Language::En).unwrap();
        read(&mail, &[label], false, &Company::default(), book).matter
    }

    #[test]
    fn a_fright_is_about_what_has_a_first_step() {
        let text = "My card was charged, someone logged in to my account and a payment is gone!";
        assert_eq!(found(text, "", Label::Panic).as_deref(), Some("fraud"));
    }

    #[test]
    fn a_parcel_that_did_not_come_is_about_its_delivery() {
        let text =
            "The parcel was to be here a week ago and has not arrived. Tracking has not moved since Monday.";
        assert_eq!(found(text, "Where is my parcel?", Label::Complaint).as_deref(), Some("delivery"));
    }

    #[test]
    fn a_word_in_passing_is_no_matter() {
        let text = "The new app is hard to read for me. I saw it on the way home, past the post office, \
                    while my radiator was being mended and the driver waited.";
        assert_eq!(found(text, "", Label::Complaint), None);
    }

    #[test]
    fn nobody_is_in_danger_because_a_baby_and_a_child_are_mentioned() {
        assert_ne!(found("The baby seat for my child is here.", "", Label::Panic).as_deref(), Some("danger"));
    }
}
