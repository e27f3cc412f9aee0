//! The machine that deployments run on: its processes, its programs and its disk. What it offers is little and dumb, so
//! that everything which decides stands above it and is the same in a simulation.
//!
//! Every method may block; the loop calls them where they hold nobody up, unless it says that nothing is asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_manifest::launch::Launch;
use kobel_manifest::place::{FlinkHome, Ports, Standbys};
use kobel_model::Result;
use kobel_model::deployment::{Artifact, ArtifactKind, FlinkVersion, Identity};
use kobel_processes::{Label, Seen};
use tokio::sync::mpsc::UnboundedReceiver;

/// A machine. What it says and refuses is said of it in `kobel_processes::Processes`, `kobel_storage` and
/// `kobel_distributions`.
pub trait Host: Send + Sync {
    /// The folder of a deployment; nothing is asked.
    fn folder(&self, of: &Identity) -> PathBuf;

    /// Whether so many processes can stand by; nothing is asked.
    ///
    /// # Errors
    /// Invalid if they are too many.
    fn can_stand_by(&self, count: u32) -> Result<()>;

    /// Every deployment that has processes here, or had them when last looked.
    ///
    /// # Errors
    /// Unavailable if it cannot be listed.
    fn all(&self) -> Result<Vec<Identity>>;

    /// The processes of a deployment; none if it has none.
    ///
    /// # Errors
    /// Unavailable if they cannot be seen.
    fn observe(&self, of: &Identity) -> Result<Option<Seen>>;

    /// Starts the processes of a deployment. The same launch may be asked for again; it is finished then.
    ///
    /// # Errors
    /// Conflict beside another launch of it; what the machine lacks.
    fn start(&self, of: &Identity, label: &Label, launch: &Launch) -> Result<()>;

    /// Asks every process of a deployment to end, kills what stays longer, and says whether nothing is left.
    ///
    /// # Errors
    /// Unavailable if they cannot be asked.
    fn end(&self, of: &Identity, grace: Duration) -> Result<bool>;

    /// Starts one process again that has ended.
    ///
    /// # Errors
    /// What the machine lacks.
    fn revive(&self, of: &Identity, role: &str) -> Result<()>;

    /// Removes the files of a deployment, but for its checkpoints and savepoints.
    ///
    /// # Errors
    /// Conflict while it has processes, Denied or Unavailable if a file cannot be removed.
    fn forget(&self, of: &Identity) -> Result<()>;

    /// Ports that nobody has.
    ///
    /// # Errors
    /// Unavailable if there are none.
    fn free_ports(&self) -> Result<Ports>;

    /// Ports for so many processes that stand by.
    ///
    /// # Errors
    /// As [`Host::can_stand_by`], and Unavailable if there are none.
    fn free_standbys(&self, count: u32) -> Result<Standbys>;

    /// The deployments of processes that have ended, each as soon as it is noticed. Asked for once.
    fn ends(&self) -> UnboundedReceiver<Identity>;

    /// Where a program lies on this machine; it is fetched if it lies elsewhere.
    ///
    /// # Errors
    /// It is not there, too large, or may not be fetched.
    fn program(&self, artifact: &Artifact) -> Result<PathBuf>;

    /// The distribution of Apache Flink of a line, with what a program of this kind needs besides.
    ///
    /// # Errors
    /// Missing if it is not installed, or there is no Java for it.
    fn flink_home(&self, line: FlinkVersion, kind: Option<ArtifactKind>) -> Result<FlinkHome>;

    /// Runs the first process of a launch with further arguments and waits for what it says; what it refuses is no error.
    ///
    /// # Errors
    /// Unavailable if it cannot be run, or does not end in time.
    fn ask(&self, folder: &Path, launch: &Launch, question: &[&str], within: Duration) -> Result<Result<(), String>>;

    /// The newest complete checkpoint of a job below a directory, with the time of its end in milliseconds since 1970.
    ///
    /// # Errors
    /// Unsupported if the directory is not on this machine, Unavailable or Denied if it cannot be read.
    fn newest_checkpoint(&self, directory: &str, job_id: &str) -> Result<Option<(String, i64)>>;

    /// The newest complete savepoint of a job in a directory that was completed since, with the time of its end.
    ///
    /// # Errors
    /// As [`Host::newest_checkpoint`].
    fn savepoint_since(&self, directory: &str, job_id: &str, since_ms: i64) -> Result<Option<(String, i64)>>;

    /// Whether there is anything at this path of a snapshot.
    ///
    /// # Errors
    /// Unsupported if it is not on this machine.
    fn has_snapshot(&self, path: &str) -> Result<bool>;

    /// Deletes the files of a savepoint; that they are gone already is well.
    ///
    /// # Errors
    /// Unsupported if it lies elsewhere, Invalid if it is none.
    fn dispose(&self, path: &str) -> Result<()>;
}
