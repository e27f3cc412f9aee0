//! Rules that join several fields, names, neighbours, secrets, and what is told without being refused.

#![cfg(test)]

use std::collections::BTreeMap;

use kobel_model::deployment::{FlinkVersion, HighAvailability, Substrate};
use serde_json::{Value, json};

use super::super::{Context, Declared, read, unhonoured};
use super::{deployment, problems, read_alone, session_job, set, snapshot, with};

/// The deployment with these keys added to its configuration.
fn configured(keys: &[(&str, &str)]) -> Value {
    keys.iter()
        .fold(deployment(), |object, (key, value)| with(&object, &format!("flinkConfiguration/{key}"), &json!(value)))
}

fn declared(object: &Value) -> kobel_model::deployment::Deployment {
    match read_alone(object).unwrap().declared {
        Declared::Deployment(deployment) => *deployment,
        other => panic!("expected a deployment, found {other:?}"),
    }
}

#[test]
fn a_deployment_is_read_into_values() {
    let read = declared(&deployment());
    assert_eq!((read.identity.namespace.as_str(), read.identity.name.as_str()), ("default", "demo"));
    assert_eq!(read.cluster.flink_version, FlinkVersion::V1_20);
    assert_eq!(read.cluster.job_manager.amounts.memory, 2048 << 20);
    assert_eq!(read.cluster.job_manager.amounts.cpu_millis, 1000);
    assert_eq!((read.cluster.job_manager.replicas, read.cluster.task_manager.slots), (1, 2));
    assert_eq!(read.cluster.high_availability, HighAvailability::Off);
    assert_eq!(read.cluster.job.map(|job| job.parallelism), Some(2));
    let scaled = declared(&with(&deployment(), "taskManager/replicas", &json!(3)));
    assert_eq!(scaled.cluster.job.map(|job| job.parallelism), Some(6));
}

#[test]
fn all_problems_come_at_once() {
    let mut object = deployment();
    for (field, value) in [
        ("flinkVersion", json!("v9")),
        ("job/parallelism", json!("two")),
        ("job/jarURI", json!("job.jar")),
        ("jobManager/replicas", json!(0)),
        ("taskManager/resource/memory", json!("x")),
        ("flinkConfiguration/parallelism.default", json!("many")),
    ] {
        object = with(&object, field, &value);
    }
    set(&mut object, "metadata/name", &json!("Demo"));
    let found = problems(read_alone(&object));
    let paths: Vec<&str> = found.iter().filter_map(|text| text.split(": ").next()).collect();
    assert_eq!(
        paths,
        [
            "metadata.name",
            "spec.flinkVersion",
            "spec.flinkConfiguration[parallelism.default]",
            "spec.jobManager.replicas",
            "spec.taskManager.resource.memory",
            "spec.job.parallelism",
            "spec.job.jarURI",
        ]
    );
}

#[test]
fn names_are_limited() {
    let longest = "a".repeat(45);
    let too_long = "a".repeat(46);
    for (name, is_allowed) in [
        ("a", true),
        ("basic-example-2", true),
        (longest.as_str(), true),
        (too_long.as_str(), false),
        ("Demo", false),
        ("2demo", false),
        ("demo-", false),
        ("-demo", false),
        ("demo.a", false),
        ("dé", false),
        ("", false),
    ] {
        let mut object = deployment();
        set(&mut object, "metadata/name", &json!(name));
        assert_eq!(read_alone(&object).is_ok(), is_allowed, "for `{name}`");
    }
}

