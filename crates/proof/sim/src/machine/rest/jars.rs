//! Programs of a session cluster: taken in, run, removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use kobel_model::deployment::Identity;
use kobel_rest::cluster::EmptyBody;
use serde_json::{Value, json};

use super::reply::{Reply, answer, internal, refusal};
use crate::machine::exceptions::{DUPLICATE, REST_HANDLER};
use crate::machine::job::{Birth, Job};
use crate::machine::jobs;
use crate::machine::launch::name_of_submitted;
use crate::world::World;

/// Where programs are kept that were taken in.
const UPLOADS: &str = "/tmp/flink-web/flink-web-upload";

/// A program is taken in.
pub fn upload(world: &mut World, cluster: &Identity, body: &[u8]) -> Reply {
    let head = String::from_utf8_lossy(body);
    let name = head.split_once("filename=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
    let Some(name) = name.filter(|name| name.ends_with(".jar")) else {
        return refusal(400, "Only Jar files are allowed.");
    };
    let id = format!("{:08x}_{name}", world.machine.draw());
    world.machine.jars.insert((cluster.clone(), id.clone()));
    answer(200, &json!({"filename": format!("{UPLOADS}/{id}"), "status": "success"}))
}

/// A program is run: it submits its job.
pub fn run(world: &mut World, cluster: &Identity, jar: &str, body: &[u8]) -> Reply {
    if !world.machine.jars.contains(&(cluster.clone(), jar.to_owned())) {
        return refusal(400, format!("{REST_HANDLER}: Jar file {UPLOADS}/{jar} does not exist"));
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return refusal(400, "Bad request received.") };
    let Some(launched) = world.machine.launches.get(cluster) else { return internal("the cluster is gone") };
    let (launch, line, below) = (launched.number, launched.started.line, launched.started.settings.clone());
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let id = text("jobId").unwrap_or_else(|| format!("{launch:032x}"));
    let is_known = |job: &Job| job.launch == launch && job.cluster == *cluster;
    if world.machine.jobs.get(&id).is_some_and(is_known) {
        return refusal(400, format!("{REST_HANDLER}: Could not execute application.\nCaused by: {DUPLICATE}: {id}"));
    }
    let pairs = body.get("flinkConfiguration").and_then(Value::as_object).into_iter().flatten();
    let told = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    let mut values: BTreeMap<String, String> = pairs.filter_map(told).collect();
    if let Some(parallelism) = body.get("parallelism").and_then(Value::as_i64) {
        values.insert("parallelism.default".to_owned(), parallelism.to_string());
    }
    let settings = Arc::new(below.below(&values, line));
    let name = values.get("pipeline.name").cloned().unwrap_or_else(|| id.clone());
    let owner = name_of_submitted(&values).unwrap_or_else(|| name.clone());
    let lineage = Identity { namespace: cluster.namespace.clone(), name: owner };
    world.machine.note_start(&lineage);
    let (cluster, restore) = (cluster.clone(), text("savepointPath"));
    jobs::begin(world, Birth { id: id.clone(), name, lineage, cluster, launch, settings, restore });
    answer(200, &json!({"jobid": id}))
}

/// A program is removed.
pub fn delete(world: &mut World, cluster: &Identity, jar: &str) -> Reply {
    if world.machine.jars.remove(&(cluster.clone(), jar.to_owned())) {
        return answer(200, &json!(EmptyBody::default()));
    }
    refusal(400, format!("{REST_HANDLER}: File {jar} does not exist in {UPLOADS}."))
}
