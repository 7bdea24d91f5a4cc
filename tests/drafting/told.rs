//! What native readers found drafts to miss, a sentence each: frights told calmly or after hours, stories
//! of thanks, questions, what is refused.

use evenkeel::classify::Label;
use evenkeel::mail::{Language, Mail};
use evenkeel::reply::{Company, Draft, History, Request, compose};
use evenkeel::time::Timestamp;

use super::{NOW, PLAYBOOKS};

/// Saturday 2026-11-21 16:20 UTC.
const SATURDAY: Timestamp = Timestamp(1_795_278_000);

pub(super) fn drafted(
    language: Language,
    text: &str,
    labels: &[Label],
    doubted: &[Label],
    now: Timestamp,
) -> Draft {
    let mail = Mail { language, new_text: text.to_owned(), ..Mail::default() };
    let company = Company::default();
    let history = History::default();
    let request = Request {
        mail: &mail,
        labels,
        doubted,
        company: &company,
        playbooks: &PLAYBOOKS,
        history: &history,
        now,
    };
    compose(&request).unwrap_or_else(|why| panic!("{text}: {why}"))
}

pub(super) fn calm(language: Language, text: &str, labels: &[Label]) -> Draft {
    drafted(language, text, labels, &[], NOW)
}

pub(super) fn says(draft: &Draft, step: &str) -> bool {
    draft.wordings.iter().any(|id| id.contains(step))
}

#[test]
fn a_fright_after_hours_is_told_who_helps_now_and_when_somebody_is_back() {
    for (language, text, back) in [
        (
            Language::En,
            "Everything on our drive is gone, the client presents tonight, please!!",
            "Monday, 23 November",
        ),
        (
            Language::Es,
            "Ha desaparecido todo y el cliente presenta esta noche, ¡por favor!!",
            "lunes 23 de noviembre",
        ),
        (Language::Ru, "Всё пропало, вечером показ клиенту, помогите!!", "понедельник, 23 ноября"),
        (Language::Uk, "Усе зникло, ввечері показ клієнтові, допоможіть!!", "понеділок, 23 листопада"),
    ] {
        let draft = drafted(language, text, &[Label::Panic], &[], SATURDAY);
        assert!(draft.body.contains(back) && says(&draft, "/plan-closed/"), "{}", draft.body);
        assert_eq!(draft.fill_in.len(), 1, "who helps now: {}", draft.body);
        assert!(draft.promised.is_some(), "that we are back is remembered");
        assert!(!says(&drafted(language, text, &[Label::Panic], &[], NOW), "/plan-closed/"));
    }
    let company: Company = toml::from_str("on-call = \"+44 20 7946 0000\"").unwrap();
    let mail = Mail { language: Language::En, new_text: "It is all gone, help!!".into(), ..Mail::default() };
    let request = Request {
        mail: &mail,
        labels: &[Label::Panic],
        doubted: &[],
        company: &company,
        playbooks: &PLAYBOOKS,
        history: &History::default(),
        now: SATURDAY,
    };
    let draft = compose(&request).unwrap();
    assert!(draft.body.contains("+44 20 7946 0000") && draft.fill_in.is_empty(), "{}", draft.body);
}

#[test]
fn a_danger_told_calmly_is_met_with_its_first_step() {
    for (language, text) in [
        (Language::En, "The lift stopped and we are trapped in it with smoke coming in. Whom may I call?"),
        (Language::Es, "Sale humo del cuadro eléctrico y hay chispas. ¿A quién puedo llamar?"),
        (Language::Ru, "Из щитка идёт дым и летят искры. Кому можно позвонить?"),
        (Language::Uk, "Зі щитка йде дим і летять іскри. Кому можна зателефонувати?"),
    ] {
        let draft = calm(language, text, &[Label::Question]);
        assert!(says(&draft, "/first-step/"), "{}", draft.body);
    }
}

#[test]
fn what_was_dangerous_once_is_no_emergency() {
    let text = "I take insulin, and my diabetic meal was not on board although it stands on my booking.";
    let draft = calm(Language::En, text, &[Label::Complaint]);
    assert!(!says(&draft, "/first-step/"), "{}", draft.body);
}

