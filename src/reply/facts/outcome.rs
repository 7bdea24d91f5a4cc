//! What the customer wants done: a refund, a replacement, a call. Read clause by clause, for a
//! mail tells what was done as well: "I sent the form to cancel".

use super::sentence::Sentence;
use crate::mail::Language;
use crate::reply::lexicon::{self, Lexicon};
use crate::reply::playbook::Outcome;

/// Most outcomes that are named in an answer.
const MOST: usize = 3;

/// What is wanted.
#[derive(Default)]
pub(super) struct Wanted {
    /// Names of outcomes, in the order of the mail.
    pub(super) outcomes: Vec<String>,
    /// Whether one of them would do.
    pub(super) either: bool,
    /// Whether it is said by when.
    pub(super) timed: bool,
}

/// Reads it; a clause that refuses something is passed over.
pub(super) fn find(all: &[Sentence], outcomes: &[Outcome], lists: &Lexicon) -> Wanted {
    let mut wanted = Wanted::default();
    for sentence in all {
        let mut asking = false;
        let own = own_words(&sentence.folded);
        for clause in own.split([',', ';', ':', '—', '–', '(', ')', '.', '!', '?']) {
            // "a new one, not a repair"
            let first = clause.split_whitespace().next().unwrap_or("");
            let refuses = lexicon::has(first, &lists.negations) && !lexicon::has(clause, &lists.asking);
            if refuses || lexicon::has(clause, &lists.denials) {
                asking = false;
                continue;
            }
            asking |= lexicon::has(clause, &lists.asking) || orders(clause, lists);
            let clause = &unrefused(clause, lists);
            let says = |outcome: &&Outcome| {
                lexicon::has(clause, &outcome.strong) || asking && lexicon::has(clause, &outcome.weak)
            };
            let before = wanted.outcomes.len();
            for outcome in outcomes.iter().filter(says) {
                if !wanted.outcomes.contains(&outcome.name) && wanted.outcomes.len() < MOST {
                    wanted.outcomes.push(outcome.name.clone());
                }
            }
            let found = wanted.outcomes.len() > before || outcomes.iter().any(|outcome| says(&outcome));
            wanted.either |= found && lists.conjunctions.iter().any(|or| lexicon::contains(clause, or));
            wanted.timed |= (asking || found)
                && (lexicon::has(clause, &lists.soon) || lexicon::has(clause, &lists.calendar));
        }
    }
    wanted
}

/// A sentence without what somebody else said in it.
pub(super) fn own_words(folded: &str) -> String {
    let marks = |c: char| matches!(c, '«' | '»' | '“' | '”' | '„' | '"');
    if folded.chars().filter(|c| marks(*c)).count() % 2 == 1 {
        return folded.to_owned();
    }
    folded.split(marks).step_by(2).collect::<Vec<_>>().join(" ")
}

/// Words behind "not" that it refuses.
const REFUSED: usize = 2;

/// A clause without what it refuses: "replace it, do not repair it" or "instead of a refund".
fn unrefused(clause: &str, lists: &Lexicon) -> String {
    let mut words: Vec<&str> = clause.split_whitespace().collect();
    let refused: Vec<usize> =
        (0..words.len()).filter_map(|at| refusal(words.get(at..)?, at, lists)).collect();
    for at in refused {
        for word in words.iter_mut().skip(at).take(REFUSED) {
            *word = "-";
        }
    }
    words.join(" ")
}

/// Where what is refused begins, if a refusal stands at `at`; "could you not" refuses nothing.
fn refusal(rest: &[&str], at: usize, lists: &Lexicon) -> Option<usize> {
    let begins = rest.iter().take(3).copied().collect::<Vec<_>>().join(" ");
    let refusal = lists.refusals.iter().find(|refusal| lexicon::first_words(&begins, refusal))?;
    let length = refusal.split(' ').count();
    let asks = rest.get(length).is_some_and(|next| lexicon::has(next, &lists.asking));
    (!asks).then_some(at + length)
}

/// Whether a clause begins with an imperative, perhaps behind a joining word.
fn orders(clause: &str, lists: &Lexicon) -> bool {
    let mut words = clause.split_whitespace();
    let Some(first) = words.next() else { return false };
    let joins = lists.openers.iter().chain(&lists.conjunctions).any(|word| word == first);
    let orders = |word: &str| lexicon::has(word, &lists.imperatives);
    orders(first) || joins && words.next().is_some_and(orders)
}

/// The outcomes in one phrase: "a replacement or a refund".
pub(super) fn phrase(wanted: &Wanted, outcomes: &[Outcome], language: Language) -> Option<String> {
    let said: Vec<&str> = wanted
        .outcomes
        .iter()
        .filter_map(|name| outcomes.iter().find(|outcome| outcome.name == *name))
        .map(|outcome| outcome.said.as_str())
        .collect();
    let (last, before) = said.split_last()?;
    if before.is_empty() {
        return Some((*last).to_owned());
    }
    let join = match (language, wanted.either) {
        (Language::Es, true) => "o",
        (Language::Es, false) => "y",
        (Language::Ru, true) => "или",
        (Language::Ru, false) => "и",
        (Language::Uk, true) => "або",
        (Language::Uk, false) => "і",
        (_, true) => "or",
        (_, false) => "and",
    };
    Some(format!("{} {join} {last}", before.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::sentence::split;
    use super::*;
    use crate::reply::Playbooks;

    fn wanted(language: Language, text: &str) -> Option<String> {
        let lists = lexicon::of(language);
        let books = Playbooks::shipped().unwrap();
        let outcomes = books.book(language).unwrap().outcomes();
        phrase(&find(&split(text, lists), outcomes, lists), outcomes, language)
    }

    #[test]
    fn what_is_wanted_is_read_in_every_language() {
        for (language, text, said) in [
            (
                Language::En,
                "Please send another one by express or give me my money back.",
                "a replacement or a refund",
            ),
            (
                Language::En,
                "Please cancel it properly and refund the three payments.",
                "a refund and a cancellation",
            ),
            (Language::En, "Please send a new one and not a refund.", "a replacement"),
            (Language::Es, "Quiero que me devuelvan el dinero, no cambiarlo.", "la devolución"),
            (Language::Uk, "Поверніть гроші, а нових не везіть.", "повернення"),
            (Language::En, "Can someone come on Saturday morning?", "a visit"),
            (
                Language::Es,
                "Quiero que me la entreguen esta semana o que me devuelvan el dinero.",
                "la devolución o el envío",
            ),
            (
                Language::Ru,
                "Привезите, пожалуйста, холодильник до среды или верните деньги.",
                "возврат денег или доставку",
            ),
            (Language::Uk, "Прошу прислати іншого майстра в суботу зранку.", "приїзд майстра"),
        ] {
            let mut got: Vec<String> =
                wanted(language, text).unwrap_or_default().split(' ').map(str::to_owned).collect();
            let mut expected: Vec<String> = said.split(' ').map(str::to_owned).collect();
            got.sort_unstable();
            expected.sort_unstable();
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn what_was_done_or_is_refused_is_not_wanted() {
        for text in [
            "In September I sent the form to cancel my membership.",
            "I do not want a refund.",
            "The refund came, and the technician was kind.",
            "The man at the desk said \"please send a new one back\" and hung up.",
        ] {
            assert_eq!(wanted(Language::En, text), None, "{text}");
        }
    }
}
