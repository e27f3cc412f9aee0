//! One table: what stands in the spec and in the status, and what is said of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Decision, Why, decide};

/// When the decisions are made.
const NOW: &str = "2026-01-02T03:04:05Z";
/// When the status changed last.
const BEFORE: &str = "2025-12-31T23:59:59Z";
/// What is said of the two fields of `Spec::Foreign`.
const TWO: &str = "have no effect on this machine: spec.ingress, spec.podTemplate";

/// What the spec holds.
#[derive(Debug, Clone, Copy)]
enum Spec {
    Honoured,
    Foreign,
    Broken,
}

/// A deployment of generation 3.
fn deployment(spec: Spec, conditions: &[Value]) -> Value {
    let mut object = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "demo", "namespace": "default", "generation": 3},
        "spec": {
            "flinkVersion": "v1_20",
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/count.sql", "parallelism": 2, "upgradeMode": "stateless"},
        },
    });
    match spec {
        Spec::Honoured => {}
        Spec::Foreign => {
            object["spec"]["ingress"] = json!({"template": "{{name}}.example.com"});
            object["spec"]["podTemplate"] = json!({"metadata": {"labels": {"a": "b"}}});
        }
        Spec::Broken => object["spec"]["job"]["parallelism"] = json!("two"),
    }
    if !conditions.is_empty() {
        object["status"] = json!({"conditions": conditions});
    }
    object
}

fn condition(status: &str, message: &str, generation: i64) -> Value {
    let reason = if status == "True" { "AllFields" } else { "NotOnThisSubstrate" };
    json!({
        "type": "Honoured", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": BEFORE, "observedGeneration": generation,
    })
}

fn decided(object: &Value) -> Decision {
    decide(object, NOW.parse::<Timestamp>().unwrap())
}

#[test]
fn a_condition_is_written_when_it_says_something_new() {
    let all = "every field has an effect on this machine";
    let running = json!({"type": "Running", "status": "True"});
    // What stands, and status, message and time of what is written.
    let cases = [
        ("nothing was said", deployment(Spec::Foreign, &[]), ("False", TWO, NOW)),
        ("others said something", deployment(Spec::Foreign, &[running]), ("False", TWO, NOW)),
        (
            "it was said of an older spec",
            deployment(Spec::Foreign, &[condition("False", TWO, 2)]),
            ("False", TWO, BEFORE),
        ),
        ("other fields were named", deployment(Spec::Foreign, &[condition("False", "x", 3)]), ("False", TWO, BEFORE)),
        ("all was honoured", deployment(Spec::Foreign, &[condition("True", all, 2)]), ("False", TWO, NOW)),
        ("all is honoured now", deployment(Spec::Honoured, &[condition("False", TWO, 2)]), ("True", all, NOW)),
        ("all is honoured still", deployment(Spec::Honoured, &[condition("True", all, 2)]), ("True", all, BEFORE)),
    ];
    for (name, object, (status, message, time)) in cases {
        let mut expected = condition(status, message, 3);
        expected["lastTransitionTime"] = json!(time);
        match decided(&object) {
            Decision::Report(written) => assert_eq!(serde_json::to_value(&written).unwrap(), expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn nothing_is_written_when_nothing_is_new() {
    let all = "every field has an effect on this machine";
    let mut leaving = deployment(Spec::Foreign, &[]);
    leaving["metadata"]["deletionTimestamp"] = json!(BEFORE);
    let cases = [
        (leaving, Why::Leaving),
        (deployment(Spec::Honoured, &[]), Why::Honoured),
        (deployment(Spec::Honoured, &[condition("True", all, 3)]), Why::Said),
        (deployment(Spec::Foreign, &[condition("False", TWO, 3)]), Why::Said),
    ];
    for (object, why) in cases {
        assert_eq!(decided(&object), Decision::Nothing(why), "{object}");
    }
}

#[test]
fn what_was_decided_is_not_decided_again() {
    let mut object = deployment(Spec::Foreign, &[]);
    let Decision::Report(written) = decided(&object) else { panic!("nothing was written") };
    object["status"] = json!({"conditions": [written]});
    assert_eq!(decided(&object), Decision::Nothing(Why::Said));
}

#[test]
fn what_cannot_be_read_is_left_with_its_problems() {
    match decided(&deployment(Spec::Broken, &[])) {
        Decision::Nothing(Why::Unreadable(problems)) => {
            assert_eq!(problems.first().map(|problem| problem.path.as_str()), Some("spec.job.parallelism"));
        }
        other => panic!("{other:?}"),
    }
}
