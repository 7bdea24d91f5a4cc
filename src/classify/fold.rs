//! Characters as features and rules see them: lower case, without accents, one script a word.

mod table;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

pub(super) use table::Common;

/// What a character is to the reader of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A letter, mark or `_`.
    Letter {
        /// Whether it is a capital.
        capital: bool,
    },
    /// A digit or another number.
    Digit,
    /// Anything else.
    Other,
}

/// The kind of a character; the usual alphabets are told by range, which is much faster.
#[must_use]
#[inline]
pub fn kind(c: char) -> Kind {
    match c {
        'a'..='z' | '_' | 'а'..='џ' | 'ґ' => Kind::Letter { capital: false },
        'A'..='Z' | 'Ѐ'..='Я' | 'Ґ' => Kind::Letter { capital: true },
        '0'..='9' => Kind::Digit,
        '\0'..='\x7f' => Kind::Other,
        _ if c.is_numeric() => Kind::Digit,
        _ if c.is_alphabetic() => Kind::Letter { capital: c.is_uppercase() },
        _ => Kind::Other,
    }
}

/// The text with compatibility forms undone (NFKC); borrowed when there are none.
#[must_use]
pub fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // nothing reaches beyond a plain character before and one after
    while let Some(odd) = rest.find(|c| !is_plain(c)) {
        let (plain, tail) = rest.split_at(odd);
        let last = plain.char_indices().next_back().map_or(0, |(at, _)| at);
        let (plain, _) = plain.split_at(last);
        let end = tail.find(is_plain).unwrap_or(tail.len());
        let piece = rest.get(last..odd + end).unwrap_or_default();
        out.push_str(plain);
        if is_nfkc_quick(piece.chars()) == IsNormalized::Yes {
            out.push_str(piece);
        } else {
            out.extend(piece.nfkc());
        }
        rest = rest.get(odd + end..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether a character is in its normal form whatever stands beside it; the usual ones only.
const fn is_plain(c: char) -> bool {
    // the two usual alphabets at once, the others after
    let common = (c as u32) < 0x80 || (c as u32).wrapping_sub('Ѐ' as u32) < 0x60;
    common || matches!(c, '¡' | '«' | '»' | '¿'..='ÿ' | 'Ґ' | 'ґ' | '–' | '—' | '‘'..='„' | '₴' | '€' | '₽')
}

/// The character in lower case, without accent; `ё` is `е`, `ґ` is `г`, as careless writers have it.
#[must_use]
pub fn fold(c: char) -> char {
    match c {
        '\0'..='\x7f' => c.to_ascii_lowercase(),
        'А'..='Я' | 'а'..='я' => lower_cyrillic(c),
        'Ё' | 'ё' | 'Ѐ' | 'ѐ' => 'е',
        'Ґ' | 'ґ' => 'г',
        'Ѝ' | 'ѝ' => 'и',
        'À'..='Å' | 'à'..='å' => 'a',
        'Ç' | 'ç' => 'c',
        'È'..='Ë' | 'è'..='ë' => 'e',
        'Ì'..='Ï' | 'ì'..='ï' => 'i',
        'Ñ' | 'ñ' => 'n',
        'Ò'..='Ö' | 'ò'..='ö' => 'o',
        'Ù'..='Ü' | 'ù'..='ü' => 'u',
        'Ý' | 'ý' | 'ÿ' => 'y',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

fn lower_cyrillic(c: char) -> char {
    if c < 'а' { char::from_u32(u32::from(c) + 32).unwrap_or(c) } else { c }
}

/// Whether the character shows nothing and splits words only to deceive.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}')
}

/// Whether the character is an apostrophe, in any of the forms keyboards make.
#[must_use]
pub const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '`' | '´' | '‘')
}

/// Whether the character is a picture: a word of its own.
#[must_use]
pub const fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{2b1b}' | '\u{2b1c}')
}

/// Letters of the two scripts that look alike, Latin first (after [`fold`]).
const TWINS: [(char, char); 19] = [
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('g', 'д'),
    ('h', 'н'),
    ('i', 'і'),
    ('k', 'к'),
    ('m', 'м'),
    ('n', 'п'),
    ('o', 'о'),
    ('p', 'р'),
    ('r', 'г'),
    ('s', 'ѕ'),
    ('t', 'т'),
    ('u', 'и'),
    ('x', 'х'),
    ('y', 'у'),
    ('j', 'ј'),
];

/// Whether a folded character is a Cyrillic letter.
#[must_use]
pub const fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

