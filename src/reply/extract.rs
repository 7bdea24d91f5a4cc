//! What a mail claims, demands, by when and how much, each with the sentence it was read from: for
//! colleagues who have to judge it. Nothing is concluded that does not stand in the mail.

use super::company::Company;
use super::playbook::Playbooks;
use super::{facts, lexicon};
use crate::classify::Label;
use crate::mail::Mail;

/// Sentences given at most.
const MOST: usize = 12;

/// Longest sentence given, in characters.
const LONGEST: usize = 400;

/// One thing that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// `threatens`, `demands`, `by when`, `how much`, `order`, …
    pub what: &'static str,
    /// The value, where it is shorter than the sentence.
    pub value: String,
    /// The sentence it was read from.
    pub sentence: String,
}

/// Reads the mail for what somebody who judges it wants to know first.
#[must_use]
pub fn extract(mail: &Mail, company: &Company, playbooks: &Playbooks) -> Vec<Read> {
    let lists = lexicon::of(mail.language);
    let sentences = sentences(&mail.new_text);
    let mut found: Vec<Read> = Vec::new();
    let mut add = |what: &'static str, value: &str, sentence: &str| {
        let read = Read { what, value: value.to_owned(), sentence: sentence.to_owned() };
        if found.len() < MOST && !found.contains(&read) {
            found.push(read);
        }
    };
    for sentence in &sentences {
        let folded = lexicon::fold(sentence);
        if lexicon::has(&folded, &lists.threats) {
            add("threatens", "", sentence);
        }
        if lexicon::has(&folded, &lists.wishes) {
            add("demands", "", sentence);
        }
    }
    if let Some(book) = playbooks.book(mail.language) {
        let read = facts::read(mail, &[Label::Complaint], false, company, book);
        let slots = [
            ("deadline", "by when"),
            ("amount", "how much"),
            ("order", "order"),
            ("invoice", "invoice"),
            ("account", "account"),
            ("case", "case"),
            ("product", "product"),
        ];
        for (slot, what) in slots {
            let Some(fact) = read.slots.get(slot) else { continue };
            let holds = |sentence: &&String| sentence.contains(fact.read_from.as_str());
            let sentence = sentences.iter().find(holds).map_or(mail.subject.as_str(), String::as_str);
            add(what, &fact.value, sentence);
        }
    }
    found
}

/// Sentences on one line each; long ones cut.
fn sentences(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        current.push(if c == '\n' { ' ' } else { c });
        let breaks = chars.peek().is_none_or(|next| next.is_whitespace());
        let paragraph = c == '\n' && chars.peek() == Some(&'\n');
        if paragraph || (breaks && matches!(c, '.' | '!' | '?' | '…')) || chars.peek().is_none() {
            let line = current.split_whitespace().collect::<Vec<_>>().join(" ");
            if line.chars().any(char::is_alphabetic) {
                all.push(line.chars().take(LONGEST).collect());
            }
            current.clear();
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threat_is_taken_apart_with_its_sentences() {
        let text = "You charged my card twice, $45 each, for order 88213. If the money is not back by Friday, my lawyer \
                    will see you in court. The sky is blue.";
        let mail = Mail::from_message("Dana", "dana@example.org", "Last warning", text);
        let found = extract(&mail, &Company::default(), &Playbooks::shipped().unwrap());
        let of = |what: &str| found.iter().find(|read| read.what == what).cloned();
        assert!(of("threatens").unwrap().sentence.contains("my lawyer"), "{found:#?}");
        assert_eq!(of("how much").unwrap().value, "$45");
        assert!(of("order").unwrap().sentence.contains("88213"));
        assert!(found.iter().all(|read| !read.sentence.contains("sky")), "{found:#?}");
    }
}
