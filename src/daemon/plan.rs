//! From a decision to the record of what will be done, and the pure parts of carrying it out.

use sha2::{Digest, Sha256};

use crate::classify::{Lexicon, Verdict};
use crate::decide::{Action, Case, Decision, Desk, Policy, Rulebook};
use crate::edge::ledger::cases::subject_hash;
use crate::edge::ledger::keys::hex;
use crate::edge::ledger::record::DraftMark;
use crate::edge::ledger::{CaseQuery, Effect, EffectRecord, EffectState, MailKey, MailRecord, MailState};
use crate::edge::outgoing::own_id;
use crate::mail::Mail;
use crate::reply::extract::extract;
use crate::time::Timestamp;

/// What a mail is, wherever it is: the first 128 bits of SHA-256 over its header block and its
/// size. The body is left out because it may not have been fetched whole.
#[must_use]
pub fn identity(bytes: &[u8], size: u32) -> String {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
    let header = bytes.get(..end).unwrap_or(bytes);
    let digest = Sha256::new().chain_update(header).chain_update(size.to_be_bytes()).finalize();
    hex(digest.iter().take(16))
}

/// What the case of a mail is looked up by.
#[must_use]
pub fn case_query(account: &str, mail: &Mail) -> CaseQuery {
    CaseQuery {
        account: account.to_owned(),
        customer: mail.author().map(crate::mail::Address::identity).filter(|who| !who.is_empty()),
        references: mail.references.clone(),
        ticket: ticket_in(&mail.subject),
        answers: !mail.references.is_empty() || crate::mail::parse::is_answer(&mail.subject),
        subject: mail.sender().and_then(|sender| subject_hash(&sender.identity(), &mail.subject)),
    }
}

/// A ticket number in brackets, as we put it into subjects.
#[must_use]
pub fn ticket_in(subject: &str) -> Option<String> {
    let (_, rest) = subject.split_once("[EK-")?;
    let (number, _) = rest.split_once(']')?;
    let plain = number.len() <= 24 && number.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then(|| format!("EK-{number}"))
}

/// What a record is made from.
pub struct Decided<'a> {
    /// Where the mail was found.
    pub key: MailKey,
    /// See [`identity`].
    pub identity: String,
    /// The mail.
    pub mail: &'a Mail,
    /// Its verdict.
    pub verdict: &'a Verdict,
    /// Customer and ticket before it.
    pub before: Case,
    /// The decision.
    pub decision: &'a Decision,
    /// An older draft in the thread.
    pub open_draft: Option<DraftMark>,
    /// The account's address.
    pub address: &'a str,
    /// Decided at.
    pub at: Timestamp,
}

/// The record of a decided mail, every effect pending.
#[must_use]
pub fn record(decided: Decided<'_>, policy: &Policy) -> MailRecord {
    let Decided { key, identity, mail, verdict, before, decision, open_draft, address, at } = decided;
    let effects = decision
        .actions
        .iter()
        .filter_map(|action| effect(action, &identity, address, open_draft.as_ref(), policy))
        .map(|effect| EffectRecord { effect, state: EffectState::Pending })
        .collect();
    MailRecord {
        key,
        identity,
        message_id: mail.message_id.clone(),
        decided: at,
        state: MailState::Intended,
        verdict: Some(verdict.clone()),
        reasons: decision.reasons.clone(),
        ticket: decision.case.ticket.as_ref().map(|ticket| ticket.id.to_string()),
        customer: mail.sender().map(crate::mail::Address::identity).filter(|who| !who.is_empty()),
        before: Some(before),
        effects,
    }
}

