//! What an object declares, as the lifecycle and the substrate ask for it.

use kobel_lifecycle::options::Options;
use kobel_model::deployment::{Deployment, FlinkConfiguration, FlinkVersion, Job, SessionJob, Substrate};
use kobel_resources::read::{Declared, local_defaults, unhonoured};
use kobel_resources::{Context, Problem, Reading};
use serde_json::{Value, json};

use crate::key::Kind;

/// The keys under which a job's savepoints go by default, the newer one first.
const SAVEPOINT_DIRECTORY: [&str; 2] = ["execution.checkpointing.savepoint-dir", "state.savepoints.dir"];
/// The keys under which a job's checkpoints go, the newer one first.
const CHECKPOINT_DIRECTORY: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];

/// What an object declares.
#[derive(Debug)]
pub(crate) enum What {
    /// A cluster, with a job or without.
    Deployment(Box<Deployment>),
    /// A job of a session cluster.
    SessionJob(Box<SessionJob>),
}

/// A declaration and what follows from it.
#[derive(Debug)]
pub(crate) struct Declaration {
    /// What is declared.
    pub(crate) what: What,
    /// The options of the operator.
    pub(crate) options: Options,
    /// The paths of the fields that have no effect here.
    pub(crate) unhonoured: Vec<String>,
}

impl Declaration {
    /// Reads an object; none if it declares nothing that runs.
    ///
    /// # Errors
    /// Every problem of the object.
    pub(crate) fn read(object: &Value) -> Result<Option<Self>, Vec<Problem>> {
        let reading = read(object)?;
        let unhonoured = unhonoured(&reading.declared, Substrate::Local);
        let what = match reading.declared {
            Declared::Deployment(deployment) => What::Deployment(deployment),
            Declared::SessionJob(job) => What::SessionJob(job),
            Declared::Snapshot(_) | Declared::BlueGreen(_) | Declared::Canary => return Ok(None),
        };
        let options = Options::read(what.configuration());
        Ok(Some(Self { what, options, unhonoured }))
    }
}

impl What {
    /// The job, if there is one.
    pub(crate) fn job(&self) -> Option<&Job> {
        match self {
            Self::Deployment(deployment) => deployment.cluster.job.as_ref(),
            Self::SessionJob(job) => Some(&job.job),
        }
    }

    /// The Flink configuration.
    pub(crate) fn configuration(&self) -> &FlinkConfiguration {
        match self {
            Self::Deployment(deployment) => &deployment.cluster.flink_configuration,
            Self::SessionJob(job) => &job.flink_configuration,
        }
    }

    /// Where savepoints go, if that was said.
    pub(crate) fn savepoint_directory(&self) -> Option<&str> {
        first(self.configuration(), SAVEPOINT_DIRECTORY)
    }

    /// Where checkpoints go, if that was said.
    pub(crate) fn checkpoint_directory(&self) -> Option<&str> {
        first(self.configuration(), CHECKPOINT_DIRECTORY)
    }

    /// The line of Flink; that of a session job is its cluster's.
    pub(crate) fn flink_version(&self) -> Option<FlinkVersion> {
        match self {
            Self::Deployment(deployment) => Some(deployment.cluster.flink_version),
            Self::SessionJob(_) => None,
        }
    }

    /// Whether another job manager can take over; that of a session job is its cluster's.
    pub(crate) fn is_highly_available(&self) -> bool {
        matches!(self, Self::Deployment(deployment) if deployment.cluster.high_availability.is_on())
    }
}

fn first<'a>(configuration: &'a FlinkConfiguration, keys: [&str; 2]) -> Option<&'a str> {
    keys.iter().find_map(|key| configuration.get(key))
}

/// Reads an object as it is stored: it is its own past, so what may not change has not changed.
///
/// # Errors
/// Every problem of the object.
pub(crate) fn read(object: &Value) -> Result<Reading, Vec<Problem>> {
    // Whether the job of a snapshot is declared is a fact that is gathered, and no problem of the object.
    let is_snapshot = object.get("kind").and_then(Value::as_str) == Some(Kind::Snapshot.name());
    let find = |_: &str, _: &str| is_snapshot.then(|| json!({}));
    kobel_resources::read(object, &Context { previous: Some(object), find: &find, defaults: local_defaults() })
}

/// The object with another spec, which was carried out before or is to be.
pub(crate) fn with_spec(object: &Value, spec: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("spec".to_owned(), spec.clone());
    }
    object
}

/// Problems as one text.
pub(crate) fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
