//! Keeps a deployed job going: brings a lost one back, starts a failed one or one that is not healthy again if asked,
//! removes the cluster of one that has ended long ago.
//!
//! Why a job was lost stays in the record until it runs again.

use std::time::Duration;

use kobel_model::deployment::UpgradeMode;

use super::deploy::{self, Launch};
use super::round::{Home, Round};
use super::{clearing, health, restore, snapshots, spec, stop};
use crate::decision::Act;
use crate::facts::{Cluster, FoundJob, Job, Witness};
use crate::state::{JobState, ReconciliationState};
use crate::wording::{NOT_FOUND, SOON, Verdict, milliseconds, moment, span, span_of};

/// The shortest time between two starts.
const PAUSE_MIN: i64 = 5_000;
/// The longest time between two starts.
const PAUSE_MAX: i64 = 300_000;

/// How long a job manager that was just started is silent as a matter of course.
const COMING_UP: Duration = Duration::from_secs(10);

/// How long a highly available session cluster may take to bring a job back by itself.
const TAKE_OVER: Duration = Duration::from_secs(60);

/// Why a job is started again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// It failed for good.
    Failed,
    /// It or its cluster is not there any more.
    Lost,
    /// It runs, and does not do well.
    Unhealthy,
}

impl Cause {
    const fn reason(self) -> &'static str {
        match self {
            Self::Failed => "RestartFailedJob",
            Self::Lost => "RecoverDeployment",
            Self::Unhealthy => "RestartUnhealthyJob",
        }
    }
}

/// Looks whether the job must be brought back or its cluster be removed; absent if neither.
pub fn keep(round: &mut Round<'_>) -> Option<Verdict> {
    match round.record.job.state {
        Some(JobState::Failed) if round.desired.options.restart_failed => {
            let why = round.record.error.clone().unwrap_or_else(|| "it failed".to_owned());
            Some(bring_back(round, Cause::Failed, &why))
        }
        Some(state) if state.is_terminal() => remove_ended(round),
        _ => {
            if round.cluster == Cluster::Ending {
                return clearing::clear(round);
            }
            if let Some(why) = health::problem(round) {
                return Some(bring_back(round, Cause::Unhealthy, &why));
            }
            let why = with_last_error(round, lost(round)?);
            if round.home == Home::Own && !round.desired.options.recover_job_manager {
                return Some(left_alone(round, &why));
            }
            Some(bring_back(round, Cause::Lost, &why))
        }
    }
}

/// Everything is as it was asked for, or comes to be so without help.
pub fn settle(round: &mut Round<'_>) -> Verdict {
    if let Some(wait) = round.held.take() {
        return Verdict { act: None, wait };
    }
    let again = round.desired.options.reconcile_interval;
    let (name, since) = (round.job_name(), moment(round.record.job.update_ms));
    let state = round.record.job.state.unwrap_or(JobState::Reconciling);
    match state {
        JobState::Running => {
            round.record.error = None;
            let again = snapshots::due_in(round).map_or(again, |due| due.min(again));
            Verdict::wait("Settled", format!("{name} runs, since {since}"), again)
        }
        JobState::Finished => {
            round.record.error = None;
            let awaited = snapshots::awaited(round);
            Verdict::wait("Settled", format!("{name} has finished at {since}{awaited}"), again)
        }
        JobState::Canceled => {
            let message = format!("{name} was cancelled at {since}; change `restartNonce` to start it again");
            Verdict::wait("JobCanceled", message, again)
        }
        JobState::Failed => {
            let message = format!(
                "{name} failed at {since}; change the spec or `restartNonce` to start it again from its newest \
                 snapshot, or set `kubernetes.operator.job.restart.failed: true`"
            );
            Verdict::wait("JobFailed", message, again)
        }
        JobState::Initializing | JobState::Created | JobState::Reconciling => {
            let (seen, error) = (what_is_seen(round), last_error(round));
            let message = format!("waits until every task of {name} runs, since {since}{seen}{error}");
            Verdict::wait("JobStarting", message, SOON)
        }
        JobState::Restarting | JobState::Failing | JobState::Suspended => {
            let message = format!(
                "{name} is {} since {since}; it restarts by itself, as `restart-strategy.type` asks{}",
                state.as_str(),
                why_it_failed(round)
            );
            Verdict::wait("JobRestarting", message, SOON)
        }
        JobState::Cancelling => {
            Verdict::wait("JobCancelling", format!("{name} is being cancelled since {since}, not from here"), SOON)
        }
    }
}

fn why_it_failed(round: &Round<'_>) -> String {
    match &round.facts.job {
        Job::Found(FoundJob { failure: Some(why), .. }) => format!("; it failed with: {why}"),
        _ => String::new(),
    }
}

