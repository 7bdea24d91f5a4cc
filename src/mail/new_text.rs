//! What the sender wrote now, apart from what was quoted, forwarded, signed or appended.
//!
//! Line by line: lines under a quote mark are quoted and what stands between them is an answer;
//! behind a mark that opens the earlier mail without quoting it (`-----Original Message-----`,
//! Outlook's header block, a forward) everything is quoted.

mod history;
mod lines;
mod signature;
mod words;

use history::Opening;

/// Forwards within one another that are opened.
const MAX_FORWARDS: usize = 3;

/// The parts of a mail's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What the sender wrote now. Where that is nothing but "see below" and a mail is forwarded, the
    /// forwarded text follows it: that is what is to be judged.
    pub new_text: String,
    /// The quoted or forwarded part as it stands, marks and header lines included.
    pub quoted: String,
    /// Signature, mobile footer, disclaimer.
    pub signature: String,
    /// Whether the quoted part is a forwarded mail.
    pub forwarded: bool,
}

/// Divides the text of a mail.
#[must_use]
pub fn split(text: &str) -> Parts {
    divide(text, MAX_FORWARDS, false)
}

/// Divides the text of a mail that is known to answer another: only an explicit mark makes it a
/// forward, so that an empty answer is not judged by the mail it answers.
#[must_use]
pub fn split_answer(text: &str) -> Parts {
    divide(text, MAX_FORWARDS, true)
}

fn divide(text: &str, forwards: usize, answer: bool) -> Parts {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches(['\r', ' ', '\t'])).collect();
    let plain = |line: &&str| !line.is_empty() && !lines::is_quoted(line) && !signature::is_footer(line);
    let last_plain = lines.iter().rposition(plain).unwrap_or(0);
    let (mut fresh, mut quoted) = (Vec::new(), Vec::<&str>::new());
    let mut history = None;
    let mut answered = false;
    let mut at = 0;
    while let Some((line, after)) = lines.get(at..).and_then(<[&str]>::split_first) {
        let is_quoted = lines::is_quoted(line);
        // a mark inside a quote is old, unless the quote is the whole rest of the mail
        let may_open = !is_quoted || (quoted.is_empty() && at >= last_plain);
        match may_open.then(|| history::opening(line, after, answered)).flatten() {
            Some(Opening::Attribution(length)) => {
                quoted.extend(lines.iter().copied().skip(at).take(length));
                at += length;
            }
            Some(Opening::History { header, forward }) => {
                let body = lines.get(at + header..).unwrap_or_default();
                let is_quoted = body.iter().find(|l| !l.is_empty()).is_some_and(|l| lines::is_quoted(l));
                history = Some(History { body, forward, is_quoted });
                quoted.extend(lines.iter().copied().skip(at));
                break;
            }
            None => {
                let is_quoted = is_quoted || is_wrapped_quote(&lines, at);
                answered |= !is_quoted && !line.is_empty();
                if is_quoted {
                    quoted.push(line);
                } else {
                    fresh.push(*line);
                }
                at += 1;
            }
        }
    }
    let (fresh, signature) = signature::cut(&fresh);
    let mut parts = Parts {
        new_text: join(&fresh),
        quoted: join(&quoted),
        signature: join(&signature),
        forwarded: false,
    };
    if let Some(history) = history
        && (history.forward || !answer)
    {
        parts.open(&history, forwards);
    }
    parts
}

/// Whether the line is the end of the long quoted line above it, wrapped on the way.
fn is_wrapped_quote(lines: &[&str], at: usize) -> bool {
    /// Where programs wrap.
    const LONG: usize = 60;
    let line = |at: Option<usize>| at.and_then(|at| lines.get(at)).copied().unwrap_or_default();
    let (above, this, below) = (line(at.checked_sub(1)), line(Some(at)), line(Some(at + 1)));
    lines::is_quoted(above)
        && above.len() >= LONG
        && this.starts_with(char::is_lowercase)
        && this.len() < LONG
        && lines::is_quoted(below)
}

/// Everything from where an earlier mail begins.
struct History<'t> {
    /// Behind the lines that introduce it.
    body: &'t [&'t str],
    forward: bool,
    is_quoted: bool,
}

impl Parts {
    /// Adds the text of a forwarded mail where the sender says nothing.
    fn open(&mut self, history: &History<'_>, forwards: usize) {
        self.forwarded = history.forward;
        if forwards == 0 || !says_nothing(&self.new_text) {
            return;
        }
        // Outlook forwards and answers look alike: who writes nothing has forwarded
        self.forwarded = true;
        let mark = |line| {
            if history.is_quoted { lines::unquoted(line) } else { line }
        };
        let body: Vec<&str> = history.body.iter().map(|line| mark(line)).collect();
        let inner = divide(&body.join("\n"), forwards - 1, false);
        self.new_text = paragraphs(&self.new_text, &inner.new_text);
    }
}

/// Whether a text says nothing by itself: it is empty, or only points at what follows.
#[must_use]
pub fn says_nothing(text: &str) -> bool {
    const MAX_WORDS: usize = 10;
    let mut all = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty());
    let pointing = |word: &str| {
        let word = word.to_lowercase();
        words::any(words::POINTING, |known| known == word)
    };
    all.by_ref().take(MAX_WORDS).all(pointing) && all.next().is_none()
}

