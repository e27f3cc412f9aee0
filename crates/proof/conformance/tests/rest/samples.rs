//! Our answers against answers that Apache Flink 2.1.1 gave, of which only the shapes are kept.
//!
//! The file has a line for each sample (name, state of the job, request, status) and below it a line for each path with
//! the types that stand there, all with tabs. Where 2.3 answers otherwise than 2.1.1, 2.3 is right.

use crate::differences::{Found, judge, read};
use crate::engines;
use crate::shape::Shape;
use crate::side::Label;

/// The shapes.
const SAMPLES: &str = include_str!("../../data/rest/shapes-2.1.1.tsv");

/// What 2.3 has changed.
const CHANGES: &str = include_str!("../../data/rest/changes-2.1.1-2.3.tsv");

/// What differs from 2.3 on purpose.
const DIFFERENCES: &str = include_str!("../../data/rest/differences.tsv");

/// An answer of 2.1.1.
#[derive(Debug)]
struct Sample {
    name: String,
    label: Label,
    status: u16,
    shape: Shape,
}

#[test]
fn answers_have_the_shape_of_the_samples() {
    let ours = engines::native();
    let samples = samples();
    assert!(samples.len() > 70, "{} samples", samples.len());
    let mut found = Found::default();
    for Sample { name, label, status, shape } in &samples {
        let answer = ours.get(label).unwrap_or_else(|| panic!("`{name}` is not asked for: {label:?}"));
        if answer.status == *status {
            found.add_shape(label, &answer.shape, shape);
        } else {
            found.difference(label, "", &format!("status {} instead of {status}", answer.status));
        }
    }
    if let Err(table) = judge(&found.differences, &read(CHANGES), &read(DIFFERENCES)) {
        panic!("{table}");
    }
}

fn samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for line in SAMPLES.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        match (&cells[..], samples.last_mut()) {
            (["", path, types], Some(sample)) => types.split('|').for_each(|kind| sample.shape.add(path, kind)),
            ([name, state, request, status], _) => samples.push(Sample {
                name: (*name).to_owned(),
                label: Label { state: (*state).to_owned(), line: (*request).to_owned() },
                status: status.parse().expect("a status"),
                shape: Shape::default(),
            }),
            _ => panic!("neither a sample nor a path: `{line}`"),
        }
    }
    samples
}
