//! What a draft is wanted for, whatever the classifier finds.

use crate::classify::Label;
use crate::decide::Name;
use crate::reply::Occasion;

/// The argument of `draft --for`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What no mail asks for by itself.
    Occasion(Occasion),
    /// An answer as if the mail had these labels, and surely.
    Labels(Vec<Label>),
    /// An answer by the playbook of a label of the company's own.
    Own(Name),
}

/// What is said of a word that nothing is called by.
#[must_use]
pub fn unknown(word: &str) -> String {
    format!(
        "there is no label or occasion {word:?}; use closing, follow-up, decline, labels as in abuse+complaint, or \
         a label of your own that has a playbook"
    )
}

/// An occasion by its word, labels with `+` between them, or a label of the company's own.
///
/// # Errors
/// When there is none of that name.
pub fn parse(words: &str) -> Result<Purpose, String> {
    if let Some(known) = Occasion::ALL.into_iter().find(|occasion| occasion.as_str() == words) {
        return Ok(Purpose::Occasion(known));
    }
    let label = |word| Label::from_word(word).ok_or_else(|| unknown(word));
    if let (None, Ok(own)) = (Label::from_word(words), Name::new(words)) {
        return Ok(Purpose::Own(own));
    }
    words.split('+').map(label).collect::<Result<_, _>>().map(Purpose::Labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occasion_or_labels_are_told_apart() {
        assert_eq!(parse("decline"), Ok(Purpose::Occasion(Occasion::Decline)));
        assert_eq!(parse("abuse+complaint"), Ok(Purpose::Labels(vec![Label::Abuse, Label::Complaint])));
        assert!(parse("complaint+joy").is_err_and(|why| why.contains("\"joy\"")));
    }
}
