//! Starts against an API that keeps what it is sent, each answer of which takes its time, on a clock that tests advance.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::{Method, Request, Response};
use kobel_flink_client::FlinkClient;
use kobel_processes::Label;
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, sleep};
use tower_service::Service;

use super::super::managers::MANAGER;
use super::super::{Reach, Settings};
use super::*;
use crate::declared::{Declaration, Rules, What};
use crate::scope::Scope;
use crate::surroundings::Real;

/// How long an answer takes.
const ANSWER: Duration = Duration::from_millis(10);
const JOB: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// An API that keeps objects by their paths.
#[derive(Clone)]
struct Objects {
    begun: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    /// What nobody sees, and is there all the same.
    unseen: BTreeSet<String>,
    /// Which calls came when, in answers since the beginning.
    calls: BTreeMap<u128, Vec<String>>,
    /// What was sent to change objects.
    changes: Vec<Value>,
}

impl Objects {
    fn new() -> Self {
        Self { begun: Instant::now(), state: Arc::default() }
    }

    fn answer(&self, head: &hyper::http::request::Parts, sent: &[u8]) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
        let path = head.uri.path().split_once("/namespaces/team/").unwrap().1.to_owned();
        let is_applied = head.headers.get("content-type").is_some_and(|kind| kind == "application/apply-patch+yaml");
        let (verb, path) = match head.method {
            Method::GET if !path.contains('/') => ("LIST", path),
            Method::GET => ("GET", path),
            Method::POST => ("POST", format!("{path}/{}", sent["metadata"]["name"].as_str().unwrap())),
            Method::PATCH if is_applied => ("APPLY", path),
            Method::PATCH => ("CHANGE", path),
            _ => panic!("{head:?}"),
        };
        let at = self.begun.elapsed().as_millis() / ANSWER.as_millis();
        state.calls.entry(at).or_default().push(format!("{verb} {path}"));
        let refused = |code: u16, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "reason": reason, "message": reason, "metadata": {}});
            (code, status)
        };
        match verb {
            "LIST" => (200, json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []})),
            "GET" => state.objects.get(&path).map_or_else(|| refused(404, "NotFound"), |found| (200, found.clone())),
            "POST" if state.objects.contains_key(&path) || state.unseen.contains(&path) => {
                refused(409, "AlreadyExists")
            }
            "CHANGE" => {
                state.changes.push(sent.clone());
                let found = state.objects.get_mut(&path).unwrap();
                merge(found, &sent);
                (200, found.clone())
            }
            _ => {
                let mut object = sent;
                object["metadata"]["uid"] = json!(format!("uid of {path}"));
                object["metadata"]["resourceVersion"] = json!("7");
                // Who applies something leaves alone who manages it in another way.
                if let Some(known) = state.objects.get(&path) {
                    object["metadata"]["managedFields"] = known["metadata"]["managedFields"].clone();
                }
                state.objects.insert(path, object.clone());
                (200, object)
            }
        }
    }
}

/// RFC 7396.
fn merge(object: &mut Value, change: &Value) {
    let Some(parts) = change.as_object() else {
        *object = change.clone();
        return;
    };
    for (key, part) in parts {
        if part.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut object[key], part);
        }
    }
}

impl Service<Request<Body>> for Objects {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let objects = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let sent = body.collect_bytes().await.unwrap();
            let (code, value) = objects.answer(&head, &sent);
            sleep(ANSWER).await;
            Ok(Response::builder().status(code).body(Body::from(value.to_string().into_bytes())).unwrap())
        })
    }
}

fn deployment() -> Deployment {
    let resource = json!({"memory": "1600m", "cpu": 0.1});
    let object = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": {"name": "orders", "namespace": "team", "uid": "u-1", "generation": 1},
        "spec": {
            "image": "flink:2.2", "flinkVersion": "v2_2", "serviceAccount": "flink",
            "jobManager": {"resource": resource}, "taskManager": {"resource": resource},
            "job": {"jarURI": "local:///opt/flink/orders.jar", "parallelism": 2, "upgradeMode": "stateless"},
        },
    });
    let declaration = Declaration::read(&object, &Rules::of_cluster(&BTreeMap::new())).unwrap().unwrap();
    match declaration.what {
        What::Deployment(deployment) => *deployment,
        What::SessionJob(job) => panic!("{job:?}"),
    }
}

