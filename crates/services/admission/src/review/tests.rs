//! What is let through, what is refused, and in which words.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Question;

fn deployment() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": {"name": "orders", "namespace": "team"},
        "spec": {
            "flinkVersion": "v1_20", "serviceAccount": "flink",
            "jobManager": {"resource": {"memory": "2048m"}}, "taskManager": {"resource": {"memory": "2048m"}},
            "job": {"jarURI": "local:///opt/orders.jar", "parallelism": 2},
        },
    })
}

fn session_job() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkSessionJob",
        "metadata": {"name": "orders", "namespace": "team"},
        "spec": {"deploymentName": "session", "job": {"jarURI": "https://example.org/orders.jar", "parallelism": 2}},
    })
}

fn snapshot() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkStateSnapshot",
        "metadata": {"name": "orders-1", "namespace": "team"},
        "spec": {"checkpoint": {}, "jobReference": {"kind": "FlinkDeployment", "name": "orders"}},
    })
}

fn pair() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "orders", "namespace": "team"}, "spec": {"template": {"spec": deployment()["spec"]}},
    })
}

/// The object with something else at a place of it; a null takes away what stands there.
fn with(object: &Value, place: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, field) = place.rsplit_once('/').unwrap();
    let fields = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    fields.remove(field);
    if !value.is_null() {
        fields.insert(field.to_owned(), value);
    }
    object
}

fn review(operation: &str, object: &Value, previous: &Value) -> Value {
    let kind = object.get("kind").or_else(|| previous.get("kind")).cloned().unwrap_or_default();
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "kind": {"group": "flink.apache.org", "version": "v1beta1", "kind": kind},
            "resource": {"group": "flink.apache.org", "version": "v1beta1", "resource": "any"},
            "name": "orders", "namespace": "team", "operation": operation, "dryRun": false,
            "object": object, "oldObject": previous,
        },
    })
}

fn question(operation: &str, object: &Value, previous: &Value) -> Question {
    Question::read(review(operation, object, previous)).unwrap()
}

/// The problem that a refusal tells, without what stands before it; empty if it is none.
fn refused(question: &Question, neighbour: Option<&Value>) -> String {
    let answer = question.validate(neighbour, &BTreeMap::new());
    let response = &answer["response"];
    assert_eq!((&answer["kind"], &response["uid"]), (&json!("AdmissionReview"), &json!("u-1")));
    if response["allowed"] == true {
        assert_eq!(response.get("status"), None);
        return String::new();
    }
    let status = &response["status"];
    assert_eq!((&status["code"], &status["reason"]), (&json!(422), &json!("Invalid")));
    assert!(!status["details"]["causes"].as_array().unwrap().is_empty(), "{status}");
    let message = status["message"].as_str().unwrap();
    message.split_once(" is invalid: ").unwrap().1.to_owned()
}

#[test]
fn each_kind_is_held_to_its_rules_when_it_is_made() {
    let replicas = with(&deployment(), "/spec/jobManager/replicas", json!(2));
    let jobless = with(&session_job(), "/spec/job", Value::Null);
    let both = with(&snapshot(), "/spec/savepoint", json!({}));
    let bare = with(&pair(), "/spec/template/spec", Value::Null);
    let alone = "spec.jobManager.replicas: Invalid value: 2: must be 1 unless high availability is on";
    let missing = "spec.jobReference.name: Invalid value: \"orders\": must name a FlinkDeployment of this namespace";
    for (object, neighbour, expected) in [
        (&deployment(), None, ""),
        (&replicas, None, alone),
        (&session_job(), None, ""),
        (&session_job(), Some(deployment()), "spec.deploymentName: Invalid value: \"session\": must name a session"),
        (&jobless, None, "spec.job: Required value: the job that runs in the session cluster"),
        (&snapshot(), Some(deployment()), ""),
        (&snapshot(), None, missing),
        (&both, Some(deployment()), "spec.checkpoint: Forbidden: must not stand beside spec.savepoint"),
        (&pair(), None, ""),
        (&bare, None, "["),
    ] {
        let found = refused(&question("CREATE", object, &Value::Null), neighbour.as_ref());
        assert!(found.starts_with(expected) && found.is_empty() == expected.is_empty(), "{object}: {found}");
    }
}

#[test]
fn what_only_pods_do_not_run_is_refused_too() {
    let reactive = with(&deployment(), "/spec/flinkConfiguration", json!({"scheduler-mode": "REACTIVE"}));
    let found = refused(&question("CREATE", &reactive, &Value::Null), None);
    let expected = "spec.flinkConfiguration[scheduler-mode]: Invalid value: \"REACTIVE\": must not be `reactive` here";
    assert!(found.starts_with(expected), "{found}");
    let standalone = with(&reactive, "/spec/mode", json!("standalone"));
    assert_eq!(refused(&question("CREATE", &standalone, &Value::Null), None), "");
}

