//! Which words a pattern cannot do without: most rules need not be tried on most mails.

use regex_syntax::hir::literal::{Extractor, Seq};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::super::hash;
use super::super::lists::Lists;
use super::super::table::KeyIndex;
use super::super::text::Text;

/// Most texts for one part of a pattern.
const MOST: usize = 100;
/// Longest of them, in bytes.
const LONGEST: usize = 40;
/// So many characters of a word are looked up.
const BEGINNING: usize = 3;
/// Stands for the end of a pattern: a match ends where a word does.
const END: char = '\0';
/// Words of so many letters stand in many mails.
const SHORT_WORD: usize = 3;
/// And so do these longer ones.
const COMMON: &[&str] = &[
    "your",
    "have",
    "this",
    "that",
    "with",
    "what",
    "where",
    "when",
    "will",
    "would",
    "could",
    "please",
    "thank",
    "thanks",
    "shall",
    "read",
    "little",
    "know",
    "dear",
    "i'll",
    "we'll",
    "you're",
    "para",
    "esta",
    "este",
    "como",
    "favor",
    "gracias",
    "tiene",
    "vamos",
    "если",
    "можно",
    "меня",
    "знаю",
    "пожалуйста",
    "спасибо",
    "сколько",
    "хорошо",
    "якщо",
    "можна",
    "мене",
    "ласка",
    "будь",
    "дякую",
    "скільки",
];

/// A text that a match contains, parted where a word of it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    before: String,
    /// From the beginning of a word on.
    from: String,
}

/// Tells from the words of a text which of many patterns may match it.
#[derive(Clone, Debug, Default)]
pub(super) struct Needed {
    /// How the word that is looked up begins.
    beginnings: KeyIndex,
    /// Needs by beginning, with the number of their pattern.
    needs: Vec<(Need, u32)>,
    by_beginning: Lists<u32>,
    /// Patterns that must always be tried.
    always: Vec<u32>,
}

impl Needed {
    /// For patterns in order, by what they need.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = Option<&'p [Need]>>) -> Self {
        let mut needed = Self::default();
        for (number, needs) in (0..).zip(patterns) {
            match needs {
                Some(needs) => needed.needs.extend(needs.iter().map(|need| (need.clone(), number))),
                None => needed.always.push(number),
            }
        }
        let mut keys: Vec<u64> = needed.needs.iter().map(|(need, _)| need.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        let count = keys.len();
        needed.beginnings = KeyIndex::new(keys);
        let numbered = (0..).zip(&needed.needs);
        let numbered = numbered.filter_map(|(at, (need, _))| Some((needed.beginnings.get(need.key())?, at)));
        needed.by_beginning = Lists::new(count, numbered.collect());
        needed
    }

    /// The numbers of the patterns that may match `text`, in order.
    pub(super) fn in_text(&self, text: &Text) -> Vec<u32> {
        let mut may = self.always.clone();
        for word in text.words() {
            let Some(beginning) = self.beginnings.get(beginning(text.word(word))) else {
                continue;
            };
            let Some((before, from)) = text.folded().split_at_checked(word.folded.0 as usize) else {
                continue;
            };
            for at in self.by_beginning.of(beginning) {
                if let Some((need, pattern)) = self.needs.get(*at as usize)
                    && from.starts_with(&need.from)
                    && before.ends_with(&need.before)
                {
                    may.push(*pattern);
                }
            }
        }
        may.sort_unstable();
        may.dedup();
        may
    }
}

impl Need {
    /// From a text, its place known: the rarest of its words of which enough is known.
    fn new(text: &str, edge: bool) -> Option<Self> {
        let whole = text.ends_with(END);
        let text = text.trim_end_matches(END);
        let mut inside = !edge;
        let mut best: Option<((usize, usize), Self)> = None;
        for (at, c) in text.char_indices() {
            let was_inside = std::mem::replace(&mut inside, is_word(c));
            let parts = text.split_at_checked(at).filter(|_| inside && !was_inside);
            if let Some((before, from)) = parts {
                let word = first_word(from);
                let known = word.len() < from.len() || whole || word.chars().count() >= BEGINNING;
                let rare = (rarity(word), word.chars().count());
                if known && best.as_ref().is_none_or(|(most, _)| rare > *most) {
                    best = Some((rare, Self { before: before.to_owned(), from: from.to_owned() }));
                }
            }
        }
        best.map(|(_, need)| need)
    }

    fn key(&self) -> u64 {
        beginning(first_word(&self.from))
    }
}

/// The key of the beginning of a word.
fn beginning(word: &str) -> u64 {
    let mut key = hash::EMPTY;
    let mut chars = word.chars();
    for _ in 0..BEGINNING {
        key = hash::roll(key, chars.next().unwrap_or(END));
    }
    key
}

fn first_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or_default()
}

const fn is_word(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='z' | '_' | '\'' | 'а'..='я' | 'є' | 'і' | 'ї')
}

/// What every match of the pattern contains one of; `None` when that cannot be said.
pub(super) fn of_pattern(pattern: &str) -> Option<Vec<Need>> {
    of(&regex_syntax::parse(&format!("(?:{pattern}){END}")).ok()?, true)
}

