//! The configuration of Flink that one start in Kubernetes has: the operator's defaults, the resource over them, and
//! over both what only the start and the objects around it can know.
//!
//! It still holds what only an operator reads, for the other objects are made of it too. What a cluster is told leaves
//! that out (`config_maps`).
//!
//! # Invariants
//! * What the resource says wins over a default in whatever spelling either of them is written.
//! * Every port that an object names stands in it as a plain number.
//! * An option that was renamed stands in it once, in the spelling of the line.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `FlinkConfigBuilder`, `ApplicationReconciler`; Apache Flink 1.20 and 2.2,
//! `KubernetesClusterDescriptor`, `InternalServiceDecorator`, `KubernetesConfigOptions`.

mod defaults;
pub mod program;
pub mod structured;
#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use kobel_model::deployment::{Amounts, Deployment, FlinkConfiguration, FlinkVersion, HighAvailability, Job, Mode};
use kobel_model::settings::entry;

use super::start::{GENERATION, Start};
use super::{accounts, container, emr};
use crate::configuration::{
    CHECKPOINT_DIRECTORY, Configuration, PARALLELISM, RETAINED, RETENTION, Renamed, SAVEPOINT_DIRECTORY,
};
use crate::flink::memory;
use crate::launch::JobStart;

/// The port of the REST API, unless it is set.
pub const REST_PORT: u16 = 8081;
/// The port on which a job manager is called, unless it is set.
pub const JOB_MANAGER_PORT: u16 = 6123;
/// The port of the store of large objects, unless it is set.
pub const BLOB_PORT: u16 = 6124;
/// The port on which a task manager is called, unless it is set.
pub const TASK_MANAGER_PORT: u16 = 6122;

/// Which store keeps what a successor of the job manager needs.
pub const AVAILABILITY: Renamed = Renamed::new("high-availability.type", &["high-availability"], FlinkVersion::V1_17);
/// The image of the pods.
pub const IMAGE: Renamed =
    Renamed::new("kubernetes.container.image.ref", &["kubernetes.container.image"], FlinkVersion::V1_17);
/// The CPUs of the job manager.
pub const JOB_MANAGER_CPU: Renamed =
    Renamed::new("kubernetes.jobmanager.cpu.amount", &["kubernetes.jobmanager.cpu"], FlinkVersion::V1_17);
/// The CPUs of a task manager.
pub const TASK_MANAGER_CPU: Renamed =
    Renamed::new("kubernetes.taskmanager.cpu.amount", &["kubernetes.taskmanager.cpu"], FlinkVersion::V1_17);

/// How many task managers there are in standalone mode.
pub const TASK_MANAGER_REPLICAS: &str = "kubernetes.internal.taskmanager.replicas";
/// Where a job manager is called on.
const ADDRESS: &str = "jobmanager.rpc.address";
/// What the object of the job manager is annotated with.
const ANNOTATIONS: &str = "kubernetes.jobmanager.annotations";
/// Labels, of which those of the platform stay beside those of the resource.
const LABELS: [&str; 2] = ["kubernetes.jobmanager.labels", "kubernetes.taskmanager.labels"];
/// Which parallelism single vertices have.
const OVERRIDES: &str = "pipeline.jobvertex-parallelism-overrides";
/// The store in Kubernetes, and the class of it that lines before 1.17 want to be told.
const KUBERNETES_STORE: [&str; 2] =
    ["kubernetes", "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory"];
/// The oldest line that keeps the results of applications beside those of jobs.
const APPLICATION_RESULTS_SINCE: FlinkVersion = FlinkVersion::V2_3;

/// The keys that have the REST API encrypted: the newer one decides if it is there.
const REST_ENCRYPTION: [&str; 2] = ["security.ssl.rest.enabled", "security.ssl.enabled"];
/// The oldest line that knows the newer one alone.
const NEWER_ENCRYPTION_SINCE: FlinkVersion = FlinkVersion::V2_0;

/// The key that has the REST API of a line encrypted, if one does, by what is configured under a key.
pub fn rest_encryption<'a>(line: FlinkVersion, configured: impl Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
    let known = if line < NEWER_ENCRYPTION_SINCE { REST_ENCRYPTION.len() } else { 1 };
    let (key, value) = REST_ENCRYPTION.into_iter().take(known).find_map(|key| Some((key, configured(key)?)))?;
    value.trim().eq_ignore_ascii_case("true").then_some(key)
}

