//! What is seen of where a deployment runs, and of the state that its jobs have left there.

use kobel_flink_client::Endpoint;
use kobel_lifecycle::facts::{Cluster, Launched};

/// What is seen of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// For the lifecycle.
    pub(crate) cluster: Cluster,
    /// Where its REST API is, if it answers.
    pub(crate) endpoint: Option<Endpoint>,
    /// Why the REST API of a cluster that runs does not answer.
    pub(crate) silence: Option<String>,
    /// The launch of a job manager that is known to run, and whose REST API cannot be reached from here.
    pub(crate) unreached: Option<Launched>,
    /// The version of Flink that it says it is.
    pub(crate) version: Option<String>,
    /// For so many milliseconds the REST API may tell of a job what was.
    pub(crate) behind_ms: i64,
    /// Processes that had ended and are started again, each with how it ended.
    pub(crate) ended: Vec<String>,
}

impl Sight {
    /// What is seen of a cluster whose REST API does not answer.
    pub(crate) fn silent(cluster: Cluster) -> Self {
        let (endpoint, silence, unreached, version) = (None, None, None, None);
        Self { cluster, endpoint, silence, unreached, version, behind_ms: 0, ended: Vec::new() }
    }

    /// There is none.
    pub(crate) fn nothing() -> Self {
        Self::silent(Cluster::Absent)
    }
}

/// Where the state of a job may lie.
pub(crate) struct Search {
    /// The id of the job.
    pub(crate) job_id: String,
    /// Where its checkpoints go, if that is known.
    pub(crate) checkpoints: Option<String>,
    /// Where a savepoint may lie that nobody has heard of, and since when.
    pub(crate) savepoints: Option<(Vec<String>, i64)>,
}

/// What was found there, and when it was completed.
pub(crate) enum Found {
    /// A checkpoint is the newest.
    Checkpoint(String, i64),
    /// The savepoint is the newest that was looked for.
    Savepoint(String, i64),
    /// There is none.
    Nothing,
}
