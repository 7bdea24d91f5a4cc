//! Lays the moves of a draft in a row and says each of them.

mod labels;
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

use labels::{borne_out, business, unlabelled};
use mark::{marks, on_call};
use plan::Plan;
use say::Speaker;

/// The labels that an answer to a mail with these labels deals with, and whether it must be wary of
/// repeating it; `None` where there is none.
pub(crate) fn answered(labels: &[Label]) -> Option<(Vec<Label>, bool)> {
    let plan = Plan::of(labels, &[], &super::History::default()).ok()?;
    Some((plan.answered, plan.wary))
}

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
    // "why?" is no business, nor what is asked of whom somebody courts
    let asked = ["business", "inquires"].iter().any(|mark| facts.known.contains(mark));
    if plan.primary == Some(Label::Harassment) && plan.answered == [Label::Question] && !asked {
        return Err(NoDraft::HarassmentWithoutBusiness);
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
        let named = |fact: &Fact| lexicon::has(&lexicon::fold(&fact.read_from), book.signs());
        // beside a fright what failed is told too, where nothing says what has happened
        let told = facts.quotes.contains_key(&Label::Panic);
        facts.quotes.retain(|label, fact| {
            let digits = fact.read_from.chars().filter(char::is_ascii_digit).count();
            let business = courted && *label == Label::Complaint && (named(fact) || digits > 1);
            let fright = *label == Label::Panic || !courted && *label == Label::Complaint && !told;
            !tender && (frightened && fright || business)
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
    let closed = promise.back.is_some() && plan.main == Label::Panic.as_str();
    let plan = &if closed { plan.clone().closed() } else { plan.clone() };
    let fill_in = if closed && request.company.on_call.get(mail.language).is_none() {
        vec![on_call(mail.language)]
    } else {
        marks(plan.main, facts.slots.contains_key("question"), mail.language)
    };
    let slots = slots(request, facts, &promise, &fill_in);
    let mut speaker = Speaker::new(request, book, facts, slots, plan.main);
    let body = body(plan, book, &mut speaker)?;
    let fill_in: Vec<String> =
        fill_in.into_iter().filter(|mark| body.contains(&format!("[[{mark}]]"))).collect();
    let says = |words: &String| body.contains(words.as_str());
    let promised = (says(&promise.words) || promise.back.as_ref().is_some_and(says)).then_some(promise.at);
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
    if main == Label::Panic || plan.first_step || facts.matter.as_deref() == Some("danger") {
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
    set("back", promise.back.as_deref());
    let gap = fill_in.first().map(|mark| format!("[[{mark}]]"));
    set("on_call", company.on_call.get(language).or(gap.as_deref()));
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
    sources.extend(promise.back.as_deref());
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
