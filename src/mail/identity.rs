//! Who wrote a mail: the one person behind addresses, forms and programs.

use serde::{Deserialize, Serialize};

use super::{Address, Mail};

/// Where the person was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonSource {
    /// `From`.
    From,
    /// `Sender`, where `From` names nobody.
    Sender,
    /// `Reply-To`: a form or a group wrote in the person's name.
    ReplyTo,
    /// A labelled line of a form's text.
    Body,
}

/// The person behind a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name and address.
    pub address: Address,
    /// Where it was found.
    pub source: PersonSource,
}

/// Providers under whose several domains an account is the same, the first standing for all. Lists
/// are `|`-separated.
const SAME_DOMAINS: [&str; 5] = [
    "gmail.com|googlemail.com",
    "yandex.ru|ya.ru|yandex.com|yandex.by|yandex.kz|yandex.ua|narod.ru",
    "proton.me|protonmail.com|protonmail.ch|pm.me",
    "icloud.com|me.com|mac.com",
    "ukr.net|email.ua",
];

/// Local parts under which web forms write, letters only.
const FORM_SENDERS: &str = "noreply|donotreply|dontreply|nepasrepondre|noresponder|noresponda|wordpress|webform|forms|form|\
    contactform|contact|website|web|site|webmaster|notifications|notification|notify|mailer|formspree|jotform|typeform|tilda|\
    formularios|formulario|formulariocontacto|robot|info|mail|www|wwwdata|apache|nginx|hello|support";

/// Labels of the line with the person's address.
const ADDRESS_LABELS: &str = "e-mail|email|e-mail address|email address|your email|your e-mail|mail|contact email|from|\
    correo|correo electrónico|correo electronico|tu correo|su correo|dirección de correo|de|\
    почта|электронная почта|эл. почта|эл.почта|емейл|имейл|адрес почты|ваш email|ваш e-mail|от|\
    пошта|електронна пошта|ел. пошта|ел.пошта|ваша пошта|від";

/// Labels of the line with the name.
const NAME_LABELS: &str = "name|your name|full name|first name|nombre|nombre completo|su nombre|tu nombre|\
    имя|ваше имя|фио|ф.и.о.|имя и фамилия|ім'я|ім’я|імʼя|ваше ім'я|ваше ім’я|піб|п.і.б.";

/// Labels of what was written: with one of them the text is a form's.
const MESSAGE_LABELS: &str = "message|your message|comment|comments|question|your question|enquiry|inquiry|details|\
    mensaje|tu mensaje|su mensaje|comentario|comentarios|consulta|pregunta|\
    сообщение|ваше сообщение|текст сообщения|комментарий|вопрос|ваш вопрос|текст|\
    повідомлення|ваше повідомлення|текст повідомлення|коментар|питання|запитання|ваше питання";

/// Lines of a form that are looked at.
const MAX_LINES: usize = 80;

impl Address {
    /// The address under which a person is known: lower case, without what the person may vary: a
    /// `+tag`, the dots of Gmail, a provider's other domains.
    #[must_use]
    pub fn identity(&self) -> String {
        let lower = self.address.trim().to_lowercase();
        let Some((local, domain)) = lower.rsplit_once('@') else {
            return lower;
        };
        let domain = domain.trim_end_matches('.');
        let domain = SAME_DOMAINS
            .iter()
            .find(|same| same.split('|').any(|one| one == domain))
            .and_then(|same| same.split('|').next())
            .unwrap_or(domain);
        // what is all tag is an address of its own
        let local = local.split_once('+').map_or(local, |(base, _)| base);
        let local = match domain {
            "gmail.com" => local.replace('.', ""),
            "yandex.ru" => local.replace('.', "-"),
            _ => local.to_owned(),
        };
        format!("{local}@{domain}")
    }

    fn is_usable(&self) -> bool {
        self.address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
    }

    /// Whether a web form may write under this address.
    fn is_form(&self) -> bool {
        let local = self.address.rsplit_once('@').map_or("", |(local, _)| local).to_lowercase();
        let letters: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
        FORM_SENDERS.split('|').any(|name| name == letters)
    }
}

/// The person behind a mail with this text.
#[must_use]
pub fn person(mail: &Mail, text: &str) -> Option<Person> {
    let found = |address: &Address, source| Some(Person { address: address.clone(), source });
    let Some(from) = mail.from.iter().find(|address| address.is_usable()) else {
        let sent_by = mail.sent_by.as_ref().map(|address| (address, PersonSource::Sender));
        let reply_to = mail.reply_to.first().map(|address| (address, PersonSource::ReplyTo));
        let (address, source) =
            sent_by.into_iter().chain(reply_to).find(|(address, _)| address.is_usable())?;
        return found(address, source);
    };
    let who = from.identity();
    // a site or a group that writes in our own name
    let is_ours = mail.to.iter().chain(&mail.cc).any(|to| to.identity() == who);
    if is_ours || from.is_form() {
        if let [reply] = mail.reply_to.as_slice()
            && reply.is_usable()
            && reply.identity() != who
        {
            return found(reply, PersonSource::ReplyTo);
        }
        if let Some(address) = in_form(text).filter(|address| address.identity() != who) {
            return Some(Person { address, source: PersonSource::Body });
        }
    }
    found(from, PersonSource::From)
}

