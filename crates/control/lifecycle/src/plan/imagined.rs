//! A world as a record tells of it, in which every act succeeds and jobs come to run; so the acts of a whole change
//! follow from the decisions about it.
//!
//! Of the snapshots of a job a record does not tell. A job that was seen is imagined to have one, which is its newest.

use std::time::Duration;

use super::step::{Kind, NEWEST, SAVEPOINT};
use crate::decision::{Act, Start};
use crate::facts::{Cluster, Dependents, Facts, FoundJob, Job, Launched, Newest, Operation, SessionCluster, Witness};
use crate::record::{LAST_STATE_DUMMY, Record, Trigger};
use crate::state::{JobManagerState, JobState, ReconciliationState};
use crate::wording::milliseconds;

/// What runs: a cluster with its job, or a session job.
#[derive(Debug, Clone)]
struct Running {
    launched: Launched,
    state: JobState,
    is_ready: bool,
    /// Why its job manager has ended.
    failure: Option<String>,
}

/// An imagined world.
#[derive(Debug, Clone)]
pub(super) struct Imagined {
    kind: Kind,
    now_ms: i64,
    given: u32,
    running: Option<Running>,
    /// The id of the job that the newest snapshot is of, and its path.
    newest: Option<(String, &'static str)>,
}

impl Imagined {
    /// The world as `record` tells of it.
    pub(super) fn new(kind: Kind, generation: i64, record: &Record, now_ms: i64) -> Self {
        let job = &record.job;
        let is_there = match kind {
            Kind::SessionJob => job.id.is_some(),
            Kind::Application | Kind::SessionCluster => record.job_manager != JobManagerState::Missing,
        };
        let is_failed = kind != Kind::SessionJob && record.job_manager == JobManagerState::Error;
        let why = record.error.clone().unwrap_or_else(|| "its job manager has ended".to_owned());
        let launched =
            Launched { generation: record.observed_generation.unwrap_or(generation), job_id: job.id.clone() };
        let running = is_there.then(|| Running {
            launched,
            state: state(kind, record),
            is_ready: kind == Kind::SessionJob || record.job_manager == JobManagerState::Ready,
            failure: is_failed.then_some(why),
        });
        let newest = job.id.clone().filter(|_| may_have_snapshots(record)).map(|id| (id, NEWEST));
        Self { kind, now_ms, given: 0, running, newest }
    }

    /// Whether a job runs in it.
    pub(super) fn has_running_job(&self) -> bool {
        let runs = |running: &Running| running.is_ready && running.state == JobState::Running;
        self.kind != Kind::SessionCluster && self.running.as_ref().is_some_and(runs)
    }

    /// The job has failed and restarts.
    pub(super) fn stumble(&mut self) {
        if let Some(running) = &mut self.running {
            running.state = JobState::Restarting;
        }
    }

    /// What is seen in it.
    pub(super) fn facts(&self, record: &Record) -> Facts {
        let cluster = match &self.running {
            _ if self.kind == Kind::SessionJob => Cluster::Absent,
            None => Cluster::Absent,
            Some(Running { launched, failure: Some(why), .. }) => Cluster::Failed(launched.clone(), why.clone()),
            Some(Running { launched, is_ready: true, .. }) => Cluster::Ready(launched.clone()),
            Some(Running { launched, .. }) => Cluster::Starting(launched.clone()),
        };
        let job = &record.job;
        let savepoint = job.savepoints.pending.as_ref().map(|_| Operation::Completed(Some(SAVEPOINT.to_owned())));
        let checkpoint = job.checkpoints.pending.as_ref().map(|_| Operation::Completed(None));
        Facts {
            now_ms: self.now_ms,
            // No real id is spelled like this.
            fresh_id: format!("plan{:028x}", self.given),
            cluster,
            silence: None,
            job: self.job(record),
            savepoint,
            checkpoint,
            newest: self.newest_of(record),
            witness: Witness::Storage,
            stopped_with: None,
            health: None,
            session: (self.kind == Kind::SessionJob).then_some(SessionCluster::Ready),
            dependents: Dependents::default(),
        }
    }

    fn job(&self, record: &Record) -> Job {
        let Some(running) = self.running.as_ref().filter(|running| running.is_ready && running.failure.is_none())
        else {
            return if self.kind == Kind::SessionJob { Job::Absent } else { Job::NotAsked };
        };
        match (&running.launched.job_id, running.state) {
            (Some(id), state) if state != JobState::Reconciling => Job::Found(FoundJob {
                id: id.clone(),
                name: record.job.name.clone().unwrap_or_default(),
                state,
                start_ms: record.job.start_ms.unwrap_or(self.now_ms),
                failure: record.error.clone(),
            }),
            (Some(_), _) => Job::Absent,
            (None, _) => Job::NotAsked,
        }
    }

    fn newest_of(&self, record: &Record) -> Newest {
        match &self.newest {
            Some((id, path)) if record.job.id.as_ref() == Some(id) => {
                Newest::Snapshot { path: (*path).to_owned(), at_ms: self.now_ms }
            }
            _ => Newest::None,
        }
    }

    /// Does what was decided.
    pub(super) fn apply(&mut self, act: &Act) {
        match act {
            Act::Start(start) => self.running = Some(self.started(start)),
            Act::Remove => self.running = None,
            Act::StopWithSavepoint(savepoint) => {
                self.newest = Some((savepoint.job_id.clone(), SAVEPOINT));
                self.enter(JobState::Finished);
            }
            Act::Cancel { .. } => self.enter(JobState::Cancelling),
            Act::TakeSavepoint(_) | Act::TakeCheckpoint { .. } | Act::Dispose { .. } | Act::Release => {}
        }
    }

    fn started(&self, start: &Start) -> Running {
        // A session job that was submitted is known at once.
        let is_ready = self.kind == Kind::SessionJob;
        let state = if is_ready { JobState::Created } else { JobState::Reconciling };
        let launched = Launched { generation: start.generation, job_id: start.job_id.clone() };
        Running { launched, state, is_ready, failure: None }
    }

    fn enter(&mut self, state: JobState) {
        if let Some(running) = &mut self.running {
            running.state = state;
        }
    }

    /// Time goes by, and what is under way goes on.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now_ms = self.now_ms.saturating_add(milliseconds(time));
        self.given += 1;
        let Some(running) = self.running.as_mut().filter(|running| running.failure.is_none()) else { return };
        running.state = match running.state {
            JobState::Reconciling | JobState::Initializing if running.is_ready => JobState::Created,
            JobState::Created => JobState::Running,
            JobState::Cancelling => JobState::Canceled,
            state => state,
        };
        running.is_ready = true;
    }
}

/// The state of the recorded job.
fn state(kind: Kind, record: &Record) -> JobState {
    let pending = record.job.savepoints.pending.as_ref();
    match record.job.state {
        // The savepoint that it is stopped with comes to be.
        _ if pending.is_some_and(|pending| pending.trigger == Trigger::Upgrade) => JobState::Finished,
        Some(JobState::Reconciling) | None if kind == Kind::SessionJob => JobState::Created,
        Some(state) => state,
        None => JobState::Reconciling,
    }
}

/// Whether the recorded job can have taken a snapshot: one whose start was recorded and not seen has not.
fn may_have_snapshots(record: &Record) -> bool {
    let is_unseen = matches!(record.job.state, Some(JobState::Reconciling) | None)
        && matches!(record.reconciliation, ReconciliationState::Upgrading | ReconciliationState::RollingBack);
    let is_elsewhere = record.job.restore_path.as_deref() == Some(LAST_STATE_DUMMY);
    is_elsewhere || (!record.is_first && !is_unseen)
}
