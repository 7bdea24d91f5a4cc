//! What ops say about learning from agents.

use serde::{Deserialize, Serialize};

use super::super::Name;
use crate::classify::Label;

/// What ops say about learning from moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a config, each with a name")]
pub struct LearningRules {
    /// Whether moves and keywords are votes at all.
    pub watch: bool,
    /// Moves that are votes; without any, those that follow from the routes.
    pub moves: Vec<MoveRule>,
    /// Folders that say nothing, whatever is moved there.
    pub neutral: Vec<String>,
    /// More moves than this within `mass-minutes` are held until somebody confirms them.
    pub mass: u32,
    /// See `mass`.
    pub mass_minutes: u32,
    /// Labels that two different votes must agree on.
    pub second_vote: Vec<Label>,
    /// Labels of the company's own: learnt from corrections, routed by `[[route]] facts`.
    pub labels: Vec<Name>,
    /// How many of the newest mails are kept as numbers, to learn from and to try candidates on.
    pub recent: u32,
    /// Share of mails, 0 to 1, drawn for review, so that what nobody corrects is measured, too.
    pub audit_share: f32,
    /// Minutes between two looks at the queue folders.
    pub look_minutes: u32,
    /// Whether candidates are trained by the daemon.
    pub train: bool,
    /// Hours of the day, UTC, at which they are.
    pub train_hours: Vec<u8>,
    /// New corrections below which nothing is trained.
    pub train_after: u32,
    /// Whether a candidate that passes the gate takes over by itself.
    pub promote: bool,
    /// The shipped corpus: its held-back part steadies the fit and tests candidates.
    pub corpus: std::path::PathBuf,
    /// Corpora of one's own: files and directories as for `train --corpus`.
    pub own_corpus: Vec<std::path::PathBuf>,
    /// Keep the text of corrected mails, encrypted, to learn from it again with other features.
    pub keep_text: bool,
    /// A file with the key for it, at least 32 bytes.
    pub text_key_file: Option<std::path::PathBuf>,
}

impl Default for LearningRules {
    fn default() -> Self {
        Self {
            watch: true,
            moves: Vec::new(),
            neutral: ["Trash", "Archive", "Junk"].map(str::to_owned).into(),
            mass: 30,
            mass_minutes: 10,
            second_vote: vec![Label::Threat, Label::Abuse],
            labels: Vec::new(),
            recent: 400,
            audit_share: 0.01,
            look_minutes: 5,
            train: true,
            train_hours: vec![3],
            train_after: 20,
            promote: false,
            corpus: "/usr/share/evenkeel/corpus".into(),
            own_corpus: Vec::new(),
            keep_text: false,
            text_key_file: None,
        }
    }
}

/// A move that is a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MoveRule {
    /// Folder it leaves.
    pub from: String,
    /// Folder it goes to.
    pub to: String,
    /// Labels it then has.
    #[serde(default)]
    pub present: Vec<Name>,
    /// Labels it then has not.
    #[serde(default)]
    pub absent: Vec<Name>,
}
