//! The steps of a plan, and their words.

use std::fmt;

use crate::decision::{Act, Savepoint, Start};

/// Stands for the path of the savepoint that a job of the plan is stopped with; where it will lie nobody knows.
pub(super) const SAVEPOINT: &str = "(its savepoint)";

/// Stands for the path of the newest snapshot of the recorded job; which one that is only the cluster knows.
pub(super) const NEWEST: &str = "(its newest snapshot)";

/// What is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A deployment with a job.
    Application,
    /// A deployment without a job.
    SessionCluster,
    /// A job of a session cluster.
    SessionJob,
}

/// What a job starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// No state.
    Nothing,
    /// The savepoint that the job before it is stopped with.
    Savepoint,
    /// The newest snapshot of the job before it.
    Newest,
    /// The snapshot at this path.
    Path(String),
}

/// How a cluster or a job would be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// What is started.
    pub kind: Kind,
    /// For which generation of the resource.
    pub generation: i64,
    /// What the job starts from.
    pub origin: Origin,
    /// How many parallel subtasks an operator gets, if the spec says.
    pub parallelism: Option<u64>,
}

/// One thing that would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Wait for a savepoint that is being taken now.
    AwaitSavepoint {
        /// The id under which it was asked for.
        trigger_id: String,
    },
    /// Stop the job with a savepoint.
    StopWithSavepoint {
        /// The job; absent for one that the plan starts.
        job_id: Option<String>,
        /// Where the savepoint goes; absent for the default place.
        directory: Option<String>,
    },
    /// Cancel the job.
    Cancel {
        /// The job; absent for one that the plan starts.
        job_id: Option<String>,
    },
    /// End what is left of the cluster.
    Remove,
    /// Start the cluster, or the job.
    Start(Launch),
    /// Take a savepoint, and let the job run on.
    TakeSavepoint {
        /// The job; absent for one that the plan starts.
        job_id: Option<String>,
        /// Where the savepoint goes; absent for the default place.
        directory: Option<String>,
    },
    /// Take a checkpoint, and let the job run on.
    TakeCheckpoint {
        /// The job; absent for one that the plan starts.
        job_id: Option<String>,
    },
}

impl Step {
    /// The step that an act is; absent for acts that no declaration asks for. `known` is the id of the recorded job.
    pub(super) fn of(kind: Kind, act: &Act, known: Option<&str>) -> Option<Self> {
        let job = |id: &str| (Some(id) == known).then(|| id.to_owned());
        match act {
            Act::Start(start) => Some(Self::Start(launch(kind, start))),
            Act::Remove => Some(Self::Remove),
            Act::StopWithSavepoint(Savepoint { job_id, directory, .. }) => {
                Some(Self::StopWithSavepoint { job_id: job(job_id), directory: directory.clone() })
            }
            Act::Cancel { job_id } => Some(Self::Cancel { job_id: job(job_id) }),
            Act::TakeSavepoint(Savepoint { job_id, directory, .. }) => {
                Some(Self::TakeSavepoint { job_id: job(job_id), directory: directory.clone() })
            }
            Act::TakeCheckpoint { job_id, .. } => Some(Self::TakeCheckpoint { job_id: job(job_id) }),
            Act::Dispose { .. } | Act::Release => None,
        }
    }
}

fn launch(kind: Kind, start: &Start) -> Launch {
    let origin = match start.restore.as_deref() {
        None => Origin::Nothing,
        Some(SAVEPOINT) => Origin::Savepoint,
        Some(NEWEST) => Origin::Newest,
        Some(path) => Origin::Path(path.to_owned()),
    };
    let parallelism = start.spec.pointer("/job/parallelism").and_then(serde_json::Value::as_u64);
    Launch { kind, generation: start.generation, origin, parallelism }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("without state"),
            Self::Savepoint => f.write_str("from that savepoint"),
            Self::Newest => f.write_str("from its newest snapshot"),
            Self::Path(path) => write!(f, "from `{path}`"),
        }
    }
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, origin, .. } = self;
        match self.kind {
            Kind::SessionCluster => return write!(f, "start the session cluster of generation {generation}"),
            Kind::Application => write!(f, "start generation {generation} {origin}")?,
            Kind::SessionJob => write!(f, "submit generation {generation} to the session cluster {origin}")?,
        }
        match self.parallelism {
            Some(parallelism) => write!(f, " with parallelism {parallelism}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |directory: &Option<String>| directory.as_ref().map(|at| format!(" in `{at}`")).unwrap_or_default();
        let job = |id: &Option<String>| id.as_ref().map_or_else(|| "the job".to_owned(), |id| format!("job `{id}`"));
        match self {
            Self::AwaitSavepoint { trigger_id } => {
                write!(f, "wait for savepoint `{trigger_id}`, which is being taken")
            }
            Self::StopWithSavepoint { job_id, directory } => {
                write!(f, "stop {} with a savepoint{}", job(job_id), place(directory))
            }
            Self::Cancel { job_id } => write!(f, "cancel {}", job(job_id)),
            Self::Remove => f.write_str("end its cluster"),
            Self::Start(launch) => write!(f, "{launch}"),
            Self::TakeSavepoint { job_id, directory } => {
                write!(f, "take a savepoint of {}{}; it runs on", job(job_id), place(directory))
            }
            Self::TakeCheckpoint { job_id } => write!(f, "take a checkpoint of {}; it runs on", job(job_id)),
        }
    }
}
