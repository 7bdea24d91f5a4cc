//! The sentences of a mail, and which of them may be repeated to its sender.

use super::Fact;
use crate::classify::Label;
use crate::reply::lexicon::{self, Lexicon, Phrases};

/// Shortest and longest sentence repeated, in characters. A longer one is cut at a clause.
const SHORTEST: usize = 14;
const LONGEST: usize = 170;

/// A sentence as written, on one line.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) folded: String,
    /// Whether nothing in it forbids to repeat it.
    clean: bool,
    /// Whether it may be repeated even where the mail insults, courts or threatens.
    harmless: bool,
}

impl Sentence {
    fn may(&self, wary: bool) -> bool {
        if wary { self.harmless } else { self.clean }
    }
}

/// Splits at sentence ends, and at line breaks before a capital or an empty line.
pub(super) fn split(text: &str, lists: &Lexicon) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            let next = chars.peek().copied().unwrap_or('\n');
            if next == '\n' || next.is_uppercase() || matches!(next, '-' | '•' | '*' | '–' | '—') {
                flush(&mut current, lists, &mut found);
            } else {
                current.push(' ');
            }
            continue;
        }
        current.push(c);
        let ends = matches!(c, '.' | '!' | '?' | '…');
        let breaks = chars.peek().is_none_or(|next| next.is_whitespace());
        if ends && breaks && !(c == '.' && abbreviated(&current, &chars)) {
            flush(&mut current, lists, &mut found);
        }
    }
    flush(&mut current, lists, &mut found);
    found
}

const ABBREVIATIONS: [&str; 24] = [
    "no", "nr", "mr", "mrs", "ms", "dr", "st", "vs", "num", "sr", "sra", "ud", "uds", "av", "ул", "вул",
    "кв", "ст", "им", "ім", "тел", "п/п", "грн", "руб",
];

/// "no. 5", "ул. Мира", "Mr. Hale": a short word before the stop, or what follows is no capital.
fn abbreviated(current: &str, rest: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let before = current.trim_end_matches('.').split_whitespace().next_back().unwrap_or("");
    let next = rest.clone().find(|c| !c.is_whitespace());
    let starts =
        next.is_none_or(|c| c.is_uppercase() || matches!(c, '¿' | '¡' | '«' | '"' | '“' | '-' | '—' | '\''));
    let letter = before.chars().count() == 1 && before.chars().all(char::is_alphabetic) && before != "I";
    let short = letter || ABBREVIATIONS.contains(&lexicon::fold(before).as_str());
    short && next.is_some() || !starts && next.is_some_and(|c| c.is_ascii_digit())
}

fn flush(current: &mut String, lists: &Lexicon, found: &mut Vec<Sentence>) {
    let text = current.split_whitespace().collect::<Vec<_>>().join(" ");
    current.clear();
    if text.chars().any(char::is_alphabetic) {
        let folded = lexicon::fold(&text);
        let clean = is_clean(&text, &folded, lists);
        let harmless = clean
            && [&lists.courting, &lists.threats].iter().all(|list| lexicon::first(&folded, list).is_none());
        found.push(Sentence { text, folded, clean, harmless });
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
        && !banned.iter().any(|list| lexicon::first(folded, list).is_some())
        && !(count < 40 && lexicon::first(folded, &lists.greetings).is_some())
}

/// The sentence that says what the mail is about, under the label that is answered.
pub(super) fn key(all: &[Sentence], label: Label, wary: bool, lists: &Lexicon) -> Option<Fact> {
    let none = Phrases::default();
    let cues = lists.cues.get(label.as_str()).unwrap_or(&none);
    let mut best: Option<(usize, &Sentence)> = None;
    for (at, sentence) in all.iter().enumerate().filter(|(_, sentence)| sentence.may(wary)) {
        let asks = sentence.text.ends_with('?');
        let said = 3 * lexicon::hits(&sentence.folded, cues).min(2);
        let factual = matches!(label, Label::Complaint | Label::Panic | Label::Threat);
        let hard = usize::from(factual && sentence.text.chars().any(|c| c.is_ascii_digit()));
        let quoting = usize::from(label == Label::Criticism && sentence.text.contains(['"', '«', '“', '„']));
        // What was given before is the point of an entitlement, not what is demanded now.
        if label == Label::Entitlement && lexicon::first(&sentence.folded, &lists.wishes).is_some() {
            continue;
        }
        let asked = if asks && matches!(label, Label::Question | Label::Pricing) { 3 } else { 0 };
        // Of several questions the first is the main one, whatever words it uses.
        let said = if asks && label == Label::Question { 3 * usize::from(said > 0 || !wary) } else { said };
        let known = said + 2 * hard + 3 * quoting + asked;
        // Under insult or threat only a sentence that carries the matter itself may be repeated.
        if wary && (said + asked == 0 || asks && label != Label::Question) {
            continue;
        }
        if asks && matches!(label, Label::Complaint | Label::Panic | Label::Praise | Label::Idea) && said == 0
        {
            continue;
        }
        let asks_first = asks && label == Label::Question;
        let fits = usize::from(asks_first || (25..=LONGEST).contains(&sentence.text.chars().count()));
        let score = known * 2 + fits * 2 + usize::from(at < 3);
        if known > 0 && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, sentence));
        }
    }
    best.and_then(|(_, sentence)| fact(sentence, &lists.openers))
}

