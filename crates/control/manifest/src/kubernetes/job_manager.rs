//! The Deployment of the job manager: in native mode that of Flink's own client, in standalone mode the operator's.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `KubernetesJobManagerFactory`, `CmdJobManagerDecorator`, `PodTemplateMountDecorator`;
//! Apache Flink Kubernetes operator 1.15, `CmdStandaloneJobManagerDecorator`, `UserLibMountDecorator`,
//! `FlinkUtils.addStartupProbe`.

use kobel_model::deployment::{FlinkVersion, Job, Mode};
use serde_json::{Value, json};

use super::configuration::rest_encryption;
use super::container::{self, Component, Main, structured};
use super::start::Start;
use super::template::{self, edit_main, set_absent, slot};
use crate::configuration::{CLAIM_MODE, Configuration, RECOVERY_PATH};

/// Whether a job manager counts as started only once its REST API answers.
const STARTUP_PROBE: &str = "kubernetes.operator.jm-deployment.startup.probe.enabled";
/// The oldest line that has `--claimMode`, which was `--restoreMode` before.
const CLAIM_MODE_SINCE: FlinkVersion = FlinkVersion::V1_20;
/// Where Flink looks for what it was brought besides itself, in standalone mode.
const USER_LIBRARIES: &str = "/opt/flink/usrlib";
/// The volume that Apache's operator mounts there.
const USER_LIBRARY_VOLUME: &str = "user-lib-dir";
/// Where Flink puts artifacts that it fetches itself.
const ARTIFACTS: &str = "/opt/flink/artifacts";
/// Where a job manager finds the template of the pods that it asks for.
const POD_TEMPLATE: &str = "/opt/flink/pod-template";

/// The Deployment of the job manager.
pub fn object(start: &Start<'_>, configuration: &Configuration) -> Value {
    let cluster = &start.deployment.cluster;
    let mut pod = template::of(start, configuration, Component::JobManager);
    let ports = ports(configuration);
    if !configuration.get(STARTUP_PROBE).is_some_and(|value| value.trim().eq_ignore_ascii_case("false")) {
        let [(_, rest), ..] = ports;
        startup_probe(&mut pod, start, configuration, rest);
    }
    let args = match cluster.mode {
        Mode::Native => native_args(start, configuration),
        Mode::Standalone => standalone_args(start, configuration),
    };
    let address = json!({
        "name": "_POD_IP_ADDRESS",
        "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "status.podIP" } },
    });
    let main = Main { component: Component::JobManager, args, ports: ports.to_vec(), environment: vec![address] };
    container::write(&mut pod, start, configuration, &main);
    match cluster.mode {
        Mode::Native => {
            let path = configuration.get("user.artifacts.base-dir").unwrap_or(ARTIFACTS);
            container::offer(&mut pod, json!({ "name": "user-artifacts-volume", "emptyDir": {} }), path);
            if template::task_manager(start, configuration).is_some() {
                let config_map = json!({ "name": format!("pod-template-{}", start.name()) });
                let volume = json!({ "name": "pod-template-volume", "configMap": config_map });
                container::mount(&mut pod, volume, POD_TEMPLATE);
            }
        }
        Mode::Standalone => user_libraries(&mut pod),
    }
    deployment(start, configuration, Component::JobManager, cluster.job_manager.replicas, &pod)
}

/// A Deployment of so many pods of a component, which the resource owns: `<id>` of a job manager, `<id>-taskmanager` of
/// task managers.
pub fn deployment(
    start: &Start<'_>,
    configuration: &Configuration,
    component: Component,
    replicas: u32,
    pod: &Value,
) -> Value {
    let name = match component {
        Component::JobManager => start.name().to_owned(),
        Component::TaskManager => format!("{}-{}", start.name(), component.as_str()),
    };
    let mut template = json!({});
    for part in [&["metadata", "labels"][..], &["metadata", "annotations"][..], &["spec"][..]] {
        let value = part.iter().try_fold(pod, |value, key| value.get(*key));
        if let Some(value) = value {
            *slot(&mut template, part) = value.clone();
        }
    }
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": start.namespace(),
            "labels": container::labels(start, configuration, component),
            "ownerReferences": [start.owner()],
        },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": start.component(component.as_str()) },
            "template": template,
        },
    });
    let annotations = container::annotations(start, configuration, component);
    if !annotations.is_empty() {
        *slot(&mut object, &["metadata", "annotations"]) = json!(annotations);
    }
    object
}

