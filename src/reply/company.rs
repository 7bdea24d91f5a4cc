//! The company file: what only the operator knows. Every field has a fallback.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use serde::Deserialize;

use super::playbook::Ask;
use crate::classify::Label;
use crate::mail::Language;

/// How customers are spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// `usted`, `Вы`, `ви`.
    #[default]
    Formal,
    /// `tú`.
    Informal,
    /// `vos`.
    Voseo,
}

/// A time zone of the IANA database, looked up when the file is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub jiff::tz::TimeZone);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        jiff::tz::TimeZone::get(&name)
            .map(Self)
            .map_err(|_| format!("`{name}` is no time zone: use a name such as `Europe/Kyiv`"))
    }
}

/// A day of the week, `mon` to `sun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// The same day in the calendar's own words.
    #[must_use]
    pub const fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// A time of day, `09:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeOfDay(pub Time);

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no time of day: write it as `09:30`"))
    }
}

/// A date, `2026-12-25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Holiday(pub Date);

impl TryFrom<String> for Holiday {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no date: write it as `2026-12-25`"))
    }
}

/// When somebody is there to answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Hours {
    /// Working days.
    pub days: Vec<Day>,
    /// Opening time.
    pub from: TimeOfDay,
    /// Closing time; not after `from` means around the clock.
    pub to: TimeOfDay,
    /// Dates on which nobody works.
    pub holidays: Vec<Holiday>,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            from: TimeOfDay(Time::constant(9, 0, 0, 0)),
            to: TimeOfDay(Time::constant(18, 0, 0, 0)),
            holidays: Vec::new(),
        }
    }
}

/// A text that may differ by language: one string for all, or a table by language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Localised {
    /// The same in every language.
    Same(String),
    /// By language.
    By(BTreeMap<Language, String>),
}

impl Default for Localised {
    fn default() -> Self {
        Self::Same(String::new())
    }
}

impl Localised {
    /// The text in this language; `None` when it is empty or missing.
    #[must_use]
    pub fn get(&self, language: Language) -> Option<&str> {
        let text = match self {
            Self::Same(text) => text.as_str(),
            Self::By(by) => by.get(&language)?.as_str(),
        };
        let text = text.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// What is asked first when a mail names a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Intake {
    /// One of the products.
    pub product: String,
    /// The questions by language, the most useful first.
    pub ask: BTreeMap<Language, Vec<String>>,
}

impl Intake {
    /// The questions in this language, as wordings.
    #[must_use]
    pub fn questions(&self, language: Language) -> Vec<Ask> {
        let stem = format!("company/{}", self.product);
        let asked = self.ask.get(&language).into_iter().flatten();
        asked.map(|text| Ask::new(&stem, text.clone(), Vec::new())).collect()
    }
}

/// Who answers: names, hours, terms. An empty company gives good drafts too.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Company {
    /// Name as customers know it.
    pub name: String,
    /// What stands under the closing words; without it, `Support team` and the name.
    pub signature: Localised,
    /// Zone of the promises; without it they are written in UTC and say so.
    pub time_zone: Option<Zone>,
    /// Business hours.
    pub hours: Hours,
    /// Hours of business within which a mail is answered, by label; see [`Company::answer_within`].
    pub answer_within_hours: BTreeMap<Label, u16>,
    /// Product names as they should stand in a draft.
    pub products: Vec<String>,
    /// Which discounts exist and how to get them: whole sentences.
    pub discounts: Localised,
    /// Refund terms: whole sentences.
    pub refund_terms: Localised,
    /// What a customer can use free of charge: whole sentences.
    pub free_alternative: Localised,
    /// How to reach the manager: name, address or telephone.
    pub manager: Localised,
    /// Who can be reached outside business hours, in the nominative: `the duty line, +44 20 7946 0000`.
    pub on_call: Localised,
    /// Who answers legal matters, in the nominative: `Jane Doe, head of legal`.
    pub legal: Localised,
    /// What is asked first about a product.
    pub intake: Vec<Intake>,
    /// How customers are spoken to, by language.
    pub address: BTreeMap<Language, Address>,
    /// Whether drafts may contain emoji.
    pub emoji: bool,
}

impl Company {
    /// Hours of business within which a mail with this primary label is answered.
    #[must_use]
    pub fn answer_within(&self, label: Label) -> u16 {
        self.answer_within_hours.get(&label).copied().unwrap_or(match label {
            Label::Panic => 1,
            Label::Threat | Label::Criticism | Label::Entitlement | Label::Pricing => 16,
            Label::Idea => 45,
            _ => 8,
        })
    }

    /// How customers are spoken to in this language.
    #[must_use]
    pub fn address(&self, language: Language) -> Address {
        self.address.get(&language).copied().unwrap_or_default()
    }

    /// Every text of the file, for checks of what a draft may contain.
    #[must_use]
    pub fn texts(&self, language: Language) -> Vec<&str> {
        let mut all = vec![self.name.as_str()];
        all.extend(self.products.iter().map(String::as_str));
        all.extend(
            [
                &self.signature,
                &self.discounts,
                &self.refund_terms,
                &self.free_alternative,
                &self.manager,
                &self.on_call,
                &self.legal,
            ]
            .into_iter()
            .filter_map(|text| text.get(language)),
        );
        let asked = self.intake.iter().filter_map(|intake| intake.ask.get(&language)).flatten();
        all.extend(asked.map(String::as_str));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_company_file_is_a_company() {
        let company: Company = toml::from_str("").unwrap();
        assert_eq!(company, Company::default());
        assert_eq!(company.answer_within(Label::Panic), 1);
    }

    #[test]
    fn a_full_company_file_is_read_and_a_typo_is_refused() {
        let text = r#"
            name = "Northwind"
            time-zone = "Europe/Kyiv"
            signature = { en = "The Northwind team", uk = "Команда Northwind" }
            legal = "Jane Doe"
            address = { es = "voseo" }
            answer-within-hours = { panic = 2 }
            [hours]
            days = ["mon", "sat"]
            from = "08:30"
            to = "20:00"
            holidays = ["2026-12-25"]
        "#;
        let company: Company = toml::from_str(text).unwrap();
        assert_eq!(company.signature.get(Language::Uk), Some("Команда Northwind"));
        assert_eq!(company.signature.get(Language::Ru), None);
        assert_eq!(company.address(Language::Es), Address::Voseo);
        assert_eq!(company.answer_within(Label::Panic), 2);
        assert!(toml::from_str::<Company>("nmae = \"x\"").is_err());
        assert!(
            toml::from_str::<Company>("time-zone = \"Mars/Base\"")
                .unwrap_err()
                .to_string()
                .contains("Mars/Base")
        );
    }
}
