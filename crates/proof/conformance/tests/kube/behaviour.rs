//! What a kube client relies on, one check a rule, against the embedded API or a cluster.
//!
//! The list follows what an API server was seen to do: versions and conflicts, generations, subresources, finalizers,
//! owners, watches with their bookmarks and their end, lists in pieces, apply with its conflicts.

use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kobel_resources::flink_deployment::FlinkDeployment;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams, ValidationDirective,
    WatchEvent, WatchParams,
};
use kube::{Client, Error, ResourceExt};
use serde_json::{Value, json};

use crate::client::{connect, runtime};
use crate::machine::PATIENCE;
use crate::server::Server;
use crate::transcript::Side;

/// One check: its name, and what it does.
type Check = (&'static str, fn(Client, String) -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        const CHECKS: &[Check] = &[$((stringify!($name), |client, namespace| Box::pin($name(client, namespace)))),*];
    };
}

checks![
    a_stale_update_is_a_conflict,
    an_update_without_a_version_is_refused,
    a_change_of_the_spec_raises_the_generation,
    a_change_that_changes_nothing_keeps_the_version,
    status_is_dropped_at_creation,
    a_status_patch_leaves_spec_and_generation_alone,
    a_main_patch_leaves_the_status_alone,
    a_dry_run_stores_nothing,
    generate_name_makes_a_new_name,
    unknown_fields_are_pruned_or_refused,
    a_finalizer_holds_a_deletion,
    a_deletion_with_an_old_version_is_a_conflict,
    dependents_go_with_their_owner,
    apply_conflicts_and_is_forced,
    fields_that_are_no_longer_applied_go,
    a_watch_tells_every_change_in_order,
    a_watch_from_a_forgotten_version_ends_with_410,
    a_watch_with_initial_events_marks_their_end,
    a_list_in_pieces_is_whole,
    the_scale_subresource_reads_and_writes_replicas,
    a_selector_selects_in_lists_and_watches,
];

#[test]
fn a_kube_client_finds_what_it_relies_on() {
    let server = Server::find();
    runtime().block_on(async {
        let client = connect(server.kubeconfig()).await;
        if server.side() == Side::Cluster {
            install_crds(&client).await;
        }
        for (number, (name, check)) in CHECKS.iter().enumerate() {
            println!("{name}");
            let namespace = format!("behaviour-{number}-{}", std::process::id());
            let object = Namespace { metadata: named(&namespace), ..Namespace::default() };
            let namespaces: Api<Namespace> = Api::all(client.clone());
            namespaces.create(&PostParams::default(), &object).await.expect("a namespace is made");
            check(client.clone(), namespace.clone()).await;
            namespaces.delete(&namespace, &DeleteParams::default()).await.expect("a namespace is deleted");
        }
    });
}

