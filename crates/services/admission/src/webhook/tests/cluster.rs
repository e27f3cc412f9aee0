//! The API of a cluster, as far as the webhook asks it: a Secret, two configurations, and one deployment.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use serde_json::{Value, json};
use tower_service::Service;

use crate::keeper::Clock;

/// What the Service of the tests is called.
pub(super) const NAME: &str = "hook.team.svc";
const SECRETS: &str = "/api/v1/namespaces/team/secrets";
const DEPLOYMENTS: &str = "/apis/flink.apache.org/v1beta1/namespaces/team/flinkdeployments/";
const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/";

/// A cluster with a time of its own.
#[derive(Clone)]
pub(super) struct Cluster {
    state: Arc<Mutex<State>>,
}

struct State {
    now: Timestamp,
    version: u64,
    secret: Option<Value>,
    configurations: [Value; 2],
}

impl Cluster {
    pub(super) fn new() -> Self {
        let configuration = |path: &str| {
            let webhook = |name: &str| json!({"namespace": "team", "name": name, "path": path});
            json!({
                "metadata": {"name": "hook.team", "resourceVersion": "0"},
                "webhooks": [
                    {"name": "a.flink.apache.org", "clientConfig": {"service": webhook("hook")}},
                    {"name": "b.flink.apache.org", "clientConfig": {"service": webhook("other")}},
                ],
            })
        };
        let state = State {
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            version: 0,
            secret: None,
            configurations: [configuration("/validate"), configuration("/mutate")],
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.state().now
    }

    pub(super) fn clock(&self) -> Clock {
        let cluster = self.clone();
        Arc::new(move || cluster.now())
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: SignedDuration) {
        let mut state = self.state();
        state.now = state.now.checked_add(time).unwrap();
    }

    /// Whether the Secret has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.state().secret.as_ref().is_some_and(|secret| secret["data"].get(key).is_some())
    }

    /// The bundle of each configuration; that of another Service is empty, which is asserted.
    pub(super) fn bundles(&self) -> [String; 2] {
        self.state().configurations.each_ref().map(|configuration| {
            assert_eq!(configuration["webhooks"][1]["clientConfig"].get("caBundle"), None, "it is somebody else's");
            let encoded = configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        })
    }

    /// Takes the Secret away, as somebody does who wants another certificate.
    pub(super) fn forget_secret(&self) {
        self.state().secret = None;
    }

    /// Takes the bundles away, as somebody does who replaces a configuration.
    pub(super) fn forget_bundles(&self) {
        let mut state = self.state();
        let version = state.next_version();
        for configuration in &mut state.configurations {
            configuration["webhooks"][0]["clientConfig"].as_object_mut().unwrap().remove("caBundle");
            configuration["metadata"]["resourceVersion"] = json!(version);
        }
    }
}

impl State {
    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        if let Some(name) = path.strip_prefix(SECRETS) {
            return self.answer_about_secret(method, name, body);
        }
        if let Some(name) = path.strip_prefix(DEPLOYMENTS) {
            let deployment = json!({"metadata": {"name": name, "namespace": "team"}, "spec": {"job": {}}});
            return if name == "orders" { (200, deployment) } else { refusal(404, name) };
        }
        let which = match path.strip_prefix(CONFIGURATIONS) {
            Some("validatingwebhookconfigurations/hook.team") => 0,
            Some("mutatingwebhookconfigurations/hook.team") => 1,
            _ => return refusal(403, "any"),
        };
        if *method == Method::GET {
            return (200, self.configurations[which].clone());
        }
        assert_eq!(*method, Method::PATCH);
        let version = self.next_version();
        let configuration = &mut self.configurations[which];
        if configuration["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
            return refusal(409, "hook.team");
        }
        configuration["metadata"]["resourceVersion"] = json!(version);
        for change in body["webhooks"].as_array().unwrap() {
            let webhooks = configuration["webhooks"].as_array_mut().unwrap();
            let webhook = webhooks.iter_mut().find(|webhook| webhook["name"] == change["name"]).unwrap();
            webhook["clientConfig"]["caBundle"] = change["clientConfig"]["caBundle"].clone();
        }
        (200, configuration.clone())
    }

    fn answer_about_secret(&mut self, method: &Method, name: &str, body: &Value) -> (u16, Value) {
        let mut made = body.clone();
        made["metadata"]["resourceVersion"] = json!(self.next_version());
        match (method.as_str(), name, &self.secret) {
            ("GET", "/hook-tls", Some(secret)) => (200, secret.clone()),
            ("GET", "/hook-tls", None) => refusal(404, "hook-tls"),
            ("POST", "", Some(_)) => refusal(409, "hook-tls"),
            ("POST", "", None) => {
                self.secret = Some(made.clone());
                (201, made)
            }
            ("PUT", "/hook-tls", Some(secret)) => {
                if secret["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
                    return refusal(409, "hook-tls");
                }
                self.secret = Some(made.clone());
                (200, made)
            }
            (method, name, _) => panic!("nobody asks for this: {method} {name}"),
        }
    }
}

fn refusal(code: u16, name: &str) -> (u16, Value) {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        _ => "Conflict",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no rights",
        "reason": reason, "code": code, "details": {"name": name},
    });
    (code, status)
}

impl Service<Request<Body>> for Cluster {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let cluster = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let (code, answer) = cluster.state().answer(&head.method, head.uri.path(), &body);
            let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
            *response.status_mut() = code.try_into().unwrap();
            Ok(response)
        })
    }
}
