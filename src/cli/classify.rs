//! `classify`, `draft` and `read`: what the daemon would see, say and write, for mails in files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::BadFiles;
use super::daemon::rulebook;
use super::input::{Input, Inputs};
use super::learn::classifier_in_force;
use super::output::{self, Format, bold, indented, printable};
use super::playbooks::playbooks;
use super::progress;
use super::purpose::Purpose;
use crate::classify::{Classifier, Evidence, Finding, Label, Scratch, Verdict};
use crate::config::Config;
use crate::decide::own::Own;
use crate::decide::route::DraftBy;
use crate::decide::{Rulebook, doubt};
use crate::edge::Clock;
use crate::edge::clock::SystemClock;
use crate::mail::{
    Attachment, Authentication, AutomatedReason, Language, Mail, MessageId, Person, Problem, Protection,
};
use crate::reply::{self, Draft, History, NoDraft};

/// Line of `classify --format jsonl`.
#[derive(Serialize)]
struct Classified<'a> {
    id: &'a str,
    language: Language,
    labels: &'a [Finding],
    primary: Option<Label>,
    review: bool,
    scores: BTreeMap<&'static str, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<Evidence>>,
}

/// Line of `draft --format jsonl`.
#[derive(Serialize)]
struct Drafted<'a> {
    id: &'a str,
    language: Language,
    primary: Option<Label>,
    playbook: Option<&'a str>,
    subject: Option<&'a str>,
    body: Option<&'a str>,
    reason: Option<String>,
}

/// Line of `read --format jsonl`.
#[derive(Serialize)]
struct Read<'a> {
    id: &'a str,
    message_id: Option<&'a str>,
    from: &'a str,
    from_name: &'a str,
    subject: &'a str,
    language: Language,
    new_text: &'a str,
    quoted: &'a str,
    signature: &'a str,
    forwarded: bool,
    automated: Option<AutomatedReason>,
    identity: Option<String>,
    person: Option<&'a Person>,
    authentication: Option<&'a Authentication>,
    protection: Option<Protection>,
    returned: &'a [MessageId],
    attachments: &'a [Attachment],
    problems: &'a [Problem],
}

/// The classifier of a config, or the shipped one.
///
/// # Errors
/// When model or rules cannot be used.
pub fn classifier(config: Option<&Config>) -> anyhow::Result<Classifier> {
    let mut classifier = Classifier::shipped().map_err(|problems| BadFiles(vec![problems]))?;
    if let Some(config) = config {
        classifier.thresholds = config.thresholds.clone();
        if let Some(path) = &config.model {
            let bytes = std::fs::read(path).map_err(|e| {
                BadFiles(vec![format!(
                    "{}: {e}; take `model` out of the config for the shipped one",
                    path.display()
                )])
            })?;
            classifier.model = crate::classify::Model::from_bytes(&bytes)
                .map_err(|e| BadFiles(vec![format!("{}: {e}", path.display())]))?;
        }
    }
    Ok(classifier)
}

/// Calls `each` for every mail that can be read; the others are complained about at once, and make
/// the command fail at the end.
fn for_each(inputs: Vec<PathBuf>, mut each: impl FnMut(&Input) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut unread = 0_usize;
    let bar = progress::count();
    for input in Inputs::new(inputs) {
        bar.inc(1);
        match input {
            Ok(input) => each(&input)?,
            Err(error) => {
                unread += 1;
                bar.suspend(|| output::say(&format!("evenkeel: {error}")));
            }
        }
    }
    bar.finish_and_clear();
    anyhow::ensure!(unread == 0, "{unread} inputs could not be read");
    Ok(())
}

