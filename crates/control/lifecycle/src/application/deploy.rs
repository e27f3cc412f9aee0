//! Starts jobs. A start is recorded before it is made, and made only where no cluster is seen.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;
use serde_json::Value;

use super::restore::{self, Handover};
use super::round::{Home, Phase, Round};
use super::{clearing, snapshots, spec, stop, upgrade};
use crate::change::{self, Change};
use crate::decision::{Act, Start, Wait};
use crate::facts::{Cluster, Newest};
use crate::state::{JobManagerState, JobState, ReconciliationState};
use crate::wording::Verdict;

/// How soon is looked again at what shall not run.
const ASLEEP: Duration = Duration::from_secs(300);

/// How a job is started.
pub struct Launch {
    /// For which generation.
    pub generation: i64,
    /// Its id.
    pub job_id: String,
    /// The spec.
    pub spec: Value,
    /// The snapshot that it starts from.
    pub restore: Option<String>,
}

/// Whether another operator has begun a first deployment of which nothing was ever seen: as it would, it is begun anew. What
/// is started here has a time.
pub fn is_first_of_another(round: &Round<'_>) -> bool {
    let record = &round.record;
    let is_unseen = record.is_first && record.job.start_ms.is_none() && round.cluster == Cluster::Absent;
    round.home == Home::Own && round.phase() == Phase::Starting && is_unseen
}

/// Deploys for the first time.
pub fn first(round: &mut Round<'_>) -> Verdict {
    if !round.shall_run() {
        return asleep(round);
    }
    if let Some(verdict) = clearing::clear(round) {
        return verdict;
    }
    let restore = round.job.initial_savepoint_path.clone();
    let mode = if restore.is_some() { UpgradeMode::Savepoint } else { UpgradeMode::Stateless };
    round.record.last = Some(spec::handed_over(round.desired.spec, mode));
    round.record.is_first = true;
    round.record.reconciliation = ReconciliationState::Upgrading;
    round.record.reconciled_ms = Some(round.facts.now_ms);
    let launch = Launch {
        generation: round.desired.generation,
        job_id: round.facts.fresh_id.clone(),
        spec: round.desired.spec.clone(),
        restore,
    };
    start(round, launch)
}

/// Goes on after the job has ended or if a recorded start is not seen: clears the ground, then starts what is declared,
/// or rests if nothing shall run.
pub fn next(round: &mut Round<'_>) -> Verdict {
    stop::pin(round);
    if let Some(verdict) = clearing::clear(round) {
        return verdict;
    }
    if !round.shall_run() {
        return rest(round);
    }
    if round.phase() != Phase::Starting || !upgrade::needs_running_job(round) {
        renew(round);
    }
    let is_again = round.phase() == Phase::Starting;
    let handover =
        if is_again { restore::after_failure(round.job.upgrade_mode) } else { restore::after_stop(&round.record) };
    match restore_point(round, handover) {
        Ok(restore) => relaunch(round, restore),
        Err(wait) => Verdict { act: None, wait },
    }
}

/// The snapshot to start from, or what is awaited because it is not known.
pub fn restore_point(round: &mut Round<'_>, handover: Handover) -> Result<Option<String>, Wait> {
    restore::point(&round.record, round.facts, handover).map_err(|why| {
        let way_out = "name a snapshot in `job.initialSavepointPath` and change `job.savepointRedeployNonce`, or set \
                       `job.upgradeMode: stateless` to start without state";
        let message = format!("does not start {} without its state: {why}; {way_out}", round.job_name());
        round.fail("RestoreFailed", message.clone());
        Wait { reason: "RestorePointUnknown", message, again: round.desired.options.reconcile_interval }
    })
}

/// Records a start and makes it.
pub fn start(round: &mut Round<'_>, launch: Launch) -> Verdict {
    let from = launch.restore.as_ref().map_or_else(|| "without state".to_owned(), |path| format!("from `{path}`"));
    if round.record.job.id.as_ref() != Some(&launch.job_id) {
        // It is told before it is tried, so it must not say that it is done.
        round.tell("Submit", format!("starting job `{}` {from}", launch.job_id));
    }
    round.set_job_state(JobState::Reconciling);
    round.record.health = None;
    let job = &mut round.record.job;
    // A start that is tried again changes nothing: whatever is written wakes whoever wrote it.
    if job.id.as_ref() != Some(&launch.job_id) || job.start_ms.is_none() {
        job.start_ms = Some(round.facts.now_ms);
    }
    job.id = Some(launch.job_id.clone());
    job.restore_path.clone_from(&launch.restore);
    job.savepoints.pending = None;
    job.checkpoints.pending = None;
    if round.home == Home::Own {
        round.record.job_manager = JobManagerState::Deploying;
    }
    round.record.observed_generation = Some(launch.generation);
    let message = format!("starts job `{}` {from}, and waits until it is seen", launch.job_id);
    let act = Start {
        generation: launch.generation,
        job_id: Some(launch.job_id),
        spec: launch.spec,
        restore: launch.restore,
    };
    Verdict::act(Act::Start(Box::new(act)), "Starting", message)
}

