//! Any bytes through the whole pure path. See `fuzz/README.md`.
#![no_main]

#[path = "../cost.rs"]
mod cost;
#[path = "../pipeline.rs"]
mod pipeline;

use std::sync::LazyLock;
use std::time::Duration;

use cost::{LIMIT, MAX_BYTES, processor_time};
use libfuzzer_sys::{Corpus, fuzz_target};
use pipeline::Pipeline;

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(Pipeline::shipped);

/// Where slow mails are kept: they do not end the run.
static SLOW: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("EVENKEEL_SLOW").ok());

/// Counting each branch and checking each sum makes a run about five times slower: more than twice
/// the limit is suspect, and is measured again without (`examples/endure.rs --replay`).
const SUSPECT: u32 = 2;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if bytes.len() > MAX_BYTES {
        return Corpus::Reject;
    }
    let pipeline = &*PIPELINE;
    let before = processor_time();
    pipeline.handle(bytes);
    let took = processor_time().saturating_sub(before);
    if took > LIMIT * SUSPECT {
        keep(bytes, took);
    }
    Corpus::Keep
});

fn keep(bytes: &[u8], took: Duration) {
    let Some(folder) = &*SLOW else { return };
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    }
    let name = format!("{folder}/slow-{:05}ms-{sum:016x}.eml", took.as_millis());
    eprintln!("{took:?} for {} bytes: {name}", bytes.len());
    std::fs::write(name, bytes).expect("the folder EVENKEEL_SLOW names takes files");
}