/// `classify`.
///
/// # Errors
/// When an input cannot be read.
pub fn classify(inputs: Vec<PathBuf>, explain: bool, format: Format) -> anyhow::Result<()> {
    let classifier = classifier(None)?;
    let mut scratch = Scratch::default();
    for_each(inputs, |input| {
        let verdict = classifier.classify_with(&mut scratch, &input.mail);
        let evidence = explain.then(|| classifier.evidence(&input.mail));
        match format {
            Format::Jsonl => output::json(&Classified {
                id: &input.id,
                language: verdict.language,
                labels: &verdict.labels,
                primary: verdict.primary(),
                review: verdict.review,
                scores: Label::ALL.iter().map(|label| (label.as_str(), verdict.score(*label))).collect(),
                evidence,
            }),
            Format::Text => {
                output::line(&summary(&input.id, &verdict))?;
                for piece in evidence.unwrap_or_default() {
                    if verdict.has(piece.label) {
                        let text = printable(&piece.text);
                        output::line(&format!(
                            "    {:+.2} {:<11} {} {text:?}",
                            piece.weight,
                            piece.label.as_str(),
                            piece.id
                        ))?;
                    }
                }
                Ok(())
            }
        }
    })
}

fn summary(id: &str, verdict: &Verdict) -> String {
    let labels = if verdict.labels.is_empty() { "no label".to_owned() } else { labels(verdict) };
    let review = if verdict.review { "  needs review" } else { "" };
    format!("{}  {}  {labels}{review}", printable(id), verdict.language)
}

