//! How a sentence stands between quotation marks in an answer.

use super::Fact;
use super::sentence::{LONGEST, Sentence, is_pictograph};
use crate::reply::lexicon::{self, Lexicon};

/// One line, no shouting, no greeting before it, not longer than one breath.
pub(super) fn fact(sentence: &Sentence, lists: &Lexicon) -> Option<Fact> {
    let marks = |c: char| matches!(c, '«' | '»' | '“' | '”' | '„' | '"');
    // A pair of quotation marks becomes the inner kind; half a pair is dropped.
    let paired = sentence.text.chars().filter(|c| marks(*c)).count() % 2 == 0;
    let kept = sentence.text.chars().filter(|c| !is_pictograph(*c) && (paired || !marks(*c)));
    let text: String = kept.map(|c| if marks(c) { '\'' } else { c }).collect();
    let text = text.trim_start_matches(['-', '•', '*', '–', '—', ' ', ')']);
    let mut text = without_greeting(text.to_owned(), lists);
    // "and also" twice is as much as anybody opens with
    for _ in 0..2 {
        let Some(rest) = lists.openers.iter().find_map(|opener| starts_with_word(&text, opener)) else {
            break;
        };
        text = capitalised(&rest);
    }
    let asks = sentence.asks() || text.ends_with("?!");
    // what stands before a Spanish question is beside it
    let begins = text.rfind('¿').filter(|at| *at > 0);
    if let Some((before, question)) = begins.and_then(|at| text.split_at_checked(at))
        && (text.chars().count() > LONGEST || before.trim_end().ends_with([':', ';', '.']))
        && question.split_whitespace().count() >= 3
        && !before.contains('?')
    {
        text = question.to_owned();
    }
    let bare = text.trim_end_matches(['.', '!', '?', '…', ',', ' ', ';', ':', ')', '(']);
    let closed = if bare.matches('(').count() > bare.matches(')').count() {
        format!("{bare})")
    } else {
        bare.to_owned()
    };
    let mut text = if closed.chars().count() > LONGEST { format!("{}…", cut(&closed)?) } else { closed };
    if asks && !text.ends_with('…') {
        text.push('?');
    }
    while text.contains("!!") || text.contains("??") {
        text = text.replace("!!", "!").replace("??", "?");
    }
    while text.starts_with("¡¡") || text.starts_with('¡') && !text.contains('!') {
        text.remove(0);
    }
    let text = capitalised(&text);
    (text.split_whitespace().count() >= 3).then(|| Fact { value: text, read_from: sentence.text.clone() })
}

/// "Good evening po." before the matter: what stands before the first comma or stop goes when it
/// begins with a greeting.
fn without_greeting(text: String, lists: &Lexicon) -> String {
    let Some((head, rest)) = text.split_once([',', '!', '.', ':']) else { return text };
    let greets = lexicon::fold(head)
        .split_whitespace()
        .next()
        .is_some_and(|_| lists.greetings.iter().any(|greeting| begins(&lexicon::fold(head), greeting)));
    if greets && head.chars().count() <= 40 && rest.split_whitespace().count() >= 3 {
        capitalised(rest.trim_start_matches([' ', ',', '!', '.', ':']))
    } else {
        text
    }
}

fn begins(folded: &str, phrase: &str) -> bool {
    let (bare, open) = phrase.strip_suffix('*').map_or((phrase, false), |bare| (bare, true));
    folded.strip_prefix(bare).is_some_and(|rest| open || !rest.starts_with(char::is_alphanumeric))
}

/// The rest behind an opening word such as "but", which hangs in the air without what came before.
fn starts_with_word(text: &str, opener: &str) -> Option<String> {
    let length = opener.chars().count();
    let head: String = text.chars().take(length).collect();
    let rest: String = text.chars().skip(length).collect();
    let ends = rest.starts_with([' ', ',']);
    (ends && lexicon::fold(&head) == opener).then(|| rest.trim_start_matches([' ', ',']).to_owned())
}

/// With a capital, unless a number comes first.
fn capitalised(text: &str) -> String {
    let first = text.find(char::is_alphanumeric).unwrap_or(0);
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
