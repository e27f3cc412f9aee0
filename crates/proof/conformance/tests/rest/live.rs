//! Our answers against those of a live Apache Flink that runs the same jobs.
//!
//! Compared are the status, the type of the content, and the shape of the JSON; of lists of metrics also the names.

use std::collections::{BTreeMap, BTreeSet};

use kobel_testkit::or_skip;
use kobel_testkit::packages::{self, debian_binary};

use crate::differences::{Found, compare, judge, read};
use crate::engines::{self, FLINK};
use crate::side::{Answers, Label};

/// What differs on purpose.
const DIFFERENCES: &str = include_str!("../../data/rest/differences.tsv");

/// How many fields may differ on purpose.
const DIFFERENCES_MAX: usize = 10;

/// Metrics that Flink has for connectors which are not in the jobs of this comparison: name and why.
const METRICS_ELSEWHERE: [(&str, &str); 3] = [
    ("<operator>.pendingBytes", "sources that know what is left to read, such as that of files"),
    ("<operator>.pendingRecords", "sources that know what is left to read, such as that of Kafka"),
    ("<operator>.watermarkLag", "sources of the new kind; Flink's generator is of the old one"),
];

#[test]
fn answers_have_the_shape_of_those_of_live_flink() {
    or_skip!(debian_binary("javac"));
    let home = or_skip!(packages::flink(FLINK));
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(engines::native);
        let theirs = engines::flink(&home);
        (ours.join().expect("the native engine has answered"), theirs)
    });
    let mut found = compare(ours, &theirs);
    add_foreign_names(&mut found, ours, &theirs);
    eprintln!("not seen on both sides:");
    found.unseen.iter().for_each(|path| eprintln!("  {path}"));
    if let Err(table) = judge(&found.differences, &read(DIFFERENCES), &[]) {
        panic!("{table}");
    }
}

#[test]
fn few_differences_are_on_purpose() {
    let listed = read(DIFFERENCES);
    assert!(listed.len() <= DIFFERENCES_MAX, "{} differences are listed", listed.len());
}

/// Adds the names of metrics that we have and Flink has not, whichever vertex it is: chains differ in what they hold.
fn add_foreign_names(found: &mut Found, ours: &Answers, theirs: &Answers) {
    let theirs = names(theirs);
    for (endpoint, (label, ours)) in names(ours) {
        let known = theirs.get(&endpoint).map(|(_, names)| names);
        for name in ours {
            let bare = name.strip_prefix("N.").unwrap_or(name);
            let is_elsewhere = METRICS_ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == bare);
            if !is_elsewhere && known.is_none_or(|known| !known.contains(name)) {
                found.difference(label, name, "extra");
            }
        }
    }
}

/// By endpoint: where names of metrics were listed first, and all of them.
fn names(answers: &Answers) -> BTreeMap<String, (&Label, BTreeSet<&String>)> {
    let mut all: BTreeMap<String, (&Label, BTreeSet<&String>)> = BTreeMap::new();
    for (label, answer) in answers.iter().filter(|(label, _)| label.state == "running") {
        let (_, names) = all.entry(label.endpoint()).or_insert_with(|| (label, BTreeSet::new()));
        names.extend(&answer.names);
    }
    all
}
