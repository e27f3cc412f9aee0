//! What plans say. That they are what is done is shown beside the decisions, in the world of their tests.

use kobel_model::deployment::{
    FlinkVersion, Identity, Job, JobReference, Nonces, ReferencedKind, SavepointFormat, SnapshotKind,
};
use serde_json::{Value, json};

use super::*;
use crate::record::{JobRecord, Pending};
use crate::state::JobState;

const NOW: i64 = 1_000_000_000;
const OLD: &str = "3c000000000000000000000000000000";

/// What is declared, and what was recorded.
struct Case {
    generation: i64,
    spec: Value,
    job: Option<Job>,
    options: Options,
    record: Record,
}

impl Case {
    fn new(mode: UpgradeMode) -> Self {
        let job = Job {
            artifact: None,
            entry_class: None,
            args: Vec::new(),
            parallelism: 4,
            state: Asked::Running,
            upgrade_mode: mode,
            allow_non_restored_state: false,
            initial_savepoint_path: None,
            nonces: Nonces::default(),
        };
        let spec = json!({"job": {"state": "running", "upgradeMode": mode.as_str(), "parallelism": 4}});
        Self { generation: 1, spec, job: Some(job), options: Options::default(), record: Record::default() }
    }

    /// A change of a job that runs with half the parallelism.
    fn changed(mode: UpgradeMode) -> Self {
        let mut case = Self::new(mode);
        let mut last = case.spec.clone();
        last["job"]["parallelism"] = json!(2);
        case.generation = 4;
        case.record = Record {
            job: JobRecord { id: Some(OLD.to_owned()), state: Some(JobState::Running), ..JobRecord::default() },
            job_manager: JobManagerState::Ready,
            reconciliation: ReconciliationState::Deployed,
            reconciled_ms: Some(NOW - 600_000),
            last: Some(last.clone()),
            stable: Some(last),
            observed_generation: Some(3),
            ..Record::default()
        };
        case
    }

    fn suspend(mut self) -> Self {
        self.spec["job"]["state"] = json!("suspended");
        self.job.as_mut().unwrap().state = Asked::Suspended;
        self
    }

    /// A session cluster that is ready.
    fn session() -> Self {
        let mut case = Self::changed(UpgradeMode::Stateless);
        case.record.job = JobRecord::default();
        case.job = None;
        case.spec = json!({"flinkVersion": "v1_20", "restartNonce": 2});
        let last = json!({"flinkVersion": "v1_20", "restartNonce": 1});
        (case.record.last, case.record.stable) = (Some(last.clone()), Some(last));
        case
    }

    fn plan(&self, kind: Kind) -> Plan {
        let desired = Desired {
            generation: self.generation,
            spec: &self.spec,
            job: self.job.as_ref(),
            flink_version: FlinkVersion::V1_20,
            is_highly_available: false,
            options: &self.options,
            savepoint_directory: Some("file:///savepoints"),
            is_deleting: false,
        };
        plan(kind, &desired, &self.record, NOW)
    }

    fn check(&self, kind: Kind, summary: &str, steps: &[&str], notes: &[&str]) {
        let plan = self.plan(kind);
        let told: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
        assert_eq!((plan.summary.as_str(), told), (summary, steps.iter().map(ToString::to_string).collect()));
        assert_eq!(plan.notes, notes, "for {summary}");
        assert_eq!(plan.waits, None, "for {summary}");
    }
}

#[test]
fn a_first_start_says_what_it_starts_from() {
    let mut case = Case::new(UpgradeMode::Savepoint);
    let steps = ["start generation 1 without state with parallelism 4"];
    case.check(Kind::Application, "first start without state", &steps, &[]);
    let steps = ["submit generation 1 to the session cluster without state with parallelism 4"];
    case.check(Kind::SessionJob, "first start without state", &steps, &[]);
    case.job.as_mut().unwrap().initial_savepoint_path = Some("s3://bucket/a".to_owned());
    let steps = ["start generation 1 from `s3://bucket/a` with parallelism 4"];
    case.check(Kind::Application, "first start from `s3://bucket/a`", &steps, &[]);
    let suspended = Case::new(UpgradeMode::Savepoint).suspend();
    suspended.check(Kind::Application, "nothing starts, as `job.state: suspended` asks", &[], &[]);
}

