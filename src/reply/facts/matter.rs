//! Which known matter a mail is about.

use crate::reply::lexicon;
use crate::reply::playbook::Matter;

/// In a longer text a single strong sign may be a figure of speech.
const SHORT: usize = 240;

/// Where a matter is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Subject and text.
    pub(super) folded: &'a str,
    pub(super) subject: &'a str,
    /// Whether somebody may be in danger.
    pub(super) danger: bool,
    /// Whether the mail is written in a fright: then it is about what has a first step, if it can be.
    pub(super) fright: bool,
}

/// A sign of several words is seldom a figure of speech.
fn weight(sign: &str) -> usize {
    if sign.contains(' ') { 3 } else { 2 }
}

/// The matter with the most signs, strong ones of the subject counting twice. `None` below one strong
/// sign of several words, or one of a single word and a weak one; in a short text below one strong or
/// two weak ones: an answer rather says too little than the wrong thing.
pub(super) fn find(place: Place<'_>, matters: &[Matter]) -> Option<String> {
    let enough = if place.folded.chars().count() <= SHORT { 2 } else { 3 };
    let mut best: Option<(usize, &Matter)> = None;
    for matter in matters.iter().filter(|matter| place.danger || matter.name != "danger") {
        let found =
            lexicon::sum(place.folded, &matter.strong, weight) + lexicon::hits(place.folded, &matter.weak);
        if found < enough {
            continue;
        }
        let urgent = if place.fright && matter.urgent() { 2 } else { 0 };
        let titled = 2 * lexicon::hits(place.subject, &matter.strong);
        let rank = found + titled + urgent;
        if best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, matter));
        }
    }
    best.map(|(_, matter)| matter.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;
    use crate::reply::Playbooks;

    fn found(text: &str, subject: &str, danger: bool, fright: bool) -> Option<String> {
        let books = Playbooks::shipped().unwrap();
        let folded = lexicon::fold(&format!("{subject}\n{text}"));
        let subject = lexicon::fold(subject);
        let place = Place { folded: &folded, subject: &subject, danger, fright };
        find(place, books.book(Language::En).unwrap().matters())
    }

    #[test]
    fn a_fright_is_about_what_has_a_first_step() {
        let text = "My card was charged, someone logged in and a payment is gone.";
        assert_eq!(found(text, "", false, true).as_deref(), Some("fraud"));
    }

    #[test]
    fn nobody_is_in_danger_because_a_baby_and_a_child_are_mentioned() {
        let text = "The baby seat for my child is here.";
        assert_ne!(found(text, "", false, true).as_deref(), Some("danger"));
    }
}
