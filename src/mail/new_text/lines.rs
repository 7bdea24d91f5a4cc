//! Single lines: quote marks and rules.

/// Whether the line carries a quote mark: `>`, `|`, or initials and `>`.
pub(super) fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    let initials = line.bytes().take_while(u8::is_ascii_uppercase).count();
    line.starts_with('>')
        || (initials > 0 && initials <= 3 && line.as_bytes().get(initials) == Some(&b'>'))
        || line.strip_prefix('|').is_some_and(|rest| {
            // a table has more of them
            (rest.is_empty() || rest.starts_with(' ')) && !rest.contains('|')
        })
}

/// The line without its outermost quote mark.
pub(super) fn unquoted(line: &str) -> &str {
    let start = line.trim_start();
    match start.strip_prefix('>') {
        Some(inner) => inner.strip_prefix(' ').unwrap_or(inner),
        None => line,
    }
}

/// The line without quote marks, bold marks and surrounding space.
pub(super) fn bare(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t', '*', '_', '|', '<', '\u{2022}'])
        .trim_end_matches([' ', '\t', '*'])
}

/// Whether the line is a rule: at least four of `-`, `_`, `=`, `*`, `~`, `+`, `#`, and nothing else.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim_start_matches(['>', ' ']);
    line.len() >= 4
        && line
            .chars()
            .all(|c| matches!(c, '-' | '_' | '=' | '*' | '~' | '+' | '#' | '\u{2014}' | '\u{2500}'))
}
