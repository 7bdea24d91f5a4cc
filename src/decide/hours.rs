//! Business hours: whether somebody is there, and when so many hours of work have passed.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::reply::Company;
use crate::reply::company::Hours;
use crate::time::Timestamp;

/// How far ahead a working day is looked for, in days. A calendar without one runs round the clock.
const HORIZON_DAYS: u16 = 90;

fn zone(company: &Company) -> TimeZone {
    company.time_zone.as_ref().map_or(TimeZone::UTC, |zone| zone.0.clone())
}

fn local(company: &Company, at: Timestamp) -> DateTime {
    jiff::Timestamp::from_second(at.0).unwrap_or_default().to_zoned(zone(company)).datetime()
}

/// Opening and closing time of a date; `None` on a day off.
fn open_on(hours: &Hours, date: Date) -> Option<(DateTime, DateTime)> {
    let works = hours.days.iter().any(|day| day.weekday() == date.weekday())
        && !hours.holidays.iter().any(|off| off.0 == date);
    let (opens, closes) = (hours.from.0, hours.to.0);
    if !works {
        None
    } else if closes > opens {
        Some((date.to_datetime(opens), date.to_datetime(closes)))
    } else {
        let next = date.tomorrow().unwrap_or(date);
        Some((date.to_datetime(Time::midnight()), next.to_datetime(Time::midnight())))
    }
}

/// Whether somebody is there at `at`.
#[must_use]
pub fn is_open(company: &Company, at: Timestamp) -> bool {
    let now = local(company, at);
    open_on(&company.hours, now.date()).is_some_and(|(opens, closes)| opens <= now && now < closes)
}

/// The moment at which `minutes` of business have passed since `from`.
#[must_use]
pub fn after(company: &Company, from: Timestamp, minutes: u32) -> Timestamp {
    let start = local(company, from);
    let mut left = i64::from(minutes) * 60;
    let mut date = start.date();
    for _ in 0..HORIZON_DAYS {
        if let Some((opens, closes)) = open_on(&company.hours, date) {
            let begin = opens.max(start);
            let free = closes.duration_since(begin).as_secs();
            if free > 0 && left <= free {
                let Ok(due) = begin.checked_add(Span::new().seconds(left)) else { break };
                return zone(company)
                    .to_zoned(due)
                    .map_or(from, |zoned| Timestamp(zoned.timestamp().as_second()));
            }
            left -= free.max(0);
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    from.plus(std::time::Duration::from_secs(u64::from(minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> Company {
        toml::from_str(
            "time-zone = \"Europe/Kyiv\"\n[hours]\nfrom = \"09:00\"\nto = \"18:00\"\nholidays = [\"2026-11-23\"]",
        )
        .unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Zoned>().unwrap().timestamp().as_second())
    }

    #[test]
    fn hours_of_business_skip_night_weekend_and_holiday() {
        let friday = at("2026-11-20T17:00[Europe/Kyiv]");
        assert_eq!(after(&company(), friday, 120), at("2026-11-24T10:00[Europe/Kyiv]"));
        assert_eq!(after(&company(), friday, 60), at("2026-11-20T18:00[Europe/Kyiv]"));
        let night = at("2026-11-24T03:00[Europe/Kyiv]");
        assert_eq!(after(&company(), night, 30), at("2026-11-24T09:30[Europe/Kyiv]"));
    }

    #[test]
    fn a_change_of_the_clock_takes_no_hour_of_work() {
        // in Kyiv clocks go back on Sunday, 25 October 2026
        let friday = at("2026-10-23T17:30[Europe/Kyiv]");
        assert_eq!(after(&company(), friday, 60), at("2026-10-26T09:30[Europe/Kyiv]"));
    }

    #[test]
    fn somebody_is_there_in_business_hours_only() {
        assert!(is_open(&company(), at("2026-11-20T09:00[Europe/Kyiv]")));
        assert!(!is_open(&company(), at("2026-11-20T18:00[Europe/Kyiv]")));
        assert!(!is_open(&company(), at("2026-11-21T12:00[Europe/Kyiv]")));
        assert!(!is_open(&company(), at("2026-11-23T12:00[Europe/Kyiv]")), "a holiday");
    }

    #[test]
    fn a_company_without_a_working_day_counts_round_the_clock() {
        let never: Company = toml::from_str("[hours]\ndays = []").unwrap();
        assert_eq!(after(&never, Timestamp(0), 60), Timestamp(3_600));
    }
}
