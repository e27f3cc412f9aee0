//! Lists and watches: order, pieces, selectors, bookmarks, versions that are forgotten or not reached.

use futures::StreamExt as _;
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::time::timeout;

use super::asking::{PATIENCE, create, deployments, merge, objects, refusal, refused};

/// Takes the next event of a watch that is no bookmark, as a word with a name.
macro_rules! next {
    ($watch:expr) => {
        loop {
            let event = timeout(PATIENCE, $watch.next()).await.expect("an event in time");
            break match event.expect("the watch goes on").expect("an event") {
                WatchEvent::Added(object) => format!("added {}", object.name_any()),
                WatchEvent::Modified(object) => format!("modified {}", object.name_any()),
                WatchEvent::Deleted(object) => format!("deleted {}", object.name_any()),
                WatchEvent::Bookmark(bookmark) if bookmark.metadata.annotations.is_empty() => continue,
                WatchEvent::Bookmark(bookmark) => format!("bookmark {:?}", bookmark.metadata.annotations),
                WatchEvent::Error(status) => format!("error {}", status.code),
            };
        }
    };
}

pub(super) async fn a_watch_tells_every_change_in_order(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let from = api.list(&ListParams::default()).await.expect("a list").metadata.resource_version.expect("a version");
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.expect("a watch"));
    create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    create(&api, "b").await;
    api.delete("a", &DeleteParams::default()).await.expect("a deletion");
    for expected in ["added a", "modified a", "added b", "deleted a"] {
        assert_eq!(next!(watch), expected);
    }
}

pub(super) async fn a_watch_from_a_forgotten_version_ends_with_410(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut watch = Box::pin(api.watch(&WatchParams::default(), "1").await.expect("a watch"));
    assert_eq!(next!(watch), "error 410");
}

pub(super) async fn a_watch_with_initial_events_marks_their_end(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let params = WatchParams::default().initial_events();
    let mut watch = Box::pin(api.watch(&params, "0").await.expect("a watch"));
    assert_eq!(next!(watch), "added a");
    assert_eq!(next!(watch), "bookmark {\"k8s.io/initial-events-end\": \"true\"}");
    create(&api, "b").await;
    assert_eq!(next!(watch), "added b");
}

pub(super) async fn a_list_in_pieces_is_whole(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    for name in ["a", "b", "c", "d", "e"] {
        create(&api, name).await;
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let params = ListParams::default().limit(2).continue_token(&token);
        let params = if token.is_empty() { ListParams::default().limit(2) } else { params };
        let page = api.list(&params).await.expect("a piece");
        names.extend(page.items.iter().map(ResourceExt::name_any));
        token = page.metadata.continue_.unwrap_or_default();
        if token.is_empty() {
            break;
        }
        // What is made between two pieces is not in the snapshot that the pieces are of.
        create(&api, &format!("z{}", names.len())).await;
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
}

pub(super) async fn a_selector_selects_in_lists_and_watches(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    create(&api, "b").await;
    merge(&api, "a", json!({"metadata": {"labels": {"x": "y"}}})).await;
    let listed = api.list(&ListParams::default().labels("x=y")).await.expect("a list");
    assert_eq!(listed.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["a"]);
    let version = listed.metadata.resource_version.expect("a version");
    let mut watch = Box::pin(api.watch(&WatchParams::default().labels("x=y"), &version).await.expect("a watch"));
    merge(&api, "b", json!({"metadata": {"labels": {"x": "y"}}})).await;
    merge(&api, "a", json!({"metadata": {"labels": {"x": "z"}}})).await;
    assert_eq!(next!(watch), "added b");
    assert_eq!(next!(watch), "deleted a");
}

pub(super) async fn events_are_found_by_their_object(client: Client, namespace: String) {
    let api = objects(client, &namespace, ("", "v1", "Event"));
    for name in ["a", "b"] {
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.1"), "namespace": namespace},
            "involvedObject": {
                "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": name,
                "namespace": namespace,
            },
            "reason": "Tried", "message": "it was tried", "type": "Normal", "source": {"component": "checks"},
        });
        let event: DynamicObject = serde_json::from_value(event).expect("an event");
        api.create(&PostParams::default(), &event).await.expect("an event is created");
    }
    let listed = api.list(&ListParams::default().fields("involvedObject.name=a")).await.expect("a list");
    assert_eq!(listed.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["a.1"]);
}

pub(super) async fn a_version_that_is_not_reached_is_waited_for_in_vain(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let newest = api.list(&ListParams::default()).await.expect("a list").metadata.resource_version;
    let newest: u64 = newest.and_then(|newest| newest.parse().ok()).expect("a number");
    let answer = api.list(&ListParams::default().at(&(newest + 1_000_000).to_string())).await;
    assert_eq!(refusal(answer), refused(504, "Timeout"));
}

pub(super) async fn a_watch_that_ends_tells_how_far_it_got(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let from = api.list(&ListParams::default()).await.expect("a list").metadata.resource_version.expect("a version");
    let mut watch = Box::pin(api.watch(&WatchParams::default().timeout(5), &from).await.expect("a watch"));
    let made = create(&api, "a").await.resource_version();
    let mut last = None;
    while let Some(event) = timeout(PATIENCE, watch.next()).await.expect("an end in time") {
        if let WatchEvent::Bookmark(bookmark) = event.expect("an event") {
            last = Some(bookmark.metadata.resource_version);
        }
    }
    let number = |version: Option<String>| version.and_then(|version| version.parse::<u64>().ok());
    let (last, made) = (number(last), number(made));
    assert!(made.is_some() && last >= made, "{last:?} {made:?}");
}