/// The person who filled in a form, if the text is a form's: lines with labels, one of them a message.
fn in_form(text: &str) -> Option<Address> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).take(MAX_LINES).collect();
    let value = |labels: &str| {
        lines.iter().enumerate().find_map(|(at, line)| {
            let value = labelled(line, labels)?;
            // a table puts the value into the next line
            if value.is_empty() { lines.get(at + 1).copied() } else { Some(value) }
        })
    };
    value(MESSAGE_LABELS)?;
    let written = value(ADDRESS_LABELS)?;
    let address = written
        .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '[' | ']'))
        .map(|word| word.trim_start_matches("mailto:"))
        .find(|word| {
            word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        })?;
    let name = value(NAME_LABELS).map(super::parse::one_line).unwrap_or_default();
    Some(Address { name, address: address.to_owned() })
}

/// What stands behind one of these labels.
fn labelled<'t>(line: &'t str, labels: &str) -> Option<&'t str> {
    const LONGEST: usize = 40;
    const MOST_SPACES: usize = 2;
    let line = line.trim_start_matches(['*', '-', '•', ' ']);
    let (label, value) = super::parse::split_at_colon(line).unwrap_or((line, ""));
    let label = super::parse::head(label, LONGEST).trim_matches(['*', ' ', '_', '\t']);
    // a sentence of the text, as nearly all lines are: no label has so many words
    if label.bytes().filter(|b| *b == b' ').nth(MOST_SPACES).is_some() {
        return None;
    }
    let label = label.to_lowercase();
    labels.split('|').any(|known| known == label).then(|| value.trim_matches(['*', ' ', '_', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn of(address: &str) -> String {
        Address { name: String::new(), address: address.into() }.identity()
    }

    #[test]
    fn one_person_has_one_identity() {
        assert_eq!(of("Olena+shop@Example.ORG"), "olena@example.org");
        assert_eq!(of("O.l.e.n.a+x@googlemail.com"), of("olena@gmail.com"));
        assert_eq!(of("ivan.petrov@ya.ru"), of("ivan-petrov@yandex.com"));
        assert_eq!(of("a@pm.me"), of("a@protonmail.com"));
        assert_ne!(of("ol.ena@example.org"), of("olena@example.org"));
        assert_eq!(of("no-at-sign"), "no-at-sign");
    }

    fn who(raw: &str) -> (String, PersonSource) {
        let person = parse(raw.as_bytes()).person.unwrap();
        (person.address.address, person.source)
    }

    #[test]
    fn the_person_behind_a_form_is_found() {
        let reply = "From: wordpress@shop.example.org\nReply-To: Ana <ana@example.org>\nTo: s@shop.example.org\n\nHola\n";
        assert_eq!(who(reply), ("ana@example.org".into(), PersonSource::ReplyTo));
        let body = "From: no-reply@shop.example.org\n\nИмя: Анна\nЭлектронная почта: <anna@example.org>\nСообщение:\nГде заказ?\n";
        assert_eq!(who(body), ("anna@example.org".into(), PersonSource::Body));
        assert_eq!(parse(body.as_bytes()).automated, None);
        let group = "From: 'Ana' via Support <s@shop.example.org>\nReply-To: ana@example.org\nTo: s@shop.example.org\n\nHola\n";
        assert_eq!(who(group), ("ana@example.org".into(), PersonSource::ReplyTo));
    }

    #[test]
    fn a_person_with_another_reply_address_is_the_one_in_from() {
        let mail =
            "From: Ana <ana@example.org>\nReply-To: boss@example.net\n\nEmail: x@example.com\nMessage: hi\n";
        assert_eq!(who(mail), ("ana@example.org".into(), PersonSource::From));
        assert_eq!(who("Sender: bo@example.org\n\nhi\n"), ("bo@example.org".into(), PersonSource::Sender));
        assert!(parse(b"Subject: x\n\nhi").person.is_none());
    }

    #[test]
    fn a_shops_notice_is_no_form() {
        let notice =
            "From: no-reply@shop.example.org\n\nNew order\nName: Ana\nEmail: ana@example.org\nTotal: 5\n";
        assert_eq!(who(notice).1, PersonSource::From);
        assert!(parse(notice.as_bytes()).automated.is_some());
    }
}
