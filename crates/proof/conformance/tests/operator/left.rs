//! What Apache's operator leaves behind: a resource with its status, and the objects that Flink's client has made of
//! it, as 1.7.0 left them on the cluster of these checks. Nothing in them is ours.

use std::time::{SystemTime, UNIX_EPOCH};

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::client::text;
use crate::stage::Stage;

/// The finalizer, which both operators use.
const FINALIZER: &str = "flinkdeployments.flink.apache.org/finalizer";
/// How long ago everything happened, in milliseconds.
const AGO: i64 = 600_000;
/// Fields of a spec that Apache's operator writes down although they say nothing.
const NULLS: [&str; 5] = ["restartNonce", "imagePullPolicy", "ingress", "logConfiguration", "mode"];
/// The same of a job.
const JOB_NULLS: [&str; 5] =
    ["entryClass", "savepointTriggerNonce", "initialSavepointPath", "checkpointTriggerNonce", "allowNonRestoredState"];

/// How far a resource was when Apache's operator ended.
pub(crate) struct Left {
    /// The spec, as the operator writes it back when it adds its finalizer.
    pub(crate) spec: Value,
    /// What was carried out last, or is being carried out.
    pub(crate) recorded: Value,
    /// What has run last; null if nothing has.
    pub(crate) stable: Value,
    /// `jobStatus`.
    pub(crate) job: Value,
    /// `jobManagerDeploymentStatus`.
    pub(crate) manager: &'static str,
    /// `reconciliationStatus.state`.
    pub(crate) state: &'static str,
    /// `lifecycleState`.
    pub(crate) lifecycle: &'static str,
    /// `error`.
    pub(crate) error: Option<String>,
}

impl Left {
    /// An application that runs, of which nothing was ever changed.
    pub(crate) fn running(spec: &Value, job_id: &str) -> Self {
        let mut recorded = recorded(spec);
        recorded["job"]["upgradeMode"] = json!("stateless");
        Self {
            spec: spec.clone(),
            stable: recorded.clone(),
            recorded,
            job: job(job_id, "RUNNING"),
            manager: "READY",
            state: "DEPLOYED",
            lifecycle: "STABLE",
            error: None,
        }
    }

    /// One whose JobManager has not answered yet.
    pub(crate) fn deploying(spec: &Value, job_id: &str) -> Self {
        let mut left =
            Self { stable: Value::Null, manager: "DEPLOYING", lifecycle: "DEPLOYED", ..Self::running(spec, job_id) };
        left.job = unseen(job_id);
        left
    }

    /// One whose job was stopped with a savepoint so that a change can follow, which is not recorded to be made.
    pub(crate) fn upgrading(spec: &Value, job_id: &str, savepoint: &str) -> Self {
        let mut left =
            Self { manager: "MISSING", state: "UPGRADING", lifecycle: "UPGRADING", ..Self::running(spec, job_id) };
        left.recorded["job"]["state"] = json!("suspended");
        left.recorded["job"]["upgradeMode"] = json!("savepoint");
        left.stable["job"]["parallelism"] = json!(2);
        left.job = saved(job_id, savepoint);
        left
    }

    /// One that was suspended with a savepoint.
    pub(crate) fn suspended(spec: &Value, job_id: &str, savepoint: &str) -> Self {
        Self { state: "DEPLOYED", lifecycle: "SUSPENDED", ..Self::upgrading(spec, job_id, savepoint) }
    }

    /// Puts the resource there; answers it.
    pub(crate) async fn declare(&self, stage: &Stage, name: &str) -> Value {
        let metadata = json!({"name": name, "finalizers": [FINALIZER]});
        let object = json!({"metadata": metadata, "spec": self.spec});
        let declared = stage.create("flink.apache.org/v1beta1", "FlinkDeployment", object).await;
        let generation = declared["metadata"]["generation"].as_i64().expect("a generation");
        let is_first = json!(self.state == "DEPLOYED" && self.lifecycle != "SUSPENDED");
        let mut reconciliation = json!({
            "lastReconciledSpec": spec_with_meta(&self.recorded, generation, &is_first),
            "reconciliationTimestamp": then(),
            "state": self.state,
        });
        if !self.stable.is_null() {
            reconciliation["lastStableSpec"] = json!(spec_with_meta(&self.stable, generation, &json!(true)));
        }
        let mut status = json!({
            "clusterInfo": {},
            "jobManagerDeploymentStatus": self.manager,
            "jobStatus": self.job,
            "lifecycleState": self.lifecycle,
            "reconciliationStatus": reconciliation,
            "taskManager": {"labelSelector": "", "replicas": 0},
        });
        if let Some(error) = &self.error {
            status["error"] = json!(error);
        }
        put_status(&stage.deployments(), name, status).await;
        stage.declared(name).await
    }
}

