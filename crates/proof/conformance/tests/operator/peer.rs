//! Apache's operator itself, 1.7.0, on the same cluster: what it makes of a resource beside what is made of it here.
//! Every difference is one that is listed, with its reason.
//!
//! It is the newest whose jars Maven's central repository has. It knows Flink up to 1.18, and reads no key of an elliptic
//! curve, so it comes with a token.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kobel_testkit::or_skip;
use kobel_testkit::packages::{debian_binary, maven_jars};
use kobel_testkit::process::Running;
use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::text;
use crate::manifests::{application, session};
use crate::stage::{Stage, called, on_stage};

/// Which one it is.
const VERSION: &str = "1.7.0";
/// Its parts; the first replaces classes of what comes with the other.
const PARTS: [&str; 2] = ["flink-kubernetes-standalone", "flink-kubernetes-operator"];
/// How long it may take to start.
const START: Duration = Duration::from_secs(300);
/// Its own settings: nothing of it listens, and it looks soon.
const SETTINGS: &str = "kubernetes.operator.health.probe.enabled: false\n\
                        kubernetes.operator.reconcile.interval: 5 s\n";
/// What differs, by the beginning of where it is, and why.
const DIFFERENCES: [(&str, &str); 19] = [
    (
        "Deployment orders/metadata/annotations/kobel.dev/job-id",
        "the job of a launch is found without its configuration",
    ),
    ("Deployment orders/spec/template/spec/securityContext", "pods are restricted ones"),
    ("Deployment orders/spec/template/spec/containers/0/securityContext", "pods are restricted ones"),
    ("Deployment orders/spec/template/spec/containers/0/args/2", "theirs ends with a blank, which says nothing"),
    (
        "Deployment orders/spec/template/spec/containers/0/volumeMounts",
        "Flink 1.20 and later have a folder of artifacts",
    ),
    ("Deployment orders/spec/template/spec/volumes", "the same; and every file of a ConfigMap is mounted"),
    ("ConfigMap autoscaler-orders", "theirs makes it whether anything is scaled or not"),
    ("ConfigMap kobel-launch-orders", "which launches were made is written down"),
    ("ConfigMap pod-template-orders", "pods are restricted ones, which takes a template; JSON is YAML"),
    ("ConfigMap flink-config-orders/data/log4j-console.properties", "theirs comes from the folder of its image"),
    ("ConfigMap flink-config-orders/data/logback-console.xml", "theirs comes from the folder of its image"),
    ("ConfigMap flink-config-orders/data/flink-conf.yaml/$internal.application.program-args", "empty says nothing"),
    ("ConfigMap flink-config-orders/data/flink-conf.yaml/$internal.pipeline.job-id", "ids are chosen"),
    (
        "ConfigMap flink-config-orders/data/flink-conf.yaml/execution.savepoint.ignore-unclaimed-state",
        "the default, said",
    ),
    (
        "ConfigMap flink-config-orders/data/flink-conf.yaml/execution.submit-failed-job-on-application-error",
        "later versions of theirs say so too",
    ),
    ("ConfigMap flink-config-orders/data/flink-conf.yaml/jobmanager.rpc.port", "the default, said"),
    (
        "ConfigMap flink-config-orders/data/flink-conf.yaml/kubernetes.pod-template-file",
        "files of the operator's own disk",
    ),
    ("ConfigMap flink-config-orders/data/flink-conf.yaml/rest.bind-port", "the default, said"),
    ("ConfigMap flink-config-orders/data/flink-conf.yaml/rest.port", "the default, said"),
];

#[test]
fn what_apaches_operator_makes_is_made_here_but_for_what_is_listed() {
    let java = or_skip!(debian_binary("java"));
    let jars = or_skip!(maven_jars("org.apache.flink", &PARTS, VERSION));
    on_stage("peer", async |stage: &mut Stage| {
        crate::takeover::leave(stage).await;
        let account = account(stage).await;
        stage.take_as_bare().await;
        for manifest in [application("orders"), session("orders")] {
            let mut manifest = manifest;
            (manifest["spec"]["flinkVersion"], manifest["spec"]["image"]) = (json!("v1_18"), json!("flink:1.18"));
            let folder = TempDir::new().expect("a folder");
            let mut apache = start((java.as_path(), jars.as_path()), stage, &account, folder.path());
            apache.wait_for_line("'flinkdeploymentcontroller' controller started", START).expect("it starts");
            let theirs = made(stage, &manifest).await;
            apache.signal("KILL").expect("it is killed");
            apache.wait(START).expect("it ends");
            // What it made is taken over, and removed.
            stage.operator.start_again();
            stage.delete("orders").await;
            stage.cleared("orders").await;
            let ours = made(stage, &manifest).await;
            stage.delete("orders").await;
            stage.cleared("orders").await;
            stage.operator.kill();
            let mut found = Vec::new();
            compare("", &theirs, &ours, &mut found);
            let unlisted: Vec<&String> =
                found.iter().filter(|place| !DIFFERENCES.iter().any(|(known, _)| place.starts_with(known))).collect();
            assert!(unlisted.is_empty(), "{unlisted:#?}\ntheirs {theirs:#}\nours {ours:#}");
            assert!(!found.is_empty(), "nothing was compared");
        }
    });
}

