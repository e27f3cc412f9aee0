//! Each field of a spec with the change that it takes, and what makes no difference.

use serde_json::json;

use super::*;

/// A spec with every field that an application can have.
fn full() -> Value {
    json!({
        "image": "flink:2.3",
        "imagePullPolicy": "Always",
        "serviceAccount": "flink",
        "flinkVersion": "v2_3",
        "ingress": {"template": "a.example.com", "tls": [{"hosts": ["a.example.com"]}]},
        "podTemplate": {"spec": {"containers": [{"name": "flink-main-container", "env": []}]}},
        "jobManager": {
            "resource": {"memory": "1g", "cpu": 2}, "replicas": 2, "podTemplate": {"spec": {"hostNetwork": true}}
        },
        "taskManager": {"resource": {"memory": "2g"}, "replicas": 2, "podTemplate": {"spec": {"hostNetwork": true}}},
        "logConfiguration": {"log4j-console.properties": "rootLogger.level = INFO"},
        "emrReleaseLabel": "emr-7.12.0-flink-latest",
        "executionRoleArn": "arn:aws:iam::1:role/flink",
        "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://logs"}},
        "restartNonce": 1,
        "flinkConfiguration": {
            "taskmanager": {"numberOfTaskSlots": 2},
            "s3.secret-key": "hunter2",
            "pipeline.jobvertex-parallelism-overrides": "a:1",
        },
        "job": {
            "jarURI": "local:///opt/a.jar",
            "parallelism": 2,
            "entryClass": "org.example.A",
            "args": ["--rate", "10"],
            "state": "running",
            "savepointTriggerNonce": 1,
            "initialSavepointPath": "s3://b/savepoint-1",
            "checkpointTriggerNonce": 1,
            "upgradeMode": "savepoint",
            "allowNonRestoredState": true,
            "savepointRedeployNonce": 1,
            "autoscalerResetNonce": 1,
        },
    })
}

/// Puts `value` at a pointer, or takes away what is there.
fn with(pointer: &str, value: Value) -> Value {
    let mut spec = full();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = spec.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.shift_remove(name)),
        value => drop(parent.insert(name.to_owned(), value)),
    }
    spec
}

fn standalone(mut spec: Value) -> Value {
    spec["mode"] = json!("standalone");
    spec
}

/// One field, another value, what the change takes natively and standalone, and how it is told.
type FieldCase = (&'static str, Value, [Change; 2], &'static str);

fn check(cases: Vec<FieldCase>) {
    for (pointer, value, [native, on_standalone], told) in cases {
        let changed = with(pointer, value);
        let found = diff(&full(), &changed);
        assert_eq!(found, Diff { change: native, paths: vec![told.to_owned()] }, "for `{pointer}`");
        let found = diff(&standalone(full()), &standalone(changed)).change;
        assert_eq!(found, on_standalone, "for `{pointer}` in standalone mode");
    }
}

const IGNORE: [Change; 2] = [Change::Ignore; 2];
const UPGRADE: [Change; 2] = [Change::Upgrade; 2];
const SCALE_STANDALONE: [Change; 2] = [Change::Upgrade, Change::Scale];

