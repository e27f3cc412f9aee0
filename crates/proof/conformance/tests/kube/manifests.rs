//! The manifests that the Apache operator and EMR document: accepted or refused as it is documented, and kept whole.
//!
//! `manifests/expected.txt` is what was answered; `UPDATE_EXPECT=1` writes it anew. Which files must be refused stands
//! here, so that writing it anew hides no manifest that is suddenly refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kobel_conformance::acceptance::{Manifest, manifests, root};
use kobel_resources::schema::Schema;
use kobel_resources::{Context, read};
use serde_json::{Value, json};

/// How many files the Apache operator ships as examples and for its end-to-end tests.
const APACHE_FILES: usize = 41;
/// Files that must be refused, with what their problems must speak of; every other file must be accepted.
const REFUSED: [(&str, &[&str]); 3] = [
    (
        "emr/a08-ha-off-two-replicas-refused.yaml",
        &["spec.jobManager.replicas: Invalid value: 2: must be 1 unless high availability is on"],
    ),
    (
        "emr/a08-ha-on-without-storage-refused.yaml",
        &["spec.jobManager.storageDir: Required value: a directory in S3 for high availability"],
    ),
    ("emr/a14-spot-decommission-as-printed-refused.yaml", &["spec.flinkVersion", "parallelism", "memory"]),
];
/// Files without a resource of ours: values of charts, patches of other objects, and what must be there before.
const NOT_OURS: [&str; 10] = [
    "apache/examples/flink-tls-example/pre-install.yaml",
    "apache/examples/kustomize/conf-override/flink-conf.yaml",
    "apache/examples/kustomize/conf-override/kustomization.yaml",
    "apache/examples/kustomize/conf-override/patch.yaml",
    "apache/examples/kustomize/sidecar/kustomization.yaml",
    "apache/examples/kustomize/sidecar/patch.yaml",
    "apache/examples/kustomize/sidecar/values.yaml",
    "emr/a09-operator-ha-off.yaml",
    "emr/a19-operator-logs.yaml",
    "emr/a21-prometheus.yaml",
];
/// The one file of EMR that starts a cluster without any resource.
const NATIVE: &str = "emr/a25-native-kubernetes.yaml";

/// What the door answers to a document: its warnings, or its problems.
type Verdict = Result<Vec<String>, Vec<String>>;

#[test]
fn documented_manifests_are_accepted_or_refused_as_documented() {
    let files = files();
    let refused: Vec<&str> = files.iter().filter(|file| file.is_refused()).map(|file| file.name.as_str()).collect();
    assert_eq!(refused, REFUSED.map(|(name, _)| name), "files that must be refused");
    let apache = files.iter().filter(|file| file.name.starts_with("apache/")).count();
    assert_eq!(apache, APACHE_FILES, "files of the Apache operator");
    let (mut listing, mut wrong) = (String::new(), Vec::new());
    for file in &files {
        let verdicts: Vec<(&Value, Verdict)> =
            file.ours().map(|document| (document, judge(document, &file.documents))).collect();
        list(&file.name, &verdicts, &mut listing);
        wrong.extend(check(&file.name, &verdicts));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compare(&root().join("expected.txt"), &listing);
}

#[test]
fn accepted_manifests_fit_the_schema_of_their_kind_and_lose_nothing() {
    let schemas = schemas();
    let mut seen = 0;
    for file in files() {
        if file.is_refused() {
            continue;
        }
        for document in file.ours() {
            let schema = &schemas[text(document, "/kind")];
            let mut copy = document.clone();
            assert_eq!(schema.prune(&mut copy), Vec::<String>::new(), "{}: unknown fields", file.name);
            assert_eq!(&copy, document, "{}: changed by pruning", file.name);
            schema.fill_defaults(&mut copy);
            let problems: Vec<String> = schema.validate(&copy).iter().map(ToString::to_string).collect();
            assert_eq!(problems, Vec::<String>::new(), "{}", file.name);
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} resources");
}

/// Says what of a file is not as it is documented.
fn check(file: &str, verdicts: &[(&Value, Verdict)]) -> Vec<String> {
    let is_listed = NOT_OURS.contains(&file) || file == NATIVE;
    if verdicts.is_empty() != is_listed {
        return vec![format!("{file}: {} resources of ours", verdicts.len())];
    }
    let problems: Vec<String> =
        verdicts.iter().filter_map(|(_, verdict)| verdict.as_ref().err()).flatten().cloned().collect();
    let Some((_, words)) = REFUSED.iter().find(|(name, _)| *name == file) else {
        return problems
            .iter()
            .map(|problem| format!("{file}: refused, and documented as accepted: {problem}"))
            .collect();
    };
    let missing = words.iter().filter(|word| !problems.iter().any(|problem| problem.contains(**word)));
    missing.map(|word| format!("{file}: no problem speaks of `{word}`: {problems:?}")).collect()
}

/// Appends the lines of a file to the listing.
fn list(file: &str, verdicts: &[(&Value, Verdict)], listing: &mut String) {
    if verdicts.is_empty() {
        writeln!(listing, "{file}: no resource of ours").expect("a text takes everything");
    }
    for (document, verdict) in verdicts {
        let (kind, name) = (text(document, "/kind"), text(document, "/metadata/name"));
        let (answer, warnings) = match verdict {
            Ok(warnings) => ("accepted".to_owned(), warnings.as_slice()),
            Err(problems) => (format!("refused: {}", problems.join("; ")), <&[String]>::default()),
        };
        writeln!(listing, "{file}: {kind} {name}: {answer}").expect("a text takes everything");
        for warning in warnings {
            writeln!(listing, "  warning: {warning}").expect("a text takes everything");
        }
    }
}

/// Compares with what a file holds, or writes the file if the environment asks for it.
fn compare(path: &Path, listing: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, listing).expect("the listing is written");
        return;
    }
    let expected = fs::read_to_string(path).expect("the listing is read; `UPDATE_EXPECT=1` writes it");
    let different = expected.lines().zip(listing.lines()).find(|(expected, answered)| expected != answered);
    assert!(expected == listing, "the listing has changed, first here: {different:?}");
}

