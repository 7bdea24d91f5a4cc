//! Drafts: golden ones for every label and combination in four languages, and what holds for any mail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a fixture that cannot be read is a failed test")]

mod heard;
mod told;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use evenkeel::classify::Label;
use evenkeel::mail::{Address, Language, Mail};
use evenkeel::reply::{
    Company, Draft, History, NoDraft, Occasion, Playbooks, Request, compose, compose_for, facts, guard,
    lexicon,
};
use evenkeel::time::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;

/// Tuesday 2026-11-24 10:10 UTC.
const NOW: Timestamp = Timestamp(1_795_515_000);

const LANGUAGES: [(Language, &str); 4] =
    [(Language::En, "en"), (Language::Es, "es"), (Language::Ru, "ru"), (Language::Uk, "uk")];

static PLAYBOOKS: LazyLock<Playbooks> = LazyLock::new(|| Playbooks::shipped().unwrap());

#[derive(Deserialize)]
struct Line {
    id: String,
    lang: Language,
    from_name: String,
    subject: String,
    body: String,
    labels: Vec<Label>,
    #[serde(default)]
    incidents: u32,
    #[serde(default)]
    email_only: bool,
    #[serde(default)]
    ticket: Option<String>,
    #[serde(default)]
    contacts: u32,
    #[serde(default)]
    company: bool,
}

fn lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn mail(line: &Line) -> Mail {
    Mail {
        from: vec![Address { name: line.from_name.clone(), address: "someone@example.org".into() }],
        subject: line.subject.clone(),
        new_text: line.body.clone(),
        language: line.lang,
        ..Mail::default()
    }
}

fn history(line: &Line) -> History {
    History {
        ticket: line.ticket.clone(),
        incidents: line.incidents,
        email_only_since: line.email_only.then_some(Timestamp(0)),
        contacts_this_week: line.contacts,
        wordings: BTreeSet::new(),
    }
}

fn company() -> Company {
    let text = include_str!("fixtures/drafts/company.toml");
    toml::from_str(text).unwrap()
}

fn draft(mail: &Mail, labels: &[Label], company: &Company, history: &History) -> Result<Draft, NoDraft> {
    compose(&Request { mail, labels, doubted: &[], company, playbooks: &PLAYBOOKS, history, now: NOW })
}

fn draft_of(line: &Line, company: &Company) -> Result<Draft, NoDraft> {
    draft(&mail(line), &line.labels, company, &history(line))
}

fn fixtures(folder: &str) -> Vec<Line> {
    lines(&Path::new("tests/fixtures/drafts").join(format!("{folder}.jsonl")))
}

/// The corpus of one language, without the mails of machines.
fn corpus(folder: &str) -> Vec<Line> {
    let mut all = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(Path::new("data/corpus").join(folder))
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        all.extend(lines(path));
    }
    all
}

#[test]
fn drafts_read_as_they_were_reviewed() {
    for (_, folder) in LANGUAGES {
        let mut page = String::new();
        for line in fixtures(folder) {
            let who = if line.company { company() } else { Company::default() };
            let labels: Vec<_> = line.labels.iter().map(|label| label.as_str()).collect();
            let _ = writeln!(
                page,
                "=== {} [{}] {} | {}",
                line.id,
                labels.join("+"),
                line.from_name,
                line.subject
            );
            let _ = writeln!(page, "> {}\n", line.body.replace('\n', "\n> "));
            match draft_of(&line, &who) {
                Ok(draft) => {
                    let _ = writeln!(page, "Subject: {}\n\n{}\n", draft.subject, draft.body);
                    if !draft.fill_in.is_empty() {
                        let _ = writeln!(page, "(to fill in: {})\n", draft.fill_in.join("; "));
                    }
                }
                Err(reason) => {
                    let _ = writeln!(page, "No draft: {} ({reason})\n", reason.reason());
                }
            }
        }
        insta::assert_snapshot!(format!("drafts_{folder}"), page);
    }
}

