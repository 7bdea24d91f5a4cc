//! A task that panics is begun again; one that keeps doing so ends the process, and systemd begins
//! afresh.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

/// Panics after which a task is not begun again.
const PATIENCE: u32 = 3;

/// Pause before a task is begun again.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 1_000 });

/// Runs what `begin` begins to its end, over at most two panics; the third is the error.
pub(super) async fn supervise<T, F: Future<Output = T>>(
    name: &str,
    mut begin: impl FnMut() -> F,
) -> Result<T, String> {
    let mut panics = 0;
    loop {
        // the task's own state is dropped with it; what it shares is behind locks that forgive
        // its message may hold what a mail says
        if let Ok(outcome) = AssertUnwindSafe(async { begin().await }).catch_unwind().await {
            return Ok(outcome);
        }
        panics += 1;
        if panics >= PATIENCE {
            return Err(name.to_owned());
        }
        tracing::error!(task = name, panics, "a task has panicked and is begun again; please report it");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_begun_again_and_the_third_panic_is_the_end() {
        let mut begun = 0;
        let outcome = supervise("support/INBOX", || {
            begun += 1;
            let times = begun;
            async move {
                assert!(times > 2, "broken");
                times
            }
        })
        .await;
        assert_eq!(outcome, Ok(3));
        let outcome: Result<(), _> = supervise("support/INBOX", || async { panic!("broken for good") }).await;
        assert_eq!(outcome, Err("support/INBOX".to_owned()));
    }
}
