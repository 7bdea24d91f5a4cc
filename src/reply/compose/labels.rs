//! What is answered where a label is in doubt, says too little, or is missing.

use super::plan::Plan;
use crate::classify::Label;
use crate::reply::playbook::Book;
use crate::reply::{NoDraft, Request, facts, lexicon};

/// The labels without those in doubt of which no word stands in the mail: courting, abuse, a machine.
pub(super) fn borne_out(request: &Request<'_>) -> Vec<Label> {
    let lists = lexicon::of(request.mail.language);
    let has = |list| lexicon::stands(request.mail, list);
    let holds = |label: &Label| match label {
        Label::Harassment => has(&lists.courting),
        Label::Abuse => has(&lists.insults),
        Label::Threat => has(&lists.threats),
        // its head would say so
        Label::Automated => false,
        _ => true,
    };
    let kept = |label: &Label| !request.doubted.contains(label) || holds(label);
    let kept: Vec<Label> = request.labels.iter().copied().filter(kept).collect();
    let machine = request.labels == [Label::Automated];
    if kept.is_empty() && !machine { request.labels.to_vec() } else { kept }
}

/// Harassment or abuse beside which there is business that no label names: what failed, or a number and
/// what is asked about it. Without any, the reason why there is no draft or no answer to it.
pub(super) fn business(request: &Request<'_>, book: &Book) -> Result<Plan, NoDraft> {
    let facts = facts::read(request.mail, &[Label::Complaint], true, request.company, book);
    let mut labels = request.labels.to_vec();
    if facts.known.contains("business") {
        let failed = facts.known.contains("failure") || facts.borne_out.contains(&Label::Complaint);
        let failed = failed || !labels.contains(&Label::Harassment);
        labels.push(if failed { Label::Complaint } else { Label::Question });
    }
    Plan::of(&labels, request.doubted, request.history)
}

/// Words of a mail that says little besides what it asks.
const BRIEF: usize = 60;

/// A mail in which no label was found and which plainly asks something or tells what failed; somebody
/// reads it first all the same.
pub(super) fn unlabelled(request: &Request<'_>, book: &Book) -> Result<Plan, NoDraft> {
    let mail = request.mail;
    let lists = lexicon::of(mail.language);
    let folded = lexicon::fold(&format!("{}\n{}", mail.subject, mail.new_text));
    let ill = [&lists.insults, &lists.threats].iter().any(|list| lexicon::has(&folded, list));
    if !ill && lexicon::has(&folded, &lists.courting) {
        // only the business beside it, and whether there is any
        let beside = Request { labels: &[Label::Harassment], ..*request };
        return business(&beside, book).map_err(|_| NoDraft::NoLabel);
    }
    if ill || folded.contains("://") || folded.contains("www.") {
        return Err(NoDraft::NoLabel);
    }
    let facts = facts::read(mail, &[Label::Question, Label::Complaint], false, request.company, book);
    let asked = facts.quotes.get(&Label::Question).filter(|quote| quote.value.ends_with('?'));
    let cues = lists.cues.get(Label::Question.as_str());
    let brief = mail.new_text.split_whitespace().count() <= BRIEF;
    let asked = asked.is_some_and(|quote| {
        brief || cues.is_some_and(|cues| lexicon::has(&lexicon::fold(&quote.value), cues))
    });
    let wanted = !facts.outcomes.is_empty();
    let failed = facts.matter.is_some() && (facts.known.contains("failure") || wanted);
    let requested = facts.known.contains("number") && facts.known.contains("wish");
    let knows = |mark: &str| facts.known.contains(mark);
    let told = knows("failure") && (wanted || knows("wish"));
    let label = match (failed || told, asked || requested) {
        _ if knows("endangered") || knows("urgent") && knows("asks") => Label::Panic,
        _ if knows("thankful") => Label::Praise,
        (true, _) => Label::Complaint,
        (false, true) => Label::Question,
        (false, false) if knows("suggestion") => Label::Idea,
        (false, false) => return Err(NoDraft::NoLabel),
    };
    Plan::of(&[label], &[], request.history)
}
