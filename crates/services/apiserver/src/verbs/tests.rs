//! The verbs on a store in memory with one small custom kind.

use std::sync::Arc;

use kobel_resources::schema::Schema;
use serde_json::{Value, json};

use super::*;
use crate::kind::{Kind, ScalePaths, Scope};
use crate::managed::Force;
use crate::store::Key;

struct Fixed;

impl Surroundings for Fixed {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn new_uid(&self) -> String {
        crate::surroundings::Machine.new_uid()
    }

    fn name_suffix(&self) -> String {
        "bcdfg".to_owned()
    }
}

fn widget() -> Arc<Kind> {
    let openapi = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "minimum": 1}, "color": {"type": "string", "default": "red"},
            "replicas": {"type": "integer"},
        }},
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "note": {"type": "string"}}},
    }});
    Arc::new(Kind {
        group: "a.test".to_owned(),
        version: "v1".to_owned(),
        kind: "Widget".to_owned(),
        plural: "widgets".to_owned(),
        singular: "widget".to_owned(),
        short_names: Vec::new(),
        categories: Vec::new(),
        scope: Scope::Namespaced,
        columns: Vec::new(),
        schema: Schema::compile(&openapi).unwrap(),
        openapi,
        has_status: true,
        scale: Some(ScalePaths {
            spec_replicas: ".spec.replicas".to_owned(),
            status_replicas: ".status.replicas".to_owned(),
            label_selector: None,
        }),
        is_custom: true,
        reviewer: None,
    })
}

/// A store with the namespace `ns`, and short words for what the tests do.
struct Bench {
    engine: Engine,
    store: Store,
    kind: Arc<Kind>,
    runtime: tokio::runtime::Runtime,
}

fn options() -> WriteOptions {
    WriteOptions {
        field_manager: "test".to_owned(),
        dry_run: DryRun::No,
        validation: FieldValidation::Warn,
        force: Force::No,
        body_faults: Vec::new(),
    }
}

fn caller() -> Caller {
    Caller { user: "u".to_owned(), groups: Vec::new() }
}

impl Bench {
    fn new() -> Self {
        let store = Store::in_memory().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns", "uid": "n"}});
        runtime.block_on(store.write(move |tx| tx.put(&Key::new("namespaces", "", "ns"), namespace))).unwrap();
        let engine = Engine::new(store.clone(), Kinds::all(), Arc::new(Fixed));
        Self { engine, store, kind: widget(), runtime }
    }

    fn target(&self, name: &str, subresource: Option<Subresource>) -> Target {
        let name = (!name.is_empty()).then(|| name.to_owned());
        Target { kind: Arc::clone(&self.kind), namespace: Some("ns".to_owned()), name, subresource }
    }

    fn create(&self, metadata: Value, spec: Value) -> Answer<Value> {
        let body = json!({"apiVersion": "a.test/v1", "kind": "Widget", "metadata": metadata, "spec": spec,
            "status": {"note": "x"}});
        let answer = self.engine.create(caller(), self.target("", None), body, options());
        self.runtime.block_on(answer).map(|outcome| outcome.object)
    }

    fn merge(&self, name: &str, subresource: Option<Subresource>, body: Value) -> Answer<Value> {
        let answer = self.engine.patch(caller(), self.target(name, subresource), (PatchKind::Merge, body), options());
        self.runtime.block_on(answer).map(|outcome| outcome.object)
    }

    fn update(&self, name: &str, body: Value) -> Answer<Value> {
        let answer = self.engine.update(caller(), self.target(name, None), body, options());
        self.runtime.block_on(answer).map(|outcome| outcome.object)
    }

    fn delete(&self, name: &str, propagation: Propagation) -> Answer<Value> {
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        let answer = self.engine.delete(caller(), self.target(name, None), options);
        self.runtime.block_on(answer).map(|outcome| outcome.object)
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.store.get(&Key::new("widgets.a.test", "ns", name)).map(|stored| stored.value())
    }
}

#[test]
fn a_created_object_has_what_the_server_sets_and_no_status() {
    let bench = Bench::new();
    let made = bench.create(json!({"name": "a", "generation": 7}), json!({"size": 1, "foo": 2})).unwrap();
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["metadata"]["namespace"], "ns");
    assert_eq!(made["spec"], json!({"size": 1, "color": "red"}));
    assert!(made.get("status").is_none());
    let made = bench.create(json!({"generateName": "b-"}), json!({})).unwrap();
    assert_eq!(made["metadata"]["name"], "b-bcdfg");
}

#[test]
fn a_create_is_refused_in_the_words_of_the_api_server() {
    let bench = Bench::new();
    bench.create(json!({"name": "a"}), json!({})).unwrap();
    for (metadata, code, message) in [
        (json!({"name": "a"}), 409, "widgets.a.test \"a\" already exists"),
        (
            json!({}),
            422,
            "Widget.a.test \"\" is invalid: metadata.name: Required value: name or generateName \
             is required",
        ),
        (
            json!({"name": "b", "namespace": "x"}),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            json!({"name": "b", "labels": {"a": 1}}),
            400,
            "Widget in version \"v1\" cannot be handled as a Widget: json: cannot unmarshal number into Go struct \
             field ObjectMeta.labels of type string",
        ),
        (
            json!({"name": "b", "resourceVersion": "1"}),
            500,
            "resourceVersion should not be set on objects to be created",
        ),
    ] {
        let refusal = bench.create(metadata, json!({})).unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
    }
}

