//! The language of a mail: script first, then letters and frequent words that only one language
//! has. Mails are short, so words count more than the statistics of letters; those decide ties.

mod words;

use serde::{Deserialize, Serialize};
use whatlang::{Detector, Lang};

/// The language of the new text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
    /// Russian, also in Latin letters.
    Ru,
    /// Ukrainian, also mixed with Russian.
    Uk,
    /// Any other language, or none that can be told.
    #[default]
    Other,
}

impl Language {
    /// The languages that are judged and answered.
    pub const ALL: [Self; 4] = [Self::En, Self::Es, Self::Ru, Self::Uk];

    /// The language's word, as in config, corpus and playbooks: ISO 639-1, or `other`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Ru => "ru",
            Self::Uk => "uk",
            Self::Other => "other",
        }
    }

    /// The language with this word; `None` for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Other]).find(|language| language.as_str() == word)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of a text that is looked at, in bytes: more tells nothing new.
const MAX_BYTES: usize = 3 << 10;

/// The part that is enough where nothing speaks for another language, in bytes.
const FIRST_BYTES: usize = 1 << 10;

/// By how much a language is then ahead of all others.
const CLEARLY: usize = 24;

/// Up to this score a Cyrillic text shows endings that Russian has as well.
const FEW_ENDINGS: usize = 3;

/// The language of a mail, from its new text, and where that says too little from its subject.
#[must_use]
pub fn detect(new_text: &str, subject: &str) -> Language {
    let begins = Count::of(super::parse::head(new_text, FIRST_BYTES));
    if let Some(language) = begins.clear_verdict() {
        return language;
    }
    let text = super::parse::head(new_text, MAX_BYTES);
    let sure = if text.len() > FIRST_BYTES { Count::of(text).verdict() } else { begins.verdict() };
    if let Some(language) = sure {
        return language;
    }
    let both = format!("{text}\n{}", super::parse::head(subject, MAX_BYTES));
    let count = Count::of(&both);
    count.verdict().unwrap_or_else(|| count.guess(&both))
}

/// What is counted in a text.
#[derive(Default)]
struct Count {
    cyrillic: usize,
    /// Of these, letters that Ukrainian has and Russian lacks.
    ukrainian: usize,
    latin: usize,
    elsewhere: usize,
    /// Letters and words of each language of `words::LATIN` and `words::CYRILLIC`, weighed.
    score: [usize; words::LANGUAGES],
}

impl Count {
    fn of(text: &str) -> Self {
        let mut count = Self::default();
        let mut lower = String::new();
        for token in text.split_whitespace() {
            if is_address(token) {
                continue;
            }
            for word in token.split(|c: char| !c.is_alphabetic() && !is_apostrophe(c)) {
                lower.clear();
                if word.is_ascii() {
                    lower.push_str(word);
                    lower.make_ascii_lowercase();
                } else {
                    let letters = word.chars().flat_map(char::to_lowercase);
                    lower.extend(letters.map(|c| if is_apostrophe(c) { '\'' } else { c }));
                }
                count.word(lower.trim_matches('\''));
            }
        }
        for c in text.chars().filter(|c| matches!(c, '¿' | '¡')) {
            count.letter(c);
        }
        count
    }

    /// Counts a word in lower case.
    fn word(&mut self, word: &str) {
        if word.is_ascii() {
            self.latin += word.bytes().filter(u8::is_ascii_lowercase).count();
        } else {
            self.letters(word);
        }
        for index in words::languages_of(word).indices() {
            if let Some(score) = self.score.get_mut(index) {
                *score += words::WORD_WEIGHT;
            }
        }
        for index in words::languages_ending(word).indices() {
            if let Some(score) = self.score.get_mut(index) {
                *score += words::LETTER_WEIGHT;
            }
        }
    }

    fn letters(&mut self, word: &str) {
        for c in word.chars() {
            match c {
                '\u{400}'..='\u{52f}' => {
                    self.cyrillic += 1;
                    self.ukrainian += usize::from(matches!(c, 'і' | 'ї' | 'є' | 'ґ'));
                }
                'a'..='z' | '\u{c0}'..='\u{24f}' => self.latin += 1,
                '\'' => {}
                _ => self.elsewhere += 1,
            }
            self.letter(c);
        }
    }

    fn letter(&mut self, c: char) {
        if c.is_ascii() {
            return;
        }
        for index in words::languages_with(c).indices() {
            // Russian and Ukrainian never use the letters of the other Cyrillic alphabets
            let foreign = words::language(index) == (Language::Other, true);
            if let Some(score) = self.score.get_mut(index) {
                *score += if foreign { words::WORD_WEIGHT } else { words::LETTER_WEIGHT };
            }
        }
    }

    /// The language, if one is ahead. Where another language does no better than one of the four,
    /// it is one of the four: those are what this inbox gets.
    fn verdict(&self) -> Option<Language> {
        let letters = self.cyrillic + self.latin + self.elsewhere;
        if self.elsewhere * 2 > letters {
            return Some(Language::Other);
        }
        let best_of = |wanted: Language| {
            let of_script = |(index, score): (usize, &usize)| {
                (words::language(index) == (wanted, self.is_cyrillic())).then_some(*score)
            };
            self.score.iter().enumerate().filter_map(of_script).max().unwrap_or(0)
        };
        let best = Language::ALL.map(best_of).into_iter().max().unwrap_or(0);
        if best_of(Language::Other) > best {
            return Some(Language::Other);
        }
        let mut ahead = Language::ALL.into_iter().filter(|language| best_of(*language) == best);
        match (ahead.next(), ahead.next()) {
            // one Ukrainian letter in twelve is one that Russian lacks; endings alone prove nothing
            (Some(Language::Uk), None)
                if self.ukrainian == 0 && self.cyrillic >= 24 && best <= FEW_ENDINGS =>
            {
                Some(Language::Ru)
            }
            (Some(language), None) if best > 0 => Some(language),
            _ => None,
        }
    }

