//! A start on Kobel's own engine: one process, and its configuration as a file of JSON.
//!
//! The process is given what job manager and task managers together would be given, since it does the work of them all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kobel_model::deployment::{Deployment, FlinkConfiguration, FlinkVersion};
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
const FILE: &str = "config.json";

/// Lays out a deployment with a job.
pub fn application(deployment: &Deployment, start: &JobStart<'_>, place: &Place) -> Launch {
    let configuration = configuration(deployment, start, place).into_values();
    let object = configuration.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    let file = File { path: PathBuf::from(FILE), text: Value::Object(object).to_string() };
    let cluster = &deployment.cluster;
    let tasks = &cluster.task_manager.amounts;
    let manager = &cluster.job_manager.amounts;
    let count = sizes::task_managers(cluster);
    let memory = sizes::memory(tasks).saturating_mul(u64::from(count)).saturating_add(sizes::memory(manager));
    let cpu_millis = sizes::cpu_millis(tasks).saturating_mul(count).saturating_add(sizes::cpu_millis(manager));
    let script = cluster.job.as_ref().and_then(|job| program::path(job, place)).unwrap_or_default();
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let process = Process {
        role: "application".to_owned(),
        program: place.kobel.clone(),
        arguments: vec![
            "runtime".to_owned(),
            "--script".to_owned(),
            text(script),
            "--configuration".to_owned(),
            text(place.folder.join(FILE)),
        ],
        environment: Vec::new(),
        directory: place.folder.clone(),
        memory: Some(memory),
        cpu_millis: Some(cpu_millis),
        rest_port: Some(place.ports.rest),
    };
    let rest_port = place.ports.rest;
    Launch { files: vec![file], processes: vec![process], rest_port, ports: vec![rest_port] }
}

/// What the engine is told.
fn configuration(deployment: &Deployment, start: &JobStart<'_>, place: &Place) -> Configuration {
    let cluster = &deployment.cluster;
    let mut configuration = Configuration::of(&respelled(&cluster.flink_configuration));
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
        ("rest.address", "127.0.0.1"),
        ("rest.bind-address", "127.0.0.1"),
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
