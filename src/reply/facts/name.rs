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

/// Titles before a name, which is used without.
const TITLES: [&str; 19] = [
    "arq", "lic", "licda", "abog", "ing", "cpn", "mtro", "mtra", "mr", "mrs", "ms", "miss", "mx", "dr",
    "dra", "sr", "sra", "srta", "prof",
];

/// Lengths of a word by itself that is taken for a name.
const ALONE: std::ops::RangeInclusive<usize> = 3..=12;

/// The name to greet with: from the end of the text, the signature block, or the `From` field.
pub(super) fn signed(mail: &Mail, text: &str, lists: &Lexicon) -> Option<(&'static str, Fact)> {
    let from = mail.sender().map_or("", |sender| sender.name.as_str());
    let given_first = matches!(mail.language, Language::En | Language::Es);
    let name = from_text(text, from, lists)
        .filter(|(name, _)| !(given_first && is_family(name, from)))
        .or_else(|| {
            from_line(mail.signature.lines().find(|line| !line.trim().is_empty())?, from, true, lists)
        })
        .or_else(|| {
            person(from, false, lists).or_else(|| alone(from, lists)).map(|name| (name, from.to_owned()))
        })?;
    let (name, read_from) = name;
    let value = if mail.language == Language::Uk { vocative(&name, lists) } else { name };
    let known = value.split(' ').count() == 1
        || value.split(' ').next_back().is_some_and(is_patronymic)
        || mail.language == Language::Uk;
    Some((if known { "name" } else { "full_name" }, Fact { value, read_from }))
}

/// Whether a line has only the family name of the sender, or a firm that bears it: "S. Kelly", "Pemberton
/// Electrical" under George Pemberton.
fn is_family(signed: &str, from: &str) -> bool {
    let words = |text: &str| lexicon::fold(text).split(' ').map(str::to_owned).collect::<Vec<_>>();
    match words(from).as_slice() {
        [given, family] => words(signed).first() == Some(family) && !words(signed).contains(given),
        _ => false,
    }
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

/// One word as the name of a sender, where the alphabet has no surname by itself: `Tyrell`.
fn alone(from: &str, lists: &Lexicon) -> Option<String> {
    let name = from.trim();
    let folded = lexicon::fold(name);
    let latin = name.chars().all(|c| c.is_alphabetic() && !('\u{400}'..'\u{530}').contains(&c));
    let capital = name.starts_with(char::is_uppercase) && !name.chars().skip(1).any(char::is_uppercase);
    let other =
        [&lists.not_a_person, &lists.greetings, &lists.vague, &lists.calendar, &lists.small, &lists.thanks];
    let named = latin && capital && ALONE.contains(&name.chars().count());
    (named && !other.iter().any(|list| lexicon::has(&folded, list))).then(|| name.to_owned())
}

/// Whether a word ends as surnames of this language do and as few names.
fn is_surname(word: &str, lists: &Lexicon) -> bool {
    let folded = lexicon::fold(word);
    lists.names.binary_search(&folded).is_err()
        && lists.surnames.iter().any(|end| folded.ends_with(end.as_str()))
}

/// How a person written like this is greeted. `sure` when the line is known to be a signature.
fn person(written: &str, sure: bool, lists: &Lexicon) -> Option<String> {
    let plain = written.split(['(', ',', '|', '/', '<']).next().unwrap_or("");
    let untitled: Vec<&str> = plain.split_whitespace().skip_while(|word| is_title(word)).collect();
    let folded = lexicon::fold(&untitled.join(" "));
    if lexicon::has(&folded, &lists.not_a_person) || plain.contains(['«', '"', '@', '&', '_']) {
        return None;
    }
    let initials =
        plain.split_whitespace().any(|word| word.chars().filter(|c| c.is_alphabetic()).count() == 1);
    let words: Vec<&str> = plain
        .split_whitespace()
        .skip_while(|word| is_title(word))
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
        let certain = words.len() > 2 || is_feminine(word) || is_of_a_name(word, lists);
        if at > 0 && is_patronymic(word) && certain {
            let first = words.get(at - 1)?;
            return Some(format!("{first} {word}"));
        }
    }
    let first = *words.first()?;
    if known(first) {
        return Some(first.to_owned());
    }
    let titled = plain.split_whitespace().next().is_some_and(is_title);
    let cyrillic = first.chars().any(|c| ('\u{400}'..'\u{530}').contains(&c));
    match words.as_slice() {
        [_, second] if cyrillic && known(second) => Some((*second).to_owned()),
        // a bare surname greets nobody
        [one] if sure && !initials && !titled && !is_surname(one, lists) => Some((*one).to_owned()),
        [one, second] if cyrillic && is_surname(second, lists) && !is_surname(one, lists) => {
            Some((*one).to_owned())
        }
        [_] if !cyrillic => particled(plain),
        // A whole name is polite in English and Spanish whichever part comes first.
        [_, _] | [_, _, _] if !cyrillic => Some(words.join(" ")),
        _ => None,
    }
}