#[test]
fn an_upgrade_by_savepoint_says_what_happens_if_it_fails() {
    let mut case = Case::changed(UpgradeMode::Savepoint);
    let steps = [
        "stop job `3c000000000000000000000000000000` with a savepoint in `file:///savepoints`",
        "end its cluster",
        "start generation 4 from that savepoint with parallelism 4",
    ];
    let fails = "if the savepoint fails, the job runs on, and the next attempt is made after 1 min";
    let notes = ["if the job does not run then, the next starts from its newest snapshot instead", fails];
    let summary = "upgrade by savepoint; the job keeps its state";
    case.check(Kind::Application, summary, &steps, &notes);
    case.options.last_state_fallback = false;
    let notes = ["if the job does not run then, the change waits until it does", fails];
    case.check(Kind::Application, summary, &steps, &notes);
}

#[test]
fn an_upgrade_from_the_last_state_says_what_happens_without_any() {
    let mut case = Case::changed(UpgradeMode::LastState);
    case.options.is_rollback_on = true;
    case.options.checkpoint_age_max = Some(Duration::from_secs(60));
    let steps = [
        "cancel job `3c000000000000000000000000000000`",
        "end its cluster",
        "start generation 4 from its newest snapshot with parallelism 4",
    ];
    let notes = [
        "if the job has never taken a snapshot, it is started without state",
        "if the newest snapshot is older than 1 min, the job is stopped with a savepoint instead",
        "if it does not run within 5 min, the last version that ran comes back",
    ];
    let summary = "upgrade from the newest snapshot of the job; it keeps its state";
    case.check(Kind::Application, summary, &steps, &notes);
}

#[test]
fn other_changes_have_their_own_words() {
    let cancel = "cancel job `3c000000000000000000000000000000`";
    let stop = "stop job `3c000000000000000000000000000000` with a savepoint in `file:///savepoints`";
    let case = Case::changed(UpgradeMode::Stateless);
    let start = "start generation 4 without state with parallelism 4";
    case.check(Kind::Application, "upgrade without state", &[cancel, "end its cluster", start], &[]);

    let case = Case::changed(UpgradeMode::Stateless).suspend();
    let summary = "suspend; the state of the job is given up";
    case.check(Kind::Application, summary, &[cancel, "end its cluster"], &[]);

    let plan = Case::changed(UpgradeMode::Savepoint).suspend().plan(Kind::Application);
    assert_eq!(plan.summary, "suspend by savepoint; the job can go on from it");
    assert_eq!(plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>(), [stop, "end its cluster"]);

    let mut case = Case::changed(UpgradeMode::Savepoint);
    case.spec["job"]["savepointRedeployNonce"] = json!(1);
    assert_eq!(case.plan(Kind::Application).summary, "redeploy without state");

    let mut case = Case::changed(UpgradeMode::Savepoint);
    case.record.last = Some(case.spec.clone());
    case.check(Kind::Application, "nothing is done; nothing differs from what was carried out last", &[], &[]);
    case.spec["job"]["allowNonRestoredState"] = json!(true);
    case.check(Kind::Application, "nothing is done now; what changes counts when it is next needed", &[], &[]);
}

#[test]
fn a_change_to_stateless_says_that_the_state_is_dropped() {
    let mut case = Case::changed(UpgradeMode::Stateless);
    case.record.last.as_mut().unwrap()["job"]["upgradeMode"] = json!("savepoint");
    let dropped = "the state of the job is dropped, as `job.upgradeMode: stateless` asks";
    assert_eq!(case.plan(Kind::Application).notes, [dropped]);
    case.record.stable = None;
    assert_eq!(case.plan(Kind::Application).notes, Vec::<String>::new());
}

