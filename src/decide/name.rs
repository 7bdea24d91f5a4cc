//! Names that ops give to queues, desks and tags of their own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A short name: `a` to `z`, digits and hyphens, a letter first, at most [`Name::MAX`] characters.
/// Small enough to be copied, plain enough for a keyword of a mail server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name([u8; Name::MAX]);

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name: use up to {max} of a-z, 0-9 and -, a letter first", max = Name::MAX)]
pub struct NoName(String);

impl Name {
    /// Longest name.
    pub const MAX: usize = 24;

    /// The name with this text.
    ///
    /// # Errors
    /// When it holds other characters, or is empty or too long.
    pub fn new(text: &str) -> Result<Self, NoName> {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || text.len() > Self::MAX || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(NoName(text.to_owned()));
        }
        let mut bytes = [0; Self::MAX];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self(bytes))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.0.split(|b| *b == 0).next().unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl TryFrom<String> for Name {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_every_mail_server_takes_as_a_keyword() {
        assert_eq!(Name::new("vip-2").unwrap().as_str(), "vip-2");
        for bad in ["", "2nd", "VIP", "a b", "важно", "a-name-that-is-far-too-long"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }
}
