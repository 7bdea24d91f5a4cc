//! What a mail says that an answer can rest on, each with the words it was read from. A fact that
//! is not sure is not read: the answer then asks.

mod choice;
mod clause;
mod count;
mod danger;
mod detail;
mod gist;
mod identifier;
mod mark;
mod matter;
mod moment;
mod name;
mod number;
mod outcome;
mod place;
mod question;
mod quote;
mod sentence;
mod surety;
mod thanks;
mod topic;
mod word;

pub(crate) use gist::Candidate;
pub(crate) use sentence::is_pictograph;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::company::Company;
use super::gist::{self as learnt, Aspect};
use super::lexicon::{self, Lexicon};
use super::playbook::{Book, Matter};
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
    /// to earlier terms), terms (what they were), danger, endangered (beyond doubt), number (of an order, an invoice, an account or
    /// a case), message (what a screen or a letter says), contacted (calls and letters before), payment (a
    /// way of paying), person (a name of ours), threat (a word of one), business (beside courting), urgent (the
    /// matter has a first step), price-asked (in a sentence that asks), price-aside (the first of several questions is
    /// about something else), asked (a question that is no request), asks (a question mark), hurried (today or now is
    /// spoken of, or cried),
    /// soon (something is wanted today), thankful (a story of thanks, whatever went wrong in it),
    /// requested (an answer is), inquires (something is asked, and nobody courted by it), turned (something is set off from what came before it, and failed), suggestion.
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

/// By how much less log-odds do for a matter with a first step in a mail written in a fright.
const FRIGHT: f32 = 1.0;

/// Words of a mail that tells a story: there a sentence with a word of failure may well be scenery.
const LONG: usize = 90;

/// A mail taken apart: what is read for facts.
pub(crate) struct Parts<'a> {
    /// New text, as far as it is read.
    text: String,
    /// Subject and text.
    whole: String,
    folded: String,
    subject: String,
    all: Vec<Sentence>,
    titled: bool,
    book: &'a Book,
    lists: &'static Lexicon,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(mail: &Mail, book: &'a Book) -> Self {
        let lists = lexicon::of(mail.language);
        let text: String = mail.new_text.chars().take(LONGEST).collect();
        // no phrase goes on from the one to the other
        let whole = format!("{}.\n{text}", mail.subject);
        let folded = lexicon::fold(&whole);
        let all = sentences_of(mail, &text, lists);
        let subject = lexicon::fold(&mail.subject);
        let titled = topic::read(&mail.subject, lists).is_some();
        Self { text, whole, folded, subject, all, titled, book, lists }
    }

    /// What its sentences are chosen with; `wary` as in [`read`].
    pub(crate) fn reading(&self, wary: bool) -> Reading<'_> {
        Reading {
            text: &self.text,
            all: &self.all,
            subject: &self.subject,
            signs: self.book.signs(),
            matter: None,
            titled: !wary && self.titled,
            long: self.text.split_whitespace().count() > LONG,
            wary,
            lists: self.lists,
            taken: Vec::new(),
            candidates: OnceCell::new(),
        }
    }

    /// The matters that a word of the mail speaks for, each with the features of the choice among them.
    /// `key` is the sentence that says what the mail is about.
    pub(crate) fn matters(&self, key: Option<&str>, labels: &[Label]) -> Vec<(&Matter, Vec<u32>)> {
        let fright = labels.first() == Some(&Label::Panic);
        let danger = self.danger(fright) > danger::Near::No;
        let (folded, subject) = (self.folded.as_str(), self.subject.as_str());
        matter::candidates(matter::Place { folded, subject, key, danger, fright }, self.book.matters())
    }

    fn danger(&self, fright: bool) -> danger::Near {
        danger::near(&self.all, &self.subject, fright, self.book.matters(), self.lists)
    }
}

