//! What else a mail already answers: where it is, who it was, what the screen says.

use std::collections::BTreeSet;

use super::word::{Word, digits, words};
use crate::mail::Language;
use crate::reply::lexicon::{self, Lexicon};

/// Beginnings of words that a number follows which a screen shows.
const CODES: [&str; 5] = ["error", "ошибк", "помилк", "código", "code"];

/// How many words a street and its number may be apart: "14 Old Mill Lane".
const REACH: usize = 3;

/// Marks: address, message, person.
pub(super) fn read(text: &str, language: Language, lists: &Lexicon) -> BTreeSet<&'static str> {
    let words = words(text);
    let mut found = BTreeSet::new();
    for at in 0..words.len() {
        if is_address(&words, at, language, lists) {
            found.insert("address");
        }
        if is_person(&words, at, lists) {
            found.insert("person");
        }
        let coded = words.get(at).is_some_and(|word| CODES.iter().any(|code| word.folded.starts_with(code)));
        if coded && words.get(at..).into_iter().flatten().take(3).any(|word| digits(word.bare) > 0) {
            found.insert("message");
        }
    }
    if speaks(text) {
        found.insert("message");
    }
    found
}

/// Whether something of two words or more stands between quotation marks.
fn speaks(text: &str) -> bool {
    let marks = |c: char| matches!(c, '«' | '»' | '“' | '”' | '„' | '"');
    text.split(marks).skip(1).step_by(2).any(|said| said.split_whitespace().count() > 1)
        && text.chars().filter(|c| marks(*c)).count() > 1
}

fn is_capital(word: &Word<'_>) -> bool {
    word.bare.starts_with(char::is_uppercase) && word.bare.chars().skip(1).any(char::is_lowercase)
}

fn is_house(word: &Word<'_>) -> bool {
    (1..=4).contains(&digits(word.bare))
        && word.bare.starts_with(|c: char| c.is_ascii_digit())
        && word.bare.chars().count() <= 5
        && !word.bare.contains([':', '.', ',', '%'])
}

/// "14 Elm Court", "calle Olmo 14", "Лесная 14, кв. 36".
fn is_address(words: &[Word<'_>], at: usize, language: Language, lists: &Lexicon) -> bool {
    let Some(here) = words.get(at).filter(|word| is_house(word)) else { return false };
    let street = |word: &Word<'_>| lexicon::has(&word.folded, &lists.streets);
    let ahead = words.get(at + 1..).unwrap_or_default().iter().take(REACH);
    let named: Vec<&Word<'_>> = ahead.take_while(|word| is_capital(word)).collect();
    if language == Language::En {
        return !here.stops && named.iter().skip(1).any(|word| street(word));
    }
    let Some(before) = at.checked_sub(1).and_then(|at| words.get(at)).filter(|word| is_capital(word)) else {
        return false;
    };
    let behind = words.get(at.saturating_sub(REACH)..at).unwrap_or_default();
    let other = [&lists.months, &lists.calendar, &lists.devices, &lists.number_nouns, &lists.titles];
    behind.iter().any(street)
        || here.stops
            && (!before.stops || before.bare.chars().count() > 3)
            && !other.iter().any(|list| lexicon::has(&before.folded, list))
}

/// "Dr Shah", "your colleague Esther".
fn is_person(words: &[Word<'_>], at: usize, lists: &Lexicon) -> bool {
    let Some(here) = words.get(at).filter(|word| is_capital(word)) else { return false };
    let before = at.checked_sub(1).and_then(|at| words.get(at));
    let titled = before.is_some_and(|word| lexicon::has(&word.folded, &lists.titles));
    let inside = before.is_some_and(|word| !word.stops);
    titled || inside && lists.names.binary_search(&here.folded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(language: Language, text: &str) -> BTreeSet<&'static str> {
        read(text, language, lexicon::of(language))
    }

    #[test]
    fn an_address_is_known_as_one() {
        for (language, text) in [
            (Language::En, "I live at 22 Mill Lane and nobody came"),
            (Language::Es, "vivo en la calle Olmo 14 con mi hija"),
            (Language::Es, "seguimos sin internet en Belgrano 1450."),
            (Language::Ru, "Адрес: Лесная 14, кв. 36"),
        ] {
            assert!(marks(language, text).contains("address"), "{text}");
        }
        for (language, text) in [
            (Language::En, "I have 3 Old cats and 2 routers"),
            (Language::Es, "uso Windows 11."),
            (Language::Ru, "с 12 Мая 14."),
        ] {
            assert!(!marks(language, text).contains("address"), "{text}");
        }
    }

    #[test]
    fn what_a_screen_says_and_who_it_was_are_known() {
        assert!(marks(Language::Es, "me sale \"usuario o clave incorrectos\" siempre").contains("message"));
        assert!(marks(Language::En, "it shows error 0x97 again").contains("message"));
        assert!(!marks(Language::En, "it fails again").contains("message"));
        assert!(marks(Language::En, "I saw Dr Shah at noon").contains("person"));
        assert!(!marks(Language::En, "Regards,\nMartin").contains("person"));
    }
}
