//! Drafts for labels of the company's own.
//!
//! What its playbook for such a label says is laid over the shipped `question`, and over `complaint`
//! for mails that tell what failed and ask nothing: what it leaves out is said as there.

use std::collections::{BTreeMap, BTreeSet};

use super::name::Name;
use super::route::DraftBy;
use crate::classify::{Label, Verdict};
use crate::mail::Language;
use crate::reply::playbook::folder;
use crate::reply::{PlaybookProblem, Playbooks};

/// The shipped playbooks that one of the company's own is laid over.
const UNDER: [Label; 2] = [Label::Question, Label::Complaint];

/// A playbook file under the name of a label of the company's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Its folder.
    pub language: Language,
    /// Its label.
    pub label: Name,
    /// What stands in it.
    pub text: String,
}

/// The playbooks under names of the company's own labels.
#[derive(Clone, Debug, Default)]
pub struct OwnPlaybooks(BTreeMap<String, OwnPlaybook>);

#[derive(Clone, Debug, Default)]
struct OwnPlaybook {
    languages: BTreeSet<Language>,
    playbooks: Playbooks,
}

impl OwnPlaybooks {
    /// Lays `files` over the shipped playbooks and those in `company` (path and text).
    ///
    /// # Errors
    /// Every problem of the files at once.
    pub fn parse(company: &[(&str, &str)], files: &[OwnFile]) -> Result<Self, Vec<PlaybookProblem>> {
        let mut own = Self::default();
        let mut problems: Vec<PlaybookProblem> = Vec::new();
        let labels: BTreeSet<Name> = files.iter().map(|file| file.label).collect();
        for label in labels {
            let mine: Vec<&OwnFile> = files.iter().filter(|file| file.label == label).collect();
            let laid: Vec<(String, &str)> = mine
                .iter()
                .flat_map(|file| UNDER.map(|under| (path(file.language, under.as_str()), file.text.as_str())))
                .collect();
            let over = laid.iter().map(|(path, text)| (path.as_str(), *text));
            let all: Vec<(&str, &str)> = company.iter().copied().chain(over).collect();
            match Playbooks::with(&all) {
                Ok(playbooks) => {
                    let languages = mine.iter().map(|file| file.language).collect();
                    own.0.insert(label.to_string(), OwnPlaybook { languages, playbooks });
                }
                Err(found) => {
                    for mut problem in found {
                        if let Some((folder, _)) = problem.file.split_once('/') {
                            problem.file = format!("{folder}/{label}.toml");
                        }
                        if !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
            }
        }
        if problems.is_empty() { Ok(own) } else { Err(problems) }
    }

    /// The labels that have one.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The playbooks for a label in a language.
    #[must_use]
    pub fn of(&self, label: &str, language: Language) -> Option<Own<'_>> {
        let (label, own) = self.0.get_key_value(label)?;
        own.languages.contains(&language).then_some(Own { label, playbooks: &own.playbooks })
    }

    /// The one that a mail is answered by: that of the route, or of a label that was found where the
    /// labels decide and none is graver than what a company's own can be about.
    #[must_use]
    pub fn chosen(&self, by: DraftBy, verdict: &Verdict) -> Option<Own<'_>> {
        match by {
            DraftBy::Own(name) => self.of(name.as_str(), verdict.language),
            DraftBy::Labels if verdict.primary().is_none_or(|label| label > Label::Panic) => {
                verdict.own.iter().find_map(|own| self.of(&own.label, verdict.language))
            }
            DraftBy::Labels | DraftBy::None | DraftBy::Playbook(_) => None,
        }
    }
}

/// A playbook of the company's own, ready for a draft.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Its label.
    pub label: &'a str,
    /// What a draft is made from.
    pub playbooks: &'a Playbooks,
}

impl Own<'_> {
    /// The labels a draft by it is asked for with.
    pub const LABELS: [Label; 1] = [Label::Question];
}

fn path(language: Language, name: &str) -> String {
    format!("{}/{name}.toml", folder(language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Finding, OwnFinding};

    fn file(language: Language, text: &str) -> OwnFile {
        OwnFile { language, label: Name::new("fitting").unwrap(), text: text.to_owned() }
    }

    const GOOD: &str = "moves = [[\"greet\"], [\"visit\"], [\"next\"], [\"sign\"]]\n[say]\n\
        visit = [\"Our fitter will come to you.\", \"A fitter will see to it at your place.\", \"We send a fitter.\"]\n\
        next = [\"I will answer {{ by }}.\", \"You will have my answer {{ by }}.\", \"I will write to you {{ by }}.\"]\n";

    #[test]
    fn it_answers_where_its_label_is_found_and_nothing_graver_or_where_a_route_names_it() {
        let own = OwnPlaybooks::parse(&[], &[file(Language::En, GOOD)]).unwrap();
        let mut verdict = Verdict { language: Language::En, ..Verdict::unread() };
        let chosen = |by, verdict: &Verdict| own.chosen(by, verdict).map(|own| own.label.to_owned());
        assert_eq!(chosen(DraftBy::Labels, &verdict), None);
        let route = DraftBy::Own(Name::new("fitting").unwrap());
        assert_eq!(chosen(route, &verdict).as_deref(), Some("fitting"));
        verdict.own = vec![OwnFinding { label: "fitting".into(), probability: 0.9 }];
        assert_eq!(chosen(DraftBy::Labels, &verdict).as_deref(), Some("fitting"));
        assert_eq!(chosen(DraftBy::Playbook(Label::Idea), &verdict), None);
        verdict.labels = vec![Finding { label: Label::Complaint, probability: 0.9 }];
        assert_eq!(chosen(DraftBy::Labels, &verdict).as_deref(), Some("fitting"));
        verdict.labels = vec![Finding { label: Label::Abuse, probability: 0.9 }];
        assert_eq!(chosen(DraftBy::Labels, &verdict), None);
        verdict.language = Language::Es;
        assert_eq!(chosen(route, &verdict), None, "there is none in that language");
    }

    #[test]
    fn what_is_wrong_with_it_is_told_once_and_under_its_own_name() {
        let bad = "moves = [[\"greet\"], [\"visit\"], [\"open\"], [\"sign\"]]\n[say]\nvisit = [\"Calm down, {{ nmae }}.\"]\n";
        let problems = OwnPlaybooks::parse(&[], &[file(Language::En, bad)]).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|problem| problem.starts_with("en/fitting.toml: ")), "{told:#?}");
        assert_eq!(
            told.iter().filter(|problem| problem.contains("nmae") && problem.contains("no slot")).count(),
            1,
            "{told:#?}"
        );
    }
}
