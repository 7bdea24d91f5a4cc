//! Promises of time: counted in business hours of the company's zone, written as people write
//! them in each language.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::company::{Company, Hours};
use crate::mail::Language;
use crate::time::Timestamp;

/// How far ahead a working day is looked for, in days. A calendar without one gives plain hours.
const HORIZON_DAYS: u16 = 60;

/// A moment by which the customer hears from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The moment.
    pub at: Timestamp,
    /// The moment as an adverbial: `by 3 pm today`, `не позднее четверга, 26 ноября`.
    pub words: String,
    /// The greeting of this hour in the company's zone: `Buenas tardes`.
    pub good_day: String,
    /// When somebody is there again, where nobody is now: `on Monday, 23 November, from 9 am`.
    pub back: Option<String>,
}

/// The moment `hours` of business after `now`, rounded up to a full hour within business hours;
/// more than a day's worth is promised by the day.
#[must_use]
pub fn promise(company: &Company, language: Language, now: Timestamp, hours: u16) -> Promise {
    let zone = company.time_zone.as_ref().map_or(TimeZone::UTC, |zone| zone.0.clone());
    let stamp = jiff::Timestamp::from_second(now.0).unwrap_or_default();
    let start = stamp.to_zoned(zone.clone()).datetime();
    // Nobody knows whose clock it is where the company names no zone.
    let by_day = hours > 8 || company.time_zone.is_none();
    let mut due = due(&company.hours, start, hours);
    let soon = hours <= 2 && due.date() == start.date();
    if by_day && !soon {
        due = due.date().to_datetime(closing(&company.hours));
    }
    let at = zone.to_zoned(due).map_or(now, |zoned| Timestamp(zoned.timestamp().as_second()));
    let clock = (!by_day).then(|| clock(language, due.time()));
    let today = due.date() == start.date();
    let words = if by_day && soon {
        within(language, hours).to_owned()
    } else {
        words(language, due.date(), today, clock.as_deref())
    };
    let zoned = company.time_zone.is_some();
    let back = opening(&company.hours, start)
        // without a zone the hour is nobody's
        .filter(|opens| zoned || opens.date() != start.date())
        .map(|opens| {
            let hour = zoned.then(|| self::clock(language, opens.time()));
            back(language, opens.date(), opens.date() == start.date(), hour.as_deref())
        });
    Promise { at, words, good_day: good_day(language, start.time()).to_owned(), back }
}

/// When the next working day begins; `None` while somebody is there, or where the calendar has none.
fn opening(hours: &Hours, start: DateTime) -> Option<DateTime> {
    let around_the_clock = hours.to.0 <= hours.from.0;
    let opens = if around_the_clock { Time::midnight() } else { hours.from.0 };
    let mut date = start.date();
    for _ in 0..HORIZON_DAYS {
        if works(hours, date) {
            let today = date == start.date();
            if today && start.time() >= opens && (around_the_clock || start.time() < hours.to.0) {
                return None;
            }
            if !today || start.time() < opens {
                return Some(date.to_datetime(opens));
            }
        }
        date = date.tomorrow().ok()?;
    }
    None
}

/// Closes the apposition of a date inside a Russian or Ukrainian sentence: `до среды, 25 ноября, …`.
#[must_use]
pub fn close(text: &str, words: &str, language: Language) -> String {
    let apposed = words.contains(',') && !words.ends_with(|c: char| c.is_ascii_digit());
    if matches!(language, Language::Ru | Language::Uk) && apposed {
        text.replace(&format!("{words} "), &format!("{words}, "))
    } else {
        text.to_owned()
    }
}

fn closing(hours: &Hours) -> Time {
    if hours.to.0 > hours.from.0 { hours.to.0 } else { Time::constant(23, 59, 0, 0) }
}

fn works(hours: &Hours, date: Date) -> bool {
    hours.days.iter().any(|day| day.weekday() == date.weekday())
        && !hours.holidays.iter().any(|off| off.0 == date)
}

