//! What a draft is wanted for, whatever the classifier finds.

use crate::classify::Label;
use crate::reply::Occasion;

/// The argument of `draft --for`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What no mail asks for by itself.
    Occasion(Occasion),
    /// An answer as if the mail had these labels, and surely.
    Labels(Vec<Label>),
}

/// An occasion by its word, or labels with `+` between them.
///
/// # Errors
/// When there is none of that name.
pub fn parse(words: &str) -> Result<Purpose, String> {
    if let Some(known) = Occasion::ALL.into_iter().find(|occasion| occasion.as_str() == words) {
        return Ok(Purpose::Occasion(known));
    }
    let label = |word| {
        Label::from_word(word).ok_or_else(|| {
            format!(
                "there is no label or occasion {word:?}; use closing, follow-up, decline, or labels as in \
                 abuse+complaint"
            )
        })
    };
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
