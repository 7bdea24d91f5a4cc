//! What the attributes of an element say: hidden or shown, quote, signature.

use std::borrow::Cow;

/// How text in an element looks, as far as it decides whether it is seen.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own, set and undone alone")]
pub(super) struct Look {
    hidden: bool,
    // the three below are undone by an element further in
    tiny: bool,
    white: bool,
    dark: bool,
}

impl Look {
    /// Whether nobody sees text that looks so.
    pub(super) fn unseen(self) -> bool {
        self.hidden || self.tiny || (self.white && !self.dark)
    }
}

/// What an element means in a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    None,
    Quote,
    Original,
    Signature,
}

/// What Outlook calls the element that holds the earlier mail.
const ORIGINAL_IDS: &[&str] = &["divRplyFwdMsg", "mail-editor-reference-message-container"];

/// Adds an element's attributes to what it inherits.
pub(super) fn look(inherited: Look, attributes: &str) -> Look {
    let mut look = inherited;
    each(attributes, |name, value| match name {
        "hidden" => look.hidden = true,
        "bgcolor" | "background" => look.dark = !is_white(value),
        "color" => look.white = is_white(value),
        "style" => {
            for (property, value) in declarations(value) {
                match property.as_ref() {
                    "display" => look.hidden |= value.starts_with("none"),
                    "visibility" => look.hidden |= value.starts_with("hidden"),
                    "mso-hide" => look.hidden |= value.starts_with("all"),
                    "font-size" => look.tiny = is_zero(&value),
                    "max-height" | "opacity" => look.hidden |= is_zero(&value),
                    "background" | "background-color"
                        if !value.starts_with("none")
                            && !value.starts_with("inherit")
                            && value != "transparent" =>
                    {
                        look.dark = !is_white(&value);
                    }
                    "color" => look.white = is_white(&value),
                    _ => {}
                }
            }
        }
        _ => {}
    });
    look
}

/// What an element is in the clients that say so.
pub(super) fn role(name: &str, attributes: &str) -> Role {
    let mut role = if name == "blockquote" { Role::Quote } else { Role::None };
    let mut cited = false;
    each(attributes, |attribute, value| match attribute {
        "class" => {
            for class in value.split_whitespace() {
                match class.to_ascii_lowercase().as_str() {
                    "yahoo_quoted" | "protonmail_quote" | "zmail_extra" => role = Role::Quote,
                    "gmail_signature" | "moz-signature" | "protonmail_signature_block" => {
                        role = Role::Signature;
                    }
                    _ => {}
                }
            }
        }
        "type" => cited |= value.eq_ignore_ascii_case("cite"),
        "id" if ORIGINAL_IDS.iter().any(|id| value.eq_ignore_ascii_case(id)) => {
            role = Role::Original;
        }
        "id" if value.eq_ignore_ascii_case("Signature")
            || value.eq_ignore_ascii_case("ms-outlook-mobile-signature") =>
        {
            role = Role::Signature;
        }
        "style" if matches!(name, "div" | "blockquote") => {
            let style: String =
                value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
            // Outlook draws `border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm` above the quoted mail
            if name == "div"
                && style.starts_with("border:none;border-top:solid")
                && style.contains("padding:3.0pt0")
            {
                role = Role::Original;
            }
            // Gmail's and Outlook's way to indent one's own text
            if name == "blockquote" && style.contains("border:none") {
                role = Role::None;
            }
        }
        _ => {}
    });
    if cited { Role::Quote } else { role }
}

/// ASCII in lower case; most markup is already.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// Calls `read` with each attribute: name in lower case, value without its quotes.
fn each(attributes: &str, mut read: impl FnMut(&str, &str)) {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('=') {
            Some(value) => attribute_value(value.trim_start()),
            None => ("", after),
        };
        // a stray `=` has no name: step over it
        rest = if left.len() == rest.len() { left.get(1..).unwrap_or("") } else { left.trim_start() };
        read(&lower(name), value);
    }
}

fn attribute_value(value: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = value.find(char::is_whitespace).unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, ""))
}

fn declarations(style: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    style.split(';').filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        Some((lower(property.trim()), lower(value.trim())))
    })
}

/// `0`, `0px`, `0.0em`; also one pixel, which nobody reads.
fn is_zero(value: &str) -> bool {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '%' | '!' | ' '));
    digits.parse::<f32>().is_ok_and(|number| number == 0.0) || value.starts_with("1px")
}

fn is_white(value: &str) -> bool {
    let value: String =
        value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let value = value.trim_end_matches("!important");
    matches!(value, "white" | "#fff" | "#ffffff" | "#fefefe" | "ffffff" | "rgb(255,255,255)")
}
