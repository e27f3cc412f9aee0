//! What was written down of a resource: its status, typed. Another operator may have written it.
//!
//! Times are milliseconds since the epoch.

mod health;
mod lifecycle;

use serde_json::Value;

pub use health::Health;

use crate::state::{JobManagerState, JobState, LifecycleState, ReconciliationState};

/// Who or what asked for a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A user, by a nonce.
    Manual,
    /// The schedule.
    Periodic,
    /// A change or a suspension of the job: the job is stopped with it.
    Upgrade,
    /// Nobody knows.
    Unknown,
}

/// A savepoint or checkpoint that was asked for and is not known to have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The id under which it was asked for: 32 hexadecimal digits, chosen here before it is asked for.
    pub trigger_id: String,
    /// When it was decided to ask.
    pub since_ms: i64,
    /// Who asked.
    pub trigger: Trigger,
    /// Where the savepoint is to be written that the job is stopped with; absent if that was not written down.
    pub directory: Option<String>,
}

impl Pending {
    /// The key under which that directory stands in `status.clusterInfo`.
    pub const DIRECTORY_KEY: &'static str = "kobel-savepoint-directory";
}

/// A savepoint or checkpoint that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// When it was noticed.
    pub at_ms: i64,
    /// Where it lies; absent for a checkpoint.
    pub location: Option<String>,
    /// Who asked.
    pub trigger: Trigger,
    /// The nonce that asked.
    pub nonce: Option<i64>,
}

/// What is known of the savepoints, or of the checkpoints, that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// The one in progress; there is at most one.
    pub pending: Option<Pending>,
    /// The last that was completed.
    pub last: Option<Taken>,
    /// Savepoints that are kept, oldest first; empty for checkpoints.
    pub history: Vec<Taken>,
    /// When the last one of the schedule was taken; 0 if none was.
    pub last_periodic_ms: i64,
}

/// What is known of the job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id: 32 hexadecimal digits, chosen here before the job is started.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its state when it was last seen.
    pub state: Option<JobState>,
    /// When it was started.
    pub start_ms: Option<i64>,
    /// When its state last changed.
    pub update_ms: Option<i64>,
    /// The snapshot that the next start, or a start again, begins from, unless there is a newer one.
    pub restore_path: Option<String>,
    /// Its savepoints.
    pub savepoints: Snapshots,
    /// Its checkpoints that were asked for.
    pub checkpoints: Snapshots,
}

/// The literal that the Apache operator writes as path for "the state is in the metadata of high availability".
pub const LAST_STATE_DUMMY: &str = "KUBERNETES_OPERATOR_LAST_STATE";

/// What was written down of a deployment or a session job.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The job; that of a session cluster stays empty.
    pub job: JobRecord,
    /// The job manager; that of a session job stays `Missing` and is not written.
    pub job_manager: JobManagerState,
    /// How far the last change has been carried out.
    pub reconciliation: ReconciliationState,
    /// When the last change was begun.
    pub reconciled_ms: Option<i64>,
    /// The spec that was carried out last. `job.state` in it is what is deployed: `suspended` while a change is under
    /// way; `job.upgradeMode` is how the state is handed over.
    pub last: Option<Value>,
    /// Whether `last` is that of the first deployment, which has not been carried out.
    pub is_first: bool,
    /// The spec that has run last.
    pub stable: Option<Value>,
    /// The generation that was carried out last, or is being carried out.
    pub observed_generation: Option<i64>,
    /// The state of the resource as a whole; computed by [`Record::lifecycle`] when a decision is made.
    pub lifecycle: LifecycleState,
    /// What went wrong, for a person.
    pub error: Option<String>,
    /// What the health of the job is judged by; absent if it is not judged, or was not since the last start.
    pub health: Option<Health>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            job: JobRecord::default(),
            job_manager: JobManagerState::Missing,
            reconciliation: ReconciliationState::Upgrading,
            reconciled_ms: None,
            last: None,
            is_first: false,
            stable: None,
            observed_generation: None,
            lifecycle: LifecycleState::Created,
            error: None,
            health: None,
        }
    }
}