fn what_is_seen(round: &Round<'_>) -> String {
    match (&round.cluster, &round.facts.job) {
        (Cluster::Starting(_), _) if round.is_within(round.record.job.start_ms, COMING_UP) => {
            ": its job manager comes up".to_owned()
        }
        (Cluster::Starting(_), _) => {
            let due = answer_due(round).filter(|_| round.desired.options.recover_job_manager);
            let due = due.map(|due| format!("; it is started again unless it does by {}", moment(Some(due))));
            format!(": its job manager does not answer yet{}{}", silence(round), due.unwrap_or_default())
        }
        (_, Job::Unknown(why)) => format!(": {why}"),
        (_, Job::Absent) => ": its job manager does not know it yet".to_owned(),
        _ => String::new(),
    }
}

/// What whoever asked the job manager was told, in words; empty if nobody asked.
fn silence(round: &Round<'_>) -> String {
    round.facts.silence.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
}

/// What went wrong last, in words; empty if nothing did, or if no more is known than that the job is not there.
fn last_error(round: &Round<'_>) -> String {
    let error = round.record.error.as_ref().filter(|error| !error.ends_with(NOT_FOUND));
    error.map(|error| format!("; the last error was: {error}")).unwrap_or_default()
}

/// Why the job is lost, with what went wrong before: what is removed does not tell any more why that had to be.
fn with_last_error(round: &Round<'_>, why: String) -> String {
    let is_told = round.record.error.as_ref().is_some_and(|error| error.contains(&why));
    if is_told { round.record.error.clone().unwrap_or(why) } else { format!("{why}{}", last_error(round)) }
}

/// Why the job is not there although it shall run; absent if it is, or may still come.
fn lost(round: &Round<'_>) -> Option<String> {
    let since = round.record.job.update_ms;
    let is_other_job = round.launched().is_some_and(|launched| {
        launched.job_id.is_some() && round.record.job.id.is_some() && launched.job_id != round.record.job.id
    });
    match &round.cluster {
        Cluster::Failed(_, why) => Some(why.clone()),
        _ if is_other_job => Some("the cluster is one of another job".to_owned()),
        Cluster::Absent if round.home == Home::Own => Some("no process of its cluster is there".to_owned()),
        Cluster::Absent if round.desired.is_highly_available && round.is_within(since, TAKE_OVER) => None,
        Cluster::Absent => Some("its session cluster does not know it".to_owned()),
        Cluster::Ready(_) if round.facts.job == Job::Absent => {
            let patience = round.desired.options.readiness_timeout;
            let is_late = !round.is_within(since.max(round.record.job.start_ms), patience);
            is_late.then(|| format!("its job manager does not know it for more than {}", span_of(patience)))
        }
        Cluster::Starting(_) if answer_due(round)? <= round.facts.now_ms => {
            let patience = span_of(round.desired.options.readiness_timeout);
            Some(format!("its job manager does not answer for more than {patience}{}", silence(round)))
        }
        _ => None,
    }
}

/// Until when a job manager that does not answer is waited for: so long after it was started, or answered last. Only
/// where a job of the resource has run before: that a first one needs longer is no sign of a loss.
fn answer_due(round: &Round<'_>) -> Option<i64> {
    let job = &round.record.job;
    let since = job.update_ms.max(job.start_ms)?;
    let has_run = round.home == Home::Own && round.record.stable.is_some();
    has_run.then(|| since.saturating_add(milliseconds(round.desired.options.readiness_timeout)))
}

