//! How often it has happened, where the mail says so of its matter: "for the third time". What was
//! tried twice, or will not be done again, is no count.

use super::Fact;
use super::sentence::Sentence;
use crate::reply::lexicon::{self, Lexicon};

/// Words before a count among which one says that it is one.
const BEFORE: usize = 3;

/// Beginnings of what is said of a second time, which many things have.
const SECOND: [&str; 4] = ["the second", "la segunda", "второй", "другий"];

/// The count, as it may be repeated.
pub(super) fn read(all: &[Sentence], lists: &Lexicon) -> Option<Fact> {
    all.iter().find_map(|sentence| {
        if sentence.asks() || lexicon::has(&sentence.folded, &lists.denials) {
            return None;
        }
        let counts = lists.counts.iter().filter_map(|(written, said)| {
            clauses(&sentence.folded)
                .find_map(|clause| counts(clause, written, said, lists).then_some((written, said)))
        });
        counts
            .into_iter()
            .next()
            .map(|(written, said)| Fact { value: said.clone(), read_from: written.clone() })
    })
}

fn clauses(folded: &str) -> impl Iterator<Item = &str> {
    folded.split([',', ';', ':', '—', '–', '.', '!', '(', ')']).map(str::trim)
}

fn counts(clause: &str, written: &str, said: &str, lists: &Lexicon) -> bool {
    let Some((before, after)) = clause.split_once(written).filter(|_| lexicon::contains(clause, written))
    else {
        return false;
    };
    let refused = after.split_whitespace().take(BEFORE).any(|word| lexicon::has(word, &lists.negations));
    let asked = lexicon::has(clause, &lists.asking);
    let opens = before.trim().is_empty() && !SECOND.iter().any(|second| said.starts_with(second));
    let words: Vec<&str> = before.split_whitespace().rev().take(BEFORE).collect();
    let marked = words.iter().any(|word| lexicon::has(word, &lists.repeated));
    (opens || marked || said_by_itself(written)) && !refused && !asked
}

/// "yet again" is no ordinal.
fn said_by_itself(written: &str) -> bool {
    written.ends_with("again") || written.starts_with("вкотре") || written.starts_with("не вперше")
}

#[cfg(test)]
mod tests {
    use super::super::sentence::split;
    use super::*;
    use crate::mail::Language;

    #[test]
    fn a_count_is_one_of_the_matter() {
        let count = |language, text: &str| {
            let lists = lexicon::of(language);
            read(&split(text, lists), lists).map(|fact| fact.value)
        };
        for (language, text, said) in [
            (Language::En, "For the third time I have had a letter in Welsh.", "the third time"),
            (Language::En, "It was cancelled, third time this month.", "the third time"),
            (Language::Es, "Ya es la segunda vez que pasa.", "la segunda vez"),
            (Language::Ru, "Это уже второй раз за осень.", "второй раз"),
            (Language::Uk, "Пишу втретє.", "третій раз"),
        ] {
            assert_eq!(count(language, text).as_deref(), Some(said), "{text}");
        }
        for (language, text) in [
            (Language::Ru, "Терминал выдал ошибку, провели второй раз."),
            (Language::Ru, "И кто оплатит второй раз такси?"),
            (Language::Uk, "Вдруге колоти дитину просто так не дам."),
            (Language::Uk, "Відпрошуватися з роботи вдруге не можу."),
            (Language::En, "I don't want to do it a third time."),
        ] {
            assert_eq!(count(language, text), None, "{text}");
        }
    }
}
