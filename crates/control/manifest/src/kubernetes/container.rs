//! What Flink writes into a pod of its own over what the template says: above all its main container.
//!
//! For a job manager, and in standalone mode for a task manager, that is done here. The pods that Flink asks for itself
//! in native mode it writes itself. To build one, take what [`super::template::of`] gives and hand it to [`write()`].
//!
//! # Invariants
//! * What is told apart by a name (an entry of the environment, a volume, a port) is replaced as a whole, never field
//!   by field: a value does not come to stand beside another entry's `valueFrom`.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `InitJobManagerDecorator`, `EnvSecretsDecorator`, `MountSecretsDecorator`,
//! `HadoopConfMountDecorator`, `FlinkConfMountDecorator`, `KubernetesUtils.getResourceRequirements`.

mod memory;
pub mod structured;

use std::collections::BTreeMap;

use kobel_model::deployment::Amounts;
use serde_json::{Value, json};

use super::start::{GENERATION, MAIN_CONTAINER, Start};
use super::template::{edit_list, edit_main, name, put, put_by, set_absent, slot};
use crate::configuration::Configuration;

/// The program that an image of Flink is started by.
const ENTRY_PATH: &str = "/docker-entrypoint.sh";
/// Where the configuration of Flink lies in its image.
const CONFIGURATION_DIRECTORY: &str = "/opt/flink/conf";
/// The option that names Secrets, each with the path at which it is mounted.
pub const SECRETS: &str = "kubernetes.secrets";
/// Where the configuration of Hadoop is mounted.
const HADOOP_DIRECTORY: &str = "/opt/hadoop/conf";

/// A component of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Component {
    /// The job manager.
    JobManager,
    /// A task manager.
    TaskManager,
}

impl Component {
    /// Its name in labels and in the keys of options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobManager => "jobmanager",
            Self::TaskManager => "taskmanager",
        }
    }

    /// What the key of an option of it is.
    fn key(self, option: &str) -> String {
        format!("kubernetes.{}.{option}", self.as_str())
    }

    /// What is before the name of a variable in the key that sets it.
    const fn environment(self) -> &'static str {
        match self {
            Self::JobManager => "containerized.master.env.",
            Self::TaskManager => "containerized.taskmanager.env.",
        }
    }

    /// What one replica is given.
    fn amounts<'a>(self, start: &Start<'a>) -> &'a Amounts {
        match self {
            Self::JobManager => &start.deployment.cluster.job_manager.amounts,
            Self::TaskManager => &start.deployment.cluster.task_manager.amounts,
        }
    }
}