fn effect(
    action: &Action,
    identity: &str,
    address: &str,
    open_draft: Option<&DraftMark>,
    policy: &Policy,
) -> Option<Effect> {
    Some(match action {
        Action::SaveDraft(draft) => Effect::SaveDraft {
            id: own_id(identity, "draft", address)?,
            playbook: draft.playbook.clone(),
            replaces: open_draft.cloned(),
        },
        Action::Forward(desk) => Effect::Forward {
            desk: *desk,
            id: own_id(identity, &format!("forward-{desk}"), address)?,
            to: policy.recipients(*desk).to_vec(),
        },
        Action::Notify(desk) => Effect::Notify {
            desk: *desk,
            id: own_id(identity, &format!("notice-{desk}"), address)?,
            to: policy.recipients(*desk).to_vec(),
        },
        Action::Tag(keywords) => Effect::Tag { keywords: keywords.iter().copied().collect() },
        Action::File(queue) => Effect::File { folder: policy.folder(*queue).to_owned() },
    })
}

/// Subject of a forward.
#[must_use]
pub fn forward_subject(desk: Desk, record: &MailRecord) -> String {
    let what = match desk {
        Desk::Legal => "Threat received, for legal".to_owned(),
        Desk::Lead => "For the team lead".to_owned(),
        Desk::Own(name) => format!("For {name}"),
    };
    match &record.ticket {
        Some(ticket) => format!("[{ticket}] {what}"),
        None => what,
    }
}

/// The summary before the original: what colleagues should know before they open it.
#[must_use]
pub fn forward_summary(
    desk: Desk,
    mail: &Mail,
    record: &MailRecord,
    account: &str,
    evidence: &[String],
) -> String {
    let mut lines = Vec::new();
    lines.push(match desk {
        Desk::Legal => {
            "A customer's mail that was read as a threat. The original is attached, untouched.".to_owned()
        }
        Desk::Lead => {
            "A customer's mail that makes it personal with a colleague. The original is attached, untouched. \
                       Please do not hand it to the colleague it is aimed at."
                .to_owned()
        }
        Desk::Own(_) => "A customer's mail. The original is attached, untouched.".to_owned(),
    });
    lines.push(String::new());
    if let Some(sender) = mail.sender() {
        lines.push(format!("From:      {} <{}>", sender.name, sender.address));
    }
    if let Some(person) = mail.author().filter(|person| Some(*person) != mail.sender()) {
        lines.push(format!("Person:    {} <{}>", person.name, person.address));
    }
    lines.push(format!("Mailbox:   {account}"));
    lines.push(format!("Subject:   {}", mail.subject));
    lines.push(format!("Language:  {}", mail.language));
    if let Some(ticket) = &record.ticket {
        lines.push(format!("Ticket:    {ticket}"));
    }
    if let Some(verdict) = &record.verdict {
        for found in &verdict.labels {
            lines.push(format!("Label:     {} ({:.0} %)", found.label, f64::from(found.probability) * 100.0));
        }
    }
    lines.push(format!("Reasons:   {}", crate::decide::reason_line(&record.reasons)));
    if let Some(before) = &record.before {
        let mails = before.ticket.as_ref().map_or(0, |ticket| ticket.mails);
        lines.push(format!(
            "History:   {mails} earlier mails in this thread, {} incidents of abuse on record",
            before.customer.incidents.len()
        ));
    }
    lines.extend(evidence.iter().cloned());
    lines.push(String::new());
    let has_draft = record.effects.iter().any(|entry| matches!(entry.effect, Effect::SaveDraft { .. }));
    lines.push(format!(
        "Nothing has been sent to the customer. {}",
        if has_draft { "A draft for the agent waits in Drafts." } else { "No draft was prepared." }
    ));
    lines.join("\n")
}

