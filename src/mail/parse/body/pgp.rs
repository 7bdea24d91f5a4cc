//! `OpenPGP` in the text itself (RFC 9580 §6 and §7): armour is no text, what was signed is.

use crate::mail::Protection;

const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const MESSAGE: &str = "-----BEGIN PGP MESSAGE-----";

/// The text without armour, and what protects it; `None` if nothing does.
pub(super) fn readable(text: &str) -> Option<(Protection, String)> {
    if !text.contains("-----BEGIN PGP ") {
        return None;
    }
    let mut protection = None;
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines();
    let mut signed = false;
    while let Some(line) = lines.next() {
        match line.trim_end() {
            SIGNED => {
                protection = protection.or(Some(Protection::PgpSigned));
                signed = true;
                // hash headers up to the empty line
                lines.by_ref().find(|line| line.trim().is_empty());
            }
            begin if begin.starts_with("-----BEGIN PGP ") => {
                if begin == MESSAGE {
                    protection = Some(Protection::PgpEncrypted);
                }
                signed &= begin != SIGNATURE;
                lines.by_ref().find(|line| line.starts_with("-----END PGP "));
            }
            _ => {
                // dash-escaped (RFC 9580 §7.2)
                out.push_str(if signed { line.strip_prefix("- ").unwrap_or(line) } else { line });
                out.push('\n');
            }
        }
    }
    protection.map(|protection| (protection, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_read_and_armour_is_not() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHola\n- -- \nAna\n-----BEGIN PGP SIGNATURE-----\n\
                    iQ==\n-----END PGP SIGNATURE-----\nPS\n";
        assert_eq!(readable(text), Some((Protection::PgpSigned, "Hola\n-- \nAna\nPS\n".to_owned())));
        let text = "See:\n-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n";
        assert_eq!(readable(text), Some((Protection::PgpEncrypted, "See:\n".to_owned())));
        assert_eq!(readable("-----BEGIN PGP"), None);
    }
}
