//! How long it takes to compose a draft.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use evenkeel::classify::Label;
use evenkeel::mail::{Address, Language, Mail};
use evenkeel::reply::{Company, History, Playbooks, Request, compose};
use evenkeel::time::Timestamp;

const ENGLISH: &str = "Hi,\n\nOrder 88213 was due on Monday and the parcel has still not arrived. Tracking has said \
    the same for three days. I paid £42.50 for it. Please send it again before Friday, it is a present.\n\nMegan";
const UKRAINIAN: &str = "Добрий день.\n\nЗамовлення 88213 обіцяли в понеділок, посилка досі не прийшла. Трекінг третій \
    день показує те саме. Заплачено 1200 грн. Надішліть, будь ласка, до п'ятниці, це подарунок.\n\nМарина";

fn drafting(bench: &mut Criterion) {
    let Ok(playbooks) = Playbooks::shipped() else {
        return;
    };
    let (company, history) = (Company::default(), History::default());
    let long = UKRAINIAN.repeat(30);
    for (name, language, body) in [
        ("en", Language::En, ENGLISH),
        ("uk", Language::Uk, UKRAINIAN),
        ("uk, a very long mail", Language::Uk, &long),
    ] {
        let mail = Mail {
            from: vec![Address { name: "Megan Doyle".into(), address: "megan@example.org".into() }],
            subject: "88213".into(),
            new_text: body.into(),
            language,
            ..Mail::default()
        };
        let request = Request {
            mail: &mail,
            labels: &[Label::Complaint],
            doubted: &[],
            company: &company,
            playbooks: &playbooks,
            history: &history,
            now: Timestamp(1_795_515_000),
        };
        bench.bench_function(&format!("compose a draft ({name})"), |b| {
            b.iter(|| compose(black_box(&request)));
        });
    }
    bench.bench_function("read the shipped playbooks", |b| b.iter(Playbooks::shipped));
}

criterion_group!(benches, drafting);
criterion_main!(benches);
