//! Learnt models in the state directory, each in a file named by the SHA-256 of its content, so that
//! going back gives the same bytes: `models/<hash>.layer`, `models/<hash>.card.json`, `models/in-force`
//! (a hash, or `shipped`), `models/history.jsonl` and `models/suggest-only` (labels on hold).

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::classify::Label;
use crate::classify::layer::{Layer, LayerError};
use crate::time::Timestamp;

/// The name of the model without anything learnt.
pub const SHIPPED: &str = "shipped";

/// What can go wrong with learnt models.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// A file cannot be read or written.
    #[error("{file}: {source}; make the state directory writable for the daemon's user")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The model in a file cannot be used.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// No model has this name.
    #[error("there is no learnt model {0}; `evenkeel models list` shows them")]
    Unknown(String),
    /// Several models begin so.
    #[error("several learnt models begin with {0}; give more of the name")]
    Ambiguous(String),
    /// There is nothing to go back to.
    #[error("no model was promoted before the one in force: there is nothing to go back to")]
    NothingBefore,
}

/// A change of the model in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// When.
    pub at: Timestamp,
    /// In force since.
    pub name: String,
    /// In force before.
    pub was: String,
    /// Who, or `gate`.
    pub by: String,
    /// Whether it was a step back.
    #[serde(default)]
    pub back: bool,
}

/// The models of a state directory.
#[derive(Clone, Debug)]
pub struct Models(PathBuf);

impl Models {
    /// The models in `state_dir`; nothing is created.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self(state_dir.join("models"))
    }

    /// Waits until no other training runs on this state; the next one waits while what is returned lives.
    /// `waits` is called when there is something to wait for.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn queue(&self, waits: impl FnOnce()) -> Result<File, ModelsError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|s| failed(&self.0, s))?;
        let file = self.file("training.lock");
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).write(true).truncate(false).mode(0o600).open(&file);
        let lock = opened.map_err(|source| failed(&file, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                waits();
                lock.lock().map_err(|source| failed(&file, source))?;
            }
            Err(fs::TryLockError::Error(source)) => return Err(failed(&file, source)),
        }
        Ok(lock)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The name of the model in force.
    #[must_use]
    pub fn in_force(&self) -> String {
        let text = fs::read_to_string(self.file("in-force")).unwrap_or_default();
        let name = text.trim();
        if name.is_empty() { SHIPPED.to_owned() } else { name.to_owned() }
    }

    /// The layer with this name, for the shipped model `base`; `None` for the shipped one.
    ///
    /// # Errors
    /// When its file is damaged or foreign.
    pub fn load(&self, name: &str, base: &str) -> Result<Option<Layer>, ModelsError> {
        if name == SHIPPED {
            return Ok(None);
        }
        let file = self.file(&format!("{name}.layer"));
        let bytes = fs::read(&file).map_err(|source| ModelsError::File { file, source })?;
        Ok(Some(Layer::from_bytes(name, &bytes, base)?))
    }

    /// Names of all learnt models, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut found: Vec<(std::time::SystemTime, String)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().strip_suffix(".layer")?.to_owned();
                Some((entry.metadata().ok()?.modified().ok()?, name))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// The model whose name begins so.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn find(&self, start: &str) -> Result<String, ModelsError> {
        if start == SHIPPED {
            return Ok(SHIPPED.to_owned());
        }
        let mut found: Vec<String> = self.all().into_iter().filter(|name| name.starts_with(start)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(name), true) => Ok(name),
            (Some(_), false) => Err(ModelsError::Ambiguous(start.to_owned())),
            (None, _) => Err(ModelsError::Unknown(start.to_owned())),
        }
    }

    /// Files a layer and what is known of it; its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, layer: &Layer, card: &impl Serialize) -> Result<String, ModelsError> {
        let bytes = layer.to_bytes();
        let name = Layer::name_of(&bytes);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|s| failed(&self.0, s))?;
        self.write(&format!("{name}.layer"), &bytes)?;
        let card = serde_json::to_vec_pretty(card).unwrap_or_default();
        self.write(&format!("{name}.card.json"), &card)?;
        Ok(name)
    }

    /// What was found when a model was made.
    #[must_use]
    pub fn card<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.file(&format!("{name}.card.json"))).ok()?).ok()
    }

    /// Labels that are only suggested, because they are wrong too often.
    #[must_use]
    pub fn on_hold(&self) -> Vec<Label> {
        let text = fs::read_to_string(self.file("suggest-only")).unwrap_or_default();
        text.lines().filter_map(Label::from_word).collect()
    }

    /// Sets the labels that are only suggested; whether they are others than before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn hold(&self, labels: &[Label]) -> Result<bool, ModelsError> {
        if self.on_hold() == labels {
            return Ok(false);
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|s| failed(&self.0, s))?;
        let text: String = labels.iter().map(|label| format!("{label}\n")).collect();
        self.write("suggest-only", text.as_bytes())?;
        Ok(true)
    }

    /// Every change of the model in force, the oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Promotion> {
        let text = fs::read_to_string(self.file("history.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Puts a model in force, after its file was found good.
    ///
    /// # Errors
    /// When it is damaged or foreign, or the change cannot be written.
    pub fn promote(&self, name: &str, base: &str, by: &str, at: Timestamp) -> Result<(), ModelsError> {
        self.change(name, base, by, at, false)
    }

    /// Puts the model in force that was so before; its name.
    ///
    /// # Errors
    /// When there was none, or it is damaged.
    pub fn roll_back(&self, base: &str, by: &str, at: Timestamp) -> Result<String, ModelsError> {
        let now = self.in_force();
        let history = self.history();
        let came = history.iter().rev().find(|one| one.name == now && !one.back);
        let before = came.map(|one| one.was.clone()).ok_or(ModelsError::NothingBefore)?;
        self.change(&before, base, by, at, true)?;
        Ok(before)
    }

    fn change(&self, name: &str, base: &str, by: &str, at: Timestamp, back: bool) -> Result<(), ModelsError> {
        self.load(name, base)?;
        let was = self.in_force();
        if was == name {
            return Ok(());
        }
        let line = Promotion { at, name: name.to_owned(), was, by: by.to_owned(), back };
        let mut text = serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|s| failed(&self.0, s))?;
        let file = self.file("history.jsonl");
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).append(true).mode(0o600).open(&file);
        opened
            .and_then(|mut open| open.write_all(text.as_bytes()).and_then(|()| open.sync_all()))
            .map_err(|source| failed(&file, source))?;
        self.write("in-force", format!("{name}\n").as_bytes())
    }

    /// Whole or not at all, also when the power fails.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ModelsError> {
        let (file, new) = (self.file(name), self.file(&format!("{name}.new")));
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).write(true).truncate(true).mode(0o600).open(&new);
        opened
            .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()))
            .and_then(|()| fs::rename(&new, &file))
            .and_then(|()| File::open(&self.0)?.sync_all())
            .map_err(|source| failed(&file, source))
    }
}

