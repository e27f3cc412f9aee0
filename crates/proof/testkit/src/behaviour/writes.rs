//! Creates, updates and patches: versions, generations, subresources, schemas.

use kube::api::{DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams, ValidationDirective};
use kube::core::Request;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::asking::{create, deployment, deployments, merge, objects, refusal, refused, status_of};

pub(super) async fn a_stale_update_is_a_conflict(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let old = create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    let answer = api.replace("a", &PostParams::default(), &old).await;
    assert_eq!(refusal(answer), refused(409, "Conflict"));
}

pub(super) async fn an_update_without_a_version_is_refused(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = create(&api, "a").await;
    object.metadata.resource_version = None;
    assert_eq!(refusal(api.replace("a", &PostParams::default(), &object).await), refused(422, "Invalid"));
}

pub(super) async fn a_change_of_the_spec_raises_the_generation(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    assert_eq!(create(&api, "a").await.metadata.generation, Some(1));
    let changed = merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    assert_eq!(changed.metadata.generation, Some(2));
    let labelled = merge(&api, "a", json!({"metadata": {"labels": {"x": "y"}}})).await;
    assert_eq!(labelled.metadata.generation, Some(2));
}

pub(super) async fn a_change_that_changes_nothing_keeps_the_version(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let object = create(&api, "a").await;
    let same = merge(&api, "a", json!({"spec": {"image": "flink:1.20"}})).await;
    assert_eq!(same.metadata.resource_version, object.metadata.resource_version);
    let same = api.replace("a", &PostParams::default(), &same).await.expect("an update without a change");
    assert_eq!(same.metadata.resource_version, object.metadata.resource_version);
}

pub(super) async fn status_is_dropped_at_creation(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    object.data["status"] = json!({"lifecycleState": "STABLE"});
    let stored = api.create(&PostParams::default(), &object).await.expect("an object is created");
    assert!(stored.data.get("status").is_none(), "{stored:?}");
}

pub(super) async fn a_status_patch_leaves_spec_and_generation_alone(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let patch = Patch::Merge(json!({"spec": {"image": "x"}, "status": {"lifecycleState": "STABLE"}}));
    let stored = api.patch_status("a", &PatchParams::default(), &patch).await.expect("a status is patched");
    assert_eq!(stored.data["spec"]["image"], "flink:1.20");
    assert_eq!(stored.data["status"]["lifecycleState"], "STABLE");
    assert_eq!(stored.metadata.generation, Some(1));
}

pub(super) async fn a_main_patch_leaves_the_status_alone(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let stored = merge(&api, "a", json!({"spec": {"image": "x"}, "status": {"lifecycleState": "STABLE"}})).await;
    assert_eq!(stored.data["spec"]["image"], "x");
    assert!(stored.data.get("status").is_none(), "{stored:?}");
}

pub(super) async fn a_dry_run_stores_nothing(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let answer = api.create(&params, &deployment("a")).await.expect("a dry run");
    assert!(answer.uid().is_some());
    assert!(api.get_opt("a").await.expect("a look").is_none());
}

pub(super) async fn generate_name_makes_a_new_name(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("");
    object.metadata = ObjectMeta { generate_name: Some("job-".to_owned()), ..ObjectMeta::default() };
    let first = api.create(&PostParams::default(), &object).await.expect("an object is created").name_any();
    let second = api.create(&PostParams::default(), &object).await.expect("an object is created").name_any();
    assert!(first.starts_with("job-") && first.len() == 9 && first != second, "{first} {second}");
}

pub(super) async fn unknown_fields_are_pruned_or_refused(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let patch = Patch::Merge(json!({"spec": {"nonsense": 1}}));
    let strict = PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::default() };
    assert_eq!(refusal(api.patch("a", &strict, &patch).await), refused(422, "Invalid"));
    let ignore = PatchParams { field_validation: Some(ValidationDirective::Ignore), ..PatchParams::default() };
    let stored = api.patch("a", &ignore, &patch).await.expect("an object is patched");
    assert!(stored.data["spec"].get("nonsense").is_none());
}

pub(super) async fn the_scale_subresource_reads_and_writes_replicas(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let scale = api.get_scale("a").await.expect("a scale");
    assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(1));
    let patch = Patch::Merge(json!({"spec": {"replicas": 3}}));
    api.patch_scale("a", &PatchParams::default(), &patch).await.expect("a scale is patched");
    let object = api.get("a").await.expect("the object");
    assert_eq!(object.data["spec"]["taskManager"]["replicas"], 3);
    assert_eq!(object.metadata.generation, Some(2));
}

pub(super) async fn what_breaks_the_schema_is_refused(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    object.data["spec"]["job"]["parallelism"] = json!("two");
    assert_eq!(refusal(api.create(&PostParams::default(), &object).await), refused(422, "Invalid"));
    create(&api, "a").await;
    let patch = Patch::Merge(json!({"spec": {"job": {"parallelism": "two"}}}));
    assert_eq!(refusal(api.patch("a", &PatchParams::default(), &patch).await), refused(422, "Invalid"));
}

