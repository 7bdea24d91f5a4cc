//! Mutated mails through parse, classify, decide and draft, for as long as asked; `fuzz/README.md`
//! says how. Exits with 1 when anything crashed or took too long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a tool for developers"
)]

#[path = "../fuzz/cost.rs"]
#[expect(unreachable_pub, reason = "shared with the fuzz target")]
mod cost;
#[path = "../fuzz/pipeline.rs"]
#[expect(unreachable_pub, reason = "shared with the fuzz target")]
mod pipeline;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cost::{LIMIT, MAX_BYTES, processor_time};
use pipeline::Pipeline;

/// As little as a thread of the daemon has.
const STACK: usize = 2 << 20;

/// What mail is made of.
const TOKENS: &[&str] = &[
    "\r\n",
    "\n\n",
    "--",
    "-- \n",
    ">",
    "> ",
    "From: ",
    "To: a@example.org\n",
    "Subject: ",
    "Sent: ",
    "On ",
    " wrote:\n",
    "Content-Type: text/html; charset=\"",
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
    "--b--\n",
    "Content-Type: message/rfc822\n\n",
    "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VEVENT\nSUMMARY:",
    "Content-Type: application/ms-tnef\n\n",
    "Content-Type: application/pkcs7-mime\n\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Disposition: attachment; filename*0*=utf-8''%D0\n",
    "=?utf-8?B?",
    "=?utf-8?Q?",
    "=?koi8-r?q?=F0",
    "?=",
    "=\n",
    "=D0",
    "charset=utf-7",
    "charset=utf-16",
    "charset=koi8-r",
    "charset=windows-1251",
    "<blockquote>",
    "</blockquote>",
    "<div style=\"display:none\">",
    "<table><tr><td>",
    "<!--",
    "<head>",
    "&nbsp;",
    "&#x",
    "-----Original Message-----\n",
    "---------- Forwarded message ---------\n",
    "##- above this line -##\n",
    "-----BEGIN PGP MESSAGE-----\n",
    "-----BEGIN PGP SIGNED MESSAGE-----\n",
    "Auto-Submitted: auto-replied\n",
    "Authentication-Results: mx.example.test; dkim=pass header.d=",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "РџСЂРё",
    "Ã©",
    "\0",
    "+BB8-",
    "{\\rtf1\\ansi\\u",
    "LZFu",
    "\u{1F600}",
    "ё",
    "і",
    "ñ",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() >> 33).unwrap() % limit.max(1)
    }
}

fn main() {
    let argument = |name: &str, default: u64| {
        let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
        arguments.next().map_or(default, |text| text.parse().expect("a number"))
    };
    let (minutes, seed) = (argument("--minutes", 1), argument("--seed", 1));
    let replayed = std::env::args().skip_while(|a| a != "--replay").nth(1).map(PathBuf::from);
    let run = move || match &replayed {
        Some(folder) => replay(folder),
        None => endure(Duration::from_secs(minutes * 60), seed),
    };
    let bad = std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
    std::process::exit(i32::from(bad));
}

/// Handles what the fuzzer has kept, without its instrumentation.
fn replay(folder: &Path) -> bool {
    let pipeline = Pipeline::shipped();
    let mut mails = Vec::new();
    collect(folder, &mut mails);
    let mut bad = 0;
    let mut slowest = Duration::ZERO;
    for mail in &mails {
        let (took, failed) = (0..2).map(|_| once(&pipeline, mail)).min().unwrap_or_default();
        slowest = slowest.max(took);
        bad += usize::from(failed || took > LIMIT);
    }
    println!("{} mails, {bad} crash or take over {LIMIT:?}, slowest {slowest:?}", mails.len());
    bad > 0
}

/// How long a mail takes the processor, and whether it crashes.
fn once(pipeline: &Pipeline, mail: &[u8]) -> (Duration, bool) {
    let before = processor_time();
    let result = catch_unwind(AssertUnwindSafe(|| pipeline.handle(mail)));
    (processor_time().saturating_sub(before), result.is_err())
}