/// Walks over working days, spending `hours` inside their opening times.
fn due(hours: &Hours, start: DateTime, wanted: u16) -> DateTime {
    let (opens, closes) = if hours.to.0 > hours.from.0 {
        (hours.from.0, hours.to.0)
    } else {
        (Time::midnight(), Time::constant(23, 59, 0, 0))
    };
    let mut left = i64::from(wanted) * 60;
    let mut date = start.date();
    for _ in 0..HORIZON_DAYS {
        if works(hours, date) {
            let from = if date == start.date() { start.time().max(opens) } else { opens };
            let free = minutes(closes) - minutes(from);
            if free > 0 && left <= free {
                let exact = minutes(from) + left;
                let full = (exact + 59) / 60 * 60;
                return date.to_datetime(time_of(full.min(minutes(closes))));
            }
            left -= free.max(0);
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    start.checked_add(jiff::Span::new().minutes(i64::from(wanted) * 60)).unwrap_or(start)
}

fn minutes(time: Time) -> i64 {
    i64::from(time.hour()) * 60 + i64::from(time.minute())
}

fn time_of(minutes: i64) -> Time {
    let hour = i8::try_from(minutes / 60).unwrap_or(23);
    let minute = i8::try_from(minutes % 60).unwrap_or(0);
    Time::new(hour, minute, 0, 0).unwrap_or(Time::constant(23, 59, 0, 0))
}

/// An hour or two, where no zone says which hour of the day that is.
const fn within(language: Language, hours: u16) -> &'static str {
    match (language, hours) {
        (Language::Es, ..2) => "en menos de una hora",
        (Language::Es, _) => "en menos de dos horas",
        (Language::Ru, ..2) => "в течение часа",
        (Language::Ru, _) => "в течение двух часов",
        (Language::Uk, ..2) => "протягом години",
        (Language::Uk, _) => "протягом двох годин",
        (Language::En | Language::Other, ..2) => "within the hour",
        (Language::En | Language::Other, _) => "within two hours",
    }
}

fn good_day(language: Language, time: Time) -> &'static str {
    let part = match time.hour() {
        4..=11 => 0,
        12..=17 => 1,
        _ => 2,
    };
    let all = match language {
        Language::Es => ["Buenos días", "Buenas tardes", "Buenas noches"],
        Language::Ru => ["Доброе утро", "Добрый день", "Добрый вечер"],
        Language::Uk => ["Доброго ранку", "Доброго дня", "Доброго вечора"],
        Language::En | Language::Other => ["Good morning", "Good afternoon", "Good evening"],
    };
    all.into_iter().nth(part).unwrap_or("")
}

fn clock(language: Language, time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    if language == Language::En {
        let half = if hour < 12 { "am" } else { "pm" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        if minute == 0 { format!("{twelve} {half}") } else { format!("{twelve}:{minute:02} {half}") }
    } else {
        format!("{hour}:{minute:02}")
    }
}

const EN_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ES_DAYS: [&str; 7] = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];
const ES_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
/// With the preposition of the accusative.
const RU_ON: [&str; 7] =
    ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"];
const RU_OF: [&str; 7] =
    ["понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья"];
const RU_MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const UK_ON: [&str; 7] =
    ["у понеділок", "у вівторок", "у середу", "у четвер", "у п'ятницю", "у суботу", "у неділю"];
const UK_OF: [&str; 7] = ["понеділка", "вівторка", "середи", "четверга", "п'ятниці", "суботи", "неділі"];
const UK_MONTHS: [&str; 12] = [
    "січня",
    "лютого",
    "березня",
    "квітня",
    "травня",
    "червня",
    "липня",
    "серпня",
    "вересня",
    "жовтня",
    "листопада",
    "грудня",
];

fn words(language: Language, date: Date, today: bool, clock: Option<&str>) -> String {
    let day = date.day();
    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
    let month = usize::try_from(date.month()).unwrap_or(1).saturating_sub(1);
    let name = |table: &'static [&'static str], at: usize| table.get(at).copied().unwrap_or("");
    match (language, clock, today) {
        (Language::Es, Some(clock), true) => format!("hoy antes de las {clock}"),
        (Language::Es, Some(clock), false) => {
            format!(
                "el {} {day} de {} antes de las {clock}",
                name(&ES_DAYS, weekday),
                name(&ES_MONTHS, month)
            )
        }
        (Language::Es, None, true) => "hoy a lo largo del día".to_owned(),
        (Language::Ru, None, true) => "сегодня до конца дня".to_owned(),
        (Language::Uk, None, true) => "сьогодні до кінця дня".to_owned(),
        (_, None, true) => "by the end of today".to_owned(),
        (Language::Es, None, _) => {
            format!("a más tardar el {} {day} de {}", name(&ES_DAYS, weekday), name(&ES_MONTHS, month))
        }
        (Language::Ru, Some(clock), true) => format!("сегодня до {clock}"),
        (Language::Ru, Some(clock), false) => {
            format!("{}, {day} {}, до {clock}", name(&RU_ON, weekday), name(&RU_MONTHS, month))
        }
        (Language::Ru, None, _) => {
            format!("не позднее {}, {day} {}", name(&RU_OF, weekday), name(&RU_MONTHS, month))
        }
        (Language::Uk, Some(clock), true) => format!("сьогодні до {clock}"),
        (Language::Uk, Some(clock), false) => {
            format!("{}, {day} {}, до {clock}", name(&UK_ON, weekday), name(&UK_MONTHS, month))
        }
        (Language::Uk, None, _) => {
            format!("не пізніше {}, {day} {}", name(&UK_OF, weekday), name(&UK_MONTHS, month))
        }
        (_, Some(clock), true) => format!("by {clock} today"),
        (_, Some(clock), false) => {
            format!("by {clock} on {}, {day} {}", name(&EN_DAYS, weekday), name(&EN_MONTHS, month))
        }
        (_, None, _) => {
            format!("by the end of {}, {day} {}", name(&EN_DAYS, weekday), name(&EN_MONTHS, month))
        }
    }
}