/// Starts what is declared, or what was stable if the last change is being undone.
fn relaunch(round: &mut Round<'_>, restore: Option<String>) -> Verdict {
    let is_again = round.phase() == Phase::Starting;
    if !is_again {
        round.record.reconciled_ms = Some(round.facts.now_ms);
    }
    // A start that was never seen keeps its id, so that it is made once; but a job that has left snapshots has run.
    let has_run = matches!(round.facts.newest, Newest::Snapshot { .. });
    let is_kept = restore::needs_its_id(restore.as_deref()) || (is_again && !has_run);
    let recorded = round.record.job.id.clone().filter(|_| is_kept);
    let job_id = recorded.unwrap_or_else(|| round.facts.fresh_id.clone());
    let (spec, generation) = match &round.record.stable {
        Some(stable) if round.record.reconciliation == ReconciliationState::RollingBack => {
            (stable.clone(), round.record.observed_generation.unwrap_or(round.desired.generation))
        }
        // A lost job that is brought back before a change: see `upgrade::needs_running_job`.
        _ if is_outdated(round) => (
            spec::running(round.record.last.as_ref().unwrap_or(round.desired.spec)),
            round.record.observed_generation.unwrap_or(round.desired.generation),
        ),
        _ => (round.desired.spec.clone(), round.desired.generation),
    };
    if round.record.reconciliation != ReconciliationState::RollingBack {
        round.record.reconciliation = ReconciliationState::Upgrading;
    }
    start(round, Launch { generation, job_id, spec, restore })
}

/// Takes over what is declared: the newest declaration is what starts. What has ended tells where its state lies, so it is
/// only let go of once that is known.
fn renew(round: &mut Round<'_>) {
    let Some(last) = round.record.last.as_ref().filter(|last| is_another(round, last)) else { return };
    let change = change::diff(&spec::running(last), &spec::running(round.desired.spec)).change;
    let recorded = spec::mode(last);
    let was_starting = round.phase() == Phase::Starting;
    let mode = match (change, &round.job.initial_savepoint_path) {
        (Change::Redeploy, Some(path)) => {
            round.record.job.restore_path = Some(path.clone());
            UpgradeMode::Savepoint
        }
        (Change::Redeploy, None) => UpgradeMode::Stateless,
        _ if round.job.upgrade_mode == UpgradeMode::Stateless => UpgradeMode::Stateless,
        // The start that was not seen may have been made, and what it led to may have run.
        _ if was_starting => UpgradeMode::LastState,
        _ => recorded,
    };
    if mode == UpgradeMode::LastState && matches!(round.facts.newest, Newest::Unknown(_)) {
        return;
    }
    let is_rollback = round.record.reconciliation == ReconciliationState::RollingBack;
    if !is_rollback || change > Change::Ignore {
        round.record.last = Some(spec::succeeding(round.desired.spec, mode, round.record.last.as_ref()));
        round.record.reconciliation = ReconciliationState::Upgrading;
        if was_starting {
            round.set_job_state(JobState::Finished);
        }
    }
    round.record.observed_generation = Some(round.desired.generation);
}

/// Whether something else is declared than what is recorded to follow.
fn is_another(round: &Round<'_>, last: &Value) -> bool {
    let follows = || spec::succeeding(round.desired.spec, spec::mode(last), Some(last));
    is_outdated(round) || (round.phase() == Phase::Stopped && follows() != *last)
}

fn is_outdated(round: &Round<'_>) -> bool {
    round.record.observed_generation != Some(round.desired.generation)
}

/// Nothing shall run and nothing does.
fn rest(round: &mut Round<'_>) -> Verdict {
    if round.phase() == Phase::Starting {
        let mode = restore::lasting(round.job.upgrade_mode);
        round.record.last = round.record.last.as_ref().map(|last| spec::handed_over(last, mode));
        round.set_job_state(JobState::Finished);
    }
    if round.home == Home::Own {
        round.record.job_manager = JobManagerState::Missing;
    }
    if !stop::may_find_savepoint(round) {
        round.record.job.savepoints.pending = None;
    }
    round.record.job.checkpoints.pending = None;
    if round.record.reconciliation != ReconciliationState::Deployed {
        round.tell("Suspended", format!("{} is stopped as asked", round.job_name()));
    }
    round.record.reconciliation = ReconciliationState::Deployed;
    round.record.observed_generation = Some(round.desired.generation);
    round.record.error = None;
    asleep(round)
}

fn asleep(round: &Round<'_>) -> Verdict {
    let from = match &round.record.job.restore_path {
        Some(path) => format!("; it goes on from `{path}` or a newer snapshot of it"),
        None => String::new(),
    };
    let awaited = snapshots::awaited(round);
    let message = format!("nothing runs, as `job.state: suspended` asks{from}{awaited}");
    // Whatever changes wakes it; this is for what nobody tells.
    Verdict::wait("Settled", message, ASLEEP)
}
