//! The sentences of a mail, and which of them may be repeated to its sender.

use crate::reply::lexicon::{self, Lexicon};

/// Shortest and longest sentence repeated, in characters. A longer one is cut at a clause.
const SHORTEST: usize = 14;
pub(super) const LONGEST: usize = 170;

/// Most words of a line that signs a mail.
const SHORT_LINE: usize = 8;

/// Quoted speech longer than this, in characters, is taken for a forgotten quotation mark.
const LONGEST_SPEECH: usize = 300;

/// A sentence as written, on one line.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked by itself")]
pub(crate) struct Sentence {
    pub(super) text: String,
    pub(super) folded: String,
    /// Whether nothing in it forbids to repeat it.
    pub(super) clean: bool,
    /// Whether it may be repeated even where the mail insults, courts or threatens.
    harmless: bool,
    /// Whether its first word leans on what came before, or on what follows: "When I logged in".
    pub(super) leans: bool,
    /// Whether it hangs in the air without the sentence before it: "It never came."
    pub(super) hangs: bool,
}

impl Sentence {
    /// A sentence on one line; the first of a mail leans on nothing.
    pub(super) fn of(text: String, lists: &Lexicon, first: bool) -> Self {
        let folded = lexicon::fold(&text);
        let clean = is_clean(&text, &folded, lists);
        let harmless =
            clean && [&lists.courting, &lists.threats].iter().all(|list| !lexicon::has(&folded, list));
        let begins = folded.split(|c: char| !c.is_alphanumeric() && c != '\'').find(|word| !word.is_empty());
        let stands = || lists.standing.iter().any(|words| lexicon::first_words(&folded, words));
        let leans = begins.is_some_and(|word| lists.hanging.contains(word));
        let hangs = !first && leans && !stands();
        Self { text, folded, clean, harmless, leans, hangs }
    }

    pub(super) fn may(&self, wary: bool) -> bool {
        if wary { self.harmless } else { self.clean }
    }

    /// Keeps a short sentence from being repeated.
    pub(super) fn hush(&mut self) {
        if self.folded.split(' ').count() <= SHORT_LINE {
            (self.clean, self.harmless) = (false, false);
        }
    }

    pub(super) fn asks(&self) -> bool {
        self.text.ends_with(['?', ')']) && self.text.trim_end_matches([')', '!']).ends_with('?')
    }

    /// Words that carry something: long enough, and none of the language's small words.
    pub(super) fn content<'a>(&'a self, lists: &'a Lexicon) -> impl Iterator<Item = &'a str> {
        self.folded
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| word.chars().count() > 3 || word.chars().any(|c| c.is_ascii_digit()))
            .filter(|word| !lexicon::has(word, &lists.small))
    }
}

/// Splits at sentence ends, and at line breaks before a capital or an empty line. Quoted speech
/// stays in one piece.
pub(super) fn split(text: &str, lists: &Lexicon) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut speech: Option<usize> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            let next = chars.peek().copied().unwrap_or('\n');
            if next == '\n' || next.is_uppercase() || matches!(next, '-' | '•' | '*' | '–' | '—' | '¿' | '¡')
            {
                speech = None;
                flush(&mut current, lists, &mut found);
            } else {
                current.push(' ');
            }
            continue;
        }
        current.push(c);
        speech = match (c, speech) {
            ('«' | '“' | '„', _) | ('"', None) => Some(0),
            ('»' | '”' | '"', _) => None,
            (_, Some(length)) if length < LONGEST_SPEECH => Some(length + 1),
            _ => None,
        };
        // a full stop inside a closing quotation mark ends the sentence as well
        let speaks = matches!(c, '»' | '”' | '"') && ended(&current) && next_is_capital(&chars);
        let ends = matches!(c, '.' | '!' | '?' | '…') || speaks;
        let breaks = chars.peek().is_none_or(|next| next.is_whitespace());
        // a smile ends a sentence where people smile instead of stopping
        let smiles = c == ')' && current.ends_with("))");
        let ends = ends || smiles && next_is_capital(&chars);
        if ends && breaks && speech.is_none() && !(c == '.' && abbreviated(&current, &chars, lists)) {
            flush(&mut current, lists, &mut found);
        }
    }
    flush(&mut current, lists, &mut found);
    found
}

