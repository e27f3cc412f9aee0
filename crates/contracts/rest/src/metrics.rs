//! Metrics: by name, summed up over subtasks, jobs or task managers, and the counters that a job detail shows.
//!
//! Invariant: the value of a metric is text, its aggregates are numbers.

use serde::{Deserialize, Serialize};

use crate::number::Number;

/// The answer to a request for metrics: only names without `get`, names and values with it.
pub type MetricCollectionResponseBody = Vec<Metric>;

/// The answer to a request for metrics over several subtasks, jobs or task managers.
pub type AggregatedMetricsResponseBody = Vec<AggregatedMetric>;

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The name within its scope.
    pub id: String,
    /// The value as text; absent in a list of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Metric {
    /// Returns the entry of a list of names.
    pub fn name(id: impl Into<String>) -> Self {
        Self { id: id.into(), value: None }
    }

    /// Returns a name with its value.
    pub fn new(id: impl Into<String>, value: impl ToString) -> Self {
        Self { id: id.into(), value: Some(value.to_string()) }
    }
}

/// A metric summed up; only the aggregates that were asked for are there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AggregatedMetric {
    /// The name within its scope.
    pub id: String,
    /// The smallest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// The mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg: Option<Number>,
    /// The sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Number>,
    /// How unevenly the values are spread, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Number>,
}

/// The counters of a task, summed over the subtasks that an answer is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IoMetrics {
    /// Bytes received.
    pub read_bytes: i64,
    /// Whether every subtask reported its bytes received.
    pub read_bytes_complete: bool,
    /// Bytes sent.
    pub write_bytes: i64,
    /// Whether every subtask reported its bytes sent.
    pub write_bytes_complete: bool,
    /// Records received.
    pub read_records: i64,
    /// Whether every subtask reported its records received.
    pub read_records_complete: bool,
    /// Records sent.
    pub write_records: i64,
    /// Whether every subtask reported its records sent.
    pub write_records_complete: bool,
    /// Milliseconds during which the output was blocked.
    pub accumulated_backpressured_time: i64,
    /// Milliseconds during which there was no input.
    pub accumulated_idle_time: i64,
    /// Milliseconds of work; not a number for a source that does not measure it.
    pub accumulated_busy_time: Number,
}

impl Default for IoMetrics {
    /// Returns the counters of a task that did nothing yet, all of them reported.
    fn default() -> Self {
        Self {
            read_bytes: 0,
            read_bytes_complete: true,
            write_bytes: 0,
            write_bytes_complete: true,
            read_records: 0,
            read_records_complete: true,
            write_records: 0,
            write_records_complete: true,
            accumulated_backpressured_time: 0,
            accumulated_idle_time: 0,
            accumulated_busy_time: Number(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AggregatedMetric, AggregatedMetricsResponseBody, IoMetrics, Metric, MetricCollectionResponseBody};
    use crate::number::Number;
    use crate::round_trip::printed_back;

    #[test]
    fn a_metric_has_a_value_only_when_it_was_asked_for() {
        let names: MetricCollectionResponseBody = printed_back(r#"[{"id":"uptime"},{"id":"0.numRecordsIn"}]"#);
        assert_eq!(names, [Metric::name("uptime"), Metric::name("0.numRecordsIn")]);
        let values: MetricCollectionResponseBody =
            printed_back(r#"[{"id":"busyTimeMsPerSecond","value":"139.0"},{"id":"lag","value":"NaN"}]"#);
        assert_eq!(values, [Metric::new("busyTimeMsPerSecond", Number(139.0)), Metric::new("lag", Number::NAN)]);
    }

    #[test]
    fn only_the_aggregates_asked_for_are_there() {
        let aggregates: AggregatedMetricsResponseBody = printed_back(
            r#"[{"id":"a","min":1.0,"max":2.0,"avg":1.5,"sum":3.0,"skew":33.5},{"id":"b","max":"NaN"},{"id":"c"}]"#,
        );
        let expected = AggregatedMetric { id: "b".to_owned(), max: Some(Number::NAN), ..AggregatedMetric::default() };
        assert_eq!(aggregates.get(1), Some(&expected));
    }

    #[test]
    fn counters_that_are_not_measured_are_not_numbers() {
        let counters: IoMetrics = printed_back(
            r#"{"read-bytes":0,"read-bytes-complete":true,"write-bytes":0,"write-bytes-complete":true,
            "read-records":0,"read-records-complete":true,"write-records":0,"write-records-complete":true,
            "accumulated-backpressured-time":0,"accumulated-idle-time":0,"accumulated-busy-time":"NaN"}"#,
        );
        assert_eq!(counters, IoMetrics { accumulated_busy_time: Number::NAN, ..IoMetrics::default() });
    }
}
