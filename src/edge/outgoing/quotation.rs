//! The customer's new text below a draft, as mail clients do it, and the draft's HTML twin. Nothing
//! of the customer's own HTML is taken over, so nothing is loaded from anywhere.

use crate::mail::parse::one_line;
use crate::mail::{Language, Mail};
use crate::reply::Draft;

/// Lines of the original that are quoted below a draft.
const QUOTED_LINES: usize = 400;

/// Whether the customer writes HTML.
pub(super) fn is_html(mail: &Mail) -> bool {
    let kind = mail.headers.iter().find(|(name, _)| name == "content-type");
    kind.is_some_and(|(_, kind)| {
        let kind = kind.trim_start().to_lowercase();
        ["text/html", "multipart/alternative", "multipart/related"].iter().any(|html| kind.starts_with(html))
    })
}

/// Who wrote and when, on one line.
fn lead(mail: &Mail, language: Language) -> String {
    let name = mail.sender().map(|s| if s.name.is_empty() { s.address.clone() } else { s.name.clone() });
    let name = one_line(&name.unwrap_or_default());
    let date = mail
        .date
        .and_then(|at| jiff::Timestamp::from_second(at.0).ok())
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d").to_string());
    match (language, date) {
        (Language::Es, Some(date)) => format!("El {date}, {name} escribió:"),
        (Language::Es, None) => format!("{name} escribió:"),
        (Language::Ru, Some(date)) => format!("{date}, {name} пишет:"),
        (Language::Ru, None) => format!("{name} пишет:"),
        (Language::Uk, Some(date)) => format!("{date}, {name} пише:"),
        (Language::Uk, None) => format!("{name} пише:"),
        (_, Some(date)) => format!("On {date}, {name} wrote:"),
        (_, None) => format!("{name} wrote:"),
    }
}

/// The original, each line behind `>`.
pub(super) fn plain(mail: &Mail, language: Language) -> String {
    let mut out = lead(mail, language);
    for line in mail.new_text.lines().take(QUOTED_LINES) {
        out.push_str(if line.starts_with('>') { "\n>" } else { "\n> " });
        out.push_str(line);
    }
    out
}

/// Draft and original as HTML; what the agent fills in is marked.
pub(super) fn html(mail: &Mail, draft: &Draft) -> String {
    let paragraphs = |text: &str| {
        let all =
            text.split("\n\n").map(|part| format!("<p>{}</p>\n", escaped(part).replace('\n', "<br>\n")));
        all.collect::<String>()
    };
    let mut body = paragraphs(draft.body.trim_end());
    for mark in &draft.fill_in {
        let mark = format!("[[{}]]", escaped(mark));
        body = body.replace(&mark, &format!("<mark>{mark}</mark>"));
    }
    let quoted: Vec<&str> = mail.new_text.lines().take(QUOTED_LINES).collect();
    format!(
        "<!DOCTYPE html>\n<html><body>\n{body}<p>{}</p>\n<blockquote>\n{}</blockquote>\n</body></html>\n",
        escaped(&lead(mail, draft.language)),
        paragraphs(&quoted.join("\n"))
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