fn next_is_capital(rest: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    rest.clone().find(|c| !c.is_whitespace()).is_none_or(char::is_uppercase)
}

/// Whether what stands before the closing quotation mark ends a sentence.
fn ended(current: &str) -> bool {
    current.trim_end_matches(['»', '”', '"']).ends_with(['.', '!', '?', '…'])
}

/// "no. 5", "ул. Мира", "Mr. Hale": a short word before the stop, or what follows is no capital.
fn abbreviated(current: &str, rest: &std::iter::Peekable<std::str::Chars<'_>>, lists: &Lexicon) -> bool {
    let before = current.trim_end_matches('.').split_whitespace().next_back().unwrap_or("");
    let before = before.trim_start_matches(['(', '«', '"']);
    let next = rest.clone().find(|c| !c.is_whitespace());
    let starts =
        next.is_none_or(|c| c.is_uppercase() || matches!(c, '¿' | '¡' | '«' | '"' | '“' | '-' | '—' | '\''));
    let letter = before.chars().count() == 1
        && before.chars().all(char::is_alphabetic)
        && !["I", "я", "є", "і", "й", "ж", "б"].contains(&before);
    let folded = lexicon::fold(before);
    let short = letter || lists.abbreviations.contains(&folded);
    let numbered = lists.numbered.contains(&folded) && next.is_some_and(|c| c.is_ascii_digit());
    short && next.is_some() || !starts && (lists.shortened.contains(&folded) || numbered)
}

fn flush(current: &mut String, lists: &Lexicon, found: &mut Vec<Sentence>) {
    let text = current.split_whitespace().collect::<Vec<_>>().join(" ");
    current.clear();
    if text.chars().any(char::is_alphabetic) {
        found.push(Sentence::of(text, lists, found.is_empty()));
    }
}

fn is_clean(text: &str, folded: &str, lists: &Lexicon) -> bool {
    let count = text.chars().count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    let banned =
        [&lists.insults, &lists.stock, &lists.accusing, &lists.admissions, &lists.money, &lists.dissuading];
    (SHORTEST..=LONGEST * 4).contains(&count)
        && text.split_whitespace().count() >= 3
        && capitals * 3 < letters
        && letters * 2 > count
        && !text.contains(['{', '}', '<', '>', '@', '[', ']', '|', '\\', '`', '='])
        && !folded.contains("://")
        && !folded.contains("www.")
        && !text.chars().any(char::is_control)
        && !banned.iter().any(|list| lexicon::has(folded, list))
        && !(count < 40 && !text.contains('?') && lexicon::has(folded, &lists.greetings))
        && !(text.split_whitespace().count() < 5
            && lists.valedictions.iter().any(|word| lexicon::first_words(folded, word)))
}

/// Emoji and their modifiers.
pub(crate) fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0xFE0F | 0x200D | 0x20E3 | 0xE0020..=0xE007F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    fn texts(language: Language, text: &str) -> Vec<String> {
        split(text, lexicon::of(language)).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn an_abbreviation_does_not_end_a_sentence() {
        assert_eq!(texts(Language::En, "Ask Mr. Hale about no. 5 today. Then call.").len(), 2);
        assert_eq!(texts(Language::Es, "Estamos en Jr. Ayacucho 455, vengan. Gracias.").len(), 2);
        assert_eq!(texts(Language::Uk, "Чек на 1312 грн. Дякую, сміялася вся пошта.").len(), 2);
    }

    #[test]
    fn quoted_speech_stays_in_one_piece() {
        let text = "Читаю: «Эй, корона жмёт? Скидка на весы». Понимаю, тон молодёжный.";
        assert_eq!(texts(Language::Ru, text).len(), 2);
        assert_eq!(texts(Language::En, "He said \"Go away. Now.\" Then he left.").len(), 2);
    }
}