#[test]
fn each_field_of_a_deployment_takes_its_change() {
    check(vec![
        ("/image", json!("flink:2.4"), UPGRADE, "image : flink:2.3 -> flink:2.4"),
        ("/image", json!(null), UPGRADE, "image : flink:2.3 -> null"),
        ("/imagePullPolicy", json!("Never"), UPGRADE, "imagePullPolicy : Always -> Never"),
        ("/serviceAccount", json!("other"), UPGRADE, "serviceAccount : flink -> other"),
        ("/flinkVersion", json!("v2_2"), UPGRADE, "flinkVersion : v2_3 -> v2_2"),
        ("/ingress/template", json!("b.example.com"), UPGRADE, "ingress.template : a.example.com -> b.example.com"),
        ("/ingress/tls", json!(null), UPGRADE, "ingress.tls : [1 entry] -> null"),
        ("/podTemplate/spec", json!({"containers": []}), UPGRADE, "podTemplate : {…} -> {…}"),
        ("/podTemplate", json!(null), UPGRADE, "podTemplate : {…} -> null"),
        ("/jobManager/resource/memory", json!("3g"), UPGRADE, "jobManager.resource.memory : 1g -> 3g"),
        ("/jobManager/resource/cpu", json!(null), UPGRADE, "jobManager.resource.cpu : 2 -> 1.0"),
        ("/jobManager/replicas", json!(3), UPGRADE, "jobManager.replicas : 2 -> 3"),
        ("/jobManager/podTemplate", json!({"kind": "P"}), UPGRADE, "jobManager.podTemplate : {…} -> {…}"),
        ("/jobManager/storageDir", json!("s3://ha"), UPGRADE, "jobManager.storageDir : null -> s3://ha"),
        ("/taskManager/resource/memory", json!("3g"), UPGRADE, "taskManager.resource.memory : 2g -> 3g"),
        ("/taskManager/replicas", json!(3), SCALE_STANDALONE, "taskManager.replicas : 2 -> 3"),
        ("/taskManager/podTemplate", json!({"kind": "P"}), UPGRADE, "taskManager.podTemplate : {…} -> {…}"),
        ("/logConfiguration", json!({"log4j-console.properties": "x"}), UPGRADE, "logConfiguration : {…} -> {…}"),
        ("/emrReleaseLabel", json!("emr-7.13.0"), UPGRADE, "emrReleaseLabel : emr-7.12.0-flink-latest -> emr-7.13.0"),
        ("/executionRoleArn", json!(null), UPGRADE, "executionRoleArn : arn:aws:iam::1:role/flink -> null"),
        (
            "/monitoringConfiguration/s3MonitoringConfiguration/logUri",
            json!("s3://more"),
            UPGRADE,
            "monitoringConfiguration.s3MonitoringConfiguration.logUri : s3://logs -> s3://more",
        ),
        ("/restartNonce", json!(2), UPGRADE, "restartNonce : 1 -> 2"),
        ("/deploymentName", json!("session"), UPGRADE, "deploymentName : null -> session"),
    ]);
}

#[test]
fn each_field_of_a_job_takes_its_change() {
    check(vec![
        ("/job/jarURI", json!("local:///b.jar"), UPGRADE, "job.jarURI : local:///opt/a.jar -> local:///b.jar"),
        ("/job/parallelism", json!(4), SCALE_STANDALONE, "job.parallelism : 2 -> 4"),
        ("/job/entryClass", json!("org.B"), UPGRADE, "job.entryClass : org.example.A -> org.B"),
        ("/job/args", json!(["--rate", "11"]), UPGRADE, "job.args : [2 entries] -> [2 entries]"),
        ("/job/state", json!("suspended"), UPGRADE, "job.state : running -> suspended"),
        ("/job/savepointTriggerNonce", json!(2), IGNORE, "job.savepointTriggerNonce : 1 -> 2"),
        ("/job/initialSavepointPath", json!(null), IGNORE, "job.initialSavepointPath : s3://b/savepoint-1 -> null"),
        ("/job/checkpointTriggerNonce", json!(2), IGNORE, "job.checkpointTriggerNonce : 1 -> 2"),
        ("/job/upgradeMode", json!("last-state"), IGNORE, "job.upgradeMode : savepoint -> last-state"),
        ("/job/allowNonRestoredState", json!(false), IGNORE, "job.allowNonRestoredState : true -> false"),
        ("/job/savepointRedeployNonce", json!(2), [Change::Redeploy; 2], "job.savepointRedeployNonce : 1 -> 2"),
        ("/job/autoscalerResetNonce", json!(2), IGNORE, "job.autoscalerResetNonce : 1 -> 2"),
    ]);
}

#[test]
fn each_key_of_the_configuration_takes_its_change() {
    let told = |key: &str, change: &str| format!("flinkConfiguration.{key} : {change}");
    for (key, value, [native, on_standalone], shown) in [
        ("taskmanager.memory", json!("1g"), UPGRADE, "null -> 1g"),
        ("taskmanager.numberOfTaskSlots", json!(3), UPGRADE, "2 -> 3"),
        ("s3.secret-key", json!("hunter3"), UPGRADE, "****** -> ******"),
        ("job.autoscaler.enabled", json!(true), IGNORE, "null -> true"),
        ("parallelism.default", json!(3), IGNORE, "null -> 3"),
        ("kubernetes.operator.job.restart.failed", json!(true), IGNORE, "null -> true"),
        ("kubernetes.namespace", json!("n"), UPGRADE, "null -> n"),
        ("pipeline.jobvertex-parallelism-overrides", json!("a:2"), [Change::Scale, Change::Upgrade], "a:1 -> a:2"),
    ] {
        let changed = with(&format!("/flinkConfiguration/{key}"), value);
        let expected = Diff { change: native, paths: vec![told(key, shown)] };
        assert_eq!(diff(&full(), &changed), expected, "for `{key}`");
        assert_eq!(diff(&standalone(full()), &standalone(changed)).change, on_standalone, "for `{key}`");
    }
}

