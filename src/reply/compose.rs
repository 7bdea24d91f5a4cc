//! Lays the moves of a draft in a row and says each of them.

mod mark;
mod plan;
mod say;
pub(super) mod subject;

use std::collections::BTreeMap;

use super::guard::{self, Text};
use super::playbook::{Book, Script};
use super::promise::{self, Promise};
use super::{Draft, NoDraft, Occasion, Request, facts, facts::Fact, facts::Facts, lexicon};
use crate::classify::Label;
use crate::mail::Language;

use mark::marks;
use plan::Plan;
use say::Speaker;

/// Makes a draft, or says why there is none.
///
/// # Errors
/// [`NoDraft`] with a stable word; nothing else can go wrong.
pub fn compose(request: &Request<'_>) -> Result<Draft, NoDraft> {
    let mail = request.mail;
    if mail.automated.is_some() {
        return Err(NoDraft::Automated);
    }
    let book = request.playbooks.book(mail.language).ok_or(NoDraft::LanguageNotSupported)?;
    let read = |plan: &Plan| facts::read(mail, &plan.answered, plan.wary, request.company, book);
    let labels = borne_out(request);
    let request = &Request { labels: &labels, ..*request };
    let first = match Plan::of(request.labels, request.doubted, request.history) {
        Err(NoDraft::HarassmentWithoutBusiness | NoDraft::AbuseAgain { .. }) => business(request, book)?,
        Err(NoDraft::NoLabel) => unlabelled(request, book)?,
        Ok(plan) if plan.main == Label::Abuse.as_str() => business(request, book).unwrap_or(plan),
        other => other?,
    };
    let mut facts = read(&first);
    let plan = first.clone().fit(&facts);
    if plan.answered != first.answered {
        facts = read(&plan);
    }
    let frightened = plan.main == Label::Panic.as_str();
    let endangered = frightened && facts.known.contains("danger");
    if endangered {
        // a parcel or a bill is not asked about while somebody may be in danger
        facts.matter =
            facts.matter.filter(|name| book.matters().iter().any(|m| m.name == *name && m.urgent()));
    }
    let tender =
        endangered || facts.matter.as_deref().is_some_and(|matter| ["loss", "danger"].contains(&matter));
    if plan.primary == Some(Label::Harassment) || frightened || tender {
        // which of the sentences is the business and which the courting, a person sees better, unless one
        // names what failed; who is in danger or mourns is not read their own words, and who is frightened
        // only what has happened
        let courted = plan.primary == Some(Label::Harassment);
        let named = |fact: &Fact| book.names_a_matter(&lexicon::fold(&fact.read_from));
        facts.quotes.retain(|label, fact| {
            let business = courted && *label == Label::Complaint && named(fact);
            !tender && (frightened && *label == Label::Panic || business)
        });
        facts.slots.retain(|slot, _| !["question", "wish", "topic"].contains(slot));
    }
    if plan.inquires() {
        // "you ask" is not said of what is told
        let requests = &lexicon::of(mail.language).requests;
        let asks = |said: &str| said.ends_with('?') || lexicon::has(&lexicon::fold(said), requests);
        facts.quotes.retain(|label, fact| *label != Label::Pricing || asks(&fact.value));
    }
    write(request, book, &plan, &facts)
}

