//! Back-pressure and flame graphs of a vertex.
//!
//! Invariant: the level stands under both of its names, and an answer without samples has neither.

use serde::{Deserialize, Serialize};

use crate::number::Number;
use crate::words::words;

words! {
    /// Whether the answer is fresh.
    BackPressureStatus means "a back-pressure status" {
        /// There are no samples, or they are too old.
        Deprecated = "deprecated",
        /// The samples are fresh.
        Ok = "ok",
    }
}

words! {
    /// How much a task is held back by those behind it.
    BackPressureLevel means "a back-pressure level" {
        /// Less than a tenth of the time.
        Ok = "ok",
        /// Up to half of the time.
        Low = "low",
        /// More than half of the time.
        High = "high",
    }
}

impl BackPressureLevel {
    /// Returns the level for the share of time during which the output was blocked, from 0 to 1.
    pub fn of(ratio: f64) -> Self {
        if ratio <= 0.1 {
            Self::Ok
        } else if ratio <= 0.5 {
            Self::Low
        } else {
            Self::High
        }
    }
}

/// The answer to a request for the back-pressure of a vertex.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobVertexBackPressureInfo {
    /// Whether the answer is fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BackPressureStatus>,
    /// The level of the subtask that is held back most.
    #[serde(rename = "backpressureLevel", default, skip_serializing_if = "Option::is_none")]
    pub level: Option<BackPressureLevel>,
    /// The time of the samples, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_timestamp: Option<i64>,
    /// The subtasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtasks: Option<Vec<SubtaskBackPressureInfo>>,
    /// The same level under its older name.
    #[serde(rename = "backpressure-level", default, skip_serializing_if = "Option::is_none")]
    pub level_again: Option<BackPressureLevel>,
}

impl JobVertexBackPressureInfo {
    /// Returns the answer of a vertex without samples.
    pub fn deprecated() -> Self {
        Self { status: Some(BackPressureStatus::Deprecated), ..Self::default() }
    }

    /// Returns the answer of a vertex with samples of its subtasks.
    pub fn fresh(end_timestamp: i64, subtasks: Vec<SubtaskBackPressureInfo>) -> Self {
        let level = subtasks.iter().map(|subtask| subtask.level).max().unwrap_or(BackPressureLevel::Ok);
        Self {
            status: Some(BackPressureStatus::Ok),
            level: Some(level),
            end_timestamp: Some(end_timestamp),
            subtasks: Some(subtasks),
            level_again: Some(level),
        }
    }
}

/// The back-pressure of a subtask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubtaskBackPressureInfo {
    /// The number of the subtask.
    pub subtask: i64,
    /// The number of the attempt, when several run.
    #[serde(rename = "attempt-number", default, skip_serializing_if = "Option::is_none")]
    pub attempt_number: Option<i64>,
    /// The level.
    #[serde(rename = "backpressureLevel")]
    pub level: BackPressureLevel,
    /// The share of time during which the output was blocked.
    pub ratio: Number,
    /// The share of time without input.
    pub idle_ratio: Number,
    /// The share of time with work.
    pub busy_ratio: Number,
    /// Attempts that run beside this one.
    #[serde(rename = "other-concurrent-attempts", default, skip_serializing_if = "Vec::is_empty")]
    pub other_concurrent_attempts: Vec<SubtaskBackPressureInfo>,
    /// The same level under its older name.
    #[serde(rename = "backpressure-level")]
    pub level_again: BackPressureLevel,
}

impl SubtaskBackPressureInfo {
    /// Returns the back-pressure of the only attempt of a subtask, from shares of time between 0 and 1.
    pub fn new(subtask: i64, blocked: f64, idle: f64, busy: f64) -> Self {
        let level = BackPressureLevel::of(blocked);
        Self {
            subtask,
            attempt_number: None,
            level,
            ratio: Number(blocked),
            idle_ratio: Number(idle),
            busy_ratio: Number(busy),
            other_concurrent_attempts: Vec::new(),
            level_again: level,
        }
    }
}