#[test]
fn nested_and_flat_configuration_are_the_same() {
    let configuration = |value: Value| json!({"flinkConfiguration": value});
    for (a, b, expected) in [
        (json!({"a": {"b": {"c": 1}}}), json!({"a.b.c": 1}), Change::None),
        (json!({"a": {"b.c": 1}}), json!({"a.b": {"c": "1"}}), Change::None),
        (json!({"a": 2}), json!({"a": "2"}), Change::None),
        (json!({"a": 1}), json!({"a": 1.0}), Change::None),
        (json!({"a": "1.0"}), json!({"a": 1}), Change::None),
        (json!({"a": true}), json!({"a": "true"}), Change::None),
        (json!({"a": [1, "x", true]}), json!({"a": "1;x;true"}), Change::None),
        (json!({"a": null}), json!({}), Change::None),
        (json!({}), json!(null), Change::None),
        (json!({"a": " v "}), json!({"a": "v"}), Change::None),
        (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), Change::None),
        // Texts stay texts: these may be versions.
        (json!({"a": "1.10"}), json!({"a": "1.1"}), Change::Upgrade),
        (json!({"a": 9_007_199_254_740_993_i64}), json!({"a": 9_007_199_254_740_992_i64}), Change::Upgrade),
        (json!({"a": "x"}), json!({"A": "x"}), Change::Upgrade),
        (json!({"a": ""}), json!({}), Change::Upgrade),
    ] {
        for (old, new) in [(&a, &b), (&b, &a)] {
            let found = diff(&configuration(old.clone()), &configuration(new.clone()));
            assert_eq!(found.change, expected, "from {old} to {new}: {:?}", found.paths);
            assert_eq!(found.paths.is_empty(), expected == Change::None, "from {old} to {new}");
        }
    }
}

#[test]
fn what_another_operator_wrote_down_is_the_manifest_it_came_from() {
    let manifest = json!({
        "flinkVersion": "v2_3",
        "jobManager": {"resource": {"memory": "1g", "cpu": 1}},
        "taskManager": {"resource": {"memory": "1g", "cpu": 1}},
        "podTemplate": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}},
        "job": {"jarURI": "local:///a.jar", "parallelism": 2},
    });
    let written = json!({
        "image": null,
        "ingress": null,
        "mode": "native",
        "flinkVersion": "v2_3",
        "restartNonce": null,
        "flinkConfiguration": {},
        "logConfiguration": null,
        "jobManager": {"resource": {"memory": "1g", "cpu": 1.0, "ephemeralStorage": null}, "replicas": 1},
        "taskManager": {"resource": {"memory": "1g", "cpu": 1.0}, "replicas": null, "podTemplate": null},
        "podTemplate": {
            "metadata": null,
            "spec": {"containers": [{"name": "c", "image": null, "resources": {"limits": {"cpu": "1"}}}]},
        },
        "job": {
            "jarURI": "local:///a.jar",
            "parallelism": 2,
            "entryClass": null,
            "args": [],
            "state": "running",
            "upgradeMode": "stateless",
            "allowNonRestoredState": false,
            "savepointRedeployNonce": null,
        },
    });
    for (old, new) in [(&manifest, &written), (&written, &manifest)] {
        assert_eq!(diff(old, new), Diff { change: Change::None, paths: Vec::new() });
    }
}