/// Removes what is left and starts the job again, from its newest state, not too often.
fn bring_back(round: &mut Round<'_>, cause: Cause, why: &str) -> Verdict {
    let reason = cause.reason();
    if let Some(left) = pause(round) {
        let message =
            format!("starts {} again at {}: {why}", round.job_name(), moment(Some(round.facts.now_ms + left)));
        let again = Duration::from_millis(left.unsigned_abs());
        return Verdict::wait(reason, message, again);
    }
    let mode = restore::lasting(round.job.upgrade_mode);
    if cause == Cause::Unhealthy
        && let Some(verdict) = cannot_follow(round, mode, why)
    {
        return verdict;
    }
    let restore = match deploy::restore_point(round, restore::after_failure(mode)) {
        Ok(restore) => restore,
        Err(wait) => return Verdict { act: None, wait },
    };
    let must_be_written_down = cause == Cause::Failed && mode == UpgradeMode::LastState && is_as_declared(round);
    if round.cluster != Cluster::Absent && must_be_written_down && round.facts.witness == Witness::JobManager {
        round.warn(reason, format!("starts {} again: {why}", round.job_name()));
        stop::commit_ended(round, mode);
    }
    keep_why(round, cause, why);
    if round.cluster != Cluster::Absent {
        let message = format!("removes what is left of the cluster to start {} again: {why}", round.job_name());
        return Verdict::act(Act::Remove, reason, message);
    }
    round.warn(reason, format!("starts {} again: {why}", round.job_name()));
    round.record.last = round.record.last.as_ref().map(|last| spec::handed_over(last, mode));
    let is_rolled_back = round.record.reconciliation == ReconciliationState::RolledBack;
    round.record.reconciliation =
        if is_rolled_back { ReconciliationState::RollingBack } else { ReconciliationState::Upgrading };
    // A change that is held back, or was undone, is not what is brought back.
    let recorded = if is_rolled_back { round.record.stable.as_ref() } else { round.record.last.as_ref() };
    let (spec, generation) = match recorded {
        Some(recorded) if round.held.is_some() || is_rolled_back => {
            (spec::running(recorded), round.record.observed_generation.unwrap_or(round.desired.generation))
        }
        _ => (round.desired.spec.clone(), round.desired.generation),
    };
    let kept = round.record.job.id.clone().filter(|_| restore::needs_its_id(restore.as_deref()));
    let job_id = kept.unwrap_or_else(|| round.facts.fresh_id.clone());
    let mut verdict = deploy::start(round, Launch { generation, job_id, spec, restore });
    verdict.wait.message.push_str(&format!("; it was to be started again: {why}"));
    verdict
}

/// Whether what is declared is what is brought back.
fn is_as_declared(round: &Round<'_>) -> bool {
    round.held.is_none() && round.record.reconciliation != ReconciliationState::RolledBack
}

/// What is awaited before a job that runs, and does not do well, can be ended: that it is known what the next starts
/// from. Absent if that is known, or if the job is ended already.
fn cannot_follow(round: &mut Round<'_>, mode: UpgradeMode, why: &str) -> Option<Verdict> {
    if round.cluster == Cluster::Absent {
        return None;
    }
    let unknown = restore::point(&round.record, round.facts, restore::after_failure(mode)).err()?;
    let message = format!("leaves {} as it is, although {why}: {unknown}", round.job_name());
    round.fail(Cause::Unhealthy.reason(), message.clone());
    Some(Verdict::wait("RestorePointUnknown", message, SOON))
}

/// Writes down why the job is started again, unless what is written down tells more.
fn keep_why(round: &mut Round<'_>, cause: Cause, why: &str) {
    let tells_less = round.record.error.as_ref().is_none_or(|error| error.ends_with(NOT_FOUND));
    if tells_less || cause == Cause::Unhealthy {
        round.record.error = Some(why.to_owned());
    }
    if cause == Cause::Unhealthy {
        // It goes from here on because it was asked to.
        round.set_job_state(JobState::Reconciling);
    }
}

/// How much longer the job is not started again, in milliseconds. The pause is as long as the trouble had lasted when
/// the last start was made, so it doubles from one start to the next for as long as the job does not come to run.
fn pause(round: &Round<'_>) -> Option<i64> {
    let job = &round.record.job;
    let start_ms = job.start_ms?;
    let trouble = start_ms.saturating_sub(job.update_ms.unwrap_or(start_ms));
    let due = start_ms.saturating_add(trouble.clamp(PAUSE_MIN, PAUSE_MAX));
    let left = due.saturating_sub(round.facts.now_ms);
    (left > 0).then_some(left.min(PAUSE_MAX))
}

fn left_alone(round: &Round<'_>, why: &str) -> Verdict {
    let message = format!(
        "{} is lost: {why}; it is left so, as `kubernetes.operator.jm-deployment-recovery.enabled: false` asks; change \
         `restartNonce` to start it again",
        round.job_name()
    );
    Verdict::wait("JobManagerMissing", message, round.desired.options.reconcile_interval)
}

/// Removes the cluster of a job that has ended long enough ago.
fn remove_ended(round: &Round<'_>) -> Option<Verdict> {
    let ttl = round.desired.options.shutdown_ttl;
    let is_there = !matches!(round.cluster, Cluster::Absent | Cluster::Ending | Cluster::Unknown(_));
    let ended = round.elapsed(round.record.job.update_ms);
    if round.home == Home::Session || !is_there || ended <= milliseconds(ttl) {
        return None;
    }
    let message = format!("removes the cluster of {}, which ended {} ago", round.job_name(), span(ended));
    Some(Verdict::act(Act::Remove, "ClusterEnding", message))
}
