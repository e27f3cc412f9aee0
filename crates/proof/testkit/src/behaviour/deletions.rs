//! Deletions: finalizers, conditions, owners.

use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::asking::{HOLD, PATIENCE, STEP, create, deployments, gone, merge, own, refusal, refused, release};

pub(super) async fn a_finalizer_holds_a_deletion(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    merge(&api, "a", json!({"metadata": {"finalizers": [HOLD]}})).await;
    let answer = api.delete("a", &DeleteParams::default()).await.expect("a deletion begins");
    let object = answer.left().expect("the object is still there");
    assert!(object.metadata.deletion_timestamp.is_some());
    release(&api, "a").await;
    assert!(api.get_opt("a").await.expect("a look").is_none());
}

pub(super) async fn a_deletion_with_an_old_version_is_a_conflict(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let object = create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    let preconditions = kube::api::Preconditions { resource_version: object.resource_version(), uid: None };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    assert_eq!(refusal(api.delete("a", &params).await), refused(409, "Conflict"));
}

pub(super) async fn dependents_go_with_their_owner(client: Client, namespace: String) {
    let api = deployments(client.clone(), &namespace);
    let owner = create(&api, "a").await;
    let maps = own(client, &namespace, &owner).await;
    api.delete("a", &DeleteParams::background()).await.expect("the owner is deleted");
    let begun = Instant::now();
    while maps.get_opt("owned").await.expect("a look").is_some() {
        assert!(begun.elapsed() < PATIENCE, "the dependent outlived its owner");
        sleep(STEP).await;
    }
}

pub(super) async fn a_foreground_deletion_waits_for_dependents(client: Client, namespace: String) {
    let api = deployments(client.clone(), &namespace);
    let owner = create(&api, "a").await;
    let maps = own(client, &namespace, &owner).await;
    let hold = |names: Value| Patch::Merge(json!({"metadata": {"finalizers": names}}));
    maps.patch("owned", &PatchParams::default(), &hold(json!([HOLD]))).await.expect("the dependent is held");
    api.delete("a", &DeleteParams::foreground()).await.expect("a deletion begins");
    let begun = Instant::now();
    while maps.get("owned").await.expect("the dependent is there").metadata.deletion_timestamp.is_none() {
        assert!(begun.elapsed() < PATIENCE, "the dependent is not deleted");
        sleep(STEP).await;
    }
    let owner = api.get("a").await.expect("the owner waits");
    assert!(owner.metadata.deletion_timestamp.is_some() && owner.finalizers() == ["foregroundDeletion"], "{owner:?}");
    maps.patch("owned", &PatchParams::default(), &hold(Value::Null)).await.expect("the dependent is let go");
    gone(&api, "a").await;
}

pub(super) async fn an_orphan_stays(client: Client, namespace: String) {
    let api = deployments(client.clone(), &namespace);
    let owner = create(&api, "a").await;
    let maps = own(client, &namespace, &owner).await;
    api.delete("a", &DeleteParams::orphan()).await.expect("the owner is deleted");
    gone(&api, "a").await;
    let orphan = maps.get("owned").await.expect("the dependent is there");
    assert!(orphan.owner_references().is_empty(), "{orphan:?}");
}

pub(super) async fn an_object_that_is_made_again_is_another(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let first = create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    api.delete("a", &DeleteParams::default()).await.expect("a deletion");
    gone(&api, "a").await;
    let second = create(&api, "a").await;
    assert_ne!(first.uid(), second.uid());
    assert_eq!(second.metadata.generation, Some(1));
    let preconditions = Some(Preconditions { uid: first.uid(), resource_version: None });
    let params = DeleteParams { preconditions, ..DeleteParams::default() };
    assert_eq!(refusal(api.delete("a", &params).await), refused(409, "Conflict"));
    assert!(api.get_opt("a").await.expect("a look").is_some());
}

pub(super) async fn an_object_that_is_going_takes_no_new_finalizers(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    merge(&api, "a", json!({"metadata": {"finalizers": [HOLD]}})).await;
    api.delete("a", &DeleteParams::default()).await.expect("a deletion begins");
    let patch = Patch::Merge(json!({"metadata": {"finalizers": [HOLD, "kobel.dev/another"]}}));
    assert_eq!(refusal(api.patch("a", &PatchParams::default(), &patch).await), refused(422, "Invalid"));
    release(&api, "a").await;
    gone(&api, "a").await;
}
