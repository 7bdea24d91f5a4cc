//! Which charset 8-bit text is in, where nothing says so or what is said makes no sense: each
//! candidate reads a sample, and the reading that looks most like Russian, Ukrainian or a Western
//! language wins.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mail_parser::decoders::charsets::DecoderFnc;
use mail_parser::decoders::charsets::map::charset_decoder;

/// What is looked at, in bytes from the first that is not ASCII.
const SAMPLE: usize = 512;

/// Candidates; of equals the first wins.
const NAMES: [&str; 6] = ["windows-1251", "windows-1252", "koi8-u", "ibm866", "iso-8859-5", "x-mac-cyrillic"];

/// An 8-bit charset, with the sense of each byte and each pair of bytes in it.
struct Candidate {
    decoder: DecoderFnc,
    bytes: Vec<i8>,
    pairs: Vec<i8>,
}

static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let small = |sense: i64| i8::try_from(sense).unwrap_or_default();
    let candidate = |name: &&str| {
        let decoder = charset_decoder(name.as_bytes())?;
        let all = || (0..=255u8).map(|byte| decoder(&[byte]).chars().next().unwrap_or('\u{fffd}'));
        let chars: Vec<char> = all().collect();
        let of_pair = |a: char| chars.iter().map(move |b| small(pair(a, *b)));
        Some(Candidate {
            decoder,
            bytes: chars.iter().map(|c| small(letter(*c))).collect(),
            pairs: chars.iter().flat_map(|a| of_pair(*a)).collect(),
        })
    };
    NAMES.iter().filter_map(candidate).collect()
});

impl Candidate {
    /// As [`sense`], of bytes.
    fn sense(&self, bytes: &[u8]) -> i64 {
        let of = |table: &[i8], at: usize| i64::from(table.get(at).copied().unwrap_or_default());
        let letters = bytes.iter().map(|byte| of(&self.bytes, usize::from(*byte)));
        let pairs = bytes.windows(2).map(|two| {
            let at = two.iter().fold(0usize, |at, byte| at << 8 | usize::from(*byte));
            of(&self.pairs, at)
        });
        letters.chain(pairs).sum()
    }
}

/// Pairs of letters that are frequent in Russian or Ukrainian.
static COMMON: LazyLock<BTreeSet<(char, char)>> = LazyLock::new(|| {
    let pair = |pair: &str| {
        let mut letters = pair.chars();
        Some((letters.next()?, letters.next()?))
    };
    PAIRS.split_whitespace().filter_map(pair).collect()
});

const PAIRS: &str = "ст но то на ен ов ни ра во ко ро по пр ре ал не ли ес ос го ол ер та ка от ва ть ет ан ор ин \
    ло ат ла де ел ил ит ем ог ам ом ме ле ки ия ти те ри ве ль им за да ас ви до из ди ма мо об \
    ся ие ск тр бо пе ак ик че ют сь ый ые ой ая ят ае ок му бы вы мы ты ше жи мн дн ру нь ги ек \
    ку ду сл зд др же уж щё ещ па пи пл лн лю чи ча чт ис ед од ож ей ай ям ях ых ым их дл ля ні \
    ві лі ті мі ці сі рі ід із ій ії її ає ую що ще як ьо ши ць зв нн ін ів ір їх єт ув ус ут уг \
    уд ум ун уп ур оч оп он яв яз ад аз ач аш ез ев ег еж еп ех це цу хо ха бе ба бу би бл бр вн \
    вс вт гд гл гр дв жд зн зо кт кр кл кс лж лс мя ми нт нс нд ню ня пу пя рв рн рт рс ры рь рм \
    рг св сп см со су сы сё тв ту тн фо фе яс ял ян ью юч шл шк шь ша вр";

/// A better charset than the declared one, or `None` to believe it.
pub(super) fn charset(bytes: &[u8], declared: Option<DecoderFnc>) -> Option<DecoderFnc> {
    let start = bytes.iter().position(|b| !b.is_ascii())?;
    let sample = bytes.get(start.saturating_sub(16)..).unwrap_or(bytes);
    let sample = sample.get(..SAMPLE).unwrap_or(sample);
    let mut best: Option<(i64, DecoderFnc)> = None;
    for candidate in CANDIDATES.iter() {
        let sense = candidate.sense(sample);
        if best.is_none_or(|(most, _)| sense > most) {
            best = Some((sense, candidate.decoder));
        }
    }
    let (most, decoder) = best?;
    match declared {
        None => Some(decoder),
        // other languages than ours look odd in their own charset too
        Some(declared) => {
            let told = sense(&declared(sample));
            (most > 0 && told.saturating_mul(2) < most).then_some(decoder)
        }
    }
}

