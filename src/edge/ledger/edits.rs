//! How much agents change our drafts before they send them, by playbook and language.

use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::record::DraftMark;
use super::store::Store;
use crate::mail::Mail;

/// A distance up to which a draft counts as sent unchanged: a name or a date was filled in.
const UNCHANGED: f32 = 0.05;

/// What became of the drafts of a playbook in a language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edits {
    /// The playbook.
    pub playbook: String,
    /// The language.
    pub language: String,
    /// Drafts that were sent, changed or not.
    pub sent: u64,
    /// Those of them that were sent nearly as they were.
    pub unchanged: u64,
    /// Sum of the distances, in thousandths of a whole text.
    pub distance: u64,
}

impl Edits {
    /// The mean distance, in thousandths.
    #[must_use]
    pub fn mean(&self) -> u64 {
        self.distance.checked_div(self.sent).unwrap_or(0)
    }
}

impl Store {
    /// Counts a draft that was sent with this distance, 0 to 1.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn count_edit(&mut self, draft: &DraftMark, distance: f32) -> Result<(), LedgerError> {
        let key = format!("edits/{}/{}", draft.playbook, draft.language);
        let mut edits = self.get::<Edits>(&key)?.unwrap_or_default();
        edits.playbook.clone_from(&draft.playbook);
        edits.language.clone_from(&draft.language);
        edits.sent = edits.sent.saturating_add(1);
        edits.unchanged = edits.unchanged.saturating_add(u64::from(distance <= UNCHANGED));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let thousandths = (distance.clamp(0.0, 1.0) * 1000.0).round() as u64;
        edits.distance = edits.distance.saturating_add(thousandths);
        self.put(&key, &edits)?;
        self.apply()
    }

    /// What became of the drafts, by playbook and language.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn edits(&self) -> Result<Vec<Edits>, LedgerError> {
        let mut all = Vec::new();
        for path in self.keys("edits/") {
            all.extend(self.get::<Edits>(&format!("edits/{}", path?))?);
        }
        Ok(all)
    }

    /// Our open draft in the thread of a mail that an agent has sent.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn draft_answered_by(&self, account: &str, sent: &Mail) -> Result<Option<DraftMark>, LedgerError> {
        for id in sent.references.iter().rev() {
            if let Some(stored) = self.ticket_of(account, id)? {
                return Ok(stored.draft);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::MessageId;

    #[test]
    fn distances_are_summed_by_playbook_and_language() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let mark = |playbook: &str| DraftMark {
            id: MessageId::new("a@b").unwrap(),
            size: 1,
            playbook: playbook.into(),
            language: "en".into(),
            words: Vec::new(),
        };
        store.count_edit(&mark("praise"), 0.0).unwrap();
        store.count_edit(&mark("praise"), 0.5).unwrap();
        store.count_edit(&mark("panic"), 1.0).unwrap();
        let edits = store.edits().unwrap();
        let praise = edits.iter().find(|edits| edits.playbook == "praise").unwrap();
        assert_eq!((edits.len(), praise.sent, praise.unchanged, praise.mean()), (2, 2, 1, 250));
    }
}