/// When everything happened.
pub(crate) fn then() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    i64::try_from(now.as_millis()).expect("a time") - AGO
}

/// Writes a status as another operator does.
pub(crate) async fn put_status(api: &Api<DynamicObject>, name: &str, status: Value) {
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(name, &PatchParams::default(), &patch).await.expect("the status is written");
}

/// A spec as it stands in a status, where what was not said is null.
pub(crate) fn recorded(spec: &Value) -> Value {
    let mut recorded = spec.clone();
    for field in NULLS {
        recorded[field] = Value::Null;
    }
    if recorded.get("job").is_none() {
        recorded["job"] = Value::Null;
    } else {
        recorded_job(&mut recorded["job"]);
    }
    for part in ["jobManager", "taskManager"] {
        recorded[part]["podTemplate"] = Value::Null;
        recorded[part]["resource"]["cpu"] = json!(1.0);
        recorded[part]["resource"]["ephemeralStorage"] = Value::Null;
    }
    recorded["jobManager"]["replicas"] = json!(1);
    recorded["taskManager"]["replicas"] = Value::Null;
    recorded
}

/// The same of a job.
pub(crate) fn recorded_job(job: &mut Value) {
    for field in JOB_NULLS {
        if job.get(field).is_none() {
            job[field] = Value::Null;
        }
    }
}

/// The text of a recorded spec, of which up to 1.7 only `resource_metadata` says the generation.
pub(crate) fn spec_with_meta(spec: &Value, generation: i64, is_first: &Value) -> String {
    let metadata = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "metadata": {"generation": generation},
        "firstDeployment": is_first,
    });
    json!({"spec": spec, "resource_metadata": metadata}).to_string()
}

/// A job in a state that was seen.
pub(crate) fn job(id: &str, state: &str) -> Value {
    let mut job = unseen(id);
    job["jobName"] = json!("orders");
    (job["startTime"], job["updateTime"]) = (json!(then().to_string()), json!(then().to_string()));
    job["state"] = json!(state);
    job
}

/// A job that was submitted, of which nothing was seen.
pub(crate) fn unseen(id: &str) -> Value {
    json!({
        "checkpointInfo": {"lastPeriodicCheckpointTimestamp": 0},
        "jobId": id,
        "savepointInfo": {"lastPeriodicSavepointTimestamp": 0, "savepointHistory": []},
        "state": "RECONCILING",
    })
}

/// A job that was stopped with a savepoint, which 1.7 names among the savepoints only.
fn saved(id: &str, savepoint: &str) -> Value {
    let taken = json!({
        "formatType": "CANONICAL",
        "location": savepoint,
        "timeStamp": then(),
        "triggerType": "UPGRADE",
    });
    let mut job = job(id, "FINISHED");
    job["savepointInfo"]["lastSavepoint"] = taken.clone();
    job["savepointInfo"]["savepointHistory"] = json!([taken]);
    job
}

/// Makes what Flink's client makes of a resource; answers the Deployment. `job_id` is that of an application.
pub(crate) async fn make(stage: &Stage, declared: &Value, job_id: Option<&str>) -> Value {
    let name = text(declared, "/metadata/name");
    let manager = stage.create("apps/v1", "Deployment", deployment(declared, job_id)).await;
    let labels = json!({"app": name, "type": "flink-native-kubernetes"});
    let selector = &manager["spec"]["selector"]["matchLabels"];
    let port = rest_port(declared);
    let owners = json!([{
        "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": manager["metadata"]["uid"],
        "blockOwnerDeletion": true, "controller": true,
    }]);
    let of_manager = |named: String| json!({"name": named, "labels": labels, "ownerReferences": owners});
    let ports = json!([
        {"name": "jobmanager-rpc", "port": 6123, "targetPort": 6123},
        {"name": "blobserver", "port": 6124, "targetPort": 6124},
    ]);
    let internal = json!({"metadata": of_manager(name.to_owned()), "spec": {
        "clusterIP": "None", "ports": ports, "selector": selector}});
    stage.create("v1", "Service", internal).await;
    let rest = json!({"metadata": of_manager(format!("{name}-rest")), "spec": {
        "ports": [{"name": "rest", "port": port, "targetPort": port}], "selector": selector}});
    stage.create("v1", "Service", rest).await;
    let mut file = format!("kubernetes.cluster-id: {name}\nrest.port: {port}\n$internal.flink.version: v2_2\n");
    if let Some(job_id) = job_id {
        file += &format!("$internal.pipeline.job-id: {job_id}\n");
    }
    let config = json!({"metadata": of_manager(format!("flink-config-{name}")), "data": {"config.yaml": file}});
    stage.create("v1", "ConfigMap", config).await;
    let template = "---\napiVersion: \"v1\"\nkind: \"Pod\"\n";
    let templates = json!({"metadata": of_manager(format!("pod-template-{name}")),
        "data": {"taskmanager-pod-template.yaml": template}});
    stage.create("v1", "ConfigMap", templates).await;
    manager
}

