//! A mail as a sequence of folded words in sentences: what features, lexicon and rules read.

mod marks;
mod reader;

pub use marks::Marks;

use super::lexicon::Lexicon;
use crate::mail::{Language, Mail};

/// The part of the mail a sentence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The sender's display name.
    Name,
    /// The subject.
    Subject,
    /// The new text.
    Body,
}

/// A word in folded form and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Key of the folded word ([`super::hash::of`]).
    pub key: u64,
    /// Byte range in [`Text::folded`].
    pub folded: (u32, u32),
    /// Byte range in the (NFKC-normalised) part it was read from.
    pub source: (u32, u32),
}

/// A sentence: a range of words in one part.
#[derive(Clone, Copy, Debug)]
pub struct Sentence {
    /// Where it stands.
    pub part: Part,
    /// Range in [`Text::words`].
    pub words: (u32, u32),
    /// Whether it ends in a question mark.
    pub question: bool,
}

impl Sentence {
    /// Whether the next one can be joined to it.
    fn takes(&self, next: &Self) -> bool {
        let words = next.words.1.saturating_sub(self.words.0) as usize;
        self.part == next.part && self.words.1 == next.words.0 && words <= Text::MAX_SENTENCE
    }
}

/// A mail, folded and split. Reused from mail to mail: reading allocates only while buffers grow.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub(super) folded: String,
    pub(super) words: Vec<Word>,
    pub(super) sentences: Vec<Sentence>,
    pub(super) marks: Marks,
    pub(super) language: Language,
}

impl Text {
    /// Longest part read, in bytes: what follows is ignored, so that no mail takes for ever.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// Longest word kept, in characters.
    pub const MAX_WORD: usize = 40;
    /// Longest sentence, in words: dictation without a full stop is cut here.
    pub const MAX_SENTENCE: usize = 48;
    /// Most sentences that stay apart, half of them at the beginning and half at the end: what lies
    /// between is joined to sentences of [`Self::MAX_SENTENCE`] words.
    pub const MAX_SENTENCES: usize = 400;

    /// Reads the sender's name, the subject and the new text of `mail`.
    pub fn read(&mut self, mail: &Mail, lexicon: &Lexicon) {
        self.folded.clear();
        self.words.clear();
        self.sentences.clear();
        self.marks = Marks::default();
        self.language = mail.language;
        let name = mail.sender().map_or("", |sender| sender.name.as_str());
        reader::read(self, Part::Name, name, lexicon);
        let name_words = self.words.len();
        reader::read(self, Part::Subject, &mail.subject, lexicon);
        self.marks.name_words = name_words;
        self.marks.subject_words = self.words.len() - name_words;
        // a mail passed on without a word of one's own: what is passed on is the matter
        let bare = mail.forwarded && mail.new_text.trim().is_empty();
        let body = if bare { &mail.quoted } else { &mail.new_text };
        reader::read(self, Part::Body, body, lexicon);
        self.marks.words = self.words.len() - name_words;
        self.marks.sentences = self.sentences.iter().filter(|s| s.part == Part::Body).count();
        self.join_sentences();
    }

    /// Joins the sentences in the middle of a mail that has too many.
    fn join_sentences(&mut self) {
        let half = Self::MAX_SENTENCES / 2;
        let Some(end) = self.sentences.len().checked_sub(half).filter(|end| *end > half) else {
            return;
        };
        let mut kept: Vec<Sentence> = vec![];
        for (number, sentence) in self.sentences.drain(..).enumerate() {
            let before = kept.last_mut().filter(|_| number > half && number < end);
            match before {
                Some(before) if before.takes(&sentence) => {
                    before.words.1 = sentence.words.1;
                    before.question |= sentence.question;
                }
                _ => kept.push(sentence),
            }
        }
        self.sentences = kept;
    }

    /// The folded text, a line each for name, subject and body: lower case, accents off, white space single, disguises undone.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The words in order.
    #[must_use]
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// The sentences in order: name, subject, body.
    #[must_use]
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// Counts of form: capitals, marks, links.
    #[must_use]
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The folded form of a word.
    #[must_use]
    pub fn word(&self, word: &Word) -> &str {
        self.folded.get(word.folded.0 as usize..word.folded.1 as usize).unwrap_or_default()
    }