/// A name with small words in it, as written: `Wouter de Graaf`.
fn particled(plain: &str) -> Option<String> {
    let words: Vec<&str> = plain.split_whitespace().skip_while(|word| is_title(word)).collect();
    let small = |word: &&&str| PARTICLES.contains(*word);
    let capital =
        |word: &&str| word.starts_with(char::is_uppercase) && word.chars().skip(1).any(char::is_lowercase);
    let ends = words.first().is_some_and(capital) && words.last().is_some_and(capital);
    let particles = words.iter().filter(small).count();
    let fits = ends && particles > 0 && words.len() - particles == 2 && words.len() <= 4;
    fits.then(|| words.join(" "))
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&lexicon::fold(word.trim_end_matches('.')).as_str())
}

/// Whether a name is the beginning of a patronymic, as in Петрович; Полюхович is a surname.
fn is_of_a_name(word: &str, lists: &Lexicon) -> bool {
    let word = lexicon::fold(word);
    let stem = ["йович", "ьевич", "ович", "евич", "ьич", "ич", "івна", "ївна", "овна", "евна", "ична"]
        .iter()
        .find_map(|end| word.strip_suffix(end));
    // Михайлович is of Михаил
    let stem = stem
        .map(|stem| stem.replace("хайл", "хаил"))
        .filter(|stem| stem.contains("хаил"))
        .or(stem.map(str::to_owned));
    stem.is_some_and(|stem| {
        let stem = stem.as_str();
        let at = lists.names.partition_point(|name| name.as_str() < stem);
        lists.names.get(at).is_some_and(|name| name.starts_with(stem))
    })
}

/// Whether a word can only be a woman's patronymic: no surname ends so.
fn is_feminine(word: &str) -> bool {
    let word = lexicon::fold(word);
    ["овна", "евна", "ична", "івна", "ївна"].iter().any(|end| word.ends_with(end))
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
    // a name before a patronymic is one, listed or not
    let paternal = name.split(' ').skip(1).any(is_patronymic);
    let cyrillic = name.chars().any(|c| ('\u{400}'..'\u{530}').contains(&c));
    let each = |word: &str| {
        let known = lists.names.binary_search(&lexicon::fold(word)).is_ok();
        let called_so = known || paternal || is_patronymic(word) || cyrillic && !is_surname(word, lists);
        if called_so { called(word) } else { word.to_owned() }
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
    fn a_firm_or_a_family_name_alone_is_greeted_by_the_name_of_the_header() {
        let greeted = |from, body| greeted(Language::En, from, body);
        assert_eq!(
            greeted("George Pemberton", "It fails.\n\nRegards,\nPemberton Electrical").as_deref(),
            Some("George")
        );
        assert_eq!(greeted("Sandra Kelly", "It fails.\n\nRegards,\nS. Kelly").as_deref(), Some("Sandra"));
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
            (Language::En, "Mrs R. Venkataraman"),
            (Language::En, "Accounts"),
            (Language::Uk, "TOV_Mriya"),
        ] {
            assert_eq!(greeted(language, from, "x"), None, "{from}");
        }
    }

    #[test]
    fn a_sender_of_one_word_is_greeted_and_a_bare_surname_is_not() {
        assert_eq!(greeted(Language::En, "Tyrell", "x").as_deref(), Some("Tyrell"));
        assert_eq!(greeted(Language::En, "Wouter de Graaf", "x").as_deref(), Some("Wouter de Graaf"));
        assert_eq!(greeted(Language::En, "Dr. Adaeze Nwosu", "x").as_deref(), Some("Adaeze Nwosu"));
        assert_eq!(greeted(Language::Ru, "Роза Ахметовна", "Да.").as_deref(), Some("Роза Ахметовна"));
        assert_eq!(greeted(Language::Ru, "Сергей Михайлович", "Да.").as_deref(), Some("Сергей Михайлович"));
        assert_eq!(greeted(Language::Ru, "Жулдыз Абенова", "Не работает.").as_deref(), Some("Жулдыз"));
        assert_eq!(greeted(Language::Ru, "", "Не работает.\nС уважением, Костылев"), None);
        assert_eq!(greeted(Language::Uk, "", "Не працює.\nЗ повагою, Полюхович"), None);
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
            ("Стефа Михайлівна", "Стефо Михайлівно"),
            ("Дзвінка Лев", "Дзвінко"),
            ("Жулдиз Касименко", "Жулдизе"),
        ] {
            assert_eq!(greeted(Language::Uk, from, "x").as_deref(), Some(said));
        }
    }
}