#[test]
fn what_never_ran_has_no_cluster_to_end() {
    let mut case = Case::changed(UpgradeMode::Stateless);
    let ends = |case: &Case| case.plan(Kind::Application).steps.contains(&Step::Remove);
    (case.record.job_manager, case.record.job.state) = (JobManagerState::Error, Some(JobState::Failed));
    assert!(ends(&case));
    case.record.stable = None;
    assert!(!ends(&case));
}

#[test]
fn a_suspended_job_resumes_from_what_it_was_stopped_with() {
    let mut case = Case::changed(UpgradeMode::Savepoint);
    let last = json!({"job": {"state": "suspended", "upgradeMode": "savepoint", "parallelism": 4}});
    (case.record.last, case.record.job.state) = (Some(last), Some(JobState::Finished));
    case.record.job_manager = JobManagerState::Missing;
    case.record.job.restore_path = Some("file:///savepoints/a".to_owned());
    let steps = ["start generation 4 from `file:///savepoints/a` with parallelism 4"];
    case.check(Kind::Application, "resume from `file:///savepoints/a`", &steps, &[]);
    let case = case.suspend();
    let summary = "nothing is done now; what is declared counts when the job is resumed";
    case.check(Kind::Application, summary, &[], &[]);
}

#[test]
fn a_savepoint_in_progress_is_awaited_first() {
    let mut case = Case::changed(UpgradeMode::LastState);
    let trigger_id = "c".repeat(32);
    case.record.job.savepoints.pending =
        Some(Pending { trigger_id, since_ms: NOW, trigger: Trigger::Manual, directory: None });
    let plan = case.plan(Kind::Application);
    let first = "wait for savepoint `cccccccccccccccccccccccccccccccc`, which is being taken";
    assert_eq!(plan.steps.first().map(ToString::to_string).as_deref(), Some(first));
    case.options.ignore_pending_savepoint = true;
    let plan = case.plan(Kind::Application);
    assert_eq!(plan.steps.first(), Some(&Step::Cancel { job_id: Some(OLD.to_owned()) }));
}

#[test]
fn a_session_cluster_is_ended_and_started() {
    let mut case = Case::session();
    let steps = ["end its cluster", "start the session cluster of generation 4"];
    case.check(Kind::SessionCluster, "restart of the session cluster", &steps, &[]);
    case.record.last = Some(case.spec.clone());
    let nothing = "nothing is done; nothing differs from what was carried out last";
    case.check(Kind::SessionCluster, nothing, &[], &[]);
    (case.generation, case.record) = (1, Record::default());
    let steps = ["start the session cluster of generation 1"];
    case.check(Kind::SessionCluster, "first start of the session cluster", &steps, &[]);
}

#[test]
fn a_snapshot_is_taken_once_unless_it_is_there() {
    let reference = JobReference { kind: ReferencedKind::FlinkDeployment, name: "orders".to_owned() };
    let savepoint = |path: Option<&str>, already_exists| SnapshotKind::Savepoint {
        path: path.map(str::to_owned),
        format: SavepointFormat::Canonical,
        dispose_on_delete: true,
        already_exists,
    };
    for (kind, expected) in [
        (savepoint(None, false), Some("take a savepoint of job `orders`; it runs on")),
        (
            savepoint(Some("s3://bucket/a"), false),
            Some("take a savepoint of job `orders` in `s3://bucket/a`; it runs on"),
        ),
        (savepoint(Some("s3://bucket/a"), true), None),
        (SnapshotKind::Checkpoint, Some("take a checkpoint of job `orders`; it runs on")),
    ] {
        let identity = Identity { namespace: "default".to_owned(), name: "a".to_owned() };
        let declared = StateSnapshot { identity, job: Some(reference.clone()), kind, backoff_limit: None };
        let plan = plan_of_snapshot(&declared, NOW);
        let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
        assert_eq!(steps, expected.into_iter().map(str::to_owned).collect::<Vec<_>>(), "{:?}", declared.kind);
    }
}