#[test]
fn only_what_must_not_be_answered_gets_no_draft() {
    for (_, folder) in LANGUAGES {
        for line in fixtures(folder).iter().chain(&corpus(folder)) {
            if let Err(reason) = draft_of(line, &Company::default()) {
                let expected = match reason.reason() {
                    "automated" => line.labels.contains(&Label::Automated),
                    "no-label" => line.labels.is_empty(),
                    "harassment-without-business" => line.labels.contains(&Label::Harassment),
                    "abuse-again" => {
                        line.labels.contains(&Label::Abuse) && (line.incidents > 0 || line.email_only)
                    }
                    _ => false,
                };
                assert!(expected, "{} {:?}: {reason}", line.id, line.labels);
            }
        }
    }
}

/// The digits of a draft and the name in its greeting stand in the mail, in what we know of the
/// case, in the company file or in the promise: checked here by other means than the guard's.
#[test]
fn no_fact_stands_in_a_draft_that_has_no_source() {
    for (language, folder) in LANGUAGES {
        for company in [Company::default(), company()] {
            let promised: BTreeSet<String> = (0..=100)
                .map(|hours| evenkeel::reply::promise::promise(&company, language, NOW, hours).words)
                .collect();
            for line in fixtures(folder).iter().chain(&corpus(folder)) {
                let Ok(draft) = draft_of(line, &company) else {
                    continue;
                };
                let mut rest = draft.body.clone();
                for words in &promised {
                    rest = rest.replace(words.as_str(), "");
                }
                for text in company.texts(language).into_iter().filter(|text| !text.is_empty()) {
                    rest = rest.replace(text, "");
                }
                let known = format!(
                    "{} {} {} {} {}",
                    line.subject,
                    line.body,
                    line.from_name,
                    line.ticket.as_deref().unwrap_or(""),
                    line.contacts
                );
                for number in rest.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()) {
                    assert!(known.contains(number), "{}: {number} in {}", line.id, draft.body);
                }
                greeting_has_a_source(line, &draft, &known);
                words_have_a_source(line, &rest, &known);
            }
        }
    }
}

/// Days, months, currencies and first names inside a sentence stand in the mail.
fn words_have_a_source(line: &Line, rest: &str, known: &str) {
    let lists = lexicon::of(line.lang);
    let (text, known) = (rest.split_once('\n').map_or("", |(_, text)| text), lexicon::fold(known));
    let mut inside = false;
    for raw in text.split_whitespace() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric());
        let folded = lexicon::fold(word);
        let named =
            inside && word.starts_with(char::is_uppercase) && lists.names.binary_search(&folded).is_ok();
        // `once again` and the like are no days, and a stem may be in another case
        let dated = lexicon::first(&folded, &lists.calendar).is_some();
        let priced = lexicon::first(&folded, &lists.currencies).is_some();
        let stem: String = folded.chars().take(3).collect();
        assert!(!(named || dated || priced) || known.contains(&stem), "{}: {word} in {rest}", line.id);
        inside = !raw.ends_with(['.', '!', '?', ':', '»', '”']) && !raw.starts_with(['–', '«', '“']);
    }
}

fn greeting_has_a_source(line: &Line, draft: &Draft, known: &str) {
    let greeting = draft.body.lines().next().unwrap_or("");
    let words =
        greeting.split_whitespace().skip(1).map(|word| word.trim_matches(|c: char| !c.is_alphabetic()));
    for word in words.filter(|word| word.starts_with(char::is_uppercase)) {
        // A Ukrainian vocative shares its beginning with the name: Федір, Федоре.
        let letters = if line.lang == Language::Uk { 2 } else { word.chars().count() };
        let stem: String = word.chars().take(letters).collect();
        assert!(known.contains(&stem), "{}: {word} in {greeting}", line.id);
    }
}

