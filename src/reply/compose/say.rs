//! Chooses a wording for a move and fills its slots.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};

use super::plan::Step;
use super::printable;
use crate::reply::facts::Facts;
use crate::reply::playbook::{Ask, Book, Matter, Wording, hash};
use crate::reply::{NoDraft, Occasion, Request, promise};

/// Most questions in the list; what a wording asks itself comes on top.
const LIST: usize = 3;

/// Slots that every draft has: they do not make a wording more particular.
const ALWAYS: [&str; 4] = ["by", "signature", "questions", "good_day"];

/// Says the moves of one draft and remembers the wordings.
pub(super) struct Speaker<'a> {
    request: &'a Request<'a>,
    book: &'a Book,
    facts: &'a Facts,
    matter: Option<&'a Matter>,
    slots: BTreeMap<&'static str, String>,
    env: Environment<'static>,
    main: &'a str,
    /// Quotations already made: the same words are not repeated twice in one draft.
    quoted: BTreeSet<String>,
    /// Ids of the wordings used.
    pub(super) used: Vec<String>,
}

impl<'a> Speaker<'a> {
    pub(super) fn new(
        request: &'a Request<'a>,
        book: &'a Book,
        facts: &'a Facts,
        slots: BTreeMap<&'static str, String>,
        main: &'a str,
    ) -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        let matter = book.matters().iter().find(|matter| Some(&matter.name) == facts.matter.as_ref());
        Self { request, book, facts, matter, slots, env, main, quoted: BTreeSet::new(), used: Vec::new() }
    }

    /// The text of a move; empty when it is optional and nothing fits.
    pub(super) fn say(&mut self, step: &Step) -> Result<String, NoDraft> {
        // each label repeats its own sentence
        let quote = self.facts.quotes.iter().find(|(label, _)| label.as_str() == step.script);
        let occasion = Occasion::ALL.iter().any(|occasion| occasion.as_str() == step.script);
        let quote = quote.or_else(|| self.facts.quotes.first_key_value().filter(|_| occasion));
        match quote {
            Some((_, fact)) => self.slots.insert("quote", printable(&fact.value)),
            None => self.slots.remove("quote"),
        };
        // What is said about a matter belongs to the scripts that deal with failures.
        let failures = ["complaint", "panic"].contains(&step.script.as_str());
        // where the matter is unknown and somebody may be in danger, the first step is the one for danger
        let danger = step.wanted == "first-step" && self.facts.known.contains("danger");
        let matters = self.book.matters();
        let sources = [
            self.matter.filter(|_| failures).map(|matter| &matter.script),
            matters.iter().find(|matter| danger && matter.name == "danger").map(|matter| &matter.script),
            self.book.script(&step.script),
            self.book.script("common"),
        ];
        let lists: Vec<&Vec<Wording>> =
            sources.into_iter().flatten().filter_map(|script| script.say.get(&step.wanted)).collect();
        match self.choose(&lists, &step.wanted) {
            Some(wording) => Ok(self.fill(&wording)),
            None if step.optional => Ok(String::new()),
            None => Err(NoDraft::NoWording { playbook: step.script.clone(), wanted: step.wanted.clone() }),
        }
    }

    /// The wording with the most facts that this customer has not been sent; where the facts are
    /// equal, the mail decides. When all were sent, the first list starts again.
    fn choose(&self, lists: &[&Vec<Wording>], wanted: &str) -> Option<Wording> {
        let seed = hash(&[wanted, &self.request.mail.subject, &self.request.mail.new_text]);
        for fresh in [true, false] {
            for list in lists {
                let fits =
                    list.iter().filter(|wording| self.fits(wording) && (!fresh || self.is_fresh(wording)));
                let mut fits: Vec<&Wording> = fits.collect();
                let most = fits.iter().map(|wording| weight(wording)).max().unwrap_or(0);
                fits.retain(|wording| weight(wording) == most);
                let at = usize::try_from(seed % (fits.len().max(1) as u64)).unwrap_or(0);
                if let Some(wording) = fits.get(at) {
                    return Some((*wording).clone());
                }
            }
        }
        None
    }

    fn fits(&self, wording: &Wording) -> bool {
        wording.slots.iter().all(|slot| {
            let once = ["quote", "question", "wish", "deadline", "count"].contains(&slot.as_str());
            let said =
                |value: &String| once && self.quoted.iter().any(|quoted| quoted.contains(value.as_str()));
            self.slots.get(slot.as_str()).is_some_and(|value| !said(value))
        })
    }

    fn is_fresh(&self, wording: &Wording) -> bool {
        !self.request.history.wordings.contains(&wording.id) && !self.used.contains(&wording.id)
    }

    fn fill(&mut self, wording: &Wording) -> String {
        let template = wording.template(self.request.company.address(self.request.mail.language));
        self.used.push(wording.id.clone());
        for slot in &wording.slots {
            if matches!(slot.as_str(), "quote" | "question" | "wish" | "deadline" | "count" | "contacts") {
                self.quoted.extend(self.slots.get(slot.as_str()).cloned());
            }
        }
        let text = self.env.render_str(&template, &self.slots).unwrap_or_default();
        promise::close(&text, self.slots.get("by").map_or("", String::as_str), self.request.mail.language)
    }

    /// How many questions of ours a text has: a quoted one is the customer's.
    pub(super) fn questions_in(&self, text: &str) -> usize {
        let quoted: usize = self
            .facts
            .repeated()
            .map(|fact| text.matches(fact.value.as_str()).count() * fact.value.matches('?').count())
            .sum();
        text.matches('?').count().saturating_sub(quoted)
    }

    /// What the company file asks about the product that the mail names.
    fn book_intake(&self) -> Vec<Ask> {
        let product = self.facts.get("product");
        let intake =
            self.request.company.intake.iter().find(|intake| Some(intake.product.as_str()) == product);
        intake.map_or_else(Vec::new, |intake| intake.questions(self.request.mail.language))
    }

    /// The questions that are still open, most useful first, with what introduces them.
    pub(super) fn ask(&mut self, script: &[Ask], budget: usize) -> Result<String, NoDraft> {
        let failures = ["complaint", "panic"].contains(&self.main);
        let common = self.book.script("common").map_or(&[][..], |script| &script.ask);
        let matter = self.matter.map_or(&[][..], |matter| &matter.script.ask);
        let is_open = |ask: &&Ask| {
            let known = ask.unless.iter().any(|known| self.facts.known.contains(known.as_str()));
            !known && self.is_fresh(&ask.wording) && self.fits(&ask.wording)
        };
        let intake = self.book_intake();
        // what the company asks about this product comes first
        let mut open: Vec<&Ask> = intake.iter().filter(is_open).collect();
        open.extend(matter.iter().filter(|_| failures).filter(is_open));
        // What is asked about a known matter is enough; in a fright two questions are the least.
        if open.is_empty() || self.main == "panic" && open.len() < 2 {
            open.extend(script.iter().filter(is_open));
        }
        if open.is_empty() && failures {
            open.extend(common.iter().filter(is_open));
        }
        open.truncate(budget.min(LIST));
        let wanted = match open.len() {
            0 => return Ok(String::new()),
            1 => "ask-one",
            _ => "ask-list",
        };
        let open: Vec<Wording> = open.into_iter().map(|ask| ask.wording.clone()).collect();
        let lines: Vec<String> = open.iter().map(|wording| self.fill(wording)).collect();
        let list = if lines.len() == 1 { lines.concat() } else { format!("\n– {}", lines.join("\n– ")) };
        self.slots.insert("questions", list);
        self.say(&Step { script: self.main.to_owned(), wanted: wanted.to_owned(), optional: false })
    }
}

/// How particular a wording is.
fn weight(wording: &Wording) -> usize {
    wording.slots.iter().filter(|slot| !ALWAYS.contains(&slot.as_str())).count()
}
