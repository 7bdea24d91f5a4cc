//! Which sentence of a mail says what it is about, and which one what is wanted: the likeliest by what
//! marked mails have taught, and rather none than an unlikely one.

use std::cell::OnceCell;

use super::Fact;
use super::gist::Candidate;
use super::sentence::Sentence;
use crate::classify::Label;
use crate::reply::gist::{self, Aspect};
use crate::reply::lexicon::{self, Lexicon, Phrases};
use crate::reply::playbook::Matter;

/// Longest wish repeated, in characters: a request in one breath.
const LONGEST_WISH: usize = 110;

/// Fewest words of content in a sentence that is repeated.
pub(super) const FEWEST_WORDS: usize = 2;

/// What a mail is read with.
pub(crate) struct Reading<'a> {
    pub(super) text: &'a str,
    pub(super) all: &'a [Sentence],
    /// Words of the subject.
    pub(super) subject: &'a str,
    /// Signs of which each says what a mail is about.
    pub(super) signs: &'a Phrases,
    /// What it is about, where that is known.
    pub(super) matter: Option<&'a Matter>,
    /// Whether the subject says what the mail is about.
    pub(super) titled: bool,
    /// Whether the mail tells a story.
    pub(super) long: bool,
    /// Whether the mail insults, courts or threatens.
    pub(super) wary: bool,
    pub(super) lists: &'a Lexicon,
    /// Sentences spoken for.
    pub(super) taken: Vec<String>,
    /// What may be given back, once it was asked for.
    pub(super) candidates: OnceCell<Vec<Candidate>>,
}

