//! Places where a test may end the process. Debug builds only.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

static PLAN: OnceLock<Option<(String, u32)>> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "a switch for crash tests of debug builds")]
fn plan() -> Option<(String, u32)> {
    let text = std::env::var("EVENKEEL_CRASH_AT").ok()?;
    let (step, n) = text.split_once(':')?;
    Some((step.to_owned(), n.parse().ok()?))
}

pub(super) fn point(step: &str) {
    let Some((wanted, n)) = PLAN.get_or_init(plan) else { return };
    if wanted == step && COUNT.fetch_add(1, Ordering::Relaxed) + 1 == *n {
        std::process::abort();
    }
}
