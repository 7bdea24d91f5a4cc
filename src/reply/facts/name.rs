//! The name a customer signed with, as far as it is one. Never shortened, never guessed: a handle,
//! a company or a couple is greeted without a name.

use super::Fact;
use crate::mail::{Language, Mail};
use crate::reply::lexicon::{self, Lexicon};

/// Longest line taken for a signature, in characters.
const LONGEST_LINE: usize = 50;

/// Words of a name that begin small.
const PARTICLES: [&str; 16] =
    ["de", "del", "la", "las", "los", "da", "dos", "do", "von", "van", "der", "den", "di", "le", "bin", "al"];

/// Titles before a name, in languages where the name is used without.
const TITLES: [&str; 8] = ["arq", "lic", "licda", "abog", "ing", "cpn", "mtro", "mtra"];

/// The name to greet with: from the end of the text, the signature block, or the `From` field.
pub(super) fn signed(mail: &Mail, text: &str, lists: &Lexicon) -> Option<(&'static str, Fact)> {
    let from = mail.sender().map_or("", |sender| sender.name.as_str());
    let name = from_text(text, from, lists)
        .or_else(|| {
            from_line(mail.signature.lines().find(|line| !line.trim().is_empty())?, from, true, lists)
        })
        .or_else(|| person(from, false, lists).map(|name| (name, from.to_owned())))?;
    let (name, read_from) = name;
    let value = if mail.language == Language::Uk { vocative(&name, lists) } else { name };
    let known = value.split(' ').count() == 1
        || value.split(' ').next_back().is_some_and(is_patronymic)
        || mail.language == Language::Uk;
    Some((if known { "name" } else { "full_name" }, Fact { value, read_from }))
}

fn from_text(text: &str, from: &str, lists: &Lexicon) -> Option<(String, String)> {
    let mut lines = text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next()?;
    let before = lines.next().map(lexicon::fold).unwrap_or_default();
    let closed =
        before.chars().count() <= LONGEST_LINE && starts_with_any(&before, &lists.valedictions).is_some();
    let by_itself = before.is_empty();
    if by_itself {
        return None;
    }
    from_line(last, from, closed, lists)
}

fn starts_with_any<'a>(folded: &str, phrases: &'a [String]) -> Option<&'a str> {
    phrases
        .iter()
        .map(String::as_str)
        .filter(|phrase| folded.starts_with(phrase))
        .max_by_key(|phrase| phrase.len())
}

/// A line such as `Best, Anand` or `Joan Pickering (Miss)`.
fn from_line(line: &str, from: &str, closed: bool, lists: &Lexicon) -> Option<(String, String)> {
    if line.chars().count() > LONGEST_LINE {
        return None;
    }
    let folded = lexicon::fold(line);
    let (rest, closed) = match starts_with_any(&folded, &lists.valedictions) {
        Some(phrase) => (line.chars().skip(phrase.chars().count()).collect::<String>(), true),
        None => (line.to_owned(), closed),
    };
    let rest =
        rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '-' | '—' | '–' | '!'));
    // "Sorry for the long letter. Joan": what stands behind the last stop
    let rest = rest.rsplit_once(". ").filter(|(head, _)| head.contains(' ')).map_or(rest, |(_, name)| name);
    if rest.split_whitespace().count() > 4 || rest.contains(['?', ':', ';']) {
        return None;
    }
    let before_comma = rest.split([',', '(']).next().unwrap_or("");
    let small = |word: &str| word.starts_with(char::is_lowercase) && !PARTICLES.contains(&word);
    if before_comma.split_whitespace().any(small) {
        return None;
    }
    let shared = rest
        .split_whitespace()
        .any(|word| word.chars().count() > 1 && from.split_whitespace().any(|own| own == word));
    person(rest, closed || shared, lists).map(|name| (name, line.to_owned()))
}

/// How a person written like this is greeted. `sure` when the line is known to be a signature.
fn person(written: &str, sure: bool, lists: &Lexicon) -> Option<String> {
    let plain = written.split(['(', ',', '|', '/', '<']).next().unwrap_or("");
    let folded = lexicon::fold(plain);
    if lexicon::has(&folded, &lists.not_a_person) || plain.contains(['«', '"', '@', '&', '_']) {
        return None;
    }
    let initials =
        plain.split_whitespace().any(|word| word.chars().filter(|c| c.is_alphabetic()).count() == 1);
    let words: Vec<&str> = plain
        .split_whitespace()
        .skip_while(|word| TITLES.contains(&lexicon::fold(word.trim_end_matches('.')).as_str()))
        .map(|word| word.trim_matches(|c: char| !c.is_alphabetic()))
        .take_while(|word| word.starts_with(char::is_uppercase))
        .filter(|word| word.chars().count() > 1)
        .collect();
    let proper = |word: &str| {
        word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | 'ʼ'))
            && word.chars().skip(1).any(char::is_lowercase)
    };
    if words.is_empty() || words.len() > 4 || !words.iter().all(|word| proper(word)) {
        return None;
    }
    if plain.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let known = |word: &str| lists.names.binary_search(&lexicon::fold(word)).is_ok();
    for (at, word) in words.iter().enumerate() {
        if at > 0 && is_patronymic(word) && (words.len() > 2 || is_of_a_name(word, lists)) {
            let first = words.get(at - 1)?;
            return Some(format!("{first} {word}"));
        }
    }
    let first = *words.first()?;
    if known(first) {
        return Some(first.to_owned());
    }
    let cyrillic = first.chars().any(|c| ('\u{400}'..'\u{530}').contains(&c));
    match words.as_slice() {
        [_, second] if cyrillic && known(second) => Some((*second).to_owned()),
        [one] if sure && !initials => Some((*one).to_owned()),
        // A whole name is polite in English and Spanish whichever part comes first.
        [_, _] | [_, _, _] if !cyrillic => Some(words.join(" ")),
        _ => None,
    }
}

