//! Reading: resumed anywhere it yields the same rows, and what changes under it is noticed.

use std::fs;

use arrow_array::RecordBatch;
use kobel_dataflow::ports::SourceReader;
use kobel_model::ErrorKind;
use kobel_sql::catalog::{Connectors, TableSpec};
use kobel_sql::types::{STRING, TypeKind};
use tempfile::TempDir;

use super::*;
use crate::tests::{connectors, shown, table};

const CSV: &str = "\u{feff}1,a\n2,\"b\nb\"\r\n3,\"c\"\"c\"\n\n4,\n5,ü";

fn spec(directory: &TempDir, more: &[(&str, &str)]) -> TableSpec {
    let path = directory.path().to_str().unwrap();
    let fixed = [("connector", "filesystem"), ("path", path), ("format", "csv"), ("csv.ignore-parse-errors", "true")];
    let options: std::collections::BTreeMap<_, _> = fixed.into_iter().chain(more.iter().copied()).collect();
    let options: Vec<_> = options.into_iter().collect();
    table(&[("a", TypeKind::Int.nullable()), ("b", STRING.nullable())], &options)
}

fn source(spec: &TableSpec) -> Arc<dyn Source> {
    connectors().0.source(spec, &[0, 1]).unwrap()
}

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

/// The next batch, if there is one.
fn next(reader: &mut dyn SourceReader, max_rows: usize) -> Option<(Arc<str>, RecordBatch)> {
    loop {
        match reader.poll(max_rows, 0).unwrap() {
            Poll::Rows { split, rows } => {
                assert!((1..=max_rows).contains(&rows.num_rows()));
                return Some((split, rows));
            }
            Poll::End => return None,
            Poll::SplitEnd(_) | Poll::Idle(_) => {}
        }
    }
}

fn read_all(source: &dyn Source, splits: Vec<Split>, max_rows: usize) -> Vec<String> {
    let mut reader = source.reader(splits).unwrap();
    let mut rows = Vec::new();
    while let Some((_, batch)) = next(reader.as_mut(), max_rows) {
        rows.extend(shown(&batch));
    }
    rows
}

#[test]
fn resuming_at_every_row_yields_the_same_rows() {
    let directory = directory(&[("1.csv", CSV.as_bytes()), ("2.csv", b""), ("3.csv", b"6,x\r\n7,y\r\n")]);
    let source = source(&spec(&directory, &[]));
    let straight = read_all(source.as_ref(), source.splits(1).unwrap(), 8192);
    assert_eq!(
        straight,
        ["1, a", "2, b\nb", "3, c\"c", "null, null", "4, ", "5, ü", "6, x", "7, y"],
        "a blank line is a row with a bad number and without a text"
    );
    for max_rows in [1, 2, 7, 8192] {
        let mut reader = source.reader(source.splits(1).unwrap()).unwrap();
        let mut rows = Vec::new();
        loop {
            let rest = read_all(source.as_ref(), reader.snapshot(), max_rows);
            let resumed: Vec<String> = rows.iter().cloned().chain(rest).collect();
            assert_eq!(resumed, straight, "resumed after {} rows, {max_rows} at a time", rows.len());
            let Some((_, batch)) = next(reader.as_mut(), max_rows) else { break };
            rows.extend(shown(&batch));
        }
        assert_eq!(rows, straight);
    }
}

#[test]
fn batches_hold_rows_of_one_file_and_files_end_once() {
    let directory = directory(&[("a", b"1,a\n2,b\n"), ("b", b""), ("c", b"3,c\n")]);
    let source = source(&spec(&directory, &[]));
    let mut reader = source.reader(source.splits(4).unwrap()).unwrap();
    let mut seen = Vec::new();
    loop {
        let name = |split: Arc<str>| split.rsplit('/').next().unwrap().to_owned();
        match reader.poll(8192, 0).unwrap() {
            Poll::Rows { split, rows } => seen.push(format!("{} {}", name(split), rows.num_rows())),
            Poll::SplitEnd(split) => seen.push(format!("{} end", name(split))),
            Poll::Idle(_) => seen.push("idle".to_owned()),
            Poll::End => break,
        }
    }
    assert_eq!(seen, ["a 2", "a end", "b end", "c 1", "c end"]);
    assert!(reader.snapshot().is_empty());
    assert_eq!(reader.bytes_read(), 12);
}

