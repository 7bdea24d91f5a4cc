//! Whether somebody's health or safety may be at stake. A child or a dog in the house is no danger.

use super::sentence::Sentence;
use crate::reply::lexicon::{self, Lexicon};
use crate::reply::playbook::Matter;

/// One strong sign anywhere, two weaker ones in a sentence, or a weaker one beside somebody vulnerable.
pub(super) fn is_near(all: &[Sentence], folded: &str, matters: &[Matter], lists: &Lexicon) -> bool {
    let matter = matters.iter().find(|matter| matter.name == "danger");
    let alarming = |sentence: &Sentence| match lexicon::hits(&sentence.folded, &lists.alarms) {
        0 => false,
        1 => lexicon::has(&sentence.folded, &lists.vulnerable),
        _ => true,
    };
    matter.is_some_and(|matter| lexicon::has(folded, &matter.strong))
        || lexicon::has(folded, &lists.dangers)
        || all.iter().any(alarming)
}
