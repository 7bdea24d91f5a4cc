//! The keys of sled together with those that have not come into it yet.

use std::iter::Peekable;

use super::super::journal::Changes;

type Source<'a> = Peekable<Box<dyn Iterator<Item = Result<(String, bool), sled::Error>> + 'a>>;

/// Sources in order of their age, the newest first: it says whether a key is there.
struct Merged<'a> {
    sources: Vec<Source<'a>>,
    backwards: bool,
}

/// The keys that begin with `prefix`, in order or backwards. Of `waiting` the newest comes first.
pub(super) fn keys<'a>(
    db: &sled::Db,
    waiting: impl Iterator<Item = &'a Changes>,
    prefix: &'a str,
    backwards: bool,
) -> impl Iterator<Item = Result<String, sled::Error>> + 'a {
    let mut sources: Vec<Source<'a>> =
        waiting.map(|changes| of_changes(changes, prefix, backwards)).collect();
    let stored = db.scan_prefix(prefix);
    let text = |key: Result<sled::IVec, sled::Error>| Ok((String::from_utf8_lossy(&key?).into_owned(), true));
    let stored: Box<dyn Iterator<Item = _> + 'a> = if backwards {
        Box::new(stored.rev().map(move |entry| text(entry.map(|(key, _)| key))))
    } else {
        Box::new(stored.keys().map(text))
    };
    sources.push(stored.peekable());
    Merged { sources, backwards }
}

fn of_changes<'a>(changes: &'a Changes, prefix: &'a str, backwards: bool) -> Source<'a> {
    // no key goes on with the last of all characters
    let range = changes.range(prefix.to_owned()..format!("{prefix}\u{10FFFF}"));
    let there = |(key, value): (&String, &Option<String>)| Ok((key.clone(), value.is_some()));
    let keys: Box<dyn Iterator<Item = _> + 'a> =
        if backwards { Box::new(range.rev().map(there)) } else { Box::new(range.map(there)) };
    keys.peekable()
}

impl Iterator for Merged<'_> {
    type Item = Result<String, sled::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut first: Option<String> = None;
            for source in &mut self.sources {
                match source.peek() {
                    Some(Ok((key, _))) => {
                        let sooner = first
                            .as_ref()
                            .is_none_or(|first| if self.backwards { key > first } else { key < first });
                        if sooner {
                            first = Some(key.clone());
                        }
                    }
                    Some(Err(_)) => return source.next().map(|entry| entry.map(|(key, _)| key)),
                    None => {}
                }
            }
            let first = first?;
            let mut there = None;
            for source in &mut self.sources {
                let same = |entry: &Result<(String, bool), sled::Error>| {
                    entry.as_ref().is_ok_and(|(key, _)| *key == first)
                };
                if let Some(Ok((_, found))) = source.next_if(same) {
                    there.get_or_insert(found);
                }
            }
            if there == Some(true) {
                return Some(Ok(first));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(of: &[(&str, bool)]) -> Changes {
        of.iter().map(|(key, there)| ((*key).to_owned(), there.then(|| "1".to_owned()))).collect()
    }

    #[test]
    fn the_newest_source_says_whether_a_key_is_there_in_both_directions() {
        let dir = tempfile::tempdir().unwrap();
        let db = sled::open(dir.path()).unwrap();
        for key in ["a/1", "b/1", "b/2", "b/4", "b/6", "c/1"] {
            db.insert(key, "1").unwrap();
        }
        let older = changes(&[("b/2", false), ("b/3", true), ("b/4", false), ("b/5", true)]);
        let newer = changes(&[("a/9", true), ("b/4", true), ("b/5", false), ("b/7", true), ("b0", true)]);
        let all = |backwards| {
            let found = keys(&db, [&newer, &older].into_iter(), "b/", backwards);
            found.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let mut expected = vec!["b/1", "b/3", "b/4", "b/6", "b/7"];
        assert_eq!(all(false), expected);
        expected.reverse();
        assert_eq!(all(true), expected);
    }
}