/// The ports of a job manager, that of the REST API first.
fn ports(configuration: &Configuration) -> [(&'static str, u16); 3] {
    let port = |key: &str, default| container::port(configuration, key, default);
    [
        ("rest", port("rest.bind-port", port("rest.port", 8081))),
        ("jobmanager-rpc", port("jobmanager.rpc.port", 6123)),
        ("blobserver", port("blob.server.port", 6124)),
    ]
}

/// Lets the job manager count as started once its REST API answers, unless the template has a probe of its own.
fn startup_probe(pod: &mut Value, start: &Start<'_>, configuration: &Configuration, rest: u16) {
    let is_set = |key: &str| configuration.get(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    // No port has a name where the pods share the network of their nodes.
    let port = if container::is_on_host_network(configuration) { json!(rest) } else { json!("rest") };
    let mut probe = json!({ "periodSeconds": 1, "failureThreshold": i32::MAX });
    let line = start.deployment.cluster.flink_version;
    let is_encrypted = rest_encryption(line, |key| configuration.get(key)).is_some();
    if is_encrypted && is_set("security.ssl.rest.authentication-enabled") {
        // Nobody answers a probe that shows no certificate, so it only connects.
        *slot(&mut probe, &["tcpSocket"]) = json!({ "port": port });
    } else {
        *slot(&mut probe, &["httpGet"]) = json!({ "path": "/config", "port": port });
        if is_encrypted {
            *slot(&mut probe, &["httpGet", "scheme"]) = json!("HTTPS");
        }
    }
    edit_main(pod, |container| set_absent(container, &["startupProbe"], probe));
}

/// What the image is started with in native mode, where Flink asks for its task managers.
fn native_args(start: &Start<'_>, configuration: &Configuration) -> Vec<String> {
    let target = if start.job.is_some() { "kubernetes-application" } else { "kubernetes-session" };
    let own = configuration.get("kubernetes.jobmanager.entrypoint.args").unwrap_or_default();
    let command = format!("kubernetes-jobmanager.sh {target} {own}");
    ["bash", "-c", command.trim_end()].map(str::to_owned).to_vec()
}

/// What the image is started with in standalone mode.
fn standalone_args(start: &Start<'_>, configuration: &Configuration) -> Vec<String> {
    let cluster = &start.deployment.cluster;
    let address = ["-D", "jobmanager.rpc.address=$(_POD_IP_ADDRESS)"].map(str::to_owned);
    // One job manager is found by the name of its service, one of several by its own address.
    let address = address.into_iter().filter(|_| cluster.high_availability.is_on());
    let Some(job) = cluster.job.as_ref().filter(|_| start.job.is_some()) else {
        return std::iter::once("jobmanager".to_owned()).chain(address).collect();
    };
    let mut args = vec!["standalone-job".to_owned()];
    if let Some(class) = configuration.get("$internal.application.main").or(job.entry_class.as_deref()) {
        args.extend(["--job-classname".to_owned(), class.to_owned()]);
    }
    args.extend(restore_args(configuration, cluster.flink_version));
    args.extend(address);
    args.extend(program_args(configuration, job));
    args
}

/// From where the job starts. It must be said here: what is not said here overwrites what the configuration says of it.
fn restore_args(configuration: &Configuration, line: FlinkVersion) -> Vec<String> {
    let Some(path) = configuration.find(&RECOVERY_PATH) else {
        return Vec::new();
    };
    let mut args = Vec::new();
    if configuration.skips_unclaimed_state() {
        args.push("--allowNonRestoredState".to_owned());
    }
    args.extend(["--fromSavepoint".to_owned(), path.to_owned()]);
    if let Some(mode) = configuration.find(&CLAIM_MODE) {
        let name = if line < CLAIM_MODE_SINCE { "--restoreMode" } else { "--claimMode" };
        args.extend([name.to_owned(), mode.to_owned()]);
    }
    args
}

/// What the program is given.
fn program_args(configuration: &Configuration, job: &Job) -> Vec<String> {
    let key = "$internal.application.program-args";
    let args = match configuration.get(key) {
        Some(_) => structured::list(configuration, key),
        None => job.args.clone(),
    };
    // After this nothing is taken for an option of Flink, whatever the program is given.
    let end = (!args.is_empty()).then(|| "--".to_owned());
    end.into_iter().chain(args).collect()
}

/// Mounts what another container of the template brings into the volume that Apache's operator has for it. Without such
/// a container an empty volume would only hide what the image has there.
pub(super) fn user_libraries(pod: &mut Value) {
    let lists = ["/spec/volumes", "/spec/initContainers", "/spec/containers"];
    let entries = lists.iter().filter_map(|path| pod.pointer(path)?.as_array()).flatten();
    let mounts = |entry: &Value| entry.get("volumeMounts").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_named = entries
        .flat_map(|entry| std::iter::once(entry.clone()).chain(mounts(entry)))
        .any(|entry| template::name(&entry) == Some(USER_LIBRARY_VOLUME));
    if is_named {
        container::offer(pod, json!({ "name": USER_LIBRARY_VOLUME, "emptyDir": {} }), USER_LIBRARIES);
    }
}

#[cfg(test)]
mod tests;
