//! Signatures, mobile footers and disclaimers at the end of the new text.

use super::lines::is_rule;
use super::words::{self, any};

/// Longest footer in bytes.
const MAX_FOOTER: usize = 120;

/// Divides new lines into what is said and what is appended to every mail.
pub(super) fn cut<'t>(lines: &[&'t str]) -> (Vec<&'t str>, Vec<&'t str>) {
    let at = (0..lines.len()).find(|at| begins(lines, *at)).unwrap_or(lines.len());
    let (said, appended) = lines.split_at_checked(at).unwrap_or((lines, &[]));
    (said.to_vec(), appended.to_vec())
}

/// Whether the signature begins on this line.
fn begins(lines: &[&str], at: usize) -> bool {
    let Some(line) = lines.get(at).map(|l| l.trim()).filter(|l| !l.is_empty()) else {
        return false;
    };
    let rest = lines.get(at + 1..).unwrap_or_default();
    // more than a signature holds is enough to know
    let following = || rest.iter().filter(|l| !l.trim().is_empty()).take(16);
    if matches!(line, "--" | "\u{2014}" | "__" | "\u{2014}\u{2014}") {
        // a dash in the middle of a long letter divides its parts
        return following().count() <= 12;
    }
    if is_rule(line) {
        return follows_rule(&following().copied().collect::<Vec<_>>(), line.starts_with("____"));
    }
    is_notice(crate::mail::parse::head(line, 300))
        || (is_footer(line)
            && following().filter(|l| !is_footer(l)).count() <= 3
            && following().all(|l| l.len() < MAX_FOOTER))
}

/// A rule before nothing but footers, or a line of underscores before a name.
fn follows_rule(following: &[&str], underscores: bool) -> bool {
    let is_appended = |line: &&str| is_rule(line) || is_footer(line);
    following.iter().all(is_appended)
        || following.first().is_some_and(|line| is_notice(line))
        || (underscores && following.len() <= 2 && following.iter().all(|line| line.len() < 60))
        || is_card(following)
}

/// A few short lines with an address or a telephone number in them.
fn is_card(lines: &[&str]) -> bool {
    let digits = |line: &str| line.chars().filter(char::is_ascii_digit).count();
    let reached = |line: &&str| line.contains('@') || digits(line) >= 7;
    (2..=6).contains(&lines.len()) && lines.iter().all(|line| line.len() < 60) && lines.iter().any(reached)
}

/// A line that a phone or a mail program appends.
pub(super) fn is_footer(line: &str) -> bool {
    let start = line.trim_start_matches(['(', '<', '*', '_', '[', '-', '\u{2014}', ' ']);
    line.len() <= MAX_FOOTER && words::STARTS_FOOTER.of(start)
}

/// The first line of a confidentiality notice.
fn is_notice(line: &str) -> bool {
    let start = line.trim_start_matches(['*', '_', ' ', '(']);
    words::STARTS_NOTICE.of(start) && {
        let lower = start.to_lowercase();
        any(words::NOTICE_PROOF, |proof| lower.contains(proof))
    }
}
