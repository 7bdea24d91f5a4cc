//! What can be given back of a mail, and by which features the choice among it is made.

use super::Fact;
use super::choice::Reading;
use super::clause::{sets_scene, tails};
use super::quote::fact;
use super::sentence::Sentence;
use crate::classify::Label;
use crate::reply::gist::{Columns, stem};
use crate::reply::lexicon::{self, Phrases};

/// A sentence, or a clause of one, that may be given back.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(super) sentence: Sentence,
    /// As it would be given back.
    pub(super) fact: Fact,
    /// Which sentence of the mail it is of.
    at: usize,
    clause: bool,
    /// What is true of it, and the columns of its words.
    flags: Vec<String>,
    words: Vec<u32>,
}

impl Candidate {
    /// As it stands in the mail.
    pub(crate) fn text(&self) -> &str {
        &self.sentence.text
    }

    pub(crate) fn folded(&self) -> &str {
        &self.sentence.folded
    }

    /// Its features, where the mail is answered under this label.
    pub(crate) fn columns(&self, label: Label) -> Vec<u32> {
        let mut columns = Columns::default();
        let label = if label == Label::Threat { Label::Complaint } else { label };
        for flag in &self.flags {
            columns.add(&[flag]);
            columns.add(&[flag, label.as_str()]);
        }
        columns.extend(&self.words);
        columns.done()
    }
}

impl Reading<'_> {
    /// Everything that may be given back.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        self.candidates.get_or_init(|| {
            let named: Vec<bool> = self.all.iter().map(|sentence| self.names_failure(sentence)).collect();
            let mut all: Vec<Candidate> =
                self.free().flat_map(|(at, sentence)| self.parts(at, sentence)).collect();
            for candidate in &mut all {
                candidate.flags = self.flags(candidate, &named);
                candidate.words = words(&candidate.fact.value);
            }
            all
        })
    }

    /// A sentence, and those of its clauses that stand by themselves.
    fn parts(&self, at: usize, sentence: &Sentence) -> Vec<Candidate> {
        let clauses = tails(sentence, self.lists).into_iter().filter(|tail| tail.may(self.wary));
        let all = std::iter::once((false, sentence.clone())).chain(clauses.map(|tail| (true, tail)));
        let candidate = |(clause, part): (bool, Sentence)| {
            let fact = Fact { read_from: sentence.text.clone(), ..fact(&part, self.lists)? };
            Some(Candidate { sentence: part, fact, at, clause, flags: Vec::new(), words: Vec::new() })
        };
        all.filter_map(candidate).collect()
    }

    /// What is true of it; `named` says of each sentence whether it has a sign of a matter.
    fn flags(&self, candidate: &Candidate, named: &[bool]) -> Vec<String> {
        let Candidate { sentence, fact, at, clause, .. } = candidate;
        let lists = self.lists;
        let has = |list: &Phrases| lexicon::has(&sentence.folded, list);
        let count = |name: &str, number: usize, most: usize| format!("{name} {}", number.min(most));
        let titled = sentence.content(lists).filter(|word| lexicon::contains(self.subject, word)).count();
        let digits = sentence.text.chars().filter(char::is_ascii_digit).count();
        let before = at.checked_sub(1).and_then(|at| self.all.get(at));
        let mut flags = vec![
            count("at", *at, 6),
            count("behind", self.all.len().saturating_sub(at + 1), 4),
            format!("{} {}", count("at", *at, 4), count("of", self.all.len(), 8)),
            count("long", fact.value.chars().count() / 20, 9),
            count("content", sentence.content(lists).count(), 8),
            count("titled", titled, 3),
            count("digits", digits, 3),
            count("signs", self.signs(sentence), 3),
            count("commas", sentence.text.matches(',').count(), 3),
        ];
        let labels = [
            Label::Complaint,
            Label::Panic,
            Label::Question,
            Label::Pricing,
            Label::Idea,
            Label::Criticism,
            Label::Praise,
            Label::Entitlement,
        ];
        for label in labels {
            let hits = self.hits(sentence, label);
            if hits > 0 {
                flags.push(count(label.as_str(), hits, 3));
                let most = self.all.iter().map(|other| self.hits(other, label)).max().unwrap_or(0);
                if hits == most {
                    flags.push(format!("most {label}"));
                }
                let first = self.all.iter().take(*at).all(|other| self.hits(other, label) == 0);
                if first {
                    flags.push(format!("first {label}"));
                }
            }
        }
        let truths = [
            ("clause", *clause),
            ("cut", fact.value.ends_with('…')),
            ("asks", sentence.asks()),
            ("wants", self.wants(sentence)),
            ("demands", self.demands(sentence)),
            ("orders", self.orders(sentence)),
            ("scenery", self.is_scenery(sentence)),
            ("scene", sets_scene(sentence, lists)),
            ("chases", self.chases(sentence)),
            ("aside", self.is_aside(sentence)),
            ("leans", sentence.leans),
            ("hangs", sentence.hangs),
            ("named", if *clause { self.names_failure(sentence) } else { named.get(*at) == Some(&true) }),
            ("named before", named.iter().take(*at).any(|named| *named)),
            ("praises", self.praises(sentence)),
            ("question before", before.is_some_and(Sentence::asks)),
            ("speech", sentence.text.contains(['"', '«', '“', '„'])),
            ("cries", sentence.text.contains('!')),
            ("long mail", self.long),
            ("titled mail", self.titled),
        ];
        flags.extend(truths.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()));
        let listed: [(&str, &Phrases); 19] = [
            ("thanks", &lists.thanks),
            ("gratitude", &lists.gratitude),
            ("negations", &lists.negations),
            ("saying", &lists.saying),
            ("contacted", &lists.contacted),
            ("tried", &lists.tried),
            ("soon", &lists.soon),
            ("currencies", &lists.currencies),
            ("calendar", &lists.calendar),
            ("moments", &lists.moments),
            ("wishes", &lists.wishes),
            ("asking", &lists.asking),
            ("denials", &lists.denials),
            ("requests", &lists.requests),
            ("rhetoric", &lists.rhetoric),
            ("disputes", &lists.disputes),
            ("terms", &lists.terms),
            ("suggestions", &lists.suggestions),
            ("promised", &lists.promised),
        ];
        flags.extend(listed.into_iter().filter(|(_, list)| has(list)).map(|(name, _)| format!("has {name}")));
        flags
    }
}

/// Its words and pairs of words by their stems; how it begins counts for itself.
fn words(text: &str) -> Vec<u32> {
    let mut columns = Columns::default();
    let folded = lexicon::fold(text);
    let split = folded.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    let numberless = |word: &str| {
        let digits = word.chars().any(|c| c.is_ascii_digit());
        if digits { "0".to_owned() } else { stem(word) }
    };
    let stems: Vec<String> = split.map(numberless).collect();
    for stem in &stems {
        columns.add(&["word", stem]);
    }
    for (first, second) in stems.iter().zip(stems.iter().skip(1)) {
        columns.add(&["pair", first, second]);
    }
    for (place, stem) in ["first", "second"].iter().zip(&stems) {
        columns.add(&[place, stem]);
    }
    columns.done()
}
