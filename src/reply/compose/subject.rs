//! The subject of a reply.

use crate::mail::Language;

/// Prefixes of replies and forwards, as mail programs of our languages write them.
const PREFIXES: [&str; 10] = ["re", "fw", "fwd", "aw", "rv", "отв", "на", "відп", "пер", "переслано"];

/// `Re: …` once, and the ticket number in brackets once.
pub(in crate::reply) fn reply(subject: &str, ticket: Option<&str>, language: Language) -> String {
    let clean: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut base = clean.trim();
    while let Some((prefix, rest)) = base.split_once(':') {
        let plain = prefix
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')'));
        if !PREFIXES.contains(&plain.to_lowercase().as_str()) {
            break;
        }
        base = rest.trim_start();
    }
    let base = if base.is_empty() { untitled(language) } else { base };
    match ticket.map(|ticket| format!("[{ticket}]")) {
        Some(tag) if !base.contains(&tag) => format!("Re: {base} {tag}"),
        _ => format!("Re: {base}"),
    }
}

const fn untitled(language: Language) -> &'static str {
    match language {
        Language::Es => "su mensaje",
        Language::Ru => "Ваше письмо",
        Language::Uk => "ваш лист",
        Language::En | Language::Other => "your message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_ticket_are_never_doubled() {
        let of = |subject, ticket| reply(subject, ticket, Language::En);
        assert_eq!(of("Re: RE[2]: Отв: door", None), "Re: door");
        assert_eq!(of("Re: door [EK-7]", Some("EK-7")), "Re: door [EK-7]");
        assert_eq!(of("door", Some("EK-7")), "Re: door [EK-7]");
        assert_eq!(of("", None), "Re: your message");
        assert_eq!(of("a\r\nBcc: x", None), "Re: a  Bcc: x");
    }
}