#[test]
fn what_is_quoted_is_what_the_customer_wrote() {
    for (language, folder) in LANGUAGES {
        let book = PLAYBOOKS.book(language).unwrap();
        for line in corpus(folder) {
            let facts = facts::read(&mail(&line), &line.labels, true, &Company::default(), book);
            for fact in facts.repeated() {
                let words = |text: &str| -> String {
                    text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
                };
                assert!(words(&line.body).contains(&words(&fact.value)), "{}: {}", line.id, fact.value);
            }
        }
    }
}

#[test]
fn the_same_mail_gets_the_same_draft() {
    for (_, folder) in LANGUAGES {
        for line in fixtures(folder) {
            assert_eq!(draft_of(&line, &company()), draft_of(&line, &company()));
        }
    }
}

#[test]
fn a_second_draft_to_the_same_customer_uses_other_wordings() {
    for (_, folder) in LANGUAGES {
        for line in fixtures(folder) {
            let (mail, mut history) = (mail(&line), history(&line));
            let Ok(first) = draft(&mail, &line.labels, &Company::default(), &history) else {
                continue;
            };
            history.wordings.extend(first.wordings.iter().cloned());
            let second = draft(&mail, &line.labels, &Company::default(), &history).unwrap();
            for id in &second.wordings {
                assert!(!first.wordings.contains(id), "{}: {id} twice", line.id);
            }
        }
    }
}

/// Up to a thousand drafts of a label: how many openings and sentences are different, and how often
/// the most frequent one stands. What is quoted from the customer does not count.
#[test]
fn a_thousand_drafts_of_one_label_do_not_read_like_one_form() {
    for (_, folder) in LANGUAGES {
        let all = corpus(folder);
        for label in [Label::Complaint, Label::Pricing, Label::Praise, Label::Criticism, Label::Idea] {
            let lines: Vec<&Line> = all.iter().filter(|line| line.labels == [label]).take(1000).collect();
            let drafts: Vec<Draft> =
                lines.iter().filter_map(|line| draft_of(line, &Company::default()).ok()).collect();
            let (mut openings, mut sentences) = (Vec::new(), Vec::new());
            let mut bodies = BTreeSet::new();
            for draft in &drafts {
                // without the greeting, which has the name
                let said: Vec<String> = draft.wordings.iter().skip(1).cloned().collect();
                openings.extend(said.first().cloned());
                sentences.extend(said.iter().cloned());
                bodies.insert(said);
            }
            let different: BTreeSet<&String> = openings.iter().collect();
            let most = different.iter().map(|one| openings.iter().filter(|other| other == one).count()).max();
            let most = most.unwrap_or(0);
            let distinct = sentences.iter().collect::<BTreeSet<_>>().len();
            let what = format!(
                "{folder} {label}: {} drafts, {} bodies, {} openings, the most frequent {most} times, {distinct} sentences",
                drafts.len(),
                bodies.len(),
                different.len()
            );
            println!("{what}");
            if drafts.len() >= 100 {
                assert!(different.len() >= 5 && most * 3 <= drafts.len(), "{what}");
                let (few, many) = if label == Label::Complaint { (60, 9) } else { (14, 3) };
                assert!(distinct >= few && bodies.len() * 10 >= drafts.len().min(100) * many, "{what}");
            }
        }
    }
}

#[test]
fn what_is_settled_late_or_refused_is_said_in_every_language_and_never_twice_the_same() {
    for (_, folder) in LANGUAGES {
        for line in fixtures(folder) {
            let (mail, mut known) = (mail(&line), history(&line));
            known.ticket = Some("EK-2222-A3".into());
            for occasion in Occasion::ALL {
                for _ in 0..3 {
                    let request = Request {
                        mail: &mail,
                        labels: &[],
                        doubted: &[],
                        company: &Company::default(),
                        playbooks: &PLAYBOOKS,
                        history: &known,
                        now: NOW,
                    };
                    let draft =
                        compose_for(occasion, &request).unwrap_or_else(|why| panic!("{}: {why}", line.id));
                    assert!(!draft.fill_in.is_empty() && draft.body.contains("[["), "{}", draft.body);
                    assert_eq!(draft.promised.is_some(), occasion == Occasion::FollowUp);
                    assert!(draft.subject.contains("[EK-2222-A3]"), "{}", draft.subject);
                    let new = draft.wordings.iter().filter(|id| !known.wordings.contains(*id)).count();
                    assert_eq!(new, draft.wordings.len(), "{}: {:?}", line.id, draft.wordings);
                    known.wordings.extend(draft.wordings);
                }
                known.wordings.clear();
            }
        }
    }
}

