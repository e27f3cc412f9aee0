//! The chart, installed by Helm itself, and the rights that it gives the operator.

use std::path::{Path, PathBuf};
use std::process::Command;

use kobel_testkit::packages::python_environment;
use kobel_testkit::process::run;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::{PATIENCE, STEP, resource, text};
use crate::fixture::Cluster;
use crate::manifests::application;
use crate::stage::{Stage, on_stage};

/// The pins of Helm as a library of Python.
const PACKAGES: [&str; 1] = ["helm-python-sdk==0.2.2"];
/// The namespace of the release.
const NAMESPACE: &str = "kobel-system";
/// The name of the release, and of the operator's account.
const RELEASE: &str = "kobel";
/// How severe a message of Helm's is that only gives advice; a warning has 2, an error 3.
const ADVICE: i64 = 1;
/// How long a token holds, in seconds.
const TOKEN_TIME: u32 = 3_600;

/// Helm, over the releases of the chart.
#[derive(Clone)]
pub(crate) struct Helm {
    python: PathBuf,
    kubeconfig: PathBuf,
}

impl Helm {
    /// Helm over a cluster; or why there is none.
    pub(crate) fn over(cluster: &Cluster) -> Result<Self, String> {
        let python = python_environment("helm", &PACKAGES)?;
        Ok(Self { python, kubeconfig: cluster.kubeconfig().to_owned() })
    }

    /// Does something with the chart or its release; answers what Helm says of it.
    pub(crate) fn act(&self, action: &str, values: &Value) -> Value {
        self.act_in(NAMESPACE, action, values)
    }

    /// Does something with the chart or its release in a namespace; answers what Helm says of it.
    fn act_in(&self, namespace: &str, action: &str, values: &Value) -> Value {
        let mut command = Command::new(&self.python);
        command.arg("-c").arg(include_str!("helm.py")).arg(action).arg(chart()).arg(&self.kubeconfig);
        let told = run(command.arg(namespace).arg(values.to_string())).expect("Helm does it");
        serde_json::from_str(&told).expect("Helm answers JSON")
    }
}

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/helm/kobel")
}

/// Installs the chart, unless it is, and waits until the kinds that it defines are served.
pub(crate) async fn install(client: &Client, helm: &Helm) {
    let releases: Api<DynamicObject> = Api::namespaced_with(client.clone(), NAMESPACE, &resource("v1", "Secret"));
    let of_release = ListParams::default().labels(&format!("owner=helm,name={RELEASE}"));
    if releases.list(&of_release).await.expect("a list").items.is_empty() {
        helm.act("install", &json!({}));
    }
    for kind in ["FlinkDeployment", "FlinkSessionJob", "FlinkStateSnapshot", "FlinkBlueGreenDeployment"] {
        let kind = resource("flink.apache.org/v1beta1", kind);
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
        let begun = Instant::now();
        while let Err(error) = api.list(&ListParams::default().limit(1)).await {
            assert!(begun.elapsed() < PATIENCE, "`{}` is not served: {error}", kind.plural);
            sleep(STEP).await;
        }
    }
}

/// A release of the chart besides that of all checks, in a namespace of its own. The definitions are of the other one.
pub(crate) struct Release {
    helm: Helm,
    client: Client,
    cluster: &'static Cluster,
    namespace: String,
}

impl Release {
    /// Installs the chart in a new namespace, with values.
    pub(crate) fn install(
        helm: Helm,
        client: Client,
        cluster: &'static Cluster,
        (namespace, mut values): (String, Value),
    ) -> Self {
        values["crds"] = json!({"create": false});
        helm.act_in(&namespace, "install", &values);
        Self { helm, client, cluster, namespace }
    }

    /// The namespace of the release.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The objects of a kind in that namespace.
    pub(crate) fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(api_version, kind))
    }

    /// A kubeconfig of who it makes the operator.
    pub(crate) async fn account(&self) -> Value {
        account_in(&self.client, self.cluster, &self.namespace).await
    }

    /// What it tells the operator of what to look after, of who leads, and of who asks it.
    pub(crate) async fn arguments(&self) -> Vec<String> {
        let operator = self.api("apps/v1", "Deployment").get(RELEASE).await.expect("the operator is there");
        let arguments = operator.data.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
        let arguments = arguments.expect("arguments").iter().filter_map(Value::as_str);
        let meant = ["--namespaces=", "--lease=", "--webhook=", "--webhook-service="];
        let is_meant = |argument: &&str| meant.iter().any(|option| argument.starts_with(option));
        arguments.filter(is_meant).map(str::to_owned).collect()
    }

    /// Uninstalls it; its namespace goes, too.
    pub(crate) async fn uninstall(self) {
        self.helm.act_in(&self.namespace, "uninstall", &json!({}));
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("v1", "Namespace"));
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.expect("the namespace is deleted");
    }
}

