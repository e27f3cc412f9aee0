//! The objects that the operator makes of a resource: those of Flink, accepted without a word by a real API server and
//! admitted as pods; and nothing of them is left when the resource goes.

use serde_json::{Value, json};

use crate::client::text;
use crate::manifests::{application, session, standalone};
use crate::stage::{Stage, called, on_stage};

/// What is made of `orders` in native mode, where Flink itself asks for its task managers.
pub(crate) const NATIVE: [&str; 8] = [
    "ConfigMap flink-config-orders",
    "ConfigMap kobel-launch-orders",
    "ConfigMap pod-template-orders",
    "Deployment orders",
    "Pod of orders jobmanager",
    "ReplicaSet of orders jobmanager",
    "Service orders",
    "Service orders-rest",
];
/// What is made of it in standalone mode: four subtasks need two task managers.
const STANDALONE: [&str; 11] = [
    "ConfigMap flink-config-orders",
    "ConfigMap kobel-launch-orders",
    "Deployment orders",
    "Deployment orders-taskmanager",
    "Pod of orders jobmanager",
    "Pod of orders taskmanager",
    "Pod of orders taskmanager",
    "ReplicaSet of orders jobmanager",
    "ReplicaSet of orders taskmanager",
    "Service orders",
    "Service orders-rest",
];
/// What is made of `orders` as a session cluster; and by Apache's operator as an application, which keeps no book.
pub(crate) const SESSION: [&str; 7] = [
    "ConfigMap flink-config-orders",
    "ConfigMap pod-template-orders",
    "Deployment orders",
    "Pod of orders jobmanager",
    "ReplicaSet of orders jobmanager",
    "Service orders",
    "Service orders-rest",
];
/// What the operator keeps of the launches of a resource, which no selector of Flink's finds.
const BOOK: &str = "ConfigMap kobel-launch-orders";
/// The finalizer of the kind.
const FINALIZER: &str = "flinkdeployments.flink.apache.org/finalizer";

/// What is expected of a resource.
struct Case<'a> {
    manifest: Value,
    /// Everything that is made.
    objects: &'a [&'a str],
    /// The label `type` of all of it.
    kind: &'a str,
    /// What the image of the job manager is started with.
    args: Value,
    /// Lines of the configuration.
    lines: &'a [&'a str],
}

impl<'a> Case<'a> {
    /// In native mode, where the job manager is started as what Flink calls a target.
    fn native(manifest: Value, objects: &'a [&'a str], target: &str, lines: &'a [&'a str]) -> Self {
        let args = json!(["bash", "-c", format!("kubernetes-jobmanager.sh {target}")]);
        Self { manifest, objects, kind: "flink-native-kubernetes", args, lines }
    }
}

#[test]
fn a_native_application_becomes_the_objects_of_flink_and_goes_whole() {
    let lines = ["execution.target: 'kubernetes-application'", "kubernetes.cluster-id: 'orders'"];
    let case = Case::native(application("orders"), &NATIVE, "kubernetes-application", &lines);
    on_stage("native", async |stage: &mut Stage| comes_and_goes(stage, &case).await);
}

#[test]
fn a_standalone_application_becomes_the_objects_of_the_operator_and_goes_whole() {
    let case = Case {
        manifest: standalone("orders"),
        objects: &STANDALONE,
        kind: "flink-standalone-kubernetes",
        args: json!(["standalone-job"]),
        lines: &["execution.target: 'remote'", "parallelism.default: '4'"],
    };
    on_stage("standalone", async |stage: &mut Stage| comes_and_goes(stage, &case).await);
}

#[test]
fn a_session_cluster_becomes_the_objects_of_flink_and_goes_whole() {
    let lines = ["execution.target: 'kubernetes-session'", "kubernetes.cluster-id: 'orders'"];
    let case = Case::native(session("orders"), &SESSION, "kubernetes-session", &lines);
    on_stage("session", async |stage: &mut Stage| comes_and_goes(stage, &case).await);
}

