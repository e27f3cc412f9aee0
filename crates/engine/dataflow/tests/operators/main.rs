//! Operators without a runtime: batches in, batches out.

mod group;
mod watermark;
mod window;

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use kobel_dataflow::graph::{AggregateCall, AggregateFunction};
use kobel_dataflow::operator::Element;
use kobel_dataflow::{Batch, RowKind};

/// Rows (key, value, time).
type Input<'a> = (Option<&'a str>, i64, i64);

fn input_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("k", DataType::Utf8, true),
        Field::new("v", DataType::Int64, true),
        Field::new("t", DataType::Timestamp(TimeUnit::Millisecond, None), true),
    ]))
}

fn records(rows: &[Input<'_>]) -> RecordBatch {
    let keys: StringArray = rows.iter().map(|row| row.0).collect();
    let values: Int64Array = rows.iter().map(|row| Some(row.1)).collect();
    let times: TimestampMillisecondArray = rows.iter().map(|row| Some(row.2)).collect();
    RecordBatch::try_new(input_schema(), vec![Arc::new(keys), Arc::new(values), Arc::new(times)]).expect("columns fit")
}

fn batch(rows: &[Input<'_>]) -> Batch {
    Batch::insert_only(records(rows))
}

fn changes(rows: &[(RowKind, Input<'_>)]) -> Batch {
    let inputs: Vec<_> = rows.iter().map(|(_, row)| *row).collect();
    Batch::changelog(records(&inputs), rows.iter().map(|(kind, _)| *kind).collect()).expect("a kind per row")
}

fn call(function: AggregateFunction, argument: Option<usize>) -> AggregateCall {
    AggregateCall { function, argument, distinct: false, filter: None, result: DataType::Int64 }
}

/// What an operator yielded, a line per row or watermark.
fn shown(elements: &[Element]) -> Vec<String> {
    let mut lines = Vec::new();
    for element in elements {
        match element {
            Element::Watermark(watermark) => lines.push(format!("W {watermark}")),
            Element::Idle => lines.push("idle".to_owned()),
            Element::Batch(batch) => {
                for row in 0..batch.num_rows() {
                    let values = batch.records().columns().iter().map(|column| {
                        let value = datafusion_common::ScalarValue::try_from_array(column, row).expect("a value");
                        value.to_string()
                    });
                    lines.push(format!("{} {}", batch.kind(row).short(), values.collect::<Vec<_>>().join(" ")));
                }
            }
        }
    }
    lines
}
