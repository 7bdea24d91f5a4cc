//! Learning from agents: what counts as a correction, what is kept, retraining, the gate.

mod votes;
mod weeks;
