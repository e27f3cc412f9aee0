//! Continuously updating aggregation.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use kobel_dataflow::RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
use kobel_dataflow::graph::{AggregateFunction, AggregateSpec};
use kobel_dataflow::operator::{Operator, Restore};
use kobel_dataflow::operators::group::GroupAggregate;
use kobel_dataflow::state::snapshot::{OperatorState, SnapshotMode};

use super::{batch, call, changes, input_schema, shown};

fn operator(input_retracts: bool) -> GroupAggregate {
    let calls = [
        (AggregateFunction::Count, None),
        (AggregateFunction::Sum, Some(1)),
        (AggregateFunction::Min, Some(1)),
        (AggregateFunction::Max, Some(1)),
    ];
    let aggregates = calls.into_iter().map(|(function, argument)| call(function, argument)).collect();
    let spec = AggregateSpec { keys: vec![0], aggregates, input_retracts };
    let mut fields = vec![Field::new("k", DataType::Utf8, true)];
    fields.extend((0..4).map(|index| Field::new(format!("a{index}"), DataType::Int64, true)));
    GroupAggregate::new(input_schema(), spec, Arc::new(Schema::new(fields))).expect("a legal aggregation")
}

#[test]
fn a_batch_yields_one_change_per_group_and_nothing_for_what_stays() {
    let (mut operator, mut out) = (operator(false), Vec::new());
    operator.process(batch(&[(Some("a"), 1, 0), (None, 5, 0), (Some("a"), 3, 0)]), &mut out).expect("processes");
    operator.process(batch(&[(Some("a"), 2, 0)]), &mut out).expect("processes");
    assert_eq!(shown(&out), ["+I a 2 4 1 3", "+I NULL 1 5 5 5", "-U a 2 4 1 3", "+U a 3 6 1 3"]);
}

#[test]
fn rows_taken_back_lower_the_result_and_the_last_one_deletes_the_group() {
    let (mut operator, mut out) = (operator(true), Vec::new());
    let first = [(Insert, (Some("a"), 1, 0)), (Insert, (Some("a"), 9, 0)), (Insert, (Some("b"), 4, 0))];
    operator.process(changes(&first), &mut out).expect("processes");
    operator.process(changes(&[(Delete, (Some("a"), 9, 0))]), &mut out).expect("processes");
    operator.process(changes(&[(Delete, (Some("a"), 1, 0))]), &mut out).expect("processes");
    let replaced = [(UpdateBefore, (Some("b"), 4, 0)), (UpdateAfter, (Some("b"), 4, 0))];
    operator.process(changes(&replaced), &mut out).expect("processes");
    let expected = ["+I a 2 10 1 9", "+I b 1 4 4 4", "-U a 2 10 1 9", "+U a 1 1 1 1", "-D a 1 1 1 1"];
    assert_eq!(shown(&out), expected);
    assert_eq!(operator.gauges().groups, 1);
}

#[test]
fn an_incremental_snapshot_holds_only_pages_that_changed() {
    let (mut operator, mut out) = (operator(false), Vec::new());
    let names: Vec<_> = (0..3000).map(|index| index.to_string()).collect();
    let rows: Vec<_> = names.iter().map(|name| (Some(name.as_str()), 1, 0)).collect();
    operator.process(batch(&rows), &mut out).expect("processes");
    let contents = |operator: &mut GroupAggregate, mode| {
        let state = operator.snapshot(mode).expect("snapshots").expect("has state");
        state.pages.iter().map(|page| page.content.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(contents(&mut operator, SnapshotMode::Incremental), [true; 3]);
    assert_eq!(contents(&mut operator, SnapshotMode::Incremental), [false; 3]);
    operator.process(batch(&[(Some("1500"), 1, 0)]), &mut out).expect("processes");
    assert_eq!(contents(&mut operator, SnapshotMode::Savepoint), [true; 3], "a savepoint holds everything");
    assert_eq!(
        contents(&mut operator, SnapshotMode::Incremental),
        [false, true, false],
        "and does not move the baseline"
    );
    assert_eq!(contents(&mut operator, SnapshotMode::Full), [true; 3]);
}

#[test]
fn state_restored_by_two_owners_holds_every_group_once() {
    for retracts in [false, true] {
        let (mut before, mut out) = (operator(retracts), Vec::new());
        let names: Vec<_> = (0..100).map(|index| index.to_string()).collect();
        let rows: Vec<_> = names.iter().map(|name| (Some(name.as_str()), 7, 0)).collect();
        before.process(batch(&rows), &mut out).expect("processes");
        let states: Vec<OperatorState> =
            vec![before.snapshot(SnapshotMode::Full).expect("snapshots").expect("has state")];
        let mut groups = 0;
        for owner in 0..2 {
            let mut after = operator(retracts);
            let owned = |hash: u64| hash % 2 == owner;
            after.restore(&Restore { states: &states, owned: &owned }).expect("restores");
            groups += after.gauges().groups;
            let mut out = Vec::new();
            after.process(batch(&[(Some("5"), 1, 0)]), &mut out).expect("processes");
            let shown = shown(&out);
            let continues = shown == ["-U 5 1 7 7 7", "+U 5 2 8 1 7"];
            assert!(continues || shown == ["+I 5 1 1 1 1"], "{shown:?}");
        }
        assert_eq!(groups, 100);
    }
}

#[test]
fn a_page_of_another_shape_is_refused() {
    let mut other = operator(true);
    let mut out = Vec::new();
    other.process(batch(&[(Some("a"), 1, 0)]), &mut out).expect("processes");
    let states = [other.snapshot(SnapshotMode::Full).expect("snapshots").expect("has state")];
    let refused = operator(false).restore(&Restore { states: &states, owned: &|_| true });
    assert_eq!(refused.expect_err("refused").kind(), kobel_model::ErrorKind::Corrupt);
}
