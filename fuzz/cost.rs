//! What a mail may cost, and what it did cost. Shared by the fuzz target and the endurance run.

use std::time::Duration;

/// Longest mail made.
pub const MAX_BYTES: usize = 256 << 10;
/// What a mail of that length may cost, in processor time.
pub const LIMIT: Duration = Duration::from_millis(200);

/// The processor time this thread has had, from Linux: what other programs take does not count.
pub fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
