//! The definitions: their names, their size, what they refuse and what passes through them unchanged.

use serde_json::{Value, json};

use super::{API_VERSION, GROUP, VERSION, clusters, crds, openapi, root_schema, yaml};
use crate::flink_deployment::{FlinkDeployment, FlinkDeploymentStatus};
use crate::schema::Schema;

/// A definition may be far larger; what is small also fits the annotation that client-side apply writes.
const SIZE_MAX: usize = 60_000;

const KINDS: [(&str, &str, &str); 4] = [
    ("FlinkDeployment", "flinkdeployments", "flinkdep"),
    ("FlinkSessionJob", "flinksessionjobs", "sessionjob"),
    ("FlinkStateSnapshot", "flinkstatesnapshots", "flinksnp"),
    ("FlinkBlueGreenDeployment", "flinkbluegreendeployments", "flinkbgdep"),
];

/// Visits every property below `schema` with its path.
fn each_property(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        visit(&path, property);
        each_property(property, &path, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            each_property(&schema[inner], &format!("{path}[]"), visit);
        }
    }
}

#[test]
fn definitions_have_the_names_that_users_know() {
    let definitions = crds();
    assert_eq!(definitions.len(), KINDS.len());
    for (definition, (kind, plural, short)) in definitions.iter().zip(KINDS) {
        let value = serde_json::to_value(definition).unwrap();
        assert_eq!(value["metadata"]["name"], format!("{plural}.{GROUP}"));
        assert_eq!(value["spec"]["group"], GROUP);
        assert_eq!(value["spec"]["scope"], "Namespaced");
        assert_eq!(value["spec"]["names"]["kind"], kind);
        assert_eq!(value["spec"]["names"]["shortNames"], json!([short]));
        assert_eq!(value["spec"]["versions"][0]["name"], VERSION);
        assert_eq!(value["spec"]["versions"][0]["subresources"]["status"], json!({}));
    }
    assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
    let deployment = serde_json::to_value(&definitions[0]).unwrap();
    assert_eq!(
        deployment["spec"]["versions"][0]["subresources"]["scale"],
        json!({
            "specReplicasPath": ".spec.taskManager.replicas",
            "statusReplicasPath": ".status.taskManager.replicas",
            "labelSelectorPath": ".status.taskManager.labelSelector"
        })
    );
}

#[test]
fn definitions_are_small() {
    for definition in clusters() {
        let size = serde_json::to_string(&definition).unwrap().len();
        assert!(size < SIZE_MAX, "{:?} has {size} bytes", definition.metadata.name);
    }
}

#[test]
fn every_schema_compiles_and_every_property_says_what_it_is() {
    for (kind, _, _) in KINDS {
        let schema = openapi(kind);
        Schema::compile(schema).unwrap();
        assert!(!schema["description"].as_str().unwrap_or_default().is_empty(), "{kind}");
        let mut count = 0;
        each_property(schema, kind, &mut |path: &str, property: &Value| {
            count += 1;
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.') && !description.contains('\n'), "{path}: `{description}`");
            assert_eq!(property["nullable"], Value::Null, "{path}");
            assert_eq!(property["default"], Value::Null, "{path}");
            for word in property["enum"].as_array().into_iter().flatten() {
                assert!(word.is_string(), "{path}: {word}");
            }
        });
        assert!(count > 15, "{kind} has {count} properties");
    }
    assert_eq!(*openapi("Pod"), Value::Null);
    assert!(root_schema("Pod").property("spec").is_none());
}

#[test]
fn the_yaml_says_what_the_definitions_say() {
    let text = yaml();
    let documents: Vec<Value> = text.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect();
    let expected: Vec<Value> = clusters().iter().map(|definition| serde_json::to_value(definition).unwrap()).collect();
    assert_eq!(documents, expected);
    assert_eq!(text, yaml());
}