/// Asks the door, which finds what the file holds, or what is there already if the file does not hold it.
fn judge(document: &Value, documents: &[Value]) -> Verdict {
    let namespace = text(document, "/metadata/namespace");
    let find = |kind: &str, name: &str| {
        let is_it = |other: &&Value| {
            text(other, "/kind") == kind
                && text(other, "/metadata/name") == name
                && text(other, "/metadata/namespace") == namespace
        };
        documents.iter().find(is_it).cloned().or_else(|| running(document, kind, name))
    };
    let defaults = BTreeMap::new();
    let context = Context { previous: None, find: &find, defaults: &defaults };
    match read(document, &context) {
        Ok(reading) => Ok(reading.warnings),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

/// What a cluster has when a manifest that refers to it is applied.
fn running(asking: &Value, kind: &str, name: &str) -> Option<Value> {
    let amount = json!({"resource": {"memory": "2048m", "cpu": 1}});
    let job = json!({"jarURI": "local:///opt/flink/job.jar", "parallelism": 2, "upgradeMode": "stateless"});
    let mut spec = match kind {
        "FlinkDeployment" => json!({
            "image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink",
            "flinkConfiguration": {
                "state.savepoints.dir": "s3://example-bucket/savepoints",
                "state.checkpoints.dir": "s3://example-bucket/checkpoints",
            },
            "jobManager": amount, "taskManager": amount,
        }),
        "FlinkSessionJob" => json!({"deploymentName": "shared-cluster"}),
        _ => return None,
    };
    // A session job asks for a cluster that takes jobs; a snapshot asks for a job.
    if text(asking, "/kind") != "FlinkSessionJob" {
        spec["job"] = job;
    }
    Some(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": kind,
        "metadata": {"name": name, "namespace": text(asking, "/metadata/namespace")},
        "spec": spec, "status": {"jobManagerDeploymentStatus": "READY", "jobStatus": {"state": "RUNNING"}},
    }))
}

/// The schema of each kind, as `kobel crd` prints it.
fn schemas() -> BTreeMap<String, Schema> {
    let compile =
        |crd: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition| {
            let version = crd.spec.versions.into_iter().next().expect("a version");
            let schema = version.schema.and_then(|schema| schema.open_api_v3_schema).expect("a schema");
            let openapi = serde_json::to_value(schema).expect("a schema is JSON");
            (crd.spec.names.kind, Schema::compile(&openapi).expect("the schema is structural"))
        };
    kobel_resources::crds().into_iter().map(compile).collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn files() -> Vec<Manifest> {
    manifests().expect("the manifests are read")
}
