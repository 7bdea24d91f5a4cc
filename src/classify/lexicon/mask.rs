//! Words people disguise, and how to see through it.

use std::collections::BTreeMap;

/// The words that are written in disguise, by first letter.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks {
    by_letter: BTreeMap<char, Vec<(Vec<char>, bool)>>,
}

impl Masks {
    /// From words, each with whether it is a stem.
    pub(super) fn new(words: Vec<(String, bool)>) -> Self {
        let mut by_letter: BTreeMap<char, Vec<(Vec<char>, bool)>> = BTreeMap::new();
        for (word, stem) in words {
            if let Some(first) = word.chars().next() {
                by_letter.entry(first).or_default().push((word.chars().collect(), stem));
            }
        }
        for words in by_letter.values_mut() {
            words.sort();
            words.dedup();
        }
        Self { by_letter }
    }

    /// Whether the word, or a stem it begins with, is in the list.
    pub(super) fn has(&self, word: &str) -> bool {
        self.unmask(word).is_some()
    }

    /// The word behind the mask: `*` and `#` are any letter, a run of them at least as many.
    pub(super) fn unmask(&self, word: &str) -> Option<String> {
        self.behind(word, |_, _| true)
    }

    /// The word behind signs that may as well be punctuation, the last of them before the character
    /// at `cut`: what tells the word reaches well beyond them, at most a third of it is hidden, and
    /// not its last letter.
    pub(super) fn unmask_across(&self, word: &str, cut: usize) -> Option<String> {
        self.behind(word, |word, form| {
            let shown = word.iter().zip(form).filter(|(letter, shown)| letter == shown).count();
            let reaches = word.len() == form.len() || word.len() >= cut + 2;
            let last = form.get(word.len().saturating_sub(1));
            reaches && shown * 3 >= word.len() * 2 && last == word.last()
        })
    }

    fn behind(&self, word: &str, sure: impl Fn(&[char], &[char]) -> bool) -> Option<String> {
        let form: Vec<char> = word.chars().collect();
        let stars = form.iter().filter(|c| is_star(**c)).count();
        let letters = form.iter().filter(|c| c.is_alphabetic()).count();
        if letters + stars < form.len()
            && form.iter().any(|c| !c.is_alphabetic() && !is_star(*c) && *c != '\'')
        {
            return None;
        }
        if letters < 2 && stars < 3 {
            return None;
        }
        let words = self.by_letter.get(form.first()?)?;
        let (word, _) = words.iter().find(|(word, stem)| fits(word, *stem, &form) && sure(word, &form))?;
        let tail = form.get(word.len()..).unwrap_or_default();
        let tail: String = tail.iter().filter(|c| c.is_alphabetic()).collect();
        Some(word.iter().collect::<String>() + &tail)
    }
}

const fn is_star(c: char) -> bool {
    matches!(c, '*' | '#')
}

/// Whether `form` is `word`, or begins with it when it is a stem.
fn fits(word: &[char], stem: bool, form: &[char]) -> bool {
    let length = form.len() == word.len() || (stem && form.len() > word.len());
    let literal = word.iter().zip(form).filter(|(letter, shown)| letter == shown).count();
    length && literal > 0 && word.iter().zip(form).all(|(letter, shown)| letter == shown || is_star(*shown))
}
