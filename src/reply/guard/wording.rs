//! The rules that can be checked on a single wording, before any mail.

use super::{Broken, Rule, broken, language, marks, phrases};
use crate::mail::Language;
use crate::reply::lexicon;

/// Every rule a wording breaks by itself: slots stand for something harmless.
#[must_use]
pub fn check_wording(tongue: Language, template: &str) -> Vec<Broken> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        text.push('·');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let lists = lexicon::of(tongue);
    let mut found = phrases(&text, lists);
    found.extend(marks(&text, false));
    found.extend(language(&text, tongue, lists));
    if text.chars().any(|c| c.is_ascii_digit()) {
        found.push(broken(Rule::UnknownNumber, &text));
    }
    found
}