/// How much a text looks like one that a person wrote.
fn sense(text: &str) -> i64 {
    let mut sum = 0;
    let mut last: Option<char> = None;
    for c in text.chars() {
        sum += letter(c) + last.map_or(0, |last| pair(last, c));
        last = Some(c);
    }
    sum
}

fn letter(c: char) -> i64 {
    if c.is_ascii() {
        return 0;
    }
    match c.to_lowercase().next().unwrap_or(c) {
        'о' | 'е' | 'а' | 'и' | 'т' | 'н' => 2,
        // letters, and marks that people write
        'с' | 'р' | 'в' | 'л' | 'к' | 'і' | 'м' | 'д' | 'п' | 'у' | '«' | '»' | '–' | '—' | '“' | '”'
        | '’' | '„' | '…' | '№' | '¿' | '¡' | '€' | '\u{a0}' | '°' => 1,
        'ъ' | 'щ' | 'э' | 'ф' | 'ґ' | 'ё' | 'ц' => -1,
        'а'..='я' | 'ї' | 'є' => 0,
        // accents of the Western languages
        'á' | 'é' | 'í' | 'ó' | 'ú' | 'ñ' | 'ü' | 'ä' | 'ö' | 'ß' | 'è' | 'à' | 'ç' | 'ê' | 'ã' | 'õ' => {
            3
        }
        '\u{80}'..='\u{9f}' | '\u{fffd}' => -12,
        // other Cyrillic letters, and boxes
        '\u{400}'..='\u{52f}' | '\u{2500}'..='\u{25ff}' => -6,
        c if c.is_alphabetic() => 0,
        _ => -4,
    }
}

fn pair(a: char, b: char) -> i64 {
    if a.is_ascii() && b.is_ascii() {
        return 0;
    }
    if !a.is_alphabetic() || !b.is_alphabetic() {
        // a sign between letters belongs to no word
        let inside = |c: char| !c.is_ascii() && !c.is_alphanumeric() && letter(c) < 0;
        return if (a.is_alphabetic() && inside(b)) || (inside(a) && b.is_alphabetic()) { -3 } else { 0 };
    }
    let (cyrillic_a, cyrillic_b) = (is_cyrillic(a), is_cyrillic(b));
    if cyrillic_a != cyrillic_b {
        return -6;
    }
    if a.is_lowercase() && b.is_uppercase() {
        return -8;
    }
    if cyrillic_a {
        let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
        return if COMMON.contains(&(lower(a), lower(b))) { 6 } else { -2 };
    }
    // Western accents stand alone among plain letters
    if a.is_ascii() || b.is_ascii() { 0 } else { -8 }
}

const fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = [
        "Здравствуйте, где мой заказ? Оплатил ещё в понедельник.",
        "Order 4471 не пришёл",
        "ВЕРНИТЕ ДЕНЬГИ",
        "Доброго дня",
    ];

    fn bytes(text: &str, decoder: DecoderFnc) -> Vec<u8> {
        let byte = |c: char| (0..=255u8).find(|b| decoder(&[*b]) == c.to_string()).unwrap();
        text.chars().map(byte).collect()
    }

    #[test]
    fn cyrillic_in_any_charset_is_read_without_a_name_and_under_a_wrong_one() {
        for name in ["windows-1251", "koi8-u", "ibm866", "iso-8859-5"] {
            let decoder = charset_decoder(name.as_bytes()).unwrap();
            for text in TEXTS {
                let raw = bytes(text, decoder);
                assert_eq!(charset(&raw, None).unwrap()(&raw), text, "{name}");
                for wrong in ["windows-1251", "koi8-r", "ibm866", "iso-8859-5", "iso-8859-1"] {
                    let declared = charset_decoder(wrong.as_bytes()).unwrap();
                    let read = charset(&raw, Some(declared)).unwrap_or(declared)(&raw);
                    assert_eq!(read, text, "{name} declared as {wrong}");
                }
            }
        }
    }

    #[test]
    fn western_text_is_left_in_the_charset_it_declares() {
        let western = charset_decoder(b"iso-8859-1").unwrap();
        let central = charset_decoder(b"iso-8859-2").unwrap();
        for (text, decoder) in [
            ("¿Dónde está mi pedido? Mañana es el último día.", western),
            ("déjà vu, garçon", western),
            ("Zażółć gęślą jaźń, proszę o zwrot pieniędzy", central),
            ("Příliš žluťoučký kůň úpěl ďábelské ódy", central),
        ] {
            assert!(charset(&bytes(text, decoder), Some(decoder)).is_none(), "{text}");
        }
        let raw = bytes("Señor, ¿qué pasó?", western);
        assert_eq!(charset(&raw, None).unwrap()(&raw), "Señor, ¿qué pasó?");
    }
}