#[test]
fn a_part_that_says_only_defaults_is_no_part() {
    let nothing = json!({});
    for part in [
        json!({"jobManager": {"replicas": 1, "resource": {"cpu": 1}}}),
        json!({"taskManager": {}}),
        json!({"podTemplate": {}}),
    ] {
        assert_eq!(diff(&nothing, &part).change, Change::None, "for {part}");
        assert_eq!(diff(&part, &nothing).change, Change::None, "for {part}");
    }
    let found = diff(&nothing, &json!({"mode": "standalone", "taskManager": {"replicas": 2}}));
    assert_eq!(found.change, Change::Upgrade);
    assert_eq!(found.paths, ["mode : native -> standalone", "taskManager.replicas : null -> 2"]);
}

#[test]
fn one_job_manager_is_no_default_of_emr() {
    let emr = |replicas: Value| json!({"emrReleaseLabel": "emr-7.12.0", "jobManager": {"replicas": replicas}});
    assert_eq!(diff(&emr(json!(1)), &emr(Value::Null)).change, Change::Upgrade);
}

#[test]
fn a_nonce_that_is_taken_away_asks_for_nothing() {
    for pointer in ["/restartNonce", "/job/savepointRedeployNonce"] {
        let found = diff(&full(), &with(pointer, Value::Null));
        assert_eq!(found, Diff { change: Change::None, paths: Vec::new() }, "for `{pointer}`");
        let back = diff(&with(pointer, Value::Null), &full());
        assert!(back.change >= Change::Upgrade, "for `{pointer}`: {back:?}");
    }
}

#[test]
fn the_greatest_change_decides_and_all_are_told() {
    assert!(Change::None < Change::Ignore && Change::Ignore < Change::Scale);
    assert!(Change::Scale < Change::Upgrade && Change::Upgrade < Change::Redeploy);
    let mut changed = full();
    changed["job"]["upgradeMode"] = json!("stateless");
    changed["job"]["savepointRedeployNonce"] = json!(7);
    changed["image"] = json!("flink:3");
    let found = diff(&full(), &changed);
    assert_eq!(found.change, Change::Redeploy);
    assert_eq!(
        found.paths,
        [
            "image : flink:2.3 -> flink:3",
            "job.upgradeMode : savepoint -> stateless",
            "job.savepointRedeployNonce : 1 -> 7",
        ]
    );
}

#[test]
fn no_path_tells_a_secret() {
    let mut changed = full();
    changed["flinkConfiguration"]["s3.secret-key"] = json!("other-secret");
    changed["job"]["args"] = json!(["--password", "hunter2"]);
    changed["job"]["jarURI"] = json!("https://me:hunter2@example.com/a.jar?token=hunter2");
    changed["podTemplate"]["spec"] = json!({"containers": [{"env": [{"name": "P", "value": "hunter2"}]}]});
    changed["ingress"]["annotations"] = json!({"example.com/basic-auth": "hunter2"});
    let told = diff(&full(), &changed).paths.join("\n");
    assert_eq!(told.lines().count(), 5, "{told}");
    assert!(!told.contains("hunter2") && !told.contains("other-secret"), "{told}");
}

#[test]
fn what_is_deployed_after_a_rollback_is_what_was_brought_back() {
    let (last, stable) = (json!({"image": "bad"}), json!({"image": "good"}));
    for (reconciliation, expected) in [
        (ReconciliationState::Deployed, &last),
        (ReconciliationState::Upgrading, &last),
        (ReconciliationState::RollingBack, &last),
        (ReconciliationState::RolledBack, &stable),
    ] {
        let (last, stable) = (Some(last.clone()), Some(stable.clone()));
        let record = Record { reconciliation, last, stable, ..Record::default() };
        assert_eq!(deployed(&record), Some(expected), "for {reconciliation:?}");
    }
    assert_eq!(deployed(&Record::default()), None);
}

#[test]
fn that_a_template_is_a_pod_says_nothing() {
    let spec = |template: Value| json!({"podTemplate": template.clone(), "taskManager": {"podTemplate": template}});
    let labels = json!({"labels": {"team": "a"}});
    let theirs = spec(json!({"apiVersion": "v1", "kind": "Pod", "metadata": labels}));
    assert_eq!(diff(&theirs, &spec(json!({"metadata": labels}))).change, Change::None);
    assert_eq!(diff(&theirs, &spec(json!({"metadata": {}}))).change, Change::Upgrade);
    assert_eq!(diff(&spec(json!({"kind": "Pod"})), &json!({})).change, Change::None);
}
