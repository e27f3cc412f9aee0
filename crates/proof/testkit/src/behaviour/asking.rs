//! How the checks ask an API, and how long they wait for it.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::core::Status;
use kube::{Client, Error, ResourceExt};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long anything may take; a busy machine needs a part of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// How long is waited between two looks.
pub(super) const STEP: Duration = Duration::from_millis(100);
/// The finalizer of the checks.
pub(super) const HOLD: &str = "kobel.dev/hold";

/// The objects of a kind in a namespace.
pub(super) fn objects(
    client: Client,
    namespace: &str,
    (group, version, kind): (&str, &str, &str),
) -> Api<DynamicObject> {
    Api::namespaced_with(client, namespace, &ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)))
}

/// The deployments of a namespace.
pub(super) fn deployments(client: Client, namespace: &str) -> Api<DynamicObject> {
    objects(client, namespace, ("flink.apache.org", "v1beta1", "FlinkDeployment"))
}

/// A deployment that nobody has stored.
pub(super) fn deployment(name: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": name},
        "spec": {
            "image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink",
            "jobManager": {"resource": {"memory": "1024m", "cpu": 1}},
            "taskManager": {"replicas": 1, "resource": {"memory": "1024m", "cpu": 1}},
            "job": {"jarURI": "local:///opt/job.jar", "parallelism": 2, "upgradeMode": "stateless"},
        },
    }))
    .expect("a manifest")
}

/// Creates a deployment.
pub(super) async fn create(api: &Api<DynamicObject>, name: &str) -> DynamicObject {
    api.create(&PostParams::default(), &deployment(name)).await.expect("an object is created")
}

/// Patches a deployment.
pub(super) async fn merge(api: &Api<DynamicObject>, name: &str, patch: Value) -> DynamicObject {
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("an object is patched")
}

/// Answers by a code and a reason what was refused.
pub(super) fn refusal<T: Debug>(answer: Result<T, Error>) -> (u16, String) {
    let status = status_of(answer);
    (status.code, status.reason)
}

/// The refusal that was answered.
pub(super) fn status_of<T: Debug>(answer: Result<T, Error>) -> Status {
    match answer.expect_err("the API refuses") {
        Error::Api(status) => *status,
        other => Status::failure(&other.to_string(), "NoAnswer"),
    }
}

/// What a refusal is expected to be.
pub(super) fn refused(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

/// Takes every finalizer from an object.
pub(super) async fn release(api: &Api<DynamicObject>, name: &str) {
    merge(api, name, json!({"metadata": {"finalizers": null}})).await;
}

/// Creates an object `owned` that belongs to another one.
pub(super) async fn own(client: Client, namespace: &str, owner: &DynamicObject) -> Api<ConfigMap> {
    let reference = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": owner.name_any(),
        "uid": owner.uid(), "blockOwnerDeletion": true,
    });
    let maps: Api<ConfigMap> = Api::namespaced(client, namespace);
    let map = json!({"metadata": {"name": "owned", "ownerReferences": [reference]}});
    let map: ConfigMap = serde_json::from_value(map).expect("a map");
    maps.create(&PostParams::default(), &map).await.expect("a dependent is created");
    maps
}

/// Waits until an object is gone.
pub(super) async fn gone(api: &Api<DynamicObject>, name: &str) {
    let begun = Instant::now();
    while api.get_opt(name).await.expect("a look").is_some() {
        assert!(begun.elapsed() < PATIENCE, "`{name}` is still there");
        sleep(STEP).await;
    }
}
