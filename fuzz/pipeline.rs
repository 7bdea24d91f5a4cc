//! What a mail goes through before anything is done with it: bytes → `Mail` → `Verdict` → `Decision`
//! → draft; and what must hold whatever the bytes are. Shared by the fuzz target, the endurance run and
//! the tests.

use evenkeel::classify::Classifier;
use evenkeel::decide::{Case, Rulebook, TicketId, decide};
use evenkeel::mail::{Mail, parse};
use evenkeel::reply::Playbooks;
use evenkeel::time::Timestamp;

/// Model, rules and playbooks as shipped.
pub struct Pipeline {
    classifier: Classifier,
    book: Rulebook,
}

impl Pipeline {
    pub fn shipped() -> Self {
        let playbooks = Playbooks::shipped().expect("the shipped playbooks are good");
        Self {
            classifier: Classifier::shipped().expect("the shipped model is good"),
            book: Rulebook { playbooks, ..Rulebook::default() },
        }
    }

    /// Handles a mail; panics where something does not hold.
    pub fn handle(&self, bytes: &[u8]) {
        let mail = parse(bytes);
        check(&mail);
        let verdict = self.classifier.classify(&mail);
        assert!(verdict.scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", verdict.scores);
        let case = Case::new(TicketId::new(7, [1, 2]));
        let decision = decide(&mail, &verdict, &case, &self.book, Timestamp(1_790_000_000));
        assert!(!decision.reasons.is_empty(), "a decision without a reason");
        if let Some(draft) = decision.draft() {
            assert!(mail.automated.is_none(), "a machine is answered");
            assert!(!draft.body.trim().is_empty(), "an empty draft");
            assert!(!draft.subject.contains(['\r', '\n']), "a subject of several lines");
        }
    }
}

fn check(mail: &Mail) {
    let names = mail.from.iter().chain(&mail.reply_to).chain(&mail.to).map(|a| &a.name);
    for line in names.chain([&mail.subject]) {
        assert!(!line.contains(char::is_control), "a control character in {line:?}");
    }
    for text in [&mail.new_text, &mail.quoted, &mail.signature] {
        assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')), "a control character");
        assert!(text.len() <= 2 * evenkeel::mail::parse::MAX_TEXT_BYTES + 1024, "a text beyond its limit");
    }
}
