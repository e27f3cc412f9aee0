//! The metadata of high availability that Flink keeps in ConfigMaps: what they are, and what they tell.
//!
//! # Source
//! Apache Flink 1.20 and 2.2, `KubernetesUtils.getConfigMapLabels`, `KubernetesCheckpointStoreUtil`,
//! `KubernetesLeaderElectionHaServices`; Apache Flink Kubernetes operator 1.15, `FlinkUtils.isHaMetadataAvailable`.

use jiff::Timestamp;
use kobel_model::Result;
use kobel_model::deployment::Identity;
use serde_json::Value;

use super::calls::{CONFIG_MAP, Calls};

/// What the name of the map of a whole cluster ends in.
const OF_CLUSTER: &str = "-cluster-config-map";
/// What the names of all of them end in.
const OF_JOB: &str = "-config-map";
/// What the key of a checkpoint begins with.
const CHECKPOINT: &str = "checkpointID-";
/// What the keys of jobs that were submitted begin with, before Flink 2.0 and since.
const GRAPHS: [&str; 2] = ["jobGraph-", "executionPlan-"];

/// The maps of a deployment that are there and stay.
///
/// # Errors
/// Unavailable if they cannot be listed.
pub(super) async fn of(calls: &Calls, of: &Identity) -> Result<Vec<Value>> {
    let labels = format!("app={},type in (flink-native-kubernetes,flink-standalone-kubernetes)", of.name);
    let mut maps = calls.list(CONFIG_MAP, &of.namespace, &labels).await?;
    maps.retain(is_metadata);
    Ok(maps)
}

fn is_metadata(map: &Value) -> bool {
    let is_leaving = map.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    let is_labelled = map.pointer("/metadata/labels/configmap-type").is_some_and(|kind| kind == "high-availability");
    !is_leaving && (is_labelled || name(map).ends_with(OF_JOB))
}

/// When the newest checkpoint of a job was written down; absent if none is told of.
pub(super) fn newest(maps: &[Value], job_id: &str) -> Option<i64> {
    let is_its = |map: &&Value| is_of_job(map, job_id);
    let has_checkpoint = |map: &&Value| keys(map).any(|key| key.starts_with(CHECKPOINT));
    maps.iter().filter(is_its).filter(has_checkpoint).map(changed_ms).max()
}

/// Whether a job has begun to keep metadata: then a job manager has led it, whatever else is told.
pub(super) fn has_begun(maps: &[Value], job_id: &str) -> bool {
    maps.iter().any(|map| is_of_job(map, job_id))
}

fn is_of_job(map: &Value, job_id: &str) -> bool {
    let name = name(map);
    name.ends_with(&format!("-{job_id}{OF_JOB}")) && !name.ends_with(OF_CLUSTER)
}

/// The keys under which jobs lie that were submitted.
pub(super) fn graphs(map: &Value) -> Vec<String> {
    keys(map).filter(|key| GRAPHS.iter().any(|graph| key.starts_with(graph))).map(str::to_owned).collect()
}

fn name(map: &Value) -> &str {
    map.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

fn keys(map: &Value) -> impl Iterator<Item = &str> {
    map.get("data").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
}

/// When a map was changed last, in milliseconds since the epoch.
fn changed_ms(map: &Value) -> i64 {
    let managers = map.pointer("/metadata/managedFields").and_then(Value::as_array);
    let times = managers.into_iter().flatten().filter_map(|manager| manager.get("time"));
    let times = times.chain(map.pointer("/metadata/creationTimestamp"));
    let times = times.filter_map(|time| time.as_str()?.parse::<Timestamp>().ok());
    times.map(Timestamp::as_millisecond).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(name: &str, data: &Value) -> Value {
        json!({
            "metadata": {
                "name": name,
                "labels": {"app": "orders", "type": "flink-native-kubernetes"},
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "managedFields": [{"time": "2026-01-01T00:10:00Z"}, {"time": "2026-01-01T00:05:00Z"}],
            },
            "data": data,
        })
    }

    #[test]
    fn a_job_has_a_checkpoint_if_its_own_map_tells_of_one() {
        let checkpoint = json!({"checkpointID-0000000000000000007": "rO0", "counter": "8"});
        for (name, data, expected) in [
            ("orders-0a-config-map", &checkpoint, true),
            ("orders-0a-config-map", &json!({"counter": "1"}), false),
            ("orders-0b-config-map", &checkpoint, false),
            ("orders-cluster-config-map", &checkpoint, false),
        ] {
            let found = newest(&[map(name, data)], "0a");
            assert_eq!(found, expected.then_some(1_767_226_200_000), "{name} {data}");
            assert_eq!(has_begun(&[map(name, data)], "0a"), name == "orders-0a-config-map", "{name} {data}");
        }
        // A job may have an id that reads like the end of the other name.
        assert_eq!(newest(&[map("orders-cluster-config-map", &checkpoint)], "cluster"), None);
    }

    #[test]
    fn what_flink_is_configured_with_is_no_metadata() {
        for (name, expected) in [
            ("orders-0a-config-map", true),
            ("orders-cluster-config-map", true),
            ("flink-config-orders", false),
            ("pod-template-orders", false),
        ] {
            assert_eq!(is_metadata(&map(name, &json!({}))), expected, "{name}");
        }
    }

    #[test]
    fn jobs_that_were_submitted_are_found_under_the_keys_of_both_lines() {
        let data = json!({"jobGraph-0a": "x", "executionPlan-0b": "y", "org.apache.flink.k8s.leader.restserver": "z"});
        assert_eq!(graphs(&map("orders-cluster-config-map", &data)), ["jobGraph-0a", "executionPlan-0b"]);
    }
}
