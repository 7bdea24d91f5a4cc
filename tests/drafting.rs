//! Drafts: golden ones for every label and combination in four languages, and what holds for any mail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a fixture that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use evenkeel::classify::Label;
use evenkeel::mail::{Address, Language, Mail};
use evenkeel::reply::{Company, Draft, History, NoDraft, Playbooks, Request, compose, facts, guard};
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
            for line in fixtures(folder).iter().chain(&corpus(folder)) {
                let Ok(draft) = draft_of(line, &company) else {
                    continue;
                };
                let promised: Vec<String> = (0..=100)
                    .map(|hours| evenkeel::reply::promise::promise(&company, language, NOW, hours).words)
                    .collect();
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
            }
        }
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

#[test]
fn drafts_of_one_label_do_not_read_like_one_form() {
    for (_, folder) in LANGUAGES {
        let complaints: Vec<_> = corpus(folder)
            .into_iter()
            .filter(|line| line.labels == [Label::Complaint])
            .filter_map(|line| draft_of(&line, &Company::default()).ok())
            .collect();
        let different: BTreeSet<_> = complaints.iter().map(|draft| draft.wordings.clone()).collect();
        assert!(
            different.len() * 10 >= complaints.len() * 9,
            "{folder}: {} of {}",
            different.len(),
            complaints.len()
        );
    }
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
