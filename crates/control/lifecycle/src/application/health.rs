//! Judges the health of a job that runs: one that restarts all the time, or completes no checkpoint any more, is to be
//! started again. A job that has ended is never judged.
//!
//! The judgement is recorded, and stands until the job is started again or is seen to be healthy: so it outlives the
//! removal of the cluster that it leads to.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `ClusterHealthEvaluator`, without FLINK-39507 (jobs that have ended). Two
//! things are our own: a job that is not healthy keeps what it is judged by, so that judging it again gives the same;
//! and a number that a job does not tell says nothing about its health.

use super::round::{Home, Round};
use crate::facts::Samples;
use crate::options::HealthCheck;
use crate::record::Health;
use crate::state::JobState;
use crate::wording::{milliseconds, moment, span_of};

/// Stands for a number of checkpoints that the job did not tell.
const NOT_TOLD: i64 = -1;

/// Judges the job, if that was asked for and it tells of itself, and writes the judgement down.
pub fn observe(round: &mut Round<'_>) {
    let has_ended = round.record.job.state.is_some_and(JobState::is_terminal);
    let options = round.desired.options;
    let Some(check) = options.health_check.as_ref().filter(|_| round.home == Home::Own && !has_ended) else {
        round.record.health = None;
        return;
    };
    let Some(samples) = round.facts.health.as_ref().filter(|_| round.reachable().is_some()) else { return };
    let before = round.record.health.as_ref();
    let is_running = round.record.job.state == Some(JobState::Running);
    // A job that has not run yet reads its state first; its time begins after that.
    let is_reading = !is_running && before.is_none_or(|before| before.completed_checkpoints == NOT_TOLD);
    let samples = Samples { completed_checkpoints: samples.completed_checkpoints.filter(|_| !is_reading), ..*samples };
    let Some(judged) = judge(check, before, &samples, round.facts.now_ms) else { return };
    // A look that tells nothing new is not written down.
    if before.is_none_or(|before| judged != Health { at_ms: judged.at_ms, ..before.clone() }) {
        round.record.health = Some(judged);
    }
}

/// Why the job is to be started again; absent if it is healthy, or if nobody judges it.
pub fn problem(round: &Round<'_>) -> Option<String> {
    round.record.health.as_ref()?.unhealthy.clone()
}

/// Judges a job by what it tells and what it told before; absent if it never told of its restarts.
fn judge(check: &HealthCheck, before: Option<&Health>, samples: &Samples, now_ms: i64) -> Option<Health> {
    let Some(before) = before else {
        return Some(Health {
            at_ms: now_ms,
            restarts: samples.restarts?,
            restarts_since_ms: now_ms,
            completed_checkpoints: samples.completed_checkpoints.unwrap_or(NOT_TOLD),
            completed_since_ms: now_ms,
            unhealthy: None,
        });
    };
    let mut health = Health { at_ms: now_ms, ..before.clone() };
    let restarts = samples.restarts.and_then(|count| judge_restarts(check, &mut health, count));
    let checkpoints = judge_checkpoints(check, &mut health, samples.completed_checkpoints.unwrap_or(NOT_TOLD));
    let problem = restarts.or(checkpoints);
    // The words of the first judgement stay, so that it is told once.
    health.unhealthy = problem.map(|problem| before.unhealthy.clone().unwrap_or(problem));
    Some(health)
}

/// Why the job restarts too often; absent if it does not. Over more time than the window its restarts count in
/// proportion, and are then counted anew.
fn judge_restarts(check: &HealthCheck, health: &mut Health, count: i64) -> Option<String> {
    let window = milliseconds(check.restarts_window);
    let elapsed = health.at_ms.saturating_sub(health.restarts_since_ms);
    let more = count.saturating_sub(health.restarts);
    let scaled = match elapsed > window {
        true => i64::try_from(i128::from(more) * i128::from(window) / i128::from(elapsed)).unwrap_or(more),
        false => more,
    };
    if scaled > check.restarts_threshold {
        return Some(format!(
            "it restarted {scaled} times within {}, more than `kubernetes.operator.cluster.health-check.restarts.\
             threshold: {}` allows",
            span_of(check.restarts_window),
            check.restarts_threshold
        ));
    }
    // Fewer than before are those of another job manager.
    if more < 0 || elapsed > window {
        health.restarts = count;
        health.restarts_since_ms = health.at_ms;
    }
    None
}

/// Why the job counts as one that completes no checkpoint; absent if it does not.
fn judge_checkpoints(check: &HealthCheck, health: &mut Health, count: i64) -> Option<String> {
    let window = check.checkpoint_window?;
    if count != health.completed_checkpoints {
        health.completed_checkpoints = count;
        health.completed_since_ms = health.at_ms;
        return None;
    }
    let is_late = health.at_ms.saturating_sub(health.completed_since_ms) > milliseconds(window);
    (is_late && count != NOT_TOLD).then(|| {
        let since = moment(Some(health.completed_since_ms));
        format!("it has completed no checkpoint since {since}, for more than {}", span_of(window))
    })
}
