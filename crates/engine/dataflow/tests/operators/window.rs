//! Tumbling windows.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use kobel_dataflow::graph::{AggregateFunction, AggregateSpec, WindowSpec};
use kobel_dataflow::operator::{Operator, Restore};
use kobel_dataflow::operators::window::WindowAggregate;
use kobel_dataflow::state::snapshot::SnapshotMode;

use super::{batch, call, input_schema, shown};

fn operator(offset_ms: i64) -> WindowAggregate {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let window =
        WindowSpec { rowtime: 2, size_ms: 10, offset_ms, time_types: [time.clone(), time.clone(), time.clone()] };
    let spec = AggregateSpec {
        keys: vec![0],
        aggregates: vec![call(AggregateFunction::Count, None), call(AggregateFunction::Sum, Some(1))],
        input_retracts: false,
    };
    let mut fields = vec![Field::new("k", DataType::Utf8, true)];
    fields.extend(["n", "s"].map(|name| Field::new(name, DataType::Int64, true)));
    fields.extend(["window_start", "window_end", "window_time"].map(|name| Field::new(name, time.clone(), true)));
    WindowAggregate::new(input_schema(), spec, window, Arc::new(Schema::new(fields))).expect("a legal aggregation")
}

/// A line of a window: key, count, sum, start, end, time.
fn line(key: &str, count: i64, sum: i64, start: i64) -> String {
    format!("+I {key} {count} {sum} {start} {} {}", start + 10, start + 9)
}

#[test]
fn a_window_is_emitted_once_when_the_watermark_reaches_its_last_millisecond() {
    let (mut operator, mut out) = (operator(0), Vec::new());
    operator
        .process(batch(&[(Some("a"), 1, 0), (Some("b"), 2, 9), (Some("a"), 4, 10), (Some("a"), 8, 3)]), &mut out)
        .expect("processes");
    operator.watermark(8, &mut out).expect("advances");
    assert_eq!(shown(&out), ["W 8"]);
    operator.watermark(9, &mut out).expect("advances");
    operator.watermark(i64::MAX, &mut out).expect("advances");
    let expected = [
        "W 8".to_owned(),
        line("a", 2, 9, 0),
        line("b", 1, 2, 0),
        "W 9".into(),
        line("a", 1, 4, 10),
        format!("W {}", i64::MAX),
    ];
    assert_eq!(shown(&out), expected);
}

#[test]
fn a_row_of_an_emitted_window_is_dropped_and_counted() {
    let (mut operator, mut out) = (operator(0), Vec::new());
    operator.watermark(9, &mut out).expect("advances");
    operator.process(batch(&[(Some("a"), 1, 9), (Some("a"), 2, 10)]), &mut out).expect("processes");
    operator.watermark(19, &mut out).expect("advances");
    assert_eq!(shown(&out), ["W 9".to_owned(), line("a", 1, 2, 10), "W 19".into()]);
    assert_eq!(operator.gauges().late_rows, 1);
}

#[test]
fn windows_before_the_epoch_and_with_an_offset_are_aligned_downwards() {
    let (mut operator, mut out) = (operator(3), Vec::new());
    operator
        .process(batch(&[(Some("a"), 1, -1), (Some("a"), 2, 2), (Some("a"), 4, 3), (Some("a"), 8, -8)]), &mut out)
        .expect("processes");
    operator.watermark(i64::MAX, &mut out).expect("advances");
    let expected = [line("a", 1, 8, -17), line("a", 2, 3, -7), line("a", 1, 4, 3), format!("W {}", i64::MAX)];
    assert_eq!(shown(&out), expected);
}

#[test]
fn restored_windows_go_on_and_emitted_ones_stay_closed() {
    let (mut before, mut out) = (operator(0), Vec::new());
    before.process(batch(&[(Some("a"), 1, 5), (Some("a"), 2, 15)]), &mut out).expect("processes");
    before.watermark(9, &mut out).expect("advances");
    let states = [before.snapshot(SnapshotMode::Savepoint).expect("snapshots").expect("has state")];
    let (mut after, mut out) = (operator(0), Vec::new());
    after.restore(&Restore { states: &states, owned: &|_| true }).expect("restores");
    after.process(batch(&[(Some("a"), 4, 16), (Some("a"), 8, 5)]), &mut out).expect("processes");
    after.watermark(19, &mut out).expect("advances");
    assert_eq!(shown(&out), [line("a", 2, 6, 10), "W 19".into()]);
}
