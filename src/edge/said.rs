//! What servers say, as it may stand in a log.

/// The first `most` characters, controls replaced, of addresses only what tells them apart.
#[must_use]
pub(crate) fn said(text: &str, most: usize) -> String {
    let shown: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let apart = |c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c);
    shown.split_inclusive(apart).map(masked).collect()
}

/// An address with the first letter of whom it is; anything else as it is.
#[must_use]
pub(crate) fn masked(word: &str) -> String {
    match word.split_once('@') {
        Some((who, place)) if !who.is_empty() && place.starts_with(char::is_alphanumeric) => {
            format!("{}…@{place}", who.chars().take(1).collect::<String>())
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_that_a_server_repeats_only_a_letter_is_left() {
        let text =
            "550 5.1.1 <nobody@example.test>: rejected, ask postmaster@example.test, or @home (a@b)\r\n";
        assert_eq!(
            said(text, 200),
            "550 5.1.1 <n…@example.test>: rejected, ask p…@example.test, or @home (a…@b)  "
        );
        assert_eq!(said("жук@пошта.укр", 200), "ж…@пошта.укр");
        assert_eq!(said("0123456789", 4), "0123");
        assert_eq!(masked("support"), "support");
    }
}
