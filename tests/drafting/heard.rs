//! Which of several things a mail says is answered: what failed behind thanks, what was suggested, what
//! only sounds like a threat or a danger.

use evenkeel::classify::Label;
use evenkeel::mail::Language;

use super::NOW;
use super::told::{calm, drafted, says};

#[test]
fn what_failed_behind_thanks_leads_and_the_thanks_are_answered_too() {
    for (language, text) in [
        (
            Language::En,
            "Our guide Leyla was wonderful, thank you. But the coach of tour 88120 had no belts. Please refund the transfer.",
        ),
        (
            Language::Es,
            "Gracias al mecánico, un encanto. Pero el asiento quedó lleno de grasa, orden 7719203. Les pido que me devuelvan el dinero.",
        ),
        (
            Language::Ru,
            "Спасибо Лейле, прекрасный экскурсовод. Но в автобусе не работали ремни, заказ 55120. Верните деньги за трансфер.",
        ),
        (
            Language::Uk,
            "Дякую Анні, чудова викладачка. Але на третє заняття не прийшов ніхто, замовлення 55120. Поверніть гроші за нього.",
        ),
    ] {
        let draft = calm(language, text, &[Label::Praise]);
        assert!(!draft.wordings.iter().any(|id| id.contains("/praise/thank/")), "{}", draft.body);
        assert!(says(&draft, "/praise/also/"), "{}", draft.body);
    }
}

#[test]
fn nobody_who_wants_something_is_only_thanked() {
    let text = "Thanks be to God he is well. My son walked out by the car park gate at 10:20. I want to know who watches that gate.";
    let draft = drafted(Language::En, text, &[Label::Threat, Label::Praise], &[Label::Threat], NOW);
    assert!(!says(&draft, "/praise/thank"), "{}", draft.body);
}

#[test]
fn a_complaint_without_earlier_terms_is_not_asked_for_them() {
    for (language, text) in [
        (
            Language::En,
            "I was two hours early at the gate and they had given my seat away. Please refund my fare.",
        ),
        (Language::Es, "Llegué 1 hora 50 antes y me dejaron sin lugar. Quiero que me devuelvan el pasaje."),
    ] {
        let draft = calm(language, text, &[Label::Entitlement]);
        assert!(!says(&draft, "/entitlement/"), "{}", draft.body);
    }
    let terms = "Your other branch has always waived the fee. I want it waived here, too.";
    assert!(says(&calm(Language::En, terms, &[Label::Entitlement]), "/entitlement/"));
}

#[test]
fn a_remedy_that_is_asked_for_is_no_question() {
    for (language, text) in [
        (Language::En, "The night cream smells like old oil. Can you replace it?"),
        (Language::Es, "La crema de noche huele a rancio. ¿Me la pueden cambiar por otra?"),
    ] {
        let draft = calm(language, text, &[Label::Complaint, Label::Question]);
        assert!(draft.fill_in.is_empty(), "{}", draft.body);
        // who only asks is answered
        let asked = calm(language, text, &[Label::Question]);
        assert_eq!(asked.fill_in.len(), 1, "{}", asked.body);
    }
}

#[test]
fn a_court_that_somebody_went_to_is_no_threat_of_theirs() {
    let text =
        "Мой адвокат говорит, что без вашей печати суд чек не примет. Печать на чеке не пропечаталась.";
    let labels = [Label::Threat, Label::Complaint];
    let draft = drafted(Language::Ru, text, &labels, &[Label::Threat], NOW);
    assert!(!says(&draft, "/threat/"), "{}", draft.body);
    let text = "Печать на чеке не пропечаталась. Если не исправите, подам в суд.";
    let draft = drafted(Language::Ru, text, &labels, &[Label::Threat], NOW);
    assert!(says(&draft, "/threat/"), "{}", draft.body);
}

#[test]
fn a_concession_is_not_the_matter() {
    let text = "I know you were short of staff on the ward. The tablets for my mother never came up from the pharmacy.";
    let draft = calm(Language::En, text, &[Label::Complaint]);
    assert!(!draft.body.contains("short of staff"), "{}", draft.body);
}

#[test]
fn a_danger_that_is_over_is_none() {
    for text in [
        "I drove my wife to hospital on 8 November with trouble breathing, and you charged £60 for parking.",
        "Not urgent today, but the insulin on my repeat order came without needles.",
    ] {
        let draft = calm(Language::En, text, &[Label::Complaint]);
        assert!(!says(&draft, "/first-step/") && !says(&draft, "matters/danger"), "{}", draft.body);
    }
}

#[test]
fn thanks_and_thoughts_without_a_label_are_answered() {
    for (text, script) in [
        ("Marina explained it to me for twenty minutes, key by key. It works now. Hats off.", "/praise/"),
        ("A box to tick, \"this is a gift\", would be so useful.", "/idea/"),
    ] {
        let draft = calm(Language::En, text, &[]);
        assert!(says(&draft, script), "{}", draft.body);
    }
}
