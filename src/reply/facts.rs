//! What a mail says that an answer can rest on, each with the words it was read from. A fact that
//! is not sure is not read: the answer then asks.

mod choice;
mod clause;
mod count;
mod danger;
mod detail;
mod identifier;
mod matter;
mod moment;
mod name;
mod number;
mod outcome;
mod place;
mod quote;
mod sentence;
mod surety;
mod topic;
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
    /// deadline, question (a second one), wish, wanted (the outcomes in one phrase), phone, topic (the
    /// subject, where nothing else says what the mail is about).
    pub slots: BTreeMap<&'static str, Fact>,
    /// The sentence that says what the mail is about, by the label it speaks for. No sentence stands
    /// twice, nor in another slot.
    pub quotes: BTreeMap<Label, Fact>,
    /// Everything known that makes a question needless: the slots and date, time, device, tried,
    /// attachment, phone, address, inquiry or dispute (of a price), quantity, failure, party (who agreed
    /// to earlier terms), terms (what they were), danger, number (of an order, an invoice, an account or
    /// a case), message (what a screen or a letter says), contacted (calls and letters before), payment (a
    /// way of paying), person (a name of ours), threat (a word of one), business (beside courting), urgent (the
    /// matter has a first step), price-asked (in a sentence that asks), price-aside (the first of several questions is
    /// about something else), asked (a question that is no request), asks (a question mark), hurried (today or now is
    /// spoken of, or cried),
    /// soon (something is wanted today).
    pub known: BTreeSet<&'static str>,
    /// Labels that the words of the mail bear out.
    pub borne_out: BTreeSet<Label>,
    /// The matter of `matters.toml`, if it is sure.
    pub matter: Option<String>,
    /// What the customer wants done: names of `outcomes.toml`, in the order of the mail.
    pub outcomes: Vec<String>,
    /// Numbers with their nouns, sums and dates, as they were written.
    pub details: Vec<String>,
}

/// Longest text read for facts, in characters: what matters is said before that.
const LONGEST: usize = 4_000;

/// Words of a mail that tells a story: there a sentence with a word of failure may well be scenery.
const LONG: usize = 90;

