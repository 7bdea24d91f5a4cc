//! Reading mail: golden mails, hostile ones, properties, and how well it does on public data.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what the lints allow in tests, also in the functions tests share"
)]

mod corpus;
mod datasets;
mod disguise;
mod golden;
mod hostile;