#[test]
fn options_that_need_something_else_say_so() {
    for (keys, expected) in [
        (
            &[("kubernetes.operator.deployment.rollback.enabled", "true")][..],
            "spec.flinkConfiguration[kubernetes.operator.deployment.rollback.enabled]: Invalid value: \"true\": needs",
        ),
        (
            &[
                ("kubernetes.operator.cluster.health-check.enabled", "true"),
                ("kubernetes.operator.jm-deployment-recovery.enabled", "false"),
            ][..],
            "spec.flinkConfiguration[kubernetes.operator.cluster.health-check.enabled]: Invalid value: \"true\": needs",
        ),
        (&[("kubernetes.operator.cluster.health-check.enabled", "true")][..], ""),
        (&[("job.autoscaler.enabled", "true"), ("job.autoscaler.metrics.window", "1m")][..], ""),
        (
            &[("job.autoscaler.enabled", "true"), ("job.autoscaler.metrics.window", "59s")][..],
            "spec.flinkConfiguration[job.autoscaler.metrics.window]: Invalid value: \"59s\": must be at least `1 min`",
        ),
        (&[("job.autoscaler.enabled", "false"), ("job.autoscaler.utilization.target", "7")][..], ""),
        (
            &[("job.autoscaler.enabled", "true"), ("job.autoscaler.utilization.target", "7")][..],
            "spec.flinkConfiguration[job.autoscaler.utilization.target]: Invalid value: \"7\": must be a number from 0",
        ),
        (
            &[("job.autoscaler.enabled", "true"), ("job.autoscaler.utilization.max", "0.5")][..],
            "spec.flinkConfiguration[job.autoscaler.utilization.max]: Invalid value: \"0.5\": must be a number from 0.",
        ),
        (
            &[
                ("kubernetes.operator.job.autoscaler.enabled", "true"),
                ("kubernetes.operator.job.autoscaler.scale-up.max-factor", "NaN"),
            ][..],
            "spec.flinkConfiguration[kubernetes.operator.job.autoscaler.scale-up.max-factor]: Invalid value: \"NaN\":",
        ),
        (
            &[("job.autoscaler.enabled", "true"), ("job.autoscaler.excluded.periods", "9:30-10:30;0-1")][..],
            "spec.flinkConfiguration[job.autoscaler.excluded.periods]: Invalid value: \"9:30-10:30;0-1\": must be peri",
        ),
        (&[("kubernetes.operator.periodic.savepoint.interval", "0 0 * * * ?")][..], ""),
        (
            &[("kubernetes.operator.periodic.savepoint.interval", "sometimes")][..],
            "spec.flinkConfiguration[kubernetes.operator.periodic.savepoint.interval]: Invalid value: \"sometimes\": m",
        ),
    ] {
        let found = problems(read_alone(&configured(keys)));
        let expected: Vec<String> = Some(expected.to_owned()).filter(|text| !text.is_empty()).into_iter().collect();
        super::assert_problems(&found, &expected, &format!("{keys:?}"));
    }
}

#[test]
fn high_availability_needs_a_directory_and_allows_more_job_managers() {
    let emr = with(&deployment(), "emrReleaseLabel", &json!("emr-7.12.0-flink-latest"));
    assert!(problems(read_alone(&emr))[0].starts_with("spec.jobManager.storageDir: Required value"));
    let on = with(&emr, "jobManager/storageDir", &json!("s3://b/ha"));
    let read = declared(&on).cluster;
    assert_eq!(read.job_manager.replicas, 2);
    assert_eq!(read.high_availability, HighAvailability::On { storage_dir: Some("s3://b/ha".to_owned()) });
    let off = with(&emr, "jobManager/highAvailabilityEnabled", &json!(false));
    assert_eq!(declared(&off).cluster.job_manager.replicas, 1);
    let off_with_two = with(&off, "jobManager/replicas", &json!(2));
    assert_eq!(
        problems(read_alone(&off_with_two)),
        ["spec.jobManager.replicas: Invalid value: 2: must be 1 unless high availability is on"]
    );
    let by_key = with(&configured(&[("high-availability.type", "kubernetes")]), "jobManager/replicas", &json!(3));
    assert_eq!(declared(&by_key).cluster.job_manager.replicas, 3);
    let image_only = with(&deployment(), "executionRoleArn", &json!("arn:aws:iam::111122223333:role/a"));
    assert_eq!(declared(&image_only).cluster.high_availability, HighAvailability::Off);
}

#[test]
fn what_each_origin_may_leave_out() {
    let bare = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "flights"},
        "spec": {"flinkVersion": "v2_2", "job": {"jarURI": "local:///srv/flights.sql"}}
    });
    assert_eq!(problems(read_alone(&bare)), Vec::<String>::new());
    let jar = with(&bare, "job/jarURI", &json!("local:///srv/flights.jar"));
    let found = problems(read_alone(&jar));
    let paths: Vec<&str> = found.iter().filter_map(|text| text.split(": ").next()).collect();
    assert_eq!(
        paths,
        [
            "spec.serviceAccount",
            "spec.jobManager.resource.memory",
            "spec.taskManager.resource.memory",
            "spec.job.parallelism",
        ]
    );
}