    /// The language that is far ahead, if one of the four is.
    fn clear_verdict(&self) -> Option<Language> {
        let found = self.verdict().filter(|language| *language != Language::Other)?;
        let (mut of_it, mut of_others) = (0, 0);
        for (index, score) in self.score.iter().enumerate() {
            let side = if words::language(index).0 == found { &mut of_it } else { &mut of_others };
            *side = (*side).max(*score);
        }
        (of_it >= of_others + CLEARLY).then_some(found)
    }

    /// A support mail in Cyrillic may be half product names.
    fn is_cyrillic(&self) -> bool {
        self.cyrillic * 3 >= self.latin && self.cyrillic > 0
    }

    /// By the statistics of letters, where words do not decide.
    fn guess(&self, text: &str) -> Language {
        if self.is_cyrillic() {
            let long = self.cyrillic >= 8;
            return match Detector::with_allowlist(vec![Lang::Rus, Lang::Ukr]).detect_lang(text) {
                Some(Lang::Ukr) if !long => Language::Uk,
                Some(_) => Language::Ru,
                None => Language::Other,
            };
        }
        if self.latin == 0 {
            return Language::Other;
        }
        match whatlang::detect(text) {
            Some(info) if info.lang() == Lang::Eng => Language::En,
            Some(info) if info.lang() == Lang::Spa => Language::Es,
            _ => Language::Other,
        }
    }
}

/// Addresses and paths are of no language.
fn is_address(token: &str) -> bool {
    token.bytes().any(|b| matches!(b, b'@' | b'\\'))
        || (token.as_bytes().contains(&b':') && token.contains("://"))
        || token.starts_with("www.")
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_told_apart() {
        for (text, language) in [
            ("Where is my order?", Language::En),
            ("asap pls", Language::En),
            ("Gracias", Language::Es),
            ("no me funciona la pagina", Language::Es),
            ("Добрый день! Где заказ?", Language::Ru),
            ("Спасибо", Language::Ru),
            ("Дякую", Language::Uk),
            ("Коли буде доставка", Language::Uk),
            ("Privet, pochemu ne rabotaet sajt?", Language::Ru),
            ("Bonjour, je voudrais savoir où est ma commande", Language::Other),
            ("Guten Tag, wo bleibt meine Bestellung?", Language::Other),
            ("Dzień dobry, gdzie jest moje zamówienie?", Language::Other),
            ("Bom dia, onde está o meu pedido? Não recebi nada", Language::Other),
            ("Добър ден, къде е моята поръчка? Не съм получил нищо", Language::Other),
            ("您好，我的订单在哪里？", Language::Other),
            ("", Language::Other),
            ("12345 !!!", Language::Other),
        ] {
            assert_eq!(detect(text, ""), language, "{text}");
        }
    }

    #[test]
    fn languages_that_nobody_here_answers_are_other() {
        for text in [
            "Je n'ai toujours pas reçu mon colis, pouvez-vous vérifier s'il vous plaît ?",
            "Votre service est nul, je veux un remboursement.",
            "Ich habe gestern bestellt und noch keine Bestätigung bekommen.",
            "Können Sie mir bitte die Rechnung noch einmal schicken?",
            "Proszę o zwrot pieniędzy, paczka przyszła uszkodzona.",
            "Kiedy otrzymam fakturę za marzec?",
            "Não consigo entrar na minha conta desde ontem.",
            "Boa tarde, o produto chegou com defeito e quero devolver.",
            "Non riesco ad accedere al mio account, potete aiutarmi?",
            "Il pacco è arrivato rotto, vorrei il rimborso.",
            "Ik heb mijn bestelling nog niet ontvangen, waar blijft het pakket?",
            "Jag har inte fått min beställning än, kan ni hjälpa mig?",
            "Dobrý den, kdy mi přijde objednávka číslo 4471?",
            "Siparişim hala gelmedi, lütfen yardım edin.",
            "Bună ziua, nu am primit încă comanda mea.",
            "Още не съм получил поръчката си, моля за информация.",
            "Нисам добио пошиљку, можете ли да проверите?",
            "Дзе мой заказ? Ён павінен быў прыйсці ў панядзелак.",
            "Γεια σας, πού είναι η παραγγελία μου;",
            "مرحبا، أين طلبي؟",
        ] {
            assert_eq!(detect(text, ""), Language::Other, "{text}");
        }
    }

    #[test]
    fn the_subject_speaks_where_the_text_says_nothing() {
        assert_eq!(detect("4471", "Де моє замовлення"), Language::Uk);
        assert_eq!(detect("Дякую за відповідь", "Re: Your order has been shipped"), Language::Uk);
    }

    #[test]
    fn ukrainian_mixed_with_russian_is_ukrainian() {
        assert_eq!(detect("Шо за діла, я вже третій раз пишу, а ви мовчите. Когда буде?", ""), Language::Uk);
    }
}