#[test]
fn where_a_label_may_be_wrong_the_draft_is_right_either_way() {
    for (language, text, never) in [
        (
            Language::En,
            "My lawyer says I should ask you first: can the deposit of £300 be moved?",
            "legal department",
        ),
        (Language::Es, "Mi abogado dice que les pregunte primero: ¿se puede cambiar la fianza?", "jurídico"),
        (Language::Ru, "Мой адвокат советует сначала спросить вас: можно ли перенести залог?", "юридическ"),
        (Language::Uk, "Мій адвокат радить спершу запитати вас: чи можна перенести заставу?", "юридичн"),
    ] {
        let mail = Mail { language, new_text: text.into(), ..Mail::default() };
        for (label, never) in [(Label::Threat, never), (Label::Abuse, "[[[")] {
            let request = Request {
                mail: &mail,
                labels: &[label],
                doubted: &[label],
                company: &Company::default(),
                playbooks: &PLAYBOOKS,
                history: &History::default(),
                now: NOW,
            };
            let draft = compose(&request).unwrap();
            assert!(!draft.body.contains(never), "{}", draft.body);
            assert!(draft.wordings.iter().all(|id| !id.contains("/boundary/")), "{}", draft.body);
            let sure = compose(&Request { doubted: &[], ..request }).unwrap();
            assert_ne!(sure.body, draft.body);
        }
    }
}

#[test]
fn what_the_company_asks_about_a_product_is_asked_first() {
    let company: Company = toml::from_str(
        "products = [\"Hearth 200\"]\n[[intake]]\nproduct = \"Hearth 200\"\n[intake.ask]\nen = [\"Which lamp is on: the upper or the lower one?\"]",
    )
    .unwrap();
    let mail = Mail {
        language: Language::En,
        new_text: "The Hearth 200 stopped working. It does not start at all.".into(),
        ..Mail::default()
    };
    let draft = draft(&mail, &[Label::Complaint], &company, &History::default()).unwrap();
    let asked = draft.body.find("Which lamp is on").expect("it is asked");
    assert!(draft.body.find('?').unwrap() >= asked, "{}", draft.body);
}

#[test]
fn a_template_in_a_mail_stays_text() {
    let line = Line {
        id: "injection".into(),
        lang: Language::En,
        from_name: "{{ signature }} Eve".into(),
        subject: "{% for x in range(9) %}".into(),
        body: "The export {{ 7 * 7 }} fails since Monday {% raw %}. It is broken still {{ by }}.".into(),
        labels: vec![Label::Complaint],
        incidents: 0,
        email_only: false,
        ticket: Some("{{ by }}".into()),
        contacts: 0,
        company: false,
    };
    let draft = draft_of(&line, &Company::default());
    if let Ok(draft) = draft {
        assert!(!draft.body.contains("49"));
        assert!(draft.subject.contains("{% for x"));
    }
}

#[test]
fn a_thing_that_is_wanted_back_is_never_promised() {
    for (language, wording) in PLAYBOOKS.wordings() {
        let broken = guard::check_wording(language, &wording.text);
        assert!(broken.is_empty(), "{}: {broken:?}", wording.id);
    }
}

