//! Model, rules and thresholds as one thing to ask.

use std::panic::resume_unwind;

use super::{Evidence, Label, Model, Reading, Rules, Scratch, Thresholds, Verdict, explain};
use crate::mail::{Language, Mail};

/// Model, rules and thresholds that are in force together.
#[derive(Debug)]
pub struct Classifier {
    /// The model.
    pub model: Model,
    /// The rules on top.
    pub rules: Rules,
    /// What the operator set over the model's thresholds.
    pub thresholds: Thresholds,
    /// Labels that are wrong too often of late: where one of them leads, a person looks.
    pub on_hold: Vec<Label>,
}

impl Classifier {
    /// The model and rules this program was built with, at the model's own thresholds.
    ///
    /// # Errors
    /// When they do not fit this program, one line each.
    pub fn shipped() -> Result<Self, String> {
        // neither needs the other, and both take their time
        let (model, rules) = std::thread::scope(|scope| {
            let rules = scope.spawn(Rules::shipped);
            (Model::shipped(), rules.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let model = model.map_err(|error| format!("the shipped model: {error}"))?;
        let rules = rules
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        Ok(Self { model, rules, thresholds: Thresholds::default(), on_hold: Vec::new() })
    }

    /// The verdict on `mail`.
    #[must_use]
    pub fn classify(&self, mail: &Mail) -> Verdict {
        self.classify_with(&mut Scratch::default(), mail)
    }

    /// As [`Classifier::classify`], with buffers kept from mail to mail.
    pub fn classify_with(&self, scratch: &mut Scratch, mail: &Mail) -> Verdict {
        let verdict = super::classify_with(scratch, mail, &self.model, &self.rules, &self.thresholds);
        self.held(verdict)
    }

    /// [`Classifier::classify_with`], and [`Classifier::reading`], in one look at the mail.
    pub fn classify_and_keep(&self, scratch: &mut Scratch, mail: &Mail) -> (Verdict, Option<Reading>) {
        if mail.automated.is_some() {
            return (self.classify_with(scratch, mail), None);
        }
        let mut reading = self.model.reading(scratch, mail);
        self.model.apply_layer(scratch);
        let verdict = self.held(super::judge(scratch, mail, &self.model, &self.rules, &self.thresholds));
        reading.rules.clone_from(&verdict.rules);
        (verdict, Some(reading))
    }

    fn held(&self, mut verdict: Verdict) -> Verdict {
        verdict.review |= verdict.primary().is_some_and(|label| self.on_hold.contains(&label));
        verdict
    }

    /// Why `mail` has the labels it has.
    #[must_use]
    pub fn evidence(&self, mail: &Mail) -> Vec<Evidence> {
        explain::evidence(mail, &self.model, &self.rules, &self.thresholds)
    }
}

impl Verdict {
    /// The verdict on a mail that could not be read: nothing is known, a person must look.
    #[must_use]
    pub const fn unread() -> Self {
        Self {
            labels: Vec::new(),
            review: true,
            scores: [0.0; Label::COUNT],
            language: Language::Other,
            rules: Vec::new(),
            own: Vec::new(),
        }
    }
}