/// Declares something, and answers what is made of it, by what it is called.
async fn made(stage: &Stage, manifest: &Value) -> Value {
    stage.apply(manifest).await;
    let is_deployed =
        |status: &Value| status["lifecycleState"] == "DEPLOYED" && status["jobManagerDeploymentStatus"] == "DEPLOYING";
    stage.status("orders", "it is deployed", is_deployed).await;
    let mut all = json!({});
    for (api_version, kind) in [("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap")] {
        let listed = stage.api(api_version, kind).list(&kube::api::ListParams::default()).await.expect("a list");
        for object in listed.items {
            let mut object = serde_json::to_value(object).expect("an object is JSON");
            object["kind"] = json!(kind);
            if text(&object, "/metadata/name").contains("orders") {
                let name = called(&object);
                all[name] = plain(object);
            }
        }
    }
    all
}

/// An object without what is another one in every object, with its configuration key by key.
fn plain(mut object: Value) -> Value {
    let parts = object.as_object_mut().expect("an object");
    parts.remove("status");
    let metadata = parts.get_mut("metadata").and_then(Value::as_object_mut).expect("metadata");
    for key in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
        metadata.remove(key);
    }
    for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        owner["uid"] = Value::Null;
    }
    let generation = "flinkdeployment.flink.apache.org/generation";
    let revision = "deployment.kubernetes.io/revision";
    for place in ["/metadata/annotations", "/spec/template/metadata/annotations"] {
        if let Some(annotations) = object.pointer_mut(place).and_then(Value::as_object_mut) {
            // Theirs writes the resource once more when it adds its finalizer.
            annotations.remove(generation);
            // Kubernetes numbers what it rolls out a moment after it was made.
            annotations.remove(revision);
        }
    }
    for key in ["clusterIP", "clusterIPs"] {
        if object["kind"] == "Service" && object["spec"]["clusterIP"] != "None" {
            object["spec"][key] = Value::Null;
        }
    }
    if let Some(file) = object.pointer_mut("/data/flink-conf.yaml") {
        let text = file.as_str().expect("a text").to_owned();
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let said = lines.map(|(key, value)| (key.trim().to_owned(), json!(value.trim())));
        // What names the resource, and which generation of it.
        let own = ["kubernetes.jobmanager.annotations", "kubernetes.jobmanager.owner.reference"];
        *file = said.filter(|(key, _)| !own.contains(&key.as_str())).collect();
    }
    object
}

/// Where two values differ.
fn compare(place: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    let join = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let member = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                compare(&join(name), &member(a), &member(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&join(&at.to_string()), a, b, found);
            }
        }
        _ if one != other => found.push(place.to_owned()),
        _ => {}
    }
}

/// A kubeconfig of who may do everything in the namespace.
async fn account(stage: &Stage) -> Value {
    stage.create("v1", "ServiceAccount", json!({"metadata": {"name": "apache"}})).await;
    let binding = json!({
        "metadata": {"name": "apache"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "apache", "namespace": stage.namespace()}],
    });
    stage.create("rbac.authorization.k8s.io/v1", "RoleBinding", binding).await;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3_600},
    });
    let accounts: Api<DynamicObject> = stage.api("v1", "ServiceAccount");
    let answered: DynamicObject =
        accounts.create_subresource("token", "apache", &PostParams::default(), &request).await.expect("a token");
    let answered = serde_json::to_value(answered).expect("JSON");
    let mut kubeconfig = stage.administrator();
    kubeconfig["users"][0]["user"] = json!({"token": text(&answered, "/status/token")});
    kubeconfig
}

/// Starts it, with its files in a folder.
fn start((java, jars): (&Path, &Path), stage: &Stage, kubeconfig: &Value, folder: &Path) -> Running {
    fs::write(folder.join("flink-conf.yaml"), SETTINGS).expect("its settings are written");
    fs::write(folder.join("kubeconfig.yaml"), kubeconfig.to_string()).expect("the kubeconfig is written");
    let first = PARTS.map(|part| jars.join(format!("{part}-{VERSION}.jar")).display().to_string());
    let class_path = format!("{}:{}/*", first.join(":"), jars.display());
    let mut command = Command::new(java);
    command.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", &class_path]);
    command.arg(format!("-Djava.io.tmpdir={}", folder.display()));
    command.arg("org.apache.flink.kubernetes.operator.FlinkOperator");
    command.env("KUBECONFIG", folder.join("kubeconfig.yaml"));
    command.env("FLINK_CONF_DIR", folder).env("CONF_OVERRIDE_DIR", folder).env("FLINK_PLUGINS_DIR", folder);
    command.env("WATCH_NAMESPACES", stage.namespace()).env("OPERATOR_NAMESPACE", stage.namespace());
    Running::start(&mut command, folder, "apache").expect("it is started")
}
