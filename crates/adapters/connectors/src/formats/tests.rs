//! A decoder and an encoder driven by hand, for the tests of each format.

use kobel_dataflow::batch::Batch;
use kobel_sql::catalog::TableSpec;

use super::codec::shown;
use super::*;
use crate::options::catalogue;
use crate::tests::shown as shown_rows;

/// The format of a table.
pub(crate) fn format(spec: &TableSpec) -> Format {
    let sections = [catalogue::TABLE, catalogue::FILESYSTEM, catalogue::CSV, catalogue::JSON];
    Format::read(&Options::of(spec, &sections).unwrap()).unwrap()
}

/// All columns of the rows of `input`, or the first fault. However few bytes a decoder is shown at a time, it says the
/// same.
pub(crate) fn decode(spec: &TableSpec, input: &[u8]) -> std::result::Result<Vec<String>, String> {
    let asked: Vec<usize> = (0..spec.physical.len()).collect();
    decode_columns(spec, &asked, input)
}

/// As [`decode`], for some columns.
pub(crate) fn decode_columns(
    spec: &TableSpec,
    asked: &[usize],
    input: &[u8],
) -> std::result::Result<Vec<String>, String> {
    let whole = decode_in_windows(spec, asked, input, input.len().max(1));
    for step in [1, 3] {
        assert_eq!(decode_in_windows(spec, asked, input, step), whole, "shown {step} bytes at a time");
    }
    whole
}

fn decode_in_windows(
    spec: &TableSpec,
    asked: &[usize],
    input: &[u8],
    step: usize,
) -> std::result::Result<Vec<String>, String> {
    let mut decoder = format(spec).decoder(&spec.physical, asked).unwrap();
    let (mut start, mut window, mut line) = (0, step, 1);
    while start < input.len() {
        let end = input.len().min(start + window);
        let tail = if end == input.len() { Tail::End } else { Tail::More };
        match decoder.decode(&input[start..end], tail) {
            Err(Fault { column: None, message }) => return Err(format!("{line}: {message}")),
            Err(Fault { column: Some(column), message }) => return Err(format!("{line}: {column}: {message}")),
            Ok(Step::Incomplete) => {
                assert_eq!(tail, Tail::More, "the whole input is never incomplete");
                window += step;
            }
            Ok(Step::Taken(taken)) => {
                assert!(taken.bytes > 0 && start + taken.bytes <= end);
                start += taken.bytes;
                line += taken.lines;
                window = step;
            }
        }
    }
    let batch = decoder.finish().unwrap();
    Ok(shown_rows(&batch))
}

/// What is written for the rows that `input` decodes to.
pub(crate) fn rewrite(from: &TableSpec, to: &TableSpec, input: &[u8]) -> String {
    let asked: Vec<usize> = (0..from.physical.len()).collect();
    let mut decoder = format(from).decoder(&from.physical, &asked).unwrap();
    let mut start = 0;
    while start < input.len() {
        match decoder.decode(&input[start..], Tail::End).unwrap() {
            Step::Taken(taken) => start += taken.bytes,
            Step::Incomplete => unreachable!("the whole input is never incomplete"),
        }
    }
    let batch = Batch::insert_only(decoder.finish().unwrap());
    let mut out = String::new();
    format(to).encoder(&to.physical).encode(batch.records(), &mut out).unwrap();
    out
}

#[test]
fn long_values_are_cut_for_messages() {
    assert_eq!(shown("a\nb"), "a b");
    assert_eq!(shown(&"ä".repeat(64)), "ä".repeat(64));
    assert_eq!(shown(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
}
