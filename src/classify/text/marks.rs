//! Counts of form, made while a mail is read.

/// What a mail looks like, apart from its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Words of subject and body.
    pub words: usize,
    /// Words of the subject.
    pub subject_words: usize,
    /// Words of the sender's name.
    pub name_words: usize,
    /// Sentences of the body.
    pub sentences: usize,
    /// Letters.
    pub letters: usize,
    /// Capital letters.
    pub capitals: usize,
    /// Words of three and more letters all in capitals.
    pub shouted: usize,
    /// Words with a capital first letter.
    pub titled: usize,
    /// Digits.
    pub digits: usize,
    /// Exclamation marks.
    pub exclamations: usize,
    /// Runs of two and more exclamation or question marks.
    pub outcries: usize,
    /// Question marks.
    pub questions: usize,
    /// Runs of dots, and `…`.
    pub ellipses: usize,
    /// Commas, colons, semicolons and dashes.
    pub commas: usize,
    /// Quotation marks.
    pub quotes: usize,
    /// Brackets.
    pub brackets: usize,
    /// Line breaks.
    pub lines: usize,
    /// Lines that begin like an item of a list.
    pub items: usize,
    /// Links.
    pub links: usize,
    /// Mail addresses.
    pub addresses: usize,
    /// Pictures (emoji).
    pub pictures: usize,
    /// Currency signs.
    pub money: usize,
    /// Percent signs.
    pub percent: usize,
    /// Words whose disguise was undone.
    pub disguised: usize,
}