/// A question of the mail other than `taken`.
pub(super) fn question(all: &[Sentence], wary: bool, taken: Option<&Fact>, lists: &Lexicon) -> Option<Fact> {
    let none = Phrases::default();
    let cues = lists.cues.get(Label::Question.as_str()).unwrap_or(&none);
    let asked = |sentence: &&Sentence| {
        sentence.may(wary)
            && sentence.text.ends_with('?')
            && taken.is_none_or(|fact| fact.read_from != sentence.text)
            && (!wary || lexicon::first(&sentence.folded, cues).is_some())
    };
    let best = all.iter().filter(asked).max_by_key(|sentence| lexicon::hits(&sentence.folded, cues).min(2));
    best.and_then(|sentence| fact(sentence, &lists.openers))
}

/// A sentence that says what result is wanted, other than those taken.
pub(super) fn wish(all: &[Sentence], wary: bool, taken: [Option<&Fact>; 2], lists: &Lexicon) -> Option<Fact> {
    let wanted = |sentence: &&Sentence| {
        sentence.clean
            && !wary
            && !sentence.text.ends_with('?')
            && sentence.text.chars().count() <= LONGEST
            && lexicon::first(&sentence.folded, &lists.wishes).is_some()
            && lexicon::first(&sentence.folded, &lists.denials).is_none()
            && taken.iter().flatten().all(|fact| fact.read_from != sentence.text)
    };
    all.iter().rfind(wanted).and_then(|sentence| fact(sentence, &lists.openers))
}

/// As it stands between quotation marks: one line, no shouting, not longer than one breath.
fn fact(sentence: &Sentence, openers: &[String]) -> Option<Fact> {
    let marks = |c: char| matches!(c, '«' | '»' | '“' | '”' | '„' | '"');
    // A pair of quotation marks becomes the inner kind; half a pair is dropped.
    let paired = sentence.text.chars().filter(|c| marks(*c)).count() % 2 == 0;
    let kept = sentence.text.chars().filter(|c| !is_pictograph(*c) && (paired || !marks(*c)));
    let mut text: String = kept.map(|c| if marks(c) { '\'' } else { c }).collect();
    for opener in openers {
        if let Some(rest) = starts_with_word(&text, opener) {
            text = capitalised(&rest);
            break;
        }
    }
    while text.starts_with("¡¡") || text.starts_with('¡') && !text.contains('!') {
        text = text.trim_start_matches('¡').to_owned();
    }
    text = text.trim_start_matches(['-', '•', '*', '–', '—', ' ']).to_owned();
    let asks = text.ends_with('?') || text.ends_with("?!");
    let bare = text.trim_end_matches(['.', '!', '?', '…', ',', ' ', ';', ':']);
    let mut text =
        if bare.chars().count() > LONGEST { format!("{}…", cut(bare)?) } else { bare.to_owned() };
    if asks && !text.ends_with('…') {
        text.push('?');
    }
    while text.contains("!!") || text.contains("??") {
        text = text.replace("!!", "!").replace("??", "?");
    }
    Some(Fact { value: text, read_from: sentence.text.clone() })
}

/// The rest behind an opening word such as "but", which hangs in the air without what came before.
fn starts_with_word(text: &str, opener: &str) -> Option<String> {
    let length = opener.chars().count();
    let head: String = text.chars().take(length).collect();
    let rest: String = text.chars().skip(length).collect();
    let ends = rest.starts_with([' ', ',']);
    (ends && lexicon::fold(&head) == opener).then(|| rest.trim_start_matches([' ', ',']).to_owned())
}

fn capitalised(text: &str) -> String {
    let first = text.find(char::is_alphabetic).unwrap_or(0);
    let (marks, words) = text.split_at_checked(first).unwrap_or(("", text));
    let mut chars = words.chars();
    let head: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{marks}{head}{}", chars.as_str())
}

/// The beginning up to the last clause that fits.
fn cut(text: &str) -> Option<String> {
    let head: String = text.chars().take(LONGEST).collect();
    let (before, _) = head.rsplit_once([',', ';', ':', '—', '–', '('])?;
    let before = before.trim_end();
    (before.chars().count() >= 40).then(|| before.to_owned())
}

/// Emoji and their modifiers.
pub(crate) fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0xFE0F | 0x200D | 0x20E3 | 0xE0020..=0xE007F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Language;

    fn key_of(text: &str, label: Label, wary: bool) -> Option<String> {
        let lists = lexicon::of(Language::En);
        key(&split(text, lists), label, wary, lists).map(|fact| fact.value)
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
    fn an_abbreviation_does_not_end_a_sentence() {
        let parts = split("Ask Mr. Hale about no. 5 today. Then call.", lexicon::of(Language::En));
        assert_eq!(parts.len(), 2);
    }
}
