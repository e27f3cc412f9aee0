//! Where a check plays: the cluster and its only operator, with a namespace in which the API server refuses every pod
//! that the restricted Pod Security Standard does not admit.

use std::path::Path;

use kobel_resources::flink_deployment::FlinkDeployment;
use kobel_testkit::or_skip;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::core::Request;
use kube::{Client, Resource as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::chart::{Helm, Release, account, install};
use crate::client::{PATIENCE, STEP, connect, resource, runtime, text};
use crate::fixture::{Cluster, cluster, turn};
use crate::operator::Operator;

/// Who the operator says that it is when it applies something.
const OPERATOR: &str = "kobel-operator";
/// The kinds that the operator makes objects of, or Kubernetes for it.
const KINDS: [(&str, &str); 8] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ConfigMap"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
];

/// A namespace of the cluster, and the operator of the cluster.
pub(crate) struct Stage {
    /// The operator.
    pub(crate) operator: Operator,
    /// Whoever has installed what gives the operator its rights.
    pub(crate) helm: Helm,
    cluster: &'static Cluster,
    client: Client,
    namespace: String,
    /// What is there when nothing is declared.
    bare: Vec<String>,
}

/// Plays a check while nobody else uses the cluster.
pub(crate) fn on_stage(name: &str, check: impl AsyncFnOnce(&mut Stage)) {
    let cluster = or_skip!(cluster());
    let helm = or_skip!(Helm::over(cluster));
    let _turn = turn();
    runtime().block_on(async {
        let mut stage = Stage::set(cluster, helm, name).await;
        check(&mut stage).await;
        let namespaces: Api<DynamicObject> = Api::all_with(stage.client.clone(), &resource("v1", "Namespace"));
        namespaces.delete(&stage.namespace, &DeleteParams::default()).await.expect("the namespace is deleted");
    });
}

impl Stage {
    async fn set(cluster: &'static Cluster, helm: Helm, name: &str) -> Self {
        let client = connect(cluster.kubeconfig()).await;
        install(&client, &helm).await;
        let namespace = format!("operator-{name}-{}", std::process::id());
        let labels = json!({
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
        });
        let metadata = json!({"name": namespace, "labels": labels});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        create(&Api::all_with(client.clone(), &resource("v1", "Namespace")), object).await;
        let operator = Operator::start(&account(&client, cluster).await);
        let mut stage = Self { operator, helm, cluster, client, namespace, bare: Vec::new() };
        stage.create("v1", "ServiceAccount", json!({"metadata": {"name": "flink"}})).await;
        // Kubernetes furnishes every namespace, and takes its time.
        let furniture = ["ConfigMap kube-root-ca.crt", "ServiceAccount default", "ServiceAccount flink"];
        stage.bare = furniture.map(str::to_owned).to_vec();
        stage.is_bare().await;
        stage
    }

    /// A client with every right.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The kubeconfig of who has every right.
    pub(crate) fn kubeconfig(&self) -> &'static Path {
        self.cluster.kubeconfig()
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn administrator(&self) -> Value {
        let text = std::fs::read_to_string(self.cluster.kubeconfig()).expect("the kubeconfig is read");
        serde_saphyr::from_str(&text).expect("the kubeconfig is YAML")
    }

    /// The namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Installs the chart once more, with other values and an account of its own.
    pub(crate) fn install_besides(&self, values: Value) -> Release {
        let namespace = format!("{}-system", self.namespace);
        Release::install(self.helm.clone(), self.client.clone(), self.cluster, (namespace, values))
    }

    /// Takes what is there now for what is there when nothing is declared.
    pub(crate) async fn take_as_bare(&mut self) {
        self.bare = self.objects().await.iter().map(called).collect();
    }

    /// Starts the operator again, as who the chart makes it now.
    pub(crate) async fn start_operator_again(&mut self) {
        self.operator.become_another(&account(&self.client, self.cluster).await);
        self.operator.start_again();
    }

    /// Starts the operator again with further arguments.
    pub(crate) async fn start_operator_with(&mut self, arguments: Vec<String>) {
        self.operator.kill();
        self.operator = Operator::start_with(&account(&self.client, self.cluster).await, arguments);
    }

