//! Facts that are given back as they were written, so that nobody has to repeat them: numbers with
//! their nouns, sums, dates.

use std::collections::BTreeMap;

use super::Fact;
use super::word::{Word, digits, words};
use crate::mail::Language;
use crate::reply::lexicon::{self, Lexicon};

/// Most dates given back.
const MOST_DATES: usize = 3;

/// How many words a date may stand from the number or sum that it dates.
const NEAR: usize = 6;

/// The details of a mail, in the order in which they are given back.
pub(super) fn read(
    text: &str,
    slots: &BTreeMap<&'static str, Fact>,
    language: Language,
    lists: &Lexicon,
) -> Vec<String> {
    let mut found = Vec::new();
    for slot in ["order", "invoice", "account", "case"] {
        found.extend(slots.get(slot).map(|fact| named(fact, language, lists)));
    }
    found.extend(slots.get("amount").map(|fact| fact.value.clone()));
    // days alone are no news to who wrote them
    if found.is_empty() {
        return found;
    }
    let words = words(text);
    let numbered: Vec<usize> = (0..words.len())
        .filter(|at| {
            words.get(*at).is_some_and(|word| {
                digits(word.bare) > 0 && found.iter().any(|known| known.contains(word.bare))
            })
        })
        .collect();
    let near = |at: usize| numbered.iter().any(|number| number.abs_diff(at) <= NEAR);
    // what happened when is a story, unless it dates the number or the sum
    let dates = (0..words.len()).filter(|at| near(*at)).filter_map(|at| date(&words, at, lists));
    let dates: Vec<String> = dates.collect();
    for date in dates {
        let months = found.iter().filter(|known| lexicon::has(&lexicon::fold(known), &lists.months)).count();
        if !found.contains(&date) && months < MOST_DATES {
            found.push(date);
        }
    }
    found
}

/// "order 4471" where the customer wrote it so, else "№ 4471".
fn named(fact: &Fact, language: Language, lists: &Lexicon) -> String {
    let noun = fact.read_from.strip_suffix(fact.value.as_str()).map(str::trim).unwrap_or_default();
    let noun = noun.to_lowercase();
    let number = match language {
        Language::Es => "n.º",
        Language::Ru | Language::Uk => "№",
        Language::En | Language::Other => "number",
    };
    let plain = lists.number_nouns.iter().any(|known| known == lexicon::fold(&noun));
    if plain { format!("{noun} {}", fact.value) } else { format!("{number} {}", fact.value) }
}

/// "3 November", "12 de septiembre", "November 3rd".
fn date(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<String> {
    let here = words.get(at)?;
    let month = |word: &Word<'_>| lexicon::has(&word.folded, &lists.months) && digits(word.bare) == 0;
    let day = |word: &Word<'_>| {
        (1..=2).contains(&digits(word.bare))
            && word.bare.starts_with(|c: char| c.is_ascii_digit())
            && word.bare.chars().count() <= 5
            && !word.bare.contains([':', '.', ',', '%', '/'])
            && word.bare.trim_end_matches(char::is_alphabetic).parse::<u8>().is_ok_and(|day| day < 32)
    };
    let next = words.get(at + 1).filter(|_| !here.stops);
    let after = words.get(at + 2).filter(|_| next.is_some_and(|next| !next.stops));
    if day(here) && next.is_some_and(month) {
        return next.map(|next| format!("{} {}", here.bare, next.bare));
    }
    if day(here) && next.is_some_and(|next| ["de", "of"].contains(&next.folded.as_str())) {
        return after
            .filter(|after| month(after))
            .map(|after| format!("{} {} {}", here.bare, next.map_or("", |next| next.bare), after.bare));
    }
    // months before days are English, and "may 5" is no date
    let capital = here.bare.starts_with(char::is_uppercase);
    (capital
        && month(here)
        && next.is_some_and(day)
        && !at.checked_sub(1).and_then(|at| words.get(at)).is_some_and(day))
    .then(|| format!("{} {}", here.bare, next.map_or("", |next| next.bare)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(language: Language, text: &str) -> Vec<String> {
        let lists = lexicon::of(language);
        let slots = super::super::number::read(text, lists).facts.into_iter().collect();
        read(text, &slots, language, lists)
    }

    #[test]
    fn details_stand_as_the_customer_wrote_them() {
        assert_eq!(
            details(Language::En, "Order 448120, ordered on 3 November and charged £39 on November 12th."),
            ["order 448120", "£39", "3 November", "November 12th"]
        );
        assert_eq!(
            details(Language::Es, "El 12 de septiembre di de baja el contrato 8812."),
            ["contrato 8812", "12 de septiembre"]
        );
        assert_eq!(
            details(Language::Ru, "По заказу 55120 жду с 3 октября."),
            ["№ 55120", "3 октября"],
            "an oblique noun is left out"
        );
        assert_eq!(details(Language::En, "It may 5 times fail."), [""; 0]);
        let sums = "In October and in November 39 pounds went from my account 448120.";
        assert_eq!(details(Language::En, sums), ["account 448120", "39 pounds"]);
        let story =
            "Order 448120 is here. My sister came on 3 November, and we went to the sea until 9 November.";
        assert_eq!(details(Language::En, story), ["order 448120"], "days of a story are none");
    }
}
