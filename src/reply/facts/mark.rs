//! What the words of a mail make known beside the facts: marks by which a plan and its questions are chosen.

use std::collections::BTreeSet;

use super::Facts;
use super::choice::Reading;
use super::sentence::Sentence;
use crate::classify::Label;
use crate::mail::Mail;
use crate::reply::lexicon::{self, Lexicon};

/// What is known by words of the whole mail.
pub(super) fn words(facts: &mut Facts, folded: &str, all: &[Sentence], lists: &Lexicon, mail: &Mail) {
    // "is there a discount?" disputes nothing
    let too_high = |sentence: &Sentence| {
        let but = if sentence.asks() { &lists.bargains } else { &lists.vague };
        lexicon::has_but(&sentence.folded, &lists.disputes, but)
    };
    let disputed = lexicon::has(&lexicon::fold(&mail.subject), &lists.disputes) || all.iter().any(too_high);
    facts.known.insert(if disputed { "dispute" } else { "inquiry" });
    let marked = [
        ("device", &lists.devices),
        ("tried", &lists.tried),
        ("date", &lists.moments),
        ("party", &lists.parties),
        ("contacted", &lists.contacted),
        ("payment", &lists.payments),
    ];
    for (mark, list) in marked {
        if lexicon::has(folded, list) {
            facts.known.insert(mark);
        }
    }
    // a court that somebody has gone to is no threat
    let threatens = |sentence: &Sentence| {
        lexicon::has(&sentence.folded, &lists.threats) && lexicon::has(&sentence.folded, &lists.conditions)
    };
    if all.iter().any(threatens) {
        facts.known.insert("threat");
    }
    if !mail.attachments.is_empty() || lexicon::has(folded, &lists.attached) {
        facts.known.insert("attachment");
    }
}

/// What is known by its sentences, and the sentences that are given back.
pub(super) fn sentences(facts: &mut Facts, reading: &mut Reading<'_>, labels: &[Label]) {
    let (all, lists) = (reading.all, reading.lists);
    for (at, label) in labels.iter().enumerate() {
        if let Some(quote) = reading.key(*label, at == 0) {
            facts.quotes.insert(*label, quote);
        }
    }
    if all.iter().any(|sentence| lexicon::has(&sentence.folded, &lists.terms)) {
        facts.known.insert("terms");
    }
    // what is requested beside a complaint is its wish
    let requests = labels.first() != Some(&Label::Complaint);
    if let Some(question) = reading.question(requests) {
        facts.set("question", question);
    }
    if let Some(wish) =
        labels.first().and_then(|label| reading.wish(*label)).filter(|_| facts.outcomes.is_empty())
    {
        facts.set("wish", wish);
    }
    if all.iter().any(|sentence| !sentence.asks() && reading.wants(sentence)) {
        facts.known.insert("wish");
    }
    let hurried = |sentence: &Sentence| {
        lexicon::has(&sentence.folded, &lists.soon)
            || sentence.text.contains("!!")
            || sentence.text.contains("???")
    };
    if all.iter().any(hurried) {
        facts.known.insert("hurried");
    }
    if all.iter().any(Sentence::asks) {
        facts.known.insert("asks");
    }
    let pressing = |sentence: &Sentence| {
        lexicon::has(&sentence.folded, &lists.soon)
            && (sentence.asks()
                || reading.wants(sentence)
                || lexicon::has(&sentence.folded, &lists.negations))
    };
    if all.iter().any(pressing) {
        facts.known.insert("soon");
    }
    if all.iter().any(|sentence| reading.asks_price(sentence)) {
        facts.known.insert("price-asked");
    }
    let mut asking =
        all.iter().filter(|sentence| sentence.asks() && !lexicon::has(&sentence.folded, &lists.rhetoric));
    if asking.next().is_some_and(|first| !reading.asks_price(first) && asking.next().is_some()) {
        facts.known.insert("price-aside");
    }
    if all.iter().any(|sentence| reading.inquires(sentence) && sentence.folded.split(' ').count() > 3) {
        facts.known.insert("inquires");
    }
    let requested = |sentence: &Sentence| {
        lexicon::has(&sentence.folded, &lists.requests)
            && ![&lists.thanks, &lists.gratitude].iter().any(|list| lexicon::has(&sentence.folded, list))
    };
    if all.iter().any(requested) {
        facts.known.insert("requested");
    }
    // what is asked in a mail with a number is about what has the number
    let numbered = facts.known.contains("number");
    if all.iter().any(|sentence| reading.is_business(sentence) || numbered && reading.inquires(sentence)) {
        facts.known.insert("business");
    }
    let complaints = |sentence: &Sentence| {
        lists.cues.get(Label::Complaint.as_str()).map_or(0, |cues| lexicon::hits(&sentence.folded, cues))
    };
    // what a mail is about need not have failed
    let told = all.iter().map(complaints).sum::<usize>();
    if told > 1 || told > 0 && facts.matter.is_some() {
        facts.known.insert("failure");
    }
    // "I'm an idiot, I forgot it at home" insults nobody here
    let mut insulting =
        all.iter().filter(|sentence| lexicon::has(&sentence.folded, &lists.insults)).peekable();
    let about_oneself = |sentence: &Sentence| {
        lexicon::has(&sentence.folded, &lists.oneself) && !lexicon::has(&sentence.folded, &lists.you)
    };
    if insulting.peek().is_some() && insulting.all(about_oneself) {
        facts.known.insert("self-insult");
    }
}

/// Labels that at least one word of the mail speaks for; of the others nothing is known here.
pub(super) fn borne_out(reading: &Reading<'_>, subject: &str) -> BTreeSet<Label> {
    let says = |label: Label| {
        let cues = reading.lists.cues.get(label.as_str());
        cues.is_some_and(|cues| {
            lexicon::has(subject, cues)
                || reading.all.iter().any(|sentence| lexicon::has(&sentence.folded, cues))
        })
    };
    let asks = |sentence: &Sentence| {
        sentence.asks() && !lexicon::has(&sentence.folded, &reading.lists.rhetoric)
            || lexicon::has(&sentence.folded, &reading.lists.requests)
    };
    let mut found = BTreeSet::new();
    let loud = |sentence: &Sentence| {
        sentence.text.contains("!!")
            || sentence.text.contains("???")
            || lexicon::has(&sentence.folded, &reading.lists.soon)
    };
    if says(Label::Panic) || reading.all.iter().any(loud) {
        found.insert(Label::Panic);
    }
    if says(Label::Complaint) {
        found.insert(Label::Complaint);
    }
    if says(Label::Pricing) || lexicon::has(subject, &reading.lists.currencies) {
        found.insert(Label::Pricing);
    }
    if reading.all.iter().any(asks) {
        found.insert(Label::Question);
    }
    if reading.all.iter().any(|sentence| reading.praises(sentence)) {
        found.insert(Label::Praise);
    }
    if says(Label::Entitlement) {
        found.insert(Label::Entitlement);
    }
    if says(Label::Idea) {
        found.insert(Label::Idea);
    }
    found
}