async fn comes_and_goes(stage: &Stage, case: &Case<'_>) {
    stage.apply(&case.manifest).await;
    let status = stage.status("orders", "it is deployed", is_deployed).await;
    // Only now: a job manager stands before it is made to the end.
    let made = stage.stands(case.objects).await;
    let declared = stage.declared("orders").await;
    assert_eq!(declared["metadata"]["finalizers"], json!([FINALIZER]));
    let manager = find(&made, "Deployment orders");
    for object in made.iter().filter(|object| is_applied(object)) {
        let owner = if object["kind"] == "Deployment" { &declared } else { manager };
        is_found_and_owned(object, case, owner);
        assert_eq!(stage.warnings(object).await, Vec::<String>::new(), "of {}", called(object));
    }
    is_a_job_manager(manager, case);
    is_configured(&made, case, &status);
    runs_as_declared(stage, case).await;
    stage.delete("orders").await;
    stage.cleared("orders").await;
}

/// Whether a status says what is true: all is made, and no job manager has answered.
pub(crate) fn is_deployed(status: &Value) -> bool {
    status["jobManagerDeploymentStatus"] == "DEPLOYING"
        && status["lifecycleState"] == "DEPLOYED"
        && status["reconciliationStatus"]["state"] == "DEPLOYED"
        && status["observedGeneration"] == 1
}

/// Whether it is the operator that makes an object for Flink, and not Kubernetes for it.
fn is_applied(object: &Value) -> bool {
    ["ConfigMap", "Deployment", "Service"].contains(&text(object, "/kind")) && called(object) != BOOK
}

/// An object by what it is called.
pub(crate) fn find<'a>(made: &'a [Value], name: &str) -> &'a Value {
    made.iter().find(|object| called(object) == name).expect("it stands")
}

fn is_found_and_owned(object: &Value, case: &Case<'_>, owner: &Value) {
    let name = called(object);
    let labels = &object["metadata"]["labels"];
    assert_eq!((&labels["app"], &labels["type"]), (&json!("orders"), &json!(case.kind)), "{name}");
    let is_of_manager = owner["kind"] == "Deployment";
    let owners = json!([{
        "apiVersion": if is_of_manager { "apps/v1" } else { "flink.apache.org/v1beta1" },
        "kind": if is_of_manager { "Deployment" } else { "FlinkDeployment" },
        "name": "orders",
        "uid": owner["metadata"]["uid"],
        "controller": is_of_manager,
        "blockOwnerDeletion": true,
    }]);
    assert_eq!(object["metadata"]["ownerReferences"], owners, "{name}");
}

fn is_a_job_manager(manager: &Value, case: &Case<'_>) {
    let labels = json!({"app": "orders", "component": "jobmanager", "type": case.kind});
    assert_eq!(manager["metadata"]["labels"], labels);
    assert_eq!(manager["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(manager["metadata"]["annotations"]["flinkdeployment.flink.apache.org/generation"], "1");
    let main = &manager["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&main["name"], &main["image"]), (&json!("flink-main-container"), &json!("flink:2.2")));
    assert_eq!((&main["command"], &main["args"]), (&json!(["/docker-entrypoint.sh"]), &case.args));
}

/// The configuration says what was declared, and names the job that the status does.
fn is_configured(made: &[Value], case: &Case<'_>, status: &Value) {
    let file = text(find(made, "ConfigMap flink-config-orders"), "/data/config.yaml");
    for line in case.lines {
        assert!(file.lines().any(|there| there == *line), "no `{line}` in\n{file}");
    }
    let job = text(status, "/jobStatus/jobId");
    let line = format!("'$internal.pipeline.job-id': '{job}'");
    let is_job = case.manifest["spec"].get("job").is_some();
    assert_eq!((!job.is_empty(), file.lines().any(|there| there == line)), (is_job, is_job), "job `{job}` in\n{file}");
}

/// The pods were admitted as restricted ones, under the account that was declared, and run.
async fn runs_as_declared(stage: &Stage, case: &Case<'_>) {
    let pods = stage.until("every pod runs", async || {
        let made = stage.stands(case.objects).await;
        let pods: Vec<Value> = made.into_iter().filter(|object| object["kind"] == "Pod").collect();
        pods.iter().all(|pod| pod["status"]["phase"] == "Running").then_some(pods)
    });
    for pod in pods.await {
        assert_eq!(pod["spec"]["serviceAccountName"], "flink", "{}", called(&pod));
    }
    // Pods that run are no job manager that answers.
    stage.status("orders", "it is still deployed", is_deployed).await;
}