/// What `start` is configured with.
pub fn effective(start: &Start<'_>) -> Configuration {
    let cluster = &start.deployment.cluster;
    let line = cluster.flink_version;
    let mut configuration = layers(start);
    for option in [&CHECKPOINT_DIRECTORY, &SAVEPOINT_DIRECTORY, &AVAILABILITY] {
        configuration.settle_or(option, line, || None);
    }
    configuration.default_to("kubernetes.rest-service.exposed.type", "ClusterIP");
    configuration.default_to("web.cancel.enable", "false");
    configuration.force("$internal.flink.version", line.as_str());
    image_and_accounts(&mut configuration, start);
    components(&mut configuration, start);
    availability(&mut configuration, start);
    match (&cluster.job, &start.job) {
        (Some(job), Some(of)) => application(&mut configuration, start, job, of),
        _ => session(&mut configuration, start),
    }
    identity(&mut configuration, start);
    ports(&mut configuration, start);
    configuration
}

/// The defaults with the resource over them.
pub(super) fn layers(start: &Start<'_>) -> Configuration {
    let cluster = &start.deployment.cluster;
    let below = defaults::of(start.defaults, start.namespace(), cluster.flink_version);
    let mut below = Configuration::whole(below);
    emr::configure(&mut below, start);
    let labels = LABELS.map(|key| structured::map(&below, key));
    let own = cluster.flink_configuration.values();
    let mut all = Configuration::whole(over(below.into_values(), own));
    let own = Configuration::whole(own.clone());
    for (key, mut labels) in LABELS.into_iter().zip(labels) {
        labels.extend(structured::map(&own, key));
        set_map(&mut all, key, &labels);
    }
    all
}

/// What is said `below` with a resource's `own` values over it.
fn over(mut below: BTreeMap<String, String>, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let set: BTreeSet<&str> = own.keys().map(|key| newest(key)).collect();
    below.retain(|key, _| !set.contains(newest(key)));
    below.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    below
}

/// What a session cluster tells its jobs, as far as somebody has said it: the operator's defaults, the resource over
/// them. It still holds what only an operator reads.
pub fn declared(deployment: &Deployment, defaults: &BTreeMap<String, String>) -> Configuration {
    let cluster = &deployment.cluster;
    let below = defaults::of(defaults, &deployment.identity.namespace, cluster.flink_version);
    Configuration::whole(over(below, cluster.flink_configuration.values()))
}

/// The same with what one of its jobs says over it.
pub fn declared_over(below: Configuration, own: &FlinkConfiguration) -> Configuration {
    Configuration::whole(over(below.into_values(), own.values()))
}

/// The newest spelling of `key`.
fn newest(key: &str) -> &str {
    let renamed = [&AVAILABILITY, &IMAGE, &JOB_MANAGER_CPU, &TASK_MANAGER_CPU];
    let here = renamed.into_iter().find(|option| option.spellings().any(|spelling| spelling == key));
    let here = here.and_then(|option| option.spellings().next());
    here.or_else(|| entry(key).map(|entry| entry.key.as_str())).unwrap_or(key)
}

/// Sets a map as one value, in place of whatever spells it now.
fn set_map(configuration: &mut Configuration, key: &str, map: &BTreeMap<String, String>) {
    configuration.remove_below(&format!("{key}."));
    configuration.remove(key);
    if !map.is_empty() {
        configuration.force(key, structured::print_map(map));
    }
}

fn image_and_accounts(configuration: &mut Configuration, start: &Start<'_>) {
    let cluster = &start.deployment.cluster;
    let image = cluster.image.clone().or_else(|| configuration.find(&IMAGE).map(str::to_owned));
    configuration.settle(&IMAGE, cluster.flink_version, image);
    if let Some(policy) = &cluster.image_pull_policy {
        configuration.force("kubernetes.container.image.pull-policy", policy);
    }
    if let Some(account) = &cluster.service_account {
        configuration.force("kubernetes.service-account", account);
    }
    if let Some(account) = accounts::job_manager_account(start) {
        configuration.force("kubernetes.service-account", account.as_str());
        configuration.force("kubernetes.jobmanager.service-account", account);
    }
    if let Some(account) = accounts::task_manager_account(start) {
        configuration.force("kubernetes.taskmanager.service-account", account);
    }
}