/// A kubeconfig of who the chart makes the operator, with the rights that it gives it and no others.
pub(crate) async fn account(client: &Client, cluster: &Cluster) -> Value {
    account_in(client, cluster, NAMESPACE).await
}

async fn account_in(client: &Client, cluster: &Cluster, namespace: &str) -> Value {
    let accounts: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &resource("v1", "ServiceAccount"));
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_TIME},
    });
    let answered: DynamicObject =
        accounts.create_subresource("token", RELEASE, &PostParams::default(), &request).await.expect("a token");
    let answered = serde_json::to_value(answered).expect("JSON");
    let administrator = std::fs::read_to_string(cluster.kubeconfig()).expect("the kubeconfig is read");
    let mut kubeconfig: Value = serde_saphyr::from_str(&administrator).expect("the kubeconfig is YAML");
    kubeconfig["users"][0]["user"] = json!({"token": text(&answered, "/status/token")});
    kubeconfig
}

/// Helm finds nothing in the chart that it warns of or that is an error.
fn is_clean(found: &Value) {
    assert_eq!((&found["total_charts_linted"], &found["errors"]), (&json!(1), &json!([])), "{found:#}");
    let messages = found["messages"].as_array().expect("messages");
    let is_advice = |message: &Value| message["severity"].as_i64().is_some_and(|severity| severity <= ADVICE);
    assert!(messages.iter().all(is_advice), "{found:#}");
}

#[test]
fn the_chart_is_installed_upgraded_and_uninstalled_and_keeps_what_is_declared() {
    on_stage("chart", async |stage: &mut Stage| {
        is_clean(&stage.helm.act("lint", &json!({})));
        stage.apply(&application("orders")).await;
        let declared = stage.declared("orders").await;
        let upgraded =
            stage.helm.act("upgrade", &json!({"defaultConfiguration": {"config.yaml": "parallelism.default: 2"}}));
        assert_eq!(text(&upgraded, "/status"), "deployed", "{upgraded:#}");
        let operator: Api<DynamicObject> =
            Api::namespaced_with(stage.client().clone(), NAMESPACE, &resource("apps/v1", "Deployment"));
        let pod = operator.get(RELEASE).await.expect("the operator is there").data;
        let arguments = pod.pointer("/spec/template/spec/containers/0/args").cloned().unwrap_or_default();
        assert!(arguments.to_string().contains("--default=parallelism.default=2"), "{arguments}");
        let mounts = pod.pointer("/spec/template/spec/containers/0/volumeMounts").cloned().unwrap_or_default();
        assert_eq!(mounts, json!([{"name": "temporary-files", "mountPath": "/tmp"}]), "programs can be fetched");
        // One that takes part in no election is gone before its successor starts, whatever follows.
        for (values, expected) in [
            (json!({"replicas": 2}), "Recreate"),
            (json!({"replicas": 2}), "RollingUpdate"),
            (json!({"leaderElection": {"create": true}}), "RollingUpdate"),
            // Helm takes the values of before where none are given.
            (json!({"leaderElection": {"create": false}}), "Recreate"),
        ] {
            stage.helm.act("upgrade", &values);
            let strategy = operator.get(RELEASE).await.expect("the operator is there").data["spec"]["strategy"].take();
            assert_eq!(strategy["type"], expected, "{values} {strategy}");
        }
        stage.helm.act("uninstall", &json!({}));
        assert!(operator.get_opt(RELEASE).await.expect("an answer").is_none(), "the operator is gone");
        let kept = stage.declared("orders").await;
        assert_eq!(kept["metadata"]["uid"], declared["metadata"]["uid"], "what is declared stays");
        stage.helm.act("install", &json!({}));
        stage.delete("orders").await;
        // It was declared before the rights of the operator went and came, with an account whose token holds no longer.
        stage.operator.kill();
        stage.start_operator_again().await;
        stage.cleared("orders").await;
    });
}
