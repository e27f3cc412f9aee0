//! The door from outside: each field of each kind has a valid, an invalid and a boundary case.
//!
//! A case sets one field of a manifest that is valid otherwise. What is expected is how each problem begins, all of
//! them, in order.

#![cfg(test)]

mod addresses;
mod changes;
mod deployment_fields;
mod job_fields;
mod other_fields;
mod pods;
mod rules;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Context, Reading, read};
use crate::crd;
use crate::problem::Problem;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Valid,
    Invalid,
    Boundary,
}

/// One field set to one value.
struct Case {
    /// The field that is set.
    field: &'static str,
    /// The field that the case is about.
    covers: &'static str,
    sort: Sort,
    value: Value,
    /// What must be set as well.
    also: Option<(&'static str, Value)>,
    expected: Vec<String>,
}

impl Case {
    fn new(sort: Sort, field: &'static str, value: Value, expected: &[&str]) -> Self {
        let expected = expected.iter().map(|text| (*text).to_owned()).collect();
        Self { field, covers: field, sort, value, also: None, expected }
    }

    /// The case is about a field within the one that is set.
    fn covers(self, field: &'static str) -> Self {
        Self { covers: field, ..self }
    }

    /// Another field must be set as well.
    fn also(self, field: &'static str, value: Value) -> Self {
        Self { also: Some((field, value)), ..self }
    }

    /// The manifest of the case; `prefix` stands before its fields.
    fn object(&self, base: &Value, prefix: &str) -> Value {
        let object = with(base, &format!("{prefix}{}", self.field), &self.value);
        match &self.also {
            Some((field, value)) => with(&object, &format!("{prefix}{field}"), value),
            None => object,
        }
    }
}

fn valid(field: &'static str, value: Value) -> Case {
    Case::new(Sort::Valid, field, value, &[])
}

fn invalid(field: &'static str, value: Value, expected: &[&str]) -> Case {
    Case::new(Sort::Invalid, field, value, expected)
}

fn boundary(field: &'static str, value: Value, expected: &[&str]) -> Case {
    Case::new(Sort::Boundary, field, value, expected)
}

/// Reads a manifest; its only neighbour is the session cluster of session jobs.
fn read_alone(object: &Value) -> Result<Reading, Vec<Problem>> {
    let session = with(&deployment(), "job", &Value::Null);
    let session = with(&session, "flinkConfiguration", &Value::Null);
    let find = |kind: &str, name: &str| (kind == "FlinkDeployment" && name == "session").then(|| session.clone());
    read(object, &Context { previous: None, find: &find, defaults: &BTreeMap::new() })
}

/// Every problem as text.
fn problems(outcome: Result<Reading, Vec<Problem>>) -> Vec<String> {
    let problems = outcome.err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}

/// Sets what stands at `path` (steps separated by `/`); a null takes it away.
fn set(value: &mut Value, path: &str, new: &Value) {
    let (step, rest) = path.split_once('/').map_or((path, None), |(step, rest)| (step, Some(rest)));
    if let Ok(index) = step.parse::<usize>() {
        if !value.is_array() {
            *value = json!([{}]);
        }
        let entry = value.get_mut(index).unwrap();
        match rest {
            Some(rest) => set(entry, rest, new),
            None => *entry = new.clone(),
        }
        return;
    }
    if !value.is_object() {
        *value = json!({});
    }
    let members = value.as_object_mut().unwrap();
    match rest {
        Some(rest) => set(members.entry(step).or_insert(Value::Null), rest, new),
        None if new.is_null() => drop(members.remove(step)),
        None => drop(members.insert(step.to_owned(), new.clone())),
    }
}

/// A copy of `base` with one field of its spec set.
fn with(base: &Value, field: &str, new: &Value) -> Value {
    let mut object = base.clone();
    set(&mut object, &format!("spec/{field}"), new);
    object
}

/// Asserts that the problems begin as expected, all of them, in order.
fn assert_problems(actual: &[String], expected: &[String], what: &str) {
    let agree = actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, e)| a.starts_with(e.as_str()));
    assert!(agree, "{what}:\n  expected {expected:#?}\n  found {actual:#?}");
}

/// Runs every case against `base`.
fn run(base: &Value, cases: &[Case]) {
    assert_eq!(problems(read_alone(base)), Vec::<String>::new(), "the manifest without a case");
    for case in cases {
        let actual = problems(read_alone(&case.object(base, "")));
        assert_problems(&actual, &case.expected, &format!("{} = {}", case.field, case.value));
    }
}

/// The manifest of an application.
fn deployment() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "demo", "namespace": "default"},
        "spec": {
            "flinkVersion": "v1_20",
            "serviceAccount": "flink",
            "flinkConfiguration": {
                "taskmanager.numberOfTaskSlots": "2",
                "execution.checkpointing.dir": "s3://bucket/checkpoints",
                "execution.checkpointing.savepoint-dir": "s3://bucket/savepoints"
            },
            "jobManager": {"resource": {"memory": "2048m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "2048m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/flink/examples/StateMachine.jar", "parallelism": 2}
        }
    })
}