#[test]
fn secrets_are_named_and_never_shown() {
    let object = configured(&[("s3.secret-key", "hunter2"), ("kubernetes.env.secretKeyRef", "env:A,secret:b,key:c")]);
    let warnings = read_alone(&object).unwrap().warnings;
    assert_eq!(
        warnings,
        ["spec.flinkConfiguration[s3.secret-key]: holds a secret in plain text; take it from a Secret instead"]
    );
    let wrong = with(&deployment(), "flinkConfiguration/kobel.rest.token-file", &json!([["hunter2"]]));
    assert!(problems(read_alone(&wrong)).iter().all(|text| !text.contains("hunter2")));
}

#[test]
fn what_an_older_flink_cannot_be_told_is_refused_by_the_option() {
    let cut = "one line without `#`: Flink 1.18 cannot be told more, and `v1_19` or later can";
    for (key, value, expected) in [
        ("pipeline.name", "a b", None),
        ("pipeline.name", "a block\n", None),
        ("pipeline.name", "a\nb", Some(r#"[pipeline.name]: Invalid value: "a\nb": must be "#)),
        ("my.key", "a#b", Some(r#"[my.key]: Invalid value: "a#b": must be "#)),
        ("s3.secret-key", "hunter#2", Some("[s3.secret-key]: Invalid value: must be ")),
        ("kubernetes.operator.periodic.savepoint.interval", "0 0 12 ? * 6#3", None),
    ] {
        let object = with(&configured(&[]), &format!("flinkConfiguration/{key}"), &json!(value));
        assert_eq!(problems(read_alone(&object)), Vec::<String>::new(), "1.20, {key}");
        let found = problems(read_alone(&with(&object, "flinkVersion", &json!("v1_18"))));
        let expected: Vec<String> = expected.iter().map(|told| format!("spec.flinkConfiguration{told}{cut}")).collect();
        assert_eq!(found, expected, "1.18, {key}");
    }
}

#[test]
fn what_is_odd_is_accepted_with_a_warning() {
    let emr = with(&deployment(), "emrReleaseLabel", &json!("emr-7.10.0-flink-latest"));
    let emr = with(&emr, "jobManager/storageDir", &json!("s3://b/ha"));
    let mismatch = with(&emr, "flinkVersion", &json!("v1_18"));
    let warnings = read_alone(&mismatch).unwrap().warnings;
    assert!(warnings.iter().any(|text| text.contains("brings Flink 1.20") && text.contains("`v1_18`")), "{warnings:?}");
    let unknown = with(&deployment(), "jobReference", &json!({"namespace": "other"}));
    assert_eq!(read_alone(&unknown).unwrap().warnings, ["unknown field \"spec.jobReference\""]);
    let slip = "spec.flinkConfiguration[pipeline.max-paralelism]: is no option that is known; did you mean \
                `pipeline.max-parallelism`?";
    let gap = "spec.flinkConfiguration[execution.checkpoint.interval]: is no option that is known; did you mean \
               `execution.checkpointing.interval`?";
    for (key, expected) in [
        ("execution.checkpoint.interval", Some(gap)),
        ("pipeline.max-paralelism", Some(slip)),
        ("pipeline.max-parallelism", None),
        ("state.backend.changelog.storage", None),
        ("my.own.key", None),
    ] {
        let warnings = read_alone(&configured(&[(key, "8")])).unwrap().warnings;
        assert_eq!(warnings.first().map(String::as_str), expected, "{key}");
    }
    let context = Context { previous: None, find: &|_, _| None, defaults: &BTreeMap::new() };
    let early = read(&session_job(), &context).unwrap().warnings;
    assert_eq!(early, ["spec.deploymentName: there is no FlinkDeployment `session` in this namespace yet"]);
}

#[test]
fn a_session_job_needs_a_session_cluster_if_there_is_one_of_that_name() {
    let (application, session) = (deployment(), with(&deployment(), "job", &Value::Null));
    for (target, count) in [(&application, 1), (&session, 0)] {
        let find = |kind: &str, name: &str| (kind == "FlinkDeployment" && name == "session").then(|| target.clone());
        let context = Context { previous: None, find: &find, defaults: &BTreeMap::new() };
        assert_eq!(problems(read(&session_job(), &context)).len(), count);
    }
    let find = |_: &str, _: &str| Some(session.clone());
    let context = Context { previous: None, find: &find, defaults: &BTreeMap::new() };
    let without = with(&session_job(), "flinkConfiguration", &Value::Null);
    let stateful = with(&without, "job/upgradeMode", &json!("savepoint"));
    assert_eq!(problems(read(&stateful, &context)), Vec::<String>::new(), "directories come from the session cluster");
    let context = Context { previous: None, find: &|_, _| None, defaults: &BTreeMap::new() };
    assert_eq!(problems(read(&stateful, &context)), Vec::<String>::new(), "the session cluster may come later");
}

#[test]
fn a_snapshot_needs_its_job_until_it_was_triggered() {
    let reference = json!({"kind": "FlinkDeployment", "name": "demo"});
    let mut object = with(&snapshot(), "jobReference", &reference);
    object = with(&object, "savepoint", &json!({}));
    assert_eq!(
        problems(read_alone(&object)),
        ["spec.jobReference.name: Invalid value: \"demo\": must name a FlinkDeployment of this namespace"]
    );
    let find = |_: &str, _: &str| Some(deployment());
    let context = Context { previous: None, find: &find, defaults: &BTreeMap::new() };
    assert_eq!(problems(read(&object, &context)), Vec::<String>::new());
    object["status"] = json!({"state": "COMPLETED"});
    assert_eq!(problems(read_alone(&object)), Vec::<String>::new());
}

#[test]
fn canaries_and_foreign_kinds_are_told_apart() {
    let canary = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "canary", "labels": {"flink.apache.org/canary": "true"}}
    });
    assert_eq!(read_alone(&canary).unwrap().declared, Declared::Canary);
    let mut foreign = deployment();
    foreign["kind"] = json!("Pod");
    assert!(problems(read_alone(&foreign))[0].starts_with("kind: Unsupported value: \"Pod\": supported values: "));
    foreign["kind"] = json!("FlinkDeployment");
    foreign["apiVersion"] = json!("v1");
    assert!(problems(read_alone(&foreign))[0].starts_with("apiVersion: Unsupported value: \"v1\""));
}

#[test]
fn what_this_machine_does_not_honour_is_listed() {
    let mut object = configured(&[("kubernetes.jobmanager.labels", "a:b")]);
    object = with(&object, "image", &json!("flink:1.20"));
    object = with(&object, "ingress", &json!({"template": "a.b"}));
    object = with(&object, "taskManager/podTemplate", &json!({}));
    object = with(&object, "taskManager/nodeSelector", &json!({"a": "b"}));
    let declared = read_alone(&object).unwrap().declared;
    assert_eq!(
        unhonoured(&declared, Substrate::Local),
        [
            "spec.image",
            "spec.serviceAccount",
            "spec.ingress",
            "spec.taskManager.podTemplate",
            "spec.taskManager.nodeSelector",
            "spec.flinkConfiguration[kubernetes.jobmanager.labels]",
        ]
    );
    assert_eq!(unhonoured(&declared, Substrate::Kubernetes), Vec::<String>::new());
}

#[test]
fn standbys_are_honoured_on_apache_flink_alone() {
    let object = configured(&[("high-availability.type", "zookeeper")]);
    let object = with(&object, "jobManager/replicas", &json!(2));
    for (engine, uri, expected) in [
        ("flink", "local:///a/flights.sql", true),
        ("native", "local:///a/flights.sql", false),
        ("native", "local:///a/flights.jar", true),
    ] {
        let object = with(&object, "flinkConfiguration/kobel.engine", &json!(engine));
        let declared = read_alone(&with(&object, "job/jarURI", &json!(uri))).unwrap().declared;
        let found = unhonoured(&declared, Substrate::Local);
        assert_eq!(!found.contains(&"spec.jobManager.replicas".to_owned()), expected, "{uri} on {engine}: {found:?}");
    }
}
