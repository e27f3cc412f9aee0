//! A changed declaration: how the deployed job is stopped so that what is declared can follow.
//!
//! The table of the Apache operator, read for a world in which snapshots lie on storage that outlives the job manager:
//! "metadata of high availability is there" reads as "a snapshot of the job is known, or it is certain that there is
//! none"; high availability itself decides nothing here. `R`: the job runs. `V`: the line of Flink changes. `F`: the
//! fallback to the last state is on, or the declared version has never run.
//!
//! | mode       | job                        | way                                                              |
//! |------------|----------------------------|------------------------------------------------------------------|
//! | any        | new redeploy nonce         | cancel, start from the initial savepoint                         |
//! | stateless  | any                        | cancel, start without state                                      |
//! | others     | ended                      | remove, start from its newest snapshot                           |
//! | others     | being cancelled            | wait until it has ended                                          |
//! | savepoint  | R                          | stop with a savepoint                                            |
//! | savepoint  | not R, V or F              | as last-state                                                    |
//! | savepoint  | not R                      | hold the change back; the job is kept going                      |
//! | last-state | R, V, a savepoint directory| stop with a savepoint                                            |
//! | last-state | R, newest snapshot too old | stop with a savepoint                                            |
//! | last-state | otherwise                  | cancel or remove, start from its newest snapshot                 |
//!
//! A job whose newest snapshot cannot be told is not stopped for a change: it goes on, and the change is held back. If
//! it is to be suspended it is stopped all the same.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::round::Round;
use super::{restore, spec, stop};
use crate::change::{self, Change, Diff};
use crate::decision::Wait;
use crate::facts::{Cluster, Job, Newest};
use crate::state::{JobState, ReconciliationState};
use crate::wording::{AT_ONCE, SAVEPOINT_FAILED, SOON, Verdict, moment};

/// How long a job manager that answers may fail to tell of the job before it counts as lost.
const TELLING: Duration = Duration::from_secs(60);

/// How the deployed job is stopped.
enum Way {
    /// With a savepoint.
    Savepoint(String),
    /// By cancelling it or removing its cluster; its state is handed over so.
    Cancel(UpgradeMode),
    /// As by cancelling it; the next starts from the initial savepoint.
    Redeploy,
    /// Not yet, and nothing else is done either.
    Wait(Wait),
    /// Not yet; the job is kept going.
    Hold(Wait),
}

/// Begins to carry out a change. Absent if there is none, if it is held back, or if nothing is left to be stopped: then
/// the phase tells that.
pub fn begin(round: &mut Round<'_>) -> Option<Verdict> {
    let diff = declared(round);
    if diff.change <= Change::Ignore || is_return_to_stable(round) {
        round.record.observed_generation = Some(round.desired.generation);
        if round.record.reconciliation == ReconciliationState::Upgrading {
            round.record.reconciliation = ReconciliationState::Deployed;
        }
        return None;
    }
    if let Some(pending) = &round.record.job.savepoints.pending
        && !round.desired.options.ignore_pending_savepoint
    {
        let since = moment(Some(pending.since_ms));
        let message = format!("waits for savepoint `{}` before the change, since {since}", pending.trigger_id);
        return Some(Verdict::wait("SavepointInProgress", message, AT_ONCE));
    }
    match way(round, diff.change) {
        Way::Savepoint(job_id) => {
            announce(round, &diff);
            Some(stop::with_savepoint(round, &job_id))
        }
        Way::Cancel(mode) => {
            announce(round, &diff);
            stop::commit(round, mode);
            stop::cancel(round)
        }
        Way::Redeploy => {
            announce(round, &diff);
            redeploy(round)
        }
        Way::Wait(wait) => Some(Verdict { act: None, wait }),
        Way::Hold(wait) => {
            round.held = Some(wait);
            None
        }
    }
}

/// Whether what is declared can only follow a job that runs, as a savepoint of it must be taken: then a lost one is
/// brought back first.
pub fn needs_running_job(round: &Round<'_>) -> bool {
    let Some(last) = &round.record.last else { return false };
    let change = change::diff(&spec::running(last), &asked(round)).change;
    round.job.upgrade_mode == UpgradeMode::Savepoint
        && matches!(change, Change::Scale | Change::Upgrade)
        && !spec::has_other_version(last, round.desired.spec)
        && !can_fall_back(round)
}

/// What is declared against what was carried out last.
fn declared(round: &Round<'_>) -> Diff {
    let declared = asked(round);
    match &round.record.last {
        Some(last) => change::diff(last, &declared),
        None => Diff { change: Change::None, paths: Vec::new() },
    }
}

/// The declared spec, which says whether the job shall run even if the user did not.
fn asked(round: &Round<'_>) -> serde_json::Value {
    if round.shall_run() { spec::running(round.desired.spec) } else { spec::stopped(round.desired.spec) }
}

/// Whether a change was undone and the user has since declared what runs: then that is carried out already.
fn is_return_to_stable(round: &mut Round<'_>) -> bool {
    let declared = asked(round);
    let is_return = round.record.reconciliation == ReconciliationState::RolledBack
        && round.record.stable.as_ref().is_some_and(|stable| change::diff(stable, &declared).change <= Change::Ignore);
    if is_return {
        round.record.last.clone_from(&round.record.stable);
        round.record.reconciliation = ReconciliationState::Deployed;
    }
    is_return
}