/// The manifest of a job of a session.
fn session_job() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkSessionJob",
        "metadata": {"name": "demo-job", "namespace": "default"},
        "spec": {
            "deploymentName": "session",
            "flinkConfiguration": {
                "execution.checkpointing.dir": "s3://bucket/checkpoints",
                "execution.checkpointing.savepoint-dir": "s3://bucket/savepoints"
            },
            "job": {"jarURI": "https://repo1.maven.org/flink/TopSpeedWindowing.jar", "parallelism": 2}
        }
    })
}

/// The manifest of a savepoint that exists already, and so needs no neighbour.
fn snapshot() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkStateSnapshot",
        "metadata": {"name": "demo-savepoint", "namespace": "default"},
        "spec": {"savepoint": {"path": "s3://bucket/savepoint-1", "alreadyExists": true}}
    })
}

/// The manifest of a pair of deployments.
fn blue_green() -> Value {
    let spec = deployment()["spec"].clone();
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "demo", "namespace": "default"},
        "spec": {"template": {"spec": spec}}
    })
}

/// The fields of a schema that hold values and no further fields.
fn leaves(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    if let Some(members) = schema.get("properties").and_then(Value::as_object).filter(|members| !members.is_empty()) {
        for (name, inner) in members {
            leaves(inner, &if at.is_empty() { name.clone() } else { format!("{at}/{name}") }, found);
        }
    } else if let Some(items) = schema.get("items").filter(|items| items.get("properties").is_some()) {
        leaves(items, &format!("{at}/0"), found);
    } else {
        found.insert(at.to_owned());
    }
}

/// Asserts that each field of the spec of `kind` has a case of each sort.
///
/// `parts` are cases, those of a part after what stands before their fields.
fn assert_complete(kind: &str, parts: &[(&str, &[Case])]) {
    let spec = crd::openapi(kind).pointer("/properties/spec").unwrap();
    let mut fields = BTreeSet::new();
    leaves(spec, "", &mut fields);
    assert!(!fields.is_empty(), "the schema of `{kind}` has fields");
    let mut known: BTreeSet<(String, Sort)> = BTreeSet::new();
    for (prefix, cases) in parts {
        known.extend(cases.iter().map(|case| (format!("{prefix}{}", case.covers), case.sort)));
    }
    let missing: Vec<(String, Sort)> = fields
        .into_iter()
        .flat_map(|field| [Sort::Valid, Sort::Invalid, Sort::Boundary].map(|sort| (field.clone(), sort)))
        .filter(|case| !known.contains(case))
        .collect();
    assert!(missing.is_empty(), "cases missing for `{kind}`: {missing:#?}");
}

/// The cases of a deployment, in every part.
fn deployment_cases() -> Vec<Case> {
    let mut cases = deployment_fields::cases();
    cases.extend(job_fields::cases());
    cases.extend(sizes::cases());
    cases
}

#[test]
fn every_field_of_a_deployment_is_checked() {
    let cases = deployment_cases();
    run(&deployment(), &cases);
    assert_complete("FlinkDeployment", &[("", cases.as_slice())]);
}

#[test]
fn every_field_of_a_session_job_is_checked() {
    let mut cases = job_fields::cases();
    // A session job is read against other schemes, and nothing gives it a parallelism.
    cases.retain(|case| case.covers != "job/jarURI");
    cases.extend(other_fields::session_job());
    run(&session_job(), &cases);
    assert_complete("FlinkSessionJob", &[("", cases.as_slice())]);
}

#[test]
fn every_field_of_a_snapshot_is_checked() {
    let cases = other_fields::snapshot();
    run(&snapshot(), &cases);
    assert_complete("FlinkStateSnapshot", &[("", cases.as_slice())]);
}

#[test]
fn every_field_of_a_pair_of_deployments_is_checked() {
    let mut own = other_fields::blue_green();
    own.extend(deployment_fields::ingress());
    run(&blue_green(), &own);
    let inner = deployment_cases();
    assert_complete("FlinkBlueGreenDeployment", &[("", own.as_slice()), ("template/spec/", inner.as_slice())]);
    for case in &inner {
        let object = case.object(&blue_green(), "template/spec/");
        let path = |text: &String| text.split(':').next().unwrap_or_default().to_owned();
        let actual: Vec<String> = problems(read_alone(&object)).iter().map(path).collect();
        let expected: Vec<String> =
            case.expected.iter().map(path).map(|path| path.replacen("spec", "spec.template.spec", 1)).collect();
        assert_eq!(actual, expected, "{} = {}", case.field, case.value);
    }
}
