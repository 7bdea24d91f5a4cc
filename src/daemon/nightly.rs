//! Training in the background: at configured hours, when enough was corrected, in a process of its own
//! at the lowest priority, one at a time. And whether learning is alive at all.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::decide::vote::LearningRules;
use crate::edge::ledger::LedgerError;
use crate::edge::ledger::examples::Health;
use crate::time::Timestamp;

/// How often it is looked whether it is time.
const ROUND: Duration = Duration::from_mins(5);
/// Moves without one vote after which something must be wrong.
const SILENT: u64 = 50;

/// Whether a candidate is to be trained now.
#[must_use]
pub fn is_time(rules: &LearningRules, health: &Health, corrections: u64, now: Timestamp) -> bool {
    let hour = u8::try_from(now.0.div_euclid(3_600).rem_euclid(24)).unwrap_or(0);
    let new = corrections.saturating_sub(health.trained_on);
    // once an hour at most: the hour is over before it is asked again
    let rested = health.trained.is_none_or(|at| now.since(at) > Duration::from_hours(1));
    rules.train && rested && rules.train_hours.contains(&hour) && new >= u64::from(rules.train_after)
}

/// What is wrong with learning, if something is.
#[must_use]
pub fn trouble(rules: &LearningRules, health: &Health) -> Option<String> {
    if !rules.watch {
        return None;
    }
    if health.silent >= SILENT {
        return Some(format!(
            "{} moves in a row taught nothing: do the folders of [queues] or [learning] moves fit what agents use?",
            health.silent
        ));
    }
    if health.unknown >= SILENT && health.unknown > 10 * health.moves.max(1) {
        return Some(format!(
            "{} mails in queue folders are not known: does another program file there?",
            health.unknown
        ));
    }
    None
}

/// Looks for ever whether it is time to train.
///
/// # Errors
/// When the ledger fails.
pub(super) async fn run(shared: Arc<Shared>, config: PathBuf) -> Result<(), LedgerError> {
    let mut told = None;
    let mut failed = None;
    while !shared.stopping() {
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            () = shared.stopped() => return Ok(()),
        }
        let rules = shared.policy().book.policy.learning.clone();
        let (health, corrections) = shared
            .ledger
            .run(|store| {
                let corrections = store.corrections()?;
                let spoken = corrections.iter().filter(|one| !one.votes.is_empty()).count();
                Ok((store.learning_health()?, u64::try_from(spoken).unwrap_or(u64::MAX)))
            })
            .await?;
        let wrong = trouble(&rules, &health);
        if wrong != told {
            if let Some(wrong) = &wrong {
                tracing::error!(problem = %wrong, "nothing is learnt");
            }
            told = wrong;
        }
        shared.note_learning(told.clone().or_else(|| failed.clone()));
        if is_time(&rules, &health, corrections, shared.clock.now()) {
            let config = config.clone();
            let trained = tokio::task::spawn_blocking(move || train(&config)).await;
            failed = match trained {
                Ok(Ok(outcome)) => {
                    tracing::info!(outcome, "a candidate was trained");
                    None
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "training has failed");
                    Some("the last training has failed; `evenkeel train --local` says why".to_owned())
                }
                Err(error) => {
                    tracing::error!(%error, "training was broken off");
                    Some("the last training was broken off; `evenkeel train --local` says why".to_owned())
                }
            };
            shared.note_learning(told.clone().or_else(|| failed.clone()));
        }
    }
    Ok(())
}

/// Trains in another process: what it needs in memory goes with it, and whatever breaks there breaks
/// nothing here.
fn train(config: &std::path::Path) -> std::io::Result<String> {
    let program = std::env::current_exe()?;
    let output = Command::new("nice")
        .args(["-n", "19"])
        .arg(program)
        .arg("--config")
        .arg(config)
        .args(["train", "--local"])
        .stdin(Stdio::null())
        .output()?;
    let talk = String::from_utf8_lossy(&output.stderr);
    let last = talk.lines().last().unwrap_or_default().to_owned();
    if output.status.success() { Ok(last) } else { Err(std::io::Error::other(last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_trains_at_its_hour_after_enough_corrections_and_not_twice() {
        let rules = LearningRules::default();
        let three = Timestamp(20_000 * 86_400 + 3 * 3_600 + 60);
        let health = Health::default();
        assert!(is_time(&rules, &health, 20, three));
        assert!(!is_time(&rules, &health, 19, three));
        assert!(!is_time(&rules, &health, 20, three.plus(Duration::from_hours(1))));
        let trained = Health { trained: Some(three), trained_on: 0, ..Health::default() };
        assert!(!is_time(&rules, &trained, 40, three.plus(Duration::from_mins(10))));
        let done = Health { trained_on: 25, ..Health::default() };
        assert!(!is_time(&rules, &done, 40, three));
    }

    #[test]
    fn moves_that_teach_nothing_are_told() {
        let rules = LearningRules::default();
        let silent = Health { moves: 60, silent: 55, ..Health::default() };
        assert!(trouble(&rules, &silent).unwrap().contains("55 moves in a row"));
        assert_eq!(trouble(&rules, &Health { moves: 60, silent: 3, ..Health::default() }), None);
    }
}
