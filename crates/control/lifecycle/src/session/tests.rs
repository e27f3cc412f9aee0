//! What is decided about session clusters.

use kobel_model::deployment::FlinkVersion;
use serde_json::{Value, json};

use super::decide;
use crate::decision::{Act, Decision};
use crate::desired::Desired;
use crate::facts::{Cluster, Dependents, Facts, Job, Launched, Newest, Witness};
use crate::options::Options;
use crate::record::Record;
use crate::state::{JobManagerState, LifecycleState, ReconciliationState};

/// A session cluster and a look at it.
struct Case {
    spec: Value,
    options: Options,
    generation: i64,
    is_deleting: bool,
    record: Record,
    facts: Facts,
}

impl Case {
    fn new() -> Self {
        let facts = Facts {
            now_ms: 1_000_000,
            fresh_id: "f".repeat(32),
            cluster: Cluster::Absent,
            silence: None,
            job: Job::NotAsked,
            savepoint: None,
            checkpoint: None,
            newest: Newest::None,
            witness: Witness::Storage,
            stopped_with: None,
            health: None,
            session: None,
            dependents: Dependents::default(),
        };
        let spec = json!({"flinkVersion": "v1_20", "restartNonce": 1});
        Self { spec, options: Options::default(), generation: 1, is_deleting: false, record: Record::default(), facts }
    }

    fn ready() -> Self {
        let mut case = Self::new();
        case.record.last = Some(case.spec.clone());
        case.record.stable = Some(case.spec.clone());
        case.record.reconciliation = ReconciliationState::Deployed;
        case.record.job_manager = JobManagerState::Ready;
        case.record.observed_generation = Some(1);
        case.record.reconciled_ms = Some(0);
        case.facts.cluster = Cluster::Ready(launched(1));
        case
    }

    fn decide(&self) -> Decision {
        let desired = Desired {
            generation: self.generation,
            spec: &self.spec,
            job: None,
            flink_version: FlinkVersion::V1_20,
            is_highly_available: false,
            options: &self.options,
            savepoint_directory: None,
            is_deleting: self.is_deleting,
        };
        decide(&desired, &self.record, &self.facts)
    }

    /// Decides and writes down what was decided.
    fn go(&mut self) -> Decision {
        let decision = self.decide();
        self.record = decision.record.clone();
        decision
    }
}

fn launched(generation: i64) -> Launched {
    Launched { generation, job_id: None }
}

fn is_start(decision: &Decision) -> bool {
    matches!(decision.act, Some(Act::Start(_)))
}

#[test]
fn a_session_cluster_is_started_once_and_then_stable() {
    let mut case = Case::new();
    let first = case.go();
    assert!(is_start(&first));
    assert!(first.events.iter().any(|event| event.message == "starting the session cluster"), "{:?}", first.events);
    assert_eq!(first.record.lifecycle, LifecycleState::Upgrading);
    assert_eq!(case.go().act, first.act, "after a crash before the act it is made again");
    case.facts.cluster = Cluster::Starting(launched(1));
    let starting = case.go();
    assert_eq!((starting.act, starting.wait.reason), (None, "ClusterStarting"));
    assert_eq!(starting.record.lifecycle, LifecycleState::Deployed);
    case.facts.cluster = Cluster::Ready(launched(1));
    let ready = case.go();
    assert_eq!((ready.act, ready.wait.reason), (None, "Settled"));
    assert_eq!(ready.record.lifecycle, LifecycleState::Stable);
    assert_eq!(case.decide().record, case.record, "nothing more is written");
}

#[test]
fn a_change_removes_the_cluster_before_the_next_starts() {
    let mut case = Case::ready();
    case.generation = 2;
    case.spec["restartNonce"] = json!(2);
    assert_eq!(case.go().act, Some(Act::Remove));
    assert_eq!(case.go().act, Some(Act::Remove), "what runs is the old one");
    case.facts.cluster = Cluster::Ending;
    assert_eq!(case.go().act, None);
    case.facts.cluster = Cluster::Absent;
    assert!(is_start(&case.go()));
    case.facts.cluster = Cluster::Ready(launched(2));
    assert_eq!(case.go().wait.reason, "Settled");
}

#[test]
fn a_cluster_that_cannot_be_seen_is_left_alone() {
    for is_deleting in [false, true] {
        let mut case = Case::ready();
        case.is_deleting = is_deleting;
        case.facts.cluster = Cluster::Unknown("permission denied".to_owned());
        let decision = case.decide();
        assert_eq!(decision.act, None);
        assert!(decision.wait.message.contains("permission denied"), "{}", decision.wait.message);
    }
}

#[test]
fn flink_39559_a_lost_session_cluster_is_brought_back() {
    let mut case = Case::ready();
    case.facts.cluster = Cluster::Failed(launched(1), "exit code 1".to_owned());
    let failed = case.go();
    assert_eq!(failed.act, Some(Act::Remove));
    assert_eq!(failed.record.error.as_deref(), Some("exit code 1"));
    case.facts.cluster = Cluster::Absent;
    assert!(is_start(&case.go()));
    assert!(is_start(&case.go()), "the start is recorded and made until it is seen");
    case.facts.cluster = Cluster::Ready(launched(1));
    assert_eq!(case.go().wait.reason, "Settled");
}

#[test]
fn flink_33067_a_cluster_that_dies_at_once_is_not_started_in_a_storm() {
    let mut case = Case::ready();
    case.record.reconciled_ms = Some(case.facts.now_ms - 1_000);
    case.facts.cluster = Cluster::Failed(launched(1), "exit code 1".to_owned());
    let decision = case.decide();
    assert_eq!((decision.act, decision.wait.reason), (None, "RecoverDeployment"));
    assert_eq!(decision.wait.again.as_millis(), 9_000);
}

#[test]
fn flink_39618_a_blocked_deletion_says_by_whom_and_how_to_get_out() {
    let mut case = Case::ready();
    case.is_deleting = true;
    case.facts.dependents.session_jobs = vec!["orders".to_owned()];
    let blocked = case.go();
    assert_eq!(blocked.act, None);
    for part in ["orders", "block-on-session-jobs"] {
        assert!(blocked.wait.message.contains(part), "{}", blocked.wait.message);
    }
    assert!(case.go().events.is_empty(), "it is told once");
    case.facts.dependents.session_jobs.clear();
    case.facts.dependents.unmanaged_jobs = vec!["3c".to_owned()];
    assert!(case.go().wait.message.contains("block-on-unmanaged-jobs"));
    case.options.block_on_unmanaged_jobs = false;
    assert_eq!(case.go().act, Some(Act::Remove));
    case.facts.cluster = Cluster::Absent;
    assert_eq!(case.go().act, Some(Act::Release));
}

#[test]
fn a_cluster_that_another_operator_made_and_did_not_record_runs_on() {
    let mut case = Case::ready();
    case.record.reconciliation = ReconciliationState::Upgrading;
    case.record.job_manager = JobManagerState::Missing;
    let found = case.go();
    assert_eq!((found.act, found.wait.reason), (None, "Settled"));
    assert_eq!(found.record.lifecycle, LifecycleState::Stable);
}
