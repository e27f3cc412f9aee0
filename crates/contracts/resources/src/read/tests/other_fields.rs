//! Cases of the fields that only session jobs, snapshots and pairs of deployments have.

#![cfg(test)]

use serde_json::json;

use super::{Case, Sort, boundary, invalid, valid};

pub(super) fn session_job() -> Vec<Case> {
    vec![
        valid("deploymentName", json!("session-2")),
        invalid(
            "deploymentName",
            json!("Session"),
            &["spec.deploymentName: Invalid value: \"Session\": must be a name"],
        ),
        invalid("deploymentName", json!(null), &["spec.deploymentName: Required value: a name of at most 45"]),
        boundary("deploymentName", json!("a".repeat(45)), &[]),
        boundary("deploymentName", json!("a".repeat(46)), &["spec.deploymentName: Invalid value: \"aaa"]),
        valid("restartNonce", json!(1)),
        invalid("restartNonce", json!("1"), &["spec.restartNonce: Invalid value: \"string\""]),
        boundary("restartNonce", json!(i64::MAX), &[]),
        valid("flinkConfiguration", json!({"a": {"b": 1}})),
        invalid("flinkConfiguration", json!([]), &["spec.flinkConfiguration: Invalid value: \"array\""]),
        boundary("flinkConfiguration", json!({}), &[]),
        invalid("job", json!(null), &["spec.job: Required value: the job that runs in the session cluster"]),
        valid("job/jarURI", json!("s3://bucket/job.jar")),
        invalid(
            "job/jarURI",
            json!("file:///opt/job.jar"),
            &["spec.job.jarURI: Invalid value: \"file:///opt/job.jar\": "],
        ),
        invalid("job/jarURI", json!("http://a.example.com/job.jar"), &["spec.job.jarURI: Invalid value: \"http://a."]),
        boundary("job/jarURI", json!("https://a.example.com/.jar"), &["spec.job.jarURI: Invalid value: \"https://a."]),
        boundary("job/jarURI", json!("HTTPS://a.example.com:443/job.JAR"), &[]),
    ]
}

pub(super) fn snapshot() -> Vec<Case> {
    let both = "spec.checkpoint: Forbidden: must not stand beside spec.savepoint: exactly one of the two";
    vec![
        valid("jobReference", json!({"kind": "FlinkSessionJob", "name": "a"})).covers("jobReference/kind"),
        invalid(
            "jobReference",
            json!({"kind": "Job", "name": "a"}),
            &["spec.jobReference.kind: Unsupported value: \"Job\""],
        )
        .covers("jobReference/kind"),
        boundary(
            "jobReference",
            json!({"name": "a"}),
            &["spec.jobReference.kind: Required value: `FlinkDeployment` or"],
        )
        .covers("jobReference/kind"),
        valid("jobReference", json!({"kind": "FlinkDeployment", "name": "a"})).covers("jobReference/name"),
        invalid(
            "jobReference",
            json!({"kind": "FlinkDeployment", "name": 1}),
            &["spec.jobReference.name: Invalid value: "],
        )
        .covers("jobReference/name"),
        boundary("jobReference", json!({"kind": "FlinkDeployment", "name": ""}), &["spec.jobReference.name: Required"])
            .covers("jobReference/name"),
        valid("savepoint/path", json!("s3://bucket/savepoints")),
        invalid("savepoint/path", json!(1), &["spec.savepoint.path: Invalid value: \"integer\""]),
        boundary("savepoint/path", json!(null), &["spec.savepoint.path: Required value: where the savepoint lies"]),
        boundary("savepoint/path", json!(""), &["spec.savepoint.path: Invalid value: \"\": must be text"]),
        valid("savepoint/formatType", json!("NATIVE")),
        invalid("savepoint/formatType", json!("native"), &["spec.savepoint.formatType: Unsupported value: \"native\""]),
        boundary("savepoint/formatType", json!("UNKNOWN"), &[]),
        valid("savepoint/disposeOnDelete", json!(false)),
        invalid(
            "savepoint/disposeOnDelete",
            json!("no"),
            &["spec.savepoint.disposeOnDelete: Invalid value: \"string\""],
        ),
        boundary("savepoint/disposeOnDelete", json!(null), &[]),
        valid("savepoint/alreadyExists", json!(true)),
        invalid(
            "savepoint/alreadyExists",
            json!("true"),
            &["spec.savepoint.alreadyExists: Invalid value: \"string\"", "spec.jobReference: Required value"],
        ),
        boundary("savepoint/alreadyExists", json!(false), &["spec.jobReference: Required value: the kind"]),
        Case::new(Sort::Valid, "checkpoint", json!({}), &["spec.jobReference: Required value"])
            .also("savepoint", json!(null)),
        invalid("checkpoint", json!("x"), &["spec.checkpoint: Invalid value: \"string\""]),
        boundary("checkpoint", json!({}), &[both]),
        invalid(
            "savepoint",
            json!(null),
            &["spec.savepoint: Required value: exactly one", "spec.jobReference: Required"],
        ),
        valid("backoffLimit", json!(3)),
        invalid("backoffLimit", json!("3"), &["spec.backoffLimit: Invalid value: \"string\""]),
        boundary("backoffLimit", json!(-1), &[]),
        boundary("backoffLimit", json!(0), &[]),
        boundary("backoffLimit", json!(-2), &["spec.backoffLimit: Invalid value: -2: must be -1, which is for ever"]),
        boundary("backoffLimit", json!(1_000_001), &["spec.backoffLimit: Invalid value: 1000001"]),
    ]
}

pub(super) fn blue_green() -> Vec<Case> {
    let delay = "configuration/kubernetes.operator.bluegreen.deployment-deletion.delay";
    vec![
        valid(delay, json!("10 min")).covers("configuration"),
        invalid(
            delay,
            json!("soon"),
            &["spec.configuration[kubernetes.operator.bluegreen.deployment-deletion.delay]: Invalid value: \"soon\":"],
        )
        .covers("configuration"),
        boundary(delay, json!("0"), &[]).covers("configuration"),
        valid("ingress", json!({"template": "{{name}}.example.com", "className": "nginx"})),
        invalid("ingress", json!({"className": "nginx"}), &["spec.ingress.template: Required value"]),
        boundary("ingress", json!({"template": "/"}), &["spec.ingress.template: Invalid value: \"/\""]),
        valid("template/metadata", json!({"labels": {"team": "a"}})),
        invalid("template/metadata", json!("a"), &["spec.template.metadata: Invalid value: \"string\""]),
        boundary("template/metadata", json!({}), &[]),
        invalid("template/spec/job", json!(null), &["spec.template.spec.job: Required value: a pair of deployments r"]),
    ]
}
