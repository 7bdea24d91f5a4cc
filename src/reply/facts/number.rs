//! Numbers, amounts, dates and deadlines, word by word.

use super::Fact;
use crate::reply::lexicon::{self, Lexicon};

/// How many words back the noun of a number may stand: "order no. is 4471".
const REACH: usize = 3;

struct Word<'a> {
    /// Without punctuation around it.
    bare: &'a str,
    /// Folded, with inner punctuation.
    folded: String,
    /// Whether a sentence or clause ends behind it.
    stops: bool,
}

/// Slots and facts, and the marks `date` and `time` with the words they were seen in.
pub(super) fn read(text: &str, lists: &Lexicon) -> Vec<(&'static str, Fact)> {
    let words: Vec<Word<'_>> = text.split_whitespace().map(word).collect();
    let mut found: Vec<(&'static str, Fact)> = Vec::new();
    let mut add = |slot: &'static str, value: &str, read_from: &str| {
        if !found.iter().any(|(known, _)| *known == slot) {
            found.push((slot, Fact { value: value.to_owned(), read_from: read_from.to_owned() }));
        }
    };
    for (at, word) in words.iter().enumerate() {
        if let Some(amount) = amount(&words, at, lists) {
            add("amount", &amount, &amount);
        } else if is_time(word.bare) {
            add("time", word.bare, word.bare);
        } else if is_date(word.bare) || lexicon::first(&word.folded, &lists.calendar).is_some() {
            add("date", word.bare, word.bare);
        } else if let Some((slot, from)) = identifier(&words, at, lists) {
            add(slot, word.bare, &from);
        }
        if let Some(deadline) = deadline(&words, at, lists) {
            add("deadline", &deadline, &deadline);
        }
    }
    found
}

fn word(raw: &str) -> Word<'_> {
    let bare = raw.trim_matches(|c: char| !c.is_alphanumeric() && !is_currency_sign(c));
    Word { bare, folded: lexicon::fold(bare), stops: raw.ends_with(['.', '!', '?', ';', ',', ')', ':']) }
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '₴' | '₽' | '¥' | '₹' | '₸')
}

fn numeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\''))
}

/// `$45`, `45 €`, `6 400 руб`: exactly as written. `at` is where the currency stands.
fn amount(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<String> {
    let here = words.get(at)?;
    let digits = here.bare.trim_matches(is_currency_sign);
    if digits.len() != here.bare.len() && !digits.is_empty() && numeric(digits) {
        return Some(here.bare.to_owned());
    }
    let is_currency = here.bare.chars().all(is_currency_sign) && !here.bare.is_empty()
        || lexicon::first(&here.folded, &lists.currencies).is_some();
    if !is_currency || here.bare.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut first = at;
    while first > 0 && at - first < 3 {
        let before = words.get(first - 1)?;
        let joins =
            first == at || words.get(first).is_some_and(|next| next.bare.len() == 3 && numeric(next.bare));
        if !numeric(before.bare) || before.stops || !joins {
            break;
        }
        first -= 1;
    }
    let parts: Vec<&str> = words.get(first..=at)?.iter().map(|word| word.bare).collect();
    (first < at).then(|| parts.join(" "))
}

fn is_time(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hour, minute)| {
        matches!(hour.len(), 1 | 2)
            && minute.len() >= 2
            && numeric(hour)
            && minute.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    matches!(parts.len(), 2 | 3)
        && parts
            .iter()
            .all(|part| matches!(part.len(), 1 | 2 | 4) && part.chars().all(|c| c.is_ascii_digit()))
        && parts.first().zip(parts.get(1)).is_some_and(|(day, month)| {
            let number = |part: &str| part.parse::<u16>().unwrap_or(0);
            let (day, month) = if day.len() == 4 { (1, number(month)) } else { (number(day), number(month)) };
            (1..=31).contains(&day) && (1..=31).contains(&month) && (day <= 12 || month <= 12)
        })
}

fn identifier(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<(&'static str, String)> {
    let here = words.get(at)?;
    let digits = here.bare.chars().filter(char::is_ascii_digit).count();
    let shaped = here.bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_' | '#'));
    if !shaped || digits < 2 || here.bare.len() < 3 || here.bare.len() > 30 {
        return None;
    }
    for back in 1..=REACH.min(at) {
        let before = words.get(at - back)?;
        if before.stops && back > 1 || before.stops && !before.bare.is_empty() && before.bare.len() > 3 {
            return None;
        }
        for (noun, slot) in
            [("order", "order"), ("invoice", "invoice"), ("account", "account"), ("case", "case")]
        {
            let known =
                lists.nouns.get(noun).is_some_and(|nouns| lexicon::first(&before.folded, nouns).is_some());
            if known {
                let from: Vec<&str> = words.get(at - back..=at)?.iter().map(|word| word.bare).collect();
                return Some((slot, from.join(" ")));
            }
        }
    }
    None
}

/// "until Friday", "до 12 мая": the word before, and what follows if it is of the calendar.
fn deadline(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<String> {
    let here = words.get(at)?;
    if here.stops || lexicon::first(&here.folded, &lists.deadlines).is_none() {
        return None;
    }
    let mut last = None;
    for ahead in 1..=3 {
        let Some(word) = words.get(at + ahead) else {
            break;
        };
        let of_calendar = lexicon::first(&word.folded, &lists.calendar).is_some();
        if of_calendar || is_time(word.bare) || is_date(word.bare) {
            last = Some(at + ahead);
        } else if !(numeric(word.bare) || ahead == 1 && word.bare.chars().count() <= 3) {
            break;
        }
        if word.stops {
            break;
        }
    }
    let parts: Vec<&str> = words.get(at..=last?)?.iter().map(|word| word.bare).collect();
    Some(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    fn value(language: Language, text: &str, slot: &str) -> Option<String> {
        let found = read(text, lexicon::of(language));
        found.into_iter().find(|(known, _)| *known == slot).map(|(_, fact)| fact.value)
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
    fn an_amount_keeps_the_customers_own_spelling() {
        assert_eq!(value(Language::En, "you took £18.50 twice", "amount").as_deref(), Some("£18.50"));
        assert_eq!(
            value(Language::Ru, "вернуть 6 400 руб. на карту", "amount").as_deref(),
            Some("6 400 руб")
        );
        assert_eq!(value(Language::Uk, "зняли 1200 грн двічі", "amount").as_deref(), Some("1200 грн"));
        assert_eq!(value(Language::Es, "me cobraron 45 euros", "amount").as_deref(), Some("45 euros"));
    }

    #[test]
    fn a_deadline_needs_a_word_of_the_calendar() {
        assert_eq!(
            value(Language::En, "I need it by Friday, please", "deadline").as_deref(),
            Some("by Friday")
        );
        assert_eq!(value(Language::Ru, "пришлите до 12 мая", "deadline").as_deref(), Some("до 12 мая"));
        assert_eq!(value(Language::En, "sent by courier", "deadline"), None);
    }
}
