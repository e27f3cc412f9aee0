//! Server-side apply: conflicts, force, fields that are no longer applied, lists that are merged.

use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::asking::{HOLD, deployment, deployments, objects, release, status_of};

pub(super) async fn apply_conflicts_and_is_forced(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    api.patch("a", &PatchParams::apply("one"), &Patch::Apply(&object)).await.expect("the first applies");
    object.data["spec"]["image"] = json!("other");
    let answer = api.patch("a", &PatchParams::apply("two"), &Patch::Apply(&object)).await;
    let status = status_of(answer);
    let causes = status.details.map(|details| details.causes).unwrap_or_default();
    assert_eq!((status.code, causes.len()), (409, 1));
    assert_eq!((causes[0].reason.as_str(), causes[0].field.as_str()), ("FieldManagerConflict", ".spec.image"));
    let forced = api.patch("a", &PatchParams::apply("two").force(), &Patch::Apply(&object)).await;
    assert_eq!(forced.expect("force wins").data["spec"]["image"], "other");
}

pub(super) async fn fields_that_are_no_longer_applied_go(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    object.metadata.labels = Some([("x".to_owned(), "y".to_owned())].into());
    object.data["spec"]["imagePullPolicy"] = json!("Always");
    api.patch("a", &PatchParams::apply("one"), &Patch::Apply(&object)).await.expect("it is applied");
    let less = deployment("a");
    let stored = api.patch("a", &PatchParams::apply("one"), &Patch::Apply(&less)).await.expect("it is applied");
    assert!(stored.metadata.labels.is_none_or(|labels| labels.is_empty()));
    assert!(stored.data["spec"].get("imagePullPolicy").is_none());
}

pub(super) async fn applied_lists_are_merged(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    for (manager, finalizer) in [("one", HOLD), ("two", "kobel.dev/another")] {
        let mut object = deployment("a");
        object.metadata.finalizers = Some(vec![finalizer.to_owned()]);
        api.patch("a", &PatchParams::apply(manager), &Patch::Apply(&object)).await.expect("it is applied");
    }
    let stored = api.get("a").await.expect("the object");
    assert_eq!(stored.finalizers(), [HOLD, "kobel.dev/another"]);
    release(&api, "a").await;
}

pub(super) async fn applied_entries_are_merged_by_their_keys(client: Client, namespace: String) {
    let api = objects(client, &namespace, ("", "v1", "ServiceAccount"));
    let account = |secrets: Value| -> DynamicObject {
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "secrets": secrets,
        });
        serde_json::from_value(account).expect("a service account")
    };
    for (manager, secrets, expected) in [
        ("one", json!([{"name": "a"}, {"name": "b"}]), vec!["a", "b"]),
        ("two", json!([{"name": "b"}, {"name": "c"}]), vec!["a", "b", "c"]),
        ("one", json!([{"name": "b"}]), vec!["b", "c"]),
    ] {
        let applied = api.patch("a", &PatchParams::apply(manager), &Patch::Apply(&account(secrets))).await;
        let stored = applied.expect("it is applied");
        let entries = stored.data["secrets"].as_array().expect("a list");
        let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{manager}");
    }
}

pub(super) async fn what_was_written_is_not_applied_over(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let params = PostParams { field_manager: Some("writer".to_owned()), ..PostParams::default() };
    let mut object = deployment("a");
    api.create(&params, &object).await.expect("an object is created");
    object.data["spec"]["image"] = json!("other");
    let status = status_of(api.patch("a", &PatchParams::apply("one"), &Patch::Apply(&object)).await);
    let causes = status.details.map(|details| details.causes).unwrap_or_default();
    let fields: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
    assert_eq!((status.code, fields), (409, vec![".spec.image"]));
}