impl Reading<'_> {
    /// Words that speak for a label; a threat's matter is a complaint.
    pub(super) fn cues(&self, label: Label) -> Option<&Phrases> {
        let of = if label == Label::Threat { Label::Complaint } else { label };
        self.lists.cues.get(of.as_str())
    }

    pub(super) fn hits(&self, sentence: &Sentence, label: Label) -> usize {
        self.cues(label).map_or(0, |cues| lexicon::hits(&sentence.folded, cues))
    }

    pub(super) fn free(&self) -> impl Iterator<Item = (usize, &Sentence)> {
        let may = |sentence: &Sentence| sentence.may(self.wary) && !self.taken.contains(&sentence.text);
        self.all.iter().enumerate().filter(move |(_, sentence)| may(sentence))
    }

    pub(super) fn take(&mut self, found: Option<Fact>) -> Option<Fact> {
        self.taken.extend(found.iter().map(|fact| fact.read_from.clone()));
        found
    }

    /// What says this best, with its log-odds.
    pub(crate) fn best(&self, aspect: Aspect, label: Label) -> Option<(f32, Candidate)> {
        let scale = gist::shipped().scale(aspect);
        let free =
            self.candidates().iter().filter(|candidate| !self.taken.contains(&candidate.fact.read_from));
        let rated = free.map(|candidate| (scale.log_odds(&candidate.columns(label)), candidate));
        // of two alike the first
        rated.rev().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(odds, best)| (odds, best.clone()))
    }

    /// The sentence that says what the mail is about, under this label; `main` where it is the first that
    /// is answered. Another label needs a word of its own.
    pub(super) fn key(&mut self, label: Label, main: bool) -> Option<Fact> {
        match label {
            Label::Question => return self.question(true),
            Label::Abuse | Label::Harassment | Label::Automated => return None,
            _ => {}
        }
        let cut = gist::shipped().scale(Aspect::Key).cut;
        let (_, best) = self.best(Aspect::Key, label).filter(|(odds, _)| *odds >= cut)?;
        let own = self.hits(&best.sentence, label) > 0
            || label == Label::Complaint && self.names_failure(&best.sentence);
        // beside an insult or a threat every sentence may hide another
        let fits = match label {
            Label::Praise => self.praises(&best.sentence),
            Label::Threat => own,
            _ => own || main && !self.wary,
        };
        let fact = fits.then_some(best.fact);
        self.take(fact)
    }

    /// Whether a sentence says something kind, and not only "thank you in advance".
    pub(super) fn praises(&self, sentence: &Sentence) -> bool {
        let thanks = lexicon::hits(&sentence.folded, &self.lists.thanks);
        // "I would like to thank" wants nothing
        let wants = lexicon::has(&sentence.folded, &self.lists.wishes)
            && !lexicon::has(&sentence.folded, &self.lists.denials);
        let kind = self.hits(sentence, Label::Praise);
        let kinder = kind > usize::from(thanks > 0);
        kind > 0 && !wants && (kinder || sentence.content(self.lists).count() >= 4)
    }

    /// A sentence that says what result is wanted.
    pub(super) fn wish(&mut self, label: Label) -> Option<Fact> {
        let cut = gist::shipped().scale(Aspect::Wish).cut;
        let (odds, best) = self.best(Aspect::Wish, label)?;
        let brief = best.fact.value.chars().count() <= LONGEST_WISH;
        // "I don't want a voucher" is none
        let refuses = lexicon::has(&best.sentence.folded, &self.lists.denials);
        let fits = odds >= cut && brief && !self.wary && !refuses && !best.sentence.asks();
        self.take(fits.then_some(best.fact))
    }

    /// Whether a sentence says what result is wanted. Refusals, thanks and figures of speech are none.
    pub(super) fn wants(&self, sentence: &Sentence) -> bool {
        (self.orders(sentence) || lexicon::has(&sentence.folded, &self.lists.asking))
            && !lexicon::has(&sentence.folded, &self.lists.denials)
            && !lexicon::has(&sentence.folded, &self.lists.thanks)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sentence::split;
    use super::*;
    use crate::mail::Language;
    use crate::reply::Playbooks;

    fn reading_of<T>(text: &str, wary: bool, read: impl FnOnce(&mut Reading<'_>) -> T) -> T {
        let lists = lexicon::of(Language::En);
        let all = split(text, lists);
        let books = Playbooks::shipped().unwrap();
        let signs = books.book(Language::En).unwrap().signs();
        let long = text.split_whitespace().count() > 90;
        let subject = "";
        let titled = false;
        let taken = Vec::new();
        read(&mut Reading {
            text,
            all: &all,
            subject,
            signs,
            matter: None,
            titled,
            long,
            wary,
            lists,
            taken,
            candidates: OnceCell::new(),
        })
    }

    fn key_of(text: &str, label: Label, wary: bool) -> Option<String> {
        reading_of(text, wary, |reading| reading.key(label, true)).map(|fact| fact.value)
    }

    #[test]
    fn an_insulting_sentence_is_never_repeated() {
        let text = "You are idiots. The export has been broken since Monday. Morons.";
        assert_eq!(
            key_of(text, Label::Complaint, true).as_deref(),
            Some("The export has been broken since Monday")
        );
        assert_eq!(key_of("You broken idiots never deliver.", Label::Complaint, true), None);
    }

    #[test]
    fn nothing_is_restated_where_no_sentence_says_what_it_is_about() {
        assert_eq!(
            key_of("Hello there my friends. As usual with you people.", Label::Complaint, false),
            None
        );
    }

    #[test]
    fn a_short_complaint_without_a_known_word_begins_with_its_matter() {
        let text = "I am Dana from Leith. Ordered six blue cushions, six brown ones came. Sort it.";
        let said = key_of(text, Label::Complaint, false);
        assert_eq!(said.as_deref(), Some("Ordered six blue cushions, six brown ones came"));
        assert_eq!(key_of(text, Label::Complaint, true), None, "an insult may stand in any of them");
    }

    #[test]
    fn a_greeting_and_bare_thanks_are_never_repeated() {
        assert_eq!(
            key_of("Good evening po, the parcel never arrived at our flat.", Label::Complaint, false)
                .as_deref(),
            Some("The parcel never arrived at our flat")
        );
        assert_eq!(key_of("The speakers work now. Thank you, sir.", Label::Praise, false), None);
    }

    #[test]
    fn a_refusal_is_no_wish() {
        let wish = |text| {
            reading_of::<Option<Fact>>(text, false, |reading: &mut Reading<'_>| {
                reading.wish(Label::Complaint)
            })
            .map(|fact| fact.value)
        };
        assert_eq!(wish("I don't want a voucher or a call from anybody."), None);
        assert_eq!(wish("I want it on record that your driver laughed."), None);
        assert_eq!(
            wish("Please send me a new zipper for it.").as_deref(),
            Some("Please send me a new zipper for it")
        );
    }

    #[test]
    fn calls_and_scenery_are_not_the_matter() {
        let text = "I ordered a washing machine on 3 May. I rang your line twice last week. It has never arrived and \
                    the old one is gone.";
        let said = key_of(text, Label::Complaint, false);
        assert_eq!(said.as_deref(), Some("It has never arrived and the old one is gone"));
        let text = "The washing machine I ordered on 3 May has never arrived. I rang your line twice last week and \
                    nobody called back. I still have the email with the form attached.";
        let said = key_of(text, Label::Complaint, false);
        assert_eq!(said.as_deref(), Some("The washing machine I ordered on 3 May has never arrived"));
    }

    #[test]
    fn what_is_too_long_is_cut_behind_a_clause_and_says_so() {
        let text = format!(
            "The parcel never arrived{} and so on.",
            ", and the neighbours told me this and that".repeat(5)
        );
        let said = key_of(&text, Label::Complaint, false).unwrap();
        assert!(said.starts_with("The parcel never arrived") && said.ends_with("that…"), "{said}");
    }

    #[test]
    fn a_sentence_that_stands_by_itself_goes_before_one_that_leans_on_another() {
        let text = "We have lodgers. The boiler you fitted in May loses water again. It is the third time this year.";
        let said = key_of(text, Label::Complaint, false);
        assert_eq!(said.as_deref(), Some("The boiler you fitted in May loses water again"));
    }
}
