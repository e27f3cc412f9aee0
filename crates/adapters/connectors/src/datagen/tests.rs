//! Made-up rows: the same after a resume, within their bounds, and as many as asked for.

use std::collections::HashSet;
use std::time::Duration;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use kobel_sql::catalog::Connectors;
use kobel_sql::types::{STRING, SqlType, TypeKind};

use super::*;
use crate::tests::{connectors, shown, table};

const FAST: (&str, &str) = ("rows-per-second", "9223372036854775807");

fn source(columns: &[(&str, SqlType)], options: &[(&str, &str)], asked: &[usize]) -> Arc<dyn Source> {
    let options: Vec<_> = [("connector", "datagen")].iter().chain(options).copied().collect();
    connectors().0.source(&table(columns, &options), asked).unwrap()
}

fn next(reader: &mut dyn SourceReader, max_rows: usize) -> Option<RecordBatch> {
    loop {
        match reader.poll(max_rows, 5_000).unwrap() {
            Poll::Rows { rows, .. } => return Some(rows),
            Poll::End => return None,
            Poll::SplitEnd(_) => {}
            Poll::Idle(wait) => panic!("an unthrottled source waits {wait:?}"),
        }
    }
}

fn read_all(source: &dyn Source, splits: Vec<Split>, max_rows: usize) -> Vec<String> {
    let mut reader = source.reader(splits).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = next(reader.as_mut(), max_rows) {
        rows.extend(shown(&batch));
    }
    rows
}

#[test]
fn a_resumed_source_makes_the_same_rows() {
    let columns = [
        ("a", TypeKind::BigInt.nullable()),
        ("b", STRING.nullable()),
        ("c", TypeKind::Decimal(20, 4).nullable()),
        ("d", TypeKind::Timestamp(3).nullable()),
        ("e", TypeKind::Boolean.nullable()),
    ];
    let options = [
        FAST,
        ("number-of-rows", "23"),
        ("fields.b.length", "12"),
        ("fields.b.var-len", "true"),
        ("fields.a.null-rate", "0.3"),
        ("fields.d.max-past", "1 s"),
    ];
    let source = source(&columns, &options, &[0, 1, 2, 3, 4]);
    assert!(source.is_bounded());
    for parallelism in [1, 3] {
        let splits = source.splits(parallelism).unwrap();
        let mut sorted = read_all(source.as_ref(), splits.clone(), 8192);
        assert_eq!(sorted.len(), 23);
        sorted.sort();
        for max_rows in [1, 7] {
            let mut reader = source.reader(splits.clone()).unwrap();
            let mut rows = Vec::new();
            loop {
                let rest = read_all(source.as_ref(), reader.snapshot(), max_rows);
                let mut resumed: Vec<String> = rows.iter().cloned().chain(rest).collect();
                resumed.sort();
                assert_eq!(resumed, sorted, "resumed after {} rows", rows.len());
                let Some(batch) = next(reader.as_mut(), max_rows) else { break };
                rows.extend(shown(&batch));
            }
        }
    }
}

#[test]
fn splits_that_move_to_other_readers_make_the_same_rows() {
    let source = source(&[("a", TypeKind::Int.nullable())], &[FAST, ("number-of-rows", "10")], &[0]);
    let splits = source.splits(4).unwrap();
    let mut together = read_all(source.as_ref(), splits.clone(), 2);
    let mut apart: Vec<String> =
        splits.into_iter().flat_map(|split| read_all(source.as_ref(), vec![split], 3)).collect();
    together.sort();
    apart.sort();
    assert_eq!(together, apart);
    let other = read_all(source.as_ref(), source.splits(4).unwrap(), 2);
    assert_ne!(together, other, "each start draws its own seed");
}

#[test]
fn sequences_are_complete_and_end_the_table() {
    let columns = [
        ("a", TypeKind::Int.nullable()),
        ("b", STRING.nullable()),
        ("c", TypeKind::Double.nullable()),
        ("d", TypeKind::Decimal(5, 2).nullable()),
    ];
    let options = [
        FAST,
        ("number-of-rows", "50"),
        ("fields.a.kind", "sequence"),
        ("fields.a.start", "-1"),
        ("fields.a.end", "99"),
        ("fields.b.kind", "sequence"),
        ("fields.b.start", "7"),
        ("fields.b.end", "10"),
        ("fields.c.kind", "sequence"),
        ("fields.c.start", "0"),
        ("fields.c.end", "99"),
        ("fields.d.kind", "sequence"),
        ("fields.d.start", "100"),
        ("fields.d.end", "199"),
    ];
    let all = source(&columns, &options, &[0, 1, 2, 3]);
    for parallelism in [1, 3, 8] {
        let mut rows = read_all(all.as_ref(), all.splits(parallelism).unwrap(), 2);
        rows.sort();
        assert_eq!(rows, ["-1, 7, 0.0, 100.00", "0, 8, 1.0, 101.00", "1, 9, 2.0, 102.00", "2, 10, 3.0, 103.00"]);
    }
    let one = source(&columns, &options, &[2]);
    assert_eq!(read_all(one.as_ref(), one.splits(1).unwrap(), 10).len(), 4, "columns that nobody reads end it too");
}