fn any_language() -> impl Strategy<Value = Language> {
    prop_oneof![
        Just(Language::En),
        Just(Language::Es),
        Just(Language::Ru),
        Just(Language::Uk),
        Just(Language::Other)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_gives_a_draft_or_a_reason(
        name in any::<String>(),
        subject in any::<String>(),
        body in prop_oneof![any::<String>(), "[ a-zA-Zа-яіїєґ0-9.!?№#€$\n{}%«»-]{0,400}"],
        language in any_language(),
        picks in proptest::collection::vec(0_usize..Label::COUNT, 0..4),
        now in any::<i64>(),
        incidents in 0_u32..3,
    ) {
        let labels: Vec<Label> = picks.into_iter().map(|pick| Label::ALL[pick]).collect();
        let mail = Mail {
            from: vec![Address { name, address: String::new() }],
            subject,
            new_text: body,
            language,
            ..Mail::default()
        };
        let history = History { incidents, ..History::default() };
        let company = Company::default();
        let made = compose(&Request {
            mail: &mail, labels: &labels, doubted: &[], company: &company, playbooks: &PLAYBOOKS, history: &history, now: Timestamp(now),
        });
        if let Ok(draft) = made {
            prop_assert!(!draft.body.contains("{{ by }}"));
            prop_assert!(!draft.subject.contains(['\n', '\r']));
        }
    }
}

#[test]
fn emergency_services_are_named_only_where_somebody_may_be_in_danger() {
    let cases = [
        (Language::En, "emergency", "The file of my thesis opens blank.", "My baby does not stop coughing."),
        (Language::Es, "emergencias", "Mi tesis sale en blanco.", "Mi bebé no para de toser."),
        (Language::Ru, "экстренн", "Файл с дипломом пустой.", "Ребёнок не перестаёт кашлять."),
        (Language::Uk, "екстрен", "Файл із дипломом порожній.", "Дитина не перестає кашляти."),
    ];
    for (language, word, harmless, grave) in cases {
        for (text, named) in [(harmless, false), (grave, true)] {
            let mail = Mail { new_text: text.to_owned(), language, ..Mail::default() };
            let draft = draft(&mail, &[Label::Panic], &Company::default(), &History::default()).unwrap();
            assert_eq!(draft.body.contains(word), named, "{text}\n{}", draft.body);
        }
    }
}

#[test]
fn no_ticket_number_keeps_a_draft_from_being_given() {
    let company = Company::default();
    let texts = [
        (
            "en",
            "You charged my card twice for order 88213. If the money is not back by Friday, my lawyer files the lawsuit on Monday and I report you to the consumer protection authority.",
        ),
        (
            "es",
            "Me cobraron dos veces el pedido 88213. Si no me devuelven el dinero, mi abogado pone la demanda.",
        ),
        ("ru", "Вы дважды списали деньги за заказ 88213. Если не вернёте, мой адвокат подаст в суд."),
        ("uk", "Ви двічі списали гроші за замовлення 88213. Якщо не повернете, мій адвокат подасть до суду."),
    ];
    let mut refused = BTreeSet::new();
    for (_, text) in texts {
        let mail = Mail::from_message("Dana Whitlock", "dana@example.org", "Last warning", text);
        for check in 0..24 * 24_u16 {
            for label in [Label::Threat, Label::Complaint] {
                let bytes = [check / 24, check % 24].map(|part| u8::try_from(part).unwrap());
                let ticket = evenkeel::decide::TicketId::new(0, bytes);
                let history =
                    History { ticket: Some(ticket.to_string()), contacts_this_week: 1, ..History::default() };
                let request = Request {
                    mail: &mail,
                    labels: &[label],
                    doubted: &[],
                    company: &company,
                    playbooks: &PLAYBOOKS,
                    history: &history,
                    now: Timestamp(1_790_000_000),
                };
                if let Err(why) = compose(&request) {
                    refused.insert(format!("{} {label} {ticket}: {why}", mail.language));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_the_customer_wants_done_is_answered_with_a_step_and_not_asked() {
    for (language, text, step) in [
        (Language::En, "The lamp came broken, order 4471. Please send me another one.", "replacement"),
        (Language::Es, "La lámpara llegó rota, pedido 4471. Devuélvanme el dinero.", "refund"),
        (Language::Ru, "Лампа пришла разбитая, заказ 4471. Пришлите мастера в субботу.", "visit"),
        (Language::Uk, "Лампа прийшла розбита, замовлення 4471. Передзвоніть мені.", "call"),
    ] {
        let mail = Mail { language, new_text: text.into(), ..Mail::default() };
        let draft = draft(&mail, &[Label::Complaint], &Company::default(), &History::default()).unwrap();
        let said = format!("outcomes/{step}/step/");
        assert!(draft.wordings.iter().any(|id| id.contains(&said)), "{:?}\n{}", draft.wordings, draft.body);
    }
}

#[test]
fn business_beside_courting_is_answered_where_no_label_names_it() {
    for (language, business, courting) in [
        (
            Language::En,
            "My order 55120 has still not arrived.",
            "Your voice is so beautiful, let us have dinner.",
        ),
        (Language::Es, "El pedido 55120 sigue sin llegar.", "Tu voz es preciosa, salgamos a cenar."),
        (Language::Ru, "Заказ 55120 до сих пор не привезли.", "У вас красивый голос, давайте поужинаем."),
        (Language::Uk, "Замовлення 55120 досі не привезли.", "У вас гарненький голос, давайте повечеряємо."),
    ] {
        let mail = |text: String| Mail { language, new_text: text, ..Mail::default() };
        let of = |mail: &Mail| draft(mail, &[Label::Harassment], &Company::default(), &History::default());
        let answer = of(&mail(format!("{courting} {business}"))).unwrap();
        let dealt = |id: &String| id.contains("/complaint/") || id.contains("/matters/");
        assert!(answer.wordings.iter().any(dealt), "{:?}", answer.wordings);
        let first = courting.split(',').next().unwrap_or(courting);
        assert!(!answer.body.contains(first), "{}", answer.body);
        assert_eq!(of(&mail(courting.to_owned())), Err(NoDraft::HarassmentWithoutBusiness));
    }
}

#[test]
fn a_telephone_and_an_address_in_the_mail_are_not_asked_for() {
    let text = "Our boiler is off and nobody came. 14 Elm Court. My number is 07700 900123.";
    let mail = Mail { language: Language::En, new_text: text.into(), ..Mail::default() };
    for labels in [&[Label::Complaint][..], &[Label::Panic], &[Label::Panic, Label::Complaint]] {
        let draft = draft(&mail, labels, &Company::default(), &History::default()).unwrap();
        let asked = |words: &str| {
            draft.body.split(['\n', '.']).any(|line| line.contains(words) && line.ends_with('?'))
        };
        assert!(!asked("number can we reach") && !asked("Which address"), "{}", draft.body);
    }
}

#[test]
fn a_plain_question_without_a_label_is_answered_and_nothing_else_is() {
    for (language, body) in [
        (Language::En, "Are dogs allowed in the garden rooms? We have a small terrier."),
        (Language::Es, "¿Se puede entrar con perro en la terraza? Tenemos uno pequeño."),
        (Language::Ru, "Можно ли приходить на занятия с собакой? У нас небольшая."),
        (Language::Uk, "Чи можна приходити на заняття з собакою? У нас невеликий."),
    ] {
        let mail = Mail { new_text: body.to_owned(), language, ..Mail::default() };
        let draft = draft(&mail, &[], &Company::default(), &History::default()).unwrap();
        assert_eq!((draft.playbook.as_str(), draft.fill_in.len()), ("question", 1), "{body}");
    }
    for body in
        ["Good morning from Leeds.", "Do you want more customers? See https://example.org", "Are you idiots?"]
    {
        let mail = Mail { new_text: body.to_owned(), language: Language::En, ..Mail::default() };
        assert_eq!(
            draft(&mail, &[], &Company::default(), &History::default()),
            Err(NoDraft::NoLabel),
            "{body}"
        );
    }
}
