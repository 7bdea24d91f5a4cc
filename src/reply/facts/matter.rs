//! Which known matter a mail is about.

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
    /// Whether somebody may be in danger.
    pub(super) danger: bool,
    /// Whether the mail is written in a fright: then it is about what has a first step, if it can be.
    pub(super) fright: bool,
}

/// A sign of several words is seldom a figure of speech.
fn weight(sign: &str) -> usize {
    if sign.contains(' ') { 3 } else { 2 }
}

/// The matter with the most signs, strong ones of the subject counting twice. `None` without a strong
/// sign that stands early, has several words or a weak one beside it, and with fewer than three weak
/// ones, in a longer text four: an answer rather says too little than the wrong thing.
pub(super) fn find(place: Place<'_>, matters: &[Matter]) -> Option<String> {
    let short = place.folded.chars().count() <= SHORT;
    let head: String = place.folded.chars().take(SHORT).collect();
    let mut best: Option<(usize, &Matter)> = None;
    for matter in matters.iter().filter(|matter| place.danger || matter.name != "danger") {
        let strong = lexicon::sum(place.folded, &matter.strong, weight);
        let weak = lexicon::places(place.folded, &matter.weak);
        let early = || short || lexicon::has(&head, &matter.strong);
        let enough = match strong {
            0 => weak >= if short { 3 } else { 4 },
            1..=2 => weak > 0 || early(),
            _ => true,
        };
        if !enough {
            continue;
        }
        let found = strong + weak;
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
    fn two_weak_words_are_no_matter_and_a_late_one_needs_another() {
        let matter = |text: &str| {
            let matters = [Matter {
                name: "heating".to_owned(),
                strong: vec!["radiator".to_owned()].into(),
                weak: ["warm", "cold", "boiler", "boiler*"].map(str::to_owned).to_vec().into(),
                ..Matter::default()
            }];
            let place = Place { folded: text, subject: "", danger: false, fright: false };
            find(place, &matters)
        };
        assert_eq!(matter("the boiler is cold"), None, "one word twice in the list is one sign");
        assert!(matter("the boiler is cold, nothing gets warm").is_some());
        assert!(matter("the radiator is broken").is_some());
        let far = format!("{} the radiator", "we came home ".repeat(30));
        assert_eq!(matter(&far), None);
        assert!(matter(&format!("{far} is cold")).is_some());
    }

    #[test]
    fn nobody_is_in_danger_because_a_baby_and_a_child_are_mentioned() {
        let text = "The baby seat for my child is here.";
        assert_ne!(found(text, "", false, true).as_deref(), Some("danger"));
    }
}
