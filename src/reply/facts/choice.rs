//! Which sentence of a mail says what it is about: the one with most evidence for the label that is
//! answered. Rather none than a greeting, a wish or scenery.

use super::Fact;
use super::clause::{sets_scene, tails};
use super::quote::fact;
use super::sentence::{LONGEST, Sentence};
use super::surety::{is_failure, speaks_of};
use crate::classify::Label;
use crate::reply::lexicon::{self, Lexicon, Phrases};
use crate::reply::playbook::Matter;

/// Longest wish repeated, in characters: a request in one breath.
const LONGEST_WISH: usize = 110;

/// Fewest words of content in a sentence that is repeated.
pub(super) const FEWEST_WORDS: usize = 2;

/// Sentences at the beginning of a mail of which one with a word of failure is the matter whatever the
/// subject says.
const OPENING: usize = 2;

/// Sentences at the beginning of a mail written in a fright that may tell what has happened.
const FIRST: usize = 5;

/// Most sentences of a mail whose beginning is taken for its matter.
pub(super) const SHORT: usize = 6;

/// Fewest words of a sentence that goes before the subject.
const FEWEST_TOLD: usize = 5;

/// Shortest beginning that is taken for the matter, in characters.
const SHORTEST_TOLD: usize = 20;

/// What a mail is read with.
pub(super) struct Reading<'a> {
    pub(super) text: &'a str,
    pub(super) all: &'a [Sentence],
    /// Words of the subject.
    pub(super) subject: &'a str,
    pub(super) matters: &'a [Matter],
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

    /// The sentence that says what the mail is about, under this label.
    pub(super) fn key(&mut self, label: Label) -> Option<Fact> {
        if label == Label::Question {
            return self.question(true);
        }
        let scored = |(at, sentence): (usize, &Sentence)| {
            let score = self.score(at, sentence, label).map(|score| (score, sentence.clone()));
            let split = is_failure(label) && (score.is_none() || sentence.text.chars().count() > LONGEST);
            let tails = if split { tails(sentence, self.lists) } else { Vec::new() };
            let tails = tails.into_iter().filter(|tail| tail.may(self.wary));
            // what stands behind the scenery is told with a sentence of its own
            let tails = tails.filter_map(|tail| self.score(at, &tail, label).map(|score| (score, tail)));
            let (score, best) = tails.chain(score).max_by_key(|(score, tail)| (*score, tail.text.len()))?;
            Some((score, at, best, sentence.text.clone()))
        };
        let found = self
            .free()
            .filter_map(scored)
            .max_by_key(|(score, at, ..)| (*score, std::cmp::Reverse(*at)))
            .map(|(_, _, best, whole)| (best, whole))
            .or_else(|| self.told(label).map(|sentence| (sentence.clone(), sentence.text.clone())))
            .and_then(|(best, whole)| Some(Fact { read_from: whole, ..fact(&best, self.lists)? }));
        self.take(found)
    }

    /// Where no word gives the matter away, a short and civil mail begins with it.
    fn told(&self, label: Label) -> Option<&Sentence> {
        let failure = matches!(label, Label::Complaint | Label::Panic);
        if self.wary
            || self.titled && label == Label::Complaint
            || self.matter.is_some()
            || self.long
            || self.all.len() > SHORT
            || !failure
        {
            return None;
        }
        let cyrillic = |text: &str| text.chars().any(|c| ('\u{400}'..'\u{530}').contains(&c));
        let foreign = |text: &str| self.lists.markers.iter().any(cyrillic) && !cyrillic(text);
        let introduces =
            |text: &str| self.lists.introductions.iter().any(|word| lexicon::first_words(text, word));
        let tells = |sentence: &Sentence| {
            let length = sentence.text.chars().count();
            !sentence.asks()
                && !sentence.text.contains('!')
                && !foreign(&sentence.text)
                && !introduces(&sentence.folded)
                && !sentence.hangs
                && !self.chases(sentence)
                && !self.is_scenery(sentence)
                && !self.is_aside(sentence)
                && !self.demands(sentence)
                && !lexicon::has(&sentence.folded, &self.lists.months)
                && sentence.text.chars().filter(char::is_ascii_digit).count() < 3
                && !lexicon::has(&sentence.folded, &self.lists.courting)
                && (SHORTEST_TOLD..=LONGEST).contains(&length)
                && sentence.content(self.lists).count() > FEWEST_WORDS
                && [&self.lists.wishes, &self.lists.thanks]
                    .iter()
                    .all(|list| !lexicon::has(&sentence.folded, list))
                && self.hits(sentence, Label::Praise) == 0
                && self.hits(sentence, Label::Entitlement) < 2
        };
        self.free().map(|(_, sentence)| sentence).take(3).find(|sentence| tells(sentence))
    }

    /// How well a sentence speaks for a label; `None` when it does not.
    fn score(&self, at: usize, sentence: &Sentence, label: Label) -> Option<usize> {
        let lists = self.lists;
        let (said, asks) = (self.hits(sentence, label), sentence.asks());
        let failure = is_failure(label);
        let signs = if failure { self.signs(sentence) } else { 0 };
        let content: Vec<&str> = sentence.content(lists).collect();
        let wants = lexicon::has(&sentence.folded, &lists.wishes);
        let thanks = lexicon::has(&sentence.folded, &lists.thanks);
        let speech = sentence.text.contains(['"', '«', '“', '„']);
        let fits = match label {
            // what failed, told: neither a question nor thanks nor what is wanted
            Label::Complaint => {
                let told = if wants { said } else { said + signs };
                told + usize::from(self.names_failure(sentence)) > usize::from(wants)
                    && !asks
                    && !thanks
                    && !self.demands(sentence)
                    && !self.is_scenery(sentence)
            }
            // what is held against us has to be beyond doubt
            Label::Threat => said > 1 && !asks && !thanks && !wants,
            Label::Praise => self.praises(sentence) && !asks,
            // what was given before is the point, not what is demanded now
            Label::Entitlement => said > 1 && !wants && !asks,
            Label::Criticism => !asks && !wants && !thanks && (said > 1 || said > 0 && speech),
            Label::Pricing => said > 0 && !thanks,
            Label::Idea => said > usize::from(thanks) && content.len() > 3,
            // what has happened; a plea is no matter to repeat
            Label::Panic => {
                let failed = self.hits(sentence, Label::Complaint);
                let told = failed > 0 && failed + said > 1 || self.names_failure(sentence);
                let aside = self.chases(sentence) || self.is_scenery(sentence);
                told && !aside && at < FIRST && !asks && !wants && !thanks && (!speech || at < 2)
            }
            _ => false,
        };
        let titled = content.iter().filter(|word| lexicon::contains(self.subject, word)).count().min(2);
        // "It would be good if" leans on nothing
        let hangs = sentence.hangs && label != Label::Idea;
        // "my request is BE-10442" says nothing of it
        let bare = failure
            && content.iter().filter(|word| !word.chars().any(|c| c.is_ascii_digit())).count() < FEWEST_WORDS;
        let sure = self.is_sure(at, sentence, said + signs, titled, label);
        // where nothing says what the mail is about, its subject says it better than a likely sentence
        let beside = label == Label::Complaint
            && self.titled
            && self.matter.is_none()
            && titled == 0
            && !(said > 0 && signs > 0)
            && (sets_scene(sentence, lists) || !(said > 0 && at < OPENING || signs > 0 && at == 0))
            && !self.names_failure(sentence);
        // "does not fit at all" says less than the subject
        let clipped = label == Label::Complaint
            && self.titled
            && titled == 0
            && sentence.text.split_whitespace().count() < FEWEST_TOLD;
        // what was ordered or filed says less than the subject, too
        let ordered = label == Label::Complaint
            && self.titled
            && said + signs == 0
            && titled < 2
            && sets_scene(sentence, lists)
            && !self.names_failure(sentence);
        let aside = failure && self.is_aside(sentence) || ordered;
        let sure = sure && !beside && !clipped && !aside;
        let fewest = if failure && !self.names_failure(sentence) { FEWEST_WORDS + 1 } else { FEWEST_WORDS };
        if !fits || !sure || hangs || bare || content.len() < fewest {
            return None;
        }
        // a sign of another matter may be scenery
        let own = self.matter.is_none_or(|matter| lexicon::has(&sentence.folded, &matter.strong));
        let named = match (failure && self.names_failure(sentence), own) {
            (true, true) => 8,
            (true, false) => 3,
            (false, _) => 0,
        };
        let matched = usize::from(failure && self.matter.is_some_and(|matter| speaks_of(sentence, matter)));
        let direct = usize::from(failure && !sentence.leans && !self.chases(sentence));
        let digits = sentence.text.chars().any(|c| c.is_ascii_digit());
        let factual = usize::from(matches!(label, Label::Complaint | Label::Threat) && digits);
        let quoting = usize::from(label == Label::Criticism && speech);
        let asked = usize::from(asks && matches!(label, Label::Pricing | Label::Idea));
        let length = sentence.text.chars().count();
        let breath = usize::from((25..=LONGEST).contains(&length)) + usize::from(length <= 110);
        // a short mail says first what it is about
        let opening = if self.all.len() > SHORT { 0 } else { 3_usize.saturating_sub(at) };
        let early = usize::from(at < 4) + opening;
        Some(
            named
                + 6 * matched
                + 6 * said.min(2)
                + 4 * signs
                + 8 * direct
                + 3 * (factual + quoting + asked)
                + 2 * (breath + titled)
                + early,
        )
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
    pub(super) fn wish(&mut self) -> Option<Fact> {
        let found = self
            .free()
            .map(|(_, sentence)| sentence)
            .filter(|sentence| {
                sentence.clean
                    && !self.wary
                    && !sentence.hangs
                    && !sentence.asks()
                    && sentence.text.chars().count() <= LONGEST_WISH
                    && sentence
                        .content(self.lists)
                        .filter(|word| !lexicon::has(word, &self.lists.vague))
                        .count()
                        >= FEWEST_WORDS
                    && !lexicon::has(&sentence.folded, &self.lists.courting)
                    && self.wants(sentence)
                    && self.is_request(sentence)
                    && !self.is_told(sentence)
            })
            .last()
            .and_then(|sentence| fact(sentence, self.lists));
        self.take(found)
    }

    /// Whether a sentence is a request throughout, and does not tell what failed: "the refund has still
    /// not come".
    fn is_request(&self, sentence: &Sentence) -> bool {
        let opens = self.orders(sentence)
            || self.lists.asking.iter().any(|asking| lexicon::first_words(&sentence.folded, asking));
        let told = self.hits(sentence, Label::Complaint) > 0;
        (opens || !told) && !lexicon::has(&sentence.folded, &self.lists.reasons)
    }

    /// Whether a sentence gives back what somebody else said or has to be done, and asks for nothing:
    /// "she told me it has to go back".
    fn is_told(&self, sentence: &Sentence) -> bool {
        !self.demands(sentence)
            && (lexicon::has(&sentence.folded, &self.lists.saying)
                || sentence.text.contains(['"', '«', '“', '„']))
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
        let matters = books.book(Language::En).unwrap().matters();
        let long = text.split_whitespace().count() > 90;
        let subject = "";
        let titled = false;
        let taken = Vec::new();
        read(&mut Reading {
            text,
            all: &all,
            subject,
            matters,
            matter: None,
            titled,
            long,
            wary,
            lists,
            taken,
        })
    }

    fn key_of(text: &str, label: Label, wary: bool) -> Option<String> {
        reading_of(text, wary, |reading| reading.key(label)).map(|fact| fact.value)
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
            reading_of::<Option<Fact>>(text, false, |reading: &mut Reading<'_>| Reading::wish(reading))
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
    fn calls_attempts_and_scenery_are_not_the_matter() {
        let text = "I rang your line twice last week and nobody called back. The washing machine has never arrived. \
                    I still have the email with the form attached.";
        assert_eq!(
            key_of(text, Label::Complaint, false).as_deref(),
            Some("The washing machine has never arrived")
        );
        let text =
            "I tried to restart it twice and it was slow. I still have the form attached to your email.";
        assert_eq!(key_of(text, Label::Complaint, false), None);
    }

    #[test]
    fn half_a_matter_is_not_repeated() {
        let text = format!(
            "The parcel never arrived{} and so on.",
            ", and the neighbours told me this and that".repeat(5)
        );
        assert_eq!(key_of(&text, Label::Complaint, false), None);
    }

    #[test]
    fn a_sentence_that_leans_on_the_one_before_is_not_repeated() {
        assert_eq!(key_of("We have lodgers. It is broken again this week.", Label::Complaint, false), None);
    }
}
