//! The resources that the checks declare: the smallest that people write.

use serde_json::{Value, json};

/// An application of Flink 2.2 in native mode, of two task managers.
pub(crate) fn application(name: &str) -> Value {
    let mut manifest = session(name);
    manifest["spec"]["job"] = json!({
        "jarURI": "local:///opt/flink/examples/streaming/StateMachineExample.jar",
        "parallelism": 4,
        "upgradeMode": "stateless",
    });
    manifest
}

/// The same in standalone mode.
pub(crate) fn standalone(name: &str) -> Value {
    let mut manifest = application(name);
    manifest["spec"]["mode"] = json!("standalone");
    manifest
}

/// A session cluster in native mode.
pub(crate) fn session(name: &str) -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": name},
        "spec": {
            "image": "flink:2.2",
            "flinkVersion": "v2_2",
            "serviceAccount": "flink",
            "flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"},
            "jobManager": {"resource": {"memory": "1600m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "1728m", "cpu": 1}},
        },
    })
}

/// Its configuration with more in it.
pub(crate) fn configured(mut manifest: Value, values: &[(&str, &str)]) -> Value {
    for (key, value) in values {
        manifest["spec"]["flinkConfiguration"][*key] = json!(value);
    }
    manifest
}