fn components(configuration: &mut Configuration, start: &Start<'_>) {
    let cluster = &start.deployment.cluster;
    let (manager, tasks) = (&cluster.job_manager, &cluster.task_manager);
    memory::size(configuration, &memory::JOB_MANAGER, &manager.amounts);
    memory::size(configuration, &memory::TASK_MANAGER, &tasks.amounts);
    let line = cluster.flink_version;
    configuration.settle(&JOB_MANAGER_CPU, line, Some(cpus(&manager.amounts)));
    configuration.settle(&TASK_MANAGER_CPU, line, Some(cpus(&tasks.amounts)));
    limits(configuration, "jobmanager", &manager.amounts);
    limits(configuration, "taskmanager", &tasks.amounts);
    configuration.force("kubernetes.jobmanager.replicas", manager.replicas.to_string());
    configuration.force("taskmanager.numberOfTaskSlots", tasks.slots.to_string());
    if let Some(replicas) = tasks.replicas {
        configuration.force(TASK_MANAGER_REPLICAS, replicas.to_string());
    }
}

/// CPUs as Java prints a double: `1.0`, `0.25`.
fn cpus(amounts: &Amounts) -> String {
    format!("{:?}", f64::from(amounts.cpu_millis) / 1000.0)
}

/// How many times what it is sized for a component may use at most.
fn limits(configuration: &mut Configuration, component: &str, amounts: &Amounts) {
    let kibibytes = |bytes: u64| f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX));
    let memory = amounts.memory_limit.map(|limit| kibibytes(limit) / kibibytes(amounts.memory).max(1.0));
    let cpu = amounts.cpu_limit_millis.map(|limit| f64::from(limit) / f64::from(amounts.cpu_millis.max(1)));
    for (name, factor) in [("memory", memory), ("cpu", cpu)] {
        if let Some(factor) = factor {
            configuration.force(&format!("kubernetes.{component}.{name}.limit-factor"), format!("{factor:?}"));
        }
    }
}

/// Says where a successor of the job manager finds what it needs.
fn availability(configuration: &mut Configuration, start: &Start<'_>) {
    let cluster = &start.deployment.cluster;
    let HighAvailability::On { storage_dir } = &cluster.high_availability else {
        return;
    };
    let line = cluster.flink_version;
    let is_kind = |kind: &&str| !kind.is_empty() && !kind.eq_ignore_ascii_case("none");
    let kind = configuration.find(&AVAILABILITY).map(str::trim).filter(is_kind);
    let [name, class] = KUBERNETES_STORE;
    let kind = match kind {
        Some(kind) if !kind.eq_ignore_ascii_case(name) => kind,
        _ if line < FlinkVersion::V1_17 => class,
        _ => name,
    };
    let kind = kind.to_owned();
    configuration.settle(&AVAILABILITY, line, Some(kind));
    configuration.force("high-availability.cluster-id", start.name());
    if let Some(directory) = storage_dir {
        configuration.force("high-availability.storageDir", directory);
    }
}

fn application(configuration: &mut Configuration, start: &Start<'_>, job: &Job, of: &JobStart<'_>) {
    let cluster = &start.deployment.cluster;
    configuration.job(job, &start.deployment.identity, of, cluster.flink_version);
    configuration.checkpoints(job.upgrade_mode);
    configuration.default_to(RETENTION, RETAINED);
    configuration.force("execution.shutdown-on-application-finish", "false");
    configuration.default_to("execution.submit-failed-job-on-application-error", "true");
    results(configuration, start);
    match cluster.mode {
        Mode::Native => target(configuration, "kubernetes-application", "KubernetesApplicationClusterEntrypoint"),
        Mode::Standalone => {
            let parallelism = standalone_parallelism(configuration, start, job);
            let replicas = parallelism.div_ceil(cluster.task_manager.slots.max(1));
            configuration.force(PARALLELISM, parallelism.to_string());
            configuration.default_to(TASK_MANAGER_REPLICAS, replicas.to_string());
            standalone(configuration, "APPLICATION");
        }
    }
    program::configure(configuration, start);
}

fn session(configuration: &mut Configuration, start: &Start<'_>) {
    match start.deployment.cluster.mode {
        Mode::Native => target(configuration, "kubernetes-session", "KubernetesSessionClusterEntrypoint"),
        Mode::Standalone => {
            configuration.default_to(TASK_MANAGER_REPLICAS, "1");
            standalone(configuration, "SESSION");
        }
    }
}

