//! One round: what is declared, what was recorded, what is seen, and the record as it becomes.
//!
//! The cluster of a session job is the job itself: it is there while the job lives, and there is none when the job has
//! ended or is not known. So one state machine serves both.

use std::time::Duration;

use kobel_model::deployment::{Job, JobState as Asked};

use super::spec;
use crate::decision::{Decision, Event, EventKind, Wait};
use crate::desired::Desired;
use crate::facts::{self, Cluster, Facts, FoundJob, Launched, Newest, SessionCluster};
use crate::record::{Record, Trigger};
use crate::state::{JobState, LifecycleState, ReconciliationState};
use crate::wording::{Verdict, milliseconds};

/// Where a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In a cluster of its own.
    Own,
    /// In a session cluster.
    Session,
}

/// How far the recorded intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was ever decided.
    New,
    /// A start is recorded and has not been seen.
    Starting,
    /// The job is being cancelled, so that the next can start or none runs.
    Stopping,
    /// The job has ended, or was never there; what is left of it is removed, and the next starts if one shall run.
    Stopped,
    /// The job has been started, and shall run until it ends or is stopped.
    Deployed,
}

/// One round.
pub struct Round<'a> {
    /// What is declared.
    pub desired: Desired<'a>,
    /// The job that is declared.
    pub job: &'a Job,
    /// What is seen.
    pub facts: &'a Facts,
    /// What is seen of the cluster; for a session job of the job.
    pub cluster: Cluster,
    /// Where the job runs.
    pub home: Home,
    /// What was recorded.
    pub before: &'a Record,
    /// What will be recorded.
    pub record: Record,
    /// Why a change is held back while the job goes on.
    pub held: Option<Wait>,
    events: Vec<Event>,
}

impl<'a> Round<'a> {
    /// Begins a round.
    pub fn new(home: Home, desired: &Desired<'a>, job: &'a Job, before: &'a Record, facts: &'a Facts) -> Self {
        let cluster = match home {
            Home::Own => facts.cluster.clone(),
            Home::Session => session_ground(desired, before, facts),
        };
        let (record, events) = (before.clone(), Vec::new());
        Self { desired: *desired, job, facts, cluster, home, before, record, held: None, events }
    }

    /// Ends the round.
    pub fn finish(mut self, verdict: Verdict) -> Decision {
        self.record.lifecycle = self.record.lifecycle();
        Decision { record: self.record, act: verdict.act, events: self.events, wait: verdict.wait }
    }

    /// How far the recorded intent has come.
    pub fn phase(&self) -> Phase {
        let Some(last) = &self.record.last else { return Phase::New };
        if spec::is_running(last) {
            return Phase::Deployed;
        }
        let is_under_way =
            matches!(self.record.reconciliation, ReconciliationState::Upgrading | ReconciliationState::RollingBack);
        match self.record.job.state {
            // Another operator names no state before its first start.
            Some(JobState::Reconciling) | None if is_under_way => Phase::Starting,
            Some(JobState::Cancelling) if is_under_way => Phase::Stopping,
            _ => Phase::Stopped,
        }
    }

    /// Whether the user wants the job to run.
    pub fn shall_run(&self) -> bool {
        self.job.state == Asked::Running
    }