pub(super) async fn what_the_schema_leaves_open_is_kept(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    object.data["spec"]["flinkConfiguration"] = json!({"own": {"key": "value"}});
    let stored = api.create(&PostParams::default(), &object).await.expect("an object is created");
    assert_eq!(stored.data["spec"]["flinkConfiguration"], json!({"own": {"key": "value"}}));
}

pub(super) async fn a_strict_creation_refuses_unknown_fields(client: Client, namespace: String) {
    let path = format!("/apis/flink.apache.org/v1beta1/namespaces/{namespace}/flinkdeployments");
    let mut object = deployment("a");
    object.data["spec"]["nonsense"] = json!(1);
    let text = serde_json::to_vec(&object).expect("a text");
    let mut request = Request::new(path.as_str()).create(&PostParams::default(), text).expect("a request");
    *request.uri_mut() = format!("{path}?fieldValidation=Strict").parse().expect("a path");
    assert_eq!(refusal(client.request::<Value>(request).await), refused(400, "BadRequest"));
}

pub(super) async fn a_name_is_taken_once(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let answer = api.create(&PostParams::default(), &deployment("a")).await;
    assert_eq!(refusal(answer), refused(409, "AlreadyExists"));
}

pub(super) async fn what_is_not_there_is_told_by_name(client: Client, namespace: String) {
    let named = status_of(deployments(client.clone(), &namespace).get("a").await);
    let details = named.details.expect("it tells what is not there");
    assert_eq!((named.code, details.name.as_str(), details.kind.as_str()), (404, "a", "flinkdeployments"));
    let unknown = objects(client, &namespace, ("flink.apache.org", "v1beta1", "FlinkNothing"));
    let unnamed = status_of(unknown.get("a").await);
    assert_eq!(unnamed.code, 404);
    assert!(unnamed.details.is_none_or(|details| details.name.is_empty()), "a path is no object");
}

pub(super) async fn a_status_update_needs_the_newest_version(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut old = create(&api, "a").await;
    let mut new = merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    for object in [&mut old, &mut new] {
        object.data["spec"]["image"] = json!("y");
        object.data["status"] = json!({"lifecycleState": "STABLE"});
    }
    let answer = api.replace_status("a", &PostParams::default(), &old).await;
    assert_eq!(refusal(answer), refused(409, "Conflict"));
    let stored = api.replace_status("a", &PostParams::default(), &new).await.expect("a status is replaced");
    assert_eq!((&stored.data["spec"]["image"], stored.metadata.generation), (&json!("x"), Some(2)));
    assert_eq!(stored.data["status"]["lifecycleState"], "STABLE");
}

pub(super) async fn a_lease_is_taken_by_one(client: Client, namespace: String) {
    let api = objects(client, &namespace, ("coordination.k8s.io", "v1", "Lease"));
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
        "spec": {"leaseDurationSeconds": 15},
    });
    let lease: DynamicObject = serde_json::from_value(lease).expect("a lease");
    let free = api.create(&PostParams::default(), &lease).await.expect("a lease is created");
    let taken = |holder: &str| {
        let mut lease = free.clone();
        lease.data["spec"]["holderIdentity"] = json!(holder);
        lease
    };
    api.replace("leader", &PostParams::default(), &taken("one")).await.expect("the first takes it");
    let answer = api.replace("leader", &PostParams::default(), &taken("two")).await;
    assert_eq!(refusal(answer), refused(409, "Conflict"));
    assert_eq!(api.get("leader").await.expect("the lease").data["spec"]["holderIdentity"], "one");
}

pub(super) async fn what_is_left_out_is_filled_in(client: Client, namespace: String) {
    let api = objects(client, &namespace, ("", "v1", "Secret"));
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"key": "value"}});
    let secret: DynamicObject = serde_json::from_value(secret).expect("a secret");
    let stored = api.create(&PostParams::default(), &secret).await.expect("a secret is created");
    assert_eq!((&stored.data["type"], &stored.data["data"]["key"]), (&json!("Opaque"), &json!("dmFsdWU=")));
    assert!(stored.data.get("stringData").is_none(), "it is only written");
}

pub(super) async fn every_kind_of_flink_is_served(client: Client, namespace: String) {
    for kind in ["FlinkDeployment", "FlinkSessionJob", "FlinkStateSnapshot", "FlinkBlueGreenDeployment"] {
        let api = objects(client.clone(), &namespace, ("flink.apache.org", "v1beta1", kind));
        let listed = api.list(&ListParams::default()).await;
        assert!(listed.is_ok_and(|listed| listed.items.is_empty()), "{kind}");
    }
}
