//! The plan for a declaration, from nothing but the object as it is and as it would be: what a client can tell before
//! anything is written.
//!
//! What the cluster is like only the control loop knows. It is taken to be as the status says.

use kobel_lifecycle::change::{Change, diff};
use kobel_lifecycle::desired::Desired;
use kobel_lifecycle::plan::{self as course, Step};
use kobel_lifecycle::record::Record;
use kobel_manifest::engine::{Engine, engine};
use kobel_model::deployment::{FlinkVersion, JobState as Wanted};
use kobel_resources::API_VERSION;
use kobel_resources::read::Declared;
use serde_json::Value;

use crate::declared::{Declaration, Rules, What, listed};
use crate::key::Kind;
use crate::status;

/// What the control loop would do about a declaration, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What differs, as `job.parallelism : 2 -> 4`; secrets are hidden.
    pub changes: Vec<String>,
    /// All of it in a few words.
    pub summary: String,
    /// What would be done, in this order.
    pub steps: Vec<String>,
    /// What would be awaited, or be done if something is not as the status says, or fails.
    pub notes: Vec<String>,
}

impl Plan {
    fn nothing(why: &str) -> Self {
        Self { summary: format!("nothing is done; {why}"), ..Self::default() }
    }
}

/// Plans what the control loop would do if `current` became `declared`; absent for what it does not look after.
/// `session_jobs` are the names of the session jobs that name the object; absent if nobody knows.
pub fn plan(current: Option<&Value>, declared: &Value, session_jobs: Option<&[String]>, now_ms: i64) -> Option<Plan> {
    let text = |field: &str| declared.get(field).and_then(Value::as_str);
    let is_ours = Kind::ALL.iter().any(|kind| text("kind") == Some(kind.name()));
    if !is_ours || text("apiVersion") != Some(API_VERSION) {
        return None;
    }
    if declared.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()) {
        return Some(Plan::nothing("the resource is being deleted"));
    }
    let spec = declared.get("spec").cloned().unwrap_or_default();
    let before = current.map(|current| current.get("spec").cloned().unwrap_or_default());
    if before.as_ref() == Some(&spec) {
        return Some(Plan::nothing("the spec stays as it is"));
    }
    let changes = before.map(|before| diff(&before, &spec).paths).unwrap_or_default();
    let rules = Rules::local();
    let plan = match rules.read(declared).map(|reading| reading.declared) {
        Err(problems) => Plan::nothing(&format!("it is refused: {}", listed(&problems))),
        Ok(Declared::Snapshot(_)) if current.is_some() => Plan::nothing("a snapshot is asked for once"),
        Ok(Declared::Snapshot(snapshot)) => told(course::plan_of_snapshot(&snapshot, now_ms)),
        Ok(Declared::BlueGreen(_)) => of_pair(current),
        Ok(_) => {
            let declaration = Declaration::read(declared, &rules).ok().flatten()?;
            let generation = generation(declared).max(current.map_or(1, |current| generation(current) + 1));
            let record = current.map(|current| status::record(&status::of(current))).unwrap_or_default();
            let subject = Subject { declaration: &declaration, spec: &spec, generation, record: &record };
            subject.plan(session_jobs, now_ms)
        }
    };
    Some(Plan { changes, ..plan })
}

/// What is done about a pair of deployments.
fn of_pair(current: Option<&Value>) -> Plan {
    let summary = match current {
        None => "the first deployment of the pair is made",
        Some(_) => "what would restart a job is proven in the other deployment of the pair first",
    };
    Plan { summary: summary.to_owned(), ..Plan::default() }
}

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

/// What would become of what was recorded.
struct Subject<'a> {
    declaration: &'a Declaration,
    spec: &'a Value,
    generation: i64,
    record: &'a Record,
}

impl Subject<'_> {
    fn plan(&self, session_jobs: Option<&[String]>, now_ms: i64) -> Plan {
        let what = &self.declaration.what;
        let kind = match what {
            What::SessionJob(_) => course::Kind::SessionJob,
            What::Deployment(_) if what.job().is_some() => course::Kind::Application,
            What::Deployment(_) => course::Kind::SessionCluster,
        };
        let desired = Desired {
            generation: self.generation,
            spec: self.spec,
            job: what.job(),
            // Of a session job its cluster says both, and no decision about a plan asks for them.
            flink_version: what.flink_version().unwrap_or(FlinkVersion::V1_20),
            is_highly_available: what.is_highly_available(),
            options: &self.declaration.options,
            savepoint_directory: what.savepoint_directory(),
            is_deleting: false,
        };
        let found = course::plan(kind, &desired, self.record, now_ms);
        let starts = found.steps.iter().any(|step| matches!(step, Step::Start(_)));
        let keeps_state = |step: &Step| matches!(step, Step::Start(launch) if launch.origin != course::Origin::Nothing);
        let check = self.check(found.steps.iter().any(keeps_state)).filter(|_| starts);
        let restarted = (kind == course::Kind::SessionCluster && starts && self.record.last.is_some())
            .then(|| restarted(session_jobs));
        let mut plan = told(found);
        if let Some(check) = check {
            plan.steps.insert(0, check.to_owned());
        }
        plan.notes.extend(restarted);
        plan
    }

    /// What is found out before anything is stopped.
    fn check(&self, keeps_state: bool) -> Option<&'static str> {
        let What::Deployment(deployment) = &self.declaration.what else { return None };
        let (Some(job), Some(last)) = (&deployment.cluster.job, &self.record.last) else { return None };
        if job.state != Wanted::Running || diff(last, self.spec).change < Change::Upgrade {
            return None;
        }
        match engine(&deployment.cluster) {
            Engine::Flink => Some("check that its version of Flink and its program are there; else nothing is stopped"),
            Engine::Native if keeps_state && !job.allow_non_restored_state => {
                Some("check that it can go on from the state of the job; else nothing is stopped")
            }
            Engine::Native => Some("check that the program can be run; else nothing is stopped"),
        }
    }
}

