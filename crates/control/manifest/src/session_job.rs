//! What the REST API of a session cluster is asked for when a session job is submitted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use kobel_model::deployment::{ArtifactKind, Cluster, FlinkVersion, SessionJob};
use kobel_model::settings::redact;

use crate::configuration::{
    CHECKPOINT_DIRECTORY, CHECKPOINTING_INTERVAL, CLAIM_MODE, Configuration, JOB_ID, RECOVERY_PATH, RETAINED,
    RETENTION, SAVEPOINT_DIRECTORY,
};
use crate::flink::options;
use crate::launch::JobStart;
use crate::place::Place;
use crate::program::{self, Program};

/// A jar and how it is run.
#[derive(Clone, PartialEq, Eq)]
pub struct JarRun {
    /// The jar to upload; absent if the class lies on the class path of the cluster, where an empty jar will do.
    pub jar: Option<PathBuf>,
    /// The class; absent if the jar names it.
    pub entry_class: Option<String>,
    /// What the program is given.
    pub arguments: Vec<String>,
    /// How parallel the job is.
    pub parallelism: u32,
    /// The id of the job.
    pub job_id: String,
    /// Whether state that no operator claims is skipped.
    pub allow_non_restored_state: bool,
    /// The snapshot that it starts from.
    pub savepoint_path: Option<String>,
    /// Who owns that snapshot then; absent for Flink's default.
    pub claim_mode: Option<String>,
    /// The configuration of the job; lines before 1.17 take none.
    pub configuration: BTreeMap<String, String>,
}

impl fmt::Debug for JarRun {
    // Values of secret keys are hidden, and so is what the program is given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let configuration: BTreeMap<&str, &str> =
            self.configuration.iter().map(|(key, value)| (key.as_str(), redact(key, value))).collect();
        f.debug_struct("JarRun")
            .field("jar", &self.jar)
            .field("entry_class", &self.entry_class)
            .field("arguments", &self.arguments.len())
            .field("parallelism", &self.parallelism)
            .field("job_id", &self.job_id)
            .field("allow_non_restored_state", &self.allow_non_restored_state)
            .field("savepoint_path", &self.savepoint_path)
            .field("claim_mode", &self.claim_mode)
            .field("configuration", &configuration)
            .finish()
    }
}

/// Lays out a session job for the cluster that it names. The folder of `place` is the one of the job.
pub fn session_job(job: &SessionJob, cluster: &Cluster, start: &JobStart<'_>, place: &Place) -> JarRun {
    let home = place.flink.clone().unwrap_or_default();
    let mut program = program::of(&job.job, place, &home);
    if job.job.artifact.as_ref().is_some_and(|artifact| artifact.kind == ArtifactKind::Python) {
        program.jar = home.python_jar;
    }
    let below = Configuration::of(&cluster.flink_configuration);
    run(job, (cluster.flink_version, &below), start, program, Some(&place.folder))
}

/// Lays out a session job whose program is a jar that lies at `jar`, for a cluster of pods that is told what stands
/// `below`. There is no folder for its snapshots there: they go where it or the cluster says.
pub fn session_job_of_pods(
    job: &SessionJob,
    cluster: (FlinkVersion, &Configuration),
    start: &JobStart<'_>,
    jar: PathBuf,
) -> JarRun {
    let (class, arguments) = (job.job.entry_class.clone(), job.job.args.clone());
    run(job, cluster, start, Program { jar: Some(jar), class, arguments }, None)
}

fn run(
    job: &SessionJob,
    cluster: (FlinkVersion, &Configuration),
    start: &JobStart<'_>,
    program: Program,
    folder: Option<&Path>,
) -> JarRun {
    let (line, below) = cluster;
    let mut configuration = Configuration::of(&job.flink_configuration);
    options::forget_the_cluster(&mut configuration);
    for option in [CHECKPOINT_DIRECTORY, SAVEPOINT_DIRECTORY] {
        // What the cluster is told reaches its jobs by itself, unless the job says something else.
        let value = configuration.find(&option).or_else(|| below.find(&option)).map(str::to_owned);
        configuration.settle(&option, line, value);
    }
    if let Some(folder) = folder {
        configuration.directories(folder, line);
    }
    configuration.job(&job.job, &job.identity, start, line);
    if below.get(CHECKPOINTING_INTERVAL).is_none() {
        configuration.checkpoints(job.job.upgrade_mode);
    }
    if below.get(RETENTION).is_none() {
        configuration.default_to(RETENTION, RETAINED);
    }
    let allow_non_restored_state = configuration.skips_unclaimed_state();
    let claim_mode = start.restore.and_then(|_| configuration.find(&CLAIM_MODE)).map(str::to_owned);
    // These are said beside the configuration.
    configuration.settle(&RECOVERY_PATH, line, None);
    configuration.remove(JOB_ID);
    JarRun {
        jar: program.jar,
        entry_class: program.class,
        arguments: program.arguments,
        parallelism: job.job.parallelism,
        job_id: start.job_id.to_owned(),
        allow_non_restored_state,
        savepoint_path: start.restore.map(str::to_owned),
        claim_mode,
        configuration: configuration.into_values(),
    }
}
