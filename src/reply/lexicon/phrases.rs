//! Lists of phrases that a text is looked through for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{begins, starts};

/// A list of phrases, looked up by their first two characters: a text is read once for a whole list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Phrases {
    pub(super) all: Vec<String>,
    by_beginning: BTreeMap<(char, char), Vec<usize>>,
    /// Whether a phrase has a single character: it stands under any second one that may follow it.
    short: bool,
}

impl From<Vec<String>> for Phrases {
    fn from(all: Vec<String>) -> Self {
        let mut by_beginning: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, phrase) in
            all.iter().enumerate().filter(|(_, phrase)| !phrase.trim_end_matches('*').is_empty())
        {
            by_beginning.entry(beginning(phrase)).or_default().push(at);
        }
        let short = by_beginning.keys().any(|(_, second)| matches!(second, '*' | ' '));
        Self { all, by_beginning, short }
    }
}

impl Phrases {
    /// The phrases, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    pub(super) fn found(&self, folded: &str) -> BTreeSet<usize> {
        starts(folded).filter_map(|at| folded.get(at..)).flat_map(|rest| self.at(rest)).collect()
    }

    /// The phrases that begin where the text does.
    pub(super) fn at<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let (one, two) = beginning(text);
        let mut keys = [Some((one, two)), None, None];
        if self.short {
            keys = [Some((one, two)), Some((one, '*')), Some((one, ' ')).filter(|_| two != ' ')];
        }
        let listed =
            keys.into_iter().flatten().filter_map(|key| self.by_beginning.get(&key)).flatten().copied();
        listed.filter(move |at| self.all.get(*at).is_some_and(|phrase| begins(text, phrase)))
    }
}

/// The first two characters; a space stands for a missing one.
fn beginning(text: &str) -> (char, char) {
    let mut chars = text.chars();
    (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '))
}
