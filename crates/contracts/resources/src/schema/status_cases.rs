//! The status of each kind: every field has a valid, an invalid and a boundary case.
//!
//! A case sets one field of a status that is full and valid otherwise, and takes it through what a write of a status
//! goes through: unknown fields are dropped, nulls go, and every problem is named. Shapes that several kinds share are
//! tabled once and stand under the fields that hold them.

#![cfg(test)]

mod forms;

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::forms::Sort::{self, Boundary, Invalid, Valid};
use self::forms::{Ending, Form, UNKNOWN, trials};
use crate::blue_green::FlinkBlueGreenDeploymentStatus;
use crate::crd::{API_VERSION, openapi, root_schema};
use crate::flink_deployment::FlinkDeploymentStatus;
use crate::session_job::FlinkSessionJobStatus;
use crate::state_snapshot::FlinkStateSnapshotStatus;

/// A field, its steps separated by `/`, and what may stand there.
///
/// `0` is an entry of a list. `*` is a key of an object with any keys; it is itself as good a key as any other.
type Row = (&'static str, Form);

/// One field set to one value.
struct Case {
    field: String,
    sort: Sort,
    value: Value,
    ending: Ending,
}

/// A kind, the table of its status, and its status through the type that holds it.
struct Kind {
    name: &'static str,
    rows: fn() -> Vec<(String, Form)>,
    retyped: fn(&Value) -> Value,
}

const JOB_STATES: &[&str] = &[
    "INITIALIZING",
    "CREATED",
    "RUNNING",
    "FAILING",
    "FAILED",
    "CANCELLING",
    "CANCELED",
    "FINISHED",
    "RESTARTING",
    "SUSPENDED",
    "RECONCILING",
];

const LIFECYCLE_STATES: &[&str] = &[
    "CREATED",
    "SUSPENDED",
    "UPGRADING",
    "DEPLOYED",
    "STABLE",
    "ROLLING_BACK",
    "ROLLED_BACK",
    "FAILED",
    "DELETING",
    "DELETED",
];

const RECONCILIATION_STATES: &[&str] = &["DEPLOYED", "UPGRADING", "ROLLING_BACK", "ROLLED_BACK"];

const JOB_MANAGER_STATES: &[&str] = &["READY", "DEPLOYED_NOT_READY", "DEPLOYING", "MISSING", "ERROR"];

const SNAPSHOT_STATES: &[&str] = &["TRIGGER_PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "ABANDONED"];

const BLUE_GREEN_STATES: &[&str] = &[
    "INITIALIZING_BLUE",
    "ACTIVE_BLUE",
    "ACTIVE_GREEN",
    "TRANSITIONING_TO_GREEN",
    "TRANSITIONING_TO_BLUE",
    "SAVEPOINTING_BLUE",
    "SAVEPOINTING_GREEN",
];

const TRIGGER_TYPES: &[&str] = &["MANUAL", "PERIODIC", "UPGRADE", "UNKNOWN"];

const SAVEPOINT_FORMATS: &[&str] = &["CANONICAL", "NATIVE", "UNKNOWN"];

const CHECKPOINT_FORMATS: &[&str] = &["FULL", "INCREMENTAL", "UNKNOWN"];

/// The fields of a savepoint that was taken.
const SAVEPOINT: &[Row] = &[
    ("timeStamp", Form::Long(1_719_480_010_000)),
    ("location", Form::Text("s3://bucket/savepoint-1")),
    ("triggerType", Form::Word(TRIGGER_TYPES)),
    ("formatType", Form::Word(SAVEPOINT_FORMATS)),
    ("triggerNonce", Form::Long(1)),
];

/// The fields of a checkpoint that was taken.
const CHECKPOINT: &[Row] = &[
    ("timeStamp", Form::Long(1_719_480_010_000)),
    ("triggerType", Form::Word(TRIGGER_TYPES)),
    ("formatType", Form::Word(CHECKPOINT_FORMATS)),
    ("triggerNonce", Form::Long(1)),
];

/// The fields of what is known of a job, those of savepoints and checkpoints aside.
const JOB_STATUS: &[Row] = &[
    ("jobName", Form::Text("State machine job")),
    ("jobId", Form::Text("fd72014d4c864993a2e5a9287b4a9c5d")),
    ("state", Form::Word(JOB_STATES)),
    ("startTime", Form::Text("1719480000000")),
    ("updateTime", Form::Text("1719480012000")),
    ("upgradeSavepointPath", Form::Text("KUBERNETES_OPERATOR_LAST_STATE")),
    ("savepointInfo", Form::Object),
    ("savepointInfo/lastSavepoint", Form::Object),
    ("savepointInfo/triggerId", Form::Text("2f9a")),
    ("savepointInfo/triggerTimestamp", Form::Long(1_719_480_011_000)),
    ("savepointInfo/triggerType", Form::Word(TRIGGER_TYPES)),
    ("savepointInfo/formatType", Form::Word(SAVEPOINT_FORMATS)),
    ("savepointInfo/savepointHistory", Form::List),
    ("savepointInfo/savepointHistory/0", Form::Entry),
    ("savepointInfo/lastPeriodicSavepointTimestamp", Form::Long(0)),
    ("checkpointInfo", Form::Object),
    ("checkpointInfo/lastCheckpoint", Form::Object),
    ("checkpointInfo/triggerId", Form::Text("3c1b")),
    ("checkpointInfo/triggerTimestamp", Form::Long(1_719_480_011_000)),
    ("checkpointInfo/triggerType", Form::Word(TRIGGER_TYPES)),
    ("checkpointInfo/formatType", Form::Word(CHECKPOINT_FORMATS)),
    ("checkpointInfo/lastPeriodicCheckpointTimestamp", Form::Long(0)),
];

/// The fields of which version was carried out.
const RECONCILIATION_STATUS: &[Row] = &[
    ("reconciliationTimestamp", Form::Long(1_719_480_000_000)),
    ("lastReconciledSpec", Form::Text("{\"spec\":{}}")),
    ("lastStableSpec", Form::Text("{\"spec\":{}}")),
    ("state", Form::Word(RECONCILIATION_STATES)),
];

/// What the statuses of deployments and of session jobs both have.
const DEPLOYED: &[Row] = &[
    ("error", Form::Text("{\"type\":\"a.B\",\"message\":\"m\"}")),
    ("observedGeneration", Form::Long(2)),
    ("lifecycleState", Form::Word(LIFECYCLE_STATES)),
    ("reconciliationStatus", Form::Object),
    ("conditions", Form::KeyedList),
    ("conditions/0", Form::KeyedEntry),
    ("conditions/0/type", Form::NeededText("Running")),
    ("conditions/0/status", Form::Text("True")),
    ("conditions/0/reason", Form::Text("Running")),
    ("conditions/0/message", Form::Text("Job status RUNNING")),
    ("conditions/0/lastTransitionTime", Form::Text("2024-06-27T09:20:00Z")),
    ("conditions/0/observedGeneration", Form::Long(2)),
];

/// What only the status of a deployment has.
const DEPLOYMENT: &[Row] = &[
    ("clusterInfo", Form::Texts),
    ("clusterInfo/*", Form::Text("2.2.1")),
    ("jobManagerDeploymentStatus", Form::Word(JOB_MANAGER_STATES)),
    ("taskManager", Form::Object),
    ("taskManager/labelSelector", Form::Text("component=taskmanager,app=demo")),
    ("taskManager/replicas", Form::Int(1)),
];

const SNAPSHOT: &[Row] = &[
    ("state", Form::Word(SNAPSHOT_STATES)),
    ("triggerId", Form::Text("2f9a")),
    ("triggerTimestamp", Form::Text("2024-06-27T09:20:00Z")),
    ("resultTimestamp", Form::Text("2024-06-27T09:20:10Z")),
    ("path", Form::Text("s3://bucket/savepoint-1")),
    ("error", Form::Text("the job is gone")),
    ("failures", Form::Int(3)),
];

const BLUE_GREEN: &[Row] = &[
    ("blueGreenState", Form::Word(BLUE_GREEN_STATES)),
    ("lastReconciledSpec", Form::Text("{\"spec\":{}}")),
    ("lastReconciledTimestamp", Form::Text("2024-06-27T09:20:00Z")),
    ("abortTimestamp", Form::Text("2024-06-27T09:30:00Z")),
    ("deploymentReadyTimestamp", Form::Text("2024-06-27T09:25:00Z")),
    ("savepointTriggerId", Form::Text("2f9a")),
    ("error", Form::Text("green did not become ready")),
];

const KINDS: [Kind; 4] = [
    Kind { name: "FlinkDeployment", rows: deployment, retyped: retyped::<FlinkDeploymentStatus> },
    Kind { name: "FlinkSessionJob", rows: session_job, retyped: retyped::<FlinkSessionJobStatus> },
    Kind { name: "FlinkStateSnapshot", rows: snapshot, retyped: retyped::<FlinkStateSnapshotStatus> },
    Kind { name: "FlinkBlueGreenDeployment", rows: blue_green, retyped: retyped::<FlinkBlueGreenDeploymentStatus> },
];

/// The rows as they stand below the field `prefix`.
fn under(prefix: &str, rows: &[Row]) -> Vec<(String, Form)> {
    rows.iter().map(|(field, form)| (format!("{prefix}/{field}"), *form)).collect()
}

/// The status itself.
fn whole() -> Vec<(String, Form)> {
    vec![("status".to_owned(), Form::Object)]
}

fn job_status() -> Vec<(String, Form)> {
    let mut rows = under("status", &[("jobStatus", Form::Object)]);
    rows.extend(under("status/jobStatus", JOB_STATUS));
    rows.extend(under("status/jobStatus/savepointInfo/lastSavepoint", SAVEPOINT));
    rows.extend(under("status/jobStatus/savepointInfo/savepointHistory/0", SAVEPOINT));
    rows.extend(under("status/jobStatus/checkpointInfo/lastCheckpoint", CHECKPOINT));
    rows
}

fn session_job() -> Vec<(String, Form)> {
    let mut rows = whole();
    rows.extend(job_status());
    rows.extend(under("status", DEPLOYED));
    rows.extend(under("status/reconciliationStatus", RECONCILIATION_STATUS));
    rows
}

fn deployment() -> Vec<(String, Form)> {
    let mut rows = session_job();
    rows.extend(under("status", DEPLOYMENT));
    rows
}

fn snapshot() -> Vec<(String, Form)> {
    let mut rows = whole();
    rows.extend(under("status", SNAPSHOT));
    rows
}

fn blue_green() -> Vec<(String, Form)> {
    let mut rows = whole();
    rows.extend(job_status());
    rows.extend(under("status", BLUE_GREEN));
    rows
}

/// Every case of a table.
fn cases(rows: &[(String, Form)]) -> Vec<Case> {
    let mut all = Vec::new();
    for (field, form) in rows {
        for (sort, value, ending) in trials(*form) {
            all.push(Case { field: field.clone(), sort, value, ending });
        }
    }
    all
}

/// The place of a field in messages.
fn path_of(field: &str) -> String {
    field.split('/').fold(String::new(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) if path.is_empty() => step.to_owned(),
        Err(_) => format!("{path}.{step}"),
    })
}

/// Sets what stands in a field.
fn set(value: &mut Value, field: &str, new: &Value) {
    let (step, rest) = field.split_once('/').unwrap_or((field, ""));
    let inner = match step.parse::<usize>() {
        Ok(index) => &mut value[index],
        Err(_) => &mut value[step],
    };
    if rest.is_empty() {
        *inner = new.clone();
    } else {
        set(inner, rest, new);
    }
}

/// An object of the kind in which every field of the status stands with its example.
fn full(kind: &Kind) -> Value {
    let mut object = json!({"apiVersion": API_VERSION, "kind": kind.name, "metadata": {"name": "demo"}});
    for (field, form) in (kind.rows)() {
        let example = trials(form).into_iter().next().map(|(_, value, _)| value).unwrap();
        set(&mut object, &field, &example);
    }
    object
}

/// Does to an object what the API server does; the answer is the unknown fields and the problems.
fn write(kind: &Kind, object: &mut Value) -> (Vec<String>, Vec<String>) {
    let schema = root_schema(kind.name);
    let unknown = schema.prune(object);
    schema.fill_defaults(object);
    (unknown, schema.validate(object).iter().map(ToString::to_string).collect())
}

/// The status after it went through the type that holds it.
fn retyped<T: Serialize + DeserializeOwned>(status: &Value) -> Value {
    let typed: T = serde_json::from_value(status.clone()).unwrap();
    serde_json::to_value(&typed).unwrap()
}

/// Every field of a schema, with those that only hold further ones.
fn fields(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    found.insert(at.to_owned());
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        fields(inner, &format!("{at}/{name}"), found);
    }
    for (word, step) in [("items", "0"), ("additionalProperties", "*")] {
        if schema[word].is_object() {
            fields(&schema[word], &format!("{at}/{step}"), found);
        }
    }
}