#[test]
fn a_refusal_is_that_of_the_embedded_api() {
    let object = with(&deployment(), "/spec/jobManager/replicas", json!(2));
    let answer = question("CREATE", &object, &Value::Null).validate(None, &BTreeMap::new());
    let detail = "Invalid value: 2: must be 1 unless high availability is on";
    let message = format!("FlinkDeployment.flink.apache.org \"orders\" is invalid: spec.jobManager.replicas: {detail}");
    let expected = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {
            "uid": "u-1", "allowed": false,
            "status": {
                "status": "Failure", "message": message, "reason": "Invalid", "code": 422,
                "details": {
                    "name": "orders", "group": "flink.apache.org", "kind": "FlinkDeployment",
                    "causes": [
                        {"reason": "FieldValueInvalid", "message": detail, "field": "spec.jobManager.replicas"},
                    ],
                },
            },
        },
    });
    assert_eq!(answer, expected);
}

#[test]
fn what_may_not_change_is_refused_of_an_update() {
    let standalone = with(&deployment(), "/spec/mode", json!("standalone"));
    let moved = with(&session_job(), "/spec/deploymentName", json!("other"));
    let bigger = with(&deployment(), "/spec/job/parallelism", json!(4));
    for (object, previous, expected) in [
        (&bigger, &deployment(), ""),
        (&standalone, &deployment(), "spec.mode: Invalid value: \"standalone\": cannot change: must stay `native`"),
        (&moved, &session_job(), "spec.deploymentName: Invalid value: \"other\": cannot change: must stay `session`"),
    ] {
        assert_eq!(refused(&question("UPDATE", object, previous), None), expected, "{object}");
    }
}

#[test]
fn what_nobody_changed_and_what_goes_is_let_through() {
    let wrong = with(&deployment(), "/spec/jobManager/replicas", json!(2));
    let held = with(&wrong, "/metadata/finalizers", json!(["flink.apache.org/held"]));
    let told = with(&held, "/status", json!({"error": "no"}));
    let labelled = with(&wrong, "/metadata/labels", json!({"a": "b"}));
    let going = with(&wrong, "/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"));
    let missing_job = with(&snapshot(), "/metadata/finalizers", json!(["flink.apache.org/held"]));
    for (object, previous, is_let_through) in [
        (&held, &wrong, true),
        (&told, &wrong, true),
        (&labelled, &wrong, false),
        (&with(&wrong, "/spec/restartNonce", json!(1)), &wrong, false),
        (&going, &held, true),
        (&with(&going, "/spec/restartNonce", json!(1)), &going, true),
        (&missing_job, &snapshot(), true),
    ] {
        let question = question("UPDATE", object, previous);
        assert_eq!(refused(&question, None).is_empty(), is_let_through, "{object}");
        assert!(!is_let_through || question.neighbour().is_none(), "nothing is looked up for {object}");
    }
}

#[test]
fn what_is_not_for_us_is_let_through() {
    let wrong = with(&deployment(), "/spec", json!({}));
    let asked = |edit: &dyn Fn(&mut Value)| {
        let mut review = review("CREATE", &wrong, &Value::Null);
        edit(&mut review["request"]);
        refused(&Question::read(review).unwrap(), None)
    };
    assert_ne!(asked(&|_| {}), "");
    assert_eq!(asked(&|request| request["kind"]["kind"] = json!("Pod")), "");
    assert_eq!(asked(&|request| request["kind"]["group"] = json!("other")), "");
    assert_eq!(asked(&|request| request["kind"]["version"] = json!("v2")), "");
    assert_eq!(asked(&|request| request["subResource"] = json!("status")), "");
    for operation in ["DELETE", "CONNECT", "SOMETHING"] {
        assert_eq!(asked(&|request| request["operation"] = json!(operation)), "", "{operation}");
    }
    let deleted = review("DELETE", &Value::Null, &wrong);
    assert_eq!(refused(&Question::read(deleted).unwrap(), None), "");
    let canary = with(&wrong, "/metadata/labels", json!({"flink.apache.org/canary": "true"}));
    assert_eq!(refused(&question("CREATE", &canary, &Value::Null), None), "");
}

#[test]
fn warnings_are_passed_on_and_the_defaults_of_the_operator_hold() {
    let old = with(&deployment(), "/spec/flinkVersion", json!("v1_18"));
    let answer = question("CREATE", &old, &Value::Null).validate(None, &BTreeMap::new());
    let warning = "spec.flinkVersion: Flink 1.18 is deprecated; use `v1_19` or later";
    assert_eq!(answer["response"], json!({"uid": "u-1", "allowed": true, "warnings": [warning]}));
    let stateful = with(&deployment(), "/spec/job/upgradeMode", json!("last-state"));
    let question = question("CREATE", &stateful, &Value::Null);
    assert!(refused(&question, None).starts_with("spec.job.upgradeMode: "));
    let defaults = [("execution.checkpointing.dir".to_owned(), "s3://b/checkpoints".to_owned())].into();
    assert_eq!(question.validate(None, &defaults)["response"]["allowed"], true);
}

