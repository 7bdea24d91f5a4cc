//! The closing message: the third part of the service cycle, which is forgotten most easily. A
//! draft like every other; the agent says what was done.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::compose::subject;
use super::{Company, Draft};
use crate::mail::{Language, Mail};

/// The wordings of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wordings {
    hello: String,
    done: Vec<String>,
    what: String,
    ask: Vec<String>,
    bye: String,
}

static SHIPPED: LazyLock<BTreeMap<String, Wordings>> =
    LazyLock::new(|| toml::from_str(include_str!("../../data/phrases/closing.toml")).unwrap_or_default());

/// The closing message for the customer of `mail`, or none in a language without wordings.
/// `turn` chooses among the wordings: another number, another wording.
#[must_use]
pub fn closing(mail: &Mail, company: &Company, ticket: &str, turn: u64) -> Option<Draft> {
    let language = mail.language;
    let wordings = SHIPPED.get(language.as_str())?;
    let pick = |list: &[String]| {
        let at = turn.checked_rem(u64::try_from(list.len()).ok()?)?;
        list.get(usize::try_from(at).ok()?).cloned()
    };
    let name = mail.sender().map(|sender| sender.name.trim().to_owned()).filter(|name| !name.is_empty());
    let comma = if language == Language::Es { " " } else { ", " };
    // `Hello Ana,` but `Здравствуйте, Ана!`
    let comma = if language == Language::En { " " } else { comma };
    let hello = wordings.hello.replace("{name}", &name.map(|n| format!("{comma}{n}")).unwrap_or_default());
    let done = pick(&wordings.done)?.replace("{ticket}", &format!("[{ticket}]"));
    let signature = company.signature.get(language).map_or_else(|| company.name.clone(), str::to_owned);
    let body = [
        hello,
        format!("{done} {}", wordings.what),
        pick(&wordings.ask)?,
        format!("{}\n{signature}", wordings.bye).trim_end().to_owned(),
    ]
    .join("\n\n");
    Some(Draft {
        playbook: "closing".to_owned(),
        language,
        subject: subject::reply(&mail.subject, Some(ticket), language),
        body,
        wordings: Vec::new(),
        fill_in: vec![wordings.what.trim_matches(['[', ']']).to_owned()],
        promised: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_message_exists_in_every_language_with_ticket_name_and_what_to_fill_in() {
        for (language, text) in [
            (Language::En, "Where is my order, please? It has not arrived yet and I need it."),
            (Language::Es, "¿Dónde está mi pedido? Todavía no ha llegado y lo necesito para mañana."),
            (Language::Ru, "Где мой заказ? Он до сих пор не пришёл, а мне он нужен завтра."),
            (Language::Uk, "Де моє замовлення? Воно досі не прийшло, а мені воно потрібне завтра."),
        ] {
            let mail = Mail::from_message("Ana", "ana@example.org", "Order", text);
            assert_eq!(mail.language, language);
            let (one, two) = (0, 1);
            let of = |turn| closing(&mail, &Company::default(), "EK-2222-A3", turn).unwrap();
            let draft = of(one);
            for part in ["[EK-2222-A3]", "Ana", "[["] {
                assert!(draft.body.contains(part), "{part} in {}", draft.body);
            }
            assert_ne!(draft.body, of(two).body, "never the same wording twice in a row");
        }
    }
}
