//! What a mail says that an answer can rest on, each with the words it was read from. A fact that
//! is not sure is not read: the answer then asks.

mod matter;
mod name;
mod number;
mod sentence;

pub(crate) use sentence::is_pictograph;

use std::collections::{BTreeMap, BTreeSet};

use super::company::Company;
use super::lexicon::{self, Lexicon};
use super::playbook::Book;
use crate::classify::Label;
use crate::mail::Mail;

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
    /// deadline, quote, question, wish.
    pub slots: BTreeMap<&'static str, Fact>,
    /// Everything known that makes a question needless: the slots and date, time, device, tried,
    /// attachment, inquiry (a price is asked for, not disputed), quantity.
    pub known: BTreeSet<&'static str>,
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
    for (slot, fact) in number::read(&whole, lists) {
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
    sentences(&mut facts, &text, labels, wary, lists);
    facts
}

fn marks(facts: &mut Facts, folded: &str, lists: &Lexicon, mail: &Mail) {
    if lexicon::first(folded, &lists.disputes).is_none() {
        facts.known.insert("inquiry");
    }
    if folded.chars().any(|c| c.is_ascii_digit()) {
        facts.known.insert("quantity");
    }
    let lists = [("device", &lists.devices), ("tried", &lists.tried)];
    for (mark, list) in lists {
        if lexicon::first(folded, list).is_some() {
            facts.known.insert(mark);
        }
    }
    if !mail.attachments.is_empty() {
        facts.known.insert("attachment");
    }
}

fn sentences(facts: &mut Facts, text: &str, labels: &[Label], wary: bool, lists: &Lexicon) {
    let all = sentence::split(text, lists);
    let primary = labels.first().copied();
    let quote = primary.and_then(|label| sentence::key(&all, label, wary, lists));
    let question = sentence::question(&all, wary, quote.as_ref(), lists);
    let wish = sentence::wish(&all, wary, [quote.as_ref(), question.as_ref()], lists);
    for (slot, fact) in [("quote", quote), ("question", question), ("wish", wish)] {
        if let Some(fact) = fact {
            facts.set(slot, fact);
        }
    }
    if all.iter().any(|sentence| lexicon::first(&sentence.folded, &lists.wishes).is_some()) {
        facts.known.insert("wish");
    }
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
}