/// The cases that a schema needs and a table lacks.
fn missing(schema: &Value, rows: &[(String, Form)]) -> Vec<(String, Sort)> {
    let known: BTreeSet<(String, Sort)> = cases(rows).into_iter().map(|case| (case.field, case.sort)).collect();
    let mut needed = BTreeSet::new();
    fields(schema, "status", &mut needed);
    let sorts = |field: String| [Valid, Invalid, Boundary].map(|sort| (field.clone(), sort));
    needed.into_iter().flat_map(sorts).filter(|case| !known.contains(case)).collect()
}

/// The schema of the status of a kind.
fn status_schema(kind: &Kind) -> &'static Value {
    openapi(kind.name).pointer("/properties/status").unwrap()
}

#[test]
fn every_value_of_every_field_of_every_status_ends_as_expected() {
    for kind in &KINDS {
        let full = full(kind);
        for case in cases(&(kind.rows)()) {
            let what = format!("{} of `{}` = {}", case.field, kind.name, case.value);
            let mut object = full.clone();
            set(&mut object, &case.field, &case.value);
            let (unknown, problems) = write(kind, &mut object);
            let path = path_of(&case.field);
            let (unknown_expected, expected, stored) = match case.ending {
                Ending::Stored => (vec![], vec![], Some(case.value)),
                Ending::Pruned(rest) => (vec![format!("{path}.{UNKNOWN}")], vec![], Some(rest)),
                Ending::Refused(problems) => (vec![], problems, None),
            };
            let expected: Vec<String> = expected.iter().map(|text| text.replace("PATH", &path)).collect();
            assert_eq!(unknown, unknown_expected, "{what}");
            assert_eq!(problems, expected, "{what}");
            if let Some(stored) = stored {
                let found = object.pointer(&format!("/{}", case.field));
                assert_eq!(found, Some(&stored).filter(|stored| !stored.is_null()), "{what}");
            }
        }
    }
}

