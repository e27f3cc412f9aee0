//! What the health of a job is judged by, and how that was, between two looks.
//!
//! # Source
//! Apache Flink Kubernetes operator 1.15, `ClusterHealthInfo`: a JSON text in the map `status.clusterInfo`.

use serde_json::{Value, json};

/// What was seen of the restarts and checkpoints of a job since it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// When it was judged last; a look that changes nothing else is not written down.
    pub at_ms: i64,
    /// The number of restarts from which further ones are counted.
    pub restarts: i64,
    /// Since when they are counted.
    pub restarts_since_ms: i64,
    /// The number of completed checkpoints; negative if the job did not tell it.
    pub completed_checkpoints: i64,
    /// When that number was first seen.
    pub completed_since_ms: i64,
    /// Why the job is not healthy; absent if it is.
    pub unhealthy: Option<String>,
}

impl Health {
    /// The key under which the text stands in `status.clusterInfo`.
    pub const KEY: &'static str = "ClusterHealthInfo";

    /// Reads the text of a status; absent if it does not say when it was judged.
    pub fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let number = |key: &str| value.get(key).and_then(Value::as_i64);
        let at_ms = number("timeStamp").filter(|at_ms| *at_ms > 0)?;
        let result = value.get("healthResult");
        let is_healthy = result.and_then(|result| result.get("healthy")).and_then(Value::as_bool).unwrap_or(true);
        let why = result.and_then(|result| result.get("error")).and_then(Value::as_str);
        Some(Self {
            at_ms,
            restarts: number("numRestarts").unwrap_or_default(),
            // Older operators do not say since when: what they saw last is where it begins.
            restarts_since_ms: number("numRestartsEvaluationTimeStamp").unwrap_or(at_ms),
            completed_checkpoints: number("numCompletedCheckpoints").unwrap_or_default(),
            completed_since_ms: number("numCompletedCheckpointsIncreasedTimeStamp").unwrap_or(at_ms),
            unhealthy: (!is_healthy).then(|| why.unwrap_or("it is not known why").to_owned()),
        })
    }

    /// The text of a status.
    pub fn to_text(&self) -> String {
        json!({
            "timeStamp": self.at_ms,
            "numRestarts": self.restarts,
            "numRestartsEvaluationTimeStamp": self.restarts_since_ms,
            "numCompletedCheckpoints": self.completed_checkpoints,
            "numCompletedCheckpointsIncreasedTimeStamp": self.completed_since_ms,
            "healthResult": {"healthy": self.unhealthy.is_none(), "error": self.unhealthy},
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health {
            at_ms: 1_000,
            restarts: 2,
            restarts_since_ms: 3,
            completed_checkpoints: 4,
            completed_since_ms: 5,
            unhealthy: None,
        }
    }

    #[test]
    fn what_is_written_is_what_the_apache_operator_reads() {
        for unhealthy in [None, Some("it restarts".to_owned())] {
            let health = Health { unhealthy: unhealthy.clone(), ..health() };
            let expected = json!({
                "timeStamp": 1_000, "numRestarts": 2, "numRestartsEvaluationTimeStamp": 3,
                "numCompletedCheckpoints": 4, "numCompletedCheckpointsIncreasedTimeStamp": 5,
                "healthResult": {"healthy": unhealthy.is_none(), "error": unhealthy},
            });
            assert_eq!(serde_json::from_str::<Value>(&health.to_text()).unwrap(), expected);
            assert_eq!(Health::read(&health.to_text()), Some(health));
        }
    }

    #[test]
    fn what_an_older_operator_wrote_is_read_and_what_is_none_is_not() {
        let older = r#"{"timeStamp":1000,"numRestarts":2,"healthResult":{"healthy":false}}"#;
        let read = Health::read(older).unwrap();
        assert_eq!((read.restarts, read.restarts_since_ms, read.completed_since_ms), (2, 1_000, 1_000));
        assert_eq!(read.unhealthy.as_deref(), Some("it is not known why"));
        for text in ["", "{}", "[1]", r#"{"timeStamp":0,"numRestarts":2}"#, r#"{"timeStamp":"soon"}"#] {
            assert_eq!(Health::read(text), None, "for `{text}`");
        }
    }
}