#[test]
fn only_a_changed_wish_counts_as_a_generation() {
    let bench = Bench::new();
    let made = bench.create(json!({"name": "a"}), json!({"size": 1})).unwrap();
    let same = bench.merge("a", None, json!({"spec": {"size": 1}, "status": {"note": "y"}})).unwrap();
    assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    let labelled = bench.merge("a", None, json!({"metadata": {"labels": {"x": "y"}}})).unwrap();
    assert_eq!(labelled["metadata"]["generation"], 1);
    let status = json!({"status": {"note": "hi"}, "spec": {"size": 9}});
    let observed = bench.merge("a", Some(Subresource::Status), status).unwrap();
    assert_eq!((&observed["status"]["note"], &observed["spec"]["size"]), (&json!("hi"), &json!(1)));
    assert_eq!(observed["metadata"]["generation"], 1);
    let changed = bench.merge("a", None, json!({"spec": {"size": 2}})).unwrap();
    assert_eq!(changed["metadata"]["generation"], 2);
}

#[test]
fn an_update_names_the_version_it_was_made_from() {
    let bench = Bench::new();
    let made = bench.create(json!({"name": "a"}), json!({})).unwrap();
    let mut body = made.clone();
    body["spec"]["size"] = json!(3);
    assert_eq!(bench.update("a", body.clone()).unwrap()["spec"]["size"], 3);
    assert_eq!(bench.update("a", body.clone()).unwrap_err().code, 409);
    body["metadata"]["resourceVersion"] = json!("");
    assert!(bench.update("a", body).unwrap_err().message.ends_with("must be specified for an update"));
}

#[test]
fn a_finalizer_holds_an_object_until_it_is_taken_away() {
    let bench = Bench::new();
    bench.create(json!({"name": "a", "finalizers": ["a/f"]}), json!({})).unwrap();
    let going = bench.delete("a", Propagation::Background).unwrap();
    assert_eq!(going["metadata"]["generation"], 2);
    assert_eq!(going["metadata"]["deletionGracePeriodSeconds"], 0);
    bench.merge("a", None, json!({"metadata": {"finalizers": null}})).unwrap();
    assert_eq!(bench.get("a"), None);
    assert_eq!(bench.delete("a", Propagation::Background).unwrap_err().code, 404);
}

#[test]
fn dependents_go_stay_or_go_first_as_propagation_says() {
    for (propagation, stays) in
        [(Propagation::Background, false), (Propagation::Foreground, false), (Propagation::Orphan, true)]
    {
        let bench = Bench::new();
        let owner = bench.create(json!({"name": "a"}), json!({})).unwrap();
        let reference = json!({"apiVersion": "a.test/v1", "kind": "Widget", "name": "a",
            "uid": owner["metadata"]["uid"], "blockOwnerDeletion": true});
        bench.create(json!({"name": "b", "ownerReferences": [reference]}), json!({})).unwrap();
        bench.delete("a", propagation).unwrap();
        assert_eq!(bench.get("a"), None, "{propagation:?}");
        assert_eq!(bench.get("b").is_some(), stays, "{propagation:?}");
        let owned = bench.get("b").is_some_and(|object| object["metadata"].get("ownerReferences").is_some());
        assert!(!owned, "{propagation:?}");
    }
}

#[test]
fn an_object_whose_owner_never_was_goes_at_once() {
    let bench = Bench::new();
    let reference = json!({"apiVersion": "a.test/v1", "kind": "Widget", "name": "x", "uid": "nobody"});
    bench.create(json!({"name": "b", "ownerReferences": [reference]}), json!({})).unwrap();
    assert_eq!(bench.get("b"), None);
}

#[test]
fn scale_writes_the_wanted_replicas_and_refuses_negative_ones() {
    let bench = Bench::new();
    bench.create(json!({"name": "a"}), json!({})).unwrap();
    let scale = bench.merge("a", Some(Subresource::Scale), json!({"spec": {"replicas": 4}})).unwrap();
    assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(4)));
    assert_eq!(bench.get("a").unwrap()["spec"]["replicas"], 4);
    let refusal = bench.merge("a", Some(Subresource::Scale), json!({"spec": {"replicas": -1}})).unwrap_err();
    let rule = ".spec.replicas: Invalid value: -1: should be a non-negative integer";
    assert_eq!(refusal.message, format!("Widget.a.test \"a\" is invalid: {rule}"));
}

#[test]
fn a_dry_run_leaves_nothing() {
    let bench = Bench::new();
    let tried = WriteOptions { dry_run: DryRun::All, ..options() };
    let body = json!({"apiVersion": "a.test/v1", "kind": "Widget", "metadata": {"name": "a"}});
    let answer = bench.engine.create(caller(), bench.target("", None), body, tried);
    let made = bench.runtime.block_on(answer).unwrap();
    assert_eq!((made.code, made.object["metadata"].get("resourceVersion")), (201, None));
    assert_eq!(bench.get("a"), None);
}

#[test]
fn the_audit_names_fields_and_never_values() {
    let bench = Bench::new();
    bench.create(json!({"name": "a"}), json!({"color": "secret"})).unwrap();
    let rows = bench.runtime.block_on(bench.store.audit_since(0, 10)).unwrap();
    let (_, row) = rows.last().unwrap();
    assert_eq!((&row["verb"], &row["user"]), (&json!("create"), &json!("u")));
    assert!(row["changed"].as_array().unwrap().contains(&json!("spec.color")), "{row}");
    assert!(!row.to_string().contains("secret"), "{row}");
}
