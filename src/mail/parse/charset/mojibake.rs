//! UTF-8 that an earlier program took for an 8-bit charset and sent on: `РџСЂРёРІРµС‚`, `MaÃ±ana`.
//! The way back loses nothing, and letters that were written as such do not survive it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mail_parser::decoders::charsets::map::charset_decoder;

/// How often text was spoilt, at most.
const MAX_ROUNDS: usize = 2;

/// Charsets for which UTF-8 is taken.
const WRONG: [&str; 4] = ["windows-1251", "windows-1252", "ibm866", "koi8-r"];

static TABLES: LazyLock<Vec<BTreeMap<char, u8>>> = LazyLock::new(|| {
    let table = |name: &&str| {
        let decoder = charset_decoder(name.as_bytes())?;
        let mut table = BTreeMap::new();
        let mut undefined = Vec::new();
        for byte in 0x80..=0xffu8 {
            let text = decoder(&[byte]);
            let c = text.chars().next().filter(|c| *c != '\u{fffd}');
            if c.is_none() {
                undefined.push(byte);
            }
            table.insert(c.unwrap_or(char::from(byte)), byte);
        }
        // what replaced the one byte that has no meaning is that byte
        if let [byte] = undefined.as_slice() {
            table.insert('\u{fffd}', *byte);
        }
        Some(table)
    };
    WRONG.iter().filter_map(table).collect()
});

/// The text as it was written, if it was spoilt.
pub(super) fn undone(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut best = TABLES.iter().find_map(|table| once(text, table))?;
    for _ in 1..MAX_ROUNDS {
        let Some(again) = TABLES.iter().find_map(|table| once(&best, table)) else { break };
        best = again;
    }
    Some(best)
}

/// One step back through one charset, run by run, so that what is sound stays.
fn once(text: &str, table: &BTreeMap<char, u8>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut mended, mut longest) = (0usize, 0usize);
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        let (before, after) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(before);
        let (run, tail) = run(after, table);
        if let Some(original) = read(run, table) {
            let letters = original.chars().filter(|c| !c.is_ascii()).count();
            mended += letters;
            longest = longest.max(letters);
            out.push_str(&original);
        } else {
            out.push_str(run);
        }
        rest = tail;
    }
    // two letters may come out of nothing spoilt; a word does not, nor does what starts with `Ã`
    let sure = longest >= 3 || mended >= 4 || text.contains(['Ã', 'Â', 'â']);
    (mended > 0 && sure).then_some(out)
}

/// The characters up to the next ASCII one. A no-break space has often become a plain one: behind the
/// first byte of a character it belongs to it.
fn run<'t>(text: &'t str, table: &BTreeMap<char, u8>) -> (&'t str, &'t str) {
    let mut end = 0;
    let mut last = 0u8;
    for (at, c) in text.char_indices() {
        if c.is_ascii() && !(c == ' ' && (0xc2..=0xdf).contains(&last)) {
            break;
        }
        last = table.get(&c).copied().unwrap_or(0);
        end = at + c.len_utf8();
    }
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn read(run: &str, table: &BTreeMap<char, u8>) -> Option<String> {
    let byte = |c: char| if c == ' ' { Some(0xa0) } else { table.get(&c).copied() };
    let bytes: Option<Vec<u8>> = run.chars().map(byte).collect();
    let read = String::from_utf8(bytes?).ok()?;
    // a character of the control or private ranges was never typed
    let odd = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}');
    // a sound Russian word of three letters, "так", is by chance one character of a far script
    let far = |c: char| matches!(c, '\u{780}'..='\u{109f}' | '\u{1100}'..='\u{1fff}' | '\u{2190}'..='\u{25ff}' | '\u{2800}'..='\u{d7ff}');
    (!read.is_empty() && !read.contains(odd) && !read.contains(far)).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoilt(text: &str, charset: &str) -> String {
        let decoder = charset_decoder(charset.as_bytes()).unwrap();
        let read = |byte: &u8| match decoder(&[*byte]).chars().next() {
            Some('\u{fffd}') | None => char::from(*byte),
            Some(c) => c,
        };
        text.bytes().map(|byte| read(&byte)).collect()
    }

    #[test]
    fn spoilt_text_comes_back() {
        for text in
            ["Привет, где мой заказ?", "Доброго дня, де моє замовлення?", "Mañana, ¿qué tal? It’s – ok"]
        {
            for charset in ["windows-1251", "windows-1252", "ibm866"] {
                assert_eq!(undone(&spoilt(text, charset)).as_deref(), Some(text), "{charset}");
            }
        }
        let twice = spoilt(&spoilt("Привет, мир", "windows-1252"), "windows-1252");
        assert_eq!(undone(&twice).as_deref(), Some("Привет, мир"));
        assert_eq!(undone("Hola, MaÃ±ana > Привет").as_deref(), Some("Hola, Mañana > Привет"));
    }

    #[test]
    fn sound_text_stays() {
        for text in [
            "У почты так уже сделано: печатать не только номер, мы тоже",
            "Привет, Рё",
            "Ñandú, ÁNGEL Ãrea",
            "«СССР» — Ростов…",
            "plain",
            "МРІЯ № 5",
            "São Paulo — ação",
        ] {
            assert_eq!(undone(text), None, "{text}");
        }
    }
}