/// The answer to a request for the flame graph of a vertex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexFlameGraph {
    /// The time of the samples in milliseconds, or a negative number that tells why there are none.
    pub end_timestamp: i64,
    /// The root of the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<FlameGraphNode>,
}

impl VertexFlameGraph {
    /// The answer of a vertex that ended.
    pub const TERMINATED: Self = Self { end_timestamp: -1, data: None };
    /// The answer of a cluster without flame graphs.
    pub const DISABLED: Self = Self { end_timestamp: -2, data: None };
    /// The answer while the first samples are taken.
    pub const WAITING: Self = Self { end_timestamp: -3, data: None };
}

/// A call in the flame graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlameGraphNode {
    /// The name of the function.
    pub name: String,
    /// The number of samples.
    pub value: i64,
    /// The calls from here.
    pub children: Vec<FlameGraphNode>,
}

#[cfg(test)]
mod tests {
    use super::{BackPressureLevel, JobVertexBackPressureInfo, SubtaskBackPressureInfo, VertexFlameGraph};
    use crate::number::Number;
    use crate::round_trip::{printed_back, refusal};

    #[test]
    fn a_vertex_is_held_back_as_much_as_its_worst_subtask() {
        let info: JobVertexBackPressureInfo = printed_back(
            r#"{"status":"ok","backpressureLevel":"low","end-timestamp":9,"subtasks":[
            {"subtask":0,"backpressureLevel":"low","ratio":0.25,"idleRatio":0.5,"busyRatio":0.25,
            "backpressure-level":"low"},
            {"subtask":1,"backpressureLevel":"ok","ratio":0.0,"idleRatio":0.0,"busyRatio":"NaN",
            "backpressure-level":"ok"}],
            "backpressure-level":"low"}"#,
        );
        let subtasks =
            vec![SubtaskBackPressureInfo::new(0, 0.25, 0.5, 0.25), SubtaskBackPressureInfo::new(1, 0.0, 0.0, f64::NAN)];
        assert_eq!(info, JobVertexBackPressureInfo::fresh(9, subtasks));
    }

    #[test]
    fn attempts_beside_an_attempt_have_numbers() {
        let subtask: SubtaskBackPressureInfo = printed_back(
            r#"{"subtask":0,"attempt-number":1,"backpressureLevel":"ok","ratio":0.0,"idleRatio":1.0,"busyRatio":0.0,
            "other-concurrent-attempts":[{"subtask":0,"attempt-number":2,"backpressureLevel":"high","ratio":1.0,
            "idleRatio":0.0,"busyRatio":0.0,"backpressure-level":"high"}],"backpressure-level":"ok"}"#,
        );
        assert_eq!(subtask.other_concurrent_attempts.first().map(|other| other.ratio), Some(Number(1.0)));
        assert!(refusal::<SubtaskBackPressureInfo>(r#"{"subtask":0,"backpressureLevel":"OK"}"#).contains("`OK`"));
    }

    #[test]
    fn without_samples_there_is_only_the_status() {
        let info: JobVertexBackPressureInfo = printed_back(r#"{"status":"deprecated"}"#);
        assert_eq!(info, JobVertexBackPressureInfo::deprecated());
    }

    #[test]
    fn levels_change_above_a_tenth_and_above_a_half() {
        let levels = [0.0, 0.1, 0.11, 0.5, 0.51, 1.0].map(BackPressureLevel::of);
        let (ok, low, high) = (BackPressureLevel::Ok, BackPressureLevel::Low, BackPressureLevel::High);
        assert_eq!(levels, [ok, ok, low, low, high, high]);
    }

    #[test]
    fn a_flame_graph_tells_why_there_is_none() {
        assert_eq!(printed_back::<VertexFlameGraph>(r#"{"endTimestamp":-2}"#), VertexFlameGraph::DISABLED);
        let graph: VertexFlameGraph = printed_back(
            r#"{"endTimestamp":9,"data":{"name":"root","value":2,"children":[{"name":"f","value":2,"children":[]}]}}"#,
        );
        assert!(graph.data.is_some_and(|root| root.children.len() == 1));
    }
}
