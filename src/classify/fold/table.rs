//! The characters of the four languages in one table: what each is to the reader of words, and its
//! folded form. What is not in it is asked of Unicode, which takes longer.

use super::Kind;

/// A character of the table: its folded form in the low 16 bits, what it is above.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Common(u32);

const LETTER: u32 = 1 << 16;
const CAPITAL: u32 = 1 << 17;
const DIGIT: u32 = 1 << 18;
/// Not in the table.
const UNKNOWN: u32 = 1 << 19;
/// Up to `ґ`.
const COUNT: usize = 0x492;

static TABLE: [u32; COUNT] = table();

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "checked while compiling")]
const fn table() -> [u32; COUNT] {
    let mut table = [UNKNOWN; COUNT];
    let mut at = 0;
    while at < COUNT {
        if let Some(c) = char::from_u32(at as u32) {
            table[at] = entry(c);
        }
        at += 1;
    }
    table
}

const fn entry(c: char) -> u32 {
    let (letter, capital) = (LETTER, LETTER | CAPITAL);
    match c {
        'a'..='z' | '_' | 'а'..='я' | 'ђ' | 'ѓ' | 'є'..='ќ' | 'ў' | 'џ' => c as u32 | letter,
        'A'..='Z' | 'А'..='Я' => (c as u32 + 32) | capital,
        'Ђ' | 'Ѓ' | 'Є'..='Ќ' | 'Ў' | 'Џ' => (c as u32 + 80) | capital,
        'ѐ' | 'ё' => 'е' as u32 | letter,
        'Ѐ' | 'Ё' => 'е' as u32 | capital,
        'ѝ' => 'и' as u32 | letter,
        'Ѝ' => 'и' as u32 | capital,
        'ґ' => 'г' as u32 | letter,
        'Ґ' => 'г' as u32 | capital,
        'à'..='å' => 'a' as u32 | letter,
        'À'..='Å' => 'a' as u32 | capital,
        'ç' => 'c' as u32 | letter,
        'Ç' => 'c' as u32 | capital,
        'è'..='ë' => 'e' as u32 | letter,
        'È'..='Ë' => 'e' as u32 | capital,
        'ì'..='ï' => 'i' as u32 | letter,
        'Ì'..='Ï' => 'i' as u32 | capital,
        'ñ' => 'n' as u32 | letter,
        'Ñ' => 'n' as u32 | capital,
        'ò'..='ö' => 'o' as u32 | letter,
        'Ò'..='Ö' => 'o' as u32 | capital,
        'ù'..='ü' => 'u' as u32 | letter,
        'Ù'..='Ü' => 'u' as u32 | capital,
        'ý' | 'ÿ' => 'y' as u32 | letter,
        'Ý' => 'y' as u32 | capital,
        '0'..='9' => c as u32 | DIGIT,
        '\0'..='\x7f' => c as u32,
        _ => UNKNOWN,
    }
}

impl Common {
    /// A character and its folded form; by Unicode when it is not in the table.
    #[inline]
    pub(in super::super) fn of(c: char) -> (Self, char) {
        let entry = TABLE.get(c as usize).copied().unwrap_or(UNKNOWN);
        if entry & UNKNOWN != 0 {
            return Self::unusual(c);
        }
        (Self(entry), char::from_u32(entry & 0xffff).unwrap_or(c))
    }

    #[cold]
    fn unusual(c: char) -> (Self, char) {
        match super::kind(c) {
            Kind::Letter { capital: false } => (Self(LETTER), super::fold(c)),
            Kind::Letter { capital: true } => (Self(LETTER | CAPITAL), super::fold(c)),
            Kind::Digit => (Self(DIGIT), super::fold(c)),
            Kind::Other => (Self(0), c),
        }
    }

    /// Whether it is part of a word: a letter or digit.
    #[inline]
    pub(in super::super) const fn in_word(self) -> bool {
        self.0 & (LETTER | DIGIT) != 0
    }

    /// Whether it is a digit.
    #[inline]
    pub(in super::super) const fn is_digit(self) -> bool {
        self.0 & DIGIT != 0
    }

    /// Whether it is a capital letter.
    #[inline]
    pub(in super::super) const fn is_capital(self) -> bool {
        self.0 & CAPITAL != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_kind_and_fold_say() {
        for c in (0..0x3000_u32).filter_map(char::from_u32) {
            let (common, folded) = Common::of(c);
            let kind = match (common.in_word(), common.is_digit()) {
                (false, _) => Kind::Other,
                (_, true) => Kind::Digit,
                _ => Kind::Letter { capital: common.is_capital() },
            };
            assert_eq!(kind, super::super::kind(c), "{c:?}");
            assert!(kind == Kind::Other || folded == super::super::fold(c), "{c:?}");
        }
    }
}
