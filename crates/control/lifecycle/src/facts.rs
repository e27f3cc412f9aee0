//! What is seen in one look at the world. Not knowing is a fact of its own and never read as "it is not there".
//!
//! Times are milliseconds since the epoch.

use crate::state::JobState;

/// Which start of a cluster it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// The generation of the resource that it was started for.
    pub generation: i64,
    /// The id of its job; absent for a session cluster.
    pub job_id: Option<String>,
}

/// What is seen of the processes, or pods, of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cluster {
    /// There are none.
    Absent,
    /// They are there, and the REST API does not answer yet.
    Starting(Launched),
    /// The REST API answers.
    Ready(Launched),
    /// The job manager has ended, or never can start; the reason is for a person. What is left must be removed before
    /// a new start.
    Failed(Launched, String),
    /// The job manager of an application is known to have ended by itself and well, so its job has ended for good too:
    /// it finished, or somebody else has stopped it. What is left must be removed before a new start.
    Completed(Launched),
    /// They are being ended.
    Ending,
    /// It cannot be seen; the reason is for a person.
    Unknown(String),
}

/// What is seen of the job whose id is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Nobody was asked, because no REST API answers.
    NotAsked,
    /// The REST API answered and does not know it.
    Absent,
    /// It is there.
    Found(FoundJob),
    /// The question failed; the reason is for a person.
    Unknown(String),
}

/// A job that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state; `Created` in place of `Running` while not every task runs.
    pub state: JobState,
    /// When it was started.
    pub start_ms: i64,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// What has become of a savepoint or checkpoint that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// It goes on.
    InProgress,
    /// It was taken; a savepoint has a location.
    Completed(Option<String>),
    /// It failed; the reason is for a person.
    Failed(String),
    /// Nobody knows of it: it was never asked for, or the job manager is another one.
    Unheard,
    /// The question failed; the reason is for a person.
    Unknown(String),
}

/// The newest complete snapshot that the recorded job itself has taken and that a new job can start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Newest {
    /// There is one.
    Snapshot {
        /// Where it lies.
        path: String,
        /// When it was completed.
        at_ms: i64,
    },
    /// It is certain that there is none.
    None,
    /// It is not known; the reason is for a person.
    Unknown(String),
}

/// Who says what the newest snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// Whoever looked at where snapshots lie, and can look again.
    Storage,
    /// The job manager, as long as it is there.
    JobManager,
}

/// What a job tells of its health. A number that it does not tell is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Samples {
    /// How often it was restarted since its job manager began (`numRestarts`, once `fullRestarts`).
    pub restarts: Option<i64>,
    /// How many checkpoints it has completed since then (`numberOfCompletedCheckpoints`).
    pub completed_checkpoints: Option<i64>,
}

/// What is seen of the session cluster of a session job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCluster {
    /// There is no such resource.
    Absent,
    /// It is there and does not answer; the reason is for a person.
    NotReady(String),
    /// Its REST API answers.
    Ready,
    /// It is being deleted.
    Leaving,
}

/// What is seen in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The time of the look.
    pub now_ms: i64,
    /// A number that is never given twice, from which ids of jobs and triggers are made: 32 hexadecimal digits.
    pub fresh_id: String,
    /// The cluster; that of a session job is always `Absent`.
    pub cluster: Cluster,
    /// Why a cluster that is `Starting` does not answer, as whoever asked was told; for a person.
    pub silence: Option<String>,
    /// The recorded job.
    pub job: Job,
    /// The savepoint that is recorded as pending; absent if none is.
    pub savepoint: Option<Operation>,
    /// The checkpoint that is recorded as pending; absent if none is.
    pub checkpoint: Option<Operation>,
    /// The newest snapshot of the recorded job.
    pub newest: Newest,
    /// Who says so.
    pub witness: Witness,
    /// Where the newest one lies, if it is a savepoint that was taken since the recorded job was asked to stop with one.
    pub stopped_with: Option<String>,
    /// What the recorded job tells of its health; absent if it was not asked, or did not answer.
    pub health: Option<Samples>,
    /// For a session job: its session cluster.
    pub session: Option<SessionCluster>,
    /// For a session cluster: the names of session jobs that name it, and ids of jobs in it that have not ended.
    pub dependents: Dependents,
}

/// What keeps a session cluster from being deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Names of session jobs that name it.
    pub session_jobs: Vec<String>,
    /// Ids of jobs in it that have not ended and belong to no session job.
    pub unmanaged_jobs: Vec<String>,
}