#[test]
fn thanks_that_are_to_be_passed_on_want_nothing() {
    for text in [
        "Your driver on route 14 has carried up every parcel since summer without my asking. Please thank him.",
        "The driver brought my purse to my door, every pound there. Please tell him God bless from me.",
    ] {
        let draft = calm(Language::En, text, &[Label::Praise]);
        assert!(says(&draft, "/praise/thank"), "{}", draft.body);
    }
}

#[test]
fn a_story_of_thanks_that_begins_with_a_fault_is_praise() {
    for (language, text) in [
        (
            Language::En,
            "Your courier lost my parcel and I was furious. Then Priti drove to the depot herself and found it. Thank her from me, she saved the day.",
        ),
        (
            Language::Es,
            "El paquete llegó roto y me enfadé. Pero vuestro repartidor volvió con otro en una hora. Muchísimas gracias, así da gusto.",
        ),
        (
            Language::Ru,
            "Сначала посылку потеряли, и я был зол. Но ваш курьер Степан нашёл её за два часа. Огромное спасибо ему, выручил.",
        ),
        (
            Language::Uk,
            "Спочатку посилку загубили, і я був злий. Але ваш Степан знайшов її за дві години. За такий сервіс усе пробачено, дякую йому!",
        ),
    ] {
        for labels in
            [&[Label::Complaint][..], &[Label::Complaint, Label::Praise], &[Label::Panic, Label::Complaint]]
        {
            let draft = calm(language, text, labels);
            assert!(says(&draft, "/praise/"), "{labels:?}: {}", draft.body);
        }
    }
    for text in [
        "Your courier lost my parcel. Thank you for the kind words, but it is still not here.",
        "Thank her from me, she saved the day. The other box is still missing, please send it.",
        "The parcel is lost. Thank you in advance for your help.",
    ] {
        let draft = calm(Language::En, text, &[Label::Complaint]);
        assert!(!says(&draft, "/praise/"), "{}", draft.body);
    }
}

#[test]
fn two_short_questions_are_given_back_together() {
    for (language, text, both) in [
        (
            Language::En,
            "My glasses are with you. Are they ready? And until when are you open on Saturday?",
            "Are they ready? And until when are you open on Saturday?",
        ),
        (
            Language::Es,
            "Dejé mis gafas con ustedes. ¿Ya están listas? ¿Hasta qué hora abren el sábado?",
            "¿Ya están listas? ¿Hasta qué hora abren el sábado?",
        ),
        (
            Language::Ru,
            "Сдавала вам очки. Готовы ли они? И до скольки вы работаете в субботу?",
            "Готовы ли они? И до скольки вы работаете в субботу?",
        ),
        (
            Language::Uk,
            "Здавала вам окуляри. Чи вони готові? І до котрої ви працюєте в суботу?",
            "Чи вони готові? І до котрої ви працюєте в суботу?",
        ),
    ] {
        let draft = calm(language, text, &[Label::Question]);
        assert!(draft.body.contains(both), "{}", draft.body);
        assert_eq!(draft.body.matches('?').count(), 2, "not twice: {}", draft.body);
    }
}

#[test]
fn what_is_requested_in_a_complaint_is_its_wish() {
    for (language, text, wish) in [
        (
            Language::En,
            "One door of the wardrobe has another colour than the rest. Please send the right door and four screws.",
            "right door",
        ),
        (
            Language::Uk,
            "Одна дверцята шафи іншого кольору, ніж решта. Надішліть, будь ласка, правильні дверцята й гвинти.",
            "дверцята",
        ),
    ] {
        let draft = calm(language, text, &[Label::Complaint]);
        assert!(draft.body.contains(wish) || says(&draft, "outcomes/"), "{}", draft.body);
    }
}

#[test]
fn condolence_comes_before_a_price() {
    let text = "Мама померла в серпні, хочемо навесні поставити пам'ятник. Скільки це зараз коштує?";
    let draft = calm(Language::Uk, text, &[Label::Pricing]);
    assert!(says(&draft, "/understand-loss/"), "{:?}", draft.wordings);
}
