//! The process as a Flink cluster: one JobManager, one TaskManager with its slots, and the jobs of one application.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use kobel_logs::{LogFiles, Scrubber};
use kobel_model::ids::JobId;

use crate::view::job::JobView;

/// What never changes about the process.
pub struct ClusterFacts {
    /// 32 hexadecimal digits (Flink `ApplicationID`).
    pub application_id: String,
    /// Name of the application: that of its script.
    pub application_name: String,
    /// Id of the one TaskManager: `localhost:PORT-abcdef`.
    pub task_manager_id: String,
    /// When the process began, in epoch milliseconds.
    pub started_ms: i64,
    /// Slots that there are at least.
    pub slots: usize,
    /// What the user set, secrets redacted, in order of key.
    pub settings: Vec<(String, String)>,
    /// The log, if one is written.
    pub logs: Option<Arc<LogFiles>>,
    /// Keeps secrets out of answers.
    pub scrubber: Arc<Scrubber>,
}

/// The process.
pub struct Cluster {
    /// What never changes.
    pub facts: ClusterFacts,
    jobs: RwLock<Vec<Arc<JobView>>>,
    end: Mutex<ApplicationEnd>,
}

/// How the application stands.
#[derive(Debug, Clone, Default)]
pub struct ApplicationEnd {
    /// When it ended in epoch milliseconds, and how.
    pub ended: Option<(i64, Result<(), String>)>,
    /// Somebody asked the process to end.
    pub is_shutdown_wanted: bool,
    /// Somebody canceled the application: no further job begins.
    pub is_cancel_wanted: bool,
}

impl Cluster {
    /// A process without jobs.
    pub fn new(facts: ClusterFacts) -> Self {
        Self { facts, jobs: RwLock::default(), end: Mutex::default() }
    }

    /// The jobs, the oldest first.
    pub fn jobs(&self) -> Vec<Arc<JobView>> {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The job with this id; the newest, should a script have run it twice.
    pub fn job(&self, id: JobId) -> Option<Arc<JobView>> {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).iter().rev().find(|job| job.facts.id == id).cloned()
    }

    /// A job begins.
    pub fn add(&self, job: Arc<JobView>) {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|known| known.facts.id != job.facts.id);
        jobs.push(job);
    }

    /// How the application stands.
    pub fn application(&self) -> ApplicationEnd {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how the application stands.
    pub fn note(&self, change: impl FnOnce(&mut ApplicationEnd)) {
        change(&mut self.end.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Slots in use and in all: a job holds as many as its widest vertex has subtasks.
    pub fn slots(&self) -> (usize, usize) {
        let width = |job: &Arc<JobView>| {
            job.read(|state| {
                let runs = !state.status.is_globally_terminal();
                if runs { state.attempt.parallelism.iter().copied().max().unwrap_or(0) } else { 0 }
            })
        };
        let used: usize = self.jobs().iter().map(width).sum();
        (used, used.max(self.facts.slots))
    }
}
