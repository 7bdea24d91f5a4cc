//! The subject as the customer's own words for the matter.

use super::Fact;
use super::sentence::is_pictograph;
use crate::reply::lexicon::{self, Lexicon};

/// Longest subject given back, in characters.
const LONGEST: usize = 60;

/// The subject, if it names something: neither a cry nor "question", and nothing that may not be
/// repeated.
pub(super) fn read(subject: &str, lists: &Lexicon) -> Option<Fact> {
    let mut plain = subject.trim();
    while let Some((prefix, rest)) = plain.split_once(':') {
        if prefix.chars().count() > 4 {
            break;
        }
        plain = rest.trim();
    }
    let marks = |c: char| matches!(c, '.' | '!' | '…' | ' ' | ',' | '-');
    // a cry at its end is none of its words
    let cried = plain.ends_with("??") || plain.ends_with("?!") || plain.ends_with("!?");
    let plain = if cried { plain.trim_end_matches(['?', '!']) } else { plain }.trim_matches(marks);
    let folded = lexicon::fold(plain);
    let letters = plain.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = plain.chars().filter(|c| c.is_uppercase()).count();
    let sign = |c: char| c.is_control() || is_pictograph(c) || "{}<>@[]|\\`=\"«»“”„?!#/".contains(c);
    let telling = |word: &str| word.chars().count() > 3 && !lexicon::has(word, &lists.vague);
    let banned = [
        &lists.insults,
        &lists.threats,
        &lists.courting,
        &lists.stock,
        &lists.accusing,
        &lists.admissions,
        &lists.money,
        &lists.greetings,
        &lists.gendered,
    ];
    let fits = plain.chars().count() <= LONGEST
        && letters * 2 > plain.chars().count()
        && capitals * 2 < letters
        && !plain.contains(sign)
        && folded.split(' ').any(telling)
        && !lexicon::has(&folded, &lists.rhetoric)
        && !banned.iter().any(|list| lexicon::has(&folded, list));
    fits.then(|| Fact { value: plain.to_owned(), read_from: subject.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    #[test]
    fn a_subject_is_given_back_where_it_names_something() {
        let topic = |subject| read(subject, lexicon::of(Language::En)).map(|fact| fact.value);
        assert_eq!(topic("Re: School lunch").as_deref(), Some("School lunch"));
        assert_eq!(topic("my order went to Rosario???").as_deref(), Some("my order went to Rosario"));
        for subject in ["Formal complaint", "HELP!!!", "hi", "you idiots", "", "my lawyer", "Why?"] {
            assert_eq!(topic(subject), None, "{subject}");
        }
    }
}
