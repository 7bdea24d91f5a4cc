//! Chooses a wording for a move and fills its slots.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};

use super::plan::Step;
use super::printable;
use crate::mail::Language;
use crate::reply::facts::Facts;
use crate::reply::playbook::{Ask, Book, Matter, Script, Wording, hash};
use crate::reply::{NoDraft, Occasion, Request, promise};

/// Most questions in the list; what a wording asks itself comes on top.
const LIST: usize = 3;

/// Most details given back.
const DETAILS: usize = 4;

/// Slots of which one is as good as another: a mail with a contract is not asked for an order.
const NUMBERS: [&str; 4] = ["order", "invoice", "account", "case"];

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
    /// What was said so far.
    said: String,
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
        Self {
            request,
            book,
            facts,
            matter,
            slots,
            env,
            main,
            quoted: BTreeSet::new(),
            said: String::new(),
            used: Vec::new(),
        }
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
        if step.wanted == "details" {
            match self.details() {
                Some(details) => self.slots.insert("details", details),
                None => self.slots.remove("details"),
            };
        }
        // What is said about a matter belongs to the scripts that deal with failures.
        let failures = ["complaint", "panic"].contains(&step.script.as_str());
        // where the matter is unknown and somebody may be in danger, the first step is the one for danger
        let danger = step.wanted == "first-step" && self.facts.known.contains("danger");
        let matters = self.book.matters();
        let outcomes = self.book.script("outcomes");
        let (outcome, several) = match (step.wanted.as_str(), self.facts.outcomes.as_slice()) {
            ("wish", [only]) => (self.book.outcomes().iter().find(|outcome| outcome.name == *only), true),
            ("wish", [_, ..]) => (None, true),
            _ => (None, false),
        };
        let of = |script: Option<&'a Script>, wanted: &str| script.and_then(|script| script.say.get(wanted));
        let wishes =
            [of(outcome.map(|outcome| &outcome.script), "step"), of(outcomes, "several").filter(|_| several)];
        // a plan for what does not press is none for a fright
        let frightened = self.main == "panic"
            && step.wanted == "plan"
            && self.matter.is_some_and(|matter| !matter.urgent());
        let sources = [
            self.matter.filter(|_| failures && !frightened).map(|matter| &matter.script),
            matters.iter().find(|matter| danger && matter.name == "danger").map(|matter| &matter.script),
            self.book.script(&step.script),
            self.book.script("common"),
            outcomes,
        ];
        // the first step has named the emergency services already
        // and a matter that does not press has nothing to say to who is frightened
        let beside = self.matter.is_some_and(|matter| matter.name == "danger" || !matter.urgent());
        if beside && self.main == "panic" && step.wanted == "sorry" {
            return Ok(String::new());
        }
        // who says by when what is wanted is not asked what presses
        let answered = step.wanted == "work-round"
            && ["wish", "deadline"].iter().all(|mark| self.facts.known.contains(mark))
            && self.matter.is_none();
        if answered && step.optional {
            return Ok(String::new());
        }
        // the subject says what no sentence does
        let topic = match step.wanted.as_str() {
            "sorry" if self.matter.is_none() => of(outcomes, "topic"),
            "restate" => of(outcomes, "about"),
            _ => None,
        };
        let topic = topic.filter(|_| self.slots.contains_key("topic"));
        let said = sources.into_iter().flatten().filter_map(|script| script.say.get(&step.wanted));
        let lists: Vec<&Vec<Wording>> = wishes.into_iter().flatten().chain(topic).chain(said).collect();
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
            let once = ["quote", "question", "wish", "deadline", "count", "topic"].contains(&slot.as_str());
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
            if matches!(
                slot.as_str(),
                "quote" | "question" | "wish" | "deadline" | "count" | "contacts" | "topic"
            ) {
                self.quoted.extend(self.slots.get(slot.as_str()).cloned());
            }
        }
        let text = self.env.render_str(&template, &self.slots).unwrap_or_default();
        // a question that is quoted has its stop; only Spanish writes another behind the mark
        let text = text.replace("?”.", "?”");
        let text = match self.request.mail.language {
            Language::Ru | Language::Uk => text.replace("?».", "?»"),
            _ => text,
        };
        self.said.push_str(&text);
        promise::close(&text, self.slots.get("by").map_or("", String::as_str), self.request.mail.language)
    }

    /// The details that were not given back yet; a single one is worth a sentence where it is a number.
    fn details(&self) -> Option<String> {
        let new: Vec<&str> = self
            .facts
            .details
            .iter()
            .map(String::as_str)
            .filter(|detail| !self.gives(detail))
            .take(DETAILS)
            .collect();
        let number = |slot: &str| {
            self.facts.get(slot).is_some_and(|number| new.iter().any(|detail| detail.ends_with(number)))
        };
        let telling = new.len() > 1 || NUMBERS.iter().any(|slot| number(slot));
        telling.then(|| printable(&new.join(", ")))
    }

    /// Whether a detail stands in what was said; a number without its noun is enough.
    fn gives(&self, detail: &str) -> bool {
        let number = detail.rsplit(' ').next().unwrap_or(detail);
        self.said.contains(detail) || number.chars().any(|c| c.is_ascii_digit()) && self.said.contains(number)
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
            let has = |mark: &str| self.facts.known.contains(mark);
            let known =
                ask.unless.iter().any(|mark| has(mark) || NUMBERS.contains(&mark.as_str()) && has("number"));
            !known && self.is_fresh(&ask.wording) && self.fits(&ask.wording)
        };
        let intake = self.book_intake();
        // what the company asks about this product comes first
        let mut open: Vec<&Ask> = intake.iter().filter(is_open).collect();
        // in a fright a matter that does not press has nothing to ask
        let presses = self.main != "panic" || self.matter.is_some_and(Matter::urgent);
        open.extend(matter.iter().filter(|_| failures && presses).filter(is_open));
        // what is asked about a known matter is enough
        if open.is_empty() {
            open.extend(script.iter().filter(is_open));
        }
        // what a known matter has no question for, nobody has to answer
        if open.is_empty() && failures && self.matter.is_none() {
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