/// Reads the facts. `labels` is what the answer deals with, the first deciding which sentence is
/// the key one; `wary` is set when the mail insults, courts or threatens.
#[must_use]
pub fn read(mail: &Mail, labels: &[Label], wary: bool, company: &Company, book: &Book) -> Facts {
    let lists = lexicon::of(mail.language);
    let text: String = mail.new_text.chars().take(LONGEST).collect();
    let whole = format!("{}\n{text}", mail.subject);
    let folded = lexicon::fold(&whole);
    let all = sentences_of(mail, &text, lists);
    let mut facts = Facts::default();
    if danger::is_near(&all, &folded, book.matters(), lists) {
        facts.known.insert("danger");
    }
    let subject = lexicon::fold(&mail.subject);
    facts.matter = matter::find(
        matter::Place {
            folded: &folded,
            subject: &subject,
            danger: facts.known.contains("danger"),
            fright: labels.first() == Some(&Label::Panic),
        },
        book.matters(),
    );
    let urgent = |name: &String| book.matters().iter().any(|matter| matter.name == *name && matter.urgent());
    if facts.matter.as_ref().is_some_and(urgent) {
        facts.known.insert("urgent");
    }
    if let Some(name) = name::signed(mail, &text, lists) {
        let (slot, name) = name;
        facts.set(slot, name);
    }
    let numbers = number::read(&whole, lists);
    facts.known.extend(numbers.known);
    let wanted_by = |fact: &Fact| {
        all.iter().any(|sentence| {
            let asks = sentence.asks()
                || [&lists.asking, &lists.imperatives]
                    .iter()
                    .any(|list| lexicon::has(&sentence.folded, list));
            asks && sentence.text.contains(&fact.value)
        })
    };
    for (slot, fact) in numbers.facts {
        // a day that nobody asks for is when something ends
        if slot != "deadline" || wanted_by(&fact) {
            facts.set(slot, fact);
        }
    }
    if text.split_whitespace().any(|word| word.contains('@')) {
        facts.known.insert("account");
    }
    if let Some(product) =
        company.products.iter().find(|name| lexicon::contains(&folded, &lexicon::fold(name)))
    {
        facts.set("product", Fact { value: product.clone(), read_from: product.clone() });
    }
    if let Some(count) = count::read(&all, lists) {
        facts.set("count", count);
    }
    if ["order", "invoice", "account", "case"].iter().any(|slot| facts.known.contains(slot)) {
        facts.known.insert("number");
    }
    facts.details = detail::read(&text, &facts.slots, mail.language, lists);
    marks(&mut facts, &folded, &all, lists, mail);
    facts.known.extend(place::read(&text, mail.language, lists));
    let wanted = outcome::find(&all, book.outcomes(), lists);
    if wanted.timed {
        facts.known.insert("deadline");
    }
    if let Some(phrase) = outcome::phrase(&wanted, book.outcomes(), mail.language) {
        facts.set("wanted", Fact { value: phrase, read_from: String::new() });
        facts.known.insert("wish");
    }
    facts.outcomes = wanted.outcomes;
    let mut reading = Reading {
        all: &all,
        subject: &subject,
        matters: book.matters(),
        matter: book.matters().iter().find(|matter| Some(&matter.name) == facts.matter.as_ref()),
        titled: !wary && topic::read(&mail.subject, lists).is_some(),
        long: text.split_whitespace().count() > LONG,
        wary,
        lists,
        taken: Vec::new(),
    };
    sentences(&mut facts, &mut reading, labels);
    // what is to be done is answered as a wish
    let asked = |fact: &Fact| {
        let sentence: Vec<Sentence> =
            all.iter().filter(|sentence| sentence.text == fact.read_from).cloned().collect();
        fact.value.ends_with('?') && outcome::find(&sentence, book.outcomes(), lists).outcomes.is_empty()
    };
    let question = facts.slots.get("question").or_else(|| facts.quotes.get(&Label::Question));
    if question.is_some_and(asked) {
        facts.known.insert("asked");
    }
    facts.borne_out = borne_out(&reading, &subject);
    let told = labels.first().is_some_and(|label| facts.quotes.contains_key(label));
    if let Some(topic) = topic::read(&mail.subject, lists).filter(|_| !told && !wary) {
        facts.set("topic", topic);
    }
    facts
}

/// The sentences; a short line with the name of who writes is a signature and never repeated.
fn sentences_of(mail: &Mail, text: &str, lists: &Lexicon) -> Vec<Sentence> {
    let mut all = sentence::split(text, lists);
    let sender = mail.sender().map(|sender| lexicon::fold(&sender.name)).filter(|name| name.contains(' '));
    for sentence in &mut all {
        if sender.as_ref().is_some_and(|name| sentence.folded.contains(name.as_str())) {
            sentence.hush();
        }
    }
    all
}

fn marks(facts: &mut Facts, folded: &str, all: &[Sentence], lists: &Lexicon, mail: &Mail) {
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
        ("threat", &lists.threats),
    ];
    for (mark, list) in marked {
        if lexicon::has(folded, list) {
            facts.known.insert(mark);
        }
    }
    if !mail.attachments.is_empty() || lexicon::has(folded, &lists.attached) {
        facts.known.insert("attachment");
    }
}

fn sentences(facts: &mut Facts, reading: &mut Reading<'_>, labels: &[Label]) {
    let (all, lists) = (reading.all, reading.lists);
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
    if let Some(wish) = reading.wish().filter(|_| facts.outcomes.is_empty()) {
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
        lexicon::has(&sentence.folded, &lists.soon) && (sentence.asks() || reading.wants(sentence))
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
    if all.iter().any(|sentence| reading.is_business(sentence)) {
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
fn borne_out(reading: &Reading<'_>, subject: &str) -> BTreeSet<Label> {
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