fn rest_port(declared: &Value) -> i64 {
    let port = declared["spec"]["flinkConfiguration"]["rest.port"].as_str().expect("a port");
    port.parse().expect("a number")
}

fn deployment(declared: &Value, job_id: Option<&str>) -> Value {
    let name = text(declared, "/metadata/name");
    let labels = json!({"app": name, "component": "jobmanager", "type": "flink-native-kubernetes"});
    let generation = declared["metadata"]["generation"].to_string();
    let annotations = json!({"flinkdeployment.flink.apache.org/generation": generation});
    let mut of_pod = annotations.clone();
    of_pod["kube-fixture/answers"] = json!("true");
    let target = if job_id.is_some() { "kubernetes-application" } else { "kubernetes-session" };
    let owners = json!([{
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "name": name,
        "uid": declared["metadata"]["uid"], "blockOwnerDeletion": true, "controller": false,
    }]);
    let volume = |named: &str, map: String, file: &str| {
        let map = json!({"name": map, "items": [{"key": file, "path": file}]});
        json!({"name": named, "configMap": map})
    };
    json!({
        "metadata": {"name": name, "labels": labels, "annotations": annotations, "ownerReferences": owners},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": of_pod},
                "spec": {
                    "serviceAccountName": "flink",
                    "containers": [container(declared, target)],
                    "volumes": [
                        volume("flink-config-volume", format!("flink-config-{name}"), "config.yaml"),
                        volume("pod-template-volume", format!("pod-template-{name}"), "taskmanager-pod-template.yaml"),
                    ],
                },
            },
        },
    })
}

fn container(declared: &Value, target: &str) -> Value {
    let room = json!({"cpu": "1", "memory": "1600Mi"});
    json!({
        "name": "flink-main-container",
        "image": "flink:2.2",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/docker-entrypoint.sh"],
        "args": ["bash", "-c", format!("kubernetes-jobmanager.sh {target} ")],
        "env": [{"name": "_POD_IP_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [
            {"name": "rest", "containerPort": rest_port(declared)},
            {"name": "jobmanager-rpc", "containerPort": 6123},
            {"name": "blobserver", "containerPort": 6124},
        ],
        "resources": {"limits": room, "requests": room},
        "startupProbe": {
            "failureThreshold": 2_147_483_647,
            "httpGet": {"path": "/config", "port": "rest"},
            "periodSeconds": 1,
        },
        "volumeMounts": [
            {"mountPath": "/opt/flink/conf", "name": "flink-config-volume"},
            {"mountPath": "/opt/flink/pod-template", "name": "pod-template-volume"},
        ],
    })
}

/// Waits until the pod of a job manager runs, and has it be where the Flink of this machine answers; answers the pod.
pub(crate) async fn answer(stage: &Stage, name: &str) -> Value {
    let pods = stage.api("v1", "Pod");
    let labels = ListParams::default().labels(&format!("app={name},component=jobmanager"));
    let pod = stage.until("the job manager runs", async || {
        let pods = pods.list(&labels).await.expect("a list").items;
        let pod = pods.into_iter().next()?;
        let pod = serde_json::to_value(pod).expect("an object is JSON");
        (pod["status"]["phase"] == "Running").then_some(pod)
    });
    let pod = pod.await;
    let here = json!({"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]});
    put_status(&pods, text(&pod, "/metadata/name"), here).await;
    pod
}
