//! HTML to the text a reader sees: one pass, quotes marked with `> `, hidden text left out.

mod style;
mod tag;

use style::Look;
use tag::{entity, is_block, is_void, skip_element, split_tag};

/// Elements open within one another that are followed; deeper ones change nothing.
const MAX_OPEN: usize = 128;
/// Quote marks before a line, at most.
const MAX_QUOTE: usize = 9;
/// What Outlook's rule above the quoted mail becomes: a mark that `new_text` knows.
const ORIGINAL: &str = "-----Original Message-----";
const RULE: &str = "________________________________";

/// The text of an HTML document, at most about `max` bytes of it.
pub(super) fn to_text(html: &str, max: usize) -> String {
    let mut page = Page { max, ..Page::default() };
    let mut rest = html;
    while !rest.is_empty() && page.out.len() < max {
        let Some((text, tag)) = rest.split_once('<') else {
            page.text(rest);
            break;
        };
        page.text(text);
        rest = page.markup(tag);
    }
    page.break_line();
    page.out.truncate(page.out.trim_end().len());
    page.out
}

struct Open {
    name: String,
    look: Look,
    quote: bool,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
struct Page {
    out: String,
    line: String,
    open: Vec<Open>,
    quotes: usize,
    /// `pre` elements that are open.
    preformatted: usize,
    space: bool,
    blank: bool,
    /// A quoted attribute was never closed.
    unclosed: bool,
    /// A head was opened and never closed.
    headless: bool,
    max: usize,
}

impl Page {
    /// Reads one piece of markup, `<` already taken, and returns what follows it.
    fn markup<'h>(&mut self, after: &'h str) -> &'h str {
        if let Some(comment) = after.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |c| c.1);
        }
        let closing = after.starts_with('/');
        let body = after.strip_prefix('/').unwrap_or(after);
        if !body.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
            // a lone `<` is text
            self.text("<");
            return after;
        }
        let (tag, rest) = split_tag(body, &mut self.unclosed);
        let name_end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
        let (name, attributes) = tag.split_at_checked(name_end).unwrap_or((tag, ""));
        let name = style::lower(name);
        if closing {
            self.close(&name);
            return rest;
        }
        if matches!(&*name, "style" | "script" | "title") || (name == "head" && !self.headless) {
            return match skip_element(rest, &name) {
                // a head that is never closed: look for no further one, and read what it holds
                None if name == "head" => {
                    self.headless = true;
                    rest
                }
                after => after.unwrap_or(""),
            };
        }
        self.element(&name, attributes);
        rest
    }

    fn element(&mut self, name: &str, attributes: &str) {
        match name {
            "br" => return self.end_line(),
            "hr" => {
                self.break_line();
                self.text(RULE);
                return self.end_line();
            }
            "li" => {
                self.break_line();
                self.text("- ");
            }
            "td" | "th" => self.space = true,
            name if is_block(name) => self.end_block(name),
            _ => {}
        }
        if is_void(name) || attributes.ends_with('/') && name.starts_with(['o', 'v', 'w']) {
            return;
        }
        let inherited = self.open.last().map_or_else(Look::default, |o| o.look);
        let look = if attributes.is_empty() { inherited } else { style::look(inherited, attributes) };
        let mut quote = false;
        if !look.unseen() {
            match style::role(name, attributes) {
                style::Role::Quote => {
                    self.break_line();
                    quote = true;
                }
                style::Role::Original => {
                    self.break_line();
                    if !self.out.trim_end().ends_with(ORIGINAL) {
                        self.text(ORIGINAL);
                        self.end_line();
                    }
                }
                style::Role::Signature if self.quotes == 0 => {
                    self.break_line();
                    if !self.out.trim_end().ends_with("\n--") {
                        self.text("--");
                        self.end_line();
                    }
                }
                style::Role::Signature | style::Role::None => {}
            }
        }
        if self.open.len() < MAX_OPEN {
            self.quotes += usize::from(quote);
            self.preformatted += usize::from(name == "pre");
            self.open.push(Open { name: name.to_owned(), look, quote });
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "td" | "th" => self.space = true,
            "br" => self.end_line(),
            name if is_block(name) || name == "li" => self.end_block(name),
            _ => {}
        }
        let Some(at) = self.open.iter().rposition(|o| o.name == name) else {
            return;
        };
        // a stray `</b>` closes no paragraph around it
        if !is_block(name) && self.open.iter().skip(at + 1).any(|o| is_block(&o.name)) {
            return;
        }
        for closed in self.open.drain(at..) {
            self.preformatted -= usize::from(closed.name == "pre");
            if closed.quote {
                if !self.line.is_empty() {
                    put_line(&mut self.out, &mut self.line, self.quotes);
                }
                self.quotes -= 1;
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.last().is_some_and(|o| o.look.unseen()) || self.out.len() + self.line.len() > self.max {
            return;
        }
        let preformatted = self.preformatted > 0;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (c, after) =
                if c == '&' { entity(rest) } else { (c, rest.get(c.len_utf8()..).unwrap_or("")) };
            rest = after;
            match c {
                '\n' if preformatted => self.end_line(),
                ' ' if preformatted => self.line.push(' '),
                c if c.is_whitespace() => self.space = true,
                c if c.is_control() || super::is_invisible(c) => {}
                c => {
                    if std::mem::take(&mut self.space) && !self.line.is_empty() {
                        self.line.push(' ');
                    }
                    self.line.push(c);
                }
            }
        }
    }

    /// Ends the line; an empty one stays, but never two in a row.
    fn end_line(&mut self) {
        self.space = false;
        if self.line.is_empty() {
            if !self.blank && !self.out.is_empty() {
                self.blank = true;
                put_line(&mut self.out, &mut self.line, self.quotes);
            }
            return;
        }
        self.blank = false;
        put_line(&mut self.out, &mut self.line, self.quotes);
    }

    /// Ends the line if there is one, and leaves an empty line around paragraphs.
    fn end_block(&mut self, name: &str) {
        self.break_line();
        if matches!(name, "p" | "h1" | "h2" | "h3" | "h4" | "table" | "ul" | "ol") {
            self.end_line();
        }
    }

    /// Ends the line if there is one.
    fn break_line(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}

fn put_line(out: &mut String, line: &mut String, quotes: usize) {
    let quotes = quotes.min(MAX_QUOTE);
    out.extend(std::iter::repeat_n('>', quotes));
    if quotes > 0 && !line.is_empty() {
        out.push(' ');
    }
    out.push_str(line);
    out.push('\n');
    line.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        to_text(html, 10_000)
    }

    #[test]
    fn paragraphs_tables_lists_and_entities_read_as_text() {
        let html = "<html><head><style>p{}</style></head><body><p>Caf&eacute; &amp; t&#233;</p><table><tr><td>1</td><td>2</td>\
                    </tr></table><ul><li>uno<li>dos</ul>a<br>b &lt; c &unknown; <script>x</script>d</body>";
        assert_eq!(text(html), "Café & té\n\n1 2\n\n- uno\n- dos\n\na\nb < c &unknown; d");
    }

    #[test]
    fn hidden_text_is_not_read() {
        for style in [
            "display:none",
            "DISPLAY : none !important",
            "font-size:0px",
            "color:#ffffff",
            "max-height:0;overflow:hidden",
        ] {
            assert_eq!(
                text(&format!("<div>seen<span style=\"{style}\">un<b>seen</b></span></div>")),
                "seen",
                "{style}"
            );
        }
        assert_eq!(
            text("<table bgcolor=\"#003366\"><tr><td style='color:white'>Pay</td></tr></table>"),
            "Pay"
        );
    }

    #[test]
    fn quotes_are_marked_and_indents_are_not() {
        assert_eq!(
            text("Yes<blockquote>one<br>two<blockquote>three</blockquote></blockquote>four"),
            "Yes\n> one\n> two\n>> three\nfour"
        );
        assert_eq!(
            text("<blockquote style=\"margin:0 0 0 40px;border:none;padding:0px\">mine</blockquote>"),
            "mine"
        );
    }

    #[test]
    fn outlooks_rule_above_the_quote_is_a_mark() {
        let html = "<div>Да</div><div id=\"divRplyFwdMsg\"><b>От:</b> Олег<br></div><div>старое</div>";
        assert_eq!(text(html), format!("Да\n{ORIGINAL}\nОт: Олег\nстарое"));
    }

    #[test]
    fn broken_markup_costs_no_text() {
        assert_eq!(text("a < b and <b c=\"d>e</b> f"), "a < b and e f");
        assert_eq!(text("1<<<2"), "1<<<2");
    }
}