/// From when on somebody is there again.
fn back(language: Language, date: Date, today: bool, clock: Option<&str>) -> String {
    let day = date.day();
    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
    let month = usize::try_from(date.month()).unwrap_or(1).saturating_sub(1);
    let name = |table: &'static [&'static str], at: usize| table.get(at).copied().unwrap_or("");
    let (date, since) = match language {
        Language::Es => (
            format!("el {} {day} de {}", name(&ES_DAYS, weekday), name(&ES_MONTHS, month)),
            ("hoy", " a partir de las"),
        ),
        Language::Ru => {
            (format!("{}, {day} {}", name(&RU_ON, weekday), name(&RU_MONTHS, month)), ("сегодня", " с"))
        }
        Language::Uk => {
            (format!("{}, {day} {}", name(&UK_ON, weekday), name(&UK_MONTHS, month)), ("сьогодні", " з"))
        }
        Language::En | Language::Other => {
            (format!("on {}, {day} {}", name(&EN_DAYS, weekday), name(&EN_MONTHS, month)), ("today", " from"))
        }
    };
    let (now, since) = since;
    let stop = if language == Language::Es || today { "" } else { "," };
    let date = if today { now.to_owned() } else { date };
    clock.map_or(date.clone(), |clock| format!("{date}{stop}{since} {clock}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday 2026-11-20 16:20 UTC, 18:20 in Kyiv.
    const FRIDAY: Timestamp = Timestamp(1_795_191_600);

    fn kyiv() -> Company {
        toml::from_str("time-zone = \"Europe/Kyiv\"").unwrap()
    }

    #[test]
    fn a_promise_made_on_friday_evening_is_kept_on_monday() {
        let promise = promise(&kyiv(), Language::Uk, FRIDAY, 2);
        assert_eq!(promise.words, "у понеділок, 23 листопада, до 11:00");
    }

    #[test]
    fn where_nobody_is_there_it_is_said_when_somebody_is() {
        let of = |language, now| promise(&kyiv(), language, now, 1).back;
        assert_eq!(of(Language::Uk, FRIDAY).as_deref(), Some("у понеділок, 23 листопада, з 9:00"));
        assert_eq!(of(Language::En, FRIDAY).as_deref(), Some("on Monday, 23 November, from 9 am"));
        assert_eq!(
            of(Language::Es, FRIDAY).as_deref(),
            Some("el lunes 23 de noviembre a partir de las 9:00")
        );
        let (noon, early) = (Timestamp(FRIDAY.0 - 6 * 3600), Timestamp(FRIDAY.0 - 12 * 3600));
        assert_eq!(of(Language::Ru, noon), None, "somebody is there");
        assert_eq!(of(Language::Ru, early).as_deref(), Some("сегодня с 9:00"));
        let nowhere = promise(&Company::default(), Language::Ru, Timestamp(FRIDAY.0 + 86_400), 1).back;
        assert_eq!(nowhere.as_deref(), Some("в понедельник, 23 ноября"), "nobody knows whose clock it is");
    }

    #[test]
    fn each_language_writes_the_time_its_own_way() {
        let of = |language, hours| promise(&Company::default(), language, FRIDAY, hours).words;
        assert_eq!(of(Language::En, 1), "within the hour");
        assert_eq!(of(Language::Ru, 2), "не позднее понедельника, 23 ноября");
        let due = promise(&Company::default(), Language::En, FRIDAY, 1).at;
        assert!(due.0 - FRIDAY.0 <= 2 * 3600, "an hour is an hour, rounded up: {due:?}");
        assert_eq!(of(Language::Uk, 2), "не пізніше понеділка, 23 листопада");
        let london: Company = toml::from_str("time-zone = \"Europe/London\"").unwrap();
        assert_eq!(promise(&london, Language::En, FRIDAY, 1).words, "by 6 pm today");
        assert_eq!(promise(&london, Language::Es, FRIDAY, 1).words, "hoy antes de las 18:00");
        assert_eq!(promise(&london, Language::Es, FRIDAY, 1).good_day, "Buenas tardes");
        assert_eq!(of(Language::Ru, 8), "не позднее понедельника, 23 ноября");
        assert_eq!(of(Language::Uk, 16), "не пізніше вівторка, 24 листопада");
        assert_eq!(of(Language::Es, 16), "a más tardar el martes 24 de noviembre");
        assert_eq!(of(Language::En, 16), "by the end of Tuesday, 24 November");
    }

    #[test]
    fn a_holiday_is_skipped_and_a_calendar_without_working_days_still_gives_a_time() {
        let text = "time-zone = \"UTC\"\n[hours]\nholidays = [\"2026-11-23\"]";
        let mut company: Company = toml::from_str(text).unwrap();
        assert_eq!(promise(&company, Language::En, FRIDAY, 8).words, "by 4 pm on Tuesday, 24 November");
        company.hours.days.clear();
        assert!(promise(&company, Language::En, FRIDAY, 2).at > FRIDAY);
        assert!(!promise(&company, Language::En, Timestamp(i64::MAX), 9).words.is_empty());
    }
}