/// A folded word that mixes Latin and Cyrillic letters, in the script most of it is in; `None` when
/// it mixes nothing or has letters without a twin.
#[must_use]
pub fn one_script(word: &str) -> Option<String> {
    let cyrillic = word.chars().filter(|&c| is_cyrillic(c)).count();
    let latin = word.chars().filter(char::is_ascii_lowercase).count();
    if cyrillic == 0 || latin == 0 {
        return None;
    }
    let to_cyrillic = cyrillic >= latin;
    word.chars()
        .map(|c| match (to_cyrillic, is_cyrillic(c)) {
            (true, false) if c.is_ascii_lowercase() => {
                TWINS.iter().find(|(latin, _)| *latin == c).map(|(_, cyrillic)| *cyrillic)
            }
            (false, true) => TWINS.iter().find(|(_, cyrillic)| *cyrillic == c).map(|(latin, _)| *latin),
            _ => Some(c),
        })
        .collect()
}

/// The Cyrillic letter a Latin one looks like, and the one it sounds like, in disguised swearing.
#[must_use]
pub fn cyrillic_for(c: char) -> Option<(char, char)> {
    let sound = match c {
        'a' => 'а',
        'b' => 'б',
        'c' => 'ц',
        'd' => 'д',
        'e' => 'е',
        'f' => 'ф',
        'g' => 'г',
        'h' | 'x' => 'х',
        'i' => 'и',
        'j' => 'й',
        'k' => 'к',
        'l' => 'л',
        'm' => 'м',
        'n' => 'н',
        'o' => 'о',
        'p' => 'п',
        'r' => 'р',
        's' => 'с',
        't' => 'т',
        'u' | 'y' => 'у',
        'v' | 'w' => 'в',
        'z' => 'з',
        _ => return None,
    };
    let look = TWINS.iter().find(|(latin, _)| *latin == c).map_or(sound, |(_, cyrillic)| *cyrillic);
    Some((look, sound))
}

/// The letter a sign or digit stands for in disguised swearing: the Latin one and the Cyrillic one.
#[must_use]
pub const fn disguised(c: char) -> Option<(char, char)> {
    Some(match c {
        '0' => ('o', 'о'),
        '1' | '!' => ('i', 'і'),
        '3' => ('e', 'з'),
        '4' => ('a', 'ч'),
        '5' | '$' => ('s', 'с'),
        '6' => ('g', 'б'),
        '7' => ('t', 'т'),
        '9' => ('g', 'я'),
        '@' => ('a', 'а'),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_capitals_fold_away_in_both_scripts() {
        let of = |text: &str| text.chars().map(fold).collect::<String>();
        assert_eq!(of("¿Qué AÑO, Señor?"), "¿que ano, senor?");
        assert_eq!(of("ЁЛКА Ґанок Їжак Й"), "елка ганок їжак й");
    }

    #[test]
    fn kinds_and_plain_characters_agree_with_unicode() {
        for c in (0..0x2000_u32).filter_map(char::from_u32) {
            let expected = match c {
                _ if c.is_numeric() => Kind::Digit,
                _ if c.is_alphabetic() || c == '_' => Kind::Letter { capital: c.is_uppercase() },
                _ => Kind::Other,
            };
            assert_eq!(kind(c), expected, "{c:?}");
        }
        for c in (0..0x3000_u32).filter_map(char::from_u32).filter(|c| is_plain(*c)) {
            assert_eq!(is_nfkc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
        }
    }

    #[test]
    fn what_is_odd_is_normalised_as_in_the_whole() {
        for text in
            ["a…б", "…", "№ 5…", "й", "ой\u{301}к", "ﬁn…ﬁ", "\u{301}a\u{301}\u{323}é …", "한글 ㎏", "plain"]
        {
            assert_eq!(normal(text), text.nfkc().collect::<String>(), "{text:?}");
        }
    }

    #[test]
    fn a_decomposed_letter_is_the_letter() {
        assert_eq!(normal("й"), "й");
        assert_eq!(normal("ｈｉ"), "hi");
    }

    #[test]
    fn only_a_word_that_mixes_scripts_changes() {
        assert_eq!(one_script("верните"), None);
        assert_eq!(one_script("mexico"), None);
        assert_eq!(one_script("идиoт").as_deref(), Some("идиот"));
        assert_eq!(one_script("idiоt").as_deref(), Some("idiot"));
        assert_eq!(one_script("vpnы"), None);
    }
}