fn failed(file: &Path, source: std::io::Error) -> ModelsError {
    ModelsError::File { file: file.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(bias: f32) -> Layer {
        let mut layer = Layer::nothing("base", vec![]);
        layer.bias[0] = bias;
        layer
    }

    #[test]
    fn going_back_gives_the_same_bytes_and_twice_goes_further() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::of(dir.path());
        assert_eq!(models.in_force(), SHIPPED);
        let first = models.add(&layer(1.0), &"card").unwrap();
        let second = models.add(&layer(2.0), &"card").unwrap();
        models.promote(&first, "base", "gate", Timestamp(1)).unwrap();
        let bytes = fs::read(dir.path().join("models").join(format!("{first}.layer"))).unwrap();
        models.promote(&second, "base", "gate", Timestamp(2)).unwrap();
        assert_eq!(models.roll_back("base", "anna", Timestamp(3)).unwrap(), first);
        assert_eq!(fs::read(dir.path().join("models").join(format!("{first}.layer"))).unwrap(), bytes);
        assert_eq!(models.load(&first, "base").unwrap(), Some(layer(1.0)));
        assert_eq!(models.roll_back("base", "anna", Timestamp(4)).unwrap(), SHIPPED);
        assert!(matches!(models.roll_back("base", "anna", Timestamp(5)), Err(ModelsError::NothingBefore)));
        assert_eq!(models.history().len(), 4);
        assert_eq!(models.find(second.get(..8).unwrap()).unwrap(), second);
        assert!(matches!(models.find("zz"), Err(ModelsError::Unknown(_))));
    }

    #[test]
    fn trainings_wait_for_one_another() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::of(dir.path());
        let first = models.queue(|| panic!("nothing to wait for")).unwrap();
        let second = models.clone();
        let (told, waits) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let _turn = second.queue(|| told.send("waits").unwrap()).unwrap();
            told.send("its turn").unwrap();
        });
        assert_eq!(waits.recv().unwrap(), "waits");
        assert!(waits.recv_timeout(std::time::Duration::from_millis(200)).is_err());
        drop(first);
        assert_eq!(waits.recv().unwrap(), "its turn");
        waiting.join().unwrap();
    }

    #[test]
    fn a_damaged_model_is_never_put_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let models = Models::of(dir.path());
        let name = models.add(&layer(1.0), &"card").unwrap();
        let file = dir.path().join("models").join(format!("{name}.layer"));
        let mut bytes = fs::read(&file).unwrap();
        bytes[60] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(matches!(
            models.promote(&name, "base", "anna", Timestamp(1)),
            Err(ModelsError::Layer(LayerError::Damaged { .. }))
        ));
        assert_eq!(models.in_force(), SHIPPED);
    }
}