fn way(round: &Round<'_>, change: Change) -> Way {
    let mode = round.job.upgrade_mode;
    if change == Change::Redeploy {
        return Way::Redeploy;
    }
    if mode == UpgradeMode::Stateless {
        return Way::Cancel(UpgradeMode::Stateless);
    }
    let state = round.record.job.state.unwrap_or(JobState::Reconciling);
    if state == JobState::Cancelling {
        let message = format!("waits until {}, which is being cancelled, has ended", round.job_name());
        return Way::Wait(Wait { reason: "JobCancelling", message, again: SOON });
    }
    let running = round.reachable().filter(|job| job.state == JobState::Running);
    let is_other_version =
        round.record.last.as_ref().is_some_and(|last| spec::has_other_version(last, round.desired.spec));
    match (mode, running) {
        (UpgradeMode::Savepoint, Some(job)) => with_savepoint(round, &job.id),
        (UpgradeMode::LastState, Some(job))
            if is_outdated(round) || (is_other_version && round.desired.savepoint_directory.is_some()) =>
        {
            with_savepoint(round, &job.id)
        }
        (UpgradeMode::Savepoint, None) if !state.is_terminal() && !is_other_version && !can_fall_back(round) => {
            let message = format!(
                "holds the change back until {} runs, as a savepoint needs; it is {} since {}; set \
                 `kubernetes.operator.job.upgrade.last-state-fallback.enabled: true` or `job.upgradeMode: last-state` \
                 to start from its newest checkpoint instead",
                round.job_name(),
                state.as_str(),
                moment(round.record.job.update_ms)
            );
            Way::Hold(Wait { reason: "WaitingForRunningJob", message, again: SOON })
        }
        _ => with_last_state(round),
    }
}

fn with_savepoint(round: &Round<'_>, job_id: &str) -> Way {
    let Some(left) = stop::pause(round) else { return Way::Savepoint(job_id.to_owned()) };
    let message = format!(
        "{}; job `{job_id}` runs on, and the next attempt is made at {}",
        round.record.error.as_deref().unwrap_or_default(),
        moment(Some(round.facts.now_ms + left))
    );
    Way::Hold(Wait { reason: "SavepointFailed", message, again: SOON })
}

fn with_last_state(round: &Round<'_>) -> Way {
    let is_ready = matches!(round.cluster, Cluster::Ready(_));
    let since = round.record.job.update_ms;
    if let Job::Unknown(why) = &round.facts.job
        && is_ready
        && round.is_within(since, TELLING)
    {
        let message = format!("waits to hear how the job is, since {}: {why}", moment(since));
        return Way::Wait(Wait { reason: "JobUnknown", message, again: SOON });
    }
    if is_ready
        && round.shall_run()
        && let Err(why) = restore::point(&round.record, round.facts, restore::Handover::Required)
    {
        let message = format!(
            "holds the change back and leaves {} as it is: {why}; set `job.upgradeMode: stateless` to start without state",
            round.job_name()
        );
        return Way::Hold(Wait { reason: "RestorePointUnknown", message, again: SOON });
    }
    Way::Cancel(UpgradeMode::LastState)
}

/// Whether the last state may be taken where a savepoint was asked for. What has never run has no savepoint to give,
/// and what is not there need not be brought back only to be stopped.
fn can_fall_back(round: &Round<'_>) -> bool {
    let has_run = match (&round.record.stable, &round.record.last) {
        (Some(stable), Some(last)) => change::diff(stable, &spec::running(last)).change <= Change::Ignore,
        _ => false,
    };
    let has_nothing_to_stop = !round.shall_run() && round.reachable().is_none();
    round.desired.options.last_state_fallback || !has_run || has_nothing_to_stop
}

/// Whether the newest snapshot is older than the user allows for a start from the last state.
fn is_outdated(round: &Round<'_>) -> bool {
    let Some(age_max) = round.desired.options.checkpoint_age_max else { return false };
    let newest = match &round.facts.newest {
        Newest::Snapshot { at_ms, .. } => Some(*at_ms),
        Newest::None | Newest::Unknown(_) => None,
    };
    let is_recent = |at: Option<i64>| at.is_some() && round.is_within(at, age_max);
    !is_recent(round.record.job.start_ms) && !is_recent(newest)
}

fn redeploy(round: &mut Round<'_>) -> Option<Verdict> {
    let initial = round.job.initial_savepoint_path.clone();
    let mode = if initial.is_some() { UpgradeMode::Savepoint } else { UpgradeMode::Stateless };
    stop::commit(round, mode);
    round.record.job.restore_path = initial;
    stop::cancel(round)
}

/// Tells of a change, once for each generation.
fn announce(round: &mut Round<'_>, diff: &Diff) {
    let is_first_attempt = round.record.observed_generation != Some(round.desired.generation);
    if is_first_attempt && !has_failed_before(round) {
        let kind = match diff.change {
            Change::None | Change::Ignore => return,
            Change::Scale => "SCALE",
            Change::Upgrade => "UPGRADE",
            Change::Redeploy => "SAVEPOINT_REDEPLOY",
        };
        // What is written down of it is how the state was handed over the last time.
        let paths = diff.paths.iter().filter(|path| !path.starts_with("job.upgradeMode ")).cloned();
        let paths = paths.collect::<Vec<_>>().join(", ");
        round.tell("SpecChanged", format!("{kind} change(s) detected ({paths}), starting reconciliation"));
    }
}

fn has_failed_before(round: &Round<'_>) -> bool {
    round.record.error.as_deref().is_some_and(|error| error.starts_with(SAVEPOINT_FAILED))
}
