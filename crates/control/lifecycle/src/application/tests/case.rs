//! One declaration, one record and one look at the world, which tests change before they ask for a decision.

use kobel_model::deployment::{FlinkVersion, Job, JobState as Asked, Nonces, UpgradeMode};
use serde_json::{Value, json};

use crate::application::{decide, decide_session_job};
use crate::decision::{Act, Decision, Start};
use crate::desired::Desired;
use crate::facts::{self, Cluster, Facts, FoundJob, Launched, Newest, SessionCluster, Witness};
use crate::options::Options;
use crate::record::{Pending, Record, Trigger};
use crate::state::{JobManagerState, JobState, ReconciliationState};

/// The time of a look.
pub const NOW: i64 = 1_000_000_000;
/// The job that is deployed.
pub const OLD: &str = "0000000000000000000000000000000a";
/// The id that is given next.
pub const FRESH: &str = "0000000000000000000000000000000f";
/// The newest checkpoint of the deployed job.
pub const CHECKPOINT: &str = "file:///checkpoints/a/chk-7";
/// What the deployed job began from.
pub const ORIGIN: &str = "file:///savepoints/origin";

/// A declaration, a record and a look at the world.
#[derive(Debug, Clone)]
pub struct Case {
    pub spec: Value,
    pub job: Job,
    pub options: Options,
    pub generation: i64,
    pub is_highly_available: bool,
    pub is_deleting: bool,
    pub flink_version: FlinkVersion,
    pub record: Record,
    pub facts: Facts,
}

impl Case {
    /// Nothing was deployed yet.
    pub fn new(mode: UpgradeMode) -> Self {
        let spec = json!({
            "flinkVersion": "v1_20",
            "job": {"state": "running", "upgradeMode": mode.as_str(), "parallelism": 2},
        });
        let job = Job {
            artifact: None,
            entry_class: None,
            args: Vec::new(),
            parallelism: 2,
            state: Asked::Running,
            upgrade_mode: mode,
            allow_non_restored_state: false,
            initial_savepoint_path: None,
            nonces: Nonces::default(),
        };
        let facts = Facts {
            now_ms: NOW,
            fresh_id: FRESH.to_owned(),
            cluster: Cluster::Absent,
            silence: None,
            job: facts::Job::NotAsked,
            savepoint: None,
            checkpoint: None,
            newest: Newest::None,
            witness: Witness::Storage,
            stopped_with: None,
            health: None,
            session: Some(SessionCluster::Ready),
            dependents: facts::Dependents::default(),
        };
        Self {
            spec,
            job,
            options: Options::default(),
            generation: 1,
            is_highly_available: false,
            is_deleting: false,
            flink_version: FlinkVersion::V1_20,
            record: Record::default(),
            facts,
        }
    }

    /// A job has run for ten minutes and has taken a checkpoint a minute ago.
    pub fn deployed(mode: UpgradeMode) -> Self {
        let mut case = Self::new(mode);
        let begun = NOW - 600_000;
        case.record.job.id = Some(OLD.to_owned());
        case.record.job.name = Some("orders".to_owned());
        case.record.job.state = Some(JobState::Running);
        case.record.job.start_ms = Some(begun);
        case.record.job.update_ms = Some(begun);
        case.record.job.restore_path = Some(ORIGIN.to_owned());
        case.record.job_manager = JobManagerState::Ready;
        case.record.reconciliation = ReconciliationState::Deployed;
        case.record.reconciled_ms = Some(begun);
        case.record.last = Some(case.spec.clone());
        case.record.stable = Some(case.spec.clone());
        case.record.observed_generation = Some(1);
        case.record.lifecycle = case.record.lifecycle();
        case.facts.cluster = Cluster::Ready(launched(1, OLD));
        case.facts.newest = Newest::Snapshot { path: CHECKPOINT.to_owned(), at_ms: NOW - 60_000 };
        case.see(JobState::Running);
        case
    }

    /// The job is seen in this state.
    pub fn see(&mut self, state: JobState) {
        self.facts.job = facts::Job::Found(FoundJob {
            id: self.record.job.id.clone().unwrap_or_default(),
            name: "orders".to_owned(),
            state,
            start_ms: self.record.job.start_ms.unwrap_or(NOW),
            failure: (state == JobState::Failed).then(|| "division by zero".to_owned()),
        });
    }