#[test]
fn neighbours_are_named_as_far_as_there_can_be_any() {
    let named = |object: &Value| {
        let neighbour = question("CREATE", object, &Value::Null).neighbour();
        neighbour.map(|named| format!("{} {}/{}", named.kind, named.namespace, named.name)).unwrap_or_default()
    };
    let of_job = with(&snapshot(), "/spec/jobReference/kind", json!("FlinkSessionJob"));
    for (object, expected) in [
        (&deployment(), ""),
        (&pair(), ""),
        (&session_job(), "FlinkDeployment team/session"),
        (&with(&session_job(), "/spec/deploymentName", json!("../x")), ""),
        (&with(&session_job(), "/spec/deploymentName", json!("")), ""),
        (&snapshot(), "FlinkDeployment team/orders"),
        (&of_job, "FlinkSessionJob team/orders"),
        (&with(&snapshot(), "/spec/jobReference/kind", json!("Secret")), ""),
        (&with(&snapshot(), "/metadata/namespace", json!("a/b")), ""),
    ] {
        assert_eq!(named(object), expected, "{object}");
    }
}

#[test]
fn a_session_job_gets_the_label_of_its_session_cluster() {
    let patch = |operation: &str, object: &Value| {
        let previous = if operation == "UPDATE" { session_job() } else { Value::Null };
        let answer = question(operation, object, &previous).mutate();
        let response = &answer["response"];
        assert_eq!(response["allowed"], true);
        let encoded = response.get("patch")?.as_str()?;
        assert_eq!(response["patchType"], "JSONPatch");
        let text = STANDARD.decode(encoded).unwrap();
        Some(serde_json::from_slice::<Value>(&text).unwrap())
    };
    let labelled = |labels: Value| with(&session_job(), "/metadata/labels", labels);
    let label = json!([{"op": "add", "path": "/metadata/labels/target.session", "value": "session"}]);
    let labels = json!([{"op": "add", "path": "/metadata/labels", "value": {"target.session": "session"}}]);
    let going = with(&session_job(), "/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"));
    for (operation, object, expected) in [
        ("CREATE", session_job(), Some(&labels)),
        ("UPDATE", session_job(), Some(&labels)),
        ("CREATE", labelled(json!({"a": "b"})), Some(&label)),
        ("CREATE", labelled(json!({"target.session": "other"})), Some(&label)),
        ("CREATE", labelled(json!({"target.session": "session"})), None),
        ("CREATE", with(&session_job(), "/spec/deploymentName", json!("No Label")), None),
        ("CREATE", with(&session_job(), "/spec", json!({})), None),
        ("UPDATE", going, None),
        ("CREATE", deployment(), None),
        ("DELETE", session_job(), None),
    ] {
        assert_eq!(patch(operation, &object).as_ref(), expected, "{operation} {object}");
    }
}

#[test]
fn a_body_that_is_no_review_is_told_what_is_wrong() {
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut review = review("UPDATE", &deployment(), &deployment());
        edit(&mut review);
        Question::read(review).unwrap_err()
    };
    let found = [
        Question::read(json!([])).unwrap_err(),
        edited(&|review| review["kind"] = json!("Pod\nkind: x")),
        edited(&|review| review["apiVersion"] = json!("admission.k8s.io/v1beta1")),
        edited(&|review| review["request"] = Value::Null),
        edited(&|review| review["request"]["uid"] = Value::Null),
        edited(&|review| review["request"]["operation"] = json!(1)),
        edited(&|review| review["request"]["kind"] = json!("FlinkDeployment")),
        edited(&|review| review["request"]["object"] = json!("text")),
        edited(&|review| review["request"]["oldObject"] = Value::Null),
    ];
    let expected = [
        "the body must be an `AdmissionReview`, and its `kind` is ``",
        "the body must be an `AdmissionReview`, and its `kind` is `Podkind: x`",
        "an `AdmissionReview` of `admission.k8s.io/v1beta1` is not answered: it must be of `admission.k8s.io/v1`",
        "the `AdmissionReview` has no `request`",
        "`request.uid` is missing",
        "`request.operation` is missing",
        "`request.kind.kind` is missing",
        "`request.object` is missing",
        "`request.oldObject` is missing",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_object_may_leave_out_what_the_request_says() {
    let mut object = with(&deployment(), "/spec/jobManager/replicas", json!(2));
    let fields = object.as_object_mut().unwrap();
    fields.remove("apiVersion");
    fields.remove("kind");
    let mut review = review("CREATE", &object, &Value::Null);
    review["request"]["kind"]["kind"] = json!("FlinkDeployment");
    let found = refused(&Question::read(review).unwrap(), None);
    assert!(found.starts_with("spec.jobManager.replicas: "), "{found}");
}