/// Says what Flink's own client says of a cluster that asks for its task managers itself.
fn target(configuration: &mut Configuration, name: &str, entry_point: &str) {
    configuration.force("execution.target", name);
    let class = format!("org.apache.flink.kubernetes.entrypoint.{entry_point}");
    configuration.force("kubernetes.internal.jobmanager.entrypoint.class", class);
    configuration.force("internal.cluster.execution-mode", "NORMAL");
}

fn standalone(configuration: &mut Configuration, kind: &str) {
    configuration.force("execution.target", "remote");
    configuration.force("kubernetes.internal.cluster-mode", kind);
}

/// The slots that a job needs whose task managers are there before it: the autoscaler's largest vertex decides, unless
/// the number of task managers is set.
fn standalone_parallelism(configuration: &Configuration, start: &Start<'_>, job: &Job) -> u32 {
    if start.deployment.cluster.task_manager.replicas.is_some() {
        return job.parallelism;
    }
    let overrides = structured::map(configuration, OVERRIDES);
    let largest = overrides.values().filter_map(|text| text.trim().parse::<u32>().ok()).max();
    largest.filter(|parallelism| *parallelism > 0).unwrap_or(job.parallelism)
}

/// Keeps the results of this start where no other start finds them: Flink does not run a job again whose result it
/// finds, and would take the next start of an application for the last.
fn results(configuration: &mut Configuration, start: &Start<'_>) {
    let HighAvailability::On { storage_dir: Some(directory) } = &start.deployment.cluster.high_availability else {
        return;
    };
    let directory = directory.trim_end_matches('/');
    let (name, fresh) = (start.name(), start.fresh);
    let with_applications = start.deployment.cluster.flink_version >= APPLICATION_RESULTS_SINCE;
    let stores = ["job-result-store", "application-result-store"];
    for store in stores.into_iter().take(if with_applications { 2 } else { 1 }) {
        configuration.force(&format!("{store}.storage-path"), format!("{directory}/{store}/{name}/{fresh}"));
        configuration.default_to(&format!("{store}.delete-on-commit"), "false");
    }
}

/// Says which cluster it is, and what it belongs to.
fn identity(configuration: &mut Configuration, start: &Start<'_>) {
    configuration.force("kubernetes.namespace", start.namespace());
    configuration.force("kubernetes.cluster-id", start.name());
    let mut annotations = structured::map(configuration, ANNOTATIONS);
    annotations.insert(GENERATION.to_owned(), start.generation.to_string());
    set_map(configuration, ANNOTATIONS, &annotations);
    let owner = start.owner();
    let members = owner.as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let owner: BTreeMap<String, String> = members.map(|(key, value)| (key.clone(), text(value))).collect();
    let owners = structured::print_list(&[structured::print_map(&owner)]);
    configuration.force("kubernetes.jobmanager.owner.reference", owners);
}

/// Makes every port that an object names a plain number.
fn ports(configuration: &mut Configuration, start: &Start<'_>) {
    let rest = container::port(configuration, "rest.port", REST_PORT);
    let call = container::port(configuration, "jobmanager.rpc.port", JOB_MANAGER_PORT);
    let is_available = start.deployment.cluster.high_availability.is_on();
    for (key, default) in [
        ("rest.port", rest),
        ("rest.bind-port", rest),
        ("jobmanager.rpc.port", call),
        ("blob.server.port", BLOB_PORT),
        ("taskmanager.rpc.port", TASK_MANAGER_PORT),
    ] {
        let port = container::port(configuration, key, default);
        configuration.force(key, port.to_string());
    }
    if is_available {
        let port = container::port(configuration, "high-availability.jobmanager.port", call);
        configuration.force("high-availability.jobmanager.port", port.to_string());
    }
    if has_internal_service(start) {
        configuration.force(ADDRESS, format!("{}.{}", start.name(), start.namespace()));
    }
}

/// Whether the job manager is called on through a service of its own: wherever its address is not that of its pod.
pub(super) fn has_internal_service(start: &Start<'_>) -> bool {
    let cluster = &start.deployment.cluster;
    cluster.mode == Mode::Standalone || !cluster.high_availability.is_on()
}
