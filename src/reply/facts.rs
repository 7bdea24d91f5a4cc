//! What a mail says that an answer can rest on, each with the words it was read from. A fact that
//! is not sure is not read: the answer then asks.

mod choice;
mod identifier;
mod matter;
mod moment;
mod name;
mod number;
mod quote;
mod sentence;
mod word;

pub(crate) use sentence::is_pictograph;

use std::collections::{BTreeMap, BTreeSet};

use super::company::Company;
use super::lexicon::{self, Lexicon};
use super::playbook::Book;
use crate::classify::Label;
use crate::mail::Mail;
use choice::Reading;
use sentence::Sentence;

/// A value and the words of the mail it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    /// As it may stand in an answer.
    pub value: String,
    /// The words it was read from.
    pub read_from: String,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Facts by the slot they fill: `name` or `full_name`, order, invoice, account, case, amount, product, count,
    /// deadline, question (a second one), wish.
    pub slots: BTreeMap<&'static str, Fact>,
    /// The sentence that says what the mail is about, by the label it speaks for. No sentence stands
    /// twice, nor in another slot.
    pub quotes: BTreeMap<Label, Fact>,
    /// Everything known that makes a question needless: the slots and date, time, device, tried,
    /// attachment, phone, address, inquiry or dispute (of a price), quantity, failure, party (who agreed
    /// to earlier terms), terms (what they were), danger (a sign of it, however weak).
    pub known: BTreeSet<&'static str>,
    /// Labels that the words of the mail bear out.
    pub borne_out: BTreeSet<Label>,
    /// The matter of `matters.toml`, if it is sure.
    pub matter: Option<String>,
}

/// Longest text read for facts, in characters: what matters is said before that.
const LONGEST: usize = 4_000;

/// Reads the facts. `labels` is what the answer deals with, the first deciding which sentence is
/// the key one; `wary` is set when the mail insults, courts or threatens.
#[must_use]
pub fn read(mail: &Mail, labels: &[Label], wary: bool, company: &Company, book: &Book) -> Facts {
    let lists = lexicon::of(mail.language);
    let text: String = mail.new_text.chars().take(LONGEST).collect();
    let whole = format!("{}\n{text}", mail.subject);
    let folded = lexicon::fold(&whole);
    let mut facts = Facts { matter: matter::find(&folded, book.matters()), ..Facts::default() };
    if let Some(name) = name::signed(mail, &text, lists) {
        let (slot, name) = name;
        facts.set(slot, name);
    }
    let numbers = number::read(&whole, lists);
    facts.known.extend(numbers.known);
    for (slot, fact) in numbers.facts {
        facts.set(slot, fact);
    }
    if let Some(product) =
        company.products.iter().find(|name| lexicon::contains(&folded, &lexicon::fold(name)))
    {
        facts.set("product", Fact { value: product.clone(), read_from: product.clone() });
    }
    if let Some((written, said)) =
        lists.counts.iter().find(|(written, _)| lexicon::contains(&folded, written))
    {
        facts.set("count", Fact { value: said.clone(), read_from: written.clone() });
    }
    marks(&mut facts, &folded, lists, mail);
    let danger = book.matters().iter().find(|matter| matter.name == "danger");
    let signs = danger.is_some_and(|m| lexicon::has(&folded, &m.strong) || lexicon::has(&folded, &m.weak));
    if signs || lexicon::has(&folded, &lists.dangers) {
        facts.known.insert("danger");
    }
    sentences(&mut facts, mail, &text, labels, wary, lists);
    facts
}

fn marks(facts: &mut Facts, folded: &str, lists: &Lexicon, mail: &Mail) {
    let disputed = lexicon::has(folded, &lists.disputes);
    facts.known.insert(if disputed { "dispute" } else { "inquiry" });
    let lists = [
        ("device", &lists.devices),
        ("tried", &lists.tried),
        ("date", &lists.moments),
        ("party", &lists.parties),
    ];
    for (mark, list) in lists {
        if lexicon::has(folded, list) {
            facts.known.insert(mark);
        }
    }
    if !mail.attachments.is_empty() {
        facts.known.insert("attachment");
    }
}

fn sentences(facts: &mut Facts, mail: &Mail, text: &str, labels: &[Label], wary: bool, lists: &Lexicon) {
    let all = sentence::split(text, lists);
    let subject = lexicon::fold(&mail.subject);
    let mut reading = Reading { all: &all, subject: &subject, wary, lists, taken: Vec::new() };
    for label in labels {
        if let Some(quote) = reading.key(*label) {
            facts.quotes.insert(*label, quote);
        }
    }
    if facts.quotes.contains_key(&Label::Entitlement) {
        facts.known.insert("terms");
    }
    if let Some(question) = reading.question() {
        facts.set("question", question);
    }
    if let Some(wish) = reading.wish() {
        facts.set("wish", wish);
    }
    if all.iter().any(|sentence| reading.wants(sentence)) {
        facts.known.insert("wish");
    }
    let failures =
        lists.cues.get(Label::Complaint.as_str()).map_or(0, |cues| lexicon::hits(&lexicon::fold(text), cues));
    if facts.matter.is_some() || failures > 1 {
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
    facts.borne_out = borne_out(&reading, &subject, facts.matter.is_some());
}

/// Labels that at least one word of the mail speaks for; of the others nothing is known here.
fn borne_out(reading: &Reading<'_>, subject: &str, matter: bool) -> BTreeSet<Label> {
    let says = |label: Label| {
        let cues = reading.lists.cues.get(label.as_str());
        cues.is_some_and(|cues| {
            lexicon::has(subject, cues)
                || reading.all.iter().any(|sentence| lexicon::has(&sentence.folded, cues))
        })
    };
    let asks =
        |sentence: &Sentence| sentence.asks() || lexicon::has(&sentence.folded, &reading.lists.requests);
    let mut found = BTreeSet::new();
    if matter || says(Label::Complaint) {
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

impl Facts {
    fn set(&mut self, slot: &'static str, fact: Fact) {
        self.known.insert(slot);
        self.slots.insert(slot, fact);
    }

    /// The value in this slot.
    #[must_use]
    pub fn get(&self, slot: &str) -> Option<&str> {
        self.slots.get(slot).map(|fact| fact.value.as_str())
    }

    /// What is repeated from the customer, sentence by sentence.
    pub fn repeated(&self) -> impl Iterator<Item = &Fact> {
        let slots = ["question", "wish"].into_iter().filter_map(|slot| self.slots.get(slot));
        self.quotes.values().chain(slots)
    }
}