#[test]
fn rows_longer_than_a_read_are_read() {
    let long = "x".repeat(3 * CHUNK + 17);
    let content = format!("1,a\n2,\"{long}\n\"\n3,{long}\n4,d\n").repeat(2);
    let directory = directory(&[("a", content.as_bytes())]);
    let source = source(&spec(&directory, &[]));
    let rows = read_all(source.as_ref(), source.splits(1).unwrap(), 3);
    let expected = ["1, a".to_owned(), format!("2, {long}\n"), format!("3, {long}"), "4, d".to_owned()];
    assert!(rows == [&expected[..], &expected[..]].concat(), "{} rows", rows.len());
}

#[test]
fn a_row_without_end_is_refused_with_bounded_memory() {
    let mut content = b"1,a\n2,\"".to_vec();
    content.resize(ROW_MAX + 3 * CHUNK, b'x');
    let directory = directory(&[("a", &content)]);
    let source = source(&spec(&directory, &[]));
    let mut reader = source.reader(source.splits(1).unwrap()).unwrap();
    assert!(next(reader.as_mut(), 1).is_some());
    let error = reader.poll(1, 0).unwrap_err().to_string();
    assert!(error.ends_with("/a:2`: the row is longer than 64 MiB"), "{error}");
}

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let directory = directory(&[("a.csv", b"1,a\n\"2\n\",b\nx,c\n")]);
    let source = source(&spec(&directory, &[("csv.ignore-parse-errors", "false")]));
    let mut reader = source.reader(source.splits(1).unwrap()).unwrap();
    let error = reader.poll(100, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let expected = format!("cannot read `{}/a.csv:4`: column `a`: `x` is no `INT`", directory.path().display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn only_what_was_there_at_the_start_is_input() {
    let directory = directory(&[("a", b"1,a\n2,b\n")]);
    let file = directory.path().join("a");
    let source = source(&spec(&directory, &[]));
    let splits = source.splits(1).unwrap();
    fs::write(&file, "1,a\n2,b\n3,c\n").unwrap();
    assert_eq!(read_all(source.as_ref(), splits.clone(), 10), ["1, a", "2, b"]);
    fs::write(&file, "1,a\n").unwrap();
    let mut reader = source.reader(splits.clone()).unwrap();
    assert_eq!(reader.poll(10, 0).unwrap_err().kind(), ErrorKind::Corrupt);
    fs::remove_file(&file).unwrap();
    let mut reader = source.reader(splits).unwrap();
    let error = reader.poll(10, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(error.to_string().ends_with("/a`"), "{error}");
}

#[test]
fn positions_are_read_back_and_damaged_ones_refused() {
    let position = Position { offset: u64::MAX, line: 7, length: 1 << 40 };
    let bytes = position.encode();
    assert_eq!(Position::decode(&bytes), Some(position));
    let longer = [bytes.clone(), vec![0]].concat();
    let newer = [vec![9], bytes[1..].to_vec()].concat();
    for damaged in [&bytes[..24], &longer[..], &newer[..], &[]] {
        assert_eq!(Position::decode(damaged), None);
    }
    let directory = directory(&[]);
    let split = Split { id: "a".to_owned(), position: vec![1, 2, 3] };
    let error = source(&spec(&directory, &[])).reader(vec![split]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn an_unselected_table_still_counts_its_rows() {
    let directory = directory(&[("a", b"1,a\n2,b\n")]);
    let source = connectors().0.source(&spec(&directory, &[]), &[]).unwrap();
    let mut reader = source.reader(source.splits(1).unwrap()).unwrap();
    let (_, batch) = next(reader.as_mut(), 10).unwrap();
    assert_eq!((batch.num_rows(), batch.num_columns()), (2, 0));
}