/// What runs in the main container.
pub struct Main {
    /// Of which component.
    pub component: Component,
    /// What the image is started with; its command is always the entry point.
    pub args: Vec<String>,
    /// The ports that it listens on, by name.
    pub ports: Vec<(&'static str, u16)>,
    /// Variables that this component has besides those of the configuration, as entries of `env`.
    pub environment: Vec<Value>,
}

/// The labels of the pods of a component and of what makes them.
pub fn labels(start: &Start<'_>, configuration: &Configuration, component: Component) -> BTreeMap<String, String> {
    let mut labels = structured::map(configuration, &component.key("labels"));
    labels.extend(start.component(component.as_str()));
    labels
}

/// The annotations of the pods of a component and of what makes them. Those of a job manager tell of which generation
/// of the resource it was made.
pub fn annotations(start: &Start<'_>, configuration: &Configuration, component: Component) -> BTreeMap<String, String> {
    let mut annotations = structured::map(configuration, &component.key("annotations"));
    if component == Component::JobManager {
        annotations.insert(GENERATION.to_owned(), start.generation.to_string());
    }
    annotations
}

/// Writes what Flink writes into a pod: labels, annotations, account, network, pull secrets, nodes and tolerations;
/// image, command, arguments, ports, environment and resources of the main container; and what is mounted in both kinds
/// of pods: the configuration, secrets, Hadoop's configuration.
pub fn write(pod: &mut Value, start: &Start<'_>, configuration: &Configuration, main: &Main) {
    let component = main.component;
    insert_all(slot(pod, &["metadata", "labels"]), labels(start, configuration, component));
    let annotations = annotations(start, configuration, component);
    if !annotations.is_empty() {
        insert_all(slot(pod, &["metadata", "annotations"]), annotations);
    }
    spec(pod, start, configuration, component);
    edit_main(pod, |container| {
        image(container, start, configuration);
        let entry_path = configuration.get("kubernetes.entry.path").unwrap_or(ENTRY_PATH);
        *slot(container, &["command"]) = json!([entry_path]);
        *slot(container, &["args"]) = json!(main.args);
        if !is_on_host_network(configuration) {
            ports(container, &main.ports);
        }
        environment(container, configuration, main);
        resources(container, start, configuration, component);
    });
    volumes(pod, start, configuration);
}

/// What a pod is told outside its containers.
fn spec(pod: &mut Value, start: &Start<'_>, configuration: &Configuration, component: Component) {
    let spec = slot(pod, &["spec"]);
    let own = configuration.get(&component.key("service-account"));
    let account = own.or_else(|| configuration.get("kubernetes.service-account"));
    if let Some(account) = account.or(start.deployment.cluster.service_account.as_deref()) {
        *slot(spec, &["serviceAccountName"]) = Value::from(account);
        // The older spelling, which Kubernetes fills in; one from a template must not say something else.
        *slot(spec, &["serviceAccount"]) = Value::from(account);
    }
    if is_on_host_network(configuration) {
        *slot(spec, &["hostNetwork"]) = Value::from(true);
        *slot(spec, &["dnsPolicy"]) = Value::from("ClusterFirstWithHostNet");
    }
    if let Some(spec) = spec.as_object_mut() {
        // Whatever makes these pods knows only one policy, and says it itself.
        spec.shift_remove("restartPolicy");
    }
    for secret in structured::list(configuration, "kubernetes.container.image.pull-secrets") {
        put(spec, &["imagePullSecrets"], json!({ "name": secret }));
    }
    let nodes = structured::map(configuration, &component.key("node-selector"));
    if !nodes.is_empty() {
        insert_all(slot(spec, &["nodeSelector"]), nodes);
    }
    let tolerations = structured::maps(configuration, &component.key("tolerations"));
    if !tolerations.is_empty() {
        edit_list(slot(spec, &["tolerations"]), |entries| {
            let new = tolerations.iter().map(toleration).filter(|new| !entries.contains(new)).collect::<Vec<_>>();
            entries.extend(new);
        });
    }
}

/// A toleration as an object, from its fields as text.
fn toleration(fields: &BTreeMap<String, String>) -> Value {
    let value = |key: &str, text: &String| match text.parse::<i64>() {
        Ok(seconds) if key == "tolerationSeconds" => Value::from(seconds),
        _ => Value::from(text.as_str()),
    };
    Value::Object(fields.iter().map(|(key, text)| (key.clone(), value(key, text))).collect())
}

/// The image: what is configured, or else what the template says, or else Apache's of this line.
fn image(container: &mut Value, start: &Start<'_>, configuration: &Configuration) {
    let cluster = &start.deployment.cluster;
    let configured = ["kubernetes.container.image.ref", "kubernetes.container.image"];
    let image = configured.iter().find_map(|key| configuration.get(key)).or(cluster.image.as_deref());
    match image {
        Some(image) => *slot(container, &["image"]) = Value::from(image),
        None => set_absent(container, &["image"], Value::from(format!("flink:{}", cluster.flink_version))),
    }
    let policy = configuration.get("kubernetes.container.image.pull-policy");
    if let Some(policy) = policy.or(cluster.image_pull_policy.as_deref()) {
        *slot(container, &["imagePullPolicy"]) = Value::from(policy);
    }
}

/// The ports. What the template says under such a name or number gives way.
fn ports(container: &mut Value, ports: &[(&'static str, u16)]) {
    edit_list(slot(container, &["ports"]), |entries| {
        let is_ours = |entry: &Value| {
            let number = entry.get("containerPort").and_then(Value::as_u64);
            let is_tcp = entry.get("protocol").and_then(Value::as_str).is_none_or(|protocol| protocol == "TCP");
            let is_same_number = |port: u16| is_tcp && number == Some(u64::from(port));
            ports.iter().any(|(title, port)| name(entry) == Some(*title) || is_same_number(*port))
        };
        entries.retain(|entry| !is_ours(entry));
        // Server-side apply tells ports apart by number and protocol, so the protocol is said.
        let ours = ports.iter().map(|(title, port)| json!({ "name": title, "containerPort": port, "protocol": "TCP" }));
        entries.extend(ours);
    });
}

/// The environment: what is configured for the component, what it has besides, and what comes from secrets.
fn environment(container: &mut Value, configuration: &Configuration, main: &Main) {
    let configured = structured::below(configuration, main.component.environment());
    let mut entries: Vec<Value> =
        configured.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    entries.extend(main.environment.iter().cloned());
    if let Some(directory) = configuration.get("kubernetes.flink.log.dir") {
        entries.push(json!({ "name": "FLINK_LOG_DIR", "value": directory }));
    }
    if hadoop(configuration).is_some() {
        entries.push(json!({ "name": "HADOOP_CONF_DIR", "value": HADOOP_DIRECTORY }));
    }
    for secret in structured::maps(configuration, "kubernetes.env.secretKeyRef") {
        if let [Some(variable), Some(secret), Some(key)] = ["env", "secret", "key"].map(|field| secret.get(field)) {
            let reference = json!({ "secretKeyRef": { "name": secret, "key": key } });
            entries.push(json!({ "name": variable, "valueFrom": reference }));
        }
    }
    for entry in entries {
        put(container, &["env"], entry);
    }
}

/// Memory and CPU. What the template gives besides stays.
fn resources(container: &mut Value, start: &Start<'_>, configuration: &Configuration, component: Component) {
    let amounts = component.amounts(start);
    let number = |option: &str| configuration.get(&component.key(option)).and_then(|text| text.trim().parse().ok());
    // Flink takes no factor below one.
    let factor = |option: &str| number(option).filter(|factor: &f64| factor.is_finite()).unwrap_or(1.0).max(1.0);
    let cpu_of = |millis: u32| f64::from(millis) / 1000.0;
    let is_amount = |cpu: &f64| cpu.is_finite() && *cpu > 0.0;
    let cpu = number("cpu.amount").or_else(|| number("cpu")).filter(is_amount);
    let cpu = cpu.unwrap_or_else(|| cpu_of(amounts.cpu_millis));
    let cpu_limit = amounts.cpu_limit_millis.map_or_else(|| cpu * factor("cpu.limit-factor"), cpu_of);
    let memory = memory::mebibytes(configuration, component, amounts);
    let memory_limit = amounts.memory_limit.map(|limit| limit >> 20);
    let memory_limit = memory_limit.unwrap_or_else(|| memory::scaled(memory, factor("memory.limit-factor")));
    for (part, cpu, memory) in [("requests", cpu, memory), ("limits", cpu_limit, memory_limit)] {
        // The shortest decimal that reads back as the number, with a point in it, as Java writes it.
        *slot(container, &["resources", part, "cpu"]) = Value::from(format!("{cpu:?}"));
        *slot(container, &["resources", part, "memory"]) = Value::from(format!("{memory}Mi"));
    }
}

/// What is mounted in both kinds of pods.
fn volumes(pod: &mut Value, start: &Start<'_>, configuration: &Configuration) {
    let directory = configuration.get("kubernetes.flink.conf.dir").unwrap_or(CONFIGURATION_DIRECTORY);
    let config_map = json!({ "name": format!("flink-config-{}", start.name()) });
    mount(pod, json!({ "name": "flink-config-volume", "configMap": config_map }), directory);
    for (secret, path) in secrets(pod, configuration) {
        mount(pod, json!({ "name": secret_volume(&secret), "secret": { "secretName": secret } }), &path);
    }
    if let Some(config_map) = hadoop(configuration) {
        let volume = json!({ "name": "hadoop-config-volume", "configMap": { "name": config_map } });
        mount(pod, volume, HADOOP_DIRECTORY);
    }
}

/// The Secrets that a pod is to have as files, by name with their paths: but those in whose place its template mounts
/// something. Flink does not look, and Kubernetes takes no pod with two mounts at one path.
pub fn secrets(pod: &Value, configuration: &Configuration) -> BTreeMap<String, String> {
    let mut all = structured::map(configuration, SECRETS);
    all.retain(|_, path| !is_mounted_at(pod, path));
    all
}

/// The name of the volume of a Secret, as Flink calls it.
pub fn secret_volume(secret: &str) -> String {
    format!("{secret}-volume")
}

/// The ConfigMap with the configuration of Hadoop.
fn hadoop(configuration: &Configuration) -> Option<&str> {
    configuration.get("kubernetes.hadoop.conf.config-map.name")
}

/// Mounts a volume of ours at `path` of the main container, whatever the template has under its name or at that path.
pub fn mount(pod: &mut Value, volume: Value, path: &str) {
    let entry = json!({ "name": volume.get("name"), "mountPath": path });
    put(pod, &["spec", "volumes"], volume);
    edit_main(pod, |container| put_by("mountPath", container, &["volumeMounts"], entry));
}

/// Mounts a volume at `path` of the main container unless the template has something there; a volume that the template
/// has under its name is the one that is mounted.
pub fn offer(pod: &mut Value, volume: Value, path: &str) {
    if is_mounted(pod, path) {
        return;
    }
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    let own = volumes.and_then(|own| own.iter().find(|own| name(own) == name(&volume))).cloned();
    mount(pod, own.unwrap_or(volume), path);
}

/// Whether something is mounted at `path` of the main container, or below it.
pub fn is_mounted(pod: &Value, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    paths(pod).any(|at| at.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether something is mounted at exactly `path` of the main container.
fn is_mounted_at(pod: &Value, path: &str) -> bool {
    paths(pod).any(|at| at.trim_end_matches('/') == path.trim_end_matches('/'))
}

/// Where something is mounted in the main container.
fn paths(pod: &Value) -> impl Iterator<Item = &str> {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let main = containers.filter(|container| name(container) == Some(MAIN_CONTAINER));
    let mounts = main.filter_map(|container| container.get("volumeMounts")?.as_array()).flatten();
    mounts.filter_map(|mount| mount.get("mountPath")?.as_str())
}

/// Whether the pods share the network of their nodes, where no port is theirs alone.
pub fn is_on_host_network(configuration: &Configuration) -> bool {
    configuration.get("kubernetes.hostnetwork.enabled").is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

/// The port that a key names; `default` where it names none, any, or several.
pub fn port(configuration: &Configuration, key: &str, default: u16) -> u16 {
    let named = configuration.get(key).and_then(|text| text.trim().parse::<u16>().ok());
    named.filter(|port| *port != 0).unwrap_or(default)
}

/// Inserts every entry into the object that stands in `slot`.
fn insert_all(object: &mut Value, entries: BTreeMap<String, String>) {
    for (key, value) in entries {
        *slot(object, &[&key]) = Value::from(value);
    }
}

#[cfg(test)]
mod tests;
