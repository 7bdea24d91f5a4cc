//! From a pattern to what its matches contain.

use regex_syntax::hir::literal::{Extractor, Literal, Seq};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{BEGINNING, Branch, Group, Need, first_word, is_word};

/// Most texts for one part of a pattern.
const MOST: usize = 100;
/// Longest of them, in bytes.
const LONGEST: usize = 40;
/// Most groups of words of a branch: a third one hardly makes it rarer.
const GROUPS: usize = 2;
/// Most branches of a pattern.
const BRANCHES: usize = 60;
/// Shortest text that is searched for inside words, in bytes.
const SHORTEST_INSIDE: usize = 4;
/// Stands for the end of a pattern: a match ends where a word does.
pub(super) const END: char = '\0';
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

impl Need {
    /// From a text, its place known: the rarest of its words of which enough is known.
    fn new(text: &str, edge: bool) -> Option<Self> {
        let ended = text.ends_with(END);
        let text = text.trim_end_matches(END);
        let mut inside = !edge;
        let mut best: Option<((usize, usize), Self)> = None;
        for (at, c) in text.char_indices() {
            let was_inside = std::mem::replace(&mut inside, is_word(c));
            let parts = text.split_at_checked(at).filter(|_| inside && !was_inside);
            if let Some((before, from)) = parts {
                let word = first_word(from);
                let whole = word.len() < from.len() || ended;
                let rare = (rarity(word), word.chars().count());
                let known = whole || rare.1 >= BEGINNING;
                if known && best.as_ref().is_none_or(|(most, _)| rare > *most) {
                    best = Some((rare, Self { before: before.to_owned(), from: from.to_owned(), whole }));
                }
            }
        }
        best.map(|(_, need)| need)
    }
}

/// The ways to match a pattern; one without groups when nothing can be said.
pub(in super::super) fn of_pattern(pattern: &str) -> Vec<Branch> {
    let hir = regex_syntax::parse(&format!("(?:{pattern}){END}")).ok();
    hir.map_or_else(|| vec![vec![]], |hir| branches(&hir, true))
}

/// The ways to match a part; `edge` tells whether a word begins where it does.
fn branches(hir: &Hir, edge: bool) -> Vec<Branch> {
    match hir.kind() {
        HirKind::Capture(capture) => branches(&capture.sub, edge),
        HirKind::Repetition(repetition) if repetition.min > 0 => branches(&repetition.sub, edge),
        HirKind::Alternation(parts) => {
            let all: Vec<Branch> = parts.iter().flat_map(|part| branches(part, edge)).collect();
            if all.len() > BRANCHES { vec![either(&all).into_iter().collect()] } else { all }
        }
        HirKind::Concat(parts) => of_row(parts, edge),
        _ => vec![beginnings(&[extract(hir)], edge).into_iter().collect()],
    }
}

/// The ways to match parts in a row: the groups of the rarest, or those of each way to match one part
/// with the groups of the others.
fn of_row(parts: &[Hir], edge: bool) -> Vec<Branch> {
    let mut edge = edge;
    let (mut found, mut ways) = (vec![], vec![]);
    let texts: Vec<Seq> = parts.iter().map(extract).collect();
    for (at, part) in parts.iter().enumerate() {
        let tail = texts.get(at..).unwrap_or_default();
        found.extend(beginnings(tail, edge).map(|group| (at, group)));
        let of_part = branches(part, edge);
        found.extend(either(&of_part).map(|group| (at, group)));
        if of_part.len() > 1 {
            ways.push((at, of_part));
        }
        edge = ends_word(part, edge);
    }
    let plain = vec![rarest(found.iter().map(|(_, group)| group))];
    let mut best = (cost(&plain), plain);
    for (at, of_part) in ways {
        let others = || found.iter().filter(|(other, _)| *other > at).map(|(_, group)| group);
        let split: Vec<Branch> = of_part.iter().map(|branch| rarest(branch.iter().chain(others()))).collect();
        let cost = cost(&split);
        if cost < best.0 / 2.0 {
            best = (cost, split);
        }
    }
    best.1
}

/// One group for all branches: the rarest of each, if each has one.
fn either(branches: &[Branch]) -> Option<Group> {
    let groups: Option<Vec<&Group>> = branches.iter().map(|branch| branch.first()).collect();
    let groups = groups.filter(|groups| !groups.is_empty())?;
    let needs: Option<Vec<&[Need]>> = groups.iter().map(|group| group.needs()).collect();
    if let Some(needs) = needs {
        let mut needs = needs.concat();
        needs.sort();
        needs.dedup();
        return Some(Group::Words(needs));
    }
    let mut texts: Vec<String> = groups.iter().flat_map(|group| group.texts()).collect();
    texts.sort();
    texts.dedup();
    texts.iter().all(|text| text.len() >= SHORTEST_INSIDE).then_some(Group::Inside(texts))
}

