//! Whether a mail is a story of thanks, whatever went wrong at its beginning: it ends with them, and
//! nothing is asked or wanted any more.

use super::choice::Reading;
use super::sentence::Sentence;
use crate::classify::Label;
use crate::reply::lexicon;

/// Sentences at the end of a mail among which thanks are its point.
const END: usize = 3;

/// Fewest words of a sentence that counts: a signature has less.
const FEWEST: usize = 3;

/// Whether the end thanks for what was done, and says nothing against it.
pub(super) fn end(reading: &Reading<'_>) -> bool {
    let lists = reading.lists;
    let told: Vec<&Sentence> = reading
        .all
        .iter()
        .filter(|sentence| sentence.folded.split_whitespace().count() >= FEWEST || thanks(reading, sentence))
        .collect();
    let asks = |sentence: &&Sentence| {
        sentence.asks() && !lexicon::has(&sentence.folded, &lists.rhetoric)
            || reading.wants(sentence) && !thanks(reading, sentence)
            || lexicon::has(&sentence.folded, &lists.requests) && !thanks(reading, sentence)
    };
    if told.iter().copied().any(|sentence| asks(&sentence)) {
        return false;
    }
    let failed = |sentence: &Sentence| reading.hits(sentence, Label::Complaint) > 0;
    if titled(reading) && !told.iter().rev().take(END).any(|sentence| failed(sentence)) {
        return true;
    }
    if turn(reading) {
        return false;
    }
    let from = told.len().saturating_sub(END);
    let last = told.get(from..).unwrap_or_default();
    let Some(at) = last.iter().rposition(|sentence| thanks(reading, sentence)) else { return false };
    // "thank you, but it still leaks"
    let against = |sentence: &&&Sentence| {
        reading.hits(sentence, Label::Complaint) > 0
            || lists.contrasts.iter().any(|word| lexicon::first_words(&sentence.folded, word))
    };
    !last.iter().skip(at + 1).any(|sentence| against(&sentence))
        && !last.get(at).is_some_and(|sentence| gives_way(reading, sentence))
}

/// Whether something that failed is set off from what came before it: "the guide was a treasure. But the
/// coach had no belts".
pub(super) fn turn(reading: &Reading<'_>) -> bool {
    let lists = reading.lists;
    let sets_off =
        |sentence: &&Sentence| lists.buts.iter().any(|word| lexicon::first_words(&sentence.folded, word));
    let turned = reading.all.iter().skip(1).rfind(sets_off);
    turned.is_some_and(|sentence| {
        let failed = reading.hits(sentence, Label::Complaint) > 0;
        (failed || lexicon::has(&sentence.folded, &lists.negations)) && !thanks(reading, sentence)
    })
}

/// Whether a mail is warm through and through: swearing in it is friendly.
pub(super) fn warm(reading: &Reading<'_>) -> bool {
    let thanks = |sentence: &Sentence| lexicon::hits(&sentence.folded, &reading.lists.gratitude);
    reading.all.iter().map(thanks).sum::<usize>() > 1
}

/// Whether the subject thanks, and is no "thank you, but".
fn titled(reading: &Reading<'_>) -> bool {
    let lists = reading.lists;
    let thanks = lexicon::has(reading.subject, &lists.gratitude)
        || reading.cues(Label::Praise).is_some_and(|cues| lexicon::has(reading.subject, cues));
    thanks && !reading.subject.contains([',', '?', '…']) && !lexicon::has(reading.subject, &lists.negations)
}

/// Whether thanks give way to what failed within one sentence.
fn gives_way(reading: &Reading<'_>, sentence: &Sentence) -> bool {
    let told = |clause: &str| reading.cues(Label::Complaint).is_some_and(|cues| lexicon::has(clause, cues));
    sentence.folded.split(", ").skip(1).any(|clause| {
        told(clause) && reading.lists.contrasts.iter().any(|word| lexicon::first_words(clause, word))
    })
}

/// Thanks for something done; thanks in advance are none.
fn thanks(reading: &Reading<'_>, sentence: &Sentence) -> bool {
    let lists = reading.lists;
    !sentence.asks()
        && lexicon::has(&sentence.folded, &lists.gratitude)
        && !lexicon::has(&sentence.folded, &lists.advance)
}
