//! Which known matter a mail is about.

use crate::reply::lexicon;
use crate::reply::playbook::Matter;

/// The matter with the most signs; `None` below one strong or two weak ones, so that an answer
/// rather says too little than the wrong thing.
pub(super) fn find(folded: &str, matters: &[Matter]) -> Option<String> {
    let mut best: Option<(usize, &Matter)> = None;
    for matter in matters {
        let score = 2 * lexicon::hits(folded, &matter.strong) + lexicon::hits(folded, &matter.weak);
        if score >= 2 && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, matter));
        }
    }
    best.map(|(_, matter)| matter.name.clone())
}
