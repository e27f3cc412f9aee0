//! An application on Kobel's own engine as objects: a Deployment of one pod, the service of its REST API, and the ConfigMap
//! with its configuration.
//!
//! # Why a Deployment
//! One process does the work of the job manager and of all task managers, under the names and labels of a job manager, so
//! whatever looks after job managers looks after it. A StatefulSet would give two things more. One is a name that stays:
//! nobody calls the process by the name of its pod. The other is a volume for each replica: there is one replica, and a
//! template mounts a claim by its name, which then outlives the resource as its checkpoints are to. What a StatefulSet
//! promises, that there are never two pods, the strategy `Recreate` promises of what is rolled out here; and where a node
//! is lost for a time, the lock in the directory of the job's checkpoints keeps a second process from its state.
//!
//! # State
//! Kubernetes starts the container again with the same arguments, and the pod on another node, so the process itself goes
//! on from the newest checkpoint of its job (`kobel.recovery`). The engine writes to files alone. Where a template mounts
//! nothing, that is an `emptyDir`, which outlives the container and not the pod. So an application that is to keep its
//! state over upgrades must name directories on a volume that outlives pods: [`lacks`].
//!
//! # Who reaches it
//! The REST API is open to the network of pods, as that of a job manager of Flink is.

use std::collections::BTreeMap;
use std::path::{Component as Part, Path, PathBuf};

use kobel_model::deployment::{Deployment, FlinkConfiguration, UpgradeMode};
use serde_json::{Value, json};

use super::configuration::{self, REST_PORT};
use super::container::{self, Component, Main};
use super::start::{MAIN_CONTAINER, Start};
use super::template::{self, edit_main, name, set_absent, slot};
use super::{config_maps, fetcher, job_manager, services};
use crate::configuration::{CHECKPOINT_DIRECTORY, Configuration, SAVEPOINT_DIRECTORY};
use crate::launch::JobStart;
use crate::native::{self as process, FILE};
use crate::place::{Place, Ports, Standbys};
use crate::sizes;

/// Where the process writes; what is not named by an absolute path lies below.
pub const DATA: &str = "/var/lib/kobel";
/// Where libraries put what they need for a moment.
const TEMPORARY: &str = "/tmp";
/// Where the configuration is mounted, as a key and unless it is set: as in a pod of Flink.
const CONFIGURATION: (&str, &str) = ("kubernetes.flink.conf.dir", "/opt/flink/conf");
/// What the container is asked for when it starts. A job manager of Flink is asked for another path: that it was never
/// seen to answer means that it has written nothing, and an engine that starts at once may have taken a checkpoint before.
const PROBED: &str = "/overview";
/// The options that protect the REST API.
const PROTECTION: [&str; 3] = ["kobel.rest.token-file", "kobel.rest.tls.certificate", "kobel.rest.tls.key"];
/// The kinds of volumes of which what is written outlives the pod.
const LASTING: [&str; 6] = ["persistentVolumeClaim", "csi", "hostPath", "nfs", "iscsi", "fc"];

/// Why the REST API cannot be protected by the engine itself.
const PROTECTED: &str = "the operator has no token and no certificate for the REST API of an application; take \
                         `kobel.rest.token-file` and `kobel.rest.tls.…` away, and let a network policy say who reaches it";
/// Why snapshots do not go to an object storage.
const REMOTE: &str = "the native engine reads and writes checkpoints and savepoints as files; name directories on a volume \
                      of `podTemplate` in `execution.checkpointing.dir`, `execution.checkpointing.savepoint-dir` and \
                      `job.initialSavepointPath`, or set `kobel.engine: flink`";
/// Why there must be a volume.
const FLEETING: &str = "the state of the application would go with its pod; name directories in \
                        `execution.checkpointing.dir` and `execution.checkpointing.savepoint-dir` on a volume that \
                        `podTemplate` mounts and that outlives pods, such as a `persistentVolumeClaim`, or set \
                        `job.upgradeMode: stateless`";