fn labels(verdict: &Verdict) -> String {
    let word = |found: &Finding| format!("{} {:.2}", found.label, found.probability);
    verdict.labels.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `draft`: as for a customer who writes for the first time.
///
/// # Errors
/// When an input cannot be read.
pub fn draft(
    inputs: Vec<PathBuf>,
    purpose: Option<&Purpose>,
    config: Option<&Config>,
    format: Format,
) -> anyhow::Result<()> {
    let (classifier, book) = match config {
        Some(config) => (classifier_in_force(config)?, rulebook(config)?),
        None => (classifier(None)?, Rulebook { playbooks: playbooks(None, None)?.0, ..Rulebook::default() }),
    };
    if let Some(Purpose::Own(label)) = purpose
        && !book.own.labels().contains(label.as_str())
    {
        anyhow::bail!(super::purpose::unknown(label.as_str()));
    }
    for_each(inputs, |input| {
        let verdict = classifier.classify(&input.mail);
        let drafted = compose(&input.mail, &verdict, purpose, &book);
        let (draft, reason) = match &drafted {
            Ok(draft) => (Some(draft), None),
            Err(reason) => (None, Some(reason)),
        };
        match format {
            Format::Jsonl => output::json(&Drafted {
                id: &input.id,
                language: verdict.language,
                primary: verdict.primary(),
                playbook: draft.map(|draft| draft.playbook.as_str()),
                subject: draft.map(|draft| draft.subject.as_str()),
                body: draft.map(|draft| draft.body.as_str()),
                reason: reason.map(|reason| reason.reason().to_owned()),
            }),
            Format::Text => {
                output::line(&bold(&summary(&input.id, &verdict)))?;
                match &drafted {
                    Ok(draft) => {
                        output::line(&format!("  Subject: {}\n", printable(&draft.subject)))?;
                        output::line(&format!("{}\n", indented(&draft.body)))
                    }
                    Err(reason) => output::line(&format!("  no draft: {reason}\n")),
                }
            }
        }
    })
}

fn compose(
    mail: &Mail,
    verdict: &Verdict,
    purpose: Option<&Purpose>,
    book: &Rulebook,
) -> Result<Draft, NoDraft> {
    let own = match purpose {
        Some(Purpose::Own(label)) => book.own.of(label.as_str(), verdict.language),
        Some(_) => None,
        None => book.own.chosen(DraftBy::Labels, verdict),
    };
    let person = doubt::by_a_person(verdict, mail);
    let verdict = person.as_ref().map_or_else(|| doubt::borne_out(verdict, mail), Cow::Borrowed);
    let found: Vec<Label> = verdict.labels.iter().map(|found| found.label).collect();
    let (labels, doubted) = match purpose {
        _ if own.is_some() => (Own::LABELS.into(), Vec::new()),
        Some(Purpose::Labels(labels)) => (labels.clone(), Vec::new()),
        _ => (found, reply::doubted(&verdict.labels, mail)),
    };
    // a mail from a file has its own date for its present
    let now = mail.date.unwrap_or_else(|| SystemClock.now());
    let history = History { contacts_this_week: 1, ..History::default() };
    let request = reply::Request {
        mail,
        labels: &labels,
        doubted: &doubted,
        company: &book.company,
        playbooks: own.map_or(&book.playbooks, |own| own.playbooks),
        history: &history,
        now,
    };
    match purpose {
        Some(Purpose::Occasion(occasion)) => reply::compose_for(*occasion, &request),
        _ => reply::compose(&request)
            .map(|draft| Draft { playbook: own.map_or(draft.playbook, |own| own.label.to_owned()), ..draft }),
    }
}

/// `read`.
///
/// # Errors
/// When an input cannot be read.
pub fn read(inputs: Vec<PathBuf>, format: Format) -> anyhow::Result<()> {
    for_each(inputs, |input| {
        let mail = &input.mail;
        let (from, from_name) = mail.sender().map_or(("", ""), |s| (s.address.as_str(), s.name.as_str()));
        match format {
            Format::Jsonl => output::json(&Read {
                id: &input.id,
                message_id: mail.message_id.as_ref().map(crate::mail::MessageId::as_str),
                from,
                from_name,
                subject: &mail.subject,
                language: mail.language,
                new_text: &mail.new_text,
                quoted: &mail.quoted,
                signature: &mail.signature,
                forwarded: mail.forwarded,
                automated: mail.automated,
                identity: mail.author().map(crate::mail::Address::identity),
                person: mail.person.as_ref(),
                authentication: mail.authentication.as_ref(),
                protection: mail.protection,
                returned: &mail.returned,
                attachments: &mail.attachments,
                problems: &mail.problems,
            }),
            Format::Text => read_text(input, from, from_name),
        }
    })
}

fn read_text(input: &Input, from: &str, from_name: &str) -> anyhow::Result<()> {
    let mail = &input.mail;
    output::line(&bold(&printable(&input.id)))?;
    output::line(&format!("  From:      {} <{}>", printable(from_name), printable(from)))?;
    output::line(&format!("  Subject:   {}", printable(&mail.subject)))?;
    output::line(&format!("  Language:  {}", mail.language))?;
    output::line(&format!("  Automated: {}", mail.automated.map_or_else(|| "no".into(), |r| r.to_string())))?;
    if let Some(person) = &mail.person {
        let source = serde_json::to_string(&person.source)?;
        let (who, source) = (printable(&person.address.identity()), source.trim_matches('"').to_owned());
        output::line(&format!("  Person:    {who} (by {source})"))?;
    }
    if let Some(claim) = &mail.authentication {
        output::line(&format!("  Claimed:   {}", printable(&claim.to_string())))?;
    }
    if let Some(protection) = mail.protection {
        output::line(&format!("  Protected: {protection}"))?;
    }
    for id in &mail.returned {
        output::line(&format!("  Returned:  <{}>", printable(id.as_str())))?;
    }
    if mail.forwarded {
        output::line("  Forwarded: yes, the forwarded text is judged")?;
    }
    for file in &mail.attachments {
        output::line(&format!(
            "  Attached:  {} ({}, {} bytes)",
            printable(&file.name),
            file.mime_type,
            file.bytes
        ))?;
    }
    for problem in &mail.problems {
        output::line(&format!("  Problem:   {}", serde_json::to_string(problem)?.trim_matches('"')))?;
    }
    let parts = [("New text", &mail.new_text), ("Quoted", &mail.quoted), ("Signature", &mail.signature)];
    for (name, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
        output::line(&format!("  {name}:\n{}", indented(&indented(text))))?;
    }
    output::line("")
}