/// A plan of the lifecycle in words.
fn told(found: course::Plan) -> Plan {
    let waits = found.waits.map(|waits| format!("then it waits: {waits}"));
    Plan {
        changes: Vec::new(),
        summary: found.summary,
        steps: found.steps.iter().map(ToString::to_string).collect(),
        notes: waits.into_iter().chain(found.notes).collect(),
    }
}

/// What becomes of the session jobs of a cluster that is started again.
fn restarted(session_jobs: Option<&[String]>) -> String {
    match session_jobs {
        Some([]) => "no session job names it, so none is started again".to_owned(),
        Some(names) => {
            format!("its session jobs are started again from their newest snapshots: `{}`", names.join("`, `"))
        }
        None => "its session jobs are started again from their newest snapshots".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000_000;

    /// A deployment with this job; one that is null is a session cluster.
    fn deployment(job: Value, status: Value) -> Value {
        let resource = json!({"memory": "1024m", "cpu": 1});
        let mut object = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {"name": "orders", "namespace": "default", "generation": 1},
            "spec": {
                "flinkVersion": "v2_3", "image": "flink:2.3", "serviceAccount": "flink",
                "jobManager": {"resource": resource}, "taskManager": {"resource": resource},
            },
            "status": status,
        });
        if !job.is_null() {
            object["spec"]["job"] = job;
        }
        object
    }

    fn job(parallelism: u32, mode: &str) -> Value {
        let script = "local:///opt/orders.sql";
        json!({"jarURI": script, "parallelism": parallelism, "upgradeMode": mode, "state": "running"})
    }

    /// The object, which runs as it is declared.
    fn running(mut object: Value) -> Value {
        let spec = json!({"spec": object["spec"], "resource_metadata": {"firstDeployment": false}}).to_string();
        object["status"] = json!({
            "jobStatus": {"jobId": "3c000000000000000000000000000000", "state": "RUNNING"},
            "jobManagerDeploymentStatus": "READY", "observedGeneration": 1, "lifecycleState": "STABLE",
            "reconciliationStatus": {
                "lastReconciledSpec": spec, "lastStableSpec": spec, "state": "DEPLOYED", "reconciliationTimestamp": 1,
            },
        });
        object
    }

    #[test]
    fn a_change_is_planned_from_the_status() {
        let current = running(deployment(job(2, "savepoint"), json!({})));
        let declared = deployment(job(4, "savepoint"), json!({}));
        let plan = plan(Some(&current), &declared, None, NOW).unwrap();
        assert_eq!(plan.changes, ["job.parallelism : 2 -> 4"]);
        assert_eq!(plan.summary, "upgrade by savepoint; the job keeps its state");
        let steps = [
            "check that it can go on from the state of the job; else nothing is stopped",
            "stop job `3c000000000000000000000000000000` with a savepoint",
            "end its cluster",
            "start generation 2 from that savepoint with parallelism 4",
        ];
        assert_eq!(plan.steps, steps);
        assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);
    }

    #[test]
    fn what_is_new_is_started_and_what_stays_is_left_alone() {
        let object = deployment(job(2, "stateless"), json!({}));
        let plan_of = |current: Option<&Value>, declared: &Value| plan(current, declared, None, NOW).unwrap();
        let first = plan_of(None, &object);
        assert_eq!((first.summary.as_str(), first.changes.len()), ("first start without state", 0));
        assert_eq!(first.steps, ["start generation 1 without state with parallelism 2"]);
        assert_eq!(plan_of(Some(&running(object.clone())), &object), Plan::nothing("the spec stays as it is"));
        let mut going = object.clone();
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(plan_of(Some(&object), &going), Plan::nothing("the resource is being deleted"));
        let mut refused = object;
        refused["spec"]["flinkVersion"] = json!("v0_1");
        assert!(plan_of(None, &refused).summary.contains("it is refused"), "{:?}", plan_of(None, &refused));
    }

    #[test]
    fn a_session_cluster_names_the_jobs_that_start_again() {
        let current = running(deployment(Value::Null, json!({})));
        let mut declared = deployment(Value::Null, json!({}));
        declared["spec"]["restartNonce"] = json!(1);
        let names = ["a".to_owned(), "b".to_owned()];
        let plan = plan(Some(&current), &declared, Some(&names), NOW).unwrap();
        assert_eq!(plan.summary, "restart of the session cluster");
        assert_eq!(plan.notes, ["its session jobs are started again from their newest snapshots: `a`, `b`"]);
    }

    #[test]
    fn a_snapshot_is_planned_once_and_other_kinds_are_not() {
        let snapshot = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkStateSnapshot",
            "metadata": {"name": "a", "namespace": "default"},
            "spec": {
                "savepoint": {"alreadyExists": false},
                "jobReference": {"kind": "FlinkDeployment", "name": "orders"},
            },
        });
        let first = plan(None, &snapshot, None, NOW).unwrap();
        assert_eq!(first.steps, ["take a savepoint of job `orders`; it runs on"]);
        let mut changed = snapshot.clone();
        changed["spec"]["backoffLimit"] = json!(3);
        let again = plan(Some(&snapshot), &changed, None, NOW).unwrap();
        assert_eq!((again.steps.len(), again.changes.len()), (0, 1));
        assert_eq!(plan(None, &json!({"apiVersion": "v1", "kind": "Secret"}), None, NOW), None);
    }
}
