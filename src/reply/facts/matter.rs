//! Which known matter a mail is about.

use crate::reply::lexicon;
use crate::reply::playbook::Matter;

/// In a longer text a single strong sign may be a figure of speech.
const SHORT: usize = 240;

/// The matter with the most signs; `None` below one strong and one weak one, in a short text below
/// one strong or two weak ones: an answer rather says too little than the wrong thing.
pub(super) fn find(folded: &str, matters: &[Matter]) -> Option<String> {
    let enough = if folded.chars().count() <= SHORT { 2 } else { 3 };
    let mut best: Option<(usize, &Matter)> = None;
    for matter in matters {
        let score = 2 * lexicon::hits(folded, &matter.strong) + lexicon::hits(folded, &matter.weak);
        if score >= enough && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, matter));
        }
    }
    best.map(|(_, matter)| matter.name.clone())
}
