//! Single tags, entities, and which elements are what.

use mail_parser::decoders::html::add_html_token;

/// Cuts a tag at its `>`, stepping over quoted attribute values. Once one is never closed, which costs
/// a look at the whole rest, quotes are respected no longer.
pub(super) fn split_tag<'h>(body: &'h str, unclosed: &mut bool) -> (&'h str, &'h str) {
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in body.char_indices().take_while(|_| !*unclosed) {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') if last == '=' => quote = Some(c),
            (None, '>') => {
                return (body.get(..at).unwrap_or(""), body.get(at + 1..).unwrap_or(""));
            }
            _ => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    // end at the first `>` after all
    *unclosed = true;
    body.split_once('>').unwrap_or((body, ""))
}

/// What follows the end tag of an element whose content is not shown.
pub(super) fn skip_element<'h>(rest: &'h str, name: &str) -> Option<&'h str> {
    let mut left = rest;
    while let Some((_, tag)) = left.split_once("</") {
        if tag.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return Some(tag.split_once('>').map_or("", |t| t.1));
        }
        left = tag;
    }
    None
}

/// The character reference at the start of `text`, which begins with `&`, and what follows it.
pub(super) fn entity(text: &str) -> (char, &str) {
    let plain = ('&', text.get(1..).unwrap_or(""));
    let Some((end, _)) = text
        .char_indices()
        .take(34)
        .find(|(at, c)| *c == ';' || (*at > 0 && !c.is_ascii_alphanumeric() && *c != '#'))
    else {
        return plain;
    };
    let (Some(token), Some(rest)) = (text.get(..=end), text.get(end + 1..)) else {
        return plain;
    };
    if !token.ends_with(';') {
        return plain;
    }
    let mut decoded = String::new();
    add_html_token(&mut decoded, token.as_bytes(), false);
    let mut chars = decoded.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => (c, rest),
        _ => plain,
    }
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "tr"
            | "table"
            | "ul"
            | "ol"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "blockquote"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "pre"
            | "center"
            | "form"
            | "dl"
            | "dt"
            | "dd"
            | "address"
            | "body"
            | "html"
            | "tbody"
            | "thead"
            | "fieldset"
            | "main"
            | "nav"
            | "aside"
            | "figure"
    )
}

pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr"
            | "img"
            | "input"
            | "meta"
            | "link"
            | "area"
            | "base"
            | "col"
            | "embed"
            | "source"
            | "wbr"
            | "param"
    ) || name.starts_with(['!', '?'])
}
