//! The one integration test binary. What needs servers is in `e2e`; everything else runs anywhere.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "tests panic to fail, and the world around the product is real to them"
)]

mod architecture;
mod canary;
mod classifying;
mod commands;
mod drafting;
mod e2e;
mod faults;
mod guarding;
mod journey;
mod learning;
mod ledger;
mod ops;
mod reading;
mod skipped;
mod soak;
mod world;
