//! The API end to end, without a socket.

use std::sync::Arc;

use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::auth::Access;
use crate::kinds::Kinds;
use crate::store::{Key, Store};
use crate::surroundings::{Machine, Surroundings};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

struct World {
    api: Api,
    store: Store,
    token: String,
    _data: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        let surroundings: Arc<dyn Surroundings> = Arc::new(Machine);
        let access = Access::new(store.clone(), Arc::clone(&surroundings));
        let token = access.start(data.path()).await.unwrap();
        let world =
            Self { api: Api::new(store.clone(), Kinds::all(), surroundings, access), store, token, _data: data };
        let meta = json!({"name": "default", "uid": "n"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": meta,
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        world.put(Key::new("namespaces", "", "default"), namespace).await;
        world
    }

    async fn put(&self, key: Key, object: Value) {
        self.store.write(move |tx| tx.put(&key, object)).await.unwrap();
    }

    async fn put_map(&self, name: &str) {
        let meta = json!({"name": name, "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}});
        self.put(Key::new("configmaps", "default", name), object).await;
    }

    fn call(&self, method: &str, target: &str) -> Call {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut call = Call::new(method, path, query);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap();
        call.headers.insert(AUTHORIZATION, bearer);
        call
    }

    async fn read(&self, target: &str, accept: &str) -> (u16, Value) {
        let mut call = self.call("GET", target);
        call.headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        object(self.api.handle(call).await)
    }

    async fn send(&self, method: &str, target: &str, body: &str) -> Reply {
        let mut call = self.call(method, target);
        let (name, value): (HeaderName, _) = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call.headers.insert(name, value);
        call.body = body.to_owned().into();
        self.api.handle(call).await
    }
}

fn object(reply: Reply) -> (u16, Value) {
    let body = reply.bytes().expect("not a stream").clone();
    (reply.code, serde_json::from_slice(&body).unwrap())
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn health_and_version_are_told_to_everybody_and_nothing_else() {
    let world = World::new().await;
    for (path, code) in [("/healthz", 200), ("/version", 200), ("/api", 403), (MAPS, 403), ("/nothing", 403)] {
        assert_eq!(world.api.handle(Call::new("GET", path, "")).await.code, code, "{path}");
    }
}

#[tokio::test]
async fn metrics_are_told_to_those_who_may_have_them() {
    let world = World::new().await;
    assert_eq!(world.read("/metrics", "").await.0, 404, "nobody measures");
    assert!(!world.read("/", "").await.1["paths"].to_string().contains("/metrics"));
    world.api.give_metrics(Box::new(|| "a 1\n".to_owned()));
    let reply = world.api.handle(world.call("GET", "/metrics")).await;
    assert_eq!((reply.code, reply.bytes().map(|bytes| &bytes[..])), (200, Some(&b"a 1\n"[..])));
    assert_eq!(reply.headers[0], ("content-type", "text/plain; version=0.0.4; charset=utf-8".to_owned()));
    assert!(world.read("/", "").await.1["paths"].to_string().contains("/metrics"));
    assert_eq!(world.api.handle(Call::new("GET", "/metrics", "")).await.code, 403, "a stranger");
    assert_eq!(world.api.handle(world.call("POST", "/metrics")).await.code, 405);
}

#[tokio::test]
async fn pages_of_a_list_are_of_one_moment() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d", "e"] {
        world.put_map(name).await;
    }
    let (_, first) = world.read(&format!("{MAPS}?limit=2"), "").await;
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    world.put_map("aa").await;
    world.put_map("cc").await;
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let (_, second) = world.read(&format!("{MAPS}?limit=2&continue={token}"), "").await;
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let token = second["metadata"]["continue"].as_str().unwrap().to_owned();
    let (_, third) = world.read(&format!("{MAPS}?limit=2&continue={token}"), "").await;
    assert_eq!(names(&third), ["e"]);
    assert_eq!(third["metadata"].get("continue"), None);
    let gone = pages::token(1, 1);
    assert_eq!(world.read(&format!("{MAPS}?continue={gone}"), "").await.0, 410);
    assert_eq!(world.read(&format!("{MAPS}?continue=abc"), "").await.0, 400);
    let elsewhere = "/api/v1/namespaces/other/configmaps";
    assert_eq!(world.read(&format!("{elsewhere}?continue={token}"), "").await.0, 400);
}

#[tokio::test]
async fn versions_that_are_gone_or_not_yet_there_are_refused() {
    let world = World::new().await;
    world.put_map("a").await;
    let now = world.store.revision();
    for (query, code) in [
        (format!("resourceVersion={now}"), 200),
        (format!("resourceVersion={}", now + 9), 504),
        (format!("resourceVersion={now}&resourceVersionMatch=Exact"), 200),
        (format!("resourceVersion={}&resourceVersionMatch=Exact", now - 1), 410),
    ] {
        assert_eq!(world.read(&format!("{MAPS}?{query}"), "").await.0, code, "{query}");
    }
}

#[tokio::test]
async fn a_table_has_the_columns_of_its_kind() {
    let world = World::new().await;
    world.put_map("a").await;
    let (_, table) = world.read(MAPS, TABLE).await;
    let titles: Vec<&Value> =
        table["columnDefinitions"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    assert_eq!(titles, ["Name", "Data", "Age"]);
    assert_eq!(table["rows"][0]["cells"][0], "a");
    assert_eq!(table["rows"][0]["cells"][1], 1);
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let (_, table) = world.read(&format!("{MAPS}/a?includeObject=Object"), TABLE).await;
    assert_eq!(table["rows"][0]["object"]["kind"], "ConfigMap");
    assert_eq!(world.read(&format!("{MAPS}?includeObject=Foo"), TABLE).await.0, 400);
}

#[tokio::test]
async fn a_table_of_a_custom_kind_has_its_own_columns_and_the_age() {
    let world = World::new().await;
    let meta = json!({"name": "app", "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"});
    let version = "flink.apache.org/v1beta1";
    let body = json!({"apiVersion": version, "kind": "FlinkDeployment", "metadata": meta, "spec": {}});
    world.put(Key::new("flinkdeployments.flink.apache.org", "default", "app"), body).await;
    let path = format!("/apis/{version}/namespaces/default/flinkdeployments");
    let (code, table) = world.read(&path, TABLE).await;
    assert_eq!(code, 200, "{table}");
    let columns = table["columnDefinitions"].as_array().unwrap();
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(columns.len(), cells.len());
    assert_eq!(columns[0]["name"], "Name");
    assert_eq!(columns.iter().filter(|column| column["name"] == "Age").count(), 1);
    let state = columns.iter().position(|column| column["name"] != "Name" && column["type"] == "string").unwrap();
    assert_eq!(cells[state], Value::Null, "what is absent is null");
}

#[tokio::test]
async fn selectors_select_and_wrong_ones_are_refused() {
    let world = World::new().await;
    world.put_map("a").await;
    world.put_map("b").await;
    let (_, list) = world.read(&format!("{MAPS}?fieldSelector=metadata.name%3Db"), "").await;
    assert_eq!(names(&list), ["b"]);
    let (_, list) = world.read(&format!("{MAPS}?fieldSelector=metadata.name!%3Db"), "").await;
    assert_eq!(names(&list), ["a"]);
    let (code, refusal) = world.read("/api/v1/secrets?fieldSelector=foo%3D1", "").await;
    assert_eq!((code, refusal["message"].as_str().unwrap()), (400, "field label not supported: foo"));
    let (code, refusal) = world.read(&format!("{MAPS}?fieldSelector=foo%3D1"), "").await;
    let message = "\"foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    assert_eq!((code, refusal["message"].as_str().unwrap()), (400, message));
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_refused() {
    let world = World::new().await;
    for (method, path, code) in [
        ("GET", "/api/v1/nothings", 404),
        ("GET", "/apis/nobody.example/v1", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/none", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/none/scale", 404),
        ("PUT", MAPS, 405),
        ("POST", "/api/v1/namespaces/default/configmaps/x", 405),
        ("POST", "/api/v1/configmaps", 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x", 405),
    ] {
        assert_eq!(world.send(method, path, "{}").await.code, code, "{method} {path}");
    }
}

#[tokio::test]
async fn a_create_answers_the_object_and_warns_of_keys_that_stand_twice() {
    let world = World::new().await;
    let body = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}}"#;
    let refused = world.send("POST", &format!("{MAPS}?fieldValidation=Strict"), body).await;
    assert_eq!(refused.code, 400);
    let made = world.send("POST", MAPS, body).await;
    assert_eq!(made.code, 201);
    let warning = made.headers.iter().find(|(name, _)| *name == "warning").map(|(_, value)| value.as_str());
    assert_eq!(warning, Some(r#"299 - "duplicate field \"data.a\"""#));
    let (_, found) = world.read(&format!("{MAPS}/x"), "").await;
    assert_eq!(found["data"]["a"], "2");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_in_the_api_servers_words() {
    let world = World::new().await;
    let start = "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; \
                 json parse error: ";
    for (body, rest) in [
        ("", "unexpected end of JSON input (<empty>)"),
        (
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":"#,
            r#"unexpected end of JSON input ({"apiVersion":"v1","kind":"Con ...)"#,
        ),
    ] {
        let (code, refusal) = object(world.send("POST", MAPS, body).await);
        assert_eq!((code, refusal["message"].as_str().unwrap()), (400, format!("{start}{rest}").as_str()));
    }
}

#[tokio::test]
async fn definitions_can_be_read_as_objects() {
    let world = World::new().await;
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (_, list) = world.read(path, "").await;
    assert!(names(&list).contains(&"flinkdeployments.flink.apache.org"));
    let (code, one) = world.read(&format!("{path}/flinkdeployments.flink.apache.org"), "").await;
    assert_eq!((code, one["spec"]["group"].as_str()), (200, Some("flink.apache.org")));
}

#[tokio::test]
async fn an_event_is_shown_in_both_groups() {
    let world = World::new().await;
    let meta = json!({"name": "e", "namespace": "default"});
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": meta, "reason": "Started", "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "p"}, "message": "hello"});
    world.put(Key::new("events", "default", "e"), event).await;
    let (_, newer) = world.read("/apis/events.k8s.io/v1/namespaces/default/events/e", "").await;
    assert_eq!((newer["note"].as_str(), newer["apiVersion"].as_str()), (Some("hello"), Some("events.k8s.io/v1")));
    let query = "fieldSelector=involvedObject.name%3Dp,type!%3DWarning";
    let (_, older) = world.read(&format!("/api/v1/namespaces/default/events?{query}"), "").await;
    assert_eq!(names(&older), ["e"]);
    let (_, table) = world.read("/apis/events.k8s.io/v1/events", TABLE).await;
    assert_eq!(table["rows"][0]["cells"][3], "pod/p");
}

#[tokio::test]
async fn a_json_patch_of_the_newer_view_of_events_is_refused() {
    let world = World::new().await;
    let mut call = world.call("PATCH", "/apis/events.k8s.io/v1/namespaces/default/events/e");
    call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json-patch+json"));
    call.body = r#"[{"op":"add","path":"/note","value":"x"}]"#.into();
    let (code, refusal) = object(world.api.handle(call).await);
    assert_eq!(code, 415);
    assert!(refusal["message"].as_str().unwrap().contains("application/merge-patch+json"), "{refusal}");
}

#[tokio::test]
async fn a_slash_behind_a_collection_reaches_nothing() {
    let world = World::new().await;
    world.put_map("a").await;
    assert_eq!(world.send("DELETE", &format!("{MAPS}/"), "").await.code, 404);
    assert_eq!(world.read(&format!("{MAPS}/a"), "").await.0, 200);
}

#[tokio::test]
async fn a_request_is_refused_before_its_body_is_looked_at() {
    let world = World::new().await;
    assert_eq!(world.api.admit(&Call::new("POST", MAPS, "")).unwrap_err().code, 403);
    for (method, takes_body) in [("POST", true), ("GET", false), ("DELETE", true)] {
        let admitted = world.api.admit(&world.call(method, MAPS)).unwrap();
        assert_eq!(admitted.takes_body(), takes_body, "{method}");
    }
}

#[tokio::test]
async fn what_cannot_be_given_in_the_wanted_form_is_refused() {
    let world = World::new().await;
    assert_eq!(world.read(MAPS, "application/xml").await.0, 406);
    let protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    assert_eq!(world.read("/openapi/v2", protobuf).await.0, 406);
    assert_eq!(world.read("/openapi/v2", "application/json").await.0, 200);
}