/// Two texts, one below the other; either may be empty.
pub(super) fn paragraphs(above: &str, below: &str) -> String {
    [above.trim_end(), below].join("\n\n").trim().to_owned()
}

/// Lines as text: no empty lines around it, none twice in a row within.
fn join(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.is_empty() && (text.is_empty() || text.ends_with("\n\n")) {
            continue;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> String {
        split(text).new_text
    }

    #[test]
    fn an_answer_above_the_quote_is_new() {
        for attribution in [
            "On Mon, 3 Mar 2025 at 10:12, Support <support@example.test> wrote:",
            "El lun, 3 mar 2025 a las 10:12, Soporte (<support@example.test>) escribió:",
            "пн, 3 мар. 2025 г. в 10:12, Поддержка <support@example.test>:",
            "3 марта 2025 г., в 10:12, Поддержка <support@example.test> написал(а):",
            "пн, 3 бер. 2025 р. о 10:12 Підтримка <support@example.test> пише:",
            "Вторник, 3 марта 2025, 10:12 +03:00 от Поддержка <support@example.test>:",
            "03.03.2025, 10:12, \"Поддержка\" <support@example.test>:",
            "3 березня 2025, 10:12:55, від \"Підтримка\" <support@example.test>:",
            "Am 03.03.25 um 10:12 schrieb Support:",
            "Le lun. 3 mars 2025 à 10:12, Support <support@example.test> a écrit :",
        ] {
            assert_eq!(
                new(&format!("Ясно, ок\n\n{attribution}\n> старе\n>\n> ще\n")),
                "Ясно, ок",
                "{attribution}"
            );
        }
    }

    #[test]
    fn answers_between_quotes_stay_new() {
        let parts = split("On 3 Mar 2025 at 10:12 Ana <a@example.org> wrote:\n> one?\nyes\n> two?\nno\n");
        assert_eq!(parts.new_text, "yes\nno");
        assert!(parts.quoted.contains("> two?") && !parts.forwarded);
    }

    #[test]
    fn a_forward_with_nothing_to_say_is_judged_by_what_it_forwards() {
        let parts = split(
            "см. ниже\n\n---------- Forwarded message ---------\nFrom: A <a@example.org>\nDate: Mon\nSubject: s\nTo: b\n\nГде заказ?\n",
        );
        assert!(parts.forwarded);
        assert_eq!(parts.new_text, "см. ниже\n\nГде заказ?");
    }

    #[test]
    fn a_question_above_a_forward_is_what_is_judged() {
        let parts = split(
            "Is this really from you?\n\n-------- Пересылаемое сообщение --------\nОт: x\n\nPay now or else\n",
        );
        assert_eq!((parts.new_text.as_str(), parts.forwarded), ("Is this really from you?", true));
    }

    #[test]
    fn outlooks_header_block_ends_the_new_text() {
        for block in [
            "From: Support\nSent: Monday, March 3, 2025 10:12 AM\nTo: Ana\nSubject: Order",
            "De: Soporte\nEnviado: lunes, 3 de marzo de 2025 10:12\nPara: Ana\nAsunto: Pedido",
            "От: Поддержка\nОтправлено: 3 марта 2025 г. 10:12\nКому: Анна\nТема: Заказ",
            "Від: Підтримка\nНадіслано: 3 березня 2025 р. 10:12\nКому: Ганна\nТема: Замовлення",
        ] {
            assert_eq!(
                new(&format!("Нове\n\n________________________________\n{block}\n\nстаре\n")),
                "Нове",
                "{block}"
            );
        }
    }

    #[test]
    fn a_footer_and_a_signature_are_not_new_text() {
        assert_eq!(new("Gracias\n\nEnviado desde mi iPhone"), "Gracias");
        assert_eq!(split("Thanks\n-- \nJo\n+1 555").signature, "--\nJo\n+1 555");
    }

    #[test]
    fn prose_that_mentions_writing_is_not_an_attribution() {
        for text in [
            "On Monday your colleague wrote: all is well.\nIt is not.",
            "I complained.\nOn 3 March 2025 your colleague wrote:\nyou will get your money back.\nI did not.",
            "| item | price |\n| chair | 12 |",
        ] {
            assert_eq!(new(text), text);
        }
    }

    #[test]
    fn an_answer_below_a_quoted_mark_stays_new() {
        let text = "> I wrote\n> -----Original Message-----\n> From: me\n> To: you\n> Subject: s\n\nHere is my answer.";
        assert_eq!(new(text), "Here is my answer.");
        assert_eq!(new("> ## Reply above this line ##\n> text\n\nStill broken"), "Still broken");
    }

    #[test]
    fn a_text_that_mentions_an_address_above_a_wrapped_attribution_stays_new() {
        let text = "Ask @ana or ana@example.org.\nOn Mon, 3 Mar 2025 at 10:12, Support\n<support@example.test> wrote:\n> old";
        assert_eq!(new(text), "Ask @ana or ana@example.org.");
    }
}