/// What makes a forwarded original evidence: its hash, who has proven what about its sender, and what
/// it says, sentence by sentence, with insults veiled: who wants them opens the original.
#[must_use]
pub fn evidence(original: &[u8], mail: &Mail, book: &Rulebook, lexicon: &Lexicon) -> Vec<String> {
    let digest = Sha256::digest(original);
    let mut lines = vec![format!("SHA-256:   {}  ({} bytes)", hex(&digest), original.len())];
    let ours = &book.policy.authserv_ids;
    lines.push(mail.authenticated_by(ours).map_or_else(
        || "Sender:    not checked by a server of ours".to_owned(),
        |found| {
            let proven = if mail.is_proven(ours) { "proven" } else { "NOT proven" };
            let facts = found.facts.iter().map(|fact| format!("{} {}", fact.method, fact.result));
            format!("Sender:    {proven} ({}; says {})", facts.collect::<Vec<_>>().join(", "), found.by)
        },
    ));
    let read = extract(mail, &book.company, &book.playbooks);
    if !read.is_empty() {
        lines.push(String::new());
        lines.push("What was read in it, with the sentence it was read from:".to_owned());
    }
    for found in read {
        let value = if found.value.is_empty() { String::new() } else { format!(" {}", found.value) };
        lines.push(format!("  {}{value}: \u{201c}{}\u{201d}", found.what, lexicon.veiled(&found.sentence)));
    }
    lines
}

/// The mails of the thread before this one, as they were handled: when, what they were, where they lie.
#[must_use]
pub fn thread_so_far(earlier: &[MailRecord]) -> Vec<String> {
    let line = |record: &MailRecord| {
        let at = jiff::Timestamp::from_second(record.decided.0).unwrap_or_default().strftime("%F %H:%M UTC");
        let labels = Some(label_words(record)).filter(|labels| !labels.is_empty());
        let id = record.message_id.as_ref().map_or(String::new(), |id| format!(", <{}>", id.as_str()));
        let folder = folder_of(record).unwrap_or(&record.key.folder.folder);
        format!("  {at}: {}, in {folder}{id}", labels.as_deref().unwrap_or("no label"))
    };
    let mut lines: Vec<String> = earlier.iter().map(line).collect();
    lines.dedup();
    if !lines.is_empty() {
        lines.insert(0, "Thread so far:".to_owned());
    }
    lines
}

/// What a notice says: where the mail is and why, nothing of its text.
#[must_use]
pub fn notice(record: &MailRecord, account: &str) -> String {
    let mut lines = vec!["A mail has come in that you wanted to be told about.".to_owned(), String::new()];
    lines.push(format!("Mailbox:   {account}"));
    if let Some(ticket) = &record.ticket {
        lines.push(format!("Ticket:    {ticket}"));
    }
    if let Some(folder) = folder_of(record) {
        lines.push(format!("Folder:    {folder}"));
    }
    lines.push(format!("Labels:    {}", label_words(record)));
    lines.push(format!("Reasons:   {}", crate::decide::reason_line(&record.reasons)));
    lines.join("\n")
}

/// The folder that a mail is moved into.
#[must_use]
pub fn folder_of(record: &MailRecord) -> Option<&str> {
    record.effects.iter().find_map(|entry| match &entry.effect {
        Effect::File { folder } => Some(folder.as_str()),
        _ => None,
    })
}

/// Labels of a record, in order of precedence, for a header.
#[must_use]
pub fn label_words(record: &MailRecord) -> String {
    record
        .verdict
        .iter()
        .flat_map(|verdict| &verdict.labels)
        .map(|found| found.label.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_the_same_in_another_folder_and_another_if_a_header_differs() {
        let a = identity(b"Received: 1\r\nSubject: x\r\n\r\nbody", 30);
        assert_eq!(a, identity(b"Received: 1\r\nSubject: x\r\n\r\nbo", 30));
        assert_ne!(a, identity(b"Received: 2\r\nSubject: x\r\n\r\nbody", 30));
        assert_ne!(a, identity(b"Received: 1\r\nSubject: x\r\n\r\nbody", 31));
    }

    #[test]
    fn a_ticket_number_is_read_from_a_subject_and_nothing_else_is() {
        assert_eq!(ticket_in("Re: [EK-2222-A3] fridge").as_deref(), Some("EK-2222-A3"));
        assert_eq!(ticket_in("Re: [EK-22/../x] fridge"), None);
        assert_eq!(ticket_in("Re: fridge"), None);
    }
}