    /// The objects of a kind.
    pub(crate) fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(api_version, kind))
    }

    /// The clusters and applications that are declared.
    pub(crate) fn deployments(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &ApiResource::erase::<FlinkDeployment>(&()))
    }

    /// Creates an object of somebody else.
    pub(crate) async fn create(&self, api_version: &str, kind: &str, mut object: Value) -> Value {
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        create(&self.api(api_version, kind), object).await
    }

    /// Declares a cluster or an application.
    pub(crate) async fn apply(&self, manifest: &Value) {
        let params = PatchParams::apply("conformance").force();
        let applied =
            self.deployments().patch(text(manifest, "/metadata/name"), &params, &Patch::Apply(manifest)).await;
        applied.expect("it is applied");
    }

    /// What is declared under a name, as it stands.
    pub(crate) async fn declared(&self, name: &str) -> Value {
        value(self.deployments().get(name).await.expect("it is there"))
    }

    /// Deletes what is declared under a name, which may take its time.
    pub(crate) async fn delete(&self, name: &str) {
        self.deployments().delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// Waits until nothing is declared under a name and all is as it was.
    pub(crate) async fn cleared(&self, name: &str) {
        self.until(&format!("`{name}` is gone"), async || {
            self.deployments().get_opt(name).await.expect("an answer").is_none().then_some(())
        })
        .await;
        self.is_bare().await;
    }

    async fn is_bare(&self) {
        self.stands(&[]).await;
    }

    /// Waits until what is expected is there, beside what always is, and nothing else; answers it.
    pub(crate) async fn stands(&self, expected: &[&str]) -> Vec<Value> {
        let mut wanted: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        wanted.extend(self.bare.iter().cloned());
        wanted.sort_unstable();
        let what = format!("there is nothing but {wanted:?}");
        let made = self.until(&what, async || {
            let objects = self.objects().await;
            let mut names: Vec<String> = objects.iter().map(called).collect();
            names.sort_unstable();
            (names == wanted).then_some(objects)
        });
        let mut made = made.await;
        made.retain(|object| !self.bare.contains(&called(object)));
        made
    }

    /// Waits until the status of what is declared under a name is as wanted; answers it.
    pub(crate) async fn status(&self, name: &str, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        self.until(what, async || {
            let status = self.declared(name).await["status"].take();
            is_wanted(&status).then_some(status)
        })
        .await
    }

    /// Looks until something is found.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                let scene = self.scene().await;
                panic!("not yet: {what}\n{scene}");
            }
            sleep(STEP).await;
        }
    }

    /// Everything that is there, for a person; the log of the operator follows by itself.
    async fn scene(&self) -> String {
        let declared = self.deployments().list(&ListParams::default()).await.expect("a list");
        let declared: Vec<Value> = declared.items.into_iter().map(value).collect();
        let objects = self.objects().await;
        let names: Vec<String> = objects.iter().map(called).collect();
        // Who owns which field is long, and of no interest.
        let whole = json!({"declared": declared, "objects": objects});
        let lines = format!("{:#}", without_managers(whole));
        format!("there is {names:?}\n{lines}")
    }

    async fn objects(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for (api_version, kind) in KINDS {
            let listed = self.api(api_version, kind).list(&ListParams::default()).await.expect("a list");
            all.extend(listed.items.into_iter().map(|object| {
                // What is listed does not say of what kind it is.
                let mut object = value(object);
                object["apiVersion"] = json!(api_version);
                object["kind"] = json!(kind);
                object
            }));
        }
        all
    }

    /// What the API warns of when an object is applied once more, as the operator does it.
    pub(crate) async fn warnings(&self, object: &Value) -> Vec<String> {
        let mut applied = without_managers(object.clone());
        let parts = applied.as_object_mut().expect("an object");
        parts.remove("status");
        let metadata = parts.get_mut("metadata").and_then(Value::as_object_mut).expect("metadata");
        for key in ["creationTimestamp", "generation", "resourceVersion", "uid"] {
            metadata.remove(key);
        }
        let kind = resource(text(object, "/apiVersion"), text(object, "/kind"));
        let path = DynamicObject::url_path(&kind, Some(self.namespace.as_str()));
        let params = PatchParams { dry_run: true, ..PatchParams::apply(OPERATOR).force() };
        let request = Request::new(path).patch(text(object, "/metadata/name"), &params, &Patch::Apply(&applied));
        let request = request.expect("a request").map(Body::from);
        let answer = self.client.send(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{} is refused with {}", called(object), answer.status());
        let warnings = answer.headers().get_all("warning").iter();
        warnings.map(|warning| String::from_utf8_lossy(warning.as_bytes()).into_owned()).collect()
    }
}

/// What an object is called. One whose name Kubernetes ends by chance is called after whom it is of.
pub(crate) fn called(object: &Value) -> String {
    match text(object, "/kind") {
        kind @ ("Pod" | "ReplicaSet") => {
            let label = |key: &str| text(object, &format!("/metadata/labels/{key}"));
            format!("{kind} of {} {}", label("app"), label("component"))
        }
        kind => format!("{kind} {}", text(object, "/metadata/name")),
    }
}

async fn create(api: &Api<DynamicObject>, object: Value) -> Value {
    let object: DynamicObject = serde_json::from_value(object).expect("an object");
    value(api.create(&PostParams::default(), &object).await.expect("it is created"))
}

fn value(object: DynamicObject) -> Value {
    serde_json::to_value(object).expect("an object is JSON")
}

/// Takes out of a value, at any depth, who has set which field.
fn without_managers(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.remove("managedFields");
            fields.values_mut().for_each(|field| *field = without_managers(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_managers(item.take())),
        _ => {}
    }
    value
}