/// The Deployment.
pub fn deployment(start: &Start<'_>, configuration: &Configuration) -> Value {
    let component = Component::JobManager;
    let mut pod = template::of(start, configuration, component);
    let place = place(start, configuration);
    let (key, usual) = CONFIGURATION;
    let file = Path::new(configuration.get(key).unwrap_or(usual)).join(FILE);
    let args = process::arguments(start.deployment, &place, &file);
    let main = Main {
        component,
        // Kubernetes would take `$(NAME)` in a path for a variable.
        args: args.into_iter().map(|argument| argument.replace('$', "$$")).collect(),
        ports: vec![("rest", place.ports.rest)],
        environment: Vec::new(),
    };
    let image = image(start, &pod);
    container::write(&mut pod, start, configuration, &main);
    // No port has a name where the pods share the network of their nodes.
    let is_shared = container::is_on_host_network(configuration);
    let port = if is_shared { json!(place.ports.rest) } else { json!("rest") };
    edit_main(&mut pod, |main| {
        *slot(main, &["image"]) = Value::from(image);
        *slot(main, &["command"]) = json!(["kobel"]);
        resources(main, start);
        set_absent(main, &["workingDir"], json!(DATA));
        // What it says last tells why it has ended.
        set_absent(main, &["terminationMessagePolicy"], json!("FallbackToLogsOnError"));
        set_absent(main, &["securityContext", "readOnlyRootFilesystem"], json!(true));
        let get = json!({ "path": PROBED, "port": port });
        let probe = json!({ "httpGet": get, "periodSeconds": 1, "failureThreshold": i32::MAX });
        set_absent(main, &["startupProbe"], probe);
    });
    for (volume, path) in [("kobel-data", DATA), ("kobel-tmp", TEMPORARY)] {
        if mounts(&pod).all(|mount| mount.path != Path::new(path)) {
            container::mount(&mut pod, json!({ "name": volume, "emptyDir": {} }), path);
        }
    }
    // It asks nothing of Kubernetes.
    set_absent(&mut pod, &["spec", "automountServiceAccountToken"], json!(false));
    let mut object = job_manager::deployment(start, configuration, component, 1, &pod);
    *slot(&mut object, &["spec", "strategy"]) = json!({ "type": "Recreate" });
    object
}

/// What the Deployment owns, which has this uid.
pub fn owned(start: &Start<'_>, configuration: &Configuration, uid: &str) -> Vec<Value> {
    // Nobody calls on it but by its REST API, whose service is the last.
    let service = services::objects(start, configuration, uid).pop();
    service.into_iter().chain([config_map(start, configuration, uid)]).collect()
}

/// The ConfigMap with the configuration, which stands there as it was written, also what is secret in it, as that of Flink.
fn config_map(start: &Start<'_>, configuration: &Configuration, uid: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": config_maps::configuration_name(start),
            "namespace": start.namespace(),
            "labels": start.labels(),
            "ownerReferences": [start.manager_owner(uid)],
        },
        "data": { FILE: process::text(told(start, configuration)) },
    })
}

/// Why an application on the native engine does not run in pods as it is declared, where an operator says `defaults`.
pub fn lacks(deployment: &Deployment, defaults: &BTreeMap<String, String>) -> Option<&'static str> {
    let job = deployment.cluster.job.as_ref()?;
    let start = Start {
        deployment,
        job: Some(JobStart { job_id: "", restore: None }),
        generation: 0,
        uid: "",
        defaults,
        fresh: "",
        kobel_image: "",
    };
    let configuration = configuration::effective(&start);
    let told = told(&start, &configuration);
    if PROTECTION.iter().any(|key| told.get(key).is_some()) {
        return Some(PROTECTED);
    }
    let directories = [&CHECKPOINT_DIRECTORY, &SAVEPOINT_DIRECTORY].map(|option| told.find(option));
    let named: Vec<&str> = directories.into_iter().flatten().collect();
    if named.iter().copied().chain(job.initial_savepoint_path.as_deref()).any(|text| local(text).is_none()) {
        return Some(REMOTE);
    }
    let pod = template::of(&start, &configuration, Component::JobManager);
    let lasts = |text: &&str| local(text).is_some_and(|path| outlives(&pod, &path));
    (job.upgrade_mode != UpgradeMode::Stateless && !named.iter().all(lasts)).then_some(FLEETING)
}