async fn install_crds(client: &Client) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in kobel_resources::crd::crds() {
        let params = PatchParams::apply("conformance").force();
        api.patch(&crd.name_any(), &params, &Patch::Apply(&crd)).await.expect("a CRD is applied");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn deployments(client: Client, namespace: &str) -> Api<DynamicObject> {
    let resource = kube::api::ApiResource::erase::<FlinkDeployment>(&());
    Api::namespaced_with(client, namespace, &resource)
}

fn deployment(name: &str) -> DynamicObject {
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

async fn create(api: &Api<DynamicObject>, name: &str) -> DynamicObject {
    api.create(&PostParams::default(), &deployment(name)).await.expect("an object is created")
}

async fn merge(api: &Api<DynamicObject>, name: &str, patch: Value) -> DynamicObject {
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("an object is patched")
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (u16, String) {
    match answer {
        Err(Error::Api(status)) => (status.code, status.reason),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn refused(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

async fn a_stale_update_is_a_conflict(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let old = create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    let answer = api.replace("a", &PostParams::default(), &old).await;
    assert_eq!(refusal(answer), refused(409, "Conflict"));
}

async fn an_update_without_a_version_is_refused(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = create(&api, "a").await;
    object.metadata.resource_version = None;
    assert_eq!(refusal(api.replace("a", &PostParams::default(), &object).await), refused(422, "Invalid"));
}

async fn a_change_of_the_spec_raises_the_generation(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    assert_eq!(create(&api, "a").await.metadata.generation, Some(1));
    let changed = merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    assert_eq!(changed.metadata.generation, Some(2));
    let labelled = merge(&api, "a", json!({"metadata": {"labels": {"x": "y"}}})).await;
    assert_eq!(labelled.metadata.generation, Some(2));
}

async fn a_change_that_changes_nothing_keeps_the_version(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let object = create(&api, "a").await;
    let same = merge(&api, "a", json!({"spec": {"image": "flink:1.20"}})).await;
    assert_eq!(same.metadata.resource_version, object.metadata.resource_version);
    let same = api.replace("a", &PostParams::default(), &same).await.expect("an update without a change");
    assert_eq!(same.metadata.resource_version, object.metadata.resource_version);
}

async fn status_is_dropped_at_creation(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    object.data["status"] = json!({"lifecycleState": "STABLE"});
    let stored = api.create(&PostParams::default(), &object).await.expect("an object is created");
    assert!(stored.data.get("status").is_none(), "{stored:?}");
}

async fn a_status_patch_leaves_spec_and_generation_alone(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let patch = Patch::Merge(json!({"spec": {"image": "x"}, "status": {"lifecycleState": "STABLE"}}));
    let stored = api.patch_status("a", &PatchParams::default(), &patch).await.expect("a status is patched");
    assert_eq!(stored.data["spec"]["image"], "flink:1.20");
    assert_eq!(stored.data["status"]["lifecycleState"], "STABLE");
    assert_eq!(stored.metadata.generation, Some(1));
}

async fn a_main_patch_leaves_the_status_alone(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let stored = merge(&api, "a", json!({"spec": {"image": "x"}, "status": {"lifecycleState": "STABLE"}})).await;
    assert_eq!(stored.data["spec"]["image"], "x");
    assert!(stored.data.get("status").is_none(), "{stored:?}");
}

async fn a_dry_run_stores_nothing(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let answer = api.create(&params, &deployment("a")).await.expect("a dry run");
    assert!(answer.uid().is_some());
    assert!(api.get_opt("a").await.expect("a look").is_none());
}

async fn generate_name_makes_a_new_name(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("");
    object.metadata = ObjectMeta { generate_name: Some("job-".to_owned()), ..ObjectMeta::default() };
    let first = api.create(&PostParams::default(), &object).await.expect("an object is created").name_any();
    let second = api.create(&PostParams::default(), &object).await.expect("an object is created").name_any();
    assert!(first.starts_with("job-") && first.len() == 9 && first != second, "{first} {second}");
}

async fn unknown_fields_are_pruned_or_refused(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let patch = Patch::Merge(json!({"spec": {"nonsense": 1}}));
    let strict = PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::default() };
    assert_eq!(refusal(api.patch("a", &strict, &patch).await), refused(422, "Invalid"));
    let ignore = PatchParams { field_validation: Some(ValidationDirective::Ignore), ..PatchParams::default() };
    let stored = api.patch("a", &ignore, &patch).await.expect("an object is patched");
    assert!(stored.data["spec"].get("nonsense").is_none());
}

async fn a_finalizer_holds_a_deletion(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    merge(&api, "a", json!({"metadata": {"finalizers": ["kobel.dev/hold"]}})).await;
    let answer = api.delete("a", &DeleteParams::default()).await.expect("a deletion begins");
    let object = answer.left().expect("the object is still there");
    assert!(object.metadata.deletion_timestamp.is_some());
    merge(&api, "a", json!({"metadata": {"finalizers": null}})).await;
    assert!(api.get_opt("a").await.expect("a look").is_none());
}

async fn a_deletion_with_an_old_version_is_a_conflict(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let object = create(&api, "a").await;
    merge(&api, "a", json!({"spec": {"image": "x"}})).await;
    let preconditions = kube::api::Preconditions { resource_version: object.resource_version(), uid: None };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    assert_eq!(refusal(api.delete("a", &params).await), refused(409, "Conflict"));
}

async fn dependents_go_with_their_owner(client: Client, namespace: String) {
    let api = deployments(client.clone(), &namespace);
    let owner = create(&api, "a").await;
    let reference = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": "a", "uid": owner.uid(),
    });
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "owned", "ownerReferences": [reference]}})).expect("a map");
    maps.create(&PostParams::default(), &map).await.expect("a dependent is created");
    api.delete("a", &DeleteParams::background()).await.expect("the owner is deleted");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if maps.get_opt("owned").await.expect("a look").is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the dependent outlived its owner");
}

async fn apply_conflicts_and_is_forced(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut object = deployment("a");
    api.patch("a", &PatchParams::apply("one"), &Patch::Apply(&object)).await.expect("the first applies");
    object.data["spec"]["image"] = json!("other");
    let answer = api.patch("a", &PatchParams::apply("two"), &Patch::Apply(&object)).await;
    let Err(Error::Api(status)) = answer else { panic!("expected a conflict, got {answer:?}") };
    let causes = status.details.map(|details| details.causes).unwrap_or_default();
    assert_eq!((status.code, causes.len()), (409, 1));
    assert_eq!((causes[0].reason.as_str(), causes[0].field.as_str()), ("FieldManagerConflict", ".spec.image"));
    let forced = api.patch("a", &PatchParams::apply("two").force(), &Patch::Apply(&object)).await;
    assert_eq!(forced.expect("force wins").data["spec"]["image"], "other");
}

async fn fields_that_are_no_longer_applied_go(client: Client, namespace: String) {
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

/// Takes the next event of a watch that is no bookmark, as a word with a name.
macro_rules! next {
    ($watch:expr) => {
        loop {
            let event = tokio::time::timeout(PATIENCE, $watch.next()).await.expect("an event in time");
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

async fn a_watch_tells_every_change_in_order(client: Client, namespace: String) {
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

async fn a_watch_from_a_forgotten_version_ends_with_410(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    let mut watch = Box::pin(api.watch(&WatchParams::default(), "1").await.expect("a watch"));
    assert_eq!(next!(watch), "error 410");
}

async fn a_watch_with_initial_events_marks_their_end(client: Client, namespace: String) {
    let api = deployments(client, &namespace);
    create(&api, "a").await;
    let params = WatchParams::default().initial_events();
    let mut watch = Box::pin(api.watch(&params, "0").await.expect("a watch"));
    assert_eq!(next!(watch), "added a");
    assert_eq!(next!(watch), "bookmark {\"k8s.io/initial-events-end\": \"true\"}");
    create(&api, "b").await;
    assert_eq!(next!(watch), "added b");
}

async fn a_list_in_pieces_is_whole(client: Client, namespace: String) {
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

async fn the_scale_subresource_reads_and_writes_replicas(client: Client, namespace: String) {
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

async fn a_selector_selects_in_lists_and_watches(client: Client, namespace: String) {
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
