//! Kinds of keys that many ledgers have none of, and that are asked for with every mail: while there
//! is none, nothing is looked up and nothing removed.

/// What the keys of these kinds begin with.
pub(super) const KINDS: [&str; 6] = ["cut/", "link/", "marked/", "pace/", "told/", "undo/"];

/// Which kinds certainly have no key.
#[derive(Debug, Default)]
pub(super) struct Rare {
    none: [bool; KINDS.len()],
}

impl Rare {
    /// Finds out of which kinds there are keys.
    pub(super) fn find<E>(mut any: impl FnMut(&'static str) -> Result<bool, E>) -> Result<Self, E> {
        let mut rare = Self::default();
        for (none, kind) in rare.none.iter_mut().zip(KINDS) {
            *none = !any(kind)?;
        }
        Ok(rare)
    }

    /// Whether there certainly is no key that begins so.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.none.iter().zip(KINDS).any(|(none, kind)| *none && key.starts_with(kind))
    }

    /// A key is written.
    pub(super) fn put(&mut self, key: &str) {
        for (none, kind) in self.none.iter_mut().zip(KINDS) {
            *none = *none && !key.starts_with(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_lacking_until_its_first_key_is_written() {
        let mut rare = Rare::find(|kind| Ok::<_, ()>(kind == "link/")).unwrap();
        assert!(rare.lacks("told/x") && rare.lacks("cut/y"));
        assert!(!rare.lacks("link/a@b") && !rare.lacks("customer/told/x"));
        rare.put("told/x");
        rare.put("mail/x");
        assert!(!rare.lacks("told/y") && rare.lacks("cut/y"));
    }
}
