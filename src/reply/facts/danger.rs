//! Whether somebody's health or safety may be at stake. A child or a dog in the house is no danger.

use super::outcome::own_words;
use super::sentence::Sentence;
use crate::reply::lexicon::{self, Lexicon};
use crate::reply::playbook::Matter;

/// How near it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Near {
    /// Nothing tells of any.
    No,
    /// A sign, or a weak one beside another or somebody who needs care.
    Perhaps,
    /// A sign of the matter, or two signs in a sentence.
    Surely,
}

/// One strong sign anywhere, two weaker ones in a sentence, or a weaker one beside somebody vulnerable.
///
/// What is "not urgent" is none. What was said by others and what has a date is none either, unless the
/// mail is written in a fright.
pub(super) fn near(
    all: &[Sentence],
    subject: &str,
    fright: bool,
    matters: &[Matter],
    lists: &Lexicon,
) -> Near {
    if all.iter().any(|sentence| lexicon::has(&sentence.folded, &lists.unhurried)) {
        return Near::No;
    }
    let matter = matters.iter().find(|matter| matter.name == "danger");
    let alarm = |said: &str| {
        let strong = matter.is_some_and(|matter| lexicon::has(said, &matter.strong));
        let dangers = lexicon::hits(said, &lists.dangers);
        match lexicon::hits(said, &lists.alarms) {
            alarms if strong || dangers > 0 && dangers + alarms > 1 => Near::Surely,
            _ if dangers > 0 => Near::Perhaps,
            1 if lexicon::has(said, &lists.vulnerable) => Near::Perhaps,
            0 | 1 => Near::No,
            _ => Near::Perhaps,
        }
    };
    let told = |sentence: &Sentence| {
        let past = lexicon::has(&sentence.folded, &lists.months);
        match (fright, past) {
            (true, _) => alarm(&sentence.folded),
            (false, true) => Near::No,
            (false, false) => alarm(&own_words(&sentence.folded)),
        }
    };
    all.iter().map(told).max().unwrap_or(Near::No).max(alarm(subject))
}