    /// The words of a sentence.
    #[must_use]
    pub fn of(&self, sentence: &Sentence) -> &[Word] {
        self.words.get(sentence.words.0 as usize..sentence.words.1 as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Text {
        let mail = Mail { new_text: body.to_owned(), ..Mail::default() };
        let mut text = Text::default();
        text.read(&mail, &Lexicon::shipped().unwrap());
        text
    }

    fn words(body: &str) -> Vec<String> {
        let text = read(body);
        text.words.iter().map(|word| text.word(word).to_owned()).collect()
    }

    #[test]
    fn words_are_folded_and_apostrophes_are_one() {
        assert_eq!(words("Don’t PANIC, Señor! П’ять ёлок"), ["don't", "panic", "senor", "п'ять", "елок"]);
    }

    #[test]
    fn numbers_keep_their_length_only() {
        assert_eq!(words("pay 1250 by 14:30"), ["pay", "0000", "by", "00", "00"]);
    }

    #[test]
    fn disguised_swearing_is_undone_and_ordinary_words_stay() {
        assert_eq!(words("you 1d10t"), ["you", "idiot"]);
        assert_eq!(words("what the f u c k is"), ["what", "the", "fuck", "is"]);
        assert_eq!(words("f*ck and sh!t"), ["fuck", "and", "shit"]);
        assert_eq!(words("вы и д и о т ы"), ["вы", "идиоты"]);
        assert_eq!(
            words("plan b 4 u at 5pm, H2O, *bold* a+b"),
            ["plan", "b", "0", "u", "at", "0pm", "h0o", "bold", "a", "b"]
        );
        assert_eq!(words("и я с ним"), ["и", "я", "с", "ним"]);
    }

    #[test]
    fn words_cut_by_signs_or_in_two_scripts_are_undone_when_they_are_swear_words() {
        let cases = [
            ("ты д.бил", "ты дебил"),
            ("на%уй это", "нахуй это"),
            ("х.й вам", "х й вам"),
            ("ж.опа", "жопа"),
            ("С..ка ты", "сука ты"),
            ("yeбaн", "уебан"),
            ("пиzdец", "пиздец"),
            ("дeбuл0в", "дебилов"),
            ("3.14дорас", "0 пидорас"),
            ("you id.iot", "you idiot"),
            ("f.ck off, sh-t", "fuck off shit"),
            ("me cag-o en la p.uta", "me cag o en la puta"),
        ];
        for (disguised, folded) in cases {
            assert_eq!(words(disguised).join(" "), folded, "{disguised}");
        }
    }

    #[test]
    fn ordinary_words_with_signs_between_them_stay() {
        for text in [
            "it was fine.so i went home,thanks",
            "пришел.у родителей,по-русски и т.д. из-за",
            "г.Нида, с.Рань, ул.Мира,д.5",
            "put-off to-country ку-ку у-раз не-будь х-фактор е-е-е",
            "e-mail, t-shirt, d-day, re-order pre-paid so-so",
            "order AB-3314-XK no.FU-CK7 item 14-ASS-22",
            "a.shipping.example first.last",
            "хорошо.сука",
            "козел.ты где",
        ] {
            let plain: Vec<String> = text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(|word| {
                    word.to_lowercase().chars().map(|c| if c.is_numeric() { '0' } else { c }).collect()
                })
                .collect();
            assert_eq!(words(text), plain, "{text}");
        }
    }

    #[test]
    fn links_and_addresses_are_one_word_each() {
        assert_eq!(
            words("see https://a.example/x?y=1 or mail me@b.example now"),
            ["see", "‹link›", "or", "mail", "‹address›", "now"]
        );
    }

    #[test]
    fn repeated_letters_collapse() {
        assert_eq!(words("pleeeease heeelp нееет"), ["please", "help", "нет"]);
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let text = read(
            "Hi Dr. B. Smith,\n\nIt broke! Why? I paid 3.50 for it at your counter... And now\nit is gone.",
        );
        let count = text.sentences.len();
        assert_eq!(count, 5, "{:?}", text.folded);
        assert!(text.sentences[2].question);
    }

    #[test]
    fn of_thousands_of_sentences_the_middle_is_joined_and_no_word_is_lost() {
        let text = read(&"Stop it! Now! ".repeat(1_500));
        assert_eq!(text.marks.sentences, 3_000);
        assert_eq!(text.words.len(), 4_500);
        assert!(text.sentences.len() < Text::MAX_SENTENCES + 4_500 / 40, "{}", text.sentences.len());
        let lengths: Vec<u32> = text.sentences.iter().map(|s| s.words.1 - s.words.0).collect();
        assert_eq!(lengths.iter().sum::<u32>(), 4_500);
        assert_eq!((&lengths[..2], lengths.last()), (&[2, 1][..], Some(&1)));
    }

    #[test]
    fn a_hostile_text_is_read_in_bounds() {
        let text = read(&"ж".repeat(200_000));
        assert_eq!(text.words.len(), 1);
        let text = read(&"a ".repeat(200_000));
        assert!(text.words.len() <= Text::MAX_BYTES);
    }
}
