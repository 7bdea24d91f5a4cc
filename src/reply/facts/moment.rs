//! Dates, times, durations and deadlines.

use super::word::{Word, numeric};
use crate::reply::lexicon::{self, Lexicon};

/// `16:12`, `9:30am`, `4pm`.
pub(super) fn is_time(text: &str) -> bool {
    let hour = text.strip_suffix("am").or_else(|| text.strip_suffix("pm"));
    let spoken = hour.is_some_and(|hour| numeric(hour) && hour.len() <= 5);
    spoken || is_clock(text)
}

fn is_clock(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hour, minute)| {
        matches!(hour.len(), 1 | 2)
            && minute.len() >= 2
            && numeric(hour)
            && minute.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// `12.05`, `2026-11-20`, `3/4`.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    // "2-3" is a range
    let ranged = text.contains('-') && parts.len() == 2 && parts.iter().any(|part| part.len() != 2);
    matches!(parts.len(), 2 | 3)
        && !ranged
        && parts
            .iter()
            .all(|part| matches!(part.len(), 1 | 2 | 4) && part.chars().all(|c| c.is_ascii_digit()))
        && parts.first().zip(parts.get(1)).is_some_and(|(day, month)| {
            let number = |part: &str| part.parse::<u16>().unwrap_or(0);
            // a number of four digits in front is a year or no date at all
            let year = day.len() == 4 && (day.starts_with("19") || day.starts_with("20"));
            let (day, month) = if year { (1, number(month)) } else { (number(day), number(month)) };
            (1..=31).contains(&day) && (1..=31).contains(&month) && (day <= 12 || month <= 12)
        })
}

/// "16 days", "nine days", "the third week": a number, and a unit of time within two words.
pub(super) fn is_span(words: &[Word<'_>], at: usize, lists: &Lexicon) -> bool {
    let counted = words.get(at).is_some_and(|word| {
        word.bare.starts_with(|c: char| c.is_ascii_digit()) || lexicon::has(&word.folded, &lists.numerals)
    });
    counted
        && words.get(at..).into_iter().flatten().take(3).any(|word| {
            let unit = word.folded.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
            lexicon::has(unit, &lists.spans)
        })
}

/// "They said it would be here by Tuesday": the words before, up to where the clause begins.
fn was_promised(words: &[Word<'_>], at: usize, lists: &Lexicon) -> bool {
    let before = words.get(..at).unwrap_or_default().iter().rev().take_while(|word| !word.stops);
    before.take(CLAUSE).any(|word| lexicon::has(&word.folded, &lists.promised))
}

/// Words of a clause that are looked back at.
const CLAUSE: usize = 14;

/// "until Friday", "до 12 мая": the word before, and what follows if it is of the calendar. A bare
/// part of the day is none: "she sat there until the evening".
pub(super) fn deadline(words: &[Word<'_>], at: usize, lists: &Lexicon) -> Option<String> {
    let here = words.get(at)?;
    if here.stops || !lexicon::has(&here.folded, &lists.deadlines) || was_promised(words, at, lists) {
        return None;
    }
    let (mut last, mut counted) = (None, false);
    for ahead in 1..=3 {
        let Some(word) = words.get(at + ahead) else {
            break;
        };
        let part_of_day = lexicon::has(&word.folded, &lists.parts_of_day);
        let of_calendar =
            lexicon::has(&word.folded, &lists.calendar) && !part_of_day || part_of_day && counted;
        if of_calendar || is_time(word.bare) || is_date(word.bare) {
            last = Some(at + ahead);
        } else if !(numeric(word.bare) || ahead == 1 && word.bare.chars().count() <= 3) {
            break;
        }
        counted |= numeric(word.bare);
        if word.stops {
            break;
        }
    }
    let parts: Vec<&str> = words.get(at..=last?)?.iter().map(|word| word.bare).collect();
    Some(parts.join(" "))
}