/// Starts `orders` over an API.
async fn start(objects: &Objects) -> Result<()> {
    let (defaults, image, reach) = (BTreeMap::new(), "kobel".to_owned(), Reach::Services);
    let client = Client::new(objects.clone(), "team");
    let settings = Settings { defaults, image, reach };
    let pods = Pods::over(client, Scope::all(), Arc::new(Real), FlinkClient::new(), settings);
    let label = Label { generation: 1, job_id: Some(JOB.to_owned()) };
    let launching = Launching { label, restore: None, uid: "u-1".to_owned() };
    pods.start(&deployment(), &launching).await
}

fn calls(objects: &Objects) -> Vec<BTreeSet<String>> {
    let state = objects.state.lock().unwrap();
    state.calls.values().map(|calls| calls.iter().cloned().collect()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_start_takes_as_long_as_four_answers_and_ends_with_the_job_manager() {
    let objects = Objects::new();
    start(&objects).await.unwrap();
    let expected = [
        set(&["GET deployments/orders", "LIST configmaps", "GET configmaps/kobel-launch-orders"]),
        set(&["POST deployments/orders"]),
        set(&[
            "POST services/orders",
            "POST services/orders-rest",
            "POST configmaps/flink-config-orders",
            "POST configmaps/pod-template-orders",
            "GET ingresses/orders",
            "APPLY configmaps/kobel-launch-orders",
        ]),
        set(&["CHANGE deployments/orders"]),
    ];
    assert_eq!(calls(&objects), expected);
    let state = objects.state.lock().unwrap();
    let manager = &state.objects["deployments/orders"];
    assert!(manager::is_whole(manager) && manager["spec"].get("paused").is_none(), "{manager:#}");
    assert_eq!(manager::annotation(manager, JOB_ID), Some(JOB));
    assert_eq!(manager::annotation(manager, kubernetes::GENERATION), Some("1"));
    assert_eq!(state.objects["configmaps/kobel-launch-orders"]["data"], json!({JOB: "made"}));
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_launch_has_left_becomes_what_is_applied() {
    let objects = Objects::new();
    let created = json!({"manager": MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {"f:old": {}}}});
    let applied = json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {}}});
    let left = json!({"metadata": {"managedFields": [created, applied]}});
    objects.state.lock().unwrap().objects.insert("services/orders-rest".to_owned(), left);
    start(&objects).await.unwrap();
    let all: Vec<String> = objects.state.lock().unwrap().calls.values().flatten().cloned().collect();
    let of_it: Vec<&str> = all.iter().filter_map(|call| call.strip_suffix(" services/orders-rest")).collect();
    assert_eq!(of_it, ["POST", "APPLY", "CHANGE", "APPLY"]);
    let state = objects.state.lock().unwrap();
    let adopted = json!([{"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:old": {}}}}]);
    assert_eq!(state.changes[0]["metadata"]["managedFields"], adopted);
    assert!(manager::is_whole(&state.objects["deployments/orders"]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_beside_a_job_manager_that_was_not_seen() {
    let objects = Objects::new();
    objects.state.lock().unwrap().unseen.insert("deployments/orders".to_owned());
    let error = start(&objects).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(objects.state.lock().unwrap().objects.is_empty());
}

#[test]
fn only_an_ingress_that_was_made_for_the_resource_is_removed() {
    let ingress = |app: &str, component: &str, owner: &str| {
        json!({"metadata": {"name": "orders", "labels": {"app": app, "component": component}, "ownerReferences": [
            {"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": owner}]}})
    };
    for (object, expected) in [
        (ingress("orders", "ingress", "orders"), true),
        (ingress("clicks", "ingress", "orders"), false),
        (ingress("orders", "own", "orders"), false),
        (ingress("orders", "ingress", "clicks"), false),
        (json!({"metadata": {"name": "orders"}}), false),
    ] {
        assert_eq!(is_ingress_of(&object, "orders"), expected, "{object}");
    }
}
