//! What reading one mail costs, and that it grows with its bytes and no faster.
//!
//! `cargo bench --bench reading`

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evenkeel::mail::{language, new_text, parse};

const HEAD: &str = "Received: from mail.example.org by mx.example.test; Tue, 3 Mar 2026 08:50:00 +0000\r\n\
    From: Ana <ana@example.org>\r\nTo: support@example.test\r\nSubject: Re: order 4471\r\n\
    Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n";

/// What a machine writes: the same sentence again and again, about `kib` KiB of it.
fn machine(kib: usize) -> Vec<u8> {
    let line = "The nightly report is attached to your account. No action is needed on your side.\r\n";
    let text = line.repeat((kib << 10) / line.len());
    format!("{HEAD}Auto-Submitted: auto-generated\r\n\r\n{text}")
        .replace("Ana <ana@", "Reports <noreply@")
        .into_bytes()
}

/// An answer above a long thread, about `kib` KiB of text.
fn thread(kib: usize) -> String {
    let turn = "On Mon, 2 Mar 2026 at 10:12, Support <support@example.test> wrote:\n> We sent it on Friday; \
                please look at the door and at the neighbour's. Did it arrive?\n>\n> Regards: support\n\n\
                It did not. From: here it looks lost, and I asked two neighbours already.\n";
    let mut text = "Where is my order? It is a week late and nobody answers the phone.\n\n".to_owned();
    while text.len() < kib << 10 {
        text.push_str(turn);
    }
    text
}

fn plain(kib: usize) -> Vec<u8> {
    format!("{HEAD}Content-Type: text/plain; charset=utf-8\r\n\r\n{}", thread(kib)).into_bytes()
}

fn html(kib: usize) -> Vec<u8> {
    let mut page = String::new();
    for line in thread(kib).lines() {
        let _ =
            writeln!(page, "<p class=\"MsoNormal\" style=\"margin:0cm;color:#1f497d\">{line}<o:p></o:p></p>");
    }
    format!("{HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{page}</body></html>")
        .into_bytes()
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("read a mail");
    // flat from 1 KiB to 10 MiB: of more than `MAX_MAIL_BYTES` nothing more is read
    for kib in [1, 20, 200, 1_000, 10_240] {
        for (kind, mail) in [("plain", plain(kib)), ("html", html(kib))] {
            group.throughput(Throughput::Bytes(mail.len() as u64));
            group.bench_with_input(BenchmarkId::new(kind, kib), &mail, |b, mail| {
                b.iter(|| parse(black_box(mail)));
            });
        }
    }
    group.finish();
    let report = machine(5);
    c.bench_function("read a machine's mail of 5 KiB", |b| {
        b.iter(|| parse(black_box(&report)));
    });
    let text = thread(20);
    c.bench_function("new text of 20 KiB", |b| {
        b.iter(|| new_text::split(black_box(&text)));
    });
    c.bench_function("language of 20 KiB", |b| {
        b.iter(|| language::detect(black_box(&text), ""));
    });
}

criterion_group!(benches, reading);
criterion_main!(benches);