#[test]
fn schemas_refuse_what_an_api_server_must_refuse() {
    for (kind, path, spec, message) in [
        ("FlinkDeployment", "spec.mode", json!({"mode": "x"}), unsupported("x", r#""native", "standalone""#)),
        ("FlinkDeployment", "spec.job.parallelism", json!({"job": {"parallelism": "2"}}), not_a("integer")),
        (
            "FlinkDeployment",
            "spec.taskManager.resource.cpu",
            json!({"taskManager": {"resource": {"cpu": "1"}}}),
            not_a("number"),
        ),
        (
            "FlinkSessionJob",
            "spec.job.upgradeMode",
            json!({"job": {"upgradeMode": "last_state"}}),
            unsupported("last_state", r#""savepoint", "last-state", "stateless""#),
        ),
        (
            "FlinkStateSnapshot",
            "spec.jobReference.kind",
            json!({"jobReference": {"kind": "Pod"}}),
            unsupported("Pod", r#""FlinkDeployment", "FlinkSessionJob""#),
        ),
        (
            "FlinkBlueGreenDeployment",
            "spec.template.spec.restartNonce",
            json!({"template": {"spec": {"restartNonce": "1"}}}),
            not_a("integer"),
        ),
    ] {
        let problems = root_schema(kind).validate(&json!({"spec": spec}));
        let expected = format!("{path}: {}", message.replace("PATH", path));
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

/// The message for a text where another type belongs.
fn not_a(expected: &str) -> String {
    format!("Invalid value: \"string\": PATH in body must be of type {expected}: \"string\"")
}

/// The message for a word that is none of the list.
fn unsupported(word: &str, list: &str) -> String {
    format!("Unsupported value: \"{word}\": supported values: {list}")
}

#[test]
fn a_full_manifest_is_kept_and_read_whole() {
    let object = json!({
        "apiVersion": API_VERSION, "kind": "FlinkDeployment", "metadata": {"name": "a"},
        "spec": {
            "image": "flink:2.2", "imagePullPolicy": "Always", "serviceAccount": "flink", "flinkVersion": "v2_2",
            "ingress": {
                "template": "{{name}}.example.com", "className": "nginx", "annotations": {"a": "b"},
                "labels": {"c": "d"}, "tls": [{"hosts": ["a.example.com"], "secretName": "s"}]
            },
            "podTemplate": {
                "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"x": "y"}}, "spec": {"any": [1]}
            },
            "jobManager": {
                "resource": {"cpu": 0.5, "memory": "2048m", "ephemeralStorage": "1Gi"},
                "resources": {
                    "limits": {"cpu": 2, "memory": "2Gi"}, "requests": {"cpu": "1"}, "claims": [{"name": "g"}]
                },
                "replicas": 2, "podTemplate": {"spec": {"x": 1}}, "nodeSelector": {"k": "v"},
                "storageDir": "s3://b/ha", "highAvailabilityEnabled": true
            },
            "taskManager": {"resource": {"cpu": 1.0, "memory": "2048m"}, "replicas": 3, "nodeSelector": {"k": "v"}},
            "logConfiguration": {"log4j-console.properties": "x"}, "mode": "standalone",
            "job": {
                "jarURI": "local:///a.jar", "parallelism": 2, "entryClass": "a.B", "args": ["--x", "1"],
                "state": "suspended", "savepointTriggerNonce": 0, "initialSavepointPath": "s3://b/s",
                "checkpointTriggerNonce": 1, "upgradeMode": "last-state", "allowNonRestoredState": true,
                "savepointRedeployNonce": 2, "autoscalerResetNonce": 3
            },
            "restartNonce": 123, "flinkConfiguration": {"taskmanager.numberOfTaskSlots": 2, "state": {"b": "c"}},
            "emrReleaseLabel": "emr-7.12.0-flink-latest", "executionRoleArn": "arn:aws:iam::1:role/r",
            "monitoringConfiguration": {
                "image": "agent:1",
                "s3MonitoringConfiguration": {"logUri": "b/logs", "encryptionKeyArn": "arn:aws:kms:::key/k"},
                "cloudWatchMonitoringConfiguration": {"logGroupName": "g", "logStreamNamePrefix": "p"},
                "sideCarResources": {"limits": {"cpuLimit": "500m", "memoryLimit": "250Mi"}},
                "containerLogRotationConfiguration": {"rotationSize": "2GB", "maxFilesToKeep": "10"}
            }
        }
    });
    let schema = root_schema("FlinkDeployment");
    let mut pruned = object.clone();
    assert_eq!(schema.prune(&mut pruned), [""; 0]);
    schema.fill_defaults(&mut pruned);
    assert_eq!(pruned, object);
    let problems = schema.validate(&object);
    assert!(problems.is_empty(), "{problems:?}");
    let typed: FlinkDeployment = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), object);
}

#[test]
fn a_status_of_the_apache_operator_passes_through_unchanged() {
    let status = json!({
        "jobStatus": {
            "jobName": "State machine job", "jobId": "fd72014d4c864993a2e5a9287b4a9c5d", "state": "RUNNING",
            "startTime": "1719480000000", "updateTime": "1719480012000",
            "upgradeSavepointPath": "KUBERNETES_OPERATOR_LAST_STATE",
            "savepointInfo": {
                "lastSavepoint": {
                    "timeStamp": 1_719_480_010_000_i64, "location": "s3://b/savepoint-1", "triggerType": "MANUAL",
                    "formatType": "CANONICAL", "triggerNonce": 1
                },
                "triggerId": "t", "triggerTimestamp": 1_719_480_011_000_i64, "triggerType": "UPGRADE",
                "formatType": "NATIVE",
                "savepointHistory": [
                    {"timeStamp": 1, "location": "l", "triggerType": "PERIODIC", "formatType": "UNKNOWN"}
                ],
                "lastPeriodicSavepointTimestamp": 0
            },
            "checkpointInfo": {
                "lastCheckpoint": {"timeStamp": 1, "triggerType": "UNKNOWN", "formatType": "FULL", "triggerNonce": 2},
                "triggerId": "c", "triggerTimestamp": 3, "triggerType": "MANUAL", "formatType": "INCREMENTAL",
                "lastPeriodicCheckpointTimestamp": 0
            }
        },
        "error": "{\"type\":\"a.B\",\"message\":\"m\",\"additionalMetadata\":{},\"throwableList\":[]}",
        "observedGeneration": 2,
        "lifecycleState": "STABLE",
        "clusterInfo": {"flink-version": "2.2.1", "total-cpu": "2.0"},
        "jobManagerDeploymentStatus": "DEPLOYED_NOT_READY",
        "reconciliationStatus": {
            "reconciliationTimestamp": 1_719_480_000_000_i64, "lastReconciledSpec": "{\"spec\":{}}",
            "lastStableSpec": "{\"spec\":{}}", "state": "ROLLED_BACK"
        },
        "taskManager": {"labelSelector": "component=taskmanager,app=a", "replicas": 1},
        "conditions": [{
            "type": "Running", "status": "True", "reason": "Running", "message": "Job status RUNNING",
            "lastTransitionTime": "2024-06-27T09:20:00Z", "observedGeneration": 2
        }]
    });
    let typed: FlinkDeploymentStatus = serde_json::from_value(status.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), status);
    let mut object = json!({"status": status});
    let schema = root_schema("FlinkDeployment");
    assert_eq!(schema.prune(&mut object), [""; 0]);
    let problems = schema.validate(&object);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(object["status"], status);
}
