//! Numbers, amounts, dates and deadlines, word by word.

use std::collections::BTreeSet;

use super::Fact;
use super::identifier::{identifier, is_long, telephone};
use super::moment::{deadline, is_date, is_span, is_time};
use super::word::{Word, is_currency_sign, numeric, words};
use crate::reply::lexicon::{self, Lexicon};

/// How many words before a number may say that it is a telephone's.
const REACH: usize = 3;

/// What the numbers of a mail say.
#[derive(Default)]
pub(super) struct Numbers {
    /// Facts by slot: amount, order, invoice, account, case, deadline, phone.
    pub(super) facts: Vec<(&'static str, Fact)>,
    /// Marks: date, time, amount, quantity, address.
    pub(super) known: BTreeSet<&'static str>,
    /// Whether the sum read was taken or paid.
    taken: bool,
}

impl Numbers {
    fn add(&mut self, slot: &'static str, value: &str, read_from: &str) {
        if !self.facts.iter().any(|(known, _)| *known == slot) {
            self.facts.push((slot, Fact { value: value.to_owned(), read_from: read_from.to_owned() }));
        }
    }
}

impl Numbers {
    /// The sum a mail is about: the first that was taken or paid, else the first.
    fn sum(&mut self, amount: String, taken: bool) {
        self.known.insert("amount");
        let first = self.facts.iter_mut().find(|(slot, _)| *slot == "amount");
        match first {
            Some((_, fact)) if taken && !self.taken => {
                *fact = Fact { value: amount.clone(), read_from: amount }
            }
            Some(_) => {}
            None => self.add("amount", &amount, &amount),
        }
        self.taken |= taken;
    }
}

/// Reads them; the first of a kind counts.
pub(super) fn read(text: &str, lists: &Lexicon) -> Numbers {
    let words = words(text);
    let mut found = Numbers::default();
    let mut passed = 0;
    for (at, word) in words.iter().enumerate() {
        if let Some(deadline) = deadline(&words, at, lists) {
            found.add("deadline", &deadline, &deadline);
        }
        if is_span(&words, at, lists) || lexicon::has(&word.folded, &lists.calendar) {
            found.known.insert("date");
        }
        // what a longer number was read from is not read again
        if at >= passed {
            passed = at + one(&mut found, &words, at, lists);
        }
    }
    found
}

/// What begins at `at`, and how many words it takes.
fn one(found: &mut Numbers, words: &[Word<'_>], at: usize, lists: &Lexicon) -> usize {
    let Some(word) = words.get(at) else { return 1 };
    if let Some((amount, length)) = amount(words, at, lists) {
        let first = at.saturating_sub(length - 1);
        let taken = words.get(first.saturating_sub(REACH)..first).unwrap_or_default();
        let taken = taken.iter().any(|word| lexicon::has(&word.folded, &lists.sums));
        // "a fee of 0 €" is what somebody was told
        if amount.contains(|c: char| ('1'..='9').contains(&c)) {
            found.sum(amount, taken);
        }
        return 1;
    }
    if !word.bare.contains(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    let telephone = if is_long(word.bare) && !word.plus { 0 } else { telephone(words, at) };
    let called = words.get(at.saturating_sub(REACH)..at).unwrap_or_default();
    let rings = word.plus
        || word.bare.starts_with('0')
        || lexicon::has(
            &called.iter().map(|word| word.folded.as_str()).collect::<Vec<_>>().join(" "),
            &lists.phones,
        );
    if !(telephone > 0 && rings)
        && let Some(number) = identifier(words, at, lists)
    {
        found.add(number.slot, &number.value, &number.read_from);
        return number.length;
    }
    if telephone > 0 {
        let parts: Vec<&str> =
            words.get(at..at + telephone).unwrap_or_default().iter().map(|word| word.bare).collect();
        let value = format!("{}{}", if word.plus { "+" } else { "" }, parts.join(" "));
        found.add("phone", &value, &value);
        return telephone;
    }
    let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at));
    let after = words.get(at + 1).filter(|_| !word.stops);
    let is = |word: Option<&Word<'_>>, list| word.is_some_and(|word| lexicon::has(&word.folded, list));
    if is_time(word.bare) {
        found.known.insert("time");
    } else if is_date(word.bare) && !word.bare.contains(',') {
        found.known.insert("date");
    } else if is(before(1).filter(|word| !word.stops || word.bare.chars().count() <= 4), &lists.places)
        || is(before(2), &lists.places)
    {
        found.known.insert("address");
    } else if numeric(word.bare) {
        let cents = word.bare.rsplit_once([',', '.']).is_some_and(|(_, cents)| cents.len() == 2);
        let two = [before(2), before(1)].map(|word| word.map_or("", |word| word.folded.as_str())).join(" ");
        let sum = cents || lexicon::has(&two, &lists.sums) || is(after, &lists.sums);
        // a year is no quantity
        let year = word.bare.len() == 4 && (word.bare.starts_with("19") || word.bare.starts_with("20"));
        if sum {
            found.known.insert("amount");
        }
        let counted = after.is_some_and(|next| next.folded.chars().all(char::is_alphabetic))
            && ![&lists.calendar, &lists.currencies, &lists.sums].iter().any(|list| is(after, list));
        if counted && !year && !cents && !is_span(words, at, lists) {
            found.known.insert("quantity");
        }
    }
    1
}

/// `$45`, `45 €`, `6 400 руб`: exactly as written, with the number of words. `at` is where the currency stands.
fn amount(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<(String, usize)> {
    let here = words.get(at)?;
    let digits = here.bare.trim_matches(is_currency_sign);
    if digits.len() != here.bare.len() && !digits.is_empty() && numeric(digits) {
        return Some((here.bare.to_owned(), 1));
    }
    let is_currency = here.bare.chars().all(is_currency_sign) && !here.bare.is_empty()
        || lexicon::has(&here.folded, &lists.currencies);
    if !is_currency || here.bare.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut first = at;
    while first > 0 && at - first < 3 {
        let before = words.get(first - 1)?;
        let joins =
            first == at || words.get(first).is_some_and(|next| numeric(next.bare) && is_group(next.bare));
        if !numeric(before.bare) || before.stops || !joins {
            break;
        }
        first -= 1;
    }
    let parts: Vec<&str> = words.get(first..=at)?.iter().map(|word| word.bare).collect();
    (first < at).then(|| (parts.join(" "), at - first + 1))
}

/// Whether a number goes on from the thousands before it: `215`, `215,40`.
fn is_group(text: &str) -> bool {
    text.split([',', '.']).next().is_some_and(|whole| whole.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    fn value(language: Language, text: &str, slot: &str) -> Option<String> {
        let found = read(text, lexicon::of(language)).facts;
        found.into_iter().find(|(known, _)| *known == slot).map(|(_, fact)| fact.value)
    }

    fn knows(language: Language, text: &str, mark: &str) -> bool {
        read(text, lexicon::of(language)).known.contains(mark)
    }

    #[test]
    fn an_order_number_is_read_behind_its_noun_only() {
        assert_eq!(value(Language::En, "My order no. 4471-B is late", "order").as_deref(), Some("4471-B"));
        assert_eq!(value(Language::Ru, "Где заказ № 55201?", "order").as_deref(), Some("55201"));
        assert_eq!(value(Language::Es, "el pedido 8812 no llegó", "order").as_deref(), Some("8812"));
        assert_eq!(value(Language::Uk, "замовлення №7712 загубили", "order").as_deref(), Some("7712"));
        assert_eq!(value(Language::En, "In 2023 I bought 120 chairs", "order"), None);
    }

    #[test]
    fn nothing_is_no_sum_and_days_are_no_number() {
        assert_eq!(
            value(Language::Uk, "комісія 0 грн, а списали 50 грн", "amount").as_deref(),
            Some("50 грн")
        );
        assert_eq!(value(Language::Uk, "списано 7 215,40 грн", "amount").as_deref(), Some("7 215,40 грн"));
        assert_eq!(value(Language::Uk, "бронь: проживали 14-16 листопада", "case"), None);
    }

    #[test]
    fn reference_numbers_of_any_shape_are_known() {
        for (language, text) in [
            (Language::En, "MTCN is 448 221 9056 and it is on hold"),
            (Language::En, "the PIR is MADIB12345, two bags"),
            (Language::En, "flight BA 2490 was cancelled"),
            (Language::En, "Booking ref: KX7T2P for two"),
            (Language::Es, "la póliza 77120 y el contador 00981"),
            (Language::Ru, "накладная № 81004412"),
            (Language::Uk, "номер заявки МТ-00912"),
            (Language::En, "my parcel JD01 2288 1190 has not moved"),
            (Language::En, "fined £50, PCN 7720981"),
            (Language::En, "we fly with QX7R2L tomorrow"),
            (Language::Uk, "держномер АА 3301 ММ"),
            (Language::Uk, "рекомендований до Праги, 0690021884417, не рухається"),
            (Language::Es, "mi guia es 7723 0091 6654"),
        ] {
            let found = read(text, lexicon::of(language)).facts;
            assert!(found.iter().any(|(slot, _)| ["case", "account"].contains(slot)), "{text}");
        }
        assert_eq!(
            value(Language::En, "my RN 4410 2297 1GB is lost", "case").as_deref(),
            Some("RN 4410 2297 1GB")
        );
        for (language, text) in [
            (Language::En, "In 1984 we had 120 chairs and 35 tables"),
            (Language::En, "IT IS 4500 KM AWAY"),
            (Language::Ru, "вес на накладной 640 г"),
            (Language::Uk, "при замовленні показувало 268"),
        ] {
            let found = read(text, lexicon::of(language)).facts;
            assert!(!found.iter().any(|(slot, _)| ["case", "order"].contains(slot)), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_telephone_number_is_known_as_one() {
        for (text, number) in [
            ("call me on 07700 900123", "07700 900123"),
            ("my number is 07700 900123.", "07700 900123"),
            ("my number is +44 20 7946 0018.", "+44 20 7946 0018"),
            ("llámeme al 33 5555 0121", "33 5555 0121"),
        ] {
            assert_eq!(value(Language::En, text, "phone").as_deref(), Some(number), "{text}");
        }
        assert_eq!(value(Language::En, "order 88213 of 2026", "phone"), None);
    }

    #[test]
    fn how_long_it_has_lasted_is_known() {
        for (language, text) in [
            (Language::En, "no heating for nine days"),
            (Language::En, "it has been 16 days now"),
            (Language::Es, "llevo tres semanas esperando"),
            (Language::Ru, "третий день без воды"),
            (Language::Uk, "чекаю вже п'ять днів"),
            (Language::En, "broken since Tuesday"),
        ] {
            assert!(knows(language, text, "date"), "{text}");
        }
        assert!(!knows(Language::En, "it is broken", "date"));
    }

    #[test]
    fn an_amount_without_a_currency_is_known_and_a_quantity_is_something_counted() {
        for (language, text) in [
            (Language::Es, "me sigue apareciendo lo de 45"),
            (Language::Ru, "теперь 1200 за месяц"),
            (Language::En, "you took 118.40 from my card"),
        ] {
            assert!(knows(language, text, "amount"), "{text}");
        }
        assert!(knows(Language::En, "how much for 40 chairs", "quantity"));
        assert!(!knows(Language::En, "how much is it in 2026", "quantity"));
        assert!(!knows(Language::En, "how much is room 12?", "quantity"));
    }

    #[test]
    fn an_amount_keeps_the_customers_own_spelling() {
        assert_eq!(value(Language::En, "you took £18.50 twice", "amount").as_deref(), Some("£18.50"));
        assert_eq!(
            value(Language::Ru, "вернуть 6 400 руб. на карту", "amount").as_deref(),
            Some("6 400 руб")
        );
        assert_eq!(value(Language::Uk, "зняли 1200 грн двічі", "amount").as_deref(), Some("1200 грн"));
        assert_eq!(value(Language::Es, "me cobraron 45 euros", "amount").as_deref(), Some("45 euros"));
        let text = "I set up a gift of £5 a month and you have taken £50";
        assert_eq!(value(Language::En, text, "amount").as_deref(), Some("£50"));
    }

    #[test]
    fn a_deadline_needs_a_word_of_the_calendar() {
        assert_eq!(
            value(Language::En, "I need it by Friday, please", "deadline").as_deref(),
            Some("by Friday")
        );
        assert_eq!(value(Language::Ru, "пришлите до 12 мая", "deadline").as_deref(), Some("до 12 мая"));
        assert_eq!(value(Language::En, "sent by courier", "deadline"), None);
        assert_eq!(value(Language::En, "told me it would be on by Tuesday", "deadline"), None);
        assert_eq!(value(Language::En, "send it by 4pm today", "deadline").as_deref(), Some("by 4pm"));
        assert_eq!(value(Language::Uk, "швидкість падає до 2-3 мегабіт", "deadline"), None);
        assert_eq!(value(Language::Uk, "сиділа там до вечора", "deadline"), None);
        assert_eq!(value(Language::Ru, "работаете до 8 вечера?", "deadline").as_deref(), Some("до 8 вечера"));
    }
}