/// What every match of a part contains one of; `edge` tells whether a word begins where it does.
fn of(hir: &Hir, edge: bool) -> Option<Vec<Need>> {
    match hir.kind() {
        HirKind::Capture(capture) => of(&capture.sub, edge),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub, edge),
        HirKind::Alternation(branches) => {
            let each: Option<Vec<_>> = branches.iter().map(|branch| of(branch, edge)).collect();
            Some(each?.concat())
        }
        HirKind::Concat(parts) => {
            let mut edge = edge;
            let mut found = vec![];
            for (at, part) in parts.iter().enumerate() {
                let tail = parts.get(at..).unwrap_or_default();
                found.extend(beginnings(&Hir::concat(tail.to_vec()), edge));
                found.extend(of(part, edge));
                edge = ends_word(part, edge);
            }
            found.into_iter().min_by(|a, b| often(a).total_cmp(&often(b)))
        }
        _ => beginnings(hir, edge),
    }
}

/// The texts a part begins with.
fn beginnings(hir: &Hir, edge: bool) -> Option<Vec<Need>> {
    let mut found: Seq = Extractor::new().limit_total(MOST).limit_literal_len(LONGEST).extract(hir);
    found.dedup();
    let texts = found.literals()?.iter().map(|text| String::from_utf8_lossy(text.as_bytes()));
    texts.map(|text| Need::new(text.trim_end_matches(char::REPLACEMENT_CHARACTER), edge)).collect()
}

/// Whether a word certainly begins after this part, when one begins or not before it.
fn ends_word(hir: &Hir, before: bool) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => before,
        HirKind::Literal(literal) => !String::from_utf8_lossy(&literal.0).ends_with(is_word),
        HirKind::Class(Class::Unicode(class)) => {
            let few = class.ranges().iter().all(|range| range.len() < 64);
            few && class.ranges().iter().all(|range| (range.start()..=range.end()).all(|c| !is_word(c)))
        }
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => {
            let once = ends_word(&repetition.sub, before);
            once && ends_word(&repetition.sub, once) && (repetition.min > 0 || before)
        }
        HirKind::Capture(capture) => ends_word(&capture.sub, before),
        HirKind::Concat(parts) => parts.iter().fold(before, |edge, part| ends_word(part, edge)),
        HirKind::Alternation(branches) => branches.iter().all(|branch| ends_word(branch, before)),
    }
}

/// How often one of the texts may be expected, roughly: each word makes a text rarer.
fn often(needs: &[Need]) -> f64 {
    let of = |text: &str| text.split(|c| !is_word(c)).map(rarity).sum::<usize>();
    let all = needs.iter().map(|need| of(&need.before) + of(&need.from));
    all.map(|rarity| 0.3_f64.powf(f64::from(u32::try_from(rarity).unwrap_or(u32::MAX)))).sum()
}

/// How much rarer a word makes a text.
fn rarity(word: &str) -> usize {
    match word.chars().count() {
        length if length > SHORT_WORD && !COMMON.contains(&word) => length,
        length => length.min(1),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lexicon::Lexicon;
    use super::*;
    use crate::mail::Mail;

    fn texts(pattern: &str) -> Option<Vec<String>> {
        let needs = of_pattern(pattern)?;
        Some(needs.iter().map(|need| format!("{}|{}", need.before, need.from)).collect())
    }

    #[test]
    fn the_rarest_words_of_each_branch_are_needed() {
        assert_eq!(texts("[a-z]* will (?:pay|report you)").unwrap(), [" |will pay", " will |report you"]);
        assert_eq!(texts("see you[^.]*court|суд").unwrap(), ["|see you", "|суд"]);
        assert_eq!(texts("[a-z]+ no"), Some(vec![" |no".to_owned()]));
        assert_eq!(texts("[a-z]+"), None);
        assert_eq!(texts("court|[a-z]+"), None);
    }

    #[test]
    fn the_rest_of_a_word_is_not_its_beginning() {
        assert_eq!(texts("(?:re)?port").unwrap(), ["|report", "|port"]);
        assert_eq!(texts("[a-z]*port"), None);
        assert_eq!(texts("су[а-я]*"), None, "two letters may be any word's");
        assert_eq!(texts("судеб[а-я]*").unwrap(), ["|судеб"]);
    }

    #[test]
    fn a_pattern_is_ruled_out_only_by_what_it_needs() {
        let needs = ["суд", "[a-z]+", "see you", "(?:i'll )?report"].map(of_pattern);
        let needed = Needed::new(needs.iter().map(Option::as_deref));
        let in_text = |body: &str| {
            let mut text = Text::default();
            text.read(&Mail { new_text: body.to_owned(), ..Mail::default() }, &Lexicon::default());
            needed.in_text(&text)
        };
        assert_eq!(in_text("Осудили"), [1]);
        assert_eq!(in_text("В суд, see you, SEE YOU!"), [0, 1, 2]);
        assert_eq!(in_text("reporting"), [1, 3]);
    }
}
