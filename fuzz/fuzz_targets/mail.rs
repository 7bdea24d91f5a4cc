//! Any bytes through the whole pure path. See `fuzz/README.md`.
#![no_main]

#[path = "../pipeline.rs"]
mod pipeline;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pipeline::Pipeline;

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(Pipeline::shipped);

fuzz_target!(|bytes: &[u8]| PIPELINE.handle(bytes));
