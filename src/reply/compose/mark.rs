//! What only the agent knows: marked in the text, so that it cannot be overlooked.

use crate::classify::Label;
use crate::mail::Language;
use crate::reply::Occasion;

/// Who helps while nobody is there, where the company file does not say it.
pub(super) fn on_call(language: Language) -> String {
    match language {
        Language::Es => "QUIÉN PUEDE AYUDAR AHORA MISMO Y CÓMO LOCALIZARLO",
        Language::Ru => "КТО МОЖЕТ ПОМОЧЬ ПРЯМО СЕЙЧАС И КАК СВЯЗАТЬСЯ",
        Language::Uk => "ХТО МОЖЕ ДОПОМОГТИ ПРОСТО ЗАРАЗ І ЯК ЗВ'ЯЗАТИСЯ",
        Language::En | Language::Other => "WHO CAN HELP RIGHT NOW AND HOW TO REACH THEM",
    }
    .to_owned()
}

/// The marks of a script, in the customer's language, in order: for `answer` and `answer_more`.
pub(super) fn marks(script: &str, two_questions: bool, language: Language) -> Vec<String> {
    let of = |en: &[&str], es: &[&str], ru: &[&str], uk: &[&str]| {
        let list = match language {
            Language::Es => es,
            Language::Ru => ru,
            Language::Uk => uk,
            Language::En | Language::Other => en,
        };
        list.iter().map(|mark| (*mark).to_owned()).collect()
    };
    if script == Label::Question.as_str() && two_questions {
        of(
            &["ANSWER TO THE FIRST QUESTION", "ANSWER TO THE SECOND QUESTION"],
            &["RESPUESTA A LA PRIMERA PREGUNTA", "RESPUESTA A LA SEGUNDA PREGUNTA"],
            &["ОТВЕТ НА ПЕРВЫЙ ВОПРОС", "ОТВЕТ НА ВТОРОЙ ВОПРОС"],
            &["ВІДПОВІДЬ НА ПЕРШЕ ЗАПИТАННЯ", "ВІДПОВІДЬ НА ДРУГЕ ЗАПИТАННЯ"],
        )
    } else if script == Label::Question.as_str() {
        of(
            &["ANSWER TO THE QUESTION"],
            &["RESPUESTA A LA PREGUNTA"],
            &["ОТВЕТ НА ВОПРОС"],
            &["ВІДПОВІДЬ НА ЗАПИТАННЯ"],
        )
    } else if script == Occasion::Closing.as_str() {
        of(&["WHAT WAS DONE"], &["QUÉ SE HIZO"], &["ЧТО СДЕЛАНО"], &["ЩО ЗРОБЛЕНО"])
    } else if script == Occasion::FollowUp.as_str() {
        of(&["WHAT IS KNOWN BY NOW"], &["QUÉ SE SABE HASTA AHORA"], &["ЧТО УЖЕ ИЗВЕСТНО"], &["ЩО ВЖЕ ВІДОМО"])
    } else if script == Occasion::Decline.as_str() {
        of(
            &["THE REASON", "WHAT THERE IS INSTEAD"],
            &["EL MOTIVO", "QUÉ HAY EN SU LUGAR"],
            &["ПРИЧИНА", "ЧТО ЕСТЬ ВЗАМЕН"],
            &["ПРИЧИНА", "ЩО Є НАТОМІСТЬ"],
        )
    } else {
        Vec::new()
    }
}
