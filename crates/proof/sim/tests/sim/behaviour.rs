//! The simulated API against what kube clients rely on, and the faults of its watches and reads.

use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt as _;
use kobel_sim::api::{self, Write};
use kobel_sim::entry::{Entry, ObjectKey, Verb, Who};
use kobel_sim::fault::{Aim, At, Fault};
use kobel_sim::gate::Shared;
use kobel_sim::script::Script;
use kobel_sim::world::World;
use kobel_testkit::behaviour::{check_all, check_without_managers};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// Plays on a paused clock.
fn play<T>(part: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a loop").block_on(part)
}

fn world() -> World {
    World::new(Script::default(), 7)
}

fn key() -> ObjectKey {
    let (resource, namespace) = ("flinkdeployments".to_owned(), "default".to_owned());
    ObjectKey { resource, namespace, name: "a".to_owned() }
}

fn write(shared: &Shared, request: Write) {
    shared.with(|world| api::write(world, Who::User, request)).expect("the write is taken");
}

fn create(shared: &Shared) {
    let object = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": "a"},
        "spec": {"image": "one", "flinkVersion": "v1_20", "serviceAccount": "flink"},
    });
    write(shared, Write::Create(object));
}

fn set_image(shared: &Shared, image: &str) {
    write(shared, Write::Merge(key(), json!({"spec": {"image": image}})));
}

fn deployments(client: &Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("flink.apache.org", "v1beta1", "FlinkDeployment");
    Api::namespaced_with(client.clone(), "default", &ApiResource::from_gvk(&kind))
}