fn endure(time: Duration, seed: u64) -> bool {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kept = root.join("target/endure");
    fs::create_dir_all(&kept).unwrap();
    let data =
        std::env::var_os("EVENKEEL_DATASETS").map_or_else(|| root.join("../shared/datasets"), PathBuf::from);
    let mut seeds = Vec::new();
    for folder in [root.join("tests/fixtures"), root.join("data/samples"), data.join("mail")] {
        collect(&folder, &mut seeds);
    }
    println!("{} mails, seed {seed}", seeds.len());
    let pipeline = Pipeline::shipped();
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (begun, mut told) = (Instant::now(), Instant::now());
    let (mut runs, mut bytes, mut crashes, mut slow) = (0u64, 0u64, 0u64, 0u64);
    let mut slowest = Duration::ZERO;
    // every mail as it is, first
    let mut untouched = seeds.clone().into_iter();
    while begun.elapsed() < time || untouched.len() > 0 {
        let mail = untouched.next().unwrap_or_else(|| mutated(&seeds, &mut dice));
        fs::write(kept.join("last.eml"), &mail).unwrap();
        runs += 1;
        bytes += mail.len() as u64;
        let (mut took, failed) = once(&pipeline, &mail);
        if failed {
            crashes += 1;
            fs::write(kept.join(format!("crash-{seed}-{runs}.eml")), &mail).unwrap();
        } else if took > slowest {
            // other programs may have had the caches: the best of three counts
            took = took.min(once(&pipeline, &mail).0).min(once(&pipeline, &mail).0);
        }
        if took > slowest {
            slowest = took;
            fs::write(kept.join(format!("slowest-{seed}.eml")), &mail).unwrap();
        }
        if took > LIMIT {
            slow += 1;
            fs::write(kept.join(format!("slow-{seed}-{runs}.eml")), &mail).unwrap();
        }
        if told.elapsed() > Duration::from_mins(1) || begun.elapsed() >= time {
            told = Instant::now();
            let done = begun.elapsed().as_secs();
            println!(
                "{done} s: {runs} mails, {} MiB, {crashes} crashes, {slow} over {LIMIT:?}, slowest {slowest:?}",
                bytes >> 20
            );
        }
    }
    crashes + slow > 0
}

fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, seeds);
        } else {
            let mut mail = fs::read(path).unwrap();
            mail.truncate(MAX_BYTES);
            seeds.push(mail);
        }
    }
}

fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut mail = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(8) {
        mutate(&mut mail, seeds, dice);
    }
    mail.truncate(MAX_BYTES);
    mail
}

fn mutate(mail: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(mail.len() + 1);
    let longest = 1 << dice.below(13);
    let until = at + dice.below((mail.len() - at).min(longest) + 1);
    let token = TOKENS[dice.below(TOKENS.len())].as_bytes();
    match dice.below(9) {
        0 => mail.truncate(at),
        1 => drop(mail.drain(at..until)),
        2 => drop(mail.splice(at..at, token.iter().copied())),
        3 => drop(mail.splice(at..until, token.iter().copied())),
        4 if at < mail.len() => mail[at] ^= 1 << dice.below(8),
        5 if at < mail.len() => mail[at] = u8::try_from(dice.below(256)).unwrap(),
        6 => {
            // the same again and again: what is quadratic shows
            let piece = if dice.below(2) == 0 { mail[at..until].to_vec() } else { token.to_vec() };
            let most = 1 << dice.below(16);
            let times = most.min((MAX_BYTES - at.min(MAX_BYTES)) / piece.len().max(1));
            drop(mail.splice(at..at, piece.repeat(times)));
        }
        7 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            mail.truncate(at);
            mail.extend_from_slice(&other[from..]);
        }
        _ => {
            let piece = mail[at..until].to_vec();
            let to = dice.below(mail.len() + 1);
            drop(mail.splice(to..to, piece));
        }
    }
}