/// What the engine is told: what the resource says over what the operator says, and what follows from the pod.
fn told(start: &Start<'_>, configuration: &Configuration) -> Configuration {
    let Some(job) = &start.job else { return Configuration::default() };
    let declared = FlinkConfiguration::new(configuration::layers(start).into_values());
    let mut told = process::configuration(start.deployment, &declared, job, &place(start, configuration));
    told.force("rest.address", format!("{}.{}", services::rest_name(start), start.namespace()));
    told.force("rest.bind-address", "0.0.0.0");
    told.force("kobel.rest.unprotected", "true");
    told.force("kobel.recovery", "newest");
    told
}

/// The pod as a place where the process is started.
fn place(start: &Start<'_>, configuration: &Configuration) -> Place {
    let rest = container::port(configuration, "rest.bind-port", REST_PORT);
    Place {
        folder: PathBuf::from(DATA),
        ports: Ports { rest, rpc: 0, blob: 0 },
        standbys: Standbys::default(),
        kobel: PathBuf::from("kobel"),
        artifact: fetcher::local_path(start).map(PathBuf::from),
        flink: None,
    }
}

/// The image: that of the resource, or that of its template, or that of the operator. One that the operator names for
/// Flink has no `kobel` in it.
fn image(start: &Start<'_>, pod: &Value) -> String {
    let of_template = || main(pod)?.get("image")?.as_str().map(str::to_owned);
    let image = start.deployment.cluster.image.clone().or_else(of_template);
    image.unwrap_or_else(|| start.kobel_image.to_owned())
}

/// Memory and CPU of the job manager and of all task managers together.
fn resources(main: &mut Value, start: &Start<'_>) {
    let cluster = &start.deployment.cluster;
    let requests = process::sum(cluster, |amounts| (amounts.memory, amounts.cpu_millis));
    let limits = process::sum(cluster, |amounts| (sizes::memory(amounts), sizes::cpu_millis(amounts)));
    for (part, sum) in [("requests", requests), ("limits", limits)] {
        *slot(main, &["resources", part, "cpu"]) = Value::from(format!("{}m", sum.cpu_millis));
        *slot(main, &["resources", part, "memory"]) = Value::from(format!("{}Mi", sum.memory >> 20));
    }
}

/// The path that a directory is named by; none if it lies on no file system of the pod.
fn local(text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let path = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => rest.strip_prefix("localhost").unwrap_or(rest),
        Some(_) => return None,
        None => text.strip_prefix("file:").unwrap_or(text),
    };
    Some(Path::new(DATA).join(path))
}

/// Whether what the main container writes below a path is there when the pod is gone.
fn outlives(pod: &Value, path: &Path) -> bool {
    if path.components().any(|part| part == Part::ParentDir) {
        return false;
    }
    let over = mounts(pod).filter(|mount| path.starts_with(mount.path));
    let Some(mount) = over.max_by_key(|mount| mount.path.components().count()) else { return false };
    let mut volumes = pod.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    let volume = volumes.find(|volume| name(volume) == Some(mount.volume));
    let is_writable = |source: &Value| source.is_object() && source.get("readOnly") != Some(&Value::Bool(true));
    let lasts = |volume: &Value| LASTING.iter().any(|kind| volume.get(*kind).is_some_and(is_writable));
    !mount.is_read_only && volume.is_some_and(lasts)
}

/// Where a volume is mounted in the main container.
struct Mount<'a> {
    path: &'a Path,
    volume: &'a str,
    is_read_only: bool,
}

fn mounts(pod: &Value) -> impl Iterator<Item = Mount<'_>> {
    let entries = main(pod).and_then(|main| main.get("volumeMounts")?.as_array());
    entries.into_iter().flatten().filter_map(|entry| {
        Some(Mount {
            path: Path::new(entry.get("mountPath")?.as_str()?),
            volume: name(entry)?,
            is_read_only: entry.get("readOnly") == Some(&Value::Bool(true)),
        })
    })
}

fn main(pod: &Value) -> Option<&Value> {
    let mut containers = pod.pointer("/spec/containers")?.as_array()?.iter();
    containers.find(|container| name(container) == Some(MAIN_CONTAINER))
}

#[cfg(test)]
mod tests;
