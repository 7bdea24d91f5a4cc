//! The text of an iCalendar object (RFC 5545), for mails that have no other.

/// What an invitation says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Calendar {
    /// `METHOD`, lower case; empty when there is none.
    pub(super) method: String,
    /// Summary, place and description, each on lines of its own.
    pub(super) text: String,
}

/// Properties that are read, in the order in which they are shown.
const SHOWN: [&str; 4] = ["SUMMARY", "LOCATION", "DESCRIPTION", "COMMENT"];

/// Reads the first event, task or note of an object.
pub(super) fn read(source: &str) -> Calendar {
    let mut calendar = Calendar::default();
    let mut found: [Option<String>; SHOWN.len()] = Default::default();
    let mut inside: Option<String> = None;
    for line in unfolded(source) {
        let Some((name, value)) = property(&line) else { continue };
        match (name.as_str(), &inside) {
            ("METHOD", None) => calendar.method = value.trim().to_lowercase(),
            ("BEGIN", None) if matches!(value.trim(), "VEVENT" | "VTODO" | "VJOURNAL") => {
                inside = Some(value.trim().to_owned());
            }
            ("END", Some(component)) if value.trim() == component => break,
            // an alarm within the event says nothing new
            ("BEGIN", Some(_)) => break,
            (name, Some(_)) => {
                if let Some(place) =
                    SHOWN.iter().position(|shown| *shown == name).and_then(|at| found.get_mut(at))
                {
                    place.get_or_insert_with(|| unescaped(value));
                }
            }
            _ => {}
        }
    }
    let said = found.into_iter().flatten().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    calendar.text = said.collect::<Vec<_>>().join("\n\n");
    calendar
}

/// Content lines; a line that begins with a space belongs to the one above (RFC 5545 §3.1).
fn unfolded(source: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in source.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name in capitals and value of a content line; parameters are left out, their quotes respected.
fn property(line: &str) -> Option<(String, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == ':' && !quoted).then_some(at)
    })?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.split(';').next().unwrap_or(name).to_ascii_uppercase();
    Some((name, value.strip_prefix(':').unwrap_or(value)))
}

/// TEXT of RFC 5545 §3.3.11.
fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_gives_its_words() {
        let source = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nCOMMENT:no\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
                      SUMMARY;LANGUAGE=\"a:b\":Call about\r\n  order\\, 4471\r\nDESCRIPTION:Hello\\nthere\r\nBEGIN:VALARM\r\n\
                      DESCRIPTION:Reminder\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let calendar = read(source);
        assert_eq!(calendar.method, "request");
        assert_eq!(calendar.text, "Call about order, 4471\n\nHello\nthere");
        assert_eq!(read("nothing of the kind"), Calendar::default());
    }
}
