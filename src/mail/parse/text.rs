//! Decoded text as the rest of the program takes it.

use super::{head, is_invisible};

/// Line ends as `\n`, no control characters but tab.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n'));
        let bare = content.unwrap_or(line);
        // nearly every line: nothing in it that is not kept
        if bare.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
            out.push_str(bare);
        } else {
            tidy_line(bare, &mut out);
        }
        if content.is_some() {
            out.push('\n');
        }
    }
    out
}

/// Adds a line that may hold anything but its line end.
fn tidy_line(line: &str, out: &mut String) {
    for c in line.chars() {
        match c {
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            '\u{a0}' => out.push(' '),
            c if (c.is_control() && c != '\t') || is_invisible(c) => {}
            c => out.push(c),
        }
    }
}

/// Paragraphs of `format=flowed` (RFC 3676 §4.2) on one line each.
pub(super) fn unflow(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let content = line.trim_start_matches('>');
        let content = content.strip_prefix(' ').unwrap_or(content);
        if open != Some(depth) {
            if open.is_some() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let soft = content.ends_with(' ') && content != "-- ";
        out.push_str(if soft && delete_space { content.trim_end_matches(' ') } else { content });
        if soft {
            open = Some(depth);
        } else {
            out.push('\n');
            open = None;
        }
    }
    out
}

pub(super) fn looks_like_html(text: &str) -> bool {
    let start = head(text.trim_start(), 15).to_ascii_lowercase();
    start.starts_with("<html") || start.starts_with("<!doctype html")
}
