//! Lists and values of metrics as requests see them.

use super::{aggregated, listed};
use crate::monitor::{Component, Monitor, fixtures};
use crate::rest::metrics::aggregation::Aggregation;
use kobel_rest::metrics::Metric;
use std::sync::atomic::Ordering;

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

/// The two subtasks of the window, with 124 and 191 rows.
fn window() -> Vec<Component> {
    let job = fixtures::job(2);
    let monitor = Monitor::new(fixtures::cluster(&job));
    for (subtask, rows) in [(0, 124), (1, 191)] {
        job.read(|state| state.attempt.metrics.tasks[1][subtask].rows_in.store(rows, Ordering::Relaxed));
    }
    monitor.subtasks(&job, 1, 0).into_iter().map(|(_, component)| component).collect()
}

#[test]
fn values_come_once_and_unknown_names_are_left_out() {
    let window = window();
    let window = window.first();
    let listed = |names: Option<Vec<String>>| listed(window, names);
    let expected = [Metric::new("numRecordsIn", 124), Metric::new("hourly__Writer.numRecordsSend", 0)];
    assert_eq!(listed(Some(names("numRecordsIn,nope,hourly__Writer.numRecordsSend,numRecordsIn"))), expected);
    assert!(listed(Some(names(""))).is_empty());
    let all = listed(None);
    assert!(all.len() > 40 && all.iter().all(|metric| metric.value.is_none()), "{all:?}");
    assert!(super::listed(None, None).is_empty());
}

#[test]
fn subtasks_are_summed_up_in_the_ways_asked_for() {
    let window = window();
    let sum = |text: &str, aggregations: &[Aggregation]| {
        serde_json::to_string(&aggregated(&window, Some(&names(text)), aggregations)).unwrap()
    };
    assert_eq!(
        sum("numRecordsIn", &Aggregation::ALL),
        r#"[{"id":"numRecordsIn","min":124.0,"max":191.0,"avg":157.5,"sum":315.0,"skew":21.26984126984127}]"#
    );
    assert_eq!(
        sum("numRecordsOut,numRecordsIn", &[Aggregation::Sum]),
        r#"[{"id":"numRecordsOut","sum":0.0},{"id":"numRecordsIn","sum":315.0}]"#
    );
    assert_eq!(sum("numRecordsIn,nope", &Aggregation::ALL), "[]", "one unknown name empties the answer");
    assert_eq!(sum("isBackPressured", &Aggregation::ALL), "[]", "yes and no are not summed up");
}

#[test]
fn the_names_of_several_components_come_once() {
    let window = window();
    let all = aggregated(&window, None, &Aggregation::ALL);
    let one = listed(window.first(), None);
    assert_eq!(all.iter().map(|metric| &metric.id).collect::<Vec<_>>(), one.iter().map(|m| &m.id).collect::<Vec<_>>());
}
