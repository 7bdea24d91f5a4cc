//! Labels because of which a mail would stay unanswered, before anybody acts on them: what a model
//! only guesses has to be borne out by a word of the mail.

use std::borrow::Cow;

use crate::classify::{Label, Verdict};
use crate::mail::Mail;
use crate::reply::{self, lexicon};

/// The verdict without harassment that is in doubt and of which no courting word tells: the mail is
/// dealt with by its other labels, and a person looks.
#[must_use]
pub fn borne_out<'a>(verdict: &'a Verdict, mail: &Mail) -> Cow<'a, Verdict> {
    let guessed = verdict.has(Label::Harassment)
        && verdict.score(Label::Harassment) < reply::PLAIN
        && !lexicon::stands(mail, &lexicon::of(mail.language).courting);
    // nobody who may be courting is thanked
    let others = || verdict.labels.iter().filter(|found| found.label != Label::Harassment);
    let thanks = others().all(|found| found.label == Label::Praise && found.probability < reply::DOUBTFUL);
    let likeliest = Label::ALL
        .into_iter()
        .filter(|label| ![Label::Harassment, Label::Automated].contains(label))
        .max_by(|one, other| verdict.score(*one).total_cmp(&verdict.score(*other)));
    let thanks = thanks
        && (others().next().is_some()
            || likeliest == Some(Label::Praise) && verdict.score(Label::Praise) > 0.0);
    let guessed = guessed && !thanks;
    if guessed { Cow::Owned(without(verdict, Label::Harassment)) } else { Cow::Borrowed(verdict) }
}

/// The verdict on a mail that only sounds like a machine's, where a person speaks of themselves in it
/// and nothing says that it went to many.
#[must_use]
pub fn by_a_person(verdict: &Verdict, mail: &Mail) -> Option<Verdict> {
    let lists = lexicon::of(mail.language);
    let text = lexicon::fold(&mail.new_text);
    // "I am out of the office" is a machine's; with a question beside it, it is a person's
    let asks = text.contains('?');
    let ruled = verdict.rules.iter().any(|id| {
        id.starts_with(Label::Automated.as_str()) && !(asks && id.starts_with("automated-out-of-office"))
    });
    let linked = text.contains("://") || text.contains("www.");
    let person = lexicon::has(&text, &lists.oneself) && !lexicon::stands(mail, &lists.mass);
    (verdict.has(Label::Automated) && mail.automated.is_none() && person && !ruled && !linked)
        .then(|| without(verdict, Label::Automated))
}

fn without(verdict: &Verdict, label: Label) -> Verdict {
    let mut verdict = verdict.clone();
    verdict.labels.retain(|found| found.label != label);
    verdict.review = true;
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Finding;
    use crate::mail::Language;

    fn verdict(label: Label, probability: f32) -> Verdict {
        let mut verdict = Verdict { labels: vec![Finding { label, probability }], ..Verdict::unread() };
        verdict.scores[label as usize] = probability;
        verdict
    }

    fn mail(text: &str) -> Mail {
        Mail { language: Language::En, new_text: text.to_owned(), ..Mail::default() }
    }

    #[test]
    fn harassment_that_no_word_bears_out_withholds_nothing() {
        let of = |text: &str, probability| {
            let found = verdict(Label::Harassment, probability);
            borne_out(&found, &mail(text)).has(Label::Harassment)
        };
        let plain = "Could you offer a second login for relatives?";
        assert!(!of(plain, 0.7));
        assert!(of(plain, 0.95), "who is surely courted is not answered");
        assert!(of("You have such beautiful eyes.", 0.7));
        let mut thanks = verdict(Label::Harassment, 0.7);
        thanks.labels.push(Finding { label: Label::Praise, probability: 0.6 });
        assert!(
            borne_out(&thanks, &mail("I like to think that it was meant for me.")).has(Label::Harassment)
        );
    }

    #[test]
    fn a_person_who_speaks_of_themselves_is_no_machine() {
        let of = |text: &str| by_a_person(&verdict(Label::Automated, 0.96), &mail(text)).is_some();
        assert!(of("I opened a ticket on Thursday and got only an automatic reply."));
        assert!(!of("Our servers are healthy again."), "nobody speaks");
        assert!(!of("I help shops like yours to grow your revenue."));
        assert!(!of("I saw your page, see https://example.com."));
    }
}