#[test]
fn random_values_stay_in_their_bounds_and_vary() {
    let columns = [
        ("a", TypeKind::Int.nullable()),
        ("b", TypeKind::Double.nullable()),
        ("c", STRING.nullable()),
        ("d", TypeKind::Timestamp(3).nullable()),
        ("e", TypeKind::Char(5).nullable()),
        ("f", TypeKind::BigInt.nullable()),
    ];
    let options = [
        FAST,
        ("fields.a.min", "-3"),
        ("fields.a.max", "3"),
        ("fields.b.min", "1.5"),
        ("fields.b.max", "2.5"),
        ("fields.c.length", "9"),
        ("fields.c.var-len", "true"),
        ("fields.d.max-past", "2 s"),
        ("fields.f.null-rate", "0.25"),
    ];
    let source = source(&columns, &options, &[0, 1, 2, 3, 4, 5]);
    assert!(!source.is_bounded());
    let mut reader = source.reader(source.splits(1).unwrap()).unwrap();
    let batch = next(reader.as_mut(), 4_000).unwrap();
    assert_eq!(batch.num_rows(), 4_000);
    let numbers: HashSet<i32> = batch.column(0).as_primitive::<Int32Type>().values().iter().copied().collect();
    assert_eq!(numbers, (-3..=3).collect::<HashSet<i32>>());
    assert!(batch.column(1).as_primitive::<Float64Type>().values().iter().all(|value| (1.5..2.5).contains(value)));
    let texts: Vec<&str> = batch.column(2).as_string::<i32>().iter().flatten().collect();
    let lengths: HashSet<usize> = texts.iter().map(|text| text.len()).collect();
    assert_eq!(lengths, (1..=9).collect::<HashSet<usize>>());
    assert!(texts.iter().all(|text| text.bytes().all(|byte| b"0123456789abcdef".contains(&byte))));
    let times = batch.column(3).as_primitive::<TimestampMillisecondType>();
    assert!(times.values().iter().all(|value| (3_000..=5_000).contains(value)));
    assert!(batch.column(4).as_string::<i32>().iter().flatten().all(|text| text.len() == 5));
    let nulls = batch.column(5).null_count();
    assert!((800..1_200).contains(&nulls), "{nulls} of 4000 are NULL");
    let wide: HashSet<i64> = batch.column(5).as_primitive::<Int64Type>().iter().flatten().collect();
    assert_eq!(wide.len(), 4_000 - nulls, "64 random bits do not repeat");
}

#[test]
fn every_type_is_made_and_long_strings_make_short_batches() {
    let kinds = [
        TypeKind::Boolean,
        TypeKind::TinyInt,
        TypeKind::SmallInt,
        TypeKind::Float,
        TypeKind::Decimal(38, 10),
        TypeKind::Varchar(7),
        TypeKind::Binary(3),
        TypeKind::Varbinary(kobel_sql::types::STRING_LENGTH),
        TypeKind::Date,
        TypeKind::Time(3),
        TypeKind::Timestamp(9),
        TypeKind::TimestampLtz(6),
    ];
    for kind in kinds {
        let source = source(&[("a", kind.nullable())], &[FAST, ("fields.a.null-rate", "0.5")], &[0]);
        let mut reader = source.reader(source.splits(2).unwrap()).unwrap();
        let batch = next(reader.as_mut(), 100).unwrap();
        assert_eq!((batch.num_rows(), batch.column(0).data_type()), (100, &kind.arrow()));
    }
    let long = source(&[("a", STRING.nullable())], &[FAST, ("fields.a.length", "1048576")], &[0]);
    let mut reader = long.reader(long.splits(1).unwrap()).unwrap();
    assert_eq!(next(reader.as_mut(), 8192).unwrap().num_rows(), 15);
}

#[test]
fn the_rate_is_kept_over_all_splits() {
    let source = source(&[("a", TypeKind::Int.nullable())], &[("rows-per-second", "1000")], &[0]);
    let splits = source.splits(4).unwrap();
    let mut readers: Vec<_> = splits.chunks(2).map(|splits| source.reader(splits.to_vec()).unwrap()).collect();
    let (mut rows, mut waits) = (0, 0);
    for now in 0..=3_000 {
        for reader in &mut readers {
            match reader.poll(8192, now).unwrap() {
                Poll::Rows { rows: batch, .. } => rows += batch.num_rows(),
                Poll::Idle(wait) => {
                    assert!(wait <= Duration::from_millis(5));
                    waits += 1;
                }
                other => panic!("an unbounded source says {other:?}"),
            }
        }
    }
    assert!((3_000..=3_002).contains(&rows), "{rows} rows in three seconds");
    assert!(waits > 0);
}

#[test]
fn damaged_positions_are_refused() {
    let source = source(&[("a", TypeKind::Int.nullable())], &[], &[0]);
    let split = Split { id: "0".to_owned(), position: vec![1; 12] };
    assert_eq!(source.reader(vec![split]).err().unwrap().kind(), kobel_model::ErrorKind::Corrupt);
    let empty = Position { seed: 1, offset: 0, step: 0, next: 0 };
    assert_eq!(Position::decode(&empty.encode()), None);
}