/// Reads the facts. `labels` is what the answer deals with, the first deciding which sentence is
/// the key one; `wary` is set when the mail insults, courts or threatens.
#[must_use]
pub fn read(mail: &Mail, labels: &[Label], wary: bool, company: &Company, book: &Book) -> Facts {
    let parts = Parts::of(mail, book);
    let Parts { text, whole, folded, subject, all, lists, .. } = &parts;
    let lists: &Lexicon = lists;
    let mut facts = Facts::default();
    let mut reading = parts.reading(wary);
    matter(&mut facts, &parts, &reading, labels);
    if let Some(name) = name::signed(mail, text, lists) {
        let (slot, name) = name;
        facts.set(slot, name);
    }
    numbers(&mut facts, whole, all, lists);
    if text.split_whitespace().any(|word| word.contains('@')) {
        facts.known.insert("account");
    }
    if let Some(product) =
        company.products.iter().find(|name| lexicon::contains(folded, &lexicon::fold(name)))
    {
        facts.set("product", Fact { value: product.clone(), read_from: product.clone() });
    }
    if let Some(count) = count::read(all, lists) {
        facts.set("count", count);
    }
    if ["order", "invoice", "account", "case"].iter().any(|slot| facts.known.contains(slot)) {
        facts.known.insert("number");
    }
    facts.details = detail::read(text, &facts.slots, mail.language, lists);
    mark::words(&mut facts, folded, all, lists, mail);
    facts.known.extend(place::read(text, mail.language, lists));
    let wanted = outcome::find(all, book.outcomes(), lists);
    if wanted.timed {
        facts.known.insert("deadline");
    }
    if let Some(phrase) = outcome::phrase(&wanted, book.outcomes(), mail.language) {
        facts.set("wanted", Fact { value: phrase, read_from: String::new() });
        facts.known.insert("wish");
    }
    facts.outcomes = wanted.outcomes;
    reading.matter = book.matters().iter().find(|matter| Some(&matter.name) == facts.matter.as_ref());
    mark::sentences(&mut facts, &mut reading, labels);
    // what is to be done is answered as a wish
    let asked = |fact: &Fact| {
        let sentence: Vec<Sentence> =
            all.iter().filter(|sentence| fact.read_from.contains(&sentence.text)).cloned().collect();
        fact.value.ends_with('?') && outcome::find(&sentence, book.outcomes(), lists).outcomes.is_empty()
    };
    let question = facts.slots.get("question").or_else(|| facts.quotes.get(&Label::Question));
    if question.is_some_and(asked) {
        facts.known.insert("asked");
    }
    facts.borne_out = mark::borne_out(&reading, subject);
    if thanks::turn(&reading) {
        facts.known.insert("turned");
    }
    if all.iter().any(|sentence| lexicon::has(&sentence.folded, &lists.suggestions)) {
        facts.known.insert("suggestion");
    }
    // who names a number of theirs wants something about it, unless a label says otherwise
    let plain = !facts.known.contains("number") || labels.contains(&Label::Praise);
    if facts.outcomes.is_empty() && plain && thanks::end(&reading) {
        facts.known.insert("thankful");
        if thanks::warm(&reading) {
            facts.known.insert("warm");
        }
        facts.borne_out.insert(Label::Praise);
    }
    let told = labels.first().is_some_and(|label| facts.quotes.contains_key(label));
    if let Some(topic) = topic::read(&mail.subject, lists).filter(|_| !told && !wary) {
        facts.set("topic", topic);
    }
    facts
}

/// What it is about, and whether somebody is in danger.
fn matter(facts: &mut Facts, parts: &Parts<'_>, reading: &Reading<'_>, labels: &[Label]) {
    let near = parts.danger(labels.first() == Some(&Label::Panic));
    if near > danger::Near::No {
        facts.known.insert("danger");
    }
    if near == danger::Near::Surely {
        facts.known.insert("endangered");
    }
    let scale = learnt::shipped().scale(Aspect::Matter);
    let key = labels.first().and_then(|label| reading.best(Aspect::Key, *label));
    let key = key.as_ref().map(|(_, candidate)| candidate.folded());
    let rated = parts.matters(key, labels).into_iter();
    let rated = rated.map(|(matter, columns)| (scale.log_odds(&columns), matter));
    // a fright rather has the first step of what it may well be than none
    let fright = labels.first() == Some(&Label::Panic);
    let enough = |matter: &Matter| if fright && matter.urgent() { scale.cut - FRIGHT } else { scale.cut };
    let best = rated.filter(|(odds, matter)| *odds >= enough(matter)).max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, matter)) = best {
        facts.matter = Some(matter.name.clone());
        if matter.urgent() {
            facts.known.insert("urgent");
        }
    }
}

/// Numbers, sums and dates.
fn numbers(facts: &mut Facts, whole: &str, all: &[Sentence], lists: &Lexicon) {
    let numbers = number::read(whole, lists);
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
        let past = lexicon::has(&lexicon::fold(&fact.value), &lists.past);
        if slot != "deadline" || wanted_by(&fact) && !past {
            facts.set(slot, fact);
        }
    }
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
