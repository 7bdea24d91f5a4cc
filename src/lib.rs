//! **evenkeel** keeps a support inbox on an even keel.
//!
//! A tour in the order in which a mail travels:
//!
//! 1. [`edge::imap`] pulls the bytes of a new mail;
//! 2. [`mail::parse()`] turns them into a [`mail::Mail`]: who, what is new, which language, machine or human;
//! 3. [`classify`] turns that into a [`classify::Verdict`]: labels with probabilities and evidence;
//! 4. [`decide::decide`] turns verdict, case and policy into a [`decide::Decision`]: actions and reasons;
//!    the reply in it is composed by [`reply`];
//! 5. [`edge::ledger`] makes the intent durable, [`daemon`] carries it out through the edges
//!    and records the outcome.
//!
//! Steps 2 to 4 are pure: no clock, no randomness, no I/O. [`train`] makes the model offline,
//! [`config`] reads the operator's files, [`plot`] draws figures, [`cli`] is the command line.

pub mod classify;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod decide;
pub mod edge;
pub mod mail;
pub mod plot;
pub mod reply;
pub mod time;
pub mod train;