    /// No process of the cluster is there.
    pub fn lose(&mut self) {
        self.facts.cluster = Cluster::Absent;
        self.facts.job = facts::Job::NotAsked;
    }

    /// The user asks for another parallelism.
    pub fn change(&mut self) {
        self.generation += 1;
        self.job.parallelism += 1;
        self.spec["job"]["parallelism"] = json!(self.job.parallelism);
    }

    /// The user asks for another mode of upgrade.
    pub fn set_mode(&mut self, mode: UpgradeMode) {
        self.job.upgrade_mode = mode;
        self.spec["job"]["upgradeMode"] = json!(mode.as_str());
    }

    /// The user asks for the job to run or to be stopped.
    pub fn ask(&mut self, state: Asked) {
        self.generation += 1;
        self.job.state = state;
        self.spec["job"]["state"] = json!(if state == Asked::Running { "running" } else { "suspended" });
    }

    /// The job is being stopped with a savepoint that was asked for two seconds ago.
    pub fn stopping(mode: UpgradeMode) -> Self {
        let mut case = Self::deployed(mode);
        case.change();
        case.pend(Trigger::Upgrade);
        case
    }

    /// A savepoint is recorded as asked for.
    pub fn pend(&mut self, trigger: Trigger) {
        let trigger_id = "0000000000000000000000000000000c".to_owned();
        self.record.job.savepoints.pending =
            Some(Pending { trigger_id, since_ms: NOW - 2_000, trigger, directory: None });
    }

    /// The job was stopped so that the change can follow, and nothing of it is left.
    pub fn stopped(mode: UpgradeMode) -> Self {
        let mut case = Self::deployed(mode);
        case.change();
        case.record.last = Some(super::super::spec::handed_over(&case.spec, mode));
        case.record.reconciliation = ReconciliationState::Upgrading;
        case.record.observed_generation = Some(case.generation);
        case.record.job.state = Some(JobState::Finished);
        case.lose();
        case
    }

    /// Decides about it as a deployment.
    pub fn decide(&self) -> Decision {
        self.with(decide)
    }

    /// Decides about it as a session job.
    pub fn decide_session_job(&self) -> Decision {
        self.with(decide_session_job)
    }

    /// Goes on from what was decided, in the same world.
    pub fn after(&self, decision: &Decision) -> Self {
        Self { record: decision.record.clone(), ..self.clone() }
    }

    fn with(&self, decide: fn(&Desired<'_>, &Record, &Facts) -> Decision) -> Decision {
        let desired = Desired {
            generation: self.generation,
            spec: &self.spec,
            job: Some(&self.job),
            flink_version: self.flink_version,
            is_highly_available: self.is_highly_available,
            options: &self.options,
            savepoint_directory: Some("file:///savepoints"),
            is_deleting: self.is_deleting,
        };
        decide(&desired, &self.record, &self.facts)
    }
}

/// A launch.
pub fn launched(generation: i64, job_id: &str) -> Launched {
    Launched { generation, job_id: Some(job_id.to_owned()) }
}

/// The start that was decided.
pub fn start(decision: &Decision) -> &Start {
    match &decision.act {
        Some(Act::Start(start)) => start,
        other => panic!("no start was decided but {other:?}, waiting for {:?}", decision.wait),
    }
}

/// Whether an event with this reason is told.
pub fn tells(decision: &Decision, reason: &str) -> bool {
    decision.events.iter().any(|event| event.reason == reason)
}

/// What is done, in one word and what it is done with.
pub fn act(decision: &Decision) -> String {
    match &decision.act {
        None => "-".to_owned(),
        Some(Act::Start(start)) => match &start.restore {
            Some(path) => format!("start from {}", path.rsplit('/').next().unwrap_or_default()),
            None => "start without state".to_owned(),
        },
        Some(Act::Remove) => "remove".to_owned(),
        Some(Act::StopWithSavepoint(_)) => "stop with savepoint".to_owned(),
        Some(Act::Cancel { .. }) => "cancel".to_owned(),
        Some(Act::TakeSavepoint(_)) => "take savepoint".to_owned(),
        Some(Act::TakeCheckpoint { .. }) => "take checkpoint".to_owned(),
        Some(Act::Dispose { .. }) => "dispose".to_owned(),
        Some(Act::Release) => "release".to_owned(),
    }
}