/// The labels without those in doubt of which no word stands in the mail: courting, abuse, a machine.
fn borne_out(request: &Request<'_>) -> Vec<Label> {
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
fn business(request: &Request<'_>, book: &Book) -> Result<Plan, NoDraft> {
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
fn unlabelled(request: &Request<'_>, book: &Book) -> Result<Plan, NoDraft> {
    let mail = request.mail;
    let lists = lexicon::of(mail.language);
    let folded = lexicon::fold(&format!("{}\n{}", mail.subject, mail.new_text));
    let ill =
        [&lists.insults, &lists.courting, &lists.threats].iter().any(|list| lexicon::has(&folded, list));
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
    let label = match (failed, asked || requested) {
        (true, _) => Label::Complaint,
        (false, true) => Label::Question,
        (false, false) => return Err(NoDraft::NoLabel),
    };
    Plan::of(&[label], &[], request.history)
}

/// Writes what no mail asks for by itself: that something is settled, late, or refused. `labels` of
/// the request are not looked at.
///
/// # Errors
/// As [`compose`].
pub fn compose_for(occasion: Occasion, request: &Request<'_>) -> Result<Draft, NoDraft> {
    let mail = request.mail;
    let book = request.playbooks.book(mail.language).ok_or(NoDraft::LanguageNotSupported)?;
    let plan = Plan::for_occasion(occasion);
    let mut facts = facts::read(mail, &plan.answered, false, request.company, book);
    facts.slots.retain(|slot, _| !["question", "wish"].contains(slot));
    write(request, book, &plan, &facts)
}

fn write(request: &Request<'_>, book: &Book, plan: &Plan, facts: &Facts) -> Result<Draft, NoDraft> {
    let mail = request.mail;
    let hours = answer_within(request, plan, facts);
    let promise = promise::promise(request.company, mail.language, request.now, hours);
    let fill_in = marks(plan.main, facts.slots.contains_key("question"), mail.language);
    let slots = slots(request, facts, &promise, &fill_in);
    let mut speaker = Speaker::new(request, book, facts, slots, plan.main);
    let body = body(plan, book, &mut speaker)?;
    let fill_in: Vec<String> =
        fill_in.into_iter().filter(|mark| body.contains(&format!("[[{mark}]]"))).collect();
    let promised = body.contains(&promise.words).then_some(promise.at);
    guarded(request, plan, facts, &promise, &body, &fill_in)?;
    Ok(Draft {
        playbook: plan.playbook.to_owned(),
        language: mail.language,
        subject: subject::reply(&mail.subject, request.history.ticket.as_deref(), mail.language),
        body,
        wordings: speaker.used,
        fill_in,
        promised,
    })
}

/// Hours within which an answer is promised. A fright beside an insult is a fright; and where the
/// company has set nothing, a complaint that presses is answered before one that does not.
fn answer_within(request: &Request<'_>, plan: &Plan, facts: &Facts) -> u16 {
    let primary = plan.primary.unwrap_or(Label::Complaint);
    let main = plan.answered.first().copied().unwrap_or(primary);
    let hours = request.company.answer_within(primary);
    if main == Label::Panic || facts.matter.as_deref() == Some("danger") {
        return hours.min(request.company.answer_within(Label::Panic));
    }
    let set = request.company.answer_within_hours.contains_key(&primary);
    let presses =
        ["urgent", "danger", "deadline", "soon", "count"].iter().any(|mark| facts.known.contains(mark))
            || request.history.contacts_this_week >= 3;
    if main == Label::Complaint && !set && !presses { hours.max(UNPRESSED) } else { hours }
}

/// Hours for a complaint that nothing presses: the working day after.
const UNPRESSED: u16 = 12;

/// Paragraph by paragraph; the questions last, for they share a budget with what else is asked.
fn body(plan: &Plan, book: &Book, speaker: &mut Speaker<'_>) -> Result<String, NoDraft> {
    let mut paragraphs: Vec<Vec<Option<String>>> = Vec::new();
    for paragraph in plan.paragraphs(book)? {
        let mut said = Vec::new();
        for step in paragraph {
            said.push(if step.wanted == "ask" { None } else { Some(speaker.say(&step)?) });
        }
        paragraphs.push(said);
    }
    let asked: usize = paragraphs.iter().flatten().flatten().map(|text| speaker.questions_in(text)).sum();
    let script = book.script(plan.main).map_or(&[][..], |script: &Script| &script.ask);
    let ask = speaker.ask(script, guard::MOST_QUESTIONS.saturating_sub(asked))?;
    let lines = paragraphs.into_iter().filter_map(|moves| {
        let said: Vec<String> = moves.into_iter().map(|text| text.unwrap_or_else(|| ask.clone())).collect();
        let text =
            said.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    });
    Ok(lines.collect::<Vec<_>>().join("\n\n"))
}

/// What a wording may use, by slot.
fn slots(
    request: &Request<'_>,
    facts: &Facts,
    promise: &Promise,
    fill_in: &[String],
) -> BTreeMap<&'static str, String> {
    let (company, language) = (request.company, request.mail.language);
    let mut slots: BTreeMap<&'static str, String> =
        facts.slots.iter().map(|(slot, fact)| (*slot, printable(&fact.value))).collect();
    let mut set = |slot: &'static str, value: Option<&str>| {
        if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
            slots.insert(slot, value.to_owned());
        }
    };
    set("company", Some(&company.name));
    set("discounts", company.discounts.get(language));
    set("refund_terms", company.refund_terms.get(language));
    set("free_alternative", company.free_alternative.get(language));
    set("manager", company.manager.get(language));
    set("legal", company.legal.get(language));
    set("ticket", request.history.ticket.as_deref());
    set("by", Some(&promise.words));
    let signature =
        company.signature.get(language).map_or_else(|| signature(language, &company.name), str::to_owned);
    set("signature", Some(&signature));
    if request.history.contacts_this_week >= 3 {
        set("contacts", Some(&request.history.contacts_this_week.to_string()));
    }
    for (slot, mark) in ["answer", "answer_more"].into_iter().zip(fill_in) {
        set(slot, Some(&format!("[[{mark}]]")));
    }
    if company.time_zone.is_some() {
        set("good_day", Some(&promise.good_day));
    }
    slots
}

fn printable(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

fn signature(language: Language, company: &str) -> String {
    let team = match language {
        Language::Es => "El equipo de atención al cliente",
        Language::Ru => "Служба поддержки",
        Language::Uk => "Служба підтримки",
        Language::En | Language::Other => "Customer support",
    };
    if company.is_empty() { team.to_owned() } else { format!("{team}\n{company}") }
}

fn guarded(
    request: &Request<'_>,
    plan: &Plan,
    facts: &Facts,
    promise: &Promise,
    body: &str,
    fill_in: &[String],
) -> Result<(), NoDraft> {
    let (mail, language) = (request.mail, request.mail.language);
    let topic = facts.slots.get("topic");
    let quotes: Vec<&str> = facts.repeated().chain(topic).map(|fact| fact.value.as_str()).collect();
    let mut own = request.company.texts(language);
    let contacts = request.history.contacts_this_week.to_string();
    let mut sources = own.clone();
    // a ticket number may end in letters that read like a word, "MR" for one
    own.extend(facts.details.iter().map(String::as_str));
    own.extend(request.history.ticket.as_deref());
    own.extend(["name", "full_name", "deadline", "phone"].into_iter().filter_map(|slot| facts.get(slot)));
    sources.extend([mail.subject.as_str(), &mail.new_text, &mail.signature, &promise.words, &contacts]);
    sources.extend(mail.from.iter().map(|from| from.name.as_str()));
    sources.extend(request.history.ticket.as_deref());
    let text = Text {
        body,
        language,
        quotes: &quotes,
        own: &own,
        sources: &sources,
        fill_in,
        wary: plan.wary,
        emoji: request.company.emoji,
    };
    let broken = guard::check(&text);
    if broken.is_empty() { Ok(()) } else { Err(NoDraft::GuardFailed(broken)) }
}
