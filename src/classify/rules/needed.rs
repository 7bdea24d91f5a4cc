//! Which words a pattern cannot do without: most rules need not be tried on most mails.

mod of_pattern;

use regex::Regex;

use self::of_pattern::END;
pub(super) use self::of_pattern::of_pattern;
use super::super::hash;
use super::super::lists::Lists;
use super::super::table::KeyIndex;
use super::super::text::Text;

/// So many characters of a word are looked up when no more of it is known.
const BEGINNING: usize = 3;

/// One way to match a pattern: such a match contains one text of each group.
pub(super) type Branch = Vec<Group>;

/// Texts of which a match contains one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Group {
    /// Each begins with a word, or has a word beginning in it.
    Words(Vec<Need>),
    /// They may stand inside words.
    Inside(Vec<String>),
}

/// A text that a match contains, parted where a word of it begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    before: String,
    /// From the beginning of a word on.
    from: String,
    /// Whether that word is known to its end.
    whole: bool,
}

/// Tells from the words of a text which of many patterns may match it.
#[derive(Clone, Debug, Default)]
pub(super) struct Needed {
    /// The words that are looked up, or how they begin.
    words: KeyIndex,
    by_word: Lists<u32>,
    /// Needs with their branch and the bit of their group.
    needs: Vec<(Need, usize, u8)>,
    branches: Vec<Sought>,
}

/// A branch of a pattern.
#[derive(Clone, Debug)]
struct Sought {
    pattern: u32,
    /// A bit for each group of words.
    groups: u8,
    /// Texts inside words: searched when all groups are there.
    inside: Vec<Regex>,
}

impl Needed {
    /// For patterns in order, by their branches.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p [Branch]>) -> Self {
        let mut needed = Self::default();
        for (pattern, branches) in (0..).zip(patterns) {
            for branch in branches {
                needed.push(pattern, branch);
            }
        }
        let mut keys: Vec<u64> = needed.needs.iter().map(|(need, ..)| need.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        let count = keys.len();
        needed.words = KeyIndex::new(keys);
        let numbered = (0..).zip(&needed.needs);
        let numbered = numbered.filter_map(|(at, (need, ..))| Some((needed.words.get(need.key())?, at)));
        needed.by_word = Lists::new(count, numbered.collect());
        needed
    }

    fn push(&mut self, pattern: u32, branch: &Branch) {
        let mut sought = Sought { pattern, groups: 0, inside: vec![] };
        for group in branch {
            match group {
                Group::Words(needs) => {
                    let bit = sought.groups + 1;
                    sought.groups |= bit;
                    let place = self.branches.len();
                    self.needs.extend(needs.iter().map(|need| (need.clone(), place, bit)));
                }
                Group::Inside(texts) => {
                    let texts: Vec<String> = texts.iter().map(|text| regex::escape(text)).collect();
                    sought.inside.extend(Regex::new(&texts.join("|")));
                }
            }
        }
        self.branches.push(sought);
    }

    /// The numbers of those patterns that `apply` and may match `text`, in order.
    pub(super) fn in_text(&self, text: &Text, apply: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut seen = vec![0_u8; self.branches.len()];
        for word in text.words() {
            let whole = self.words.get(word.key);
            let begun = self.words.get(beginning(text.word(word)));
            for number in [whole, begun].into_iter().flatten() {
                let Some((before, from)) = text.folded().split_at_checked(word.folded.0 as usize) else {
                    continue;
                };
                for at in self.by_word.of(number) {
                    if let Some((need, branch, bit)) = self.needs.get(*at as usize)
                        && let Some(seen) = seen.get_mut(*branch)
                        && *seen & bit == 0
                        && from.starts_with(&need.from)
                        && before.ends_with(&need.before)
                    {
                        *seen |= bit;
                    }
                }
            }
        }
        let may = self.branches.iter().zip(seen).filter(|(branch, seen)| {
            let here = branch.groups == *seen && apply(branch.pattern);
            here && branch.inside.iter().all(|inside| inside.is_match(text.folded()))
        });
        let mut may: Vec<u32> = may.map(|(branch, _)| branch.pattern).collect();
        may.dedup();
        may
    }
}

impl Need {
    fn key(&self) -> u64 {
        let word = first_word(&self.from);
        // an apostrophe at an edge may be a quotation mark in a text
        if self.whole && word.trim_matches('\'') == word { hash::of(word) } else { beginning(word) }
    }
}

/// The key of the beginning of a word.
fn beginning(word: &str) -> u64 {
    let mut key = !hash::EMPTY;
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

#[cfg(test)]
mod tests {
    use super::super::super::lexicon::Lexicon;
    use super::*;
    use crate::mail::Mail;

    fn in_text(patterns: &[&str], body: &str) -> Vec<u32> {
        let branches: Vec<Vec<Branch>> = patterns.iter().copied().map(of_pattern).collect();
        let needed = Needed::new(branches.iter().map(Vec::as_slice));
        let mut text = Text::default();
        text.read(&Mail { new_text: body.to_owned(), ..Mail::default() }, &Lexicon::default());
        needed.in_text(&text, |_| true)
    }

    #[test]
    fn a_pattern_is_ruled_out_only_by_what_it_needs() {
        let patterns = ["суд", "[a-z]+", "see you", "(?:i'll )?report"];
        assert_eq!(in_text(&patterns, "Осудили"), [1]);
        assert_eq!(in_text(&patterns, "В суд, see you, SEE YOU!"), [0, 1, 2]);
        assert_eq!(in_text(&patterns, "reporting"), [1]);
        assert_eq!(in_text(&patterns, "report it"), [1, 3]);
    }

    #[test]
    fn all_that_a_match_contains_must_be_there() {
        let patterns = ["(?:brother|sister)[^.]*(?:reporter|editor)", "[a-z]*master of|postmaster"];
        assert_eq!(in_text(&patterns, "My brother came."), [0; 0]);
        assert_eq!(in_text(&patterns, "My brother, the editor"), [0]);
        assert_eq!(in_text(&patterns, "a headmaster of schools"), [1]);
        assert_eq!(in_text(&patterns, "mastering"), [0; 0]);
    }
}