    /// The job, if it is seen and has not ended.
    pub fn live(&self) -> Option<&'a FoundJob> {
        let facts: &'a Facts = self.facts;
        match &facts.job {
            facts::Job::Found(job) if !job.state.is_terminal() => Some(job),
            _ => None,
        }
    }

    /// The job, if it is seen, has not ended, and its job manager answers.
    pub fn reachable(&self) -> Option<&'a FoundJob> {
        if matches!(self.cluster, Cluster::Ready(_)) { self.live() } else { None }
    }

    /// Which launch the cluster is of, if one is seen.
    pub fn launched(&self) -> Option<&Launched> {
        match &self.cluster {
            Cluster::Starting(launched)
            | Cluster::Ready(launched)
            | Cluster::Failed(launched, _)
            | Cluster::Completed(launched) => Some(launched),
            Cluster::Absent | Cluster::Ending | Cluster::Unknown(_) => None,
        }
    }

    /// Whether the job manager of the recorded job is known to have ended by itself and well.
    pub fn has_completed(&self) -> bool {
        matches!(&self.cluster, Cluster::Completed(launched) if launched.job_id == self.record.job.id)
    }

    /// The path of the newest snapshot of the recorded job, if one is known.
    pub fn newest_path(&self) -> Option<&'a str> {
        let facts: &'a Facts = self.facts;
        match &facts.newest {
            Newest::Snapshot { path, .. } => Some(path),
            Newest::None | Newest::Unknown(_) => None,
        }
    }

    /// Whether the job is being stopped with a savepoint.
    pub fn is_stopping_with_savepoint(&self) -> bool {
        self.record.job.savepoints.pending.as_ref().is_some_and(|pending| pending.trigger == Trigger::Upgrade)
    }

    /// How long ago `since` was, in milliseconds; 0 if that is not known.
    pub fn elapsed(&self, since: Option<i64>) -> i64 {
        since.map_or(0, |since| self.facts.now_ms.saturating_sub(since).max(0))
    }

    /// Whether less than `patience` has gone by since `since`.
    pub fn is_within(&self, since: Option<i64>, patience: Duration) -> bool {
        self.elapsed(since) < milliseconds(patience)
    }

    /// Writes down a state of the job, and since when it has it.
    pub fn set_job_state(&mut self, state: JobState) {
        if self.record.job.state != Some(state) {
            self.record.job.state = Some(state);
            self.record.job.update_ms = Some(self.facts.now_ms);
        }
    }

    /// The id of the recorded job in words.
    pub fn job_name(&self) -> String {
        self.record.job.id.as_ref().map_or_else(|| "the job".to_owned(), |id| format!("job `{id}`"))
    }

    /// Tells good news.
    pub fn tell(&mut self, reason: &'static str, message: String) {
        self.events.push(Event { kind: EventKind::Normal, reason, message });
    }

    /// Tells bad news.
    pub fn warn(&mut self, reason: &'static str, message: String) {
        self.events.push(Event { kind: EventKind::Warning, reason, message });
    }

    /// Writes down what went wrong, and tells it unless that was written down before.
    pub fn fail(&mut self, reason: &'static str, message: String) {
        if self.record.error.as_ref() != Some(&message) {
            self.warn(reason, message.clone());
            self.record.error = Some(message);
        }
    }

    /// Marks the resource as one that is being deleted.
    pub fn mark_deleting(&mut self) {
        if self.before.lifecycle != LifecycleState::Deleting {
            self.tell("Cleanup", "the resource is being deleted".to_owned());
        }
        self.record.lifecycle = LifecycleState::Deleting;
    }
}

/// Reads the session cluster and the job in it as the cluster of the job.
fn session_ground(desired: &Desired<'_>, record: &Record, facts: &Facts) -> Cluster {
    let name = desired.spec.get("deploymentName").and_then(serde_json::Value::as_str).unwrap_or_default();
    let is_leaving = match &facts.session {
        Some(SessionCluster::Ready) => false,
        Some(SessionCluster::Leaving) if desired.is_deleting => true,
        Some(SessionCluster::Absent) if desired.is_deleting => return Cluster::Absent,
        Some(SessionCluster::Leaving) => {
            return Cluster::Unknown(format!("its session cluster `{name}` is being deleted"));
        }
        Some(SessionCluster::Absent) => {
            return Cluster::Unknown(format!("its session cluster `{name}` does not exist"));
        }
        Some(SessionCluster::NotReady(why)) => {
            return Cluster::Unknown(format!("its session cluster `{name}` is not ready: {why}"));
        }
        None => return Cluster::Unknown("its session cluster was not looked for".to_owned()),
    };
    match &facts.job {
        facts::Job::Found(job) if !job.state.is_terminal() => Cluster::Ready(Launched {
            generation: record.observed_generation.unwrap_or(desired.generation),
            job_id: Some(job.id.clone()),
        }),
        facts::Job::Found(_) | facts::Job::Absent => Cluster::Absent,
        // What cannot be asked about in a cluster that is going anyway ends with it.
        facts::Job::NotAsked | facts::Job::Unknown(_) if is_leaving || record.job.id.is_none() => Cluster::Absent,
        facts::Job::NotAsked => Cluster::Unknown("its session cluster was not asked for the job".to_owned()),
        facts::Job::Unknown(why) => Cluster::Unknown(format!("its session cluster does not tell of the job: {why}")),
    }
}