#[test]
fn every_field_of_every_status_has_its_three_cases_and_no_other_field_has_any() {
    for kind in &KINDS {
        let rows = (kind.rows)();
        let missing = missing(status_schema(kind), &rows);
        assert!(missing.is_empty(), "cases missing for `{}`: {missing:#?}", kind.name);
        let mut known = BTreeSet::new();
        fields(status_schema(kind), "status", &mut known);
        assert!(known.len() > SNAPSHOT.len(), "the schema of `{}` has fields", kind.name);
        for (field, _) in rows {
            assert!(known.contains(&field), "`{field}` is no field of `{}`", kind.name);
        }
    }
}

#[test]
fn a_field_without_its_three_cases_is_noticed() {
    let kind = &KINDS[0];
    let mut schema = status_schema(kind).clone();
    schema["properties"]["conditions"]["items"]["properties"]["severity"] = json!({"type": "string"});
    let severity = "status/conditions/0/severity".to_owned();
    assert_eq!(
        missing(&schema, &(kind.rows)()),
        [(severity.clone(), Valid), (severity.clone(), Invalid), (severity, Boundary)]
    );
}

#[test]
fn a_full_status_is_kept_whole_by_its_schema_and_by_its_type() {
    for kind in &KINDS {
        let before = full(kind);
        let mut object = before.clone();
        assert_eq!(write(kind, &mut object), (vec![], vec![]), "{}", kind.name);
        assert_eq!(object, before, "{}", kind.name);
        assert_eq!((kind.retyped)(&object["status"]), before["status"], "{}", kind.name);
    }
}

