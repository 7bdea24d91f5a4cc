//! Clauses of a sentence: the one that only sets the scene, and those behind it that tell what failed.

use super::sentence::Sentence;
use crate::reply::lexicon::{self, Lexicon, Phrases};

/// Words at the beginning of a clause among which one says that it sets the scene: "On 6 November at
/// your shop I bought".
const BEGINNING: usize = 9;

/// Fewest words of a clause that stands for itself.
const FEWEST: usize = 4;

/// Whether a sentence begins with what its writer did, has or is: "I bought it on 6 November".
pub(super) fn sets_scene(sentence: &Sentence, lists: &Lexicon) -> bool {
    let (head, _) = halves(&sentence.folded, lists);
    let begins: Vec<&str> = head.split_whitespace().take(BEGINNING).collect();
    lexicon::has(&begins.join(" "), &lists.scenes)
}

/// Whether what a sentence begins with only sets the scene, and tells of nothing that went wrong; what
/// stands behind it may.
pub(super) fn is_scene(sentence: &Sentence, cues: &[&Phrases], lists: &Lexicon) -> bool {
    let (head, behind) = halves(&sentence.folded, lists);
    !behind.is_empty() && sets_scene(sentence, lists) && !cues.iter().any(|cues| lexicon::has(head, cues))
}

/// What stands behind the first clause; empty where there is only one.
pub(super) fn behind<'a>(sentence: &'a Sentence, lists: &Lexicon) -> &'a str {
    halves(&sentence.folded, lists).1
}

/// The first clause and the rest, at the first comma, stop or joining word behind three words.
fn halves<'a>(folded: &'a str, lists: &Lexicon) -> (&'a str, &'a str) {
    let joins = |rest: &str| lists.joints.iter().any(|joint| lexicon::first_words(rest, joint));
    let mut words = 0;
    for (at, c) in folded.char_indices() {
        let rest = folded.get(at + c.len_utf8()..).unwrap_or_default();
        words += usize::from(c == ' ');
        let stops = matches!(c, ',' | ';' | ':' | '—' | '–') && rest.starts_with(' ');
        if stops && words > 1 || c == ' ' && words > 2 && joins(rest) {
            return folded.split_at_checked(at).unwrap_or((folded, ""));
        }
    }
    (folded, "")
}

/// The clauses joined to the first one, each up to the end of the sentence: "and since last week the
/// buckle does not close".
pub(super) fn tails(sentence: &Sentence, lists: &Lexicon) -> Vec<Sentence> {
    let marks = |c: char| matches!(c, '"' | '«' | '»' | '“' | '”' | '„' | '(' | ')');
    let text = sentence.text.as_str();
    let ends = |(at, c): (usize, char)| {
        let rest = text.get(at + c.len_utf8()..)?.strip_prefix(' ')?;
        // what is said or bracketed stays in one piece
        if text.get(..at)?.chars().filter(|c| marks(*c)).count() % 2 == 1 {
            return None;
        }
        let tail = match c {
            ';' => rest,
            ',' => {
                let (first, tail) = rest.split_once(' ')?;
                let first = lexicon::fold(first);
                lists.tails.contains(&first).then_some(tail)?
            }
            _ => return None,
        };
        (tail.split_whitespace().count() >= FEWEST).then(|| Sentence::of(tail.to_owned(), lists, false))
    };
    text.char_indices().filter_map(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    #[test]
    fn what_was_bought_sets_the_scene_and_what_failed_stands_behind_it() {
        for (language, text, tail) in [
            (
                Language::En,
                "I bought a code from you on 6 November, but it says it is already used.",
                "it says it is already used.",
            ),
            (
                Language::Es,
                "Compré una silla el 14 de octubre, y la hebilla no engancha bien.",
                "la hebilla no engancha bien.",
            ),
            (
                Language::Ru,
                "Заказали вывеску 14 октября, а привезли совсем другую.",
                "привезли совсем другую.",
            ),
            (
                Language::Uk,
                "Замовила торт на суботу, а привезли зовсім інший напис.",
                "привезли зовсім інший напис.",
            ),
        ] {
            let lists = lexicon::of(language);
            let sentence = Sentence::of(text.to_owned(), lists, true);
            assert!(sets_scene(&sentence, lists), "{text}");
            let found = tails(&sentence, lists);
            // three words are no clause of their own
            assert!(found.iter().all(|found| found.text == tail), "{text}: {found:?}");
        }
        let lists = lexicon::of(Language::En);
        let plain = Sentence::of("The parcel never arrived, and nobody answers.".to_owned(), lists, true);
        assert!(!sets_scene(&plain, lists) && tails(&plain, lists).is_empty());
    }
}
