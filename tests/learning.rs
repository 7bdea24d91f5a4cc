//! Learning from agents: what counts as a correction, what is kept, retraining, the gate.

pub mod company;
mod own;
mod votes;
pub mod weeks;
