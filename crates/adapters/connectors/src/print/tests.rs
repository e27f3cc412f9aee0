//! Lines as Flink's `print` writes them.

use std::sync::Arc;

use arrow_array::{Int32Array, RecordBatch};
use kobel_dataflow::batch::RowKind;
use kobel_sql::catalog::Connectors;
use kobel_sql::types::{STRING, TypeKind};

use super::*;
use crate::tests::{connectors, table};

fn context(subtask: usize, parallelism: usize) -> WriterContext {
    WriterContext { subtask, parallelism, lineage: "l".to_owned(), last_checkpoint_id: 0 }
}

fn numbers(values: &[Option<i32>]) -> RecordBatch {
    let column: Arc<dyn arrow_array::Array> = Arc::new(Int32Array::from(values.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("a", column, true)]).unwrap()
}

#[test]
fn prefixes_name_the_table_and_the_subtask() {
    for (identifier, context, expected) in [
        ("", context(0, 1), ""),
        ("", context(0, 2), "1> "),
        ("me", context(0, 1), "me> "),
        ("me", context(2, 3), "me:3> "),
    ] {
        assert_eq!(prefix(identifier, &context), expected);
    }
}

#[test]
fn rows_are_printed_with_kinds_to_the_chosen_stream() {
    let columns = [("a", TypeKind::Int.nullable())];
    let options = [("connector", "print"), ("print-identifier", "id"), ("standard-error", "true")];
    let (connectors, recorder) = connectors();
    let sink = connectors.sink(&table(&columns, &options)).unwrap();
    let mut writer = sink.writer(context(0, 1), Vec::new()).unwrap();
    let kinds = vec![RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
    let batch = Batch::changelog(numbers(&[Some(1), Some(1), Some(-2), None]), kinds).unwrap();
    writer.write(&batch).unwrap();
    assert_eq!(*recorder.stderr.lock().unwrap(), "id> +I[1]\nid> -U[1]\nid> +U[-2]\nid> -D[null]\n");
    assert_eq!(*recorder.stdout.lock().unwrap(), "");
}

#[test]
fn null_in_a_not_null_column_is_refused() {
    let (connectors, recorder) = connectors();
    let sink = connectors.sink(&table(&[("a", TypeKind::Int.not_null())], &[("connector", "print")])).unwrap();
    let mut writer = sink.writer(context(0, 1), Vec::new()).unwrap();
    let error = writer.write(&Batch::insert_only(numbers(&[Some(1), None]))).unwrap_err();
    let expected = "Column 'a' is NOT NULL, however, a null value is being written into it";
    assert_eq!(error.to_string(), expected);
    assert_eq!(*recorder.stdout.lock().unwrap(), "");
}

#[test]
fn values_are_printed_as_java_prints_them() {
    let columns = [
        ("a", TypeKind::Boolean),
        ("b", TypeKind::Double),
        ("c", TypeKind::Decimal(10, 2)),
        ("d", TypeKind::Varbinary(3)),
        ("e", TypeKind::Time(3)),
        ("f", TypeKind::Timestamp(3)),
        ("g", TypeKind::TimestampLtz(3)),
        ("h", TypeKind::Date),
        ("i", STRING),
    ]
    .map(|(name, kind)| (name, kind.nullable()));
    let spec =
        table(&columns, &[("connector", "filesystem"), ("path", "in"), ("format", "csv"), ("csv.null-literal", "N")]);
    for (line, expected) in [
        (
            "true,1e10,100000,YWL/,12:34,2013-01-01 05:15:00,2013-01-01 05:15:00Z,2013-01-01,x",
            "true, 1.0E10, 100000.00, [97, 98, -1], 12:34, 2013-01-01T05:15, 2013-01-01T05:15:00Z, 2013-01-01, x",
        ),
        (
            "false,0.001,0.05,,12:34:56.7,2013-01-01 05:15:00.12,1969-12-31 23:59:59.999Z,0001-01-01,N",
            "false, 0.001, 0.05, [], 12:34:56.700, 2013-01-01T05:15:00.120, 1969-12-31T23:59:59.999Z, 0001-01-01, null",
        ),
    ] {
        assert_eq!(crate::formats::tests::decode(&spec, line.as_bytes()), Ok(vec![expected.to_owned()]));
    }
}