/// Whether a name is the beginning of a patronymic, as in Петрович; Полюхович is a surname.
fn is_of_a_name(word: &str, lists: &Lexicon) -> bool {
    let word = lexicon::fold(word);
    let stem = ["йович", "ьевич", "ович", "евич", "ьич", "ич", "івна", "ївна", "овна", "евна", "ична"]
        .iter()
        .find_map(|end| word.strip_suffix(end));
    stem.is_some_and(|stem| {
        let at = lists.names.partition_point(|name| name.as_str() < stem);
        lists.names.get(at).is_some_and(|name| name.starts_with(stem))
    })
}

fn is_patronymic(word: &str) -> bool {
    let word = lexicon::fold(word);
    word.chars().count() >= 5
        && [
            "ович",
            "евич",
            "йович",
            "ьевич",
            "ьич",
            "илич",
            "ьмич",
            "омич",
            "овна",
            "евна",
            "ична",
            "івна",
            "ївна",
        ]
        .iter()
        .any(|end| word.ends_with(end))
}

/// The form of address, for names whose declension is known; any other stays as written.
fn vocative(name: &str, lists: &Lexicon) -> String {
    let each = |word: &str| {
        let known = lists.names.binary_search(&lexicon::fold(word)).is_ok();
        if known || is_patronymic(word) { called(word) } else { word.to_owned() }
    };
    name.split(' ').map(each).collect::<Vec<_>>().join(" ")
}

fn called(word: &str) -> String {
    let special = [
        ("Ігор", "Ігорю"),
        ("Ілля", "Ілле"),
        ("Любов", "Любове"),
        ("Яків", "Якове"),
        ("Федір", "Федоре"),
        ("Лазар", "Лазарю"),
        ("Кость", "Костю"),
        ("Рая", "Раю"),
        ("Женя", "Женю"),
        ("Ніколь", "Ніколь"),
    ];
    if let Some((_, form)) = special.iter().find(|(known, _)| *known == word) {
        return (*form).to_owned();
    }
    let endings = [
        ("ія", "іє"),
        ("оя", "оє"),
        ("ея", "еє"),
        ("'я", "'є"),
        ("’я", "’є"),
        ("я", "ю"),
        ("га", "го"),
        ("а", "о"),
        ("ко", "ку"),
        ("ьо", "ю"),
        ("о", "е"),
        ("ій", "ію"),
        ("й", "ю"),
        ("ь", "ю"),
        ("ич", "ичу"),
        ("г", "гу"),
        ("к", "ку"),
        ("х", "ху"),
        ("ч", "чу"),
    ];
    for (ending, form) in endings {
        if let Some(stem) = word.strip_suffix(ending) {
            return format!("{stem}{form}");
        }
    }
    if word.ends_with(['и', 'і', 'е', 'у', 'ю', 'є']) { word.to_owned() } else { format!("{word}е") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeted(language: Language, from: &str, body: &str) -> Option<String> {
        let mail = Mail { language, ..Mail::from_message(from, "a@b.example", "", body) };
        let mail = Mail { language, new_text: body.to_owned(), ..mail };
        signed(&mail, body, lexicon::of(language)).map(|(_, fact)| fact.value)
    }

    #[test]
    fn the_signed_name_wins_over_the_header() {
        assert_eq!(
            greeted(Language::En, "A. Krishnamurthy", "It fails.\n\nRegards,\nAnand").as_deref(),
            Some("Anand")
        );
        assert_eq!(greeted(Language::En, "", "It fails.\nBest, Anand").as_deref(), Some("Anand"));
        assert_eq!(greeted(Language::Ru, "Игорь Б.", "Не работает.").as_deref(), Some("Игорь"));
        assert_eq!(greeted(Language::Ru, "Юрий Петрович Костылев", "Да.").as_deref(), Some("Юрий Петрович"));
    }

    #[test]
    fn a_handle_a_company_or_a_couple_is_greeted_without_a_name() {
        for (language, from) in [
            (Language::En, "lyn.mac88"),
            (Language::En, "P. Arizmendi"),
            (Language::Ru, "ООО «Ритм», гл. бухгалтер Пак"),
            (Language::Ru, "Соня и Варя"),
            (Language::Ru, "Дядя Коля"),
            (Language::Uk, "Дідич"),
            (Language::Uk, "TOV_Mriya"),
        ] {
            assert_eq!(greeted(language, from, "x"), None, "{from}");
        }
    }

    #[test]
    fn a_last_sentence_is_not_a_signature() {
        assert_eq!(greeted(Language::En, "", "The lift is out.\nPlease fix"), None);
        let text = "¿Hay rebaja?\nPerdonen la extensión. Remedios";
        assert_eq!(greeted(Language::Es, "Remedios Gálvez", text).as_deref(), Some("Remedios"));
        assert_eq!(
            greeted(Language::Es, "Remedios Gálvez", "Sí.\nPerdonen la extensión").as_deref(),
            Some("Remedios")
        );
    }

    #[test]
    fn ukrainian_names_are_called_in_the_vocative() {
        for (from, said) in [
            ("Ореста Савчук", "Оресто"),
            ("Галина Степанівна", "Галино Степанівно"),
            ("Сергій Ковальчук", "Сергію"),
            ("Наталія Дорош", "Наталіє"),
            ("Коваль Андрій", "Андрію"),
            ("Петро Петрович", "Петре Петровичу"),
            ("Антон Полюхович", "Антоне"),
            ("Олег Дмитрович", "Олегу Дмитровичу"),
        ] {
            assert_eq!(greeted(Language::Uk, from, "x").as_deref(), Some(said));
        }
    }
}
