//! What `-o wide` shows of an application beside the table of the API: its scale, its engine, its last error.
//!
//! The definitions of the operator have no such columns, and the engine is a matter of rules, so the cells are read
//! from the objects.

use kobel_model::deployment::Cluster;
use kobel_model::deployment::engine::{Engine, engine};
use kobel_resources::read::local_defaults;
use kobel_resources::{Context, Declared, read};
use serde_json::Value;

use super::reported::Reported;
use super::target::SESSION_JOB;

/// The titles of the columns.
pub(crate) const TITLES: [&str; 3] = ["PARALLELISM", "ENGINE", "ERROR"];

/// The fact that tells which Flink runs.
const VERSION: &str = "flink-version";

/// The cells of an object, one for each title; what is not known is empty.
pub(crate) fn cells(object: &Value) -> [String; 3] {
    let reported = Reported::of(object);
    let scale = ["/spec/job/parallelism", "/spec/template/spec/job/parallelism"]
        .iter()
        .find_map(|path| object.pointer(path).and_then(Value::as_i64));
    let written = scale.map(|scale| scale.to_string()).unwrap_or_default();
    let (scale, engine) = if object.get("kind").and_then(Value::as_str) == Some(SESSION_JOB) {
        // Session clusters are always Apache Flink's; of which version, the cluster says.
        (written, "flink".to_owned())
    } else {
        match cluster(object) {
            Some(cluster) => (scale_of(&cluster), engine_of(&cluster, reported)),
            None => (written, String::new()),
        }
    };
    [scale, engine, reported.error().unwrap_or_default()]
}

/// What an object declares to run, if it can be understood.
fn cluster(object: &Value) -> Option<Cluster> {
    let context = Context { previous: None, find: &|_, _| None, defaults: local_defaults() };
    match read(object, &context).ok()?.declared {
        Declared::Deployment(deployment) => Some(deployment.cluster),
        Declared::BlueGreen(pair) => Some(pair.cluster),
        Declared::SessionJob(_) | Declared::Snapshot(_) | Declared::Canary => None,
    }
}

/// A session cluster has no scale of its own.
fn scale_of(cluster: &Cluster) -> String {
    cluster.job.as_ref().map_or_else(String::new, |job| job.parallelism.to_string())
}

fn engine_of(cluster: &Cluster, reported: Reported<'_>) -> String {
    if engine(cluster) == Engine::Native {
        return "native".to_owned();
    }
    let asked = cluster.flink_version.to_string();
    // What ran before a change of the version is not what is asked for.
    let is_of_line = |fact: &&str| fact.strip_prefix(asked.as_str()).is_some_and(|patch| patch.starts_with('.'));
    let version = reported.fact(VERSION).filter(is_of_line);
    format!("flink {}", version.unwrap_or(&asked))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(configuration: &Value, version: &str) -> Value {
        json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": "orders"},
            "spec": {
                "flinkVersion": "v2_2", "flinkConfiguration": configuration,
                "job": {"jarURI": "local:///srv/orders.sql", "parallelism": 2},
            },
            "status": {"clusterInfo": {VERSION: version}},
        })
    }

    #[test]
    fn the_scale_and_the_engine_are_those_that_are_asked_for() {
        let flink = json!({"kobel.engine": "flink"});
        let session_job = json!({"kind": "FlinkSessionJob", "spec": {"job": {"parallelism": 3}}});
        let pair =
            json!({"kind": "FlinkBlueGreenDeployment", "spec": {"template": {"spec": {"job": {"parallelism": 5}}}}});
        for (object, scale, engine) in [
            (deployment(&json!({}), "2.3.0"), "2", "native"),
            (deployment(&flink, "2.2.1"), "2", "flink 2.2.1"),
            (deployment(&flink, "1.20.5"), "2", "flink 2.2"),
            (deployment(&flink, "2.20.5"), "2", "flink 2.2"),
            (deployment(&flink, ""), "2", "flink 2.2"),
            (session_job, "3", "flink"),
            (pair, "5", ""),
            (json!({"kind": "FlinkDeployment"}), "", ""),
        ] {
            assert_eq!(cells(&object), [scale, engine, ""], "{object}");
        }
    }

    #[test]
    fn the_error_is_told_in_words() {
        let error = json!({"type": "Failed", "message": "no table `a`\n  1 | SELECT"}).to_string();
        let object = json!({"kind": "FlinkSessionJob", "status": {"error": error}});
        assert_eq!(cells(&object), ["", "flink", "no table `a`\n  1 | SELECT"]);
    }
}
