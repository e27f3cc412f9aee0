//! A start on Kobel's own engine: one process, and its configuration as a file of JSON.
//!
//! The process is given what job manager and task managers together would be given, since it does the work of them all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kobel_model::deployment::{Amounts, Cluster, Deployment, FlinkConfiguration, FlinkVersion};
use kobel_model::settings::entry;
use serde_json::Value;

use crate::configuration::{CHECKPOINTING_INTERVAL, Configuration};
use crate::launch::{File, JobStart, Launch, Process};
use crate::place::Place;
use crate::program;
use crate::sizes;

/// The line whose spellings the engine reads.
const LINE: FlinkVersion = FlinkVersion::V2_3;
/// The file with the configuration.
pub(crate) const FILE: &str = "config.json";

/// What the process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Thousandths of a CPU.
    pub(crate) cpu_millis: u64,
}

/// Lays out a deployment with a job.
pub fn application(deployment: &Deployment, start: &JobStart<'_>, place: &Place) -> Launch {
    let mut configuration = configuration(deployment, &deployment.cluster.flink_configuration, start, place);
    for key in ["rest.address", "rest.bind-address"] {
        configuration.force(key, "127.0.0.1");
    }
    let file = File { path: PathBuf::from(FILE), text: text(configuration) };
    let sum = sum(&deployment.cluster, |amounts| (sizes::memory(amounts), sizes::cpu_millis(amounts)));
    let process = Process {
        role: "application".to_owned(),
        program: place.kobel.clone(),
        arguments: arguments(deployment, place, &place.folder.join(FILE)),
        environment: Vec::new(),
        directory: place.folder.clone(),
        memory: Some(sum.memory),
        cpu_millis: Some(u32::try_from(sum.cpu_millis).unwrap_or(u32::MAX)),
        rest_port: Some(place.ports.rest),
    };
    let rest_port = place.ports.rest;
    Launch { files: vec![file], processes: vec![process], rest_port, ports: vec![rest_port] }
}

/// What the job manager and all task managers together are given, of which `of` tells for one of them.
pub(crate) fn sum(cluster: &Cluster, of: impl Fn(&Amounts) -> (u64, u32)) -> Sum {
    let count = sizes::task_managers(cluster);
    let ((memory, cpu), (of_manager, cpu_of_manager)) =
        (of(&cluster.task_manager.amounts), of(&cluster.job_manager.amounts));
    Sum {
        memory: memory.saturating_mul(u64::from(count)).saturating_add(of_manager),
        cpu_millis: u64::from(cpu).saturating_mul(u64::from(count)).saturating_add(u64::from(cpu_of_manager)),
    }
}

/// What the program is given whose configuration lies at a path.
pub(crate) fn arguments(deployment: &Deployment, place: &Place, configuration: &Path) -> Vec<String> {
    let script = deployment.cluster.job.as_ref().and_then(|job| program::path(job, place)).unwrap_or_default();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    vec!["runtime".to_owned(), "--script".to_owned(), text(&script), "--configuration".to_owned(), text(configuration)]
}

/// A configuration as a file of JSON.
pub(crate) fn text(configuration: Configuration) -> String {
    let values = configuration.into_values().into_iter();
    Value::Object(values.map(|(key, value)| (key, Value::from(value))).collect()).to_string()
}

/// What the engine is told of which a resource says `own`, but for where its REST API answers.
pub(crate) fn configuration(
    deployment: &Deployment,
    own: &FlinkConfiguration,
    start: &JobStart<'_>,
    place: &Place,
) -> Configuration {
    let cluster = &deployment.cluster;
    let mut configuration = Configuration::of(&respelled(own));
    configuration.directories(&place.folder, LINE);
    if let Some(job) = &cluster.job {
        configuration.job(job, &deployment.identity, start, LINE);
        configuration.checkpoints(job.upgrade_mode);
    }
    if configuration.get(CHECKPOINTING_INTERVAL).is_some() {
        // With checkpoints a job of Flink starts again after a failure unless it is told not to.
        configuration.default_to("restart-strategy.type", "exponential-delay");
    }
    if let Some(monitoring) = &cluster.monitoring {
        configuration.default_to("kobel.log.rotation-size", format!("{} b", monitoring.rotation.size));
        configuration.default_to("env.log.max", monitoring.rotation.files.to_string());
    }
    let port = place.ports.rest.to_string();
    for (key, value) in [
        ("rest.port", port.as_str()),
        ("rest.bind-port", port.as_str()),
        ("execution.shutdown-on-application-finish", "false"),
        ("kobel.engine", "native"),
    ] {
        configuration.force(key, value);
    }
    let slots = cluster.task_manager.slots.to_string();
    configuration.force("taskmanager.numberOfTaskSlots", slots);
    configuration.force("kobel.data-dir", place.folder.to_string_lossy());
    configuration.force("env.log.dir", place.folder.join("log").to_string_lossy());
    configuration
}

/// Known options in the newest spelling, which wins where both are set.
fn respelled(own: &FlinkConfiguration) -> FlinkConfiguration {
    let newest = |key: &str| entry(key).map_or_else(|| key.to_owned(), |entry| entry.key.clone());
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in own.iter() {
        let newest = newest(key);
        if newest == key || !values.contains_key(&newest) {
            values.insert(newest, value.to_owned());
        }
    }
    FlinkConfiguration::new(values)
}