/// The rarest groups that do not share a text, words before what is inside words.
fn rarest<'g>(groups: impl Iterator<Item = &'g Group>) -> Branch {
    let mut groups: Vec<(bool, f64, &Group)> =
        groups.map(|group| (group.needs().is_none(), often(group), group)).collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut chosen: Branch = vec![];
    for (inside, _, group) in groups {
        let texts = group.texts();
        let known = |other: &Group| {
            let others = other.texts();
            texts.iter().any(|text| others.iter().any(|other| other.contains(text) || text.contains(other)))
        };
        let room = chosen.len() < GROUPS || (inside && chosen.len() == GROUPS);
        if room && !chosen.iter().any(known) {
            chosen.push(group.clone());
        }
    }
    chosen
}

impl Group {
    fn needs(&self) -> Option<&[Need]> {
        match self {
            Self::Words(needs) => Some(needs),
            Self::Inside(_) => None,
        }
    }

    fn texts(&self) -> Vec<String> {
        match self {
            Self::Words(needs) => needs.iter().map(|need| format!("{}{}", need.before, need.from)).collect(),
            Self::Inside(texts) => texts.clone(),
        }
    }
}

/// The texts a part begins with.
fn extract(hir: &Hir) -> Seq {
    Extractor::new().limit_total(MOST).limit_literal_len(LONGEST).extract(hir)
}

/// The texts that parts in a row begin with, from those of each.
fn beginnings(parts: &[Seq], edge: bool) -> Option<Group> {
    let mut found = Seq::singleton(Literal::exact(vec![]));
    for part in parts {
        if found.is_inexact() {
            break;
        }
        let mut part = part.clone();
        if found.max_cross_len(&part).is_none_or(|length| length > MOST) {
            part.make_infinite();
        }
        found.cross_forward(&mut part);
        found.keep_first_bytes(LONGEST);
    }
    found.dedup();
    let texts = found.literals()?.iter().map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
    let texts: Vec<String> =
        texts.map(|text| text.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()).collect();
    let needs: Option<Vec<Need>> = texts.iter().map(|text| Need::new(text, edge)).collect();
    if let Some(needs) = needs {
        return Some(Group::Words(needs));
    }
    let texts = texts.iter().map(|text| text.trim_end_matches(END).to_owned());
    let texts: Vec<String> = texts.collect();
    texts.iter().all(|text| text.len() >= SHORTEST_INSIDE).then_some(Group::Inside(texts))
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

/// How often one of the branches may be expected, roughly; a text must be searched for what is inside
/// words alone.
fn cost(branches: &[Branch]) -> f64 {
    let of = |branch: &Branch| {
        let searched = if branch.iter().any(|group| group.needs().is_some()) { 0.0 } else { 0.5 };
        searched + branch.iter().map(|group| often(group).min(1.0)).product::<f64>()
    };
    branches.iter().map(of).sum()
}

/// How often one of the texts may be expected, roughly: each word makes a text rarer.
fn often(group: &Group) -> f64 {
    let of = |text: &String| text.split(|c| !is_word(c)).map(rarity).sum::<usize>();
    let all = group.texts();
    let all = all.iter().map(of);
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
    use super::*;

    /// Branches as text: groups joined by `&`.
    fn texts(pattern: &str) -> Vec<String> {
        let text = |group: &Group| match group {
            Group::Words(needs) => {
                let needs: Vec<String> =
                    needs.iter().map(|need| format!("{}|{}", need.before, need.from)).collect();
                needs.join(",")
            }
            Group::Inside(texts) => format!("*{}*", texts.join(",")),
        };
        let branches = of_pattern(pattern);
        branches.iter().map(|groups| groups.iter().map(text).collect::<Vec<_>>().join(" & ")).collect()
    }

    #[test]
    fn the_rarest_words_of_each_branch_are_needed() {
        assert_eq!(texts("[a-z]* will (?:pay|report you)"), [" |will pay, will |report you"]);
        assert_eq!(texts("see you[^.]*court|прокурор"), ["|see you & *court*", "|прокурор"]);
        assert_eq!(texts("[a-z]+ no"), [" |no"]);
        assert_eq!(texts("[a-z]+"), [""]);
        assert_eq!(texts("court|[a-z]+"), [""]);
    }

    #[test]
    fn the_rest_of_a_word_is_not_its_beginning() {
        assert_eq!(texts("(?:re)?port"), ["|report,|port"]);
        assert_eq!(texts("[a-z]*port"), ["*port*"]);
        assert_eq!(texts("су[а-я]*"), ["*су*"], "two letters may be any word's");
        assert_eq!(texts("судеб[а-я]*"), ["|судеб"]);
    }
}