fn image(object: &DynamicObject) -> &str {
    object.data.pointer("/spec/image").and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn a_kube_client_finds_what_it_relies_on() {
    play(async {
        let mut world = world();
        world.knobs.tracks_managers = true;
        let shared = Shared::new(world);
        check_all(&api::outside(&shared), "simulated", |name| println!("{name}")).await;
    });
}

#[test]
fn a_kube_client_finds_the_same_where_no_managers_are_kept() {
    play(async {
        let shared = Shared::new(world());
        check_without_managers(&api::outside(&shared), "simulated", |name| println!("{name}")).await;
    });
}

/// Creates an object with the image `one`, changes it to `two`, at whose event the fault is, and then to `three`; tells
/// what a watch is told, with the tenths of seconds in which it is.
async fn told(fault: Option<Fault>) -> String {
    let shared = Shared::new(world());
    let client = api::outside(&shared);
    let from = shared.with(|world| world.api.revision());
    let api = deployments(&client);
    let mut watch = Box::pin(api.watch(&WatchParams::default(), &from.to_string()).await.expect("a watch"));
    let player = shared.clone();
    let writes = async move {
        create(&player);
        sleep(Duration::from_millis(100)).await;
        player.with(|world| {
            let rev = world.api.revision() + 1;
            world.aims.extend(fault.map(|fault| Aim { at: At::Event { rev }, fault }));
        });
        set_image(&player, "two");
        sleep(Duration::from_millis(100)).await;
        set_image(&player, "three");
    };
    let listening = async {
        let mut told = String::new();
        while let Ok(Some(event)) = timeout(Duration::from_secs(10), watch.next()).await {
            let tenths = shared.now_ms() / 100;
            let line = match event.expect("an event") {
                WatchEvent::Added(object) => format!("{tenths} added {}", image(&object)),
                WatchEvent::Modified(object) => format!("{tenths} modified {}", image(&object)),
                WatchEvent::Deleted(object) => format!("{tenths} deleted {}", image(&object)),
                WatchEvent::Error(status) => format!("{tenths} error {}", status.code),
                WatchEvent::Bookmark(_) => continue,
            };
            writeln!(told, "{line}").expect("a text takes a line");
        }
        told
    };
    let ((), told) = tokio::join!(writes, listening);
    told
}

#[test]
fn faults_of_watches_change_what_is_told_and_nothing_else() {
    for (fault, expected) in [
        (None, "0 added one\n1 modified two\n2 modified three\n"),
        (Some(Fault::Hold), "0 added one\n2 modified three\n"),
        (Some(Fault::Twice), "0 added one\n1 modified two\n1 modified two\n2 modified three\n"),
        (Some(Fault::Late { ms: 3_000 }), "0 added one\n31 modified two\n31 modified three\n"),
        (Some(Fault::CloseWatch), "0 added one\n"),
        (Some(Fault::Close410), "0 added one\n1 error 410\n"),
    ] {
        assert_eq!(play(told(fault.clone())), expected, "{fault:?}");
    }
}

#[test]
fn a_watch_from_where_the_last_one_ended_misses_nothing() {
    for (fault, is_gone) in [(Fault::CloseWatch, false), (Fault::Close410, true)] {
        play(async {
            let shared = Shared::new(world());
            let api = deployments(&api::outside(&shared));
            create(&shared);
            let from = api.get("a").await.expect("the object").resource_version().expect("a version");
            set_image(&shared, "two");
            shared.with(|world| api::watch_fault(world, &fault));
            let mut watch = Box::pin(api.watch(&WatchParams::default(), &from).await.expect("a watch"));
            let event = watch.next().await.expect("the watch goes on").expect("an event");
            match event {
                WatchEvent::Modified(object) => assert!(!is_gone && image(&object) == "two"),
                WatchEvent::Error(status) => assert!(is_gone && status.code == 410),
                other => unreachable!("{other:?}"),
            }
        });
    }
}

#[test]
fn stale_reads_show_what_was_there_for_a_while() {
    play(async {
        let shared = Shared::new(world());
        let api = deployments(&api::outside(&shared));
        create(&shared);
        set_image(&shared, "two");
        set_image(&shared, "three");
        for (back, expected) in [(0, "three"), (1, "two"), (2, "one")] {
            shared.with(|world| world.api.stale = Some((world.now_ms + 1_000, back)));
            assert_eq!(image(&api.get("a").await.expect("the object")), expected);
            let listed = api.list(&ListParams::default()).await.expect("a list");
            assert_eq!(listed.items.iter().map(image).collect::<Vec<_>>(), [expected]);
        }
        shared.with(|world| world.api.stale = Some((world.now_ms + 1_000, 3)));
        assert!(api.get_opt("a").await.expect("a look").is_none(), "it was not there yet");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(image(&api.get("a").await.expect("the object")), "three");
    });
}

#[test]
fn every_write_is_in_the_history_once() {
    play(async {
        let shared = Shared::new(world());
        create(&shared);
        set_image(&shared, "one");
        write(&shared, Write::MergeStatus(key(), json!({"status": {"lifecycleState": "STABLE"}})));
        write(&shared, Write::Merge(key(), json!({"metadata": {"finalizers": ["kobel.dev/hold"]}})));
        shared.with(|world| api::touch(world, "default/a"));
        write(&shared, Write::Delete(key()));
        write(&shared, Write::ForceDelete(key()));
        let world = shared.into_world();
        let verbs: Vec<Verb> = world
            .history
            .iter()
            .filter_map(|happened| match &happened.entry {
                Entry::Wrote { verb, .. } => Some(*verb),
                _ => None,
            })
            .collect();
        let expected = [Verb::Create, Verb::UpdateStatus, Verb::Update, Verb::Update, Verb::MarkDeleted, Verb::Delete];
        assert_eq!(verbs, expected);
        assert!(world.api.get(&key()).is_none());
    });
}

#[test]
fn a_script_is_told_what_the_api_says_against_it() {
    play(async {
        let shared = Shared::new(world());
        create(&shared);
        let refused =
            |request: Write| shared.with(|world| api::write(world, Who::User, request)).expect_err("it is wrong");
        let unknown = refused(Write::Merge(key(), json!({"spec": {"nonsense": 1}})));
        assert!(unknown.contains("unknown field \"spec.nonsense\""), "{unknown}");
        let missing = refused(Write::Delete(ObjectKey { name: "b".to_owned(), ..key() }));
        assert_eq!(missing, "flinkdeployments.flink.apache.org \"b\" not found");
    });
}
