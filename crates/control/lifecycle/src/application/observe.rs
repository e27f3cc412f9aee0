//! Writes down what is seen of a deployed job. What is seen is trusted over what is remembered, with one exception: a
//! job that was seen to end stays ended, even if whoever is asked has forgotten it.

use super::restore::{self, Handover};
use super::round::{Home, Phase, Round};
use super::spec;
use crate::facts::{Cluster, FoundJob, Job, Launched};
use crate::state::{JobManagerState, JobState, ReconciliationState};
use crate::wording::NOT_FOUND;

/// Takes what is seen over into the record.
pub fn observe(round: &mut Round<'_>) {
    observe_job_manager(round);
    let facts = round.facts;
    let has_completed = round.has_completed();
    match &facts.job {
        Job::Found(job) if job.state.is_terminal() || !has_completed => found(round, job),
        _ if has_completed => completed(round),
        Job::Found(_) | Job::Absent | Job::NotAsked | Job::Unknown(_) => not_found(round),
    }
    mark_stable(round);
}

/// Takes a recorded start that is seen for carried out. Says whether it was seen.
pub fn arrive(round: &mut Round<'_>) -> bool {
    let is_ours = match (round.phase(), round.launched()) {
        (Phase::Starting, Some(launched)) => {
            Some(launched.generation) == round.record.observed_generation && launched.job_id == round.record.job.id
        }
        (Phase::Starting, None) => has_ended_unseen(round),
        (Phase::Stopped, Some(launched)) => is_made_by_another(round, launched),
        _ => false,
    };
    if is_ours {
        round.set_job_state(JobState::Reconciling);
        // Earlier tries may have failed for long.
        round.record.job.start_ms = Some(round.facts.now_ms);
        round.record.last = round.record.last.as_ref().map(spec::running);
        round.record.is_first = false;
        round.record.reconciliation = match round.record.reconciliation {
            ReconciliationState::RollingBack => ReconciliationState::RolledBack,
            _ => ReconciliationState::Deployed,
        };
    }
    is_ours
}

/// Whether a cluster is the one that is to follow, although no start of it is recorded: Apache's operator records that the
/// last job has finished, makes what follows under the new generation, and may end before it has recorded that.
fn is_made_by_another(round: &Round<'_>, launched: &Launched) -> bool {
    let (record, generation) = (&round.record, round.desired.generation);
    let is_to_follow =
        record.reconciliation == ReconciliationState::Upgrading && record.observed_generation == Some(generation);
    let is_it = launched.generation == generation && launched.job_id.is_some() && launched.job_id == record.job.id;
    // What was stopped has begun before the change, and may still be there.
    let is_since = round.reachable().is_some_and(|job| record.reconciled_ms.is_some_and(|begun| job.start_ms > begun));
    round.home == Home::Own && round.shall_run() && is_to_follow && is_it && is_since && has_its_state(round)
}

/// Whether what runs has the state that what is to follow would have.
fn has_its_state(round: &Round<'_>) -> bool {
    let last = round.record.job.savepoints.last.as_ref().and_then(|taken| taken.location.as_deref());
    match restore::after_stop(&round.record) {
        Handover::Nothing => true,
        Handover::Exactly(path) => last == Some(path.as_str()),
        Handover::IfKnown | Handover::Required => round.desired.is_highly_available,
    }
}

/// Whether a job of a session cluster was started and has ended before anybody looked: nothing is left of it to be seen but
/// its end.
fn has_ended_unseen(round: &Round<'_>) -> bool {
    let id = round.record.job.id.as_deref();
    round.home == Home::Session && matches!(&round.facts.job, Job::Found(job) if Some(job.id.as_str()) == id)
}

fn observe_job_manager(round: &mut Round<'_>) {
    if round.home == Home::Session {
        return;
    }
    round.record.job_manager = match &round.cluster {
        Cluster::Ready(_) => JobManagerState::Ready,
        Cluster::Starting(_) => JobManagerState::Deploying,
        Cluster::Failed(..) => JobManagerState::Error,
        Cluster::Absent | Cluster::Ending | Cluster::Completed(_) => JobManagerState::Missing,
        Cluster::Unknown(_) => return,
    };
    let is_news = round.before.job_manager != JobManagerState::Error || round.record.error.is_none();
    // Why a job failed tells more than how its job manager ended after it.
    let is_known = round.record.job.state == Some(JobState::Failed) && round.record.error.is_some();
    if let Cluster::Failed(_, why) = &round.cluster
        && is_news
        && !is_known
    {
        let why = why.clone();
        round.fail("Error", why);
    }
}

fn found(round: &mut Round<'_>, job: &FoundJob) {
    let before = round.record.job.state;
    if before != Some(job.state) {
        let from = before.map_or("unknown", JobState::as_str);
        let to = job.state.as_str();
        round.tell("JobStatusChanged", format!("job status changed from {from} to {to}{}", why_it_restarts(job)));
    }
    round.set_job_state(job.state);
    round.record.job.name = Some(job.name.clone());
    round.record.job.start_ms = Some(job.start_ms);
    if job.state == JobState::Failed && (before != Some(JobState::Failed) || round.record.error.is_none()) {
        let why = job.failure.clone().unwrap_or_else(|| format!("job `{}` failed and does not tell why", job.id));
        round.fail("Error", why);
    }
}

/// Why a job that is started again by itself failed, in a line: it is not said any more once the job runs.
fn why_it_restarts(job: &FoundJob) -> String {
    let is_restarted = matches!(job.state, JobState::Restarting | JobState::Failing);
    let why = job.failure.as_deref().filter(|_| is_restarted).and_then(|why| why.lines().next());
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// The job ended while nobody looked, and its job manager has ended well after it: nothing is left to be done for it.
fn completed(round: &mut Round<'_>) {
    if round.record.job.state.is_some_and(JobState::is_terminal) {
        return;
    }
    let name = round.job_name();
    round.tell("JobStatusChanged", format!("{name} counts as FINISHED: its job manager has ended by itself, and well"));
    round.set_job_state(JobState::Finished);
}

fn not_found(round: &mut Round<'_>) {
    if round.record.job.state.is_some_and(JobState::is_terminal) {
        return;
    }
    let was_known = round.record.job.state.is_some_and(|state| state != JobState::Reconciling);
    if was_known && (round.facts.job == Job::Absent || round.cluster == Cluster::Absent) {
        let message = format!("{} {NOT_FOUND}", round.job_name());
        // An error that is known already tells more than this one.
        if round.record.error.is_none() {
            round.record.error = Some(message.clone());
        }
        round.warn("Missing", message);
    }
    round.set_job_state(JobState::Reconciling);
}

/// A spec is stable once its job has been seen to run.
fn mark_stable(round: &mut Round<'_>) {
    let has_run = matches!(round.record.job.state, Some(JobState::Running | JobState::Finished));
    if has_run && round.record.reconciliation == ReconciliationState::Deployed {
        round.record.stable.clone_from(&round.record.last);
    }
}