#[test]
fn a_refused_status_names_the_field_the_value_and_what_is_allowed() {
    let history = "status/jobStatus/savepointInfo/savepointHistory/0/formatType";
    for (kind, field, value, expected) in [
        (
            0,
            history,
            json!("native"),
            concat!(
                "status.jobStatus.savepointInfo.savepointHistory[0].formatType: Unsupported value: \"native\": ",
                "supported values: \"CANONICAL\", \"NATIVE\", \"UNKNOWN\""
            ),
        ),
        (
            0,
            "status/clusterInfo/total-cpu",
            json!(2),
            concat!(
                "status.clusterInfo.total-cpu: Invalid value: \"integer\": ",
                "status.clusterInfo.total-cpu in body must be of type string: \"integer\""
            ),
        ),
        (
            1,
            "status/reconciliationStatus/state",
            json!("deployed"),
            concat!(
                "status.reconciliationStatus.state: Unsupported value: \"deployed\": ",
                "supported values: \"DEPLOYED\", \"UPGRADING\", \"ROLLING_BACK\", \"ROLLED_BACK\""
            ),
        ),
        (
            2,
            "status/failures",
            json!(2_147_483_648_i64),
            concat!(
                "status.failures: Invalid value: 2147483648: ",
                "Checked value must be of type integer with format int32 in status.failures"
            ),
        ),
        (
            3,
            "status/jobStatus",
            json!("RUNNING"),
            concat!(
                "status.jobStatus: Invalid value: \"string\": ",
                "status.jobStatus in body must be of type object: \"string\""
            ),
        ),
    ] {
        let kind: &Kind = &KINDS[kind];
        let mut object = full(kind);
        set(&mut object, field, &value);
        assert_eq!(write(kind, &mut object), (vec![], vec![expected.to_owned()]), "{field}");
    }
}
