//! What is made in a cluster of the manifests that the Apache operator and EMR document: what each of them is there to
//! show, and everything else as it was when somebody last looked at it.
//!
//! Each is run in every way in which it can be, under one name, so that what is made of two of them only differs in
//! what they declare. A golden of `goldens/acceptance` holds what is made of one where something else is made of
//! another, and the ways in which it is so; `UPDATE_EXPECT=1` writes all of them anew.

mod facts;
mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use kobel_conformance::acceptance::{Manifest, Way, manifests, objects, ways};
use serde_json::{Value, json};

/// The name of every deployment.
const NAME: &str = "orders";
/// The namespace of every deployment.
const NAMESPACE: &str = "team";
/// The smallest manifest of all, with which those of the Apache operator are compared.
const APACHE: &str = "apache/examples/basic.yaml";
/// The manifest with which those of EMR are compared.
const EMR: &str = "emr/a07-hadoop-s3.yaml";
/// The manifest of a canary.
const CANARY: &str = "apache/examples/canary.yaml";
/// Where it stands what a golden is.
const ABOUT: &str = "README.md";

/// A manifest, and the deployment that it shows.
struct Case {
    file: String,
    document: Value,
}

#[test]
fn what_is_made_of_documented_manifests_is_what_was_looked_at() {
    let cases = cases();
    let mut names = BTreeSet::from([ABOUT.to_owned()]);
    for case in &cases {
        let than = than(&case.file).map(|file| find(&cases, file));
        let name = format!("{}.txt", case.file.trim_end_matches(".yaml").replace('/', "-"));
        expect_file![folder().join(&name)].assert_eq(&differences(case, than));
        names.insert(name);
    }
    let entries = fs::read_dir(folder()).expect("the goldens are listed").map(|entry| entry.expect("an entry"));
    let there: BTreeSet<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, names, "one golden of each manifest");
}

#[test]
fn what_is_made_of_a_documented_manifest_shows_what_it_is_there_for() {
    let cases = cases();
    let mut wrong: Vec<String> = Vec::new();
    for (file, way, facts) in facts::all() {
        let case = find(&cases, file);
        assert!(ways(&case.document).contains(way), "{file} is not run as {way}");
        let made = case.lines(*way);
        let failed = facts.iter().filter_map(|fact| against(&facts::whole(fact), &made));
        wrong.extend(failed.map(|why| format!("{file}, {way}: {why}")));
    }
    let is_silent = |case: &&Case| facts::all().all(|(file, _, _)| *file != case.file);
    wrong.extend(cases.iter().filter(is_silent).map(|case| format!("{}: nothing is said of it", case.file)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_made_of_a_canary() {
    let all = manifests().expect("the manifests are read");
    let canary = all.iter().find(|manifest| manifest.name == CANARY).expect("there is one");
    for document in canary.deployments() {
        for way in ways(&document) {
            assert_eq!(objects(&document, way), Ok(Vec::new()), "{way}");
        }
    }
}

impl Case {
    /// The deployment of a manifest; the same in two namespaces counts once.
    fn of(manifest: &Manifest) -> Option<Self> {
        let mut documents = manifest.deployments();
        for document in &mut documents {
            document["metadata"]["name"] = json!(NAME);
            document["metadata"]["namespace"] = json!(NAMESPACE);
        }
        documents.dedup();
        assert!(documents.len() <= 1, "{}: more than one deployment", manifest.name);
        documents.pop().map(|document| Self { file: manifest.name.clone(), document })
    }

    /// What is made of it.
    fn lines(&self, way: Way) -> Vec<String> {
        let made = objects(&self.document, way);
        lines::of(&made.unwrap_or_else(|problems| panic!("{}, {way}: {problems:?}", self.file)))
    }
}

fn cases() -> Vec<Case> {
    let all = manifests().expect("the manifests are read");
    let running = all.iter().filter(|manifest| !manifest.is_refused() && manifest.name != CANARY);
    let cases: Vec<Case> = running.filter_map(Case::of).collect();
    assert!(cases.len() > 45, "only {} manifests", cases.len());
    cases
}

fn find<'a>(cases: &'a [Case], file: &str) -> &'a Case {
    cases.iter().find(|case| case.file == file).unwrap_or_else(|| panic!("no `{file}`"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens/acceptance")
}

/// With which manifest another is compared.
fn than(file: &str) -> Option<&'static str> {
    match file {
        APACHE => None,
        EMR => Some(APACHE),
        _ if file.starts_with("emr/") => Some(EMR),
        _ => Some(APACHE),
    }
}

/// What is made of a manifest where something else is made of another, by the ways in which it is so.
fn differences(case: &Case, than: Option<&Case>) -> String {
    let ways = ways(&case.document);
    let mut found: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, way) in ways.iter().enumerate() {
        for line in changed(&case.lines(*way), &than.map(|than| than.lines(*way)).unwrap_or_default()) {
            let known = places.entry(line.clone()).or_default();
            if known.is_empty() {
                found.push(line);
            }
            // A line of a file may stand in it twice.
            if known.last() != Some(&place) {
                known.push(place);
            }
        }
    }
    let mut groups: BTreeMap<(usize, &[usize]), Vec<&str>> = BTreeMap::new();
    for line in &found {
        let known = places[line].as_slice();
        // What holds in more ways comes first.
        groups.entry((ways.len() - known.len(), known)).or_default().push(line);
    }
    let mut text = match than {
        Some(than) => format!("`{}` beside `{}`\n", case.file, than.file),
        None => format!("`{}`\n", case.file),
    };
    for ((missing, known), lines) in &groups {
        let named: Vec<String> = known.iter().map(|place| ways[*place].to_string()).collect();
        let title = if *missing == 0 { "every way".to_owned() } else { named.join(", ") };
        text += &format!("\n== {title}\n{}\n", lines.join("\n"));
    }
    text
}

/// The lines that are gone, and those that have come.
fn changed(new: &[String], old: &[String]) -> Vec<String> {
    let (come, gone): (BTreeSet<&String>, BTreeSet<&String>) = (new.iter().collect(), old.iter().collect());
    let removed = old.iter().filter(|line| !come.contains(line)).map(|line| format!("- {line}"));
    let added = new.iter().filter(|line| !gone.contains(line)).map(|line| format!("+ {line}"));
    removed.chain(added).collect()
}

/// What speaks against a fact: that its line is not there, or with a `!` before it that a line begins as it does.
fn against(fact: &str, made: &[String]) -> Option<String> {
    if let Some(beginning) = fact.strip_prefix('!') {
        return made.iter().find(|line| line.starts_with(beginning)).map(|line| format!("must not be there: {line}"));
    }
    if made.iter().any(|line| line == fact) {
        return None;
    }
    let place = fact.split_once(" = ").or_else(|| fact.split_once(": ")).map_or(fact, |(place, _)| place);
    let instead: Vec<&str> = made.iter().filter(|line| line.starts_with(place)).map(String::as_str).collect();
    Some(format!("no line `{fact}`, but {instead:?}"))
}
